# SPDX-License-Identifier: Apache-2.0
"""
    client ─── lan router wan ─── server
          MTU 1500       MTU 1400
"""
import pytest

HEADERS = {4: 28, 6: 48}  # of an IP packet with ICMP echo
COMPLAINT = {4: "Frag needed and DF set (mtu = 1400)", 6: "Packet too big: mtu=1400"}


def ping(host, address, length, *options):
    family = 6 if ":" in address else 4
    return host.run("ping", "-c", "1", "-W", "2", "-s", length - HEADERS[family], *options, address, check=False)


@pytest.mark.wan_mtu(1400)
@pytest.mark.parametrize("family", [4, 6])
def test_the_sender_learns_the_mtu(three_hosts, family):
    client, server = three_hosts.client, three_hosts.server_ip[family]

    answer = ping(client, server, 1450, "-M", "do")
    assert f"From {three_hosts.lan_ip[family]}" in answer
    assert COMPLAINT[family] in answer
    assert "mtu 1400" in client.ip("route", "get", server)
    assert "1 received" in ping(client, server, 1400, "-M", "do")


@pytest.mark.wan_mtu(1400)
def test_one_byte_too_long_is_told_and_the_limit_passes(three_hosts):
    client, server = three_hosts.client, three_hosts.server_ip[4]

    assert "1 received" in ping(client, server, 1400, "-M", "do")
    assert COMPLAINT[4] in ping(client, server, 1401, "-M", "do")


@pytest.mark.wan_mtu(1400)
@pytest.mark.parametrize("length", [1401, 1500])
def test_the_router_fragments_what_may_be_fragmented(three_hosts, length):
    client, server = three_hosts.client, three_hosts.server

    with server.watch("eth0", f"dst host {three_hosts.server_ip[4]} and ip[6:2] & 0x3fff != 0") as seen:
        assert "1 received" in ping(client, three_hosts.server_ip[4], length, "-M", "dont")
    assert "offset 0, flags [+]" in seen()
    assert "offset 1376, flags [none]" in seen()  # 1376 = 1380 rounded down to a multiple of 8


@pytest.mark.wan_mtu(1400)
def test_the_router_fragments_fragments(three_hosts):
    assert "1 received" in ping(three_hosts.client, three_hosts.server_ip[4], 4000, "-M", "dont")
