# SPDX-License-Identifier: Apache-2.0
"""Who hears of flows and streams may change while they are under way: what is kept of them goes on with the changed graph."""
import hashlib
import time

import pytest
import scapy.all as scapy

import weir
from feed import Feed

CLIENT, SERVER = '10.0.0.1', '10.0.0.2'
STREAMS = 'FromDump -> Discard; FlowTracker(hash true); JsonLog({log}, events "flow.started tcp.gap tcp.overlapped stream.closed");'
FLOWS = 'FromDump -> Discard; JsonLog({log}, events "flow.started");'
NOBODY = 'FromDump -> Counter -> Discard;'
PART = 1000


def segment(seq, data=b'', flags='A', back=False, port=1024):
    source, target = (SERVER, CLIENT) if back else (CLIENT, SERVER)
    sport, dport = (80, port) if back else (port, 80)
    return scapy.Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02') / scapy.IP(src=source, dst=target) / \
        scapy.TCP(sport=sport, dport=dport, seq=seq, ack=1, flags=flags, window=60000) / data


def opening(port=1024):
    return [segment(0, flags='S', port=port), segment(0, flags='SA', back=True, port=port), segment(1, port=port)]


def part(i):
    return bytes([65 + i]) * PART


def parts(*numbers, **more):
    return [segment(1 + i * PART, part(i), **more) for i in numbers]


def closing(count):
    return [segment(1 + count * PART, flags='FA'), segment(1, flags='FA', back=True)]


def of(told, event, direction='out'):
    return [one for one in told if one['event'] == event and one.get('stream.direction') == direction]


def digest(*numbers):
    return hashlib.sha256(b''.join(part(i) for i in numbers)).hexdigest()


@pytest.mark.parametrize('other', [STREAMS + ' Idle -> Counter -> Discard;',
                                   STREAMS.replace('-> Discard;', '-> e :: Ear -> Discard;', 1)], ids=['same', 'longer'])
@pytest.mark.parametrize('waiting', [[], [3, 4]], ids=['in-order', 'waiting'])
def test_a_stream_goes_on(waiting, other, tmp_path):
    """Offsets, hashes, what waits for a hole to be filled: all as if nothing had happened, and back again."""
    weir.build_module(tmp_path, weir.PROJECT / 'tests/story/modules/flowtest.c', 'flowtest')
    feed = Feed(tmp_path, STREAMS, env=weir.modules(tmp_path))
    feed.send(opening() + parts(0, 1, *waiting))
    feed.change(other)
    feed.send(parts(2, *([] if waiting else [3, 4])))
    feed.change(STREAMS)
    feed.send(parts(5) + closing(6))
    _, told = feed.end()
    (out,), (back,) = of(told, 'stream.closed'), of(told, 'stream.closed', 'back')
    assert (out['stream.bytes'], out['stream.gap_bytes'], out['stream.sha256']) == (6 * PART, 0, digest(*range(6)))
    assert (back['stream.bytes'], back['stream.gap_bytes'], back['stream.sha256']) == (0, 0, digest())
    assert not of(told, 'tcp.gap') and not of(told, 'tcp.overlapped')
    assert len([one for one in told if one['event'] == 'flow.started']) == 1 + feed.sent


@pytest.mark.parametrize('before', [FLOWS, NOBODY])
def test_who_comes_later_hears_what_comes_next(before, tmp_path):
    """Bytes that nobody had asked for are told as missed where the flow was known, and nobody waits for them."""
    feed = Feed(tmp_path, before)
    feed.send(opening() + parts(0, 1), is_heard=before == FLOWS)
    if before == NOBODY:
        time.sleep(0.3)
    feed.change(STREAMS)
    feed.send(parts(2, 3) + closing(4))
    _, told = feed.end()
    closed, = of(told, 'stream.closed')
    if before == FLOWS:
        assert 'stream.sha256' not in closed, 'a hash of a part of it'
        assert closed['stream.gap_bytes'] == 2 * PART
    assert closed['stream.bytes'] == 2 * PART
    assert not of(told, 'tcp.gap') and not of(told, 'tcp.overlapped')


@pytest.mark.parametrize('between', [FLOWS, NOBODY])
def test_nobody_wants_them_for_a_while(between, tmp_path):
    """What waited is given back at once; who wants them again hears what comes next."""
    feed = Feed(tmp_path, STREAMS)
    feed.send(opening() + parts(0, 3, 5))
    feed.change(between)
    feed.send(parts(1), is_heard=between == FLOWS)
    if between == NOBODY:
        time.sleep(0.3)
    feed.change(STREAMS)
    feed.send(parts(6, 7) + closing(8))
    summary, told = feed.end()
    closed, = of(told, 'stream.closed')
    assert closed['stream.bytes'] == 2 * PART
    assert closed['stream.gap_bytes'] == (5 * PART + PART if between == FLOWS else 0)
    assert not of(told, 'tcp.gap') and summary['held'] == 0


def test_many_flows_keep_what_modules_keep(tmp_path):
    """Thousands of flows, through swaps to layouts of another size and order, in a graph with fewer flows than there are."""
    weir.build_module(tmp_path, weir.PROJECT / 'tests/story/modules/flowtest.c', 'flowtest')
    flows = 3000
    graph = 'FromDump -> e :: Ear -> Discard; JsonLog({log}, events "flow.started");'
    grown = 'FromDump -> HTTP -> b :: Ear -> e :: Ear -> Discard; FlowTracker(max_flows 1000); JsonLog({log}, events "flow.started tcp.gap");'
    ports = range(1024, 1024 + flows)
    feed = Feed(tmp_path, graph, env=weir.modules(tmp_path))
    feed.send([frame for port in ports for frame in opening(port) + parts(0, port=port)])
    feed.change(grown)
    feed.send([frame for port in ports for frame in parts(1, port=port)])
    feed.change(graph)
    feed.send([frame for port in ports for frame in parts(2, port=port)])
    summary, _ = feed.end()
    heard = summary['elements']['e']['counters']
    assert heard['wrong'] == heard['unknown'] == heard['late'] == 0, heard
    assert heard['started'] == heard['ended'] == flows + feed.sent
    assert heard['streams'] == 2 * flows and heard['data'] == 3 * flows
