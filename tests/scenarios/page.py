"""The page for people, as a browser shows it."""

import json
import re
import signal
import time

import peer
from admin import ask, serving
from browser import Browser
from harness import ROOT, expect, expect_equal, free_port, scenario, until

NAME = "relay-to-the-office-in-the-north-and-its-archive"
SHOTS = ROOT / "build" / "page"

# Rectangles of the nodes of a pipeline that lie on each other, by name.
OVERLAPS = """(() => {
    const found = [];
    for (const graph of document.querySelectorAll(".graph")) {
        const boxes = [...graph.querySelectorAll(".node")].map(node => [node.title, node.getBoundingClientRect()]);
        boxes.forEach(([name, a], index) => boxes.slice(index + 1).forEach(([other, b]) => {
            if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
                found.push(`${name} and ${other}`);
        }));
    }
    return found;
})()"""

# What reaches over the right edge of the window.
BEYOND = """[...document.querySelectorAll("body *")].filter(element => element.getBoundingClientRect().right > innerWidth + 0.5)
    .map(element => `${element.tagName} ${element.getAttribute("class")} ${element.textContent.slice(0, 40)}`)"""


# Text that stands out too little from what it stands on (WCAG: 4.5 : 1).
PALE = """(() => {
    const channels = text => text.match(/[0-9.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(value => value / 255)
        .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
        .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
    const ground = element => {
        const colour = channels(getComputedStyle(element).backgroundColor);
        return colour[3] === 0 && element.parentElement ? ground(element.parentElement) : colour;
    };
    const texts = [...document.querySelectorAll("body *:not(script)")].filter(element => element.checkVisibility()
        && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
    return texts.map(element => {
        const style = getComputedStyle(element);
        const [a, b] = [light(channels(element.ownerSVGElement ? style.fill : style.color)), light(ground(element))].sort((x, y) => x - y);
        return [element.textContent, (b + 0.05) / (a + 0.05)];
    }).filter(([, ratio]) => !(ratio >= 4.5));
})()"""

# What the browser refuses when the page asks another server.
REFUSED = """new Promise(done => {
    document.addEventListener("securitypolicyviolation", event => done(event.violatedDirective), { once: true });
    fetch("http://127.0.0.1:1/").catch(error => setTimeout(done, 1000, String(error)));
})"""


def section(pipeline):
    return f'document.getElementById("pipeline-{pipeline}").closest("section")'


def troubled(case):
    """A pipeline that branches, drops and has a dead sink; one whose sink hangs; an idle one. The sink, the client, the port."""
    source, sink = free_port(), peer.Sink("hang")
    main = {"from": [{"generate": {"rate": "20000/s"}, "stages": ["split"]},
                     {"tcp": f"127.0.0.1:{free_port()}", "stages": ["split", {"filter": "x"}]}],
            "stages": [{"filter": {"not": {"contains": "77"}}}],
            "to": [{"file": "out.zst", "stages": [{"compress": "zstd"}]},
                   {"tcp": f"127.0.0.1:{free_port()}", "when_full": "drop", "name": NAME},
                   {"stages": [{"filter": "7"}], "to": ["null", {"file": "sevens"}]}]}
    pipelines = {"main": main,
                 "held": {"from": {"tcp": f"127.0.0.1:{source}"}, "stages": ["split"], "to": {"tcp": f"127.0.0.1:{sink.port}"}},
                 "idle": {"from": {"udp": f"127.0.0.1:{free_port()}"}, "stages": ["split"], "to": "null"}}
    daemon, port = serving(case, {"service": {"memory": "32MiB", "drain": "30s"}, "pipelines": pipelines})
    client = peer.connect(source)
    data = case.make_records("a", 120000)
    expect(peer.send_until_stuck(client, data) < len(data), "a hung sink does not stop the source")
    return daemon, sink, client, port


def open_page(browser, port, width=1280, height=900):
    browser.resize(width, height)
    browser.call("Page.navigate", url=f"http://127.0.0.1:{port}/")
    browser.until('document.querySelector("main")?.getAttribute("aria-busy") === "false"', "an answer")


def check_numbers(browser, port):
    """What is written is what /status says."""
    status = json.loads(ask(port, "/status")[1])
    names = [node["name"] for pipeline in status["pipelines"] for node in pipeline["nodes"]]
    expect_equal(browser.evaluate('[...document.querySelectorAll(".node")].map(node => node.title)'), names, "the nodes")
    edges = sum(len(node["to"]) for pipeline in status["pipelines"] for node in pipeline["nodes"])
    expect_equal(browser.evaluate('document.querySelectorAll(".edge[d][stroke-width]").length'), edges, "how many edges are drawn")
    for pipeline in status["pipelines"]:
        text = browser.evaluate(f'{section(pipeline["name"])}.querySelector(".pool").innerText')
        expect(f'of {pipeline["pool"]["buffers"]}' in browser.evaluate(f'{section(pipeline["name"])}.querySelector(".of").textContent'),
               f"the size of the pool of {pipeline['name']}")
        expect("Buffers of 64 KiB" in text and "free" in text, f"the ring of {pipeline['name']}: {text!r}")
    facts = browser.evaluate('document.getElementById("facts").innerText')
    expect(status["backend"] in facts and "generation" in facts, f"the facts: {facts!r}")


def check_troubles(browser):
    """Rates where bytes flow; red where records are dropped, where somebody waits, where a sink is down."""
    main, held = section("main"), section("held")
    browser.until(f'/^[1-9][0-9.]* [KM]B.s$/.test({main}.querySelector(".label.flows .bytes")?.textContent)', "a rate of bytes")
    browser.until(f'/^[1-9][0-9.]* k?.?s?/.test({main}.querySelector(".label.flows .records:not(:empty)")?.textContent)', "a rate of records")
    browser.until(f'{main}.querySelector(".edge.drops") && /^✕ /.test({main}.querySelector(".label.drops .trouble").textContent)',
                  "an edge where records are dropped")
    browser.until(f'{main}.querySelector(".node.down[title=\\"main.to.{NAME}\\"]")', "a sink that is down")
    text = browser.evaluate('document.querySelector(".node.down").innerText')
    expect(re.search(r"down for [0-9]+ s", text) and re.search(r"✕ [0-9.,]+( [kM])? when_full", text), f"the dead sink: {text!r}")
    browser.until('/[1-9]/.test(document.querySelector("#facts .bad")?.innerText)', "the drops of all pipelines")
    browser.until(f'{held}.querySelector(".edge.stuck") && {held}.querySelector(".node.stuck[title=\\"held.to.0\\"]")', "back-pressure")
    expect("waits for to.0" in browser.evaluate(f'{held}.querySelector(".title").innerText'), "who is waited for is not said")
    expect_equal(browser.evaluate(f'[...{section("idle")}.querySelectorAll(".edge")].every(edge => edge.matches(".idle"))'), True,
                 "that what is idle looks idle")
    browser.until(f'{held}.querySelector(".pool .held-0")', "who holds buffers")
    browser.until(f'[...{main}.querySelectorAll(".plot path")].every(path => /H/.test(path.getAttribute("d")))', "plots")
    expect_equal(browser.evaluate(f'[...{main}.querySelectorAll(".plot")].map(plot => plot.querySelector("figcaption span").innerText)'),
                 ["bytes in", "bytes out", "records dropped"], "the plots")


# What the details that are open say.
RECORDS_IN = """Number([...document.querySelectorAll(".details dt")].find(term => term.textContent === "records in")
    .nextSibling.textContent.replaceAll(",", ""))"""


def check_details(browser, port):
    """By keyboard: a node opens, its counters are those of now, and it closes."""
    def records():
        status = json.loads(ask(port, "/status")[1])
        return next(node["records_in"] for node in status["pipelines"][0]["nodes"] if node["name"] == "main.filter")

    browser.evaluate('document.querySelector(".node[title=\\"main.from.1.filter\\"]").focus()')
    browser.press("Tab")
    expect_equal(browser.evaluate("document.activeElement.title"), "main.filter", "what follows by keyboard")
    browser.press("Enter")
    browser.until('document.activeElement.getAttribute("aria-expanded") === "true"', "an open node")
    before = records()
    browser.until(f"{RECORDS_IN} > {before}", "newer counters")
    shown = browser.evaluate(RECORDS_IN)
    expect(before < shown <= records(), f"{shown} records, between {before} and {records()}")
    expect("literal over the run" in browser.evaluate('document.querySelector(".details").innerText'), "how it is done is not said")
    browser.screenshot(SHOTS / "details.png")
    browser.press("Escape")
    expect_equal(browser.evaluate('[...document.querySelectorAll(".details")].every(details => details.hidden)'), True, "that it closed")


def check_looks(browser):
    """Dark and light, wide and narrow: nothing lies on anything else or reaches over the edge."""
    grounds = {}
    for scheme in ("light", "dark"):
        browser.prefer(scheme)
        browser.until(f'document.documentElement.dataset.theme === "{scheme}"', scheme)
        grounds[scheme] = browser.evaluate("getComputedStyle(document.body).backgroundColor")
        expect_equal(browser.evaluate(PALE), [], f"text that is too pale when it is {scheme}")
        browser.screenshot(SHOTS / f"desktop-{scheme}.png")
    expect(grounds["light"] != grounds["dark"], f"dark is as light: {grounds}")
    browser.evaluate('document.getElementById("theme").click()')
    expect_equal(browser.evaluate("getComputedStyle(document.body).backgroundColor"), grounds["light"], "the ground after a click")
    for width in (1920, 1280, 1024, 768, 360, 480, 390, 320):
        browser.resize(width, 800, phone=width < 500)
        browser.until(f"innerWidth === {width}", "the width")
        browser.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")
        expect_equal(browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), True, f"no scrolling sideways at {width}")
        expect_equal(browser.evaluate(BEYOND), [], f"beyond the right edge at {width}")
        expect_equal(browser.evaluate(OVERLAPS), [], f"nodes that overlap at {width}")
        if width in (768, 360):
            browser.screenshot(SHOTS / f"{width}.png")
    expect_equal(browser.evaluate('document.querySelectorAll(".graph.downward").length'), 3, "pipelines from top to bottom on a phone")


def check_alone(browser, port):
    """Nothing came from elsewhere, and nothing was complained of."""
    own = f"http://127.0.0.1:{port}/"
    expect_equal({url for url in browser.requested() if not url.startswith("data:")}, {own, own + "status"}, "what was requested")
    expect_equal(browser.complaints(), [], "what the browser complains of")
    expect_equal(browser.evaluate(REFUSED), "connect-src", "what keeps the page from asking others")
    expect(len(ask(port, "/")[1].encode()) < 60000, "the page is large")


@scenario()
def the_page_shows_what_flows_and_what_does_not(case):
    with Browser(case) as browser:
        daemon, sink, client, port = troubled(case)
        open_page(browser, port)
        check_numbers(browser, port)
        check_troubles(browser)
        check_details(browser, port)
        check_looks(browser)
        check_alone(browser, port)
    sink.resume()
    client.close()
    daemon.drain(copied=("thin",))
    sink.close()


def named(*names, **service):
    return {"service": service, "pipelines": {name: {"from": {"generate": {"rate": "1000/s"}}, "stages": ["split"], "to": "null"}
                                              for name in names}}


def shows(*names):
    return f"""[...document.querySelectorAll("main h2")].map(heading => heading.textContent).join() === "{','.join(names)}\""""


def says(text):
    return f"document.querySelector('header').innerText.replace(/\\s+/g, ' ').includes({json.dumps(text)})"


ANSWERS = 'performance.getEntriesByName(new URL("status", location).href).length'


@scenario(backends=("uring",))
def the_page_follows_reloads_and_outlives_the_daemon(case):
    admin = {"listen": f"127.0.0.1:{free_port()}", "socket": "admin.sock"}
    port = int(admin["listen"].rpartition(":")[2])
    with Browser(case) as browser:
        daemon = case.daemon(named("a", "b", admin=admin))
        open_page(browser, port, 800, 600)
        browser.until(shows("a", "b"), "both pipelines")
        case.configure(named("b", "c", admin=admin))
        daemon.signal(signal.SIGHUP)
        browser.until(shows("b", "c") + " && " + says("generation 2"), "the pipelines of a new configuration")
        case.write("viewduct.json", b"{}")
        daemon.signal(signal.SIGHUP)
        browser.until('document.querySelector("#facts .bad")?.innerText.includes("refused")', "that a reload was refused")
        expect_equal(browser.complaints(), [], "what the browser complains of")
        daemon.drain()
        browser.until('!document.getElementById("silence").hidden', "that nobody answers")
        said = browser.evaluate('document.getElementById("silence").innerText')
        expect(re.match(r"no answer since \d\d:\d\d:\d\d \(it cannot be reached\)", said), f"what is said: {said!r}")
        browser.screenshot(SHOTS / "silence.png")
        other = case.daemon(named("d", admin=admin))
        browser.until('document.getElementById("silence").hidden', "that it answers again")
        browser.until(shows("d") + " && document.querySelector('.edge.flows')", "the pipelines of another daemon")
        other.drain()


@scenario(backends=("uring",))
def the_page_asks_nothing_while_nobody_looks(case):
    with Browser(case) as browser:
        daemon, port = serving(case, named("a"))
        open_page(browser, port)
        browser.until(f"{ANSWERS} > 3", "some answers")
        elements = browser.evaluate('document.querySelectorAll("*").length')
        browser.until(f"{ANSWERS} > 6", "more answers")
        expect_equal(browser.evaluate('document.querySelectorAll("*").length'), elements, "elements after more answers")
        browser.evaluate("""(() => {
            Object.defineProperty(document, "hidden", { get: () => window.away, configurable: true });
            window.away = true;
            document.dispatchEvent(new Event("visibilitychange"));
        })()""")
        time.sleep(1)  # what was under way may come
        asked = len(browser.requested()) if browser.evaluate("document.hidden") else None
        time.sleep(2.5)  # that nothing comes has no event
        expect_equal(browser.evaluate("document.hidden") and len(browser.requested()), asked, "requests while nobody looks")
        before = browser.evaluate(ANSWERS)
        browser.evaluate('window.away = false; document.dispatchEvent(new Event("visibilitychange"))')
        browser.until(f"{ANSWERS} > {before} && document.querySelector('.edge.flows')", "answers for who has come back")
        daemon.drain()
