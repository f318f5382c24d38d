"""The chart: a line a row, viewduct on both backends beside one other; right of the line at 1 it is ahead.

The scale is logarithmic, so twice as fast is as far to the right as half as fast is to the left. Of what is better when it is
less, such as latency, the other ÷ viewduct is drawn. The colours can be read on light and on dark.
"""

import math
from xml.sax.saxutils import escape

from figures import BACKENDS, GROWING, figure, name_of, ratio, verdicts

LEFT, WIDTH, RIGHT = 350, 400, 190  # labels, bars, whom it is beside
TOP, STEP, BAR = 64, 30, 9
LEAST, MOST = 0.25, 8.0
COLOURS = {"uring": "#3d85c6", "epoll": "#d9822b"}
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #57606a }
  .small { font-size: 11px }
  .title { font-size: 15px; font-weight: 600 }
  .rule { stroke: #8b949e; stroke-opacity: .3 }
  .one { stroke: #8b949e; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) { text { fill: #a8b1bb } }
"""


def place(value):
    """Where a ratio lies, from the left."""
    inside = min(max(value, LEAST), MOST)
    return LEFT + WIDTH * math.log(inside / LEAST) / math.log(MOST / LEAST)


def text(x, y, content, anchor="start", kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(content)}</text>'


def line(x, top, bottom, kind):
    return f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" class="{kind}"/>'


def headline(row, results, backend):
    """(ratio, metric, other) of the first verdict that is about another participant; or None."""
    for verdict in verdicts(row, results):
        if verdict.backend == backend and verdict.other and verdict.reach.metric != "lost":
            value = ratio(results, verdict.reach.metric, name_of(backend), verdict.other)
            ahead = value if verdict.reach.metric in GROWING else 1 / value if value else MOST
            return ahead, verdict.reach.metric, verdict.other
    return None


def words(row, results, backend):
    """What is said of a row without ratios."""
    if "lost" in row.metrics:
        found = figure(results.get(name_of(backend), ()), "lost")
        return f"{backend}: {found.most:,.0f} lost" if found else ""
    if "connection" in row.metrics:
        found = figure(results.get(name_of(backend), ()), "connection")
        return f"{backend}: {found.median:,.0f} bytes of RSS a connection" if found else ""
    if "scraped" in row.metrics:
        found = figure(results.get(name_of(backend), ()), "scraped")
        return f"{backend}: {found.median:.2f} of the CPU time that it takes unasked" if found else ""
    return ""


def bar(value, y, backend):
    one, end = place(1), place(value)
    shape = (f'<rect x="{min(one, end):.1f}" y="{y:.1f}" width="{abs(end - one):.1f}" height="{BAR}" rx="1.5"'
             f' fill="{COLOURS[backend]}"/>')
    if value >= 1:
        return shape + text(end + 4, y + BAR - 0.5, f"{value:.2f}", "start", "small")
    return shape + text(end - 4, y + BAR - 0.5, f"{value:.2f}", "end", "small")


def draw_row(row, results, y):
    parts = [text(LEFT - 12, y + 14, row.name, "end")]
    beside = ""
    for index, backend in enumerate(BACKENDS):
        at = y + 2 + index * (BAR + 2)
        found = headline(row, results, backend)
        if found:
            value, metric, other = found
            parts.append(bar(value, at, backend))
            others = other.removesuffix(f", {backend}")
            beside = others + {"rate": "", "user": ", user CPU"}.get(metric, f", {metric}")
        elif said := words(row, results, backend):
            parts.append(text(place(1) + 6, at + BAR - 0.5, said, "start", "small"))
    parts.append(text(LEFT + WIDTH + 40, y + 14, beside, "start", "small"))
    return "".join(parts)


def draw(measured):
    width, bottom = LEFT + WIDTH + RIGHT, TOP + STEP * len(measured)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 12}" width="{width}" role="img">',
        "<title>viewduct beside its peers</title>", f"<style>{STYLE}</style>",
        text(12, 22, "viewduct ÷ the one named on the right; to the right of 1, viewduct is ahead", kind="title"),
    ]
    for index, backend in enumerate(BACKENDS):
        x = 12 + index * 80
        parts.append(f'<rect x="{x}" y="36" width="12" height="{BAR}" rx="1.5" fill="{COLOURS[backend]}"/>')
        parts.append(text(x + 17, 45, backend, kind="small"))
    for tick in (0.25, 0.5, 1, 2, 4, 8):
        parts.append(line(place(tick), TOP - 6, bottom, "one" if tick == 1 else "rule"))
        parts.append(text(place(tick), TOP - 12, f"{tick:g}", "middle", "small"))
    for index, (row, results, _) in enumerate(measured):
        parts.append(draw_row(row, results, TOP + STEP * index))
    return "\n".join([*parts, "</svg>", ""])
