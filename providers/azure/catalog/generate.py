#!/usr/bin/env python3
"""Generates `operations.tsv.gz`, the catalogue of Azure operations that is embedded in the crate.

    az role definition list --query "[?roleType=='BuiltInRole']" > roles.json
    python3 providers/azure/catalog/generate.py roles.json --version 2.80.0 --date 2026-08-22

Reads role definitions, as `az role definition list` or the REST API returns them, and takes from them every operation
that some role names without a wildcard. Only names are taken. `--package`, `--version` and `--date` say where the
definitions come from. To move to newer data, run this on newer definitions and read the difference of
`zcat operations.tsv.gz`. Needs the Python standard library.

The table is text, one record a line, fields separated by tabs:

    source     package  version  date    where the data comes from
    operation  name  plane               plane C (control: `actions`) or D (data: `dataActions`)

Operations are sorted by name without regard to case, control before data: the order of the numbers in the program.
"""

import argparse
import collections
import gzip
import json
import pathlib

HERE = pathlib.Path(__file__).parent
LISTS = {"actions": "C", "notActions": "C", "dataActions": "D", "notDataActions": "D"}


def operations(definitions: list) -> dict:
    """Plane and lower-case name to the spellings that occur, counted."""
    found = collections.defaultdict(collections.Counter)
    for definition in definitions:
        for block in definition.get("properties", definition)["permissions"]:
            for member, plane in LISTS.items():
                for text in block.get(member) or []:
                    name = text.strip()
                    if "/" in name and "*" not in name and not name.endswith("/"):
                        found[name.lower(), plane][name] += 1
    return found


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("definitions", type=pathlib.Path)
    arguments.add_argument("--package", default="az role definition list")
    arguments.add_argument("--version", required=True)
    arguments.add_argument("--date", required=True)
    given = arguments.parse_args()
    found = operations(json.loads(given.definitions.read_text()))
    lines = [f"source\t{given.package}\t{given.version}\t{given.date}"]
    for (_, plane), spellings in sorted(found.items()):
        # The commonest spelling; of equally common ones the first in the alphabet.
        name = min(spellings, key=lambda held: (-spellings[held], held))
        lines.append(f"operation\t{name}\t{plane}")
    packed = gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)
    (HERE / "operations.tsv.gz").write_bytes(packed)
    print(f"{len(lines) - 1} operations, {len(packed)} bytes")


if __name__ == "__main__":
    main()
