//! Who signs in with an account: a person, or software, by the configuration, by what GitHub calls it, or by its name.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::inventory::Hint;
use evenhand_model::provider::ReadOptions;
use evenhand_model::words::words;

use super::Join;
use super::gaps::joined_with_and;
use crate::documents::people::Account;
use crate::documents::told::{At, Told};
use crate::facts::Facts;

/// What says that software signs in with an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Machine {
    Configured,
    Bot,
    /// A word of its name.
    Named(String),
}

impl Join<'_> {
    /// Whether software signs in with an account, and what says so.
    pub(super) fn machine(&self, account: &Account) -> Option<Machine> {
        if configured(self.options).any(|login| login.eq_ignore_ascii_case(&account.login)) {
            return Some(Machine::Configured);
        }
        if account.kind.as_deref() == Some("Bot") {
            return Some(Machine::Bot);
        }
        match of_login(&account.login, &self.owner.name) {
            Login::Machine(word) => Some(Machine::Named(word)),
            Login::Either(_) | Login::Silent => None,
        }
    }

    /// Names accounts that may be machines by their names, and are taken for people.
    pub(super) fn hint_undecided(&mut self, accounts: &[&At<Account>]) {
        let Some(first) = accounts.first() else { return };
        let mut names: Vec<String> =
            accounts.iter().take(NAMED).map(|account| format!("`{}`", account.login)).collect();
        if accounts.len() > NAMED {
            names.push(format!("{} more", accounts.len() - NAMED));
        }
        let message = format!(
            "by their names these may be machines, and are taken for people: {}; name those that software signs in with in \
             `machine_users` under `[providers.github]`",
            names.join(", ")
        );
        self.hint(first.at.clone(), message);
    }
}

/// So many accounts are named in a hint: whoever settles them needs all of their names.
const NAMED: usize = 50;

/// The logins of machine users that the configuration names.
fn configured(options: &ReadOptions) -> impl Iterator<Item = &str> {
    let list = options.settings.get("machine_users").into_iter();
    list.flat_map(|list| list.split(',')).map(str::trim).filter(|login| !login.is_empty())
}

/// What to tell of logins that the configuration calls machine users and that nobody has who was read; `None` = all were
/// found, or no list of people was read.
pub(super) fn unmatched(facts: &Facts, options: &ReadOptions) -> Option<Hint> {
    let lists = facts.owners.values().flat_map(|owner| {
        let of_repositories = owner.repositories.values().map(|repository| &repository.collaborators);
        [&owner.owners, &owner.members, &owner.outside_collaborators].into_iter().chain(of_repositories)
    });
    let known: BTreeMap<String, &At<Account>> =
        lists.flat_map(Told::all).map(|account| (account.login.to_lowercase(), account)).collect();
    let (_, first) = known.first_key_value()?;
    let missing: Vec<String> = configured(options)
        .filter(|login| !known.contains_key(&login.to_lowercase()))
        .map(|login| format!("`{login}`"))
        .collect();
    let which = match missing.len() {
        0 => return None,
        1 => "which is no member and no collaborator that was read",
        _ => "which are no members and no collaborators that were read",
    };
    let named = joined_with_and(&missing);
    Some(Hint {
        evidence: Evidence::whole(Arc::clone(&first.at.document)),
        message: format!("`machine_users` in `[providers.github]` names {named}, {which}; check the spelling").into(),
    })
}

/// What an account's name says of who signs in with it: circumstantial, and stronger than that the account is one like any
/// other, which GitHub says of all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Login {
    /// A machine, by this word.
    Machine(String),
    /// A machine by this word, or a person: it is a trade, a name, or stands beside what may be one.
    Either(String),
    /// Nothing.
    Silent,
}

/// Words that machines are given and people hardly are.
const MACHINES: &[&str] = &["bot", "bots", "chatbot", "ci", "cicd", "dependabot", "gha", "robot", "robots", "svc"];

/// Words that machines are given, and that are also trades, names of people, or what somebody likes.
const TRADES: &[&str] = &[
    "actions",
    "agent",
    "agents",
    "argocd",
    "automation",
    "automations",
    "build",
    "builder",
    "circleci",
    "codex",
    "copilot",
    "deploy",
    "deployer",
    "gpt",
    "jenkins",
    "llm",
    "machine",
    "pipeline",
    "renovate",
    "runner",
    "service",
    "sync",
    "teamcity",
    "terraform",
];

/// Words that stand beside those in the names of machines, and in no name of a person.
const BESIDE: &[&str] = &[
    "account",
    "admin",
    "api",
    "app",
    "auto",
    "aws",
    "azure",
    "backup",
    "cd",
    "cloud",
    "cluster",
    "data",
    "dev",
    "devops",
    "docker",
    "docs",
    "format",
    "gcp",
    "gh",
    "git",
    "github",
    "gitlab",
    "gitops",
    "helm",
    "infra",
    "integration",
    "k8s",
    "key",
    "keys",
    "kubernetes",
    "lint",
    "merge",
    "mirror",
    "nightly",
    "npm",
    "ops",
    "org",
    "platform",
    "publish",
    "push",
    "release",
    "releases",
    "repo",
    "review",
    "scan",
    "security",
    "sonar",
    "sre",
    "team",
    "test",
    "update",
    "user",
    "version",
    "web",
    "webhook",
    "workflow",
];

/// Environments and regions, which stand likewise.
const PLACES: &[&str] = &[
    "ap",
    "apac",
    "emea",
    "eu",
    "live",
    "preprod",
    "prod",
    "production",
    "qa",
    "sandbox",
    "stage",
    "staging",
    "stg",
    "uat",
    "uk",
    "us",
];

/// Names of people, and words, that end like a machine.
const NAMED_BOT: &[&str] = &[
    "abbot",
    "barbot",
    "cabot",
    "chabot",
    "corbot",
    "guillebot",
    "jabot",
    "lebot",
    "ribot",
    "sabot",
    "talbot",
    "tebbot",
    "thibot",
    "turbot",
];

/// What a login says. `owner`: whose name some have in it, as in `acmebot`.
///
/// Words stand between hyphens; letters in capitals divide a name only where all of it is known (`AcmeBot`, and not `LuCi`).
/// What stands behind `_` is the short code of an enterprise that manages its accounts ("About Enterprise Managed Users").
/// What sounds like a machine beside what nobody here knows may be a person's name: `jan-bot`, `maria-ci`, `rochambot`.
pub(super) fn of_login(login: &str, owner: &str) -> Login {
    // Apps alone have brackets in theirs.
    if login.ends_with("[bot]") {
        return Login::Machine("bot".to_owned());
    }
    let login = login.rsplit_once('_').map_or(login, |(name, _)| name);
    let owned = words(owner);
    let owner = owner.to_lowercase();
    let is_known = |word: &str| {
        word == owner || BESIDE.contains(&word) || PLACES.contains(&word) || owned.iter().any(|part| part == word)
    };
    let is_word = |word: &str| MACHINES.contains(&word) || TRADES.contains(&word);
    // As in `releasebot` and `ghactions`.
    let is_joined = |word: &str| {
        let mut stems = MACHINES.iter().chain(TRADES).filter_map(|end| word.strip_suffix(*end));
        !is_word(word) && !NAMED_BOT.contains(&word) && stems.any(|stem| is_known(stem) || is_word(stem))
    };
    let all_known = |parts: &[String]| parts.iter().all(|part| is_known(part) || is_word(part) || is_joined(part));
    let found = |parts: &[String]| {
        let exact = parts.iter().find(|part| is_word(part));
        exact.or_else(|| parts.iter().find(|part| is_joined(part))).cloned()
    };
    for parts in [numberless(words(login)), numberless(divided(login))] {
        if let Some(word) = found(&parts).filter(|_| all_known(&parts)) {
            return Login::Machine(word);
        }
    }
    let parts = numberless(divided(login));
    let Some(word) = found(&parts) else {
        let short = parts.into_iter().find(|part| stem(part).is_some() && !NAMED_BOT.contains(&part.as_str()));
        return short.map_or(Login::Silent, Login::Either);
    };
    match parts.as_slice() {
        [.., before, last] if MACHINES.contains(&last.as_str()) && is_known(before) => Login::Machine(last.clone()),
        // No person is in production.
        [.., bot, last] if bot == "bot" && PLACES.contains(&last.as_str()) => Login::Machine(bot.clone()),
        [.., last] if stem(last).is_some() && is_joined(last) => Login::Machine(last.clone()),
        _ => Login::Either(word),
    }
}

/// What stands before `bot` in one word.
fn stem(word: &str) -> Option<String> {
    word.strip_suffix("bot").filter(|stem| !stem.is_empty()).map(str::to_owned)
}

/// The words of a login between its marks, in lower case.
fn divided(login: &str) -> Vec<String> {
    let parts = login.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect()
}

/// Words without the number at their end; those that are numbers are gone.
fn numberless(words: Vec<String>) -> Vec<String> {
    let bare = |word: String| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    words.into_iter().map(bare).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_a_machines_by_its_words_and_undecided_where_it_may_be_a_persons_name() {
        let machine = |word: &str| Login::Machine(word.to_owned());
        let either = |word: &str| Login::Either(word.to_owned());
        for (login, expected) in [
            ("acme-ci", machine("ci")),
            ("AcmeBot", machine("bot")),
            ("acmebot", machine("acmebot")),
            ("acme-bot2", machine("bot")),
            ("svc_github", machine("svc")),
            ("svc-sync", machine("svc")),
            ("dependabot[bot]", machine("bot")),
            ("release-agent", machine("agent")),
            ("deploybot", machine("deploybot")),
            ("releasebot", machine("releasebot")),
            ("githubbot", machine("githubbot")),
            ("shop-releasebot", machine("releasebot")),
            ("jenkins1", machine("jenkins")),
            ("ci2", machine("ci")),
            ("ci_acme", machine("ci")),
            ("payments-api-ci", machine("ci")),
            ("acme-eu-ci", machine("ci")),
            ("platform-bot-eu", machine("bot")),
            ("sre-bot-prod", machine("bot")),
            ("checkout-bot-prod", machine("bot")),
            ("prod-deploy-eu", machine("deploy")),
            ("renovate-acme", machine("renovate")),
            ("acme-renovate", machine("renovate")),
            ("ghactions", machine("ghactions")),
            ("k8sdeployer", machine("k8sdeployer")),
            ("deploy-key", machine("deploy")),
            ("autobuild", machine("autobuild")),
            ("team-sync", machine("sync")),
            ("acme-automations", machine("automations")),
            ("acme-github-actions", machine("actions")),
            ("gha", machine("gha")),
            ("k8s-sync", machine("sync")),
            // A trade or a name beside what may be a person's.
            ("ci-smith", either("ci")),
            ("john-build", either("build")),
            ("service-ann", either("service")),
            ("agent-smith", either("agent")),
            ("terraform-jane", either("terraform")),
            ("codex-fan", either("codex")),
            ("bob-runner", either("runner")),
            ("builder-bob", either("builder")),
            ("katy-jenkins", either("jenkins")),
            ("jan-bot", either("bot")),
            ("yann-le-bot", either("bot")),
            ("smith-bots", either("bots")),
            ("maria-ci", either("ci")),
            ("payments-ci", either("ci")),
            ("jean-robot", either("robot")),
            ("jan-bot-acme", either("bot")),
            ("hubot", either("hubot")),
            ("rochambot", either("rochambot")),
            ("katelynbot", either("katelynbot")),
            ("LuCi", Login::Silent),
            ("luci", Login::Silent),
            ("cindy", Login::Silent),
            ("talbot", Login::Silent),
            ("ann-talbot", Login::Silent),
            ("cabot7", Login::Silent),
            ("claude-martin", Login::Silent),
            ("acme", Login::Silent),
            ("ann_ci", Login::Silent),
            ("alice-acme", Login::Silent),
            ("42", Login::Silent),
        ] {
            assert_eq!(of_login(login, "Acme"), expected, "{login}");
        }
    }
}
