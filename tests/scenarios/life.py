"""Signals, draining, reopening, and how the process begins and ends."""

import os
import pty
import re
import signal
import subprocess
import threading

import peer
from harness import expect, expect_equal, free_port, one, scenario, until


def listening(port, to, **service):
    return one({"tcp": {"listen": f"127.0.0.1:{port}"}}, [{"split": "newline"}], to, **service)


@scenario(("uring", "epoll", "refused"))
def term_under_load_loses_nothing(case):
    port = free_port()
    daemon = case.daemon(listening(port, {"file": "out"}, drain="30s"))
    names = ("a", "b", "c", "d")
    data = {name: case.make_records(name, 30000, seed=seed) for seed, name in enumerate(names)}
    clients = [threading.Thread(target=peer.send_over, args=(peer.connect(port), data[name], 20000)) for name in names]
    for client in clients:
        client.start()
    until(lambda: case.size("out") > 0, "the first bytes")
    # One more that waits in the listen queue: it is accepted and read.
    waiting = peer.connect(port)
    waiting.sendall(b"".join(case.make_records("e", 10).splitlines(keepends=True)))
    daemon.signal(signal.SIGTERM)
    for client in clients:
        client.join()
    daemon.finish()
    waiting.close()
    case.verify(case.read("out"), **{name: 30000 for name in names}, e=10)


@scenario()
def a_drain_that_cannot_end_is_3(case):
    port, sink = free_port(), peer.Sink("hang")
    daemon = case.daemon(listening(port, {"tcp": f"127.0.0.1:{sink.port}"}, memory="8MiB", drain="1s"))
    data = case.make_records("a", 120000)
    client = peer.connect(port)
    expect(peer.send_until_stuck(client, data) < len(data), "a hung sink does not stop the source")
    result = daemon.drain(status=3)
    said = re.search(r"undelivered=(\d+) rereadable=(\d+)", " ".join(result.messages("error")))
    expect(said, f"nothing is said of what is undelivered: {result.messages()}")
    expect(int(said[1]) > 0 and int(said[2]) == 0, f"it says {said[0]}")
    lost = sum(sum(node["dropped"].values()) for node in result.summary.values())
    expect_equal(lost, int(said[1]), "records dropped in the summary")
    client.close()
    sink.close()


@scenario()
def twice_is_at_once(case):
    port, sink = free_port(), peer.Sink("hang")
    daemon = case.daemon(listening(port, {"tcp": f"127.0.0.1:{sink.port}"}, memory="8MiB", drain="1h"))
    data = case.make_records("a", 120000)
    client = peer.connect(port)
    peer.send_until_stuck(client, data)
    daemon.signal(signal.SIGINT)
    expect(daemon.wait_for("STOPPING=1"), "it ended at the first signal")
    daemon.signal(signal.SIGINT)
    result = daemon.finish(status=3)
    expect("undelivered=" in " ".join(result.messages("error")), "nothing is said of what is undelivered")
    client.close()
    sink.close()


@scenario()
def a_drain_with_nothing_left_is_0(case):
    port, dead = free_port(), free_port()
    daemon = case.daemon(listening(port, {"tcp": f"127.0.0.1:{dead}"}, drain="1s"))
    daemon.drain(status=0)


@scenario()
def reopening_under_load_loses_nothing(case):
    port, parts = free_port(), 4
    daemon = case.daemon(listening(port, {"file": "out"}))
    data = case.make_records("a", 100000, 300)
    go = threading.Semaphore(0)

    def send_part_by_part():
        with peer.connect(port) as client:
            for part in range(parts):
                go.acquire()
                client.sendall(data[len(data) * part // parts : len(data) * (part + 1) // parts])

    client = threading.Thread(target=send_part_by_part)
    client.start()
    for number, name in enumerate((signal.SIGUSR1, signal.SIGHUP, signal.SIGUSR1)):
        go.release()
        until(lambda: case.size("out") > 0, "the first bytes of a file")
        os.rename(case.path("out"), case.path(f"out.{number}"))
        daemon.signal(name)
        until(lambda: os.path.exists(case.path("out")), "the new file")
    go.release()
    client.join()
    daemon.drain()
    files = [case.read(name) for name in ("out.0", "out.1", "out.2", "out")]
    for text in files:
        expect(text == b"" or text.endswith(b"\n"), "a file ends in mid-record")
    case.verify(b"".join(files), a=100000)


@scenario()
def closed_standard_descriptors_are_no_trouble(case):
    data = b"one\ntwo\n" * 1000
    source = {"file": {"path": case.write("in", data), "follow": False}}
    configuration = one(source, [{"split": "newline"}], [{"file": "out"}, {"file": "two"}])
    case.run(configuration, wrap=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"])
    expect(case.read("out") == data and case.read("two") == data, "something else was written into the files")


@scenario()
def a_standard_error_that_nobody_reads_stops_nothing(case):
    read, write = os.pipe()
    port = free_port()
    configuration = case.configure(listening(port, {"file": "out"}))
    os.set_blocking(write, False)
    try:
        while os.write(write, b"x" * 4096):
            continue
    except BlockingIOError:
        os.set_blocking(write, True)
    wrap = ["sh", "-c", f'exec "$@" 2>/proc/{os.getpid()}/fd/{write}', "sh"]
    del configuration
    daemon = case.daemon(listening(port, {"file": "out"}), wrap=wrap)
    peer.send(port, b"one\n")
    until(lambda: case.size("out") == 4, "the record")
    for _ in range(50):
        daemon.signal(signal.SIGUSR1)
    daemon.drain()
    os.close(read)
    os.close(write)


@scenario()
def ready_and_stopping_are_told(case):
    port = free_port()
    daemon = case.daemon(listening(port, "null"), wait=False)
    expect(daemon.wait_for("READY=1"), "it ended")
    peer.connect(port).close()
    daemon.signal(signal.SIGTERM)
    daemon.wait_for("STOPPING=1")
    daemon.finish()


@scenario(("uring",))
def uring_where_there_is_none_is_74(case):
    wrap = ["strace", "-D", "-qq", "-o", "/dev/null", "-e", "trace=io_uring_setup", "-e",
            "inject=io_uring_setup:error=EPERM"]
    environment = {"ASAN_OPTIONS": case.environment()["ASAN_OPTIONS"] + ":detect_leaks=0"}
    ended = case.daemon(one("stdin", [{"split": "newline"}], "null"), wrap=wrap, environment=environment,
                        wait=False).finish(status=74)
    expect("io_uring" in " ".join(ended.messages("error")), f"it says {ended.messages()}")


@scenario()
def what_was_wrong_in_the_data_is_65(case):
    with open(case.write("in", b"whole\nhalf"), "rb") as file:
        configuration = one("stdin", [{"split": {"on": "newline", "unterminated": "drop"}}], {"file": "out"})
        result = case.run(configuration, stdin=file, status=65)
    expect_equal(result.dropped("split", "incomplete"), 1, "dropped as incomplete")
    expect_equal(case.read("out"), b"whole\n", "the output")


@scenario()
def progress_is_shown_on_a_terminal_and_removed(case):
    sink = peer.Sink("hang")
    data = case.make_records("a", 100000)
    source = {"file": {"path": case.write("in", data), "follow": False}}
    path = case.configure(one(source, [{"split": "newline"}], {"tcp": f"127.0.0.1:{sink.port}"}, memory="8MiB"))
    terminal, end = pty.openpty()
    shown = b""
    with subprocess.Popen([case.options.binary, "run", path], stderr=end, env=case.environment()) as daemon:
        os.close(end)
        while b"% " not in shown:
            shown += os.read(terminal, 1000)
        sink.resume()
        try:
            while piece := os.read(terminal, 1000):
                shown += piece
        except OSError:  # the other end of the terminal is closed
            pass
        expect_equal(daemon.wait(), 0, "exit status")
    os.close(terminal)
    sink.close()
    expect(sink.data() == data, "the peer has other bytes")
    expect(re.search(rb"\r\x1b\[K *\d+ %  [\d.]+ .?B of [\d.]+ .?B", shown), f"no progress in {shown}")
    last = shown.partition(b"ended after")[0].rpartition(b" of ")[2]
    expect(b"\r\x1b[K" in last, f"it is not removed: {last}")


@scenario(("uring",))
def an_abort_is_70(case):
    """As a watchdog does it, from outside, and not taken for a bug; no core is wanted here."""
    port = free_port()
    daemon = case.daemon(one({"tcp": {"listen": f"127.0.0.1:{port}"}}, ["split"], "null"), wait=True)
    daemon.signal(signal.SIGABRT)
    expect_equal(daemon.process.wait(10), 70, "exit status")
    expect(b"aborted from outside" in daemon.stderr(), "what is said")
    expect(b"this is a bug" not in daemon.stderr(), "what is said")
