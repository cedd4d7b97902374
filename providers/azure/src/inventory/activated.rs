//! Groups whose membership is held ready: who may activate it, and what that takes.

use std::collections::BTreeMap;

use super::Join;
use crate::access::activation::Rules;
use crate::access::holdings::group_policies;
use crate::rbac::ObjectId;

impl Join<'_> {
    pub(super) fn find_activated(&mut self) {
        let facts = self.facts;
        let policies = group_policies(facts);
        let mut groups: BTreeMap<String, ()> = BTreeMap::new();
        for held in facts.group_eligible.all() {
            if held.access_id.as_deref().is_some_and(|access| access != "member") {
                continue;
            }
            let group = held.group_id.trim().to_ascii_lowercase();
            let under = policies.get(&group).unwrap_or(&Rules::UNREAD).condition();
            self.ready.entry(ObjectId::new(&held.principal_id)).or_default().push((ObjectId::new(&group), under));
            groups.insert(group, ());
        }
        for ready in self.ready.values_mut() {
            ready.sort();
            ready.dedup();
        }
        for (group, ()) in groups {
            // Who is in it for good has its rights without activating anything.
            let members = facts.members.get(&group);
            if members.is_some_and(|members| members.is_read() && members.all().is_empty()) {
                let under = policies.get(&group).unwrap_or(&Rules::UNREAD).condition();
                self.activated.insert(group, under);
            }
        }
    }
}
