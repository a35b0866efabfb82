#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions per packet of the packet path, by callgrind: the same for the same work, whatever else the machine does.

    bench/instructions.py                  compares build/ with bench/instructions.json: what grew by more than 3 % fails
    bench/instructions.py --record         records what build/ takes now
What is counted is worker_pass, the run of a whole graph over a vector, without what debug builds check.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import flow_rows  # noqa: E402
import rows as what  # noqa: E402

RECORD = what.PROJECT / 'bench/instructions.json'
MARGIN = 1.03
SKIPPED = 77
CHECKS = ('checks_before', 'checks_after', 'checks_behind')  # entering one ends counting, leaving it begins again


def environment(folder, weir):
    return {**os.environ, 'WEIR_MODULES': f'{folder}:{pathlib.Path(weir).resolve().parent / "modules"}'}


def count(weir, row, folder):
    command = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null',
               *(f'--toggle-collect={name}' for name in ('worker_pass', *CHECKS)),
               weir, 'run', '--quiet', '--buffers', '4096', '--seed', '1',
               '-i', f'null:frames={folder}/{row.frames}.pcap,count={row.packets}', '-e', row.graph]
    if 'ToDump' in row.graph:
        command += ['-o', 'null:']
    done = subprocess.run(command, capture_output=True, text=True, env=environment(folder, weir))
    found = re.search(r'Collected : (\d+)', done.stderr)
    if done.returncode or not found:
        raise SystemExit(f'{row.name}: {done.stderr}')
    return int(found[1]) / row.packets


def count_all(weir, chosen, folder):
    chosen = [row for row in chosen if row.packets]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip((row.name for row in chosen), pool.map(lambda row: count(weir, row, folder), chosen)))


def compiler():
    """What the figures depend on."""
    text = subprocess.run(['cc', '--version'], capture_output=True, text=True).stdout.split('\n')[0]
    libc = os.confstr('CS_GNU_LIBC_VERSION')
    return f'{text}; {libc}'


def compare(counted, recorded):
    """Names of what grew by more than the margin."""
    grown = []
    for name, figure in counted.items():
        before = recorded.get(name)
        says = '' if before is None else f'{before:9.1f} {figure / before - 1:+7.1%}'
        if before is None or figure > before * MARGIN + 0.5:
            grown.append(name)
            says += '   <-- ' + ('not recorded' if before is None else 'too many')
        print(f'{name:<36} {figure:9.1f} {says}', flush=True)
    return grown


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--weir', default=str(what.PROJECT / 'build/weir'))
    parser.add_argument('--record', action='store_true', help='write what is counted to bench/instructions.json')
    parser.add_argument('--only', default='', help='rows whose name contains this')
    options = parser.parse_args()
    if not shutil.which('valgrind'):
        print('valgrind is not installed: instructions are not counted')
        return SKIPPED
    recorded = json.loads(RECORD.read_text()) if RECORD.exists() else {'compiler': '', 'instructions': {}}
    if not options.record and recorded['compiler'] != compiler():
        print(f'recorded for another compiler or libc ({recorded["compiler"]}); here: {compiler()}')
        return SKIPPED
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        what.prepare(folder)
        flow_rows.prepare(folder)
        what.build(folder)
        chosen = [row for row in what.rows(folder) + flow_rows.rows(folder) if row.is_gate and options.only in row.name]
        counted = count_all(options.weir, chosen, folder)
    if options.record:
        figures = {name: round(figure, 1) for name, figure in counted.items()}
        RECORD.write_text(json.dumps({'compiler': compiler(), 'instructions': figures}, indent=1) + '\n')
        print(RECORD.read_text())
        return 0
    grown = compare(counted, recorded['instructions'])
    if grown:
        print(f'\nmore than {MARGIN - 1:.0%} above what bench/instructions.json says; if that is meant: '
              'bench/instructions.py --record, and the reason in the commit')
    return 1 if grown else 0


if __name__ == '__main__':
    sys.exit(main())
