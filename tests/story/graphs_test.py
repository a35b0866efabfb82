# SPDX-License-Identifier: Apache-2.0
"""Wrong graphs: one clear message each, with line, column and what to do; never a crash."""
import re

import pytest

import weir

GRAPHS = sorted((weir.PROJECT / 'tests/unit/wrong-graphs').glob('*.weir'))


@pytest.mark.parametrize('path', GRAPHS, ids=lambda p: p.stem)
def test_says_what_is_wrong(path):
    expected = re.search(r'^// expect: (.*)$', path.read_text(errors='replace'), re.M).group(1)
    name = path.relative_to(weir.PROJECT)
    code, out, err = weir.call('check', name, cwd=weir.PROJECT)
    assert code == 1, out + err
    assert expected in err.replace(f'{name}:', ''), err


@pytest.mark.parametrize('path', sorted((weir.PROJECT / 'examples').glob('*.weir')), ids=lambda p: p.name)
def test_examples_are_well(path):
    code, out, err = weir.call('check', path)
    assert code == 0, err
    code, out, err = weir.call('explain', path)
    assert code == 0 and 'a pass:' in out, err
    assert weir.call('explain', '--dot', path)[1].startswith('digraph')
