"""A Docker engine of our own, below build/deploy: with mounts, processes and, if it is to be, a network of its own, so
that nothing of it is left when it has ended."""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess

from deployment import FOLDER, PATIENCE, Failure, Skip, expect, until
from machine import CLONE_NEWNET, enter_network

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def leave_network():
    """Gives this process a network that is nothing but a loopback."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", request)[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


class Engine:
    def __init__(self, isolated):
        self.folder = FOLDER / "docker"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = FOLDER / "docker.sock"
        self.log = FOLDER / "dockerd.log"
        command = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--mount-proc",
                   "--kill-child=KILL", "dockerd", "--bridge=none", "--iptables=false", "--ip-forward=false",
                   "--ip-masq=false",
                   f"--data-root={self.folder}", f"--exec-root={FOLDER}/docker.run", f"--pidfile={FOLDER}/docker.pid",
                   f"--host=unix://{self.socket}"]
        self.socket.unlink(missing_ok=True)
        (FOLDER / "docker.pid").unlink(missing_ok=True)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=leave_network if isolated else None)
        try:
            until(lambda: self.process.poll() is not None or self.answers(), "the engine", PATIENCE)
            expect(self.process.poll() is None, "it ended")
        except Failure:
            self.close()
            raise Skip(f"no Docker engine runs here: {self.log.read_text(errors='replace')[-1200:]}") from None

    def variables(self):
        return os.environ | {"DOCKER_HOST": f"unix://{self.socket}", "DOCKER_BUILDKIT": "0",
                             "COMPOSE_DOCKER_CLI_BUILD": "1", "COMPOSE_PROJECT_NAME": "viewduct", "LC_ALL": "C.UTF-8",
                             "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}

    def try_run(self, command, folder, patience=600, **variables):
        """A shell's command: its status and what it says."""
        ended = subprocess.run(["bash", "-c", command], cwd=folder, env=self.variables() | variables,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               timeout=patience, check=False)
        return ended.returncode, ended.stdout.decode(errors="replace")

    def run(self, command, folder=FOLDER, **variables):
        status, said = self.try_run(command, folder, **variables)
        expect(status == 0, f"{command} ended with {status}: {said[-3000:]}")
        return said

    def answers(self):
        return self.try_run("docker version", FOLDER, 20)[0] == 0

    def daemon(self):
        """dockerd's number, as we see it: the child of unshare."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as children:
            return int(children.read().split()[0])

    def inside(self, function):
        return enter_network(self.daemon(), function)

    def close(self):
        """Asks it to end; whatever it started ends with its process namespace."""
        if self.process.poll() is None:
            try:
                os.kill(self.daemon(), signal.SIGTERM)
                self.process.wait(40)
            except (subprocess.TimeoutExpired, IndexError, ProcessLookupError):
                self.process.kill()
        self.process.wait()
