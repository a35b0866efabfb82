# SPDX-License-Identifier: Apache-2.0
"""Every capture: what comes in is what is in the file, and goes out again as it was."""
import json
import subprocess

import pytest

import weir

OWN = sorted(weir.CAPTURES.glob('*.pcap*'))
OTHERS = sorted(p for p in weir.TRACES.glob('*.pcap*')) if weir.TRACES.is_dir() else []


def truth_of(path):
    return json.loads(path.with_name(path.name.rsplit('.', 1)[0] + '.truth.json').read_text())


@pytest.mark.skipif(not OTHERS, reason='no traces (WEIR_TRACES)')
@pytest.mark.parametrize('path', OTHERS, ids=lambda p: p.name)
def test_counts_equal_the_truth(path):
    truth = truth_of(path)
    summary = weir.run('in :: FromDump -> c :: Counter -> Discard; JsonLog(/dev/null, events "packet.*", fields "ip.src tcp.dstport")',
                       '-i', path)
    counted = summary['elements']['c']['counters']
    assert summary['received'] == truth['file']['records']
    if truth['file']['records'] == truth['packets']:
        assert counted['byte_count'] == truth['captured_bytes']


def records(path):
    """Time, length and bytes of each packet, by another program."""
    out = subprocess.run(['tshark', '-r', path, '-T', 'fields', '-e', 'frame.time_epoch', '-e', 'frame.len', '-e', 'frame.cap_len',
                          '-x'], capture_output=True)
    return out.stdout


@pytest.mark.parametrize('path', OWN, ids=lambda p: p.name)
@pytest.mark.parametrize('workers', [1, 2])
def test_a_copy_is_the_same(path, workers, tmp_path):
    copy = tmp_path / 'copy.pcapng'
    summary = weir.run('FromDump -> ToDump', '-i', path, '-o', copy, '-w', workers)
    assert summary['sent'] == summary['received'] > 0
    if workers == 1:
        assert records(copy) == records(path)


@pytest.mark.parametrize('path', OWN, ids=lambda p: p.name)
def test_the_same_bytes_in_every_run(path, tmp_path):
    graph = 'FromDump -> m :: Match(tcp) -> Paint(2) -> q :: Queue -> ToDump; m[other] -> t :: Tee -> Discard; t[1] -> Queue -> ToDump(%s)'
    written = []
    for i in range(2):
        first, second = tmp_path / f'{i}.pcap', tmp_path / f'{i}-other.pcap'
        weir.run(graph % second, '-i', path, '-o', first)
        written.append((first.read_bytes(), second.read_bytes()))
    assert written[0] == written[1]
