# SPDX-License-Identifier: Apache-2.0
"""
    client ─── lan router wan ─── server
     TTL 1 ──────┘ answers        │
     TTL 2 ───────────────────────┘ answers
"""
import re

import pytest


def hops(text):
    """{1: [address of each answer], ...}"""
    lines = re.findall(r"^ *(\d+) +(.*)$", text, re.MULTILINE)
    return {int(hop): re.findall(r"[0-9a-f.:]+(?=  [\d.]+ ms)", rest) for hop, rest in lines}


@pytest.mark.parametrize("method", [[], ["-I"]], ids=["udp", "icmp"])
@pytest.mark.parametrize("family", [4, 6])
def test_the_router_shows_itself(three_hosts, family, method):
    hosts = three_hosts
    out = hosts.client.run("traceroute", f"-{family}", "-n", "-m", "3", "-q", "3", "-w", "2", *method,
                           hosts.server_ip[family], check=False)
    found = hops(out)
    assert found.get(1) == [hosts.lan_ip[family]], out
    assert "*" not in re.search(r"^ *1 .*$", out, re.MULTILINE)[0], out
    assert found.get(2) == [hosts.server_ip[family]], out


@pytest.mark.parametrize("family", [4, 6])
def test_the_far_side_shows_its_own_address(three_hosts, family):
    hosts = three_hosts
    out = hosts.server.run("traceroute", f"-{family}", "-n", "-m", "3", "-q", "1", "-w", "2", hosts.client_ip[family],
                           check=False)
    assert hops(out) == {1: [hosts.wan_ip[family]], 2: [hosts.client_ip[family]]}, out
