# SPDX-License-Identifier: Apache-2.0
"""Two hosts and a router between them: the kernel's, or a program that is tried against the same demands."""
import dataclasses
import json
import pathlib
import re
import shlex
import time

from net import Failed, Namespace, Process

PROJECT = pathlib.Path(__file__).resolve().parents[2]

# How Weir runs as the router. {lan} and {wan} are the names of its interfaces, {wan_mtu} what fits the second.
WEIR = "build/weir run examples/router.weir --set wan_mtu={wan_mtu} -i lan={driver}:{lan} -i wan={driver}:{wan}"
SANITIZER = r"ERROR: \w+Sanitizer|runtime error:|Assertion .* failed"


@dataclasses.dataclass
class Router:
    """The kernel of the namespace in the middle or, with a command, a program on interfaces without addresses."""
    command: str = None
    plain_peers: bool = False  # hosts finish checksums and segments themselves
    is_weir: bool = False
    knows_mtu: bool = True
    sysctls: dict = dataclasses.field(default_factory=lambda: dict(FORWARDING))


FORWARDING = {
    "net__ipv4__ip_forward": 1, "net__ipv6__conf__all__forwarding": 1,
    "net__ipv4__icmp_ratelimit": 0, "net__ipv6__icmp__ratelimit": 0,
}
ROUTERS = {
    "kernel": Router(),
    "weir-af_packet": Router(WEIR.replace("{driver}", "af_packet"), is_weir=True),
    "weir-af_xdp": Router(WEIR.replace("{driver}", "af_xdp"), is_weir=True, plain_peers=True),
}
BROKEN_ROUTERS = {  # on request only, to see the tests fail
    "deaf": Router(sysctls={"net__ipv4__ip_forward": 0}),
    "mute": Router(sysctls={**FORWARDING, "net__ipv4__icmp_ratelimit": 1000,
                            "net__ipv4__icmp_msgs_per_sec": 0, "net__ipv4__icmp_msgs_burst": 0}),
    "too-long": Router(knows_mtu=False),
    "absent": Router("sleep 1000"),
}

LAN_MAC, WAN_MAC = "02:00:00:00:01:01", "02:00:00:00:02:01"


@dataclasses.dataclass
class Hosts:
    """client eth0 ─── lan router wan ─── eth0 server; addresses by IP version, as in examples/captures."""
    client: Namespace
    router: Namespace
    server: Namespace
    process: Process = None  # the router, if it is a program
    client_ip = {4: "10.1.0.10", 6: "2001:db8:1::10"}
    lan_ip = {4: "10.1.0.1", 6: "2001:db8:1::1"}
    wan_ip = {4: "10.2.0.1", 6: "2001:db8:2::1"}
    server_ip = {4: "10.2.0.10", 6: "2001:db8:2::10"}
    prefix = {4: 16, 6: 64}
    lan_mac, wan_mac = LAN_MAC, WAN_MAC

    def iperf3(self, family, direction, *options):
        """Its report on traffic from client to server ("forth") or from server to client ("back")."""
        server = self.server.start("iperf3", "-s", "-1", "--forceflush")
        server.wait_for("Server listening")
        try:
            out = self.client.run("iperf3", "-J", "-c", self.server_ip[family], "--connect-timeout", "2000",
                                  *(["-R"] if direction == "back" else []), *options, timeout=30)
        finally:
            server.stop()
        return json.loads(out[out.index("{"):])  # behind its warnings

    def forget_neighbours(self):
        self.client.forget_neighbours()
        self.server.forget_neighbours()


def connect(lab, router, wan_mtu):
    hosts = Hosts(*(lab.namespace(name) for name in ("client", "router", "server")))
    if router.command:  # the kernel must keep silent there
        hosts.router.sysctl(net__ipv6__conf__default__disable_ipv6=1, net__ipv4__ip_forward=0)
    else:  # ready at once: it solicits nobody from a link-local address that may still be somebody else's
        hosts.router.sysctl(net__ipv6__conf__default__accept_dad=0)
    lab.cable(hosts.client, "eth0", hosts.router, "lan", macs=("02:00:00:00:01:10", LAN_MAC))
    lab.cable(hosts.router, "wan", hosts.server, "eth0", mtu=wan_mtu, macs=(WAN_MAC, "02:00:00:00:02:10"))
    for end, own, gateway in ((hosts.client, hosts.client_ip, hosts.lan_ip),
                              (hosts.server, hosts.server_ip, hosts.wan_ip)):
        end.ip("link", "set", "dev", "lo", "up")
        end.addresses("eth0", *(f"{own[family]}/{hosts.prefix[family]}" for family in (4, 6)))
        for family in (4, 6):
            end.ip("route", "add", "default", "via", gateway[family])
        if router.plain_peers:
            end.run("ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off")
    return hosts


def start_kernel(hosts, router):
    for interface, own in (("lan", hosts.lan_ip), ("wan", hosts.wan_ip)):
        hosts.router.addresses(interface, *(f"{own[family]}/{hosts.prefix[family]}" for family in (4, 6)))
    if not router.knows_mtu:
        hosts.router.ip("link", "set", "dev", "wan", "mtu", 1500)
    hosts.router.sysctl(**router.sysctls)


def start_program(hosts, router, wan_mtu):
    command = router.command.format(lan="lan", wan="wan", wan_mtu=wan_mtu)
    hosts.process = hosts.router.start("env", "-C", str(PROJECT), *shlex.split(command))
    if router.is_weir:
        wait_until_it_answers(hosts)


def wait_until_it_answers(hosts, seconds=15):
    end = time.monotonic() + seconds
    for host, gateway in ((hosts.client, hosts.lan_ip), (hosts.server, hosts.wan_ip)):
        while "1 received" not in host.run("ping", "-c", "1", "-W", "0.2", gateway[4], check=False):
            if not hosts.process.is_running:
                raise Failed(f"the router ended with {hosts.process.popen.returncode}:\n{hosts.process.output}")
            if time.monotonic() > end:
                raise Failed(f"{gateway[4]} does not answer; the router printed:\n{hosts.process.output}")
    hosts.forget_neighbours()


def stop_program(process):
    status, output = process.stop(), process.output
    print(f"--- the router ended with {status} and had printed:\n{output}")  # shown when the test fails
    assert status == 0, "the router did not end cleanly on SIGINT"
    assert not re.search(SANITIZER, output), output
