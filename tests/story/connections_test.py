# SPDX-License-Identifier: Apache-2.0
"""What handlers may do to a connection: read again what is held, stop a side, reset both ends."""
import pytest
import scapy.all as scapy

import weir

SIZE = 1400
ENDS = {4: (scapy.IP, '10.0.0.1', '10.0.0.2'), 6: (scapy.IPv6, '2001:db8::1', '2001:db8::2')}
CLIENT_MAC, SERVER_MAC = '02:00:00:00:00:01', '02:00:00:00:00:02'


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp('modules')
    weir.build_module(folder, weir.PROJECT / 'tests/story/modules/connections.c', 'connections')
    return weir.modules(folder)


def segment(flags, seq, ack, data=b'', back=False, version=4, link=None):
    network, client, server = ENDS[version]
    link = link or scapy.Ether(src=SERVER_MAC if back else CLIENT_MAC, dst=CLIENT_MAC if back else SERVER_MAC)
    return link / network(src=server if back else client, dst=client if back else server) / \
        scapy.TCP(sport=80 if back else 1024, dport=1024 if back else 80, flags=flags, seq=seq, ack=ack, window=60000) / data


def opening(**more):
    return [segment('S', 1000, 0, **more), segment('SA', 5000, 1001, back=True, **more), segment('A', 1001, 5001, **more)]


def numbered(offset):
    return bytes((offset + i) // 7 % 256 for i in range(SIZE))


def out(i, **more):
    return segment('A', 1001 + i * SIZE, 5001, numbered(i * SIZE), **more)


def back(i, **more):
    return segment('A', 5001 + i * SIZE, 1001, numbered(i * SIZE), back=True, **more)


def counters(frames, graph, name, tmp_path, library, *arguments):
    path = tmp_path / 'frames.pcap'
    scapy.wrpcap(str(path), frames)
    return weir.run(graph, '-i', path, *arguments, env=library)['elements'][name]['counters']


def test_what_was_told_can_be_read_again(library, tmp_path):
    frames = opening() + [out(0), back(0), out(1), out(2), out(3), back(1), out(4)]
    read = counters(frames, 'FromDump -> r :: Reader -> Discard', 'r', tmp_path, library, '--fill', 1)
    held = sum(min(4096, SIZE * (i + 1)) for i in range(5)) + SIZE + 2 * SIZE
    assert read == {'same': held, 'other': 0, 'waiting': 0, 'held': held}
    whole = counters(frames, 'FromDump -> r :: Reader -> Discard', 'r', tmp_path, library)
    assert whole['held'] == whole['same'] > held and whole['other'] == 0, 'what came later in the vector is there, too'


def test_what_waits_can_be_read_as_soon_as_it_follows(library, tmp_path):
    """3 waits for 2: while 1 is told it does not follow, while 2 is told it does."""
    frames = opening() + [out(0), out(3), out(1), out(2)]
    read = counters(frames, 'FromDump -> r :: Reader -> Discard', 'r', tmp_path, library, '--fill', 1)
    told = SIZE + 2 * SIZE + min(4096, 3 * SIZE) + 4096
    assert read == {'same': told + SIZE, 'other': 0, 'waiting': SIZE, 'held': told + SIZE}


@pytest.mark.parametrize('side, heard', [('back', (4, 1, 1, 0)), ('out', (1, 4, 0, 1)), ('both', (1, 1, 0, 0)), ('other', (4, 0, 1, 0))])
@pytest.mark.parametrize('fill', [1, 64])
def test_a_side_that_is_stopped_is_not_heard(side, heard, fill, library, tmp_path):
    frames = opening() + [frame for i in range(4) for frame in (out(i), back(i))]
    stopped = counters(frames, f'FromDump -> s :: Stopper({side}) -> o :: Stopper(none) -> Discard', 's', tmp_path, library, '--fill', fill)
    assert tuple(stopped.values()) == heard
    other = counters(frames, f'FromDump -> s :: Stopper({side}) -> o :: Stopper(none) -> Discard', 'o', tmp_path, library, '--fill', fill)
    assert tuple(other.values()) == (4, 4, 1, 1), 'it is the other one that had enough'


def reset(frames, tmp_path, library, graph='FromDump -> r :: Resetter'):
    path, to_server, to_client = (tmp_path / name for name in ('frames.pcap', 'forward.pcap', 'back.pcap'))
    scapy.wrpcap(str(path), frames)
    summary = weir.run(f'{graph}; r[forward] -> ToDump({to_server}); r[back] -> ToDump({to_client})', '-i', path, env=library)
    return summary, list(scapy.rdpcap(str(to_server))), list(scapy.rdpcap(str(to_client)))


def assert_checked(frame):
    again = frame.__class__(bytes(frame))
    del again[scapy.TCP].chksum
    if scapy.IP in again:
        del again[scapy.IP].chksum
    assert bytes(frame.__class__(bytes(again))) == bytes(frame), 'a checksum is wrong'


@pytest.mark.parametrize('link', [None, scapy.Dot1Q(vlan=7), scapy.Dot1Q(vlan=7) / scapy.Dot1Q(vlan=8)], ids=['plain', 'tag', 'tags'])
@pytest.mark.parametrize('version', [4, 6])
@pytest.mark.parametrize('by', ['client', 'server'])
def test_both_ends_get_the_number_that_they_expect(by, version, link, library, tmp_path):
    def tagged(frame):
        return frame if link is None else scapy.Ether(src=frame.src, dst=frame.dst) / link.copy() / frame.payload
    said = segment('PA', 1001, 5001, b'the secret', version=version) if by == 'client' else \
        segment('PA', 5001, 1001, b'the secret', back=True, version=version)
    behind = segment('A', 1011, 5001, b'more', version=version)
    summary, forward, back_ = reset([tagged(frame) for frame in opening(version=version) + [said, behind]], tmp_path, library)
    assert summary['conserved'] and summary['drops']['r']['reset'] == 2, 'what was said and what is said behind it'
    assert len(forward) == 3 + 1 and len(back_) == 1
    to_receiver, to_sender = forward[-1], back_[0]
    network, client, server = ENDS[version]
    sender, receiver = (client, server) if by == 'client' else (server, client)
    for frame, target, mac in ((to_receiver, receiver, said.dst), (to_sender, sender, said.src)):
        assert_checked(frame)
        assert frame[network].dst == target and frame.dst == mac
        assert frame[scapy.TCP].flags == 'RA' and not frame[scapy.TCP].payload
        assert [tag.vlan for tag in frame.iterpayloads() if isinstance(tag, scapy.Dot1Q)] == \
            ([] if link is None else [tag.vlan for tag in link.iterpayloads()])
    first, other = (1001, 5001) if by == 'client' else (5001, 1001)
    assert (to_receiver[scapy.TCP].seq, to_receiver[scapy.TCP].ack) == (first, other)
    assert (to_sender[scapy.TCP].seq, to_sender[scapy.TCP].ack) == (other, first + 10)


def test_what_cannot_be_reset_is_dropped_alone(library, tmp_path):
    """A segment in a tunnel: no reset is made up."""
    tunnelled = [scapy.Ether() / scapy.IP(src='192.0.2.1', dst='192.0.2.2') / scapy.GRE() / frame[scapy.IP]
                 for frame in opening() + [segment('PA', 1001, 5001, b'the secret')]]
    summary, forward, back_ = reset(tunnelled, tmp_path, library)
    counted = summary['elements']['r']['counters']
    assert counted['failed'] == 1 and counted['reset'] == 1 and len(forward) == 3 and not back_
    assert summary['conserved']
