//! Whole captures through the public face of the crate.

mod agents;
mod canary;
mod conformance;
mod decisions;
mod escalation;
mod federation;
mod identities;
mod oneself;
mod organisation;
mod resources;
mod robustness;
mod unread;
mod variables;

use std::path::PathBuf;
use std::sync::Arc;

use evenhand_model::access::AccessResolver;
use evenhand_model::document::{Document, FileFacts, Format, Head, ReadError};
use evenhand_model::identity::{Identity, Judged, judge};
use evenhand_model::inventory::Inventory;
use evenhand_model::provider::{Provider, ReadOptions};
use evenhand_model::secret::Fingerprinter;

use crate::Aws;
use crate::documents::head_of;

pub(super) struct Read {
    pub(super) inventory: Inventory,
    pub(super) resolver: Box<dyn AccessResolver>,
    pub(super) errors: Vec<ReadError>,
}

pub(super) fn document(path: &str, text: &str) -> Document {
    let csv = path.ends_with(".csv");
    let ndjson = path.ends_with(".ndjson");
    let head = if csv {
        let columns = text.lines().next().unwrap_or("").split(',').map(str::to_owned).collect();
        Head { columns, ..Head::default() }
    } else {
        let mut head = head_of(if ndjson { text.lines().next().unwrap_or("") } else { text });
        // A look at the head goes as far as the first fault and keeps the key before it.
        if head.keys.is_empty() && text.starts_with("{\"RoleDetailList") {
            head.keys.push("RoleDetailList".to_owned());
        }
        if !head.has("response") && text.starts_with("{\"call\"") && text.contains("\"response\":") {
            head.keys.push("response".to_owned());
        }
        head
    };
    Document {
        path: path.into(),
        relative: path.into(),
        source_name: "capture".into(),
        format: if csv {
            Format::Csv
        } else if ndjson {
            Format::Ndjson
        } else {
            Format::Json
        },
        text: text.to_owned(),
        head,
        file: FileFacts::default(),
    }
}

/// Reads documents, all of which must be recognised.
pub(super) fn read(documents: &[(&str, &str)]) -> Read {
    let options = ReadOptions {
        now: "2026-11-01T00:00:00Z".parse().unwrap(),
        fingerprinter: Fingerprinter::keyed("test"),
        settings: Default::default(),
    };
    let mut reader = Aws.reader(options);
    let mut errors = Vec::new();
    for (path, text) in documents {
        let document = document(path, text);
        assert!(Aws.recognise(&document).is_some(), "{path} is not recognised: {:?}", document.head);
        if let Err(more) = reader.read(document) {
            errors.extend(more);
        }
    }
    let reading = reader.finish();
    let mut inventory = reading.inventory;
    inventory.sort();
    Read { inventory, resolver: reading.resolver.unwrap(), errors }
}

impl Read {
    pub(super) fn identity(&self, name: &str) -> &Identity {
        self.inventory
            .identities
            .iter()
            .find(|identity| &*identity.name == name || identity.id.as_str() == name)
            .unwrap_or_else(|| panic!("no identity {name}"))
    }

    pub(super) fn judged(&self, name: &str) -> Judged {
        judge(&self.identity(name).signals)
    }

    pub(super) fn count(&self, kind: &str) -> usize {
        self.inventory.identities.iter().filter(|identity| identity.kind == kind).count()
    }
}

/// Third-party files, where they are at hand.
pub(super) fn shared(path: &str) -> Option<PathBuf> {
    match std::env::var_os("EVENHAND_SHARED") {
        Some(root) => Some(PathBuf::from(root).join(path)),
        None => {
            println!("EVENHAND_SHARED is not set: third-party files are not tested");
            None
        }
    }
}

/// An account with these lists.
pub(super) fn details(users: &str, groups: &str, roles: &str, policies: &str) -> String {
    format!(
        r#"{{"UserDetailList":[{users}],"GroupDetailList":[{groups}],"RoleDetailList":[{roles}],"Policies":[{policies}]}}"#
    )
}

/// A role of account 111122223333 with this trust statement and further members.
pub(super) fn role(name: &str, trust: &str, more: &str) -> String {
    format!(
        r#"{{"Path":"/","RoleName":"{name}","Arn":"arn:aws:iam::111122223333:role/{name}","CreateDate":"2026-01-02T03:04:05+00:00",
        "AssumeRolePolicyDocument":{{"Version":"2012-10-17","Statement":[{trust}]}}{more}}}"#
    )
}

pub(super) fn text(path: PathBuf) -> (Arc<str>, String) {
    let name: Arc<str> = path.to_string_lossy().into();
    (name, std::fs::read_to_string(path).unwrap())
}
