#!/usr/bin/env python3
"""The Dockerfiles as they are written, and what is told about an image: the SBOM and the list of licences.

    tests/images/dockerfiles_test.py --binary build/release/api-key-rotator [-k pattern] [-v]
"""

import glob
import hashlib
import json
import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(os.path.dirname(HERE), name) for name in ("deploy", "conformance", "database")]

from cases import ROOT, case, expect, main
from compose_file import ENTERPRISE, LIGHT, plain
from image import DOCKERFILES, Dockerfile, layout

DOCS = "usr/share/doc/api-key-rotator"


def both():
    return [(build, Dockerfile(name)) for build, name in DOCKERFILES.items()]


@case
def they_differ_in_the_preset_only(bench):
    light, enterprise = (dockerfile.instructions for _, dockerfile in both())
    expect(len(light) == len(enterprise), "another number of instructions")
    for one, other in zip(light, enterprise):
        if one[0] != "LABEL":
            expect((one[0], one[1].replace("light", "enterprise")) == other, f"{one} and {other}")
    with open(f"{ROOT}/CMakePresets.json") as file:
        presets = {preset["name"] for preset in json.load(file)["configurePresets"]}
    expect({"light", "enterprise"} <= presets, str(presets))


@case
def what_changes_often_comes_late(bench):
    """So that a line of the sources that changes leaves every layer before the compile as it is."""
    for build, dockerfile in both():
        order = [f"{word} {rest}" for word, rest in dockerfile.instructions]
        wanted = ["COPY scripts/install-deps.sh", "RUN scripts/install-deps.sh --image", "COPY cmake/", "COPY src/",
                  f"RUN cmake --preset {build} && cmake --build --preset {build}", "COPY scripts/image_root.sh",
                  "RUN scripts/image_root.sh", "FROM scratch", "COPY --from=build /image/root/ /"]
        places = [next((at for at, line in enumerate(order) if line.startswith(start)), -1) for start in wanted]
        expect(-1 not in places and places == sorted(places), f"{list(zip(wanted, places))}")


@case
def the_image_is_empty_but_for_the_gateway_and_runs_as_nobody_else(bench):
    for build, dockerfile in both():
        expect(dockerfile.base == "scratch", dockerfile.base)
        expect(not any(word in ("ADD", "RUN", "CMD") for word, _ in dockerfile.last), "more than files")
        wanted = {"USER": "10001:10001", "WORKDIR": "/app", "VOLUME": "/app/data", "EXPOSE": "8000", "STOPSIGNAL": "SIGTERM"}
        for word, value in wanted.items():
            expect(dockerfile.value(word) == value, f"{build}: {word}")
        expect(dockerfile.health_command() == [*dockerfile.entry(), "healthcheck"], "another health check")
        compose = plain(LIGHT if build == "light" else ENTERPRISE)["services"]["gateway"]
        expect(compose["healthcheck"]["test"] == ["CMD", *dockerfile.health_command()], "Compose looks elsewhere")
        expect(compose["build"] == "." or compose["build"]["dockerfile"] == DOCKERFILES[build], str(compose["build"]))


@case
def the_context_holds_what_is_copied_and_no_more(bench):
    with open(f"{ROOT}/.dockerignore") as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    expect(lines[0] == "*", "not everything is left out at first")
    kept = {line[1:] for line in lines if line.startswith("!")}
    for _, dockerfile in both():
        copied = {source.rstrip("/") for word, rest in dockerfile.instructions if word == "COPY" and not rest.startswith("--")
                  for source in rest.split()[:-1]}
        expect(copied == kept, f"copied and not kept, or kept and not copied: {copied ^ kept}")
    expect(all(os.path.exists(f"{ROOT}/{name}") for name in kept), "something is missing")
    expect("src/**/*_test.cpp" in lines, "a change of a test would compile all again")


@case
def the_sbom_names_every_file_and_package(bench):
    root = layout(bench)
    with open(f"{root}/{DOCS}/sbom.spdx.json") as file:
        sbom = json.load(file)
    for name in ("spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo", "packages", "files",
                 "relationships", "hasExtractedLicensingInfos"):
        expect(sbom.get(name) is not None, f"no {name}")
    expect((sbom["spdxVersion"], sbom["dataLicense"]) == ("SPDX-2.3", "CC0-1.0"), "another version")
    expect(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", sbom["creationInfo"]["created"]), "created")
    listed = {file["fileName"]: file for file in sbom["files"]}
    there = {"./" + path[len(root) + 1:] for path in glob.glob(f"{root}/**", recursive=True, include_hidden=True)
             if os.path.isfile(path) and f"/{DOCS}/" not in path}
    expect(listed.keys() == there, f"files: {listed.keys() ^ there}")
    for place, file in listed.items():
        with open(f"{root}/{place}", "rb") as content:
            digest = hashlib.sha256(content.read()).hexdigest()
        sums = {each["algorithm"]: each["checksumValue"] for each in file["checksums"]}
        expect(sums["SHA256"] == digest and len(sums["SHA1"]) == 40, place)
    relations(sbom)


def relations(sbom):
    """Each file is in one package, each package is named by another element, and every name is of something."""
    names = [sbom["SPDXID"]] + [each["SPDXID"] for each in sbom["packages"] + sbom["files"]]
    expect(len(names) == len(set(names)), "a name is given twice")
    expect(all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", name) for name in names), "a name that SPDX does not allow")
    ends = [(each["relationshipType"], each["spdxElementId"], each["relatedSpdxElement"]) for each in sbom["relationships"]]
    expect({end for _, *pair in ends for end in pair} == set(names), "relationships of what is not there, or none")
    contained = sorted(inner for kind, _, inner in ends if kind == "CONTAINS")
    expect(contained == sorted(each["SPDXID"] for each in sbom["files"]), "a file is in no package, or in two")


@case
def every_licence_is_known_and_its_text_is_there(bench):
    root = layout(bench)
    with open(f"{root}/{DOCS}/sbom.spdx.json") as file:
        sbom = json.load(file)
    with open(f"{root}/{DOCS}/licenses.txt") as file:
        text = file.read()
    own = {each["licenseId"] for each in sbom["hasExtractedLicensingInfos"]}
    for package in sbom["packages"]:
        name, licence = package["name"], package["licenseDeclared"]
        expect(licence != "NOASSERTION", f"{name}: no licence")
        expect({word for word in licence.split() if word.startswith("LicenseRef")} <= own, f"{name}: {licence} is not explained")
        expect(re.search(rf"^{re.escape(name)} +\S+ +{re.escape(licence)}", text, re.MULTILINE), f"{name} is not listed")
        expect(name == "api-key-rotator" or re.search(rf"^=+\n(?:.*, )?{re.escape(name)}(?:, .*)?\n=+\n", text, re.MULTILINE),
               f"{name}: no notice")
    for licence in ("LGPL-2.1", "GPL-3", "MPL-2.0", "Apache-2.0"):
        expect(f"\n{licence}\n=" in text, f"the text of {licence} is missing")


if __name__ == "__main__":
    sys.exit(main())
