"""From samples to figures: medians, ratios, and whether a row reaches what it should."""

import dataclasses
import statistics

BACKENDS = ("uring", "epoll")
FASTEST = "the fastest"

# Of these, more is better; of all others, less.
GROWING = ("rate",)


@dataclasses.dataclass
class Figure:
    median: float
    least: float
    most: float


@dataclasses.dataclass
class Reach:
    """A bound on viewduct ÷ other, or with no other on viewduct's own figure."""

    metric: str
    bound: float
    other: str = None
    backends: tuple = BACKENDS


@dataclasses.dataclass
class Verdict:
    reach: Reach
    backend: str
    other: str
    value: float
    met: bool


def figure(samples, metric):
    """None where it was not measured."""
    values = [value for value in (sample.value(metric) for sample in samples) if value is not None]
    return Figure(statistics.median(values), min(values), max(values)) if values else None


def name_of(backend):
    return f"viewduct {backend}"


def ratio(results, metric, mine, other):
    """Median ÷ median, None where one is missing. Both zero is 1: there is no difference."""
    above, below = (figure(results.get(name, ()), metric) for name in (mine, other))
    if above is None or below is None:
        return None
    if below.median == 0:
        return 1.0 if above.median == 0 else float("inf")
    return above.median / below.median


def fastest(results):
    """The other participant with the highest rate."""
    rates = {name: figure(samples, "rate") for name, samples in results.items() if not name.startswith("viewduct ")}
    rates = {name: rate.median for name, rate in rates.items() if rate}
    return max(rates, key=rates.get) if rates else None


def judge(reach, backend, results):
    """None where a participant is missing."""
    mine = name_of(backend)
    other = fastest(results) if reach.other == FASTEST else reach.other
    if reach.metric == "lost":
        return judge_lost(reach, backend, results)
    if reach.other:
        value = ratio(results, reach.metric, mine, other)
    else:
        own = figure(results.get(mine, ()), reach.metric)
        value = own.median if own else None
    if value is None:
        return None
    met = value >= reach.bound if reach.metric in GROWING else value <= reach.bound
    return Verdict(reach, backend, other, value, met)


def judge_lost(reach, backend, results):
    """Nothing may be lost in any round where the other loses nothing in any."""
    own, other = (figure(results.get(name, ()), "lost") for name in (name_of(backend), reach.other))
    if own is None or other is None:
        return None
    return Verdict(reach, backend, reach.other, own.most, own.most == 0 or other.most > 0)


def verdicts(row, results):
    found = (judge(reach, backend, results) for reach in row.reaches for backend in reach.backends)
    return [verdict for verdict in found if verdict]


def rotated(items, by):
    """The items in another order each round, so that none is always the first."""
    by %= len(items)
    return [*items[by:], *items[:by]]
