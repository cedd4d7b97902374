//! `evenhand decide`: whose decisions, one each.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use evenhand_model::id::ProviderName;

use super::Input;

/// `evenhand decide`
#[derive(Debug, Subcommand)]
pub enum Decide {
    /// Decide requests to AWS, as its policy evaluation does.
    #[command(after_long_help = "\
Exit codes: 0 all were decided, whatever the decision; 2 some could not be.

Examples:
  evenhand decide aws request.json
  evenhand decide aws < requests.ndjson
  evenhand schema decide-aws

One JSON object a line, or one object over several lines:
  {\"request\": {\"principal\": …, \"action\": …, \"resource\": …, \"context\": {…}}, \"identity_policies\": [{\"policy\": {…}}], …}
One answer a line, in the same order:
  {\"decision\": \"allowed\", \"blocked_by\": [], \"matched\": [{\"policy\": …, \"statement\": 0, \"effect\": \"Allow\"}]}
With \"mode\": \"discover\", the answer tells under which missing context keys the request would be allowed.")]
    Aws(Requests),
    /// Decide requests to Azure, as Azure RBAC does.
    #[command(after_long_help = "\
Exit codes: 0 all were decided, whatever the decision; 2 some could not be.

Examples:
  evenhand decide azure request.json
  evenhand decide azure < requests.ndjson
  evenhand schema decide-azure

One JSON object a line, or one object over several lines:
  {\"roleAssignments\": […], \"roleDefinitions\": […], \"denyAssignments\": […],
   \"groups\": […], \"managementGroups\": […],
   \"request\": {\"principal\": …, \"action\": …, \"resource\": …, \"attributes\": {…}}}
One answer a line, in the same order:
  {\"decision\": \"allowed\", \"matched\": [{\"effect\": \"Allow\", \"assignment\": …, \"name\": \"Reader\", …}]}
Assignments and definitions are taken as `az role assignment list --all` and `az role definition list` print them, or as \
the REST API returns them.")]
    Azure(Requests),
    /// Decide requests to a Kubernetes API server, as its RBAC authorizer does.
    #[command(after_long_help = "\
Exit codes: 0 all were decided, whatever the decision; 2 some could not be.

Examples:
  evenhand decide kubernetes world.json
  evenhand decide kubernetes --from capture < requests.ndjson
  evenhand schema decide-kubernetes

One JSON object a line, or one object over several lines:
  {\"roles\": […], \"clusterRoles\": […], \"roleBindings\": […], \"clusterRoleBindings\": […],
   \"requests\": [{\"verb\": …, \"apiGroup\": …, \"resource\": …, \"namespace\": …, \"user\": …}]}
One answer a line, in the same order:
  {\"decisions\": [{\"allowed\": true, \"by\": [{\"binding\": …, \"role\": …, \"rule\": 0}]}]}
With --from, lists that a line leaves out are those of the capture.")]
    Kubernetes(WithCapture),
    /// Decide whether a condition admits a token of an outside issuer, and grade the condition.
    #[command(after_long_help = "\
Exit codes: 0 all were decided, whatever the decision; 2 some could not be.

Examples:
  evenhand decide federation question.json
  evenhand decide federation < questions.ndjson
  evenhand schema decide-federation

One JSON object a line, or one object over several lines:
  {\"platform\": \"aws\", \"subject\": \"repo:octo-org/octo-repo:pull_request\", \"condition\": {…}}
One answer a line, in the same order:
  {\"match\": true, \"grade\": \"unsafe\", \"pattern\": \"org-wide\", \"reason\": …, \"patterns\": […]}
The condition is that of an AWS trust policy (aws), a federated identity credential of Entra ID
(entra), or a provider of a workload identity pool of Google Cloud (gcp). The token is one of GitHub
Actions, GitLab, Bitbucket, CircleCI, Terraform Cloud, a Kubernetes cluster, or any other issuer.")]
    Federation(Requests),
}

/// What decides requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Judge {
    /// A provider, as its own policy evaluation does.
    Provider(ProviderName),
    /// What admits tokens of outside issuers.
    Federation,
}

impl Decide {
    /// What decides them.
    pub fn judge(&self) -> Judge {
        match self {
            Self::Aws(_) => Judge::Provider(ProviderName("aws")),
            Self::Azure(_) => Judge::Provider(ProviderName("azure")),
            Self::Kubernetes(_) => Judge::Provider(ProviderName("kubernetes")),
            Self::Federation(_) => Judge::Federation,
        }
    }

    /// Where the requests are.
    pub fn requests(&self) -> &Requests {
        match self {
            Self::Aws(requests) | Self::Azure(requests) | Self::Federation(requests) => requests,
            Self::Kubernetes(with) => &with.requests,
        }
    }

    /// What is read beside them, if anything.
    pub fn capture(&self) -> Option<&WithCapture> {
        match self {
            Self::Aws(_) | Self::Azure(_) | Self::Federation(_) => None,
            Self::Kubernetes(with) => Some(with).filter(|with| !with.sources.is_empty()),
        }
    }
}

/// Where requests are.
#[derive(Debug, Args)]
pub struct Requests {
    /// A file with requests. None: stdin.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Requests that may leave their policies to a capture.
#[derive(Debug, Args)]
pub struct WithCapture {
    /// Where they are.
    #[command(flatten)]
    pub requests: Requests,

    /// A file or folder whose objects count where a request leaves them out; repeatable.
    #[arg(long = "from", value_name = "SOURCE", help_heading = "Input")]
    pub sources: Vec<PathBuf>,

    /// When, and with which key.
    #[command(flatten)]
    pub input: Input,
}
