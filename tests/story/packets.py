# SPDX-License-Identifier: Apache-2.0
"""Packet tables: stories of packets that enter a graph and packets that leave it, one line each.

    # a comment
    == what is expired leaves by the second output
    graph: in -> e :: DecIPTTL -> out0
           e[expired] -> out1
    > Ether()/IP(ttl=1)/UDP()            # enters `in`
    > Ether()/IP(ttl=9)/UDP() @1.5       # one and a half seconds after the story's beginning
    out0: Ether()/IP(ttl=8)/UDP()        # leaves there, in this order, byte by byte
    out1: Ether()/IP(ttl=1)/UDP()
    count: e.packets 2

Lines begin with one of these words:

    graph:         the graph. in, in0, in1 ... are captures read, out, out0, out1 ... captures written. Indented lines
                   go on with it; each is a statement, but for what an arrow, comma or bracket at a line's end or
                   an arrow at the next one's beginning joins.
    >  in1>        a packet that enters `in` (`in1`): a Python expression of scapy's classes; a list is several packets
    out1:          a packet that leaves there. An output that is not told of must stay empty.
    count:         ELEMENT.COUNTER VALUE, ... ; also ELEMENT.packets, and weir.sent (received, cloned, held ...)
    drop:          ELEMENT.NAME VALUE, ... ; whatever is dropped must be told
    log:           text that must stand in what weir writes to standard error
    error:         `weir check` must refuse the graph, and this text must stand in what it says
    workers: 2     run with so many workers, too; then the order of packets is free
    fill: 1        with vectors of so many packets only, not with 1 and with 64
    order: any     the order in which packets leave does not matter
    link: 101      link type of the captures that are read (1, Ethernet)

An expression may end with @SECONDS: the time at which the packet enters, or must leave. Without it a packet comes a
microsecond after the one before. Addresses that are not given are those of DEFAULTS below.
"""
import dataclasses
import difflib
import json
import os
import pathlib
import random
import re
import struct
import subprocess

import scapy.all as scapy

PROJECT = pathlib.Path(__file__).resolve().parents[2]
WEIR = os.environ.get('WEIR', str(PROJECT / 'build/weir'))
BEGINNING_NS = 1_000_000_000 * 1_000_000_000  # the time at which stories begin
IS_SANITIZED = 'asan' in pathlib.Path(WEIR).parent.name
SECONDS = 30                                  # a story that takes longer hangs
BUFFERS = 4096                                # packets at once; few, so that weir starts soon
MOST_TOLD = 12                                # of what is wrong with one story

DEFAULTS = {
    'Ether': {'src': '02:00:00:00:00:01', 'dst': '02:00:00:00:00:02'},
    'IP': {'src': '10.0.0.1', 'dst': '10.0.0.2'},
    'IPv6': {'src': '2001:db8::1', 'dst': '2001:db8::2'},
    'ARP': {'hwsrc': '02:00:00:00:00:01', 'psrc': '10.0.0.1', 'pdst': '10.0.0.2'},
}


# ---- expressions

def with_defaults(name):
    return lambda *args, **fields: getattr(scapy, name)(*args, **({**DEFAULTS[name], **fields} if not args else fields))


def names():
    """What expressions may use: scapy's classes, with the same addresses on every machine."""
    known = {name: getattr(scapy, name) for name in dir(scapy) if not name.startswith('_')}
    known.update({name: with_defaults(name) for name in DEFAULTS})
    known['hex'] = bytes.fromhex
    return known


NAMES = names()


@dataclasses.dataclass
class Packet:
    data: bytes
    time_ns: int = None  # since the story's beginning

    def __str__(self):
        return scapy.Ether(self.data).summary() if len(self.data) >= 14 else self.data.hex()


def evaluate(text):
    expression, mark, time = re.fullmatch(r'(.*?)(?:\s+(@)\s*([0-9.]+))?', text.strip()).groups()
    value = eval(expression, dict(NAMES))  # pylint: disable=eval-used; tables are as much ours as this file
    values = value if isinstance(value, (list, scapy.PacketList)) else [value]
    time_ns = round(float(time) * 1e9) if mark else None
    return [Packet(bytes(one), time_ns if i == 0 else None) for i, one in enumerate(values)]


# ---- stories

@dataclasses.dataclass
class Story:
    path: pathlib.Path
    line: int
    title: str
    graph: list = dataclasses.field(default_factory=list)
    inputs: dict = dataclasses.field(default_factory=dict)   # name: packets
    outputs: dict = dataclasses.field(default_factory=dict)
    counts: dict = dataclasses.field(default_factory=dict)   # (element, name): value
    drops: dict = dataclasses.field(default_factory=dict)
    logs: list = dataclasses.field(default_factory=list)
    errors: list = dataclasses.field(default_factory=list)
    workers: int = 1
    fills: tuple = (1, 64)
    is_ordered: bool = True
    link: int = 1

    def __str__(self):
        return f'{self.path.parent.name}/{self.path.stem}: {self.title}'

    def statements(self):
        """A line is a statement, unless it ends in the middle of one."""
        lines = []
        for line, following in zip(self.graph, self.graph[1:] + ['']):
            goes_on = re.search(r'([;{},|(]|->|=>)$', line) or following.startswith(('->', '=>'))
            lines.append(line if goes_on else line + ';')
        return '\n'.join(lines)

    def ends(self, kind):
        outside_of_arguments = re.sub(r'\([^()]*\)', '()', '\n'.join(self.graph))
        return sorted(set(re.findall(rf'(?<![\w.\[])({kind}\d*)(?![\w.\]])', outside_of_arguments)))


class TableError(Exception):
    pass


def counters(text):
    for one in text.split(','):
        element, name, value = re.fullmatch(r'\s*([\w/@]+)\.(\w+)\s+(\d+)\s*', one).groups()
        yield (element, name), int(value)


def without_comment(line):
    """# begins a comment where it is in no string."""
    quote = ''
    for i, char in enumerate(line):
        if quote:
            quote = '' if char == quote else quote
        elif char in '"\'':
            quote = char
        elif char == '#' and (i == 0 or line[i - 1].isspace()):
            return line[:i]
    return line


def take_line(story, word, text):
    if word == 'graph':
        story.graph.append(text)
    elif re.fullmatch(r'in\d*', word):
        story.inputs.setdefault(word, []).extend(evaluate(text))
    elif re.fullmatch(r'out\d*', word):
        story.outputs.setdefault(word, []).extend(evaluate(text))
    elif word in ('count', 'drop'):
        (story.counts if word == 'count' else story.drops).update(counters(text))
    elif word in ('log', 'error'):
        (story.logs if word == 'log' else story.errors).append(text)
    elif word == 'workers':
        story.workers = int(text)
    elif word == 'fill':
        story.fills = tuple(int(one) for one in text.split())
    elif word == 'order' and text == 'any':
        story.is_ordered = False
    elif word == 'link':
        story.link = int(text)
    else:
        raise ValueError(f'"{word}:" is none of the words that lines begin with')


def read(path):
    """The stories of one table."""
    stories, last = [], ''
    for number, raw in enumerate(path.read_text().split('\n'), 1):
        line = without_comment(raw).rstrip()
        if not line:
            continue
        try:
            if line.startswith('=='):
                stories.append(Story(path, number, line[2:].strip()))
                last = ''
            elif line[0].isspace():
                take_line(stories[-1], last, line.strip())
            else:
                last, mark, text = re.match(r'(\w*)\s*([:>])\s*(.*)', line).groups()
                last = (last or 'in') if mark == '>' else last
                take_line(stories[-1], last, text)
        except Exception as error:
            raise TableError(f'{path}:{number}: {type(error).__name__}: {error}\n    {line}') from error
    return stories


# ---- captures

def write_capture(path, packets, link):
    """pcap with nanoseconds; a packet without a time comes a microsecond after the one before."""
    time_ns = -1000
    with open(path, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b23c4d, 2, 4, 0, 0, 262144, link))
        for packet in packets:
            time_ns = time_ns + 1000 if packet.time_ns is None else packet.time_ns
            seconds, rest = divmod(BEGINNING_NS + time_ns, 1_000_000_000)
            file.write(struct.pack('<IIII', seconds, rest, len(packet.data), len(packet.data)) + packet.data)


def read_capture(path):
    data = path.read_bytes() if path.exists() else b''
    if not data:
        return []
    unit = {0xa1b23c4d: 1, 0xa1b2c3d4: 1000}[struct.unpack_from('<I', data)[0]]
    packets, at = [], 24
    while at < len(data):
        seconds, rest, length, _ = struct.unpack_from('<IIII', data, at)
        packets.append(Packet(data[at + 16:at + 16 + length],
                              seconds * 1_000_000_000 + rest * unit - BEGINNING_NS))
        at += 16 + length
    return packets


# ---- running

@dataclasses.dataclass
class Result:
    code: int
    sums: dict
    log: str
    outputs: dict


def graph_text(story, folder):
    captures = [f'{name} :: FromDump("{folder}/{name}.pcap"); ' for name in story.ends('in')]
    captures += [f'{name} :: ToDump("{folder}/{name}.pcap"); ' for name in story.ends('out')]
    return ''.join(captures) + story.statements()


def run(story, folder, fill=64, workers=1, inputs=None):
    for name in story.ends('in'):
        write_capture(folder / f'{name}.pcap', (inputs or story.inputs).get(name, []), story.link)
    command = [WEIR, 'run', '--json', '--fill', str(fill), '--buffers', str(BUFFERS), '-w', str(workers),
               '-e', graph_text(story, folder)]
    done = subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=SECONDS, check=False)
    sums = json.loads(done.stdout) if done.stdout.startswith('{') else {}
    outputs = {name: read_capture(folder / f'{name}.pcap') for name in story.ends('out')}
    return Result(done.returncode, sums, done.stderr, outputs)


def run_together(stories, folder, fill=64):
    """Stories side by side in one process, a compound each, on hostile packets: the exit code, the sums, the log."""
    text = ''
    for i, story in enumerate(stories):
        own = folder / str(i)
        own.mkdir()
        for name, packets in hostile(story).items():
            write_capture(own / f'{name}.pcap', packets, story.link)
        text += f'story{i} :: {{\n{graph_text(story, own)}\n}};\n'
    command = [WEIR, 'run', '--json', '--fill', str(fill), '--buffers', str(BUFFERS), '-e', text]
    done = subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=SECONDS * 4, check=False)
    return Result(done.returncode, json.loads(done.stdout) if done.stdout.startswith('{') else {}, done.stderr, {})


def check(story, folder):
    """What `weir check` says of a graph that is wrong."""
    file = folder / 'story.weir'
    for name in story.ends('in'):
        write_capture(folder / f'{name}.pcap', [], story.link)
    file.write_text(graph_text(story, folder))
    done = subprocess.run([WEIR, 'check', file], capture_output=True, text=True, errors='replace', timeout=SECONDS,
                          check=False)
    return done.returncode, done.stdout + done.stderr


# ---- judging

def differences(name, expected, got):
    """For people: what a packet has that it should not have, field by field and as bytes."""
    def lines(data):
        text = scapy.Ether(data).show(dump=True) if len(data) >= 14 else ''
        return text.split('\n') + [data[i:i + 16].hex(' ') for i in range(0, len(data), 16)]
    return '\n'.join(difflib.unified_diff(lines(expected.data), lines(got.data), f'{name}: expected', f'{name}: got',
                                          lineterm='', n=1))


def judge_output(name, expected, got, is_ordered):
    if not is_ordered:
        expected, got = (sorted(packets, key=lambda packet: packet.data) for packets in (expected, got))
    for i, (wanted, packet) in enumerate(zip(expected, got)):
        if wanted.data != packet.data:
            yield f'packet {i + 1} of {name} differs\n{differences(name, wanted, packet)}'
        elif wanted.time_ns is not None and wanted.time_ns != packet.time_ns:
            yield f'packet {i + 1} of {name} left at {packet.time_ns / 1e9} s, not at {wanted.time_ns / 1e9} s'
    for packet in expected[len(got):]:
        yield f'{name}: has not come: {packet}'
    for packet in got[len(expected):]:
        yield f'{name}: should not have come: {packet}'


def counted(sums, element, name):
    if element == 'weir':
        return sums.get(name)
    of = sums['elements'].get(element, {})
    return of.get('counters', {}).get(name, of.get(name))


def judge_sums(story, sums):
    if not sums.get('conserved'):
        yield 'packets were lost count of'
    for (element, name), value in story.counts.items():
        if counted(sums, element, name) != value:
            yield f'{element}.{name} is {counted(sums, element, name)}, not {value}'
    drops = {(element, name): value for element, of in sums.get('drops', {}).items() for name, value in of.items()}
    for key in drops.keys() | story.drops.keys():
        if drops.get(key, 0) != story.drops.get(key, 0):
            yield f'dropped as {".".join(key)}: {drops.get(key, 0)}, not {story.drops.get(key, 0)}'


def judge(story, result, workers=1):
    """All that is wrong with a run, a text each."""
    if result.code or not result.sums:
        yield f'weir ended with code {result.code}: {result.log}'
        return
    for name, got in result.outputs.items():
        yield from judge_output(name, story.outputs.get(name, []), got, story.is_ordered and workers == 1)
    for name in story.outputs.keys() - result.outputs.keys():
        yield f'{name} is not in the graph'
    yield from judge_sums(story, result.sums)
    for text in story.logs:
        if text not in result.log:
            yield f'the log lacks "{text}":\n{result.log}'


# ---- hostile packets

def hostile(story, seed=1):
    """The story's packets cut and damaged, and bytes by chance: for each input."""
    chance = random.Random(seed)
    packets = [packet.data for one in story.inputs.values() for packet in one][:20]
    made = [b'', b'\0', b'\xff' * 13, b'\xff' * 14]
    made += [data[:chance.randrange(len(data) + 1)] for data in packets for _ in range(10)]
    for data in packets * 10:
        damaged = bytearray(data)
        for _ in range(chance.randrange(1, 6)):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        made.append(bytes(damaged))
    made += [chance.randbytes(chance.randrange(200)) for _ in range(100)] + [chance.randbytes(9000)]
    chance.shuffle(made)
    return {name: [Packet(data) for data in made] for name in story.ends('in')}
