"""From rounds of figures to a table, the targets and the result files."""

import dataclasses
import json
import statistics
from collections.abc import Callable

OURS = "gateway"
DISTURBED = 0.1

# Key, title, decimals.  The order is the order of the table.
METRICS = [
    ("cpu_us_per_request", "CPU per request (us)", 2),
    ("requests_per_second", "requests/s", 0),
    ("p50_us", "p50 at fixed rate (us)", 0),
    ("p99_us", "p99 at fixed rate (us)", 0),
    ("added_p50_us", "added p50 (us)", 0),
    ("added_p99_us", "added p99 (us)", 0),
    ("sse_cpu_us_per_chunk", "CPU per SSE chunk (us)", 2),
    ("event_p50_us", "p50 of an event's way (us)", 0),
    ("event_p99_us", "p99 of an event's way (us)", 0),
    ("sse_events_per_second", "SSE events/s", 0),
    ("bulk_cpu_us_per_mib", "CPU per bulk MiB (us)", 0),
    ("bulk_mib_per_second", "bulk MiB/s", 0),
    ("resident_start_mib", "resident at start (MiB)", 1),
    ("kib_per_idle", "per idle connection (KiB)", 2),
    ("kib_per_sse", "per open SSE stream (KiB)", 2),
    ("upload_growth_mib", "growth, large upload (MiB)", 1),
    ("download_growth_mib", "growth, large download (MiB)", 1),
]


class Results:
    """Figures by proxy, one dict per round.  A proxy's dicts need not all have the same keys."""

    def __init__(self):
        self.rounds = {}
        self.direct = []
        self.other_work = []  # share of all cores that others used, per round

    def add(self, proxy, figures):
        self.rounds.setdefault(proxy, []).append(figures)

    def values(self, proxy, metric):
        return [figures[metric] for figures in self.rounds.get(proxy, []) if metric in figures]

    def median(self, proxy, metric):
        values = self.values(proxy, metric)
        return statistics.median(values) if values else None

    def minimum(self, proxy, metric):
        return min(self.values(proxy, metric), default=None)

    def ratio(self, metric, other, of=None):
        """Ours divided by the other's; None when either is missing."""
        pick = of or self.median
        ours, theirs = pick(OURS, metric), pick(other, metric)
        return ours / theirs if ours is not None and theirs else None


@dataclasses.dataclass(frozen=True)
class Target:
    title: str
    limit: float
    value: Callable[[Results], float | None]


def _ratio(metric, other):
    return lambda results: results.ratio(metric, other)


def _against_best(metric):
    def value(results):
        others = [results.median(name, metric) for name in ("nginx", "haproxy")]
        ours = results.median(OURS, metric)
        return None if ours is None or None in others else ours / min(others)

    return value


def _own(metric):
    return lambda results: results.median(OURS, metric)


TARGETS = [
    Target("CPU/request, x nginx", 0.65, _ratio("cpu_us_per_request", "nginx")),
    Target("CPU/request, x HAProxy", 0.65, _ratio("cpu_us_per_request", "haproxy")),
    Target("CPU/request, x byte relay", 1.30, _ratio("cpu_us_per_request", "relay")),
    Target("CPU/SSE chunk, x nginx", 0.85, _ratio("sse_cpu_us_per_chunk", "nginx")),
    Target("CPU/SSE chunk, x HAProxy", 0.95, _ratio("sse_cpu_us_per_chunk", "haproxy")),
    Target("p50 of an event's way, x nginx", 1.0, _ratio("event_p50_us", "nginx")),
    Target("CPU/bulk MiB, x nginx", 0.40, _ratio("bulk_cpu_us_per_mib", "nginx")),
    Target("CPU/bulk MiB, x HAProxy", 0.75, _ratio("bulk_cpu_us_per_mib", "haproxy")),
    Target("added p50, x the better of both", 1.0, _against_best("added_p50_us")),
    Target("added p99, x the better of both", 1.0, _against_best("added_p99_us")),
    Target("resident at start, MiB", 10, _own("resident_start_mib")),
    Target("per idle connection, KiB", 2, _own("kib_per_idle")),
    Target("per open SSE stream, KiB", 5, _own("kib_per_sse")),
]


def _number(value, decimals):
    return "-" if value is None else f"{value:.{decimals}f}"


def _align(rows):
    """A Markdown table, padded so that it also reads well in a terminal."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def table(results):
    """Median (minimum) per proxy, then the ratios of the medians (of the minima)."""
    proxies = list(results.rounds)
    others = [name for name in proxies if name != OURS] if OURS in proxies else []
    rows = [["median (min)", *proxies, *(f"{OURS}/{other}" for other in others)]]
    for metric, title, decimals in METRICS:
        row = [title]
        for proxy in proxies:
            median, low = results.median(proxy, metric), results.minimum(proxy, metric)
            row.append("-" if median is None else f"{_number(median, decimals)} ({_number(low, decimals)})")
        for other in others:
            median, low = results.ratio(metric, other), results.ratio(metric, other, results.minimum)
            row.append("-" if median is None else f"{_number(median, 2)} ({_number(low, 2)})")
        rows.append(row)
    return _align(rows)


def judge(results):
    """Rows of the targets and how many were missed.  A figure that was not measured is neither."""
    rows = [["target", "limit", "measured", "verdict"]]
    missed = 0
    for target in TARGETS:
        value = target.value(results)
        verdict = "not measured" if value is None else "pass" if value <= target.limit else "FAIL"
        missed += verdict == "FAIL"
        rows.append([target.title, f"<= {target.limit:g}", _number(value, 2), verdict])
    return _align(rows), missed


def render(results, facts, failures):
    targets, missed = judge(results)
    direct = {key: statistics.median(figures[key] for figures in results.direct) for key in results.direct[0]}
    lines = ["# End-to-end benchmark", ""]
    lines += [f"* {name}: {value}" for name, value in facts.items()]
    busiest = max(results.other_work)
    warning = ": too much to trust absolute figures and latencies" if busiest > DISTURBED else ""
    lines += [
        f"* direct latency: p50 {direct['direct_p50_us']:.0f} us, p99 {direct['direct_p99_us']:.0f} us (medians)",
        f"* other work on the machine: {busiest:.0%} of all cores in the busiest round{warning}",
        "",
    ]
    lines += ["## Figures", "", table(results), "", "## Targets", "", targets, ""]
    if failures:
        lines += ["## Failures: these figures cannot be trusted", "", *(f"* {failure}" for failure in failures), ""]
    return "\n".join(lines), missed


def write(folder, name, text, results, facts, failures):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text)
    data = {
        "facts": facts,
        "direct": results.direct,
        "other_work": results.other_work,
        "rounds": results.rounds,
        "failures": failures,
    }
    (folder / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
