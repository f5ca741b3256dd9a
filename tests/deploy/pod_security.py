"""Kubernetes' pod security standard `restricted` (and what else an image without root needs), as far as pods of the chart go."""

VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret", "csi", "downwardAPI", "ephemeral"}


def violations(spec):
    """Of a pod's spec."""
    pod = spec.get("securityContext", {})
    if pod.get("runAsNonRoot") is not True or not pod.get("runAsUser"):
        yield "may run as root"
    if pod.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "has no seccomp profile"
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            yield f"has {name}"
    for volume in spec.get("volumes", []):
        if not (set(volume) - {"name"}) <= VOLUMES:
            yield f"mounts {volume}"
    for container in spec.get("initContainers", []) + spec["containers"]:
        yield from (f"{container['name']} {text}" for text in container_violations(container))
    if spec.get("automountServiceAccountToken") is not False:
        yield "gets a token of the cluster's API"
    if spec.get("enableServiceLinks") is not False:
        yield "has settings that other services of the cluster make, such as REDIS_PORT"


def container_violations(container):
    own = container.get("securityContext", {})
    if own.get("allowPrivilegeEscalation") is not False:
        yield "may gain privileges"
    if own.get("privileged"):
        yield "is privileged"
    if own.get("capabilities", {}) != {"drop": ["ALL"]}:
        yield "keeps capabilities"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "may write to its image"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "takes a port of the node"
