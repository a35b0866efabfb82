# SPDX-License-Identifier: Apache-2.0
"""
    client ─── lan router wan ─── server
     iperf3, TCP and UDP, both directions

Only that it flows: how fast is bench/'s question.
"""
import pytest

FAMILIES = pytest.mark.parametrize("family", [4, 6])
DIRECTIONS = pytest.mark.parametrize("direction", ["forth", "back"])


@FAMILIES
@DIRECTIONS
def test_tcp_flows(lasting_hosts, family, direction):
    report = lasting_hosts.iperf3(family, direction, "-t", "2")
    assert report["end"]["sum_received"]["bits_per_second"] > 20e6
    seconds = [interval["sum"]["bytes"] for interval in report["intervals"]]
    assert min(seconds) > 0, f"it stood still: {seconds}"


@FAMILIES
@DIRECTIONS
def test_udp_flows(lasting_hosts, family, direction):
    report = lasting_hosts.iperf3(family, direction, "-u", "-b", "10M", "-l", "1200", "-t", "1")
    total = report["end"]["sum"]
    assert total["packets"] > 750
    assert total["lost_percent"] < 2
    assert report["end"]["streams"][0]["udp"]["out_of_order"] == 0
