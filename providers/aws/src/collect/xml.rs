//! Answers in XML, turned into the JSON that the vendor's command line prints for them.
//!
//! XML does not say what is a list, a number or a flag. What the collected calls answer with is few enough to be named
//! here; the names are those of the vendor's service models.

use percent_encoding::percent_decode_str;
use roxmltree::{Document, Node};
use serde_json::{Map, Value};

/// Lists, which may be empty.
const LISTS: [&str; 22] = [
    "AccessKeyMetadata",
    "AttachedManagedPolicies",
    "GroupDetailList",
    "GroupList",
    "GroupPolicyList",
    "InstanceProfileList",
    "LaunchConfigurations",
    "OpenIDConnectProviderList",
    "Policies",
    "PolicyVersionList",
    "RoleDetailList",
    "RolePolicyList",
    "Roles",
    "SAMLProviderList",
    "ServiceSpecificCredentials",
    "ServicesLastAccessed",
    "Stacks",
    "Tags",
    "TrackedActionsLastAccessed",
    "UserDetailList",
    "UserPolicyList",
    "Regions",
];
/// Structures and maps, which may be empty.
const OBJECTS: [&str; 3] = ["RoleLastUsed", "AccessKeyLastUsed", "SummaryMap"];
const FLAGS: [&str; 3] = ["IsTruncated", "IsAttachable", "IsDefaultVersion"];
const NUMBERS: [&str; 4] =
    ["AttachmentCount", "PermissionsBoundaryUsageCount", "TotalAuthenticatedEntities", "MaxSessionDuration"];
/// Policies, which are URL-encoded JSON on the wire and objects on the command line.
const POLICIES: [&str; 3] = ["AssumeRolePolicyDocument", "PolicyDocument", "Document"];

/// The answer of a call of the query protocol: `<XResponse><XResult>…`.
pub(super) fn query_answer(operation: &str, text: &str) -> Option<Value> {
    let document = Document::parse(text).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != format!("{operation}Response") {
        return None;
    }
    let result = format!("{operation}Result");
    match elements(root).find(|node| node.tag_name().name() == result) {
        Some(node) if elements(node).next().is_none() => Some(Value::Object(Map::new())),
        Some(node) => Some(Value::Object(members(node, query_value))),
        None => None,
    }
}

fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

fn members<'a, 'input: 'a>(node: Node<'a, 'input>, value: fn(Node<'a, 'input>) -> Value) -> Map<String, Value> {
    elements(node).map(|child| (child.tag_name().name().to_owned(), value(child))).collect()
}

fn text_of(node: Node<'_, '_>) -> String {
    node.children().filter_map(|child| child.text()).collect()
}

/// How deep answers nest at most; the deepest of the vendor's has eight levels.
const DEPTH: usize = 32;

fn query_value(node: Node<'_, '_>) -> Value {
    let name = node.tag_name().name();
    if node.ancestors().count() > DEPTH {
        return Value::Null;
    }
    match elements(node).next().map(|first| first.tag_name().name()) {
        Some("member") => Value::Array(elements(node).map(query_value).collect()),
        Some("entry") => Value::Object(elements(node).filter_map(entry).collect()),
        Some(_) => Value::Object(members(node, query_value)),
        None if LISTS.contains(&name) => Value::Array(Vec::new()),
        None if OBJECTS.contains(&name) => Value::Object(Map::new()),
        None => scalar(name, text_of(node)),
    }
}

/// One entry of a map; the values of all maps that are read are numbers.
fn entry(node: Node<'_, '_>) -> Option<(String, Value)> {
    let part = |name: &str| elements(node).find(|part| part.tag_name().name() == name).map(text_of);
    let value = part("value")?;
    Some((part("key")?, value.parse::<i64>().map_or_else(|_| Value::String(value), Value::from)))
}

fn scalar(name: &str, text: String) -> Value {
    if FLAGS.contains(&name) {
        return Value::Bool(text.trim() == "true");
    }
    if NUMBERS.contains(&name)
        && let Ok(number) = text.trim().parse::<i64>()
    {
        return Value::from(number);
    }
    if POLICIES.contains(&name) {
        let decoded = percent_decode_str(&text).decode_utf8_lossy();
        // What is no JSON is kept as it came; the reader says what is wrong with it.
        return serde_json::from_str(&decoded).unwrap_or(Value::String(text));
    }
    Value::String(text)
}

/// EC2's spelling on the wire, and the command line's. What is not listed is left out: nobody reads it, and instances
/// and launch templates tell much.
const EC2: [(&str, &str); 26] = [
    ("regionInfo", "Regions"),
    ("regionName", "RegionName"),
    ("optInStatus", "OptInStatus"),
    ("reservationSet", "Reservations"),
    ("reservationId", "ReservationId"),
    ("ownerId", "OwnerId"),
    ("instancesSet", "Instances"),
    ("instanceId", "InstanceId"),
    ("imageId", "ImageId"),
    ("instanceType", "InstanceType"),
    ("launchTime", "LaunchTime"),
    ("ipAddress", "PublicIpAddress"),
    ("iamInstanceProfile", "IamInstanceProfile"),
    ("arn", "Arn"),
    ("id", "Id"),
    ("placement", "Placement"),
    ("availabilityZone", "AvailabilityZone"),
    ("tagSet", "Tags"),
    ("launchTemplates", "LaunchTemplates"),
    ("launchTemplateId", "LaunchTemplateId"),
    ("launchTemplateName", "LaunchTemplateName"),
    ("launchTemplateVersionSet", "LaunchTemplateVersions"),
    ("launchTemplateData", "LaunchTemplateData"),
    ("name", "Name"),
    ("key", "Key"),
    ("value", "Value"),
];
const EC2_TOKEN: &str = "nextToken";

/// The answer of a call of EC2: `<XResponse>…`.
pub(super) fn ec2_answer(operation: &str, text: &str) -> Option<Value> {
    let document = Document::parse(text).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != format!("{operation}Response") {
        return None;
    }
    let Value::Object(mut answer) = ec2_value(root) else { return None };
    if let Some(token) = elements(root).find(|node| node.tag_name().name() == EC2_TOKEN).map(text_of)
        && !token.is_empty()
    {
        answer.insert("NextToken".to_owned(), Value::String(token));
    }
    Some(Value::Object(answer))
}

fn ec2_value(node: Node<'_, '_>) -> Value {
    let name = node.tag_name().name();
    if node.ancestors().count() > DEPTH {
        return Value::Null;
    }
    if name.ends_with("Set") || matches!(name, "regionInfo" | "launchTemplates") {
        return Value::Array(elements(node).map(ec2_value).collect());
    }
    if elements(node).next().is_none() && node.parent_element().is_some() {
        return Value::String(text_of(node));
    }
    let member = |child: Node<'_, '_>| {
        let (_, name) = EC2.iter().find(|(wire, _)| *wire == child.tag_name().name())?;
        Some(((*name).to_owned(), ec2_value(child)))
    };
    Value::Object(elements(node).filter_map(member).collect())
}

/// The code in an error answer.
pub(super) fn error_code(text: &str) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let error = document.descendants().find(|node| node.tag_name().name() == "Error")?;
    elements(error).find(|node| node.tag_name().name() == "Code").map(text_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorization_details_become_what_the_command_line_prints() {
        let text = r#"<GetAccountAuthorizationDetailsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<GetAccountAuthorizationDetailsResult><IsTruncated>false</IsTruncated><UserDetailList/>
<RoleDetailList><member><RoleName>a &amp; b</RoleName><AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%7D</AssumeRolePolicyDocument>
<Tags/><RoleLastUsed/><RolePolicyList><member><PolicyName>p</PolicyName><PolicyDocument>not json</PolicyDocument></member></RolePolicyList></member></RoleDetailList>
<Policies><member><AttachmentCount>3</AttachmentCount><IsAttachable>true</IsAttachable><Description/></member></Policies>
</GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"#;
        let expected = serde_json::json!({
            "IsTruncated": false,
            "UserDetailList": [],
            "RoleDetailList": [{
                "RoleName": "a & b",
                "AssumeRolePolicyDocument": {"Version": "2012-10-17"},
                "Tags": [],
                "RoleLastUsed": {},
                "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": "not json"}],
            }],
            "Policies": [{"AttachmentCount": 3, "IsAttachable": true, "Description": ""}],
        });
        assert_eq!(query_answer("GetAccountAuthorizationDetails", text), Some(expected));
    }

    #[test]
    fn a_map_is_an_object_and_instances_are_spelled_as_on_the_command_line() {
        let text = "<GetAccountSummaryResponse><GetAccountSummaryResult><SummaryMap><entry><key>Users</key>\
                    <value>3</value></entry></SummaryMap></GetAccountSummaryResult></GetAccountSummaryResponse>";
        assert_eq!(query_answer("GetAccountSummary", text), Some(serde_json::json!({"SummaryMap": {"Users": 3}})));
        let text = "<DescribeInstancesResponse><requestId>r</requestId><reservationSet><item><ownerId>1</ownerId>\
                    <instancesSet><item><instanceId>i</instanceId><iamInstanceProfile><arn>a</arn></iamInstanceProfile>\
                    <tagSet><item><key>Name</key><value>n</value></item></tagSet></item></instancesSet></item>\
                    </reservationSet><nextToken>t</nextToken></DescribeInstancesResponse>";
        let expected = serde_json::json!({"Reservations": [{"OwnerId": "1", "Instances": [{"InstanceId": "i",
            "IamInstanceProfile": {"Arn": "a"}, "Tags": [{"Key": "Name", "Value": "n"}]}]}], "NextToken": "t"});
        assert_eq!(ec2_answer("DescribeInstances", text), Some(expected));
        let text = "<DescribeLaunchTemplatesResponse><launchTemplates/></DescribeLaunchTemplatesResponse>";
        assert_eq!(ec2_answer("DescribeLaunchTemplates", text), Some(serde_json::json!({"LaunchTemplates": []})));
        let text =
            "<DescribeStacksResponse><DescribeStacksResult><Stacks/></DescribeStacksResult></DescribeStacksResponse>";
        assert_eq!(query_answer("DescribeStacks", text), Some(serde_json::json!({"Stacks": []})));
    }

    #[test]
    fn what_is_no_answer_of_the_call_is_none() {
        for text in ["", "<html/>", "<GetAccountSummaryResponse><GetAccountSummaryResult>", "<AResponse/>", "{}"] {
            assert_eq!(query_answer("GetAccountSummary", text), None, "{text}");
        }
    }
}
