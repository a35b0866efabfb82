# SPDX-License-Identifier: Apache-2.0
"""A million connections, and floods in their midst: memory is what it should be, who was there stays, all is counted.

WEIR_FLOOD says how many hosts flood a bounded table; 10 million take half a minute.
"""
import json
import os

import pytest

import weir

SMALL = weir.IS_SANITIZED
CONNECTIONS = 1_000_000 if not SMALL else 50_000
FLOOD = int(os.environ.get('WEIR_FLOOD', 1_000_000 if not SMALL else 100_000))
GOOD, ROOM = (10_000, 65_536) if not SMALL else (1_000, 8_192)
LIMIT, HOSTS = 20, 200
BYTES = 160  # of memory for each flow
FAIR = 'half_open_s 1h, open_s 1h'  # nobody's time is up, however slow the machine


@pytest.fixture(scope='module')
def floods(tmp_path_factory):
    folder = tmp_path_factory.mktemp('modules')
    weir.build_module(folder, weir.PROJECT / 'tests/story/modules/floods.c', 'floods')
    return weir.modules(folder)


def run(floods, graph, *milestones):
    """The counters of each element when it has been stopped, and what memory it had in use at each milestone."""
    with weir.Running('-i', 'null:size=64', '-e', graph, env=floods) as running:
        bytes_used = []
        for text in milestones:
            running.wait_for(text)
            bytes_used.append(running.kilobytes() * 1024)
        summary = running.stop()
    assert summary['conserved'], summary
    return {name: element['counters'] for name, element in summary['elements'].items()}, bytes_used


def fill(floods, connections):
    graph = f'FromDump -> Flood(connections {connections}) -> census :: Census -> Discard; tracker :: FlowTracker(max_flows 1M, {FAIR});'
    found, used = run(floods, graph, 'all connections are there', 'each connection has been heard of again')
    assert found['census'] == {'added': connections, 'established': connections, 'evicted': 0, 'stopped': connections, 'others': 0}
    assert {name: count for name, count in found['tracker'].items() if count} == \
        {'most': connections, 'added': connections, 'stopped': connections}
    return used[-1]


def test_a_million_connections_at_a_time(floods):
    few = 1000
    grown = fill(floods, CONNECTIONS) - fill(floods, few)
    each = grown / (CONNECTIONS - few)
    print(f'{each:.1f} bytes for each of {CONNECTIONS} flows')
    if not SMALL:  # where few of them fill a table for many, and a sanitizer has memory of its own
        assert 128 <= each <= BYTES


def test_a_flood_of_very_many_hosts(floods):
    graph = f'''FromDump -> Flood(connections {GOOD}, syns {FLOOD}, hosts {FLOOD}) -> census :: Census -> witness :: Witness
        -> Discard; tracker :: FlowTracker(max_flows {ROOM}, {FAIR});'''
    found, (before, after, _) = run(floods, graph, 'a quarter of the flood is there', 'the flood is over',
                                    'each connection has been heard of again')
    census, witness = found['census'], found['witness']
    assert (census['added'], census['established'], census['others']) == (GOOD + FLOOD, GOOD, 0)
    assert census['stopped'] == ROOM and census['evicted'] == GOOD + FLOOD - ROOM  # the active, and who had to go
    assert {name: count for name, count in found['tracker'].items() if count} == \
        {'most': ROOM, 'added': census['added'], 'stopped': ROOM, 'forgotten_half_open': census['evicted']}
    assert witness['same'] >= GOOD and witness['different'] == 0
    if not SMALL:
        assert after - before < 1 << 20, f'{before} and {after} bytes'


def test_syn_guard_holds_a_flood_off(floods, tmp_path):
    log = tmp_path / 'log'
    graph = f'''FromDump -> Flood(connections {GOOD}, syns {FLOOD}, hosts {HOSTS}) -> front :: Census
        -> guard :: SynGuard(half_open_limit {LIMIT}) -> behind :: Census -> witness :: Witness -> Discard;
        FlowTracker(max_flows {ROOM}, {FAIR}); JsonLog({log}, events "synguard.flood_detected");'''
    found, _ = run(floods, graph, 'each connection has been heard of again')
    passed = HOSTS * LIMIT
    assert found['front']['added'] == GOOD + FLOOD
    assert found['behind'] == {'added': GOOD + passed, 'established': GOOD, 'evicted': 0, 'stopped': GOOD + passed, 'others': 0}
    assert found['guard'] == {'refused': FLOOD - passed}
    assert found['witness']['syns'] == GOOD + passed
    assert found['witness']['same'] >= GOOD and found['witness']['different'] == 0
    told = [json.loads(line) for line in log.read_text().splitlines()]
    assert len({event['ip.src'] for event in told}) == len(told) == HOSTS
    assert {event['synguard.half_open'] for event in told} == {LIMIT}
