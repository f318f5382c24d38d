"""What is told of the measurements: a table a row on the terminal, and results.md."""

import datetime
import os
import pathlib
import platform
import re
import shutil
import subprocess

from figures import BACKENDS, GROWING, figure, name_of, ratio, verdicts

METRICS = {  # how each is called and written
    "rate": ("MB/s", "{:,.0f}"),
    "cpu": ("CPU s/GB", "{:.3f}"),
    "user": ("user CPU s/GB", "{:.3f}"),
    "scraped": ("data path's CPU, scraped ÷ not", "{:.3f}"),
    "path": ("data path's CPU s/GB, not scraped", "{:.3f}"),
    "scrapes": ("scrapes/s", "{:,.0f}"),
    "rss": ("peak RSS MB", "{:.1f}"),
    "size": ("bytes out", "{:,.0f}"),
    "lost": ("lost", "{:,.0f}"),
    "late": ("sender late by ms", "{:.1f}"),
    "p50": ("p50 µs", "{:,.1f}"),
    "p99": ("p99 µs", "{:,.1f}"),
    "connection": ("RSS bytes a connection", "{:,.0f}"),
    "wakes": ("wake-ups a second", "{:,.1f}"),
}
RATIOS = {"rate": "throughput", "cpu": "CPU", "user": "user CPU", "size": "size", "p50": "p50", "p99": "p99"}


def written(found, metric):
    """The median, with the least and the most where they differ from it."""
    if found is None:
        return "–"
    form = METRICS[metric][1]
    median, least, most = (form.format(value) for value in (found.median, found.least, found.most))
    return median if least == most else f"{median} ({least}–{most})"


def ratio_text(value):
    return "–" if value is None else f"{value:.2f}"


def verdict_text(verdict):
    sign = "≥" if verdict.reach.metric in GROWING else "≤"
    what = RATIOS.get(verdict.reach.metric, METRICS[verdict.reach.metric][0])
    if verdict.reach.metric == "lost":
        what, sign = "lost", "="
    value = ratio_text(verdict.value) if verdict.reach.metric in RATIOS else METRICS[verdict.reach.metric][1].format(verdict.value)
    if verdict.reach.metric in RATIOS and not verdict.met and float(value) == verdict.reach.bound:
        value = f"{verdict.value:.4f}"  # so close that it looks as if it were met
    of = f" of {verdict.other}" if verdict.other else ""
    if verdict.reach.metric == "lost":
        of = f" where {verdict.other} loses 0"
    return f"{what} {value} ({sign} {verdict.reach.bound:g}{of}): {'met' if verdict.met else '**short**'}"


def table(head, lines, rule="---:"):
    rules = ["---", *[rule] * (len(head) - 1)]
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in (head, *lines)]
    return ["| " + " | ".join(line) + " |" for line in (escaped[0], rules, *escaped[1:])]


def row_table(row, results, troubles):
    """All that was measured in a row, viewduct first."""
    ratios = [metric for metric in row.metrics if metric in RATIOS][:2]
    head = ["", *(METRICS[metric][0] for metric in row.metrics),
            *(f"{backend} ÷ it: {RATIOS[metric]}" for backend in BACKENDS for metric in ratios)]
    lines = []
    for name in row.participants:
        if name in troubles:
            lines.append([name, troubles[name], *[""] * (len(head) - 2)])
            continue
        figures = [written(figure(results[name], metric), metric) for metric in row.metrics]
        beside = ["" if name == name_of(backend) else ratio_text(ratio(results, metric, name_of(backend), name))
                  for backend in BACKENDS for metric in ratios]
        lines.append([name, *figures, *beside])
    return table(head, lines)


def verdict_lines(row, results, note):
    lines = [f"- {verdict.backend}: {verdict_text(verdict)}" for verdict in verdicts(row, results)]
    return lines + ([f"- Why: {note}"] if note else [])


def row_text(row, results, troubles, note):
    return "\n".join([f"### {row.name}", "", *row_table(row, results, troubles), "",
                      *verdict_lines(row, results, note), ""])


def summary_table(measured, notes):
    """A line a row: the first ratio of it, and what is short."""
    lines = []
    for row, results, _ in measured:
        found = verdicts(row, results)
        cells = []
        for backend in BACKENDS:
            mine = [verdict for verdict in found if verdict.backend == backend]
            cells.append("<br>".join(verdict_text(verdict) for verdict in mine) or "–")
        lines.append([row.name, *cells, notes.get(row.name, "")])
    return table(["row", *BACKENDS, "why it is short, and what was tried"], lines, "---")


def counted(measured):
    found = [verdict for row, results, _ in measured for verdict in verdicts(row, results)]
    return sum(verdict.met for verdict in found), len(found)


# --- the machine ------------------------------------------------------------------------------------------------------

VERSIONS = {
    "cp, cat": ["cp", "--version"], "grep": ["grep", "--version"], "ripgrep": ["rg", "--version"],
    "zstd": ["zstd", "--version"], "igzip": ["dpkg-query", "-Wf", "${Version}", "isal"], "pigz": ["pigz", "--version"],
    "gzip": ["gzip", "--version"], "lz4": ["lz4", "--version"], "socat": ["socat", "-V"],
    "haproxy": ["haproxy", "-v"], "rsyslog": ["rsyslogd", "-v"],
}


def version(command):
    """The first number with a point in what it says of itself."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    program = shutil.which(command[0], path=path)
    if not program:
        return "missing"
    ran = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False, timeout=10)
    found = re.search(r"\d+\.[\w.]*\w", ran.stdout + ran.stderr)
    return found.group() if found else "?"


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def machine(bench):
    binary = subprocess.run([bench.options.binary, "version"], capture_output=True, text=True, check=False, timeout=10)
    own = binary.stdout.splitlines()[0] if binary.stdout else "viewduct"
    memory = int(re.search(r"\d+", pathlib.Path("/proc/meminfo").read_text()).group()) / 1e6
    versions = ", ".join(f"{name} {version(command)}" for name, command in VERSIONS.items())
    return [
        f"- Machine: {processor()}, {os.cpu_count()} cores, {memory:.0f} GB; Linux {platform.release()};"
        f" files on {file_system(bench.folder)}",
        f"- Date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
        f"- {own} beside {versions}",
        f"- Input: {bench.megabytes} MB of log lines or JSON lines, seed 1; {bench.options.rounds} rounds, the order"
        " of the participants another one in each; medians (least–most)",
    ]


def file_system(folder):
    ran = subprocess.run(["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True, check=False, timeout=10)
    return ran.stdout.strip().replace("ext2/ext3", "ext4")


SPEED_BEGINS, SPEED_ENDS = "<!-- speed: made by `make bench` -->", "<!-- speed ends -->"
CHART_TITLE = "viewduct beside its peers: ratios"


def with_speed(readme, bench, measured):
    """The project's README with the chart and what it was measured on, where it has a place for them."""
    before, begins, rest = readme.partition(SPEED_BEGINS)
    _, ends, after = rest.partition(SPEED_ENDS)
    if not begins or not ends:
        return readme
    met, of = counted(measured)
    lines = ["", f"![{CHART_TITLE}](tests/bench/results.svg)", "",
             f"{met} of {of} bounds are met; where one is not, the results say why as far as that is known.", "", *machine(bench), ""]
    return before + begins + "\n".join(lines) + ends + after


def markdown(bench, measured, notes, alone):
    met, of = counted(measured)
    head = [
        "# viewduct beside its peers", "",
        "Made by `make bench`; how it measures is told in `tests/bench/README.md`.", "",
        *machine(bench),
        f"- The load generator and the receiver alone, with nothing between them: {alone:,.0f} MB/s", "",
        f"![{CHART_TITLE}](results.svg)", "",
        f"## Reach: {met} of {of} met", "",
        *summary_table(measured, notes), "",
        "## Measured", "",
    ]
    return "\n".join(head) + "\n" + "\n".join(row_text(row, results, troubles, notes.get(row.name))
                                            for row, results, troubles in measured)
