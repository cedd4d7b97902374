//! Third-party exports, read where they lie.

use crate::common::{Scene, json};

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn shared() -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("EVENHAND_SHARED");
    if folder.is_none() {
        println!("EVENHAND_SHARED is not set: the test on third-party samples is skipped");
    }
    folder.map(Into::into)
}

#[test]
fn a_real_account_export_is_read_whole() {
    let Some(shared) = shared() else { return };
    let export = shared.join("samples/aws/cloudsplaining/example.json");
    let file = json(&std::fs::read_to_string(&export).unwrap());
    let run = Scene::new().run(&["inventory", export.to_str().unwrap(), "-o", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let report = json(&run.stdout);
    let rows = report["tables"]["identities"].as_array().unwrap();
    for (kind, list) in [("user", "UserDetailList"), ("role", "RoleDetailList"), ("group", "GroupDetailList")] {
        // An identity that only a policy names is in the inventory too, but not described by this list.
        let described = |row: &&serde_json::Value| {
            row["kind"] == kind && row["location"].as_str().unwrap().contains(&format!("#/{list}/"))
        };
        assert_eq!(rows.iter().filter(described).count(), file[list].as_array().unwrap().len(), "{kind}");
    }
}

#[test]
fn every_sample_is_recognised_or_listed_with_a_reason() {
    let Some(shared) = shared() else { return };
    for folder in ["samples/agents", "samples/kubernetes", "samples/aws"] {
        let folder = shared.join(folder);
        let run = Scene::new().run(&["scan", folder.to_str().unwrap(), "-o", "json"]);
        assert!([0, 4].contains(&run.code), "{}", run.stderr);
        let report = json(&run.stdout);
        for file in report["scan"]["sources"].as_array().unwrap() {
            assert!(!file["what"].as_str().unwrap().is_empty(), "{file}");
        }
    }
}
