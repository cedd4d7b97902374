//! Who is compared, and by whose access.

use evenhand_model::credential::Credential;
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::identity::Nature;
use evenhand_model::parity::Verdict;
use evenhand_model::trust::Mechanism;

use super::compared;
use crate::parity::ParityConfig;
use crate::parity::toy::{TOY, Town, plain};
use crate::parity::world::World;

#[test]
fn an_agent_in_configuration_is_compared_by_the_access_it_borrows() {
    let town = || {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "desk/agent", None).declared_human_role = Some("people".into());
        town.add(Nature::AiAgent, "desk/tool", None);
        town.add(Nature::Workload, "a/robot", Some(vec![plain(&[1, 2])]));
        town.add(Nature::HumanRole, "a/people", Some(vec![plain(&[1])]));
        town.trust("desk/agent", Mechanism::UsesTool, "desk/tool");
        town
    };
    let unknown = compared(town());
    assert_eq!(unknown.iter().map(|one| one.verdict).collect::<Vec<_>>(), [Verdict::Unknown, Verdict::NoBaseline]);
    assert_eq!(unknown[0].operations, None);
    let mut town = town();
    town.trust("desk/tool", Mechanism::HoldsCredential, "a/robot");
    let known = compared(town);
    assert_eq!((known[0].verdict, known[0].excess_operations), (Verdict::Excess, 1));
}

#[test]
fn a_second_credential_of_one_principal_leaves_nothing_open() {
    let compare = |leads: &[&str]| {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "desk/agent", None).declared_human_role = Some("people".into());
        town.add(Nature::Workload, "a/robot", Some(vec![plain(&[1])]));
        town.add(Nature::HumanRole, "a/people", Some(vec![plain(&[1])]));
        for tool in ["desk/one", "desk/two"] {
            town.add(Nature::AiAgent, tool, None);
            town.trust("desk/agent", Mechanism::UsesTool, tool);
            let evidence = Evidence::whole("toy.json");
            let key = Credential::new(format!("{tool}/key").into(), tool.into(), TOY, "key", evidence);
            town.inventory.credentials.push(key);
        }
        for tool in leads {
            town.trust(tool, Mechanism::HoldsCredential, "a/robot");
        }
        let comparison = compared(town).remove(0);
        (comparison.verdict, comparison.doubts.len())
    };
    assert_eq!(compare(&["desk/one", "desk/two"]), (Verdict::Parity, 0));
    assert_eq!(compare(&["desk/one"]), (Verdict::Unknown, 1));
}

#[test]
fn an_agent_is_held_beside_people_with_what_its_tools_may_do() {
    let town = |tool: Option<&[u32]>| {
        let mut town = Town::default();
        town.add(Nature::AiAgent, "a/agent", Some(vec![plain(&[1])])).declared_human_role = Some("people".into());
        town.add(Nature::AiAgent, "a/mate", Some(vec![plain(&[1])]));
        town.add(Nature::AiAgent, "a/tool", tool.map(|held| vec![plain(held)]));
        town.add(Nature::HumanRole, "a/people", Some(vec![plain(&[1, 2])]));
        town.trust("a/agent", Mechanism::UsesTool, "a/mate");
        // They use each other.
        town.trust("a/mate", Mechanism::UsesTool, "a/agent");
        town.trust("a/mate", Mechanism::UsesTool, "a/tool");
        town
    };
    for (tool, verdict, excess) in [
        (Some(&[1, 2, 3][..]), Verdict::Excess, 1),
        (Some(&[2]), Verdict::Parity, 0),
        (Some(&[1]), Verdict::Narrower, 0),
        (None, Verdict::Unknown, 0),
    ] {
        let comparison = compared(town(tool)).remove(0);
        assert_eq!((comparison.verdict, comparison.excess_operations), (verdict, excess), "{tool:?}");
        let through = comparison.summary.ends_with(", acting through mate and tool");
        assert_eq!(through, verdict == Verdict::Excess, "{}", comparison.summary);
    }
    let mut lost = town(Some(&[1]));
    lost.trust("a/agent", Mechanism::UsesTool, "a/elsewhere");
    let comparison = compared(lost).remove(0);
    assert_eq!(comparison.verdict, Verdict::Unknown, "at least what is shown: {:?}", comparison.doubts);
}

#[test]
fn vendor_managed_identities_are_not_compared_and_others_are_sorted() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/z", Some(vec![]));
    town.add(Nature::AiAgent, "a/vendor", Some(vec![])).vendor_managed = true;
    town.add(Nature::AiAgent, "a/b", Some(vec![])).purpose = Fact::Known("none".into());
    let ids: Vec<String> = compared(town).iter().map(|one| one.identity.to_string()).collect();
    assert_eq!(ids, ["a/b", "a/z"]);
}

#[test]
fn what_one_holds_and_many_are_lent_is_compared_once_for_all() {
    let mut town = Town::default();
    town.add(Nature::AiAgent, "a/robot", Some(vec![plain(&[1, 2])]));
    town.add(Nature::AiAgent, "a/loner", Some(vec![plain(&[1, 3])]));
    town.add(Nature::HumanRole, "a/people", Some(vec![plain(&[1])]));
    for (flow, tool) in [("a/flow-1", "a/tool-1"), ("a/flow-2", "a/tool-2"), ("a/flow-3", "a/tool-3")] {
        town.add(Nature::AiAgent, flow, None).declared_human_role = Some("people".into());
        town.add(Nature::AiAgent, tool, None);
        town.trust(flow, Mechanism::UsesTool, tool);
        town.trust(tool, Mechanism::HoldsCredential, "a/robot");
    }
    let (inventory, judged, resolvers, jobs) = town.built();
    let config = ParityConfig::new(jobs);
    let world = World::new(&inventory, &judged, &resolvers, &config);
    for (id, expected) in [("a/loner", true), ("a/robot", false), ("a/people", false)] {
        let (key, _) = world.view(world.find(&id.into()).unwrap()).unwrap();
        assert_eq!(world.is_of_one(TOY, key), expected, "{id}");
    }
}
