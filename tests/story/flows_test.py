# SPDX-License-Identifier: Apache-2.0
"""Flows and streams of real captures are those that other programs found; and the same however packets are grouped."""
import collections
import json

import pytest

import weir

TRACKER = 'FlowTracker(hash true, half_open_s 4000000, open_s 4000000, closing_s 4000000, closed_s 2, udp_s 4000000)'
CAPTURES = sorted(path for path in weir.TRACES.glob('*.pcap*') if path.with_suffix('').with_suffix('.truth.json').exists()) \
    if weir.TRACES.is_dir() else []

# Streams on which we and those programs differ, with the reason.
PIECE = 'the only fragment of a datagram is no segment'
NO_FLAGS = 'a segment without ACK, SYN or RST belongs to no connection (RFC 9293 3.10.7.4)'
CUT = 'a TCP header that is cut is none'
PAUSE = 'packets of later years lie between those of a connection in this joined capture: its time is up by then'
DIFFERENT = {
    'bad-tcpdump-crashers-ethernet.pcap': {(3, 'c2s'): PIECE, (5, 'c2s'): NO_FLAGS, (6, 'c2s'): PIECE},
}
# There the other byte is that of a keep-alive, which is none of the stream (tshark flags each of them).
KEEP_ALIVES = {'mix-many-protocols', 'smb3-multichannel-jumbo', 'tcp-seq-wrap'}
FLOWS = {  # how many there are for us
    'bad-tcpdump-crashers-ethernet.pcap': (14, PIECE),
    'bad-tcpdump-crashers-linktypes.pcapng': (6, CUT),
    'mix-enterprise.pcap': (489, PAUSE),
}


def events(capture, log, names, *arguments, tracker=TRACKER):
    weir.run(f'FromDump -> Discard; {tracker}; JsonLog({log}, events "{names}")', '-i', capture, *arguments)
    return [json.loads(line) for line in log.read_text().split('\n') if line]


def client_of(event):
    return event.get('ip.src') or event['ipv6.src'], event['srcport']


def streams_of(found):
    """(client, server, direction) -> the streams of it, as (bytes, digest)."""
    streams = collections.defaultdict(list)
    for event in found:
        server = event.get('ip.dst') or event['ipv6.dst'], event['dstport']
        streams[client_of(event), server, event['stream.direction']].append((event['stream.bytes'], event['stream.sha256']))
    return streams


def end_point(text):
    address, port = text.rsplit(' ', 1)
    return address, int(port)


@pytest.mark.skipif(not CAPTURES, reason='no traces here (WEIR_TRACES)')
@pytest.mark.parametrize('capture', CAPTURES, ids=[path.stem for path in CAPTURES])
def test_streams_are_what_other_programs_found(capture, tmp_path):
    truth = json.loads(capture.with_suffix('').with_suffix('.truth.json').read_text())
    streams = streams_of(events(capture, tmp_path / 'log', 'stream.closed'))
    wrong = []
    for stream in truth['tcp_streams']:
        for side, direction in (('c2s', 'out'), ('s2c', 'back')):
            told = stream.get(side)
            if not told or told.get('grade') not in ('firm', 'two:follow', 'two:tcpflow') or not told['bytes']:
                continue
            found = streams[end_point(stream['client']), end_point(stream['server']), direction]
            if (told['bytes'], told['sha256']) not in found:
                wrong.append((stream['stream'], side, told['grade'], told['bytes'], found))
    allowed = DIFFERENT.get(capture.name, {})
    assert {(stream, side) for stream, side, *_ in wrong} == set(allowed), wrong


def ends_of(event):
    return client_of(event), (event.get('ip.dst') or event['ipv6.dst'], event['dstport']), event['stream.direction']


@pytest.mark.skipif(not CAPTURES, reason='no traces here (WEIR_TRACES)')
@pytest.mark.parametrize('capture', CAPTURES, ids=[path.stem for path in CAPTURES])
def test_bytes_that_come_again_as_others(capture, tmp_path):
    truth = json.loads(capture.with_suffix('').with_suffix('.truth.json').read_text())
    clashing = {(end_point(stream['client']), end_point(stream['server']), direction) for stream in truth['tcp_streams']
                for side, direction in (('c2s', 'out'), ('s2c', 'back')) if stream.get(side, {}).get('clashing_overlaps')}
    told = {ends_of(event) for event in events(capture, tmp_path / 'log', 'tcp.overlapped') if event.get('tcp.conflict')}
    assert told == clashing or (capture.stem in KEEP_ALIVES and told < clashing)


@pytest.mark.skipif(not CAPTURES, reason='no traces here (WEIR_TRACES)')
@pytest.mark.parametrize('capture', CAPTURES, ids=[path.stem for path in CAPTURES])
def test_as_many_connections(capture, tmp_path):
    truth = json.loads(capture.with_suffix('').with_suffix('.truth.json').read_text())
    flows = events(capture, tmp_path / 'log', 'flow.ended')
    expected, reason = FLOWS.get(capture.name, (truth['tcp']['streams'], 'the same'))
    assert sum(flow['ip.proto'] == 6 for flow in flows) == expected, reason
