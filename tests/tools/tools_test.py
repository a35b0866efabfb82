# SPDX-License-Identifier: Apache-2.0
"""The tools judge others' work, so they are judged here: what lint finds, and how the test runner counts."""
import importlib.machinery
import importlib.util
import os
import pathlib
import shutil
import subprocess
import time
import types

import pytest

SOURCE = pathlib.Path(os.environ['WEIR_SOURCE'])
SPDX = '// SPDX-License-Identifier: Apache-2.0\n'


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, str(SOURCE / 'tools' / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def lint(tmp_path, path, text, *options):
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    shutil.copy(SOURCE / '.clang-format', tmp_path)
    (tmp_path / 'src/lib').mkdir(parents=True, exist_ok=True)
    (file.parent / 'meson.build').write_text(f"# {SPDX[3:]}files('{file.name}')\n")
    done = subprocess.run([SOURCE / 'tools/lint', *options, path], cwd=tmp_path, capture_output=True, text=True)
    return done.stdout.splitlines()[:-1]


GOOD = [
    # (path, text behind the licence): what must pass
    ('src/event/a.c', '#include "event/a.h"\n#include "packet/field.h"\n#include <stdio.h>\n'),
    ('src/lib/a.c', 'static int one(int x) { return x; }\n'),
    ('src/lib/a.c', 'static const int table[] = {\n\t{ 1,   2 }, { 30, 4 },\n\t{ 5,   6 }, // odd\n};\n'),
    ('src/lib/a.c', 'enum { A, B, C };\n'),
    ('src/lib/a.c', '#define X(a)      \\\n  do { y(a);  } while (0)\n'),
    ('src/lib/a.c', 'void f(void)\n{\n\tg(a &&\n\t\t b);\n\tlist_each (one, &all)\n\t\tg(weir_where (i, x[i] <= 1));\n}\n'),
    ('src/lib/a.c', 'static const char url[] = "http://x/*y*/ rte_";\n'),
    ('src/port/a.c', '#include <rte_mbuf.h>\n'),
    ('src/engine/a.c', '#include "port/a.h"\n#include "plan/a.h"\n'),
    ('modules/m/a.c', '#include <weir.h>\n#include "weir.h"\n'),
]
BAD = [
    # (path, text, what lint must say)
    ('src/lib/a.c', '#include "packet/field.h"\n', 'a.c:2: lib/ must not include packet/'),
    ('src/lookup/a.c', '#include "port/a.h"\n', 'lookup/ must not include port/'),
    ('src/plan/a.c', '#include "engine/a.h"\n', 'plan/ must not include engine/'),
    ('src/plan/a.c', '#include "a.h"\n', 'names no room'),
    ('src/odd/a.c', 'int x;\n', 'is no room'),
    ('src/plan/a.c', 'int x = rte_y;\n', 'a.c:2: rte_ may occur in'),
    ('src/plan/a.c', '#include <rte_mbuf.h>\n', 'rte_ may occur in'),
    ('include/weir.h', '#include <rte_mbuf.h>\n', 'rte_ may occur in'),
    ('modules/m/a.c', '#include <rte_mbuf.h>\n', 'a module must not include <rte_mbuf.h>'),
    ('modules/m/a.c', '#include "lib/arena.h"\n', 'a module includes weir.h'),
    ('src/lib/a.c', 'int x; /* no */\n', 'block comment'),
    ('src/lib/a.c', 'int x; \n', 'white space at the end'),
    ('src/lib/a.c', 'int x;', 'no newline at the end'),
    ('src/lib/a.c', 'int x;\n\n', 'blank line at the end'),
    ('src/lib/a.c', 'int x; // TO' 'DO\n', 'a promise'),
    ('src/lib/a.c', 'const char *x = "/wo' 'rk/x";\n', 'path of one machine'),
    ('src/lib/a.c', 'int x;\n' * 700, '701 lines'),
    ('src/lib/a.c', f'int {"x" * 120};\n', 'columns'),
    ('src/lib/a.c', 'int f(void) {\n\treturn 1;\n}\n', 'a.c:2: formatting'),
    ('src/lib/a.c', 'int f(void)\n{\n    return 1;\n}\n', 'a.c:4: formatting'),
    ('src/lib/a.c', 'int f(void)\n{\n\tif(a)\n\t\treturn 1;\n}\n', 'a.c:4: formatting'),
    ('src/lib/a.c', 'char* x;\n', 'wants "char *x;"'),
    ('src/lib/a.c', 'int x=1;\n', 'wants "int x = 1;"'),
]


@pytest.mark.parametrize('path, text', GOOD)
def test_lint_is_content(tmp_path, path, text):
    assert lint(tmp_path, path, SPDX + text) == []


@pytest.mark.parametrize('path, text, complaint', BAD)
def test_lint_finds(tmp_path, path, text, complaint):
    assert any(complaint in line for line in lint(tmp_path, path, SPDX + text))


def test_lint_wants_a_licence_and_a_listed_file(tmp_path):
    assert any('no licence' in line for line in lint(tmp_path, 'src/lib/a.c', 'int x;\n'))
    lint(tmp_path, 'src/lib/b.c', SPDX)
    done = subprocess.run([SOURCE / 'tools/lint', 'src/lib/a.c'], cwd=tmp_path, capture_output=True, text=True)
    assert 'no meson.build names a.c' in done.stdout


def test_lint_mends_formatting_only(tmp_path):
    kept = '#define X(a)   b(a)\n\nstatic int one(int x) { return x; }\n\nint  aligned;   // so\n'
    lint(tmp_path, 'src/lib/a.c', SPDX + kept + 'int f(int a){\n  return a+1;\n}\n', '--fix')
    assert (tmp_path / 'src/lib/a.c').read_text() == SPDX + kept + 'int f(int a)\n{\n\treturn a + 1;\n}\n'


TAP = [
    # output, exit code: passed, failed, skipped
    ('1..2\nok 1 - a\nok 2 - b\n', 0, (2, 0, 0)),
    ('1..2\nok 1 - a\nnot ok 2 - b\n# why\n', 1, (1, 1, 0)),
    ('1..2\nok 1 - a\nnot ok 2 # SKIP b\n', 0, (1, 0, 1)),
    ('1..1\nok 1 - a\n1..1\nok 1 - b\n', 0, (2, 0, 0)),
    ('1..3\nok 1 - a\n', 0, (1, 1, 0)),             # ended in the middle
    ('1..1\nok 1 - a\n', -11, (1, 1, 0)),           # crashed at the end
    ('1..1\nok 1 - a\n', 1, (1, 1, 0)),             # a leak, told after the tests
    ('1..1\nok 1 - a\n', None, (1, 1, 0)),          # hangs
    ('hello\n', 0, (0, 1, 0)),                      # not a test program
    ('', 0, (0, 1, 0)),
    ('1..2\nnot ok 0 - group [  FAILED  ] GROUP SETUP\n', 1, (0, 2, 0)),
]


@pytest.mark.parametrize('output, code, expected', TAP)
def test_the_runner_counts_tap(output, code, expected):
    result = load('test').tap(types.SimpleNamespace(seconds=1), code, output)
    assert (result.passed, result.failed, result.skipped) == expected


def test_the_runner_ends_what_hangs_and_all_that_it_started(tmp_path):
    script = tmp_path / 'hang.sh'
    script.write_text(f'#!/bin/sh\necho begun\nsleep 300 & echo $! >{tmp_path}/child\nwait\n')
    script.chmod(0o755)
    code, output = load('test').run([str(script)], 1)
    assert (code, output) == (None, 'begun\n')
    child = int((tmp_path / 'child').read_text())
    assert any(gone(child) or time.sleep(0.1) for _ in range(50))


def gone(pid):
    try:
        return pathlib.Path(f'/proc/{pid}/stat').read_text().split(')')[1].split()[0] == 'Z'
    except OSError:
        return True
