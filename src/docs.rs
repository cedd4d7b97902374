//! The generated reference: command line, fact tables, rules, schemas. A test holds `docs/` to it.

use std::fmt::Write;

use evenhand_model::finding::Dimension;
use evenhand_rules::facts::tables::TABLES;
use evenhand_rules::pack::{Providers, Rule, RuleSet};

use crate::cli::{self, SchemaOf};
use crate::cmd;

/// A generated file: its path below `docs/`, and its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The path, with `/`.
    pub path: String,
    /// The content.
    pub content: String,
    /// Whether it is the end of a page whose beginning people write: from the line on with which the content begins.
    pub ending: bool,
}

fn page(path: &str, content: String) -> Page {
    Page { path: path.to_owned(), content, ending: false }
}

/// All generated files, sorted by path.
pub fn pages() -> Vec<Page> {
    let rules = RuleSet::embedded().rules;
    let mut pages = vec![
        page("cli.md", command_line()),
        page("tables.md", tables()),
        page("providers/agents.md", agents()),
        page("rules/README.md", rule_index(&rules)),
        page("schema/report.json", schema(SchemaOf::Report)),
        page("schema/config.json", schema(SchemaOf::Config)),
        page("schema/tables.json", schema(SchemaOf::Tables)),
        page("schema/decide-aws.json", schema(SchemaOf::DecideAws)),
        page("schema/decide-azure.json", schema(SchemaOf::DecideAzure)),
        page("schema/decide-kubernetes.json", schema(SchemaOf::DecideKubernetes)),
        page("schema/decide-federation.json", schema(SchemaOf::DecideFederation)),
    ];
    pages.extend(rules.iter().map(|rule| page(&format!("rules/{}.md", rule.id.as_str()), rule_page(rule))));
    #[cfg(feature = "live")]
    pages.extend([
        page("providers/aws.md", live_aws()),
        Page { ending: true, ..page("providers/azure.md", live_azure()) },
        Page { ending: true, ..page("providers/github.md", live_github()) },
        Page { ending: true, ..page("providers/kubernetes.md", live_kubernetes()) },
    ]);
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    pages
}

/// Which agent clients are known, and what of them is read.
fn agents() -> String {
    format!(
        "# Agents\n\nGenerated from the program: the clients it knows, the files it reads of each, and the keys that decide. \
         How facts follow from them, what the rows are called and what cannot be seen: [the provider's own \
         page](../../providers/agents/README.md).\n\n\
         `evenhand scan agents` reads these files of the current folder and all folders in it, of the folders around it up to \
         the root of its work tree, where a client that is started here looks for them too, and of your home folder, and \
         nothing else; workflows are those below the current folder. \
         `evenhand scan agents DIR` reads every project below a folder, `--home DIR` another home folder, `--all-users` \
         all of them. Files that an administrator sets for the whole machine are read with your own home folder. Nothing \
         that is configured is started, and no address is opened.\n\n\
         ## Clients\n\n{}\n\
         ## Beside the clients\n\n\
         | file | what is read |\n|---|---|\n\
         | `.github/workflows/*.yml` | jobs that run an agent: Claude Code, Codex, Gemini CLI, Copilot, opencode, calls of \
         models, compiled agentic workflows (`*.lock.yml`); who may start them, the token, secrets in reach, checkouts, \
         approvals, credentials |\n\
         | `./.github/workflows/*.yml`, `./…/action.yml` in `uses:` | reusable workflows and composite actions of the same \
         repository: their agents have what the callers give; who else may call a workflow is not known |\n\
         | `.github/workflows/*.md` | sources of agentic workflows that are not compiled beside them |\n\
         | `copilot-setup-steps.yml` | the coding agent that the job prepares |\n\
         | `agent-card.json`, `agent.json` | A2A agent cards: provider, security schemes |\n\
         | `~/.aws/config`, `~/.aws/credentials`, or where `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` \
         lead | names of profiles, roles, permission sets and key ids; never a secret |\n\
         | `~/.kube/config`, or where `KUBECONFIG` leads | contexts, and the ServiceAccount, user with its groups, role or \
         profile behind each; never a token |\n\
         | environment files, kubeconfigs | those that a tool server names, under any name, where they lie in a source |\n",
        evenhand_agents::client_table()
    )
}

/// What is asked of AWS, and the rights that it takes.
#[cfg(feature = "live")]
fn live_aws() -> String {
    let policy = serde_json::to_string_pretty(&evenhand_aws::collect::policy(None)).unwrap_or_default();
    let role =
        serde_json::to_string_pretty(&evenhand_aws::collect::other_accounts("evenhand-audit")).unwrap_or_default();
    format!(
        "# AWS, live\n\nGenerated from the program: every call that `evenhand collect aws`, `scan aws` and `doctor aws` make, \
         and the rights that they take. All of them only read, and a test holds the calls, this page and the policy to \
         each other. How to run it: [live accounts](../guides/live-accounts.md). How answers are understood, also \
         those that you export yourself: [the provider's own page](../../providers/aws/README.md).\n\n\
         ## The policy to run with\n\n`evenhand doctor aws --print-policy` prints it. `sts:GetCallerIdentity` needs no \
         permission. The second statement is needed once: in the management account of the organisation or a delegated \
         administrator's.\n\n```json\n{policy}\n```\n\n\
         With `--all-accounts --role NAME` the identity that collects may also become that role in the other accounts; \
         `--print-policy --role NAME` adds the statement. It is the only operation that is no read call, and the \
         credentials that it brings are never written.\n\n```json\n{role}\n```\n\n\
         ## What is asked\n{}\n\
         ## What is not asked\n\n\
         - Policies of buckets, keys, queues, topics and secrets: thousands of calls. Export those that matter, as \
         [described](../../providers/aws/README.md); they are read.\n\
         - Findings of Access Analyzer, agent registries, flows, guardrails and knowledge bases of Bedrock, \
         SageMaker domains, Roles Anywhere.\n\
         - Earlier revisions of task definitions, versions of agents, functions and launch templates: the current one is \
         read, of launch templates the default one.\n\
         - Organisation policies that do not limit access, such as tag policies.\n\
         - Passwords and factors beyond the credential report.\n\
         - Who is a member of which group of Identity Center: an assignment to a group names the group, not its members.\n\
         - Which operations were used last, for other roles than those that agent services may assume.\n",
        evenhand_aws::collect::calls_table()
    )
}

/// What is asked of Azure, and the rights that it takes.
#[cfg(feature = "live")]
fn live_azure() -> String {
    use evenhand_azure::collect::{calls_table, permissions};
    let permissions = serde_json::to_string_pretty(&permissions()).unwrap_or_default();
    format!(
        "## Live\n\nGenerated from the program: every call that `evenhand collect azure`, `scan azure` and `doctor azure` \
         make, and the rights that they take. All of them only read. Objects of the directory are asked about in batches of \
         20, which go as one `POST` to `/v1.0/$batch`. How to run it: [live accounts](../guides/live-accounts.md#azure).\n\n\
         ### The rights to run with\n\n`evenhand doctor azure --print-permissions` prints them: application permissions \
         of Microsoft Graph, and a role in Azure.\n\n```json\n{permissions}\n```\n\n\
         ### What is asked\n{}\n\
         ### What is not asked\n\n\
         - Keys: no call lists any. That local authentication is not switched off tells that they work.\n\
         - Other properties of resources than whether keys work, whether the network is open, and who may do what with a \
         key vault; settings of apps may hold secrets.\n\
         - What connections of AI projects lead to, and their secrets.\n\
         - Sign-ins one by one (`/auditLogs/signIns`): the report tells when each application signed in last, in one list.\n\
         - Single risk detections, cards and addresses of agents in the registry: who is at risk and who is registered is \
         told by the lists.\n\
         - `transitiveRoleAssignments` of the directory: members of groups are asked for, and roles follow from them.\n\
         - `appRoleAssignedTo` of other applications than Microsoft Graph: `appRoleAssignments` of each holder tells the \
         same.\n\
         - Policies for credentials of single applications (`appManagementPolicies`): only the tenant's own is.\n\
         - Notes of applications, which may hold anything.\n",
        calls_table()
    )
}

/// What is asked of GitHub, and the permissions that it takes.
#[cfg(feature = "live")]
fn live_github() -> String {
    use evenhand_github::collect::{calls_table, permissions};
    let permissions = serde_json::to_string_pretty(&permissions()).unwrap_or_default();
    format!(
        "## Live\n\nGenerated from the program: every call that `evenhand collect github`, `scan github` and `doctor github` \
         make, and the permissions that they take. All of them are `GET`s, but for the token that an app makes for its own \
         installation. How to run it: [live accounts](../guides/live-accounts.md#github).\n\n\
         ### The permissions to run with\n\n`evenhand doctor github --print-permissions` prints them, with the names that \
         GitHub uses in an app's registration and in its refusals. The second part allows to write: GitHub names those who \
         may bypass a ruleset to nobody else. A classic token has no smaller scopes than the third part says.\n\n\
         ```json\n{permissions}\n```\n\n\
         ### What is asked\n{}\n\
         ### What is not asked\n\n\
         - Code, but for workflow files of the default branch. Settings of agents that lie in repositories are read from a \
         checkout by `evenhand scan agents`.\n\
         - Issues, pull requests, runs, logs and artifacts.\n\
         - Entries of the audit log: one is asked for, to see whether it can be read.\n\
         - Tasks of agents: they hold what people wrote.\n\
         - Protection of other branches than the default one; rulesets are read whole.\n\
         - Which repositories an app reaches that is not installed in all of them: GitHub tells that to the app and to \
         people who sign in with one; for others it is a gap.\n",
        calls_table()
    )
}

/// What is asked of Kubernetes clusters, and the rights that it takes.
#[cfg(feature = "live")]
fn live_kubernetes() -> String {
    use evenhand_kubernetes::collect::{calls_table, role, secrets_role};
    format!(
        "## Live\n\nGenerated from the program: every call that `evenhand collect kubernetes`, `scan kubernetes` and \
         `doctor kubernetes` make, and the rights that they take. All of them are `GET`s of lists and single objects, and \
         a test holds the calls, this page and the roles to each other. How to run it: \
         [live accounts and clusters](../guides/live-accounts.md).\n\n\
         ### The roles to run with\n\n`evenhand doctor kubernetes --print-role` prints them. `/version`, `/api` and \
         `/apis` need no role: every server lets those who sign in read them. Groups of extensions are listed whole, \
         where the server has them.\n\n```yaml\n{}```\n\n\
         For `--secrets` one more. Whoever holds it can read the values of all Secrets, because RBAC knows no right to \
         their metadata alone; evenhand asks for metadata only. `--print-role --secrets` adds it.\n\n```yaml\n{}```\n\n\
         ### What is asked\n\n{}\n\
         ### What is not asked\n\n\
         - Values of Secrets, and other ConfigMaps than the two above.\n\
         - Logs, events, metrics, `watch`, and anything through the API server's proxy.\n\
         - Definitions of custom resources: discovery tells what is served.\n\
         - The audit policy, which is a file of the API server.\n",
        role(),
        secrets_role(),
        calls_table()
    )
}

fn schema(of: SchemaOf) -> String {
    // A value always serialises.
    serde_json::to_string_pretty(&cmd::schema_of(of)).unwrap_or_default() + "\n"
}

fn command_line() -> String {
    let mut text =
        "# Command line\n\nGenerated from the program: `evenhand <command> --help` says the same. Exit codes \
                    in detail: [exit-codes.md](exit-codes.md).\n"
            .to_owned();
    let mut command = cli::command().term_width(100);
    command.build();
    section(&command, true, &mut text);
    text
}

/// A command's help. The options of every command are told once, with the first.
fn section(command: &clap::Command, first: bool, text: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let shown = command.clone().term_width(100).mut_args(|argument| {
        let told = argument.is_global_set() && !first;
        // A variable that happens to be set here is no part of the reference.
        let argument = argument.hide_env_values(true);
        if told { argument.hide(true) } else { argument }
    });
    let help = shown.clone().render_long_help().to_string();
    let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    let _ = write!(text, "\n## {name}\n\n```text\n{}\n```\n", help.join("\n"));
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        section(verb, false, text);
    }
}

fn tables() -> String {
    let mut text =
        "# Fact tables\n\nThe public schema: what rules read, what JSON and CSV hold. Unknown is NULL; a known \
                    absence is a value of its own, most often in a boolean beside the value. Columns are only ever \
                    added.\n"
            .to_owned();
    for table in TABLES {
        let _ = write!(
            text,
            "\n## {}\n\nOne row per {}.\n\n| column | type | NULL | meaning |\n|---|---|---|---|\n",
            table.name, table.row
        );
        for column in table.columns {
            let null = if column.nullable { "unknown" } else { "never" };
            let _ = writeln!(text, "| `{}` | {} | {null} | {} |", column.name, column.kind.as_str(), cell(column.doc));
        }
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn rule_index(rules: &RuleSet) -> String {
    let mut text = format!(
        "# Rules\n\nThe {} rules of the pack, by dimension. `evenhand rules list` says the same.\n",
        rules.len()
    );
    for dimension in Dimension::ALL {
        let of: Vec<&Rule> = rules.iter().filter(|rule| rule.dimension == dimension).collect();
        if of.is_empty() {
            continue;
        }
        let _ = write!(text, "\n## {dimension}\n\n| rule | severity | |\n|---|---|---|\n");
        for rule in of {
            let id = rule.id.as_str();
            let _ = writeln!(text, "| [{id}]({id}.md) | {} | {} |", rule.severity, cell(&rule.title));
        }
    }
    text
}

fn rule_page(rule: &Rule) -> String {
    let providers = match &rule.providers {
        Providers::All => "all".to_owned(),
        Providers::Some(names) => names.join(", "),
    };
    let mut text = format!(
        "# {}\n\n`{}` · {} · {} · since {} · providers: {providers}\n",
        rule.title, rule.id, rule.severity, rule.dimension, rule.since
    );
    for (heading, content) in [
        ("What is looked at", &rule.docs.what),
        ("Why it matters", &rule.docs.why),
        ("How to put it right", &rule.docs.fix),
    ] {
        let _ = write!(text, "\n## {heading}\n\n{}\n", content.trim());
    }
    let table = rule.table.name;
    let _ = write!(
        text,
        "\n## Predicate\n\nOver [`{table}`](../tables.md#{table}): TRUE fails, FALSE passes, NULL is unknown.\n\n\
         ```sql\n{}\n```\n",
        rule.predicate.trim()
    );
    if let Some(applies) = &rule.applies_to {
        let _ = write!(text, "\nApplies to rows where\n\n```sql\n{}\n```\n", applies.trim());
    }
    if !rule.params.is_empty() {
        let _ = write!(text, "\n| parameter | default |\n|---|---|\n");
        for param in &rule.params {
            let _ = writeln!(text, "| `{}` | {} |", param.name, cell(&param.default.text()));
        }
    }
    if !rule.frameworks.is_empty() {
        let _ = write!(text, "\n## Frameworks\n\n| framework | id | why |\n|---|---|---|\n");
        for entry in &rule.frameworks {
            let _ = writeln!(text, "| {} | {} | {} |", entry.framework, entry.id, cell(&entry.why));
        }
    }
    let _ = write!(text, "\n## Cases\n\n| case | gives |\n|---|---|\n");
    for case in &rule.cases {
        let _ = writeln!(text, "| {} | {} |", cell(&case.name), case.expect.as_str());
    }
    text
}
