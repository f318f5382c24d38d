#!/usr/bin/env python3
"""The unit in a booted systemd, installed and started by the README's own commands."""

import os
import pathlib
import signal
import socket
import sys
import threading

from deployment import (PORT, ROOT, Skip, ask, expect, expect_equal, expect_no_loss, process_status, readme_commands,
                        run, send, until)
from machine import Machine

UNIT = "viewduct.service"
LOGS = "/var/log/private/viewduct"  # where /var/log/viewduct leads, for a unit with a user of its own
DROP_INS = "/etc/systemd/system/viewduct.service.d"
CONFIGURATION = "/etc/viewduct/viewduct.json"


def records_of(machine, name="all.log"):
    """The whole records of a file that a sink wrote."""
    try:
        data = pathlib.Path(machine.path(f"{LOGS}/{name}")).read_bytes()
    except FileNotFoundError:
        return []
    return data.split(b"\n")[:-1]


def expect_records(machine, wanted, name="all.log"):
    until(lambda: set(wanted) <= set(records_of(machine, name)), f"{wanted[:3]} in {name}")


def restarts(machine):
    return int(machine.show(UNIT, "NRestarts"))


def main_pid(machine):
    """As the machine numbers it."""
    return int(machine.show(UNIT, "MainPID"))


def outer_pid(machine):
    """The daemon's number, as we see it."""
    inner = main_pid(machine)
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            status = process_status(entry)
        except OSError:
            continue
        if status["Name"] == "viewduct" and status["NSpid"].split()[1:] == [str(inner)]:
            return int(entry.name)
    return None


def write(machine, path, text):
    path = pathlib.Path(machine.path(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


class Connecting:
    """Connections that are made one behind the other, each with a record of its own; nobody may be refused."""

    def __init__(self, machine, word, forgiven=()):
        self.machine, self.word, self.forgiven = machine, word, forgiven
        self.sent, self.over, self.refused = [], threading.Event(), None
        self.thread = threading.Thread(target=self.connect_on_and_on)

    def connect_on_and_on(self):
        while not self.over.is_set():
            text = b"%s %d" % (self.word, len(self.sent))
            try:
                send(self.machine, text + b"\n")
            except self.forgiven:
                continue
            except OSError as error:
                self.refused = error
                return
            self.sent.append(text)

    def expect_more(self, count):
        seen = len(self.sent)
        until(lambda: len(self.sent) > seen + count or self.refused, "connections that are served")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.over.set()
        self.thread.join()
        expect(kind or not self.refused, f"refused: {self.refused}")


# The steps, one behind the other.


def the_readme_installs_and_starts_it(machine):
    for command in readme_commands("test-systemd", "install"):
        said = machine.run(command)
    expect("has started" in said, f"the last command does not show that it has started: {said}")
    expect_equal(machine.show(UNIT, "ActiveState"), "active", "the unit")
    expect_equal(machine.show(UNIT, "StatusErrno"), "0", "its trouble")


def its_exposure_is_low(machine):
    machine.run("systemd-analyze verify /usr/local/lib/systemd/system/viewduct*")
    for how in ("viewduct.service", "--offline=true /usr/local/lib/systemd/system/viewduct.service"):
        machine.run(f"systemd-analyze security --no-pager --threshold=12 {how}")


def io_uring_and_compiled_patterns_work_in_it(machine):
    started = [entry["MESSAGE"] for entry in machine.journal(UNIT) if "has started" in entry["MESSAGE"]]
    maps = pathlib.Path(f"/proc/{outer_pid(machine)}/maps").read_text(encoding="ascii").splitlines()
    expect(any("x" in line.split()[1] and len(line.split()) == 5 for line in maps), "no pattern is compiled: no JIT")
    if "io_uring    yes" not in machine.run("viewduct version"):
        raise Skip("this machine has no io_uring")
    expect("io uring" in started[-1], started)


def data_come_through_the_activated_sockets(machine):
    expect_equal(sorted(machine.show(f"viewduct{kind}.socket", "SubState") for kind in ("", "-udp", "-unix")),
                 ["running"] * 3, "the sockets")
    send(machine, b"by tcp\nan ERROR\n")
    with machine.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
        client.sendto(b"by udp", ("127.0.0.1", PORT))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(machine.path("/run/viewduct.sock"))
        client.sendall(b"by unix\n")
    expect_records(machine, [b"by tcp", b"by udp", b"by unix"])
    expect_equal(records_of(machine, "errors.log"), [b"an ERROR"], "errors.log")


def it_can_be_asked(machine):
    """Over loopback, and over its socket, which lies in the folder that the unit gives it."""
    with machine.connect(9464) as connection:
        expect_equal(ask(connection, "/health")[0], 200, "/health")
    with machine.connect(9464) as connection:
        status, metrics = ask(connection, "/metrics")
    expect("viewduct_build_info" in metrics, f"/metrics: {status} {metrics[:500]}")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(machine.path("/run/viewduct/admin.sock"))
        expect_equal(ask(connection, "/ready")[0], 200, "/ready")


def reload_reopens_the_files(machine):
    folder = pathlib.Path(machine.path(LOGS))
    (folder / "all.log").rename(folder / "all.log.1")
    machine.run("systemctl reload viewduct")
    until((folder / "all.log").exists, "the new file")
    send(machine, b"after the reload\n")
    expect_records(machine, [b"after the reload"])


def configuration(to, service="{}", stages='[ "split" ]'):
    """One that takes all from the sockets that are passed."""
    return f"""{{ "service": {service}, "pipelines": {{ "logs": {{
        "from": [ {{ "tcp": "systemd:tcp" }}, {{ "udp": "systemd:udp" }}, {{ "unix": "systemd:unix" }} ],
        "stages": {stages}, "to": {{ "file": "{to}" }} }} }} }}"""


def a_reload_keeps_the_passed_sockets(machine):
    """To another file: the connection that is open goes on, in the middle of a record, new ones are accepted, and of those
    who connect meanwhile nobody is refused and nothing is lost."""
    before = main_pid(machine)
    with machine.connect(PORT) as connection:
        connection.sendall(b"before\nha")
        expect_records(machine, [b"before"])
        with Connecting(machine, b"meanwhile") as clients:
            for number in range(3):
                write(machine, CONFIGURATION, configuration(f"next{number}.log"))
                machine.run("systemctl reload viewduct")
                connection.sendall(b"lf %d\nha" % number)
                expect_records(machine, [b"half %d" % number], f"next{number}.log")
                send(machine, b"new\n")
                expect_records(machine, [b"new"], f"next{number}.log")
        connection.sendall(b"lf of all\n")
        expect_records(machine, [b"half of all"], "next2.log")
    names = ("all.log", *(f"next{number}.log" for number in range(3)))
    got = sorted(record for name in names for record in records_of(machine, name) if record.startswith(b"meanwhile "))
    expect_equal(got, sorted(clients.sent), "what was sent meanwhile")
    expect_equal(main_pid(machine), before, "the process")


def a_refused_reload_is_told(machine):
    """One that is wrong, and one that only a restart could take: the command fails, and what ran goes on."""
    path = pathlib.Path(machine.path(CONFIGURATION))
    good, before = path.read_text(encoding="utf-8"), main_pid(machine)
    for text, why in ((good.replace("split", "spilt"), "is not a stage"),
                      (configuration("next2.log", '{ "memory": "48MiB" }'), "memory")):
        path.write_text(text, encoding="utf-8")
        expect(machine.try_run("systemctl reload viewduct")[0] != 0, f"it was reloaded: {text}")
        expect(why in machine.run("journalctl --sync; journalctl -n 30 -u viewduct"), f"the journal does not say {why}")
        expect_equal((machine.show(UNIT, "ActiveState"), main_pid(machine)), ("active", before), "the unit")
        send(machine, b"behind what was refused\n")
        expect_records(machine, [b"behind what was refused"], "next2.log")
    path.write_text(configuration("all.log", '{ "admin": false }'), encoding="utf-8")
    machine.run("systemctl restart viewduct; systemctl reload viewduct")
    until(lambda: "untouched" in machine.run("journalctl --sync; journalctl -n 5 -u viewduct"), "the reload by a signal")
    path.write_text(configuration("all.log"), encoding="utf-8")
    machine.run("systemctl restart viewduct")


def who_waits_in_the_queue_is_served_by_the_next(machine):
    """Connections that the process does not come to accept."""
    for number, command in enumerate(("restart", "kill -s KILL")):
        wanted = [b"queued %d %d" % (number, each) for each in range(50)]
        os.kill(outer_pid(machine), signal.SIGSTOP)
        clients = [machine.connect(PORT) for _ in wanted]
        for client, text in zip(clients, wanted):
            client.sendall(text + b"\n")
            client.shutdown(socket.SHUT_WR)
        machine.run(f"systemctl {command} viewduct")
        for client in clients:
            expect_equal(client.recv(1), b"", "what is said to a client")
            client.close()
        expect_records(machine, wanted)


def a_kill_refuses_nobody(machine):
    """Connections are made one after the other while the process is killed three times; each is served by someone."""
    with Connecting(machine, b"during kills", ConnectionResetError) as clients:  # by the process that was killed
        for _ in range(3):
            before = restarts(machine)
            machine.run("systemctl kill -s KILL viewduct")
            until(lambda: restarts(machine) > before, "the restart")
            clients.expect_more(5)


def stopping_under_load_loses_nothing(machine):
    """What was sent before and while the unit is stopped is written; who connects later starts it again."""
    expect_no_loss(machine, records_of, 100_000, lambda: machine.run("systemctl stop viewduct 2>/dev/null"))
    expect_equal(machine.show(UNIT, "Result"), "success", "the stop")
    send(machine, b"it starts again\n")
    expect_records(machine, [b"it starts again"])


def a_restart_loses_nothing(machine):
    """Each connection is served by the old process or the new one, whole."""
    with Connecting(machine, b"restart") as clients:
        clients.expect_more(10)
        machine.run("systemctl restart viewduct")
        clients.expect_more(10)
    expect_records(machine, clients.sent)


def journal_lines_have_priorities(machine):
    write(machine, CONFIGURATION, """{ "pipelines": { "logs": {
        "from": { "tcp": "systemd:tcp" }, "stages": [ "split" ], "to": { "file": "all.log" } } } }""")
    machine.run("systemctl restart viewduct")
    entries = machine.journal(UNIT)
    expect(all(not entry["MESSAGE"].startswith(("<", "time=")) for entry in entries), "a prefix is left in a message")
    found = {entry["PRIORITY"] for entry in entries if 'msg="viewduct' in entry["MESSAGE"]}
    expect_equal(found, {"6"}, "the priority of the start")
    warned = [entry for entry in entries if "no source listens on the socket" in entry["MESSAGE"]]
    expect_equal([entry["PRIORITY"] for entry in warned], ["4", "4"], f"warnings about two sockets {warned}")


def a_hung_process_is_started_again(machine):
    write(machine, f"{DROP_INS}/watchdog.conf", "[Service]\nWatchdogSec=500ms\n")
    machine.run("systemctl daemon-reload && systemctl restart viewduct")
    send(machine, b"before it hangs\n")
    before = restarts(machine)
    os.kill(outer_pid(machine), signal.SIGSTOP)
    until(lambda: restarts(machine) > before, "the watchdog")
    send(machine, b"after it hung\n")
    expect_records(machine, [b"before it hangs", b"after it hung"])
    expect("Watchdog timeout" in machine.run("journalctl --sync; journalctl -u viewduct"), "it was not the watchdog")
    pathlib.Path(machine.path(f"{DROP_INS}/watchdog.conf")).unlink()


def a_wrong_configuration_stops_it(machine):
    path = pathlib.Path(machine.path(CONFIGURATION))
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("split", "spilt"), encoding="utf-8")
    machine.try_run("systemctl restart viewduct")
    until(lambda: machine.show(UNIT, "ActiveState") == "failed", "the failure")
    expect_equal(machine.show(UNIT, "ExecMainStatus"), "78", "the exit status")
    said = [entry for entry in machine.journal(UNIT) if "is not a stage" in entry["MESSAGE"]]
    expect(said and said[-1]["PRIORITY"] == "3", f"the journal does not say what is wrong: {machine.journal_text()}")
    path.write_text(good, encoding="utf-8")
    machine.run("systemctl reset-failed viewduct; systemctl restart viewduct")


def the_drop_ins_work(machine):
    for command in readme_commands("test-systemd", "drop-in"):
        machine.run(command)
    send(machine, b"without memory to write and run\n")
    expect_records(machine, [b"without memory to write and run"])
    folder = pathlib.Path(machine.path("/srv/archive"))
    folder.mkdir()
    machine.run("chgrp adm /srv/archive && chmod 2770 /srv/archive")
    machine.run(f"cp /usr/local/share/viewduct/systemd/*.conf {DROP_INS}")
    write(machine, CONFIGURATION, """{ "pipelines": { "logs": {
        "from": { "tcp": "systemd:tcp" }, "stages": [ "split", { "filter": { "regex": "^\\\\w+ed" } } ],
        "to": { "file": "/srv/archive/kept.log" } } } }""")
    machine.run("systemctl daemon-reload && systemctl restart viewduct")
    send(machine, b"archived\nnot\n")
    until(lambda: (folder / "kept.log").exists() and (folder / "kept.log").read_bytes() == b"archived\n", "the archive")
    machine.run("systemd-analyze security --no-pager --threshold=10 viewduct.service")


def expect_said(machine, sink, drop_in, *wanted):
    """With this sink and nothing but this drop-in, the journal comes to hold one of the words: that one."""
    for path in pathlib.Path(machine.path(DROP_INS)).iterdir():
        path.unlink()
    write(machine, f"{DROP_INS}/tried.conf", drop_in)
    write(machine, CONFIGURATION, f"""{{ "pipelines": {{ "logs": {{
        "from": {{ "tcp": "systemd:tcp" }}, "stages": [ "split" ], "to": {sink} }} }} }}""")
    machine.run("systemctl daemon-reload")
    machine.try_run("systemctl restart viewduct")
    said = []

    def is_said():
        journal = machine.run("journalctl --sync; journalctl -u viewduct")
        said[:] = [word for word in wanted if word in journal]
        return said

    until(is_said, f"{wanted} in the journal")
    return said[0]


def a_path_that_is_refused_names_the_drop_in(machine):
    expect_said(machine, '{ "file": "/srv/elsewhere/kept.log" }', "", "write-paths.conf")


def an_address_that_is_refused_names_the_drop_in(machine):
    drop_in = (ROOT / "systemd/drop-ins/address-filter.conf").read_text(encoding="utf-8").replace("localhost", "::1")
    if expect_said(machine, '{ "tcp": "127.0.0.1:9" }', drop_in, "address-filter.conf", "refused;") == "refused;":
        raise Skip("the kernel filters no addresses for units of this container")


STEPS = [the_readme_installs_and_starts_it, its_exposure_is_low, io_uring_and_compiled_patterns_work_in_it,
         data_come_through_the_activated_sockets, it_can_be_asked, reload_reopens_the_files, a_reload_keeps_the_passed_sockets,
         a_refused_reload_is_told, who_waits_in_the_queue_is_served_by_the_next, a_kill_refuses_nobody,
         stopping_under_load_loses_nothing, a_restart_loses_nothing, journal_lines_have_priorities,
         a_hung_process_is_started_again, a_wrong_configuration_stops_it, the_drop_ins_work,
         a_path_that_is_refused_names_the_drop_in, an_address_that_is_refused_names_the_drop_in]


def begin():
    expect((ROOT / "build/viewduct").exists(), "do: make")
    return Machine("viewduct")


if __name__ == "__main__":
    sys.exit(run("systemd", STEPS, begin))
