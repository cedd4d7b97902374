//! Large clusters: what is held in memory depends on the pages, not on the cluster.

use super::Collection;
use super::server::{Server, World};
use super::world::{account, pod};

/// Collects so many accounts and pods, and returns the most that was held at one time and the size of a page.
fn held(accounts: usize, pods: usize, page: usize) -> (usize, usize) {
    let mut world = World::default();
    world.made(("", "v1"), ("serviceaccounts", "ServiceAccount"), true, accounts, account);
    world.made(("", "v1"), ("pods", "Pod"), true, pods, pod);
    let size = (0..page).map(|at| pod(at).to_string().len()).sum();
    let server = Server::new(world, |_| None);
    let folder = tempfile::tempdir().unwrap();
    let collected = Collection { page, pages: 10_000, ..Collection::default() }.run(&server, folder.path()).unwrap();
    assert_eq!(collected.objects, u64::try_from(accounts + pods).unwrap());
    let length = |name: &str| std::fs::metadata(folder.path().join("kubernetes/c").join(name)).unwrap().len();
    assert!(length("pods.json") > u64::try_from(pods).unwrap() * 500, "they are all there");
    (collected.most_held, size)
}

#[test]
fn a_list_of_any_length_needs_the_memory_of_a_few_pages() {
    let (small, page) = held(400, 1_000, 50);
    let (large, _) = held(1_600, 4_000, 50);
    for most in [small, large] {
        // Two lists under way, each with one page; one more for the names around the objects.
        assert!(most <= 3 * page, "{most} bytes of pages of {page}");
    }
    assert!(large < small * 2, "{small} to {large}");
}

#[test]
#[ignore = "minutes: 20,000 accounts and 100,000 pods"]
fn a_hundred_thousand_pods_need_the_memory_of_a_few_pages() {
    let (most, page) = held(20_000, 100_000, 500);
    assert!(most <= 3 * page, "{most} bytes of pages of {page}");
}
