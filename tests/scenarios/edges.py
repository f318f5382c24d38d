"""What a newcomer tries: odd command lines, closed descriptors, configurations that are not what they should be."""

import json
import os
import re
import signal
import subprocess

from harness import expect, expect_equal, free_port, one, scenario, until

PASS = {"from": "stdin", "stages": [{"split": "newline"}], "to": {"file": "out"}}
TEST = {"name": "all", "pipeline": "main", "in": ["a\n"], "out": {"to.0": ["a\n"]}}


def said(ended, *words):
    for word in words:
        expect(word in ended.stderr.decode(), f"no {word!r} in {ended.stderr.decode()!r}")


def closing(case, descriptor, *arguments, **keywords):
    """Runs the binary with a standard descriptor closed."""
    script = f'exec "$@" {descriptor}'
    return subprocess.run(["sh", "-c", script, "sh", case.options.binary, *arguments], cwd=case.folder, timeout=60,
                          env=case.environment(), check=False, stdin=subprocess.DEVNULL, capture_output=True, **keywords)


@scenario()
def what_needs_a_closed_descriptor_is_74(case):
    case.write("in", b"a\n")
    out = case.configure(one({"file": {"path": "in", "follow": False}}, [{"split": "newline"}], "stdout"), "out.json")
    ended = closing(case, ">&-", "run", out)
    expect_equal(ended.returncode, 74, f"exit status with output closed: {ended.stderr}")
    said(ended, "main.to.0: standard output is not open for writing", "remedy: ")
    into = case.configure(one("stdin", [{"split": "newline"}], {"file": "out"}), "into.json")
    ended = closing(case, "<&-", "run", into)
    expect_equal(ended.returncode, 74, f"exit status with input closed: {ended.stderr}")
    said(ended, "main.from.0: standard input is not open for reading", "remedy: ")
    for arguments in (["explain", out], ["list"], ["check", "--format", "json", out], ["help", "run"]):
        ended = closing(case, ">&-", *arguments)
        expect_equal(ended.returncode, 74, f"exit status of {arguments}, which print")
    expect_equal(closing(case, ">&-", "check", out).returncode, 0, "exit status of check, which has nothing to print")


@scenario()
def nothing_lands_on_closed_descriptors(case):
    """Whoever needs none of them runs without them; files and sockets get other numbers."""
    case.write("in", b"a\nb\n" * 1000)
    configuration = case.configure(one({"file": {"path": "in", "follow": False}}, [{"split": "newline"}], {"file": "out"}))
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        ended = closing(case, closed, "run", configuration)
        expect_equal(ended.returncode, 0, f"exit status with {closed}: {ended.stderr}")
        expect_equal(case.read("out"), b"a\nb\n" * 1000, f"what was written with {closed}")
        os.unlink(case.path("out"))
    case.check_sanitizers()


@scenario(("epoll",))
def one_command_has_its_own_help(case):
    for arguments in (["check", "--help"], ["check", "-h", "nothing.json"], ["help", "check"]):
        ended = case.command(*arguments)
        expect_equal((ended.returncode, ended.stderr), (0, b""), f"status and errors of {arguments}")
        expect(ended.stdout.startswith(b"viewduct check [OPTIONS] [CONFIG]\n"), f"{arguments} says {ended.stdout}")
        expect(b"--no-env" in ended.stdout and b"--quiet" not in ended.stdout, f"the options of another: {ended.stdout}")


@scenario(("epoll",))
def a_graph_is_no_json(case):
    path = case.configure({"pipelines": {"main": PASS}})
    ended = case.command("explain", "--graph", "dot", "--format", "json", path)
    expect_equal((ended.returncode, ended.stdout), (64, b""), "status and output")
    said(ended, "--graph and --format json exclude each other")


@scenario(("epoll",))
def habits_from_elsewhere_are_told_what_is_meant(case):
    path = case.configure({"pipelines": {"main": PASS}})
    for arguments, words in ((["run", "-c", path], "viewduct run CONFIG"), (["check", f"--config={path}"], "viewduct check CONFIG"),
                             (["-f", path], "viewduct run CONFIG"), ([path], "viewduct run /"),
                             (["run", "-q", path], "--quiet"), (["list", "spilt"], 'did you mean "split"?'),
                             (["list", "pipelines"], 'did you mean "pipeline"?'),
                             (["explain", "--no-env", path], "--no-env is an option of check")):
        ended = case.command(*arguments)
        expect_equal((ended.returncode, ended.stdout), (64, b""), f"status and output of {arguments}")
        said(ended, words)


@scenario(("epoll",))
def settings_are_listed(case):
    for kind, word in (("service", "drain"), ("pipeline", "shards"), ("branch", "when_full"), ("tests", "pipeline")):
        ended = case.command("list", kind)
        expect_equal((ended.returncode, ended.stderr), (0, b""), f"status and errors of list {kind}")
        expect(re.search(rf"^  {word} ", ended.stdout.decode(), re.M), f"no {word} in {ended.stdout.decode()}")


@scenario(("epoll",))
def json_ends_with_its_line(case):
    path = case.configure({"pipelines": {"main": PASS}, "tests": [TEST]})
    for arguments in (["check", "--format", "json", path], ["explain", "--format", "json", path],
                      ["test", "--format", "json", path], ["check", "--format", "json", "nothing.json"]):
        text = case.command(*arguments).stdout
        json.loads(text)
        expect(text.endswith(b"\n") and not text.endswith(b"\n\n"), f"{arguments} ends with {text[-5:]}")


@scenario(("epoll",))
def a_configuration_without_tests_is_no_success(case):
    for tests in ({}, {"tests": []}):
        ended = case.command("test", case.configure({"pipelines": {"main": PASS}} | tests))
        expect_equal((ended.returncode, ended.stdout), (78, b""), "status and output")
        said(ended, "there are no tests", 'remedy: write "tests"')


@scenario(("epoll",))
def tests_are_told_to_programs(case):
    wrong = TEST | {"name": "a \"b\"", "out": {"to.0": ["b\n"]}}
    ended = case.command("test", "--format", "json", case.configure({"pipelines": {"main": PASS}, "tests": [TEST, wrong]}))
    expect_equal((ended.returncode, ended.stderr), (1, b""), "status and errors")
    first, second = json.loads(ended.stdout)
    expect_equal(first, {"name": "all", "pipeline": "main", "passed": True, "said": []}, "what passed")
    expect_equal((second["name"], second["passed"]), ("a \"b\"", False), "what failed")
    expect_equal(second["said"], ["main.to.0: missing (-) and found (+)", '  - "b\\n"', '  + "a\\n"'], "what differs")


@scenario(("epoll",))
def a_plain_include_must_be_there(case):
    path = case.configure({"include": "more.json", "pipelines": {"main": PASS}})
    ended = case.command("check", path)
    expect_equal(ended.returncode, 78, "exit status")
    said(ended, "viewduct.json:2:14: there is no file ", "more.json", "remedy: name a file that is there")
    ended = case.command("check", case.configure({"include": "more*.json", "pipelines": {"main": PASS}}))
    expect_equal(ended.returncode, 0, "exit status with a glob")
    said(ended, 'warning: "more*.json" includes no file', "remedy: put a file there")


@scenario(("epoll",))
def more_memory_than_there_is_is_warned_of(case):
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE") // (1 << 30) + 1
    path = case.configure({"service": {"memory": f"{gib}GiB"}, "pipelines": {"main": PASS}})
    ended = case.command("check", path)
    expect_equal(ended.returncode, 0, "exit status")
    said(ended, f"warning: {gib}GiB of memory do not fit into the ", 'remedy: write at most "')
    most = re.search(r'write at most "(\w+)"', ended.stderr.decode()).group(1)
    path = case.configure({"service": {"memory": most}, "pipelines": {"main": PASS}})
    ended = case.command("check", path)
    expect_equal((ended.returncode, ended.stderr), (0, b""), "status and errors with what is told")


@scenario()
def a_signal_without_a_meaning_ends_nothing(case):
    daemon = case.daemon(one({"tcp": f"127.0.0.1:{free_port()}"}, [{"split": "newline"}], "null"))
    daemon.signal(signal.SIGUSR2)
    daemon.signal(signal.SIGUSR1)
    until(lambda: daemon.log_has("reopening the files of sinks"), "the next signal to be heeded")
    daemon.drain()


@scenario()
def a_record_that_is_cut_is_an_event(case):
    """Said at once, folded, and counted."""
    for split in ({"on": "newline"}, {"on": "start", "start": "^x"}):
        source = {"file": {"path": case.write("in", b"x23456789\n" * 1000), "follow": False}}
        result = case.run(one(source, [{"split": split | {"max_record": "4B"}}], {"file": {"path": "out", "append": False}}))
        about = [event for event in result.events if "a record was cut to max_record, 4B" in event["msg"]]
        expect(1 <= len(about) < 100, f"{len(about)} events of 1,000 records: {result.messages()}")
        expect_equal({(event["node"], event["level"]) for event in about}, {("main.split", "warning")}, "whose they are")
        expect_equal(case.read("out"), b"x234\n" * 1000, "what was written")


@scenario(("epoll",))
def files_that_are_none_of_ours_are_told_so(case):
    text = json.dumps({"pipelines": {"main": PASS}}, indent=1).encode()
    for name, data, status, words in (
        ("bom.json", b"\xef\xbb\xbf" + text, 0, ""),
        ("dos.json", text.replace(b"\n", b"\r\n"), 0, ""),
        ("dos-wrong.json", text.replace(b"\n", b"\r\n").replace(b"stdin", b"stdn"), 78, "dos-wrong.json:4:12: "),
        ("a.yaml", b"pipelines:\n  main:\n", 78, "a.yaml:1:1: a configuration is JSON, and begins with {"),
        ("a.toml", b"[sources.in]\n", 78, "a configuration is JSON, and begins with {"),
        ("empty.json", b"", 78, "the configuration is empty"),
    ):
        ended = case.command("check", case.write(name, data))
        expect_equal(ended.returncode, status, f"exit status of {name}: {ended.stderr}")
        said(ended, words)
        expect(b"\r" not in ended.stderr, f"a carriage return in {ended.stderr}")
        expect_equal(ended.stderr == b"", status == 0, f"whether something is said of {name}")
    ended = case.command("check", case.path(""))
    expect_equal(ended.returncode, 78, "exit status of a folder")
    said(ended, "Is a directory", "remedy: name a file that lies in it")
