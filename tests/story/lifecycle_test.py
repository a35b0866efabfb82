# SPDX-License-Identifier: Apache-2.0
"""Made-up connections whose segments come late, twice or never: every stream that weir tells is what was sent.

make-perf lies beside the traces; what it makes is the same on every machine. What is in a stream is found here once more,
in another way: all segments sorted by their numbers, the first copy of a byte counts.
"""
import collections
import hashlib
import json
import struct
import subprocess
import sys

import pytest

import weir

MAKE = weir.TRACES / 'make-perf'
FLOWS = 200 if not weir.IS_SANITIZED else 80
DAMAGE = {
    'none': [],
    'late': ['--reorder', '0.1'],
    'twice': ['--dup', '0.1'],
    'late and twice': ['--reorder', '0.15', '--dup', '0.1'],
    'lost': ['--hole', '0.05'],
    'all': ['--reorder', '0.1', '--dup', '0.1', '--hole', '0.05'],
    'mostly': ['--reorder', '0.35', '--dup', '0.3', '--hole', '0.3'],
}
pytestmark = pytest.mark.skipif(not MAKE.exists(), reason='no make-perf here (WEIR_TRACES)')


def make(folder, seed, damage):
    path = folder / 'lifecycle.pcap'
    done = subprocess.run([sys.executable, MAKE, 'lifecycle', path, '--flows', str(FLOWS), '--seed', str(seed), *DAMAGE[damage]],
                          check=True, capture_output=True, text=True)
    return path, json.loads(done.stdout)


def segments(path):
    """(source, destination, flags, number, payload); an end point is (address, port). Ethernet, IPv4, TCP alone."""
    data, at = path.read_bytes(), 24
    while at < len(data):
        length = struct.unpack_from('<I', data, at + 8)[0]
        frame = data[at + 16:at + 16 + length]
        total, = struct.unpack_from('>H', frame, 16)
        source, destination = ('.'.join(map(str, frame[i:i + 4])) for i in (26, 30))
        sport, dport, seq = struct.unpack_from('>HHI', frame, 34)
        yield (source, sport), (destination, dport), frame[47], seq, frame[34 + (frame[46] >> 4) * 4:14 + total]
        at += 16 + length


def sent(path):
    """(client, server, direction) -> bytes that are there, how many are missing."""
    first, parts, clients = {}, collections.defaultdict(dict), {}
    for source, destination, flags, seq, payload in segments(path):
        if flags & 2:
            first[source, destination] = seq + 1
            clients.setdefault(frozenset((source, destination)), source)
        elif payload:
            parts[source, destination].setdefault((seq - first[source, destination]) % 2**32, payload)
    streams = {}
    for (source, destination), segment in parts.items():
        whole, end, missing = b'', 0, 0
        for offset in sorted(segment):
            missing += max(offset - end, 0)
            whole += segment[offset][max(end - offset, 0):]
            end = max(end, offset + len(segment[offset]))
        is_out = clients[frozenset((source, destination))] == source
        ends = (source, destination) if is_out else (destination, source)
        streams[*ends, 'out' if is_out else 'back'] = whole, missing
    return streams


def told(path):
    code, out, err = weir.call('watch', '--buffers', weir.BUFFERS, '--json', '--hash', '-e', 'stream.closed', path)
    assert code == 0, err
    streams = {}
    for line in out.splitlines():
        event = json.loads(line)
        key = (event['ip.src'], event['srcport']), (event['ip.dst'], event['dstport']), event['stream.direction']
        assert key not in streams, f'{key} is told twice'
        streams[key] = event
    return streams


def digest_of(streams):
    """As make-perf has it: of all connections together, whatever their order."""
    digest = 0
    for client, server in {key[:2] for key in streams}:
        ends = [*client, *server]
        number = int.from_bytes(bytes(map(int, ends[0].split('.')))), ends[1], int.from_bytes(bytes(map(int, ends[2].split('.')))), ends[3]
        hashes = [bytes.fromhex(streams[client, server, direction]['stream.sha256']) for direction in ('out', 'back')]
        digest ^= int.from_bytes(hashlib.sha256(b'%d %d %d %d ' % number + b''.join(hashes)).digest())
    return f'{digest:064x}'


def events_of(path, log, fill):
    graph = f'FromDump -> Discard; FlowTracker(closed_s 2, hash true); JsonLog({log}, events "flow.* tcp.* stream.closed")'
    weir.run(graph, '-i', path, '--fill', fill)
    return sorted(log.read_text().splitlines())


def test_what_is_told_of_damage_does_not_depend_on_vectors(tmp_path):
    path, _ = make(tmp_path, 3, 'all')
    told_one_by_one = events_of(path, tmp_path / 'log', 1)
    assert sum('"tcp.gap"' in line for line in told_one_by_one) > 20
    assert events_of(path, tmp_path / 'log', 64) == told_one_by_one


@pytest.mark.parametrize('seed', [1, 2, 3] if not weir.IS_SANITIZED else [1])
@pytest.mark.parametrize('damage', DAMAGE)
def test_streams_are_what_was_sent(damage, seed, tmp_path):
    path, truth = make(tmp_path, seed, damage)
    streams, expected = told(path), sent(path)
    assert {key for key, event in streams.items() if event['stream.bytes']} == set(expected)
    wrong = [key for key, (whole, missing) in expected.items()
             if (streams[key]['stream.bytes'], streams[key]['stream.sha256']) != (len(whole), hashlib.sha256(whole).hexdigest())]
    assert not wrong, f'{len(wrong)} of {len(expected)}: {wrong[0]}, {streams[wrong[0]]}, {len(expected[wrong[0]][0])}'
    if 'streams_digest' in truth:
        assert digest_of(streams) == truth['streams_digest']
        assert all(event['stream.gap_bytes'] == 0 for event in streams.values())
    for key, (_, missing) in expected.items():  # what is missing at a stream's end is known by its FIN
        assert streams[key]['stream.gap_bytes'] >= missing
