//! What is not in the capture, account by account, and which call would bring it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::gap::Subject::{
    Access, Credentials, Escalation, Logs, Nature, Record, Trust, Use, Users, Workload,
};
use evenhand_model::gap::{Gap, GapKind, Lost};
use evenhand_model::id::{IdentityId, ScopeId};

use super::Join;
use super::arn::Arn;
use super::organisation::Limits;
use crate::documents::form::Form;
use crate::provider::NAME;
use crate::world::AccountId;

/// Evidence that an account needs: any one of the calls brings it.
struct Wanted {
    any_of: &'static [Form],
    command: &'static str,
    facts: Lost,
}

const WANTED: &[Wanted] = &[
    Wanted {
        any_of: &[Form::CredentialReport, Form::AccessKeys],
        command: "aws iam generate-credential-report && aws iam get-credential-report",
        facts: Lost::of("passwords, factors, access keys and their last use", &[Credentials, Use]),
    },
    Wanted {
        any_of: &[Form::ServiceCredentials],
        command: "aws iam list-service-specific-credentials --all-users",
        facts: Lost::of("long-term keys for Bedrock and other services", &[Credentials]),
    },
    Wanted {
        any_of: &[Form::BedrockAgents, Form::BedrockAgent],
        command: "aws bedrock-agent list-agents, then aws bedrock-agent get-agent for each",
        facts: Lost::of("Bedrock agents and the roles they act as", &[Nature, Users]),
    },
    Wanted {
        any_of: &[Form::AgentRuntimes, Form::AgentRuntime, Form::Gateways, Form::Gateway],
        command: "aws bedrock-agentcore-control list-agent-runtimes, then get-agent-runtime for each",
        facts: Lost::of("AgentCore runtimes and gateways and the roles they act as", &[Nature, Users]),
    },
    Wanted {
        any_of: &[Form::Functions, Form::Function, Form::FunctionWithCode],
        command: "aws lambda list-functions",
        facts: Lost::of(
            "functions, their roles and the secrets in their environment",
            &[Users, Workload, Credentials, Nature, Escalation],
        ),
    },
    Wanted {
        any_of: &[Form::Trails],
        command: "aws cloudtrail describe-trails, then get-trail-status and get-event-selectors for each",
        facts: Lost::of("audit logs", &[Logs]),
    },
    Wanted {
        any_of: &[Form::InvocationLogging],
        command: "aws bedrock get-model-invocation-logging-configuration",
        facts: Lost::of("whether what agents ask of models is logged", &[Logs]),
    },
];

/// At most this many names are printed of a long list.
const NAMED: usize = 5;

impl Join {
    /// Writes down what is missing.
    pub(super) fn gaps(&mut self, limits: &Limits) {
        let mut read: BTreeSet<(AccountId, Form)> = BTreeSet::new();
        for asked in &self.facts.answers {
            let account = asked.account.clone().or_else(|| self.accounts.near(&asked.document));
            read.extend(account.map(|account| (account, asked.form)));
        }
        // A call that was made in vain has a gap of its own, with the true reason.
        let mut refused: BTreeSet<(AccountId, Form)> = BTreeSet::new();
        for asked in &self.facts.refused {
            let form = if asked.form == Form::ReportRequest { Form::CredentialReport } else { asked.form };
            let account = asked.account.clone().or_else(|| self.accounts.near(&asked.document));
            refused.extend(account.map(|account| (account, form)));
        }
        // What names its account inside.
        let said = |accounts: Vec<Option<AccountId>>, form: Form, read: &mut BTreeSet<(AccountId, Form)>| {
            read.extend(accounts.into_iter().flatten().map(|account| (account, form)));
        };
        let facts = &self.facts;
        said(facts.report.iter().map(|held| held.account.clone()).collect(), Form::CredentialReport, &mut read);
        said(facts.agents.iter().map(|held| held.account.clone()).collect(), Form::BedrockAgent, &mut read);
        let functions = facts.placed.iter().filter(|held| held.it.kind == Some("function"));
        said(functions.map(|held| held.account.clone()).collect(), Form::Function, &mut read);
        for log in &self.made.inventory.logs {
            if log.name.starts_with("arn:") {
                read.insert((AccountId(log.scope.shared()), Form::Trails));
            }
        }
        let described: Vec<AccountId> = self.accounts.described().iter().cloned().collect();
        for account in &described {
            for wanted in WANTED {
                let held = |forms: &BTreeSet<(AccountId, Form)>| {
                    wanted.any_of.iter().any(|form| forms.contains(&(account.clone(), *form)))
                };
                if held(&read) || held(&refused) {
                    continue;
                }
                self.not_collected(&account.0, wanted.command, "not part of the capture", wanted.facts.clone());
            }
        }
        self.organisation_gaps(limits, &described);
        self.undescribed_gaps(&refused);
        self.policy_gaps();
        self.report_gaps();
        self.page_gaps(&described);
        self.list_gaps(&described);
        let undescribed = std::mem::take(&mut self.carried.undescribed);
        for (account, names) in undescribed {
            let reason = format!("listed but not described: {}", some(names.iter().map(|name| &**name)));
            let call = "aws bedrock-agent get-agent, aws bedrock-agentcore-control get-agent-runtime or get-gateway, \
                        aws qbusiness get-application";
            let facts = Lost::of("the roles these agents act as", &[Nature, Users]);
            self.not_collected(&account.0, call, &reason, facts);
        }
    }

    fn not_collected(&mut self, account: &Arc<str>, call: &str, reason: &str, facts: Lost) {
        self.made.inventory.gaps.push(Gap {
            provider: Some(NAME),
            scope: Some(ScopeId::new(Arc::clone(account))),
            kind: GapKind::NotCollected,
            call: Arc::from(call),
            reason: format!("{reason}; run the call and add its output").into(),
            facts: vec![facts],
        });
    }

    fn organisation_gaps(&mut self, limits: &Limits, described: &[AccountId]) {
        let nothing = self.facts.organisation.management.is_none()
            && self.facts.organisation.accounts.is_empty()
            && self.facts.organisation.parents.is_empty()
            && self.facts.organisation.policies.is_empty();
        for (account, missing) in &limits.missing {
            if nothing {
                self.not_collected(
                    &account.0,
                    "aws organizations describe-organization, list-accounts, list-roots, list-parents, \
                     list-policies-for-target, describe-policy",
                    "no document of the organisation is part of the capture",
                    Lost::of(
                        "service and resource control policies, and which accounts are third parties",
                        &[Access, Trust, Record],
                    ),
                );
            } else {
                let calls: Vec<String> = missing.iter().take(NAMED).map(|call| format!("aws {call}")).collect();
                let more = missing.len().saturating_sub(NAMED);
                let mut call = calls.join(", ");
                if more > 0 {
                    call = format!("{call} and {more} more");
                }
                self.not_collected(
                    &account.0,
                    &call,
                    "not part of the capture",
                    Lost::of("service and resource control policies on this account", &[Access]),
                );
            }
        }
        let unread: Vec<(AccountId, Arc<str>)> = self
            .facts
            .organisation
            .accounts
            .iter()
            .filter(|(account, held)| {
                !described.contains(account) && held.active != evenhand_model::evidence::Fact::Known(false)
            })
            .map(|(account, held)| (account.clone(), Arc::clone(&held.name)))
            .collect();
        for (account, name) in unread {
            let reason = format!("account {name} of the organisation is not part of the capture");
            let call = "aws iam get-account-authorization-details";
            self.not_collected(&account.0, call, &reason, Lost::everything("every identity of the account"));
        }
    }

    /// Accounts that something was told of, and whose identities no authorization details describe. Those that are known
    /// to be of the organisation have been named already.
    fn undescribed_gaps(&mut self, refused: &BTreeSet<(AccountId, Form)>) {
        let facts = &self.facts;
        let mut told: BTreeSet<&AccountId> = BTreeSet::new();
        told.extend(facts.report.iter().filter_map(|held| held.account.as_ref()));
        told.extend(facts.placed.iter().filter_map(|held| held.account.as_ref()));
        told.extend(facts.listed.iter().filter_map(|held| held.account.as_ref()));
        told.extend(facts.agents.iter().filter_map(|held| held.account.as_ref()));
        told.extend(facts.agents_named.iter().filter_map(|held| held.account.as_ref()));
        told.retain(|account| {
            !self.accounts.described().contains(*account)
                && !facts.organisation.accounts.contains_key(*account)
                && !refused.contains(&(AccountId::clone(account), Form::Authorization))
        });
        let told: Vec<AccountId> = told.into_iter().cloned().collect();
        for account in told {
            let call = "aws iam get-account-authorization-details";
            let facts = Lost::everything("every identity of the account");
            self.not_collected(&account.0, call, "not part of the capture", facts);
        }
    }

    fn policy_gaps(&mut self) {
        let missing = std::mem::take(&mut self.made.missing);
        for (account, names) in missing {
            let reason = format!(
                "{} attached {} not in the capture: {}",
                names.len(),
                if names.len() == 1 { "policy is" } else { "policies are" },
                some(names.iter().map(|name| &**name))
            );
            let call = "aws iam get-account-authorization-details (without --filter)";
            self.not_collected(&account, call, &reason, Lost::of("access granted by these policies", &[Access]));
        }
    }

    /// Users without a row in the credential report of their account: it ends too early, or they are newer.
    fn report_gaps(&mut self) {
        let rows: BTreeSet<&str> = self.facts.report.iter().map(|held| &*held.it.arn).collect();
        let reported: BTreeSet<&str> = rows.iter().filter_map(|arn| account_of(arn)).collect();
        let users: BTreeSet<&str> = self.natures.keys().map(IdentityId::as_str).collect();
        let mut missing: BTreeMap<Arc<str>, Vec<String>> = BTreeMap::new();
        for user in users.difference(&rows) {
            if let Some(account) = account_of(user).filter(|account| reported.contains(account)) {
                missing.entry(account.into()).or_default().push((*user).to_owned());
            }
        }
        for (account, names) in missing {
            let reason = format!("the credential report has no row of {}", some(names.iter().map(String::as_str)));
            let call = "aws iam generate-credential-report && aws iam get-credential-report";
            let facts = Lost::of("passwords, factors, access keys and their last use", &[Credentials, Use]);
            self.not_collected(&account, call, &reason, facts);
        }
    }

    /// Pages of a list that goes on in a page that is not there.
    fn page_gaps(&mut self, described: &[AccountId]) {
        for account in described {
            let pages = || self.facts.details.iter().filter(|read| read.account.as_ref() == Some(account));
            if pages().any(|read| !read.more) {
                continue;
            }
            // The document is cited that says it, so that it counts as read in part.
            let Some(document) = pages().map(|read| &read.document).max() else { continue };
            self.made.inventory.gaps.push(Gap {
                provider: Some(NAME),
                scope: Some(ScopeId::new(Arc::clone(&account.0))),
                kind: GapKind::Failed,
                call: Arc::clone(document),
                reason: Arc::from(
                    "the last page of `aws iam get-account-authorization-details` is missing; run the call without \
                     --max-items and --no-paginate",
                ),
                facts: vec![Lost::everything("identities and policies on the pages that are missing")],
            });
        }
    }
}

impl Join {
    /// Lists that no authorization details of an account hold: an empty one is known to be empty, an absent one is not.
    fn list_gaps(&mut self, described: &[AccountId]) {
        let facts = |list: &str| match list {
            "UserDetailList" => Lost::of("users, and what they may do", &[Record, Access]),
            "GroupDetailList" => Lost::of("groups, and what their members may do by them", &[Access]),
            "RoleDetailList" => Lost::of("roles, who may become them and what they may do", &[Record, Access, Trust]),
            _ => Lost::of("managed policies, and what they grant", &[Access]),
        };
        for account in described {
            let mut pages = self.facts.details.iter().filter(|read| read.account.as_ref() == Some(account));
            let Some(first) = pages.next() else { continue };
            let mut absent = first.absent.clone();
            pages.for_each(|read| absent.retain(|list| read.absent.contains(list)));
            if absent.is_empty() {
                continue;
            }
            let names: Vec<String> = absent.iter().map(|list| format!("`{list}`")).collect();
            self.made.inventory.gaps.push(Gap {
                provider: Some(NAME),
                scope: Some(ScopeId::new(Arc::clone(&account.0))),
                kind: GapKind::NotCollected,
                call: Arc::from("aws iam get-account-authorization-details (without --filter)"),
                reason: format!("its answer has no {}; run the call and add its output", names.join(", ")).into(),
                facts: absent.iter().map(|list| facts(list)).collect(),
            });
        }
    }
}

fn account_of(arn: &str) -> Option<&str> {
    Arn::parse(arn).map(|arn| arn.account)
}

/// Some of the names.
pub(crate) fn some<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let mut text = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text = format!("{text} and {more} more");
    }
    text
}
