# SPDX-License-Identifier: Apache-2.0
"""Whoever hears of sessions has the module that tells of them in front, without naming it: once on each way."""
import json
import re

import pytest
import scapy.all as scapy

import weir

HTTP, TLS, DNS = (weir.CAPTURES / f'{name}.pcap' for name in ('http', 'tls', 'dns'))


def events(graph, log, names, *arguments, env=None):
    summary = weir.run(f'{graph}; JsonLog({log}, events "{names}")', *arguments, env=env)
    return [json.loads(line) for line in log.read_text().split('\n') if line], summary


def explain(graph, env=None):
    code, out, err = weir.call('explain', '-e', graph, env=env)
    assert code == 0, err
    return out


@pytest.mark.parametrize('capture, module, names, count', [(HTTP, 'HTTP', 'http.*', 10), (TLS, 'TLS', 'tls.*', 4), (DNS, 'DNS', 'dns.*', 10)])
def test_observers_are_told_as_if_the_module_stood_there(capture, module, names, count, tmp_path):
    named, _ = events(f'FromDump -> {module} -> Discard', tmp_path / 'named', names, '-i', capture)
    found, _ = events('FromDump -> Discard', tmp_path / 'log', names, '-i', capture)
    assert found == named and len(found) >= count


HEARER = '''#include <weir.h>
#include <weir_tls.h>
struct hearer { weir_counter names; };
static enum weir_verdict came(struct weir_event *event, const struct weir_tls_client_hello *hello)
{
	struct hearer *self = weir_self(event);
	(void)hello;
	weir_count(&self->names);
	return WEIR_PASS;
}
WEIR_CLASS(Hearer, hearer, .about = "counts names", WEIR_MEMBERS(WEIR_COUNTS(hearer, names)),
	WEIR_HANDLERS(WEIR_ON(tls_client_hello, came)));
WEIR_MODULE("hearer", "1.0.0", &Hearer);
'''


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp('hearer')
    weir.build_module(folder, HEARER)
    return weir.modules(folder)


@pytest.mark.parametrize('graph, elements', [
    ('FromDump -> a :: Hearer -> b :: Hearer -> Discard', 'ab'),
    ('FromDump -> a :: Hearer -> Queue(4096) -> Unqueue -> b :: Hearer -> Discard', 'ab'),
    ('FromDump -> Queue(4096) -> a :: Hearer -> Unqueue -> b :: Hearer -> Discard', 'ab'),
    # one way has heard of it already, the other has not: it stands in front of where they part
    ('FromDump -> m :: Match(tcp.srcport < tcp.dstport); m[0] -> a :: Hearer -> b :: Hearer -> Discard; m[other] -> b', 'b'),
])
def test_each_hears_once(graph, elements, library, tmp_path):
    found, summary = events(graph, tmp_path / 'log', 'tls.client_hello', '-i', TLS, env=library)
    for element in elements:
        assert summary['elements'][element]['counters']['names'] == len(found) > 0, summary
    assert sum(line.startswith(' ') and ' :: TLS' in line and 'put in' in line for line in explain(graph, library).split('\n')) >= 1


def test_both_sides_of_a_conversation_may_come_by_different_inputs(library, tmp_path):
    packets = scapy.rdpcap(str(HTTP))
    ports = [{packet.sport for packet in packets if packet.haslayer('TCP') and packet['TCP'].flags == flags}
             for flags in ('S', 'SA')]
    for name, side in zip('ab', ports):
        scapy.wrpcap(str(tmp_path / f'{name}.pcap'), [packet for packet in packets if packet.haslayer('TCP') and packet.sport in side])
    log = tmp_path / 'log'
    found, _ = events('a :: FromDump -> Discard; b :: FromDump -> Discard', log, 'http.*',
                      '-i', f'a={tmp_path / "a.pcap"}', '-i', f'b={tmp_path / "b.pcap"}')
    whole, _ = events('FromDump -> Discard', tmp_path / 'whole', 'http.*', '-i', HTTP)
    key = ('event', 'http.request.uri', 'http.response.code', 'http.request_number', 'srcport')
    assert sorted(str([event.get(part) for part in key]) for event in found) == \
        sorted(str([event.get(part) for part in key]) for event in whole)


def test_what_the_graph_defines_upon_its_events_brings_it_in_too(tmp_path):
    graph = 'define event web.any on http.response where http.response.code > 0; define event web.missing on web.any ' \
        'where http.response.code == 404; FromDump -> Discard'
    found, _ = events(graph, tmp_path / 'log', 'web.missing', '-i', HTTP)
    whole, _ = events('FromDump -> Discard', tmp_path / 'whole', 'http.response', '-i', HTTP)
    assert len(found) == sum(event['http.response.code'] == 404 for event in whole) > 0
    assert 'put in' not in explain(graph.replace('-> Discard', '-> Discard; JsonLog(/dev/null, events "flow.ended")'))


def test_it_stands_behind_what_drops(library):
    out = explain('FromDump -> f :: Match(tcp); f[0] -> a :: Hearer -> Discard; f[other] -> Discard', library)
    assert re.search(r'\d+  f :: Match.*\d+  TLS :: TLS   \(put in: a hears tls.client_hello\).*\d+  a :: Hearer', out, re.S), out
    assert out.count('put in') == 1


def test_nobody_hears_and_nothing_is_put_in():
    out = explain('FromDump -> Discard; JsonLog(events "flow.ended")')
    assert 'put in' not in out and 'streams: not kept' in out


def test_a_graph_that_names_it_has_it_where_it_says(library):
    assert 'put in' not in explain('FromDump -> TLS -> a :: Hearer -> Discard', library)


def test_a_wrong_name_is_told_what_there_could_be():
    code, _, err = weir.call('explain', '-e', 'FromDump -> Discard; JsonLog(events "http.requst")')
    assert code != 0 and 'did you mean "http.request"?' in err
