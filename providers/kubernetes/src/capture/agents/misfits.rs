//! What of an agent's settings has another type than its platform gives it: who it is, what it may use, who is asked.

use serde_json::Value;

use super::{at, toolhive};

/// Members whose keys are the document's own, so that no setting stands below them.
const OWN_KEYS: &[&str] = &[
    "labels",
    "annotations",
    "nodeSelector",
    "matchLabels",
    "env",
    "headers",
    "addPlaintextHeaders",
    "defaultHeaders",
];

/// Members of a reference that tell, beside its name, which object it names.
pub(super) const WHOSE: &[&str] = &["namespace", "kind", "apiGroup"];

/// The settings that are not understood.
#[derive(Default)]
pub(super) struct Misfits {
    /// Where each stands.
    pub(super) pointers: Vec<String>,
    /// Whether one may name the account.
    pub(super) account: bool,
    /// Whether one tells of tools, or of who approves their use.
    pub(super) tools: bool,
    /// Whether one stands in place of what names a tool.
    pub(super) lost_tools: bool,
    /// Whether one may let a container out of its confinement.
    pub(super) confinement: bool,
    /// Whether one tells of the runtime that isolates it.
    pub(super) sandbox: bool,
    /// Whether one tells of its audit log.
    pub(super) audit: bool,
    /// Whether one may demand a credential of callers.
    pub(super) authentication: bool,
    /// Whether one may decide who may call what.
    pub(super) authorization: bool,
}

impl Misfits {
    /// Those of a platform's object.
    pub(super) fn of(spec: &Value, platform: &str) -> Self {
        let mut misfits = Self::default();
        misfits.below(spec, "/spec");
        match platform {
            "kagent" => misfits.of_kagent(spec),
            "agent-sandbox" => misfits.of_sandbox(spec),
            "toolhive" => misfits.of_toolhive(spec),
            _ => {}
        }
        misfits
    }

    /// Those that mean the same wherever they stand.
    fn below(&mut self, value: &Value, pointer: &str) {
        match value {
            Value::Object(object) => {
                for (key, inner) in object {
                    let told = match key.as_str() {
                        "serviceAccountName" => is_other(Some(inner), Value::is_string).then_some(&mut self.account),
                        "privileged" | "hostNetwork" | "hostPID" | "hostIPC" => {
                            is_other(Some(inner), Value::is_boolean).then_some(&mut self.confinement)
                        }
                        key if OWN_KEYS.contains(&key) || !is_member(key) => None,
                        key => {
                            self.below(inner, &format!("{pointer}/{key}"));
                            None
                        }
                    };
                    if let Some(told) = told {
                        *told = true;
                        self.pointers.push(format!("{pointer}/{key}"));
                    }
                }
            }
            Value::Array(list) => {
                for (number, inner) in list.iter().enumerate() {
                    self.below(inner, &format!("{pointer}/{number}"));
                }
            }
            _ => {}
        }
    }

    fn of_kagent(&mut self, spec: &Value) {
        let holders =
            [&["declarative"][..], &["byo"], &["deployment"], &["declarative", "deployment"], &["byo", "deployment"]];
        for way in holders {
            if is_other(at(spec, way), Value::is_object) {
                (self.account, self.confinement) = (true, true);
                self.tools |= way == ["declarative"];
                self.lost_tools |= way == ["declarative"];
                self.pointers.push(format!("/spec/{}", way.join("/")));
            }
        }
        self.authentication |= self.is_wrong(spec, &["headersFrom"], is_collection);
        self.authentication |= self.is_wrong(spec, &["authn"], is_collection);
        if self.is_wrong(spec, &["authz"], is_collection) {
            (self.authentication, self.authorization) = (true, true);
        }
        for way in [&["declarative", "tools"][..], &["tools"]] {
            let pointer = format!("/spec/{}", way.join("/"));
            match at(spec, way) {
                Some(Value::Array(tools)) => {
                    for (number, tool) in tools.iter().enumerate() {
                        self.of_tool(tool, &format!("{pointer}/{number}"));
                    }
                }
                None | Some(Value::Null) => {}
                Some(_) => self.lost_tool(pointer),
            }
        }
    }

    /// Whether a member of the spec is there and does not fit, which is noted.
    fn is_wrong(&mut self, spec: &Value, way: &[&str], fits: fn(&Value) -> bool) -> bool {
        let wrong = is_other(at(spec, way), fits);
        if wrong {
            self.pointers.push(format!("/spec/{}", way.join("/")));
        }
        wrong
    }

    fn of_toolhive(&mut self, spec: &Value) {
        self.account |= self.is_wrong(spec, &["serviceAccount"], Value::is_string);
        self.confinement |= self.is_wrong(spec, &["podTemplateSpec"], Value::is_object);
        self.confinement |= self.is_wrong(spec, &["volumes"], Value::is_array);
        for key in toolhive::AUTHENTICATION {
            self.authentication |= self.is_wrong(spec, &[*key], Value::is_object);
        }
        for key in toolhive::AUTHORIZATION {
            self.authorization |= self.is_wrong(spec, &[*key], Value::is_object);
        }
        if self.is_wrong(spec, &["config"], Value::is_object) {
            (self.audit, self.authentication, self.authorization) = (true, true, true);
        }
        for way in [&["audit"][..], &["config", "audit"]] {
            self.audit |= self.is_wrong(spec, way, Value::is_object);
            self.audit |= self.is_wrong(spec, &[way, &["enabled"]].concat(), Value::is_boolean);
        }
        for way in [&["incomingAuth"][..], &["config", "incomingAuth"]] {
            if self.is_wrong(spec, way, Value::is_object) {
                (self.authentication, self.authorization) = (true, true);
            }
            self.authentication |= self.is_wrong(spec, &[way, &["type"]].concat(), Value::is_string);
            self.authorization |= self.is_wrong(spec, &[way, &["authzConfig"]].concat(), Value::is_object);
        }
    }

    /// Those of what isolates a sandbox, and of what it is made from.
    fn of_sandbox(&mut self, spec: &Value) {
        self.sandbox |= self.is_wrong(spec, &["podTemplate", "spec", "runtimeClassName"], Value::is_string);
        for key in ["warmPoolRef", "sandboxTemplateRef"] {
            self.account |= self.is_wrong(spec, &[key], is_named);
        }
    }

    /// Those of a tool of kagent.
    fn of_tool(&mut self, tool: &Value, pointer: &str) {
        if is_other(Some(tool), Value::is_object) {
            return self.lost_tool(pointer.to_owned());
        }
        for key in ["mcpServer", "agent"] {
            let reference = tool.get(key);
            if is_other(reference, is_named) {
                return self.lost_tool(format!("{pointer}/{key}"));
            }
            let whose =
                WHOSE.iter().find(|member| is_other(reference.and_then(|held| held.get(member)), Value::is_string));
            if let Some(member) = whose {
                return self.lost_tool(format!("{pointer}/{key}/{member}"));
            }
        }
        let server = tool.get("mcpServer");
        let member = |key: &str| server.and_then(|server| server.get(key));
        if is_other(member("toolNames"), are_texts) {
            self.tool(format!("{pointer}/mcpServer/toolNames"));
        }
        if is_other(member("requireApproval"), |held| held.is_boolean() || are_texts(held)) {
            self.tool(format!("{pointer}/mcpServer/requireApproval"));
        }
    }

    fn lost_tool(&mut self, pointer: String) {
        self.lost_tools = true;
        self.tool(pointer);
    }

    fn tool(&mut self, pointer: String) {
        self.tools = true;
        self.pointers.push(pointer);
    }
}

/// Whether a reference has a name, or leaves it open.
fn is_named(reference: &Value) -> bool {
    reference.is_object() && !is_other(reference.get("name"), Value::is_string)
}

/// Whether a member is there and does not fit.
pub(super) fn is_other(value: Option<&Value>, fits: impl Fn(&Value) -> bool) -> bool {
    value.is_some_and(|value| !value.is_null() && !fits(value))
}

fn is_collection(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

fn are_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(Value::is_string))
}

/// Whether a key looks like a member of a platform's; any other is the document's own and may hold a secret.
fn is_member(key: &str) -> bool {
    key.chars().all(|letter| letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_of_the_document_s_own_are_no_settings_and_are_not_repeated() {
        let deployment = json!({
            "labels": {"privileged": "no", "serviceAccountName": 7},
            "annotations": {"tools": "x"},
            "nodeSelector": {"hostNetwork": "true"},
            "env": {"privileged": "no"},
            "sk-0123": {"privileged": "no"},
            "a/b~c": {"serviceAccountName": 7}
        });
        let misfits = Misfits::of(&json!({"byo": {"deployment": deployment}}), "kagent");
        assert_eq!(misfits.pointers, [""; 0]);
    }

    #[test]
    fn each_misfit_is_told_once_with_what_it_leaves_unknown() {
        for (spec, pointer, account, tools, confinement) in [
            (json!({"byo": 7}), "/spec/byo", true, false, true),
            (json!({"declarative": []}), "/spec/declarative", true, true, true),
            (
                json!({"deployment": {"serviceAccountName": 7}}),
                "/spec/deployment/serviceAccountName",
                true,
                false,
                false,
            ),
            (json!({"tools": {}}), "/spec/tools", false, true, false),
            (json!({"tools": [7]}), "/spec/tools/0", false, true, false),
            (json!({"tools": ["x"]}), "/spec/tools/0", false, true, false),
            (json!({"tools": [{"agent": "x"}]}), "/spec/tools/0/agent", false, true, false),
            (json!({"tools": [{"agent": {"name": 7}}]}), "/spec/tools/0/agent", false, true, false),
            (
                json!({"tools": [{"agent": {"name": "x", "namespace": 7}}]}),
                "/spec/tools/0/agent/namespace",
                false,
                true,
                false,
            ),
            (json!({"tools": [{"mcpServer": {"name": 7}}]}), "/spec/tools/0/mcpServer", false, true, false),
            (
                json!({"tools": [{"mcpServer": {"toolNames": [7]}}]}),
                "/spec/tools/0/mcpServer/toolNames",
                false,
                true,
                false,
            ),
            (
                json!({"deployment": {"containers": [{"securityContext": {"privileged": "yes"}}]}}),
                "/spec/deployment/containers/0/securityContext/privileged",
                false,
                false,
                true,
            ),
        ] {
            let misfits = Misfits::of(&spec, "kagent");
            assert_eq!(misfits.pointers, [pointer]);
            assert_eq!(
                (misfits.account, misfits.tools, misfits.confinement),
                (account, tools, confinement),
                "{pointer}"
            );
        }
    }
}
