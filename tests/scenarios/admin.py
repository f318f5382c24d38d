"""The admin server: what a running daemon tells of itself, and to whom."""

import http.client
import json
import os
import re
import signal
import socket
import stat
import threading

import peer
from harness import Skip, expect, expect_equal, free_port, one, scenario, until

FAMILIES = """records_total bytes_total filtered_records_total dropped_records_total held_records copied_bytes_total
peeked_bytes_total in_flight_records pool_buffers connections sink_up blocked_seconds_total reconnects_total
truncated_records_total errors_total kernel_dropped_datagrams_total accept_errors_total unread_bytes loop_seconds
config_generation config_reload_failures_total io_backend build_info""".split()
REASONS = """when_full too_long incomplete cut framing parse damaged memory too_big_for_datagram unmatched
shutdown""".split()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def ask(where, path, method="GET", **headers):
    """(status, text) of an answer; `where` is a port or the path of a socket."""
    made = UnixConnection(where) if isinstance(where, str) else http.client.HTTPConnection("127.0.0.1", where)
    made.timeout = 30
    try:
        made.request(method, path, headers=headers)
        answer = made.getresponse()
        return answer.status, answer.read().decode()
    finally:
        made.close()


def metrics(where):
    """{(family, labels): value} of a scrape whose every line parses."""
    status, text = ask(where, "/metrics")
    expect_equal(status, 200, "the status of /metrics")
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = re.fullmatch(r'([a-z_]+)(?:\{((?:[a-z]+="[^"]*",?)*)\})? ([0-9.e+-]+)', line)
        expect(match, f"a line of /metrics that does not parse: {line!r}")
        labels = tuple(sorted(re.findall(r'([a-z]+)="([^"]*)"', match[2] or "")))
        expect((match[1], labels) not in found, f"a series that is there twice: {line!r}")
        found[match[1], labels] = float(match[3])
    return found


def series(found, family, **labels):
    wanted = set(labels.items())
    return {key[1]: value for key, value in found.items() if key[0] == f"viewduct_{family}" and wanted <= set(key[1])}


def total(found, family, **labels):
    return sum(series(found, family, **labels).values())


def check_balance(found):
    nodes = {dict(labels)["node"] for labels in series(found, "filtered_records_total")}
    for node in nodes:
        if re.fullmatch(r"[^.]+\.from\.[^.]+", node):
            continue
        records = {way: total(found, "records_total", node=node, direction=way) for way in ("in", "out")}
        rest = sum(total(found, family, node=node)
                   for family in ("filtered_records_total", "dropped_records_total", "held_records"))
        expect_equal(records["in"], records["out"] + rest, f"the balance of {node}")


def serving(case, configuration, **admin):
    port = free_port()
    configuration.setdefault("service", {})["admin"] = {"listen": f"127.0.0.1:{port}", "socket": "admin.sock", **admin}
    return case.daemon(configuration), port


@scenario()
def every_metric_is_there_from_the_start(case):
    daemon, port = serving(case, one({"tcp": f"127.0.0.1:{free_port()}"}, ["split", {"filter": "x"}],
                                     [{"file": "out"}, {"stages": [{"compress": "zstd"}], "file": "out.zst"}]))
    found = metrics(port)
    names = {key[0] for key in found}
    for family in FAMILIES:
        expect(any(name.startswith(f"viewduct_{family}") for name in names), f"no viewduct_{family}")
    for family in ("cpu_seconds_total", "resident_memory_bytes", "open_fds", "start_time_seconds"):
        expect(found[f"process_{family}", ()] > 0, f"process_{family} is 0")
    for reason in REASONS:
        expect_equal(len(series(found, "dropped_records_total", reason=reason)), 7, f"nodes with reason {reason}")
    expect_equal(total(found, "io_backend", backend=case.backend), 1, "the backend")
    expect_equal(total(found, "sink_up"), 2, "sinks that are up")
    before = set(found)
    daemon.signal(signal.SIGUSR1)
    until(lambda: daemon.log_has("reopening"), "the reopening")
    expect_equal(set(metrics(port)), before, "the series of a second scrape")
    daemon.drain()


@scenario()
def counters_balance_at_every_scrape(case):
    port_in = free_port()
    pipeline = {"from": {"tcp": f"127.0.0.1:{port_in}"}, "shards": 2,
                "stages": ["split", {"filter": {"not": {"contains": "7"}}}],
                "to": [{"file": "out.{shard}"}, {"tcp": f"127.0.0.1:{free_port()}", "when_full": "drop"}]}
    daemon, port = serving(case, {"service": {"workers": 2}, "pipelines": {"main": pipeline}})
    clients = [threading.Thread(target=peer.send, args=(port_in, case.make_records(name, 40000, 300, seed)))
               for seed, name in enumerate("abcd")]
    for client in clients:
        client.start()
    while any(client.is_alive() for client in clients):
        check_balance(metrics(port))
    for client in clients:
        client.join()
    until(lambda: total(metrics(port), "records_total", node="main.split", direction="in") == 160000, "every record")
    found = metrics(port)
    check_balance(found)
    expect_equal(total(found, "copied_bytes_total"), 0, "copied bytes")
    expect(total(found, "dropped_records_total", reason="when_full") > 0, "nothing was dropped by the dead branch")
    expect(total(found, "errors_total", reason="connect") > 0, "that nobody could be connected to was not counted")
    daemon.drain()


@scenario()
def who_scrapes_too_often_is_told_the_same_again(case):
    """The workers are woken for few of the scrapes; but what a reload changed is told at once."""
    daemon, port = serving(case, one({"tcp": f"127.0.0.1:{free_port()}"}, ["split"], "null"))
    connection, answers = http.client.HTTPConnection("127.0.0.1", port, timeout=30), []
    for _ in range(300):
        connection.request("GET", "/metrics")
        answers.append(connection.getresponse().read())
    connection.close()
    expect(len(set(answers)) < 150, f"{len(set(answers))} answers of 300 differ")
    daemon.signal(signal.SIGHUP)
    until(lambda: total(metrics(port), "config_generation") == 2, "the new generation")
    daemon.drain()


@scenario()
def status_tells_the_plan_and_the_rates(case):
    daemon, port = serving(case, one({"generate": {"rate": "2000/s"}}, ["split", {"filter": "1"}], ["null", "null"]))
    ask(port, "/status")
    until(lambda: json.loads(ask(port, "/status")[1])["over_seconds"] >= 1, "rates")
    status = json.loads(ask(port, "/status")[1])
    nodes = {node["name"]: node for node in status["pipelines"][0]["nodes"]}
    expect_equal(nodes["main.filter"]["to"], ["main.to"], "whom the filter gives to")
    expect_equal(nodes["main.to"]["to"], ["main.to.0", "main.to.1"], "whom the tee gives to")
    expect(nodes["main.split"]["rates"]["records_out"] > 0, "no rate")
    expect_equal(status["backend"], case.backend, "the backend")
    expect(status["pipelines"][0]["pool"]["buffers"] >= 32, "no pool")
    daemon.drain()


@scenario(backends=("uring",))
def the_address_is_for_reading_and_for_nobody_elses_pages(case):
    daemon, port = serving(case, one("generate", [], "null"))
    for path in ("/", "/metrics", "/health", "/ready", "/status"):
        expect_equal(ask(port, path)[0], 200, f"the status of {path}")
        expect_equal(ask(case.path("admin.sock"), path)[0], 200, f"{path} at the socket")
        expect_equal(ask(port, path, "POST")[0], 405, f"POST {path}")
    expect_equal(ask(port, "/none")[0], 404, "what there is not")
    expect_equal(ask(port, "/reopen", "POST")[0], 403, "a command at the address")
    for host in ("evil.example", "localhost.evil.example:9464", "127.0.0.1.evil.example", "", "[::1", "[evil]"):
        expect_equal(ask(port, "/status", Host=host)[0], 403, f"Host: {host}")
    for host in ("localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:9464", "10.1.2.3:80"):
        expect_equal(ask(port, "/status", Host=host)[0], 200, f"Host: {host}")
    expect_equal(stat.S_IMODE(os.stat(case.path("admin.sock")).st_mode), 0o660, "the mode of the socket")
    expect_equal(ask(case.path("admin.sock"), "/reopen", "POST")[0], 200, "a command at the socket")
    until(lambda: daemon.log_has("reopening"), "the reopening")
    expect_equal(ask(case.path("admin.sock"), "/reopen")[0], 405, "a command by GET")
    daemon.drain()
    expect(not os.path.exists(case.path("admin.sock")), "the socket is still there")


@scenario(backends=("uring",))
def requests_are_bounded(case):
    daemon, port = serving(case, one("generate", [], "null"))
    with socket.create_connection(("127.0.0.1", port)) as flood:
        flood.sendall(b"GET / HTTP/1.1\r\n")
        try:
            for _ in range(10000):
                flood.sendall(b"X-Long: " + b"x" * 4000 + b"\r\n")
            flood.recv(1)
        except OSError:
            pass
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    expect_equal(ask(case.path("admin.sock"), "/health"), (200, "ok\n"), "health while the address is full")
    for held in idle:
        held.close()
    until(lambda: ask(port, "/health") == (200, "ok\n"), "health at the address")
    held = [socket.socket(socket.AF_UNIX) for _ in range(100)]
    for each in held:
        each.connect(case.path("admin.sock"))
    tasks = f"/proc/{daemon.process.pid}/task"
    until(lambda: len(os.listdir(tasks)) >= 64, "threads of the socket's connections")
    expect_equal(ask(port, "/health"), (200, "ok\n"), "health while the socket is full")
    expect(len(os.listdir(tasks)) < 80, f"{len(os.listdir(tasks))} threads")
    for each in held:
        each.close()
    until(lambda: ask(case.path("admin.sock"), "/health") == (200, "ok\n"), "health at the socket")
    daemon.expect_bounded(64 << 20, 200)
    daemon.drain()


@scenario(backends=("uring",))
def addresses_that_cannot_be_had_are_told(case):
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    configuration = one("generate", [], "null", admin=f"127.0.0.1:{port}")
    result = case.run(configuration, wait=False, status=74)
    expect("cannot serve admin" in result.messages("error")[0], f"what is said: {result.messages()}")
    taken.close()
    for wrong in ("0.0.0.0:9464", ":9464", "192.0.2.1:9464"):
        result = case.run(one("generate", [], "null", admin=wrong), wait=False, status=78)
        expect("allow_remote" in result.messages("error")[0], f"what is said: {result.messages()}")
    daemon = case.daemon(one("generate", [], "null", admin={"listen": f"0.0.0.0:{port}", "allow_remote": True,
                                                            "socket": "admin.sock"}))
    expect_equal(ask(port, "/ready"), (200, "ready\n"), "readiness")
    daemon.drain()


@scenario(backends=("uring",))
def who_has_no_place_for_a_socket_is_told(case):
    if os.geteuid() != 0:
        raise Skip("this needs to become another user")
    os.chmod(case.folder, 0o755)
    drop = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "-u", "XDG_RUNTIME_DIR"]
    configuration = one({"generate": {"lines": 1}}, [], "null", admin=f"127.0.0.1:{free_port()}")
    result = case.daemon(configuration, wrap=drop, wait=False).finish()
    told = [text for text in result.messages("warning") if "XDG_RUNTIME_DIR" in text]
    expect_equal(len(told), 1, f"how often the remedy is named: {result.messages()}")


@scenario(backends=("uring",))
def names_are_known_when_the_first_configuration_is_gone(case):
    """Every pipeline has changed, so nothing keeps what was read at the start."""
    admin = {"listen": f"localhost:{free_port()}", "socket": "admin.sock"}
    daemon = case.daemon(one("generate", [], "null", admin=admin))
    case.configure(one({"generate": {"rate": "10/s"}}, ["split"], {"file": "out"}, admin=admin))
    expect_equal(ask(case.path("admin.sock"), "/reload", "POST")[0], 200, "the status of the reload")
    port = int(admin["listen"].rpartition(":")[2])
    expect_equal(ask(port, "/health", Host="foo.example")[0], 403, "a Host that is not the server's")
    expect_equal(ask(port, "/health", Host="LocalHost")[0], 200, "a Host that is the server's")
    daemon.drain()
