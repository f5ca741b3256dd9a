"""What people whom the gateway does not know may make it hold.  Each case has a gateway of its own, so that the memory
is this case's alone."""

import time

import strangers
from harness import Failure, Gateway
from upstream import Upstream, echo

MIB = 1024   # in KiB


def bounded(act, most_mib, most_file_bytes=0):
    """`act` raises the resident size by no more than `most_mib` and leaves the gateway alive."""
    def run(gateway):
        own = Gateway(gateway.binary)
        upstream = Upstream(echo)
        try:
            own.wait_ready()
            before = own.rss_kib()
            with strangers.MemoryWatch(own) as watch:
                told = act(own, upstream)
                watch.look()
            grown = (watch.peak_kib - before) / MIB
            if grown > most_mib:
                raise Failure(f"{grown:.0f} MiB more, at most {most_mib} expected; {told}")
            if watch.file_bytes > most_file_bytes:
                raise Failure(f"{watch.file_bytes} bytes in temporary files; {told}")
            status, _ = own.admin("GET", "/admin/proxy-configs")
            if status != 200:
                raise Failure(f"the admin API answers {status} afterwards")
        finally:
            upstream.close()
            own.stop()
            own.remove()
    return run


def expect_only(statuses, allowed):
    unexpected = set(statuses) - set(allowed)
    if unexpected:
        raise Failure(f"answers {statuses}, expected only {sorted(allowed)}")
    return statuses


def logins(own, _):
    return expect_only(strangers.logins(own.port, 300, 1 << 20), {"413", "429", "reset"})


def body_keys(own, upstream):
    service = own.add_service(upstream.port, llm=True, accept_body_key=True)
    return expect_only(strangers.body_keys(own.port, service, 20, 6 << 20), {"413", "401", "reset"})


def heads(own, _):
    statuses = strangers.unfinished_heads(own.port, 600, 60_000)
    if not statuses.get("503"):
        raise Failure(f"600 heads of 60 kB, and nobody was told that there is no room: {statuses}")
    return statuses


def batch(own, upstream):
    service = own.add_service(upstream.port, keys=0)
    count = 1 << 20
    status, size, report, _ = strangers.batch(own, service, '{"keys":[' + "0," * (count - 1) + "0]}")
    if status != 200 or report["failed_count"] != count or report.get("failed_truncated") is not True:
        raise Failure(f"{status}: {({name: report[name] for name in report if 'failed' not in name})}")
    if size > 200_000 or len(report["failed"]) != 1000:
        raise Failure(f"an answer of {size} bytes, {len(report['failed'])} failures listed")
    return report["failed_count"]


KEPT_MIB = 16 + 12  # less is not worth a look by memory_return, and what else was used for the first time


def returned(gateway):
    """What a peak took goes back to the system: 200 bodies of an administrator, which are never completed."""
    own = Gateway(gateway.binary)
    try:
        own.wait_ready()
        before = own.rss_kib()
        with strangers.MemoryWatch(own) as watch:
            strangers.known_bodies(own, 200, 1_000_000)
            watch.look()
        deadline = time.monotonic() + 15
        while (grown := (own.rss_kib() - before) / MIB) > KEPT_MIB and time.monotonic() < deadline:
            time.sleep(0.25)
        if grown > KEPT_MIB:
            raise Failure(f"{grown:.0f} MiB are kept of {(watch.peak_kib - before) / MIB:.0f}")
    finally:
        own.stop()
        own.remove()


def cases():
    return [
        ("strangers/logins", bounded(logins, 40)),
        ("strangers/body-keys", bounded(body_keys, 40)),
        ("strangers/heads", bounded(heads, 60)),
        ("strangers/batch-of-zeros", bounded(batch, 40)),
        ("strangers/memory-is-returned", returned),
    ]
