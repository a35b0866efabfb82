# SPDX-License-Identifier: Apache-2.0
"""Runs weir on a capture that comes bit by bit, while its graph is changed."""
import json
import os
import signal
import struct
import time

import scapy.all as scapy

import weir


class Feed:
    """A capture that comes through a pipe bit by bit; each bit ends with a datagram whose flow is told when it has been read."""
    def __init__(self, folder, graph, *arguments, env=None):
        self.log, self.graph, self.pipe = folder / 'log', folder / 'graph.weir', folder / 'pipe'
        self.sent, self.microseconds = 0, 0
        self.set(graph)
        os.mkfifo(self.pipe)
        self.running = weir.Running(self.graph, '-i', self.pipe, *arguments, env=env)
        self.to = open(self.pipe, 'wb', buffering=0)
        self.to.write(struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))

    def set(self, graph):
        fresh = self.graph.with_suffix('.new')
        fresh.write_text(graph.format(log=self.log))
        fresh.replace(self.graph)

    def change(self, graph):
        self.set(graph)
        self.running.signal(signal.SIGHUP)
        self.running.wait_for('is in force')

    def send(self, frames, is_heard=True):
        self.sent += 1
        mark = scapy.Ether() / scapy.IP(src='10.9.0.1', dst='10.9.0.2') / scapy.UDP(sport=self.sent, dport=9)
        for frame in [*frames, mark]:
            self.microseconds += 100
            data = bytes(frame)
            self.to.write(struct.pack('<IIII', 1700000000 + self.microseconds // 1000000, self.microseconds % 1000000, len(data), len(data)) + data)
        end = time.monotonic() + weir.SECONDS
        while is_heard and not any(one['srcport'] == self.sent and one['event'] == 'flow.started' for one in self.told()):
            assert time.monotonic() < end, self.running.log()
            time.sleep(0.01)

    def told(self):
        lines = self.log.read_text().splitlines(keepends=True) if self.log.exists() else []
        return [json.loads(line) for line in lines if line.endswith('\n')]

    def end(self):
        self.to.close()
        out, _ = self.running.process.communicate(timeout=weir.SECONDS)
        assert self.running.process.returncode == 0, self.running.log()
        summary = json.loads(out[out.index('{\n'):])
        assert summary['conserved'], summary
        return summary, self.told()
