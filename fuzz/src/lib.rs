//! What the fuzz targets share: from bytes to a document as the program makes it, and everything that can be asked of
//! what a provider reads in it.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use evenhand_model::access::{ContextValue, Request};
use evenhand_model::document::{Document, FileFacts};
use evenhand_model::id::IdentityId;
use evenhand_model::provider::{Provider, ReadOptions, Reading, Settings};
use evenhand_model::secret::Fingerprinter;

// The program's own files, compiled here as they are: the root crate would bring a data frame library along, which takes
// a sanitizer build many minutes, and none of it is of use here.
#[path = "../../src/sources"]
#[expect(dead_code, unreachable_pub, reason = "the program uses the rest of it")]
mod sources {
    mod decode;
    mod find;
    mod format;
    mod head;
    mod json_head;
    mod known;
    mod load;
    mod named;
    mod proposed;

    use super::{Arc, Document, FileFacts};

    /// What [`load::load`] does with the bytes of a file.
    pub(super) fn document(path: &str, bytes: Vec<u8>) -> Option<Document> {
        let limits = decode::Limits { document: 16 << 20 };
        let text = decode::decode(decode::decompress(bytes, limits).ok()?).ok()?;
        let name = path.rsplit('/').next().unwrap_or(path);
        let (format, head) = format::look(name, &text);
        Some(Document {
            path: Arc::from(path),
            relative: Arc::from(path.split_once('/').map_or(path, |(_, rest)| rest)),
            source_name: Arc::from(path.split('/').next().unwrap_or(path)),
            format,
            text,
            head,
            file: FileFacts::default(),
        })
    }
}

/// A document with this path and content; `None` for what is no text.
pub fn document(path: &str, bytes: &[u8]) -> Option<Document> {
    sources::document(path, bytes.to_vec())
}

/// Has a provider read documents as the pipeline does, and asks it everything.
pub fn read(provider: &dyn Provider, documents: impl IntoIterator<Item = Document>) {
    let mut reader = provider.reader(ReadOptions {
        now: jiff::Timestamp::from_second(1_795_000_000).expect("a moment of our own"),
        fingerprinter: Fingerprinter::ephemeral([7; 32]),
        settings: Settings::new(),
    });
    let mut taken = false;
    for document in documents {
        if provider.recognise(&document).is_some() {
            taken = true;
            // Errors are an answer; only a panic, a hang or unbounded memory is a defect.
            drop(black_box(reader.read(document)));
        }
    }
    if taken {
        ask(&reader.finish());
    }
}

/// The most identities that are asked about; one document of a few kilobytes can name hundreds.
const ASKED: usize = 8;

fn ask(reading: &Reading) {
    let Some(resolver) = &reading.resolver else { return };
    let catalog = resolver.catalog();
    for identity in reading.inventory.identities.iter().take(ASKED) {
        black_box(resolver.access_key(&identity.id));
        black_box(resolver.is_admin(&identity.id));
        black_box(resolver.used(&identity.id));
        let Some(access) = resolver.access(&identity.id) else { continue };
        for slice in access.slices() {
            black_box(resolver.grant(slice.grant));
            if let Some(operation) = slice.operations.iter().next() {
                let name = catalog.name(operation);
                decide(reading, &identity.id, &name);
            }
        }
    }
    black_box(resolver.edges());
}

fn decide(reading: &Reading, identity: &IdentityId, operation: &str) {
    let Some(resolver) = &reading.resolver else { return };
    let named = ["*", "arn:aws:s3:::bucket/key", "ns/name", "ns/", "/subscriptions/s/x"];
    for resource in named.into_iter().map(Some).chain([None]) {
        let request = Request {
            identity: identity.as_str().to_owned(),
            operation: operation.to_owned(),
            resource: resource.map(str::to_owned),
            context: BTreeMap::from([("aws:SourceIp".to_owned(), ContextValue::One("192.0.2.1".to_owned()))]),
        };
        drop(black_box(resolver.decide(identity, &request)));
    }
}
