"""The commands that talk to a running daemon: status, top, tap, reload, reopen, health."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import peer
from admin import ask, serving
from harness import PATIENCE, expect, expect_equal, free_port, one, scenario, until


def client(case, *words, status=0, **keywords):
    """Runs a command against the daemon's socket; what it printed, on standard output and error."""
    result = case.command(*words, "--admin", case.path("admin.sock"), **keywords)
    expect_equal(result.returncode, status, f"the exit status of {words}: {result.stderr.decode()}")
    return result.stdout.decode(), result.stderr.decode()


class Viewer:
    """A `viewduct tap` that runs."""

    def __init__(self, case, *words, **keywords):
        self.process = subprocess.Popen([case.options.binary, "tap", *words, "--admin", case.path("admin.sock")],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=case.environment(),
                                        **keywords)

    def line(self):
        return self.process.stdout.readline()

    def close(self):
        self.process.kill()
        self.process.stdout.close()
        self.process.stderr.close()
        self.process.wait()


@scenario()
def health_and_readiness_are_exit_statuses(case):
    port = free_port()
    daemon, _ = serving(case, one({"tcp": f"127.0.0.1:{port}"}, ["split"], "null", drain="30s"))
    expect_equal(client(case, "health")[0], "ok\n", "health")
    expect_equal(client(case, "health", "--ready")[0], "ready\n", "readiness")
    talker = peer.connect(port)
    talking = threading.Event()

    def talk():
        while not talking.is_set():
            talker.sendall(b"still here\n")
            talking.wait(0.02)

    thread = threading.Thread(target=talk)
    thread.start()
    until(lambda: ask_status(case)["pipelines"][0]["nodes"][0]["connections"] == 1, "the connection")
    daemon.signal(signal.SIGTERM)
    until(lambda: daemon.log_has("draining"), "the drain")
    _, told = client(case, "health", "--ready", status=1)
    expect_equal(told, "main.from.0 does not listen\n", "what is said while it drains")
    expect_equal(client(case, "health")[0], "ok\n", "health while it drains")
    talking.set()
    thread.join()
    talker.close()
    daemon.finish()
    _, told = client(case, "health", status=69)
    expect(f"no daemon answers at {case.path('admin.sock')} (" in told, f"what is said of no daemon: {told}")


@scenario()
def a_refused_reload_tells_every_fault(case):
    configuration = one({"generate": {"rate": "1000/s"}}, ["split", {"filter": "1"}], "null")
    daemon, _ = serving(case, configuration)
    wrong = json.loads(json.dumps(configuration))
    wrong["pipelines"]["main"]["stages"] = ["splitt", {"filter": 9}]
    case.configure(wrong)
    _, told = client(case, "reload", status=75)
    for fault in ('"splitt"', 'remedy: write "split"', "not a number", "nothing has changed", "/stages/1/filter"):
        expect(fault in told, f"{fault} is not told: {told}")
    _, told = client(case, "health", "--ready", status=1)
    expect("the reload was refused" in told, f"readiness after a refused reload: {told}")
    expect("the reload was refused" in client(case, "status")[0], "status does not say it")
    configuration["pipelines"]["main"]["stages"][1]["filter"] = "2"
    case.configure(configuration)
    expect("configuration 2 is running" in client(case, "reload")[0], "the outcome of a good reload")
    client(case, "health", "--ready")
    daemon.drain()


@scenario(backends=("uring",))
def the_daemon_is_found(case):
    daemon, port = serving(case, one("generate", [], "null"))
    where = case.path("viewduct.json")
    nowhere = case.path("nowhere.sock")
    case.write("wrong.json", json.dumps({"service": {"admin": {"socket": case.path("admin.sock")}}}).encode())
    case.write("off.json", b'{"service": {"admin": false}}')
    environment = case.environment()
    for words, variables, status in (
            (("--admin", case.path("admin.sock")), {}, 0),
            (("--admin", f"127.0.0.1:{port}"), {}, 0),
            (("--admin", f"localhost:{port}"), {}, 0),
            (("--config", where), {}, 0),
            (("--config", case.path("wrong.json")), {}, 0),
            (("--config", where), {"VIEWDUCT_ADMIN": nowhere}, 0),
            ((), {"VIEWDUCT_ADMIN": f"127.0.0.1:{port}"}, 0),
            (("--admin", f"127.0.0.1:{port}"), {"VIEWDUCT_ADMIN": nowhere}, 0),
            ((), {"VIEWDUCT_ADMIN": nowhere}, 69),
            (("--config", case.path("off.json")), {}, 69),
            (("--config", case.path("none.json")), {}, 78),
            (("--admin",), {}, 64)):
        result = case.command("health", *words, env=environment | variables)
        expect_equal(result.returncode, status, f"{words} {variables}: {result.stderr.decode()}")
    result = case.command("reopen", "--admin", f"127.0.0.1:{port}")
    expect_equal((result.returncode, result.stderr), (69, b"only at the unix socket\n"), "a command at the address")
    expect("reopening" in client(case, "reopen")[0], "a command at the socket")
    daemon.drain()


@scenario()
def status_is_a_table_and_json(case):
    daemon, _ = serving(case, one({"generate": {"rate": "2000/s"}}, ["split", {"filter": "ERROR"}],
                                  [{"tcp": f"127.0.0.1:{free_port()}", "when_full": "drop"}, "null"]))
    until(lambda: "cannot connect" in client(case, "status")[0], "the errors of a sink")
    table = client(case, "status")[0]
    for text in ("viewduct 0.", f"io {case.backend}", "main: ", "buffers of 64KiB in use", "records/s", "filter",
                 "filtered", "DOWN for"):
        expect(text in table, f"no {text!r} in the table:\n{table}")
    status = json.loads(client(case, "status", "--format", "json")[0])
    expect(status["over_seconds"] >= 0.9, "no rates")
    daemon.drain()


@scenario()
def top_is_a_terminal_that_is_given_back(case):
    daemon, _ = serving(case, one({"generate": {"rate": "2000/s"}}, ["split"], "null"))
    for end in ("q", signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        watch_top(case, end)
    result = case.command("top", "--admin", case.path("admin.sock"), stdin=subprocess.DEVNULL)
    expect_equal(result.returncode, 64, "the exit status of top without a terminal")
    daemon.drain()


def watch_top(case, end):
    main, other = pty.openpty()
    before = termios.tcgetattr(other)
    fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    process = subprocess.Popen([case.options.binary, "top", "--admin", case.path("admin.sock")], stdin=other,
                               stdout=other, stderr=other, env=case.environment(), start_new_session=True)
    shown = b""

    def read_until(text):
        nonlocal shown
        limit = time.monotonic() + PATIENCE
        while text not in shown:
            expect(time.monotonic() < limit, f"no {text} in {shown[-2000:]}")
            if select.select([main], [], [], 0.1)[0]:
                shown += os.read(main, 65536)

    read_until(b"q quits")
    lines = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", shown.decode()).split("\r\n")
    expect(all(len(line) <= 40 for line in lines), f"a line that is wider than the terminal: {lines}")
    shown = b""
    fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 200, 0, 0))
    process.send_signal(signal.SIGWINCH)
    read_until(b"more line")  # a small terminal leaves some out
    if end == "q":
        os.write(main, b"q")
    else:
        process.send_signal(end)
    expect_equal(process.wait(PATIENCE), 0, f"the exit status of top after {end}")
    read_until(b"\x1b[?1049l")
    expect_equal(termios.tcgetattr(other), before, "the terminal's settings")
    os.close(main)
    os.close(other)


def log_to(port, count, start=0):
    peer.send(port, b"".join(b"line %d %s\n" % (number, b"odd" if number % 2 else b"even")
                             for number in range(start, start + count)))


@scenario()
def tap_shows_what_passes(case):
    port = free_port()
    daemon, _ = serving(case, one({"tcp": f"127.0.0.1:{port}"}, ["split", {"filter": {"not": {"contains": "17"}}}],
                                  [{"file": "out"}, {"stages": [{"join": "netstring"}], "file": "net"}]))
    viewers = {"split": Viewer(case, "main.split", "--all"), "filter": Viewer(case, "main.filter", "--all"),
               "even": Viewer(case, "main.to.0", "--grep", "even", "--all"),
               "net": Viewer(case, "main.to.1.join", "--raw", "--all", "--count", "2")}
    attached(case, 1, 1, 1, 1)
    log_to(port, 20)
    all_lines = [b"line %d %s\n" % (number, b"odd" if number % 2 else b"even") for number in range(20)]
    kept = [line for line in all_lines if b"17" not in line]
    for name, wanted in (("split", all_lines), ("filter", kept), ("even", [line for line in kept if b"even" in line])):
        expect_equal([viewers[name].line() for _ in wanted], wanted, f"what {name} shows")
    expect_equal(viewers["net"].process.stdout.read(), b"11:line 0 even,10:line 1 odd,", "what --raw shows")
    expect_equal(viewers["net"].process.wait(PATIENCE), 0, "the exit status after --count")
    _, told = client(case, "tap", "main.fliter", status=64)
    expect('did you mean "main.filter"' in told, f"what is said of a node that is none: {told}")
    for viewer in viewers.values():
        viewer.close()
    daemon.drain(copied=("tap",))


def attached(case, *places):
    """Waits until there are so many taps, each at work in so many places."""
    until(lambda: [tap["places"] for tap in ask_status(case)["taps"]] == list(places), "the taps")


def ask_status(case):
    """The status, without waiting for rates."""
    return json.loads(ask(case.path("admin.sock"), "/status")[1])


@scenario(backends=("uring",))
def what_a_client_sends_cannot_steer_the_terminal(case):
    port = free_port()
    daemon, _ = serving(case, one({"tcp": f"127.0.0.1:{port}"}, ["split"], "null"))
    viewer, raw = Viewer(case, "main.split"), Viewer(case, "main.split", "--raw")
    attached(case, 1, 1)
    peer.send(port, b"\x1b[2J\x07 \xff\x00 \"q\" \xc3\xa4\n")
    shown = viewer.line()
    expect(not any(byte < 32 for byte in shown[:-1]) and b"\xff" not in shown, f"what is shown: {shown!r}")
    expect(b'"q" \xc3\xa4' in shown, f"what is fine is not as it is: {shown!r}")
    expect_equal(raw.line(), b"\x1b[2J\x07 \xff\x00 \"q\" \xc3\xa4\n", "what --raw shows")
    viewer.close()
    raw.close()
    daemon.drain(copied=("tap",))


@scenario()
def a_viewer_that_does_not_read_slows_nothing(case):
    port = free_port()
    daemon, _ = serving(case, one({"tcp": f"127.0.0.1:{port}"}, ["split"], {"file": "out"}))
    viewer = Viewer(case, "main.split", "--all")
    attached(case, 1)
    data = case.make_records("a", 100000)
    peer.send(port, data)
    until(lambda: case.size("out") == len(data), "all data")
    notices = []
    reader = threading.Thread(target=lambda: notices.extend(viewer.process.stderr))
    reader.start()
    shown = 0
    while not any(b"samples were lost" in notice for notice in notices):
        expect(viewer.line(), "the tap has ended")
        shown += 1
    expect(shown < 100000, "nothing was lost")
    viewer.process.kill()
    reader.join()
    viewer.close()
    expect_equal(case.read("out"), data, "what was written")
    attached(case)
    daemon.drain(copied=("tap",))


@scenario()
def a_tap_goes_on_over_a_reload_and_ends_with_its_node(case):
    port = free_port()
    configuration = one({"tcp": f"127.0.0.1:{port}"}, ["split", {"filter": "odd"}], {"file": "out"})
    daemon, _ = serving(case, configuration)
    viewers = [Viewer(case, "main.filter"), Viewer(case, "main.from.0", "--raw")]
    attached(case, 1, 1)
    log_to(port, 2)
    expect_equal(viewers[0].line(), b"line 1 odd\n", "before the reload")
    expect_equal([viewers[1].line() for _ in range(2)], [b"line 0 even\n", b"line 1 odd\n"], "at the source")
    configuration["pipelines"]["main"]["stages"][1]["filter"] = "even"
    case.configure(configuration)
    client(case, "reload")
    log_to(port, 2, 10)
    expect_equal(viewers[0].line(), b"line 10 even\n", "after the reload")
    expect_equal([viewers[1].line() for _ in range(2)], [b"line 10 even\n", b"line 11 odd\n"], "at the source")
    expect(b"main.filter has been replaced" in viewers[0].process.stderr.readline(), "nothing is said")
    configuration["pipelines"]["main"]["stages"].pop()
    case.configure(configuration)
    client(case, "reload")
    expect_equal(viewers[0].process.wait(PATIENCE), 0, "the exit status when the node is gone")
    expect(b"main.filter is gone" in viewers[0].process.stderr.read(), "nothing is said of the end")
    daemon.drain(copied=("tap",))
    expect_equal(viewers[1].process.wait(PATIENCE) in (0, 69), True, "the exit status when the daemon ends")
    for viewer in viewers:
        viewer.close()


@scenario()
def a_tap_sees_every_worker(case):
    port = free_port()
    pipeline = {"from": {"tcp": f"127.0.0.1:{port}"}, "shards": 4, "stages": ["split"], "to": "null"}
    daemon, _ = serving(case, {"service": {"workers": 2}, "pipelines": {"main": pipeline}})
    viewer = Viewer(case, "main.split", "--all")
    attached(case, 4)
    for number in range(40):
        peer.send(port, b"from %d\n" % number)
    seen = {viewer.line() for _ in range(40)}
    expect_equal(seen, {b"from %d\n" % number for number in range(40)}, "what is seen of four shards")
    viewer.close()
    daemon.drain(copied=("tap",))


@scenario(backends=("uring",))
def as_many_taps_as_there_may_be(case):
    daemon, _ = serving(case, one({"generate": {"rate": "1000/s"}}, ["split"], "null"))
    viewers = [Viewer(case, "main.split") for _ in range(4)]
    attached(case, 1, 1, 1, 1)
    _, told = client(case, "tap", "main.split", status=69)
    expect("as many taps are open" in told, f"what is said: {told}")
    expect_equal(ask(case.path("admin.sock"), "/health"), (200, "ok\n"), "health while taps are open")
    for viewer in viewers:
        viewer.close()
    attached(case)
    client(case, "tap", "main.split", "--count", "3")
    daemon.drain(copied=("tap",))


@scenario(backends=("uring",))
def what_the_log_says_again_is_folded(case):
    daemon, _ = serving(case, one("generate", [], "null"))

    def reopen_twice():
        for _ in range(2):
            client(case, "reopen")
        return daemon.log_has("(repeated ")

    until(reopen_twice, "a line that says how often it came again")
    daemon.drain()
