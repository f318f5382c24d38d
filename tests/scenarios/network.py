"""A network of our own: the daemon's side, a router, and the far side, each in a network namespace.

    near 10.77.1.2 ── 10.77.1.1 router 10.77.2.1 ── 10.77.2.2 far

When the router stops forwarding, packets vanish in both directions and nobody is told: connections are half-open. Each
namespace lives as long as a process that reads from us, so nothing of it outlasts the scenario, however that ends.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess
import threading

from harness import PATIENCE, Failure, Skip

NEAR, FAR = "10.77.1.2", "10.77.2.2"
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
        try:
            self.holder.stdin.write(b"\n")
            self.holder.stdin.flush()
        except BrokenPipeError:
            pass  # it has refused, and says why
        if self.holder.stdout.read(1) != b"\n":  # it is there when cat answers
            raise Skip(f"no network namespaces here: {self.holder.stderr.read().decode().strip()}")
        self.wrap = ["nsenter", f"--net={self.path()}"]
        self.ip("link", "set", "lo", "up")

    def path(self):
        return f"/proc/{self.holder.pid}/ns/net"

    def ip(self, *arguments):
        self.run("ip", *arguments)

    def run(self, *command):
        ended = subprocess.run([*self.wrap, *command], capture_output=True, timeout=PATIENCE, check=False)
        if ended.returncode != 0:
            raise Skip(f"{' '.join(command)} is refused here: {ended.stderr.decode().strip()}")

    def sysctl(self, **settings):
        for name, value in settings.items():
            self.run("sh", "-c", f"echo {value} > /proc/sys/net/ipv4/{name}")

    def call(self, function):
        """What the function returns, called where sockets belong to this namespace."""
        results = []

        def enter():
            with open(self.path(), "rb") as namespace:
                if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            results.append(function())

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join(PATIENCE)
        if not results:
            raise Failure("the call within the namespace failed")
        return results[0]

    def close(self):
        self.holder.stdin.close()
        self.holder.wait(PATIENCE)


class Network:
    def __init__(self, near, router, far):
        self.near, self.router, self.far = near, router, far
        self.join(near, "near", NEAR)
        self.join(far, "far", FAR)
        self.mend()

    def join(self, end, name, address):
        gateway = address[:-1] + "1"
        self.router.ip("link", "add", name, "type", "veth", "peer", "name", "eth", "netns", str(end.holder.pid))
        self.router.ip("address", "add", f"{gateway}/24", "dev", name)
        self.router.ip("link", "set", name, "up")
        end.ip("address", "add", f"{address}/24", "dev", "eth")
        end.ip("link", "set", "eth", "up")
        end.ip("route", "add", "default", "via", gateway)

    def cut(self):
        self.router.sysctl(ip_forward=0)

    def mend(self):
        self.router.sysctl(ip_forward=1)


@contextlib.contextmanager
def network():
    """A network, or a skipped scenario where namespaces are refused."""
    for program in ("ip", "unshare", "nsenter"):
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")
    with contextlib.ExitStack() as stack:
        namespaces = []
        for _ in range(3):
            namespaces.append(Namespace())
            stack.callback(namespaces[-1].close)
        yield Network(*namespaces)
