# SPDX-License-Identifier: Apache-2.0
"""What the FlowTracker's settings decide: whom to believe, and whose bytes count."""
import hashlib
import json

import pytest
import scapy.all as scapy

import weir

CLIENT, SERVER = '10.0.0.1', '10.0.0.2'


def segment(flags, seq, ack, data=b'', back=False):
    return scapy.Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02') / \
        scapy.IP(src=SERVER if back else CLIENT, dst=CLIENT if back else SERVER) / \
        scapy.TCP(sport=80 if back else 1024, dport=1024 if back else 80, flags=flags, seq=seq, ack=ack, window=60000) / data


def run(tmp_path, frames, settings, events):
    log, path = tmp_path / 'log', tmp_path / 'frames.pcap'
    scapy.wrpcap(str(path), frames)
    summary = weir.run(f'FromDump -> Discard; t :: FlowTracker({settings}); JsonLog({log}, events "{events}")', '-i', path)
    return summary['elements']['t']['counters'], [json.loads(line) for line in log.read_text().splitlines()]


UNDER_WAY = [segment('A', 1000, 5000, b'abc'), segment('A', 5000, 1003, b'defg', back=True), segment('A', 1003, 5004)]
WHOLE = [segment('S', 999, 0), segment('SA', 4999, 1000, back=True), segment('A', 1000, 5000), *UNDER_WAY]


@pytest.mark.parametrize('midstream, flows', [('true', 1), ('false', 0)])
def test_connections_that_are_under_way(midstream, flows, tmp_path):
    counted, told = run(tmp_path, UNDER_WAY, f'midstream {midstream}', 'flow.ended stream.closed')
    assert counted['added'] == flows and len(told) == 3 * flows


@pytest.mark.parametrize('midstream', ['true', 'false'])
def test_a_connection_from_its_beginning_on(midstream, tmp_path):
    counted, told = run(tmp_path, [*WHOLE, scapy.Ether() / scapy.IP() / scapy.UDP()], f'midstream {midstream}', 'flow.ended')
    assert counted['added'] == 2
    tcp, = (flow for flow in told if flow['ip.proto'] == 6)
    assert (tcp['flow.packets_out'], tcp['flow.packets_back'], tcp['flow.payload_back']) == (4, 2, 4)


@pytest.mark.parametrize('one_sided, established', [('true', 1), ('false', 0)])
def test_what_one_side_does_alone(one_sided, established, tmp_path):
    _, told = run(tmp_path, [segment('S', 999, 0), segment('A', 1000, 5000), segment('A', 1000, 5000, b'abc')],
                  f'one_sided {one_sided}', 'tcp.established')
    assert len(told) == established
    _, told = run(tmp_path, WHOLE, f'one_sided {one_sided}', 'tcp.established')
    assert len(told) == 1, 'both sides are believed'


def pieces(overlapping):
    """A segment of 64 bytes in fragments; bytes 16 to 31 come twice: as the first fragment has them, then as another has."""
    whole = bytes(segment('A', 1000, 5000, b'a' * 64)[scapy.IP].payload)
    plan = [(0, whole[:48], True), (24, whole[24:32] + overlapping + whole[40:64], True), (64, whole[64:], False)]
    return [scapy.Ether() / scapy.IP(src=CLIENT, dst=SERVER, id=7, proto=6, flags='MF' if more else 0, frag=at // 8) / scapy.Raw(data)
            for at, data, more in plan]


@pytest.mark.parametrize('policy', ['first', 'last', 'linux', 'windows', 'bsd'])
def test_whose_fragment_counts(policy, tmp_path):
    _, told = run(tmp_path, [*WHOLE[:3], *pieces(b'b' * 8)], f'hash true, fragments {policy}', 'stream.closed')
    out, = (stream for stream in told if stream['stream.direction'] == 'out')
    of_first = hashlib.sha256(b'a' * 64).hexdigest()
    of_last = hashlib.sha256(b'a' * 12 + b'b' * 8 + b'a' * 44).hexdigest()
    assert out['stream.bytes'] == 64 and out['stream.sha256'] == (of_last if policy == 'last' else of_first)


def test_a_policy_that_there_is_not():
    code, _, err = weir.call('explain', '-e', 'FromDump -> Discard; FlowTracker(fragments beos)')
    assert code and 'fragments "beos" is none of: first last bsd' in err
