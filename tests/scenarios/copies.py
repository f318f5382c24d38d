"""What is copied, in a run, beside what explain says of it before."""

import json
import re
import socket
import threading

import datagrams
import peer
from harness import expect, expect_equal, free_port, one, scenario
from limits import line, length, netstring, octets, varint

FRAMINGS = {
    "newline": line, "nul": lambda content: content + b"\0", "octets": octets, "length": length, "varint": varint,
    "netstring": netstring, "csv": line, "fixed": lambda content: content, "delimiter": lambda content: content + b"::",
    "start": line,
}
OPTIONS = {"fixed": {"size": "20B"}, "delimiter": {"delimiter": "::"}, "start": {"start": "^x", "flush_after": "1h"}}
JOINS = ("newline", "delimiter", "nul", "octets", "length", "varint", "netstring", "none")


def explained(case, configuration):
    """By node: what explain says that it copies."""
    told = case.command("explain", "--format", "json", case.configure(configuration, "explained.json"))
    expect_equal((told.returncode, told.stderr), (0, b""), "status and errors of explain")
    return {node["name"]: node["copies"] for node in json.loads(told.stdout)["pipelines"][0]["nodes"]}


def is_none(copies):
    """No copy, but for the one that a sink may make when the pool is empty."""
    return copies == "0" or re.fullmatch(r"0, or thin: views under \S+, once, when the pool is empty", copies)


def compare(case, configuration, reasons=(), **keywords):
    """Runs it; whatever was copied, explain has named, and where it names nothing, nothing was. Returns the result."""
    words = explained(case, configuration)
    result = case.run(configuration, copied=reasons, **keywords)
    for name, node in result.summary.items():
        for reason, copied in node["copied"].items():
            expect(copied == 0 or reason in words[name], f"{name} copied {copied} bytes: {reason}, of which explain says {words[name]}")
            expect(copied <= node["bytes_in"], f"{name} copied more than it got")
    return result, words


@scenario()
def no_split_and_no_join_copies(case):
    for name, frame in FRAMINGS.items():
        records = [b"x%019d" % number for number in range(20000)]
        source = {"file": {"path": case.write("in", b"".join(map(frame, records))), "follow": False}}
        stages = [{"split": {"on": name} | OPTIONS.get(name, {})}]
        to = [{"file": {"path": f"{name}.{with_}", "append": False}, "stages": [
            {"join": {"with": with_} | (OPTIONS["delimiter"] if with_ == "delimiter" else {})}]} for with_ in JOINS]
        result, words = compare(case, one(source, stages, ["null", *to]))
        expect_equal(result.node("split")["records_out"], len(records), f"records of {name}")
        expect(all(map(is_none, words.values())), f"explain has copies of {name}: {words}")


@scenario()
def no_sink_copies(case):
    """From a client that writes at random, so that records lie across buffers."""
    data = case.make_records("a", 5000, 900)
    stream, path, unix = peer.Sink(), case.path("datagrams"), case.path("stream")
    port = free_port()
    with datagrams.receiver(path) as receiver, datagrams.receiver(size=8 << 20) as udp, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(unix)
        listener.listen()
        readers = [threading.Thread(target=read_all, args=(listener,)), threading.Thread(target=read_datagrams, args=(receiver, 5000))]
        for reader in readers:
            reader.start()
        to = [{"file": "out"}, {"tcp": f"127.0.0.1:{stream.port}"}, {"unix": unix}, "null", "stdout",
              {"unix": {"connect": path, "type": "datagram"}}, {"udp": "127.0.0.1:%d" % udp.getsockname()[1]}]
        source = {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": 4}}
        configuration = one(source, [{"split": "newline"}], to)
        words = explained(case, configuration)
        daemon = case.daemon(configuration)
        peer.send(port, data, "random")
        result = daemon.drain()
        for reader in readers:
            reader.join(peer.PATIENCE)
    stream.close()
    expect(case.read("out") == data and stream.data() == data and result.stdout == data, "the sinks have other bytes")
    for number in range(len(to)):
        name = f"main.to.{number}"
        expect(is_none(words[name]), f"what explain says of {name}: {words[name]}")
        expect_equal(sum(result.summary[name]["copied"].values()), 0, f"copied by {name}")
        expect_equal(result.summary[name]["records_in"], 5000, f"records of {name}")


def read_all(listener):
    connection, _ = listener.accept()
    with connection:
        peer.wait_for_end(connection)


def read_datagrams(receiver, count):
    for _ in range(count):
        receiver.recv(2000)


# What stages, by codec, level and threads: gzip of isa-l (levels 1 to 3), lz4, and whatever has threads.
CODECS = (("zstd", 3, 1, False), ("zstd", 3, 2, True), ("gzip", 1, 1, True), ("gzip", 3, 1, True), ("gzip", 4, 1, False),
          ("gzip", 9, 1, False), ("gzip", 6, 2, True), ("lz4", 1, 1, True), ("lz4", 9, 1, True), ("lz4", 1, 4, True))


@scenario()
def what_stages_is_named(case):
    """Of sparse survivors, which are small pieces."""
    source = {"file": {"path": case.write("in", case.make_records("a", 20000, 300)), "follow": False}}
    for codec, level, threads, stages in CODECS:
        compress = {"codec": codec, "level": level, "threads": threads, "frame": "64KiB"}
        packing = [{"split": "newline"}, {"filter": {"regex": "^a:[0-9]*7:"}}, {"compress": compress}]
        result, words = compare(case, one(source, packing, {"file": {"path": "packed", "append": False}}), ("stage",))
        what = f"{codec}, level {level}, {threads} threads"
        expect_equal("stage" in words["main.compress"], stages, f"{what}: that explain names stage")
        expect_equal(result.node("compress")["copied"]["stage"] > 0, stages, f"{what}: that something was staged")
        unpacking = {"file": {"path": case.path("packed"), "follow": False}, "stages": ["decompress", "split"]}
        _, words = compare(case, one(unpacking, [], {"file": {"path": "out", "append": False}}))
        expect_equal(words["main.from.0.decompress"], "0", "what explain says of decompress")


@scenario()
def many_clients_copy_what_explain_names(case):
    """Unfinished records that pin a quarter of the pool are put aside, and nothing else is copied."""
    port, crowd = free_port(), 600
    source = {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": crowd}}
    configuration = one(source, [{"split": "newline"}], {"file": "out"}, memory="8MiB", buffer="4KiB")
    words = explained(case, configuration)
    daemon = case.daemon(configuration)
    clients = [peer.connect(port) for _ in range(crowd)]
    for _ in range(3):
        for client in clients:
            client.sendall(b"y" * 1500)
    for client in clients:
        client.sendall(b"\n")
        client.shutdown(socket.SHUT_WR)
        peer.wait_for_end(client)
        client.close()
    result = daemon.drain(copied=("aside",))
    copied = result.node("split")["copied"]["aside"]
    expect(copied > 0, "nothing was put aside: this tested nothing")
    expect("aside" in words["main.split"], f"explain says {words['main.split']}")
    expect(copied <= result.node("split")["bytes_in"], "a byte was put aside twice")
    expect(is_none(words["main.to.0"]), f"what explain says of the sink: {words['main.to.0']}")
