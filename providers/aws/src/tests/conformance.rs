use super::{details, read, role, shared, text};
use evenhand_model::identity::Nature;

#[test]
fn the_counts_of_a_real_export_agree_with_the_file() {
    let Some(path) = shared("samples/aws/cloudsplaining/example.json") else { return };
    let (name, content) = text(path);
    let read = read(&[(&name, &content)]);
    assert_eq!(read.errors, []);
    assert_eq!((read.count("user"), read.count("group"), read.count("role")), (44, 5, 78));
    let failed: Vec<_> =
        read.inventory.gaps.iter().filter(|gap| gap.kind == evenhand_model::gap::GapKind::Failed).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let centre = read.inventory.identities.iter().filter(|held| held.name.starts_with("AWSReservedSSO_"));
    assert!(centre.count() > 0);
    assert!(read.inventory.identities.iter().any(|held| held.vendor_managed));
    for identity in &read.inventory.identities {
        assert!(read.resolver.access(&identity.id).is_some(), "{}", identity.id);
    }
}

#[test]
fn every_account_of_the_public_test_sets_is_read_without_error() {
    let (Some(spy), Some(labs)) = (shared("conformance/aws/iamspy/files"), shared("conformance/aws/pathfinding"))
    else {
        return;
    };
    let mut files: Vec<_> = std::fs::read_dir(spy).unwrap().map(|entry| entry.unwrap().path()).collect();
    for scenario in std::fs::read_dir(labs).unwrap() {
        let scenario = scenario.unwrap().path();
        if scenario.is_dir() {
            files.extend(std::fs::read_dir(scenario).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    files.sort();
    let mut accounts = 0;
    for path in files {
        let (name, content) = text(path);
        if !content.contains("UserDetailList") {
            continue;
        }
        let read = read(&[(&name, &content)]);
        assert_eq!(read.errors, [], "{name}");
        assert!(!read.inventory.identities.is_empty(), "{name}");
        accounts += 1;
    }
    assert!(accounts > 60, "{accounts}");
}

/// The templates' variables, and which of its parts are left out.
fn fill(template: &str) -> String {
    let mut lines = Vec::new();
    let mut skipping = 0_u32;
    for line in template.lines() {
        let word = line.trim();
        if word.starts_with("{% if ") {
            if skipping > 0 || word.contains(" not ") || word.contains("has_") {
                skipping += 1;
            }
            continue;
        }
        if word.starts_with("{% else") {
            skipping = u32::from(skipping == 0) + if skipping > 1 { skipping } else { 0 };
            continue;
        }
        if word.starts_with("{% endif") {
            skipping = skipping.saturating_sub(1);
            continue;
        }
        if skipping == 0 {
            lines.push(line);
        }
    }
    lines
        .join("\n")
        .replace("{{ partition }}", "aws")
        .replace("{{ region }}", "eu-west-1")
        .replace("{{ account_id }}", "111122223333")
        .replace("{{ agent_name }}", "helper")
        .replace("{{ memory_id }}", "memory")
        .replace("{{ ecr_repository_name }}", "helper")
}

#[test]
fn the_role_of_an_agent_runtime_is_an_ai_identity() {
    let (Some(trust), Some(policy)) = (
        shared("samples/aws/agentcore-toolkit/execution_role_trust_policy.json.j2"),
        shared("samples/aws/agentcore-toolkit/execution_role_policy.json.j2"),
    ) else {
        return;
    };
    let (trust, policy) = (fill(&text(trust).1), fill(&text(policy).1));
    let mut roles = role("helper-runtime", "", "");
    roles = roles.replace(r#"{"Version":"2012-10-17","Statement":[]}"#, &trust);
    roles.truncate(roles.len() - 1);
    roles.push_str(&format!(r#","RolePolicyList":[{{"PolicyName":"p","PolicyDocument":{policy}}}]}}"#));
    let read = read(&[("gaad.json", &details("", "", &roles, ""))]);
    assert_eq!(read.errors, []);
    assert!(
        !read.inventory.gaps.iter().any(|gap| gap.kind == evenhand_model::gap::GapKind::Failed),
        "{:?}",
        read.inventory.gaps
    );
    let judged = read.judged("helper-runtime");
    assert_eq!((judged.nature, judged.confidence), (Nature::AiAgent, 1.0));
    assert!(judged.reason.contains("bedrock-agentcore.amazonaws.com"));
    let access = read.resolver.access(&read.identity("helper-runtime").id).unwrap();
    assert!(!access.operations().is_empty());
}
