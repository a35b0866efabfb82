# SPDX-License-Identifier: Apache-2.0
"""
    client ─── lan weir wan ─── server      weir resets connections in which a word is said
     curl                        nginx

Both ends believe it at once: the client's program fails as at a reset of its peer, no connection is left at the server.
"""
import json
import shutil
import subprocess
import time

import pytest

from topology import PROJECT
from watch_test import NGINX

WEIR = PROJECT / "build/weir"
NEEDED = [tool for tool in ("nginx", "openssl", "curl", "gcc", "ss") if not shutil.which(tool)]
pytestmark = [pytest.mark.skipif(not WEIR.exists(), reason="build/weir is not built"),
              pytest.mark.skipif(bool(NEEDED), reason=f"missing: {NEEDED}")]
RESET = 56  # curl: failure in receiving
ADDRESS = {4: "10.9.0.2", 6: "[2001:db8::2]"}
GRAPH = """
lan :: Port; wan :: Port;
lan -> up :: Resetter(secret); up[forward] -> wan; up[back] -> lan;
wan -> down :: Resetter(secret); down[forward] -> lan; down[back] -> wan;
"""


@pytest.fixture
def inline(lab, tmp_path):
    client, middle, server = (lab.namespace(name) for name in ("client", "middle", "server"))
    lab.cable(client, "eth0", middle, "lan")
    lab.cable(middle, "wan", server, "eth0")
    client.addresses("eth0", "10.9.0.1/24", "2001:db8::1/64")
    server.addresses("eth0", "10.9.0.2/24", "2001:db8::2/64")
    folder = tmp_path / "www"
    folder.mkdir()
    server.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=weir.test", "-keyout",
               folder / "key", "-out", folder / "cert")
    (folder / "said").write_bytes(b"x" * 300_000 + b"a secret" + b"y" * 3_000_000)
    folder.chmod(0o755)
    tmp_path.chmod(0o755)
    (folder / "conf").write_text("user root;" + NGINX.format(folder=folder).replace("listen 10.9.0.2:80;", "listen 80; listen [::]:80;"))
    server.start("nginx", "-p", folder, "-c", folder / "conf")
    subprocess.run(["gcc", "-std=gnu2x", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-nostartfiles",
                    f"-I{PROJECT}/include", "-o", tmp_path / "connections.so", PROJECT / "tests/story/modules/connections.c"],
                   check=True)
    weir = middle.start("env", f"WEIR_MODULES={tmp_path}:{PROJECT}/build/modules", WEIR, "run", "--json", "--buffers", "16384",
                        "-i", "lan=lan", "-i", "wan=wan", "-e", GRAPH)
    for address in ADDRESS.values():
        client.run("sh", "-c", f"for i in $(seq 200); do curl -gsf -o /dev/null http://{address}/cert && exit; sleep 0.05; done; exit 1")
    return client, weir, server


def fetch(client, version, what, got):
    return client.run("sh", "-c", f"curl -gsS --max-time 10 -o {got} http://{ADDRESS[version]}/{what}; echo $?").strip().splitlines()


@pytest.mark.parametrize("version", [4, 6])
def test_both_ends_believe_it(inline, version, tmp_path):
    client, weir, server = inline
    begin = time.monotonic()
    asked = fetch(client, version, "secret", tmp_path / "got")
    answered = fetch(client, version, "said", tmp_path / "part")
    assert time.monotonic() - begin < 5, "nobody waited for a time-out"
    assert asked[-1] == answered[-1] == str(RESET), (asked, answered)
    assert "reset by peer" in asked[0] and "reset by peer" in answered[0]
    if (tmp_path / "part").exists():
        assert b"a secret" not in (tmp_path / "part").read_bytes()
    left = server.run("ss", "-Htn", "state", "connected", "exclude", "time-wait")
    assert not left.strip(), left
    assert weir.stop() == 0, weir.output
    summary = json.loads(weir.output[weir.output.index("{\n"):weir.output.rindex("}") + 1])
    assert summary["conserved"] and summary["emitted"] == 4
    assert all(summary["elements"][name]["counters"]["failed"] == 0 for name in ("up", "down"))
