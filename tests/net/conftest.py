# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests in network namespaces.

    pytest tests/net                          every router that is there
    pytest tests/net --router kernel          one of topology.ROUTERS only; may be repeated
    WEIR_NET_REQUIRED=1 pytest tests/net      what would be skipped fails instead (for CI)
"""
import contextlib
import os
import signal

import pytest

from net import Lab, why_impossible
from topology import BROKEN_ROUTERS, PROJECT, ROUTERS, connect, start_kernel, start_program, stop_program


def pytest_addoption(parser):
    parser.addoption("--router", action="append", choices=[*ROUTERS, *BROKEN_ROUTERS], help="which router to test")


def pytest_configure(config):
    config.addinivalue_line("markers", "wan_mtu(bytes): MTU of the cable between router and server (default 1500)")
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated"))  # so that fixtures are undone


def pytest_generate_tests(metafunc):
    names = metafunc.config.getoption("router") or list(ROUTERS)
    if "three_hosts" in metafunc.fixturenames:
        metafunc.parametrize("three_hosts", names, indirect=True)
    if "lasting_hosts" in metafunc.fixturenames:
        metafunc.parametrize("lasting_hosts", names, indirect=True, scope="module")


def skip(reason):
    if os.environ.get("WEIR_NET_REQUIRED"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def lab(tmp_path):
    if why_impossible():
        skip(why_impossible())
    with Lab(tmp_path) as lab:
        yield lab


@contextlib.contextmanager
def running(lab, name, wan_mtu=1500):
    router = {**ROUTERS, **BROKEN_ROUTERS}[name]
    if router.is_weir and not (PROJECT / "build/weir").exists():
        skip("build/weir is not built")
    hosts = connect(lab, router, wan_mtu)
    if router.command:
        start_program(hosts, router, wan_mtu)
    else:
        start_kernel(hosts, router)
    yield hosts
    if router.is_weir:
        stop_program(hosts.process)


@pytest.fixture
def three_hosts(lab, request):
    marker = request.node.get_closest_marker("wan_mtu")
    with running(lab, request.param, marker.args[0] if marker else 1500) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def lasting_hosts(tmp_path_factory, request):
    """The same network for all tests of a file, where none minds what the one before has left."""
    if why_impossible():
        skip(why_impossible())
    with Lab(tmp_path_factory.mktemp("lab")) as lab, running(lab, request.param) as hosts:
        yield hosts
