# SPDX-License-Identifier: Apache-2.0
"""
    client ─── lan weir wan ─── server      a download through a graph between two ports, in which somebody reads along
     curl                        nginx

It arrives whole, and was read whole. WEIR_NET_BYTES says how much of it there is (50 MB).
"""
import hashlib
import json
import os
import re
import shutil
import time

import pytest

from topology import PROJECT
from watch_test import NGINX

WEIR = PROJECT / "build/weir"
BYTES = int(os.environ.get("WEIR_NET_BYTES", 50_000_000))
NEEDED = [tool for tool in ("nginx", "openssl", "curl") if not shutil.which(tool)]
pytestmark = [pytest.mark.skipif(not WEIR.exists(), reason="build/weir is not built"),
              pytest.mark.skipif(bool(NEEDED), reason=f"missing: {NEEDED}")]

# Both directions go through one HTTP element; a colour tells where each packet came from.
GRAPH = """
lan :: Port; wan :: Port;
lan -> Paint(0) -> read :: HTTP -> to :: PaintSwitch;
wan -> Paint(1) -> read;
to[0] -> wan;
to[1] -> lan;
FlowTracker(hash true, closed_s 1);
JsonLog({log}, events "stream.closed tcp.gap http.response");
"""


def write_large(path):
    """So many bytes, no block like another; and their hash."""
    sum = hashlib.sha256()
    with open(path, "wb") as file:
        for number in range(0, BYTES, 1 << 20):
            block = (number.to_bytes(8, "big") + os.urandom(1016)) * 1024
            block = block[:min(len(block), BYTES - number)]
            file.write(block)
            sum.update(block)
    return sum.hexdigest()


@pytest.fixture
def inline(lab, tmp_path):
    """Client, weir's namespace, server with nginx."""
    client, middle, server = (lab.namespace(name) for name in ("client", "middle", "server"))
    lab.cable(client, "eth0", middle, "lan")
    lab.cable(middle, "wan", server, "eth0")
    client.addresses("eth0", "10.9.0.1/24")
    server.addresses("eth0", "10.9.0.2/24")
    folder = tmp_path / "www"
    folder.mkdir()
    server.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=weir.test", "-keyout",
               folder / "key", "-out", folder / "cert")
    folder.chmod(0o755)
    tmp_path.chmod(0o755)
    (folder / "conf").write_text("user root;" + NGINX.format(folder=folder))
    server.start("nginx", "-p", folder, "-c", folder / "conf")
    return client, middle, server, folder


@pytest.mark.parametrize("workers", [1, 2])
def test_a_download_arrives_whole_and_is_read_whole(inline, tmp_path, workers):
    client, middle, server, folder = inline
    hash = write_large(folder / "large")
    log = tmp_path / "log"
    weir = middle.start(WEIR, "run", "--json", "--buffers", "16384", "-w", workers, "-i", "lan=lan", "-i", "wan=wan", "-e",
                        GRAPH.format(log=log))
    client.run("sh", "-c", "for i in $(seq 200); do curl -s -o /dev/null 10.9.0.2/cert && break; sleep 0.05; done")
    begin = time.monotonic()
    client.run("curl", "-sSf", "-D", tmp_path / "head", "-o", tmp_path / "got", "--local-port", "20001",
               "http://10.9.0.2/large", timeout=300)
    print(f"{BYTES / 1e6:.0f} MB in {time.monotonic() - begin:.1f} s")
    assert weir.stop() == 0, weir.output
    summary = json.loads(weir.output[weir.output.index("{\n"):weir.output.rindex("}") + 1])
    assert summary["conserved"]

    sums = hashlib.sha256(), hashlib.sha256((tmp_path / "head").read_bytes())
    with open(tmp_path / "got", "rb") as file:
        while block := file.read(1 << 20):
            for sum in sums:
                sum.update(block)
    assert sums[0].hexdigest() == hash, "it did not arrive as it was sent"
    events = [json.loads(line) for line in log.read_text().splitlines()]
    back = [event for event in events if event.get("srcport") == 20001 and event.get("stream.direction") == "back"]
    assert [event["event"] for event in back] == ["stream.closed"], back
    assert back[0]["stream.bytes"] == BYTES + (tmp_path / "head").stat().st_size and back[0]["stream.gap_bytes"] == 0
    assert back[0]["stream.sha256"] == sums[1].hexdigest(), "it was not read as it arrived"
    answers = [event for event in events if event["event"] == "http.response" and event.get("srcport") == 20001]
    assert len(answers) == 1 and re.search("200", json.dumps(answers[0]))
