use super::{details, read, role};

const SERVICE: &str = r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#;
const CANARY: &str = "fake-canary-0123456789";

#[test]
fn no_byte_of_a_secret_is_in_what_is_read() {
    let function = format!(
        r#"{{"Functions":[{{"FunctionName":"f","FunctionArn":"arn:aws:lambda:eu-west-1:111122223333:function:f",
        "Role":"arn:aws:iam::111122223333:role/one","Environment":{{"Variables":{{"DB_PASSWORD":"{CANARY}","API_TOKEN":"{CANARY}"}}}}}},
        {{"FunctionName":"g","FunctionArn":{{"{CANARY}":1}},"Environment":{{"Variables":{{"DB_PASSWORD":"{CANARY}"}}}}}},
        {{"FunctionName":"h","FunctionArn":"arn:aws:lambda:eu-west-1:111122223333:function:h","Environment":"{CANARY}"}}]}}"#
    );
    let runtime = format!(
        r#"{{"agentRuntimeArn":"arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/r","agentRuntimeName":"r",
        "roleArn":"arn:aws:iam::111122223333:role/one","environmentVariables":{{"OPENAI_API_KEY":"{CANARY}"}}}}"#
    );
    let task = format!(
        r#"{{"taskDefinition":{{"taskDefinitionArn":"arn:aws:ecs:eu-west-1:111122223333:task-definition/t:1",
        "taskRoleArn":"arn:aws:iam::111122223333:role/one","containerDefinitions":[{{"image":"i","environment":[
        {{"name":"SESSION_SECRET","value":"{CANARY}"}}]}}]}}}}"#
    );
    let gaad = details("", "", &role("one", SERVICE, ""), "");
    let read = read(&[("gaad.json", &gaad), ("f.json", &function), ("r.json", &runtime), ("t.json", &task)]);
    assert_eq!(read.errors.len(), 2);
    let held: Vec<_> = read.inventory.credentials.iter().filter(|held| held.fingerprint.is_some()).collect();
    assert_eq!(held.len(), 4);
    assert!(held.windows(2).all(|pair| pair[0].fingerprint == pair[1].fingerprint));
    let printed = format!("{:?} {:?}", read.inventory, read.errors);
    assert!(!printed.contains("canary"), "{printed}");
}
