#!/usr/bin/env python3
"""Generates `graph.tsv.gz`, the permissions of Microsoft Graph that are embedded in the crate.

    python3 providers/azure/catalog/permissions.py provisioningInfo.json --version 6cbd6bbd665a --date 2026-08-07

Reads `permissions/new/provisioningInfo.json` of microsoftgraph/microsoft-graph-devx-content (MIT), from which Microsoft
makes its permissions reference, and takes names and ids. `--version` and `--date` say which commit it is. Permissions that
are hidden are left out, but for those that `src/catalog/tier0.rs` names. To move to newer data, run this on a newer file and
read the difference of `zcat graph.tsv.gz`. Needs the Python standard library.

The file names for each permission the service behind it. What grants it is always Microsoft Graph itself, so that column is
not taken: `permissions.json` in the npm package @microsoft/teamsfx-core 3.1.3, which is Microsoft Graph's service principal
as a tenant holds it, has the same ids.

The table is text, one record a line, fields separated by tabs; `-` = there is none:

    source      package  version  date           where the data comes from
    permission  name     application  delegated  the ids of the two kinds
"""

import argparse
import gzip
import json
import pathlib
import re

HERE = pathlib.Path(__file__).parent
PACKAGE = "microsoftgraph/microsoft-graph-devx-content permissions/new/provisioningInfo.json"
KINDS = {"Application": 0, "DelegatedWork": 1}
# Names that the file still has beside newer ones with the same ids.
RENAMED = {"CloudApp-Disc.Read.All"}
# One id of the file is mistyped; such a one is left out.
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def wanted() -> set:
    """The permissions that the program asks about by name."""
    text = (HERE.parent / "src/catalog/tier0.rs").read_text()
    return set(re.findall(r'(?<!_)permission\(\s*"([^"]+)"', text))


def permissions(deployments: dict) -> dict:
    """Name to the ids of both kinds."""
    found, named, owners = {}, wanted(), {}
    for name, rows in deployments.items():
        if name in RENAMED:
            continue
        for row in rows:
            kind, id = KINDS.get(row["scheme"]), row.get("id")
            shown = not row.get("isHidden") and "public" in row.get("environment", "")
            if kind is None or not ID.fullmatch(id or "") or not row.get("isEnabled") or not (shown or name in named):
                continue
            ids = found.setdefault(name, ["-", "-"])
            if ids[kind] not in ("-", id):
                raise SystemExit(f"{name} has two ids of one kind: {ids[kind]} and {id}")
            if owners.setdefault((id, kind), name) != name:
                raise SystemExit(f"{id} is the id of {owners[id, kind]} and of {name}")
            ids[kind] = id
    missing = named - found.keys()
    if missing:
        raise SystemExit(f"not in the file: {', '.join(sorted(missing))}")
    return found


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("deployments", type=pathlib.Path)
    arguments.add_argument("--package", default=PACKAGE)
    arguments.add_argument("--version", required=True)
    arguments.add_argument("--date", required=True)
    given = arguments.parse_args()
    found = permissions(json.loads(given.deployments.read_text())["permissionDeployments"])
    lines = [f"source\t{given.package}\t{given.version}\t{given.date}"]
    for name in sorted(found, key=str.lower):
        lines.append("\t".join(["permission", name, *found[name]]))
    packed = gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)
    (HERE / "graph.tsv.gz").write_bytes(packed)
    print(f"{len(lines) - 1} permissions, {len(packed)} bytes")


if __name__ == "__main__":
    main()
