"""nginx with one worker, doing the nearest equivalent of the gateway's work."""

import os
import subprocess

from .proxies import KEY_COUNT, UPSTREAM_KEYS, Proxy, access_keys

# Keys are spread by a hash of connection and request number: nginx has no counter variable.  `buffer` is empty for a
# write per line (nginx's default) or " buffer=64k flush=1s".
CONFIG = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
{user}
events {{
    worker_connections 16000;
}}
http {{
    log_format json escape=json '{{"ts":"$time_iso8601","client":"$remote_addr","method":"$request_method",'
        '"path":"$uri","status":$status,"bytes_in":$request_length,"bytes_out":$body_bytes_sent,'
        '"duration":$request_time,"upstream_time":"$upstream_response_time","upstream_status":"$upstream_status",'
        '"key":"$upstream_key","user_agent":"$http_user_agent"}}';
    access_log {folder}/access.log json{buffer};
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    client_max_body_size 0;

    map_hash_max_size 65536;
    map_hash_bucket_size 128;
    map $http_x_proxy_key $access_ok {{
        default 0;
{access_keys}
    }}
    split_clients "$connection $connection_requests" $upstream_key {{
{keys}
    }}
    upstream provider {{
        server 127.0.0.1:{upstream_port};
        keepalive 1024;
        keepalive_requests 1000000000;
        keepalive_timeout 3600s;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        if ($access_ok = 0) {{
            return 401;
        }}
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header X-Proxy-Key "";
        proxy_set_header X-Api-Key $upstream_key;
        proxy_read_timeout 300s;
        proxy_max_temp_file_size 0;

{tls}
        location /proxy/rest/ {{
            proxy_pass {scheme}://provider/base/;
        }}
        location /proxy/sse/ {{
            proxy_buffering off;
            proxy_pass {scheme}://provider/base/;
        }}
        location /proxy/upload/ {{
            proxy_request_buffering off;
            proxy_pass {scheme}://provider/base/;
        }}
    }}
}}
"""

TLS = """\
        proxy_ssl_protocols TLSv1.3;
        proxy_ssl_name localhost;
        proxy_ssl_server_name on;
        proxy_ssl_verify on;
        proxy_ssl_trusted_certificate {ca_file};
"""


class Nginx(Proxy):
    name = "nginx"

    def __init__(self, folder, upstream, buffered_log, key_count=1):
        super().__init__(folder, upstream)
        share = 100 // KEY_COUNT
        keys = [f"        {share}% {key};" for key in UPSTREAM_KEYS[:-1]] + [f"        * {UPSTREAM_KEYS[-1]};"]
        config = CONFIG.format(
            folder=self.folder,
            port=self.port,
            upstream_port=upstream.port,
            scheme="https" if upstream.ca_file else "http",
            tls=TLS.format(ca_file=upstream.ca_file) if upstream.ca_file else "",
            access_keys="\n".join(f'        "{key}" 1;' for key in access_keys(key_count)),
            keys="\n".join(keys),
            files=os.sysconf("SC_OPEN_MAX"),
            # The worker must be able to write to the temporary folder.
            user="user root;" if os.geteuid() == 0 else "",
            buffer=" buffer=64k flush=1s" if buffered_log else "",
        )
        self.config = self.folder / "nginx.conf"
        self.config.write_text(config)

    def command(self):
        return ["nginx", "-p", self.folder, "-c", self.config, "-e", self.errors]

    def version(self):
        out = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
        return out.strip().removeprefix("nginx version: ")

    def worker_pids(self):
        return self.pids()[1:]
