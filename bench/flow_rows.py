# SPDX-License-Identifier: Apache-2.0
"""What is measured of flows: connections of traffic.c, random for each packet, and sessions of sessions.py. Each row is held
against the same traffic that nobody tracks. Every flow's time is up after a second without a packet, so that ageing has work."""
import json
import random
import subprocess

import instructions
import sessions
from rows import Row, write_capture

COUNTED = 64 * 2000  # packets: enough that those with which 1,000 flows begin do not matter
TRACKER = 'FlowTracker(max_flows 1100k, half_open_s 1, open_s 1, closing_s 1, closed_s 1)'
LIFE = 20
SIZES = {(1000, 50): 0.1, (100000, 75): 0.5, (1000000, 105): 2.5}  # flows, aim: seconds until all are there
SESSIONS = {'http': sessions.http, 'tls': sessions.tls}


def name_of(flows, rest=''):
    return f'{flows:,} flows{rest}'


def pair(flows, warm, graph, name, **row):
    """The row, and the traffic alone."""
    settings, rest = row.pop('settings', ''), row.pop('rest', '')
    common = {'warm': warm, 'packets': COUNTED if flows == 1000 else 0, 'frames': row.pop('frames', 'tcp64')}
    traffic = f'FromDump -> Traffic(flows {flows}{settings})'
    alone = f'traffic of {name_of(flows, rest)}'
    yield Row(alone, f'{traffic} -> Discard;', over='', is_gate=row.get('is_gate', False), **common)
    yield Row(f'{name}, {name_of(flows, rest)}', f'{traffic} -> {graph} -> Discard;', alone, **row, **common)


def packets():
    """From the packet to its flow: decoding, look-up, life-cycle, counters, ageing."""
    for (flows, aim), warm in SIZES.items():
        is_gate = flows == 1000
        yield from pair(flows, warm, TRACKER, 'tracked', aim=aim, is_gate=is_gate)
        yield from pair(flows, warm, TRACKER, 'tracked', aim=aim, settings=f', life {LIFE}', rest=f' of {LIFE} packets')
        yield from pair(flows, warm, TRACKER, 'tracked', aim=aim, settings=', ipv6 true', rest=', IPv6', frames='tcp80')


def facts():
    for flows, warm in ((1000, 0.1), (100000, 0.5)):
        yield from pair(flows, warm, f'{TRACKER} -> HearTcp', 'all TCP events', aim=100, settings=f', life {LIFE}',
                        rest=f' of {LIFE} packets')
        yield from pair(flows, warm, f'{TRACKER} -> ReadStreams', 'every byte read', aim=400, rest=', 734 bytes', frames='tcp734')


def talks(folder):
    for kind in SESSIONS:
        path = folder / f'{kind}.pcap'
        count, bits = (int(text) for text in (folder / f'{kind}.size').read_text().split())
        common = {'frames': path.stem, 'warm': 0.3, 'packets': 2 * count}
        yield Row(f'traffic of {kind.upper()}', f'FromDump -> Renew(frames {count}) -> Discard;', over='', **common)
        yield Row(f'{kind.upper()} sessions', f'FromDump -> Renew(frames {count}) -> Hear{kind.title()} -> Discard; {TRACKER};',
                  f'traffic of {kind.upper()}', bits=bits / count, **common)


def rows(folder):
    """Each once, though several are held against the same traffic."""
    return list({row.name: row for row in [*packets(), *facts(), *talks(folder)]}.values())


def prepare(folder):
    for size in (64, 80, 734):
        write_capture(folder / f'tcp{size}.pcap', [bytes(size)] * 64)  # traffic.c writes over them
    for kind, make in SESSIONS.items():
        frames = list(sessions.frames(make, random.Random(3)))
        write_capture(folder / f'{kind}.pcap', frames)
        (folder / f'{kind}.size').write_text(f'{len(frames)} {8 * sum(map(len, frames))}')


# ---- checking

def counters(weir, folder, frames, count, graph):
    done = subprocess.run([weir, 'run', '--json', '--buffers', '4096', '-i', f'null:frames={folder}/{frames}.pcap,count={count}',
                           '-e', graph], capture_output=True, text=True, check=True, env=instructions.environment(folder, weir))
    summary = json.loads(done.stdout[done.stdout.index('{\n'):])
    assert summary['conserved'], summary
    return {name: element['counters'] for name, element in summary['elements'].items()}


def check(weir, folder):
    """What is made up is told as it is: each connection, each byte, each message, and nothing else."""
    for settings, frames in (('', 'tcp64'), (', ipv6 true', 'tcp80'), ('', 'tcp734')):
        graph = f'FromDump -> made :: Traffic(flows 1000, life {LIFE}{settings}) -> heard :: HearTcp -> read :: ReadStreams -> Discard;'
        found = counters(weir, folder, frames, 100000, f'{graph} {TRACKER};')
        made, heard = found['made'], found['heard']
        assert made['ended'] <= heard['closed'] <= heard['established'] <= made['begun'] <= made['ended'] + 1000, found
        assert not heard['strange'] and found['read']['bytes'] == made['bytes'] > 0, found
    for kind, messages in (('http', 2 * sessions.REQUESTS), ('tls', 2)):
        count = int((folder / f'{kind}.size').read_text().split()[0])
        graph = f'FromDump -> Renew(frames {count}) -> heard :: Hear{kind.title()} -> all :: HearTcp -> Discard; {TRACKER};'
        found = counters(weir, folder, kind, 2 * count, graph)
        assert found['heard']['heard'] == 2 * messages * sessions.CONNECTIONS, found
        assert found['all']['closed'] == 2 * sessions.CONNECTIONS and not found['all']['strange'], found
    print('every made-up connection, byte of a stream, HTTP message and TLS hello is told once, and nothing else')
