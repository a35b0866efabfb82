# SPDX-License-Identifier: Apache-2.0
"""Runs the packet tables that lie beside element classes (modules/FOLDER/CLASS.packets); packets.py tells their format.

    pytest tests/story/packets_test.py               all of them
    pytest tests/story/packets_test.py -k Tee        those of one class
"""
import functools
import re

import pytest

import packets

TABLES = sorted(packets.PROJECT.glob('modules/*/*.packets'))
CLASSES = [(source, name) for source in sorted(packets.PROJECT.glob('modules/*/*.c'))
           for name in re.findall(r'^WEIR_CLASS\((\w+)', source.read_text(), re.M)]


@functools.cache
def stories():
    read, broken = [], []
    for path in TABLES:
        try:
            read += packets.read(path)
        except packets.TableError as error:
            broken.append(str(error))
    return read, broken


def runs():
    for story in stories()[0]:
        if story.errors:
            continue
        # sanitizers see each story once; what fills change they see in what is hostile
        for fill in story.fills[-1:] if packets.IS_SANITIZED else story.fills:
            yield pytest.param(story, fill, 1, id=f'{story} [fill {fill}]')
        if story.workers > 1:
            yield pytest.param(story, 64, story.workers, id=f'{story} [{story.workers} workers]')


def test_tables_can_be_read():
    assert not stories()[1], '\n'.join(stories()[1])


@pytest.mark.parametrize('story, fill, workers', runs())
def test_story(story, fill, workers, tmp_path):
    wrong = list(packets.judge(story, packets.run(story, tmp_path, fill, workers), workers))
    if wrong:
        pytest.fail(f'{story.path}:{story.line}: {story.title}\n' +
                    '\n'.join(wrong[:packets.MOST_TOLD]), pytrace=False)


@pytest.mark.parametrize('story', [pytest.param(s, id=str(s)) for s in stories()[0] if s.errors])
def test_refused(story, tmp_path):
    code, text = packets.check(story, tmp_path)
    assert code == 1, f'{story.path}:{story.line}: weir check ended with code {code}: {text}'
    for error in story.errors:
        assert error in text, f'{story.path}:{story.line}: weir check says: {text}'


def by_table():
    tables = {}
    for story in stories()[0]:
        if not story.errors:
            tables.setdefault(story.path, []).append(story)
    return [pytest.param(of, id=f'{path.parent.name}/{path.stem}') for path, of in tables.items()]


# Whatever comes: it ends, in order, and every packet is accounted for. All stories of a table at once.
@pytest.mark.parametrize('fill', [1, 64])
@pytest.mark.parametrize('of_table', by_table())
def test_hostile_packets(of_table, fill, tmp_path):
    result = packets.run_together(of_table, tmp_path, fill)
    assert result.code == 0, result.log
    assert result.sums['conserved'], result.sums
    assert result.sums['received'] == sum(len(made) for story in of_table for made in packets.hostile(story).values())


@pytest.mark.parametrize('source, name', [pytest.param(*one, id=one[1]) for one in CLASSES])
def test_class_is_documented(source, name):
    page = source.with_name(f'{name}.md')
    assert page.exists(), f'{name} has no page {page}'
    assert source.with_name(f'{name}.packets').exists(), f'{name} has no packet table'
    body = source.read_text().split(f'WEIR_CLASS({name}', 1)[1].split('\nWEIR_CLASS(', 1)[0]
    told = page.read_text()
    for member in re.findall(r'WEIR_(?:SETTING|MATCHES|COUNTS|DROPS)\(\w+, (\w+)', body):
        assert f'`{member}`' in told, f'{page} does not tell of `{member}`'
