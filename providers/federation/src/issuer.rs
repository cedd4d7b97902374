//! Issuers whose subjects are understood.

use evenhand_model::evidence::Truth;

/// Who signs tokens, as far as their subjects have a known form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Issuer {
    /// GitHub Actions, of github.com or of a server of one's own.
    GitHub,
    /// GitLab CI/CD.
    GitLab,
    /// Bitbucket Pipelines: an issuer for each workspace.
    Bitbucket,
    /// CircleCI: an issuer for each organisation.
    CircleCi,
    /// Terraform Cloud.
    Terraform,
    /// A Kubernetes API server: an issuer for each cluster.
    Kubernetes,
    /// Any other.
    Other,
}

impl Issuer {
    /// The names by which people may call them.
    pub const NAMES: &[(&str, Self)] = &[
        ("github", Self::GitHub),
        ("gitlab", Self::GitLab),
        ("bitbucket", Self::Bitbucket),
        ("circleci", Self::CircleCi),
        ("terraform-cloud", Self::Terraform),
        ("kubernetes", Self::Kubernetes),
    ];

    /// The issuer of that short name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, issuer)| *issuer)
    }

    /// The issuer at an address without `https://`, in lower case.
    pub fn at(address: &str) -> Self {
        let host = address.split('/').next().unwrap_or_default();
        match host {
            "token.actions.githubusercontent.com" => Self::GitHub,
            "gitlab.com" => Self::GitLab,
            "api.bitbucket.org" => Self::Bitbucket,
            "oidc.circleci.com" => Self::CircleCi,
            "app.terraform.io" => Self::Terraform,
            "container.googleapis.com" => Self::Kubernetes,
            _ if host.starts_with("oidc.eks.") || host.starts_with("oidc-eks.") => Self::Kubernetes,
            _ if host.ends_with(".oic.prod-aks.azure.com") => Self::Kubernetes,
            _ if address.ends_with("/_services/token") => Self::GitHub,
            _ if host.starts_with("token.actions.") && host.ends_with(".ghe.com") => Self::GitHub,
            _ => Self::Other,
        }
    }

    /// The issuer whose subjects begin so: for those that run on servers of one's own, at any address.
    pub fn of_subject(subject: &str) -> Self {
        let begins = |heads: &[&str]| heads.iter().any(|head| subject.starts_with(head));
        if begins(&[
            "repo:",
            "repository:",
            "repository_id:",
            "repository_owner:",
            "repository_owner_id:",
            "job_workflow_ref:",
        ]) {
            Self::GitHub
        } else if begins(&["project_path:", "project_id:"]) {
            Self::GitLab
        } else if begins(&["system:serviceaccount:"]) {
            Self::Kubernetes
        } else if begins(&["organization:"]) {
            Self::Terraform
        } else if subject.starts_with("org/") && subject.contains("/project/") {
            Self::CircleCi
        } else if subject.starts_with('{') {
            Self::Bitbucket
        } else {
            Self::Other
        }
    }

    /// Whether an issuer at an address may be this one: not where the address is that of another one.
    pub fn may_be_at(self, address: &str) -> bool {
        let at = Self::at(address);
        at == self || at == Self::Other || self == Self::Other
    }

    /// Whether an address is one of this issuer's, of which no more is told than this: GitHub's and Bitbucket's are known, of
    /// whoever else may run on a server of one's own any host may be one. Of an issuer of no known form every address is
    /// taken for its own.
    pub fn is_at(self, address: &str) -> Truth {
        let at = Self::at(address);
        match self {
            _ if self == Self::Other || at == self => Truth::Yes,
            Self::GitHub | Self::Bitbucket => Truth::No,
            _ if at == Self::Other => Truth::Unknown,
            _ => Truth::No,
        }
    }

    /// Whether every token of the issuer carries a claim. A subject and an audience every token has that is one ("OpenID
    /// Connect Core 1.0", section 2); the others are those of the issuers' own tables.
    pub fn always_has(self, claim: &str) -> bool {
        matches!(claim, "sub" | "aud")
            || match self {
                Self::GitHub => {
                    ["actor", "actor_id", "ref", "repository", "repository_id", "workflow"].contains(&claim)
                }
                Self::GitLab => ["namespace_id", "project_id", "ref_protected"].contains(&claim),
                Self::Bitbucket | Self::CircleCi | Self::Terraform | Self::Kubernetes | Self::Other => false,
            }
    }

    /// Whether many tenants share the issuer, so that the condition alone tells them apart.
    pub(crate) fn is_shared(self) -> bool {
        matches!(self, Self::GitHub | Self::GitLab | Self::Terraform)
    }

    /// Whether a name alone, held to the letter, is graded weak: it may be given to somebody else.
    ///
    /// Names on GitHub come in a form with their numbers as well, which repositories are moved to; the vectors call a name
    /// there safe, and those of GitLab and Terraform Cloud not. A cluster's names are its own.
    pub(crate) fn reuses_names(self) -> bool {
        matches!(self, Self::GitLab | Self::Terraform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_that_is_told_by_its_name_is_at_its_own_addresses() {
        for (issuer, address, expected) in [
            (Issuer::GitHub, "token.actions.githubusercontent.com", Truth::Yes),
            (Issuer::GitHub, "token.actions.githubusercontent.com/acme", Truth::Yes),
            (Issuer::GitHub, "ghe.example.com/_services/token", Truth::Yes),
            (Issuer::GitHub, "token.action.githubusercontent.com", Truth::No),
            (Issuer::GitHub, "gitlab.com", Truth::No),
            (Issuer::GitLab, "gitlab.com", Truth::Yes),
            (Issuer::GitLab, "git.example.com", Truth::Unknown),
            (Issuer::GitLab, "token.actions.githubusercontent.com", Truth::No),
            (Issuer::Other, "login.example.com", Truth::Yes),
        ] {
            assert_eq!(issuer.is_at(address), expected, "{issuer:?} {address}");
        }
    }

    #[test]
    fn issuers_are_known_by_address_and_by_subject() {
        for (address, issuer) in [
            ("token.actions.githubusercontent.com/acme", Issuer::GitHub),
            ("ghe.example.com/_services/token", Issuer::GitHub),
            ("oidc.eks.eu-west-1.amazonaws.com/id/0A", Issuer::Kubernetes),
            ("westeurope.oic.prod-aks.azure.com/t/c", Issuer::Kubernetes),
            ("container.googleapis.com/v1/projects/p/locations/l/clusters/c", Issuer::Kubernetes),
            ("oidc.circleci.com/org/1", Issuer::CircleCi),
            ("login.example.com", Issuer::Other),
        ] {
            assert_eq!(Issuer::at(address), issuer, "{address}");
        }
        for (subject, issuer) in [
            ("repo:o/r:pull_request", Issuer::GitHub),
            ("repository_owner_id:1:repository_id:2", Issuer::GitHub),
            ("project_id:20:ref_type:branch:ref:main", Issuer::GitLab),
            ("system:serviceaccount:a:b", Issuer::Kubernetes),
            ("org/1/project/2/user/3", Issuer::CircleCi),
            ("{1}:{2}", Issuer::Bitbucket),
            ("organization:o:project:p:workspace:w:run_phase:plan", Issuer::Terraform),
            ("ann@example.com", Issuer::Other),
        ] {
            assert_eq!(Issuer::of_subject(subject), issuer, "{subject}");
        }
    }
}
