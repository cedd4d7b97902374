//! A large tenant takes many calls and little memory.

use super::server::Server;
use super::world::world;
use super::*;

#[test]
fn thousands_of_principals_are_collected_a_page_at_a_time() {
    const PRINCIPALS: usize = 1_000;
    let server = Server::new(world(PRINCIPALS), |_| None);
    let home = tempfile::tempdir().unwrap();
    let pace = Pace { batch: 20, pages: 10_000, ..quickly() };
    let collected = Collection { pace, ..Collection::default() }.run(&server.url, home.path()).unwrap();
    assert_eq!(collected.failed, []);
    assert!(collected.answered > 3 * PRINCIPALS);
    // Sixteen for principals, and one for each other thing.
    assert!(collected.documents < 80, "{}", collected.documents);
    assert!(collected.most_held < 200_000, "{} bytes", collected.most_held);
    let batches = server.seen().iter().filter(|seen| seen.batch > 0).count();
    assert!(batches >= 3 * PRINCIPALS && server.seen().iter().filter(|seen| seen.batch == 20).count() > 2 * PRINCIPALS);
}
