//! A folder of small documents of our own, and the built binary to scan them with. Nothing of the environment of the
//! machine reaches the binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has to end")]

use std::io::Write;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// A folder of documents.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
    home: tempfile::TempDir,
}

/// What a run said.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), home: tempfile::tempdir().unwrap() }
    }

    /// A scene with the small account of [`account`].
    pub(crate) fn with_account() -> Self {
        Self::new().file("gaad.json", account().as_bytes())
    }

    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        write(self.folder.path(), name, content);
        self
    }

    pub(crate) fn home_file(self, name: &str, content: &[u8]) -> Self {
        write(self.home.path(), name, content);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The binary in this folder, with a fixed clock.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("evenhand"));
        command
            .env_clear()
            .env("EVENHAND_NOW", "2026-11-01T00:00:00Z")
            .env("EVENHAND_HOME", self.home.path())
            .env("HOME", self.home.path())
            .current_dir(self.folder.path());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &str) -> Run {
        let output = self.command().args(arguments).write_stdin(stdin).output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// An account with a person's role and an agent's role for the same job, of which the agent holds more.
pub(crate) fn account() -> String {
    let statement = |actions: &str, resource: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Main","Effect":"Allow","Action":{actions},"Resource":"{resource}"}}]}}"#
        )
    };
    let role = |name: &str, id: &str, trust: &str, tags: &str, policy: &str| {
        format!(
            r#"{{"Path":"/","RoleName":"{name}","RoleId":"{id}","Arn":"arn:aws:iam::111122223333:role/{name}",
 "CreateDate":"2026-01-01T00:00:00Z","AssumeRolePolicyDocument":{{"Version":"2012-10-17","Statement":[{trust}]}},
 "InstanceProfileList":[],"RolePolicyList":[{{"PolicyName":"main","PolicyDocument":{policy}}}],
 "AttachedManagedPolicies":[],"Tags":[{tags}],"RoleLastUsed":{{}}}}"#
        )
    };
    let person = role(
        "incident-responder",
        "AROAEXAMPLE00000001",
        r#"{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/sso"},"Action":"sts:AssumeRoleWithSAML","Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}"#,
        "",
        &statement(r#"["logs:GetLogEvents","logs:DescribeLogGroups"]"#, "*"),
    );
    let agent = role(
        "incident-agent",
        "AROAEXAMPLE00000002",
        r#"{"Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"},"Action":"sts:AssumeRole"}"#,
        r#"{"Key":"evenhand:human-role","Value":"incident-responder"}"#,
        &statement(r#"["logs:*","s3:DeleteBucket"]"#, "*"),
    );
    format!(r#"{{"UserDetailList":[],"GroupDetailList":[],"RoleDetailList":[{person},{agent}],"Policies":[]}}"#)
}

/// A cluster with one service account that may read secrets.
pub(crate) const CLUSTER: &str = r#"apiVersion: v1
kind: ServiceAccount
metadata:
  name: triage
  namespace: ops
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: reader
  namespace: ops
rules:
- apiGroups: [""]
  resources: ["secrets"]
  verbs: ["get"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: reader
  namespace: ops
subjects:
- kind: ServiceAccount
  name: triage
  namespace: ops
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: reader
"#;

/// Compresses, as an export may be kept.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A report, parsed.
pub(crate) fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}
