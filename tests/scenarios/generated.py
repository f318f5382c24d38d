"""Lines that generate makes, and time in the paths that they are written to."""

from harness import expect, expect_equal, lines, one, scenario, until


@scenario()
def a_seed_gives_the_same_lines(case):
    source = {"generate": {"lines": 20000, "bytes": "100B", "seed": 7}}
    for buffer, name in (("64KiB", "one"), ("100B", "two")):
        case.run(one(source, [{"split": "newline"}], {"file": name}, buffer=buffer))
    expect_equal(case.size("one"), 2000000, "bytes")
    expect_equal({len(line) for line in lines(case.read("one"))}, {100}, "sizes of lines")
    expect(case.read("one") == case.read("two"), "the same seed gives other lines")


@scenario()
def an_endless_one_drains_at_a_border(case):
    daemon = case.daemon(one({"generate": {"bytes": "1000B"}}, [{"split": "newline"}], {"file": "out"}))
    until(lambda: case.size("out") > 1000000, "a megabyte")
    result = daemon.drain()
    expect_equal(case.size("out") % 1000, 0, "bytes of half a line")
    expect_equal(case.size("out") // 1000, result.node("split")["records_out"], "records")


@scenario()
def a_rate_is_kept_without_spinning(case):
    daemon = case.daemon(one({"generate": {"rate": "50/s"}}, [{"split": "newline"}], {"file": "out"}))
    until(lambda: case.size("out") >= 190 * 30, "thirty lines")
    expect(daemon.cpu_seconds() < 0.5, "it spins")
    daemon.drain()


@scenario()
def the_time_in_a_path_makes_files(case):
    """One a second: the clock cannot be held here, but whatever it says, nothing is lost and no line is cut."""
    source = {"generate": {"lines": 3000, "rate": "1000/s"}}
    case.run(one(source, [{"split": "newline"}], {"file": "out/%Y-%m-%d/%H%M%S %z.log"}))
    files = sorted(case.folder.glob("out/*/*.log"))
    expect(len(files) >= 2, f"one file only: {files}")
    expect(all(file.name.endswith(" +0000.log") for file in files), f"not UTC: {files}")
    parts = [file.read_bytes() for file in files]
    expect(all(part.endswith(b"\n") for part in parts), "a line is cut")
    case.run(one({"generate": {"lines": 3000}}, [{"split": "newline"}], {"file": "whole"}))
    expect(b"".join(parts) == case.read("whole"), "the files together are not what was made")


def failing_sync(when):
    # -D: the daemon, not strace, is our child. Only fdatasync of the epoll backend can be seen.
    return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", f"inject=fdatasync:error=EIO:when={when}"]


@scenario(("epoll",))
def a_sync_that_fails_is_written_again(case):
    source = {"generate": {"lines": 2000, "rate": "1000/s"}}
    sink = {"file": {"path": "out", "sync": "batch"}}
    result = case.run(one(source, [{"split": "newline"}], sink), wrap=failing_sync("2"),
                      environment=without_leaks(case))
    messages = result.messages("error")
    expect_equal(messages, ["cannot sync out: Input/output error; trying again every second"], "errors")
    expect(any("writes out again" in text for text in result.messages("info")), "it does not say that it is well again")
    case.run(one({"generate": {"lines": 2000}}, [{"split": "newline"}], {"file": "whole"}))
    expect(case.read("out") == case.read("whole"), "the file is not what was made")


@scenario(("epoll",))
def a_sync_that_fails_in_an_interval_is_never_taken_for_success(case):
    configuration = one({"generate": {"rate": "100/s"}}, [{"split": "newline"}],
                        {"file": {"path": "out", "sync": "interval", "sync_every": "50ms"}}, drain="1s")
    daemon = case.daemon(configuration, wrap=failing_sync("2"), environment=without_leaks(case))
    until(lambda: daemon.log_has("cannot sync out: Input/output error"), "the error")
    result = daemon.drain(status=3)
    expect(result.node("to.0")["dropped"]["shutdown"] > 0, "what was not synced counts as written")


def without_leaks(case):
    """A process that is traced cannot look for its leaks."""
    return {"ASAN_OPTIONS": case.environment()["ASAN_OPTIONS"] + ":detect_leaks=0"}


@scenario()
def synced_files_are_what_was_read(case):
    data = case.make_records("a", 3000)
    for sync in ("interval", "batch"):
        source = {"file": {"path": case.write("in", data), "follow": False}}
        result = case.run(one(source, [{"split": "newline"}], {"file": {"path": sync, "sync": sync}}))
        expect(case.read(sync) == data, f"with {sync} the file is not what was read")
        expect_equal(result.node("to.0")["held"], 0, "held at the end")
