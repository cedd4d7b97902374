//! The part of the command line that asks about one identity, rule or finding.

use clap::Args;

use super::{From, PlainFormat, Selection};

/// `evenhand compare`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  evenhand compare incident-agent --from captures
  evenhand compare incident-agent --human incident-responder --from captures -o json")]
pub struct Compare {
    /// The AI identity: its id, its name, a selector such as `aws:role/bot-*`, or a part of id or name that fits no other.
    #[arg(value_name = "IDENTITY")]
    pub identity: String,

    /// Compare with this role instead of the one that is found.
    #[arg(long, value_name = "ROLE")]
    pub human: Option<String>,

    /// Print every operation of the excess.
    #[arg(long, help_heading = "Output")]
    pub all: bool,

    /// What is read.
    #[command(flatten)]
    pub from: From,

    /// `table` for people, `json` for programs.
    #[arg(short, long = "output", value_name = "FORMAT", default_value = "table", help_heading = "Output")]
    pub output: PlainFormat,
}

/// `evenhand explain`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  evenhand explain static-credential-of-agent
  evenhand explain incident-agent --from captures
  evenhand explain incident-agent iam:PassRole --from captures")]
pub struct Explain {
    /// A rule's id, a finding's id, or an identity.
    #[arg(value_name = "IDENTITY|FINDING|RULE")]
    pub subject: String,

    /// For an identity: the operation to explain, in the vendor's spelling, one word or two; `*` allowed.
    #[arg(value_name = "OPERATION", num_args = 1..=2)]
    pub operation: Vec<String>,

    /// What is read.
    #[command(flatten)]
    pub from: From,

    /// Which rules.
    #[command(flatten)]
    pub selection: Selection,

    /// Print every operation and limit of long lists.
    #[arg(long, help_heading = "Output")]
    pub all: bool,
}

/// `evenhand can`
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit codes: 0 it is allowed; 1 it is not, or not without a condition that the question leaves open, or nothing \
tells; 2 the question cannot be understood. With questions on stdin: 0 all were answered, 2 some could not be.

Examples:
  evenhand can incident-agent s3:GetObject --on arn:aws:s3:::logs/x --from captures
  evenhand can system:serviceaccount:ops:bot get secrets -n ops --name db --from dump.json
  evenhand can ops/bot create deployments.apps/scale -n ops --from dump.json
  evenhand can ops/bot get /healthz --from dump.json
  evenhand can deploy iam:PassRole --context aws:SourceIp=192.0.2.1 --from gaad.json
  evenhand can --from captures < questions.ndjson

A question is one JSON object a line: {\"identity\": …, \"operation\": …, \"resource\": …, \"context\": {…}}.")]
pub struct Can {
    /// The identity: its id, its name, a selector such as `aws:role/bot-*`, or a part of id or name that fits no other.
    /// None: questions on stdin.
    #[arg(value_name = "IDENTITY", requires = "operation")]
    pub identity: Option<String>,

    /// The operation in the vendor's spelling: one word, or two as `kubectl auth can-i` takes them:
    /// VERB RESOURCE[.GROUP][/SUBRESOURCE], or VERB /URL.
    #[arg(value_name = "OPERATION", num_args = 1..=2)]
    pub operation: Vec<String>,

    /// The resource in the vendor's spelling. None: any.
    #[arg(long, value_name = "RESOURCE")]
    pub on: Option<String>,

    /// The namespace, for Kubernetes; kinds that are in none ignore it. None: all of them.
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with = "on")]
    pub namespace: Option<String>,

    /// The name of the object, for Kubernetes. None: the request carries no name, as for `list`.
    #[arg(long, value_name = "NAME", conflicts_with = "on")]
    pub name: Option<String>,

    /// What is known of the request's context; repeatable, also for one key.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub context: Vec<(String, String)>,

    /// What is read.
    #[command(flatten)]
    pub from: From,

    /// `table` for people, `json` for programs; questions on stdin are always answered in JSON. Default: table.
    #[arg(short, long = "output", value_name = "FORMAT", help_heading = "Output")]
    pub output: Option<PlainFormat>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}
