# SPDX-License-Identifier: Apache-2.0
"""Made-up HTTP and TLS sessions as captures: connections side by side, each whole from SYN to FIN, in order."""
import random
import ssl
import struct

CONNECTIONS, REQUESTS, SEGMENT = 200, 4, 1460
SIZES = (500, 2000, 10000, 30000, 80000)  # bytes of an answer
MACS = bytes.fromhex('020000000002020000000001'), bytes.fromhex('020000000001020000000002')
FIN, SYN, PUSH, ACK = 1, 2, 8, 16


class Connection:
    """Its frames, in the order in which they pass."""
    def __init__(self, number):
        self.ends = (0x0a000000 + number // 200, 1024 + number), (0xc0a80001 + number % 50, 443)
        self.next = [1000 + number, 9000 + number]
        self.frames = []
        self.put(0, SYN)
        self.put(1, SYN | ACK)
        self.put(0, ACK)

    def put(self, side, flags, payload=b''):
        (source, sport), (destination, dport) = self.ends[side], self.ends[1 - side]
        ip = struct.pack('!BBHHHBBHII', 0x45, 0, 40 + len(payload), 0, 0x4000, 64, 6, 0, source, destination)
        tcp = struct.pack('!HHIIBBHHH', sport, dport, self.next[side], self.next[1 - side] if flags & ACK else 0, 0x50, flags,
                          0xffff, 0, 0)
        self.frames.append((MACS[side] + b'\x08\x00' + ip + tcp + payload).ljust(60, b'\0'))
        self.next[side] += len(payload) + (1 if flags & (SYN | FIN) else 0)

    def say(self, side, data):
        """In segments; the other side confirms every second one."""
        for i, at in enumerate(range(0, len(data), SEGMENT)):
            self.put(side, ACK | PUSH, data[at:at + SEGMENT])
            if i % 2:
                self.put(1 - side, ACK)

    def close(self):
        self.put(0, FIN | ACK)
        self.put(1, FIN | ACK)
        self.put(0, ACK)
        return self.frames


def http(number, rng):
    connection = Connection(number)
    for i in range(REQUESTS):
        connection.say(0, (f'GET /things/{number}/{i}?q=some+words HTTP/1.1\r\nHost: www{number % 30}.example.com\r\n'
                           'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0\r\n'
                           'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n'
                           'Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n'
                           f'Cookie: session={rng.getrandbits(128):032x}\r\n\r\n').encode())
        size = rng.choice(SIZES)
        connection.say(1, ('HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nServer: nginx/1.22.1\r\n'
                           f'Content-Type: text/html; charset=utf-8\r\nContent-Length: {size}\r\nConnection: keep-alive\r\n'
                           'Cache-Control: max-age=604800\r\n\r\n').encode() + rng.randbytes(size))
    return connection.close()


def client_hello(name):
    """As Python's own library begins."""
    out, session = ssl.MemoryBIO(), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    session.set_alpn_protocols(['h2', 'http/1.1'])
    begun = session.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    try:
        begun.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def record(kind, data):
    return struct.pack('!BHH', kind, 0x0303, len(data)) + data


def server_hello(rng):
    extensions = struct.pack('!HHH', 43, 2, 0x0304) + struct.pack('!HHHH', 51, 36, 29, 32) + rng.randbytes(32)
    body = b'\x03\x03' + rng.randbytes(32) + b'\x20' + rng.randbytes(32) + b'\x13\x01\x00' + \
        struct.pack('!H', len(extensions)) + extensions
    return record(22, b'\x02' + len(body).to_bytes(3) + body) + record(20, b'\x01')


def tls(number, rng):
    connection = Connection(number)
    connection.say(0, client_hello(f'www{number % 30}.example.com'))
    connection.say(1, server_hello(rng) + record(23, rng.randbytes(3000)))  # what follows is sealed, the certificate too
    for _ in range(REQUESTS):
        connection.say(0, record(23, rng.randbytes(400)))
        left = rng.choice(SIZES)
        while left:
            connection.say(1, record(23, rng.randbytes(min(left, 16384))))
            left -= min(left, 16384)
    return connection.close()


def frames(kind, rng):
    """Those of all connections, side by side: which of them goes on is by chance."""
    left = [list(reversed(kind(number, rng))) for number in range(CONNECTIONS)]
    while left:
        at = rng.randrange(len(left))
        for _ in range(min(len(left[at]), rng.randrange(1, 5))):
            yield left[at].pop()
        if not left[at]:
            left[at] = left[-1]
            left.pop()
