//! What each pattern means, in a sentence for people.

/// The sentence for a pattern; empty for those that are no weakness.
pub(crate) fn of(pattern: &str) -> &'static str {
    match pattern {
        "missing-sub" => "nothing is demanded of the subject, so every workload of the issuer is admitted",
        "no-repo-scope" => "no owner and no repository is held fast, so every workload of the issuer is admitted",
        "org-wide" => "every repository or project of the organisation is admitted, those made tomorrow included",
        "wildcard-repo" => {
            "every repository or project whose name fits is admitted, and names are there for the taking"
        }
        "wildcard-workspace" => "every workspace that fits is admitted, those made tomorrow included",
        "job-workflow-ref" => {
            "every repository that may call the reusable workflow is admitted: no repository and no owner is demanded"
        }
        "shared-issuer-spoof" => {
            "no organisation is demanded of an issuer that all of them share: any of them can use the name"
        }
        "pull-request" => "changes that are proposed and not reviewed are admitted",
        "repo-wide" => "every branch, tag, environment and pull request of the repository is admitted",
        "wildcard-ref" => "every branch and tag of the project is admitted, protected or not",
        "run-phase-wildcard" => "plan and apply are admitted alike, and plans run for proposed changes",
        "wildcard-user" => "every user who can start a pipeline of the project is admitted",
        "unprotected-branch" => "every branch is admitted, and whoever may push can make one",
        "branch-prefix-collision" => "every branch whose name begins so is admitted, and whoever may push can make one",
        "wildcard-suffix" => "everything that begins so is admitted",
        "tag-ref" => "tags can be moved, by whoever may push where nothing protects them",
        "name-based" | "no-id-pin" => "a name is held and no number: whoever is given the name later is admitted",
        "cluster-wide" => "every service account of the cluster is admitted",
        "namespace-wide" => "every service account of the namespace is admitted, and whoever may make one there",
        "default-service-account" => "every pod of the namespace that names no account of its own is admitted",
        "ssh-rerun" => "a debug session that somebody opened into a job is admitted",
        "immutable-break" => {
            "subjects with and without numbers never fit each other: this token is refused without a word"
        }
        "always-false" => "no token of the issuer fits",
        "type-mismatch" => "the claim is a text and is compared with something else, so that no token fits",
        _ => "",
    }
}
