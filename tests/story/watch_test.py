# SPDX-License-Identifier: Apache-2.0
"""weir watch: what it tells, how it reads, what it refuses; and that its sums are those of other programs."""
import json
import os
import pty
import re
import subprocess

import pytest

import weir

BUFFERS = ['--buffers', weir.BUFFERS]
HTTP, TLS, DNS = (weir.CAPTURES / f'{name}.pcap' for name in ('http', 'tls', 'dns'))
CAPTURES = sorted(path for path in weir.TRACES.glob('*.pcap*') if path.with_suffix('').with_suffix('.truth.json').exists()) \
    if weir.TRACES.is_dir() else []

# What we count otherwise than tshark, and why: (bytes, TCP flows, UDP flows) more than there.
TUNNEL = 'of a tunnel we count the flows inside, tshark the outer ones as well'
IDLE = 'a flow that was idle for longer than its time is two for us'
DIFFERENT = {
    'bad-tcpdump-crashers-ethernet.pcap': ((6, -2, -5), 'a record says that it is longer than it was; headers are cut'),
    'bad-tcpdump-crashers-linktypes.pcapng': ((0, -1, 0), 'a TCP header is cut'),
    'fmt-pcapng-difficult-le.pcapng': ((-116, 0, 0), 'tshark shows blocks that are no packets'),
    'geneve.pcap': ((0, 0, -68), TUNNEL),
    'gtp-u-fragmented.pcap': ((0, 0, -1), TUNNEL),
    'mix-enterprise.pcap': ((0, 1, 1), IDLE),
    'mix-wireshark-udp.pcapng': ((0, 0, 36), IDLE),
    'qinq-pppoe-http.pcap': ((0, 1, 0), 'repeated more than 2 s after both sides had closed'),
    'vxlan.pcap': ((0, 0, -13), TUNNEL),
}


def watch(*arguments, **options):
    return weir.call('watch', *BUFFERS, *arguments, **options)


def told(*arguments):
    code, out, err = watch(*arguments)
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


def on_a_terminal(*arguments, env=None):
    """What it writes to a terminal."""
    ours, its = pty.openpty()
    process = subprocess.Popen([weir.WEIR, 'watch', *BUFFERS, *map(str, arguments)], stdout=its, stderr=subprocess.PIPE,
                               env={**os.environ, 'TZ': 'UTC', **(env or {})})
    os.close(its)
    text = b''
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait(weir.SECONDS) == 0, process.stderr.read()
    process.stderr.close()
    return text.decode()


def test_the_end_of_each_flow_is_told():
    flows = [event for event in told(HTTP) if event['event'] == 'flow.ended']
    assert len(flows) == 3
    assert flows[0]['ip.src'] == '10.1.0.10' and flows[0]['dstport'] == 80
    assert {(flow['flow.reason'], flow['tcp.conn_state']) for flow in flows} == {('finished', 'SF')}


def test_events_say_whose_they_are():
    for event in told('-e', 'tcp.*,flow.started', HTTP, TLS):
        assert event['ip.proto'] == 6 and event['dstport'] in (80, 443)
        assert {'ip.src', 'ip.dst'} <= set(event) or {'ipv6.src', 'ipv6.dst'} <= set(event)


def test_names_and_globs():
    assert {event['event'] for event in told('-e', 'flow.started, *.established', HTTP)} == {'flow.started', 'tcp.established'}
    assert {event['event'] for event in told('-e', 'packet.received', DNS)} == {'packet.received'}


@pytest.mark.parametrize('condition, count', [
    ('tcp.port == 80', 3), ('udp', 0), ('ip.addr == 10.1.0.10', 2), ('ipv6', 1), ('!(ip.dst == 10.2.0.10)', 1),
    ('flow.bytes_back > 100000', 1), ('tcp.port in {80, 81} && flow.reason == "finished"', 3), ('tcp.srcport == 41074', 1),
    ('tcp.history contains "xx"', 0),
])
def test_filters_hold_for_what_comes_without_a_packet(condition, count):
    assert len(told('-e', 'flow.ended', '-f', condition, HTTP)) == count


@pytest.mark.parametrize('arguments, message', [
    (['-e', 'flow.ended,tcp.closd'], '-e:1:12: error: no event is called "tcp.closd"; did you mean "tcp.closed"?'),
    (['-e', ' , '], '-e:1:1: error: no event is named'),
    (['-f', 'tcp && ip.scr == 1.2.3.4'], '-f:1:8: error: "ip.scr"'),
    (['-f', 'tcp.port == '], '-f:1:'),
    (['-f', 'tcp) -> Nothing; Print('], '-f:1:4'),
    (['--summary', '-f', 'flow.reason == "reset"'], '-f:1:1'),
    (['-w', '0'], 'weir: -w'),
])
def test_what_is_wrong_is_told_before_anything_runs(arguments, message):
    code, out, err = watch(*arguments, HTTP)
    assert code == 2 and out == '' and message in err, err


def test_what_cannot_be_read():
    assert watch()[0] == 2
    code, _, err = watch('no-such-0')
    assert code == 1 and 'no-such-0' in err


def test_lines_for_people():
    text = on_a_terminal('-e', 'flow.ended', HTTP, env={'NO_COLOR': '1'})
    assert re.search(r'21:22:10\.162 flow\.ended        10\.1\.0\.10:41074 → 10\.2\.0\.10:80 tcp +'
                     r'12/12 packets 1\.1 kB/9\.8 kB 2\.7 ms SF ShADadFf finished\r\n', text), text
    assert '[2001:db8:1::20]:53836 → [2001:db8:2::10]:80 tcp' in text
    assert '\033' not in text
    assert '\033[32mfinished' in on_a_terminal('-e', 'flow.ended', HTTP, env={'NO_COLOR': ''})
    assert on_a_terminal('--json', HTTP).startswith('{"time"')


def test_lines_where_no_terminal_is():
    _, out, _ = watch('--lines', '-e', 'flow.ended', HTTP)
    assert out.count(' → ') == 3 and '\033' not in out and '{' not in out


def test_streams_with_their_hash():
    streams = told('--hash', '-e', 'stream.closed', HTTP)
    assert len(streams) == 6 and all(len(stream['stream.sha256']) == 64 for stream in streams)
    assert 'sha256' not in str(told('-e', 'stream.closed', HTTP))


def test_what_nobody_wants_costs_nothing():
    def flows(*arguments):
        code, out, err = watch('--explain', *arguments, HTTP)
        assert code == 0, err
        return re.search('^flows: .*', out, re.MULTILINE)[0]

    assert 'streams: not kept; history: kept' in flows('-e', 'flow.ended')
    assert 'streams: not kept; history: not kept' in flows('-e', 'tcp.reset')
    assert 'streams: kept; history: not kept' in flows('-e', 'stream.closed')
    assert 'streams: kept, hashed' in flows('-e', 'stream.closed', '--hash')
    assert flows('-e', 'packet.received') == 'flows: not tracked, nobody needs to know of them' or \
        'streams: not kept; history: not kept' in flows('-e', 'packet.received')


def test_the_same_with_any_number_of_workers():
    def sums(*arguments):
        summary = told('--summary', *arguments, HTTP, TLS, DNS)[0]
        return summary

    assert sums('-w', '2') == sums()


def test_a_summary_of_what_fits():
    all, some = told('--summary', HTTP, DNS)[0], told('--summary', '-f', 'udp', HTTP, DNS)[0]
    assert all['flows']['all'] == 15 and all['flows']['tcp'] == {'flows': 4, 'finished': 4}
    assert some['flows']['all'] == some['flows']['udp']['flows'] == 11
    assert some['packets'] == 22 < all['packets']
    talker = all['top_talkers']['by_bytes'][0]
    assert talker['address'] == '10.2.0.10' and talker['error'] == 0
    assert talker['sent'] + talker['received'] == talker['bytes']


def test_a_summary_for_people():
    text = on_a_terminal('--summary', HTTP, DNS)
    assert '320 packets, 244 kB, from 2026-11-24 21:22:10.093428 to 2026-11-24 21:22:11.457889' in text
    assert re.search(r'\r\ntcp +4 +4 +0', text) and re.search(r'\r\nudp +11 ', text)


@pytest.mark.skipif(not CAPTURES, reason='no traces here (WEIR_TRACES)')
@pytest.mark.parametrize('capture', CAPTURES, ids=[path.stem for path in CAPTURES])
def test_sums_are_those_of_other_programs(capture):
    truth = json.loads(capture.with_suffix('').with_suffix('.truth.json').read_text())
    summary = told('--summary', capture)[0]
    flows = {protocol: summary['flows'].get(protocol, {'flows': 0})['flows'] for protocol in ('tcp', 'udp')}
    assert summary['packets'] == truth['file']['records']
    differences = (summary['bytes'] - truth.get('wire_bytes', truth['file'].get('wire_bytes')),
                   flows['tcp'] - truth['tcp']['streams'], flows['udp'] - truth['udp']['streams'])
    assert differences == DIFFERENT.get(capture.name, ((0, 0, 0), ''))[0]
