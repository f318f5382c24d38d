"""What each measurement needs: the folder and inputs, processes that are timed, and checks of what they put out."""

import dataclasses
import json
import os
import pathlib
import random
import select
import shutil
import signal
import socket
import subprocess
import time
import zlib

PATIENCE = 60  # seconds that any one run may take before it counts as hung
SEED = 1
MEGABYTE = 1_000_000


class Wrong(Exception):
    """A result that is not what it should be: it has no time, and the bench fails."""


class Missing(Exception):
    """A participant that is not on this machine."""


@dataclasses.dataclass
class Sample:
    """What one run took. `numbers` are what else is measured in some rows, by name."""

    bytes: int
    seconds: float = 0.0
    user: float = 0.0
    system: float = 0.0
    rss: int = 0
    numbers: dict = dataclasses.field(default_factory=dict)

    def value(self, metric):
        gigabytes = self.bytes / 1e9
        known = {
            "rate": self.bytes / MEGABYTE / self.seconds if self.seconds else None,
            "cpu": (self.user + self.system) / gigabytes,
            "user": self.user / gigabytes,
            "rss": self.rss / MEGABYTE,
        }
        return known[metric] if metric in known else self.numbers.get(metric)


def expect(truth, why):
    if not truth:
        raise Wrong(why)


def until(condition, what, pause=0.001, patience=PATIENCE):
    """Waits for what has no event of its own: a file that others write, a port that others listen to."""
    end = time.monotonic() + patience
    while not condition():
        expect(time.monotonic() < end, f"waited in vain for {what}")
        time.sleep(pause)


def warm(path):
    """Into the page cache."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def counts(text):
    """{"bytes": "12", …} of "bytes=12 …"."""
    return dict(pair.split("=", 1) for pair in text.split() if "=" in pair)


def size_of(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


class Bench:
    """A folder to work in, its inputs, and what runs in it."""

    def __init__(self, options):
        self.options = options
        self.megabytes = options.megabytes
        self.folder = pathlib.Path(options.folder).resolve()
        self.inputs = self.folder / "inputs"
        self.work = self.folder / "work"
        self.inputs.mkdir(parents=True, exist_ok=True)
        self.tallies = {}
        self.children = []
        self.port = random.Random(os.getpid()).randrange(10000, 30000)

    # --- inputs

    def made(self, name, command):
        """The path of what a command writes. It is made once, and anew where the maker of the lines is newer."""
        mark = zlib.crc32(" ".join(pathlib.Path(word).name for word in command).encode())
        path = self.inputs / f"{self.megabytes}-{name}-{mark:08x}"
        if not path.exists() or path.stat().st_mtime < os.stat(self.program("make")).st_mtime:
            self.output_of(command, path.with_suffix(".new"))
            path.with_suffix(".new").rename(path)
        warm(path)
        return str(path)

    def lines(self, kind):
        return self.made(f"{kind}-lines", [self.program("make"), kind, str(self.megabytes), str(SEED)])

    def words(self):
        return self.made("words", [self.program("make"), "words", "100", str(SEED)])

    def first_lines(self, count):
        return self.made("first-lines", ["head", "-n", str(count), self.lines("log")])

    def encoded(self, codec):
        """The log lines, compressed by the codec's own tool, as it does where nothing else is said."""
        return self.made(codec, [codec, "-q", "-c", self.lines("log")])

    def kept(self, name, grep):
        """What a filter must keep of the log lines, as grep sees it."""
        return self.made(f"kept-{name}", ["grep", "-a", *grep, self.lines("log")])

    @staticmethod
    def output_of(command, path):
        with open(path, "wb") as output:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, check=True, timeout=PATIENCE * 5,
                           env=environment())

    def program(self, name):
        return str(pathlib.Path(self.options.programs).resolve() / name)

    # --- runs

    def fresh(self):
        """An empty folder, nothing left to be written: each run begins alike."""
        if self.work.exists():
            shutil.rmtree(self.work)
        self.work.mkdir()
        os.sync()

    def path(self, name):
        return str(self.work / name)

    def free_port(self):
        while True:
            self.port = self.port + 1 if self.port < 32000 else 10000
            with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    stream.bind(("127.0.0.1", self.port))
                    datagram.bind(("127.0.0.1", self.port))
                    return self.port
                except OSError:
                    continue

    def viewduct(self, backend, source, stages, sink, log_format=None, service=None, **options):
        """The command that runs a pipeline, all else but `service` and the pipeline's `options` left at its default."""
        pipeline = {"from": source, "stages": stages, "to": sink} | options
        configuration = {"service": {"io": backend} | (service or {}), "pipelines": {"bench": pipeline}}
        path = pathlib.Path(self.path("viewduct.json"))
        path.write_text(json.dumps(configuration, indent=2))
        how = ["--log-format", log_format] if log_format else ["--quiet"]
        return [str(pathlib.Path(self.options.binary).resolve()), "run", str(path), *how]

    def start(self, command, **keywords):
        """A helper that is not measured. Its pipes are not buffered, or what it says is read ahead and lost."""
        child = subprocess.Popen(command, cwd=self.work, env=environment(), bufsize=0, **keywords)
        self.children.append(child)
        return child

    def helper_says(self, child, word):
        """The number behind `word`, which the helper says when it is so far."""
        ready, _, _ = select.select([child.stdout], [], [], PATIENCE)
        line = child.stdout.readline().decode() if ready else ""
        expect(line.startswith(word + " "), f"{child.args[0]} says {line!r} in place of {word!r}")
        return int(line.split()[1])

    @staticmethod
    def rest_of(child, told=b""):
        """What else a helper says, to its end; it must be a good one."""
        try:
            said, errors = child.communicate(told, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Wrong(f"{child.args[0]} does not end") from None
        expect(child.returncode == 0, f"{child.args[0]} failed: {(errors or b'').decode(errors='replace')}")
        return said.decode()

    def close(self):
        """Ends what still runs after something went wrong."""
        for child in self.children:
            if isinstance(child, Timed):
                child.kill()
            elif child.poll() is None:
                child.kill()
                child.wait()
            for pipe in (getattr(child, name, None) for name in ("stdin", "stdout", "stderr")):
                if pipe:
                    pipe.close()
        self.children.clear()

    # --- checks

    def tally(self, *paths):
        found = subprocess.run([self.program("tally"), *map(str, paths)], capture_output=True, text=True, check=True,
                               timeout=PATIENCE)
        return counts(found.stdout)

    def tally_of_input(self, path):
        """An input's; it stays as it is."""
        if path not in self.tallies:
            self.tallies[path] = self.tally(path)
        return self.tallies[path]

    def expect_same(self, found, input_path, mixed=False):
        """The output has the input's lines, in any order; or, where lines may be mixed, its bytes."""
        for key in ("bytes", "records", "histogram") if mixed else ("bytes", "records", "lines"):
            wanted = self.tally_of_input(input_path)[key]
            expect(found.get(key) == wanted, f"{key}: {found.get(key)} came out, wanted {wanted}")


def environment():
    found = dict(os.environ, LC_ALL="C")
    for name in ("GREP_OPTIONS", "RIPGREP_CONFIG_PATH", "ZSTD_CLEVEL", "ZSTD_NBTHREADS", "GZIP", "PIGZ", "NOTIFY_SOCKET",
                 "JOURNAL_STREAM", "MAKEFLAGS", "MFLAGS"):
        found.pop(name, None)
    return found


class Timed:
    """One command, or several joined by pipes, whose time, CPU time and memory are taken."""

    def __init__(self, bench, *commands, output="/dev/null"):
        self.bench = bench
        self.commands = commands
        self.errors = bench.path("stderr")
        reading, writing = os.pipe()
        arguments = [argument for command in commands for argument in ("|", *command)][1:]
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen([bench.program("timed"), str(writing), "/dev/null", output, *arguments],
                                            cwd=bench.work, env=environment(), stderr=errors, pass_fds=(writing,))
        os.close(writing)
        self.report = os.fdopen(reading)
        self.pids = [int(pid) for pid in self.report.readline().split()[1:]]
        bench.children.append(self)
        expect(self.pids, f"it does not start: {self.said()}")

    def said(self):
        return self.said_whole()[-1500:]

    def said_whole(self):
        return pathlib.Path(self.errors).read_text(errors="replace")

    def runs(self):
        return self.process.poll() is None

    def until_bound(self, port, protocol="tcp"):
        """Until somebody listens at the port (TCP), or has it (UDP)."""
        state = "0A" if protocol == "tcp" else "07"

        def bound():
            expect(self.runs(), f"it ended: {self.said()}")
            return any(f":{port:04X} " in line and line.split()[3] == state
                       for name in (protocol, protocol + "6")
                       for line in pathlib.Path(f"/proc/net/{name}").read_text().splitlines()[1:]
                       if line.split()[1].endswith(f":{port:04X}"))

        until(bound, f"port {port}")

    def stop(self):
        if self.runs():
            self.process.send_signal(signal.SIGTERM)

    def kill(self):
        if self.runs():
            for pid in self.pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self.process.wait()
        self.report.close()

    def finish(self, size, allowed=(0,)):
        """The sample of a run over `size` bytes of input."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Wrong(f"it does not end: {self.said()}") from None
        sample = Sample(size)
        for line in self.report:
            word, *values = line.split()
            if word == "seconds":
                sample.seconds = float(values[0])
                continue
            expect(int(values[0]) in allowed, f"exit status {values[0]}: {self.said()}")
            sample.user += float(values[1])
            sample.system += float(values[2])
            sample.rss += int(values[3]) * 1024
        return sample

    def resident(self):
        """Bytes of memory that it has now."""
        return sum(status_number(f"/proc/{pid}/status", "VmRSS") * 1024 for pid in self.pids)

    def path_seconds(self):
        """CPU time of the first thread until now: viewduct's data path, where it has one pipeline. The admin server's threads,
        and all that others do, are in none of it."""
        return sum(int(pathlib.Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) for pid in self.pids) / 1e9

    def wakes(self):
        """How often its threads have waited until now: each was woken as often."""
        return sum(status_number(f"/proc/{pid}/task/{task}/status", "voluntary_ctxt_switches")
                   for pid in self.pids for task in os.listdir(f"/proc/{pid}/task"))


def status_number(path, name):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise Wrong(f"{path} has no {name}")


def have(*programs):
    for program in programs:
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            raise Missing(f"{program} is not installed")
