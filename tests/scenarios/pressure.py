"""Slow, hung and dead sinks, crowds of clients, used-up descriptors: memory stays bounded and nobody starves."""

import resource
import subprocess
import threading
import time

import peer
from harness import MIB, Skip, expect, expect_equal, free_port, one, scenario, until

MEMORY = 8 * MIB


def pressed(port, to, **service):
    return one({"tcp": {"listen": f"127.0.0.1:{port}"}}, [{"split": "newline"}], to, memory="8MiB", **service)


@scenario()
def a_sink_that_hangs_stops_the_source_and_grows_nothing(case):
    port, sink = free_port(), peer.Sink("hang")
    data = case.make_records("a", 120000)
    daemon = case.daemon(pressed(port, {"tcp": f"127.0.0.1:{sink.port}"}))
    client = peer.connect(port)
    taken = peer.send_until_stuck(client, data)
    expect(taken < len(data), "a hung sink does not stop the source")
    daemon.expect_bounded(MEMORY, 2)
    sink.resume()
    client.setblocking(True)
    client.sendall(data[taken:])
    client.close()
    sink.wait_for(lambda: len(sink.data()) == len(data), "everything")
    daemon.drain()
    sink.close()
    case.verify(sink.data(), a=120000)


@scenario()
def a_slow_sink_gets_everything_and_grows_nothing(case):
    sink = peer.Sink("slow", rate=400000)
    data = case.make_records("a", 60000)
    source = {"file": {"path": case.write("in", data), "follow": False}}
    daemon = case.daemon(one(source, [{"split": "newline"}], {"tcp": f"127.0.0.1:{sink.port}"}, memory="8MiB"))
    sink.wait_for(lambda: len(sink.data()) > 200000, "the first bytes")
    daemon.expect_bounded(MEMORY, 1)
    sink.resume()
    daemon.finish()
    sink.close()
    case.verify(sink.data(), a=60000)


@scenario()
def a_branch_that_drops_lets_the_other_have_everything(case):
    port, dead = free_port(), free_port()
    daemon = case.daemon(pressed(port, [{"file": "out"}, {"tcp": f"127.0.0.1:{dead}", "when_full": "drop"}], drain="1s"))
    peer.send(port, case.make_records("a", 60000))
    until(lambda: case.read("out").count(b"\n") >= 60000, "everything in the live branch")
    result = daemon.drain(copied=("thin",))
    case.verify(case.read("out"), a=60000)
    lost = result.dropped("to.1", "when_full")
    expect(0 < lost <= 60000, f"{lost} records counted as dropped")
    expect_equal(result.node("to.1")["records_in"], 60000, "records that the dead branch is accountable for")


@scenario()
def a_branch_that_blocks_stops_both(case):
    port, sink = free_port(), peer.Sink("hang")
    data = case.make_records("a", 120000)
    daemon = case.daemon(pressed(port, [{"file": "out"}, {"tcp": f"127.0.0.1:{sink.port}"}]))
    client = peer.connect(port)
    taken = peer.send_until_stuck(client, data)
    expect(taken < len(data), "a hung sink does not stop the source")
    sink.resume()
    client.setblocking(True)
    client.sendall(data[taken:])
    client.close()
    sink.wait_for(lambda: len(sink.data()) == len(data), "everything")
    daemon.drain(copied=("thin",))
    sink.close()
    case.verify(case.read("out"), a=120000)
    case.verify(sink.data(), a=120000)


@scenario()
def ten_thousand_idle_connections_fit(case):
    crowd = 10000
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < crowd + 200:
        raise Skip(f"{crowd} descriptors are not to be had")
    port = free_port()
    source = {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": crowd + 10}}
    daemon = case.daemon(one(source, [{"split": "newline"}], {"file": "out"}))
    idle = [peer.connect(port) for _ in range(crowd)]
    for connection in idle[::100]:
        connection.sendall(b"half a record, and then nothing")
    peer.send(port, case.make_records("a", 20000))
    until(lambda: case.read("out").count(b"\n") >= 20000, "the records of an active client")
    daemon.expect_bounded(64 * MIB, crowd)
    for connection in idle:
        connection.close()
    result = daemon.drain()
    expect_equal(result.node("split")["records_out"], 20000 + crowd // 100, "records")


@scenario()
def a_thousand_clients_that_trickle_hinder_nobody(case):
    crowd, port = 1000, free_port()
    source = {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": crowd + 10}}
    configuration = one(source, [{"split": "newline"}], {"file": "out"}, memory="16MiB")
    daemon = case.daemon(configuration)
    trickling = [peer.connect(port) for _ in range(crowd)]
    records = [b"t%d:" % number + b"x" * 20 + b"\n" for number in range(crowd)]
    stop = threading.Event()

    def trickle():
        at = 0
        while at < 20 and not stop.wait(0.05):
            for number, connection in enumerate(trickling):
                connection.sendall(records[number][at : at + 1])
            at += 1
        for number, connection in enumerate(trickling):
            connection.sendall(records[number][at:])

    thread = threading.Thread(target=trickle)
    thread.start()
    peer.send(port, case.make_records("a", 50000))
    daemon.expect_bounded(16 * MIB, crowd + 1)
    stop.set()
    thread.join()
    for connection in trickling:
        connection.close()
    until(lambda: case.read("out").count(b"\n") >= 50000 + crowd, "all records")
    daemon.drain(copied=("aside", "thin"))
    found = case.read("out").split(b"\n")
    expect_equal(sorted(line + b"\n" for line in found if line.startswith(b"t")), sorted(records), "what trickled in")
    case.verify(b"".join(line + b"\n" for line in found if line.startswith(b"a")), a=50000)


@scenario()
def used_up_descriptors_pause_accepting(case):
    port = free_port()
    source = {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": 1000}}
    daemon = case.daemon(one(source, [{"split": "newline"}], {"file": "out"}))
    few = daemon.descriptors() + 5
    subprocess.run(["prlimit", f"--nofile={few}:{few}", f"--pid={daemon.process.pid}"], check=True)
    crowd = [peer.connect(port) for _ in range(30)]
    until(lambda: daemon.log_has('"node":"main.from.0"'), "a word about descriptors")
    said, spent, began = daemon.stderr().count(b"\n"), daemon.cpu_seconds(), time.monotonic()
    time.sleep(2)  # spinning has no event: this is the time over which it is measured
    seconds = time.monotonic() - began
    expect(daemon.stderr().count(b"\n") - said <= seconds + 1, "more than one log line a second")
    expect(daemon.cpu_seconds() - spent <= 0.2 * seconds, "it spins")
    for connection in crowd:
        connection.sendall(b"a record\n")
        connection.close()
    until(lambda: case.size("out") == 30 * 9, "the records of all, once there are descriptors again")
    peer.send(port, b"and more\n")
    until(lambda: case.size("out") == 31 * 9, "another client's record")
    daemon.drain()
