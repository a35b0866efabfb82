# SPDX-License-Identifier: Apache-2.0
"""Filters select what tshark selects. How many packets that is stands in filters.json, made by `filters_test.py --make`."""
import json
import pathlib
import re
import subprocess
import sys

import pytest

import weir

EXPRESSIONS = weir.PROJECT / 'tests/unit/filters-tshark.txt'
TRUTH = pathlib.Path(__file__).with_name('filters.json')
# Where another number is right here, with the reason: tshark puts fragments together first, shows fields of headers that
# are cut, or looks into what is not decoded here.
DIFFERENCES = pathlib.Path(__file__).with_name('filters-different.json')


def expressions():
    lines = EXPRESSIONS.read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith('#')]


def captures():
    return sorted([*weir.CAPTURES.glob('*.pcap*'), *(weir.TRACES.glob('*.pcap*') if weir.TRACES.is_dir() else [])])


def name_of(path):
    return f'examples/{path.name}' if path.parent == weir.CAPTURES else path.name


def without_commas(expression):
    """The same without commas in sets, for tshark separates filters by them. None: that cannot be done."""
    def one_by_one(match):
        field, negated, members = match.groups()
        either = ' || '.join(f'{field} in {{{member.strip()}}}' for member in members.split(','))
        return f'{"!" if negated else ""}({either})'
    text = re.sub(r'([\w.#]+) (not )?in \{([^}]*)\}', one_by_one, expression)
    return None if ',' in text else text


def count_by_tshark(path):
    """All filters in one run each of which is a table of statistics; the last comes first."""
    together = {e: without_commas(e) for e in expressions() if without_commas(e) and ' not in ' not in e}
    command = ['tshark', '-n', '-q', '-r', path]
    for text in together.values():
        command += ['-z', f'io,stat,0,{text}']
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    frames = re.findall(r'^\| *[\d.]+ <> *[\w.]+ *\| *(\d+) \|', out, re.M)
    # a capture without duration has no table
    counts = dict(zip(reversed(together), map(int, frames))) if len(frames) == len(together) else {}
    for expression in set(expressions()) - set(counts):
        out = subprocess.run(['tshark', '-n', '-r', path, '-Y', expression, '-T', 'fields', '-e', 'frame.number'], capture_output=True,
                             text=True, check=True)
        counts[expression] = len(out.stdout.split())
    return counts


def count_by_weir(path):
    """Each packet comes to each filter; those that match go by a counter."""
    graph, front = '', 'FromDump'
    for i, expression in enumerate(expressions()):
        graph += f'{front} -> m{i} :: Match({expression}) -> c{i} :: Counter -> n{i} :: Null; m{i}[other] -> n{i};\n'
        front = f'n{i}'
    elements = weir.run(graph + f'{front} -> Discard;', '-i', path)['elements']
    return {expression: elements[f'c{i}']['packets'] for i, expression in enumerate(expressions())}


def make():
    save({name_of(path): count_by_tshark(path) for path in captures()})


def save(counts):
    """A line per capture: how many packets each of the expressions selects."""
    lines = [f'{json.dumps(name)}: {json.dumps([counts[name][e] for e in expressions()])}' for name in sorted(counts)]
    TRUTH.write_text('{"expressions": ' + json.dumps(expressions(), indent=0) + ',\n' + ',\n'.join(lines) + '}\n')


def truth_of(name):
    truth = json.loads(TRUTH.read_text())
    return dict(zip(truth['expressions'], truth[name]))


@pytest.mark.skipif(not TRUTH.exists(), reason='no filters.json')
@pytest.mark.parametrize('path', captures(), ids=lambda p: p.name)
def test_as_many_packets_as_tshark(path):
    truth = truth_of(name_of(path))
    different = json.loads(DIFFERENCES.read_text()).get(name_of(path), {}).get('here, by tshark', {})
    found = count_by_weir(path)
    wrong = {e: (found[e], truth[e]) for e in found if found[e] != different.get(e, [truth[e]])[0]}
    assert not wrong, '\n'.join(f'{e}: {a} here, {b} by tshark' for e, (a, b) in wrong.items())


if __name__ == '__main__' and '--make' in sys.argv:
    make()
