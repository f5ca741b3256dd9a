#!/usr/bin/env python3
"""docker-compose.yml, docker-compose.enterprise.yml and scripts/make-env.sh: what they resolve to, and the same services as
processes with the same environment.

    python3 tests/deploy/compose_test.py --binary build/release/api-key-rotator [-k pattern] [-v]
"""

import os
import re
import stat
import subprocess
import sys

from cases import ROOT, Missing, Skip, case, expect, main, program, wait_for
from compose_file import ENTERPRISE, LIGHT, Project, plain
from container import BINARY, Container
from server_files import MARIADB, NoServer
from servers import Server, free_port
from upstream import Upstream

SECRETS = {"ADMIN_PASSWORD": 32, "JWT_SECRET": 64, "ENCRYPTION_KEY": 64, "GLOBAL_PROXY_KEYS": 48, "DB_PASSWORD": 32,
           "MYSQL_ROOT_PASSWORD": 32}


def made_project(bench):
    project = Project(bench)
    done = project.make_env()
    expect(done.returncode == 0, f"make-env.sh: {done.stderr}")
    project.set(BACKEND_PORT=free_port())
    return project


def proxied(container, key):
    """A request of a client goes through, one without the access key does not."""
    upstream = Upstream()
    container.add_service(upstream.port, container.environment["ADMIN_PASSWORD"])
    status, body = container.call("GET", "/proxy/sample/x", **{"X-Proxy-Key": key})
    expect((status, body) == (200, b"seen /x"), f"{status} {body!r}")
    expect(container.call("GET", "/proxy/sample/x")[0] == 401, "served without an access key")
    upstream.close()


# -- what the files say ------------------------------------------------------------------------------------------------

@case
def both_gateways_are_confined_alike(bench):
    for file in (LIGHT, ENTERPRISE):
        gateway = plain(file)["services"]["gateway"]
        want = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "tmpfs": ["/tmp"],
                "restart": "on-failure:5", "user": "${GATEWAY_USER:-10001:10001}", "env_file": ".env"}
        for name, value in want.items():
            expect(gateway.get(name) == value, f"{file}: {name} is {gateway.get(name)!r}, not {value!r}")
        expect(not {"privileged", "network_mode", "cap_add"} & set(gateway), f"{file} gives the gateway more than it needs")


@case
def the_time_to_stop_is_longer_than_the_gateway_takes(bench):
    """SHUTDOWN_DELAY and SHUTDOWN_GRACE as they are documented."""
    with open(f"{ROOT}/.env.example") as file:
        times = dict(re.findall(r"^#(SHUTDOWN_\w+)=(\d+)$", file.read(), re.MULTILINE))
    expect(len(times) == 2, f"no defaults of both in .env.example: {times}")
    for file in (LIGHT, ENTERPRISE):
        services = made_project(bench).resolve(file)
        grace = Container(bench, services["gateway"]).grace
        expect(grace >= sum(map(int, times.values())) + 5, f"{file}: {grace} s")


@case
def the_images_have_the_program_where_the_health_check_looks(bench):
    found = [name for name in ("Dockerfile", "Dockerfile.enterprise") if os.path.exists(f"{ROOT}/{name}")]
    if not found:
        raise Skip("there is no Dockerfile")
    for name in found:
        with open(f"{ROOT}/{name}") as file:
            expect(BINARY in file.read(), f"{name} does not name {BINARY}")


@case
def the_light_file_publishes_8000_unless_told_otherwise(bench):
    project = Project(bench)
    project.copy_example()
    ports = project.resolve(LIGHT)["gateway"]["ports"]
    expect([(int(port["published"]), int(port["target"])) for port in ports] == [(8000, 8000)], str(ports))
    project.set(BACKEND_PORT=9123)
    gateway = project.resolve(LIGHT)["gateway"]
    expect(int(gateway["ports"][0]["published"]) == 9123 and gateway["environment"]["BACKEND_PORT"] == "8000", str(gateway))


@case
def the_root_password_stays_with_the_database(bench):
    services = made_project(bench).resolve(ENTERPRISE)
    expect(services["mysql"]["environment"]["MYSQL_ROOT_PASSWORD"], "MySQL has none")
    expect(not services["gateway"]["environment"]["MYSQL_ROOT_PASSWORD"], "the gateway is told it")
    expect(services["gateway"]["depends_on"]["mysql"]["condition"] == "service_healthy", str(services["gateway"]["depends_on"]))


# -- .env --------------------------------------------------------------------------------------------------------------

@case
def make_env_makes_each_secret_anew_and_shows_none(bench):
    seen = set()
    for _ in range(2):
        project = Project(bench)
        done = project.make_env()
        expect(done.returncode == 0, done.stderr)
        env = project.env()
        for name, digits in SECRETS.items():
            expect(re.fullmatch(f"[0-9a-f]{{{digits}}}", env.get(name, "")), f"{name} is {env.get(name)!r}")
            expect(env[name] not in done.stdout + done.stderr, f"{name} was printed")
            expect(name in done.stdout, f"{name} was not mentioned")
        seen |= {env[name] for name in SECRETS}
    expect(len(seen) == 2 * len(SECRETS), "values occur twice")


@case
def make_env_keeps_the_file_and_the_data_to_their_owner(bench):
    project = Project(bench)
    project.make_env()
    modes = [stat.S_IMODE(os.stat(path).st_mode) for path in (project.env_file, f"{project.directory}/data")]
    expect(modes == [0o600, 0o700], str([oct(mode) for mode in modes]))
    user = "10001:10001" if os.geteuid() == 0 else f"{os.geteuid()}:{os.getegid()}"
    owner = os.stat(f"{project.directory}/data")
    expect(project.env()["GATEWAY_USER"] == user == f"{owner.st_uid}:{owner.st_gid}", f"{owner} is not of {user}")
    expect(not [name for name in os.listdir(project.directory) if name.startswith(".env.")], "a draft is left behind")


@case
def make_env_never_overwrites(bench):
    project = Project(bench)
    with open(project.env_file, "w") as out:
        out.write("ENCRYPTION_KEY=the-only-copy\n")
    done = project.make_env()
    expect(done.returncode == 1 and done.stderr.count("\n") == 1 and project.env_file in done.stderr, f"{done}")
    expect(project.env() == {"ENCRYPTION_KEY": "the-only-copy"}, "it was overwritten")


@case
def every_setting_of_the_example_is_still_there(bench):
    project = made_project(bench)
    names = []
    for path in (f"{ROOT}/.env.example", project.env_file):
        with open(path) as file:
            names.append(set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", file.read(), re.MULTILINE)))
    expect(names[0] <= names[1], f"missing: {names[0] - names[1]}")


# -- the same services as processes ------------------------------------------------------------------------------------

@case
def light_serves_a_client_and_ends_with_0(bench):
    project = made_project(bench)
    gateway = Container(bench, project.resolve(LIGHT)["gateway"])
    expect(gateway.healthcheck() == 1, "healthy before it was started")
    gateway.start().wait_ready()
    expect(gateway.healthcheck() == 0, "not healthy")
    proxied(gateway, project.env()["GLOBAL_PROXY_KEYS"])
    expect(os.path.exists(f"{project.directory}/data/api_key_rotator.db"), "no database in ./data")
    expect(gateway.stop() == 0, "exit code after SIGTERM")
    warned = [line for line in gateway.errors().splitlines() if '"event":"setting"' in line]
    expect(not warned, f"its own .env is complained about: {warned}")


@case
def light_starts_with_a_copied_example(bench):
    project = Project(bench)
    project.copy_example()
    project.set(BACKEND_PORT=free_port())
    gateway = Container(bench, project.resolve(LIGHT)["gateway"]).start().wait_ready()
    expect(re.search(r"^ *Password: +\S{16,}$", gateway.errors(), re.MULTILINE), "no password was printed")
    expect(gateway.stop() == 0, "exit code after SIGTERM")


@case
def each_placeholder_is_told_by_name_with_a_remedy(bench):
    for name, value in (("ADMIN_PASSWORD", "your_admin_password"), ("JWT_SECRET", "your_jwt_secret"),
                        ("GLOBAL_PROXY_KEYS", "your_secure_global_proxy_key"), ("ENCRYPTION_KEY", "your_encryption_key")):
        project = Project(bench)
        project.copy_example()
        project.set(BACKEND_PORT=free_port(), **{name: value})
        gateway = Container(bench, project.resolve(LIGHT)["gateway"]).start()
        code, said = gateway.process.wait(10), gateway.errors().splitlines()
        lines = [line for line in said if not line.startswith("{")]
        expect(code == 78 and len(lines) == 1, f"{name}: exit {code}, {said}")
        expect(name in lines[0] and re.search("ALLOW_INSECURE_DEFAULTS|64 hex digits", lines[0]), lines[0])
        expect(value not in "".join(said), f"{name}: its value was printed")


@case
def a_missing_password_of_the_database_is_told_by_name_with_a_remedy(bench):
    for name in ("DB_PASSWORD", "MYSQL_ROOT_PASSWORD"):
        project = Project(bench)
        project.copy_example()
        project.set(**({"DB_PASSWORD": "some-password-of-mine"} if name != "DB_PASSWORD" else {"MYSQL_ROOT_PASSWORD": "x-y-z"}))
        meaning, said = project.resolve_or_error(ENTERPRISE)
        expect(meaning is None and f"set {name} in .env" in said and "make-env.sh" in said, f"{name}: {said}")


def prepared_server(image):
    """A MySQL server, not running, with what the image makes of its environment."""
    try:
        server = Server(MARIADB)
    except NoServer as missing:
        raise Missing(str(missing)) from None
    user, database = image["MYSQL_USER"], image["MYSQL_DATABASE"]
    server.sql(f"CREATE DATABASE `{database}`; CREATE USER '{user}'@'%' IDENTIFIED BY '{image['MYSQL_PASSWORD']}';"
               + f"GRANT ALL ON `{database.replace('_', chr(92) + '_')}`.* TO '{user}'@'%'")
    server.stop()
    return server


def database_is_healthy(service, server):
    """By the command of the file, which runs in the container: there 3306 is the server's port."""
    kind, command = service["healthcheck"]["test"]
    expect(kind == "CMD-SHELL", kind)
    environment = {**service["environment"], "PATH": os.environ["PATH"], "MYSQL_TCP_PORT": str(server.port)}
    return subprocess.run(["sh", "-c", command.replace("$$", "$")], env=environment, capture_output=True).returncode == 0


@case
def enterprise_waits_for_its_database_and_then_serves(bench):
    program("mysql")
    project = made_project(bench)
    services = project.resolve(ENTERPRISE)
    server = prepared_server(services["mysql"]["environment"])
    bench.at_end(server.remove)
    expect(not database_is_healthy(services["mysql"], server), "healthy before it was started")
    expect(services["gateway"]["environment"]["DB_HOST"] in services, "DB_HOST is no service of the file")
    gateway = Container(bench, services["gateway"], DB_HOST="127.0.0.1", DB_PORT=str(server.port)).start()
    wait_for(lambda: '"event":"database_awaited"' in gateway.errors(), lambda: f"it says that it waits: {gateway.errors()}")
    expect(gateway.process.poll() is None, f"it did not wait: {gateway.errors()}")
    server.start()
    expect(database_is_healthy(services["mysql"], server), "not healthy")
    gateway.wait_ready()
    expect(gateway.healthcheck() == 0, "not healthy")
    proxied(gateway, project.env()["GLOBAL_PROXY_KEYS"])
    expect(not os.path.exists(f"{project.directory}/data/api_key_rotator.db"), "it made a SQLite file")
    expect(gateway.stop() == 0, "exit code after SIGTERM")


if __name__ == "__main__":
    sys.exit(main())
