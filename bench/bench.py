#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the packet path: cycles per packet, one pinned worker, 64-byte packets over 16,384 buffers in shuffled order.

First the router's graph runs from a capture to a capture, and every packet that it writes is compared with a router of a few
lines in rows.py: TTL, checksum, MAC addresses, next hop. Made-up connections and sessions must be told as they are
(flow_rows.py). A figure counts only behind that. Then `weir bench` measures all graphs, interleaved; pointer_vectors.c does the
same work with arrays of pointers; callgrind counts instructions; DPDK's testpmd forwards beside Weir between the same null
devices. What is printed is the median, over what the row is measured against, and the aim.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import flow_rows  # noqa: E402
import instructions  # noqa: E402
import rows as what  # noqa: E402

FILLS = (64, 16, 4, 1)
DEVICE = 'net_null{},size=64'
TESTPMD_S = 20  # at most


def note(text):
    print(f'{time.strftime("%H:%M:%S")} {text}; load {os.getloadavg()[0]:.1f}', file=sys.stderr, flush=True)


# ---- Weir and the probe

def measure_weir(options, folder, fill, rows, rounds):
    """Cycles per packet by name, a list of rounds; rows of other frames come in calls of their own. And those of a second."""
    found, hertz = {}, 0
    for frames, warm in dict.fromkeys((row.frames, row.warm) for row in rows):
        chosen = [row for row in rows if (row.frames, row.warm) == (frames, warm)]
        command = [options.weir, 'bench', '--json', '--core', options.core, '--fill', fill, '--rounds', rounds,
                   '--seconds', options.seconds, '--warm', warm, '--circle', what.BUFFERS, '--frames', folder / f'{frames}.pcap']
        command += [word for row in chosen for word in ('-e', row.graph)]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              env=instructions.environment(folder, options.weir))
        if done.returncode:
            raise SystemExit(done.stderr)
        told = json.loads(done.stdout)
        hertz = told['hertz']
        for row, figures in zip(chosen, told['graphs'][1:]):
            found[row.name] = figures['cycles']
    return found, hertz


def measure_pointers(options, probe, fill, rows, rounds):
    found = {row.name: [] for row in rows if row.pointers is not None}
    for _ in range(rounds):
        for row in rows:
            if row.pointers is not None:
                done = subprocess.run(['taskset', '-c', str(options.core), probe, str(fill), str(options.seconds), row.pointers],
                                      capture_output=True, text=True, check=True)
                found[row.name].append(float(done.stdout))
    return found


def beyond(row, medians):
    """What the row costs beyond what it is measured against; None: that was not measured."""
    if not row.over or row.over not in medians or row.name not in medians:
        return None
    return (medians[row.name] - medians[row.over]) / row.per


# ---- testpmd

def packets_of_testpmd(options, seconds):
    """Packets a second between two null devices, as DPDK's own forwarder does it."""
    other = 1 - options.core if options.core < 2 else 0
    command = ['dpdk-testpmd', '-l', f'{other},{options.core}', '--no-huge', '-m', '256', '--no-pci', '--no-telemetry',
               '--file-prefix', f'bench{os.getpid()}', '--vdev', DEVICE.format(0), '--vdev', DEVICE.format(1), '--',
               '--forward-mode=io', '--auto-start', '--stats-period=1', '--total-num-mbufs=32768', '--no-mlockall']
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines, patience = [], threading.Timer(TESTPMD_S, process.kill)
    patience.start()
    for line in process.stdout:
        lines.append(line)
        if sum('Rx-pps' in line for line in lines) >= 2 * (seconds + 2):  # two devices; the first reading is none
            break
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    process.communicate()
    patience.cancel()
    rates = [int(rate) for rate in re.findall(r'Rx-pps:\s+(\d+)', ''.join(lines)) if int(rate)]
    return 2 * statistics.median(rates) if rates else None  # each device's readings, and there are two


def packets_of_weir(options, seconds):
    """The same through Weir's whole loop: two ports, each to the other."""
    graph = 'a :: Port; b :: Port; a -> b; b -> a;'
    done = subprocess.run(['taskset', '-c', str(options.core), options.weir, 'run', '--json', '--busy-poll', '--duration',
                           str(seconds), '--buffers', '32768', '-i', f'a=vdev:{DEVICE.format(0)}',
                           '-i', f'b=vdev:{DEVICE.format(1)}', '-e', graph], capture_output=True, text=True)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return None
    summary = json.loads(done.stdout[done.stdout.index('{\n'):])
    return summary['received'] / summary['seconds']


def compare_testpmd(options):
    if not shutil.which('dpdk-testpmd'):
        print('\ndpdk-testpmd is not installed (Debian: dpdk-dev): not compared')
        return
    if (os.cpu_count() or 1) < 2:
        print('\ndpdk-testpmd wants two processors: not compared')
        return
    theirs, ours = [], []
    for _ in range(min(3, options.rounds)):
        theirs.append(packets_of_testpmd(options, 2))
        ours.append(packets_of_weir(options, 2))
    if None in theirs or None in ours:
        print('\ndpdk-testpmd beside weir: one of them did not forward here: not compared')
        return
    theirs, ours = statistics.median(theirs), statistics.median(ours)
    print(f'\nBetween two net_null devices, million packets a second: dpdk-testpmd (io) {theirs / 1e6:.1f}, '
          f'weir {ours / 1e6:.1f}: ratio {ours / theirs:.2f}')


# ---- the table

def number(value, width, form='.1f'):
    return f'{value:{width}{form}}' if value is not None else ' ' * width


def print_rows(rows, weir, pointers, counted):
    medians = {name: statistics.median(values) for name, values in weir.items()}
    probes = {name: statistics.median(values) for name, values in pointers.items()}
    print(f'{"":<44} {"median":>7} {"least":>7} {"over":>7} {"aim":>5} {"/ aim":>6} {"pointers":>9} {"instructions":>13}')
    for row in rows:
        over = beyond(row, medians)
        ratio = over / row.aim if over is not None and row.aim else None
        probe = beyond(row, probes) if row.over else probes.get(row.name)
        instr = beyond(row, counted) if row.over else counted.get(row.name)
        print(f'{row.name:<44} {medians[row.name]:7.1f} {min(weir[row.name]):7.1f} {number(over, 7)} {number(row.aim, 5, "g")} '
              f'{number(ratio, 6, ".2f")} {number(probe, 9)} {number(instr, 13)}')


def print_rates(rows, weir, hertz):
    """What a core could do if packets came to it for nothing."""
    medians = {name: statistics.median(values) for name, values in weir.items()}
    for row in rows:
        over = beyond(row, medians)
        if row.bits and over:
            print(f'{row.name}: {row.bits * hertz / over / 1e9:.1f} Gbit/s over the source, packets of {row.bits / 8:.0f} bytes')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--weir', default=os.environ.get('WEIR', str(what.PROJECT / 'build-release/weir')))
    parser.add_argument('--rounds', type=int, default=5, help='of all rows with vectors of 64; others have 3')
    parser.add_argument('--seconds', type=float, default=0.3, help='of a measurement')
    parser.add_argument('--core', type=int, default=1 if (os.cpu_count() or 1) > 1 else 0)
    parser.add_argument('--only', default='', help='rows whose name contains this, and the source')
    parser.add_argument('--fills', default=','.join(map(str, FILLS)), help='packets of a vector')
    parser.add_argument('--no-instructions', action='store_true', help='do not count them')
    parser.add_argument('--no-testpmd', action='store_true', help='do not compare with it')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        table, frames = what.prepare(folder)
        probe = what.build(folder)
        what.check_router(options.weir, folder, table, frames)
        flow_rows.prepare(folder)
        flow_rows.check(options.weir, folder)
        every = what.rows(folder) + flow_rows.rows(folder)
        rows = [row for row in every if options.only in row.name]
        rows += [row for row in every if row not in rows and row.name in {other.over for other in rows} | {'source'}]
        counted = {}
        if not options.no_instructions and shutil.which('valgrind'):
            note('counting instructions')
            counted = instructions.count_all(options.weir, rows, folder)
        print(f'\nCycles per packet of one worker; load of the machine {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors')
        for fill in map(int, options.fills.split(',')):
            chosen = [row for row in rows if fill == 64 or row.all_fills]
            chosen += [row for row in rows if row not in chosen and row.name in {other.over for other in chosen}]
            rounds = options.rounds if fill == 64 else min(3, options.rounds)
            note(f'vectors of {fill}')
            weir, hertz = measure_weir(options, folder, fill, chosen, rounds)
            pointers = measure_pointers(options, probe, fill, chosen, rounds)
            print(f'\n--- vectors of {fill}, {rounds} rounds')
            print_rows(chosen, weir, pointers, counted if fill == 64 else {})
            print_rates(chosen, weir, hertz)
        if not options.no_testpmd:
            compare_testpmd(options)


if __name__ == '__main__':
    main()
