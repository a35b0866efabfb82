# SPDX-License-Identifier: Apache-2.0
"""TopTalkers: by rank, whole windows, both ends; the sums are those of flow.ended."""
import collections
import json

import pytest

import weir

HTTP, WEB = weir.CAPTURES / 'http.pcap', weir.TRACES / 'http-web-browsing.pcap'


def told(capture, folder, settings, *arguments):
    log = folder / 'log'
    weir.run(f'FromDump -> TopTalkers({settings}) -> Discard; FlowTracker(open_s 4000000, closing_s 4000000);'
             f'JsonLog({log}, events "toptalkers.host flow.ended")', '-i', capture, *arguments)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    return ([event for event in events if event['event'] == 'toptalkers.host'],
            [event for event in events if event['event'] == 'flow.ended'])


def sums(flows, end):
    bytes_of = collections.Counter()
    for flow in flows:
        bytes_of[flow.get(f'ip.{end}') or flow[f'ipv6.{end}']] += flow['flow.bytes_out'] + flow['flow.bytes_back']
    return bytes_of


@pytest.mark.parametrize('capture', [HTTP, WEB], ids=lambda path: path.stem)
@pytest.mark.parametrize('settings, end', [('', 'src'), (', servers true', 'dst')])
def test_a_capture_is_a_window(capture, settings, end, tmp_path):
    if not capture.exists():
        pytest.skip('no traces here (WEIR_TRACES)')
    hosts, flows = told(capture, tmp_path, 'most 5, window_s 86400' + settings)
    found = [(host.get('ip.addr') or host['ipv6.addr'], host['toptalkers.bytes']) for host in hosts]
    expected = sums(flows, end)
    assert [host['toptalkers.rank'] for host in hosts] == list(range(1, min(5, len(expected)) + 1))
    assert [number for _, number in found] == [number for _, number in expected.most_common(5)]
    assert all(expected[host] == number for host, number in found)


@pytest.mark.skipif(not WEB.exists(), reason='no traces here (WEIR_TRACES)')
@pytest.mark.parametrize('fill', [1, 64])
def test_windows_together_are_all_of_it(fill, tmp_path):
    hosts, flows = told(WEB, tmp_path, 'most 100, window_s 5', '--fill', fill)
    assert sum(host['toptalkers.rank'] == 1 for host in hosts) > 3
    total = collections.Counter()
    for host in hosts:
        total[host['ip.addr']] += host['toptalkers.bytes']
    assert total == sums(flows, 'src')
