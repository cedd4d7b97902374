//! What an answer holds that must not reach the disk: values of environments, commands, free texts.

use evenhand_model::secret::Fingerprinter;
use serde_json::Value;

use crate::documents::environment::withhold;

/// Leaves only these places of an answer, each with all that is below it; see [`super::table::Call::kept`].
pub(crate) fn keep(answer: &mut Value, places: &[&str]) {
    if places.is_empty() {
        return;
    }
    let places: Vec<Vec<&str>> = places.iter().map(|place| place.split('/').skip(1).collect()).collect();
    prune(answer, &places.iter().map(Vec::as_slice).collect::<Vec<_>>());
}

fn prune(value: &mut Value, places: &[&[&str]]) {
    // What of the places lies below a member; nothing where it is not to be kept.
    let below = |name: Option<&str>| -> Vec<&[&str]> {
        let fits = |step: &str| step == "*" || Some(step) == name;
        places
            .iter()
            .filter_map(|place| place.split_first().filter(|(step, _)| fits(step)).map(|(_, rest)| rest))
            .collect()
    };
    if places.iter().any(|place| place.is_empty()) {
        return;
    }
    match value {
        Value::Object(members) => members.retain(|name, member| {
            let below = below(Some(name));
            if !below.is_empty() {
                prune(member, &below);
            }
            !below.is_empty()
        }),
        Value::Array(elements) => {
            let below = below(None);
            for element in elements {
                prune(element, &below);
            }
        }
        // Where something else stands than the vendor's models say, nobody knows what it is.
        other => *other = Value::Null,
    }
}

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
    fn what_later_calls_are_asked_with_is_kept() {
        for call in calls().filter(|call| !call.kept.is_empty()) {
            for later in calls() {
                for each in later.each.iter().filter(|each| each.of == call.form && !each.list.is_empty()) {
                    for (_, pointer) in each.take {
                        let place = format!("/{}/*{pointer}", each.list);
                        assert!(call.kept.contains(&place.as_str()), "{} lacks {place}", call.operation);
                    }
                }
            }
        }
    }

    #[test]
    fn values_go_and_names_stay() {
        let canary = "fake-canary-0123456789";
        for (operation, names, answer) in [
            (
                "ListFunctions",
                &["DB_PASSWORD", "PLAIN", "FunctionName"][..],
                serde_json::json!({"Functions": [
                    {
                        "FunctionName": "f",
                        "Environment": {"Variables": {"DB_PASSWORD": canary, "PLAIN": canary}, "Error": canary},
                        "ImageConfigResponse": {"ImageConfig": {"Command": [canary], "EntryPoint": ["sh", canary]}},
                    },
                    {"FunctionName": "g", "Environment": canary},
                    canary,
                ]}),
            ),
            (
                "GetAgentRuntime",
                &["API_TOKEN", "agentRuntimeArn", "containerUri"],
                serde_json::json!({
                    "agentRuntimeArn": "a",
                    "environmentVariables": {"API_TOKEN": canary},
                    "agentRuntimeArtifact": {
                        "containerConfiguration": {"containerUri": "i"},
                        "codeConfiguration": {"entryPoint": ["python", canary]},
                    },
                    "requestHeaderConfiguration": canary,
                }),
            ),
            (
                "DescribeTaskDefinition",
                &["SESSION_SECRET", "image"],
                serde_json::json!({"taskDefinition": {
                    "containerDefinitions": [{
                        "image": "i",
                        "environment": [{"name": "SESSION_SECRET", "value": canary}, canary],
                        "command": ["run", canary],
                        "entryPoint": [canary],
                        "healthCheck": {"command": [canary]},
                        "dockerLabels": {"token": canary},
                        "firelensConfiguration": {"type": "fluentbit", "options": {"key": canary}},
                        "logConfiguration": {"options": {"splunk-token": canary}},
                        "extraHosts": [canary],
                    }],
                    "volumes": [{"dockerVolumeConfiguration": {"driverOpts": {"o": canary}}}],
                    "proxyConfiguration": {"properties": [{"name": "x", "value": canary}]},
                }}),
            ),
            (
                "DescribeNotebookInstance",
                &["NotebookInstanceArn", "RoleArn"],
                serde_json::json!({
                    "NotebookInstanceArn": "a",
                    "RoleArn": "r",
                    "DefaultCodeRepository": format!("https://user:{canary}@git.example/x"),
                    "AdditionalCodeRepositories": [format!("https://user:{canary}@git.example/y")],
                }),
            ),
            (
                "ListNotebookInstances",
                &["NotebookInstanceName"],
                serde_json::json!({"NotebookInstances": [
                    {"NotebookInstanceName": "n", "DefaultCodeRepository": format!("https://user:{canary}@git.example/x")},
                ]}),
            ),
            (
                "BatchGetProjects",
                &["arn", "serviceRole"],
                serde_json::json!({"projects": [{
                    "arn": "a",
                    "name": "p",
                    "serviceRole": "r",
                    "description": canary,
                    "source": {"type": "GITHUB", "location": format!("https://{canary}@git.example/x"), "buildspec": canary},
                    "environment": {
                        "environmentVariables": [{"name": "TOKEN", "value": canary, "type": "PLAINTEXT"}],
                        "registryCredential": {"credential": canary},
                    },
                    "secondarySources": [{"buildspec": canary}],
                    "webhook": {"payloadUrl": canary, "secret": canary},
                }, canary], "projectsNotFound": [canary]}),
            ),
            (
                "DescribeStacks",
                &["StackId", "RoleARN"],
                serde_json::json!({"Stacks": [{
                    "StackId": "i",
                    "StackName": "s",
                    "RoleARN": "r",
                    "Description": canary,
                    "StackStatusReason": canary,
                    "Parameters": [{"ParameterKey": "p", "ParameterValue": canary, "ResolvedValue": canary}],
                    "Outputs": [{"OutputKey": "o", "OutputValue": canary}],
                    "Tags": [{"Key": "t", "Value": canary}],
                }, canary]}),
            ),
            (
                "GetDevEndpoints",
                &["EndpointName", "RoleArn", "AvailabilityZone"],
                serde_json::json!({"DevEndpoints": [{
                    "EndpointName": "d",
                    "RoleArn": "r",
                    "AvailabilityZone": "eu-west-1a",
                    "Arguments": {"--token": canary},
                    "PublicKey": canary,
                    "PublicKeys": [canary],
                    "ExtraJarsS3Path": canary,
                    "FailureReason": canary,
                }]}),
            ),
            (
                "DescribeJobDefinitions",
                &["jobDefinitionArn", "jobRoleArn", "taskRoleArn"],
                serde_json::json!({"jobDefinitions": [
                    {
                        "jobDefinitionArn": "a",
                        "status": "ACTIVE",
                        "parameters": {"p": canary},
                        "tags": {"t": canary},
                        "containerProperties": {
                            "jobRoleArn": "r",
                            "command": ["run", canary],
                            "environment": [{"name": "TOKEN", "value": canary}],
                            "secrets": [{"name": "TOKEN", "valueFrom": canary}],
                            "logConfiguration": {"options": {"splunk-token": canary}},
                        },
                    },
                    {
                        "ecsProperties": {"taskProperties": [{
                            "taskRoleArn": "r",
                            "containers": [{"command": [canary], "environment": [{"name": "T", "value": canary}]}],
                        }]},
                        "nodeProperties": {"nodeRangeProperties": [{
                            "targetNodes": canary,
                            "container": {"jobRoleArn": "r", "environment": [{"name": "T", "value": canary}]},
                            "ecsProperties": {"taskProperties": [{"taskRoleArn": "r", "containers": [canary]}]},
                        }]},
                        "eksProperties": {"podProperties": {"containers": [{"env": [{"name": "T", "value": canary}]}]}},
                    },
                ]}),
            ),
            (
                "DescribeService",
                &["ServiceArn", "InstanceRoleArn"],
                serde_json::json!({"Service": {
                    "ServiceArn": "a",
                    "ServiceName": "s",
                    "InstanceConfiguration": {"Cpu": "1", "InstanceRoleArn": "r"},
                    "SourceConfiguration": {
                        "CodeRepository": {
                            "RepositoryUrl": format!("https://{canary}@git.example/x"),
                            "CodeConfiguration": {"CodeConfigurationValues": {
                                "StartCommand": canary,
                                "RuntimeEnvironmentVariables": {"TOKEN": canary},
                            }},
                        },
                        "ImageRepository": {"ImageConfiguration": {"RuntimeEnvironmentVariables": {"TOKEN": canary}}},
                    },
                }}),
            ),
            (
                "DescribeStateMachine",
                &["stateMachineArn", "roleArn"],
                serde_json::json!({
                    "stateMachineArn": "a",
                    "roleArn": "r",
                    "definition": canary,
                    "description": canary,
                    "variableReferences": {"state": [canary]},
                }),
            ),
            (
                "DescribeLaunchConfigurations",
                &["LaunchConfigurationARN", "IamInstanceProfile"],
                serde_json::json!({"LaunchConfigurations": [{
                    "LaunchConfigurationARN": "a",
                    "LaunchConfigurationName": "c",
                    "IamInstanceProfile": "p",
                    "UserData": canary,
                    "KeyName": canary,
                }]}),
            ),
            (
                "DescribeLaunchTemplateVersions",
                &["LaunchTemplateId", "Arn"],
                serde_json::json!({"LaunchTemplateVersions": [
                    {
                        "LaunchTemplateId": "lt-1",
                        "VersionDescription": canary,
                        "LaunchTemplateData": {"IamInstanceProfile": {"Arn": "p"}, "UserData": canary},
                    },
                    {"LaunchTemplateId": "lt-2", "LaunchTemplateData": canary},
                ]}),
            ),
            (
                "GetAgent",
                &["agentName"],
                serde_json::json!({"agent": {"agentName": "a", "instruction": canary, "promptOverrideConfiguration":
                    {"promptConfigurations": [{"basePromptTemplate": canary}]}}}),
            ),
            (
                "GetGatewayTarget",
                &["lambdaArn", "providerArn"],
                serde_json::json!({
                    "targetConfiguration": {"mcp": {
                        "lambda": {"lambdaArn": "l", "toolSchema": canary},
                        "openApiSchema": {"inlinePayload": canary},
                    }},
                    "credentialProviderConfigurations": [{"credentialProvider": {"oauthCredentialProvider":
                        {"providerArn": "p", "customParameters": {"client_secret": canary}}}}],
                }),
            ),
        ] {
            let call = calls().find(|call| call.operation == operation).unwrap();
            let mut answer = answer;
            keep(&mut answer, call.kept);
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
