# SPDX-License-Identifier: Apache-2.0
"""An ICMP error is about the flow whose packet it quotes: it has that flow, and is no packet of it."""
import json

import pytest
import scapy.all as scapy

import weir

CLIENT, SERVER, ROUTER = '10.0.0.1', '10.0.0.2', '10.0.0.9'
CLIENT6, SERVER6, ROUTER6 = '2001:db8::1', '2001:db8::2', '2001:db8::9'
WORKERS = [1, 2, 4]
ERRORS = [3, 4, 5, 11, 12]
ERRORS6 = [1, 2, 3, 4]


def ether(**more):
    """Without addresses scapy asks the network for them."""
    return scapy.Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02', **more)


def ip(source, target):
    return (scapy.IPv6 if ':' in source else scapy.IP)(src=source, dst=target)


def datagram(port=1000, is_ipv6=False, back=False, data=b'to be refused'):
    ends = [CLIENT6, SERVER6] if is_ipv6 else [CLIENT, SERVER]
    ports = [port, 53]
    if back:
        ends.reverse(), ports.reverse()
    return ip(*ends) / scapy.UDP(sport=ports[0], dport=ports[1]) / data


def segment(port=1000, is_ipv6=False, flags='S', back=False, seq=1):
    ends = [CLIENT6, SERVER6] if is_ipv6 else [CLIENT, SERVER]
    ports = [port, 80]
    if back:
        ends.reverse(), ports.reverse()
    return ip(*ends) / scapy.TCP(sport=ports[0], dport=ports[1], flags=flags, seq=seq, ack=1, options=[('MSS', 1400)])


def error(quoted, kind=3, size=None, at=0.0):
    """What a router sends back, with the first `size` bytes behind the quoted network header, or all."""
    network = quoted if isinstance(quoted, bytes) else bytes(quoted)
    is_ipv6 = network[:1] and network[0] >> 4 == 6
    if size is not None:
        network = network[:(40 if is_ipv6 else 20) + size]
    if is_ipv6:
        names = {1: scapy.ICMPv6DestUnreach, 2: scapy.ICMPv6PacketTooBig, 3: scapy.ICMPv6TimeExceeded, 4: scapy.ICMPv6ParamProblem}
        message = scapy.IPv6(src=ROUTER6, dst=CLIENT6) / names[kind]() / scapy.Raw(network)
    else:
        message = scapy.IP(src=ROUTER, dst=CLIENT) / scapy.ICMP(type=kind) / scapy.Raw(network)
    return ether() / message


def write(folder, frames):
    path = folder / 'frames.pcap'
    for i, frame in enumerate(frames):
        if not isinstance(frame, tuple):
            frames[i] = (1000 + i / 1e4, frame)
    packets = []
    for time, frame in frames:
        packet = scapy.Ether(bytes(frame if scapy.Ether in frame else ether() / frame))
        packet.time = time
        packets.append(packet)
    scapy.wrpcap(str(path), packets)
    return path


def matched(folder, frames, condition, *arguments):
    summary = weir.run(f'FromDump -> Match({condition}) -> c :: Counter -> Discard', '-i', write(folder, frames), *arguments)
    return summary['elements']['c']['packets']


def told(folder, frames, events, *arguments, more='', tracker=''):
    log = folder / 'log'
    weir.run(f'FromDump -> Discard; FlowTracker({tracker}); JsonLog({log}, events "{events}"{more})', '-i', write(folder, frames), *arguments)
    return [json.loads(line) for line in log.read_text().splitlines()]


def flows_of(folder, frames, *arguments, tracker=''):
    return sorted((one['ip.proto'], one['flow.packets_out'], one['flow.packets_back'])
                  for one in told(folder, frames, 'flow.ended', *arguments, tracker=tracker))


@pytest.mark.parametrize('workers', WORKERS)
@pytest.mark.parametrize('packet', [datagram, segment])
@pytest.mark.parametrize('is_ipv6', [False, True], ids=['IPv4', 'IPv6'])
def test_it_has_the_fields_of_its_flow(is_ipv6, packet, workers, tmp_path):
    """On whatever worker the flow is; the ports of 40 flows see to it that they are on all of them."""
    kinds = ERRORS6 if is_ipv6 else ERRORS
    frames = [frame for port in range(1000, 1040) for frame in
              (packet(port, is_ipv6), error(packet(port, is_ipv6), kinds[port % len(kinds)], size=8 if port % 2 else None))]
    condition = 'icmpv6.type < 5' if is_ipv6 else 'icmp.type in {3, 4, 5, 11, 12}'
    assert matched(tmp_path, frames, f'{condition} && flow.packets_out == 1 && flow.packets_back == 0', '-w', workers) == 40
    protocol = 17 if packet == datagram else 6
    assert flows_of(tmp_path, frames, '-w', workers) == [(protocol, 1, 0)] * 40


@pytest.mark.parametrize('size', [8, 12, 19, 20, 23, 24])
def test_a_quote_of_tcp_may_be_cut_anywhere(size, tmp_path):
    frames = [segment(), error(segment(), size=size)]
    assert matched(tmp_path, frames, 'icmp && tcp.state == "syn_sent"') == 1
    assert flows_of(tmp_path, frames) == [(6, 1, 0)]


def test_echo_is_quoted_too(tmp_path):
    echo = scapy.IP(src=CLIENT, dst=SERVER) / scapy.ICMP(id=7) / b'echo'
    assert flows_of(tmp_path, [echo, error(echo, 11, size=8)]) == [(1, 1, 0)]
    echo6 = scapy.IPv6(src=CLIENT6, dst=SERVER6) / scapy.ICMPv6EchoRequest(id=7)
    assert flows_of(tmp_path, [echo6, error(echo6, 3, size=8)]) == [(58, 1, 0)]


def test_it_comes_from_the_other_side(tmp_path):
    """To the client of the flow as if from its server, and the other way round."""
    weir.build_module(tmp_path, weir.PROJECT / 'tests/story/modules/errors.c', 'errors')
    frames = [datagram(), datagram(back=True), error(datagram()), error(datagram(back=True)), error(datagram(back=True)), datagram()]
    found = weir.run('FromDump -> s :: Sides -> Discard', '-i', write(tmp_path, frames), env=weir.modules(tmp_path))
    assert found['elements']['s']['counters'] == {'out': 4, 'back': 2, 'none': 0, 'kept': 6}


@pytest.mark.parametrize('workers', WORKERS)
def test_who_drops_a_flow_drops_what_is_told_of_it(workers, tmp_path):
    weir.build_module(tmp_path, weir.PROJECT / 'tests/story/modules/flowtest.c', 'flowtest')
    frames = [segment(), error(segment()), segment(2000, back=True, flags='R'), error(datagram())]
    found = weir.run('FromDump -> j :: Judge(verdict drop) -> c :: Counter -> Discard', '-i', write(tmp_path, frames), '-w', workers,
                     env=weir.modules(tmp_path))
    assert found['elements']['c']['packets'] == 2, found


@pytest.mark.parametrize('way', ['Queue(100)', 'c0 :: Counter -> Queue(100) -> Counter'])
def test_it_is_found_again_behind_a_queue(way, tmp_path):
    graph = f'FromDump -> Match(flow.packets_out) -> {way} -> Match(icmp && flow.packets_out == 1) -> c :: Counter -> Discard'
    found = weir.run(graph, '-i', write(tmp_path, [datagram(), error(datagram())]))
    assert found['elements']['c']['packets'] == 1


def test_an_error_of_an_unknown_flow_is_found_again_too(tmp_path):
    """By the flow that it began; and counts in it once."""
    log = tmp_path / 'log'
    graph = (f'FromDump -> Match(flow.packets_out) -> Queue(100) -> Match(flow.packets_out == 1) -> c :: Counter -> Discard;'
             f'JsonLog({log}, events "flow.ended")')
    assert weir.run(graph, '-i', write(tmp_path, [error(datagram())]))['elements']['c']['packets'] == 1
    assert [json.loads(line)['flow.packets_out'] for line in log.read_text().splitlines()] == [1]


@pytest.mark.parametrize('workers', WORKERS)
def test_an_unknown_flow_is_none(workers, tmp_path):
    """Then the error is of a flow as other packets are."""
    frames = [datagram(), error(datagram(2000)), error(datagram(2000))]
    assert flows_of(tmp_path, frames, '-w', workers) == [(1, 2, 0), (17, 1, 0)]
    started = told(tmp_path, frames, 'flow.started', '-w', workers)
    assert sorted(one['ip.proto'] for one in started) == [1, 17]


def behind(header, data=bytes(datagram())[20:]):
    return bytes(header) + data


ODD = {
    'another fragment': scapy.IP(src=CLIENT, dst=SERVER, frag=3, proto=17) / bytes(datagram())[20:],
    'seven bytes': bytes(datagram())[:27],
    'no transport': bytes(datagram())[:20],
    'half a header': bytes(datagram())[:10],
    'nothing': b'',
    'another version': b'\x65' + bytes(datagram())[1:],
    'a short header': b'\x44' + bytes(datagram())[1:],
    'options beyond the end': b'\x4f' + bytes(datagram())[1:],
    'other addresses': datagram(is_ipv6=False).__class__(src=CLIENT, dst='10.0.0.3') / scapy.UDP(sport=1000, dport=53),
    'IPv6': bytes(datagram(is_ipv6=True)),
    'noise': bytes(range(200)),
    'zeros': bytes(100),
}


@pytest.mark.parametrize('odd', ODD, ids=str)
def test_odd_quotes_are_of_no_flow(odd, tmp_path):
    quoted = bytes(ODD[odd])
    frame = ether() / scapy.IP(src=ROUTER, dst=CLIENT) / scapy.ICMP(type=3, code=3) / scapy.Raw(quoted)
    known = [datagram(), datagram(is_ipv6=True)]
    assert flows_of(tmp_path, [*known, frame]) == [(1, 1, 0), (17, 1, 0), (17, 1, 0)]


@pytest.mark.parametrize('workers', WORKERS)
def test_the_first_fragment_is_quoted_with_ports(workers, tmp_path):
    frames = [frame for port in range(1000, 1020) for frame in
              (datagram(port), error(scapy.IP(src=CLIENT, dst=SERVER, flags='MF', proto=17) / bytes(datagram(port))[20:]))]
    assert flows_of(tmp_path, frames, '-w', workers) == [(17, 1, 0)] * 20


def test_an_error_may_come_in_fragments(tmp_path):
    quoted = datagram(data=b'x' * 500)
    whole = error(quoted)[scapy.IP]
    whole.id = 5
    assert flows_of(tmp_path, [quoted, *scapy.fragment(whole, 200)]) == [(17, 1, 0)]


@pytest.mark.parametrize('is_ipv6', [False, True], ids=['IPv4', 'IPv6'])
def test_errors_keep_no_flow_alive(is_ipv6, tmp_path):
    """It ends at the time at which it would have ended, and what is told of it later is of another flow."""
    frames = [(1000 + 2 * i, error(datagram(is_ipv6=is_ipv6))) for i in range(8)]
    frames = [(1000, datagram(is_ipv6=is_ipv6)), *frames]
    ended = told(tmp_path, frames, 'flow.ended', tracker='udp_s 5')
    first = next(one for one in ended if one['ip.proto'] == 17)
    assert (first['flow.packets_out'], first['flow.packets_back'], first['flow.duration']) == (1, 0, 0) and first['flow.reason'] == 'timed_out'
    other = next(one for one in ended if one['ip.proto'] != 17)
    assert other['flow.packets_out'] == 5, 'those at 6 to 14 seconds'


def test_vlan_and_tunnel_of_the_error_count(tmp_path):
    def tagged(number, packet):
        return ether() / scapy.Dot1Q(vlan=number) / packet
    frames = [tagged(5, datagram()), tagged(6, error(datagram()).payload), tagged(5, error(datagram()).payload)]
    assert flows_of(tmp_path, list(frames)) == [(17, 1, 0)]
    assert flows_of(tmp_path, list(frames), tracker='vlan true') == [(1, 1, 0), (17, 1, 0)]

    def vxlan(number, packet, port):
        return ether() / scapy.IP(src='192.0.2.1', dst='192.0.2.2') / scapy.UDP(sport=port, dport=4789) / \
            scapy.VXLAN(vni=number, flags=8) / ether() / packet
    frames = [vxlan(5, datagram(), 1), vxlan(6, error(datagram()).payload, 2), vxlan(5, error(datagram()).payload, 3)]
    for workers in WORKERS:
        assert flows_of(tmp_path, list(frames), '-w', workers) == [(17, 1, 0)]
        assert flows_of(tmp_path, list(frames), '-w', workers, tracker='tunnel true') == [(1, 1, 0), (17, 1, 0)]


def test_a_quoted_question_is_not_asked_again(tmp_path):
    question = datagram(data=bytes(scapy.DNS(rd=1, qd=scapy.DNSQR(qname='example.org'))))
    log = tmp_path / 'log'
    weir.run(f'FromDump -> d :: DNS -> Discard; JsonLog({log}, events "dns.*")', '-i', write(tmp_path, [question, error(question)]))
    assert log.read_text().count('dns.query') == 1
