//! Captures of any number of identities, the same for the same number on every machine.
//!
//! The mix is that of large exports: an inline policy of its own for most roles, a customer policy for every three
//! identities with some forty actions in it, boundaries on a fifth, one AI identity in ten, and one human role per team
//! with which the AI identities compare. The files are indented by four blanks, as the vendors' command lines print them.

use std::io::{self, BufWriter, Write};
use std::path::Path;

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A stream that depends on the seed only.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(at).copied().unwrap_or_default()
    }
}

/// Identities in one account at most; larger captures have several accounts, each with its own file.
pub const PER_ACCOUNT: u64 = 10_000;

const TEAMS: u64 = 40;
/// One managed policy for so many identities. A published export of 122 identities holds 84 policies of 3.1 kB each.
const IDENTITIES_PER_POLICY: u64 = 3;

const READS: [&str; 14] = [
    "s3:GetObject",
    "s3:ListBucket",
    "dynamodb:GetItem",
    "dynamodb:Query",
    "sqs:ReceiveMessage",
    "sns:ListTopics",
    "logs:FilterLogEvents",
    "cloudwatch:GetMetricData",
    "kms:Decrypt",
    "ecr:BatchGetImage",
    "ec2:Describe*",
    "ecs:Describe*",
    "lambda:GetFunction",
    "athena:Get*",
];
const WRITES: [&str; 14] = [
    "s3:PutObject",
    "s3:DeleteObject",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "sqs:SendMessage",
    "sqs:DeleteMessage",
    "sns:Publish",
    "logs:PutLogEvents",
    "ecs:UpdateService",
    "lambda:InvokeFunction",
    "lambda:UpdateFunctionCode",
    "states:StartExecution",
    "ec2:StartInstances",
    "ec2:StopInstances",
];
const LISTS: [&str; 44] = [
    "acm:DescribeCertificate",
    "acm:ListCertificates",
    "apigateway:GET",
    "application-autoscaling:DescribeScalableTargets",
    "athena:GetQueryExecution",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribePolicies",
    "cloudformation:DescribeStacks",
    "cloudformation:ListStacks",
    "cloudfront:ListDistributions",
    "cloudtrail:LookupEvents",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
    "codebuild:BatchGetBuilds",
    "codepipeline:GetPipelineState",
    "dynamodb:DescribeTable",
    "dynamodb:ListTables",
    "ec2:DescribeInstances",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:DescribeRepositories",
    "ecs:DescribeServices",
    "ecs:ListClusters",
    "elasticache:DescribeCacheClusters",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetHealth",
    "events:ListRules",
    "glue:GetTables",
    "kinesis:DescribeStream",
    "kms:ListAliases",
    "lambda:ListFunctions",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "rds:DescribeDBInstances",
    "redshift:DescribeClusters",
    "route53:ListHostedZones",
    "s3:GetBucketLocation",
    "s3:ListAllMyBuckets",
    "sns:ListTopics",
    "sqs:ListQueues",
    "states:ListStateMachines",
    "tag:GetResources",
];
const SERVICES: [&str; 6] = [
    "lambda.amazonaws.com",
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "states.amazonaws.com",
    "glue.amazonaws.com",
    "codebuild.amazonaws.com",
];

fn arn(random: &mut Random, service: &str, account: &str, team: u64) -> String {
    let item = random.below(5_000);
    match service {
        "s3" => format!("arn:aws:s3:::team-{team}-data-{item}/*"),
        "dynamodb" => format!("arn:aws:dynamodb:eu-central-1:{account}:table/team-{team}-{item}"),
        "sqs" => format!("arn:aws:sqs:eu-central-1:{account}:team-{team}-{item}"),
        "lambda" => format!("arn:aws:lambda:eu-central-1:{account}:function:team-{team}-{item}"),
        "ecs" => format!("arn:aws:ecs:eu-central-1:{account}:service/team-{team}/service-{item}"),
        _ => "*".to_owned(),
    }
}

fn statement(random: &mut Random, sid: u64, account: &str, team: u64, writes: bool) -> String {
    let verbs: &[&str] = if writes { &WRITES } else { &READS };
    let first = random.pick(verbs);
    let service = first.split(':').next().unwrap_or_default();
    let mut actions: Vec<&str> = verbs.iter().copied().filter(|verb| verb.starts_with(service)).collect();
    actions.extend((0..2 + random.below(3)).map(|_| random.pick(verbs)));
    actions.sort_unstable();
    actions.dedup();
    let resources: Vec<String> =
        (0..1 + random.below(3)).map(|_| format!("\"{}\"", arn(random, service, account, team))).collect();
    let condition = if random.below(6) == 0 {
        ",\"Condition\":{\"StringEquals\":{\"aws:RequestedRegion\":[\"eu-central-1\",\"eu-west-1\"]}}"
    } else {
        ""
    };
    let actions: Vec<String> = actions.iter().map(|action| format!("\"{action}\"")).collect();
    format!(
        "{{\"Sid\":\"S{sid}\",\"Effect\":\"Allow\",\"Action\":[{}],\"Resource\":[{}]{condition}}}",
        actions.join(","),
        resources.join(",")
    )
}

fn policy(random: &mut Random, account: &str, team: u64, statements: u64) -> String {
    let body: Vec<String> = (0..statements).map(|sid| statement(random, sid, account, team, sid % 2 == 1)).collect();
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", body.join(","))
}

/// A managed policy: some statements as inline policies have them, and one with many actions on everything.
fn managed(random: &mut Random, account: &str, team: u64) -> String {
    let service = random.pick(&LISTS);
    let mut actions: Vec<String> = LISTS.iter().map(|action| format!("\"{action}\"")).collect();
    actions.retain(|action| random.below(8) > 0 || action.contains(service));
    let mut body: Vec<String> = (0..2).map(|sid| statement(random, sid, account, team, sid == 1)).collect();
    body.push(format!(
        "{{\"Sid\":\"Look\",\"Effect\":\"Allow\",\"Action\":[{}],\"Resource\":\"*\"}}",
        actions.join(",")
    ));
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", body.join(","))
}

fn attached(random: &mut Random, account: &str, count: u64, policies: u64) -> String {
    let mut numbers: Vec<u64> = (0..count).map(|_| random.below(policies)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let list: Vec<String> = numbers
        .iter()
        .map(|n| {
            format!("{{\"PolicyName\":\"shared-{n}\",\"PolicyArn\":\"arn:aws:iam::{account}:policy/shared-{n}\"}}")
        })
        .collect();
    list.join(",")
}

fn day(random: &mut Random) -> String {
    format!(
        "202{}-{:02}-{:02}T{:02}:00:00+00:00",
        3 + random.below(3),
        1 + random.below(12),
        1 + random.below(28),
        random.below(24)
    )
}

/// Indents JSON by four blanks a level while it passes through, as `--output json` of the vendors' command lines does.
struct Indented<W> {
    out: W,
    depth: usize,
    in_text: bool,
    escaped: bool,
    opened: bool,
}

impl<W: Write> Indented<W> {
    fn new(out: W) -> Self {
        Self { out, depth: 0, in_text: false, escaped: false, opened: false }
    }

    fn line(&mut self) -> io::Result<()> {
        writeln!(self.out)?;
        for _ in 0..self.depth {
            self.out.write_all(b"    ")?;
        }
        Ok(())
    }
}

impl<W: Write> Write for Indented<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            if self.in_text {
                self.out.write_all(&[*byte])?;
                self.in_text = *byte != b'"' || self.escaped;
                self.escaped = *byte == b'\\' && !self.escaped;
                continue;
            }
            let closes = matches!(byte, b'}' | b']');
            if closes {
                self.depth = self.depth.saturating_sub(1);
            }
            if closes != self.opened {
                self.line()?;
            }
            self.opened = false;
            self.out.write_all(&[*byte])?;
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => {
                    self.depth += 1;
                    self.opened = true;
                }
                b',' => self.line()?,
                b':' => self.out.write_all(b" ")?,
                _ => {}
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes `aws/<account>/account-authorization-details.json` files below a folder, with this many users and roles in all.
///
/// # Errors
/// When a file cannot be written.
pub fn aws(folder: &Path, identities: u64) -> io::Result<()> {
    let mut left = identities;
    let mut account = 100_000_000_001_u64;
    while left > 0 {
        let here = left.min(PER_ACCOUNT);
        let name = account.to_string();
        let home = folder.join("aws").join(&name);
        std::fs::create_dir_all(&home)?;
        let file = std::fs::File::create(home.join("account-authorization-details.json"))?;
        aws_account(&mut Indented::new(BufWriter::with_capacity(1 << 20, file)), &name, here)?;
        left -= here;
        account += 1;
    }
    Ok(())
}

/// Writes one account of roles only: each with an inline policy of its own, attached managed policies and a boundary,
/// under an organisation with two levels of service control policies.
///
/// # Errors
/// When a file cannot be written.
pub fn limited_roles(folder: &Path, roles: u64) -> io::Result<()> {
    const ACCOUNT: &str = "100000000001";
    let home = folder.join("aws").join(ACCOUNT);
    std::fs::create_dir_all(&home)?;
    let file = std::fs::File::create(home.join("account-authorization-details.json"))?;
    let out = &mut Indented::new(BufWriter::with_capacity(1 << 20, file));
    let mut random = Random::new(13);
    let policies = (roles / 100).max(1);
    write!(out, "{{\"UserDetailList\":[],\"GroupDetailList\":[],\"RoleDetailList\":[")?;
    for n in 0..roles {
        let team = random.below(TEAMS);
        let created = day(&mut random);
        let own = policy(&mut random, ACCOUNT, team, 3).replacen("\"S0\"", &format!("\"Own{n}\""), 1);
        let managed = attached(&mut random, ACCOUNT, 2, policies);
        write!(
            out,
            "{}{{\"Path\":\"/\",\"RoleName\":\"role-{n}\",\"RoleId\":\"AROA{n:017}\",\"Arn\":\"arn:aws:iam::{ACCOUNT}:role/role-{n}\",\"CreateDate\":\"{created}\",\"AssumeRolePolicyDocument\":{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"ec2.amazonaws.com\"}},\"Action\":\"sts:AssumeRole\"}}]}},\"InstanceProfileList\":[],\"RolePolicyList\":[{{\"PolicyName\":\"own\",\"PolicyDocument\":{own}}}],\"AttachedManagedPolicies\":[{managed}],\"PermissionsBoundary\":{{\"PermissionsBoundaryType\":\"Policy\",\"PermissionsBoundaryArn\":\"arn:aws:iam::{ACCOUNT}:policy/boundary\"}},\"Tags\":[]}}",
            if n > 0 { "," } else { "" }
        )?;
    }
    write!(out, "],\"Policies\":[")?;
    for n in 0..policies {
        let document = managed(&mut random, ACCOUNT, n % TEAMS);
        managed_policy(out, ACCOUNT, &format!("shared-{n}"), &document)?;
        write!(out, ",")?;
    }
    managed_policy(out, ACCOUNT, "boundary", BOUNDARY)?;
    write!(out, "]}}")?;
    out.flush()?;
    std::fs::write(folder.join("aws").join("organisation.ndjson"), organisation(ACCOUNT))
}

const BOUNDARY: &str = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"NotAction\":[\"iam:*\",\"organizations:*\"],\"Resource\":\"*\"}]}";

fn managed_policy(out: &mut impl Write, account: &str, name: &str, document: &str) -> io::Result<()> {
    write!(
        out,
        "{{\"PolicyName\":\"{name}\",\"PolicyId\":\"ANPA{name:0>17}\",\"Arn\":\"arn:aws:iam::{account}:policy/{name}\",\"Path\":\"/\",\"DefaultVersionId\":\"v1\",\"AttachmentCount\":1,\"PermissionsBoundaryUsageCount\":0,\"IsAttachable\":true,\"CreateDate\":\"2023-01-01T00:00:00+00:00\",\"UpdateDate\":\"2024-01-01T00:00:00+00:00\",\"PolicyVersionList\":[{{\"Document\":{document},\"VersionId\":\"v1\",\"IsDefaultVersion\":true,\"CreateDate\":\"2023-01-01T00:00:00+00:00\"}}]}}"
    )
}

/// An organisation of a root and one account: everything is allowed, and at each level something is denied, at the
/// account under a condition.
fn organisation(account: &str) -> String {
    let call = |name: &str, parameters: &str, response: &str| {
        format!("{{\"call\":\"organizations {name}\",\"parameters\":{parameters},\"response\":{response}}}\n")
    };
    let full = "{\"Id\":\"p-FullAWSAccess\",\"Name\":\"FullAWSAccess\",\"Type\":\"SERVICE_CONTROL_POLICY\",\"AwsManaged\":true}";
    let mut text =
        call("describe-organization", "{}", "{\"Organization\":{\"Id\":\"o-1\",\"MasterAccountId\":\"999988887777\"}}");
    text += &call(
        "list-roots",
        "{}",
        "{\"Roots\":[{\"Id\":\"r-1\",\"Arn\":\"arn:aws:organizations::999988887777:root/o-1/r-1\",\"PolicyTypes\":[{\"Type\":\"SERVICE_CONTROL_POLICY\",\"Status\":\"ENABLED\"}]}]}",
    );
    text += &call(
        "list-parents",
        &format!("{{\"ChildId\":\"{account}\"}}"),
        "{\"Parents\":[{\"Id\":\"r-1\",\"Type\":\"ROOT\"}]}",
    );
    for (target, id, statement) in [
        (
            "r-1",
            "p-root",
            "{\\\"Effect\\\":\\\"Deny\\\",\\\"Action\\\":[\\\"organizations:LeaveOrganization\\\",\\\"cloudtrail:StopLogging\\\"],\\\"Resource\\\":\\\"*\\\"}",
        ),
        (
            account,
            "p-account",
            "{\\\"Effect\\\":\\\"Deny\\\",\\\"NotAction\\\":[\\\"iam:*\\\",\\\"sts:*\\\"],\\\"Resource\\\":\\\"*\\\",\\\"Condition\\\":{\\\"StringNotEquals\\\":{\\\"aws:RequestedRegion\\\":\\\"eu-central-1\\\"}}}",
        ),
    ] {
        let own =
            format!("{{\"Id\":\"{id}\",\"Name\":\"{id}\",\"Type\":\"SERVICE_CONTROL_POLICY\",\"AwsManaged\":false}}");
        text += &call(
            "list-policies-for-target",
            &format!("{{\"TargetId\":\"{target}\",\"Filter\":\"SERVICE_CONTROL_POLICY\"}}"),
            &format!("{{\"Policies\":[{full},{own}]}}"),
        );
        text += &call(
            "describe-policy",
            &format!("{{\"PolicyId\":\"{id}\"}}"),
            &format!(
                "{{\"Policy\":{{\"PolicySummary\":{own},\"Content\":\"{{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{statement}]}}\"}}}}"
            ),
        );
    }
    text
}

fn aws_account(out: &mut impl Write, account: &str, identities: u64) -> io::Result<()> {
    let mut random = Random::new(account.parse().unwrap_or(7));
    let users = identities / 4;
    let policies = (identities / IDENTITIES_PER_POLICY).max(1);
    write!(out, "{{\"UserDetailList\":[")?;
    for n in 0..users {
        let team = random.below(TEAMS);
        let created = day(&mut random);
        let inline = if random.below(3) == 0 {
            format!(
                "\"UserPolicyList\":[{{\"PolicyName\":\"own\",\"PolicyDocument\":{}}}],",
                policy(&mut random, account, team, 2)
            )
        } else {
            String::new()
        };
        let managed = attached(&mut random, account, 2, policies);
        write!(
            out,
            "{}{{\"Path\":\"/\",\"UserName\":\"user-{n}\",\"UserId\":\"AIDA{n:017}\",\"Arn\":\"arn:aws:iam::{account}:user/user-{n}\",\"CreateDate\":\"{created}\",{inline}\"GroupList\":[\"team-{team}\"],\"AttachedManagedPolicies\":[{managed}],\"Tags\":[{{\"Key\":\"owner\",\"Value\":\"team-{team}@example.org\"}}]}}",
            if n > 0 { "," } else { "" }
        )?;
    }
    write!(out, "],\"GroupDetailList\":[")?;
    for team in 0..TEAMS {
        let managed = attached(&mut random, account, 3, policies);
        write!(
            out,
            "{}{{\"Path\":\"/\",\"GroupName\":\"team-{team}\",\"GroupId\":\"AGPA{team:017}\",\"Arn\":\"arn:aws:iam::{account}:group/team-{team}\",\"CreateDate\":\"2023-01-01T00:00:00+00:00\",\"GroupPolicyList\":[],\"AttachedManagedPolicies\":[{managed}]}}",
            if team > 0 { "," } else { "" }
        )?;
    }
    write!(out, "],\"RoleDetailList\":[")?;
    for n in 0..identities - users {
        let team = if n < TEAMS { n } else { random.below(TEAMS) };
        aws_role(out, &mut random, account, n, team, policies)?;
    }
    write!(out, "],\"Policies\":[")?;
    for n in 0..policies {
        let document = managed(&mut random, account, n % TEAMS);
        write!(
            out,
            "{}{{\"PolicyName\":\"shared-{n}\",\"PolicyId\":\"ANPA{n:017}\",\"Arn\":\"arn:aws:iam::{account}:policy/shared-{n}\",\"Path\":\"/\",\"DefaultVersionId\":\"v1\",\"AttachmentCount\":1,\"PermissionsBoundaryUsageCount\":0,\"IsAttachable\":true,\"CreateDate\":\"2023-01-01T00:00:00+00:00\",\"UpdateDate\":\"2024-01-01T00:00:00+00:00\",\"PolicyVersionList\":[{{\"Document\":{document},\"VersionId\":\"v1\",\"IsDefaultVersion\":true,\"CreateDate\":\"2023-01-01T00:00:00+00:00\"}}]}}",
            if n > 0 { "," } else { "" }
        )?;
    }
    write!(
        out,
        ",{{\"PolicyName\":\"boundary\",\"PolicyId\":\"ANPABOUNDARY000000000\",\"Arn\":\"arn:aws:iam::{account}:policy/boundary\",\"Path\":\"/\",\"DefaultVersionId\":\"v1\",\"AttachmentCount\":0,\"PermissionsBoundaryUsageCount\":1,\"IsAttachable\":true,\"CreateDate\":\"2023-01-01T00:00:00+00:00\",\"UpdateDate\":\"2024-01-01T00:00:00+00:00\",\"PolicyVersionList\":[{{\"Document\":{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"NotAction\":[\"iam:*\",\"organizations:*\"],\"Resource\":\"*\"}}]}},\"VersionId\":\"v1\",\"IsDefaultVersion\":true,\"CreateDate\":\"2023-01-01T00:00:00+00:00\"}}]}}]}}"
    )?;
    out.flush()
}

fn aws_role(
    out: &mut impl Write,
    random: &mut Random,
    account: &str,
    n: u64,
    team: u64,
    policies: u64,
) -> io::Result<()> {
    let created = day(random);
    let used = day(random);
    let human = n < TEAMS;
    let ai = !human && n % 10 == 3;
    let (path, name) = if human {
        ("/aws-reserved/sso.amazonaws.com/eu-central-1/", format!("AWSReservedSSO_team-{team}_{n:016x}"))
    } else if ai {
        ("/", format!("team-{team}-agent-{n}"))
    } else {
        ("/", format!("team-{team}-service-{n}"))
    };
    let trust = if human {
        format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"Federated\":\"arn:aws:iam::{account}:saml-provider/AWSSSO\"}},\"Action\":[\"sts:AssumeRoleWithSAML\",\"sts:TagSession\"],\"Condition\":{{\"StringEquals\":{{\"SAML:aud\":\"https://signin.aws.amazon.com/saml\"}}}}}}]}}"
        )
    } else if ai {
        format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"bedrock.amazonaws.com\"}},\"Action\":\"sts:AssumeRole\",\"Condition\":{{\"StringEquals\":{{\"aws:SourceAccount\":\"{account}\"}}}}}}]}}"
        )
    } else if random.below(20) == 0 {
        let other = random.below(TEAMS);
        format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"arn:aws:iam::{account}:user/user-{other}\"}},\"Action\":\"sts:AssumeRole\"}}]}}"
        )
    } else {
        let service = random.pick(&SERVICES);
        format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"{service}\"}},\"Action\":\"sts:AssumeRole\"}}]}}"
        )
    };
    let inline = if human || random.below(5) > 0 {
        let statements = 1 + random.below(4);
        format!("{{\"PolicyName\":\"own\",\"PolicyDocument\":{}}}", policy(random, account, team, statements))
    } else {
        String::new()
    };
    let count = 1 + random.below(4);
    let managed = attached(random, account, count, policies);
    let boundary = if !human && random.below(5) == 0 {
        format!(
            ",\"PermissionsBoundary\":{{\"PermissionsBoundaryType\":\"Policy\",\"PermissionsBoundaryArn\":\"arn:aws:iam::{account}:policy/boundary\"}}"
        )
    } else {
        String::new()
    };
    let tags = if ai {
        let mut tags = format!(
            "{{\"Key\":\"evenhand:human-role\",\"Value\":\"AWSReservedSSO_team-{team}_{team:016x}\"}},{{\"Key\":\"environment\",\"Value\":\"production\"}}"
        );
        if random.below(2) == 0 {
            tags.push_str(&format!(",{{\"Key\":\"owner\",\"Value\":\"team-{team}@example.org\"}}"));
        }
        tags
    } else {
        format!("{{\"Key\":\"owner\",\"Value\":\"team-{team}@example.org\"}}")
    };
    write!(
        out,
        "{}{{\"Path\":\"{path}\",\"RoleName\":\"{name}\",\"RoleId\":\"AROA{n:017}\",\"Arn\":\"arn:aws:iam::{account}:role{path}{name}\",\"CreateDate\":\"{created}\",\"AssumeRolePolicyDocument\":{trust},\"InstanceProfileList\":[],\"RolePolicyList\":[{inline}],\"AttachedManagedPolicies\":[{managed}]{boundary},\"Tags\":[{tags}],\"RoleLastUsed\":{{\"LastUsedDate\":\"{used}\",\"Region\":\"eu-central-1\"}}}}",
        if n > 0 { "," } else { "" }
    )
}

const RESOURCES: [(&str, &str); 8] = [
    ("", "pods"),
    ("", "configmaps"),
    ("", "services"),
    ("", "secrets"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("batch", "jobs"),
    ("networking.k8s.io", "ingresses"),
];
const VERBS: [&str; 7] = ["get", "list", "watch", "create", "update", "patch", "delete"];

fn rbac_rule(random: &mut Random) -> String {
    let (group, resource) = RESOURCES
        .get(usize::try_from(random.below(RESOURCES.len() as u64)).unwrap_or(0))
        .copied()
        .unwrap_or(("", "pods"));
    let verbs: Vec<String> = VERBS
        .iter()
        .take(3 + usize::try_from(random.below(5)).unwrap_or(0))
        .map(|verb| format!("\"{verb}\""))
        .collect();
    format!("{{\"apiGroups\":[\"{group}\"],\"resources\":[\"{resource}\"],\"verbs\":[{}]}}", verbs.join(","))
}

/// Writes `kubernetes/bench/objects.json`, a List with this many ServiceAccounts, their roles, bindings and pods.
///
/// # Errors
/// When the file cannot be written.
pub fn kubernetes(folder: &Path, identities: u64) -> io::Result<()> {
    cluster(folder, identities, 0)
}

/// The same with more bindings: so many accounts, spread over all of them, hold the role of their team in their namespace
/// as well, as the people of the team do.
///
/// # Errors
/// When the file cannot be written.
pub fn cluster(folder: &Path, identities: u64, more_bindings: u64) -> io::Result<()> {
    let home = folder.join("kubernetes").join("bench");
    std::fs::create_dir_all(&home)?;
    let file = std::fs::File::create(home.join("objects.json"))?;
    let out = &mut Indented::new(BufWriter::with_capacity(1 << 20, file));
    let mut random = Random::new(11);
    let namespaces = identities.div_ceil(20).max(1);
    write!(out, "{{\"apiVersion\":\"v1\",\"items\":[")?;
    for team in 0..TEAMS {
        let rules: Vec<String> = (0..4).map(|_| rbac_rule(&mut random)).collect();
        write!(
            out,
            "{}{{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"ClusterRole\",\"metadata\":{{\"name\":\"team-{team}\",\"uid\":\"00000000-0000-4000-8000-{team:012}\",\"creationTimestamp\":\"2023-01-01T00:00:00Z\"}},\"rules\":[{}]}}",
            if team > 0 { "," } else { "" },
            rules.join(",")
        )?;
    }
    // Every cluster has some; a dump without any is one in which they were not read.
    write!(
        out,
        ",{{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"ClusterRoleBinding\",\"metadata\":{{\"name\":\"platform\"}},\"roleRef\":{{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\",\"name\":\"team-0\"}},\"subjects\":[{{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"Group\",\"name\":\"platform\"}}]}}"
    )?;
    for namespace in 0..namespaces {
        let team = namespace % TEAMS;
        write!(
            out,
            ",{{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{{\"name\":\"ns-{namespace}\",\"labels\":{{\"environment\":\"production\",\"team\":\"team-{team}\"}}}}}},{{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"RoleBinding\",\"metadata\":{{\"name\":\"people\",\"namespace\":\"ns-{namespace}\"}},\"roleRef\":{{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\",\"name\":\"team-{team}\"}},\"subjects\":[{{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"Group\",\"name\":\"team-{team}\"}}]}}"
        )?;
    }
    for n in 0..identities {
        kubernetes_account(out, &mut random, n, n % namespaces)?;
    }
    let every = identities.checked_div(more_bindings).unwrap_or(1).max(1);
    for n in
        (0..identities).step_by(usize::try_from(every).unwrap_or(1)).take(usize::try_from(more_bindings).unwrap_or(0))
    {
        let namespace = n % namespaces;
        let team = namespace % TEAMS;
        write!(
            out,
            ",{{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"RoleBinding\",\"metadata\":{{\"name\":\"team-{n}\",\"namespace\":\"ns-{namespace}\"}},\"roleRef\":{{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\",\"name\":\"team-{team}\"}},\"subjects\":[{{\"kind\":\"ServiceAccount\",\"name\":\"account-{n}\",\"namespace\":\"ns-{namespace}\"}}]}}"
        )?;
    }
    write!(out, "],\"kind\":\"List\",\"metadata\":{{\"resourceVersion\":\"\"}}}}")?;
    out.flush()
}

fn kubernetes_account(out: &mut impl Write, random: &mut Random, n: u64, namespace: u64) -> io::Result<()> {
    let team = namespace % TEAMS;
    let ai = n % 10 == 3;
    let annotations = if ai {
        format!(
            ",\"annotations\":{{\"evenhand.dev/nature\":\"ai_agent\",\"evenhand.dev/human-role\":\"team-{team}\",\"evenhand.dev/owner\":\"team-{team}@example.org\"}}"
        )
    } else {
        String::new()
    };
    let rules: Vec<String> = (0..1 + random.below(4)).map(|_| rbac_rule(random)).collect();
    let meta = format!(
        "\"namespace\":\"ns-{namespace}\",\"creationTimestamp\":\"2024-05-06T07:08:09Z\",\"uid\":\"00000000-0000-4000-8000-{n:012}\",\"resourceVersion\":\"{n}\""
    );
    write!(
        out,
        ",{{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{{\"name\":\"account-{n}\",{meta}{annotations}}}}},{{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"Role\",\"metadata\":{{\"name\":\"role-{n}\",{meta}}},\"rules\":[{}]}},{{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"RoleBinding\",\"metadata\":{{\"name\":\"binding-{n}\",{meta}}},\"roleRef\":{{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"Role\",\"name\":\"role-{n}\"}},\"subjects\":[{{\"kind\":\"ServiceAccount\",\"name\":\"account-{n}\",\"namespace\":\"ns-{namespace}\"}}]}},{{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{{\"name\":\"app-{n}\",{meta},\"labels\":{{\"app\":\"app-{n}\"}}}},\"spec\":{{\"replicas\":1,\"selector\":{{\"matchLabels\":{{\"app\":\"app-{n}\"}}}},\"template\":{{\"metadata\":{{\"labels\":{{\"app\":\"app-{n}\"}}}},\"spec\":{{\"serviceAccountName\":\"account-{n}\",\"containers\":[{{\"name\":\"main\",\"image\":\"registry.example.org/team-{team}/app-{n}:1.{n}\",\"env\":[{{\"name\":\"LOG_LEVEL\",\"value\":\"info\"}}],\"resources\":{{\"limits\":{{\"memory\":\"256Mi\"}}}}}}]}}}}}},\"status\":{{\"readyReplicas\":1}}}}",
        rules.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_gives_the_same_valid_bytes() {
        let mut first = Vec::new();
        let mut second = Vec::new();
        aws_account(&mut first, "100000000001", 200).expect("written");
        aws_account(&mut second, "100000000001", 200).expect("written");
        assert!(first == second);
        let mut indented = Indented::new(Vec::new());
        indented.write_all(&first).expect("written");
        let plain: serde_json::Value = serde_json::from_slice(&first).expect("JSON");
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&indented.out).expect("JSON"), plain);
        let value: serde_json::Value = serde_json::from_slice(&first).expect("JSON");
        assert_eq!(value["RoleDetailList"].as_array().map(Vec::len), Some(150));
    }
}
