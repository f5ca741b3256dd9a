"""HAProxy with one thread, doing the nearest equivalent of the gateway's work.

Its log goes to standard output, which is a file here: one write per line, as nginx does by default, and no second
process that would have to read a socket.
"""

import subprocess

from .proxies import KEY_COUNT, UPSTREAM_KEYS, Proxy, access_keys

# HAProxy reserves two descriptors for each of these at its start; the memory measurement needs 5,000.
MOST_CLIENTS = 6000

CONFIG = """\
global
    nbthread 1
    maxconn {most_clients}
    log stdout len 4096 format raw local0

defaults
    mode http
    log global
    maxconn {most_clients}
    option httplog
    option http-keep-alive
    http-reuse always
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    timeout http-keep-alive 3600s

frontend clients
    bind 127.0.0.1:{port} backlog 4096
    log-format '{{"ts":"%tr","client":"%ci","method":"%HM","path":"%HPO","status":%ST,"bytes_in":%U,"bytes_out":%B,\
"duration":%Ta,"upstream_time":%Tr,"key":"%[var(txn.key)]","user_agent":"%[capture.req.hdr(0),json(utf8s)]"}}'
    http-request deny deny_status 401 unless {{ req.hdr(X-Proxy-Key) -m str -f {key_file} }}
    http-request capture req.hdr(User-Agent) len 64
    http-request set-var(txn.key) rand({key_count})
    http-request del-header X-Proxy-Key
    http-request set-header X-Api-Key {key_prefix}%[var(txn.key)]
    use_backend streams if {{ path_beg /proxy/sse/ }}
    default_backend provider

backend provider
    http-request set-path /base/%[path,field(4,/,0)]
    server one 127.0.0.1:{upstream_port}{tls}

# Without http-no-delay chunks are held back for up to 200 ms.
backend streams
    option http-no-delay
    http-request set-path /base/%[path,field(4,/,0)]
    server one 127.0.0.1:{upstream_port}{tls}
"""

TLS = " ssl verify required ca-file {ca_file} sni str(localhost) verifyhost localhost ssl-min-ver TLSv1.3"


class Haproxy(Proxy):
    name = "haproxy"

    def __init__(self, folder, upstream, key_count=1):
        super().__init__(folder, upstream)
        key_file = self.folder / "access_keys"
        key_file.write_text("\n".join(access_keys(key_count)) + "\n")
        config = CONFIG.format(
            most_clients=MOST_CLIENTS,
            port=self.port,
            upstream_port=upstream.port,
            tls=TLS.format(ca_file=upstream.ca_file) if upstream.ca_file else "",
            key_file=key_file,
            key_count=KEY_COUNT,
            key_prefix=UPSTREAM_KEYS[0][:-1],
        )
        self.config = self.folder / "haproxy.cfg"
        self.config.write_text(config)

    def command(self):
        return ["haproxy", "-db", "-f", self.config]

    def version(self):
        out = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True).stdout
        return "haproxy " + out.split()[2]
