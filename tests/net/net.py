# SPDX-License-Identifier: Apache-2.0
"""Network namespaces for tests: hosts, cables between them, programs inside, and everything gone afterwards.

    with Lab(directory) as lab:
        a, b = lab.namespace("a"), lab.namespace("b")
        lab.cable(a, "eth0", b, "eth0")
        a.addresses("eth0", "10.0.0.1/24")
        server = b.start("iperf3", "-s")
        print(a.run("ping", "-c", "1", "10.0.0.2"))
"""
import contextlib
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

TOOLS = {  # and the Debian package that has it
    "ip": "iproute2", "ethtool": "ethtool", "sysctl": "procps", "setpriv": "util-linux", "tcpdump": "tcpdump", "ping": "iputils-ping",
    "traceroute": "traceroute", "curl": "curl", "iperf3": "iperf3",
}


class Failed(AssertionError):
    """A program ended with another status than it should, or did not end at all."""


def host(*command, timeout=20, check=True):
    """Runs a program to its end; returns what it printed, errors included."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=timeout)
    except subprocess.TimeoutExpired as late:
        printed = (late.stdout or b"").decode(errors="replace")
        raise Failed(f"`{' '.join(command)}` still ran after {timeout} s; it had printed:\n{printed}") from None
    if check and done.returncode != 0:
        raise Failed(f"`{' '.join(command)}` ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class Process:
    """A program in the background, its output in a file."""

    def __init__(self, command, log):
        self.command, self.log = command, pathlib.Path(log)
        with open(log, "wb") as file:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)

    @property
    def output(self):
        return self.log.read_text(errors="replace")

    @property
    def is_running(self):
        return self.popen.poll() is None

    def wait_for(self, pattern, seconds=10):
        """Returns when the output matches."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.output):
            if not self.is_running or time.monotonic() > end:
                state = "runs" if self.is_running else f"ended with {self.popen.returncode}"
                raise Failed(f"no /{pattern}/ from `{' '.join(self.command)}`, which {state}:\n{self.output}")
            time.sleep(0.02)

    def stop(self, how=signal.SIGINT, seconds=10):
        """Ends it, and returns its exit status; None if it had to be killed."""
        if self.is_running:
            self.popen.send_signal(how)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            return None


class Namespace:
    """One host."""

    def __init__(self, lab, name):
        self.lab, self.name, self.netns = lab, name, f"{lab.prefix}{name}"
        host("ip", "netns", "add", self.netns)
        lab.namespaces.append(self)

    def inside(self, *command):
        """The command that runs one here. What it starts ends with us, whatever becomes of us."""
        return ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", self.netns, *map(str, command)]

    def run(self, *command, timeout=20, check=True):
        return host(*self.inside(*command), timeout=timeout, check=check)

    def start(self, *command):
        process = Process(self.inside(*command), self.lab.log_name(f"{self.name}-{pathlib.Path(command[0]).name}"))
        self.lab.processes.append(process)
        return process

    def ip(self, *command, check=True):
        return host("ip", "-n", self.netns, *map(str, command), check=check)

    def sysctl(self, **settings):
        """sysctl(net__ipv4__ip_forward=1)"""
        self.run("sysctl", "-qw", *(f"{key.replace('__', '.')}={value}" for key, value in settings.items()))

    def addresses(self, interface, *addresses):
        for address in addresses:
            self.ip("addr", "add", address, "dev", interface, *(["nodad"] if ":" in address else []))

    def forget_neighbours(self):
        self.ip("neigh", "flush", "all")

    @contextlib.contextmanager
    def watch(self, interface, expression):
        """What tcpdump prints of an interface meanwhile: `with host.watch("eth0", "arp") as seen: ...; seen()`"""
        tcpdump = self.start("tcpdump", "-l", "--immediate-mode", "-nnev", "-i", interface, expression)
        tcpdump.wait_for("listening on")

        def seen():
            if tcpdump.is_running:
                before, quiet = None, 0
                while quiet < 3:  # what is under way, on a slow machine too
                    quiet = quiet + 1 if before == tcpdump.output else 0
                    before = tcpdump.output
                    time.sleep(0.5)
                tcpdump.stop()
            return re.sub(r"\n\s+", " ", tcpdump.output)

        try:
            yield seen
        finally:
            tcpdump.stop()


class Lab:
    """The namespaces and processes of one test."""

    count = 0

    def __init__(self, directory):
        Lab.count += 1
        self.prefix = f"weirtest-{os.getpid()}-{Lab.count}-"
        self.directory = pathlib.Path(directory)
        self.namespaces, self.processes = [], []

    def __enter__(self):
        sweep()
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.stop(signal.SIGTERM, 3)
        for namespace in self.namespaces:
            host("ip", "netns", "del", namespace.netns, check=False)
        self.namespaces, self.processes = [], []

    def namespace(self, name):
        return Namespace(self, name)

    def log_name(self, name):
        return self.directory / f"{len(self.processes):02d}-{name}.log"

    def cable(self, one, one_interface, two, two_interface, mtu=1500, macs=(None, None)):
        """A pair of veth, up at both ends."""
        ends = [["mtu", str(mtu), *(["address", mac] if mac else [])] for mac in macs]
        one.ip("link", "add", "name", one_interface, *ends[0], "type", "veth",
               "peer", "name", two_interface, "netns", two.netns, *ends[1])
        one.ip("link", "set", "dev", one_interface, "up")
        two.ip("link", "set", "dev", two_interface, "up")


def sweep():
    """Removes namespaces of a run of these tests that was killed."""
    for netns in host("ip", "netns", "list").split():
        owner = re.match(r"weirtest-(\d+)-", netns)
        if owner and not os.path.exists(f"/proc/{owner[1]}"):
            host("ip", "netns", "del", netns, check=False)


@functools.lru_cache
def why_impossible():
    """What keeps these tests from running here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        return f"missing: {', '.join(missing)}; apt-get install {' '.join(TOOLS[tool] for tool in missing)}"
    try:
        with Lab("/nonexistent") as lab:
            lab.cable(lab.namespace("a"), "eth0", lab.namespace("b"), "eth0")
    except Failed as failed:
        return f"no network namespaces or no veth here: {failed}"
    return None
