//! What proves applications and managed identities: secrets, certificates, tokens of their own, tokens of outside issuers.
//!
//! An application holds its credentials in its definition, in its home tenant; of an agent its blueprint holds them.

use std::sync::Arc;

use evenhand_federation::{Asks, Entra, Issuer, Platform, Understood, grade};
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::{CredentialId, IdentityId};
use evenhand_model::inventory::Hint;
use evenhand_model::token::{Acceptance, Admission, Token, bare_issuer};
use evenhand_model::trust::{Mechanism, Trust};
use serde_json::json;

use super::Join;
use super::applications::of_machine;
use crate::PROVIDER;
use crate::documents::directory::{
    Application, CredentialOfApplication, FederatedCredential, PrincipalKind, ServicePrincipal,
};
use crate::documents::told::{At, Told};

/// The issuer of a federated credential and what it compares, understood.
struct Door {
    issuer: Arc<str>,
    text: String,
    understood: Box<dyn Understood>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Door").field(&self.text).finish()
    }
}

impl Admission for Door {
    fn admits(&self, token: &Token) -> Truth {
        let may_be_its = |subject: &str| Issuer::of_subject(subject).may_be_at(&self.issuer);
        if token.issuer.is_none() && token.text("sub").is_some_and(may_be_its) {
            // Who signs a token may not be known; its subject then tells at least which kind of issuer it is.
            let signed = Token { issuer: Some(Arc::clone(&self.issuer)), ..token.clone() };
            return self.understood.admits(&signed).truth;
        }
        self.understood.admits(token).truth
    }
}

impl Join<'_> {
    fn credential(&self, id: String, identity: &IdentityId, kind: &str, at: &Evidence) -> Credential {
        let mut credential = Credential::new(CredentialId::new(id), identity.clone(), PROVIDER, kind, at.clone());
        credential.in_arguments = Fact::Known(false);
        credential.in_metadata = Fact::Known(false);
        credential.exposure = Fact::Known(Exposure::None);
        credential
    }

    /// Secrets, certificates and federated credentials of an application.
    pub(super) fn take_credentials(
        &mut self,
        id: &IdentityId,
        app: Option<&str>,
        principal: Option<&At<ServicePrincipal>>,
        definition: Option<(&String, &At<Application>)>,
    ) {
        let mut found: Vec<(&CredentialOfApplication, &'static str, &Evidence)> = Vec::new();
        if let Some((_, held)) = definition {
            let secrets = held.password_credentials.iter().flatten().map(|one| (one, "client_secret", &held.at));
            let keys = held.key_credentials.iter().flatten().map(|one| (one, "certificate", &held.at));
            found.extend(secrets.chain(keys));
        }
        if let Some(held) = principal {
            let secrets = held.password_credentials.iter().flatten().map(|one| (one, "client_secret", &held.at));
            let keys = held.key_credentials.iter().flatten().map(|one| (one, "certificate", &held.at));
            found.extend(secrets.chain(keys));
        }
        let mut seen = std::collections::BTreeSet::new();
        for (number, (held, kind, at)) in found.into_iter().enumerate() {
            let key = held.key_id.as_deref().map_or_else(|| number.to_string(), str::to_ascii_lowercase);
            if !seen.insert((kind, key.clone())) {
                continue;
            }
            let mut credential = self.credential(format!("{id}/{kind}/{key}"), id, kind, at);
            credential.is_static = Fact::Known(true);
            // An application takes the tokens of another issuer instead, and code in Azure a managed identity.
            credential.federable = Fact::Known(true);
            credential.created_at = Fact::known(held.start_date_time);
            credential.expires_at = Fact::known(held.end_date_time);
            let now = self.options.now;
            credential.enabled = match (held.start_date_time, held.end_date_time) {
                (Some(start), _) if start > now => Fact::Known(false),
                (_, Some(end)) => Fact::Known(end > now),
                _ => Fact::Unknown,
            };
            credential.last_used_at = Fact::known(self.facts.credential_use.get(&key).copied().flatten());
            credential.public_id = app.map(Arc::from);
            self.inventory.credentials.push(credential);
        }
        if let Some((object, _)) = definition {
            self.take_federated(id, object);
        }
    }

    /// Tokens that nobody can take along: those of a managed identity, and those of an agent, which its blueprint asks for.
    pub(super) fn take_issued(&mut self, id: &IdentityId, kind: PrincipalKind, at: &Evidence) {
        let word = of_machine(kind);
        let mut credential = self.credential(format!("{id}/{word}"), id, word, at);
        credential.is_static = Fact::Known(false);
        credential.lifetime_days = Fact::Known(0);
        credential.enabled = Fact::Known(true);
        self.inventory.credentials.push(credential);
    }

    /// Federated credentials of an application's definition or of a managed identity's resource.
    pub(super) fn take_federated(&mut self, id: &IdentityId, of: &str) {
        let facts = self.facts;
        for held in facts.federated.get(of).map_or(&[][..], Told::all) {
            let name = held.name.as_deref().or(held.id.as_deref()).unwrap_or("credential");
            let mut credential = self.credential(format!("{id}/federated/{name}"), id, "federated", &held.at);
            credential.is_static = Fact::Known(false);
            credential.federable = Fact::Known(true);
            credential.lifetime_days = Fact::Known(0);
            credential.enabled = Fact::Known(true);
            credential.audience =
                Fact::read(held.audiences.as_ref().and_then(|list| list.first()).map(|one| one.as_str().into()));
            self.inventory.credentials.push(credential);
            match acceptance(id, held) {
                Ok(acceptance) => {
                    self.inventory.trusts.push(Trust {
                        source: format!("{} {}", acceptance.issuer, subject_of(held)).into(),
                        target: id.clone(),
                        provider: PROVIDER,
                        mechanism: Mechanism::Federation,
                        constraint: Arc::clone(&acceptance.constraint),
                        weak: acceptance.weak,
                        weakness: Arc::clone(&acceptance.weakness),
                        evidence: held.at.clone(),
                    });
                    self.inventory.acceptances.push(acceptance);
                }
                Err(problem) => self.inventory.hints.push(Hint {
                    evidence: held.at.clone(),
                    message: format!("this federated credential is not understood: {problem}").into(),
                }),
            }
        }
    }
}

/// The subjects that a credential admits, in its own words.
fn subject_of(held: &FederatedCredential) -> &str {
    let expression = held.claims_matching_expression.as_ref().map(|one| one.value.as_str());
    held.subject.as_deref().or(expression).unwrap_or_default()
}

fn acceptance(id: &IdentityId, held: &At<FederatedCredential>) -> Result<Acceptance, String> {
    let address = held.issuer.as_deref().ok_or("it names no issuer; export it again")?;
    let issuer = bare_issuer(address);
    let kind = Issuer::at(&issuer);
    let mut written = serde_json::Map::new();
    written.insert("issuer".to_owned(), json!(address));
    if let Some(subject) = &held.subject {
        written.insert("subject".to_owned(), json!(subject));
    }
    if let Some(audiences) = &held.audiences {
        written.insert("audiences".to_owned(), json!(audiences));
    }
    if let Some(expression) = &held.claims_matching_expression {
        written.insert("claimsMatchingExpression".to_owned(), json!(expression));
    }
    let text = serde_json::Value::Object(written).to_string();
    let understood =
        Entra.understand(&text, kind).map_err(|refusal| format!("{}; {}", refusal.message, refusal.remedy))?;
    let asks: Asks = understood.asks(kind, Some(&issuer));
    let graded = grade(kind, &asks);
    let weak = graded.is_avoidable() && graded.pattern != Some("always-false");
    let audiences = held.audiences.as_deref().unwrap_or_default().join(" | ");
    let door = Door { issuer: Arc::clone(&issuer), text, understood };
    Ok(Acceptance {
        target: id.clone(),
        provider: PROVIDER,
        issuer,
        constraint: format!("sub {}; aud {audiences}", subject_of(held)).into(),
        weak: weak.into(),
        weakness: graded.pattern.filter(|_| weak).unwrap_or_default().into(),
        evidence: held.at.clone(),
        condition: Arc::new(door),
    })
}
