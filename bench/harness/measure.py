"""The measurements, one function per group of figures.  All figures of one proxy in one round make one flat dict."""

import dataclasses
import time

from . import processes
from .proxies import ACCESS_HEADER

GIB = 1 << 30
SETTLE_SECONDS = 1.5


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How much load, for how long."""

    closed_seconds: float = 5
    rate_seconds: float = 5
    sse_seconds: float = 5
    bulk_seconds: float = 3
    warmup_seconds: float = 1
    closed_connections: int = 64
    rate: int = 2000
    streams: int = 1000
    few_streams: int = 200  # whose events are timed
    stream_rate: int = 10
    bulk_connections: int = 4
    held: int = 5000
    transfer_bytes: int = GIB


QUICK = Sizes(
    closed_seconds=1, rate_seconds=1, sse_seconds=1, bulk_seconds=1, warmup_seconds=0.3, held=500,
    transfer_bytes=GIB // 16,
)


class Failures:
    """Collects what went wrong during the measurements: figures of a run with errors must not look clean."""

    def __init__(self):
        self.found = []

    def check(self, where, figures, *names):
        bad = {name: figures[name] for name in names if figures.get(name)}
        if bad:
            self.found.append(f"{where}: {bad}")


def _rest(proxy):
    return {"path": proxy.path("rest", "v1/chat/completions"), "header": [ACCESS_HEADER]}


def direct(tools, port, sizes):
    """Latency without a proxy between."""
    run = tools.load("rate", port, path="/base/v1/chat/completions", rate=sizes.rate, seconds=sizes.rate_seconds,
                     warmup=sizes.warmup_seconds, header=[ACCESS_HEADER])
    return {"direct_p50_us": run["p50_us"], "direct_p99_us": run["p99_us"]}


def _count_lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def closed_loop(tools, proxy, sizes, failures):
    lines_before = _count_lines(proxy.log) if proxy.logs else 0
    run = tools.load("closed", proxy.port, connections=sizes.closed_connections, seconds=sizes.closed_seconds,
                     warmup=sizes.warmup_seconds, watch=_watch(proxy), **_rest(proxy))
    failures.check(f"{proxy.name} closed loop", run, "errors")
    figures = {"cpu_us_per_request": run["cpu_us_per_request"], "requests_per_second": run["rps"]}
    if proxy.logs:
        time.sleep(SETTLE_SECONDS)
        # The warm-up's lines are in the log too, so a complete log has at least one line per measured request.
        lines = _count_lines(proxy.log) - lines_before
        failures.check(f"{proxy.name} access log", {"missing_lines": max(0, run["requests"] - lines)}, "missing_lines")
    return figures


def fixed_rate(tools, proxy, sizes, failures, direct_p50_us):
    run = tools.load("rate", proxy.port, rate=sizes.rate, seconds=sizes.rate_seconds, warmup=sizes.warmup_seconds,
                     **_rest(proxy))
    failures.check(f"{proxy.name} fixed rate", run, "errors", "unsent")
    return {
        "p50_us": run["p50_us"],
        "p99_us": run["p99_us"],
        "added_p50_us": run["p50_us"] - direct_p50_us,
        "added_p99_us": run["p99_us"] - direct_p50_us,
    }


def _watch(proxy):
    return ",".join(str(pid) for pid in proxy.pids())


def streams(tools, proxy, sizes, failures):
    run = tools.load("sse", proxy.port, path=proxy.path("sse", f"sse?rate={sizes.stream_rate}"), watch=_watch(proxy),
                     connections=sizes.streams, seconds=sizes.sse_seconds, warmup=sizes.warmup_seconds,
                     header=[ACCESS_HEADER])
    failures.check(f"{proxy.name} streams", run, "died", "refused", "bad_status")
    expected = sizes.streams * sizes.stream_rate
    if run["events_per_second"] < 0.97 * expected:
        failures.found.append(f"{proxy.name} streams: {run['events_per_second']:.0f} of {expected} events per second")
    few = tools.load("sse", proxy.port, path=proxy.path("sse", f"sse?rate={sizes.stream_rate}"),
                     connections=sizes.few_streams, seconds=sizes.sse_seconds, warmup=sizes.warmup_seconds,
                     header=[ACCESS_HEADER])
    failures.check(f"{proxy.name} few streams", few, "died", "refused", "bad_status")
    figures = {"event_p50_us": few["event_p50_us"], "event_p99_us": few["event_p99_us"]}
    return figures | {"sse_cpu_us_per_chunk": run.get("cpu_us_per_event", 0.0), "sse_events_per_second": run["events_per_second"]}


def bulk(tools, proxy, sizes, failures):
    run = tools.load("bulk", proxy.port, path=proxy.path("rest", "bulk"), connections=sizes.bulk_connections,
                     seconds=sizes.bulk_seconds, warmup=sizes.warmup_seconds, watch=_watch(proxy),
                     header=[ACCESS_HEADER])
    failures.check(f"{proxy.name} bulk", run, "errors")
    return {"bulk_cpu_us_per_mib": run["cpu_us"] / run["mib"], "bulk_mib_per_second": run["mib"] / run["seconds"]}


def _warm(tools, proxy):
    """Fixed buffers exist after this, so that what follows is the price per connection."""
    tools.load("closed", proxy.port, connections=64, requests=2000, **_rest(proxy))
    time.sleep(SETTLE_SECONDS)


def held_memory(tools, proxy, mode, sizes, failures):
    """KiB per held connection: keep-alive at rest (idle) or an open event stream (sse)."""
    with proxy.running():
        _warm(tools, proxy)
        before = processes.resident_kib(proxy.worker_pids())
        options = _rest(proxy)
        if mode == "sse":
            options["path"] = proxy.path("sse", "sse?rate=1")
        with tools.held_load(mode, proxy.port, connections=sizes.held, **options) as ready:
            failures.check(f"{proxy.name} {sizes.held} x {mode}", ready, "died")
            if ready["opened"] != sizes.held:
                failures.found.append(f"{proxy.name}: only {ready['opened']} of {sizes.held} {mode} connections")
            time.sleep(SETTLE_SECONDS)
            held = processes.resident_kib(proxy.worker_pids())
    return {f"kib_per_{mode}": (held - before) / sizes.held, f"resident_mib_{sizes.held}_{mode}": held / 1024}


def transfer_memory(tools, proxy, sizes, failures):
    """Growth of the peak resident size during one large upload and one large download."""
    figures = {}
    download = {"path": proxy.path("rest", f"bulk?bytes={sizes.transfer_bytes}"), "connections": 1, "requests": 1}
    upload = {"path": proxy.path("upload", "v1/files"), "body": sizes.transfer_bytes}
    with proxy.running():
        _warm(tools, proxy)
        for mode, options in (("upload", upload), ("bulk", download)):
            before = processes.resident_kib(proxy.worker_pids())
            processes.reset_peak(proxy.worker_pids())
            run = tools.load(mode, proxy.port, header=[ACCESS_HEADER], **options)
            failures.check(f"{proxy.name} large {mode}", run, "errors")
            grown = processes.peak_resident_kib(proxy.worker_pids()) - before
            figures["upload_growth_mib" if mode == "upload" else "download_growth_mib"] = grown / 1024
    return figures


def speed(tools, proxy, sizes, failures, direct_p50_us):
    """All figures that need processor time, from one fresh start of the proxy."""
    with proxy.running():
        time.sleep(0.5)
        figures = {"resident_start_mib": processes.resident_kib(proxy.pids()) / 1024}
        proxy.check_refusal()
        figures |= closed_loop(tools, proxy, sizes, failures)
        figures |= fixed_rate(tools, proxy, sizes, failures, direct_p50_us)
        figures |= streams(tools, proxy, sizes, failures)
        figures |= bulk(tools, proxy, sizes, failures)
    return figures


def memory(tools, proxy, sizes, failures):
    figures = {}
    for mode in ("idle", "sse"):
        figures |= held_memory(tools, proxy, mode, sizes, failures)
    return figures | transfer_memory(tools, proxy, sizes, failures)


def floor(tools, relay, sizes, failures):
    """What the byte relay costs: processor time per request only."""
    with relay.running():
        return closed_loop(tools, relay, sizes, failures)
