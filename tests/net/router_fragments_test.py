# SPDX-License-Identifier: Apache-2.0
"""
    client ─── lan router wan ─── server
      fragments of one datagram, made by the sender, pass
"""
import pytest

IS_FRAGMENT = {4: "ip[6:2] & 0x3fff != 0", 6: "ip6[6] == 44"}
FAMILIES = pytest.mark.parametrize("family", [4, 6])


@FAMILIES
def test_a_long_ping_passes(three_hosts, family):
    out = three_hosts.client.run("ping", "-c", "3", "-i", "0.2", "-W", "2", "-s", "8000",
                                 three_hosts.server_ip[family], check=False)
    assert " 0% packet loss" in out


@FAMILIES
@pytest.mark.parametrize("direction", ["forth", "back"])
def test_long_datagrams_pass(three_hosts, family, direction):
    receiver = three_hosts.server if direction == "forth" else three_hosts.client

    with receiver.watch("eth0", IS_FRAGMENT[family]) as seen:
        report = three_hosts.iperf3(family, direction, "-u", "-l", "4000", "-b", "1M", "-t", "1")
    total = report["end"]["sum"]
    assert total["packets"] > 20 and total["lost_packets"] <= 1  # one may be under way at the end
    assert len(seen().splitlines()) > 2 * 20
