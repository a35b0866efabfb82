# SPDX-License-Identifier: Apache-2.0
"""Events that a graph defines upon others: they come with their base, to whoever hears of them, and only then."""
import json
import re

import pytest
import scapy.all as scapy

import packets
import weir

MODULES = weir.PROJECT / 'tests/story/modules'
FAILED = 'define event scan.failed on flow.ended where tcp && flow.packets_back == 0;'
WEB = weir.TRACES / 'http-750conns-64B.pcap'


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp('modules')
    weir.build_module(folder, MODULES / 'scans.c', 'scans')
    weir.build_module(folder, MODULES / 'notes.c', 'notes')
    return weir.modules(folder)


def write(path, frames):
    """A capture; each frame with its time in seconds."""
    packets.write_capture(path, [packets.Packet(bytes(frame), round(time * 1e9)) for time, frame in frames], 1)
    return path


def tcp(source, port, flags='S', **fields):
    return scapy.Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02') / \
        scapy.IP(src=source, dst='10.9.9.9', **fields) / scapy.TCP(sport=port, dport=80, flags=flags)


@pytest.fixture(scope='module')
def scan(tmp_path_factory):
    """10.0.0.1 asks 7 times without an answer, 10.0.0.2 is answered twice; a third asks by UDP."""
    frames = [(i / 10, tcp('10.0.0.1', 1000 + i)) for i in range(7)]
    for i in range(2):
        ask = tcp('10.0.0.2', 2000 + i)
        answer = scapy.Ether(src='02:00:00:00:00:02', dst='02:00:00:00:00:01') / scapy.IP(src='10.9.9.9', dst='10.0.0.2') / \
            scapy.TCP(sport=80, dport=2000 + i, flags='SA', ack=1)
        frames += [(1 + i / 10, ask), (1 + i / 10, answer)]
    frames.append((2, scapy.Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02') /
                   scapy.IP(src='10.0.0.3', dst='10.9.9.9') / scapy.UDP(sport=5, dport=6)))
    return write(tmp_path_factory.mktemp('scan') / 'scan.pcap', frames)


def told(graph, capture, folder, *arguments, env=None, events='*'):
    log = folder / 'log'
    weir.run(f'{graph} JsonLog({log}, events "{events}");', '-i', capture, *arguments, env=env)
    return [json.loads(line) for line in log.read_text().splitlines()]


def explain(graph, env=None, *arguments):
    code, out, err = weir.call('explain', *arguments, '-e', graph, env=env)
    assert code == 0, err
    return out


@pytest.mark.parametrize('workers', [1, 2])
@pytest.mark.parametrize('fill', [1, 64])
@pytest.mark.parametrize('way', ['h :: Hearer', 'Queue(100) -> h :: Hearer', 'h :: Hearer -> Queue(100)'])
def test_handlers_hear_them_behind_their_base(way, fill, workers, library, scan):
    heard = weir.run(f'{FAILED} FromDump -> {way} -> Discard;', '-i', scan, '-w', workers, '--fill', fill, env=library)
    assert heard['elements']['h']['counters'] == {'failed': 7, 'wrong': 0, 'globbed': 7, 'ended_before': 7}


def test_observers_see_them_with_the_parts_of_their_base(scan, tmp_path):
    lines = told(f'{FAILED} FromDump -> Discard;', scan, tmp_path, events='flow.ended scan.failed')
    ended = [line for line in lines if line['event'] == 'flow.ended']
    failed = [line for line in lines if line['event'] == 'scan.failed']
    assert len(ended) == 10 and len(failed) == 7
    assert all({**line, 'event': 'scan.failed'} in failed for line in ended if line['ip.src'] == '10.0.0.1')
    assert all(line['tcp.conn_state'] == 'S0' and line['tcp.history'] == 'S' for line in failed)


def test_each_comes_right_behind_its_base(scan, tmp_path):
    lines = told('define event web.asked on flow.started where tcp.dstport == 80; FromDump -> Discard;', scan, tmp_path,
                 events='flow.started web.asked packet.received tcp.state_changed')
    for before, line in zip(lines, lines[1:]):
        if line['event'] == 'web.asked':
            assert before == {**line, 'event': 'flow.started'}
    assert sum(line['event'] == 'web.asked' for line in lines) == 9


def test_upon_one_another_in_any_order_of_the_text(scan, tmp_path):
    graph = 'define event c.three on b.two where srcport < 1004; define event b.two on a.one where srcport > 1001;' \
            'define event a.one on flow.ended where ip.src == 10.0.0.1; FromDump -> Discard;'
    lines = told(graph, scan, tmp_path, events='c.*')
    assert sorted(line['srcport'] for line in lines) == [1002, 1003]
    assert {line['event'] for line in lines} == {'c.three'}


@pytest.mark.parametrize('workers', [1, 2])
@pytest.mark.parametrize('way', ['r :: Refuser', 'Queue(1000) -> r :: Refuser', 'Counter -> r :: Refuser -> Queue(1000)'])
def test_verdicts_on_packets(way, workers, library, scan):
    """packet.received has no payload: a mask."""
    graph = f'define event odd.packet on packet.received where tcp.srcport % 2 == 1; FromDump -> {way} -> s :: Counter -> Discard;'
    heard = weir.run(graph, '-i', scan, '-w', workers, env=library)
    assert heard['drops'] == {'r': {'refused': 4}}  # 1001, 1003, 1005, 2001
    assert heard['elements']['s']['packets'] == 8


def test_the_packet_is_as_it_was_when_the_base_was_raised(library, scan):
    """Behind an edit and a queue the filter is not looked at again."""
    graph = 'define event odd.packet on packet.received where ip.ttl == 64; FromDump -> DecIPTTL -> Queue(100) -> r :: Refuser -> Discard;'
    assert weir.run(graph, '-i', scan, env=library)['drops'] == {'r': {'refused': 12}}
    graph = graph.replace('64', '63')
    assert weir.run(graph, '-i', scan, env=library)['drops'] == {}


def test_upon_events_of_modules(library, scan, tmp_path):
    graph = 'define event odd.turn on note.taken where note.turn == 2 && ip.src == 10.0.0.2; define event odd.all on note.seen;' \
            'FromDump -> Queue(100) -> Noter -> Queue(100) -> Discard;'
    lines = told(graph, scan, tmp_path, events='odd.*', env=library)
    assert [line['event'] for line in lines].count('odd.all') == 12
    turns = [line for line in lines if line['event'] == 'odd.turn']
    assert len(turns) == 2 and all(line['note.motto'] == 'festina lente' for line in turns)


def test_of_what_the_decoder_finds(tmp_path):
    frame = bytes(scapy.Ether() / scapy.IP(src='10.0.0.1', dst='10.0.0.2') / scapy.UDP())
    bad = frame[:16] + b'\xff\xff' + frame[18:]
    capture = write(tmp_path / 'bad.pcap', [(i, bad if i % 2 else frame) for i in range(10)])
    graph = 'define event bad.length on packet.malformed where packet.reason contains "longer" && frame.len > 10;' \
            'define event bad.small on packet.malformed where frame.len < 10; FromDump -> Discard;'
    lines = told(graph, capture, tmp_path, events='bad.*')
    assert [line['event'] for line in lines] == 5 * ['bad.length']


def test_what_nobody_hears_is_not_computed(library):
    out = explain(f'{FAILED} define event x.y on scan.failed where ip.src == 10.0.0.1; FromDump -> Discard;')
    assert 'flows: not tracked' in out
    assert re.search(r'event scan.failed: derived from flow.ended where .*; nobody hears it: not computed', out)
    assert 'computes' not in out


def test_what_is_defined_alike_is_derived_once(scan, tmp_path):
    graph = f'{FAILED} define event bad.try on flow.ended where flow.packets_back==0 and (tcp);' \
            'define event a.third on bad.try where ip.src == 10.0.0.1; FromDump -> Discard;'
    out = explain(graph + 'JsonLog(-, events "scan.* bad.*");')
    assert re.search('event scan.failed: derived from flow.ended where .*, shared with bad.try, rides', out), out
    lines = told(graph, scan, tmp_path, events='scan.* bad.* a.*')
    assert {name: sum(line['event'] == name for line in lines) for name in ('scan.failed', 'bad.try', 'a.third')} == \
        {'scan.failed': 7, 'bad.try': 7, 'a.third': 7}


def test_what_comes_of_oneself_is_refused(library):
    code, _, err = weir.call('explain', '-e', 'define event echo.heard on echo.made where tcp; FromDump -> Echo -> Discard;', env=library)
    assert code == 1 and 'hears an event that comes of what it raises itself' in err


@pytest.mark.parametrize('text, message', [
    ('define event a.b on flow.endd;', '1:21: error: nothing in this graph raises "flow.endd"; did you mean "flow.ended"?'),
    ('define event a.bb on a.cc; define event a.cc on a.bc;', '1:49: error: nothing in this graph raises "a.bc"; did you mean "a.bb"?'),
    ('define event a.b on c.d; define event c.d on a.b;', '1:46: error: "a.b" comes of itself, by way of "c.d"'),
    ('define event a.b on a.b;', '1:21: error: "a.b" comes of itself, by way of "a.b"'),
    ('define event a.b on flow.ended where flow.packets_bakc == 0;', '1:38: error: "flow.packets_bakc"'),
    ('define event a.b on flow.ended where tcp\n  && flow.packets_back == "x";', '2:27: error:'),
    ('define($p flow.packets_back) define event a.b on flow.ended where tcp && $p == ip.src;', '1:80: error:'),
    ('define event flow.ended on flow.started;', '1:14: error: "flow.ended" cannot be defined: code raises it'),
])
def test_what_is_wrong_is_pointed_at(text, message, tmp_path):
    graph = tmp_path / 'g.weir'
    graph.write_text(f'{text} FromDump -> Discard; JsonLog(-, events "flow.ended");')
    code, _, err = weir.call('check', graph)
    assert code == 1 and f'{graph}:{message}' in err, err


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    graph = tmp_path / 'g.weir'
    graph.write_text('define event a.b on flow.endd;\ndefine event c.d on flow.ended where tpc;\n'
                     'define event e.f on e.f;\nFromDump -> Discard;')
    code, _, err = weir.call('check', graph)
    assert code == 1 and err.count(': error: ') == 3, err


def test_a_chain_is_not_without_end():
    chain = ''.join(f'define event a.x{i} on a.x{i - 1};' for i in range(1, 1100))
    graph = f'define event a.x0 on packet.received; {chain} FromDump -> Discard;'
    code, _, err = weir.call('explain', '-e', graph)
    assert code == 1 and 'more than 999 definitions stand upon one another' in err
    assert err.count(': error: ') <= 102, err


def test_watch_defines_them(scan):
    code, out, err = weir.call('watch', '--buffers', weir.BUFFERS, '-d', 'scan.failed on flow.ended where tcp && flow.packets_back == 0',
                               '-d', 'scan.odd on scan.failed where srcport == 1003', '-e', 'scan.*', scan)
    assert code == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line['event'] for line in lines].count('scan.failed') == 7
    assert [line['srcport'] for line in lines if line['event'] == 'scan.odd'] == [1003]
    assert 'tcp.conn_state' in lines[0] and lines[0]['ip.src'] == '10.0.0.1'


@pytest.mark.skipif(not WEB.exists(), reason='no traces here (WEIR_TRACES)')
@pytest.mark.parametrize('fill', [1, 16, 64])
@pytest.mark.parametrize('workers', [1, 2])
def test_of_streams_as_many_as_of_their_base(workers, fill, tmp_path):
    graph = 'define event some.data on stream.data where stream.offset == 0; define event web.flow on flow.started where tcp.dstport == 80;' \
            'define event web.up on tcp.established; define event web.end on stream.closed where stream.bytes > 0; FromDump -> Discard;'
    lines = told(graph, WEB, tmp_path, '-w', workers, '--fill', fill, events='some.* web.* stream.closed tcp.established')
    count = {line['event']: 0 for line in lines}
    for line in lines:
        count[line['event']] += 1
    full = sum(line['event'] == 'stream.closed' and line['stream.bytes'] > 0 for line in lines)
    assert count['web.up'] == count['tcp.established'] > 600 and count['web.flow'] == 750
    assert count['web.end'] == full == count['some.data']
