# SPDX-License-Identifier: Apache-2.0
"""What is told of flows does not depend on how packets are grouped into vectors, nor on how many workers share them; and
with one worker two runs write the same bytes."""
import collections
import functools
import json

import pytest

import weir

TRACES = ['http-web-browsing', 'mix-enterprise', 'tcp-reassembly-cases', 'ip-frag-mixed', 'gtp-u-fragmented', 'mix-many-protocols',
          'ftp-active-passive']
CAPTURES = [weir.CAPTURES / 'http.pcap', *(weir.TRACES / f'{name}.pcap' for name in TRACES)]
WAYS = [(workers, fill) for workers in (1, 2, 4) for fill in (1, 16, 64)]
if weir.IS_SANITIZED:
    CAPTURES, WAYS = CAPTURES[:5], [(1, 1), (1, 64), (4, 16)]
APART = ('ip-frag-mixed', 'gtp-u-fragmented')  # their fragments go to another worker than the rest of their flow
OF_SESSIONS = ('http.', 'tls.', 'dns.')  # told where their element stands, behind what the tracker tells of all packets
EVENTS = 'flow.* tcp.* stream.closed http.* tls.* dns.*'
GRAPH = 'FromDump -> HTTP -> TLS -> DNS -> Discard; FlowTracker(closed_s 2, hash true); JsonLog(file "{}", events "{}")'


def here(capture):
    return pytest.param(capture, id=capture.stem, marks=pytest.mark.skipif(
        not capture.exists(), reason='no traces here (WEIR_TRACES)'))


def log_of(capture, log, *arguments, events=EVENTS):
    summary = weir.run(GRAPH.format(log, events), '-i', capture, *arguments)
    assert summary.get('events_lost', 0) == 0
    return log.read_bytes()


def flow_of(event):
    ends = [event[key] for key in ('ip.src', 'ipv6.src', 'srcport', 'ip.dst', 'ipv6.dst', 'dstport', 'ip.proto') if key in event]
    return json.dumps(ends)


def by_flow(log):
    """All keys of all events of each flow: the platform's in order; those of sessions in theirs, behind."""
    flows = collections.defaultdict(list)
    for line in log.decode().splitlines():
        event = json.loads(line)
        flows[flow_of(event)].append((event['event'].startswith(OF_SESSIONS), line))
    return {flow: [line for _, line in sorted(lines, key=lambda one: one[0])] for flow, lines in flows.items()}


@functools.cache
def one_by_one(capture, folder):
    return by_flow(log_of(capture, folder / 'one', '-w', 1, '--fill', 1))


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('logs')


@pytest.mark.parametrize('capture', map(here, CAPTURES))
@pytest.mark.parametrize('workers, fill', WAYS[1:])
def test_flows_are_told_alike(capture, workers, fill, folder, tmp_path):
    if workers > 1 and capture.stem in APART:
        pytest.skip('fragments are steered apart from their flow')
    expected = one_by_one(capture, folder)
    found = by_flow(log_of(capture, tmp_path / 'log', '-w', workers, '--fill', fill))
    assert expected
    wrong = [(flow, expected.get(flow), found.get(flow)) for flow in expected.keys() | found.keys()
             if expected.get(flow) != found.get(flow)]
    assert not wrong, wrong[0]


@pytest.mark.parametrize('capture', map(here, CAPTURES))
def test_two_runs_write_the_same_bytes(capture, tmp_path):
    logs = [log_of(capture, tmp_path / name, events=EVENTS + ' stream.data packet.*') for name in ('one', 'two')]
    assert logs[0] == logs[1] and logs[0].count(b'\n') > 100


@pytest.mark.parametrize('capture', map(here, CAPTURES[:3]))
def test_two_runs_send_the_same_packets(capture, tmp_path):
    for name in ('one', 'two'):
        weir.run('FromDump -> RateLimit(100, burst 20) -> HTTP -> ToDump;', '-i', capture, '-o', tmp_path / f'{name}.pcap')
    assert (tmp_path / 'one.pcap').read_bytes() == (tmp_path / 'two.pcap').read_bytes()
