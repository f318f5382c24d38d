"""How a participant is played: from files to files, and between sockets. Each returns a Sample, or raises Wrong."""

import json
import os
import signal
import statistics
import time

from measure import PATIENCE, Timed, Wrong, counts, expect, size_of, until

LOAD_RATE = 500  # MB/s, of a load that leaves room
WINDOW, WINDOWS = 0.2, 20  # seconds, and how many of them with scrapes, and without
ENDED = (0, -signal.SIGTERM, 128 + signal.SIGTERM)  # how servers that are told to end may end


def files(bench, source, commands, check, prints=False):
    """Runs to the end. `commands(output)` are joined by pipes; `check(output)` looks at what came out. `prints`: the output
    is what the last one prints."""
    bench.fresh()
    path = bench.path("out")
    run = Timed(bench, *commands(path), output=path if prints else "/dev/null")
    sample = run.finish(os.path.getsize(source))
    check(path)
    sample.numbers["size"] = size_of(path)
    return sample


class Server:
    """A participant that listens at a port, while the load is sent to it."""

    def __init__(self, bench, commands, protocol="tcp"):
        self.bench = bench
        self.port = bench.free_port()
        self.run = Timed(bench, *commands(self.port), output=bench.path("stdout"))
        self.run.until_bound(self.port, protocol)

    def send(self, source, connections):
        return self.bench.start([self.bench.program("send"), str(self.port), str(connections), source],
                                stdout=-1, stderr=-1)

    def finish(self, size, stop=True):
        """`stop`: it would not end by itself."""
        if stop:
            self.run.stop()
        return self.run.finish(size, ENDED)


def finish_sender(bench, sender):
    """When it began, had sent all, and had been closed: nanoseconds of the monotonic clock, by name."""
    return {name: int(time) for name, time in (line.split() for line in bench.rest_of(sender).splitlines())}


def until_size(wanted, *paths):
    """Until the files together have so many bytes; when that was, on the monotonic clock."""

    def size():
        return sum(size_of(path) for path in paths)

    try:
        until(lambda: size() >= wanted, "the output", patience=PATIENCE / 3)
    except Wrong:
        raise Wrong(f"{size()} bytes came out, wanted {wanted}") from None
    return time.monotonic_ns()


def tcp_to_file(bench, commands, connections, mixed=False, outputs=("out",)):
    """`commands(port, output)`. `mixed`: it knows no lines, and may cut them where connections meet. `outputs`: the names of
    the files that it writes, which are looked at as if they were one."""
    source = bench.lines("log")
    bench.fresh()
    paths = [bench.path(name) for name in outputs]
    server = Server(bench, lambda port: commands(port, bench.path("out")))
    sender = server.send(source, connections)
    reached = until_size(os.path.getsize(source), *paths)
    began = finish_sender(bench, sender)["began"]
    sample = server.finish(os.path.getsize(source))
    sample.seconds = (reached - began) / 1e9
    bench.expect_same(bench.tally(*paths), source, mixed)
    return sample


def tcp_to_tcp(bench, commands, wanted=None):
    """`commands(port, to)`. `wanted`: the lines that must come out, if not all."""
    source = bench.lines("log")
    wanted = wanted or source
    bench.fresh()
    to = bench.free_port()
    receiver = bench.start([bench.program("receive"), str(to), str(os.path.getsize(wanted))], stdout=-1)
    bench.helper_says(receiver, "ready")
    server = Server(bench, lambda port: commands(port, to))
    sender = server.send(source, 1)
    reached = bench.helper_says(receiver, "reached")
    began = finish_sender(bench, sender)["began"]
    sample = server.finish(os.path.getsize(source))
    sample.seconds = (reached - began) / 1e9
    bench.expect_same(counts(bench.rest_of(receiver)), wanted)
    return sample


def direct(bench):
    """The load generator and the receiver with nothing between them: what no row can be faster than."""
    source = bench.lines("log")
    bench.fresh()
    port = bench.free_port()
    run = Timed(bench, [bench.program("receive"), str(port), str(os.path.getsize(source))], output=bench.path("stdout"))
    run.until_bound(port)
    sender = bench.start([bench.program("send"), str(port), "1", source], stdout=-1, stderr=-1)
    began = finish_sender(bench, sender)["began"]
    sample = run.finish(os.path.getsize(source))
    with open(bench.path("stdout"), encoding="ascii") as said:
        lines = said.read().splitlines()
    bench.expect_same(counts(lines[-1]), source)
    reached = next(int(line.split()[1]) for line in lines if line.startswith("reached"))
    sample.seconds = (reached - began) / 1e9
    sample.user = sample.system = 0.0  # most of it goes into the check
    return sample


def tcp_to_nothing(bench, commands, connections, count, stop):
    """`count(server)`: (bytes, records) that it says it has received. Done when it has closed all connections. `stop`: only
    then does it end, and say so, when it is told to."""
    source = bench.lines("log")
    bench.fresh()
    server = Server(bench, commands)
    times = finish_sender(bench, server.send(source, connections))
    sample = server.finish(os.path.getsize(source), stop)
    sample.seconds = (times["closed"] - times["began"]) / 1e9
    wanted = bench.tally_of_input(source)
    expect(count(server) == (int(wanted["bytes"]), int(wanted["records"])), f"it counts {count(server)}")
    return sample


def counted_by_loop(server):
    with open(server.bench.path("stdout"), encoding="ascii") as said:
        found = counts(said.read())
    return int(found["bytes"]), int(found["records"])


def counted_by_viewduct(server):
    """What its sink took, by the summary."""
    for line in server.run.said_whole().splitlines():
        event = json.loads(line)
        if event.get("event") == "summary":
            node = event["nodes"]["bench.to.0"]
            return node["bytes_in"], node["records_in"]
    raise Wrong("there is no summary")


def seconds_of_path(server, wait):
    """The CPU time of the data path a second, while `wait()` lasts."""
    began, before = time.monotonic(), server.run.path_seconds()
    wait()
    return (server.run.path_seconds() - before) / (time.monotonic() - began)


def scraped(bench, commands, wanted, rate):
    """`commands(port, admin)`; `wanted`: the lines that its sink gets of the input. What the data path takes of a load at a
    fixed rate, while it is asked for its metrics so many times a second, beside what it takes while nobody asks: by turns in
    one run, as runs differ by more than what is looked for. Only the thread that moves data is looked at: who asks and who
    answers have cores to themselves elsewhere."""
    source = bench.lines("log")
    bench.fresh()
    admin = bench.free_port()
    server = Server(bench, lambda port: commands(port, admin))
    server.run.until_bound(admin)
    scraper = bench.start([bench.program("scrape"), str(admin), str(rate)], stdin=-1, stdout=-1, stderr=-1)
    bench.helper_says(scraper, "ready")
    sender = bench.start([bench.program("steady"), str(server.port), source, str(LOAD_RATE)], stdin=-1, stdout=-1, stderr=-1)
    answers = []

    def ask():
        scraper.stdin.write(b"%d\n" % (rate * WINDOW))
        answers.append(counts(scraper.stdout.readline().decode()))

    def rest():
        time.sleep(WINDOW)

    seconds_of_path(server, rest)  # it has begun
    pairs = []
    for number in range(WINDOWS):
        order = (ask, rest) if number % 2 else (rest, ask)
        pair = {wait: seconds_of_path(server, wait) for wait in order}
        pairs.append((pair[ask], pair[rest]))
    bench.rest_of(scraper)
    told = finish_sender(bench, sender)
    size = os.path.getsize(source) * told["times"]
    sample = server.finish(size)
    sample.seconds = (told["closed"] - told["began"]) / 1e9
    kept = bench.tally_of_input(wanted)
    expect(counted_by_viewduct(server) == (int(kept["bytes"]) * told["times"], int(kept["records"]) * told["times"]),
           f"it counts {counted_by_viewduct(server)}")
    reached = sum(int(answer["asked"]) for answer in answers) / sum(float(answer["seconds"]) for answer in answers)
    expect(reached >= 0.99 * rate, f"{reached:.0f} scrapes a second in place of {rate}")
    sample.numbers.update(
        scraped=statistics.median(asked / unasked for asked, unasked in pairs), scrapes=reached, late=told["late"] / 1e6,
        path=sum(unasked for _, unasked in pairs) / WINDOWS / LOAD_RATE * 1000)
    return sample


def datagrams_to_file(bench, commands, rate):
    """Three seconds of datagrams, less where the input is small. `commands(port, output)`."""
    records = int(bench.tally_of_input(bench.lines("log"))["records"])
    count = min(3 * rate, records)
    source = bench.first_lines(count)
    bench.fresh()
    path = bench.path("out")
    server = Server(bench, lambda port: commands(port, path), "udp")
    sender = bench.start([bench.program("datagrams"), str(server.port), str(rate), str(count), source], stdout=-1,
                         stderr=-1)
    times = finish_sender(bench, sender)
    until_quiet(path, os.path.getsize(source))
    sample = server.finish(os.path.getsize(source))
    sample.seconds = (times["ended"] - times["began"]) / 1e9
    within = bench.start([bench.program("tally"), "--within", source, path], stdout=-1)
    found = counts(bench.rest_of(within))
    expect(found["spurious"] == "0", f"{found['spurious']} lines that were never sent")
    sample.numbers["lost"] = int(found["missing"])
    sample.numbers["late"] = times["late"] / 1e6
    return sample


def until_quiet(path, wanted):
    """Until all has come out, or nothing more has come for a while."""
    size, since = size_of(path), time.monotonic()
    while size < wanted and time.monotonic() < since + 0.5:
        time.sleep(0.01)
        if size_of(path) != size:
            size, since = size_of(path), time.monotonic()


def echo(bench, commands, connections, count):
    """`commands(port, back)`. How long lines take through it and back."""
    bench.fresh()
    back = bench.free_port()
    # The client connects only when it is told to: its port of the relay is known by then.
    relay = bench.free_port()
    client = bench.start([bench.program("echo"), str(relay), str(back), str(connections), str(count)],
                         stdin=-1, stdout=-1, stderr=-1)
    bench.helper_says(client, "ready")
    server = Timed(bench, *commands(relay, back), output=bench.path("stdout"))
    server.until_bound(relay)
    found = counts(bench.rest_of(client, b"go\n"))
    server.stop()
    sample = server.finish(count * 190, ENDED)
    sample.seconds = float(found["seconds"])
    sample.numbers.update(p50=float(found["p50"]), p99=float(found["p99"]))
    return sample


def idle(bench, commands, connections):
    """`commands(port, output)`. What connections cost that have said a line and are silent since."""
    warm = bench.first_lines(5000)
    bench.fresh()
    path = bench.path("out")
    server = Server(bench, lambda port: commands(port, path))
    finish_sender(bench, server.send(warm, 8))
    warmed = os.path.getsize(warm)
    until_size(warmed, path)
    before = server.run.resident()
    holder = bench.start([bench.program("idle"), str(server.port), str(connections)], stdin=-1, stdout=-1)
    bench.helper_says(holder, "ready")
    until_size(warmed + connections * len("connection 00000 is here\n"), path)
    time.sleep(1)  # what is done a little later, such as by timers of setting up, is over
    wakes, resident = server.run.wakes(), server.run.resident()
    time.sleep(2)
    wakes = (server.run.wakes() - wakes) / 2
    bench.rest_of(holder)
    sample = server.finish(size_of(path))
    sample.numbers.update(wakes=wakes, connection=max(0, resident - before) / connections)
    return sample
