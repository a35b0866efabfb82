# SPDX-License-Identifier: Apache-2.0
"""
    client ─── lan router wan ─── server
     curl  <──── 20 MB ────────  http        and the other way round
"""
import hashlib
import os
import pathlib
import sys

import pytest

SERVER = pathlib.Path(__file__).with_name("http_server.py")


@pytest.fixture
def large(tmp_path):
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "large").write_bytes(os.urandom(20_000_000))
    return folder / "large"


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("direction", ["back", "forth"])
@pytest.mark.parametrize("family", [4, 6])
def test_a_large_file_arrives_unchanged(three_hosts, tmp_path, large, family, direction):
    hosts = three_hosts
    sender, receiver, address = {
        "back": (hosts.server, hosts.client, hosts.server_ip[family]),
        "forth": (hosts.client, hosts.server, hosts.client_ip[family]),
    }[direction]
    sender.start(sys.executable, SERVER, address, large.parent).wait_for("serving")

    url = f"http://[{address}]/" if family == 6 else f"http://{address}/"
    receiver.run("curl", "-sSf", "-m", "60", "--connect-timeout", "2", "-o", tmp_path / "got", f"{url}large",
                 timeout=70)
    assert sha256(tmp_path / "got") == sha256(large)
    assert "404" in receiver.run("curl", "-s", "-m", "5", "-w", "%{http_code}", f"{url}missing")
