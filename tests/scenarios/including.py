"""Included files while the daemon runs: a reload takes what they hold now, or leaves all as it is."""

import json
import os
import signal
import socket

import peer
from harness import expect, expect_equal, free_port, scenario, until

SPLIT = [{"split": "newline"}]


def piped(port, word, to):
    return {"from": {"tcp": f"127.0.0.1:{port}"}, "stages": [*SPLIT, {"filter": word}], "to": {"file": to}}


def include(case, name, **pipelines):
    os.makedirs(case.path("conf.d"), exist_ok=True)
    return case.write(f"conf.d/{name}.json", json.dumps({"pipelines": pipelines}).encode())


def reload(daemon, words):
    daemon.signal(signal.SIGHUP)
    until(lambda: daemon.log_has(words), f"the log to say {words!r}; it says {daemon.stderr()[-1500:]!r}")


@scenario()
def a_reload_takes_what_included_files_hold_now(case):
    ports = [free_port() for _ in range(3)]
    include(case, "a", one=piped(ports[0], "a", "one"))
    include(case, "b", two=piped(ports[1], "a", "two"))
    daemon = case.daemon({"include": "conf.d/*.json"})
    peer.send(ports[0], b"a\nb\n")
    peer.send(ports[1], b"a\nb\n")
    until(lambda: case.size("one") and case.size("two"), "the first records")
    include(case, "b", two=piped(ports[1], "b", "two"))
    include(case, "c", three=piped(ports[2], "c", "three"))
    reload(daemon, "pipelines: 1 changed, 1 added, 0 removed, 1 untouched")
    peer.send(ports[0], b"a\nb\n")
    peer.send(ports[1], b"a\nb\n")
    peer.send(ports[2], b"c\n")
    os.unlink(case.path("conf.d/c.json"))
    reload(daemon, "pipelines: 0 changed, 0 added, 1 removed, 2 untouched")
    reload(daemon, "pipelines: 0 changed, 0 added, 0 removed, 2 untouched")
    daemon.drain()
    expect_equal(case.read("one"), b"a\na\n", "what the untouched pipeline wrote")
    expect_equal(case.read("two"), b"a\nb\n", "what the changed one wrote")
    expect_equal(case.read("three"), b"c\n", "what the one wrote that came and went")


@scenario(("epoll",))
def a_wrong_included_file_changes_nothing(case):
    port = free_port()
    include(case, "a", one=piped(port, "a", "one"))
    daemon = case.daemon({"include": "conf.d/*.json"})
    include(case, "b", one=piped(port, "b", "other"))
    reload(daemon, f"the reload was refused, nothing has changed: {case.path('conf.d/b.json')}:1:")
    expect(daemon.log_has(r'there are two pipelines with the name \"one\"'), f"not why in {daemon.stderr()!r}")
    peer.send(port, b"a\nb\n")
    daemon.drain()
    expect_equal(case.read("one"), b"a\n", "what it wrote")


@scenario(("epoll",))
def what_cannot_be_opened_puts_included_pipelines_back(case):
    ports = [free_port() for _ in range(2)]
    include(case, "a", one=piped(ports[0], "a", "one"))
    daemon = case.daemon({"include": "conf.d/*.json"})
    include(case, "a", one=piped(ports[0], "b", "one"), two=piped(ports[1], "b", "two"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports[1]))
        taken.listen()
        reload(daemon, "the configuration before runs again")
    peer.send(ports[0], b"a\nb\n")
    until(lambda: case.size("one"), "a record")
    reload(daemon, "pipelines: 1 changed, 1 added, 0 removed, 0 untouched")
    peer.send(ports[0], b"a\nb\n")
    daemon.drain()
    expect_equal(case.read("one"), b"a\nb\n", "what it wrote")
