"""Compressed output is what the usual tools read."""

import os
import signal
import subprocess

from harness import expect, lines, one, scenario, until

TOOLS = {"zstd": ["zstd", "-dc"], "gzip": ["gzip", "-dc"], "lz4": ["lz4", "-dc"]}


def unpack(codec, data):
    unpacked = subprocess.run(TOOLS[codec], input=data, capture_output=True, check=False)
    expect(unpacked.returncode == 0, f"{codec} refuses it: {unpacked.stderr}")
    return unpacked.stdout


@scenario(("uring", "epoll", "refused"))
def every_codec_and_level_is_read_back(case):
    data = case.make_records("a", 8000, 2000)
    path = case.write("in", data)
    for codec, levels in (("zstd", (None, 1, 9)), ("gzip", (None, 3, 4, 9)), ("lz4", (None, 1, 12))):
        for level in levels:
            compress = {"codec": codec, "frame": "64KiB"} | ({"level": level} if level else {})
            result = case.run(one({"file": {"path": path, "follow": False}}, [{"split": "newline"}, {"compress": compress}],
                                  {"file": {"path": "out", "append": False}}), copied=("stage",))
            expect(unpack(codec, case.read("out")) == data, f"{codec} at level {level} gives other bytes")
            expect(result.node("to.0")["records_in"] == 8000, "the records are counted through the frames")


@scenario()
def frames_of_bytes_without_split(case):
    data = bytes(range(256)) * 10000
    path = case.write("in", data)
    for codec in TOOLS:
        case.run(one({"file": {"path": path, "follow": False}}, [{"compress": codec}],
                     {"file": {"path": "out", "append": False}}), copied=("stage",))
        expect(unpack(codec, case.read("out")) == data, f"{codec} gives other bytes")


@scenario()
def one_branch_compressed_one_plain(case):
    data = case.make_records("a", 20000, 500)
    source = {"file": {"path": case.write("in", data), "follow": False}}
    case.run(one(source, [{"split": "newline"}, {"filter": {"regex": "a:[0-9]*7:"}}],
                 [{"file": "out.zst", "stages": [{"compress": "zstd"}]}, {"file": "out"}]))
    wanted = b"".join(line for line in lines(data) if line.split(b":")[1].endswith(b"7"))
    expect(case.read("out") == wanted, "the plain branch is not what grep would give")
    expect(unpack("zstd", case.read("out.zst")) == wanted, "the compressed branch is not the plain one")


@scenario()
def a_frame_closes_when_drained(case):
    case.write("in", b"one\ntwo\n")
    daemon = case.daemon(one({"file": case.path("in")}, [{"split": "newline"}], [
        {"file": "copy"}, {"file": "out.gz", "stages": [{"compress": "gzip"}]}]))
    until(lambda: case.size("copy") == 8, "the lines")
    daemon.drain(copied=("stage",))
    expect(unpack("gzip", case.read("out.gz")) == b"one\ntwo\n", "what was read is not in a whole frame")


@scenario()
def an_open_frame_ends_before_its_file_is_opened_anew(case):
    """As logrotate does it: what came before the signal is in the file that is left."""
    before, after = b"before\n" * 1000, b"after\n" * 1000
    for codec in TOOLS:
        case.write("in", before)
        compress = {"codec": codec, "linger": "1d"}
        daemon = case.daemon(one({"file": case.path("in")}, [{"split": "newline"}], [
            {"file": "copy"}, {"file": "out", "stages": [{"compress": compress}]}]))
        until(lambda: case.size("copy") == len(before), "the first lines")
        os.rename(case.path("out"), case.path("out.1"))
        daemon.signal(signal.SIGHUP)
        until(lambda: os.path.exists(case.path("out")), "the file that is opened anew")
        with open(case.path("in"), "ab") as file:
            file.write(after)
        until(lambda: case.size("copy") == len(before + after), "the other lines")
        daemon.drain(copied=("stage",))
        expect(unpack(codec, case.read("out.1")) == before, f"{codec}: the file that was left lacks what came before")
        expect(unpack(codec, case.read("out")) == after, f"{codec}: the new file lacks what came after")
        for name in ("copy", "out", "out.1"):
            os.unlink(case.path(name))
