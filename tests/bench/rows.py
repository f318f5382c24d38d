"""The rows of the bench: what viewduct does, what it is measured beside, and what it should reach."""

import dataclasses
import os
import pathlib

import measure
import plays
from figures import BACKENDS, FASTEST, Reach, name_of

# Some 5 % of the lines have a status of 500 to 504, and 3 % a duration of four digits: one pattern has a literal that is
# rare, the other one that is in every line.
RARE = r"status=50[0-4] duration=[0-9]{3,}ms"
COMMON = r"duration=[0-9]{4,}ms"


@dataclasses.dataclass
class Row:
    name: str
    participants: dict  # name → function of the bench that returns a Sample
    reaches: list
    metrics: tuple = ("rate", "cpu", "rss")
    repeat: int = 1  # runs that make one sample, where one is too short to tell


rows = []


def row(name, ours, others, reaches, **more):
    """`ours(backend)` is played for both backends; `others` by their names."""
    participants = {name_of(backend): ours(backend) for backend in BACKENDS} | others
    rows.append(Row(name, participants, reaches, **more))


def needing(program, play):
    def checked(bench):
        measure.have(program)
        return play(bench)

    return checked


# --- from files to files ----------------------------------------------------------------------------------------------


def file_source(path):
    return {"file": {"path": path, "follow": False}}


def through(source, stages, check):
    """viewduct from a file to a file. `source(bench)`, `stages(bench)`, `check(bench, output)`."""

    def ours(backend):
        def play(bench):
            path = source(bench)
            pipeline = stages(bench)
            return plays.files(
                bench, path,
                lambda output: [bench.viewduct(backend, file_source(path), pipeline, {"file": output})],
                lambda output: check(bench, output))

        return play

    return ours


def tool(source, check, *commands):
    """Others: commands joined by pipes, each a list or a string without blanks in its words. {in}, {out} and {words} stand
    for files; where no word is {out}, the output is what the last one prints."""
    commands = [command.split() if isinstance(command, str) else command for command in commands]
    prints = not any("{out}" in command for command in commands)

    def play(bench):
        path = source(bench)
        places = {"{in}": path, "{words}": bench.words()}

        def filled(out):
            return [[(places | {"{out}": out}).get(word, word) for word in command] for command in commands]

        return plays.files(bench, path, filled, lambda out: check(bench, out), prints)

    return needing(commands[0][0], play)


def log(bench):
    return bench.lines("log")


def json(bench):
    return bench.lines("json")


def same_as(source):
    return lambda bench, output: bench.expect_same(bench.tally(output), source(bench))


def kept(name, *grep):
    """The check of a filter: what came out is what grep keeps. A word {words} stands for the file of words."""

    def wanted(bench):
        return bench.kept(name, [bench.words() if word == "{words}" else word for word in grep])

    return same_as(wanted)


def split_and(condition):
    return lambda bench: [{"split": "newline"}, {"filter": condition(bench) if callable(condition) else condition}]


row("file → split → file",
    through(log, lambda bench: [{"split": "newline"}], same_as(log)),
    {
        "cp": tool(log, same_as(log), "cp {in} {out}"),
        "cat": tool(log, same_as(log), "cat {in}"),
    },
    [Reach("rate", 0.9, "cp"), Reach("cpu", 1.3, "cat")])

error = kept("error", "-F", "ERROR")
row("file → filter literal (5 %) → file",
    through(log, split_and("ERROR"), error),
    {
        "grep -F": tool(log, error, "grep -aF ERROR {in}"),
        "rg --no-mmap": tool(log, error, "rg -aF --no-mmap ERROR {in}"),
        "rg": tool(log, error, "rg -aF ERROR {in}"),
    },
    [Reach("rate", 2, "grep -F"), Reach("rate", 0.9, "rg --no-mmap"), Reach("cpu", 1.3, "rg")])

for share, literal in (("50 %", "cache=hit"), ("95 %", "tls=yes")):
    check = kept(literal, "-F", literal)
    row(f"file → filter literal ({share}) → file",
        through(log, split_and(literal), check),
        {
            "grep -F": tool(log, check, f"grep -aF {literal} {{in}}"),
            "rg --no-mmap": tool(log, check, f"rg -aF --no-mmap {literal} {{in}}"),
        },
        [Reach("rate", 1.2, "grep -F")])

for name, pattern in (("with a rare literal", RARE), ("with a common literal", COMMON)):
    check = kept(name.replace(" ", "-"), "-P", pattern)
    row(f"file → filter regex {name} → file",
        through(log, split_and({"regex": pattern}), check),
        {
            "grep -P": tool(log, check, ["grep", "-aP", pattern, "{in}"]),
            "rg --no-mmap": tool(log, check, ["rg", "-a", "--no-unicode", "--no-mmap", pattern, "{in}"]),
            "rg": tool(log, check, ["rg", "-a", "--no-unicode", pattern, "{in}"]),
        },
        [Reach("rate", 1, FASTEST)])

words = kept("words", "-F", "-f", "{words}")
row("file → filter 100 literals → file",
    through(log, split_and(lambda bench: {"contains": {"$lines": bench.words()}}), words),
    {
        "grep -F -f": tool(log, words, "grep -aF -f {words} {in}"),
        "rg -F -f --no-mmap": tool(log, words, "rg -aF --no-mmap -f {words} {in}"),
        "rg -F -f": tool(log, words, "rg -aF -f {words} {in}"),
    },
    [Reach("rate", 1, FASTEST)])


# --- codecs -----------------------------------------------------------------------------------------------------------


def decoded(codec):
    """The check of an encoder: the codec's own tool gives back what went in."""

    def check(bench, output):
        plain = bench.path("plain")
        bench.output_of([codec, "-q", "-d", "-c", output], plain)
        bench.expect_same(bench.tally(plain), json(bench))
        os.unlink(plain)

    return check


def codec_row(codec, threads, others, reaches):
    check = decoded(codec)
    options = {"codec": codec, "level": 1} | ({"threads": threads} if threads > 1 else {})
    how = "level 1" + (f", threads {threads}" if threads > 1 else "")
    row(f"file → {codec} ({how}) → file",
        through(json, lambda bench: [{"compress": options}], check),
        {name: tool(json, check, command) for name, command in others.items()},
        reaches, metrics=("rate", "cpu", "rss", "size"))


def not_behind(other, rate=1.0):
    return [Reach("rate", rate, other), Reach("cpu", 1.15, other), Reach("size", 1.02, other)]


codec_row("zstd", 1, {"zstd -1 -T1": "zstd -q -1 -T1 {in} -o {out}"}, not_behind("zstd -1 -T1"))
codec_row("zstd", 2, {"zstd -1 -T2": "zstd -q -1 -T2 {in} -o {out}"}, not_behind("zstd -1 -T2"))
codec_row("gzip", 1, {
    "igzip -1": "igzip -q -1 {in} -o {out}",
    "pigz -1 -p 1": "pigz -1 -p 1 -c {in}",
}, [*not_behind("igzip -1"), Reach("rate", 2, "pigz -1 -p 1")])
codec_row("gzip", 2, {
    "igzip -1 -T 2": "igzip -q -1 -T 2 {in} -o {out}",
    "pigz -1 -p 2": "pigz -1 -p 2 -c {in}",
}, [*not_behind("igzip -1 -T 2"), Reach("rate", 2, "pigz -1 -p 2")])
codec_row("lz4", 1, {"lz4 -1": "lz4 -q -1 {in} {out}"}, not_behind("lz4 -1"))
codec_row("lz4", 2, {"lz4 -1": "lz4 -q -1 {in} {out}"}, not_behind("lz4 -1"))

decode = [{"decompress": "auto"}, {"split": "newline"}, {"filter": "ERROR"}]
for codec, others in (("zstd", ("zstd",)), ("gzip", ("igzip", "pigz", "gzip"))):

    def encoded(bench, codec=codec):
        return bench.encoded(codec)

    row(f"{codec} file → decompress → filter → file",
        through(encoded, lambda bench: decode, error),
        {f"{other} -dc | grep -F": tool(encoded, error, f"{other} -dc {{in}}", "grep -aF ERROR") for other in others},
        [Reach("rate", 1.5, f"{others[0]} -dc | grep -F")])


# --- sockets ----------------------------------------------------------------------------------------------------------


def listen(port):
    return {"tcp": {"listen": f"127.0.0.1:{port}"}}


def connect(port):
    return {"tcp": {"connect": f"127.0.0.1:{port}"}}


SPLIT = [{"split": "newline"}]


def rsyslog(bench, port, output, module, more=""):
    """imptcp or imudp to omfile, with queues, batches and buffers of a size that suits a load like this."""
    # Lines that begin with a digit would be taken for octet counts; 64 connections that wait are too few for a thousand.
    how = 'supportOctetCountedFraming="off" socketBacklog="4096"' if module == "imptcp" else 'rcvbufSize="4m"'
    path = pathlib.Path(bench.path("rsyslog.conf"))
    path.write_text(f"""
global(workDirectory="{bench.work}" maxMessageSize="64k" net.enableDNS="off")
module(load="{module}" {more})
template(name="raw" type="string" string="%rawmsg%\\n")
main_queue(queue.type="FixedArray" queue.size="500000" queue.dequeueBatchSize="4096" queue.timeoutEnqueue="60000")
input(type="{module}" address="127.0.0.1" port="{port}" {how})
action(type="omfile" file="{output}" template="raw" ioBufferSize="256k")
""", encoding="ascii")
    return [["/usr/sbin/rsyslogd", "-n", "-f", str(path), "-i", bench.path("rsyslog.pid")]]


def haproxy(bench, port, to):
    """It splices for certain: left to itself (splice-auto) it does not here, and takes twice the CPU time."""
    path = pathlib.Path(bench.path("haproxy.conf"))
    path.write_text(f"""
global
    nbthread 1
    maxconn 100
    tune.bufsize 65536
    tune.pipesize 1048576
defaults
    mode tcp
    option splice-request
    option splice-response
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen relay
    bind 127.0.0.1:{port}
    server receiver 127.0.0.1:{to}
""", encoding="ascii")
    return [["/usr/sbin/haproxy", "-db", "-q", "-f", str(path)]]


def loop(bench, name, *arguments):
    return [[bench.program(name), *map(str, arguments)]]


def plural(connections):
    return "1 connection" if connections == 1 else f"{connections:,} connections"


def to_file(connections, shards=1):
    """With shards, viewduct writes as many files; how it does with one loop, which is its default, stands beside it."""

    def ours(backend, shards=shards):
        if shards == 1:
            return lambda bench: plays.tcp_to_file(
                bench, lambda port, out: [bench.viewduct(backend, listen(port), SPLIT, {"file": out})], connections)
        return lambda bench: plays.tcp_to_file(
            bench,
            lambda port, out: [
                bench.viewduct(backend, listen(port), SPLIT, {"file": out + ".{shard}"}, shards=shards)],
            connections, outputs=[f"out.{shard}" for shard in range(shards)])

    def other(commands, mixed=False):
        return lambda bench: plays.tcp_to_file(bench, lambda port, out: commands(bench, port, out), connections,
                                               mixed and connections > 1)

    fork = ",fork" if connections > 1 else ""
    option = f" (shards {shards})" if shards > 1 else ""
    row(f"TCP → split → file, {plural(connections)}{option}", ours, {
        **({f"1 shard, {backend}": ours(backend, 1) for backend in BACKENDS} if shards > 1 else {}),
        "socat": needing("socat", other(lambda bench, port, out: [[
            "socat", "-b", "65536", "-u", f"TCP-LISTEN:{port},reuseaddr{fork}", f"OPEN:{out},creat,append"]], True)),
        "rsyslog": needing("rsyslogd", other(lambda bench, port, out: rsyslog(bench, port, out, "imptcp",
                                                                              'threads="2"'))),
        "splice loop": other(lambda bench, port, out: loop(bench, "loop_splice", port, connections, out), True),
        "recv + write loop": other(lambda bench, port, out: loop(bench, "loop_write", port, connections, out), True),
    }, [
        Reach("rate", 1, "socat"), Reach("cpu", 1, "socat"), Reach("rate", 0.7, "splice loop"),
        *([Reach("rate", 1, "recv + write loop")] if connections > 1 else []),
    ])


to_file(1)
to_file(8, shards=2)


def relay(stages, wanted=None):
    def ours(backend):
        return lambda bench: plays.tcp_to_tcp(
            bench, lambda port, to: [bench.viewduct(backend, listen(port), stages, connect(to))],
            wanted and wanted(bench))

    return ours


def peer(program, commands, wanted=None):
    return needing(program, lambda bench: plays.tcp_to_tcp(bench, lambda port, to: commands(bench, port, to),
                                                           wanted and wanted(bench)))


def socat_relay(bench, port, to):
    return [["socat", "-b", "65536", "-u", f"TCP-LISTEN:{port},reuseaddr", f"TCP:127.0.0.1:{to}"]]


row("TCP → split → TCP", relay(SPLIT), {
    "socat": peer("socat", socat_relay),
    "haproxy": peer("haproxy", haproxy),
    "recv + send loop": lambda bench: plays.tcp_to_tcp(bench, lambda port, to: loop(bench, "loop_relay", port, to)),
}, [Reach("rate", 1.3, "socat", ("uring",)), Reach("rate", 1, "haproxy", ("uring",)),
    Reach("cpu", 0.7, "socat", ("uring",))])

row("TCP → split → TCP, on epoll", relay(SPLIT), {"socat": peer("socat", socat_relay)},
    [Reach("rate", 1, "socat", ("epoll",)), Reach("cpu", 1, "socat", ("epoll",)),
     Reach("rate", 0.7, name_of("uring"), ("epoll",)), Reach("cpu", 1.4, name_of("uring"), ("epoll",))])


def socat_grep(bench, port, to):
    return [["socat", "-b", "65536", "-u", f"TCP-LISTEN:{port},reuseaddr", "STDOUT"],
            ["grep", "-aF", "ERROR"],
            ["socat", "-b", "65536", "-u", "STDIN", f"TCP:127.0.0.1:{to}"]]


def errors_kept(bench):
    return bench.kept("error", ["-F", "ERROR"])


row("TCP → filter (5 %) → TCP", relay([*SPLIT, {"filter": "ERROR"}], errors_kept),
    {"socat | grep -F | socat": peer("socat", socat_grep, errors_kept)},
    [Reach("rate", 2, "socat | grep -F | socat"), Reach("cpu", 0.35, "socat | grep -F | socat")])


def to_nothing(connections):
    def ours(backend):
        return lambda bench: plays.tcp_to_nothing(
            bench, lambda port: [bench.viewduct(backend, listen(port), SPLIT, "null", "json")], connections,
            plays.counted_by_viewduct, stop=True)

    def counting(bench):
        return plays.tcp_to_nothing(bench, lambda port: loop(bench, "loop_count", port, connections), connections,
                                    plays.counted_by_loop, stop=False)

    row(f"TCP → split → null, {plural(connections)}", ours, {"receive-and-count loop": counting},
        [Reach("rate", 0.9, "receive-and-count loop"), Reach("cpu", 1.15, "receive-and-count loop")])


to_nothing(1)
to_nothing(8)


SCRAPES = 1000


def scraped(backend):
    return lambda bench: plays.scraped(bench, lambda port, admin: [bench.viewduct(
        backend, listen(port), [*SPLIT, {"filter": "ERROR"}], "null", "json", service={"admin": f"127.0.0.1:{admin}"})],
        errors_kept(bench), SCRAPES)


row(f"TCP → filter → null at {plays.LOAD_RATE} MB/s, scraped {SCRAPES:,} times a second", scraped, {},
    [Reach("scraped", 1.05)], metrics=("scraped", "path", "rate", "scrapes", "late", "cpu", "rss"))


def datagrams(rate):
    stages = [*SPLIT, {"join": "newline"}]

    def ours(backend):
        return lambda bench: plays.datagrams_to_file(bench, lambda port, out: [bench.viewduct(
            backend, {"udp": {"listen": f"127.0.0.1:{port}"}}, stages, {"file": out})], rate)

    def other(commands):
        return lambda bench: plays.datagrams_to_file(bench, lambda port, out: commands(bench, port, out), rate)

    row(f"UDP → split → file, {rate // 1000}k datagrams/s", ours, {
        "recvmmsg loop": other(lambda bench, port, out: loop(bench, "loop_datagrams", port, out)),
        "rsyslog": needing("rsyslogd", other(lambda bench, port, out: rsyslog(bench, port, out, "imudp",
                                                                              'threads="1" batchSize="128"'))),
    }, [Reach("lost", 0, "recvmmsg loop")], metrics=("lost", "late", "cpu", "rss"))


datagrams(100_000)
datagrams(300_000)


# --- branches, latency, idleness --------------------------------------------------------------------------------------


def fan_out(backend, count):
    """To so many files, each of which must be whole."""

    def play(bench):
        path = log(bench)

        def check(output):
            for index in range(count):
                bench.expect_same(bench.tally(f"{output}.{index}"), path)

        return plays.files(bench, path, lambda output: [bench.viewduct(
            backend, file_source(path), SPLIT, [{"file": f"{output}.{index}"} for index in range(count)])], check)

    return play


row("file → split → 4 files", lambda backend: fan_out(backend, 4),
    {f"1 file, {backend}": fan_out(backend, 1) for backend in BACKENDS},
    [Reach("user", 1.3, f"1 file, {backend}", (backend,)) for backend in BACKENDS],
    metrics=("user", "rate", "cpu", "rss"), repeat=4)


def echo(connections, count):
    def ours(backend):
        return lambda bench: plays.echo(
            bench, lambda port, back: [bench.viewduct(backend, listen(port), SPLIT, connect(back))], connections,
            count(bench))

    def socat(bench):
        return plays.echo(bench, lambda port, back: [[
            "socat", "-b", "65536", "-u", f"TCP-LISTEN:{port},reuseaddr,fork,backlog=64,nodelay",
            f"TCP:127.0.0.1:{back},nodelay"]], connections, count(bench))

    row(f"echo, TCP → split → TCP, {plural(connections)}", ours, {"socat": needing("socat", socat)},
        [Reach("p50", 1, "socat"), Reach("p99", 1, "socat")], metrics=("p50", "p99", "rss"))


echo(1, lambda bench: 40 * bench.megabytes)
echo(32, lambda bench: 400 * bench.megabytes)


def idle(connections, default):
    most = {} if connections <= default else {"max_connections": connections + 8}

    def ours(backend):
        return lambda bench: plays.idle(bench, lambda port, out: [bench.viewduct(
            backend, {"tcp": {"listen": f"127.0.0.1:{port}"} | most}, SPLIT, {"file": out})], connections)

    def other(bench):
        return plays.idle(bench, lambda port, out: rsyslog(bench, port, out, "imptcp", 'threads="2"'), connections)

    option = f" (max_connections {most['max_connections']:,})" if most else ""
    row(f"{connections:,} idle connections{option}", ours, {"rsyslog": needing("rsyslogd", other)},
        [Reach("connection", 1024), Reach("wakes", 0)], metrics=("connection", "wakes", "rss"))


idle(1_000, 1024)
idle(10_000, 1024)
