"""Records that no delimiter ends: what others wrote is read, what is written others read."""

import csv
import io
import json
import random

import peer
from framed import length, octets
from harness import ROOT, expect, expect_equal, free_port, one, scenario, until


def contents(count, most, seed):
    numbers = random.Random(seed)
    return [bytes(numbers.choices(b"ab,:1 \n", k=numbers.randint(1, most))) for _ in range(count)]


@scenario()
def what_is_malformed_closes_its_connection_only(case):
    port = free_port()
    source = {"tcp": {"listen": f"127.0.0.1:{port}", "max_connections": 16}}
    daemon = case.daemon(one(source, [{"split": {"on": "octets", "max_record": "1KiB"}}, {"join": "newline"}],
                             {"file": "out"}))
    bad = (b"0 abc", b"012 abc", b"-1 abc", b"4abcd", b"2147483648 abc", b"18446744073709551616 abc")
    with peer.connect(port) as good:
        good.sendall(b"5 fi")
        for number, data in enumerate(bad):
            with peer.connect(port) as connection:
                connection.sendall(b"3 one" + data + b"3 two")
                peer.wait_for_end(connection)
            until(lambda: case.size("out") == 4 * (number + 1), "the record before the malformed one")
        good.sendall(b"rst<34>second\n2000 " + b"x" * 2000 + b"5 third")
        good.shutdown(1)
        peer.wait_for_end(good)
    until(lambda: case.read("out").endswith(b"third\n"), "what the other connection sent")
    result = daemon.drain()
    expect_equal(case.read("out"), b"one\n" * len(bad) + b"first\n<34>second\nthird\n", "the output")
    expect_equal(result.dropped("split", "framing"), len(bad), "dropped as malformed")
    expect_equal(result.dropped("split", "too_long"), 1, "dropped as too long")


@scenario()
def records_go_from_framing_to_framing(case):
    """Three daemons, one behind the other, each of which makes another framing of what it gets."""
    first, second = free_port(), free_port()
    records = contents(20000, 400, 7)
    case.write("in", b"".join(map(length, records)))
    last = case.daemon(one({"tcp": f"127.0.0.1:{second}"}, [{"split": "netstring"}, {"join": "varint"}],
                           {"file": "varints"}))
    middle = case.daemon(one({"tcp": f"127.0.0.1:{first}"}, [{"split": "octets"}, {"join": "netstring"}],
                             {"tcp": f"127.0.0.1:{second}"}))
    case.run(one({"file": {"path": case.path("in"), "follow": False}}, [{"split": "length"}, {"join": "octets"}],
                 {"tcp": f"127.0.0.1:{first}"}))
    middle.drain()
    last.drain()
    case.run(one({"file": {"path": case.path("varints"), "follow": False}}, [{"split": "varint"}, {"join": "length"}],
                 {"file": "out"}))
    expect(case.read("out") == case.read("in"), "the records differ")


@scenario()
def csv_is_what_pythons_module_reads(case):
    numbers = random.Random(3)
    rows = [["".join(numbers.choices('ab",\n ', k=numbers.randint(0, 9))) for _ in range(numbers.randint(2, 6))]
            for _ in range(5000)]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    case.write("in.csv", text.getvalue().encode())
    split = {"split": {"on": "csv", "crlf": True}}
    case.run(one({"file": {"path": case.path("in.csv"), "follow": False}}, [split, {"join": "netstring"}],
                 {"file": "out"}))
    data, found = case.read("out"), []
    while data:
        size, _, data = data.partition(b":")
        found.append(data[: int(size)].decode())
        data = data[int(size) + 1 :]
    expect_equal(len(found), len(rows), "records")
    for record, row in zip(found, rows):
        expect_equal(next(csv.reader(io.StringIO(record, newline=""))), row, "a row")
    case.run(one({"file": {"path": case.path("in.csv"), "follow": False}}, [split, {"filter": '""'}], {"file": "kept"}))
    text = io.StringIO(newline="")
    csv.writer(text).writerows(row for row in rows if '""' in record_of(row))
    expect(case.read("kept") == text.getvalue().encode(), "what a filter keeps of csv differs")


def record_of(row):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()


@scenario()
def a_trace_is_one_record_and_leaves_when_nothing_follows(case):
    port = free_port()
    split = {"split": {"on": "start", "preset": "java", "flush_after": "50ms"}}
    daemon = case.daemon(one({"tcp": f"127.0.0.1:{port}"}, [split, {"filter": "Caused by"}, {"join": "octets"}],
                             {"file": "out"}))
    data = (ROOT / "tests/pipeline/stages/data/java.txt").read_bytes()
    lines = data.splitlines(keepends=True)
    with peer.connect(port) as connection:
        connection.sendall(b"".join(lines[:35]))
        wanted = b"".join(octets(b"".join(lines[a:b])[:-1]) for a, b in ((1, 19), (19, 35)))
        until(lambda: case.size("out") == len(wanted), "the last trace, though the connection goes on")
        connection.sendall(b"".join(lines[35:]))
        connection.shutdown(1)
        peer.wait_for_end(connection)
    daemon.drain()
    expect_equal(case.read("out"), wanted, "the traces")


@scenario(("epoll",))
def what_a_framing_needs_is_asked_for(case):
    faults = (
        ([{"split": {"on": "fixed"}}], "needs the size", "add \"size\""),
        ([{"split": {"on": "start"}}], "needs a pattern or a preset", "\"preset\": \"java\""),
        ([{"split": {"on": "start", "start": "^a", "preset": "java"}}], "both say", "leave one"),
        ([{"split": {"on": "start", "start": "(a"}}], "does not compile", ""),
        ([{"split": {"on": "start", "start": ""}}], "an empty string", "at least one byte"),
        ([{"split": {"on": "length", "bytes": 3}}], "a length of 3 bytes", "write 1, 2, 4 or 8"),
        ([{"split": {"on": "newline", "size": "4B"}}], "\"size\" is not used", "\"on\": \"fixed\""),
        ([{"split": {"on": "octets", "too_long": "truncate"}}], "cannot be cut", "\"drop\""),
        ([{"split": {"on": "varint", "unterminated": "keep"}}], "cannot be kept", "\"drop\""),
        ([{"split": {"on": "fixed", "size": "4KiB", "max_record": "1KiB"}}], "longer than max_record", "leave it out"),
        (["split", {"join": "delimiter"}], "needs the bytes", "add \"delimiter\""),
        (["split", {"join": {"with": "octets", "bytes": 4}}], "\"bytes\" is not used", "\"with\": \"length\""),
        (["split", {"join": "none"}, {"filter": "a"}], "left no borders", "before the join"),
        ([{"join": "octets"}], "`join` needs records", "split"),
    )
    for stages, why, remedy in faults:
        path = case.write("faulty.json", json.dumps(one("stdin", stages, "stdout")).encode())
        ended = case.command("check", path, "--format", "json")
        expect_equal(ended.returncode, 78, f"exit status of {stages}")
        told = ended.stdout.decode()
        found = json.loads(told)
        expect_equal(len(found), 1, f"faults of {stages}: {told}")
        expect(why in found[0]["message"] and remedy in (found[0].get("remedy") or ""), f"{stages}: {told}")
        expect(found[0]["pointer"].startswith("/pipelines/main/stages"), f"its place: {told}")
