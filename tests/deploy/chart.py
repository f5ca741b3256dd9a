"""The chart of deploy/helm, rendered as `helm template` would: values merged, checked by the schema, put into the templates."""

import glob
import json
import os

from cases import ROOT, Missing
from compose_file import load_yaml

CHART = f"{ROOT}/deploy/helm/api-key-rotator"
RELEASE, NAMESPACE = "gate", "keys"

try:
    import jsonschema
    from gotemplate import Refusal, Renderer
except ImportError as missing:   # each case says so
    jsonschema, WHY = None, str(missing)

    class Refusal(Exception):
        pass


def read(name):
    with open(f"{CHART}/{name}") as file:
        return file.read()


def schema():
    if jsonschema is None:
        raise Missing(f"python3-jsonschema and python3-yaml: {WHY}")
    return json.loads(read("values.schema.json"))


def merged(old, new):
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {**old, **{name: merged(old.get(name), value) for name, value in new.items()}}


def as_helm_reads(value):
    """Numbers become floating point on their way through JSON."""
    if isinstance(value, dict):
        return {name: as_helm_reads(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_helm_reads(one) for one in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def sources():
    return {os.path.basename(path): read(f"templates/{os.path.basename(path)}")
            for path in sorted(glob.glob(f"{CHART}/templates/*"))}


def complaint(values):
    """What the schema says against them, or None."""
    error = jsonschema.Draft7Validator(schema()).iter_errors(merged(load_yaml(read("values.yaml")), values))
    return next((f"{'.'.join(map(str, one.path))}: {one.message}" for one in error), None)


def render(**values):
    """Texts by file.  Raises Refusal where Helm would refuse."""
    schema()
    chart = load_yaml(read("Chart.yaml"))
    context = {
        "Values": as_helm_reads(merged(load_yaml(read("values.yaml")), values)),
        "Chart": {"Name": chart["name"], "Version": chart["version"], "AppVersion": chart["appVersion"]},
        "Release": {"Name": RELEASE, "Namespace": NAMESPACE, "Service": "Helm"},
    }
    renderer = Renderer(sources())
    return {name: renderer.render(name, context) for name in renderer.files if not name.startswith("_")}


def objects(**values):
    """What is rendered, by kind: the chart makes no two of one."""
    found = [load_yaml(text) for name, text in render(**values).items() if name.endswith(".yaml")]
    return {one["kind"]: one for one in found if one}


def pod_of(made):
    return (made.get("StatefulSet") or made["Deployment"])["spec"]["template"]
