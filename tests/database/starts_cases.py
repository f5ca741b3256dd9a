"""The cases of starts.py: case(bench) raises Failure or Skip."""

import re
import socket
import time
import urllib.parse

from harness import Failure
from impostors import Mysql8Login, OldMysql, OldPostgresql
from server_files import ADMIN, MARIADB, PASSWORD, POSTGRESQL, USER
from servers import Server
from taken import AllTaken

REFUSED, PASSES = 78, 75
WRONG = "wr0ng-secret"


def url(bench, **changes):
    server = changes.pop("server", bench.server)
    return server.url(changes.pop("database", None) or server.new_database(), **changes)


# -- good ones -----------------------------------------------------------------------------------------------------

def by_url(bench):
    bench.serves(DATABASE_URL=url(bench))


def by_settings(bench):
    bench.serves(DB_TYPE="mysql" if bench.is_mysql else "postgresql", DB_HOST="127.0.0.1", DB_PORT=str(bench.server.port),
                 DB_USER=USER, DB_PASSWORD=PASSWORD, DB_NAME=bench.server.new_database())


def url_forms(bench):
    """As the clients of each server are told where it is: a scheme's other name, Go's, SQLAlchemy's, a local socket."""
    port = bench.server.port
    encoded, path = urllib.parse.quote(PASSWORD, safe=""), urllib.parse.quote(bench.server.socket(), safe="")
    tail = f"{USER}:{encoded}@127.0.0.1:{port}/NAME"
    forms = {
        True: [f"mariadb://{tail}", f"{USER}:{PASSWORD}@tcp(127.0.0.1:{port})/NAME?charset=utf8mb4&parseTime=True",
               f"mysql+pymysql://{tail}", f"mysql://{USER}:{encoded}@{path}/NAME",
               f"{USER}:{PASSWORD}@unix({bench.server.socket()})/NAME"],
        False: [f"postgres://{tail}", f"postgresql://{tail}?sslmode=disable", f"postgresql+psycopg2://{tail}",
                f"postgresql://{USER}:{encoded}@/NAME?host={bench.server.socket()}&port={port}"],
    }[bench.is_mysql]
    for form in forms:
        try:
            bench.serves(DATABASE_URL=form.replace("NAME", bench.server.new_database()))
        except Failure as failure:
            raise Failure(f"{form.replace(PASSWORD, '****').replace(encoded, '****')}: {failure}") from None


def localhost_is_tcp(bench):
    """The client library of MySQL takes that name for a socket, of another server perhaps."""
    bench.serves(DATABASE_URL=url(bench, host="localhost"))


def tls(bench):
    for mode in ("require", f"verify-ca&sslrootcert={bench.certificates.ca}", f"verify-full&sslrootcert={bench.certificates.ca}"):
        database = bench.tls_server.new_database()
        gateway = bench.gateway(DATABASE_URL=url(bench, server=bench.tls_server, database=database, host="localhost",
                                                 options=f"?sslmode={mode}"))
        try:
            gateway.wait_ready()
            if not is_encrypted(bench, database):
                raise Failure(f"sslmode={mode}: the session is not encrypted")
        finally:
            gateway.stop()
            gateway.remove()


def is_encrypted(bench, database):
    if bench.is_mysql:   # a server does not tell about the sessions of others
        bench.tls_server.sql(f"ALTER USER {USER} REQUIRE SSL")
        bench.tls_server.end_sessions()
        try:
            bench.serves(DATABASE_URL=url(bench, server=bench.tls_server, database=database, options="?sslmode=require"))
        finally:
            bench.tls_server.sql(f"ALTER USER {USER} REQUIRE NONE")
        return True
    rows = bench.tls_server.sql("SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                                f"WHERE datname = '{database}' AND usename = '{USER}'")
    return rows == "t"


def prefers_tls(bench):
    bench.serves(DATABASE_URL=url(bench, server=bench.tls_server))


def client_certificate(bench):
    """Of a server that demands one: by settings and in the URL; none, and one that another CA signed, are refused."""
    files = bench.certificates
    server = Server(bench.kind, tls=(files.server, files.server_key, files.ca))
    server.demand_certificate()
    verified = {"DB_SSL_MODE": "verify-full", "DB_SSL_CA": files.ca}
    own = {"DB_SSL_CERT": files.client, "DB_SSL_KEY": files.client_key}
    bench.serves(DATABASE_URL=url(bench, server=server, host="localhost"), **verified, **own)
    bench.serves(DATABASE_URL=url(bench, server=server, host="localhost", options=f"?sslmode=verify-full&sslrootcert={files.ca}"
                                  f"&sslcert={files.client}&sslkey={files.client_key}"))
    bench.serves(DATABASE_URL=url(bench, server=server), DB_SSL_MODE="prefer", **own)
    bench.refused(REFUSED, "DATABASE_URL|DB_SSL_", DATABASE_URL=url(bench, server=server, host="localhost"), **verified)
    bench.refused(REFUSED, "DATABASE_URL|DB_SSL_", DATABASE_URL=url(bench, server=server, host="localhost"), **verified,
                  DB_SSL_CERT=files.stranger, DB_SSL_KEY=files.stranger_key)
    bench.refused(REFUSED, "DB_SSL_KEY", DATABASE_URL=url(bench, server=server), DB_SSL_CERT=files.client)
    bench.refused(REFUSED, "/missing/client.key", DATABASE_URL=url(bench, server=server), DB_SSL_CERT=files.client,
                  DB_SSL_KEY="/missing/client.key")


def filled_database(bench):
    """The address of one with a service and three keys, and the service's slug."""
    address = url(bench)
    gateway = bench.gateway(DATABASE_URL=address)
    try:
        gateway.wait_ready()
        return address, gateway.add_service(9, keys=3).prefix.decode().split("/")[-1]
    finally:
        gateway.stop()
        gateway.remove()


def expect_run(bench, want, arguments, lines, **variables):
    """It ends with `want`, says one line on standard error that matches, and nothing on standard output."""
    code, out, err = bench.run("copy-database", *arguments, **variables)
    said = [line for line in err.splitlines() if not line.startswith("{")]
    if code != want or out or len(said) != 1 or not re.search(lines, said[0]):
        raise Failure(f"copy-database {arguments}: exit {code}, want {want} and a line like {lines!r}: {out!r} {err[-1500:]!r}")


def copy_database(bench):
    """The command: into a file and back into an empty database, with progress and a table; what it refuses, and how."""
    address, slug = filled_database(bench)
    back, file = url(bench), f"sqlite:{bench.directory}/copied.db"
    sides = ("--from", "env:OLD", "--to", "env:NEW")
    for old, new in ((address, file), (file, back)):
        code, out, err = bench.run("copy-database", *sides, OLD=old, NEW=new)
        rows = dict(re.findall(r"^(\w+) +(\d+)$", out, re.MULTILINE))
        wanted = {"proxy_configs": "1", "api_keys": "3"}
        if code or not wanted.items() <= rows.items() or not out.startswith("table ") or not out.endswith("\nverified\n"):
            raise Failure(f"exit {code}: {out!r} {err[-1500:]!r}")
        if "api_keys: 3 of 3\n" not in err:
            raise Failure(f"no progress: {err[-1500:]!r}")
    gateway = bench.gateway(DATABASE_URL=back)
    try:
        gateway.wait_ready()
        found = [(service["slug"], len(gateway.admin("GET", f"/admin/proxy-configs/{service['id']}/keys")[1]))
                 for service in gateway.admin("GET", "/admin/proxy-configs")[1]]
        if found != [(slug, 3)]:
            raise Failure(f"the copy of the copy holds {found}")
    finally:
        gateway.stop()
        gateway.remove()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = url(bench, port=nobody.getsockname()[1])
        expect_run(bench, 1, sides, "--to: .*holds something", OLD=address, NEW=back)
        expect_run(bench, 1, sides, "same database", OLD=address, NEW=address)
        expect_run(bench, REFUSED, sides, "--to: .*no variable NEW", OLD=address)
        expect_run(bench, REFUSED, ("--from", "env:OLD", "--to", "oracle:x"), "--to: ", OLD=address)
        expect_run(bench, REFUSED, sides, "--from: .*encryption key", OLD=address, NEW=url(bench), ENCRYPTION_KEY="ab" * 32)
        expect_run(bench, PASSES, sides, "--from: .*reached", OLD=away, NEW=url(bench))
        expect_run(bench, PASSES, sides, "--to: .*reached", OLD=address, NEW=away)
        expect_run(bench, 73, sides, "--from: .*no database", OLD=f"sqlite:{bench.directory}/missing.db", NEW=url(bench))


def mysql8_login(bench):
    """caching_sha2_password in each of its ways."""
    for way in ("fast", "rsa", "tls"):
        certificate = (bench.certificates.server, bench.certificates.server_key) if way == "tls" else None
        front = Mysql8Login(bench.server, USER, PASSWORD, way, certificate, bench.rsa)
        try:
            bench.serves(DATABASE_URL=url(bench, port=front.port))
        except Failure as failure:
            raise Failure(f"{way}: {failure}; {front.logins} logins") from None
        finally:
            front.close()
        if not front.logins:
            raise Failure(f"{way}: nobody logged in")


def late_server(bench):
    address = url(bench)
    bench.server.stop()
    gateway = bench.gateway(DATABASE_URL=address, STARTUP_WAIT="30")
    try:
        time.sleep(5)   # what the case is about: it is away that long
        bench.server.start()
        gateway.wait_ready(5)
    finally:
        bench.server.start_if_it_ended()
        gateway.stop()
        gateway.remove()


def two_at_once(bench):
    """On an empty database: one of them makes the tables, both serve what either writes."""
    for _ in range(3):
        address = url(bench)
        pair = [bench.gateway(DATABASE_URL=address) for _ in range(2)]
        try:
            for gateway in pair:
                gateway.wait_ready()
            service = pair[0].add_service(9)
            status, _ = pair[1].admin("GET", f"/admin/proxy-configs/{service.id}")
            if status != 200:
                raise Failure(f"the other gateway answers {status} for the service that the first has stored")
        finally:
            for gateway in pair:
                gateway.stop()
                gateway.remove()


# -- bad ones ------------------------------------------------------------------------------------------------------

def unreachable(bench):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        bench.refused(PASSES, "DATABASE_URL|STARTUP_WAIT", DATABASE_URL=url(bench, port=nobody.getsockname()[1]), STARTUP_WAIT="1")


def never_comes(bench):
    """What answers nothing is waited for no longer than what refuses."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        took = bench.refused(PASSES, "DATABASE_URL|STARTUP_WAIT", seconds=12, STARTUP_WAIT="3", DB_TIMEOUT="2",
                             DATABASE_URL=url(bench, port=silent.getsockname()[1]))
    if not 3 <= took < 7:
        raise Failure(f"STARTUP_WAIT=3 took {took:.1f} s")


def unknown_host(bench):
    bench.refused(PASSES, "DATABASE_URL|STARTUP_WAIT", seconds=30, DATABASE_URL=url(bench, host="no-such-host.invalid"), STARTUP_WAIT="1")


def wrong_password(bench):
    bench.refused(REFUSED, "password.*DATABASE_URL|DATABASE_URL.*password", DATABASE_URL=url(bench, password=WRONG))
    bench.refused(REFUSED, "DB_PASSWORD", DB_TYPE="mysql" if bench.is_mysql else "postgresql", DB_HOST="127.0.0.1",
                  DB_PORT=str(bench.server.port), DB_USER=USER, DB_PASSWORD=WRONG, DB_NAME=bench.server.new_database())


def unknown_user(bench):
    bench.refused(REFUSED, "nobody.*DATABASE_URL|DATABASE_URL.*nobody", DATABASE_URL=url(bench, user="nobody", password=WRONG))


def missing_database(bench):
    bench.refused(REFUSED, "akr_missing", DATABASE_URL=url(bench, database="akr_missing"))


def no_database_named(bench):
    bench.refused(REFUSED, "DATABASE_URL", DATABASE_URL=url(bench).rpartition("/")[0] + "/")


def only_select(bench):
    database, server = bench.server.new_database(), bench.server
    if bench.is_mysql:
        server.sql(f"CREATE OR REPLACE USER reader IDENTIFIED BY '{PASSWORD}'; GRANT SELECT ON `akr\\_%`.* TO reader")
    else:
        server.sql(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
    address = url(bench, database=database, user="reader")
    bench.refused(REFUSED, "(?i)reader.*grant|grant.*reader", DATABASE_URL=address)
    bench.serves(DATABASE_URL=url(bench, database=database))   # now there are tables, that reader may only read
    if not bench.is_mysql:
        server.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", database)
    bench.refused(REFUSED, "(?i)reader.*grant|grant.*reader", DATABASE_URL=address)


def no_right_to_the_database(bench):
    bench.server.sql("CREATE DATABASE foreign_one" if bench.is_mysql else f"CREATE DATABASE foreign_one OWNER {ADMIN}")
    if not bench.is_mysql:
        bench.server.sql("REVOKE CONNECT ON DATABASE foreign_one FROM PUBLIC")
    bench.refused(REFUSED, "foreign_one", DATABASE_URL=url(bench, database="foreign_one"))


def too_old(bench):
    old = OldMysql() if bench.is_mysql else OldPostgresql()
    try:
        bench.refused(REFUSED, "MySQL 5.5" if bench.is_mysql else "version 9", DATABASE_URL=url(bench, port=old.port))
    finally:
        old.close()


def tls_refused(bench):
    bench.refused(REFUSED, "sslmode|DB_SSL_MODE", DATABASE_URL=url(bench, options="?sslmode=require"))


def wrong_ca(bench):
    for mode in ("verify-ca", "verify-full"):
        options = f"?sslmode={mode}&sslrootcert={bench.certificates.other_ca}"
        bench.refused(REFUSED, "(?i)sslrootcert|DB_SSL_CA", DATABASE_URL=url(bench, server=bench.tls_server, host="localhost", options=options))


def missing_ca_file(bench):
    bench.refused(REFUSED, "/missing/ca.pem", DATABASE_URL=url(bench, server=bench.tls_server, host="localhost",
                                                               options="?sslmode=verify-ca&sslrootcert=/missing/ca.pem"))


def wrong_host_name(bench):
    options = f"?sslmode=verify-full&sslrootcert={bench.certificates.ca}"
    bench.refused(REFUSED, "127.0.0.1", DATABASE_URL=url(bench, server=bench.tls_server, options=options))


def unreadable_urls(bench):
    scheme = "mysql" if bench.is_mysql else "postgresql"
    for text in (f"{scheme}://akr:{WRONG}@127.0.0.1:port/akr", f"{scheme}://akr:{WRONG}@:3306/akr", f"{scheme}//akr:{WRONG}@host/akr",
                 f"{scheme}://akr:{WRONG}@host:70000/akr", f"oracle://akr:{WRONG}@host/akr", f"{scheme}://akr:{WRONG}%zz@host/akr",
                 f"{scheme}://akr:{WRONG}@host/akr?sslmode=perhaps", f"{scheme}://akr:{WRONG}/x@host/akr"):
        bench.refused(REFUSED, "DATABASE_URL", DATABASE_URL=text)


def contradiction(bench):
    bench.refused(REFUSED, "DB_TYPE", DATABASE_URL=url(bench), DB_TYPE="postgresql" if bench.is_mysql else "mysql")


def newer_schema(bench):
    database = bench.server.new_database()
    bench.serves(DATABASE_URL=url(bench, database=database))
    bench.server.sql("UPDATE akr_meta SET value = '999' WHERE name IN ('schema_version', 'oldest_reader')", database)
    bench.refused(REFUSED, "newer", DATABASE_URL=url(bench, database=database))


def another_encryption_key(bench):
    """Not a refusal: it starts, locked, as on SQLite, and overwrites nothing."""
    database = bench.server.new_database()
    bench.serves(DATABASE_URL=url(bench, database=database))
    gateway = bench.gateway(DATABASE_URL=url(bench, database=database), ENCRYPTION_KEY="ab" * 32)
    try:
        gateway.wait_ready()
        status, body = gateway.admin("GET", "/readyz")
        if status != 503 or body.get("status") != "locked":
            raise Failure(f"/readyz is {status} {body}")
    finally:
        gateway.stop()
        gateway.remove()


def full_server(bench):
    """No room for another session: that passes."""
    small = bench.small_server()
    address = url(bench, server=small)
    with AllTaken(small):
        bench.refused(PASSES, "DATABASE_URL|STARTUP_WAIT", seconds=15, DATABASE_URL=address, STARTUP_WAIT="2", DB_TIMEOUT="1")
    bench.serves(DATABASE_URL=address)


GOOD = [by_url, by_settings, url_forms, localhost_is_tcp, tls, prefers_tls, client_certificate, copy_database, late_server, two_at_once]
BAD = [unreachable, never_comes, unknown_host, wrong_password, unknown_user, missing_database, no_database_named, only_select,
       no_right_to_the_database, too_old, tls_refused, wrong_ca, missing_ca_file, wrong_host_name, unreadable_urls, contradiction,
       newer_schema, another_encryption_key, full_server]
ONLY = {MARIADB: [mysql8_login], POSTGRESQL: []}


def cases(kind):
    return [(case.__name__.replace("_", "-"), case) for case in GOOD + ONLY[kind] + BAD]
