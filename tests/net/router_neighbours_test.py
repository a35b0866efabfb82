# SPDX-License-Identifier: Apache-2.0
"""
    client ─── lan router wan ─── server
     .10, ::10                     .10, ::10
     .30, ::30                     .30, ::30     new addresses, unknown to the router
"""
import re

import pytest

FAMILIES = pytest.mark.parametrize("family", [4, 6])
QUESTION = {4: r"Request who-has {} .*tell {}", 6: r"{1} > \S+: .*neighbor solicitation.* who has {0}"}
ANSWER = {4: r"Reply {} is-at {}", 6: r"neighbor advertisement.* tgt is {}.* {}"}
NEIGHBOUR_TRAFFIC = {4: "arp", 6: "icmp6 and (ip6[40] == 135 or ip6[40] == 136)"}


def one_ping(host, address, *options):
    return host.run("ping", "-c", "1", "-W", "3", *options, address, check=False)


@FAMILIES
@pytest.mark.parametrize("side", ["lan", "wan"])
def test_a_host_finds_the_router(three_hosts, family, side):
    hosts = three_hosts
    host, gateway, mac = {
        "lan": (hosts.client, hosts.lan_ip[family], hosts.lan_mac),
        "wan": (hosts.server, hosts.wan_ip[family], hosts.wan_mac),
    }[side]
    other = {"lan": hosts.server_ip, "wan": hosts.client_ip}[side][family]
    hosts.forget_neighbours()

    with host.watch("eth0", NEIGHBOUR_TRAFFIC[family]) as seen:
        assert "1 received" in one_ping(host, other)
    assert re.search(ANSWER[family].format(gateway, mac), seen()), seen()
    assert f"lladdr {mac}" in host.ip("neigh", "show", gateway)


@FAMILIES
@pytest.mark.parametrize("side", ["lan", "wan"])
def test_the_router_finds_a_host_and_keeps_the_packet_meanwhile(three_hosts, family, side):
    hosts = three_hosts
    asker, newcomer, own, mac = {
        "lan": (hosts.server, hosts.client, hosts.lan_ip[family], hosts.lan_mac),
        "wan": (hosts.client, hosts.server, hosts.wan_ip[family], hosts.wan_mac),
    }[side]
    address = re.sub("1$", "30", own)
    newcomer.addresses("eth0", f"{address}/{hosts.prefix[family]}")

    with newcomer.watch("eth0", NEIGHBOUR_TRAFFIC[family]) as seen:
        assert "1 received" in one_ping(asker, address)
    asked = {4: own, 6: r"\S+"}[family]  # an IPv6 router may ask from its link-local address
    line = re.search(".*" + QUESTION[family].format(address, asked) + ".*", seen())
    assert line, seen()
    assert line[0].split(" > ")[0].endswith(mac), line[0]
