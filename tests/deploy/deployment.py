"""What the tests of deployments share: the README's own commands, a Debian to run them in, and how steps are told.

All that is made lies below build/deploy; the trees of packages stay there, so that the next run is quick.
"""

import hashlib
import http.client
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build/deploy"
PORT = 5140  # of what is deployed
PATIENCE = 60
sys.path.insert(0, str(ROOT / "tests/scenarios"))
from harness import Failure, Skip, expect, expect_equal, lines, until  # noqa: E402, F401  pylint: disable=unused-import


def find_mirror():
    """Where this machine gets its own packages from, or MIRROR."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm", "Component: main"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    return os.environ.get("MIRROR") or (told[0].rstrip("/") if told else "")


MIRROR = find_mirror()


def readme_commands(test, name):
    """The block that stands behind `<!-- make TEST runs: NAME -->` in the README, a command a line."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- make {test} runs: {name} -->\n+((?:    .*\n)+)", text)
    expect(found, f"README.md has no block for {test}: {name}")
    return [line[4:] for line in found[1].splitlines()]


def reachable(address):
    try:
        with urllib.request.urlopen(address, timeout=20):
            return True
    except OSError:
        return False


def expect_mirror():
    if not MIRROR:
        raise Skip("there is no source of Debian 12's packages (MIRROR names one)")
    if not reachable(f"{MIRROR}/dists/bookworm/Release"):
        raise Skip(f"{MIRROR} cannot be reached")


def build(command, log, **keywords):
    """Runs what makes a tree; its output goes to a file, of which the end is shown where it fails."""
    path = FOLDER / log
    with open(path, "wb") as output:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=600,
                               check=False, **keywords)
    if ended.returncode != 0:
        end = path.read_text(errors="replace")[-1500:]
        raise Skip(f"{' '.join(map(str, command))[:100]} does not work here: {end}")


def remove(tree):
    if tree.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", str(tree)], check=True)


def tree(name, make):
    """A folder of build/deploy that is made once: `make(folder)`."""
    folder, half = FOLDER / name, FOLDER / f"{name}.half"
    if folder.exists():
        return folder
    FOLDER.mkdir(parents=True, exist_ok=True)
    expect_mirror()
    remove(half)
    make(half)
    half.rename(folder)
    return folder


def debian():
    """A minimal Debian 12, as debootstrap makes it."""

    def make(folder):
        build(["debootstrap", "--variant=minbase", "bookworm", str(folder), MIRROR], "debootstrap.log")
        shutil.rmtree(folder / "var/cache/apt/archives")

    return tree("debian", make)


def debian_with(name, packages):
    """The same with packages; of another list is another tree."""
    name = f"{name}-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:8]}"

    def make(folder):
        subprocess.run(["cp", "-a", "--reflink=auto", str(debian()), str(folder)], check=True)
        install = f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {' '.join(packages)}"
        variables = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        build(["chroot", str(folder), "sh", "-c", f"{install} && apt-get clean"], f"{name}.log", env=variables)

    return tree(name, make)


def ask(connection, path):
    """An HTTP request on a connected socket: the status and the body."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read().decode()


def process_status(process):
    """What the kernel says of a process, by its folder in /proc."""
    lines = (pathlib.Path(process) / "status").read_text(errors="replace").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def send(place, text):
    """One connection that brings the text, and waits until it was taken."""
    with place.connect(PORT) as client:
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            continue


def expect_no_loss(place, records_of, count, act):
    """Acts while one connection brings `count` records, a quarter of them before: `records_of` tells all in the end."""
    wanted = [b"load %d %s" % (number, b"x" * (number % 300)) for number in range(count)]
    data, go_on = b"\n".join(wanted) + b"\n", threading.Event()

    def load():
        with place.connect(PORT) as client:
            client.sendall(data[: len(data) // 4])
            go_on.wait(PATIENCE)
            client.sendall(data[len(data) // 4 :])
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                continue

    client = threading.Thread(target=load)
    client.start()
    until(lambda: wanted[100] in records_of(place), "the first of the load")
    threading.Timer(0, go_on.set).start()
    act()
    client.join()
    got = [record for record in records_of(place) if record.startswith(b"load ")]
    expect_equal((len(got), set(got) == set(wanted)), (count, True), "records that arrived")


def play(title, steps, place):
    """Runs one step behind the other. The exit status."""
    for step in steps:
        began = time.monotonic()
        try:
            step(place)
        except Skip as skip:
            print(f"skipped  {title}.{step.__name__}: {skip}", flush=True)
            continue
        except (Failure, OSError, subprocess.SubprocessError) as failure:
            print(f"failed   {title}.{step.__name__}: {failure}", flush=True)
            return 1
        print(f"passed   {title}.{step.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
    return 0


def run(title, steps, begin):
    """Runs the steps on what `begin()` makes, and closes that. The exit status: good, too, where it cannot be made."""
    try:
        place = begin()
    except Skip as skip:
        print(f"SKIPPED test-{title}: {skip}")
        return 0
    try:
        return play(title, steps, place)
    finally:
        place.close()
