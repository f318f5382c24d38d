"""What a client can make large: records, prefixes, bombs. Memory is flat, counts are exact, and the others go on."""

import json
import socket
import subprocess
import zlib

import peer
from framed import length, netstring, octets
from harness import MIB, expect, expect_equal, free_port, one, scenario, shorten, until

GIB = 1 << 30
LENGTH = GIB.to_bytes(4, "big")
VARINT = b"\x80\x80\x80\x80\x04"


def varint(content):
    return bytes([len(content)]) + content


def line(content):
    return content + b"\n"


# By name: split's options, what frames a record, and what comes before and behind the gigabyte.
FLOODS = {
    "newline": ("newline", line, b"", b"\n"),
    "delimiter": ({"on": "delimiter", "delimiter": "aab"}, lambda content: content + b"aab", b"", b"aab"),
    "csv": ("csv", line, b'"', b'"\n'),
    "start": ({"on": "start", "start": "^[bn]", "flush_after": "1h"}, line, b"b", b"\n"),
    "length": ("length", length, LENGTH, b""),
    "varint": ("varint", varint, VARINT, b""),
    "octets": ("octets", octets, b"%d " % GIB, b""),
    "octets_line": ("octets", octets, b"<", b"\n"),
    "netstring": ("netstring", netstring, b"%d:" % GIB, b","),
}


def flood(case, name, too_long="drop"):
    """A gigabyte into this framing, through TCP; less where sanitizers watch, if nothing announces it."""
    options, frame, head, tail = FLOODS[name]
    port, out = free_port(), f"{name}.{too_long}"
    announced = name in ("length", "varint", "octets", "netstring")
    size = 64 * MIB if case.options.sanitized and not announced else GIB
    split = {"on": options} if isinstance(options, str) else options
    source = {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": 4}}
    split = split | {"too_long": too_long, "max_record": "64KiB"}
    # What is made several is a gigabyte still: it is counted, and the others' records are kept.
    to = [{"file": out, "stages": [{"filter": {"not": {"starts_with": "aa"}}}]}] if too_long == "split" else {"file": out}
    daemon = case.daemon(one(source, [{"split": split}], to, memory="16MiB"))
    with peer.connect(port) as client, peer.connect(port) as other:
        client.sendall(frame(b"before") + head)
        send_much(client, size)
        other.sendall(frame(b"neighbour"))
        client.sendall(tail + frame(b"next"))
        for connection in (client, other):
            connection.shutdown(socket.SHUT_WR)
            peer.wait_for_end(connection)
    daemon.expect_bounded(16 * MIB, 4)
    result = daemon.drain()
    check_flood(case.read(out), frame, too_long)
    check_counts(result.node("split"), too_long, size)


def check_flood(found, frame, too_long):
    left = frame(b"a" * 65536) if too_long == "truncate" else b""
    wanted = [frame(b"before"), frame(b"neighbour"), left, frame(b"next")]
    expect_equal(len(found), sum(map(len, wanted)), "bytes of output")
    for record in wanted:
        expect(record in found, f"{shorten(record)} is not whole in {shorten(found)}")


def check_counts(split, too_long, size):
    several = size // 65536 if too_long == "split" else 1
    kept = 3 if too_long == "drop" else 3 + several
    expect_equal(split["records_in"], 3 + several, "records")
    expect_equal(split["records_out"], kept, "records that are kept")
    expect_equal(split["dropped"]["too_long"], 1 if too_long == "drop" else 0, "records that are too long")
    expect_equal(split.get("truncated", 0), 1 if too_long == "truncate" else 0, "records that are cut")


def send_much(connection, size):
    piece = b"a" * MIB
    for _ in range(size // MIB):
        connection.sendall(piece)


@scenario()
def a_gigabyte_without_a_delimiter_is_cut(case):
    flood(case, "newline", "truncate")


@scenario()
def a_gigabyte_that_is_announced_is_passed_over(case):
    flood(case, "octets")


@scenario(("uring",))
def a_gigabyte_is_made_several(case):
    flood(case, "newline", "split")


@scenario(("uring",))
def a_gigabyte_in_binary_framings_is_passed_over(case):
    for name in ("length", "varint"):
        flood(case, name)


@scenario(("epoll",))
def a_gigabyte_of_a_delimiters_beginning_is_passed_over(case):
    """Of which each byte may be the first of the delimiter."""
    flood(case, "delimiter")


@scenario(("epoll",))
def a_gigabyte_within_quotes_is_passed_over(case):
    flood(case, "csv")


@scenario(("uring",))
def a_gigabyte_of_one_line_of_a_trace_is_passed_over(case):
    flood(case, "start")


@scenario(("epoll",))
def a_gigabyte_in_textual_framings_is_passed_over(case):
    for name in ("netstring", "octets_line"):
        flood(case, name)


@scenario(("epoll",))
def records_of_a_size_that_memory_does_not_hold_are_refused(case):
    for size, why in (("1GiB", "memory"), ("2GiB", "1GiB")):
        path = case.write("fixed.json", json.dumps(one("stdin", [{"split": {"on": "fixed", "size": size}}], "null")).encode())
        ended = case.command("check", path, "--format", "json")
        expect_equal(ended.returncode, 78, f"exit status for records of {size}")
        faults = json.loads(ended.stdout)
        expect_equal(len(faults), 1, "faults")
        told = faults[0]["message"] + (faults[0].get("remedy") or "")
        expect(why in told, f"records of {size}: {told}")


# What cannot be, behind a record that is whole. A length that a prefix may tell, but no record may have, is not among it.
MALFORMED = {
    "octets": (b"0 abc", b"012 abc", b"-1 abc", b"4abcd", b"2147483648 abc", b"18446744073709551616 abc",
               b"18446744073709551619 abc"),
    "netstring": (b"3:abcd", b"03:abc,", b"-3:abc,", b":,", b"3abc,", b"2147483648:abc,", b"18446744073709551619:abc,"),
    "varint": (b"\x80" * 10 + b"\x01", b"\xff" * 9 + b"\x02", b"\x80\x80\x80\x80\x08"),
    "length": (b"\x80\0\0\0abc", b"\xff" * 4),
}


def each_framing(case, ports):
    pipelines = {}
    for name, port in ports.items():
        pipelines[name] = {"from": {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": 32}},
                           "stages": [{"split": {"on": name, "max_record": "1KiB"}}], "to": {"file": f"{name}.bad"}}
    return case.daemon({"service": {}, "pipelines": pipelines})


@scenario()
def what_cannot_be_closes_its_connection_only(case):
    """Each client sends on, and is not heard any more; one that had begun before, and one that is too long, are."""
    ports = {name: free_port() for name in MALFORMED}
    daemon = each_framing(case, ports)
    for name, bad in MALFORMED.items():
        frame = FLOODS[name][1]
        first, last = frame(b"good"), frame(b"last")
        with peer.connect(ports[name]) as good:
            good.sendall(first[:3])
            for data in bad:
                with peer.connect(ports[name]) as connection:
                    connection.sendall(frame(b"one") + data + frame(b"two"))
                    peer.wait_for_end(connection)
            # 3000 bytes are more than a record may have, and are passed over.
            good.sendall(first[3:] + long_record(name) + last)
            good.shutdown(socket.SHUT_WR)
            peer.wait_for_end(good)
    result = daemon.drain()
    for name, bad in MALFORMED.items():
        frame = FLOODS[name][1]
        found = case.read(f"{name}.bad")
        expect_equal(found, frame(b"one") * len(bad) + frame(b"good") + frame(b"last"), f"the output of {name}")
        dropped = result.summary[f"{name}.split"]["dropped"]
        expect_equal((dropped["framing"], dropped["too_long"]), (len(bad), 1), f"dropped by {name}")


def long_record(name):
    content = b"x" * 3000
    return b"\xb8\x17" + content if name == "varint" else FLOODS[name][1](content)


def zstd_bomb(size):
    """One frame: a window of 1 MiB, and blocks that say "a zero, 128 KiB of times"."""
    block = (131072 << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x00" + bytes([10 << 3]) + block * (size // 131072)


def gzip_bomb(size):
    """One member: each piece is flushed, so that it may stand there any number of times."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packer.compress(b"")
    piece = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08" + bytes(7) + piece * (size // MIB)


def lz4_bomb(size):
    """One frame of independent blocks of 1 MiB."""
    packed = subprocess.run(["lz4", "-qc", "-B6", "--no-frame-crc"], input=bytes(MIB), stdout=subprocess.PIPE, check=True,
                            timeout=60).stdout
    return packed[:7] + packed[7:-4] * (size // MIB)


# Single segments, whose window is what they say they hold; blocks of 4 MiB; a window of 2 GiB.
WINDOWS = (b"\x28\xb5\x2f\xfd\xe0" + (1 << 40).to_bytes(8, "little") + b"\x02\x00\x10\x00",
           b"\x28\xb5\x2f\xfd\x00" + bytes([21 << 3]) + b"\x02\x00\x10\x00",
           b"\x04\x22\x4d\x18\x60\x70\x73" + bytes(100))


@scenario()
def ten_gigabytes_of_zeros_in_one_frame_are_refused(case):
    """By their ratio or their window; a client beside them sends, and is heard, all the while."""
    size = GIB if case.options.sanitized else 10 * GIB
    port = free_port()
    source = {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": 8}}
    stages = [{"decompress": {"max_ratio": 200}}, {"split": {"on": "newline", "too_long": "drop"}}]
    daemon = case.daemon(one(source, stages, {"file": "out"}))
    bombs = [make(size) for make in (zstd_bomb, gzip_bomb, lz4_bomb)]
    with peer.connect(port) as other:
        for number, bomb in enumerate([*bombs, *WINDOWS]):
            other.sendall(b"before %d\n" % number)
            refused(port, bomb)
            until(lambda: case.size("out") == 9 * (number + 1), "what another client says")
        daemon.expect_bounded(64 * MIB, 8)
        other.shutdown(socket.SHUT_WR)
        peer.wait_for_end(other)
    result = daemon.drain()
    expect_equal(result.dropped("decompress", "damaged"), 6, "refused streams")
    expect_equal(case.read("out"), b"".join(b"before %d\n" % number for number in range(6)), "the output")
    # A bomb may come to max_ratio times what was read of it, and 1 MiB.
    expect(result.node("decompress")["bytes_out"] < 64 * MIB, "too much came of the bombs")


def refused(port, data):
    """Sends it all, or as much as is taken."""
    try:
        peer.send(port, data)
    except (ConnectionResetError, BrokenPipeError):
        pass
