#!/usr/bin/env python3
"""Generates `operations.tsv.gz`, the catalogue of GitHub's operations that is embedded in the crate.

    python3 providers/github/catalog/generate.py

Downloads the two packages below, in the pinned versions, with `npm pack` into a temporary folder. Names and paths come from
GitHub's own description of its REST API; of what a person does with their own account, and of what takes no permission, nothing
is kept. The description does not say which permission an operation takes: the second package does, for the operations that it
knows, and `RULES` below say the rest, after GitHub's page "Permissions required for GitHub Apps". Where the two disagree the
rules win and the run prints it, so that a change of either is read. To move to newer data, change the versions, run this, and
read the difference of `zcat operations.tsv.gz`. Needs the Python standard library and npm.

The table is text, one record a line, fields separated by tabs:

    source  package  version  date            where the data comes from
    op      name  level  where  permissions   an operation

`level` is L, R, T, W or P; `where` is `repo`, `org` or `enterprise`: what it acts on; `permissions` are alternatives divided by
`|`, each a list of `family=level` divided by `+` that are needed together. Sorted by name: the order of the numbers in the program.
"""

import gzip
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

OPENAPI = ("@octokit/openapi", "23.0.2")
PERMISSIONS = ("@octokit/app-permissions", "2.1.0")
# The packages do not say how old their data is; these are the days on which the registry says they were published.
OPENAPI_DATE = "2026-09-09"
PERMISSIONS_DATE = "2026-04-11"
HERE = pathlib.Path(__file__).parent

# Path below `/repos/{owner}/{repo}` or `/orgs/{org}` → family, or families for reading and for writing; the first that fits.
# A family may carry its level; `a|b` = either is enough, `a+b` = both are needed.
REPO = [
    (r"/actions/(organization-)?secrets", "secrets"),
    (r"/actions/(organization-)?variables", "actions_variables"),
    (r"/actions/oidc", "actions"),
    (r"/actions/(permissions|runners|retention|cache/(retention|storage))", "administration"),
    (r"/actions", "actions"),
    (r"/agents/(organization-)?secrets", "agent_secrets"),
    (r"/agents/(organization-)?variables", "agent_variables"),
    (r"/attestations", "attestations"),
    (r"/branches/\{branch\}/protection", "administration"),
    (r"/branches/\{branch\}/rename", "administration"),
    (r"/branches", "contents"),
    (r"/bypass-requests/push-rules", "contents"),
    (r"/bypass-(requests|responses)|/dismissal-requests", "administration"),
    (r"/check-(runs|suites)|/commits/\{ref\}/check-(runs|suites)", "checks"),
    (r"/code-scanning|/code-quality", "security_events"),
    (r"/code-security-configuration", "administration"),
    (r"/codeowners/errors", "contents"),
    (r"/codespaces/secrets", "codespaces_secrets"),
    (r"/codespaces", "codespaces"),
    (r"/collaborators", ("metadata", "administration")),
    (r"/commits/\{(commit_sha|ref)\}/(status|statuses)$|/statuses", "statuses"),
    (r"/comments|/commits/\{commit_sha\}/comments", ("metadata", "contents")),
    (r"/commits/\{commit_sha\}/pulls", "pull_requests"),
    (r"/(commits|compare|contents|git|merges|merge-upstream|readme|releases|tarball|zipball|dispatches|dependency-graph|license)", "contents"),
    (r"/copilot", "copilot_agent_settings"),
    (r"/dependabot/alerts", "vulnerability_alerts"),
    (r"/dependabot/secrets", "dependabot_secrets"),
    (r"/deployments", "deployments"),
    (r"/environments/\{environment_name\}/(secrets|variables)", "environments"),
    (r"/environments", ("actions", "administration")),
    (r"/forks", ("metadata", "administration")),
    (r"/hooks", "repository_hooks"),
    (r"/(issues|labels|milestones|assignees)", "issues|pull_requests"),
    (r"/import", "administration"),
    (r"/issue-types", "issues"),
    # An app's own, and a person's own.
    (r"/(installation|notifications)$", None),
    (r"/pages/(builds|deployments)", "pages"),
    (r"/pages", ("pages", "pages+administration")),
    (r"/projects", "repository_projects"),
    (r"/properties/values", ("metadata", "repository_custom_properties")),
    (r"/pulls/\{pull_number\}/merge", ("pull_requests", "contents")),
    (r"/(pulls|stacks)", "pull_requests"),
    (r"/rules/branches", "metadata"),
    (r"/rulesets/rule-suites", "administration"),
    (r"/rulesets/\{ruleset_id\}/history", "administration=write"),
    (r"/rulesets", ("metadata", "administration")),
    (r"/secret-scanning", "secret_scanning_alerts"),
    (r"/security-advisories", "repository_advisories"),
    (r"/topics", ("metadata", "administration")),
    (r"/(autolinks|automated-security-fixes|immutable-releases|interaction-limits|invitations|keys|private-vulnerability-reporting|tags/protection|teams|traffic|transfer|vulnerability-alerts|generate)", "administration"),
    (r"/(activity|codes?_of_conduct|community|contributors|events|languages|stargazers|stats|subscribers|subscription|tags|hash-algorithm|lfs)|$", ("metadata", "administration")),
]
ORG = [
    (r"/actions/(runners|runner-groups|hosted-runners)", "organization_self_hosted_runners"),
    (r"/actions/secrets", "organization_secrets"),
    (r"/actions/variables", "organization_actions_variables"),
    (r"/agents/secrets", "organization_agent_secrets"),
    (r"/agents/variables", "organization_agent_variables"),
    (r"/announcement", "organization_announcement_banners"),
    (r"/attestations", "attestations"),
    (r"/audit-log", "organization_administration"),
    (r"/blocks", "organization_user_blocking"),
    (r"/campaigns", "organization_campaigns"),
    (r"/(code-scanning|code-quality)", "security_events"),
    (r"/codespaces/secrets", "organization_codespaces_secrets"),
    (r"/codespaces", "organization_codespaces_settings"),
    (r"/copilot/(coding-agent|cloud-agent|content_exclusion)", "organization_copilot_agent_settings"),
    (r"/copilot/metrics", "organization_copilot_metrics"),
    (r"/(team/\{team_slug\}/)?copilot", "organization_copilot_seat_management"),
    (r"/(custom-repository-roles|custom_roles|repository-fine-grained-permissions)", "organization_custom_roles"),
    (r"/organization-roles/(teams|users)|/organization-roles/\{role_id\}/(teams|users)", "members"),
    (r"/(organization-roles|organization-fine-grained-permissions)", "organization_custom_org_roles"),
    (r"/dependabot/alerts", "vulnerability_alerts"),
    (r"/dependabot/secrets", "organization_dependabot_secrets"),
    (r"/events", "organization_events"),
    (r"/(failed_invitations|invitations|members|memberships|outside_collaborators|public_members|security-managers|team-sync|external-group)", "members"),
    (r"/teams/\{team_slug\}/repos/\{owner\}", ("members", "members+administration")),
    (r"/teams/\{team_slug\}/discussions", "team_discussions"),
    (r"/teams", "members"),
    (r"/hooks", "organization_hooks"),
    (r"/issue-(types|fields)", "organization_issue_types"),
    (r"/packages", "packages"),
    (r"/docker/conflicts", "packages"),
    (r"/personal-access-token-requests", "organization_personal_access_token_requests"),
    (r"/personal-access-tokens", "organization_personal_access_tokens"),
    (r"/private-registries", "organization_private_registries"),
    (r"/projects", "organization_projects"),
    (r"/properties", "organization_custom_properties"),
    (r"/repos", ("metadata", "administration")),
    (r"/rulesets/rule-suites", "organization_administration"),
    (r"/rulesets", "organization_administration=write"),
    (r"/secret-scanning/(alerts|pattern)", "secret_scanning_alerts"),
    (r"/security-advisories", "repository_advisories"),
    (r"/settings/network-configurations|/settings/network-settings", "organization_network_configurations"),
    (r"$", ("metadata", "organization_administration")),
    (r"", "organization_administration"),
]
# What git itself does, which is no operation of the REST API and yet what most credentials are for.
GIT = [
    ("git/fetch", "R", "repo", "contents=read"),
    ("git/push", "W", "repo", "contents=write"),
    ("git/push-workflow-files", "W", "repo", "contents=write+workflows=write"),
]
# Writing operations that change who may do what, or what stands before it.
PERMISSION_MANAGEMENT = re.compile(
    r"/repos/\{owner\}/\{repo\}/(actions/permissions|actions/runners|branches/\{branch\}/protection|bypass-requests|collaborators|"
    r"environments/\{environment_name\}($|/deployment)|invitations|keys|rulesets|tags/protection|teams|transfer|copilot)|"
    r"/orgs/\{org\}/(actions/(oidc|permissions|runners|runner-groups)|blocks|copilot/coding-agent|credential-authorizations|custom|"
    r"invitations|members/\{username\}$|memberships|organization-roles|outside_collaborators|personal-access|rulesets|security-managers|team|"
    r"settings|external-group)|/orgs/\{org\}$|/enterprises/"
)


def fetch(folder: pathlib.Path, package: tuple[str, str], files: list[str]) -> list:
    """The JSON files of a package."""
    quiet = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["npm", "pack", "--silent", "@".join(package)], **quiet)
    (tarball,) = folder.glob("*.tgz")
    with tarfile.open(tarball) as archive:
        found = [json.load(archive.extractfile(f"package/{file}")) for file in files]
    tarball.unlink()
    return found


def families(path: str, reads: bool) -> str | None:
    """The permissions that an operation takes by the rules; None = it is none of an organisation's."""
    for prefix, rules in (("/repos/{owner}/{repo}", REPO), ("/repos/{template_owner}/{template_repo}", REPO), ("/orgs/{org}", ORG)):
        if path == prefix or path.startswith(prefix + "/"):
            rest = path.removeprefix(prefix)
            break
    else:
        # Of an enterprise only what an organisation's own log depends on.
        if path.startswith("/enterprises/{enterprise}/audit-log"):
            return f"enterprise_administration={'read' if reads else 'write'}"
        return None
    for pattern, family in rules:
        if re.match(pattern, rest):
            if family is None:
                return None
            if isinstance(family, tuple):
                family = family[0 if reads else 1]
            level = "read" if reads else "write"
            either = [[one if "=" in one else f"{one}={level}" for one in both.split("+")] for both in family.split("|")]
            return "|".join("+".join(both) for both in either)
    sys.exit(f"no rule for {path}")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        described = fetch(folder, OPENAPI, ["generated/api.github.com.json", "generated/ghec.json"])
        (told,) = fetch(folder, PERMISSIONS, ["generated/api.github.com.json"])
    known: dict[str, set[str]] = {}
    for family, levels in told["permissions"].items():
        for level in ("read", "write"):
            for operation in levels.get(level, []):
                known.setdefault(operation, set()).add(f"{family}={level}")
    table = {name: row for name, *row in GIT}
    for description in described:
        for path, methods in description["paths"].items():
            for method, operation in methods.items():
                if not isinstance(operation, dict) or "operationId" not in operation or operation.get("deprecated"):
                    continue
                name = operation["operationId"]
                reads = method == "get"
                permissions = families(path, reads)
                if permissions is None or name in table:
                    continue
                said = known.get(f"{method.upper()} {path}")
                if said and not said & set(re.split(r"[|+]", permissions)):
                    print(f"{name}: {permissions} by the rules, {sorted(said)} by {PERMISSIONS[0]}", file=sys.stderr)
                if reads:
                    level = "L" if re.search(r"/(list|check)", name) else "R"
                else:
                    level = "P" if PERMISSION_MANAGEMENT.match(path) else "W"
                where = {"r": "repo", "o": "org", "e": "enterprise"}[path[1]]
                if path == "/orgs/{org}/repos":
                    where = "org"
                table[name] = [level, where, permissions]
    lines = [
        "\t".join(("source", *OPENAPI, OPENAPI_DATE)),
        "\t".join(("source", *PERMISSIONS, PERMISSIONS_DATE)),
    ]
    lines += ["\t".join(("op", name, *row)) for name, row in sorted(table.items())]
    data = gzip.compress(("\n".join(lines) + "\n").encode(), 9, mtime=0)
    (HERE / "operations.tsv.gz").write_bytes(data)
    print(f"{len(table)} operations, {len(data)} bytes")


main()
