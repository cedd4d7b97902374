//! What `doctor` says of a place without asking anybody.

use crate::common::Scene;

#[test]
fn a_place_is_described_without_a_credential_s_value() {
    let scene = Scene::with_account().home_file(".kube/config", b"apiVersion: v1\nkind: Config\n");
    let scene = scene.file("evenhand.toml", b"[scope]\nfolders = [\"gaad.json\"]\n");
    let output = scene.command().env("GH_TOKEN", "not-to-be-printed").arg("doctor").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for expected in [
        "configuration  evenhand.toml",
        "1 document is read, ",
        "github         GH_TOKEN is set",
        ".kube/config` is there; `evenhand doctor kubernetes` tries them",
        "aws            nothing is configured",
        "azure          nothing is configured; set AZURE_TENANT_ID",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("not-to-be-printed"));
}

#[test]
fn what_is_not_there_and_what_cannot_be_read_end_otherwise() {
    let empty = Scene::new();
    assert_eq!(empty.run(&["doctor"]).code, 3);
    let broken = Scene::new().file(".mcp.json", b"{\"mcpServers\": ");
    let run = broken.run(&["doctor"]);
    assert_eq!(run.code, 4, "{}{}", run.stdout, run.stderr);
    let run = empty.run(&["doctor", "--profile", "x"]);
    assert!(run.code == 2 && run.stderr.contains("an option of `aws`"), "{}", run.stderr);
}
