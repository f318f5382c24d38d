"""The other end of a connection: a sink or a source with a mode of behaviour."""

import random
import select
import socket
import struct
import threading
import time

PATIENCE = 60


def reset(connection):
    """Closes so that the peer gets an RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def connect(port, host="127.0.0.1"):
    """Connects, as soon as somebody listens."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection((host, port), timeout=PATIENCE)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.005)


def wait_for_end(connection):
    """Reads until the peer has closed: everything that was sent has been taken."""
    connection.settimeout(PATIENCE)
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass


def send(port, data, chunk=None, seed=1):
    """A client that sends everything and ends. `chunk`: bytes a write, "random", or all at once."""
    send_over(connect(port), data, chunk, seed)


def send_over(connection, data, chunk=None, seed=1):
    """The same, of one that is connected."""
    random_size = random.Random(seed)
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        at = 0
        while at < len(data):
            size = random_size.randint(1, 2000) if chunk == "random" else chunk or len(data)
            connection.sendall(data[at : at + size])
            at += size
        connection.shutdown(socket.SHUT_WR)
        wait_for_end(connection)


def send_until_stuck(connection, data, quiet=0.5):
    """Sends as long as the other end takes something within `quiet` seconds; returns how many bytes it took."""
    connection.setblocking(False)
    at = 0
    while at < len(data) and select.select([], [connection], [], quiet)[1]:
        try:
            at += connection.send(data[at : at + 262144])
        except BlockingIOError:
            continue
    return at


class Sink:
    """Accepts connections and reads them, in a thread.

    ok     everything          slow   `rate` bytes a second       hang   nothing, until resume()
    rst    resets each of the first `times` connections after `after` bytes, then ok
    close  the same with close    tiny   a receive buffer as small as the kernel allows
    """

    def __init__(self, mode="ok", port=0, rate=0, after=0, times=0, host="127.0.0.1"):
        self.mode, self.rate, self.after, self.times = mode, rate, after, times
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if mode != "ok":
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.listener.bind((host, port))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.connections = []  # the bytes of each
        self.connection = None  # the last one
        self.resumed = threading.Event()
        self.closed = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.changed:
                self.connections.append(bytearray())
                self.connection = connection
                self.changed.notify_all()
            with connection:
                try:
                    self.read(connection, self.connections[-1])
                except OSError:
                    continue

    def read(self, connection, received):
        faulty = self.mode in ("rst", "close") and len(self.connections) <= self.times
        if self.mode == "hang":
            self.resumed.wait()
        while True:
            room = self.after - len(received) if faulty else 262144
            if faulty and room <= 0:
                if self.mode == "rst":
                    reset(connection)
                return
            if self.mode == "slow" and not self.resumed.is_set():
                room = max(1, self.rate // 20)
                self.resumed.wait(0.05)
            data = connection.recv(min(room, 262144))
            if not data:
                return
            with self.changed:
                received += data
                self.changed.notify_all()

    def resume(self):
        """Hung and slow ones read on, as fast as they can."""
        self.resumed.set()

    def data(self):
        """What all connections got, one behind the other."""
        return b"".join(bytes(received) for received in self.connections)

    def wait_for(self, condition, what):
        with self.changed:
            if not self.changed.wait_for(condition, PATIENCE):
                raise TimeoutError(f"the peer waited in vain for {what}; it has {len(self.data())} bytes")

    def abandon(self):
        """Reads no more of the last connection, of which nobody will ever say that it has ended."""
        self.connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.resumed.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(PATIENCE)
