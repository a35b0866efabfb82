# SPDX-License-Identifier: Apache-2.0
"""Streams are followed on those connections alone of which somebody may want the bytes; what is told is the same."""
import json

import pytest
import scapy.all as scapy

import weir

PORTS = [80, 80, 443, 8080]


def connection(number, port, version=4, around=lambda packet: packet):
    network, client, server = (scapy.IP, f'10.0.0.{number}', '10.9.0.1') if version == 4 else \
        (scapy.IPv6, f'2001:db8::{number}', '2001:db8:9::1')

    def segment(flags, seq, ack, data=b'', back=False):
        packet = network(src=server if back else client, dst=client if back else server) / \
            scapy.TCP(sport=port if back else 1000 + number, dport=1000 + number if back else port, flags=flags, seq=seq, ack=ack) / data
        return scapy.Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02') / around(packet)
    request = b'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'
    answer = b'HTTP/1.1 204 No Content\r\n\r\n'
    yield segment('S', 0, 0)
    yield segment('SA', 0, 1, back=True)
    yield segment('A', 1, 1)
    yield segment('PA', 1, 1, request)
    yield segment('PA', 1, 1 + len(request), answer, back=True)
    yield segment('FA', 1 + len(request), 1 + len(answer))
    yield segment('FA', 1 + len(answer), 2 + len(request), back=True)
    yield segment('A', 2 + len(request), 2 + len(answer))


@pytest.fixture(scope='module')
def capture(tmp_path_factory):
    path = tmp_path_factory.mktemp('captures') / 'web.pcap'
    scapy.wrpcap(str(path), [frame for i, port in enumerate(PORTS, 1) for version in (4, 6)
                             for frame in connection(i, port, version)])
    return path


@pytest.fixture(scope='module')
def tunnels(tmp_path_factory):
    path = tmp_path_factory.mktemp('captures') / 'tunnels.pcap'
    scapy.wrpcap(str(path), [frame for i, port in enumerate(PORTS, 1)
                             for frame in connection(i, port, around=lambda packet: scapy.IP(src='192.0.2.1', dst='192.0.2.2') / packet)])
    return path


def run(capture, log, events, where='', graph='FromDump -> Discard', env=None):
    text = f'{graph}; JsonLog({log}, events "{events}"' + (f', where "{where}")' if where else ')')
    summary = weir.run(text, '-i', capture, env=env)
    told = [json.loads(line) for line in log.read_text().splitlines()]
    return summary['elements']['FlowTracker']['counters'], told


WHERES = [  # and how many of the eight connections may be meant
    ('', 8), ('tcp.dstport == 80', 4), ('tcp.srcport == 80', 4), ('tcp.port == 443', 2), ('!(tcp.port == 80)', 4), ('tcp.port != 80', 4),
    ('ip', 4), ('ipv6', 4), ('!ip', 4), ('udp', 0), ('ip.src == 10.0.0.2', 1), ('ip.addr == 10.9.0.0/16 && tcp.port in {443, 8080}', 2),
    ('ipv6.dst == 2001:db8::1', 1), ('ip.proto == 6', 4), ('ip.src == 10.0.0.1 || ipv6.src == 2001:db8::2', 2),
    ('tcp.port == 8080 && stream.bytes > 0', 2), ('tcp.port == 8080 || stream.bytes > 1000', 8), ('stream.bytes > 0', 8),
    ('tcp.port == 8080 && ip.ttl == 64', 2), ('tcp.port == 80 && !(ip.ttl == 64)', 4),
]


@pytest.mark.parametrize('where, connections', WHERES, ids=[where or 'all' for where, _ in WHERES])
def test_only_where_it_may_be_wanted(where, connections, capture, tmp_path):
    counted, told = run(capture, tmp_path / 'log', 'stream.closed', where)
    assert counted['streams'] == 2 * connections and counted['added'] == 8
    everything = run(capture, tmp_path / 'all', 'stream.closed flow.started', where)[1]  # who hears more changes nothing
    assert [one for one in everything if one['event'] == 'stream.closed'] == told


@pytest.mark.parametrize('where', ['tcp.dstport == 80', 'tcp.port == 443'])
def test_a_session_is_looked_at_where_it_may_be_wanted(where, capture, tmp_path):
    """HTTP is put in by the planner, and follows what somebody may want to hear of."""
    few, told = run(capture, tmp_path / 'few', 'http.request', where)
    every, _ = run(capture, tmp_path / 'every', 'http.request', f'{where} && !(ip.ttl == 0)', graph='FromDump -> HTTP -> Discard')
    assert every['streams'] == 16 and few['streams'] == {'tcp.dstport == 80': 8, 'tcp.port == 443': 4}[where]
    assert len(told) == few['streams'] // 2


def test_two_who_want_different_ones(capture, tmp_path):
    counted, _ = run(capture, tmp_path / 'log', 'http.request', 'tcp.port == 443',
                     graph=f'FromDump -> Discard; JsonLog({tmp_path / "other"}, events "stream.closed", where "tcp.port == 8080")')
    assert counted['streams'] == 8
    assert len((tmp_path / 'other').read_text().splitlines()) == 4 and len((tmp_path / 'log').read_text().splitlines()) == 2


def test_definitions_narrow_too(capture, tmp_path):
    counted, told = run(capture, tmp_path / 'log', 'web.*', 'ip', graph='define event web.end on stream.closed where tcp.port == 80; FromDump -> Discard')
    assert counted['streams'] == 4 and len(told) == 4
    counted, told = run(capture, tmp_path / 'log', 'web.*',
                        graph='define event web.end on stream.closed where tcp.port == 443 count over 10s; FromDump -> Discard')
    assert counted['streams'] == 4 and told


@pytest.mark.parametrize('where, requests', [('tcp.port == 80', 2), ('ip.proto == 4', 4), ('ip.src == 192.0.2.1', 0)])
def test_in_tunnels_nothing_is_left_out(where, requests, tunnels, tmp_path):
    """An outer address may be meant."""
    counted, told = run(tunnels, tmp_path / 'log', 'http.request', where)
    assert counted['streams'] == 8 and len(told) == requests


def test_a_part_of_an_event_is_not_taken_for_an_address(capture, tmp_path):
    (tmp_path / 'seen.c').write_text('''#include <weir.h>
#include <weir_events.h>
struct seen { struct weir_addr address; };
WEIR_EVENT(seen, "x.seen", struct seen, .layer = WEIR_L7, .per = WEIR_PER_SESSION, .about = "an address in the text",
	WEIR_PARTS(WEIR_PART(seen, address, "ip.src")));
struct finder { WEIR_SIGNAL(seen) found; };
static enum weir_verdict find(struct weir_event *event, const struct weir_stream_data *data)
{
	struct finder *self = weir_self(event);
	if (!data->offset)
		weir_raise(event, self->found, &(struct seen){ weir_addr4(0x09090909) });
	return WEIR_PASS;
}
WEIR_CLASS(Finder, finder, .about = "finds addresses", .on_demand = true,
	WEIR_MEMBERS(WEIR_RAISES(finder, found, seen)), WEIR_HANDLERS(WEIR_ON(stream_data, find)));
WEIR_MODULE("seen", "1.0.0", &Finder);
''')
    weir.build_module(tmp_path, tmp_path / 'seen.c', 'seen')
    counted, told = run(capture, tmp_path / 'log', 'x.seen', 'ip.src == 9.9.9.9', env=weir.modules(tmp_path))
    assert counted['streams'] == 16 and len(told) == 16


def test_nothing_is_left_out_behind_who_changes_addresses(capture, tmp_path):
    (tmp_path / 'nat.c').write_text('''#include <weir.h>
struct nat { WEIR_COLUMN(uint32_t) source; };
static void translate(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct nat *self = weir_self(call);
	weir_each (i, in & weir_has(v, self->source))
		weir_set(v, i, self->source, 0x01020304);
	out[0] = in;
}
WEIR_CLASS(Nat, nat, .about = "gives all the same address", .process = translate,
	WEIR_MEMBERS(WEIR_CHANGES(nat, source, "ip.src")));
WEIR_MODULE("nat", "1.0.0", &Nat);
''')
    weir.build_module(tmp_path, tmp_path / 'nat.c', 'nat')
    counted, _ = run(capture, tmp_path / 'log', 'stream.closed', 'ip.src == 1.2.3.4', graph='FromDump -> Nat -> Discard',
                     env=weir.modules(tmp_path))
    assert counted['streams'] == 16
