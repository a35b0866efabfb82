# SPDX-License-Identifier: Apache-2.0
"""What is printed in README.md, the pages of element classes and examples/README.md is true: graphs run, the module builds
and works, commands print what stands there. A name that an example does not declare is its surroundings: a capture, a port.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

import weir
from watch_test import on_a_terminal

README = (weir.PROJECT / 'README.md').read_text()
PAGES = sorted(weir.PROJECT.glob('modules/*/*.md'))
HTTP = weir.CAPTURES / 'http.pcap'


def blocks(text):
    """(language, text) of each fenced block."""
    return re.findall(r'^```(\w*)\n(.*?)^```$', text, re.M | re.S)


def block(beginning):
    found = [text for _, text in blocks(README) if text.startswith(beginning)]
    assert len(found) == 1, f'{len(found)} blocks of README.md begin with {beginning}'
    return found[0]


@pytest.fixture
def place(tmp_path):
    """A folder as the project's: what is written stays here."""
    (tmp_path / 'examples').symlink_to(weir.PROJECT / 'examples')
    (tmp_path / 'build-demo').mkdir()
    shutil.copy(HTTP, tmp_path / 'trace.pcap')
    return tmp_path


def run_line(line, place):
    """A command as it is printed, with our weir."""
    words = shlex.split(line.replace('\\\n', ' '))
    assert words[:1] == ['weir'], line
    return subprocess.run([weir.WEIR, *words[1:]], cwd=place, capture_output=True, text=True, timeout=weir.SECONDS,
                          env={**os.environ, 'TZ': 'UTC'})


# ---- graphs of pages

def bare(text):
    """Without comments, what is in parentheses and brackets, and insides of compounds."""
    text = re.sub(r'//.*', '', text)
    while re.search(r'\([^()]*\)', text):
        text = re.sub(r'\([^()]*\)', '', text)
    return re.sub(r'\[\w*\]', ' ', text)


def surroundings(text):
    """Declarations of the names that nobody declares, and how they and open captures are bound."""
    text = bare(text)
    declared = set(re.findall(r'(\w+)\s*::', text)) | {'input', 'output', 'elementclass', 'define', 'event', 'require'}
    names = dict.fromkeys(name for name in re.findall(r'(?<![\w/])([a-z]\w*)', text) if name not in declared)
    lines, bound = [], []
    for name in names:
        sends = re.search(rf'\b{name}\s*(?:,[^;]*)?->', text)
        takes = re.search(rf'->\s*{name}\b', text)
        lines.append(f'{name} :: {"Port" if sends and takes else "FromDump" if sends else "ToDump"};')
        bound += ['-i', f'{name}={HTTP}'] if sends else []
        bound += ['-o', f'{name}=from-{name}.pcap'] if takes else []
    for name in re.findall(r'(\w+)\s*::\s*Port\b', text):
        bound += ['-i', f'{name}={HTTP}', '-o', f'{name}=from-{name}.pcap']
    if re.search(r'(?<!::\s)\bFromDump\s*->', text):
        bound += ['-i', str(HTTP)]
    return '\n'.join(lines), bound


def example_of(page):
    found = [text for _, text in blocks(page.read_text().split('## Example', 1)[-1])]
    assert len(found) >= 1, f'{page} has no example'
    return found[0]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_graphs_of_pages_run(page, place):
    text = example_of(page)
    declarations, bound = surroundings(text)
    code, out, err = weir.call('run', '--json', '--buffers', weir.BUFFERS, *bound, '-e', f'{declarations}\n{text}', cwd=place)
    assert code == 0, f'{declarations}\n{text}\n{err}'
    assert '"conserved": true' in out


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_pages_tell_of_their_class(page):
    assert page.stem in example_of(page), f'{page}: its example has no {page.stem}'


# ---- README.md

def test_the_router_prints_what_stands_there(place):
    """Figures of time are those of a machine; all others are exact."""
    printed = block('$ weir run')
    command, told = re.match(r'\$ (.*?)\n\n(.*)', printed, re.S).groups()
    done = run_line(command, place)
    assert done.returncode == 0, done.stderr

    def timeless(line):
        return re.sub(r'^[\d.]+ s, .*', 'TIME', re.sub(r' +[\d.]+$', '', line) if re.match(r'\S+ +[A-Z]', line) else line).rstrip()

    expected = [timeless(line) for line in told.rstrip().split('\n') if line != '...']
    assert expected == [timeless(line) for line in done.stderr.strip('\n').split('\n')][:len(expected)]


def test_watch_prints_what_stands_there(place):
    command, told = block('$ weir watch').split('\n', 1)
    words = shlex.split(command)[3:]
    text = on_a_terminal(*[place / word if word.endswith('.pcap') else word for word in words], env={'NO_COLOR': '1'})
    assert text.replace('\r\n', '\n') == told


def test_the_graph_and_its_plan(place):
    graph, told = block('// web traffic'), block('web.weir: ')
    (place / 'web.weir').write_text(graph)
    done = run_line('weir explain web.weir', place)
    assert done.returncode == 0, done.stderr
    expected = told.rstrip().removesuffix('...').rstrip().split('\n')
    assert [line.rstrip() for line in done.stdout.split('\n')][:len(expected)] == expected
    summary = weir.run(graph, '-i', HTTP, '-o', f'web={place}/web.pcap', '-o', f'rest={place}/rest.pcap')
    assert summary['sent'] == summary['received'] > 0


def test_the_module_is_a_file(place):
    language, source = next(one for one in blocks(README) if one[1].startswith('// ttl_guard'))
    assert language == 'c'
    library = weir.build_module(place, source, 'ttl_guard')
    code, _, err = weir.call('check', library)
    assert code == 0, err
    summary = weir.run('FromDump -> g :: TtlGuard(least 64) -> Discard', '-i', weir.CAPTURES / 'router.pcap',
                       env=weir.modules(place))
    low = weir.run('FromDump -> m :: Match(ip.ttl < 64) -> c :: Counter -> Discard; m[other] -> Discard', '-i',
                   weir.CAPTURES / 'router.pcap')['elements']['c']['packets']
    assert summary['drops']['g']['too_low'] == low > 0


def test_as_many_classes_as_it_says():
    code, out, _ = weir.call('modules')
    assert code == 0 and len(re.findall(r'^  (\w+)', out, re.M)) > int(re.search(r'more than (\d+) classes', README)[1])


# ---- examples/README.md

EXAMPLES = re.findall(r'^    (weir run .*)$', (weir.PROJECT / 'examples/README.md').read_text(), re.M)


@pytest.mark.parametrize('line', EXAMPLES)
def test_commands_of_examples(line, tmp_path):
    folder = tmp_path / 'examples'
    shutil.copytree(weir.PROJECT / 'examples', folder)
    if re.search(r'\beth\d', line):
        graph = pathlib.Path(shlex.split(line)[2])
        assert (folder / graph).exists()
        return
    done = run_line(line, folder)
    assert done.returncode == 0, done.stderr
    for name in re.findall(r'-o (?:\w+=)?(\S+)', line):
        assert (folder / name).stat().st_size > 24, f'{name} is empty'


def test_there_are_twelve_at_least():
    assert len(PAGES) + len(EXAMPLES) + 5 >= 12
