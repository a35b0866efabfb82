# SPDX-License-Identifier: Apache-2.0
"""What changes of a flow is a field like any other: each packet has it as of itself."""
import json

import pytest
import scapy.all as scapy

import weir

HTTP = weir.CAPTURES / 'http.pcap'


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp('modules')
    weir.build_module(folder, weir.PROJECT / 'tests/story/modules/flowfields.c', 'flowfields')
    weir.build_module(folder, weir.PROJECT / 'tests/story/modules/flowtest.c', 'flowtest')
    return weir.modules(folder)


@pytest.fixture(scope='module')
def frames(tmp_path_factory):
    """100 flows of ten packets each, all mixed, and some frames that are of no flow."""
    path = tmp_path_factory.mktemp('frames') / 'frames.pcap'
    packets = [scapy.Ether() / scapy.IP(src=f'10.0.0.{flow + 1}', dst='10.9.9.9') / scapy.UDP(sport=1000, dport=53) / (b'x' * number)
               for number in range(10) for flow in range(100)]
    wrong = [scapy.Ether(type=0x88b5) / b'something else'] * 7
    scapy.wrpcap(str(path), packets + wrong)
    return path


def counters(summary, name):
    return summary['elements'][name]['counters']


@pytest.mark.parametrize('way, workers, fill', [
    ('b :: Book', 1, 1), ('b :: Book', 1, 16), ('b :: Book', 1, 64), ('Ear -> b :: Book', 2, 64), ('Ear -> b :: Book', 1, 3),
    ('Ear -> Queue(100000) -> b :: Book', 1, 64), ('Ear -> Queue(100000) -> b :: Book', 1, 1), ('Queue(100000) -> b :: Book', 2, 64)])
def test_columns_are_as_of_each_packet(way, workers, fill, frames, library):
    """Also of a packet that has waited, while those behind it were tracked."""
    for capture in (HTTP, frames):
        book = counters(weir.run(f'FromDump -> {way} -> Discard', '-i', capture, '-w', workers, '--fill', fill, env=library), 'b')
        assert book['wrong'] == 0 < book['right'], book
        if capture == frames:
            assert book['right'] == 1000 and book['without'] == 7 and book['states'] == 0
        else:
            assert book['states'] > 200


@pytest.mark.parametrize('condition, count', [
    ('flow.packets_out == 1', 100), ('flow.packets_out in {2..3}', 200), ('flow.packets_back > 0', 0), ('flow.packets_out', 1000),
    ('!(flow.packets_out > 5)', 507), ('flow.payload_out > 9 && flow.payload_out < 16', 200), ('flow.bytes_out >= 84', 900),
    ('tcp.state', 0), ('flow.duration == 0 && udp', 100)])
def test_filters(condition, count, frames):
    summary = weir.run(f'FromDump -> Match({condition}) -> c :: Counter -> Discard', '-i', frames)
    assert summary['elements']['c']['packets'] == count


@pytest.mark.parametrize('condition, count', [
    ('tcp.state == "syn_sent"', 3), ('tcp.state == "syn_received"', 3), ('tcp.state contains "establ"', None),
    ('tcp.state in {"syn_sent", "syn_received"}', 6), ('tcp.state[0:3] == "syn"', 6)])
def test_a_text_in_filters(condition, count):
    found = weir.run(f'FromDump -> Match({condition}) -> c :: Counter -> Discard', '-i', HTTP)['elements']['c']['packets']
    assert found == count or count is None and found > 200


def test_handlers_filter_by_them(library, frames):
    third = counters(weir.run('FromDump -> t :: Third -> Discard', '-i', frames, env=library), 't')
    assert third == {'started': 100, 'third': 100, 'open': 0}
    third = counters(weir.run('FromDump -> t :: Third -> Discard', '-i', HTTP, env=library), 't')
    assert third['open'] > 0


@pytest.mark.parametrize('fill', [1, 64])
def test_events_of_a_graph_are_defined_by_them(fill, tmp_path, frames):
    log = tmp_path / 'log'
    graph = (f'define event a.third on packet.received where flow.packets_out == 3; define event an.answer on tcp.state_changed '
             f'where tcp.state == "established" && flow.packets_back == 1; FromDump -> Discard;'
             f'JsonLog({log}, events "a.third an.answer", fields "flow.packets_out")')
    weir.run(graph, '-i', frames, '--fill', fill)
    assert [json.loads(line)['flow.packets_out'] for line in log.read_text().splitlines()] == [3] * 100
    weir.run(graph, '-i', HTTP, '--fill', fill)
    assert log.read_text().count('"an.answer"') == 3 and log.read_text().count('"a.third"') >= 3


@pytest.mark.parametrize('fill', [1, 64])
def test_observers_show_them_and_filter_by_them(fill, tmp_path, frames):
    log = tmp_path / 'log'
    weir.run(f'FromDump -> Discard; JsonLog({log}, events "packet.received", fields "flow.packets_out flow.duration flow.start '
             f'tcp.state ip.src", where "flow.packets_out > 8")', '-i', frames, '--fill', fill)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [event['flow.packets_out'] for event in events] == [9] * 100 + [10] * 100
    assert all('tcp.state' not in event and event['flow.start'] <= event['time'] for event in events)
    weir.run(f'FromDump -> Discard; JsonLog({log}, events "tcp.state_changed tcp.established flow.started flow.ended", '
             f'fields "flow.packets_out flow.payload_back tcp.state")', '-i', HTTP, '--fill', fill)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert {(event['tcp.state'], event['flow.packets_out']) for event in events if event['event'] == 'tcp.established'} \
        == {('established', 2)}
    assert {event['tcp.state'] for event in events if event['event'] == 'flow.started'} == {'syn_sent'}
    assert {event['tcp.state'] for event in events if event['event'] == 'flow.ended'} == {'closed'}
    assert all(event['flow.payload_back'] > 8000 for event in events if event['event'] == 'flow.ended')


def test_lines_for_people_show_them(tmp_path):
    log = tmp_path / 'log'
    weir.run(f'FromDump -> Discard; JsonLog({log}, events "tcp.established flow.ended", fields "flow.packets_back tcp.state", '
             f'format lines)', '-i', HTTP)
    told = log.read_text()
    assert told.count('packets_back 1') == 3 and told.count('established') == 6 and 'packets_back 12' not in told


def explained(graph, env=None):
    code, out, err = weir.call('explain', '-e', graph, env=env)
    assert code == 0, err
    return out


def test_the_plan_says_why_flows_are_tracked(library):
    assert 'flows: not tracked' in explained('FromDump -> Match(tcp.port == 80) -> Discard')
    told = explained('FromDump -> m :: Match(flow.bytes_out > 1000) -> b :: Book -> e :: Ear -> Discard;'
                     'j :: JsonLog(-, events "packet.received", fields "tcp.state")', env=library)
    assert 'for m (Match), which reads flow.bytes_out' in told
    assert 'for b (Book), which reads flow.packets_out' in told
    assert 'for e (Ear), which hears flow.started' in told
    assert 'for j (JsonLog), which shows tcp.state' in told
    assert 'flow, filter flow.bytes_out >= 1001' in told


def test_they_cannot_be_changed(library):
    code, _, err = weir.call('explain', '-e', 'FromDump -> Forger -> Discard', env=library)
    assert code != 0 and 'Forger changes "flow.packets_out", which cannot be set' in err


def test_watch_takes_them():
    code, out, err = weir.call('watch', '--json', '-e', 'tcp.*', '-f', 'flow.packets_back > 100', HTTP)
    assert code == 0, err
    assert out and all(json.loads(line)['srcport'] == 41076 for line in out.splitlines())
