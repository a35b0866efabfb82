# SPDX-License-Identifier: Apache-2.0
"""What make-captures does to frames after they were captured.

nameless IN.pcapng OUT.pcapng    takes processor and kernel of the capturing machine out of the file
encapsulate IN.pcap DIRECTORY    the same frames behind tags and tunnels that need kernel modules many machines lack
"""
import struct
import sys

SECTION, INTERFACE = 0x0A0D0D0A, 1
OPTIONS_BEGIN = {SECTION: 24, INTERFACE: 16}
UNWANTED = {SECTION: (2, 3), INTERFACE: (12,)}  # hardware and system; system


def without_names(block, kind):
    body, options = block[8:OPTIONS_BEGIN[kind]], block[OPTIONS_BEGIN[kind]:-4]
    while options:
        code, size = struct.unpack_from("<HH", options)
        end = 4 + (size + 3 & ~3)
        if code not in UNWANTED[kind]:
            body += options[:end]
        options = options[end:]
    length = struct.pack("<I", len(body) + 12)
    return block[:4] + length + body + length


def nameless(source, target):
    with open(source, "rb") as file:
        data = file.read()
    with open(target, "wb") as file:
        while data:
            kind, length = struct.unpack_from("<II", data)
            block, data = data[:length], data[length:]
            file.write(without_names(block, kind) if kind in UNWANTED else block)


def encapsulate(source, directory):
    from scapy.all import Dot1AD, Dot1Q, Ether, GRE, IP, IPv6, UDP, PcapReader, PcapWriter
    from scapy.contrib.geneve import GENEVE

    outer = Ether(src="02:00:00:00:01:10", dst="02:00:00:00:01:01")
    outer4 = dict(src="198.51.100.1", dst="198.51.100.2", ttl=64, flags="DF")
    outer6 = dict(src="2001:db8:8::1", dst="2001:db8:8::2")

    def inner(frame):
        """The protocol number of a frame's IP packet, and the packet."""
        return 4 if frame.type == 0x0800 else 41, frame.payload

    def tagged(frame, *tags):
        head = Ether(src=frame.src, dst=frame.dst)
        for tag in tags:
            head = head / tag
        head.lastlayer().type = frame.type
        return head / frame.payload

    def in_ip(protocol, packet):
        return outer / IP(proto=protocol, **outer4) / packet

    def in_ip6(protocol, packet):
        return outer / IPv6(nh=protocol, **outer6) / packet

    wrappers = {
        "vlan": lambda frame: tagged(frame, Dot1Q(vlan=100, prio=3)),
        "qinq": lambda frame: tagged(frame, Dot1AD(vlan=200), Dot1Q(vlan=100)),
        "gre": lambda frame: in_ip(47, GRE(proto=frame.type, key_present=1, key=7) / frame.payload),
        "ipip": lambda frame: in_ip(*inner(frame)),
        "ip6tnl": lambda frame: in_ip6(*inner(frame)),
        "geneve": lambda frame: in_ip(17, UDP(sport=50000, dport=6081) / GENEVE(vni=4242, proto=0x6558) / frame),
    }
    frames = list(PcapReader(source))
    for name, wrapped in wrappers.items():
        with PcapWriter(f"{directory}/{name}.pcap", nano=True, linktype=1) as writer:
            for frame in frames:
                packet = wrapped(frame)
                packet.time = frame.time
                writer.write(packet)


if __name__ == "__main__":
    {"nameless": nameless, "encapsulate": encapsulate}[sys.argv[1]](*sys.argv[2:])
