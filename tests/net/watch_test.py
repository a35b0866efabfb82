# SPDX-License-Identifier: Apache-2.0
"""
    client ──────── server      weir watch beside the server, or beside the client: what real programs
     curl dig openssl  nginx    did is what it says, and they do not notice that it listens

"""
import json
import os
import re
import shutil
import time

import pytest

from topology import PROJECT

WEIR = PROJECT / "build/weir"
NEEDED = [tool for tool in ("nginx", "openssl", "curl") if not shutil.which(tool)]
pytestmark = [pytest.mark.skipif(not WEIR.exists(), reason="build/weir is not built"),
              pytest.mark.skipif(bool(NEEDED), reason=f"missing: {NEEDED}")]

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ }}
http {{
    access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{ listen 10.9.0.2:80; root {folder}; }}
    server {{ listen 10.9.0.2:443 ssl; root {folder}; ssl_certificate {folder}/cert; ssl_certificate_key {folder}/key; }}
}}
"""
LARGE = 3_000_000


@pytest.fixture
def pair(lab, tmp_path):
    """Two hosts, a web server on one."""
    client, server = lab.namespace("client"), lab.namespace("server")
    lab.cable(client, "eth0", server, "eth0")
    client.addresses("eth0", "10.9.0.1/24")
    server.addresses("eth0", "10.9.0.2/24")
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "large").write_bytes(os.urandom(LARGE))
    server.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=weir.test", "-keyout",
               folder / "key", "-out", folder / "cert")
    folder.chmod(0o755)
    tmp_path.chmod(0o755)
    (folder / "conf").write_text("user root;" + NGINX.format(folder=folder))
    server.start("nginx", "-p", folder, "-c", folder / "conf")
    client.run("sh", "-c", "for i in $(seq 100); do curl -s -o /dev/null 10.9.0.2 && break; sleep 0.05; done")
    return client, server


def start(host, *arguments):
    process = host.start(WEIR, "watch", "--buffers", "8192", *arguments, "eth0")
    end = time.monotonic() + 20
    while "eth0" not in host.run("sh", "-c", "grep -q . /proc/net/packet && tail -n +2 /proc/net/packet | grep -q . "
                                 "&& echo eth0", check=False):
        assert process.is_running and time.monotonic() < end, process.output
        time.sleep(0.05)
    time.sleep(0.3)
    return process


def events(process):
    time.sleep(0.5)  # curl has gone while the server still closes
    assert process.stop() == 0, process.output
    return [json.loads(line) for line in process.output.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("where", ["client", "server"])
def test_what_they_did_is_what_it_says(pair, where, tmp_path):
    client, server = pair
    watch = start(client if where == "client" else server)
    client.run("curl", "-sSf", "-o", tmp_path / "got", "http://10.9.0.2/large", "--local-port", "20001")
    client.run("curl", "-sSfk", "-o", tmp_path / "got", "https://10.9.0.2/large", "--local-port", "20002")
    client.run("sh", "-c", "openssl s_client -connect 10.9.0.2:443 -bind 10.9.0.1:20003 </dev/null", check=False)
    client.run("curl", "-s", "http://10.9.0.2:81/", "--local-port", "20004", check=False)
    if shutil.which("dig"):
        client.run("dig", "@10.9.0.2", "-b", "10.9.0.1#20005", "+tries=1", "+timeout=1", "weir.test", check=False)
    client.run("ping", "-c", "1", "10.9.0.2")
    flows = {(flow["ip.proto"], flow["srcport"]): flow for flow in events(watch) if flow["event"] == "flow.ended"}

    for port in (20001, 20002):
        flow = flows[6, port]
        assert (flow["ip.src"], flow["ip.dst"]) == ("10.9.0.1", "10.9.0.2")
        assert flow["flow.reason"] == "finished" and flow["tcp.conn_state"] == "SF"
        assert LARGE < flow["flow.payload_back"] < LARGE * 1.02
    assert flows[6, 20001]["dstport"] == 80
    assert flows[6, 20003]["dstport"] == 443 and flows[6, 20003]["flow.payload_out"] > 100
    assert flows[6, 20004]["flow.reason"] == "reset" and flows[6, 20004]["tcp.conn_state"] == "REJ"
    if shutil.which("dig"):
        assert flows[17, 20005]["dstport"] == 53 and flows[17, 20005]["flow.packets_out"] == 1
    assert any(protocol == 1 for protocol, _ in flows)


def test_the_bytes_of_a_stream_are_those_that_were_sent(pair, tmp_path):
    client, server = pair
    watch = start(server, "--hash", "-e", "stream.closed tcp.gap", "-f", "tcp.port == 80")
    client.run("curl", "-sSf", "--http0.9", "-o", tmp_path / "got", "http://10.9.0.2/large", "--local-port", "20001")
    head = int(client.run("curl", "-sSfI", "http://10.9.0.2/large", "-w", "%{size_header}").split()[-1])
    told = events(watch)
    back = [stream for stream in told if stream.get("stream.direction") == "back" and stream["srcport"] == 20001]
    assert [event["event"] for event in told if event["event"] != "stream.closed"] == []
    assert back[0]["stream.bytes"] == LARGE + head and back[0]["stream.gap_bytes"] == 0
    assert re.fullmatch("[0-9a-f]{64}", back[0]["stream.sha256"])


def test_a_summary_while_it_goes_on(pair, tmp_path):
    client, server = pair
    watch = start(server, "--summary")
    for port in range(20001, 20021):
        client.run("curl", "-sSf", "-o", "/dev/null", "http://10.9.0.2/cert", "--local-port", port)
    summary = events(watch)[0]
    assert summary["missed"] == 0
    assert summary["flows"]["tcp"]["flows"] == summary["flows"]["tcp"]["finished"] == 20
    assert summary["top_talkers"]["by_flows"][0]["flows"] >= 20


def test_a_reader_that_does_not_read_loses_only_what_is_counted(pair, tmp_path):
    client, server = pair
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDWR)  # it opens, and does not read
    watch = server.start("sh", "-c", f"exec {WEIR} watch --buffers 8192 -e 'packet.received stream.closed' eth0 > {fifo}")
    time.sleep(2)
    for _ in range(10):  # the host and its programs go on meanwhile
        client.run("curl", "-sSf", "-o", "/dev/null", "http://10.9.0.2/large")
    pinged = client.run("ping", "-f", "-q", "-c", "30000", "10.9.0.2", timeout=60)
    came = sum(map(int, re.search(r"(\d+) packets transmitted, (\d+) received", pinged).groups()))
    assert watch.is_running
    watch.popen.send_signal(2)
    text = b""
    os.set_blocking(reader, False)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            text += os.read(reader, 1 << 20)
        except BlockingIOError:
            if not watch.is_running:
                break
            time.sleep(0.01)
    os.close(reader)
    lines = [json.loads(line) for line in text.decode().splitlines()]
    lost = sum(line["observer.count"] for line in lines if line["event"] == "observer.lost")
    seen = sum(line["event"] == "packet.received" for line in lines)
    missed = re.search(r"(\d+) packets came faster", watch.output)
    assert lost > 0 and seen > 8000
    assert seen + lost + (int(missed[1]) if missed else 0) >= came


SSHD = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")


@pytest.mark.skipif(not (SSHD and shutil.which("ssh")), reason="no sshd, or no ssh: openssh-server, openssh-client")
def test_ssh(pair, tmp_path):
    """A command's output over ssh, and one who may not log in."""
    client, server = pair
    for name in ("host", "user", "stranger"):
        server.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name)
    os.makedirs("/run/sshd", exist_ok=True)
    sshd = server.start(SSHD, "-D", "-e", "-h", tmp_path / "host", "-o", f"AuthorizedKeysFile={tmp_path}/user.pub", "-o",
                        "StrictModes=no", "-o", "PidFile=none", "-o", "UsePAM=no", "-o", "PasswordAuthentication=no", "-o",
                        "PermitRootLogin=prohibit-password", "-f", "/dev/null")
    sshd.wait_for("Server listening on 0.0.0.0")
    watch = start(server, "-e", "flow.ended tcp.established", "-f", "tcp.port == 22")
    told = {}
    for name in ("user", "stranger"):
        told[name] = client.run("ssh", "-i", tmp_path / name, "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o",
                                "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "root@10.9.0.2", "seq 20000", check=False)
    assert told["user"].rstrip().endswith("20000") and "Permission denied" in told["stranger"]
    time.sleep(0.2)
    flows = [event for event in events(watch) if event["event"] == "flow.ended"]
    assert [flow["dstport"] for flow in flows] == [22, 22]
    assert {(flow["ip.src"], flow["tcp.conn_state"]) for flow in flows} == {("10.9.0.1", "SF")}
    long, short = sorted(flows, key=lambda flow: -flow["flow.payload_back"])
    assert long["flow.payload_back"] > 108894 > 10000 > short["flow.payload_back"] > 500
