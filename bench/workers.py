#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a second worker brings: packets per second with two workers over those with one, as the median of interleaved pairs.

Each worker has a source of its own, as with a card that has a queue for each; half of what it receives is of flows that
are the other one's, and is handed over. A pair counts only if the machine was ours meanwhile: what other processes and the
host took of its cores is looked up before and after. Too few such pairs, and it says "not measured" and why.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess

PROJECT = pathlib.Path(__file__).resolve().parents[1]
SOURCE = 'null:flows=16384,size=64,buffers=8192'
TICK = os.sysconf('SC_CLK_TCK')
GRAPHS = {
    'source': 'FromDump -> Discard;',
    'router, 1 route': 'FromDump -> CheckIPHeader -> DecIPTTL -> LookupIPRoute(0.0.0.0/0 10.255.0.1 0)'
                       ' -> EtherRewrite(02:00:00:00:00:02, 02:00:00:00:01:01) -> ToDump;',
    '9 x Counter': 'FromDump' + ' -> Counter' * 9 + ' -> Discard;',
}


def busy_seconds():
    """Of all cores since the start: by processes, and taken by the host."""
    fields = list(map(int, pathlib.Path('/proc/stat').read_text().split('\n', 1)[0].split()[1:9]))
    user, nice, system, _, _, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq) / TICK, steal / TICK


def own_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
    return sum(one.ru_utime + one.ru_stime for one in used)


class Taken:
    """The share of the cores' time that others had, while it lasted."""
    def __enter__(self):
        self.busy, self.steal = busy_seconds()
        self.own, self.from_s = own_seconds(), os.times().elapsed
        return self

    def __exit__(self, *_):
        busy, steal = busy_seconds()
        whole = (os.times().elapsed - self.from_s) * os.cpu_count()
        self.by_others = max(0, busy - self.busy - (own_seconds() - self.own)) / whole
        self.by_host = (steal - self.steal) / whole


def packets_per_second(weir, graph, workers, seconds):
    command = [weir, 'run', '--json', '--busy-poll', '--duration', str(seconds), '--buffers', '32768', '-w', str(workers),
               '-i', SOURCE, '-e', graph, *(['-o', 'null:'] if 'ToDump' in graph else [])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f'{graph}\n{done.stderr}')
    summary = json.loads(done.stdout[done.stdout.index('{\n'):])
    assert summary['conserved'], summary
    return (summary['received'] - summary['dropped']) / summary['seconds']  # a full ring between workers drops


def measure(weir, graph, options):
    ratios, refused = [], []
    while len(ratios) < options.pairs and len(ratios) + len(refused) < options.attempts:
        with Taken() as taken:
            one = packets_per_second(weir, graph, 1, options.seconds)
            two = packets_per_second(weir, graph, 2, options.seconds)
        if taken.by_others + taken.by_host > options.most_taken:
            refused.append((taken.by_others, taken.by_host))
        else:
            ratios.append((two / one, one, two))
    return ratios, refused


def tell(name, ratios, refused, options):
    if len(ratios) < options.pairs:
        others, host = (statistics.median(column) * 100 for column in zip(*refused))
        print(f'  {name:<20} not measured: in {len(refused)} of {len(ratios) + len(refused)} pairs others took {others:.0f} % of the '
              f'cores and the host {host:.0f} % (at most {options.most_taken * 100:.0f} % is borne with)', flush=True)
        return
    column = [statistics.median(values) for values in zip(*ratios)]
    least, most = min(ratios)[0], max(ratios)[0]
    print(f'  {name:<20} {column[0]:5.2f} ({least:.2f} to {most:.2f}); {column[1] / 1e6:.2f} and {column[2] / 1e6:.2f} million '
          'packets a second', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--weir', default=os.environ.get('WEIR', str(PROJECT / 'build-release/weir')))
    parser.add_argument('--pairs', type=int, default=9)
    parser.add_argument('--attempts', type=int, default=15, help='pairs at most, with those that others disturbed')
    parser.add_argument('--seconds', type=float, default=1)
    parser.add_argument('--most-taken', type=float, default=0.04, help='share of the cores that others may have')
    parser.add_argument('--only', default='')
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        print('two workers: not measured: there is one core')
        return
    print(f'two workers over one: ratio of packets per second, median of {options.pairs} interleaved pairs (least to most)')
    for name, graph in GRAPHS.items():
        if options.only in name:
            tell(name, *measure(options.weir, graph, options), options)


if __name__ == '__main__':
    main()
