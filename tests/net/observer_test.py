# SPDX-License-Identifier: Apache-2.0
"""
    client ──────── server      an observer whose reader does not read, beside the server
     ping -f         weir run

The packets go on, and all that was raised is told or counted as lost.
"""
import json
import os
import re
import time

import pytest

from topology import PROJECT

WEIR = PROJECT / "build/weir"
pytestmark = pytest.mark.skipif(not WEIR.exists(), reason="build/weir is not built")


@pytest.fixture
def pair(lab):
    client, server = lab.namespace("client"), lab.namespace("server")
    lab.cable(client, "eth0", server, "eth0")
    client.addresses("eth0", "10.9.0.1/24")
    server.addresses("eth0", "10.9.0.2/24")
    return client, server


def read_all(reader, process):
    """What is in the pipe until its writer has ended."""
    text, end = b"", time.monotonic() + 30
    os.set_blocking(reader, False)
    while time.monotonic() < end:
        try:
            text += os.read(reader, 1 << 20)
        except BlockingIOError:
            if not process.is_running:
                break
            time.sleep(0.01)
    return text.decode()


def test_told_and_lost_are_what_was_raised(pair, tmp_path):
    client, server = pair
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDWR)  # opens, and does not read
    graph = f'in :: FromDump -> Discard; log :: JsonLog({fifo}, events "packet.received");'
    weir = server.start(WEIR, "run", "--json", "--buffers", "8192", "-i", "in=listen:eth0", "-e", graph)
    time.sleep(2)
    pinged = client.run("ping", "-f", "-q", "-c", "30000", "10.9.0.2", timeout=60)
    assert weir.is_running
    weir.popen.send_signal(2)
    lines = [json.loads(line) for line in read_all(reader, weir).splitlines()]
    os.close(reader)
    assert weir.stop() == 0, weir.output
    summary = json.loads(weir.output[weir.output.index("{\n"):weir.output.rindex("}") + 1])
    lost = sum(line["observer.count"] for line in lines if line["event"] == "observer.lost")
    assert int(re.search(r"(\d+) received", pinged)[1]) > 29000, "the host and its programs notice"
    assert lost > 0 and lost == summary["elements"]["log"]["counters"]["lost"]
    assert summary["received"] > 50000 and summary["events_lost"] == 0
    assert sum(line["event"] == "packet.received" for line in lines) + lost == summary["received"]
