# SPDX-License-Identifier: Apache-2.0
"""A changed graph is taken up under traffic: nothing is lost, counted twice or out of order; a wrong one changes nothing."""
import os
import signal
import time

import pytest
import scapy.all as scapy

import weir

SWAPS = int(os.environ.get('WEIR_SWAPS', 100 if weir.IS_SANITIZED else 1000))
MOST_GROWN_KB = 1024
FLOWS = 500
PLAIN = 'in :: FromDump; in -> s :: Stamp -> q :: Queue(3000) -> o :: Order -> c :: Counter -> Discard;'
OTHER = '''in :: FromDump;
in -> s :: Stamp -> Paint(3) -> m :: Match(udp.dstport > 2000) -> q :: Queue(3000) -> p :: PaintSwitch -> o :: Order
   -> c :: Counter -> Discard;
m[other] -> [0]q; p[1] -> Idle; p[2] -> Idle; p[3] -> o;
'''


@pytest.fixture
def frames(tmp_path):
    path = tmp_path / 'frames.pcap'
    scapy.wrpcap(str(path), [scapy.Ether() / scapy.IP(src=f'10.0.{i // 250}.{i % 250 + 1}', dst='10.9.9.9') /
                             scapy.UDP(sport=1000 + i, dport=1900 + i) / b'payload' for i in range(FLOWS)])
    return path


def replace(path, text):
    fresh = path.with_suffix('.new')
    fresh.write_text(text)
    fresh.replace(path)


@pytest.mark.parametrize('workers, swaps', [(1, SWAPS // 4), (2, SWAPS)])
def test_swaps_under_traffic(workers, swaps, frames, tmp_path):
    weir.build_module(tmp_path, weir.PROJECT / 'tests/story/modules/order.c', 'order')
    graph = tmp_path / 'graph.weir'
    graph.write_text(PLAIN)
    with weir.Running(graph, '-w', workers, '-i', f'null:frames={frames}', env=weir.modules(tmp_path)) as running:
        memory = []
        for i in range(swaps):
            replace(graph, OTHER if i % 2 == 0 else PLAIN)
            running.signal(signal.SIGHUP)
            running.wait_for('is in force')
            memory.append(running.kilobytes())
        summary = running.stop()
    assert f'generation {swaps + 1} is in force' in summary['stderr']
    assert summary['conserved'], summary
    assert 'vanished' not in summary['drops'].get('weir', {}), summary['drops']
    third = swaps // 3  # how many earlier graphs are kept for packets that wait goes up and down, the least there is does not
    least = min(memory[:third]), min(memory[-third:])
    print(f'{swaps} swaps: {least[0]} kB at least in the first third, {least[1]} in the last')
    if not weir.IS_SANITIZED:  # which keeps what was freed
        assert least[1] <= least[0] + MOST_GROWN_KB, memory[::max(1, swaps // 20)]
    order = summary['elements']['o']['counters']
    assert order['numbered'] > 1000
    assert order['late'] == order['none'] == 0, order


def test_a_wrong_graph_leaves_the_old_one_running(frames, tmp_path):
    graph = tmp_path / 'graph.weir'
    graph.write_text('FromDump -> c :: Counter -> Discard;')
    with weir.Running(graph, '-i', f'null:frames={frames}') as running:
        graph.write_text('FromDump -> c :: Countr -> Discard;')
        running.signal(signal.SIGHUP)
        time.sleep(0.5)
        summary = running.stop()
    assert 'no element class "Countr"' in summary['stderr'] and 'goes on' in summary['stderr']
    assert summary['elements']['c']['packets'] > 0 and summary['conserved']
