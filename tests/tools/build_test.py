# SPDX-License-Identifier: Apache-2.0
"""What the build promises: the processor that our code is compiled for, what modules can see, what others build with."""
import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest

BUILD = pathlib.Path(os.environ['WEIR_BUILD'])
SOURCE = pathlib.Path(os.environ['WEIR_SOURCE'])
MODULES = sorted((BUILD / 'modules').glob('*.so'))
PLAIN = 'asan' not in BUILD.name

MODULE = """
#include <weir.h>
int weir_twice(int);
__attribute__((visibility("default"))) const char weir_test_name[] = "x";
int of_its_own(int a);
int of_its_own(int a) { return weir_twice(a); }
"""


def run(*command, **more):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True, **more).stdout


def commands():
    return [entry['command'] for entry in json.loads((BUILD / 'compile_commands.json').read_text())]


def test_our_march_decides():
    """DPDK's .pc file says -march=corei7; the last one wins, and it must be ours, in every call of the compiler."""
    for command in commands():
        assert re.findall(r'-march=(\S+)', command)[-1:] == ['x86-64-v2'], command
        assert 'corei7' not in command and '-mavx' not in command, command


def test_what_is_compiled_runs_on_v2_only():
    words = shlex.split(commands()[0])
    words = words[:words.index('-MD')] + ['-dM', '-E', '-x', 'c', '/dev/null']
    macros = run(*words, cwd=BUILD)
    assert '#define __SSE4_2__ 1' in macros and '#define __POPCNT__ 1' in macros
    assert '__AVX__' not in macros


@pytest.mark.skipif(not PLAIN or not (BUILD / 'weir').exists(), reason='no plain program was built')
def test_the_program_exports_weir_and_nothing_else():
    names = [line.split()[-1] for line in run('nm', '-D', '--defined-only', BUILD / 'weir').splitlines()]
    assert names and not [n for n in names if not n.startswith(('weir_', '_IO_stdin_used', '__bss_start', '_edata',
                                                                 '_end', '_init', '_fini'))
                          and '@GLIBC' not in n]


@pytest.mark.skipif(not PLAIN, reason='sanitizers bring constructors')
@pytest.mark.parametrize('module', MODULES, ids=lambda m: getattr(m, 'stem', 'none'))
def test_modules_have_no_code_that_runs_by_itself(module):
    dynamic = run('readelf', '-dW', module)
    assert not re.search(r'\((INIT|FINI|INIT_ARRAY|FINI_ARRAY|PREINIT_ARRAY)\)', dynamic)
    exported = run('nm', '-D', '--defined-only', module).split('\n')
    assert all(' weir_' in line for line in exported if line)


@pytest.mark.parametrize('compiler', ['gcc', 'clang'])
def test_a_module_outside_the_tree_builds_with_pkg_config(tmp_path, compiler):
    env = {**os.environ, 'PKG_CONFIG_PATH': str(BUILD / 'packaging')}
    cflags, libs = (run('pkg-config', what, 'weir', env=env).split() for what in ('--cflags', '--libs'))
    (tmp_path / 'x.c').write_text(MODULE)
    run(compiler, '-Wall', '-Wextra', '-Werror', *cflags, '-o', tmp_path / 'x.so', tmp_path / 'x.c', *libs)
    assert not re.search(r'\((INIT|INIT_ARRAY)\)', run('readelf', '-dW', tmp_path / 'x.so'))
    names = run('nm', '-D', '--defined-only', tmp_path / 'x.so')
    assert 'weir_test_name' in names and 'of_its_own' not in names


def test_every_target_of_the_makefile_is_explained():
    targets = re.search(r'^\.PHONY: (.*)$', (SOURCE / 'Makefile').read_text(), re.M).group(1).split()
    text = run('make', '-s', '-C', SOURCE, 'help')
    assert [t for t in targets if t != 'all' and not re.search(rf'^\s+{t}\s', text, re.M)] == []
