//! Documents: what the vendor's command line prints, and from which call it is.
//!
//! Everything here turns text into [`Facts`]; nothing is looked up across documents, so their order does not matter.

mod agents;
mod answered;
mod authorization;
mod carriers;
mod center;
mod clusters;
mod compute;
mod credentials;
pub(crate) mod environment;
pub(crate) mod form;
mod logs;
pub(crate) mod manifest;
pub(crate) mod organizations;
pub(crate) mod refusal;
pub(crate) mod resources;
mod runs_as;
mod shape;
mod sheet;
mod usage;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::document::{Document, Format, ReadError};
use evenhand_model::secret::Fingerprinter;

pub(crate) use form::{is_damaged, likeness, recognise};
#[cfg(test)]
pub(crate) use shape::head_of;

use crate::carrier::CarrierKind;
use crate::inventory::arn::{account_in_path, is_account};
use crate::inventory::facts::{Asked, Facts};
use form::Form;
use sheet::Sheet;
use values::Text;

/// Reads one document. What cannot be understood is an error; everything else is kept.
pub(crate) fn read(document: &Document, fingerprinter: &Fingerprinter, facts: &mut Facts) -> Vec<ReadError> {
    let mut errors = Vec::new();
    let mut sheet = Sheet::new(Arc::clone(&document.path), &document.text);
    sheet.account = account_in_path(&document.path).map(|number| facts.account(number));
    match document.format {
        Format::Csv => {
            let before = answered::Before::of(facts);
            credentials::report_table(&sheet, facts, &mut errors);
            note(Form::CredentialReport, &sheet, true, &before, facts);
        }
        Format::Ndjson => {
            let answers = document.text.lines().filter(|line| !line.trim().is_empty());
            for (index, line) in answers.enumerate() {
                unknown_answer(&sheet.inside(line, &format!("/{index}")), fingerprinter, facts, &mut errors);
            }
        }
        _ if document.text.trim_start().starts_with('[') => {
            for (index, raw) in sheet.elements(&mut errors).into_iter().enumerate() {
                let inside = sheet.inside(raw.get(), &format!("/{index}"));
                unknown_answer(&inside, fingerprinter, facts, &mut errors);
            }
        }
        _ if form::is_wrapper(&document.head) => wrapped(&sheet, fingerprinter, facts, &mut errors),
        _ => match Form::of_answer(&document.head, &document.text) {
            Some(form) => answer(form, &sheet, fingerprinter, facts, &mut errors),
            None => errors.push(sheet.error("", "is the answer of no call that is read", "see the list in the guide")),
        },
    }
    errors
}

/// An answer inside a document, of which nothing has been told yet.
fn unknown_answer(sheet: &Sheet<'_>, fingerprinter: &Fingerprinter, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let head = shape::head_of(sheet.root());
    if form::is_wrapper(&head) {
        wrapped(sheet, fingerprinter, facts, errors);
    } else if let Some(form) = Form::of_answer(&head, sheet.root()) {
        answer(form, sheet, fingerprinter, facts, errors);
    } else {
        // One that is cut may be any call's.
        let before = errors.len();
        sheet.parts(&[], errors);
        if errors.len() == before {
            let reason = "is the answer of no call that is read";
            errors.push(sheet.error("", reason, "leave it out, or wrap it with its call"));
        }
    }
}

/// `{"call": …, "parameters": {…}, "account": …, "region": …, "response": {…}}`, or with `error` in place of `response`.
fn wrapped(sheet: &Sheet<'_>, fingerprinter: &Fingerprinter, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let before = errors.len();
    let parts = sheet.parts(&[], errors);
    // What follows an error in the text was not read. It is not missing, and nothing can be said of it.
    if errors.len() > before && parts.member("response").or(parts.member("error")).is_none() {
        return;
    }
    let text = |name: &str, errors: &mut Vec<ReadError>| {
        let raw = parts.member(name)?;
        sheet.part::<Option<Text<'_>>>(&format!("/{name}"), raw, errors).flatten().map(|text| text.to_string())
    };
    let call = text("call", errors).unwrap_or_default();
    let Some(form) = Form::of_call(&call) else {
        if errors.len() == before {
            errors.push(sheet.error("/call", format!("`{call}` is no call that is read"), "leave it out"));
        }
        return;
    };
    let mut inner = sheet.inside(parts.member("response").map_or("{}", |raw| raw.get()), "/response");
    inner.parameters = parts
        .member("parameters")
        .and_then(|raw| sheet.part::<Option<BTreeMap<String, serde_json::Value>>>("/parameters", raw, errors).flatten())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, value)| match value {
            serde_json::Value::String(text) => Some((name, text)),
            _ => None,
        })
        .collect();
    match text("account", errors) {
        Some(account) if is_account(&account) => inner.account = Some(facts.account(&account)),
        Some(_) => {
            let remedy = "write all twelve digits, or leave the member out";
            errors.push(sheet.error("/account", "is no account number of twelve digits", remedy));
        }
        None => {}
    }
    inner.region = text("region", errors).map(|region| facts.texts.share(&region));
    match parts.member("error") {
        Some(raw) => refusal::read(form, &inner, raw, facts),
        None => answer(form, &inner, fingerprinter, facts, errors),
    }
}

/// Notes that a call was answered, and whether all of its answer is there and was understood.
fn note(form: Form, sheet: &Sheet<'_>, whole: bool, before: &answered::Before, facts: &mut Facts) {
    let told = if sheet.account.is_none() { before.accounts_since(facts) } else { BTreeSet::new() };
    if told.is_empty() {
        facts.answers.push(asked(form, sheet, whole));
    }
    for account in told {
        facts.answers.push(Asked { account: Some(account), ..asked(form, sheet, whole) });
    }
}

fn asked(form: Form, sheet: &Sheet<'_>, whole: bool) -> Asked {
    let (account, region) = (sheet.account.clone(), sheet.region.clone());
    Asked { form, account, region, document: Arc::clone(&sheet.path), whole }
}

fn answer(
    form: Form,
    sheet: &Sheet<'_>,
    fingerprinter: &Fingerprinter,
    facts: &mut Facts,
    errors: &mut Vec<ReadError>,
) {
    // Of a policy that is cut nothing tells whose it is.
    if form == Form::SomePolicy {
        let before = errors.len();
        let parts = sheet.parts(&[], errors);
        if errors.len() > before && parts.member("Policy").is_none() {
            return;
        }
    }
    // What is not there was not answered: an empty answer has its list.
    if form.main().is_some_and(|main| !sheet.has(main, errors)) {
        return;
    }
    let before = errors.len();
    let said_before = answered::Before::of(facts);
    match form {
        Form::Manifest => manifest::read(sheet, facts, errors),
        // What these list is described by calls of its own; how a collection went is no fact of the inventory.
        Form::CallerIdentity
        | Form::AssumedRole
        | Form::ReportRequest
        | Form::UsageRequest
        | Form::CenterAccounts
        | Form::GatewayTargets
        | Form::Clusters
        | Form::AccessEntries => {
            // Whether it is whole is told all the same.
            sheet.parts(&[], errors);
        }
        Form::AccessEntry | Form::AccessPolicies => clusters::read(form, sheet, facts, errors),
        Form::AgentRuntimes => {
            agents::read(form, sheet, fingerprinter, facts, errors);
            carriers::read(form, sheet, facts, &mut Vec::new());
        }
        Form::Regions
        | Form::CodeInterpreters
        | Form::Browsers
        | Form::TaskFamilies
        | Form::Notebooks
        | Form::LaunchTemplates
        | Form::LaunchTemplateVersions
        | Form::LaunchConfigurations
        | Form::Services
        | Form::Service
        | Form::JobDefinitions
        | Form::Stacks
        | Form::Projects
        | Form::ProjectDescriptions
        | Form::DeployApplications
        | Form::DevEndpoints
        | Form::StateMachines
        | Form::StateMachine => carriers::read(form, sheet, facts, errors),
        Form::Usage => usage::read(sheet, facts, errors),
        Form::Authorization => authorization::read(sheet, facts, errors),
        Form::CredentialReport => credentials::report(sheet, facts, errors),
        Form::AccessKeys => credentials::access_keys(sheet, facts, errors),
        Form::AccessKeyUse => credentials::access_key_use(sheet, facts, errors),
        Form::ServiceCredentials => credentials::service_credentials(sheet, facts, errors),
        Form::LoginProfile => credentials::login_profile(sheet, facts, errors),
        Form::MfaDevices => credentials::mfa_devices(sheet, facts, errors),
        Form::OidcProviders => credentials::identity_providers(sheet, "OpenIDConnectProviderList", facts, errors),
        Form::SamlProviders => credentials::identity_providers(sheet, "SAMLProviderList", facts, errors),
        Form::AccountSummary => credentials::summary(sheet, facts, errors),
        Form::OrgAccounts
        | Form::OrgAccountsOfParent
        | Form::Organization
        | Form::OrgPolicies
        | Form::OrgPoliciesOfTarget
        | Form::OrgPolicy
        | Form::OrgTargets
        | Form::OrgRoots
        | Form::OrgUnits
        | Form::OrgChildren
        | Form::OrgParents => organizations::read(form, sheet, facts, errors),
        Form::CenterInstances
        | Form::PermissionSets
        | Form::PermissionSet
        | Form::PermissionSetManaged
        | Form::PermissionSetCustomer
        | Form::PermissionSetInline
        | Form::PermissionSetBoundary
        | Form::Assignments
        | Form::StoreUsers
        | Form::StoreGroups => center::read(form, sheet, facts, errors),
        Form::BedrockAgents
        | Form::BedrockAgent
        | Form::BedrockActionGroups
        | Form::BedrockActionGroup
        | Form::AgentRuntime
        | Form::Gateways
        | Form::Gateway
        | Form::GatewayTarget
        | Form::WorkloadIdentities
        | Form::ApiKeyProviders
        | Form::OauthProviders
        | Form::QApplications
        | Form::QApplication
        | Form::CodeInterpreter
        | Form::Browser => agents::read(form, sheet, fingerprinter, facts, errors),
        Form::Functions
        | Form::Function
        | Form::FunctionWithCode
        | Form::FunctionUrls
        | Form::TaskDefinition
        | Form::PodAssociations
        | Form::PodAssociation
        | Form::Notebook
        | Form::Instances => compute::read(form, sheet, fingerprinter, facts, errors),
        Form::Trails | Form::TrailStatus | Form::TrailSelectors | Form::InvocationLogging => {
            logs::read(form, sheet, facts, errors);
        }
        Form::BucketPolicy
        | Form::KeyPolicy
        | Form::SecretPolicy
        | Form::FunctionPolicy
        | Form::Repositories
        | Form::RepositoryPolicy
        | Form::QueueAttributes
        | Form::TopicAttributes
        | Form::SomePolicy => resources::read(form, sheet, facts, errors),
    }
    let goes_on = CarrierKind::listed_by(form.call()).is_some() && sheet.goes_on();
    note(form, sheet, errors.len() == before && !goes_on, &said_before, facts);
}
