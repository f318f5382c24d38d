"""Datagrams and unix sockets, in and out: one record each, whoever is at the other end."""

import os
import shutil
import socket
import stat
import subprocess
import threading
import time

import peer
from harness import Skip, expect, expect_equal, free_port, one, scenario, until


def need(program):
    if not shutil.which(program):
        raise Skip(f"{program} is not installed")


def receiver(folder=None, size=1 << 20):
    """A socket that datagrams are sent to: UDP, or at the path `folder`."""
    sink = socket.socket(socket.AF_UNIX if folder else socket.AF_INET, socket.SOCK_DGRAM)
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    sink.bind(folder or ("127.0.0.1", 0))
    sink.settimeout(peer.PATIENCE)
    return sink


@scenario(("uring", "epoll", "refused"))
def each_datagram_is_a_record(case):
    port = free_port()
    daemon = case.daemon(one({"udp": f"127.0.0.1:{port}"}, [{"split": "newline"}], {"file": "out"}))
    large = b"x" * 65507
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for data in (b"one", b"", b"two\nthree\n", large, b"\n", b"four"):
            client.sendto(data, ("127.0.0.1", port))
    wanted = b"one\ntwo\nthree\n" + large + b"\n\nfour\n"
    until(lambda: case.size("out") == len(wanted), "the records")
    result = daemon.drain(warnings=0)
    expect_equal(case.read("out"), wanted, "the output")
    expect_equal(result.node("from.0").get("empty"), 1, "empty datagrams")


@scenario()
def what_the_kernel_drops_is_counted_exactly(case):
    port = free_port()
    source = {"udp": {"listen": f"127.0.0.1:{port}", "receive_buffer": "8KiB"}}
    daemon = case.daemon(one(source, [{"split": "newline"}], {"file": "out"}))
    sent = 5000
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for number in range(sent):
            client.sendto(b"%06d " % number + b"x" * 500, ("127.0.0.1", port))
    result = daemon.drain()
    got = case.read("out").count(b"\n")
    lost = result.node("from.0").get("kernel_dropped", 0)
    expect(lost > 0, "nothing was dropped: this tested nothing")
    expect_equal(got + lost, sent, "received and dropped by the kernel")


@scenario()
def datagrams_into_bytes_are_legal_and_warned_of(case):
    port = free_port()
    configuration = one({"udp": f"127.0.0.1:{port}"}, [], {"file": "out"})
    checked = case.command("check", case.configure(configuration, "check.json"))
    expect_equal(checked.returncode, 0, "the status of check")
    expect_equal(checked.stderr.count(b"datagrams"), 1, f"warnings: {checked.stderr}")
    daemon = case.daemon(configuration)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"one", ("127.0.0.1", port))
        client.sendto(b"two", ("127.0.0.1", port))
    until(lambda: case.size("out") == 6, "the bytes")
    daemon.drain()
    expect_equal(case.read("out"), b"onetwo", "the output")


@scenario()
def others_than_allowed_are_refused_and_counted(case):
    ports = free_port(), free_port()
    source = [{"udp": {"listen": f"127.0.0.1:{ports[0]}", "allow": "10.0.0.0/8"}, "stages": [{"split": "newline"}]},
              {"tcp": {"listen": f":{ports[1]}", "allow": ["10.0.0.0/8", "::1"]}, "stages": [{"split": "newline"}]}]
    daemon = case.daemon(one(source, [], {"file": "out"}))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"no", ("127.0.0.1", ports[0]))
    with peer.connect(ports[1]) as client:
        peer.wait_for_end(client)
    with socket.create_connection(("::1", ports[1]), timeout=peer.PATIENCE) as client:
        client.sendall(b"yes\n")
    until(lambda: case.size("out") == 4, "what is allowed")
    until(lambda: daemon.log_has("a datagram from 127.0.0.1 was refused"), "the refused datagram")
    result = daemon.drain()
    expect_equal(case.read("out"), b"yes\n", "the output")
    expect_equal([result.node(f"from.{i}").get("refused") for i in (0, 1)], [1, 1], "refused")


@scenario()
def records_leave_as_datagrams_without_their_delimiter(case):
    with receiver(size=8 << 20) as udp, receiver(case.path("sink")) as unix:
        data = b"one\n\ntwo\r\n" + b"x" * 100000 + b"\n" + b"y" * 20000 + b"\nlast"
        source = {"file": {"path": case.write("in", data), "follow": False}}
        to = [{"udp": "127.0.0.1:%d" % udp.getsockname()[1]},
              {"unix": {"connect": case.path("sink"), "type": "datagram"}}]
        result = case.run(one(source, [{"split": {"on": "newline", "crlf": True}}], to, buffer="1KiB"))
        short = [b"one", b"", b"two", b"y" * 20000, b"last"]
        expect_equal([udp.recv(1 << 18) for _ in short], short, "over UDP")
        expect_equal([unix.recv(1 << 18) for _ in range(6)], short[:3] + [b"x" * 100000] + short[3:], "over unix")
    expect_equal(result.dropped("to.0", "too_big_for_datagram"), 1, "too big for UDP")
    expect_equal(result.node("to.1")["records_out"], 6, "over unix")


@scenario()
def a_relay_of_datagrams_loses_nothing(case):
    """unix datagrams are never lost: the sender waits for the receiver."""
    data = case.make_records("a", 20000, 500)
    last = case.daemon(one({"unix": {"listen": case.path("between"), "type": "datagram"}}, [{"split": "newline"}],
                           {"file": "out"}))
    source = {"file": {"path": case.write("in", data), "follow": False}}
    case.run(one(source, [{"split": "newline"}], {"unix": {"connect": case.path("between"), "type": "datagram"}}))
    until(lambda: case.size("out") == len(data), "everything")
    last.drain()
    case.verify(case.read("out"), a=20000)


@scenario()
def a_datagram_sink_that_is_down_gets_the_rest_later(case):
    path = case.path("sink")
    retry = {"first": "10ms", "most": "50ms"}
    source = {"file": {"path": case.write("in", b"one\ntwo\n"), "follow": False}}
    to = {"unix": {"connect": [case.path("nobody"), path], "type": "datagram", "retry": retry}}
    daemon = case.daemon(one(source, [{"split": "newline"}], to))
    until(lambda: daemon.log_has("cannot connect"), "a word about the sink")
    with receiver(path) as sink:
        expect_equal([sink.recv(100), sink.recv(100)], [b"one", b"two"], "the records")
        daemon.finish()


@scenario()
def a_refused_udp_datagram_is_sent_again(case):
    port = free_port()
    retry = {"first": "10ms", "most": "50ms"}
    listening = free_port()
    to = {"udp": {"connect": f"127.0.0.1:{port}", "retry": retry}}
    daemon = case.daemon(one({"tcp": f"127.0.0.1:{listening}"}, [{"split": "newline"}], to))
    with peer.connect(listening) as client:
        client.sendall(b"lost, for UDP promises nothing\n")
        until(lambda: daemon.log_has("connected to"), "the first datagram's socket")
        end = time.monotonic() + peer.PATIENCE
        while not daemon.log_has("lost the connection") and time.monotonic() < end:
            client.sendall(b"again\n")
            time.sleep(0.02)
        expect(daemon.log_has("Connection refused"), "the refusal is not told")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.bind(("127.0.0.1", port))
            sink.settimeout(peer.PATIENCE)
            client.sendall(b"fresh\n")
            while sink.recv(100) != b"fresh":
                continue
    daemon.drain()


@scenario()
def a_unix_socket_is_made_replaced_and_removed(case):
    path = case.path("in")
    configuration = one({"unix": {"listen": path, "mode": "0622"}}, [{"split": "newline"}], {"file": "out"})
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    daemon = case.daemon(configuration)
    expect_equal(stat.S_IMODE(os.stat(path).st_mode), 0o622, "the mode")
    second = case.daemon(configuration, wait=False)
    second.finish(status=74)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(b"one\nlast")
        client.shutdown(socket.SHUT_WR)
        peer.wait_for_end(client)
    until(lambda: case.size("out") == 9, "the records")
    daemon.drain()
    expect(not os.path.exists(path), "the socket is still there")
    expect_equal(case.read("out"), b"one\nlast\n", "the output")


@scenario()
def a_relay_over_a_unix_stream_loses_nothing(case):
    path = case.path("between")
    data = case.make_records("a", 50000, 300)
    last = case.daemon(one({"unix": path}, [{"split": "newline"}], {"file": "out"}))
    source = {"file": {"path": case.write("in", data), "follow": False}}
    case.run(one(source, [{"split": "newline"}], {"unix": path}))
    until(lambda: case.size("out") == len(data), "everything")
    last.drain()
    expect_equal(case.read("out"), data, "the output")


@scenario()
def logger_is_understood(case):
    need("logger")
    tcp, udp, path = free_port(), free_port(), case.path("log")
    source = [{"tcp": f"127.0.0.1:{tcp}"}, {"udp": f"127.0.0.1:{udp}"},
              {"unix": {"listen": path, "type": "datagram"}}]
    for node in source:
        node["stages"] = [{"split": {"on": "newline"}}]
    daemon = case.daemon(one(source, [], {"file": "out"}))
    ways = {"tcp": ["--tcp", "--server", "127.0.0.1", "--port", str(tcp), "--rfc3164"],
            "udp": ["--udp", "--server", "127.0.0.1", "--port", str(udp), "--rfc3164"],
            "unix": ["--socket", path]}
    for name, options in ways.items():
        for number in range(5):
            subprocess.run(["logger", *options, "--tag", "test", f"by {name} {number} end"], check=True, timeout=peer.PATIENCE)
    until(lambda: case.size("out") > 0 and case.read("out").count(b" end") == 15, "the records")
    daemon.drain()
    records = case.read("out").split(b"\n")
    for name in ways:
        for number in range(5):
            text = f"by {name} {number} end".encode()
            expect_equal(sum(record.endswith(text) for record in records), 1, f"records {text}")


@scenario()
def socat_gets_and_gives_the_same(case):
    need("socat")
    port, path = free_port(), case.path("socket")
    data = case.make_records("a", 2000, 200)
    received = case.path("received")
    sink = subprocess.Popen(["socat", "-u", f"UNIX-LISTEN:{path}", f"CREATE:{received}"])
    daemon = case.daemon(one({"tcp": f"127.0.0.1:{port}"}, [{"split": "newline"}], {"unix": path}))
    subprocess.run(["socat", "-u", "STDIN", f"TCP:127.0.0.1:{port}"], input=data, check=True, timeout=peer.PATIENCE)
    until(lambda: case.size("received") == len(data), "everything")
    daemon.drain()
    expect_equal(sink.wait(peer.PATIENCE), 0, "socat's status")
    expect_equal(case.read("received"), data, "the output")


@scenario()
def silent_connections_are_closed_and_busy_ones_are_not(case):
    port = free_port()
    source = {"tcp": {"listen": f"127.0.0.1:{port}", "idle_timeout": "300ms"}}
    daemon = case.daemon(one(source, [{"split": "newline"}], {"file": "out"}))
    with peer.connect(port) as quiet, peer.connect(port) as busy:
        quiet.sendall(b"half")
        closed = threading.Event()
        waiter = threading.Thread(target=lambda: (peer.wait_for_end(quiet), closed.set()))
        waiter.start()
        sent = 0
        while not closed.wait(0.02):
            busy.sendall(b"busy\n")
            sent += 1
        waiter.join()
        busy.sendall(b"still there\n")
        until(lambda: case.size("out") == 5 * sent + 12 + 5, "the records")
    daemon.drain()
    expect(b"half\n" in case.read("out"), "what the silent one had said is lost")


@scenario()
def the_next_of_a_list_is_tried(case):
    data = case.make_records("a", 1000)
    late = peer.Sink()
    source = {"file": {"path": case.write("in", data), "follow": False}}
    to = {"tcp": {"connect": [f"127.0.0.1:{free_port()}", f"localhost:{late.port}"]}}
    case.run(one(source, [{"split": "newline"}], to), warnings=0)
    late.close()
    expect(late.data() == data, "the peer has other bytes")


@scenario()
def a_hung_peer_is_left_at_a_records_border(case):
    data = case.make_records("a", 200000, 300)
    hung, well = peer.Sink("hang"), peer.Sink()
    source = {"file": {"path": case.write("in", data), "follow": False}}
    to = {"tcp": {"connect": [f"127.0.0.1:{hung.port}", f"127.0.0.1:{well.port}"], "timeout": "500ms",
                  "retry": {"first": "10ms", "most": "50ms"}}}
    daemon = case.daemon(one(source, [{"split": "newline"}], to, memory="8MiB"))
    well.wait_for(lambda: len(well.data()) > 0, "the second peer's turn")
    daemon.finish()
    well.close()
    hung.close()
    expect(well.data().startswith(b"a:"), f"the second connection begins in mid-record: {well.data()[:40]}")
    case.verify(well.data(), lost_is_fine=True, a=200000)
    expect(data.endswith(well.data()), "what the second peer got is not the rest")
