//! What each pattern means, in a sentence for people.

/// The sentence for a pattern; empty for those that are no weakness.
pub(crate) fn of(pattern: &str) -> &'static str {
    match pattern {
        "missing-sub" => {
            "nothing is demanded of the subject, and nothing else says whose workload it is: anybody's is admitted"
        }
        "negative-only" => {
            "the condition only says what a workload must not be, and nothing says whose it is: anybody's other one is admitted"
        }
        "no-repo-scope" => "no owner and no repository is held fast, so that workloads of anybody are admitted",
        "org-wide" => "every repository or project of the organisation is admitted, those made tomorrow included",
        "wildcard-repo" => {
            "every repository or project whose name fits is admitted, and names are there for the taking"
        }
        "wildcard-workspace" => "every workspace that fits is admitted, those made tomorrow included",
        "job-workflow-ref" => {
            "every repository that may call the reusable workflow is admitted: no repository and no owner is demanded"
        }
        "wildcard-workflow" => {
            "the repository or the reference of the reusable workflow is left open, so that steps of anybody's making are \
             admitted: a commit of a fork is one of the repository too"
        }
        "proposals-call" => {
            "what is proposed may call the reusable workflow: the steps that run are held fast, and their inputs and what \
             they check out are the proposal's"
        }
        "shared-issuer-spoof" => {
            "no organisation is demanded of an issuer that all of them share: any of them can use the name"
        }
        "pull-request" => "changes that are proposed and not reviewed are admitted",
        "repo-wide" => "every branch, tag, environment and pull request of the repository is admitted",
        "wildcard-ref" => "every branch and tag of the project is admitted, protected or not",
        "wildcard-environment" => {
            "every environment whose name fits is admitted: a workflow names its own, that of a proposal too, and GitHub \
             makes one that is not there, without protection"
        }
        "run-phase-wildcard" => "plan and apply are admitted alike, and plans run for proposed changes",
        "ref-protected" => "every branch and tag that something protects is admitted",
        "wildcard-user" => "every user who can start a pipeline of the project is admitted",
        "unprotected-branch" => "every branch is admitted, and whoever may push can make one",
        "branch-prefix-collision" => "every branch whose name begins so is admitted, and whoever may push can make one",
        "wildcard-suffix" => "everything that begins so is admitted",
        "strangers-start" => {
            "whoever sees the repository can start such a run, of a public one anybody: it runs what stands at the default \
             branch or a proposal's base, on a stranger's input"
        }
        "tag-ref" => "tags can be moved, by whoever may push where nothing protects them",
        "name-based" | "no-id-pin" | "path-reuse" => {
            "a name is held and no number: whoever is given the name later is admitted"
        }
        "passes-when-absent" => {
            "the test passes where the token lacks the claim: write it without `IfExists` and `ForAllValues`"
        }
        "case-ignored" => {
            "a branch or name that differs in the case of letters alone is another one, and is admitted as well"
        }
        "cluster-wide" => "every service account of the cluster is admitted",
        "namespace-wide" => "every service account of the namespace is admitted, and whoever may make one there",
        "default-service-account" => "every pod of the namespace that names no account of its own is admitted",
        "ssh-rerun" => "a debug session that somebody opened into a job is admitted",
        "immutable-break" => {
            "subjects with and without numbers never fit each other: this token is refused without a word"
        }
        "always-false" => "no token of the issuer fits, so that nobody is admitted",
        "type-mismatch" => "the claim is a text and is compared with something else, so that no token fits",
        "not-understood" => {
            "a part of the condition is not understood, and without it much is admitted: nothing is known of how tightly it holds"
        }
        _ => "",
    }
}
