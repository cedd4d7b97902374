//! Every public vector of subjects against conditions, whichever the platform: the match, the grade and the pattern.

use std::collections::BTreeMap;

use evenhand_federation::decide::Decider;
use serde_json::{Map, Value, json};

use crate::Federation;
use crate::tests::{shared, text};

/// Vectors whose grade is another one here, and why.
const DISAGREED: &[(&str, &str, &str)] = &[
    (
        "gh-aws-aud-default-owner-url-rejected",
        "unsafe",
        "graded as one test of several; as the whole condition that it is given as, an audience alone admits every workflow",
    ),
    (
        "gh-aws-environment-key-absent-claim-rejected",
        "unsafe",
        "as above: an environment's name alone admits whoever makes an environment of that name in a repository of his",
    ),
    (
        "gh-flex-and-reusable-workflow-pin",
        "safe",
        "an exact subject is safe by itself (`az-fic-exact-branch-match`), and a further demand cannot make it looser",
    ),
    (
        "gh-gcp-immutable-id-survives-rename",
        "weak",
        "a repository's number without a ref is what `gh-aws-repository-id-immutable-pin` calls `caution`; the owner's number \
         beside it narrows nothing",
    ),
    (
        "gitlab-aws-path-reuse-no-projectid",
        "weak",
        "the very condition of `gitlab-aws-exact-branch-namebased-stringequals`, which is `caution` there; that this token is \
         a squatter's stands in neither of the two",
    ),
    ("gl-flex-eq-path-reuse-squatter-no-lever", "weak", "as above, for an expression"),
    ("gitlab-az-fic-path-reuse-squatter", "weak", "as above, for a credential"),
    (
        "gh-aws-jwr-condition-key-sha-pin",
        "weak",
        "the commit pins the steps and nobody who runs them: any repository may call a public workflow, with inputs and files \
         of its own",
    ),
];

/// Names that some vectors give beside, or in place of, one that others of them use for the same; here the second is told.
const SYNONYMS: &[(&str, &str)] = &[
    ("classic-sub", "name-based"),
    ("confused-deputy", "no-repo-scope"),
    ("cybersquat", "name-based"),
    ("exact-repo", "name-based"),
    ("immutable-gap", "no-id-pin"),
    ("int-literal", "type-mismatch"),
    ("path-based", "path-reuse"),
    ("path-only", "path-reuse"),
    ("project-id-sub", "project-id-pin"),
    ("rename-proof", "immutable-id"),
    ("reusable-workflow", "job-workflow-ref"),
    // Of the token and not of the condition.
    ("absent-key", "environment-scoped"),
];

/// The `Condition` block of a vector.
fn block(issuer: &str, condition: &Value) -> Value {
    let host = match issuer {
        "github" => "token.actions.githubusercontent.com",
        "gitlab" => "gitlab.com",
        "bitbucket" => "api.bitbucket.org/2.0/workspaces/w/pipelines-config/identity/oidc",
        "circleci" => "oidc.circleci.com/org/2a3b4c5d-1111-2222-3333-444455556666",
        "terraform-cloud" => "app.terraform.io",
        other => panic!("{other}"),
    };
    let parts = condition["of"].as_array().cloned().unwrap_or_else(|| vec![condition.clone()]);
    let mut block = Map::new();
    for part in parts {
        let operator = match part["consumer"].as_str().unwrap() {
            "aws-stringequals" => "StringEquals",
            "aws-stringlike" => "StringLike",
            other => panic!("{other}"),
        };
        let key = format!("{host}:{}", part["claim"].as_str().unwrap_or("sub"));
        block.entry(operator).or_insert_with(|| json!({}))[key] = part["pattern"].clone();
    }
    block.into()
}

/// A vector as a line.
fn line(vector: &Value) -> Value {
    let issuer = vector["issuer"].as_str().unwrap();
    let condition = &vector["condition"];
    let (platform, condition) = match condition["consumer"].as_str().unwrap() {
        "azure-fic-exact" => ("entra", json!({ "subject": condition["pattern"] })),
        "azure-fic-flexible" => {
            ("entra", json!({ "claimsMatchingExpression": { "value": condition["pattern"], "languageVersion": 1 } }))
        }
        "gcp-cel" => ("gcp", json!({ "attributeCondition": condition["pattern"] })),
        _ => ("aws", block(issuer, condition)),
    };
    let mut line =
        json!({ "platform": platform, "issuer": issuer, "subject": vector["subject"], "condition": condition });
    if vector["claims"].is_object() {
        line["claims"] = vector["claims"].clone();
    }
    line
}

#[test]
fn every_public_vector_is_matched_and_graded_as_people_do() {
    let Some(folder) = shared("conformance/federation") else { return };
    let decider = Decider::new(Box::new(Federation::default()));
    let mut suites: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    suites.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    suites.sort();
    let mut wrong = Vec::new();
    let mut disagreed = BTreeMap::new();
    let (mut matched, mut graded, mut named) = (0, 0, 0);
    for path in &suites {
        let suite: Value = serde_json::from_str(&text(path.clone()).1).unwrap();
        for vector in suite["vectors"].as_array().unwrap() {
            let id = vector["id"].as_str().unwrap();
            let line = line(vector);
            let answer = decider.answer(&line.to_string()).unwrap_or_else(|refusal| panic!("{id}: {refusal:?}"));
            let answer = serde_json::to_value(answer).unwrap();
            matched += 1;
            if answer["match"] != (vector["expect"] == "match") {
                wrong.push(format!("{id}: match {}", answer["match"]));
            }
            let judgment = &vector["judgment"];
            let names = |list: &Value| -> Vec<String> {
                list.as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
            };
            let (ours, theirs) = (names(&answer["patterns"]), names(&judgment["patterns"]));
            let is_told = |name: &String| {
                let synonym = SYNONYMS.iter().find(|(theirs, _)| theirs == name).map_or(&**name, |(_, ours)| *ours);
                ours.iter().any(|told| told == synonym)
            };
            if let Some(untold) = theirs.iter().find(|name| !is_told(name)) {
                wrong.push(format!("{id}: {untold} is not among {ours:?}"));
            }
            named += usize::from(!theirs.is_empty());
            let Some(grade) = judgment["grade"].as_str() else { continue };
            let expected = match grade {
                "safe" => "safe",
                "caution" => "weak",
                "dangerous" => "unsafe",
                other => panic!("{other}"),
            };
            if answer["grade"] != expected {
                disagreed.insert(id.to_owned(), answer["grade"].as_str().unwrap().to_owned());
                continue;
            }
            graded += 1;
        }
    }
    let known: BTreeMap<String, String> =
        DISAGREED.iter().map(|(id, grade, _)| ((*id).to_owned(), (*grade).to_owned())).collect();
    println!(
        "federation: {matched} vectors in {} suites, {} matched otherwise; {graded} graded alike, {} otherwise; {named} with all their names",
        suites.len(),
        wrong.iter().filter(|one| one.contains(": match ")).count(),
        disagreed.len()
    );
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(disagreed, known, "vectors that are graded otherwise");
    assert_eq!((matched, suites.len()), (67, 14));
}
