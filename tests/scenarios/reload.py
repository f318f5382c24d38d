"""Reloading: a changed configuration takes the place of the running one, under load, and nothing is lost."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import peer
from admin import ask, check_balance, metrics, total
from harness import Failure, expect, expect_equal, free_port, lines, scenario, until

MIB = 1 << 20


def tcp(port):
    return {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": 2000}}


def pipeline(source, to, *stages, **more):
    return {"from": source, "stages": ["split", *stages], "to": to, **more}


def serving(case, pipelines, **service):
    """A configuration whose admin server is a socket in the case's folder, and an address."""
    port = free_port()
    return {"service": {"admin": {"listen": f"127.0.0.1:{port}", "socket": "admin.sock"}, **service},
            "pipelines": pipelines}, port


def reload(daemon, configuration=None):
    """Reloads, and waits until that is over."""
    if configuration is not None:
        daemon.case.configure(configuration)
    daemon.signal(signal.SIGHUP)
    expect(daemon.wait_for("READY=1"), f"it has ended: {daemon.stderr()[-2000:]!r}")


def said(daemon, pattern):
    return len(re.findall(pattern.encode(), daemon.stderr()))


class Clients:
    """Connections that send records in pieces that do not heed their borders, until they are told to end."""

    def __init__(self, case, port, names, count=4000, size=300, make=None):
        self.data = {name: case.make_records(name, count, size, seed) for seed, name in enumerate(names)}
        self.runs = {name: count for name in names}
        self.make = make or (lambda: peer.connect(port))
        self.failures = []
        self.sent = 0
        self.go_on = threading.Event()
        self.threads = [threading.Thread(target=self.send, args=(self.data[name], seed), daemon=True)
                        for seed, name in enumerate(names)]
        for thread in self.threads:
            thread.start()

    def send(self, data, seed):
        try:
            with self.make() as connection:
                at = 0
                while at < len(data):
                    # The last tenth waits until every reload is over.
                    if at > len(data) * 9 // 10:
                        self.go_on.wait(peer.PATIENCE)
                    size = 997 + 13 * seed
                    connection.sendall(data[at : at + size])
                    at += size
                    self.sent += size
                    if not self.go_on.is_set():
                        time.sleep(0.001)  # paces a client; nothing is awaited
                connection.shutdown(socket.SHUT_WR)
                peer.wait_for_end(connection)
        except OSError as error:
            self.failures.append(error)

    def end(self):
        self.go_on.set()
        for thread in self.threads:
            thread.join(peer.PATIENCE)
        expect_equal(self.failures, [], "connections that failed")


@contextlib.contextmanager
def knocking(port):
    """Connects again and again meanwhile: nobody may be refused. Yields what went wrong."""
    refused, over, count = [], threading.Event(), [0]

    def knock():
        while not over.is_set():
            try:
                socket.create_connection(("127.0.0.1", port), timeout=peer.PATIENCE).close()
                count[0] += 1
            except OSError as error:
                refused.append(error)

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(peer.PATIENCE)
    expect_equal(refused, [], "connections refused")
    expect(count[0] > 0, "nobody knocked")


def changes(port, shards=1):
    """Configurations of one listener that differ in what follows it."""
    out = "out.{shard}" if shards > 1 else "out"
    keys = {"shards": shards} if shards > 1 else {}
    return [pipeline(tcp(port), to, *stages, **keys) for to, stages in (
        ({"file": out}, ()),
        ({"file": out}, ({"filter": {"not": {"contains": "never"}}},)),
        ([{"file": out}, {"null": {}}], ()),
        ({"file": out}, ({"filter": {"any": [{"contains": " "}, {"not": {"contains": " "}}]}},)),
        ({"file": {"path": out, "sync": "interval"}}, ()))]


def all_output(case):
    return b"".join(path.read_bytes() for path in sorted(case.folder.glob("out*")))


def change_under_load(case, workers, shards):
    port, other = free_port(), free_port()
    versions = changes(port, shards)
    kept = pipeline({"generate": {"rate": "1000/s"}}, {"null": {}})  # one more, so that workers have something to do
    extra = {"extra": pipeline({"tcp": f"127.0.0.1:{other}"}, {"file": "extra"})}

    def configuration(number):
        pipelines = {"kept": kept, "main": versions[number % len(versions)]}
        return {"service": {"workers": workers, "drain": "30s"},
                "pipelines": pipelines | extra if number % 3 == 1 else pipelines}

    daemon = case.daemon(configuration(0))
    clients = Clients(case, port, [f"c{number}" for number in range(20)])
    with knocking(port):
        for number in range(1, 12):
            before = clients.sent
            until(lambda before=before: clients.sent > before + 5000 or clients.sent > 5 * MIB, "the clients")
            reload(daemon, configuration(number))
    clients.end()
    result = daemon.drain(copied=("aside", "thin"))
    expect_equal(result.messages("error"), [], "errors")
    case.verify(all_output(case), **clients.runs)
    expect_equal(len([text for text in result.messages() if "is running" in text]), 11, "reloads")


@scenario()
def changes_under_load_lose_nothing(case):
    change_under_load(case, 1, 1)


@scenario()
def changes_under_load_lose_nothing_with_workers(case):
    change_under_load(case, 2, 1)


@scenario()
def changes_under_load_lose_nothing_with_shards(case):
    change_under_load(case, 2, 3)


@scenario()
def a_thousand_connections_see_no_reset(case):
    port = free_port()
    versions = changes(port)
    daemon = case.daemon({"service": {"drain": "30s"}, "pipelines": {"main": versions[0]}})
    connections = [peer.connect(port) for _ in range(1000)]
    for number, connection in enumerate(connections):
        connection.sendall(b"first %d\nhal" % number)
    until(lambda: case.size("out") == sum(len(b"first %d\n" % number) for number in range(1000)), "the first records")
    with knocking(port):
        for version in versions[1:] + versions[:1]:
            reload(daemon, {"service": {"drain": "30s"}, "pipelines": {"main": version}})
    for number, connection in enumerate(connections):
        connection.sendall(b"f %d\n" % number)
        connection.shutdown(socket.SHUT_WR)
    for connection in connections:
        peer.wait_for_end(connection)
        connection.close()
    daemon.drain(copied=("aside", "thin"))
    wanted = sorted([b"first %d" % number for number in range(1000)] + [b"half %d" % number for number in range(1000)])
    expect_equal(sorted(case.read("out").splitlines()), wanted, "the records")


@scenario()
def what_did_not_change_is_not_touched(case):
    """The unchanged pipeline keeps its connection while the other's ends; a reload without a change touches nothing."""
    port, other = free_port(), free_port()
    kept = pipeline(tcp(port), {"file": "kept"})
    configuration, admin = serving(case, {"kept": kept, "gone": pipeline(tcp(other), {"file": "gone"})})
    daemon = case.daemon(configuration)
    reload(daemon, configuration)
    expect(daemon.log_has("pipelines: 0 changed, 0 added, 0 removed, 2 untouched"), "what is said of no change")
    with peer.connect(port) as one_connection, peer.connect(other) as other_connection:
        one_connection.sendall(b"one\nha")
        other_connection.sendall(b"last\n")
        until(lambda: case.size("kept") == 4 and case.size("gone") == 5, "the first records")
        before = metrics(admin)
        configuration["pipelines"] = {"kept": kept, "new": pipeline(tcp(other), {"file": "new"})}
        reload(daemon, configuration)
        expect(daemon.log_has("pipelines: 0 changed, 1 added, 1 removed, 1 untouched"), "what is said of the change")
        peer.wait_for_end(other_connection)
        peer.send(other, b"for the new one\n")
        one_connection.sendall(b"lf\n")
        until(lambda: case.size("kept") == 9 and case.size("new") == 16, "the records after it")
        found = metrics(admin)
        expect_equal(total(found, "config_generation"), 3, "the generation")
        expect_equal(total(found, "records_total", node="kept.to.0", direction="out"), 2, "records since the start")
        expect(not any("gone" in str(key) for key in found), "there are still metrics of what was removed")
        expect(total(before, "records_total", node="gone.to.0", direction="out") == 1, "metrics before")
    daemon.drain()
    expect_equal(case.read("gone"), b"last\n", "what the removed one had read")


def refusals(case, port):
    good = {"main": pipeline(tcp(port), {"file": "out"})}
    yield "not JSON", None, "the reload was refused"
    yield "an unknown stage", {"pipelines": {"main": pipeline(tcp(port), {"file": "out"}, "nonsense")}}, "nonsense"
    for key, value in (("memory", "64MiB"), ("buffer", "32KiB"), ("workers", 2), ("admin", False),
                       ("io", "epoll" if case.backend == "uring" else "uring")):
        yield key, {"service": {key: value}, "pipelines": good}, f"service.{key} cannot change"
    yield "more memory than there is", {"pipelines": {"main": pipeline(tcp(port), {"file": "out"}),
                                                      "big": {**pipeline(tcp(free_port()), {"file": "big"}),
                                                              "memory": "480MiB"}}}, "memory"


@scenario()
def what_is_wrong_changes_nothing(case):
    port = free_port()
    configuration, admin = serving(case, {"main": pipeline(tcp(port), {"file": "out"})}, workers=1)
    daemon = case.daemon(configuration)
    case.configure(configuration)  # with all that it adds
    service = json.loads(case.read("viewduct.json"))["service"]
    with peer.connect(port) as connection:
        connection.sendall(b"one\nt")
        until(lambda: case.size("out") == 4, "the first record")
        count = 0
        for what, wrong, text in refusals(case, port):
            count += 1
            if wrong is None:
                case.write("viewduct.json", b"{ nonsense")
            else:
                case.write("viewduct.json", json.dumps({**wrong, "service": service | wrong.get("service", {})}).encode())
            status, answer = ask(case.path("admin.sock"), "/reload", "POST")
            expect_equal(status, 409, f"the answer to {what}")
            expect(daemon.wait_for("READY=1"), "it has ended")
            expect("nothing has changed" in answer and text in answer, f"{what}: {answer!r}")
            expect_equal(total(metrics(admin), "config_reload_failures_total"), count, f"failures after {what}")
            found = json.loads(ask(admin, "/status")[1])
            expect(text in found["reload"]["last"], f"the status after {what}: {found['reload']}")
            expect_equal(found["generation"], 1, "the generation")
        connection.sendall(b"wo\n")
        until(lambda: case.size("out") == 8, "the second record")
        case.configure(configuration)
        status, answer = ask(case.path("admin.sock"), "/reload", "POST")
        expect_equal((status, "configuration 2 is running" in answer), (200, True), f"the answer to a right one: {answer}")
    daemon.drain()
    expect_equal(case.read("out"), b"one\ntwo\n", "the output")


def unix_client(case, name):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(peer.PATIENCE)
    client.connect(case.path(name))
    return client


@scenario()
def unix_connections_go_on(case):
    def configuration(*stages):
        return {"service": {"drain": "30s"},
                "pipelines": {"main": pipeline({"unix": {"listen": "in.sock"}}, {"file": "out"}, *stages)}}

    daemon = case.daemon(configuration())
    clients = Clients(case, 0, "abcdef", make=lambda: unix_client(case, "in.sock"))
    for number in range(6):
        before = clients.sent
        until(lambda before=before: clients.sent > before + 5000 or clients.sent > 3 * MIB, "the clients")
        reload(daemon, configuration({"filter": {"not": {"contains": f"no {number}"}}}))
    clients.end()
    daemon.drain(copied=("aside", "thin"))
    case.verify(case.read("out"), **clients.runs)


def datagrams(case, source, make):
    def configuration(*stages):
        return {"service": {"drain": "30s"}, "pipelines": {"main": pipeline(source, {"file": "out"}, *stages)}}

    daemon = case.daemon(configuration())
    sent = 0
    with make() as client:
        for number in range(8):
            for _ in range(200):
                client.send(b"%06d " % sent + b"x" * 50)
                sent += 1
            # Some more are sent while it is at it.
            case.configure(configuration({"filter": {"not": {"contains": f"no {number}"}}}))
            daemon.signal(signal.SIGHUP)
            for _ in range(200):
                client.send(b"%06d " % sent + b"x" * 50)
                sent += 1
            daemon.wait_for("READY=1")
    until(lambda: case.size("out") == sent * 58, "the datagrams")
    daemon.drain()
    expect_equal(case.read("out"), b"".join(b"%06d " % number + b"x" * 50 + b"\n" for number in range(sent)), "all")


@scenario()
def no_udp_datagram_is_lost(case):
    port = free_port()

    def make():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.connect(("127.0.0.1", port))
        return client

    datagrams(case, {"udp": {"listen": f"127.0.0.1:{port}", "receive_buffer": "8MiB"}}, make)


@scenario()
def no_unix_datagram_is_lost(case):
    def make():
        client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        client.connect(case.path("in.sock"))
        return client

    datagrams(case, {"unix": {"listen": "in.sock", "type": "datagram"}}, make)


@scenario()
def a_followed_file_goes_on_where_it_was(case):
    """Files that are written to all along, one of which is rotated: no line is lost or read twice."""
    records = lines(case.make_records("a", 20000, 200))
    case.write("in.log", b"")

    def configuration(*stages):
        source = {"file": {"path": "in*.log"}}
        return {"service": {"drain": "30s"}, "pipelines": {"main": pipeline(source, {"file": "out"}, *stages)}}

    daemon = case.daemon(configuration())
    for number in range(20):
        with open(case.path("in.log"), "ab") as file:
            for record in records[number * 1000 : number * 1000 + 1000]:
                file.write(record[:5])
                file.flush()
                file.write(record[5:])
        if number == 10:
            os.rename(case.path("in.log"), case.path("in.log.1"))
            case.write("in.log", b"")
        reload(daemon, configuration({"filter": {"not": {"contains": f"no {number}"}}}))
    until(lambda: case.size("out") == sum(len(record) for record in records), "all lines")
    daemon.drain(copied=("aside", "thin"))
    case.verify(case.read("out"), a=20000)


@scenario()
def a_file_that_is_read_once_goes_on_in_the_middle(case):
    data = case.make_records("a", 60000, 1000)
    case.write("in", data)
    sink = peer.Sink("hang")

    def configuration(*stages):
        source = {"file": {"path": "in", "follow": False}}
        return {"service": {"drain": "30s", "memory": "8MiB"},
                "pipelines": {"main": pipeline(source, {"tcp": f"127.0.0.1:{sink.port}"}, *stages)}}

    daemon = case.daemon(configuration())
    until(lambda: sink.connections, "the connection")
    case.configure(configuration({"filter": {"not": {"contains": "never"}}}))
    daemon.signal(signal.SIGHUP)
    until(lambda: daemon.log_has("reopening"), "the reload")
    sink.resume()
    expect(daemon.wait_for("READY=1"), "it ended before the reload")
    result = daemon.finish(copied=("aside", "thin"))
    sink.wait_for(lambda: len(sink.data()) == len(data), "all")
    sink.close()
    expect_equal(sink.data() == data, True, "that it is the file")
    expect_equal(result.node("to.0")["records_out"], 60000, "records of all generations")


@scenario()
def a_file_that_was_read_is_not_read_again(case):
    """It has ended, and so has the pipeline; the other keeps the daemon up."""
    case.write("in", b"one\ntwo\n")
    port = free_port()

    def configuration(*stages):
        return {"service": {"workers": 2}, "pipelines": {
            "up": pipeline(tcp(port), {"file": "up"}),
            "main": pipeline({"file": {"path": "in", "follow": False}}, {"file": "out"}, *stages)}}

    daemon = case.daemon(configuration())
    until(lambda: case.size("out") == 8, "the file")
    reload(daemon, configuration())
    for number in range(3):
        reload(daemon, configuration({"filter": {"not": {"contains": f"no {number}"}}}))
    peer.send(port, b"still up\n")
    daemon.drain()
    expect_equal(case.read("out"), b"one\ntwo\n", "the output")
    expect_equal(case.read("up"), b"still up\n", "the other's")


@scenario()
def standard_input_goes_on(case):
    data = case.make_records("a", 20000, 200)

    def configuration(*stages):
        return {"service": {"drain": "30s"}, "pipelines": {"main": pipeline("stdin", {"file": "out"}, *stages)}}

    daemon = case.daemon(configuration(), stdin=subprocess.PIPE)
    for number in range(10):
        part = len(data) // 10
        daemon.process.stdin.write(data[number * part : (number + 1) * part])
        daemon.process.stdin.flush()
        reload(daemon, configuration({"filter": {"not": {"contains": f"no {number}"}}}))
    daemon.process.stdin.write(data[10 * (len(data) // 10) :])
    daemon.process.stdin.close()
    daemon.finish(copied=("aside", "thin"))
    expect_equal(case.read("out") == data, True, "that it is what came in")


@scenario()
def generate_goes_on(case):
    def configuration(*stages):
        source = {"generate": {"rate": "20000/s", "lines": 20000}}
        return {"service": {"drain": "30s"}, "pipelines": {"main": pipeline(source, {"file": "out"}, *stages)}}

    case.run(configuration())
    whole = case.read("out")
    os.remove(case.path("out"))
    daemon = case.daemon(configuration())
    for number in range(3):
        before = case.size("out")
        until(lambda before=before: case.size("out") > before, "lines")
        reload(daemon, configuration({"filter": {"not": {"contains": f"no {number}"}}}))
    daemon.finish()
    expect_equal(len(lines(case.read("out"))), len(lines(whole)), "lines")


@scenario()
def records_that_are_passed_over_do_not_end_in_the_middle(case):
    """Whatever becomes of a record that is too long, its rest is not taken for a record after a reload."""
    ports = {rule: free_port() for rule in ("drop", "truncate", "split")}

    def configuration(number):
        return {"pipelines": {rule: {
            "from": tcp(port), "stages": [{"split": {"max_record": "8B", "too_long": rule}},
                                          {"filter": {"not": {"contains": f"no {number}"}}}],
            "to": {"file": f"out.{rule}"}} for rule, port in ports.items()}}

    daemon = case.daemon(configuration(0))
    with contextlib.ExitStack() as stack:
        clients = {rule: stack.enter_context(peer.connect(port)) for rule, port in ports.items()}
        for client in clients.values():
            client.sendall(b"one\n1234567890")
        until(lambda: all(case.size(f"out.{rule}") >= 4 for rule in ports), "the first record")
        for number in range(1, 4):
            reload(daemon, configuration(number))
            for client in clients.values():
                client.sendall(b"abc")
        for client in clients.values():
            client.sendall(b"\ntwo\n")
            client.shutdown(socket.SHUT_WR)
            peer.wait_for_end(client)
    daemon.drain(copied=("aside", "thin"))
    expect_equal(case.read("out.drop"), b"one\ntwo\n", "too_long: drop")
    expect_equal(case.read("out.truncate"), b"one\n12345678\ntwo\n", "too_long: truncate")
    expect_equal(b"".join(lines(case.read("out.split"))).replace(b"\n", b""), b"one1234567890abcabcabctwo",
                 "too_long: split")


RECORDS = 200000


class Stuck:
    """A pipeline whose sink takes nothing, so full that its client cannot send on. `make` gives it its port."""

    def __init__(self, case, make, drain="20s", memory="16MiB"):
        self.port = free_port()
        self.make = make
        self.configuration, self.admin = serving(case, {"main": make(self.port)}, drain=drain, memory=memory)
        self.case = case
        self.daemon = case.daemon(self.configuration)
        self.data = case.make_records("a", RECORDS)
        self.client = peer.connect(self.port)
        self.sent = peer.send_until_stuck(self.client, self.data)
        expect(self.sent < len(self.data), "a stuck sink does not stop the source")

    def changed(self, made):
        return {**self.configuration, "pipelines": {"main": made}}

    def begin(self, made):
        self.case.configure(self.changed(made))
        self.daemon.signal(signal.SIGHUP)

    def send_the_rest(self):
        self.client.setblocking(True)
        self.client.sendall(self.data[self.sent:])
        self.client.shutdown(socket.SHUT_WR)
        peer.wait_for_end(self.client)
        self.client.close()

    def end(self):
        result = self.daemon.drain(copied=("aside", "thin"))
        expect_equal(result.messages("error"), [], "errors")
        return result


def whole(data):
    """Without the record that a connection was left in: another one has it from its start."""
    return data[: data.rfind(b"\n") + 1]


@scenario()
def what_a_stuck_sink_has_not_written_its_namesake_writes(case):
    """The peer hangs: after the drain the sink of the same name has the rest, though it is of another kind."""
    sink = peer.Sink("hang")
    stuck = Stuck(case, lambda port: pipeline(tcp(port), {"tcp": f"127.0.0.1:{sink.port}"}), drain="2s")
    reload(stuck.daemon, stuck.changed(pipeline(tcp(stuck.port), {"file": "out"}, {"filter": {"not": {"contains": "never"}}})))
    expect(stuck.daemon.log_has("the reload waits for main.to.0"), "nobody says for whom it waits")
    sink.resume()
    stuck.send_the_rest()
    stuck.end()
    sink.wait_for(lambda: len(sink.data()) > 0, "what was sent")
    sink.close()
    case.verify(whole(sink.data()) + case.read("out"), a=RECORDS)


@scenario()
def a_sink_that_is_away_holds_up_no_reload_and_loses_nothing(case):
    """Nobody listens there. The pipeline changes at once, again and again; then somebody does, and gets all of it."""
    away = free_port()

    def made(port, *stages):
        return pipeline(tcp(port), {"tcp": {"connect": f"127.0.0.1:{away}", "retry": {"most": "100ms"}}}, *stages)

    stuck = Stuck(case, made)
    for number in range(5):
        reload(stuck.daemon, stuck.changed(made(stuck.port, {"filter": {"not": {"contains": f"never {number}"}}})))
    expect(not stuck.daemon.log_has("the reload waits"), "it waited for a sink that is away")
    sink = peer.Sink(port=away)
    stuck.send_the_rest()
    stuck.end()
    sink.close()
    case.verify(sink.data(), a=RECORDS)


@scenario()
def a_wrong_address_is_mended_by_a_reload(case):
    sink, wrong = peer.Sink(), free_port()
    stuck = Stuck(case, lambda port: pipeline(tcp(port), {"tcp": f"127.0.0.1:{wrong}"}))
    reload(stuck.daemon, stuck.changed(pipeline(tcp(stuck.port), {"tcp": f"127.0.0.1:{sink.port}"})))
    stuck.send_the_rest()
    stuck.end()
    sink.close()
    case.verify(sink.data(), a=RECORDS)


@scenario()
def sinks_without_an_heir_lose_what_they_do_not_write_in_time(case):
    sink = peer.Sink("hang")
    stuck = Stuck(case, lambda port: pipeline(tcp(port), {"name": "relay", "tcp": f"127.0.0.1:{sink.port}"}), drain="1s")
    reload(stuck.daemon, stuck.changed(pipeline(tcp(stuck.port), {"file": "out"})))
    sink.resume()
    stuck.send_the_rest()
    result = stuck.daemon.drain(copied=("aside", "thin"))
    lost = re.search(r"undelivered=(\d+) rereadable=0; not written by main\.to\.relay$", " ".join(result.messages("error")))
    expect(lost and int(lost[1]) > 0, f"it is not said what was lost: {result.messages()}")
    sink.close()
    verdict = case.verify(whole(sink.data()) + case.read("out"), lost_is_fine=True, a=RECORDS)
    expect_equal(verdict["missing"], int(lost[1]), "records that are missing")


@scenario()
def what_a_reload_that_is_put_back_has_lost_is_told(case):
    sink = peer.Sink("hang")
    stuck = Stuck(case, lambda port: pipeline(tcp(port), {"name": "relay", "tcp": f"127.0.0.1:{sink.port}"}), drain="1s",
                  memory="64MiB")
    configuration = stuck.changed(pipeline(tcp(stuck.port), {"file": "out"}))
    configuration["pipelines"]["fresh"] = pipeline(tcp(free_port()), {"file": "/dev/null/file"})
    case.configure(configuration)
    stuck.daemon.signal(signal.SIGHUP)
    until(lambda: stuck.daemon.log_has("the configuration before runs again"), "the end of the reload")
    sink.resume()
    stuck.send_the_rest()
    result = stuck.daemon.drain(copied=("aside", "thin"))
    lost = re.search(r"undelivered=(\d+) rereadable=0; not written by main\.to\.relay", " ".join(result.messages("error")))
    expect(lost and int(lost[1]) > 0, f"it is not said what was lost: {result.messages()}")
    sink.close()
    written = [case.read("out"), *(bytes(whole(connection)) for connection in sink.connections)]
    missing = set(lines(stuck.data)) - {line for part in written for line in lines(part)}
    expect_equal(len(missing), int(lost[1]), "records that are missing")


@scenario()
def a_sink_that_is_taken_out_does_not_hand_its_records_to_one_that_has_them(case):
    away = free_port()
    stuck = Stuck(case, lambda port: pipeline(tcp(port), [{"tcp": f"127.0.0.1:{away}"}, {"file": "kept"}]), drain="1s")
    reload(stuck.daemon, stuck.changed(pipeline(tcp(stuck.port), {"file": "kept"})))
    stuck.send_the_rest()
    result = stuck.daemon.drain(copied=("aside", "thin"))
    lost = " ".join(result.messages("error"))
    expect(lost.endswith("not written by main.to.0"), f"it is not said whose records are lost: {result.messages()}")
    case.verify(case.read("kept"), a=RECORDS)


@scenario()
def a_sink_that_is_put_in_front_inherits_nothing(case):
    sink, wrong = peer.Sink(), free_port()
    stuck = Stuck(case, lambda port: pipeline(tcp(port), {"tcp": f"127.0.0.1:{wrong}"}))
    reload(stuck.daemon, stuck.changed(pipeline(tcp(stuck.port), [{"file": "new"}, {"tcp": f"127.0.0.1:{sink.port}"}])))
    stuck.send_the_rest()
    stuck.end()
    sink.close()
    case.verify(sink.data(), a=RECORDS)
    expect(len(case.read("new")) < len(stuck.data), "the new sink has what came before it")


@scenario()
def whom_a_reload_waits_for_is_told(case):
    sink = peer.Sink("hang")
    stuck = Stuck(case, lambda port: pipeline(tcp(port), {"tcp": f"127.0.0.1:{sink.port}"}))

    def state():
        return json.loads(ask(stuck.admin, "/status")[1])["reload"]

    expect_equal(state()["in_progress"], False, "before")
    stuck.begin(pipeline(tcp(stuck.port), {"file": "out"}))
    until(lambda: state().get("waits_for") == "main.to.0", "the name of the sink")
    expect_equal(state()["in_progress"], True, "meanwhile")
    status, text = ask(stuck.admin, "/ready")
    expect_equal((status, "a reload is in progress, and waits for main.to.0" in text), (503, True), f"/ready: {text!r}")
    expect(stuck.daemon.log_has("the reload waits for main.to.0"), "the log does not name it")
    shown = case.command("status", "--admin", case.path("admin.sock")).stdout.decode()
    expect("a reload is in progress, and waits for main.to.0" in shown, f"status shows {shown!r}")
    sink.resume()
    until(lambda: not state()["in_progress"], "the end of the reload")
    expect("waits_for" not in state(), "it waits for nobody any more")
    stuck.send_the_rest()
    stuck.end()
    sink.close()
    case.verify(sink.data() + case.read("out"), a=RECORDS)


@scenario()
def what_cannot_be_opened_is_put_back(case):
    port, fresh = free_port(), free_port()
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        busy = occupied.getsockname()[1]
        good = {"main": pipeline(tcp(port), {"file": "out"}), "gone": pipeline(tcp(fresh), {"file": "gone"})}
        configuration, admin = serving(case, good, workers=2)
        daemon = case.daemon(configuration)
        with peer.connect(port) as connection:
            connection.sendall(b"one\nt")
            until(lambda: case.size("out") == 4, "the first record")
            bad = (
                {"main": pipeline(tcp(port), {"file": "out"}, {"filter": "."}), "new": pipeline(tcp(busy), {"file": "new"})},
                {"main": pipeline([tcp(port), tcp(busy)], {"file": "out"})},
                {"main": pipeline(tcp(port), {"file": "/dev/null/file"}), "gone": good["gone"]},
            )
            for count, pipelines in enumerate(bad, 1):
                case.configure({**configuration, "pipelines": pipelines})
                status, answer = ask(case.path("admin.sock"), "/reload", "POST")
                expect_equal(status, 409, "the answer")
                expect("put back" in answer, f"it says {answer!r}")
                expect_equal(total(metrics(admin), "config_reload_failures_total"), count, "failures")
                expect_equal(total(metrics(admin), "config_generation"), 1, "the generation")
                peer.send(fresh, b"%d\n" % count)
            connection.sendall(b"wo\n")
            until(lambda: case.size("out") == 8, "the second record")
            until(lambda: case.size("gone") == 6, "what came to the other")
        daemon.drain(copied=("aside",))
    expect_equal(case.read("out"), b"one\ntwo\n", "the output")


@scenario()
def what_cannot_even_be_put_back_is_74(case):
    """The folder of the old file is a file by now."""
    port = free_port()
    case.folder.joinpath("folder").mkdir()
    daemon = case.daemon({"pipelines": {"main": pipeline(tcp(port), {"file": "folder/out"})}})
    case.folder.joinpath("folder/out").unlink()
    case.folder.joinpath("folder").rmdir()
    case.write("folder", b"")
    case.configure({"pipelines": {"main": pipeline(tcp(port), {"file": "/dev/null/file"})}})
    daemon.signal(signal.SIGHUP)
    result = daemon.finish(status=74)
    expect(any("cannot be put back" in text for text in result.messages("error")), f"it says {result.messages()}")


@scenario(backends=("epoll",))
def a_changed_list_counts_as_a_change(case):
    case.write("words", b"one\n")
    port = free_port()
    configuration = {"pipelines": {"main": pipeline(
        tcp(port), {"file": "out"}, {"filter": {"any": [{"contains": {"$lines": "words"}}]}})}}
    if case.command("check", case.configure(configuration)).returncode != 0:
        configuration["pipelines"]["main"]["stages"][1] = {"filter": {"contains": {"$lines": "words"}}}
    daemon = case.daemon(configuration)
    peer.send(port, b"one\ntwo\n")
    reload(daemon)
    expect(daemon.log_has("pipelines: 0 changed, 0 added, 0 removed, 1 untouched"), "what is said of no change")
    case.write("words", b"two\n")
    reload(daemon)
    expect(daemon.log_has("pipelines: 1 changed, 0 added, 0 removed, 0 untouched"), "what is said of the change")
    peer.send(port, b"one\ntwo\n")
    daemon.drain()
    expect_equal(case.read("out"), b"one\ntwo\n", "the output")


@scenario()
def a_thousand_hangups_with_a_term_among_them_end_cleanly(case):
    port = free_port()
    versions = changes(port)
    daemon = case.daemon({"service": {"workers": 2, "drain": "30s"}, "pipelines": {"main": versions[0]}})
    client = peer.connect(port)
    for number in range(1000):
        if number % 50 == 0:
            case.configure({"service": {"workers": 2, "drain": "30s"},
                            "pipelines": {"main": versions[number // 50 % len(versions)]}}, "next")
            os.replace(case.path("next"), case.path("viewduct.json"))
            client.sendall(b"record %d\nha" % number)
        if number == 900:
            client.close()
            daemon.signal(signal.SIGTERM)
        daemon.signal(signal.SIGHUP)
        if number >= 900:
            break
    for _ in range(99):
        if daemon.process.poll() is None:
            daemon.signal(signal.SIGHUP)
    result = daemon.finish(copied=("aside", "thin"))
    expect_equal(result.messages("error"), [], "errors")
    wanted = b"record 0\n" + b"".join(b"harecord %d\n" % number for number in range(50, 901, 50)) + b"ha\n"
    expect(wanted.startswith(case.read("out")), f"the output: {case.read('out')!r}")


@scenario()
def memory_stays_flat_over_three_hundred_reloads(case):
    port = free_port()

    def configuration(number):
        return {"service": {"memory": "32MiB"}, "pipelines": {
            "main": pipeline(tcp(port), {"file": "out"}, {"filter": {"not": {"contains": f"no {number}"}}}),
            **({"extra": {"from": tcp(port + 1), "to": [
                {"stages": [{"compress": "gzip"}], "file": "extra.gz"}, {"null": {}}]}} if number % 2 else {})}}

    def resident():
        return daemon.status_field("VmRSS") * 1024

    daemon = case.daemon(configuration(0))
    with peer.connect(port) as connection:
        for number in range(1, 301):
            connection.sendall(b"record %d\nha" % number)
            reload(daemon, configuration(number))
            if number == 100:
                early = resident()
                descriptors = daemon.descriptors()
        grown = resident() - early
        # What told that it is ready is closed behind that.
        until(lambda: abs(daemon.descriptors() - descriptors) <= 1, f"as few as {descriptors} descriptors")
        if not case.options.sanitized:
            expect(grown < 2 * MIB, f"it grew by {grown} bytes over 200 reloads")
    daemon.drain(copied=("aside", "thin"))
    expect_equal(case.read("out").count(b"record"), 300, "records")


@scenario()
def scrapes_go_on_meanwhile_and_balance(case):
    port = free_port()
    versions = changes(port)
    others = {f"other{number}": pipeline({"generate": {"rate": "1000/s"}}, {"null": {}}) for number in range(2)}
    configuration, admin = serving(case, {"main": versions[0], **others}, workers=2, drain="30s")
    daemon = case.daemon(configuration)
    clients = Clients(case, port, "abcdef")
    over, wrong, seen = threading.Event(), [], []

    def scrape():
        highest = 0
        try:
            while not over.is_set() or len(seen) < 1000:
                found = metrics(admin)
                check_balance(found)
                out = total(found, "bytes_total", node="main.from.0", direction="out")
                expect(out >= highest, f"the source's bytes went back from {highest} to {out}")
                highest = out
                seen.append(1)
        except Exception as error:  # shown below
            wrong.append(error)

    def look():
        """Of the metrics ten answers a second are new; of these each is."""
        while not over.is_set():
            if ask(admin, "/status")[0] != 200:
                wrong.append("/status")

    threads = [threading.Thread(target=run, daemon=True) for run in (scrape, scrape, look)]
    for thread in threads:
        thread.start()
    for number in range(1, 15):
        configuration["pipelines"]["main"] = versions[number % len(versions)]
        configuration["pipelines"]["other1"] = pipeline({"generate": {"rate": f"100{number}/s"}}, {"null": {}})
        reload(daemon, configuration)
    over.set()
    for thread in threads:
        thread.join(120)
    clients.end()
    expect_equal(wrong, [], "scrapes that failed")
    expect(len(seen) >= 1000, f"only {len(seen)} scrapes")
    until(lambda: total(metrics(admin), "records_total", node="main.to.0", direction="in") == 24000,
          "records of all generations")
    daemon.drain(copied=("aside", "thin"))
    case.verify(case.read("out"), **clients.runs)


@scenario()
def what_is_decompressed_ends_with_its_streams(case):
    """A stream's context cannot be handed over: its connection is read to its end, and the listener opens anew."""
    import gzip
    port = free_port()

    def configuration(*stages):
        return {"service": {"drain": "20s"}, "pipelines": {"main": {
            "from": {"tcp": f"127.0.0.1:{port}"}, "stages": [{"decompress": "gzip"}, "split", *stages], "to": {"file": "out"}}}}

    daemon = case.daemon(configuration())
    peer.send(port, gzip.compress(b"one\n"))
    until(lambda: case.size("out") == 4, "the first record")
    reload(daemon, configuration({"filter": {"not": {"contains": "x"}}}))
    peer.send(port, gzip.compress(b"two\n"))
    daemon.drain()
    expect_equal(case.read("out"), b"one\ntwo\n", "the output")


@scenario()
def a_frame_ends_with_its_pipeline(case):
    import gzip
    port = free_port()

    def configuration(*stages):
        return {"service": {"drain": "30s"}, "pipelines": {"main": pipeline(
            tcp(port), {"file": "out.gz"}, *stages, {"compress": {"codec": "gzip", "linger": "1h"}})}}

    if case.command("check", case.configure(configuration())).returncode != 0:
        raise Failure(case.command("check", case.path("viewduct.json")).stderr.decode())
    daemon = case.daemon(configuration())
    with peer.connect(port) as connection:
        for number in range(4):
            connection.sendall(b"record %d\nha" % number)
            reload(daemon, configuration({"filter": {"not": {"contains": f"no {number}"}}}))
    daemon.drain(copied=("aside", "stage"))
    wanted = b"record 0\nharecord 1\nharecord 2\nharecord 3\nha\n"
    expect_equal(gzip.decompress(case.read("out.gz")), wanted, "the output")


@scenario(backends=("epoll",))
def a_configuration_from_standard_input_stays(case):
    port = free_port()
    text = case.read(pathlib.Path(case.configure({"pipelines": {"main": pipeline(tcp(port), {"file": "out"})}})).name)
    case.write("config", text)
    with open(case.path("config"), "rb") as stdin:
        daemon = DaemonOfInput(case, stdin)
    daemon.signal(signal.SIGHUP)
    daemon.wait_for("READY=1")
    until(lambda: daemon.log_has("came from standard input"), "the refusal")
    daemon.drain()


def DaemonOfInput(case, stdin):
    from harness import Daemon
    daemon = Daemon(case, "-", stdin=stdin)
    case.daemons.append(daemon)
    return daemon


@scenario(backends=("epoll",))
def reloading_is_told_to_the_service_manager(case):
    port = free_port()
    configuration = {"pipelines": {"main": pipeline(tcp(port), {"file": "out"})}}
    daemon = case.daemon(configuration)
    case.write("viewduct.json", b"{")
    for _ in range(2):
        daemon.signal(signal.SIGHUP)
        daemon.notices.settimeout(peer.PATIENCE)
        told = daemon.notices.recv(200).decode()
        expect(re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", told), f"it tells {told!r}")
        expect_equal(daemon.notices.recv(200).decode(), "READY=1", "what it tells then")
        case.configure(configuration)
    daemon.drain()


@scenario()
def files_are_reopened_before(case):
    port = free_port()
    configuration = {"pipelines": {"main": pipeline(tcp(port), {"file": "out"})}}
    daemon = case.daemon(configuration)
    with peer.connect(port) as connection:
        connection.sendall(b"one\nt")
        until(lambda: case.size("out") == 4, "the first record")
        os.rename(case.path("out"), case.path("out.1"))
        reload(daemon)
        connection.sendall(b"wo\n")
        until(lambda: case.size("out") == 4, "the second record")
    daemon.drain()
    expect_equal((case.read("out.1"), case.read("out")), (b"one\n", b"two\n"), "both files")


@scenario()
def a_term_during_a_reload_ends(case):
    """The sink of what is replaced is stuck: the reload would wait for the drain."""
    port, sink = free_port(), peer.Sink("hang")
    service = {"drain": "20s", "memory": "16MiB", "workers": 2}
    configuration = {"service": service, "pipelines": {
        "main": pipeline(tcp(port), {"tcp": f"127.0.0.1:{sink.port}"}),
        "other": pipeline(tcp(port + 1), {"file": "other"})}}
    daemon = case.daemon(configuration)
    client = peer.connect(port)
    data = case.make_records("a", 120000)
    sent = peer.send_until_stuck(client, data)
    expect(sent < len(data), "a hung sink does not stop the source")
    configuration["pipelines"]["main"]["to"] = {"file": "out"}
    configuration["pipelines"]["other"]["to"] = {"file": "another"}
    case.configure(configuration)
    daemon.signal(signal.SIGHUP)
    until(lambda: case.path("another") and os.path.exists(case.path("another")), "the other pipeline's change")
    daemon.signal(signal.SIGTERM)
    until(lambda: daemon.log_has("draining"), "the drain")
    daemon.signal(signal.SIGHUP)  # too late
    sink.resume()
    client.close()
    daemon.finish(copied=("aside", "thin"))
    sink.close()


@contextlib.contextmanager
def reload_that_waits(case):
    """A reload that waits for a sink which has no heir, before it adds a pipeline; and the port of that."""
    sink, fresh = peer.Sink("hang"), free_port()
    stuck = Stuck(case, lambda port: pipeline(tcp(port), {"name": "relay", "tcp": f"127.0.0.1:{sink.port}"}),
                  memory="64MiB")
    configuration = stuck.changed(pipeline(tcp(stuck.port), {"file": "out"}))
    configuration["pipelines"]["fresh"] = pipeline(tcp(fresh), {"file": "fresh"})
    case.configure(configuration)
    stuck.daemon.signal(signal.SIGHUP)
    until(lambda: stuck.daemon.log_has("the reload waits for main.to.relay"), "the reload")
    stuck.daemon.signal(signal.SIGTERM)
    until(lambda: stuck.daemon.log_has("the reload was given up"), "the end of the reload")
    yield stuck, sink
    stuck.client.close()
    sink.close()
    expect(not case.folder.joinpath("fresh").exists() and not case.folder.joinpath("out").exists(),
           "what had not begun was opened")


@scenario()
def a_term_abandons_what_a_reload_has_not_begun(case):
    with reload_that_waits(case) as (stuck, sink):
        sink.resume()
        stuck.send_the_rest()
        result = stuck.daemon.finish(copied=("aside", "thin"))
        expect_equal(result.messages("error"), [], "errors")
    case.verify(sink.data(), a=RECORDS)


@scenario()
def a_second_term_during_a_reload_ends_at_once(case):
    with reload_that_waits(case) as (stuck, sink):
        stuck.daemon.signal(signal.SIGTERM)
        result = stuck.daemon.finish(status=3, copied=("aside", "thin"))
        text = " ".join(result.messages("error"))
        expect(re.search(r"the drain was cut short: undelivered=\d+ rereadable=0.*; not written by main\.to\.relay", text),
               f"it says {text!r}")


def sizes(admin):
    """The buffers of each pipeline's pool."""
    return {found["name"]: found["pool"]["buffers"] for found in json.loads(ask(admin, "/status")[1])["pipelines"]}


@scenario()
def free_memory_is_shared_by_what_is_new(case):
    """Two new pipelines get the same, the old one keeps what it has, and something is left for another one."""
    def bounded(port, name, *stages):
        return {"from": {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": 16}},
                "stages": [{"split": {"max_record": "64KiB"}}, *stages], "to": {"file": name}}

    ports = [free_port() for _ in range(4)]
    configuration, admin = serving(case, {"main": bounded(ports[0], "main")}, memory="128MiB")
    daemon = case.daemon(configuration)
    before = sizes(admin)["main"]
    for number in (1, 2):
        configuration["pipelines"][f"more{number}"] = bounded(ports[number], f"more{number}")
    reload(daemon, configuration)
    found = sizes(admin)
    expect_equal(found["more1"], found["more2"], "the new ones' pools")
    expect_equal(found["main"], before, "the old one's pool")
    configuration["pipelines"]["more3"] = bounded(ports[3], "more3")
    reload(daemon, configuration)
    expect(0 < sizes(admin)["more3"] <= found["more1"], f"the third one's pool: {sizes(admin)}")
    expect_equal({**sizes(admin), "more3": 0}, {**found, "more3": 0}, "those of the others")
    for number, port in enumerate(ports):
        peer.send(port, b"record %d\n" % number)
    daemon.drain()
    expect_equal([case.read(name) for name in ("main", "more1", "more2", "more3")],
                 [b"record %d\n" % number for number in range(4)], "the output")


@scenario()
def what_a_changed_pipeline_needs_more_comes_from_what_is_free(case):
    """Or the reload is refused with how much that is, and what there is."""
    port, other = free_port(), free_port()

    def made(record):
        return {"from": tcp(port), "stages": [{"split": {"max_record": record}}], "to": {"file": "out"}}

    small = {"from": tcp(port), "stages": [{"split": {"max_record": "1KiB"}}], "to": {"file": "out"}, "memory": "8MiB"}
    configuration, admin = serving(case, {"main": small, "rest": pipeline(tcp(other), {"file": "rest"})}, memory="64MiB")
    daemon = case.daemon(configuration)
    before = sizes(admin)
    configuration["pipelines"]["main"] = made("1500KiB")
    reload(daemon, configuration)
    expect(daemon.log_has("configuration 2 is running"), f"it was refused: {daemon.stderr()[-800:]!r}")
    found = sizes(admin)
    expect(found["main"] > before["main"], f"the pools: {before}, then {found}")
    expect_equal(found["rest"], before["rest"], "the other's pool")
    configuration["pipelines"]["main"] = made("5MiB")
    case.configure(configuration)
    status, text = ask(case.path("admin.sock"), "/reload", "POST")
    expect_equal(status, 409, "the answer")
    expect(re.search(r"viewduct\.json:\d+:\d+: memory does not suffice: \"main\" needs \d+MiB, and \d+[KM]iB is free for it", text),
           f"the answer: {text!r}")
    daemon.wait_for("READY=1")
    peer.send(port, b"x" * 1400000 + b"\n")
    daemon.drain(copied=("aside", "pieces"))
    expect_equal(len(case.read("out")), 1400001, "the output")


@scenario()
def a_refusal_shows_each_fault_as_check_does(case):
    port = free_port()
    configuration, _ = serving(case, {"main": pipeline(tcp(port), {"file": "out"})})
    daemon = case.daemon(configuration)
    configuration["pipelines"]["main"]["stages"] += ["nonsense", {"filter": {"regex": "("}}]
    case.configure(configuration)
    checked = case.command("check", case.path("viewduct.json"))
    expect_equal(checked.returncode, 78, "the status of check")
    status, text = ask(case.path("admin.sock"), "/reload", "POST")
    first, rest = text.split("\n", 1)
    expect_equal((status, rest), (409, checked.stderr.decode()), "the faults")
    expect(re.search(r"nothing has changed: \S*viewduct\.json:\d+:\d+: ", first), f"the outcome: {first!r}")
    daemon.wait_for("READY=1")
    daemon.drain()


@scenario(backends=("epoll",))
def more_pipelines_than_workers_could_be_are_told(case):
    """As many threads as there were pipelines at the start."""
    configuration, _ = serving(case, {"main": pipeline(tcp(free_port()), {"file": "out"})}, workers=3)
    daemon = case.daemon(configuration)
    configuration["pipelines"]["more"] = pipeline(tcp(free_port()), {"file": "more"})
    reload(daemon, configuration)
    expect(daemon.log_has("the pipelines run on 1 worker, not the 2 they could use"), "it is not said")
    daemon.drain()


@scenario()
def a_reload_that_is_asked_for_while_draining_is_refused(case):
    port, sink = free_port(), peer.Sink("hang")
    configuration, _ = serving(case, {"main": pipeline(tcp(port), {"tcp": f"127.0.0.1:{sink.port}"})},
                               drain="20s", memory="8MiB")
    daemon = case.daemon(configuration)
    client = peer.connect(port)
    expect(peer.send_until_stuck(client, case.make_records("a", 120000)) > 0, "nothing was taken")
    daemon.signal(signal.SIGTERM)
    until(lambda: daemon.log_has("draining"), "the drain")
    status, answer = ask(case.path("admin.sock"), "/reload", "POST")
    expect_equal((status, "ending" in answer), (409, True), f"the answer: {answer!r}")
    sink.resume()
    client.close()
    daemon.finish(copied=("aside", "thin"))
    sink.close()
