//! What rows hold and borrow: secrets as credentials, profiles of people and kubeconfigs as trusts in their principals.

use std::rc::Rc;
use std::sync::Arc;

use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::document::FileFacts;
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::{CredentialId, IdentityId, ScopeId};
use evenhand_model::trust::Mechanism;

use super::Ground;
use super::rows::{Out, of_project};
use crate::profiles::{self, Among, KUBECONFIG, Known, PROFILE, ProfileFile, Proof, Store};
use crate::provider_name;
use crate::scope::Place;
use crate::secret::{Borrowed, Found};

/// Who holds a secret, and where its file lies.
pub(super) struct Holder<'h> {
    pub(super) identity: &'h IdentityId,
    pub(super) kind: Ground,
    pub(super) document: &'h Arc<str>,
    pub(super) facts: FileFacts,
}

impl<'o> Out<'o> {
    /// Whether credentials of whoever runs a client that runs commands are in its reach, as far as files tell: what is in
    /// no file that was read may still be there.
    pub(super) fn in_reach(&self, place: &Place) -> Fact<bool> {
        if self.profiles_of(place).names().next().is_none() { Fact::Unknown } else { Fact::Known(true) }
    }

    /// Whether the principals that configuration names are the person in whose home a place lies.
    pub(super) fn is_the_persons<'b>(&self, place: &Place, borrowed: impl Iterator<Item = &'b Borrowed>) -> Fact<bool> {
        let files = self.profiles_of(place);
        let all = borrowed.map(|named| match profiles::is_profile(&named.target) {
            // A name that means the same to everybody is no person's own.
            false => Truth::No,
            true => files.resolve(&named.target).map_or(Truth::Unknown, |found| profiles::is_the_persons(&found)),
        });
        Fact::known(all.fold(Truth::No, Truth::or).known())
    }

    /// The profiles of whoever runs the client, all of which it may use.
    pub(super) fn ambient(&mut self, id: &IdentityId, place: &Place) {
        let files = self.profiles_of(place);
        for (name, (file, profile)) in files.names() {
            let evidence = Evidence::line(Arc::clone(&file.document), profile.line);
            match files.resolve(&name) {
                Some(found) => {
                    let constraint = format!("whoever runs it may use {}", found.through);
                    for target in found.targets {
                        self.trust(id, target, Mechanism::Ambient, constraint.clone(), evidence.clone());
                    }
                }
                None => self.trust(id, name, Mechanism::Ambient, String::new(), evidence),
            }
        }
    }

    /// The profiles of the person in whose home a place lies. In no home, whoever works there is not known; where only one
    /// person's profiles were read, theirs count.
    fn profiles_of(&self, place: &Place) -> Known<'o> {
        let nearest = place.around().find_map(|root| self.profiles.get(root));
        let found = match (nearest, self.profiles.first_key_value()) {
            (Some(among), _) => among,
            (None, Some((root, among))) if self.profiles.len() == 1 => {
                let of_another = place.around().any(|root| self.homes.contains(root));
                if of_another || place.is_apart_from(root) {
                    return Known::default();
                }
                among
            }
            _ => return Known::default(),
        };
        Known { aws: Rc::clone(found), kube: Rc::clone(found) }
    }

    /// Makes the secrets that were found credentials of their holder.
    pub(super) fn secrets(&mut self, holder: &Holder<'_>, found: &[Found]) {
        for secret in found {
            // The id of a key stands with the secret of the same key; alone it only names a principal.
            let partner =
                |other: &&Found| other.kind.name == "aws_secret_access_key" && beside(&other.slot, &secret.slot);
            if secret.kind.public && found.iter().any(|other| partner(&other)) {
                continue;
            }
            let key_id = found
                .iter()
                .find(|other| {
                    other.public_id.is_some()
                        && secret.kind.name == "aws_secret_access_key"
                        && beside(&other.slot, &secret.slot)
                })
                .and_then(|other| other.public_id.clone());
            let evidence = Evidence::line(Arc::clone(holder.document), secret.line);
            let mut id = format!("{}/{}", holder.identity, secret.slot);
            if !self.taken.insert(id.clone()) {
                id = format!("{id}@{}:{}", holder.document, secret.line);
                self.taken.insert(id.clone());
            }
            let kind = if key_id.is_some() { "aws_access_key" } else { secret.kind.name };
            let mut credential = Credential::new(
                CredentialId::new(id),
                holder.identity.clone(),
                provider_name(),
                kind,
                evidence.clone(),
            );
            credential.federable = Fact::known(secret.kind.federable);
            credential.fingerprint = secret.fingerprint;
            credential.public_id = secret.public_id.clone().or(key_id);
            credential.file_readable_by_others = Fact::known(holder.facts.readable_by_others);
            credential.in_arguments = Fact::Known(secret.in_arguments);
            if secret.kind.public {
                credential.exposure = Fact::Known(Exposure::None);
            } else {
                credential.is_static = Fact::Known(!secret.kind.short_lived);
                let committed = holder.kind == Ground::Project && holder.facts.tracked == Some(true);
                credential.exposure = Fact::Known(if committed { Exposure::Committed } else { Exposure::UserFile });
            }
            if secret.checksum_fails {
                self.hint(
                    evidence,
                    "a value in the form of an issuer's token has a checksum that does not fit: an example or a typing error; \
                     revoke it if it was ever real",
                );
            }
            self.inventory.credentials.push(credential);
        }
    }

    /// Principals that configuration names; a profile stands for the principal that the person's own files name, and a
    /// kubeconfig for those of its contexts, unless one of them is named too. `project`: the one in which that holds, where
    /// a person's file says so.
    pub(super) fn borrowed(
        &mut self,
        holder: &Holder<'_>,
        scope: &ScopeId,
        (place, project): (&Place, Option<&str>),
        borrowed: &[Borrowed],
    ) {
        let near = of_project(place, project);
        let given: Vec<(&Borrowed, Option<&'o ProfileFile>)> = borrowed
            .iter()
            .filter_map(|named| Some((named, named.target.strip_prefix(KUBECONFIG)?)))
            .map(|(named, path)| (named, self.kubeconfig(&near, path)))
            .collect();
        let mut files = self.profiles_of(place);
        if !given.is_empty() {
            files.kube = Rc::new(Among::of(given.iter().filter_map(|(_, file)| *file)));
        }
        let at = |line: u32| Evidence::line(Arc::clone(holder.document), line);
        for (named, file) in &given {
            let path = named.target.strip_prefix(KUBECONFIG).unwrap_or_default();
            if file.is_none() {
                let is_placed = near.file(path, self.home_of(&near)).is_some();
                self.not_among(scope, path, "kubeconfig", is_placed, &at(named.line));
                self.trust(
                    holder.identity,
                    named.target.clone(),
                    Mechanism::HoldsCredential,
                    String::new(),
                    at(named.line),
                );
            }
        }
        let is_context = |named: &&Borrowed| named.target.starts_with(profiles::KUBE_CONTEXT);
        if !borrowed.iter().any(|named| is_context(&named)) {
            let contexts = files.names().filter(|(_, (file, _))| file.store == Store::Kube);
            for (context, (file, _)) in contexts.filter(|_| !given.is_empty()) {
                let by = given.iter().find(|(_, given)| given.is_some_and(|given| std::ptr::eq(given, file)));
                let line = by.map_or(0, |(named, _)| named.line);
                self.lend(holder, &files, &context, at(line));
            }
        }
        for named in borrowed.iter().filter(|named| !named.target.starts_with(KUBECONFIG)) {
            match named.target.strip_prefix(PROFILE) {
                Some(name) => self.unclear(holder, &files, (named, name), at(named.line)),
                None => self.lend(holder, &files, &named.target, at(named.line)),
            }
        }
    }

    /// Lets a holder act as whomever a profile stands for of which nothing tells whose it is.
    fn unclear(
        &mut self,
        holder: &Holder<'_>,
        files: &Known<'_>,
        (named, name): (&Borrowed, &str),
        evidence: Evidence,
    ) {
        let of_aws = files.resolve(&format!("{}{name}", profiles::Family::Aws.prefix()));
        let there = of_aws.map_or_else(String::new, |found| format!("; {} is there", found.through));
        let message = format!(
            "`{} {name}` names a profile, and nothing tells whether it is one of AWS: if it is, name it with `AWS_PROFILE` \
             among the variables, so that its access counts{there}",
            named.key
        );
        self.hint(evidence.clone(), &message);
        let constraint = String::from("whose profile that is, nothing tells");
        self.trust(holder.identity, named.target.clone(), Mechanism::HoldsCredential, constraint, evidence);
    }

    /// The kubeconfig that configuration of a place names.
    fn kubeconfig(&self, place: &Place, path: &str) -> Option<&'o ProfileFile> {
        let path = place.file(path, self.home_of(place))?;
        self.kubeconfigs.get(path.as_str()).copied()
    }

    /// Lets a holder act as the principal that a name stands for. `files`: where its profiles may lie.
    fn lend(&mut self, holder: &Holder<'_>, files: &Known<'_>, named: &str, evidence: Evidence) {
        let Some(found) = files.resolve(named) else {
            // Whom a token proves may be unknown; that it lies there for everybody to take is not.
            if let Some(at) = files.proven(named) {
                self.hold(holder, named, at, None);
            }
            let constraint = match files.lacks(named) {
                Some(told) => {
                    let message = format!(
                        "`{named}` leads to nobody, so that what this borrows is unknown; it was looked for in {told}; correct \
                         the name, or add the file that holds it"
                    );
                    self.hint(evidence.clone(), &message);
                    format!("looked for in {told}")
                }
                None => String::new(),
            };
            self.trust(holder.identity, named.to_owned(), Mechanism::HoldsCredential, constraint, evidence);
            return;
        };
        self.hold(holder, named, found.at, found.key);
        let mut through = format!("through {}", found.through);
        for target in found.targets {
            self.trust(holder.identity, target, Mechanism::HoldsCredential, through.clone(), evidence.clone());
            if !through.ends_with(OF_GROUP) {
                through.push_str(OF_GROUP);
            }
        }
    }

    /// Makes what a profile proves itself with a credential of a holder. `key`: the public id of its key.
    fn hold(
        &mut self,
        holder: &Holder<'_>,
        named: &str,
        (file, profile): (&ProfileFile, &profiles::Profile),
        key: Option<&str>,
    ) {
        let held = |kind: &str, more: &str| {
            let written = Evidence::line(Arc::clone(&file.document), profile.line);
            let id = CredentialId::new(format!("{}/{named}{more}", holder.identity));
            let mut credential = Credential::new(id, holder.identity.clone(), provider_name(), kind, written);
            credential.exposure = Fact::Known(Exposure::UserFile);
            credential.in_arguments = Fact::Known(false);
            credential.file_readable_by_others = Fact::known(file.facts.readable_by_others);
            credential
        };
        if let Some(public_id) = key {
            let mut credential = held("aws_access_key", "");
            credential.is_static = Fact::Known(true);
            credential.federable = Fact::Known(true);
            credential.public_id = Some(Arc::from(public_id));
            self.inventory.credentials.push(credential);
            return;
        }
        for (at, proof) in profile.proofs.iter().enumerate() {
            let more = if at == 0 { String::new() } else { format!("#{}", at + 1) };
            let mut credential = held(proof.kind, &more);
            credential.is_static = is_static(proof);
            credential.expires_at = proof.expires_at;
            if proof.is_elsewhere {
                credential.file_readable_by_others = Fact::Unknown;
            }
            self.inventory.credentials.push(credential);
        }
    }
}

/// Whether a proof stays valid until somebody revokes it.
fn is_static(proof: &Proof) -> Fact<bool> {
    match proof.expires_at {
        Fact::Absent => Fact::Known(true),
        // It is good for as long as it was issued for, and nobody renews it.
        Fact::Known(_) if proof.kind == profiles::CLIENT_CERTIFICATE => Fact::Known(true),
        Fact::Known(_) => Fact::Known(false),
        Fact::Unknown => Fact::Unknown,
    }
}

/// Whether two slots are members of the same map.
fn beside(a: &str, b: &str) -> bool {
    let parent = |slot: &str| slot.rsplit_once('.').map(|(parent, _)| parent.to_owned());
    parent(a) == parent(b)
}

/// Behind what a group lends.
const OF_GROUP: &str = ", by its groups";
