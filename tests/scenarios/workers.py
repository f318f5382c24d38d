"""Threads: pipelines divided among them, and shards of one pipeline on one port."""

import os
import signal
import socket
import threading

import peer
from harness import expect, expect_equal, free_port, scenario


@scenario()
def shards_share_a_port_and_lose_nothing(case):
    port = free_port()
    pipeline = {"from": {"tcp": {"listen": f"127.0.0.1:{port}"}}, "shards": 4, "stages": ["split"],
                "to": {"file": {"path": "out.{shard}"}}}
    daemon = case.daemon({"service": {"workers": 3}, "pipelines": {"main": pipeline}}, wait=True)
    names = "abcdefghijkl"
    clients = [threading.Thread(target=peer.send, args=(port, case.make_records(name, 3000, 500, seed), "random", seed))
               for seed, name in enumerate(names)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    daemon.drain()
    case.verify(b"".join(case.read(f"out.{shard}") for shard in range(4)), **{name: 3000 for name in names})


@scenario()
def every_pipeline_ends_by_itself_whatever_thread_it_has(case):
    data = {name: case.make_records(name, 5000, 300, seed) for seed, name in enumerate("abcde")}
    pipelines = {}
    for name, records in data.items():
        case.write(f"in.{name}", records)
        pipelines[name] = {"from": {"file": {"path": f"in.{name}", "follow": False}}, "stages": ["split"],
                           "to": {"file": f"out.{name}"}}
    case.run({"service": {"workers": 3}, "pipelines": pipelines})
    for name, records in data.items():
        expect_equal(case.read(f"out.{name}"), records, f"the output of {name}")


@scenario()
def a_drain_reaches_every_thread(case):
    """One pipeline is stuck, on whichever thread; the other still drains, and the end is told as it is."""
    stuck, port, dead = free_port(), free_port(), free_port()
    pipelines = {name: {"from": {"tcp": {"listen": f"127.0.0.1:{at}"}}, "stages": ["split"], "to": to}
                 for name, at, to in (("one", stuck, {"tcp": f"127.0.0.1:{dead}"}), ("two", port, {"file": "out"}))}
    for swap in (False, True):
        ordered = dict(reversed(pipelines.items())) if swap else pipelines
        daemon = case.daemon({"service": {"workers": 2, "drain": "1s"}, "pipelines": ordered}, wait=True)
        peer.send(stuck, b"lost\n" * 10)
        peer.send(port, b"kept\n" * 10)
        daemon.signal(signal.SIGTERM)
        result = daemon.finish(status=3)
        expect(b"undelivered=10" in result.stderr, f"what is said: {result.stderr[-600:]!r}")
    expect_equal(case.read("out"), b"kept\n" * 20, "the output")


@scenario()
def standard_output_closed_by_its_reader_ends_every_thread(case):
    case.write("in", case.make_records("a", 20000))
    port = free_port()
    pipelines = {"one": {"from": {"tcp": {"listen": f"127.0.0.1:{port}"}}, "stages": ["split"], "to": {"file": "out"}},
                 "two": {"from": {"file": {"path": "in", "follow": True}}, "stages": ["split"], "to": "stdout"}}
    read, write = os.pipe()
    daemon = case.daemon({"service": {"workers": 2}, "pipelines": pipelines}, stdout=write)
    os.close(write)
    os.read(read, 100)
    os.close(read)
    daemon.finish()


@scenario()
def a_start_that_fails_has_moved_nothing(case):
    """The last of three pipelines cannot listen: those on other threads have not begun."""
    case.write("in", case.make_records("a", 20000))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = {"tcp": {"listen": f"127.0.0.1:{taken.getsockname()[1]}"}}
        pipelines = {"one": {"from": {"tcp": {"listen": f"127.0.0.1:{free_port()}"}}, "stages": ["split"], "to": "null"},
                     "two": {"from": {"file": {"path": "in", "follow": False}}, "stages": ["split"], "to": {"file": "out"}},
                     "three": {"from": busy, "stages": ["split"], "to": "null"}}
        case.daemon({"service": {"workers": 3}, "pipelines": pipelines}, wait=False).finish(status=74)
    expect_equal(case.read("out"), b"", "the output")
