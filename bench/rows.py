# SPDX-License-Identifier: Apache-2.0
"""What is measured: frames, graphs, and against what each is held. With the router that Weir's is compared with."""
import dataclasses
import ipaddress
import pathlib
import random
import struct
import subprocess

PROJECT = pathlib.Path(__file__).resolve().parents[1]
FRAMES, BUFFERS, ROUTES = 16384, 16384, 100000
LENGTHS = (3, 6, 9)
GATEWAYS = 16
SOURCE_MAC, HERE_MAC = bytes.fromhex('020000000001'), bytes.fromhex('020000000002')


def mac_of(gateway):
    return bytes.fromhex('0200000001') + bytes([gateway])


def checksum(header):
    total = sum(struct.unpack('!10H', header))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def frame(destination, number):
    ip = bytearray(struct.pack('!BBHHHBBHII', 0x45, 0, 50, number & 0xffff, 0, 64, 17, 0, 0x0a000001 + number % 50000, destination))
    struct.pack_into('!H', ip, 10, checksum(bytes(ip)))
    udp = struct.pack('!HHHH', 1024 + number % 40000, 443 if number % 8 == 0 else 53, 30, 0)
    return HERE_MAC + SOURCE_MAC + b'\x08\x00' + bytes(ip) + udp + bytes(22)


def write_capture(path, frames):
    with open(path, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, data in enumerate(frames):
            file.write(struct.pack('<IIII', 1000000000, i, len(data), len(data)) + data)


def read_capture(path):
    data = pathlib.Path(path).read_bytes()
    at, frames = 24, []
    while at < len(data):
        length = struct.unpack_from('<I', data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


class Table:
    """Longest prefix match, the slow way: a dictionary per length."""
    def __init__(self):
        self.by_length = {}

    def add(self, address, length, value):
        self.by_length.setdefault(length, {})[address >> (32 - length) if length else 0] = value

    def find(self, address):
        for length in sorted(self.by_length, reverse=True):
            value = self.by_length[length].get(address >> (32 - length) if length else 0)
            if value is not None:
                return value
        return None


def make_routes(path, rng):
    table, lines = Table(), []
    table.add(0, 0, 0)
    lines.append('0.0.0.0/0 10.255.0.1 0')
    seen = set()
    while len(seen) < ROUTES - 1:
        length = rng.choice([16, 18, 20, 22, 23, 24, 24, 24, 24])
        address = rng.randrange(0x01000000, 0xdf000000) >> (32 - length) << (32 - length)
        if (address, length) in seen:
            continue
        seen.add((address, length))
        gateway = rng.randrange(GATEWAYS)
        table.add(address, length, gateway)
        lines.append(f'{ipaddress.ip_address(address)}/{length} 10.255.0.{gateway + 1} {gateway}')
    path.write_text('\n'.join(lines) + '\n')
    return table


def tagged(data):
    return data[:12] + b'\x81\x00\x00\x05' + data[12:]


def ipv6(number):
    udp = struct.pack('!HHHH', 1024 + number % 40000, 443 if number % 8 == 0 else 53, 20, 0) + bytes(12)
    source, destination = (ipaddress.ip_address(text).packed for text in ('2001:db8::1', f'2001:db8::{number + 2:x}'))
    return HERE_MAC + SOURCE_MAC + b'\x86\xdd' + struct.pack('!IHBB', 6 << 28, len(udp), 17, 64) + source + destination + udp


def prepare(folder):
    """Captures and routes; returns the table and the frames of IPv4."""
    rng = random.Random(7)
    table = make_routes(folder / 'routes', rng)
    frames = [frame(rng.randrange(0x01000000, 0xdf000000), i) for i in range(FRAMES)]
    write_capture(folder / 'frames.pcap', frames)
    write_capture(folder / 'vlan.pcap', map(tagged, frames[:FRAMES // 4]))
    write_capture(folder / 'ipv6.pcap', map(ipv6, range(FRAMES // 4)))
    return table, frames


def build(folder):
    """The classes of classes.c and traffic.c as modules, and the probe; returns the probe."""
    flags = ['cc', '-std=gnu2x', '-O3', '-march=x86-64-v2']
    for name in ('classes', 'traffic'):
        subprocess.run([*flags, '-fPIC', '-shared', '-fvisibility=hidden', '-nostartfiles', f'-I{PROJECT / "include"}',
                        '-o', folder / f'{name}.so', PROJECT / f'bench/{name}.c'], check=True)
    subprocess.run([*flags, '-o', folder / 'pointer_vectors', PROJECT / 'bench/pointer_vectors.c'], check=True)
    return folder / 'pointer_vectors'


# ---- graphs

ROUTER = 'FromDump -> CheckIPHeader -> DecIPTTL -> r :: LookupIPRoute(%s);\nout :: ToDump;\n'
WAYS = '{0} :: Match(udp.dstport < 9998); {0}[other] -> d :: Discard; FromDump -> {0}'


def router(routes, outputs):
    return ROUTER % routes + ''.join(f'r[{i}] -> EtherRewrite(02:00:00:00:00:02, 02:00:00:00:01:{i:02x}) -> out;\n'
                                     for i in range(outputs))


def chain(kind, length):
    if kind != 'Match':
        return ' -> '.join(['FromDump', *[kind] * length, 'Discard;'])
    matches = [f'm{i} :: Match(ip.proto == 17 && udp.srcport > {5 + i}); m{i}[other] -> d;\n' for i in range(length)]
    return 'd :: Discard;\n' + ''.join(matches) + ' -> '.join(['FromDump', *(f'm{i}' for i in range(length)), 'd;'])


def defined(base, condition):
    return WAYS.format('m') + f' -> HearPacket -> HearDefined -> d;\ndefine event defined.fact on {base} where {condition};'


@dataclasses.dataclass
class Row:
    name: str
    graph: str
    over: str = 'source'        # the figure is what it costs beyond this row
    per: int = 1                # divided by so many elements
    aim: float | None = None    # cycles
    pointers: str | None = None  # the same work for pointer_vectors
    all_fills: bool = False     # measured with vectors of 1, 4 and 16 too
    frames: str = 'frames'
    is_gate: bool = False       # its instructions are compared with bench/instructions.json
    packets: int = 64 * 100     # of which instructions are counted; 0: they are not
    warm: float = 0.06          # seconds before a measurement
    bits: float | None = None   # of a packet; then Gbit/s are told


def chains():
    for kind, letter, aim in (('Paint(3)', 'p', 2), ('Counter', 'c', 2), ('Match', 'm', 2), ('DecIPTTL', 't', 7)):
        first = f'3 x {kind}'
        yield Row(first, chain(kind, 3), is_gate=True, pointers=letter * 3)
        yield Row(f'6 x {kind}: each further', chain(kind, 6), first, 3, aim, letter * 6)
        yield Row(f'9 x {kind}: each further', chain(kind, 9), first, 6, aim, letter * 9, all_fills=True, is_gate=True)


def rows(folder):
    two = 'two elements that do nothing'
    ways = 'decoded, one way'
    heard, told = 'decoded, handler per packet', 'event with payload, and Null'
    return [
        Row('source', 'FromDump -> Discard;', over='', pointers='', all_fills=True, is_gate=True),
        Row('router, 1 route', router('0.0.0.0/0 10.255.0.1 0', 1), aim=40, pointers='ktle', all_fills=True, is_gate=True),
        Row('router, 100,000 routes', router(f'file {folder}/routes', GATEWAYS), aim=80, is_gate=True),
        Row('look-up alone, 1 route', 'FromDump -> r :: LookupIPRoute(0.0.0.0/0 10.255.0.1 0) -> Discard;'),
        *chains(),
        Row('weir_set one by one', 'FromDump -> EachTTL -> EachTTL -> Discard;', 'its first', aim=7),
        Row('its first', 'FromDump -> EachTTL -> Discard;'),
        Row('branch, 1/8', 'd :: Discard; FromDump -> m :: Match(udp.dstport == 443) -> Counter -> d; m[other] -> d;',
            pointers='bc', all_fills=True, is_gate=True),
        Row('decoding IPv4, UDP', chain('Match', 1), is_gate=True),
        Row('decoding IPv6, UDP', 'd :: Discard; FromDump -> m :: Match(udp.srcport > 5) -> d; m[other] -> d;',
            'source, IPv6', frames='ipv6', is_gate=True),
        Row('decoding VLAN, IPv4, UDP', chain('Match', 1), 'source, VLAN', frames='vlan', is_gate=True),
        Row('source, IPv6', 'FromDump -> Discard;', frames='ipv6', is_gate=True),
        Row('source, VLAN', 'FromDump -> Discard;', frames='vlan', is_gate=True),
        Row(two, 'FromDump -> Null -> Null -> Discard;', is_gate=True),
        Row('event nobody hears', 'FromDump -> RaisePlain -> Null -> Discard;', two, aim=0, is_gate=True),
        Row('event nobody hears, with payload', 'FromDump -> RaiseTold -> Null -> Discard;', two, aim=0),
        Row('event without payload, delivered', 'FromDump -> RaisePlain -> HearPlain -> Discard;', two, aim=12, is_gate=True),
        Row('event with payload, delivered', 'FromDump -> RaiseTold -> HearTold -> Discard;', two, aim=25, is_gate=True),
        Row('handler per packet', 'FromDump -> HearPacket -> Null -> Discard;', two, aim=12, is_gate=True),
        Row(ways, WAYS.format('m') + ' -> Null -> d;'),
        Row('handler, filter that all meet', WAYS.format('m') + ' -> HearMet -> d;', ways, aim=13),
        Row('handler, filter that none meets', WAYS.format('m') + ' -> HearUnmet -> d;', ways, aim=1, is_gate=True),
        Row(heard, WAYS.format('m') + ' -> HearPacket -> Null -> d;', ways),
        Row('defined event, filter that none meets', defined('packet.received', 'udp.dstport == 9999'), heard, aim=1, is_gate=True),
        Row('defined event without payload', defined('packet.received', 'udp.dstport < 9999'), heard, aim=12, is_gate=True),
        Row(told, 'FromDump -> RaiseTold -> HearTold -> Null -> Discard;', two),
        Row('defined event with payload', 'FromDump -> RaiseTold -> HearTold -> HearDefined -> Discard;\n'
            'define event defined.told on bench.told where bench.length > 5;', told, aim=25, is_gate=True),
    ]


# ---- checking

def check_router(weir, folder, table, frames):
    out = folder / 'out.pcap'
    graph = router(f'file {folder}/routes', GATEWAYS)
    subprocess.run([weir, 'run', '--quiet', '-i', f'{folder}/frames.pcap', '-o', out, '-e', graph], check=True)
    written = read_capture(out)
    assert len(written) == len(frames), f'{len(written)} of {len(frames)} packets came out'
    expected = {}
    for data in frames:
        ip = bytearray(data[14:34])
        ip[8] -= 1
        struct.pack_into('!H', ip, 10, 0)
        struct.pack_into('!H', ip, 10, checksum(bytes(ip)))
        gateway = table.find(struct.unpack_from('!I', ip, 16)[0])
        key = mac_of(gateway) + HERE_MAC + data[12:14] + bytes(ip) + data[34:]
        expected[key] = expected.get(key, 0) + 1
    for data in written:
        assert expected.get(data, 0) > 0, f'not what a router would send: {data.hex()}'
        expected[data] -= 1
    print(f'every one of {len(frames)} packets is what a router would send: TTL, checksum, MAC addresses, next hop of {ROUTES} routes')
