//! Calls that brought no answer: which of them say something all the same, and the gap that the others leave.

use std::sync::Arc;

use evenhand_model::gap::{Gap, GapKind};
use evenhand_model::id::ScopeId;
use evenhand_model::refusal::Why;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::answered::Before;
use super::form::Form;
use super::sheet::Sheet;
use super::{asked, center, credentials, note, organizations, resources};
use crate::inventory::facts::Facts;
use crate::provider::NAME;

/// Whether this refusal is an answer: that there is no such thing.
pub(crate) fn is_answer(form: Form, code: &str) -> bool {
    match form {
        Form::LoginProfile => matches!(code, "NoSuchEntity" | "NoSuchEntityException"),
        Form::Organization => code == "AWSOrganizationsNotInUseException",
        Form::PermissionSetBoundary | Form::BucketPolicy | Form::SecretPolicy | Form::FunctionPolicy => {
            matches!(code, "ResourceNotFoundException" | "NoSuchBucketPolicy")
        }
        Form::RepositoryPolicy => matches!(code, "RepositoryPolicyNotFoundException" | "RepositoryNotFoundException"),
        _ => false,
    }
}

/// The collector's word for a service that has no host in a region, where others have one. It is taken to mean that the
/// vendor does not offer the service there, which nobody said: no answer, and no failure either.
pub(crate) const NOT_IN_REGION: &str = "ServiceNotInRegion";

/// Reads the refusal of a call.
pub(super) fn read(form: Form, sheet: &Sheet<'_>, error: &RawValue, facts: &mut Facts) {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(alias = "Code")]
        code: Option<String>,
        #[serde(default)]
        kind: Why,
    }
    let (code, why) = match serde_json::from_str::<Refusal>(error.get()) {
        Ok(refusal) => (refusal.code, refusal.kind),
        Err(_) => (serde_json::from_str::<String>(error.get()).ok(), Why::Refused),
    };
    let code = code.unwrap_or_else(|| "failed".to_owned());
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
    // Which kind of policy is off, the parameters have to say.
    let is_off = matches!(form, Form::OrgPolicies | Form::OrgPoliciesOfTarget)
        && code == "PolicyTypeNotEnabledException"
        && organizations::not_enabled(sheet, facts);
    if is_off || is_answer(form, &code) {
        note(form, sheet, true, &Before::of(facts), facts);
        match form {
            Form::LoginProfile => credentials::no_login_profile(sheet, facts),
            Form::Organization => organizations::in_none(sheet, facts),
            Form::PermissionSetBoundary => center::read(form, &sheet.inside("{}", ""), facts, &mut Vec::new()),
            Form::BucketPolicy | Form::FunctionPolicy | Form::RepositoryPolicy => resources::none(form, sheet, facts),
            _ => {}
        }
        return;
    }
    if code == NOT_IN_REGION {
        note(form, sheet, true, &Before::of(facts), facts);
        let service = form.call().split(' ').next().unwrap_or_default();
        let region = sheet.region.as_deref().unwrap_or("the region");
        facts.gaps.push(Gap {
            provider: Some(NAME),
            scope: sheet.account.as_ref().map(|account| ScopeId::new(Arc::clone(&account.0))),
            kind: GapKind::NotCollected,
            call: Arc::from(form.call()),
            reason: format!("no host for {service} in {region}; taken as not offered there").into(),
            facts: vec![form.facts()],
        });
        return;
    }
    facts.refused.push(asked(form, sheet, false));
    let place = sheet.region.as_ref().map(|region| format!("in {region} ")).unwrap_or_default();
    facts.gaps.push(Gap {
        provider: Some(NAME),
        scope: sheet.account.as_ref().map(|account| ScopeId::new(Arc::clone(&account.0))),
        kind: GapKind::Failed,
        call: Arc::from(form.call()),
        reason: format!("{place}{}", why.said(&code, NAME.0)).into(),
        facts: vec![form.facts()],
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_an_answer_only_where_it_says_that_there_is_nothing() {
        assert!(is_answer(Form::Organization, "AWSOrganizationsNotInUseException"));
        assert!(is_answer(Form::FunctionPolicy, "ResourceNotFoundException"));
        assert!(!is_answer(Form::BedrockAgent, "ResourceNotFoundException"));
        assert!(!is_answer(Form::Organization, "AccessDeniedException"));
        assert!(!is_answer(Form::BedrockAgents, NOT_IN_REGION), "nobody said so");
    }
}
