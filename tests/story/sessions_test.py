# SPDX-License-Identifier: Apache-2.0
"""HTTP, TLS and DNS on real captures are what tshark found; and the same however their bytes are cut."""
import collections
import json

import pytest
import scapy.all as scapy

import weir

TRACKER = 'FlowTracker(half_open_s 4000000, open_s 4000000, closing_s 4000000, closed_s 2, udp_s 4000000)'
CAPTURES = sorted(path for path in weir.TRACES.glob('*.pcap*') if path.with_suffix('').with_suffix('.truth.json').exists()) \
    if weir.TRACES.is_dir() else []
SHOWN = 200  # of an URI: a line of JSON has so much room for texts

# What is told here and not by tshark (more), or there and not here (missing), with the reason.
DIFFERENT = {
    ('http', 'http-chunked-midstream'): ('48 responses more: the connections begin midstream, and tshark does not find them', 0, 48),
    ('http', 'http-pipeline-gap'): ('2 responses more: behind the hole tshark finds none', 0, 2),
    ('http', 'link-raw-ip'): ('1 response more: tshark waits for the rest of its body, which the capture lacks', 0, 1),
    ('http', 'gtp-u-fragmented'): ('1 response more: its body never ends', 0, 1),
    ('http', 'mix-enterprise'): ('4 exchanges inside of SOCKS', 8, 0),
    ('http', 'sctp-www'): ('over SCTP', 6, 0),
    ('http', 'vlan-mpls-mixed'): ('a request of HTTP/0.9', 1, 0),
    ('dns', 'bad-tcpdump-crashers-ethernet'): ('a response whose question is cut', 1, 0),
    ('dns', 'icmpv6'): ('a response that an ICMPv6 error quotes', 1, 0),
}


def events(graph, capture, log, names, *arguments):
    weir.run(f'FromDump -> {graph} -> Discard; {TRACKER}; JsonLog({log}, events "{names}")', '-i', capture, *arguments)
    return [json.loads(line) for line in log.read_text().split('\n') if line]


def http_truth(truth):
    for message in truth['http']['messages']:
        yield (message['method'], message.get('host'), message.get('uri', '')[:SHOWN]) if 'method' in message else message['status']


def http_found(found):
    for event in found:
        yield (event['http.request.method'], event.get('http.host'), event['http.request.uri'][:SHOWN]) \
            if event['event'] == 'http.request' else event['http.response.code']


def tls_truth(truth):
    return [hello['name'] for hello in truth['tls_sni'] if hello['over'] == 'tcp']


def tls_found(found):
    return [event['tls.handshake.extensions_server_name'] for event in found if 'tls.handshake.extensions_server_name' in event]


def dns_truth(truth):
    for question, count in truth['dns']['queries'].items():
        yield from [question.replace('<Root>', '.')] * count
    yield from ['response'] * truth['dns']['response_count']


def dns_found(found):
    for event in found:
        if not {event['srcport'], event['dstport']} & {5353, 5355}:  # tshark calls them by other names
            yield 'response' if event['event'] == 'dns.response' else f'{event["dns.qry.name"]} {event["dns.qry.type"]}'


@pytest.mark.skipif(not CAPTURES, reason='no traces here (WEIR_TRACES)')
@pytest.mark.parametrize('capture', CAPTURES, ids=[path.stem for path in CAPTURES])
def test_sessions_are_what_tshark_found(capture, tmp_path):
    truth = json.loads(capture.with_suffix('').with_suffix('.truth.json').read_text())
    found = events('HTTP -> TLS -> DNS', capture, tmp_path / 'log', 'http.* tls.* dns.*')
    for kind, told, wanted in (('http', http_found, http_truth), ('tls', tls_found, tls_truth), ('dns', dns_found, dns_truth)):
        ours = collections.Counter(told([event for event in found if event['event'].startswith(kind)]))
        theirs = collections.Counter(wanted(truth))
        _, missing, more = DIFFERENT.get((kind, capture.stem), ('', 0, 0))
        assert (sum((theirs - ours).values()), sum((ours - theirs).values())) == (missing, more), (kind, theirs - ours, ours - theirs)


# ---- every way to cut

REQUEST = b'POST /form?a=b HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: test\r\nX-Folded: a\r\n b\r\nContent-Length: 4\r\n\r\nbody' \
          b'GET /next HTTP/1.1\r\nHost: shop.example\r\n\r\n'
RESPONSE = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n' \
           b'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'


def with_length(data, size):
    return len(data).to_bytes(size, 'big') + data


def record(data):
    return b'\x16\x03\x01' + with_length(data, 2)


def hello():
    extensions = b'\0\0' + with_length(with_length(b'\0' + with_length(b'www.example.org', 2), 2), 2) + \
        b'\0\x10' + with_length(with_length(b'\x02h2\x08http/1.1', 2), 2) + b'\0\x2b' + with_length(b'\x04\x03\x04\x03\x03', 2)
    message = b'\x01' + with_length(b'\x03\x03' + bytes(32) + b'\0' + b'\0\x04\x13\x01\x13\x02' + b'\x01\0' + with_length(extensions, 2), 3)
    return record(message[:70]) + record(message[70:])


def server_hello():
    return record(b'\x02' + with_length(b'\x03\x03' + bytes(32) + b'\0\x13\x01\0' + with_length(b'\0\x2b\0\x02\x03\x04', 2), 3))


def question():
    return with_length(bytes(scapy.DNS(id=7, rd=1, qd=scapy.DNSQR(qname='www.example.org'))), 2) * 2


def answer():
    return with_length(bytes(scapy.DNS(id=7, qr=1, qd=scapy.DNSQR(qname='www.example.org'), an=scapy.DNSRR(
        rrname='www.example.org', rdata='192.0.2.1') / scapy.DNSRR(rrname='www.example.org', rdata='192.0.2.2'))), 2)


def segment(port, from_server, flags, seq, ack, data=b''):
    ends = {'src': '10.0.0.2', 'dst': '10.0.0.1'} if from_server else {'src': '10.0.0.1', 'dst': '10.0.0.2'}
    ports = {'sport': 9000, 'dport': port} if from_server else {'sport': port, 'dport': 9000}
    return scapy.Ether() / scapy.IP(**ends) / scapy.TCP(flags=flags, seq=seq, ack=ack, **ports) / data


def conversation(port, ask, tell, cut):
    """Both streams, each cut in two."""
    yield from (segment(port, False, 'S', 99, 0), segment(port, True, 'SA', 499, 100), segment(port, False, 'A', 100, 500))
    for from_server, data, seq, ack in ((False, ask, 100, 500), (True, tell, 500, 100 + len(ask))):
        at = min(cut, len(data))
        yield segment(port, from_server, 'PA', seq, ack, data[:at])
        yield segment(port, from_server, 'PA', seq + at, ack, data[at:])


@pytest.mark.parametrize('fill', [1, 64])
@pytest.mark.parametrize('name, ask, tell, count', [('HTTP', REQUEST, RESPONSE, 4), ('TLS', hello(), server_hello(), 2),
                                                   ('DNS', question(), answer(), 3)], ids=['HTTP', 'TLS', 'DNS'])
def test_every_cut_tells_the_same(name, ask, tell, count, fill, tmp_path):
    capture, cuts = tmp_path / 'cut.pcap', max(len(ask), len(tell)) + 1
    scapy.wrpcap(str(capture), [packet for cut in range(cuts) for packet in conversation(1000 + cut, ask, tell, cut)])
    flows = collections.defaultdict(list)
    for event in events(name, capture, tmp_path / 'log', f'{name.lower()}.*', '--fill', fill):
        flows[event.pop('srcport')].append({part: value for part, value in event.items() if part != 'time'})
    assert len(flows) == cuts and len(flows[1000]) == count
    for flow in flows.values():
        assert flow == flows[1000]
