//! Kinds of things that run with a role: how they are named, which service runs them, and which calls tell of them.

use std::fmt;
use std::sync::LazyLock;

use evenhand_model::evidence::Truth;
use evenhand_model::scope::Pattern;

use self::DescribedBy::{Call, List, Nothing};
use crate::policy::arn;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal, $plural:literal, $name:literal, $service:literal, $list:literal, $describe:expr;)*) => {
        /// A kind of thing that runs with a role.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub(crate) enum CarrierKind {
            $($(#[$doc])* $kind,)*
        }

        impl CarrierKind {
            /// All kinds.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The word for it in `catalog/escalation.csv`.
            pub(crate) fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }

            /// How its things are named (ARN).
            fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// The service principal that its roles must trust.
            pub(crate) fn service(self) -> &'static str {
                match self {
                    $(Self::$kind => $service,)*
                }
            }

            /// The call that lists all of one account and region, as the command line spells it.
            pub(crate) fn list(self) -> &'static str {
                match self {
                    $(Self::$kind => $list,)*
                }
            }

            /// What tells the role of each, where the list does not.
            pub(crate) fn described_by(self) -> DescribedBy {
                match self {
                    $(Self::$kind => $describe,)*
                }
            }
        }

        impl fmt::Display for CarrierKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$kind => $plural,)*
                })
            }
        }
    };
}

/// What tells the role with which a thing runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DescribedBy {
    /// The list itself.
    List,
    /// A call about one thing, as the command line spells it.
    Call(&'static str),
    /// Nothing that is read.
    Nothing,
}

kinds! {
    Function = "function", "lambda functions", "arn:*:lambda:*:*:function:*", "lambda.amazonaws.com",
        "lambda list-functions", List;
    Instance = "instance", "ec2 instances", "arn:*:ec2:*:*:instance/*", "ec2.amazonaws.com",
        "ec2 describe-instances", List;
    LaunchTemplate = "launch-template", "ec2 launch templates", "arn:*:ec2:*:*:launch-template/*", "ec2.amazonaws.com",
        "ec2 describe-launch-templates", Call("ec2 describe-launch-template-versions");
    LaunchConfiguration = "launch-configuration", "launch configurations",
        "arn:*:autoscaling:*:*:launchConfiguration:*", "ec2.amazonaws.com",
        "autoscaling describe-launch-configurations", List;
    TaskDefinition = "task-definition", "ecs task definitions", "arn:*:ecs:*:*:task-definition/*",
        "ecs-tasks.amazonaws.com", "ecs list-task-definition-families", Call("ecs describe-task-definition");
    JobDefinition = "job-definition", "batch job definitions", "arn:*:batch:*:*:job-definition/*",
        "ecs-tasks.amazonaws.com", "batch describe-job-definitions", List;
    Service = "service", "app runner services", "arn:*:apprunner:*:*:service/*", "tasks.apprunner.amazonaws.com",
        "apprunner list-services", Call("apprunner describe-service");
    Stack = "stack", "cloudformation stacks", "arn:*:cloudformation:*:*:stack/*", "cloudformation.amazonaws.com",
        "cloudformation describe-stacks", List;
    Project = "project", "codebuild projects", "arn:*:codebuild:*:*:project/*", "codebuild.amazonaws.com",
        "codebuild list-projects", Call("codebuild batch-get-projects");
    /// What a deployment brings runs as the instances of its group, which are chosen by their tags.
    DeploymentGroup = "deployment-group", "codedeploy applications", "arn:*:codedeploy:*:*:deploymentgroup:*",
        "ec2.amazonaws.com", "deploy list-applications", Nothing;
    DevEndpoint = "dev-endpoint", "glue development endpoints", "arn:*:glue:*:*:devEndpoint/*", "glue.amazonaws.com",
        "glue get-dev-endpoints", List;
    Notebook = "notebook-instance", "sagemaker notebook instances", "arn:*:sagemaker:*:*:notebook-instance/*",
        "sagemaker.amazonaws.com", "sagemaker list-notebook-instances", Call("sagemaker describe-notebook-instance");
    StateMachine = "state-machine", "state machines", "arn:*:states:*:*:stateMachine:*", "states.amazonaws.com",
        "stepfunctions list-state-machines", Call("stepfunctions describe-state-machine");
    AgentRuntime = "agent-runtime", "agentcore runtimes", "arn:*:bedrock-agentcore:*:*:runtime/*",
        "bedrock-agentcore.amazonaws.com", "bedrock-agentcore-control list-agent-runtimes",
        Call("bedrock-agentcore-control get-agent-runtime");
    CodeInterpreter = "code-interpreter", "agentcore code interpreters", "arn:*:bedrock-agentcore:*:*:code-interpreter*",
        "bedrock-agentcore.amazonaws.com", "bedrock-agentcore-control list-code-interpreters",
        Call("bedrock-agentcore-control get-code-interpreter");
    Browser = "browser", "agentcore browsers", "arn:*:bedrock-agentcore:*:*:browser*", "bedrock-agentcore.amazonaws.com",
        "bedrock-agentcore-control list-browsers", Call("bedrock-agentcore-control get-browser");
}

static PATTERNS: LazyLock<Vec<(CarrierKind, Pattern)>> =
    LazyLock::new(|| CarrierKind::ALL.iter().map(|kind| (*kind, kind.pattern())).collect());

impl CarrierKind {
    /// The kind of this word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// The kind whose things a call lists.
    pub(crate) fn listed_by(call: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.list() == call)
    }

    /// How its things are named.
    pub(crate) fn pattern(self) -> Pattern {
        arn::pattern(self.name())
    }

    /// The kind of a thing by its name. `None` = nobody runs anything as its role by getting hold of it.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let segments = arn::split(name)?;
        PATTERNS.iter().find(|(_, pattern)| pattern.matches(&segments) == Truth::Yes).map(|(kind, _)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::form::Form;

    #[test]
    fn every_call_that_tells_of_a_kind_is_read() {
        for kind in CarrierKind::ALL {
            assert!(Form::of_call(kind.list()).is_some(), "{}", kind.list());
            if let Call(call) = kind.described_by() {
                assert!(Form::of_call(call).is_some(), "{call}");
            }
            assert_eq!(CarrierKind::parse(kind.word()), Some(*kind));
            assert_eq!(CarrierKind::listed_by(kind.list()), Some(*kind));
        }
    }

    #[test]
    fn a_thing_is_of_the_kind_that_its_name_says() {
        for (name, kind) in [
            ("arn:aws:lambda:eu-west-1:111122223333:function:f", Some(CarrierKind::Function)),
            ("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:3", Some(CarrierKind::TaskDefinition)),
            ("arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/r-1", Some(CarrierKind::AgentRuntime)),
            ("arn:aws:bedrock:eu-west-1:111122223333:agent/ABC", None),
            ("i-1", None),
        ] {
            assert_eq!(CarrierKind::of(name), kind, "{name}");
        }
    }
}
