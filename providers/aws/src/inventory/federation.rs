//! Conditions on tokens of outside issuers: which subjects they admit, and whether those are more than meant.
//!
//! The names of weaknesses are those of the public collection of subject-against-condition vectors.

/// Whether a value is compared as a pattern or to the letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Compared {
    Exactly,
    AsPattern,
}

/// The weakness of one admitted subject; `None` where it is as narrow as the issuer allows.
pub(crate) fn weakness(issuer: &str, subject: &str, compared: Compared) -> Option<&'static str> {
    // To the letter, a wildcard is a character that no subject holds: such a value admits nobody.
    if compared == Compared::Exactly && subject.contains(['*', '?']) {
        return None;
    }
    if let Some(rest) = subject.strip_prefix("repo:")
        && issuer.starts_with("token.actions.githubusercontent.com")
    {
        return github(rest);
    }
    if let Some(rest) = subject.strip_prefix("project_path:") {
        return gitlab(rest);
    }
    if let Some(at) = subject.find("workspace:") {
        let workspace = subject.get(at..).unwrap_or("");
        return match workspace.split(':').nth(1) {
            Some(name) if wild(name) => Some("wildcard-workspace"),
            _ if workspace.split(':').nth(3).is_some_and(wild) => Some("run-phase-wildcard"),
            _ => None,
        };
    }
    if let Some(rest) = subject.strip_prefix("org/") {
        // Every job of a project has its starter in the subject: only a project can be pinned.
        let project = rest.split("project/").nth(1).and_then(|project| project.split('/').next());
        return if project.is_none_or(wild) { Some("wildcard-repo") } else { None };
    }
    if subject.starts_with('{') {
        let workspace = subject.split('}').next().unwrap_or("");
        return if wild(workspace) { Some("no-repo-scope") } else { None };
    }
    if subject == "*" {
        return Some("no-repo-scope");
    }
    wild(subject).then_some("wildcard-suffix")
}

fn wild(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// `owner/repository:context`.
fn github(rest: &str) -> Option<&'static str> {
    let (repository, context) = match rest.split_once(':') {
        Some((repository, context)) => (repository, Some(context)),
        None => (rest, None),
    };
    let (owner, name) = match repository.split_once('/') {
        Some((owner, name)) => (owner, Some(name)),
        None => (repository, None),
    };
    if wild(owner) {
        return Some("no-repo-scope");
    }
    match name {
        None | Some("*") => return Some("org-wide"),
        Some(name) if wild(name) => return Some("wildcard-repo"),
        Some(_) => {}
    }
    match context {
        // Admits every event of the repository, pull requests among them.
        None | Some("*") => Some("wildcard-suffix"),
        Some("pull_request") => Some("pull-request"),
        Some(context) if wild(context) && context.starts_with("ref:") => Some("wildcard-ref"),
        Some(context) if wild(context) => Some("wildcard-suffix"),
        Some(_) => None,
    }
}

/// `group/project:ref_type:branch:ref:main`.
fn gitlab(rest: &str) -> Option<&'static str> {
    let (path, context) = match rest.split_once(':') {
        Some((path, context)) => (path, context),
        None => (rest, "*"),
    };
    if wild(path) {
        return Some(if path.ends_with("/*") { "org-wide" } else { "wildcard-repo" });
    }
    match context {
        "*" => Some("wildcard-suffix"),
        context if wild(context) => Some("wildcard-ref"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_graded_by_what_they_admit() {
        const GITHUB: &str = "token.actions.githubusercontent.com";
        use Compared::{AsPattern, Exactly};
        for (issuer, subject, compared, expected) in [
            (GITHUB, "repo:o/r:ref:refs/heads/main", Exactly, None),
            (GITHUB, "repo:o/r:ref:refs/heads/main", AsPattern, None),
            (GITHUB, "repo:o/*", Exactly, None),
            (GITHUB, "repo:o/*", AsPattern, Some("org-wide")),
            (GITHUB, "repo:o*", AsPattern, Some("no-repo-scope")),
            (GITHUB, "repo:o/app-*:ref:refs/heads/main", AsPattern, Some("wildcard-repo")),
            (GITHUB, "repo:o/r:*", AsPattern, Some("wildcard-suffix")),
            (GITHUB, "repo:o/r:pull_request", Exactly, Some("pull-request")),
            (GITHUB, "repo:o/r:ref:refs/heads/main*", AsPattern, Some("wildcard-ref")),
            (GITHUB, "repo:o/r:environment:prod", Exactly, None),
            (GITHUB, "*", AsPattern, Some("no-repo-scope")),
            ("gitlab.com", "project_path:g/p:ref_type:branch:ref:main", Exactly, None),
            ("gitlab.com", "project_path:g/*", AsPattern, Some("org-wide")),
            ("app.terraform.io", "organization:o:project:p:workspace:*", AsPattern, Some("wildcard-workspace")),
            (
                "app.terraform.io",
                "organization:o:project:p:workspace:w:run_phase:*",
                AsPattern,
                Some("run-phase-wildcard"),
            ),
            ("oidc.circleci.com/org/1", "org/1/project/2/user/*", AsPattern, None),
            ("oidc.eks.eu-west-1.amazonaws.com/id/X", "system:serviceaccount:shop:web", Exactly, None),
            ("oidc.eks.eu-west-1.amazonaws.com/id/X", "system:serviceaccount:*", AsPattern, Some("wildcard-suffix")),
        ] {
            assert_eq!(weakness(issuer, subject, compared), expected, "{subject}");
        }
    }
}
