# SPDX-License-Identifier: Apache-2.0
"""Events ride on their packet: through queues, to other workers, into another generation; a clone carries none."""
import json
import re
import signal
import time

import pytest
import scapy.all as scapy

import weir

PACKETS = 3000
MODULES = weir.PROJECT / 'tests/story/modules'


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp('modules')
    weir.build_module(folder, MODULES / 'notes.c', 'notes')
    return weir.modules(folder)


@pytest.fixture(scope='module')
def frames(tmp_path_factory):
    path = tmp_path_factory.mktemp('frames') / 'frames.pcap'
    scapy.wrpcap(str(path), [scapy.Ether() / scapy.IP(src=f'10.0.{i // 250}.{i % 250 + 1}', dst='10.9.9.9', id=i) /
                             scapy.UDP(sport=1000 + i, dport=2000) / b'payload' for i in range(PACKETS)])
    return path


@pytest.mark.parametrize('workers', [1, 2])
@pytest.mark.parametrize('way', ['r :: Reader', 'Queue(5000) -> r :: Reader', 'Queue(5000) -> Queue(5000) -> r :: Reader', 'r :: Alone',
                                 'Queue(5000) -> r :: Alone'])
def test_payloads_come_with_their_packet(way, workers, library, frames):
    summary = weir.run(f'FromDump -> Noter -> {way} -> Discard', '-w', workers, '-i', frames, env=library)
    reader = summary['elements']['r']['counters']
    arrived = summary['elements']['r']['packets']
    assert arrived == PACKETS
    assert reader == {'taken': 2 * arrived, 'seen': arrived, 'wrong': 0}


def test_each_event_is_observed_once(library, frames, tmp_path):
    log = tmp_path / 'log'
    weir.run(f'FromDump -> Noter -> Queue(5000) -> m :: Match(udp) -> Reader -> Queue(5000) -> Discard; m[other] -> Discard;'
             f'JsonLog({log}, events "note.* packet.received")', '-i', frames, env=library)
    names = [json.loads(line)['event'] for line in log.read_text().strip().split('\n')]
    assert {name: names.count(name) for name in names} == {'note.taken': 2 * PACKETS, 'note.seen': PACKETS,
                                                          'packet.received': PACKETS}


def test_malformed_is_observed_once_on_a_long_way(tmp_path):
    capture, log = tmp_path / 'bad.pcap', tmp_path / 'log'
    frame = bytes(scapy.Ether() / scapy.IP(src='10.0.0.1', dst='10.0.0.2') / scapy.UDP())
    scapy.wrpcap(str(capture), [scapy.Ether(frame[:16] + b'\xff\xff' + frame[18:]) for _ in range(100)])
    summary = weir.run(f'FromDump -> m :: Match(ip.ttl > 1) -> Queue(200) -> n :: Match(udp) -> Discard; m[other] -> Discard;'
                       f'n[other] -> Discard; JsonLog({log}, events "packet.malformed")', '-i', capture)
    assert summary['received'] == 100
    assert len(log.read_text().splitlines()) == 100


def test_clones_carry_no_events(library, frames):
    summary = weir.run('FromDump -> Noter -> t :: Tee(2); t[0] -> r :: Reader -> Discard; t[1] -> s :: Reader -> Discard', '-i', frames,
                       env=library)
    heard = [summary['elements'][name]['counters']['taken'] for name in 'rs']
    assert summary['cloned'] == PACKETS and sorted(heard) == [0, 2 * PACKETS]


@pytest.mark.parametrize('workers', [1, 2])
def test_payloads_survive_swaps(workers, library, frames, tmp_path):
    plain = 'in :: FromDump -> n :: Noter -> q :: Queue(1000) -> r :: Reader -> Discard;'
    other = 'in :: FromDump -> n :: Noter -> Paint(2) -> q :: Queue(1000) -> p :: PaintSwitch; p[0] -> Discard; p[1] -> Discard;' \
            'p[2] -> r :: Reader -> Discard;'
    graph = tmp_path / 'graph.weir'
    graph.write_text(plain)
    with weir.Running(graph, '-w', workers, '-i', f'null:frames={frames}', env=library) as running:
        for i in range(30):
            fresh = tmp_path / 'fresh'
            fresh.write_text(other if i % 2 == 0 else plain)
            fresh.replace(graph)
            running.signal(signal.SIGHUP)
            time.sleep(0.05)
        summary = running.stop()
    assert summary['conserved'], summary
    reader = summary['elements']['r']['counters']
    assert summary['stderr'].count('is in force') > 10
    assert reader['seen'] > 1000 and reader['wrong'] == 0
    # a source that never rests takes all buffers; a payload that finds none is counted, also of packets that are dropped later
    assert reader['taken'] <= 2 * reader['seen'] <= reader['taken'] + summary['events_lost']


def test_explain_tells_what_events_cost(tmp_path):
    """What must be done for each type, and what each handler took."""
    graph = 'define event web.hosts on http.request count by ip.src over 10s; FromDump -> HttpHosts -> SynGuard -> Discard;' \
            f'JsonLog({tmp_path / "log"}, events "web.hosts packet.received packet.malformed")'
    code, out, err = weir.call('explain', '--analyze', '-i', weir.CAPTURES / 'http.pcap', '-e', graph)
    assert code == 0, err
    costs = dict(re.findall(r'^event (\S+): .* costs (.*)$', out, re.M))
    assert costs == {'packet.received': 'nothing, a bit each', 'packet.malformed': 'decoding, a record each',
                     'flow.started': 'flows, a bit each', 'flow.ended': 'flows, a record each', 'tcp.established': 'flows, a bit each',
                     'stream.data': 'streams, a record each', 'http.request': 'streams, a record each',
                     'web.hosts': 'streams, a record each'}
    calls = {(event, element): int(calls) for event, element, calls, cycles in
             re.findall(r'^(\S+\.\S+) +(\S+) +(\d+) +(\d+\.\d)$', out.split('heard by')[1], re.M)}
    assert calls['http.request', 'HttpHosts@2'] == 8 and calls['flow.started', 'SynGuard@3'] == calls['flow.ended', 'HTTP'] == 3
    assert calls['stream.data', 'HTTP'] > 100
