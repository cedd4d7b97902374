//! Which services let policies be attached to their resources: there a grant may stand that no identity's policy shows.

use crate::policy::arn;

/// Services whose resources have policies that can grant to principals of their own account. KMS keys and trust policies
/// of roles have rules of their own. Source: IAM User Guide, "AWS services that work with IAM", column "Resource-based
/// policies".
const SERVICES: &[&str] = &[
    "acm-pca",
    "backup",
    "codeartifact",
    "codebuild",
    "dynamodb",
    "ecr",
    "elasticfilesystem",
    "es",
    "events",
    "execute-api",
    "glacier",
    "glue",
    "kafka",
    "kinesis",
    "lambda",
    "lex",
    "logs",
    "mediastore",
    "rum",
    "s3",
    "s3-object-lambda",
    "s3-outposts",
    "s3express",
    "s3tables",
    "schemas",
    "secretsmanager",
    "serverlessrepo",
    "ses",
    "signer",
    "sns",
    "sqs",
    "vpc-lattice",
];

/// Whether a resource, given by its name, may have a policy.
pub(super) fn may_have_policy(resource: &str) -> bool {
    arn::split(resource).is_some_and(|[_, _, service, ..]| SERVICES.contains(&service))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_sorted_and_told_by_the_name_of_the_resource() {
        assert!(SERVICES.is_sorted());
        assert!(may_have_policy("arn:aws:s3:::bucket/key"));
        assert!(!may_have_policy("arn:aws:ec2:eu-west-1:111111111111:instance/i-1"));
        assert!(!may_have_policy("*"));
    }
}
