"""A headless Chromium, driven by its debugging protocol over a pair of pipes: JSON messages with a NUL behind each."""

import base64
import fcntl
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import time

from harness import PATIENCE, Failure, Skip, until


def high_pipe():
    """A pipe whose numbers are not those that the browser wants its own to have, 3 and 4."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high


class Browser:
    def __init__(self, case):
        program = shutil.which("chromium")
        if not program:
            raise Skip("there is no chromium here; make deps-page installs it")
        self.folder = case.path("browser")
        os.mkdir(self.folder)
        to_browser, self.order = high_pipe()
        self.reply, from_browser = high_pipe()
        # Without its sandbox it runs as root and where there are no namespaces; it sees nothing but our own page.
        command = [program, "--headless=new", "--no-sandbox", "--remote-debugging-pipe", f"--user-data-dir={self.folder}/profile",
                   "--no-first-run", "--no-default-browser-check", "--disable-gpu", "--disable-dev-shm-usage",
                   "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-breakpad",
                   "--hide-scrollbars", "about:blank"]
        home = {name: self.folder for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        redirect = f'exec "$@" 3<&{to_browser} 4>&{from_browser} {to_browser}<&- {from_browser}>&-'
        with open(f"{self.folder}/log", "wb") as log:
            self.process = subprocess.Popen(["bash", "-c", redirect, "bash", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            pass_fds=(to_browser, from_browser), env=dict(os.environ) | home,
                                            start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.rest, self.events, self.session = 0, b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def receive(self, end):
        """The next message."""
        while b"\0" not in self.rest:
            if not select.select([self.reply], [], [], max(0, end - time.monotonic()))[0]:
                raise Failure("the browser does not answer")
            data = os.read(self.reply, 1 << 20)
            if not data:
                raise Failure("the browser has ended")
            self.rest += data
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.order, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            answer = self.receive(end)
            if answer.get("id") != self.number:
                self.events.append(answer)
                continue
            if "error" in answer:
                raise Failure(f"the browser on {method}: {answer['error']}")
            return answer["result"]

    def evaluate(self, expression):
        """The value of an expression in the page, a promise's when it is kept."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Failure(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, expression, what):
        """Waits for an expression to be true, looked at whenever the page is drawn."""
        end = time.monotonic() + PATIENCE
        while not self.evaluate(f"new Promise(done => setTimeout(() => done(Boolean({expression})), 50))"):
            if time.monotonic() > end:
                raise Failure(f"the page never showed {what}: {self.evaluate('document.body.innerText')!r}")

    def resize(self, width, height, phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1,
                  mobile=phone)

    def prefer(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            code = {"Enter": 13, "Escape": 27, "Tab": 9}[key]
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def screenshot(self, path):
        """The whole page as a PNG."""
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(path).write_bytes(base64.b64decode(picture["data"]))

    def parameters(self, method):
        """What came with each event of a kind so far."""
        return [event["params"] for event in self.events if event.get("method") == method]

    def requested(self):
        return [event["request"]["url"] for event in self.parameters("Network.requestWillBeSent")]

    def complaints(self):
        """Errors and warnings of the page, of whatever kind."""
        return ([event["entry"]["text"] for event in self.parameters("Log.entryAdded")]
                + [str(event["exceptionDetails"]) for event in self.parameters("Runtime.exceptionThrown")]
                + [str(event["args"]) for event in self.parameters("Runtime.consoleAPICalled")])

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if self.process.poll() is None:
            os.write(self.order, json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.order)
        os.close(self.reply)
        if failure[0] is None:  # its last children may still write there
            until(lambda: not os.path.exists(self.folder) or shutil.rmtree(self.folder, ignore_errors=True), "its folder to go")
