# SPDX-License-Identifier: Apache-2.0
"""StreamDump writes what stream.closed tells the hash of, a file for each; whatever names, numbers and disks there are."""
import hashlib
import json
import os
import re
import struct

import pytest

import weir

HTTP = weir.CAPTURES / 'http.pcap'
NAME = r'[0-9a-f.:]+\.\d+-[0-9a-f.:]+\.\d+-\d+\.\d{9}-(out|back)'
TRACES = ['http-web-browsing', 'tcp-reassembly-cases', 'smb3-multichannel-jumbo', 'ip-frag-mixed', 'ipv6-four-http',
          'tcp-reassembly-conflict', 'bad-tcpdump-crashers-ethernet']


def dump(folder, capture, *arguments, extra='', where=''):
    """The files, what was told of the streams, and what it counted."""
    log = folder / 'log'
    graph = f'FromDump -> Discard; FlowTracker(hash true); d :: StreamDump({folder / "streams"}{where});' \
            f'JsonLog({log}, events "stream.closed"); {extra}'
    summary = weir.run(graph, '-i', capture, *arguments)
    files = {path.name: path.read_bytes() for path in (folder / 'streams').iterdir()}
    told = [json.loads(line) for line in log.read_text().splitlines()]
    return files, [stream for stream in told if stream['stream.bytes']], summary['elements']['d']['counters']


def start_of(stream):
    source, target = stream.get('ip.src') or stream['ipv6.src'], stream.get('ip.dst') or stream['ipv6.dst']
    return f'{source}.{stream["srcport"]}-{target}.{stream["dstport"]}-'


@pytest.mark.parametrize('workers', [1, 2])
@pytest.mark.parametrize('capture', [HTTP, *(weir.TRACES / f'{name}.pcap' for name in TRACES)], ids=lambda path: path.stem)
def test_files_are_what_is_told(capture, workers, tmp_path):
    if not capture.exists():
        pytest.skip('no traces here (WEIR_TRACES)')
    files, told, counted = dump(tmp_path, capture, '-w', workers)
    assert all(re.fullmatch(NAME, name) for name in files)
    assert sorted(hashlib.sha256(data).hexdigest() for data in files.values()) == sorted(one['stream.sha256'] for one in told)
    for stream in told:
        names = [name for name in files if name.startswith(start_of(stream)) and name.endswith(stream['stream.direction'])]
        assert stream['stream.sha256'] in {hashlib.sha256(files[name]).hexdigest() for name in names}
    assert counted == {'streams': len(files), 'bytes': sum(map(len, files.values())), 'errors': 0, 'lost': 0}


def syns_and_data(count, size):
    """Connections side by side: each says something, then each goes on."""
    def segment(i, flags, seq, data=b''):
        tcp = struct.pack('>HHIIBBHHH', 1024 + i % 60000, 80, seq, 1, 0x50, flags, 65535, 0, 0) + data
        ip = struct.pack('>BBHHHBBHII', 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, 0x0a000000 + i, 0x0a090001)
        return bytes(12) + b'\x08\x00' + ip + tcp
    for i in range(count):
        yield segment(i, 2, 0)
    for turn in range(3):
        for i in range(count):
            yield segment(i, 0x18, 1 + turn * size, bytes([turn + 65]) * size)


def write(path, frames):
    with open(path, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for i, frame in enumerate(frames):
            file.write(struct.pack('<IIII', 1700000000 + i // 1000000, i % 1000000, len(frame), len(frame)) + frame)


def test_more_streams_than_files_are_open(tmp_path):
    write(tmp_path / 'many.pcap', syns_and_data(2000, 100))
    files, told, counted = dump(tmp_path, tmp_path / 'many.pcap')
    assert len(files) == 2000 and set(files.values()) == {b'A' * 100 + b'B' * 100 + b'C' * 100}
    assert counted['errors'] == counted['lost'] == 0


def test_no_more_files_than_it_may_make(tmp_path):
    write(tmp_path / 'many.pcap', syns_and_data(50, 10))
    files, told, counted = dump(tmp_path, tmp_path / 'many.pcap', where=', most_files 20')
    assert len(files) == counted['streams'] == 20 and counted['errors'] == 30 * 3
    assert set(files.values()) == {b'A' * 10 + b'B' * 10 + b'C' * 10}


def test_segments_longer_than_a_record(tmp_path):
    write(tmp_path / 'long.pcap', syns_and_data(3, 9000))
    files, _, _ = dump(tmp_path, tmp_path / 'long.pcap')
    assert set(files.values()) == {b'A' * 9000 + b'B' * 9000 + b'C' * 9000}


def test_only_what_fits(tmp_path):
    files, told, _ = dump(tmp_path, HTTP, where=', where "stream.direction == \\"back\\" && ipv6"')
    assert len(files) == 1 and next(iter(files)).endswith('-back')


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    dump(tmp_path, HTTP)
    graph = f'FromDump -> Discard; StreamDump({tmp_path / "streams"})'
    code, _, err = weir.call('run', '--buffers', weir.BUFFERS, '-e', graph, '-i', HTTP)
    assert code == 1 and 'not empty' in err and 'name a folder' in err


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / 'file').write_text('')
    for path in (tmp_path / 'file', tmp_path / 'no' / 'folder'):
        code, _, err = weir.call('run', '--buffers', weir.BUFFERS, '-e', f'FromDump -> Discard; StreamDump({path})', '-i', HTTP)
        assert code == 1 and str(path) in err, err


def test_a_full_disk_is_an_error_that_is_counted(tmp_path):
    """Where root may mount one; else quietly left out."""
    place = tmp_path / 'small'
    place.mkdir()
    if os.geteuid() or os.system(f'mount -t tmpfs -o size=64k none {place} 2>/dev/null'):
        pytest.skip('no small disk can be had here')
    try:
        summary = weir.run(f'FromDump -> Discard; d :: StreamDump({place / "streams"})', '-i', HTTP)
    finally:
        os.system(f'umount {place}')
    counted = summary['elements']['d']['counters']
    assert counted['errors'] > 0 and counted['bytes'] <= 65536
