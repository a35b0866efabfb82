# SPDX-License-Identifier: Apache-2.0
"""
    client ─── lan router wan ─── server
    10.1.0.10                    10.2.0.10
    2001:db8:1::10               2001:db8:2::10
"""
import re

import pytest

FAMILIES = pytest.mark.parametrize("family", [4, 6])


def ping(host, address, *options):
    return host.run("ping", "-c", "5", "-i", "0.1", "-W", "2", *options, address, check=False)


@FAMILIES
def test_packets_pass_in_both_directions(lasting_hosts, family):
    hosts = lasting_hosts
    assert " 0% packet loss" in ping(hosts.client, hosts.server_ip[family])
    assert " 0% packet loss" in ping(hosts.server, hosts.client_ip[family])


@FAMILIES
def test_the_largest_packet_that_fits_passes(lasting_hosts, family):
    headers = {4: 28, 6: 48}[family]
    out = ping(lasting_hosts.client, lasting_hosts.server_ip[family], "-M", "do", "-s", 1500 - headers)
    assert " 0% packet loss" in out


@FAMILIES
def test_a_hop_is_counted_and_the_frame_readdressed(lasting_hosts, family):
    hosts = lasting_hosts
    echo = {4: "icmp[0] == 8", 6: "ip6[40] == 128"}[family]
    with hosts.server.watch("eth0", echo) as seen:
        assert " 0% packet loss" in ping(hosts.client, hosts.server_ip[family])
    requests = [line for line in seen().splitlines() if "echo request" in line]
    assert len(requests) == 5
    for line in requests:
        assert re.search(r"\b(ttl|hlim) 63\b", line), line
        assert f"{hosts.wan_mac} > 02:00:00:00:02:10" in line
        assert "bad cksum" not in line and "wrong" not in line


@FAMILIES
def test_the_routers_own_addresses_answer(lasting_hosts, family):
    hosts = lasting_hosts
    assert " 0% packet loss" in ping(hosts.client, hosts.lan_ip[family])
    assert " 0% packet loss" in ping(hosts.server, hosts.wan_ip[family])
    assert " 0% packet loss" in ping(hosts.client, hosts.wan_ip[family])  # the far side's, too
