#!/usr/bin/env python3
"""The Helm chart of deploy/helm: what it makes of values, and the gateway with the environment that it gives.

    python3 tests/deploy/helm_test.py --binary build/release/api-key-rotator [-k pattern] [-v]
"""

import re
import shutil
import subprocess
import sys

from cases import Skip, case, expect, main
from chart import CHART, NAMESPACE, RELEASE, Refusal, complaint, jsonschema, objects, pod_of, read, render, schema, sources
from compose_file import CLEAN, load_yaml
from container import BINARY, Container
from harness import Failure
from pod_security import violations
from servers import free_port

SERVER = {"database": {"type": "mysql", "host": "db.example"}, "secrets": {"existingSecret": "gate-secrets"}}
REPLICAS = {**SERVER, "replicaCount": 3}
SCALED = {**SERVER, "autoscaling": {"enabled": True}}
SECRETS = {"ADMIN_PASSWORD": "chart-Passw0rd-01", "JWT_SECRET": "chart-secret-chart-secret-chart-secret",
           "GLOBAL_PROXY_KEYS": "chart-access-key-0001", "METRICS_TOKEN": "chart-metrics-token"}
EVERYTHING = {**SCALED, "ingress": {"enabled": True, "host": "gateway.example", "className": "nginx", "tlsSecret": "tls"},
              "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}, "networkPolicy": {"enabled": True},
              "podAnnotations": {"a": "b"}, "nodeSelector": {"disk": "ssd"}, "tolerations": [{"operator": "Exists"}],
              "affinity": {"nodeAffinity": {}}, "imagePullSecrets": [{"name": "pull"}],
              "topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]}
VARIANTS = ({}, SERVER, REPLICAS, SCALED, EVERYTHING, {"secrets": {"values": SECRETS}},
            {"persistence": {"existingClaim": "claim"}}, {"serviceAccount": {"create": False}},
            {"database": {"type": "postgresql", "host": "db.example", "port": 5433}, "secrets": {"existingSecret": "s"}})


def refused(**values):
    try:
        render(**values)
    except Refusal as refusal:
        expect("\n" not in str(refusal), f"more than one line: {refusal}")
        return str(refusal)
    raise Failure(f"accepted: {values}")


def paths(tree, prefix=""):
    for name, value in tree.items():
        yield prefix + name
        if isinstance(value, dict):
            yield from paths(value, f"{prefix}{name}.")


# -- values ------------------------------------------------------------------------------------------------------------

@case
def the_schema_is_one_and_accepts_what_is_rendered_here(bench):
    whole = schema()
    jsonschema.Draft7Validator.check_schema(whole)
    for values in VARIANTS:
        expect(complaint(values) is None, f"{values}: {complaint(values)}")


@case
def the_schema_refuses_what_is_misspelt_or_of_another_type(bench):
    schema()
    for wrong in ({"replicas": 2}, {"database": {"kind": "mysql"}}, {"database": {"type": "oracle"}}, {"replicaCount": "2"},
                  {"secrets": {"values": {"JWT": "x"}}}, {"settings": {"workers": 2}}, {"settings": {"WORKERS": [2]}}):
        expect(complaint(wrong), f"accepted: {wrong}")


@case
def values_and_schema_have_the_same_names(bench):
    def same(values, rules, where):
        if "properties" not in rules or not values:   # free to the user
            return
        names = set(rules["properties"]) - {"global"}
        expect(set(values) == names, f"{where or 'at the top'}: {set(values) ^ names}")
        for name, value in values.items():
            if isinstance(value, dict):
                same(value, rules["properties"][name], f"{where}.{name}")
    same(load_yaml(read("values.yaml")), schema(), "")


@case
def every_value_is_used_and_what_is_used_exists(bench):
    values = load_yaml(read("values.yaml"))
    text = "\n".join(sources().values()).replace("$database.", ".Values.database.")
    used, known = set(re.findall(r"\.Values\.([\w.]+)", text)), set(paths(values))
    expect(used <= known, f"not in values.yaml: {used - known}")
    idle = {path for path in known if not any(f"{one}.".startswith(f"{path}.") or path.startswith(f"{one}.") for one in used)}
    expect(not idle, f"used by no template: {idle}")


# -- what is made ------------------------------------------------------------------------------------------------------

@case
def every_pod_keeps_to_the_restricted_standard(bench):
    for values in VARIANTS:
        found = list(violations(pod_of(objects(**values))["spec"]))
        expect(not found, f"{values}: {found}")


@case
def what_is_referred_to_is_made_or_named_by_the_user(bench):
    for values in VARIANTS:
        made = objects(**values)
        pod, spec = pod_of(made), pod_of(made)["spec"]
        container = spec["containers"][0]
        workload = made.get("StatefulSet") or made["Deployment"]
        for selector in (workload["spec"]["selector"]["matchLabels"], made["Service"]["spec"]["selector"]):
            expect(selector.items() <= pod["metadata"]["labels"].items(), f"{selector} selects other pods")
        expect(container["envFrom"] == [{"configMapRef": {"name": made["ConfigMap"]["metadata"]["name"]}}], "other settings")
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        claims = {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        expect(mounts == {volume["name"] for volume in spec["volumes"]} | claims, f"{values}: {mounts}")
        secrets = {one["valueFrom"]["secretKeyRef"]["name"] for one in container.get("env", [])}
        known = {made["Secret"]["metadata"]["name"]} if "Secret" in made else {values.get("secrets", {}).get("existingSecret")}
        expect(not secrets or secrets == known, f"{secrets} is not {known}")
        account = made.get("ServiceAccount", {"metadata": {"name": "default"}})["metadata"]["name"]
        expect(spec["serviceAccountName"] == account, f"{values}: {account}")


@case
def sqlite_is_one_replica_with_a_volume(bench):
    made = objects()
    spec = made["StatefulSet"]["spec"]
    expect(spec["replicas"] == 1 and spec["volumeClaimTemplates"][0]["spec"]["accessModes"] == ["ReadWriteOnce"], f"{spec}")
    expect(spec["serviceName"] == made["Service"]["metadata"]["name"], "no service of its own")
    expect(not {"PodDisruptionBudget", "HorizontalPodAutoscaler", "Deployment"} & set(made), f"{set(made)}")
    path = made["ConfigMap"]["data"]["DATABASE_PATH"]
    expect(path.startswith("/app/data/"), f"{path} is lost with the pod")


@case
def sqlite_with_replicas_is_refused_in_one_line(bench):
    for values in ({"replicaCount": 2}, {"autoscaling": {"enabled": True}}):
        said = refused(**values)
        expect("replicaCount" in said and "database.type" in said, said)


@case
def a_server_with_replicas_has_a_budget_and_spreads(bench):
    made = objects(**REPLICAS)
    expect(made["Deployment"]["spec"]["replicas"] == 3, "not three")
    expect(made["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1, "no budget")
    spread = pod_of(made)["spec"]["topologySpreadConstraints"][0]
    expect(spread["labelSelector"]["matchLabels"].items() <= pod_of(made)["metadata"]["labels"].items(), f"{spread}")
    scaled = objects(**SCALED)
    expect("replicas" not in scaled["Deployment"]["spec"], "fights with the autoscaler")
    target = scaled["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    expect((target["kind"], target["name"]) == ("Deployment", scaled["Deployment"]["metadata"]["name"]), f"{target}")
    expect("cpu" in pod_of(scaled)["spec"]["containers"][0]["resources"]["requests"], "a share of nothing")


@case
def a_server_needs_its_host_and_the_secrets_that_would_be_lost(bench):
    expect("database.host" in refused(database={"type": "mysql"}, secrets={"existingSecret": "s"}), "says something else")
    said = refused(database=SERVER["database"])
    expect("ENCRYPTION_KEY" in said and "existingSecret" in said, said)
    needed = {one["name"]: one["valueFrom"]["secretKeyRef"]["optional"] for one in
              pod_of(objects(**SERVER))["spec"]["containers"][0]["env"]}
    expect(sorted(name for name, optional in needed.items() if not optional) ==
           ["ADMIN_PASSWORD", "DB_PASSWORD", "ENCRYPTION_KEY", "JWT_SECRET"], f"{needed}")


@case
def no_secret_stands_outside_of_the_Secret(bench):
    for name, text in render(secrets={"values": SECRETS}).items():
        found = [value for value in SECRETS.values() if value in text]
        expect(not found or name == "secret.yaml", f"{name} holds {found}")
    for name in ("DB_PASSWORD", "DATABASE_URL", "ENCRYPTION_KEY"):
        expect(f"settings.{name}" in refused(settings={name: "x"}), "says something else")


@case
def probes_and_the_time_to_end_fit_the_gateway(bench):
    made = objects(shutdown={"delaySeconds": 7, "graceSeconds": 300})
    spec, data = pod_of(made)["spec"], made["ConfigMap"]["data"]
    expect((data["SHUTDOWN_DELAY"], data["SHUTDOWN_GRACE"]) == ("7", "300"), f"{data}")
    expect(spec["terminationGracePeriodSeconds"] >= 312, f"{spec['terminationGracePeriodSeconds']}")
    container = spec["containers"][0]
    expect("lifecycle" not in container, "a preStop only takes from the time to end")
    probes = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    expect([probe["path"] for probe in probes.values()] == ["/healthz", "/healthz", "/readyz"], f"{probes}")
    expect({probe["port"] for probe in probes.values()} == {container["ports"][0]["name"]}, f"{probes}")
    start = container["startupProbe"]
    expect(start["periodSeconds"] * start["failureThreshold"] > 60 + 30, "is killed while it waits for its database")


@case
def settings_arrive_as_they_are_written_and_make_new_pods(bench):
    made = objects(settings={"MAX_UPLOAD_SIZE": 2147483648, "ACCESS_LOG": False, "TRUSTED_PROXIES": "10.0.0.0/8"})
    data = made["ConfigMap"]["data"]
    expect([data[name] for name in ("MAX_UPLOAD_SIZE", "ACCESS_LOG", "TRUSTED_PROXIES")] ==
           ["2147483648", "false", "10.0.0.0/8"], f"{data}")
    expect(all(isinstance(value, str) for value in data.values()), f"not all texts: {data}")
    sums = [pod_of(one)["metadata"]["annotations"]["checksum/settings"] for one in (made, objects())]
    expect(sums[0] != sums[1], "pods stay as they are")
    expect("shutdown" in refused(settings={"SHUTDOWN_GRACE": 90}), "says something else")


@case
def metrics_are_asked_for_with_the_token(bench):
    monitor = objects(serviceMonitor={"enabled": True}, secrets={"existingSecret": "s"})["ServiceMonitor"]["spec"]["endpoints"][0]
    expect(monitor["authorization"]["credentials"] == {"name": "s", "key": "METRICS_TOKEN"}, f"{monitor}")
    expect("METRICS_TOKEN" in refused(serviceMonitor={"enabled": True}), "says something else")
    open_one = objects(serviceMonitor={"enabled": True, "bearerToken": False})["ServiceMonitor"]["spec"]["endpoints"][0]
    expect("authorization" not in open_one and open_one["path"] == "/metrics", f"{open_one}")


@case
def the_network_policy_lets_names_upstreams_and_the_database_through(bench):
    made = objects(**SERVER, networkPolicy={"enabled": True, "ingressFrom": [{"podSelector": {}}]})
    policy = made["NetworkPolicy"]["spec"]
    ports = {(port["protocol"], port["port"]) for port in policy["egress"][0]["ports"]}
    expect(ports == {("UDP", 53), ("TCP", 53), ("TCP", 443), ("TCP", 80), ("TCP", 3306)}, f"{ports}")
    expect(policy["ingress"][0]["from"] == [{"podSelector": {}}], f"{policy['ingress']}")


@case
def the_ingress_leads_to_the_service(bench):
    made = objects(**EVERYTHING)
    rule = made["Ingress"]["spec"]["rules"][0]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    port = made["Service"]["spec"]["ports"][0]
    expect(backend == {"name": made["Service"]["metadata"]["name"], "port": {"name": port["name"]}}, f"{backend}")
    expect(made["Ingress"]["spec"]["tls"] == [{"secretName": "tls", "hosts": ["gateway.example"]}], f"{made['Ingress']}")
    expect("ingress.host" in refused(ingress={"enabled": True}), "says something else")


@case
def the_notes_say_what_a_first_user_must_know(bench):
    expect("grep Password" in render()["NOTES.txt"], "not where the password is")
    expect("rollout restart" in render(**REPLICAS)["NOTES.txt"], "not what replicas do not know of each other")
    expect("own records" in render(secrets={"values": SECRETS})["NOTES.txt"], "not what becomes of secrets in values")


# -- the real ones -----------------------------------------------------------------------------------------------------

@case
def the_gateway_serves_with_what_the_chart_gives_it(bench):
    made = objects(secrets={"values": SECRETS}, shutdown={"delaySeconds": 0, "graceSeconds": 5})
    spec = pod_of(made)["spec"]
    names = [one["name"] for one in spec["containers"][0]["env"] if one["name"] in made["Secret"]["stringData"]]
    environment = {**made["ConfigMap"]["data"], **{name: made["Secret"]["stringData"][name] for name in names}}
    service = {"environment": environment, "ports": [{"published": free_port()}],
               "volumes": [f"{bench.new_directory()}:/app/data"], "healthcheck": {"test": ["CMD", BINARY, "healthcheck"]},
               "stop_grace_period": f"{spec['terminationGracePeriodSeconds']}s"}
    gateway = Container(bench, service).start().wait_ready()
    expect(gateway.call("GET", "/metrics")[0] == 401, "metrics without a token")
    token = {"Authorization": f"Bearer {SECRETS['METRICS_TOKEN']}"}
    expect(gateway.call("GET", "/metrics", **token)[0] == 200 and gateway.healthcheck() == 0, "not healthy")
    expect(gateway.stop() == 0, "exit code after SIGTERM")


@case
def helm_itself_renders_the_same(bench):
    if not shutil.which("helm"):
        raise Skip("helm is not installed")
    done = subprocess.run(["helm", "lint", "--strict", CHART], capture_output=True, text=True, env=CLEAN)
    expect(done.returncode == 0, done.stdout + done.stderr)
    import yaml
    for values in VARIANTS:
        done = subprocess.run(["helm", "template", RELEASE, CHART, "--namespace", NAMESPACE, "--values", "-"], env=CLEAN,
                              capture_output=True, text=True, input=yaml.safe_dump(values))
        expect(done.returncode == 0, done.stderr)
        theirs = {one["kind"]: one for one in yaml.safe_load_all(done.stdout) if one}
        ours = objects(**values)
        expect(theirs == ours, f"{values}: {theirs} instead of {ours}")


if __name__ == "__main__":
    sys.exit(main())
