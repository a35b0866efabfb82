# SPDX-License-Identifier: Apache-2.0
"""Modules as their authors write them: the two of the design, a new one, wrong ones; and what debug builds catch."""
import os
import pathlib
import subprocess

import pytest

import weir

HERE = pathlib.Path(__file__).parent / 'modules'
WRONG = {path.stem: path for path in sorted((HERE / 'wrong').glob('*.c'))}
LYING = {path.stem: path for path in sorted((HERE / 'lying').glob('*.c'))}


def expected(path):
    return path.read_text().split('// expect: ', 1)[1].split('\n', 1)[0]


def test_synguard_as_designed(tmp_path):
    """It is loaded and runs; the flow events that it hears are raised by a later version."""
    library = weir.build_module(tmp_path, HERE / 'synguard.c', 'synguard')
    code, out, err = weir.call('check', library)
    assert code == 0, err
    summary = weir.run('FromDump -> guard :: SynGuard(half_open_limit 200) -> Discard; JsonLog(/dev/null, events "synguard.*")',
                       '-i', weir.CAPTURES / 'http.pcap', env=weir.modules(tmp_path))
    assert summary['elements']['guard']['packets'] == summary['received'] > 0


def test_decipttl_as_designed(tmp_path):
    weir.build_module(tmp_path, HERE / 'ttl.c', 'ttl')
    summary = weir.run('FromDump -> e :: MyDecIPTTL -> c :: Counter -> Discard', '-i', weir.CAPTURES / 'router.pcap',
                       env=weir.modules(tmp_path))
    expired = summary['drops']['e']['expired']
    assert expired > 0 and summary['elements']['c']['packets'] == summary['received'] - expired


def test_a_new_module_works(tmp_path):
    code, out, err = weir.call('new', 'module', 'ttl_guard', cwd=tmp_path)
    assert code == 0, err
    folder = tmp_path / 'ttl_guard'
    tools = tmp_path / 'bin'
    tools.mkdir()
    (tools / 'weir').symlink_to(weir.WEIR)
    (tools / 'weir-packets').symlink_to(weir.PROJECT / 'tools/weir-packets')
    env = {**os.environ, 'PATH': f'{tools}:{os.environ["PATH"]}', 'PKG_CONFIG_PATH': str(weir.BUILD / 'packaging'),
           'WEIR': weir.WEIR}
    done = subprocess.run(['make', 'test'], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'is well' in done.stdout
    # and it can fail
    table = folder / 'ttl_guard.packets'
    table.write_text(table.read_text().replace('ttl=9)/UDP()\nout0: Ether()/ARP()', 'ttl=8)/UDP()\nout0: Ether()/ARP()'))
    assert subprocess.run(['make', 'test'], cwd=folder, env=env, capture_output=True).returncode != 0


@pytest.mark.parametrize('name', WRONG)
def test_a_wrong_module_is_refused(name, tmp_path):
    library = weir.build_module(tmp_path, WRONG[name], name)
    code, out, err = weir.call('check', library)
    assert code == 1, out + err
    assert expected(WRONG[name]) in err


def test_what_is_no_module_is_refused(tmp_path):
    for name, content in {'text.so': b'hello', 'empty.so': b'', 'cut.so': pathlib.Path('/bin/true').read_bytes()[:100]}.items():
        path = tmp_path / name
        path.write_bytes(content)
        code, out, err = weir.call('check', path)
        assert code == 1 and 'no module that can be loaded' in err, err
    if weir.IS_SANITIZED:
        return
    code = tmp_path / 'ctor.c'
    code.write_text('__attribute__((constructor)) static void run(void) {}\nint weir_module;\n')
    subprocess.run(['gcc', '-shared', '-fPIC', '-o', tmp_path / 'ctor.so', code], check=True)
    status, out, err = weir.call('check', tmp_path / 'ctor.so')
    assert status == 1 and ('constructors' in err or 'initialiser' in err), err


@pytest.mark.parametrize('name', LYING)
def test_debug_builds_catch(name, tmp_path):
    weir.build_module(tmp_path, LYING[name], name)
    code, out, err = weir.call('run', '--buffers', weir.BUFFERS, '-e',
                               'FromDump -> CheckIPHeader -> Paint(1) -> m :: Match(udp) -> l :: Liar -> t :: DecIPTTL -> p :: PaintSwitch; p[0] -> Discard; p[1] -> Discard; m[other] -> c :: Counter -> t',
                               '-i', weir.CAPTURES / 'router.pcap', env=weir.modules(tmp_path))
    assert code != 0, 'not caught'
    assert expected(LYING[name]) in err, err
    assert 'l (Liar' in err, err
