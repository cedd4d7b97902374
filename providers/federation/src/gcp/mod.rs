//! Workload identity federation of Google Cloud: a provider's mapping and condition, and a binding on what is mapped.

mod asks;
mod eval;
mod syntax;

use std::collections::{BTreeMap, BTreeSet};

use evenhand_model::decide::{Refusal, part, step};
use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_model::token::{Token, bare_issuer};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::entra::{fits, is_signed_by, named};
use crate::grade::{Alternative, Asks, Demand};
use crate::issuer::Issuer;
use crate::platform::{Admitted, Platform, Understood};
use eval::{Fault, Scope, Val};
use syntax::{Expr, parse};

/// Google Cloud.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gcp;

const REMEDY: &str = "see the condition of `gcp` in `evenhand schema decide-federation`";

/// A provider of a workload identity pool, with the members as Google's API returns them, and whom a binding means.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "GcpCondition")]
pub(crate) struct Provider {
    /// What has to hold, in CEL. Absent or empty: nothing.
    attribute_condition: Option<String>,
    /// Attribute to CEL. Absent: `google.subject` is the subject.
    attribute_mapping: Option<BTreeMap<String, String>>,
    /// The issuer's address. Absent: that of the token.
    issuer_uri: Option<String>,
    /// The audiences, of which the token must have one. Absent or empty: any.
    allowed_audiences: Option<Vec<String>>,
    /// Whom a binding grants a role, `principal://…` or `principalSet://…`. Absent: everybody whom the pool admits.
    member: Option<String>,
}

/// A provider, understood.
#[derive(Debug)]
struct Pool {
    condition: Option<Expr>,
    mapping: BTreeMap<String, Expr>,
    issuer: Option<String>,
    audiences: Vec<String>,
    member: Member,
}

/// Whom a binding means.
#[derive(Debug, PartialEq, Eq)]
enum Member {
    /// Everybody of the pool.
    All,
    /// Those of whom an attribute has a value.
    With(String, String),
}

impl Platform for Gcp {
    fn understand(&self, condition: &str, _: Issuer) -> Result<Box<dyn Understood>, Refusal> {
        let provider: Provider = part(condition, REMEDY)?;
        let expression = |text: &str, at: String| {
            parse(text).map_err(|problem| Refusal::new(at, problem, "write it in the part of CEL that the guide names"))
        };
        let condition = match provider.attribute_condition.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(expression(text, "/attributeCondition".to_owned())?),
        };
        let mut mapping = BTreeMap::new();
        match provider.attribute_mapping {
            Some(given) => {
                for (name, text) in given {
                    let at = format!("/attributeMapping{}", step(&name));
                    if !name.starts_with("google.") && !name.starts_with("attribute.") {
                        let remedy = "attributes are `google.subject`, `google.groups` and `attribute.NAME`";
                        return Err(Refusal::new(at, format!("`{name}` is no attribute"), remedy));
                    }
                    let expr = expression(&text, at)?;
                    mapping.insert(name, expr);
                }
            }
            None => {
                mapping.insert("google.subject".to_owned(), Expr::claim("sub"));
            }
        }
        let member = provider.member.as_deref().map_or(Ok(Member::All), member)?;
        if let Member::With(attribute, _) = &member
            && !mapping.contains_key(attribute)
        {
            let message = format!("the binding is on `{attribute}`, which the mapping does not have");
            return Err(Refusal::new("/member", message, "add it to `attributeMapping`"));
        }
        Ok(Box::new(Pool {
            condition,
            mapping,
            issuer: provider.issuer_uri,
            audiences: provider.allowed_audiences.unwrap_or_default(),
            member,
        }))
    }
}

/// `principalSet://iam.googleapis.com/…/workloadIdentityPools/POOL/attribute.NAME/VALUE` and its like.
fn member(text: &str) -> Result<Member, Refusal> {
    let no_member = || {
        let remedy = "write it as IAM does: `principalSet://iam.googleapis.com/projects/N/locations/global/\
                      workloadIdentityPools/POOL/attribute.NAME/VALUE`, `…/group/ID`, `…/*`, or `principal://…/subject/ID`";
        Refusal::new("/member", format!("`{text}` is no member of a pool"), remedy)
    };
    let rest = text.split_once("/workloadIdentityPools/").and_then(|(_, rest)| rest.split_once('/'));
    let (_, whom) = rest.filter(|_| text.starts_with("principal")).ok_or_else(no_member)?;
    if whom == "*" {
        return Ok(Member::All);
    }
    let (kind, value) = whom.split_once('/').ok_or_else(no_member)?;
    let attribute = match kind {
        "subject" => "google.subject",
        "group" => "google.groups",
        kind if kind.starts_with("attribute.") => kind,
        _ => return Err(no_member()),
    };
    Ok(Member::With(attribute.to_owned(), value.to_owned()))
}

impl Understood for Pool {
    fn admits(&self, token: &Token) -> Admitted {
        let scope = Scope { token, mapping: &self.mapping };
        let mut open = BTreeSet::new();
        let mut truth = Truth::Yes;
        if let Some(wanted) = &self.issuer {
            truth = truth.and(is_signed_by(wanted, token, &mut open));
        }
        if !self.audiences.is_empty() {
            let wanted: Vec<Glob> = self.audiences.iter().map(|audience| Glob::literal(audience.as_str())).collect();
            truth = truth.and(fits(token, "aud", &wanted, &mut open));
        }
        let mut hold = |result: Result<Val, Fault>, wanted: &dyn Fn(&Val) -> bool| match result {
            Ok(value) => Truth::from(wanted(&value)),
            // What cannot be evaluated does not hold.
            Err(Fault::Error) => Truth::No,
            Err(Fault::Unknown(claims)) => {
                open.extend(claims);
                Truth::Unknown
            }
        };
        if let Some(condition) = &self.condition {
            truth = truth.and(hold(scope.eval(condition), &|value| *value == Val::Bool(true)));
        }
        if let Member::With(attribute, wanted) = &self.member {
            truth = truth.and(hold(scope.attribute(attribute), &|value| match value {
                Val::Text(text) => text == wanted,
                Val::List(list) => list.iter().any(|one| *one == Val::Text(wanted.clone())),
                _ => false,
            }));
        }
        Admitted::new(truth, open)
    }

    fn asks(&self, issuer: Issuer, _: Option<&str>) -> Asks {
        if self.issuer.as_deref().is_some_and(|address| !issuer.may_be_at(&bare_issuer(address))) {
            return Asks::default();
        }
        let mut asks = match &self.condition {
            Some(condition) => asks::of(condition, &self.mapping, issuer),
            None => Asks { alternatives: vec![Alternative::default()], ..Asks::default() },
        };
        let mut more = Vec::new();
        let mut vague = false;
        if let Member::With(attribute, value) = &self.member
            && let Some(mapped) = self.mapping.get(attribute)
        {
            match asks::path(mapped, &self.mapping) {
                Some(claim) => more.push(Demand::new(claim, vec![Glob::literal(value.as_str())])),
                None => {
                    asks.opaque.push(format!("{attribute} = {mapped}"));
                    vague = true;
                }
            }
        }
        if !self.audiences.is_empty() {
            let wanted = self.audiences.iter().map(|audience| Glob::literal(audience.as_str())).collect();
            more.push(Demand::new("aud", wanted));
        }
        for alternative in &mut asks.alternatives {
            alternative.demands.extend(more.iter().cloned());
            alternative.vague |= vague;
        }
        asks
    }

    fn issuer(&self) -> Option<Issuer> {
        named(self.issuer.as_deref())
    }

    fn notes(&self) -> Vec<(String, String)> {
        let mut notes = Vec::new();
        if !self.mapping.contains_key("google.subject") {
            let message = "the mapping has no `google.subject`, which every provider must have";
            notes.push(("/attributeMapping".to_owned(), message.to_owned()));
        }
        for expression in self.condition.iter().flat_map(asks::open_dots) {
            let message =
                format!("a dot of `{expression}` stands for any character: write `[.]` where a name has a dot");
            notes.push(("/attributeCondition".to_owned(), message));
        }
        notes
    }
}

#[cfg(test)]
mod tests;
