"""Peers that vanish without a word: no FIN, no RST, no acknowledgement. In network namespaces, where there are any."""

import subprocess

import peer
from harness import expect, expect_equal, one, scenario, until
from network import FAR, NEAR, network

RETRY = {"first": "10ms", "most": "50ms"}


def feeding(case, net, to, **service):
    """A daemon on the near side that sends what is written to its standard input."""
    return case.daemon(one("stdin", [{"split": "newline"}], to, **service), wrap=net.near.wrap, stdin=subprocess.PIPE)


def end(*sinks):
    """Connections of the far side are half-open still."""
    sinks[0].abandon()
    for sink in sinks:
        sink.close()


def feed(daemon, data):
    daemon.process.stdin.write(data)
    daemon.process.stdin.flush()


@scenario()
def a_sink_whose_peer_vanished_goes_to_the_next_address(case):
    """What the kernel had taken and nobody acknowledged is lost, as the README says; nothing else is."""
    with network() as net:
        gone = net.far.call(lambda: peer.Sink(host=FAR))
        well = net.near.call(peer.Sink)
        to = {"tcp": {"connect": [f"{FAR}:{gone.port}", f"127.0.0.1:{well.port}"], "timeout": "400ms", "retry": RETRY}}
        daemon = feeding(case, net, to)
        feed(daemon, b"before\n")
        gone.wait_for(lambda: gone.data() == b"before\n", "the first record")
        net.cut()
        feed(daemon, b"taken by the kernel\n")
        until(lambda: daemon.log_has("Connection timed out"), "the sink to notice")
        feed(daemon, b"after\n")
        well.wait_for(lambda: well.data() == b"after\n", "the record behind, at the next address")
        daemon.process.stdin.close()
        result = daemon.finish()
        expect_equal(result.node("to.0")["records_in"], 3, "records")
        expect_equal(gone.data() + well.data(), b"before\nafter\n", "what the peers have")
        end(gone, well)


@scenario()
def a_peer_that_vanishes_under_load_costs_only_what_the_kernel_had(case):
    data = case.make_records("a", 200000, 300)
    with network() as net:
        gone = net.far.call(lambda: peer.Sink(host=FAR))
        well = net.near.call(peer.Sink)
        to = {"tcp": {"connect": [f"{FAR}:{gone.port}", f"127.0.0.1:{well.port}"], "timeout": "400ms", "retry": RETRY}}
        daemon = feeding(case, net, to, memory="8MiB")
        feed(daemon, data[: len(data) // 2])
        gone.wait_for(lambda: len(gone.data()) > 200000, "the first bytes")
        net.cut()
        feed(daemon, data[len(data) // 2 :])
        daemon.process.stdin.close()
        daemon.finish()
        end(gone, well)
    expect(well.data().startswith(b"a:"), f"the second connection begins in mid-record: {well.data()[:40]}")
    expect(data.endswith(well.data()), "what the second peer got is not the rest")
    expect(data.startswith(gone.data()), "what the first peer got is not the beginning")
    lost = len(data) - len(gone.data()) - len(well.data())
    expect(lost < 8 << 20, f"{lost} bytes are lost: more than a socket's buffers hold")


@scenario()
def a_sink_connects_again_when_its_peer_is_back(case):
    with network() as net:
        sink = net.far.call(lambda: peer.Sink(host=FAR))
        # Long enough for a busy machine: what nobody acknowledges within it is lost, and is sent only once.
        to = {"tcp": {"connect": f"{FAR}:{sink.port}", "timeout": "2s", "retry": RETRY}}
        daemon = feeding(case, net, to)
        feed(daemon, b"before\n")
        sink.wait_for(lambda: sink.data() == b"before\n", "the first record")
        net.cut()
        feed(daemon, b"taken by the kernel\n")
        until(lambda: daemon.log_has("Connection timed out"), "the sink to notice")
        feed(daemon, b"after\n")
        # Nobody answers now: an attempt begins at least once, and none is told.
        until(lambda: connecting(net.near), "an attempt to connect")
        sink.abandon()
        net.mend()
        sink.wait_for(lambda: sink.data().endswith(b"after\n"), "the record behind")
        daemon.process.stdin.close()
        result = daemon.finish()
        expect_equal(bytes(sink.connections[-1]), b"after\n", "the last connection")
        expect_equal(len(result.messages("warning")), 1, f"warnings in {result.messages()}")
        sink.close()


def connecting(namespace):
    found = subprocess.run([*namespace.wrap, "cat", "/proc/net/tcp"], capture_output=True, check=True).stdout
    return any(line.split()[3] == b"02" for line in found.splitlines()[1:])  # SYN_SENT


@scenario()
def an_idle_sink_notices_by_keepalive(case):
    with network() as net:
        net.near.sysctl(tcp_keepalive_time=1, tcp_keepalive_intvl=1, tcp_keepalive_probes=1)
        gone = net.far.call(lambda: peer.Sink(host=FAR))
        well = net.near.call(peer.Sink)
        to = {"tcp": {"connect": [f"{FAR}:{gone.port}", f"127.0.0.1:{well.port}"], "timeout": "400ms", "retry": RETRY}}
        daemon = feeding(case, net, to)
        feed(daemon, b"before\n")
        gone.wait_for(lambda: gone.data() == b"before\n", "the first record")
        net.cut()
        well.wait_for(lambda: well.connections, "a connection to the next address, though nothing was to be sent")
        feed(daemon, b"after\n")
        well.wait_for(lambda: well.data() == b"after\n", "the record, of which nothing is lost")
        daemon.process.stdin.close()
        daemon.finish()
        end(gone, well)


@scenario()
def a_client_that_vanished_gives_its_place_back(case):
    with network() as net:
        net.near.sysctl(tcp_keepalive_time=1, tcp_keepalive_intvl=1, tcp_keepalive_probes=1)
        port = 5140
        source = {"tcp": {"listen": f":{port}", "max_connections": 1}}
        daemon = case.daemon(one(source, [{"split": "newline"}], {"file": "out"}), wrap=net.near.wrap)
        vanished = net.far.call(lambda: peer.connect(port, NEAR))
        vanished.sendall(b"whole\nhalf a rec")
        until(lambda: case.size("out") == 6, "the whole record")
        net.cut()
        net.near.call(lambda: peer.send(port, b"other\n") or True)
        result = daemon.drain()
        vanished.close()
    expect_equal(case.read("out"), b"whole\nother\n", "the output")
    expect_equal(result.dropped("split", "cut"), 1, "dropped as cut")
