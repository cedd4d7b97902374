//! What must hold for any holdings: decisions and enumeration say the same, and who is granted more may do no less.

use evenhand_model::access::{AccessResolver, Outcome, Request};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::id::IdentityId;
use proptest::prelude::*;

use super::*;

const FAMILIES: [&str; 8] = [
    "contents",
    "workflows",
    "issues",
    "pull_requests",
    "administration",
    "members",
    "organization_administration",
    "unheard_of",
];
const REPOSITORIES: [&str; 3] = ["acme/shop", "acme/till", "acme/docs"];
const ASKED: [&str; 8] = [
    "git/fetch",
    "git/push",
    "git/push-workflow-files",
    "issues/create-comment",
    "pulls/merge",
    "repos/update-branch-protection",
    "orgs/set-membership-for-user",
    "teams/add-or-update-repo-permissions-in-org",
];

const OWNER: &str = "acme";
/// Of another owner, one that is not known, and one whose owner's name begins alike.
const ELSEWHERE: [&str; 4] = ["other/shop", "acme/new", "acme-labs/shop", "ACME/New"];

fn holding() -> impl Strategy<Value = Holding> {
    let level = prop::sample::select(vec![Level::Read, Level::Write, Level::Admin]);
    let permissions = prop::collection::vec((prop::sample::select(&FAMILIES[..]), level), 1..4);
    let reach = prop::option::of(prop::sample::subsequence(&REPOSITORIES[..], 0..3));
    (permissions, reach).prop_map(|(permissions, reach)| {
        let mut all = Permissions::default();
        permissions.iter().for_each(|(family, level)| all.add(family, *level));
        let reach = match reach {
            None => Reach::All,
            Some(names) => Reach::Some(names.into_iter().map(Arc::from).collect()),
        };
        Holding::new(Arc::new(all), reach, "grant", Evidence::whole("x"))
    })
}

fn resolver(holdings: &[Holding]) -> Resolver {
    let mut compiler = Compiler::default();
    for name in REPOSITORIES.into_iter().chain(["acme/new"]) {
        compiler.spell(Arc::from(name));
    }
    compiler.add("x".into(), &Arc::from(OWNER), Held { holdings: holdings.to_vec(), doubts: Vec::new() });
    compiler.finish(Vec::new(), Vec::new())
}

fn allowed(resolver: &Resolver, operation: &str, repository: &str) -> bool {
    let request = Request {
        identity: "x".to_owned(),
        operation: operation.to_owned(),
        resource: Some(repository.to_owned()),
        context: Default::default(),
    };
    resolver.decide(&IdentityId::from("x"), &request).unwrap().outcome == Outcome::Allowed
}

proptest! {
    #[test]
    fn decisions_and_enumeration_agree(holdings in prop::collection::vec(holding(), 0..4)) {
        let resolver = resolver(&holdings);
        let access = resolver.access(&"x".into()).unwrap();
        for operation in ASKED {
            let number = Catalogue::global().operation(operation).unwrap();
            for repository in REPOSITORIES.into_iter().chain(ELSEWHERE) {
                let spelled = repository.replace("ACME/", "acme/");
                let listed = access.slices().iter().any(|slice| {
                    slice.operations.contains(number) && slice.scope.matches(&[&spelled, ""]) == Truth::Yes
                });
                prop_assert_eq!(allowed(&resolver, operation, repository), listed, "{} on {}", operation, repository);
                prop_assert!(!listed || spelled.starts_with("acme/"), "{} is another owner's", repository);
            }
        }
    }

    #[test]
    fn a_grant_more_never_takes_anything(holdings in prop::collection::vec(holding(), 0..3), more in holding()) {
        let before = resolver(&holdings);
        let after = resolver(&[holdings, vec![more]].concat());
        for operation in ASKED {
            for repository in REPOSITORIES {
                prop_assert!(!allowed(&before, operation, repository) || allowed(&after, operation, repository));
            }
        }
    }

    #[test]
    fn a_limit_leaves_what_both_allow(held in holding(), limit in holding()) {
        let within = resolver(&held.within(&limit).into_iter().collect::<Vec<_>>());
        let (a, b) = (resolver(std::slice::from_ref(&held)), resolver(std::slice::from_ref(&limit)));
        // Operations that take two permissions may lose one of them on either side.
        for operation in ASKED.iter().filter(|operation| !operation.contains("workflow") && !operation.starts_with("teams")) {
            for repository in REPOSITORIES {
                if allowed(&within, operation, repository) {
                    prop_assert!(allowed(&a, operation, repository) && allowed(&b, operation, repository));
                }
            }
        }
    }

    #[test]
    fn sets_of_repositories_contain_each_other_exactly(a in holding(), b in holding()) {
        let contained = match (&a.reach, &b.reach) {
            (Reach::All, _) => Truth::Yes,
            // A list never holds what is still to come.
            (Reach::Some(_), Reach::All) => Truth::No,
            (Reach::Some(a), Reach::Some(b)) => Truth::from(b.is_subset(a)),
        };
        prop_assert_eq!(a.reach.scope(OWNER).contains(&b.reach.scope(OWNER)), contained);
        if (&a.reach, &b.reach) == (&Reach::All, &Reach::All) {
            prop_assert_eq!(a.reach.scope(OWNER).contains(&b.reach.scope("other")), Truth::No);
        }
    }
}
