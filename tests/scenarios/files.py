"""Files and standard streams through split, filter and branches: the bytes that grep, cat and cmp would give."""

import os
import random
import signal
import subprocess

from harness import Skip, expect, expect_equal, lines, one, scenario, until

ALL = ("uring", "epoll", "refused")


def every_byte(seed, size):
    return random.Random(seed).randbytes(size)


def samples():
    """Inputs with every boundary that there is."""
    any_bytes = every_byte(7, 300000)
    return {
        "empty": b"",
        "one": b"x",
        "newline": b"\n",
        "newlines": b"\n" * 5000,
        "no-final": b"a\nbb\nccc",
        "crlf": b"a\r\nb\r\n\rc\r\n",
        "bytes": any_bytes,
        "long": b"y" * 200000 + b"\n" + b"z" * 70000,
        "zeros": b"\0" * 1000 + b"\n\0\n",
    }


@scenario(ALL)
def a_file_passes_unchanged(case):
    for buffer in ("64B", "4KiB", "64KiB"):
        for name, data in samples().items():
            if buffer == "64B" and len(data) > 250000:
                continue
            source = {"file": {"path": case.write("in", data), "follow": False}}
            result = case.run(one(source, [{"split": "newline"}], {"file": "out"}, buffer=buffer), copied=("aside",))
            expect(case.read("out") == data, f"{name} with buffers of {buffer} is not what it was")
            if buffer != "64B":
                check_nothing_copied(result)
            os.unlink(case.path("out"))


def check_nothing_copied(result):
    for name, node in result.summary.items():
        expect_equal(sum(node["copied"].values()), 0, f"copied by {name}")


@scenario()
def bytes_pass_without_split(case):
    data = every_byte(3, 3000000)
    source = {"file": {"path": case.write("in", data), "follow": False}}
    case.run(one(source, [], {"file": "out"}))
    expect(case.read("out") == data, "the bytes are not what they were")


@scenario()
def several_files_in_name_order(case):
    for name, data in (("b.log", b"three\nfour\n"), ("a.log", b"one\ntwo"), ("c.log", b""), ("d.log", b"five\n")):
        case.write(name, data)
    source = {"file": {"path": case.path("*.log"), "follow": False}}
    case.run(one(source, [{"split": "newline"}], {"file": "out"}))
    expect_equal(case.read("out"), b"one\ntwo\nthree\nfour\nfive\n", "the files")


@scenario()
def every_branch_has_every_record(case):
    data = case.make_records("a", 20000)
    source = {"file": {"path": case.write("in", data), "follow": False}}
    inner = {"stages": [{"filter": {"contains": "a:1"}}], "to": [{"file": "one"}, {"stages": [], "to": {"file": "two"}}]}
    case.run(one(source, [{"split": "newline"}], [{"file": "all"}, inner, {"file": "not", "stages": [
        {"filter": {"not": {"contains": "a:1"}}}]}, "null"]))
    kept = b"".join(line for line in lines(data) if b"a:1" in line)
    expect(case.read("all") == data, "all is not all")
    expect(case.read("one") == kept and case.read("two") == kept, "the inner branches are not alike")
    expect(case.read("not") == b"".join(line for line in lines(data) if b"a:1" not in line), "the rest is not the rest")


def grep(case, log, *arguments):
    return subprocess.run(["grep", "-a", *arguments, log], capture_output=True, check=False,
                          env=dict(os.environ, LC_ALL="C")).stdout


CONDITIONS = {
    "Linux_2k.log": [
        ({"contains": "session"}, ["-F", "session"]),
        ({"not": {"contains": "session"}}, ["-v", "-F", "session"]),
        ({"contains": "SESSION", "ignore_case": True}, ["-i", "-F", "SESSION"]),
        ({"regex": r"sshd\(pam_unix\)\[\d+\]: authentication failure"}, ["-P", r"sshd\(pam_unix\)\[\d+\]: authentication failure"]),
        ({"contains": ["root", "guest"]}, ["-F", "-e", "root", "-e", "guest"]),
        ({"regex": "tty(?!=)"}, ["-P", "tty(?!=)"]),
    ],
    "Apache_2k.log": [
        ({"contains": "error"}, ["-F", "error"]),
        ({"regex": r"child \d+ in scoreboard slot [5-9]\s"}, ["-P", r"child \d+ in scoreboard slot [5-9]\s"]),
        ({"regex": "^\\[Sun.*mod_jk"}, ["-P", "^\\[Sun.*mod_jk"]),
    ],
    "OpenSSH_2k.log": [
        ({"regex": "invalid user", "ignore_case": True}, ["-i", "-P", "invalid user"]),
        ({"not": {"regex": r"from \d+\.\d+"}}, ["-v", "-P", r"from \d+\.\d+"]),
    ],
    "HDFS_2k.log": [({"contains": "blk_-"}, ["-F", "blk_-"]), ({"regex": "WARN|blk_90"}, ["-P", "WARN|blk_90"])],
    "Zookeeper_2k.log": [({"contains": "WARN"}, ["-F", "WARN"]), ({"regex": "[^ ]@\\d+"}, ["-P", "[^ ]@\\d+"])],
}


@scenario(ALL)
def filter_is_grep_on_real_logs(case):
    for name, conditions in CONDITIONS.items():
        log = case.logs(name)
        with open(log, "rb") as file:
            end = b"" if file.read().endswith(b"\n") else b"\n"
        for condition, arguments in conditions:
            for buffer in ("256B", "64KiB"):
                source = {"file": {"path": log, "follow": False}}
                case.run(one(source, [{"split": "newline"}, {"filter": condition}], {"file": "out"}, buffer=buffer),
                         copied=("aside",))
                wanted = grep(case, log, *arguments)
                found = case.read("out")
                # grep ends the last line where the file does not.
                expect(found in (wanted, wanted[: -len(end)] if end else wanted),
                       f"{name} {condition} with buffers of {buffer}: {len(found)} bytes, grep gives {len(wanted)}")
                os.unlink(case.path("out"))


@scenario(ALL)
def standard_input_to_standard_output(case):
    data = case.make_records("a", 30000)
    with open(case.write("in", data), "rb") as file:
        result = case.run(one("stdin", [{"split": "newline"}], "stdout"), stdin=file)
    expect(result.stdout == data, "standard output is not standard input")


@scenario()
def a_pipe_as_standard_input(case):
    data = case.make_records("a", 30000)
    daemon = case.daemon(one("stdin", [{"split": "newline"}], "stdout"), stdin=subprocess.PIPE)
    for at in range(0, len(data), 7777):
        daemon.process.stdin.write(data[at : at + 7777])
    daemon.process.stdin.close()
    expect(daemon.finish().stdout == data, "standard output is not standard input")


@scenario()
def standard_output_closed_by_its_reader_ends_the_run(case):
    read, write = os.pipe()
    source = {"file": {"path": case.write("in", b"some words\n" * 200000), "follow": True}}
    daemon = case.daemon(one(source, [{"split": "newline"}], "stdout"), stdout=write)
    os.close(write)
    expect(os.read(read, 10) == b"some words", "standard output has the first words")
    os.close(read)
    daemon.finish(status=0)


@scenario()
def a_followed_file_is_read_as_it_grows(case):
    case.write("a.in", b"first\n")
    daemon = case.daemon(one({"file": case.path("*.in")}, [{"split": "newline"}], {"file": "out"}))
    until(lambda: case.size("out") == 6, "the first line")
    with open(case.path("a.in"), "ab", buffering=0) as file:
        file.write(b"second\nthi")
        until(lambda: case.size("out") == 13, "the second line")
        file.write(b"rd\n")
        until(lambda: case.size("out") == 19, "the third line")
        file.write(b"half")
    case.write("b.in", b"another file\n")
    until(lambda: b"another file\n" in case.read("out"), "a file that came later")
    result = daemon.drain()
    expect_equal(case.read("out"), b"first\nsecond\nthird\nanother file\n", "the output")
    expect_equal(result.node("split")["records_out"], 4, "records")


@scenario()
def a_followed_file_that_is_missing_is_awaited(case):
    daemon = case.daemon(one({"file": case.path("sub/later")}, [{"split": "newline"}], {"file": "out"}))
    os.mkdir(case.path("sub"))
    case.write("sub/later", b"here\n")
    until(lambda: case.size("out") == 5, "the line of the file that came later")
    daemon.drain()


@scenario()
def a_file_that_ends_in_half_a_record_gets_its_delimiter_first(case):
    case.write("out", b"half a rec")
    source = {"file": {"path": case.write("in", b"new\n"), "follow": False}}
    case.run(one(source, [{"split": "newline"}], {"file": "out"}))
    expect_equal(case.read("out"), b"half a rec\nnew\n", "the file")


@scenario()
def a_file_is_written_anew_without_append(case):
    case.write("out", b"old\n")
    source = {"file": {"path": case.write("in", b"new\n"), "follow": False}}
    case.run(one(source, [{"split": "newline"}], {"file": {"path": "out", "append": False}}))
    expect_equal(case.read("out"), b"new\n", "the file")


@scenario()
def long_records_are_cut_dropped_or_split(case):
    data = b"short\n" + b"x" * 5000 + b"\nnext\n"
    for way, wanted in (("truncate", b"short\n" + b"x" * 999 + b"\nnext\n"), ("drop", b"short\nnext\n")):
        source = {"file": {"path": case.write("in", data), "follow": False}}
        split = {"on": "newline", "max_record": "1000B", "too_long": way}
        result = case.run(one(source, [{"split": split}], {"file": {"path": "out", "append": False}}, buffer="256B"),
                          copied=("aside",))
        found = case.read("out")
        expect(found.startswith(b"short\n") and found.endswith(b"\nnext\n"), f"{way}: {found[:40]} … {found[-40:]}")
        expect(abs(len(found) - len(wanted)) <= 1, f"{way}: {len(found)} bytes, wanted {len(wanted)}")
        if way == "drop":
            expect_equal(found, wanted, "the output")
            expect_equal(result.dropped("split", "too_long"), 1, "dropped")


@scenario()
def a_followed_file_without_a_delimiter_grows_nothing(case):
    """64 MB, which is eight times the memory; limits.py has gigabytes."""
    with open(case.path("in"), "wb") as file:
        file.write(b"before\n")
        for _ in range(64):
            file.write(b"x" * 1000000)
        file.write(b"\nafter\n")
    source = {"file": {"path": case.path("in"), "follow": True}}
    split = {"on": "newline", "max_record": "64KiB", "too_long": "drop"}
    daemon = case.daemon(one(source, [{"split": split}], {"file": "out"}, memory="8MiB"))
    until(lambda: case.size("out") == 13, "the record behind the long one")
    daemon.expect_bounded(8 << 20)
    result = daemon.drain()
    expect_equal(case.read("out"), b"before\nafter\n", "the output")
    expect_equal(result.dropped("split", "too_long"), 1, "dropped")


@scenario()
def nothing_to_read_or_nowhere_to_write_is_74(case):
    missing = {"file": {"path": case.path("nothing-here"), "follow": False}}
    taken = case.write("taken", b"")
    for configuration in (one(missing, [{"split": "newline"}], "null"),
                          one("stdin", [{"split": "newline"}], {"file": taken + "/below"})):
        ended = case.daemon(configuration, wait=False).finish(status=74)
        expect(ended.messages("error"), f"no error in {ended.stderr}")


@scenario()
def a_start_that_fails_empties_nothing(case):
    """On another thread, too."""
    kept = case.write("kept", b"precious\n")
    pipelines = {"a": {"from": "stdin", "to": {"file": {"path": kept, "append": False}}},
                 "b": {"from": {"file": {"path": case.path("nothing-here"), "follow": False}}, "to": "null"}}
    configuration = {"service": {"workers": 2}, "pipelines": pipelines}
    ended = case.daemon(configuration, wait=False).finish(status=74)
    expect(any("b.from.0: " in text for text in ended.messages("error")), f"no name of a node in {ended.stderr}")
    expect_equal(case.read("kept"), b"precious\n", "the file")


@scenario()
def files_that_cannot_be_read_are_told(case):
    if os.geteuid() != 0:
        raise Skip("only root can let another user read")
    os.chmod(case.folder, 0o755)
    case.write("open.log", b"read\n")
    for name in ("shut-1.log", "shut-2.log"):
        case.write(name, b"not read\n")
        os.chmod(case.path(name), 0o600)
    drop = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    source = {"file": {"path": case.path("*.log"), "follow": False}}
    ended = case.daemon(one(source, [{"split": "newline"}], "stdout"), wrap=drop, wait=False).finish(status=74)
    expect_equal(ended.stdout, b"read\n", "what was read")
    for name in ("shut-1.log", "shut-2.log"):
        expect_equal(len([text for text in ended.messages("warning") if name in text]), 1, f"lines about {name}")
    expect_equal(len([text for text in ended.messages("error") if text.startswith("2 files")]), 1, "the count")
    source["file"]["path"] = case.path("shut-*.log")
    ended = case.daemon(one(source, [{"split": "newline"}], "stdout"), wrap=drop, wait=False).finish(status=74)
    expect(any("can be read" in text for text in ended.messages("error")), f"no fault in {ended.stderr}")


@scenario(backends=("epoll",))
def what_is_read_and_written_is_refused(case):
    path = case.configure(one({"file": case.path("*.log")}, [{"split": "newline"}], {"file": case.path("all.log")}))
    ended = case.command("check", path)
    expect_equal(ended.returncode, 78, "exit status")
    for words in (b"would never end", b"exclude", b"viewduct.json:"):
        expect(words in ended.stderr, f"no {words} in {ended.stderr}")


@scenario()
def the_descriptors_end_where_they_began(case):
    daemon = case.daemon(one({"file": case.path("*.in")}, [{"split": "newline"}], {"file": "out"}))
    before = daemon.descriptors()
    for number in range(50):
        case.write(f"{number}.in", b"one line\n")
    until(lambda: case.size("out") == 50 * 9, "fifty files")
    expect(daemon.descriptors() <= before + 50, "more descriptors than files")
    daemon.signal(signal.SIGTERM)
    daemon.finish()
