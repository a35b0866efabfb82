# SPDX-License-Identifier: Apache-2.0
"""What makes packets those of one flow: addresses and ports, and VLAN and tunnel if the FlowTracker says so."""
import json

import pytest
import scapy.all as scapy
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header
from scapy.contrib.mpls import MPLS

import weir
from feed import Feed

CLIENT, SERVER = '10.0.0.1', '10.0.0.2'
CLIENT6, SERVER6 = '2001:db8::1', '2001:db8::2'


def ether(**more):
    """Without addresses scapy asks the network for them."""
    return scapy.Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02', **more)


def inner(back=False, is_ipv6=False):
    source, target = (SERVER, CLIENT) if back else (CLIENT, SERVER)
    source6, target6 = (SERVER6, CLIENT6) if back else (CLIENT6, SERVER6)
    network = scapy.IPv6(src=source6, dst=target6) if is_ipv6 else scapy.IP(src=source, dst=target)
    return network / scapy.UDP(sport=53 if back else 1000, dport=1000 if back else 53) / b'some bytes'


def outer(back=False, source_port=4000):
    """Of a tunnel: the port that its beginning chooses differs by direction."""
    source, target = ('192.0.2.2', '192.0.2.1') if back else ('192.0.2.1', '192.0.2.2')
    return ether() / scapy.IP(src=source, dst=target), source_port + 77 * back


def vlan(number, packet):
    return ether() / scapy.Dot1Q(vlan=number) / packet


def qinq(first, second, packet):
    return ether(type=0x88a8) / scapy.Dot1Q(vlan=first) / scapy.Dot1Q(vlan=second) / packet


def vxlan(number, packet, back=False):
    frame, port = outer(back)
    return frame / scapy.UDP(sport=port, dport=4789) / scapy.VXLAN(vni=number, flags=8) / ether() / packet


def geneve(number, packet, back=False):
    frame, port = outer(back)
    return frame / scapy.UDP(sport=port, dport=6081) / GENEVE(vni=number, proto=0x6558) / ether() / packet


def gre(number, packet, back=False):
    return outer(back)[0] / scapy.GRE(proto=0x86dd if scapy.IPv6 in packet else 0x800, key_present=number is not None, key=number) / packet


def mpls(number, packet, back=False):
    return ether(type=0x8847) / MPLS(label=number, s=1) / packet


def gtp(number, packet, back=False, source_port=4000):
    frame, port = outer(back, source_port)
    return frame / scapy.UDP(sport=port, dport=2152) / GTP_U_Header(teid=number) / packet


def flows(folder, frames, settings='', *arguments, more=''):
    capture, log = folder / 'frames.pcap', folder / 'log'
    scapy.wrpcap(str(capture), [scapy.Ether(bytes(frame)) for frame in frames])
    weir.run(f'FromDump -> Discard; FlowTracker({settings}); JsonLog({log}, events "flow.ended"{more})', '-i', capture, *arguments)
    told = [json.loads(line) for line in log.read_text().splitlines()]
    return sorted((one['flow.packets_out'], one['flow.packets_back']) for one in told), told


@pytest.mark.parametrize('is_ipv6', [False, True], ids=['IPv4', 'IPv6'])
@pytest.mark.parametrize('workers', [1, 2, 4])
def test_vlans(workers, is_ipv6, tmp_path):
    frames = [vlan(number, inner(back, is_ipv6)) for number in (5, 6) for back in (False, True)] + [ether() / inner(False, is_ipv6)]
    assert flows(tmp_path, frames, '', '-w', workers)[0] == [(3, 2)]
    counts, told = flows(tmp_path, frames, 'vlan true', '-w', workers)
    assert counts == [(1, 0), (1, 1), (1, 1)]
    assert {(one.get('vlan.id'), one['flow.packets_back']) for one in told} == {(None, 0), (5, 1), (6, 1)}


def test_the_outermost_tag_counts(tmp_path):
    frames = [qinq(7, 8, inner()), qinq(7, 8, inner(back=True)), qinq(7, 9, inner()), qinq(6, 8, inner()), vlan(7, inner())]
    counts, told = flows(tmp_path, frames, 'vlan true')
    assert counts == [(1, 0), (3, 1)] and {one['vlan.id'] for one in told} == {6, 7}


def test_priority_alone_is_no_vlan(tmp_path):
    priority = ether() / scapy.Dot1Q(vlan=0, prio=5) / inner()
    counts, told = flows(tmp_path, [priority, ether() / inner()], 'vlan true')
    assert counts == [(2, 0)] and 'vlan.id' not in told[0]


def test_filters_know_the_vlan_of_what_has_ended(tmp_path):
    frames = [vlan(number, inner()) for number in (5, 6, 6)]
    assert flows(tmp_path, frames, 'vlan true', more=', where "vlan.id == 6"')[0] == [(2, 0)]
    assert flows(tmp_path, frames, '', more=', where "vlan.id == 6"')[0] == []


@pytest.mark.parametrize('workers', [1, 2, 4])
@pytest.mark.parametrize('is_ipv6', [False, True], ids=['IPv4', 'IPv6'])
@pytest.mark.parametrize('tunnel', [vxlan, geneve, gre, mpls])
def test_tunnels(tunnel, is_ipv6, workers, tmp_path):
    frames = [tunnel(number, inner(back, is_ipv6), back=back) for number in (100, 70000) for back in (False, True)]
    assert flows(tmp_path, frames, '', '-w', workers)[0] == [(2, 2)]
    assert flows(tmp_path, frames, 'tunnel true', '-w', workers)[0] == [(1, 1), (1, 1)]
    assert flows(tmp_path, [*frames, ether() / inner(False, is_ipv6)], 'tunnel true')[0] == [(1, 0), (1, 1), (1, 1)]


def test_the_innermost_tunnel_counts(tmp_path):
    def both(first, second):
        return vxlan(first, gre(second, inner()).getlayer(scapy.IP))
    assert flows(tmp_path, [both(1, 2), both(3, 2), both(1, 4)], 'tunnel true')[0] == [(1, 0), (2, 0)]
    assert flows(tmp_path, [both(1, None), both(3, None)], 'tunnel true')[0] == [(1, 0), (1, 0)]


def test_the_outermost_tag_may_be_in_a_tunnel(tmp_path):
    frames = [vxlan(1, scapy.Dot1Q(vlan=number) / inner()) for number in (5, 6)]
    assert flows(tmp_path, frames, 'vlan true')[0] == [(1, 0), (1, 0)]


@pytest.mark.parametrize('workers', [1, 2, 4])
def test_tunnel_end_points_that_differ_by_direction_do_not_count(workers, tmp_path):
    pptp = [outer(back)[0] / scapy.GRE(proto=0x880b, version=1, key_present=1, seqnum_present=1, key=(len(inner()) + 4) << 16 | 7 + back) /
            bytes.fromhex('ff030021') / inner(back) for back in (False, True)]
    assert flows(tmp_path, pptp, 'tunnel true', '-w', workers)[0] == [(1, 1)]
    mobile = [gtp(9 if back else 5, inner(back), back, port) for port in range(4000, 4008) for back in (False, True)]
    assert flows(tmp_path, mobile, 'tunnel true', '-w', workers)[0] == [(8, 8)]


def fragments(number, around):
    whole = inner()
    whole.id = 7
    whole[scapy.UDP].payload = scapy.Raw(b'x' * 64)
    return [around(number, piece) for piece in scapy.fragment(whole, 40)]


@pytest.mark.parametrize('around', [vlan, vxlan])
def test_what_was_put_together_is_where_its_pieces_were(around, tmp_path):
    """Pieces of the same number in two places are not of one datagram."""
    first, second = fragments(5, around), fragments(6, around)
    mixed = [frame for pair in zip(first, second) for frame in pair] + [around(5, inner()), around(6, inner())]
    assert flows(tmp_path, mixed, 'vlan true, tunnel true')[0] == [(2, 0), (2, 0)]


FORM = 'FromDump -> Ear -> Discard; FlowTracker({settings}); JsonLog({{log}}, events "flow.started flow.ended");'


@pytest.mark.parametrize('setting, around', [('vlan true', vlan), ('tunnel true', vxlan)])
def test_flows_begin_anew_with_keys_of_another_form(setting, around, tmp_path):
    """All are told to have ended, and none is found by the key that it had."""
    weir.build_module(tmp_path, weir.PROJECT / 'tests/story/modules/flowtest.c', 'flowtest')
    feed = Feed(tmp_path, FORM.format(settings=''), env=weir.modules(tmp_path))
    feed.send([around(5, inner()), around(6, inner())])
    for settings in (setting, setting + ', udp_s 179', ''):
        feed.change(FORM.format(settings=settings))
        feed.send([around(5, inner()), around(6, inner())])
    summary, told = feed.end()
    mine = [one for one in told if one['dstport'] == 53]
    ended = [(one['flow.packets_out'], one['flow.reason']) for one in mine if one['event'] == 'flow.ended']
    assert ended == [(2, 'stopped'), (2, 'stopped'), (2, 'stopped'), (2, 'stopped')], ended
    assert [one['event'] for one in mine].count('flow.started') == 4
    ear = summary['elements']['Ear@1']['counters'] if 'Ear@1' in summary['elements'] else next(
        one['counters'] for name, one in summary['elements'].items() if 'started' in one.get('counters', {}))
    assert ear['started'] == ear['ended'] and ear['wrong'] == 0, ear


def test_the_plan_says_what_is_in_the_key():
    code, out, err = weir.call('explain', '-e', 'FromDump -> Discard; FlowTracker(vlan true, tunnel true);'
                               'JsonLog(-, events "flow.ended")')
    assert code == 0 and 'told apart by VLAN and tunnel' in out, out + err
