"""What every scenario uses: the real binary, one oracle, and the checks that follow each run.

A scenario is a function with a Case: a folder of its own, a backend, and the daemon. After each run of the daemon its
exit status, its log (every line parses), its summary (in = out + filtered + dropped + held at every node), its copies
and the sanitizers' reports are checked, whatever the scenario was about.
"""

import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds that anything may take before it counts as hung; nothing asserts a shorter time
MIB = 1 << 20

scenarios = []


class Failure(Exception):
    """A promise that was not kept."""


class Skip(Exception):
    """What the scenario needs is not here."""


def expect(truth, why):
    if not truth:
        raise Failure(why)


def expect_equal(found, wanted, what):
    if found != wanted:
        raise Failure(f"{what}: found {shorten(found)}, wanted {shorten(wanted)}")


def shorten(value):
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:140]} … {text[-140:]} ({len(value)} long)"


def scenario(backends=("uring", "epoll")):
    """Marks a function as a scenario, to be run once a backend ("refused": io_uring_setup fails under strace)."""

    def mark(function):
        for backend in backends:
            scenarios.append((f"{function.__module__}.{function.__name__}", backend, function))
        return function

    return mark


def lines(data):
    """The records of text that is split on newline, each with its delimiter."""
    found = [line + b"\n" for line in data.split(b"\n")]
    return found[:-1] if found[-1] == b"\n" else [*found[:-1], found[-1][:-1]]


def until(condition, what, patience=PATIENCE):
    """Waits for something that has no event of its own, such as a file that another process writes."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"waited in vain for {what}")
        time.sleep(0.005)


next_port = 0


def free_port():
    """A port that nobody listens to, outside the range that connections get theirs from."""
    global next_port
    if next_port == 0:
        next_port = random.Random(os.getpid()).randrange(10000, 30000)  # scenarios run side by side
    while True:
        next_port = next_port + 1 if next_port < 32000 else 10000
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", next_port))
                return next_port
            except OSError:
                continue


def one(source, stages, sink, **service):
    """The configuration of a pipeline named "main"."""
    pipeline = {"from": source, "stages": stages, "to": sink}
    return {"service": service, "pipelines": {"main": pipeline}}


class Case:
    def __init__(self, options, folder, backend):
        self.options = options
        self.folder = pathlib.Path(folder)
        self.backend = backend
        self.daemons = []

    def path(self, name):
        return str(self.folder / name)

    def write(self, name, data):
        (self.folder / name).write_bytes(data)
        return self.path(name)

    def read(self, name):
        return (self.folder / name).read_bytes()

    def size(self, name):
        try:
            return (self.folder / name).stat().st_size
        except FileNotFoundError:
            return 0

    def logs(self, name):
        """A real log of the collection, if it is here."""
        folder = os.environ.get("VIEWDUCT_LOGS")
        if not folder or not os.path.exists(os.path.join(folder, name)):
            raise Skip(f"no real logs here (VIEWDUCT_LOGS), {name} is needed")
        return os.path.join(folder, name)

    def configure(self, configuration, name="viewduct.json"):
        service = configuration.setdefault("service", {})
        service.setdefault("io", "auto" if self.backend == "refused" else self.backend)
        service.setdefault("admin", False)  # scenarios run side by side: the usual port is one
        return self.write(name, json.dumps(configuration, indent=2).encode())

    def command(self, *arguments, **keywords):
        """Runs the binary to its end, as a plain command."""
        keywords.setdefault("cwd", self.folder)
        keywords.setdefault("env", self.environment())
        return subprocess.run([self.options.binary, *arguments], capture_output=True, timeout=PATIENCE, check=False,
                              **keywords)

    def environment(self):
        environment = dict(os.environ)
        traced = ":detect_leaks=0" if self.backend == "refused" else ""
        environment["ASAN_OPTIONS"] = f"{environment.get('ASAN_OPTIONS', '')}:log_path={self.path('sanitizer')}{traced}"
        environment.pop("JOURNAL_STREAM", None)
        return environment

    def daemon(self, configuration, **keywords):
        """Starts the daemon."""
        daemon = Daemon(self, self.configure(configuration), **keywords)
        self.daemons.append(daemon)
        return daemon

    def run(self, configuration, **keywords):
        """Runs a configuration that ends by itself, and checks what must hold after every run."""
        checks = {key: keywords.pop(key) for key in ("status", "copied", "warnings") if key in keywords}
        return self.daemon(configuration, **keywords).finish(**checks)

    def make_records(self, run, count, most=1000, seed=1):
        return subprocess.run([self.options.programs + "/ledger", "make", run, str(count), str(most), str(seed)],
                              capture_output=True, check=True, timeout=PATIENCE).stdout

    def verify(self, data, lost_is_fine=False, **runs):
        """The ledger's verdict on what arrived; a dictionary of its counts."""
        arguments = ["--lost-is-fine"] if lost_is_fine else []
        arguments += [f"{run}={count}" for run, count in runs.items()]
        verdict = subprocess.run([self.options.programs + "/ledger", "verify", *arguments], input=data,
                                 capture_output=True, timeout=PATIENCE, check=False)
        expect(verdict.returncode == 0, f"the ledger: {verdict.stdout.decode()}{verdict.stderr.decode()}")
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", verdict.stdout.decode())}

    def close(self):
        for daemon in self.daemons:
            daemon.kill()

    def check_sanitizers(self):
        for report in self.folder.glob("sanitizer*"):
            raise Failure(f"a sanitizer says:\n{report.read_text(errors='replace')[:4000]}")


class Result:
    """What a run left behind."""

    def __init__(self, status, stdout, stderr, log_format):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr
        self.events = []
        self.summary = None
        if log_format == "json":
            self.read_events()

    def read_events(self):
        for line in self.stderr.decode(errors="strict").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                raise Failure(f"a log line that does not parse: {line!r}") from None
            if event.get("event") == "summary":
                self.summary = event["nodes"]
            else:
                self.events.append(event)

    def messages(self, level=None):
        return [event["msg"] for event in self.events if level in (None, event["level"])]

    def node(self, name):
        expect(self.summary and f"main.{name}" in self.summary, f"the summary has no node {name}: {self.summary}")
        return self.summary[f"main.{name}"]

    def dropped(self, name, reason):
        return self.node(name)["dropped"].get(reason, 0)


class Daemon:
    """A daemon that runs. Ready when the constructor returns, unless it ended before."""

    def __init__(self, case, configuration, arguments=(), log_format="json", stdin=subprocess.DEVNULL, stdout=None,
                 wrap=(), environment=None, wait=True, descriptors=()):
        self.case = case
        self.log_format = log_format
        self.stderr_path = case.path(f"stderr.{len(case.daemons)}")
        self.stdout_path = case.path(f"stdout.{len(case.daemons)}")
        notices = case.path(f"notify.{len(case.daemons)}")
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(notices)
        variables = case.environment() | {"NOTIFY_SOCKET": notices} | (environment or {})
        command = [case.options.binary, "run", configuration, "--log-format", log_format, *arguments]
        if case.backend == "refused":
            # -D: the daemon, not strace, is our child.
            command = ["strace", "-D", "-qq", "-o", "/dev/null", "-e", "trace=io_uring_setup", "-e",
                       "inject=io_uring_setup:error=EPERM", *command]
        with open(self.stderr_path, "wb") as stderr, open(self.stdout_path, "wb") as own_stdout:
            self.process = subprocess.Popen([*wrap, *command], cwd=case.folder, env=variables, stdin=stdin,
                                            stdout=stdout or own_stdout, stderr=stderr, pass_fds=descriptors)
        if wait:
            expect(self.wait_for("READY=1"), f"it does not start: {self.stderr()[-2000:]!r}")

    def wait_for(self, notice):
        """Waits for a notice to the service manager. False if the daemon ended without it."""
        end = time.monotonic() + PATIENCE
        self.notices.settimeout(0.02)
        while time.monotonic() < end:
            try:
                if self.notices.recv(100).decode() == notice:
                    return True
            except TimeoutError:
                if self.process.poll() is not None:
                    return False
        raise Failure(f"no {notice}; standard error: {self.stderr()[-2000:]!r}")

    def stderr(self):
        return pathlib.Path(self.stderr_path).read_bytes()

    def log_has(self, text):
        return text.encode() in self.stderr()

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.notices.close()

    def status_field(self, name):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith(name + ":"):
                    return int(line.split()[1])
        raise Failure(f"/proc has no {name}")

    def peak(self):
        """The most memory that was ever resident."""
        return self.status_field("VmHWM") * 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def expect_bounded(self, memory, connections=0):
        """Promise 2; sanitizers keep books of their own."""
        if not self.case.options.sanitized:
            bound = memory + 24 * MIB + MIB + connections * 4096
            expect(self.peak() <= bound, f"the highest RSS, {self.peak()}, is over {bound}")

    def drain(self, **checks):
        self.signal(signal.SIGTERM)
        return self.finish(**checks)

    def finish(self, status=0, copied=(), warnings=None):
        """Waits for the end and checks what must hold after every run. `copied`: the reasons that may be."""
        try:
            found = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"it does not end; standard error: {self.stderr()[-2000:]!r}") from None
        result = Result(found, pathlib.Path(self.stdout_path).read_bytes(), self.stderr(), self.log_format)
        self.case.check_sanitizers()
        expect_equal(found, status, f"exit status (standard error: {result.stderr[-1500:]!r})")
        if result.summary is not None:
            check_balance(result.summary)
            check_copies(result.summary, copied)
        if self.case.backend == "refused" and self.log_format == "json" and result.summary is not None:
            about = [text for text in result.messages("warning") if "io_uring" in text]
            expect_equal(len(about), 1, "warnings about io_uring")
            expect_equal(len(result.messages("warning")), 1 if warnings is None else warnings + 1, "warnings")
        elif warnings is not None:
            expect_equal(len(result.messages("warning")), warnings, f"warnings in {result.messages()}")
        return result


def check_balance(nodes):
    for name, node in nodes.items():
        if ".from." in name and name.count(".") == 2:
            continue  # a source has no records on its way in
        out = node["records_out"] + node["filtered"] + sum(node["dropped"].values()) + node["held"]
        expect(node["records_in"] == out, f"{name} does not balance: {node}")


def check_copies(nodes, allowed):
    for name, node in nodes.items():
        for reason, copied in node["copied"].items():
            expect(copied == 0 or reason in allowed, f"{name} copied {copied} bytes: {reason}")
