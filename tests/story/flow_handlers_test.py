# SPDX-License-Identifier: Apache-2.0
"""What elements hear of flows, each exactly once; what they decide lasts as long as the flow."""
import pytest
import scapy.all as scapy

import weir

MODULES = weir.PROJECT / 'tests/story/modules'
WEB = weir.TRACES / 'http-750conns-64B.pcap'


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp('modules')
    weir.build_module(folder, MODULES / 'flowtest.c', 'flowtest')
    weir.build_module(folder, MODULES / 'synguard.c', 'synguard')
    return weir.modules(folder)


def counters(summary, name):
    return summary['elements'][name]['counters']


@pytest.mark.parametrize('fill', [1, 16, 64])
@pytest.mark.parametrize('workers', [1, 2])
@pytest.mark.parametrize('way', ['e :: Ear', 'Queue(100000) -> e :: Ear', 'e :: Ear -> Queue(100000)'])
def test_each_fact_once(way, workers, fill, library):
    """Started and ended of a flow come in pairs, its bytes once and in order, whatever stands between and however many work."""
    if fill != 64 and 'Queue' in way:
        pytest.skip('one fill suffices')
    summary = weir.run(f'FromDump -> {way} -> Discard', '-i', weir.CAPTURES / 'http.pcap', '-w', workers, '--fill', fill, env=library)
    heard = counters(summary, 'e')
    assert heard['started'] == heard['ended'] > 0
    assert heard['established'] == heard['closed'] > 0
    assert heard['streams'] == 2 * heard['established']
    assert heard['data'] > 0 and heard['late'] == heard['unknown'] == heard['wrong'] == 0, heard


@pytest.mark.skipif(not WEB.exists(), reason='no traces here (WEIR_TRACES)')
def test_as_many_as_there_are(library):
    heard = counters(weir.run('FromDump -> e :: Ear -> Discard', '-i', WEB, env=library), 'e')
    assert heard['started'] == heard['ended'] == 750
    assert heard['wrong'] == heard['unknown'] == heard['late'] == 0


def test_an_element_hears_only_of_flows_it_has_met(library):
    summary = weir.run('FromDump -> m :: Match(udp) -> u :: Ear -> Discard; m[other] -> t :: Ear -> Discard',
                       '-i', weir.CAPTURES / 'http.pcap', env=library)
    udp, tcp = counters(summary, 'u'), counters(summary, 't')
    assert udp['started'] == udp['ended'] and tcp['started'] == tcp['ended'] > 0
    assert udp['data'] == 0 < tcp['data']


def test_a_dropped_flow_stays_dropped(library):
    capture = weir.CAPTURES / 'http.pcap'
    summary = weir.run('FromDump -> j :: Judge(drop) -> e :: Ear -> Discard', '-i', capture, env=library)
    passed = weir.run('FromDump -> j :: Judge(pass) -> m :: Match(tcp.port == 80) -> c :: Counter -> Discard; m[other] -> Discard',
                      '-i', capture, env=library)
    web = summary['drops']['j']['refused']
    assert web == passed['elements']['c']['packets'] > 0
    assert counters(summary, 'e')['established'] == 0
    assert counters(summary, 'j')['heard'] == counters(passed, 'j')['heard'], 'it hears how dropped flows end, too'


def test_done_is_heard_no_more(library):
    capture = weir.CAPTURES / 'http.pcap'
    done = counters(weir.run('FromDump -> j :: Judge(done) -> Discard', '-i', capture, env=library), 'j')['heard']
    all_of_it = counters(weir.run('FromDump -> j :: Judge(pass) -> Discard', '-i', capture, env=library), 'j')['heard']
    assert all_of_it == 2 * done > 0


def test_bytes_that_wait_are_told_at_the_end(library, tmp_path):
    """A hole that nobody fills: what is behind it is told with the flow's end, without a packet."""
    ip = scapy.IP(src='10.0.0.1', dst='10.0.0.2')
    back = scapy.IP(src='10.0.0.2', dst='10.0.0.1')
    packets = [ip / scapy.TCP(sport=4000, dport=90, flags='S', seq=100), back / scapy.TCP(sport=90, dport=4000, flags='SA', seq=900, ack=101),
               ip / scapy.TCP(sport=4000, dport=90, flags='A', seq=101, ack=901),
               ip / scapy.TCP(sport=4000, dport=90, flags='PA', seq=111, ack=901) / b'behind the hole']
    path = tmp_path / 'hole.pcap'
    scapy.wrpcap(str(path), [scapy.Ether() / packet for packet in packets])
    heard = counters(weir.run('FromDump -> e :: Ear -> Discard', '-i', path, env=library), 'e')
    assert heard['data'] == heard['aside'] == 1 and heard['ended'] == 1 and heard['wrong'] == 0, heard


def test_synguard_holds_a_flood_off(library, tmp_path):
    flood = [scapy.Ether() / scapy.IP(src='10.0.0.66', dst='10.9.0.1') / scapy.TCP(sport=1024 + i, dport=80, flags='S', seq=i)
             for i in range(500)]
    good = []
    for i in range(20):
        ends = {'sport': 5000 + i, 'dport': 80}
        good += [scapy.Ether() / scapy.IP(src='10.0.0.7', dst='10.9.0.1') / scapy.TCP(**ends, flags='S', seq=100),
                 scapy.Ether() / scapy.IP(src='10.9.0.1', dst='10.0.0.7') / scapy.TCP(sport=80, dport=5000 + i, flags='SA', seq=7, ack=101),
                 scapy.Ether() / scapy.IP(src='10.0.0.7', dst='10.9.0.1') / scapy.TCP(**ends, flags='A', seq=101, ack=8)]
    path, log = tmp_path / 'flood.pcap', tmp_path / 'log'
    scapy.wrpcap(str(path), flood + good)
    summary = weir.run(f'FromDump -> guard :: SynGuard(half_open_limit 200) -> c :: Counter -> Discard;'
                       f'JsonLog({log}, events "synguard.*")', '-i', path, env=library)
    assert counters(summary, 'guard')['refused'] == 300
    assert summary['elements']['c']['packets'] == 200 + len(good)
    assert log.read_text().count('synguard.flood_detected') == 1 and '10.0.0.66' in log.read_text()
