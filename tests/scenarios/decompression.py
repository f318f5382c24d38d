"""Compressed input, however it comes, and compression on several threads and in time."""

import socket
import struct
import subprocess

import peer
from harness import MIB, expect, expect_equal, free_port, one, scenario, until

PACK = {"zstd": ["zstd", "-qc"], "gzip": ["gzip", "-c"], "lz4": ["lz4", "-qc"]}
UNPACK = {"zstd": ["zstd", "-dqc"], "gzip": ["gzip", "-dc"], "lz4": ["lz4", "-dqc"]}


def through(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True, timeout=60).stdout


def unpacking(path, options="auto"):
    return {"file": {"path": path, "follow": False}, "stages": [{"decompress": options}, {"split": "newline"}]}


@scenario(("uring", "epoll", "refused"))
def files_of_every_codec_and_none(case):
    parts = [case.make_records(name, 3000, 900, seed) for seed, name in enumerate("abcd")]
    for (codec, command), part in zip(PACK.items(), parts):
        case.write(f"part.1.{codec}", through(command, part[:100000]) + through(command, part[100000:]))
    case.write("part.2", parts[3])
    case.run(one(unpacking(case.path("part.*")), [], {"file": "out"}))
    case.verify(case.read("out"), a=3000, b=3000, c=3000, d=3000)


@scenario()
def damage_costs_one_file_its_rest(case):
    data = case.make_records("a", 2000, 500)
    packed = through(PACK["gzip"], data)
    case.write("1.gz", packed[: len(packed) // 2])
    case.write("2.gz", packed + b"garbage")
    case.write("3.gz", packed)
    result = case.run(one(unpacking(case.path("?.gz")), [], {"file": "out"}), status=65)
    found = case.read("out")
    expect(found.endswith(data + data), "the files behind the damaged one are not whole")
    # Where one file's last record lacks its end, it gets one as another follows.
    before = found[: -2 * len(data)]
    expect(data.startswith(before.removesuffix(b"\n")), "what was good before the damage did not come out")
    expect(len(before) > len(data) // 4, "little came out of half a file")
    expect_equal(result.dropped("from.0.decompress", "damaged"), 2, "damaged streams")
    expect(any("is damaged behind" in text for text in result.messages("warning")), "the log does not tell of it")


@scenario()
def bombs_are_refused_and_others_go_on(case):
    """10 GiB of zeros each, in one frame and in many; and a window of 2 GiB."""
    port = free_port()
    source = {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": 8}}
    stages = [{"decompress": {"max_ratio": 500}}, {"split": "newline"}]
    daemon = case.daemon(one(source, stages, {"file": "out"}))
    small = {name: through(command, bytes(MIB)) for name, command in PACK.items() if name != "lz4"}
    with peer.connect(port) as other:
        other.sendall(b"before\n")
        for packed in small.values():
            for _ in range(3):
                attack(port, packed * 10240)
        attack(port, b"\x28\xb5\x2f\xfd\x00" + struct.pack("B", 21 << 3) + b"\x09\x00\x00\n" * 100)
        daemon.expect_bounded(64 * MIB, 8)
        other.sendall(b"after\n")
        other.shutdown(socket.SHUT_WR)
        peer.wait_for_end(other)
    result = daemon.drain()
    expect_equal(result.dropped("decompress", "damaged"), 7, "refused streams")
    found = case.read("out").replace(b"\0", b"").replace(b"\n\n", b"\n")
    expect(b"before\n" in found and b"after\n" in found, "another client's records are lost")


def attack(port, data):
    """Sends as much as is taken."""
    try:
        peer.send(port, data)
    except (ConnectionResetError, BrokenPipeError):
        pass


@scenario()
def clients_send_what_they_like(case):
    """Compressed by each codec, and not; behind a listener that allows fewer connections for it."""
    port = free_port()
    daemon = case.daemon(one({"tcp": f"127.0.0.1:{port}"}, [{"decompress": "auto"}, {"split": "newline"}], {"file": "out"}))
    runs = {}
    commands = [[*PACK["zstd"], "--zstd=wlog=20"], PACK["gzip"], [*PACK["lz4"], "-B5"], ["cat"]]
    for seed, command in enumerate(commands):
        name = "abcd"[seed]
        peer.send(port, through(command, case.make_records(name, 3000, 300, seed)), "random", seed)
        runs[name] = 3000
    result = daemon.drain(warnings=1)
    expect("max_connections is lowered" in result.messages("warning")[0], "nothing says that fewer are allowed")
    case.verify(case.read("out"), **runs)


@scenario()
def too_many_connections_for_the_memory(case):
    source = {"tcp": {"listen": "127.0.0.1:1", "max_connections": 1000}}
    checked = case.command("check", case.configure(one(source, ["decompress", "split"], "null")))
    expect_equal(checked.returncode, 78, "exit status")
    expect(b"max_connections" in checked.stderr and b"remedy" in checked.stderr, f"no remedy: {checked.stderr}")


@scenario(("uring", "epoll", "refused"))
def frames_made_side_by_side(case):
    data = case.make_records("a", 30000, 2000)
    path = case.write("in", data)
    for codec, command in UNPACK.items():
        for threads in (2, 4):
            compress = {"codec": codec, "frame": "64KiB", "threads": threads}
            result = case.run(one({"file": {"path": path, "follow": False}}, [{"split": "newline"}, {"compress": compress}],
                                  {"file": {"path": "out", "append": False}}), copied=("stage",))
            expect(through(command, case.read("out")) == data, f"{codec} with {threads} threads gives other bytes")
            expect_equal(result.node("to.0")["records_in"], 30000, "records")


@scenario()
def a_frame_ends_when_it_lingers(case):
    case.write("in", b"one\ntwo\n")
    daemon = case.daemon(one({"file": case.path("in")}, [{"split": "newline"}, {"compress": {"linger": "100ms"}}], {"file": "out"}))
    until(lambda: case.size("out") > 0, "the frame")
    expect_equal(through(UNPACK["zstd"], case.read("out")), b"one\ntwo\n", "what is in the frame")
    daemon.drain()
