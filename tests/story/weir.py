# SPDX-License-Identifier: Apache-2.0
"""Runs weir as a user does, and builds modules as their authors do."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

PROJECT = pathlib.Path(os.environ.get('WEIR_SOURCE', pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get('WEIR_BUILD', PROJECT / 'build'))
WEIR = os.environ.get('WEIR', str(BUILD / 'weir'))
CAPTURES = PROJECT / 'examples/captures'
TRACES = pathlib.Path(os.environ.get('WEIR_TRACES', PROJECT / '../shared/traces'))
SECONDS = 100
BUFFERS = '8192'  # few, so that weir starts soon
IS_SANITIZED = 'asan' in BUILD.name
CFLAGS = ['-std=gnu2x', '-O2', '-g', '-Wall', '-Wextra', '-Werror', '-fPIC', '-shared', '-fvisibility=hidden', '-nostartfiles',
          f'-I{PROJECT / "include"}']


def call(*arguments, env=None, **options):
    """Exit code, standard output and standard error."""
    done = subprocess.run([WEIR, *map(str, arguments)], capture_output=True, text=True, timeout=SECONDS,
                          env={**os.environ, **(env or {})}, **options)
    return done.returncode, done.stdout, done.stderr


def run(graph, *arguments, env=None):
    """The summary of a run; it must end well and lose count of nothing. `graph` is a path or text."""
    where = ['-e', graph] if isinstance(graph, str) else [graph]
    code, out, err = call('run', '--json', '--buffers', BUFFERS, *arguments, *where, env=env)
    assert code == 0, err
    summary = json.loads(out[out.index('{\n'):])
    assert summary['conserved'], out
    summary['stderr'] = err
    return summary


def build_module(folder, source, name=None):
    """A module's shared object, from a C file or text."""
    text = source if '\n' in str(source) else pathlib.Path(source).read_text()
    name = name or 'module'
    code, library = folder / f'{name}.c', folder / f'{name}.so'
    code.write_text(text)
    subprocess.run(['gcc', *CFLAGS, '-o', library, code], check=True)
    return library


def modules(folder):
    """The environment in which modules of a folder are found besides the project's own."""
    return {'WEIR_MODULES': f'{folder}:{BUILD / "modules"}'}


class Running:
    """weir run in the background."""
    def __init__(self, *arguments, env=None):
        self.errors, self.told = tempfile.TemporaryFile(), 0
        self.process = subprocess.Popen([WEIR, 'run', '--json', '--buffers', BUFFERS, *map(str, arguments)], text=True,
                                        stdout=subprocess.PIPE, stderr=self.errors, env={**os.environ, **(env or {})})

    def signal(self, number):
        self.process.send_signal(number)

    def log(self, begin=0):
        """What it has written to standard error, from a byte on."""
        return os.pread(self.errors.fileno(), 1 << 26, begin).decode(errors='replace')

    def wait_for(self, text):
        """Until it says so; the next call looks only at what comes after."""
        end = time.monotonic() + SECONDS
        while text not in self.log(self.told):
            assert self.process.poll() is None and time.monotonic() < end, self.log()
            time.sleep(0.001)
        self.told += self.log(self.told).index(text) + len(text)

    def kilobytes(self):
        """Of memory that are its own: what it has in use."""
        status = pathlib.Path(f'/proc/{self.process.pid}/status').read_text()
        return int(re.search(r'RssAnon:\s*(\d+)', status)[1])

    def stop(self):
        """The summary, after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0, self.log()
        summary = json.loads(out[out.index('{\n'):])
        summary['stderr'] = self.log()
        return summary

    def __enter__(self):
        time.sleep(1.5 if not IS_SANITIZED else 4)  # the platform's start
        assert self.process.poll() is None, self.log()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.errors.close()
