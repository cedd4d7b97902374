//! What was not understood: every failure is one gap, and every gap that cites a document is a failure of that document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::document::ReadError;
use evenhand_model::gap::{Gap, GapKind, Lost};
use evenhand_model::id::ProviderName;
use evenhand_reports::report::{SourceFile, SourceStatus};

/// Where the file stands in the list of files, what is wrong with it, and whose document it is.
pub(super) type Failure = (usize, ReadError, Option<ProviderName>);

/// Brings failures and gaps together. A gap that a provider recorded itself stands for its failure, because it knows better
/// what is lost; what a provider found out only when it joined its documents becomes a failure; and a document with a
/// failure was read in part.
pub(super) fn settle(files: &mut [SourceFile], failures: &mut Vec<Failure>, gaps: &mut Vec<Gap>) {
    let of_failures: Vec<Gap> = failures.iter().map(gap).collect();
    let mut told: BTreeSet<(&str, &str)> = of_failures.iter().map(key).collect();
    let failed = |gap: &&Gap| gap.kind == GapKind::Failed;
    let recorded: BTreeSet<(&str, &str)> = gaps.iter().filter(failed).map(key).collect();
    let read = files.iter().enumerate().filter(|(_, file)| file.status == SourceStatus::Read);
    let read: BTreeMap<Arc<str>, usize> = read.map(|(at, file)| (Arc::clone(&file.path), at)).collect();
    for gap in gaps.iter().filter(failed) {
        if let Some(at) = cited(&gap.call, &read)
            && told.insert(key(gap))
        {
            let (reason, remedy) = gap.reason.rsplit_once("; ").unwrap_or((&gap.reason, "export it again"));
            let error = ReadError { document: gap.call.to_string(), reason: reason.into(), remedy: remedy.into() };
            failures.push((at, error, gap.provider));
        }
    }
    let unrecorded: Vec<Gap> = of_failures.iter().filter(|gap| !recorded.contains(&key(gap))).cloned().collect();
    gaps.extend(unrecorded);
    failures.sort_by(|(a, x, _), (b, y, _)| (a, &x.document).cmp(&(b, &y.document)));
    for (at, ..) in failures.iter() {
        if let Some(file) = files.get_mut(*at).filter(|file| file.status == SourceStatus::Read) {
            file.status = SourceStatus::Partial;
        }
    }
}

/// The gap of a failure of which its provider records none.
fn gap((_, error, provider): &Failure) -> Gap {
    Gap {
        provider: *provider,
        scope: None,
        kind: GapKind::Failed,
        call: error.document.as_str().into(),
        reason: format!("{}; {}", error.reason, error.remedy).into(),
        facts: vec![Lost::everything("whatever this part of the document says")],
    }
}

/// What tells a gap from others.
fn key(gap: &Gap) -> (&str, &str) {
    (&gap.call, &gap.reason)
}

/// Where the document stands that a place lies in: `a.json`, `a.json#/b/0`, `a.yaml:3:1`. The longest path that fits is it,
/// because a name may hold such a mark itself.
fn cited(place: &str, read: &BTreeMap<Arc<str>, usize>) -> Option<usize> {
    let marks = place.rmatch_indices(['#', ':']).map(|(at, _)| at);
    std::iter::once(place.len()).chain(marks).find_map(|end| read.get(place.get(..end)?)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> SourceFile {
        SourceFile { path: path.into(), status: SourceStatus::Read, provider: None, what: "".into(), bytes: 1 }
    }

    fn recorded(call: &str, kind: GapKind) -> Gap {
        Gap { kind, call: call.into(), reason: "it is cut; export it again".into(), ..gap(&failure(0, call)) }
    }

    fn failure(at: usize, document: &str) -> Failure {
        let error =
            ReadError { document: document.into(), reason: "it is cut".into(), remedy: "export it again".into() };
        (at, error, None)
    }

    #[test]
    fn a_document_that_a_gap_cites_was_read_in_part_and_the_failure_is_told() {
        let mut files: Vec<SourceFile> = ["a.json", "a#b.json", "c:1.yaml", "d.json", "e"].map(file).into();
        let mut failures = Vec::new();
        let mut gaps = vec![
            recorded("a#b.json#/x/0", GapKind::Failed),
            recorded("c:1.yaml:3:1", GapKind::Failed),
            recorded("e", GapKind::Failed),
            recorded("d.json", GapKind::NotCollected),
            recorded("aws iam list-users", GapKind::Failed),
        ];
        settle(&mut files, &mut failures, &mut gaps);
        let partial: Vec<&str> =
            files.iter().filter(|file| file.status == SourceStatus::Partial).map(|file| &*file.path).collect();
        assert_eq!(partial, ["a#b.json", "c:1.yaml", "e"]);
        let told: Vec<String> = failures.iter().map(|(_, error, _)| error.to_string()).collect();
        assert_eq!(told[0], "a#b.json#/x/0: it is cut; export it again");
        assert_eq!((told.len(), gaps.len()), (3, 5));
    }

    #[test]
    fn a_failure_is_one_gap_whether_its_provider_records_it_or_not() {
        let mut files = vec![file("a.json"), file("b.json")];
        let mut failures = vec![failure(1, "b.json:2:1"), failure(0, "a.json:1:1")];
        let mut gaps = vec![recorded("a.json:1:1", GapKind::Failed)];
        settle(&mut files, &mut failures, &mut gaps);
        let calls: Vec<&str> = gaps.iter().map(|gap| &*gap.call).collect();
        assert_eq!(calls, ["a.json:1:1", "b.json:2:1"]);
        assert_eq!(failures.iter().map(|(at, ..)| *at).collect::<Vec<_>>(), [0, 1]);
        assert!(files.iter().all(|file| file.status == SourceStatus::Partial));
    }
}
