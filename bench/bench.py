#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the packet path: cycles per packet, one pinned worker, 64-byte packets over 16,384 buffers in shuffled order.

Each scenario is a graph from a source of frames without end to a sink. Runs are interleaved, a round of all scenarios after
another, so that a busy machine hits all alike; what counts is the median, and the ratio to the source alone. Before anything
is measured the router's graph runs on the same frames from a capture to a capture, and every packet that it writes is
checked against a router of a few lines here: TTL, checksum, MAC addresses, next hop.
"""
import argparse
import ipaddress
import json
import os
import pathlib
import random
import statistics
import struct
import subprocess
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[1]
FRAMES, BUFFERS, ROUTES = 16384, 16384, 100000
GATEWAYS = 16
SOURCE_MAC, HERE_MAC = bytes.fromhex('020000000001'), bytes.fromhex('020000000002')


def mac_of(gateway):
    return bytes.fromhex('0200000001') + bytes([gateway])


def checksum(header):
    total = sum(struct.unpack('!10H', header))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def frame(destination, number):
    ip = bytearray(struct.pack('!BBHHHBBHII', 0x45, 0, 50, number & 0xffff, 0, 64, 17, 0, 0x0a000001 + number % 50000, destination))
    struct.pack_into('!H', ip, 10, checksum(bytes(ip)))
    udp = struct.pack('!HHHH', 1024 + number % 40000, 443 if number % 8 == 0 else 53, 30, 0)
    return HERE_MAC + SOURCE_MAC + b'\x08\x00' + bytes(ip) + udp + bytes(22)


def write_capture(path, frames):
    with open(path, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, data in enumerate(frames):
            file.write(struct.pack('<IIII', 1000000000, i, len(data), len(data)) + data)


def read_capture(path):
    data = pathlib.Path(path).read_bytes()
    at, frames = 24, []
    while at < len(data):
        length = struct.unpack_from('<I', data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


class Table:
    """Longest prefix match, the slow way: a dictionary per length."""
    def __init__(self):
        self.by_length = {}

    def add(self, address, length, value):
        self.by_length.setdefault(length, {})[address >> (32 - length) if length else 0] = value

    def find(self, address):
        for length in sorted(self.by_length, reverse=True):
            value = self.by_length[length].get(address >> (32 - length) if length else 0)
            if value is not None:
                return value
        return None


def make_routes(path, rng):
    table, lines = Table(), []
    table.add(0, 0, 0)
    lines.append('0.0.0.0/0 10.255.0.1 0')
    seen = set()
    while len(seen) < ROUTES - 1:
        length = rng.choice([16, 18, 20, 22, 23, 24, 24, 24, 24])
        address = rng.randrange(0x01000000, 0xdf000000) >> (32 - length) << (32 - length)
        if (address, length) in seen:
            continue
        seen.add((address, length))
        gateway = rng.randrange(GATEWAYS)
        table.add(address, length, gateway)
        lines.append(f'{ipaddress.ip_address(address)}/{length} 10.255.0.{gateway + 1} {gateway}')
    path.write_text('\n'.join(lines) + '\n')
    return table


ROUTER = 'FromDump -> CheckIPHeader -> DecIPTTL -> r :: LookupIPRoute(%s);\nout :: ToDump;\n'


def router(routes, outputs):
    return ROUTER % routes + ''.join(f'r[{i}] -> EtherRewrite(02:00:00:00:00:02, 02:00:00:00:01:{i:02x}) -> out;\n' for i in range(outputs))


CHAIN = ['Paint(3)', 'Counter', 'm{}', 'DecIPTTL']


def chain(kind, length):
    text, names = 'FromDump', ''
    for i in range(length):
        if kind == 'Match':
            names += f'm{i} :: Match(ip.proto == 17 && udp.srcport > 5); m{i}[other] -> d :: Discard;\n' if not i else \
                     f'm{i} :: Match(ip.proto == 17 && udp.srcport > {5 + i}); m{i}[other] -> d;\n'
            text += f' -> m{i}'
        else:
            text += f' -> {kind}'
    return names + text + ' -> Discard;'


def scenarios(folder):
    found = {'source': 'FromDump -> Discard;',
             'router, 1 route': router('0.0.0.0/0 10.255.0.1 0', 1),
             'router, 100,000 routes': router(f'file {folder}/routes', GATEWAYS),
             'look-up alone, 1 route': 'FromDump -> r :: LookupIPRoute(0.0.0.0/0 10.255.0.1 0) -> Discard;',
             'branch, 1/8': 'FromDump -> m :: Match(udp.dstport == 443) -> Counter -> d :: Discard; m[other] -> d;',
             'event, nobody hears': 'FromDump -> Counter -> Discard;'}
    for kind in ('Paint(3)', 'Counter', 'Match', 'DecIPTTL'):
        for length in (3, 6, 9):
            found[f'{length} x {kind}'] = chain(kind, length)
    return found


def run_once(weir, graph, folder, seconds, fill, core):
    command = ['taskset', '-c', str(core), weir, 'run', '--json', '--busy-poll', '--duration', str(seconds), '--buffers', '65536',
               '--fill', str(fill), '-i', f'null:frames={folder}/frames.pcap,buffers={BUFFERS}', '-e', graph]
    if ':: ToDump' in graph or '-> ToDump' in graph:
        command += ['-o', 'null:']
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f'{graph}\n{done.stderr}')
    summary = json.loads(done.stdout[done.stdout.index('{\n'):])
    assert summary['conserved']
    return summary['busy_cycles'] / max(1, summary['received'])


def instructions(weir, graph, folder):
    """Of the whole process, by callgrind: the same for the same work, whatever else the machine does."""
    command = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', weir, 'run', '--quiet', '--buffers', '4096',
               '-i', f'{folder}/many.pcap', '-e', graph]
    if 'ToDump' in graph:
        command += ['-o', 'null:']
    done = subprocess.run(command, capture_output=True, text=True)
    return int(done.stderr.split('Collected : ')[1].split()[0])


def count_instructions(weir, chosen, folder, frames):
    write_capture(folder / 'many.pcap', frames * 8)
    source = instructions(weir, chosen['source'], folder)
    print('\ninstructions per packet over the source (callgrind)')
    for key, graph in chosen.items():
        if key != 'source':
            print(f'  {key:<28} {(instructions(weir, graph, folder) - source) / (8 * len(frames)):8.1f}', flush=True)


def check_router(weir, folder, table, frames):
    out = folder / 'out.pcap'
    graph = router(f'file {folder}/routes', GATEWAYS)
    subprocess.run([weir, 'run', '--quiet', '-i', f'{folder}/frames.pcap', '-o', out, '-e', graph], check=True)
    written = read_capture(out)
    assert len(written) == len(frames), f'{len(written)} of {len(frames)} packets came out'
    expected = {}
    for data in frames:
        ip = bytearray(data[14:34])
        ip[8] -= 1
        struct.pack_into('!H', ip, 10, 0)
        struct.pack_into('!H', ip, 10, checksum(bytes(ip)))
        gateway = table.find(struct.unpack_from('!I', ip, 16)[0])
        key = mac_of(gateway) + HERE_MAC + data[12:14] + bytes(ip) + data[34:]
        expected[key] = expected.get(key, 0) + 1
    for data in written:
        assert expected.get(data, 0) > 0, f'not what a router would send: {data.hex()}'
        expected[data] -= 1
    print(f'every one of {len(frames)} packets is what a router would send: TTL, checksum, MAC addresses, next hop of {ROUTES} routes')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--weir', default=os.environ.get('WEIR', str(PROJECT / 'build-release/weir')))
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=0.4)
    parser.add_argument('--core', type=int, default=1 if (os.cpu_count() or 1) > 1 else 0)
    parser.add_argument('--only', default='')
    parser.add_argument('--fills', default='64')
    parser.add_argument('--instructions', action='store_true', help='count instructions, not cycles')
    options = parser.parse_args()
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        table = make_routes(folder / 'routes', rng)
        frames = [frame(rng.randrange(0x01000000, 0xdf000000), i) for i in range(FRAMES)]
        write_capture(folder / 'frames.pcap', frames)
        check_router(options.weir, folder, table, frames)
        chosen = {k: v for k, v in scenarios(folder).items() if options.only in k or k == 'source'}
        if options.instructions:
            count_instructions(options.weir, chosen, folder, frames)
            return
        for fill in map(int, options.fills.split(',')):
            measured = {k: [] for k in chosen}
            for _ in range(options.rounds):
                for key, graph in chosen.items():
                    measured[key].append(run_once(options.weir, graph, folder, options.seconds, fill, options.core))
            source = statistics.median(measured['source'])
            print(f'\nvectors of {fill}: cycles per packet, median of {options.rounds} interleaved runs (least)')
            for key, values in measured.items():
                median = statistics.median(values)
                print(f'  {key:<28} {median:8.1f} ({min(values):.1f})   over the source {median - source:8.1f}   ratio {median / source:6.2f}')


if __name__ == '__main__':
    main()
