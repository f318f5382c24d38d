"""What a client can make large: records, prefixes, bombs. Memory is flat, counts are exact, and the others go on."""

import json
import socket

import peer
from harness import MIB, expect, expect_equal, free_port, one, scenario, shorten

GIB = 1 << 30
LENGTH = GIB.to_bytes(4, "big")
VARINT = b"\x80\x80\x80\x80\x04"


def octets(content):
    return str(len(content)).encode() + b" " + content


def netstring(content):
    return str(len(content)).encode() + b":" + content + b","


def length(content):
    return len(content).to_bytes(4, "big") + content


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
