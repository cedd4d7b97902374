use evenhand_model::agent::{AgentKind, ApprovalMode};
use evenhand_model::evidence::Fact;
use evenhand_model::identity::Nature;
use evenhand_model::trust::Mechanism;

use super::{details, read, role};

const LAMBDA: &str = r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#;
const BEDROCK: &str = r#"{"Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"},"Action":"sts:AssumeRole"}"#;

#[test]
fn a_report_of_last_access_tells_what_was_used_and_of_whom() {
    let trust = r#"{"Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"},"Action":"sts:AssumeRole"}"#;
    let gaad = details("", "", &role("one", trust, ""), "");
    let usage = |status: &str| {
        format!(
            r#"{{"call":"iam get-service-last-accessed-details","account":"111122223333",
            "parameters":{{"JobId":"j","Arn":"arn:aws:iam::111122223333:role/one"}},
            "response":{{"JobStatus":"{status}","ServicesLastAccessed":[
            {{"ServiceName":"Amazon S3","ServiceNamespace":"s3","LastAuthenticated":"2026-10-20T00:00:00Z",
            "TrackedActionsLastAccessed":[{{"ActionName":"DeleteBucket"}}]}},
            {{"ServiceName":"Amazon SQS","ServiceNamespace":"sqs"}}]}}}}"#
        )
    };
    let held = read(&[("gaad.json", &gaad), ("usage.json", &usage("COMPLETED"))]);
    let id = held.identity("one").id.clone();
    let used = held.resolver.used(&id).unwrap();
    let holds = |name: &str| used.intersects(&held.resolver.catalog().expand(name));
    assert!(holds("s3:GetObject") && !holds("s3:DeleteBucket"));
    assert!(!holds("sqs:SendMessage"));
    let failed = read(&[("gaad.json", &gaad), ("usage.json", &usage("FAILED"))]);
    assert!(failed.resolver.used(&id).is_none(), "a report that failed says nothing");
}

#[test]
fn a_q_business_application_makes_its_role_an_agent() {
    let trust = r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}"#;
    let roles = [role("assistant", trust, ""), role("plain", trust, "")].join(",");
    let application = |id: &str, identity: &str| {
        format!(
            r#"{{"displayName":"helpdesk {id}","applicationId":"{id}","description":"answers staff","status":"ACTIVE",
            "applicationArn":"arn:aws:qbusiness:eu-west-1:111122223333:application/{id}","identityType":"{identity}",
            "roleArn":"arn:aws:iam::111122223333:role/assistant"}}"#
        )
    };
    let listed = r#"{"applications":[{"applicationId":"a1","displayName":"helpdesk a1"},
        {"applicationId":"a3","displayName":"forgotten"}]}"#;
    let read = read(&[
        ("gaad.json", &details("", "", &roles, "")),
        ("list.json", listed),
        ("a1.json", &application("a1", "AWS_IAM_IDC")),
        ("a2.json", &application("a2", "ANONYMOUS")),
    ]);
    assert_eq!(read.errors, []);
    let judged = read.judged("assistant");
    assert_eq!(judged.nature, Nature::AiAgent);
    assert_eq!(&*judged.reason, "q business application helpdesk a1 acts as it");
    assert_ne!(read.judged("plain").nature, Nature::AiAgent);
    assert_eq!(read.identity("assistant").purpose.value().map(|text| &**text), Some("answers staff"));
    let agent = |name: &str| read.inventory.agents.iter().find(|agent| &*agent.name == name).unwrap();
    assert_eq!(
        (&*agent("helpdesk a1").client, agent("helpdesk a1").authenticated, agent("helpdesk a2").authenticated),
        ("qbusiness", Fact::Known(true), Fact::Known(false))
    );
    let gap = read.inventory.gaps.iter().find(|gap| gap.reason.contains("listed but not described")).unwrap();
    assert!(gap.reason.contains("forgotten") && gap.call.contains("qbusiness get-application"), "{gap:?}");
}

#[test]
fn an_agent_its_role_and_the_function_it_acts_through_are_one_picture() {
    let roles = [role("agent-role", BEDROCK, ""), role("tool-role", LAMBDA, ""), role("plain", LAMBDA, "")].join(",");
    let agent = r#"{"agent":{"agentId":"AG1","agentName":"triage","agentArn":"arn:aws:bedrock:eu-west-1:111122223333:agent/AG1",
        "agentStatus":"PREPARED","description":"sorts incidents","agentResourceRoleArn":"arn:aws:iam::111122223333:role/agent-role"}}"#;
    let group = r#"{"agentActionGroup":{"agentId":"AG1","actionGroupName":"restart","actionGroupState":"ENABLED",
        "actionGroupExecutor":{"lambda":"arn:aws:lambda:eu-west-1:111122223333:function:restart"},
        "functionSchema":{"functions":[{"name":"look","requireConfirmation":"DISABLED"},{"name":"restart","requireConfirmation":"ENABLED"}]}}}"#;
    let functions = r#"{"Functions":[{"FunctionName":"restart","FunctionArn":"arn:aws:lambda:eu-west-1:111122223333:function:restart",
        "Role":"arn:aws:iam::111122223333:role/tool-role","PackageType":"Zip"}]}"#;
    let read = read(&[
        ("gaad.json", &details("", "", &roles, "")),
        ("agent.json", agent),
        ("group.json", group),
        ("functions.json", functions),
    ]);
    assert_eq!(read.errors, []);
    assert_eq!(read.judged("agent-role").nature, Nature::AiAgent);
    assert_eq!(read.judged("tool-role").nature, Nature::AiAgent);
    assert_eq!(read.judged("plain").nature, Nature::Workload);
    assert_eq!(read.identity("agent-role").purpose.value().map(|text| &**text), Some("sorts incidents"));
    let row = read.inventory.agents.first().unwrap();
    assert_eq!(
        (&*row.client, row.kind, row.approval_mode),
        ("bedrock", AgentKind::Agent, Fact::Known(ApprovalMode::Partial))
    );
    assert_eq!(row.auto_approved, Fact::Known(vec!["restart.look".into()]));
    let uses = read.inventory.trusts.iter().find(|held| held.mechanism == Mechanism::UsesTool).unwrap();
    assert_eq!(
        (&*uses.source, uses.target.as_str()),
        ("arn:aws:iam::111122223333:role/agent-role", "arn:aws:iam::111122223333:role/tool-role")
    );
    assert_eq!(read.inventory.workloads.len(), 2);
}

/// An answer of AgentCore.
fn answered(call: &str, response: &str) -> String {
    format!(r#"{{"call":"bedrock-agentcore-control {call}","account":"111122223333","response":{response}}}"#)
}

#[test]
fn a_role_of_an_agent_that_is_none_or_left_out_is_told_and_unknown() {
    let gaad = details("", "", &role("deployer", BEDROCK, ""), "");
    let arn = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/r-1";
    for (member, place) in [
        (r#","roleArn":"deployer""#, "runtime.json#/response/roleArn"),
        (r#","roleArn":null"#, "runtime.json#/response"),
        ("", "runtime.json#/response"),
    ] {
        let runtime = answered("get-agent-runtime", &format!(r#"{{"agentRuntimeArn":"{arn}"{member}}}"#));
        let read = read(&[("gaad.json", &gaad), ("runtime.json", &runtime)]);
        let places: Vec<&str> = read.errors.iter().map(|error| &*error.document).collect();
        assert_eq!(places, [place], "{member}");
        assert!(read.inventory.workloads.is_empty(), "{member}");
        let [agent] = read.inventory.agents.as_slice() else { panic!("{:?}", read.inventory.agents) };
        assert_eq!(agent.identity.as_str(), arn, "{member}");
    }
}

#[test]
fn a_word_that_the_vendor_does_not_have_is_told_and_unknown() {
    let gaad = details("", "", &role("gateway", BEDROCK, ""), "");
    for (word, authenticated, errors) in [
        ("AWS_IAM", Fact::Known(true), 0),
        ("NONE", Fact::Known(false), 0),
        ("", Fact::Unknown, 1),
        ("PERHAPS", Fact::Unknown, 1),
    ] {
        let gateway = format!(
            r#"{{"gatewayArn":"arn:aws:bedrock-agentcore:eu-west-1:111122223333:gateway/gw","authorizerType":"{word}",
            "roleArn":"arn:aws:iam::111122223333:role/gateway"}}"#
        );
        let read = read(&[("gaad.json", &gaad), ("gateway.json", &answered("get-gateway", &gateway))]);
        let [agent] = read.inventory.agents.as_slice() else { panic!("{:?}", read.inventory.agents) };
        assert_eq!((agent.authenticated, read.errors.len()), (authenticated, errors), "{word}");
    }
    let agent = r#"{"agent":{"agentId":"AG1","agentArn":"arn:aws:bedrock:eu-west-1:111122223333:agent/AG1",
        "agentResourceRoleArn":"arn:aws:iam::111122223333:role/gateway"}}"#;
    for (state, confirmation, mode, errors) in [
        ("ENABLED", "DISABLED", Fact::Known(ApprovalMode::Bypass), 0),
        ("ENABLED", "ENABLED", Fact::Known(ApprovalMode::Prompt), 0),
        ("ENABLED", "", Fact::Unknown, 1),
        ("ENABLED", "PERHAPS", Fact::Unknown, 1),
        ("", "DISABLED", Fact::Unknown, 1),
        ("PERHAPS", "DISABLED", Fact::Unknown, 1),
    ] {
        let group = format!(
            r#"{{"agentActionGroup":{{"agentId":"AG1","actionGroupName":"g","actionGroupState":"{state}",
            "functionSchema":{{"functions":[{{"name":"f","requireConfirmation":"{confirmation}"}}]}}}}}}"#
        );
        let read = read(&[("gaad.json", &gaad), ("agent.json", agent), ("group.json", &group)]);
        let [agent] = read.inventory.agents.as_slice() else { panic!("{:?}", read.inventory.agents) };
        assert_eq!((agent.approval_mode, read.errors.len()), (mode, errors), "{state} {confirmation}");
    }
}

#[test]
fn a_credential_for_no_service_is_told() {
    for (member, place) in [("", "keys.json#/ServiceSpecificCredentials/0/ServiceName"), (r#","ServiceName":"""#, "")] {
        let keys = format!(
            r#"{{"ServiceSpecificCredentials":[{{"UserName":"u","ServiceSpecificCredentialId":"ACCAFAKEFAKE"{member}}}]}}"#
        );
        let read = read(&[("keys.json", &keys)]);
        assert_eq!(read.errors.len(), 1, "{:?}", read.errors);
        assert!(read.errors[0].document.starts_with(place), "{:?}", read.errors);
    }
}

#[test]
fn gateways_without_authoriser_are_open_and_listed_agents_want_a_description() {
    let gateway = r#"{"gatewayArn":"arn:aws:bedrock-agentcore:eu-west-1:111122223333:gateway/gw","gatewayId":"gw","name":"tools",
        "protocolType":"MCP","authorizerType":"NONE","roleArn":"arn:aws:iam::111122223333:role/gateway"}"#;
    let target = r#"{"gatewayArn":"arn:aws:bedrock-agentcore:eu-west-1:111122223333:gateway/gw","targetId":"t","name":"crm",
        "credentialProviderConfigurations":[{"credentialProviderType":"API_KEY","credentialProvider":{"apiKeyCredentialProvider":
        {"providerArn":"arn:aws:bedrock-agentcore:eu-west-1:111122223333:token-vault/default/apikeycredentialprovider/crm"}}}]}"#;
    let listed = r#"{"agentSummaries":[{"agentId":"AG1","agentName":"triage","agentStatus":"PREPARED"}]}"#;
    let roles = role("gateway", BEDROCK, "");
    let read = read(&[
        ("gaad.json", &details("", "", &roles, "")),
        ("gateway.json", gateway),
        ("target.json", target),
        ("agents.json", listed),
    ]);
    let row = read.inventory.agents.first().unwrap();
    assert_eq!((row.kind, row.authenticated), (AgentKind::ToolServer, Fact::Known(false)));
    let stored = read.inventory.credentials.iter().find(|held| &*held.kind == "api_key").unwrap();
    assert_eq!(stored.identity.as_str(), "arn:aws:iam::111122223333:role/gateway");
    assert!(read.inventory.gaps.iter().any(|gap| gap.reason.contains("triage")));
}

#[test]
fn a_long_term_model_key_makes_an_agent_of_a_user_and_never_ends_without_a_date() {
    let user = r#"{"UserName":"BedrockAPIKey-x","Arn":"arn:aws:iam::111122223333:user/BedrockAPIKey-x"}"#;
    let keys = r#"{"ServiceSpecificCredentials":[{"UserName":"BedrockAPIKey-x","Status":"Active","CreateDate":"2026-01-01T00:00:00Z",
        "ServiceSpecificCredentialId":"ACCAFAKEFAKE","ServiceName":"bedrock.amazonaws.com"}]}"#;
    let read = read(&[("gaad.json", &details(user, "", "", "")), ("keys.json", keys)]);
    let judged = read.judged("BedrockAPIKey-x");
    assert_eq!((judged.nature, judged.confidence), (Nature::AiAgent, 0.9));
    let key = read.inventory.credentials.first().unwrap();
    assert_eq!((&*key.kind, key.expires_at), ("bedrock_api_key", Fact::Absent));
}

#[test]
fn logs_tell_whether_agents_are_recorded() {
    let trails = r#"{"trailList":[{"Name":"main","TrailARN":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main","LogFileValidationEnabled":true}]}"#;
    let status = r#"{"IsLogging":true}"#;
    let selectors = r#"{"TrailARN":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main","AdvancedEventSelectors":[
        {"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::Bedrock::AgentAlias"]}]}]}"#;
    let off = r#"{"call":"bedrock get-model-invocation-logging-configuration","parameters":{},"region":"eu-west-1","account":"111122223333","response":{}}"#;
    let gaad = details("", "", &role("one", LAMBDA, ""), "");
    let read = read(&[
        ("gaad.json", &gaad),
        ("trails.json", trails),
        ("status.json", status),
        ("selectors.json", selectors),
        ("invocations.json", off),
    ]);
    let logs: Vec<_> =
        read.inventory.logs.iter().map(|log| (log.enabled, log.covers_agents, log.tamper_protected)).collect();
    assert_eq!(
        logs,
        [
            (Fact::Known(true), Fact::Known(true), Fact::Known(true)),
            (Fact::Known(false), Fact::Known(false), Fact::Unknown)
        ]
    );
}
