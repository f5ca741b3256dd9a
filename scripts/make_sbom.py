#!/usr/bin/env python3
"""Writes what an image or archive is made of, into ROOT/usr/share/doc/api-key-rotator: sbom.spdx.json (SPDX 2.3) and
licenses.txt.

    scripts/make_sbom.py --root ROOT --binary BINARY [FILE...]

FILE: where on this machine the libraries in ROOT came from; Debian's records say to which packages they belong.
"""

import argparse
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import time

DOCS = "usr/share/doc/api-key-rotator"
COMPILED_IN = ["libcli11-dev", "libboost1.81-dev"]   # headers only, so that no library tells
# Where the copyright file is not for machines, or speaks of a whole source package of which we ship a library.
KNOWN = {
    "glibc": "LGPL-2.1-or-later", "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1", "c-ares": "MIT", "krb5": "MIT",
    "mariadb": "LGPL-2.1-or-later", "keyutils": "LGPL-2.0-or-later", "e2fsprogs": "MIT", "re2": "BSD-3-Clause",
    "libjwt": "MPL-2.0", "ca-certificates": "MPL-2.0", "prometheus-cpp": "MIT", "simdjson": "Apache-2.0",
    "postgresql-15": "PostgreSQL", "openssl": "Apache-2.0", "cli11": "BSD-3-Clause",
}
SPDX_NAMES = {
    "Expat": "MIT", "MIT": "MIT", "Apache-2.0": "Apache-2.0", "BSL-1.0": "BSL-1.0", "BSD-2-clause": "BSD-2-Clause",
    "BSD-3-clause": "BSD-3-Clause", "BSD-3-Clause": "BSD-3-Clause", "ISC": "ISC", "Zlib": "Zlib", "zlib": "Zlib",
    "MPL-2.0": "MPL-2.0", "LGPL-2.1+": "LGPL-2.1-or-later", "GPL-2": "GPL-2.0-only", "GPL-2+": "GPL-2.0-or-later",
    "PostgreSQL": "PostgreSQL",
}
LONGEST_NOTICE = 200_000   # Boost's file tells of each of its 70,000 sources


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def packages_of(paths):
    """{path: the Debian package that it came with, or None}.  Since /lib is /usr/lib a file may be recorded under either."""
    names = {}
    for path in paths:
        real = os.path.realpath(path)
        names.update(dict.fromkeys([path, real, real.removeprefix("/usr"), "/usr" + path], path))
    found = dict.fromkeys(paths)
    said = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True).stdout   # fails for those that are not
    for line in said.splitlines():
        packages, _, name = line.partition(": ")
        if name in names:
            found[names[name]] = packages.split(",")[0].split(":")[0]
    return found


def describe(package):
    """{name, version, arch, source, licence, notice}"""
    form = "${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n"
    version, arch, source, source_version = run("dpkg-query", "-W", "-f", form, package).splitlines()[0].split("\t")
    with open(f"/usr/share/doc/{package}/copyright", errors="replace") as file:
        notice = file.read()
    return {"name": package, "version": version, "arch": arch, "source": source, "source_version": source_version,
            "licence": KNOWN.get(source) or licence_of(notice), "notice": notice}


def paragraph_of_all(notice):
    """`Files: *` of a machine-readable copyright file, or ""."""
    if not re.match(r"Format: https?://www\.debian\.org/doc/packaging-manuals/copyright-format/", notice):
        return ""
    found = re.search(r"^Files:\s*\*\s*\n(?:.+\n)+", notice, re.MULTILINE)
    return found[0] if found else ""


def licence_of(notice):
    """As an SPDX expression, as far as Debian's words have one."""
    named = re.search(r"^License: *(.+)$", paragraph_of_all(notice), re.MULTILINE)
    if not named:
        return "NOASSERTION"
    words = re.split(r" (or|and) ", named[1].strip())
    known = [word.upper() if word in ("or", "and") else SPDX_NAMES.get(word) for word in words]
    if all(known):
        return " ".join(known)
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.-]+", "-", named[1].strip())


def sums(path):
    with open(path, "rb") as file:
        content = file.read()
    return [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(content).hexdigest()},
            {"algorithm": "SHA256", "checksumValue": hashlib.sha256(content).hexdigest()}]


def spdx_id(kind, name):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-")


def spdx_package(debian):
    return {
        "SPDXID": spdx_id("Package", debian["name"]), "name": debian["name"], "versionInfo": debian["version"],
        "supplier": "Organization: Debian", "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "sourceInfo": f"built from: {debian['source']} {debian['source_version']}",
        "licenseConcluded": "NOASSERTION", "licenseDeclared": debian["licence"], "copyrightText": "NOASSERTION",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": f"pkg:deb/debian/{debian['name']}@{debian['version']}?arch={debian['arch']}"}],
    }


def own_package(version, build):
    return {
        "SPDXID": "SPDXRef-Package-api-key-rotator", "name": "api-key-rotator", "versionInfo": f"{version} ({build})",
        "supplier": "NOASSERTION", "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "primaryPackagePurpose": "APPLICATION",
        "licenseConcluded": "MIT", "licenseDeclared": "MIT", "copyrightText": "NOASSERTION",
    }


def files_below(root):
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.relpath(folder, root) != DOCS and os.path.isfile(path) and not os.path.islink(path):
                yield path


def document(root, version, build, packages, origin):
    """`origin`: the package of a file's name; what has none is ours."""
    files, relations = [], [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                             "relatedSpdxElement": "SPDXRef-Package-api-key-rotator"}]
    for path in files_below(root):
        place = "./" + os.path.relpath(path, root)
        file = {"SPDXID": spdx_id("File", place[2:]), "fileName": place, "checksums": sums(path),
                "licenseConcluded": "NOASSERTION", "copyrightText": "NOASSERTION"}
        files.append(file)
        relations.append({"spdxElementId": spdx_id("Package", origin.get(os.path.basename(path), "api-key-rotator")),
                          "relationshipType": "CONTAINS", "relatedSpdxElement": file["SPDXID"]})
    for package in packages:
        kind = "STATIC_LINK" if package["name"] in COMPILED_IN else "DEPENDS_ON"
        relations.append({"spdxElementId": "SPDXRef-Package-api-key-rotator", "relationshipType": kind,
                          "relatedSpdxElement": spdx_id("Package", package["name"])})
    own = sorted({p["licence"]: p["name"] for p in packages if p["licence"].startswith("LicenseRef-")}.items())
    unique = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:32]
    made = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()), datetime.timezone.utc)
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"api-key-rotator-{version}-{build}",
        "documentNamespace": f"https://spdx.org/spdxdocs/api-key-rotator-{version}-{build}-{unique}",
        "creationInfo": {"created": made.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: make_sbom.py"]},
        "packages": [own_package(version, build), *map(spdx_package, packages)],
        "files": files, "relationships": relations,
        "hasExtractedLicensingInfos": [{"licenseId": name, "extractedText": f"See licenses.txt, {package}."}
                                       for name, package in own],
    }


def notice_of(package):
    if len(package["notice"]) < LONGEST_NOTICE:
        return package["notice"]
    text = paragraph_of_all(package["notice"])
    name = re.search(r"^License: *(\S+)", text, re.MULTILINE)[1]
    licence = re.search(rf"^License: {re.escape(name)}\n(?: .*\n)+", package["notice"], re.MULTILINE)
    return text + "\n" + (licence[0] if licence else "")


def licence_list(version, build, packages):
    """A table, then each notice once, then the licences that notices only point at."""
    rows = [f"{'api-key-rotator':28} {version:28} MIT (LICENSE)"]
    rows += [f"{p['name']:28} {p['version']:28} {p['licence']}" for p in packages]
    text = [f"api-key-rotator {version} ({build}) and what it is made of, as Debian packages it:\n", *rows]
    by_notice = {}
    for package in packages:
        by_notice.setdefault(notice_of(package), []).append(package["name"])
    for notice, names in by_notice.items():
        text += ["", "=" * 100, ", ".join(names), "=" * 100, notice.rstrip()]
    for name in sorted({common for p in packages for common in common_licences(p["licence"])}):
        with open(f"/usr/share/common-licenses/{name}") as file:
            text += ["", "=" * 100, name, "=" * 100, file.read().rstrip()]
    return "\n".join(text) + "\n"


def common_licences(expression):
    for name in re.findall(r"(?:L?GPL|Apache|MPL)-\d\.\d", expression):
        yield name.removesuffix(".0") if "GPL" in name else name


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", required=True)
    parser.add_argument("--binary", required=True, help="the program, as it runs here")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    version, build = re.fullmatch(r"api-key-rotator (\S+) \((\w+)\)\n", run(options.binary, "--version")).groups()
    origin = {os.path.basename(path): package for path, package in packages_of(options.files).items()}
    unknown = [name for name, package in origin.items() if package is None]
    if unknown:
        sys.exit(f"make_sbom: no package of Debian has {', '.join(unknown)}")
    origin["ca-certificates.crt"] = "ca-certificates"
    packages = [describe(name) for name in sorted({*origin.values(), *COMPILED_IN})]
    os.makedirs(f"{options.root}/{DOCS}", exist_ok=True)
    with open(f"{options.root}/{DOCS}/sbom.spdx.json", "w") as out:
        json.dump(document(options.root, version, build, packages, origin), out, indent=1)
    with open(f"{options.root}/{DOCS}/licenses.txt", "w") as out:
        out.write(licence_list(version, build, packages))


if __name__ == "__main__":
    main()
