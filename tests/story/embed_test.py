# SPDX-License-Identifier: Apache-2.0
"""Weir inside other programs: the examples as their page prints them, a wire between two networks, and silence."""
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
import scapy.all as scapy

import weir

sys.path.append(str(weir.PROJECT / 'tests/net'))
import net  # noqa: E402

EXAMPLES = weir.PROJECT / 'examples'
PROGRAMS = weir.PROJECT / 'tests/story/programs'
COMPILER = 'clang -fsanitize=address,undefined -shared-libasan' if weir.IS_SANITIZED else 'cc'


def environment():
    """The library of this build, as if it were installed."""
    env = {**os.environ, 'PKG_CONFIG_PATH': str(weir.BUILD / 'packaging'), 'CC': COMPILER}
    env.pop('WEIR_MODULES', None)
    if weir.IS_SANITIZED:
        library = subprocess.run(['clang', '-print-file-name=libclang_rt.asan-x86_64.so'], text=True, capture_output=True)
        env['LD_PRELOAD'] = library.stdout.strip()
    return env


def shell(command, folder, status=0):
    env = environment()
    preload = env.pop('LD_PRELOAD', None)
    if preload and './' in command:
        env['LD_PRELOAD'] = preload
    command = re.sub(r'^cc\b', COMPILER, command)
    done = subprocess.run(command, shell=True, cwd=folder, env=env, text=True, capture_output=True, timeout=weir.SECONDS)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


def build(folder, name, source, libraries='$(pkg-config --libs libweir) -pthread'):
    shell(f'cc -O2 -Wall -Wextra -Werror $(pkg-config --cflags libweir) -o {name} {source} {libraries}', folder)
    return folder / name


def printed_commands():
    page = (EXAMPLES / 'embed/README.md').read_text()
    return re.findall(r'^    (.*)$', page, re.M)


@pytest.fixture(scope='module')
def examples(tmp_path_factory):
    """A copy in which all commands of the page have been run; what each printed."""
    folder = tmp_path_factory.mktemp('examples')
    shutil.copytree(EXAMPLES / 'embed', folder / 'embed')
    (folder / 'captures').symlink_to(EXAMPLES / 'captures')
    return folder / 'embed', {command: shell(command, folder / 'embed')[0] for command in printed_commands()}


def test_the_example_has_forty_lines_at_most():
    assert len((EXAMPLES / 'embed/hop.c').read_text().splitlines()) <= 40


def test_the_page_has_all_examples():
    page = (EXAMPLES / 'embed/README.md').read_text()
    assert all(path.name in page for path in (EXAMPLES / 'embed').glob('*.c'))


def test_hop_does_what_it_says(examples):
    folder, printed = examples
    said = printed['./hop ../captures/router.pcap out.pcapng']
    before = list(scapy.PcapReader(str(EXAMPLES / 'captures/router.pcap')))
    after = list(scapy.PcapNgReader(str(folder / 'out.pcapng')))
    stay = [p for p in before if not (p.haslayer('TCP') and 23 in (p['TCP'].sport, p['TCP'].dport)) and
            not (p.haslayer('IP') and p['IP'].ttl <= 1)]
    assert said == f'{len(before)} received, {len(after)} sent, {len(before) - len(after)} freed\n'
    assert len(stay) == len(after)
    for old, new in zip(stay, after):
        if old.haslayer('IP'):
            old['IP'].ttl -= 1
            was = old['IP'].chksum
            del old['IP'].chksum
            right = scapy.Ether(bytes(old))
            assert new['IP'].ttl == right['IP'].ttl
            if was and right['IP'].chksum != new['IP'].chksum:  # the capture's own was wrong
                assert old['IP'].src == new['IP'].src
        assert len(old) == len(new)


def test_graph_and_threads_do_what_they_say(examples):
    _, printed = examples
    graph = re.fullmatch(r'163 in, (\d+) out, (\d+) counted, none lost count of\n', printed['./graph ../captures/router.pcap'])
    assert graph and graph[1] == graph[2] != '0'
    threads = printed['./threads null:count=100000']
    assert len(re.findall(r'^thread \d: 100000 packets, 100000 of UDP, .*at the end$', threads, re.M)) == 2, threads


def test_what_does_not_start_says_why(examples):
    folder, _ = examples
    _, error = shell('./hop no-such.pcap out.pcap', folder, status=1)
    assert error == 'hop: no-such.pcap: No such file or directory\n'
    _, error = shell('./hop', folder, status=1)
    assert 'which port?' in error
    _, error = shell('./graph nul:', folder, status=1)
    assert 'did you mean "null:"?' in error


def test_loaded_as_a_plug_in_it_is_quiet(tmp_path):
    program = build(tmp_path, 'quiet', PROGRAMS / 'quiet.c', '')
    tls = 'GLIBC_TUNABLES=glibc.rtld.optional_static_tls=16384'  # DPDK's needs more than glibc has to spare
    out, error = shell(f"{tls} ./{program.name} {weir.BUILD / 'libweir.so'}", tmp_path)
    assert (out, error) == ('', '')


def test_only_weirs_names_are_seen():
    names = subprocess.run(['nm', '-D', '--defined-only', weir.BUILD / 'libweir.so'], text=True, capture_output=True,
                           check=True).stdout.split('\n')
    names = [line.split()[-1] for line in names if line and ' A ' not in line]
    assert all(re.match(r'weir_\w+@@WEIR_0\.1$', name) for name in names), names
    header = (weir.PROJECT / 'include/libweir.h').read_text()
    for call in re.findall(r'^[a-z][\w ]*[ *](weir_\w+)\(', header, re.M):
        assert f'{call}@@WEIR_0.1' in names, call


def test_the_manual_has_every_call():
    page = (weir.PROJECT / 'docs/libweir.3').read_text()
    header = (weir.PROJECT / 'include/libweir.h').read_text()
    for call in re.findall(r'^[a-z][\w ]*[ *](weir_\w+)\(', header, re.M):
        assert call in page, call


@pytest.mark.skipif(os.geteuid() != 0, reason='namespaces need root')
@pytest.mark.parametrize('driver', ['af_packet', 'af_xdp'])
def test_a_wire_between_two_networks(driver, tmp_path):
    program = build(tmp_path, 'wire', PROGRAMS / 'wire.c')
    (tmp_path / 'lab').mkdir()
    with net.Lab(tmp_path / 'lab') as lab:
        left, middle, right = (lab.namespace(name) for name in ('left', 'middle', 'right'))
        middle.sysctl(net__ipv6__conf__default__disable_ipv6=1)
        lab.cable(left, 'eth0', middle, 'a')
        lab.cable(middle, 'b', right, 'eth0')
        for host, address in ((left, '10.7.0.1/24'), (right, '10.7.0.2/24')):
            host.addresses('eth0', address)
            if driver == 'af_xdp':
                host.run('ethtool', '-K', 'eth0', 'tx', 'off', 'tso', 'off', 'gso', 'off')
        preload = environment().get('LD_PRELOAD')
        (tmp_path / 'known-leaks').write_text('leak:xsk_umem__create\n')  # libxdp's, of DPDK's driver
        settings = ['env', f'LD_PRELOAD={preload}', f"LSAN_OPTIONS=suppressions={tmp_path / 'known-leaks'}"]
        wire = middle.start(*(settings if preload else []), program, f'{driver}:a', f'{driver}:b')
        wire.wait_for('carries', 30)
        assert ' 0% packet loss' in left.run('ping', '-c', '10', '-i', '0.05', '-W', '2', '10.7.0.2', check=False), wire.output
        server = right.start('iperf3', '-s', '-1', '--forceflush')
        server.wait_for('Server listening')
        left.run('iperf3', '-c', '10.7.0.2', '-t', '2', '--connect-timeout', '2000', timeout=30)
        assert wire.stop(signal.SIGTERM) == 0, wire.output
        counts = re.findall(rf'^{driver}: received (\d+) sent (\d+)', wire.output, re.M)
        assert len(counts) == 2 and all(int(received) > 20 for received, _ in counts), wire.output
