"""A machine: Debian with a systemd that has booted, in systemd-nspawn, with a network of its own that is loopback."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import threading

from deployment import FOLDER, PATIENCE, ROOT, Failure, Skip, debian_with, expect, remove, until

CLONE_NEWNET = 0x40000000
PACKAGES = ["systemd", "systemd-sysv", "dbus", "sudo", "make"]


def packages_of(binary):
    """Those of the libraries that it is linked with."""
    linked = subprocess.run(["ldd", binary], capture_output=True, check=True).stdout.decode()
    names = ["*/" + os.path.basename(os.path.realpath(word)) for word in linked.split() if word.startswith("/")]
    owners = subprocess.run(["dpkg-query", "--search", *names], capture_output=True, check=True).stdout.decode()
    return sorted({line.partition(":")[0] for line in owners.splitlines() if not line.startswith("libc6")})


def enter_network(pid, function):
    """Runs it on a thread that is in the network of that process: sockets made there stay there."""
    result = []

    def enter():
        try:
            with open(f"/proc/{pid}/ns/net", "rb") as network:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(network.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result.append(function())
        except OSError as error:
            result.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if isinstance(result[0], OSError):
        raise result[0]
    return result[0]


class Machine:
    """The project lies in /src of the machine, read-only."""

    def __init__(self, name):
        self.folder = FOLDER / f"machine.{os.getpid()}"
        self.log = FOLDER / "boot.log"
        tree = debian_with("systemd", PACKAGES + packages_of(ROOT / "build/viewduct"))
        remove(self.folder)
        subprocess.run(["cp", "-a", "--reflink=auto", str(tree), str(self.folder)], check=True)
        command = ["systemd-nspawn", "--quiet", "--register=no", f"--machine={name}-{os.getpid()}", "-D",
                   str(self.folder), "--private-network", f"--bind-ro={ROOT}:/src", "--console=pipe", "--boot"]
        if not os.path.exists("/run/systemd/system"):
            command.insert(1, "--keep-unit")  # there is nobody to ask for one
        variables = os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=variables)
        try:
            self.boot()
        except Failure:
            self.close()
            raise Skip(f"no systemd boots in a container here: {self.log.read_text(errors='replace')[-800:]}") from None

    def boot(self):
        until(lambda: self.process.poll() is not None or self.leader(), "the first process", PATIENCE)
        expect(self.process.poll() is None, "it does not boot")
        ready = ("running", "degraded")
        until(lambda: self.process.poll() is not None
              or self.try_run("systemctl is-system-running")[1].strip() in ready, "the boot", PATIENCE)
        expect(self.process.poll() is None, "it does not boot")

    def leader(self):
        """The number of the machine's first process, as we see it; None before there is one."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as children:
            numbers = children.read().split()
        for number in numbers:
            with open(f"/proc/{number}/comm", encoding="ascii") as comm:
                if comm.read().strip() == "systemd":
                    return int(number)
        return None

    def path(self, path):
        """A path of the machine, as we see it."""
        return f"/proc/{self.leader()}/root{path}"

    def try_run(self, command, patience=PATIENCE):
        """A shell's command in /src of the machine: its status and what it says."""
        enter = ["nsenter", "-t", str(self.leader()), "-a", "--", "env", "-i", "HOME=/root", "LC_ALL=C.UTF-8",
                 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_PAGER=cat"]
        ended = subprocess.run([*enter, "sh", "-c", f"cd /src && {command}"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=patience, check=False)
        return ended.returncode, ended.stdout.decode(errors="replace")

    def run(self, command):
        status, said = self.try_run(command)
        expect(status == 0, f"{command} ended with {status}: {said[-2000:]}{self.journal_text()[-2000:]}")
        return said

    def show(self, unit, name):
        return self.run(f"systemctl show -p {name} --value {unit}").strip()

    def journal(self, unit):
        """What the unit's own process said: dictionaries."""
        text = self.run(f"journalctl --sync; journalctl -o json -u {unit}")
        return [entry for entry in map(json.loads, text.splitlines()) if entry.get("_SYSTEMD_UNIT") == unit]

    def journal_text(self):
        return self.try_run("journalctl --no-pager -n 30 -u 'viewduct*'")[1]

    def inside(self, function):
        return enter_network(self.leader(), function)

    def connect(self, port):
        return self.inside(lambda: socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))

    def close(self):
        if self.process.poll() is None and self.leader():
            os.kill(self.leader(), signal.SIGRTMIN + 4)  # systemd(1): poweroff.target
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                pass
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        remove(self.folder)
