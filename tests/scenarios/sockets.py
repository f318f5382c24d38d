"""Connections in and out: every write size, every end, every state of the other side."""

import socket
import threading
import time

import peer
from harness import expect, expect_equal, free_port, one, scenario, until


def listening(port):
    return {"tcp": {"listen": f"127.0.0.1:{port}"}}


def relay(port, to, **service):
    return one(listening(port), [{"split": "newline"}], to, **service)


@scenario(("uring", "epoll", "refused"))
def any_writes_arrive_whole(case):
    """Three connections into a relay, and from there into a second daemon and a file."""
    first, second = free_port(), free_port()
    last = case.daemon(relay(second, {"file": "out"}))
    daemon = case.daemon(relay(first, {"tcp": f"127.0.0.1:{second}"}), wait=True)
    inputs = {"a": (case.make_records("a", 300, 100), 1), "b": (case.make_records("b", 20000), "random"),
              "c": (case.make_records("c", 20000), None)}
    clients = [threading.Thread(target=peer.send, args=(first, data, chunk)) for data, chunk in inputs.values()]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    daemon.drain(copied=("aside",))  # the client of single bytes
    last.drain()
    case.verify(case.read("out"), a=300, b=20000, c=20000)


@scenario()
def small_buffers_lose_nothing(case):
    port = free_port()
    source = {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": 20}}
    daemon = case.daemon(one(source, [{"split": "newline"}], {"file": "out"}, buffer="64B", memory="2MiB"))
    threads = [threading.Thread(target=peer.send, args=(port, case.make_records(name, 500, 400, seed), "random", seed))
               for seed, name in enumerate("abcdefgh")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    daemon.drain(copied=("aside", "thin"))
    case.verify(case.read("out"), **{name: 500 for name in "abcdefgh"})


@scenario()
def a_half_closed_connection_delivers_its_last_record(case):
    port = free_port()
    daemon = case.daemon(relay(port, {"file": "out"}))
    peer.send(port, b"first\nlast without a delimiter")
    daemon.drain()
    expect_equal(case.read("out"), b"first\nlast without a delimiter\n", "the output")


@scenario()
def a_reset_in_mid_record_is_counted_and_glued_to_nothing(case):
    port = free_port()
    daemon = case.daemon(relay(port, {"file": "out"}))
    broken = peer.connect(port)
    broken.sendall(b"whole\nhalf a rec")
    until(lambda: case.size("out") == 6, "the whole record")
    with peer.connect(port) as other:
        other.sendall(b"an")
        peer.reset(broken)
        other.sendall(b"other\n")
        other.shutdown(socket.SHUT_WR)
        peer.wait_for_end(other)
    until(lambda: case.size("out") == 14, "the other's record")
    result = daemon.drain()
    expect_equal(case.read("out"), b"whole\nanother\n", "the output")
    expect_equal(result.dropped("split", "cut"), 1, "dropped as cut")


@scenario()
def a_sink_that_is_down_at_start_gets_everything_later(case):
    port = free_port()
    data = case.make_records("a", 5000)
    source = {"file": {"path": case.write("in", data), "follow": False}}
    sink = {"tcp": {"connect": f"127.0.0.1:{port}", "retry": {"first": "10ms", "most": "100ms"}}}
    daemon = case.daemon(one(source, [{"split": "newline"}], sink))
    until(lambda: daemon.log_has("main.to.0"), "a word about the sink")
    time.sleep(0.5)  # several attempts, of which only the change of state is told
    expect(daemon.process.poll() is None, "it must not end")
    told = daemon.stderr().count(b'"node":"main.to.0"')
    expect(told <= 2, f"{told} log lines about one sink that is down")
    late = peer.Sink(port=port)
    daemon.finish()
    late.close()
    case.verify(late.data(), a=5000)


@scenario()
def a_sink_that_resets_gets_whole_records(case):
    data = case.make_records("a", 100000, 300)
    sink = peer.Sink("rst", after=100000, times=2)
    source = {"file": {"path": case.write("in", data), "follow": False}}
    to = {"tcp": {"connect": f"127.0.0.1:{sink.port}", "retry": {"first": "10ms", "most": "50ms"}}}
    case.daemon(one(source, [{"split": "newline"}], to, memory="8MiB")).finish()
    sink.close()
    expect(len(sink.connections) == 3, f"{len(sink.connections)} connections instead of 3")
    for number, received in enumerate(sink.connections[1:], 2):
        expect(received.startswith(b"a:"), f"connection {number} begins in mid-record: {bytes(received[:40])}")
    # What a peer had in its buffers when it reset is lost, here and anywhere; the last connection lost nothing.
    case.verify(bytes(sink.connections[-1]), lost_is_fine=True, a=100000)


@scenario()
def a_tiny_window_gets_everything(case):
    data = case.make_records("a", 2000)
    sink = peer.Sink("tiny")
    source = {"file": {"path": case.write("in", data), "follow": False}}
    case.run(one(source, [{"split": "newline"}], {"tcp": f"127.0.0.1:{sink.port}"}))
    sink.close()
    expect(sink.data() == data, "the peer has other bytes")


@scenario()
def a_busy_port_is_74(case):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = case.daemon(relay(port, "null"), wait=False).finish(status=74)
    expect(str(port) in ended.stderr.decode(), f"the port is not named: {ended.stderr}")


@scenario()
def a_connection_that_is_silent_costs_nothing(case):
    port = free_port()
    daemon = case.daemon(relay(port, {"file": "out"}))
    quiet = [peer.connect(port) for _ in range(20)]
    peer.send(port, b"one\n")
    until(lambda: case.size("out") == 4, "the record")
    before = daemon.cpu_seconds()
    time.sleep(1)  # idleness has no event: this is the time over which it is measured
    spent = daemon.cpu_seconds() - before
    expect(spent <= 0.05, f"{spent} s of CPU in an idle second")
    for connection in quiet:
        connection.close()
    daemon.drain()
