"""What a service manager does for the daemon, and asks of it: sockets that it passes, and the watchdog."""

import ctypes
import fcntl
import os
import socket
import threading

import peer
from harness import PATIENCE, expect, expect_equal, free_port, one, scenario, until

PTRACE_ATTACH, PTRACE_DETACH, WALL = 16, 17, 0x40000000
SPLIT = [{"split": "newline"}]


def make_socket(family, kind, address):
    made = socket.socket(family, kind)
    if family == socket.AF_INET:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(address)
    if kind == socket.SOCK_STREAM:
        made.listen(100)
    return made


def listen(port):
    return make_socket(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", port))


def passing(*sockets):
    """How a daemon is started that gets these (name, socket) pairs, as from a service manager: from descriptor 3 on."""
    high = [fcntl.fcntl(made.fileno(), fcntl.F_DUPFD, 100) for _, made in sockets]
    moves = " ".join(f"{number}<&{descriptor} {descriptor}<&-" for number, descriptor in enumerate(high, 3))
    names = ":".join(name for name, _ in sockets)
    script = f'exec {moves}; export LISTEN_PID=$$ LISTEN_FDS={len(high)} LISTEN_FDNAMES={names}; exec "$@"'
    return {"wrap": ["bash", "-c", script, "bash"], "descriptors": high}


@scenario(("uring", "epoll", "refused"))
def data_come_through_passed_sockets(case):
    port = free_port()
    paths = case.path("stream"), case.path("datagram")
    sockets = [("tcp", listen(port)), ("udp", make_socket(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", port))),
               ("stream", make_socket(socket.AF_UNIX, socket.SOCK_STREAM, paths[0])),
               ("datagram", make_socket(socket.AF_UNIX, socket.SOCK_DGRAM, paths[1]))]
    sources = [{"tcp": "systemd:tcp"}, {"udp": {"listen": "systemd:udp", "receive_buffer": "8KiB"}},
               {"unix": "systemd:stream"}, {"unix": {"listen": "systemd:datagram", "type": "datagram"}}]
    configuration = one([source | {"stages": SPLIT} for source in sources], [], {"file": "out"})
    expect_equal(case.command("check", case.configure(configuration, "check.json")).returncode, 0, "check")
    daemon = case.daemon(configuration, **passing(*sockets))
    peer.send(port, b"by tcp\n")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(paths[0])
        client.sendall(b"by a stream\n")
    for family, address, text in ((socket.AF_INET, ("127.0.0.1", port), b"by udp"),
                                  (socket.AF_UNIX, paths[1], b"by a datagram")):
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            client.sendto(text, address)
    until(lambda: case.size("out") == len(b"by tcp\nby a stream\nby udp\nby a datagram\n"), "all four records")
    daemon.drain()
    expect_equal(sorted(case.read("out").splitlines()), [b"by a datagram", b"by a stream", b"by tcp", b"by udp"], "out")
    expect(all(map(os.path.exists, paths)), "a socket that the service manager made was removed")


@scenario()
def the_queue_outlives_the_process(case):
    """Clients connect one after the other, while one daemon is drained and the next one started."""
    port = free_port()
    passed = listen(port)
    configuration = one({"tcp": "systemd:tcp"}, SPLIT, {"file": "out"})
    sent, stop, wrong = [], threading.Event(), []

    def connect_on_and_on():
        while not stop.is_set():
            text = b"record %d" % len(sent)
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
                    client.sendall(text + b"\n")
                    client.shutdown(socket.SHUT_WR)
                    peer.wait_for_end(client)
                sent.append(text)
            except OSError as error:
                wrong.append(error)
                return

    client = threading.Thread(target=connect_on_and_on)
    daemon = case.daemon(configuration, **passing(("tcp", passed)))
    client.start()
    for _ in range(3):
        seen = len(sent)
        until(lambda: len(sent) > seen + 10 or wrong, "connections that are served")
        daemon.drain()
        daemon = case.daemon(configuration, **passing(("tcp", passed)))
    stop.set()
    client.join()
    daemon.drain()
    expect(not wrong, f"a client met {wrong}")
    expect_equal(sorted(case.read("out").splitlines()), sorted(sent), "what arrived")


@scenario()
def several_sockets_of_a_name_are_one_listener(case):
    ports = free_port(), free_port()
    pipeline = {"from": {"tcp": "systemd:logs"}, "stages": SPLIT, "to": {"file": "out.{shard}"}, "shards": 2}
    daemon = case.daemon({"service": {"workers": 2}, "pipelines": {"main": pipeline}},
                         **passing(*(("logs", listen(port)) for port in ports)))
    for number in range(20):
        peer.send(ports[number % 2], b"record %d\n" % number)
    daemon.drain()
    got = (case.read("out.0") + case.read("out.1")).splitlines()
    expect_equal(sorted(got), sorted(b"record %d" % number for number in range(20)), "what arrived")


@scenario()
def what_was_not_passed_is_74_and_what_is_not_used_is_told(case):
    port, other = free_port(), free_port()
    configuration = one({"tcp": "systemd:logs"}, SPLIT, {"file": "out"})
    result = case.daemon(configuration, wait=False).finish(status=74)
    expect("FileDescriptorName=logs" in result.messages("error")[0], result.messages())
    wrong = make_socket(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", port))
    result = case.daemon(configuration, wait=False, **passing(("logs", wrong))).finish(status=74)
    expect("a UDP socket was passed under that name" in result.messages("error")[0], result.messages())
    daemon = case.daemon(configuration, **passing(("more", listen(other)), ("logs", listen(port))))
    peer.send(port, b"one\n")
    result = daemon.drain(warnings=1)
    expect('"more"' in result.messages("warning")[0], result.messages())


def stop_threads(daemon):
    """Stops all threads but the first; threads of the kernel cannot be. Those that were."""
    libc, stopped = ctypes.CDLL(None), []
    for thread in map(int, os.listdir(f"/proc/{daemon.process.pid}/task")):
        if thread != daemon.process.pid and libc.ptrace(PTRACE_ATTACH, thread, None, None) == 0:
            os.waitpid(thread, WALL)
            stopped.append(thread)
    return stopped


def notices(daemon):
    """What has been told until now."""
    daemon.notices.setblocking(False)
    found = []
    try:
        while True:
            found.append(daemon.notices.recv(100))
    except BlockingIOError:
        return found


@scenario()
def the_watchdog_hears_only_of_loops_that_turn(case):
    """While one of two workers is stopped, the other does its work, and does not say that all is well."""
    ports = free_port(), free_port()
    pipelines = {f"p{port}": {"from": {"tcp": f"127.0.0.1:{port}"}, "stages": SPLIT, "to": "null"} for port in ports}
    environment = {"WATCHDOG_USEC": "1000000"}
    daemon = case.daemon({"service": {"workers": 2}, "pipelines": pipelines}, environment=environment)
    expect(daemon.wait_for("WATCHDOG=1"), "it ended")
    worry = b"a worker has not turned for a while"
    worries = daemon.stderr().count(worry)  # none, but on a machine that has much else to do
    stopped = stop_threads(daemon)
    expect(stopped, "there is no second thread")
    until(lambda: daemon.stderr().count(worry) > worries, "the worry")
    notices(daemon)
    for _ in range(50):
        peer.send(ports[0], b"of the first worker\n")
    expect_equal(notices(daemon), [], "what is told while a worker is stopped")
    for thread in stopped:
        ctypes.CDLL(None).ptrace(PTRACE_DETACH, thread, None, None)
    expect(daemon.wait_for("WATCHDOG=1"), "it ended")
    daemon.drain()
