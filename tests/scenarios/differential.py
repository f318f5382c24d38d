"""Beside other programs: what split, wc, cmp and logger say of the same bytes."""

import random
import subprocess

import peer
from datagrams import need
from harness import expect, expect_equal, free_port, one, scenario, until


def run(*command, **keywords):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=peer.PATIENCE, **keywords).stdout


def contents(case, data, split, **checks):
    """The records' contents, and the result of the run."""
    source = {"file": {"path": case.write("in", data), "follow": False}}
    result = case.run(one(source, [{"split": split}, {"join": "length"}], {"file": {"path": "out", "append": False}}),
                      **checks)
    found, rest = [], case.read("out")
    while rest:
        size = int.from_bytes(rest[:4], "big")
        found.append(rest[4 : 4 + size])
        rest = rest[4 + size :]
    return found, result


def pieces(case, data, *options):
    """The files that split makes of it, in order."""
    folder = case.folder / "pieces"
    folder.mkdir()
    run("split", "-a", "5", *options, "-", str(folder / "x"), input=data)
    found = [path.read_bytes() for path in sorted(folder.iterdir())]
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    return found


def any_text(seed, size, letters):
    return bytes(random.Random(seed).choices(letters, k=size))


@scenario()
def records_of_one_size_are_splits_pieces(case):
    need("split")
    for size, total in ((1, 500), (999, 100003), (1000, 100000), (65536, 200003), (70000, 300003)):
        data = random.Random(size).randbytes(total)
        wanted = pieces(case, data, "-b", str(size))
        is_left = total % size > 0
        found, result = contents(case, data, {"on": "fixed", "size": f"{size}B"}, status=65 if is_left else 0)
        expect(found == wanted[: total // size], f"{len(found)} records of {size} bytes are not split's pieces")
        expect_equal(result.dropped("split", "incomplete"), len(wanted) - len(found), "incomplete")


@scenario()
def lines_are_splits_pieces(case):
    need("split")
    for number, (split, separator) in enumerate((({"on": "newline"}, b"\n"), ({"on": "nul"}, b"\0"),
                                                 ({"on": "delimiter", "delimiter": "b"}, b"b"))):
        for end in (b"", separator):
            data = any_text(number, 1500, b"aab\n\n\0\0 \xff\r") + b"last" + end
            option = [] if separator == b"\n" else ["-t", "\\0" if separator == b"\0" else "b"]
            wanted = [piece.removesuffix(separator) for piece in pieces(case, data, "-l", "1", *option)]
            found, result = contents(case, data, split)
            expect(found == wanted, f"{split}: {len(found)} records are not split's {len(wanted)} pieces")
            expect_equal(result.node("split")["records_out"], data.count(separator) + (not end), "records")


@scenario()
def a_line_that_is_made_several_is_so_by_split_too(case):
    """-C parts what is longer than its size; line by line, as it fills its pieces up with further lines."""
    need("split")
    numbers = random.Random(5)
    data = b"".join(b"x" * numbers.choice((50, 60, 98, 99, 100, 101, 150, 5000)) + b"\n" for _ in range(60))
    wanted = [piece for line in data.split(b"\n")[:-1] for piece in pieces(case, line, "-C", "100")]
    found, _ = contents(case, data, {"on": "newline", "max_record": "100B", "too_long": "split"})
    expect(found == wanted, f"{len(found)} records, not {len(wanted)}")


@scenario()
def wc_counts_the_same_and_cmp_finds_no_difference(case):
    need("cmp")
    data = random.Random(12).randbytes(20_000_000)
    path = case.write("in", data)
    for stages in ([], [{"split": {"on": "newline"}}], [{"split": {"on": "fixed", "size": "1000B"}}]):
        result = case.run(one({"file": {"path": path, "follow": False}}, stages, {"file": {"path": "out", "append": False}}))
        run("cmp", path, case.path("out"))
        if stages and stages[0]["split"]["on"] == "newline":
            counted = int(run("wc", "-l", path).split()[0])
            expect_equal(result.node("split")["records_out"], counted + (not data.endswith(b"\n")), "records")


@scenario()
def logger_counts_octets(case):
    """RFC 5424 in RFC 6587's counting, with lines of others between; a message may hold what would end a line."""
    need("logger")
    port = free_port()
    daemon = case.daemon(one({"tcp": f"127.0.0.1:{port}"}, [{"split": "octets"}, {"join": "nul"}], {"file": "out"}))
    server = ["logger", "--tcp", "--server", "127.0.0.1", "--port", str(port), "--tag", "test", "--size", "64KiB"]
    long = "x" * 20000
    for form in (["--rfc5424"], ["--rfc5424=notime,nohost,notq"], ["--rfc3164"]):
        for message in ("short end", f"long {long} end", "tab\tand 12 digits end"):
            run(*server, *form, "--octet-count", message)
        run(*server, *form, "a line end")
    run(*server, "--octet-count", input=b"first end\nsecond end\n")
    until(lambda: case.size("out") and case.read("out").count(b" end\0") == 14, "the messages")
    result = daemon.drain()
    records = case.read("out").split(b"\0")[:-1]
    expect_equal(result.node("split")["records_out"], 14, "records")
    expect(all(record.startswith(b"<13>") and record.endswith(b" end") for record in records), f"{records}")
    expect_equal(sum(record.endswith(f"long {long} end".encode()) for record in records), 3, "long messages")
    expect_equal(sum(record.startswith(b"<13>1 ") for record in records), 10, "messages of RFC 5424")
