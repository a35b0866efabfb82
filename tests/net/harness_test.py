# SPDX-License-Identifier: Apache-2.0
"""The harness itself: it cleans up, it keeps the kernel silent, and its tests can fail."""
import pathlib
import re
import subprocess
import sys

import pytest

from net import Failed, Lab, host
from topology import BROKEN_ROUTERS, connect, start_program

HERE = pathlib.Path(__file__).parent


def test_a_failure_leaves_nothing_behind(lab, tmp_path):
    with pytest.raises(ZeroDivisionError), Lab(tmp_path) as inner:
        process = inner.namespace("a").start("sleep", "1000")
        prefix = inner.prefix
        1 / 0
    assert not process.is_running
    assert prefix not in host("ip", "netns", "list")


def test_a_program_that_ends_early_is_told_with_its_output(lab):
    process = lab.namespace("a").start("sh", "-c", "echo no such thing; exit 3")
    with pytest.raises(Failed, match=r"ended with 3:\nno such thing"):
        process.wait_for("ready")


def test_a_program_that_does_not_end_is_killed(lab):
    process = lab.namespace("a").start("sh", "-c", "trap '' INT; echo up; while :; do sleep 0.1; done")
    process.wait_for("up")
    assert process.stop(seconds=0.5) is None
    assert not process.is_running


def test_the_kernel_is_silent_where_a_program_is_the_router(lab):
    hosts = connect(lab, BROKEN_ROUTERS["absent"], 1500)
    start_program(hosts, BROKEN_ROUTERS["absent"], 1500)
    with (hosts.client.watch("eth0", f"ether src {hosts.lan_mac}") as lan,
          hosts.server.watch("eth0", f"ether src {hosts.wan_mac}") as wan):
        for gateway, beyond in zip(hosts.lan_ip.values(), hosts.server_ip.values()):
            hosts.client.ip("neigh", "replace", gateway, "lladdr", hosts.lan_mac, "dev", "eth0")
            for options in ([], ["-t", "1"]):
                hosts.client.run("ping", "-c", "1", "-W", "0.3", *options, beyond, check=False)
            hosts.client.ip("neigh", "flush", "all", "nud", "permanent")
            hosts.client.run("ping", "-c", "1", "-W", "0.3", gateway, check=False)
    for seen in lan, wan:
        assert " > " not in seen(), seen()


def outcomes(router, *options):
    """{test: outcome} of the router tests with a router that is not one."""
    command = [sys.executable, "-m", "pytest", "-rA", "--tb=no", "-p", "no:cacheprovider"]
    done = subprocess.run(["setpriv", "--pdeathsig", "TERM", *command, "--router", router, *options,
                           *map(str, HERE.glob("router_*_test.py"))],
                          stdout=subprocess.PIPE, text=True, cwd=HERE)
    lines = re.findall(r"^(PASSED|FAILED|ERROR) \S+::(\S+)", done.stdout, re.MULTILINE)
    return {name: outcome for outcome, name in lines}


def test_the_router_tests_fail_where_nothing_is_forwarded(lab):
    found = outcomes("deaf", "-k", "4 and not back and not icmp and not wan")  # a third: each waits in vain
    assert len(found) > 15
    passed = {name for name, outcome in found.items() if outcome == "PASSED"}
    assert passed <= {"test_the_routers_own_addresses_answer[deaf-4]"}  # that is no forwarding


def test_the_router_tests_fail_where_errors_are_not_told(lab):
    found = outcomes("mute", "-k", "4 and not flows and not arrives")
    for test in ("shows_itself", "there_is_no_route", "fails_at_once"):
        assert {outcome for name, outcome in found.items() if test in name} == {"FAILED"}, test
    assert found["test_packets_pass_in_both_directions[mute-4]"] == "PASSED"


def test_the_mtu_tests_fail_where_the_mtu_is_ignored(lab):
    found = outcomes("too-long", "-k", "mtu")
    assert len(found) > 5 and set(found.values()) == {"FAILED"}
