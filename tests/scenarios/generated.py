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
