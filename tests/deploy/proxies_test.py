#!/usr/bin/env python3
"""The samples of deploy/nginx, deploy/caddy and deploy/traefik: the real proxies in front of the real gateway.

    python3 tests/deploy/proxies_test.py --binary build/release/api-key-rotator [-k pattern] [-v]
"""

import json
import sys
import threading

from cases import ROOT, case, expect, main, wait_for
from certificates import Certificates
from compose_file import load_yaml
from harness import ACCESS_KEY, Gateway
from proxies import NAME, Caddy, Nginx, ProxyClient
from upstream import Upstream, answer, echo

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"


class Chain:
    """client -> proxy -> gateway -> scripted upstream"""

    def __init__(self, bench, kind, reply=echo, early=None, **options):
        self.upstream = Upstream(reply, early)
        bench.at_end(self.upstream.close)
        self.gateway = Gateway(bench.binary, settings={"TRUSTED_PROXIES": "127.0.0.1", "SSE_KEEPALIVE": "0"})
        bench.at_end(self.gateway.remove)
        self.gateway.wait_ready()
        self.service = self.gateway.add_service(self.upstream.port, base="", **options)
        if not hasattr(bench, "certificates"):
            bench.certificates = Certificates(bench.new_directory())
        self.proxy = kind(bench, bench.certificates, self.gateway.port)

    def request(self, method=b"GET", fields=b"", target=b"/x"):
        return (method + b" " + self.service.prefix + target + b" HTTP/1.1\r\nHost: " + NAME.encode() + b"\r\nX-Proxy-Key: "
                + ACCESS_KEY + b"\r\n" + fields + b"\r\n")

    def answered(self, request, **options):
        with ProxyClient(self.proxy, **options) as client:
            client.send(request)
            response = client.response()
        expect(response is not None, lambda: f"no answer: {self.proxy.logs()[-2000:]}")
        return response

    def logged(self):
        """Lines of the gateway's access log, once there is one."""
        wait_for(lambda: self.gateway.stdout().endswith(b"}\n"), "a line of the access log")
        return [json.loads(line) for line in self.gateway.stdout().splitlines()]


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


def through_each_proxy(test):
    """One case per proxy."""
    for kind in (Nginx, Caddy):
        def one(bench, kind=kind):
            test(bench, kind)
        one.__name__ = f"{test.__name__}_through_{kind.__name__}"
        case(one)
    return test


@through_each_proxy
def events_arrive_one_by_one(bench, kind):
    for content_type in (b"text/event-stream", b"application/x-ndjson"):
        seen = threading.Semaphore(0)

        def script(exchange):
            exchange.send(CHUNKED % content_type)
            for number in range(3):
                exchange.send(chunk(b"data: %d\n\n" % number))
                if not seen.acquire(timeout=10):   # not before the client has this one
                    return "rst"
            exchange.send(chunk(b"data: last\n\n") + b"0\r\n\r\n")

        chain = Chain(bench, kind, script)
        with ProxyClient(chain.proxy) as client:
            client.send(chain.request(fields=b"Accept-Encoding: gzip\r\n"))
            for number in range(3):
                client.wait_for(b"data: %d\n\n" % number)
                seen.release()
            response = client.response()
        expect(response and response.complete and response.body.endswith(b"data: last\n\n"), f"cut: {response}")


@through_each_proxy
def an_upload_of_1_MiB_passes_and_is_not_held_back(bench, kind):
    body = bytes(range(256)) * 4096
    chain = Chain(bench, kind, stream_uploads=True)
    with ProxyClient(chain.proxy) as client:
        client.send(chain.request(b"POST", b"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n" % len(body)))
        client.send(body[:len(body) // 2])
        wait_for(lambda: chain.upstream.conns and len(chain.upstream.conns[0].data) > len(body) // 4,
                 "the first half is on its way before the second is sent")
        client.send(body[len(body) // 2:])
        response = client.response()
    expect(response and response.status == 200, f"{response}")
    expect(chain.upstream.requests[0].body == body, "it arrived changed")


@through_each_proxy
def the_client_address_reaches_the_access_log_whatever_the_client_says(bench, kind):
    chain = Chain(bench, kind)
    lies = b"X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.8;proto=http\r\n"
    response = chain.answered(chain.request(fields=lies), address="127.0.0.2")
    expect(response.status == 200, f"{response}")
    client = chain.logged()[0]["client"]
    expect(client == "127.0.0.2", f"client is {client}")


@through_each_proxy
def a_websocket_is_relayed_both_ways(bench, kind):
    switch = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
              b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")

    def script(exchange):
        exchange.send(switch)
        got = b""
        while not got.endswith(b"from-client"):
            part = exchange.conn.recv(10)
            if not part:
                return "rst"
            got += part
        exchange.send(b"from-upstream")
        exchange.conn.recv(10)
        return "fin"

    chain = Chain(bench, kind, script)
    with ProxyClient(chain.proxy) as client:
        client.send(chain.request(fields=b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                         b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
        response = client.response()
        expect(response and response.status == 101, f"{response}")
        client.send(b"from-client")
        client.wait_for(b"from-upstream")


@through_each_proxy
def a_client_that_leaves_ends_the_request_upstream(bench, kind):
    def script(exchange):
        exchange.send(CHUNKED % b"text/event-stream" + chunk(b"data: first\n\n"))
        while exchange.conn.recv():
            pass
        return "fin"

    chain = Chain(bench, kind, script)
    with ProxyClient(chain.proxy) as client:
        client.send(chain.request())
        client.wait_for(b"data: first")
    expect(chain.upstream.wait_closed(10), "the upstream goes on")


@through_each_proxy
def a_provider_gives_no_orders_to_the_proxy(bench, kind):
    orders = b"X-Accel-Redirect: /healthz"
    chain = Chain(bench, kind, lambda exchange: exchange.send(answer(b"as sent", b"200 OK", orders)))
    response = chain.answered(chain.request())
    expect((response.status, response.body) == (200, b"as sent"), f"{response}")


@through_each_proxy
def plain_http_is_refused_without_a_redirect(bench, kind):
    chain = Chain(bench, kind)
    response = chain.answered(chain.request(), plain=True)
    expect(response.status == 403 and response.get(b"location") is None, f"{response}")
    expect(not chain.upstream.requests, "it was passed on")


@through_each_proxy
def no_access_key_gets_into_the_logs_of_the_proxy(bench, kind):
    """Neither of a good request nor of one that found no gateway; the key stands in a field or in the query."""
    chain = Chain(bench, kind)
    query = b"/x?key=" + ACCESS_KEY
    expect(chain.answered(chain.request(target=query)).status == 200, "not served")
    chain.gateway.remove()
    expect(chain.answered(chain.request(target=query)).status == 502, "served by nobody")
    chain.proxy.stop()
    expect(ACCESS_KEY.decode() not in chain.proxy.logs(), lambda: f"it is there: {chain.proxy.logs()}")


@case
def the_files_for_Traefik_hang_together(bench):
    """Traefik is not in Debian: what is named is there, and what matters is set."""
    with open(f"{ROOT}/deploy/traefik/traefik.yml") as first, open(f"{ROOT}/deploy/traefik/api-key-rotator.yml") as second:
        static, dynamic = load_yaml(first.read()), load_yaml(second.read())
    http = dynamic["http"]
    router = http["routers"]["api-key-rotator"]
    balancer = http["services"][router["service"]]["loadBalancer"]
    expect(set(router["entryPoints"]) <= set(static["entryPoints"]) and "tls" in router, f"{router}")
    expect(set(router["middlewares"]) <= set(http["middlewares"]), "a middleware is missing")
    expect(balancer["serversTransport"] in http["serversTransports"], "the transport is missing")
    expect(balancer["responseForwarding"]["flushInterval"].startswith("-"), "answers are held back")
    expect(static["providers"]["file"]["filename"].endswith("/api-key-rotator.yml"), "the second file is not read")
    expect(all("forwardedHeaders" not in entry for entry in static["entryPoints"].values()), "clients are believed")
    fields = http["middlewares"]["api-key-rotator"]["headers"]["customRequestHeaders"]
    expect(fields["Forwarded"] == "" and "accessLog" not in static, "what clients say, or access keys, get through")


if __name__ == "__main__":
    sys.exit(main())
