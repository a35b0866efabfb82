# SPDX-License-Identifier: Apache-2.0
"""weir bench measures graphs beside their source, and says what it cannot measure."""
import json
import time

import pytest

import weir

SHORT = ['--rounds', '2', '--seconds', '0.05', '--circle', '256', '--buffers', '2048']


def test_measures_graphs_and_their_source(tmp_path):
    file = tmp_path / 'ttl.weir'
    file.write_text('Port -> DecIPTTL -> Port;')
    code, out, err = weir.call('bench', '--json', *SHORT, '--fill', '16', '-e', 'FromDump -> Counter -> ToDump;', file)
    assert code == 0, err
    told = json.loads(out)
    assert told['fill'] == 16
    assert [row['graph'] for row in told['graphs']] == ['source alone', 'FromDump -> Counter -> ToDump;', str(file)]
    for row in told['graphs']:
        assert len(row['cycles']) == 2 and min(row['cycles']) == pytest.approx(row['least'], rel=1e-3)
        assert row['packets_per_second'] > 0
    assert told['hertz'] > 1e8


def test_what_runs_before_does_not_count():
    def measure(warm):
        begun = time.monotonic()
        code, out, err = weir.call('bench', '--json', *SHORT, '--warm', warm, '-e', 'FromDump -> Discard;')
        assert code == 0, err
        return json.loads(out)['graphs'][1]['packets_per_second'], time.monotonic() - begun
    soon, late = measure(0), measure(1)
    assert late[1] > 4  # two graphs, two rounds
    assert late[0] < 8 * soon[0]  # with those of the second before it would be 21 times as much


def test_prints_a_table():
    code, out, err = weir.call('bench', *SHORT, '-e', 'FromDump -> Discard;')
    assert code == 0, err
    assert 'source alone' in out and 'ratio' in out


@pytest.mark.parametrize('arguments, code, text', [
    (['--fill', '65'], 2, '--fill: "65" is no number from 1 to 64'),
    (['--rounds', 'many'], 2, 'is no number'),
    (['--nonsense'], 2, 'usage: weir bench'),
    ([*SHORT, '-e', 'FromDumb -> Discard;'], 1, 'FromDump'),
    ([*SHORT, '-e', 'Idle -> Discard;'], 1, 'no port is left open'),
    ([*SHORT, '--frames', '/nowhere/a.pcap'], 1, '/nowhere/a.pcap'),
])
def test_says_what_is_wrong(arguments, code, text):
    got, out, err = weir.call('bench', *arguments)
    assert (got, text in err) == (code, True), err


def test_help():
    code, out, _ = weir.call('bench', '--help')
    assert code == 0 and '--circle' in out
