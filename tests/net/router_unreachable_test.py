# SPDX-License-Identifier: Apache-2.0
"""
    client ─── lan router wan ─── server
     10.99.0.1 ──┘ no route: the router says so
     UDP to a closed port ─────────┘ the server says so, through the router
"""
import re

import pytest

FAMILIES = pytest.mark.parametrize("family", [4, 6])
UNKNOWN = {4: "10.99.0.1", 6: "2001:db8:99::1"}
NO_ROUTE = {4: "Destination Net Unreachable", 6: "Destination unreachable: No route"}
QUOTED = {4: "ICMP net 10.99.0.1 unreachable", 6: "unreachable route 2001:db8:99::1"}


@FAMILIES
def test_the_sender_is_told_that_there_is_no_route(three_hosts, family):
    hosts = three_hosts
    with hosts.client.watch("eth0", {4: "icmp[0] == 3", 6: "ip6[40] == 1"}[family]) as seen:
        out = hosts.client.run("ping", "-c", "1", "-W", "2", UNKNOWN[family], check=False)
    assert re.search(f"From {hosts.lan_ip[family]} icmp_seq=1 {NO_ROUTE[family]}", out), out
    assert QUOTED[family] in seen()
    assert "wrong" not in seen() and "bad" not in seen()  # checksums, the quoted packet's included


@FAMILIES
def test_a_connection_fails_at_once(three_hosts, family):
    url = {4: "http://10.99.0.1/", 6: "http://[2001:db8:99::1]/"}[family]
    out = three_hosts.client.run("curl", "-sS", "-m", "5", url, check=False)
    assert re.search(r"Couldn't connect|Failed to connect", out), out  # a timeout would say "timed out"


@FAMILIES
def test_what_a_host_behind_says_comes_through(three_hosts, family):
    url = {4: "http://{}:9/", 6: "http://[{}]:9/"}[family].format(three_hosts.server_ip[family])
    out = three_hosts.client.run("curl", "-sS", "-m", "5", url, check=False)
    assert "Couldn't connect" in out or "Connection refused" in out, out

    out = three_hosts.client.run("traceroute", f"-{family}", "-n", "-U", "-p", "9", "-f", "2", "-m", "2",
                                 "-q", "1", "-w", "2", three_hosts.server_ip[family], check=False)
    assert re.search(rf"^ 2  {three_hosts.server_ip[family]}  [\d.]+ ms", out, re.MULTILINE), out
