//! What an answer holds that must not reach the disk: values of environments, commands, free texts.

use evenhand_model::secret::Fingerprinter;
use serde_json::Value;

use crate::documents::environment::withhold;

/// Replaces the values at these places of an answer; see [`super::table::Call::withheld`].
pub(crate) fn hide(answer: &mut Value, places: &[&str], fingerprinter: &Fingerprinter) {
    for place in places {
        let steps: Vec<&str> = place.split('/').skip(1).collect();
        walk(answer, &steps, "", fingerprinter);
    }
}

fn walk(value: &mut Value, steps: &[&str], name: &str, fingerprinter: &Fingerprinter) {
    let Some((step, rest)) = steps.split_first() else { return leaves(value, name, fingerprinter) };
    match value {
        Value::Object(members) if *step == "*" => {
            for (name, member) in members {
                walk(member, rest, name, fingerprinter);
            }
        }
        Value::Object(members) => {
            if let Some(member) = members.get_mut(*step) {
                walk(member, rest, step, fingerprinter);
            }
        }
        Value::Array(elements) if *step == "*" => {
            for element in elements {
                walk(element, rest, name, fingerprinter);
            }
        }
        // Where something else stands than the vendor's models say, it is not trusted either.
        other => leaves(other, name, fingerprinter),
    }
}

/// Replaces every text below a value.
fn leaves(value: &mut Value, name: &str, fingerprinter: &Fingerprinter) {
    match value {
        Value::String(text) => *text = withhold(name, text, fingerprinter),
        Value::Array(elements) => {
            for element in elements {
                leaves(element, name, fingerprinter);
            }
        }
        Value::Object(members) => {
            // `{"name": …, "value": …}`: the first is the name of the second.
            if let (Some(Value::String(name)), true) = (members.get("name").cloned(), members.contains_key("value")) {
                for (member, held) in members {
                    if member != "name" {
                        leaves(held, &name, fingerprinter);
                    }
                }
                return;
            }
            for (name, member) in members {
                leaves(member, name, fingerprinter);
            }
        }
        Value::Number(_) => *value = Value::Null,
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::table::calls;

    #[test]
    fn values_go_and_names_stay() {
        let canary = "fake-canary-0123456789";
        for (operation, names, answer) in [
            (
                "ListFunctions",
                &["DB_PASSWORD", "PLAIN", "FunctionName"][..],
                serde_json::json!({"Functions": [
                    {"FunctionName": "f", "Environment": {"Variables": {"DB_PASSWORD": canary, "PLAIN": canary}}},
                    {"FunctionName": "g", "Environment": canary},
                ]}),
            ),
            ("GetAgentRuntime", &["API_TOKEN"], serde_json::json!({"environmentVariables": {"API_TOKEN": canary}})),
            (
                "DescribeTaskDefinition",
                &["SESSION_SECRET", "image"],
                serde_json::json!({"taskDefinition": {"containerDefinitions": [{
                    "image": "i",
                    "environment": [{"name": "SESSION_SECRET", "value": canary}, canary],
                    "command": ["run", canary],
                    "logConfiguration": {"options": {"splunk-token": canary}},
                }]}}),
            ),
            ("GetAgent", &["agentName"], serde_json::json!({"agent": {"agentName": "a", "instruction": canary}})),
        ] {
            let call = calls().find(|call| call.operation == operation).unwrap();
            let mut answer = answer;
            hide(&mut answer, call.withheld, &Fingerprinter::keyed("test"));
            let text = answer.to_string();
            assert!(!text.contains("canary") && names.iter().all(|name| text.contains(name)), "{text}");
        }
        let mut answer = serde_json::json!({"environmentVariables": {"API_TOKEN": canary}});
        hide(&mut answer, &["/environmentVariables/*"], &Fingerprinter::keyed("test"));
        let written = answer["environmentVariables"]["API_TOKEN"].as_str().unwrap();
        assert!(written.starts_with("evenhand:withheld:token:"), "{written}");
    }
}
