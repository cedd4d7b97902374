//! What an identity can become, step by step, and what shows that each step can be taken.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use evenhand_model::access::{Edge, EdgeTarget, Grant, Slice, Unlisted};
use evenhand_model::evidence::Truth;
use evenhand_model::identity::Identity;
use evenhand_reports::text::{printable, thousands};
use evenhand_rules::paths::{self, Missing};

use crate::assess::Assessing;
use crate::chain::{Chains, Memberships};

pub(super) fn write_paths(
    assessing: &Assessing,
    identity: &Identity,
    all: bool,
    sink: &mut dyn Write,
) -> io::Result<()> {
    let found = &assessing.assessed;
    let asked;
    let (from, paths) = match found.paths.paths_of(&identity.id) {
        // A report lists the paths of machines only; who asks about a person or an unknown gets an answer too.
        [] => {
            asked = paths::find_from(&found.inventory, &found.judgements, &found.resolvers, &identity.id);
            (&asked, asked.paths.as_slice())
        }
        listed => (&found.paths, listed),
    };
    writeln!(sink, "\nPaths to more access")?;
    let missing = paths::missing(&found.inventory, &found.judgements, &found.resolvers, from, &identity.id);
    if paths.is_empty() {
        writeln!(sink, "  {}", if missing.is_empty() { "none found" } else { "none found in what was read" })?;
    }
    let memberships = Memberships::of(&found.inventory);
    for path in paths {
        let mut to = format!("to {}", target(&path.target));
        if path.reaches_admin && matches!(path.target, EdgeTarget::Identity(_)) {
            to.push_str(", which has full control");
        }
        to.push_str(match (path.escalates, path.conditional) {
            (true, true) => " (by escalation, under conditions)",
            (true, false) => " (by escalation)",
            (false, true) => " (under conditions)",
            (false, false) => "",
        });
        if !path.escalates && path.to_escalation == Truth::Yes {
            to.push_str(" (by escalation, too)");
        }
        writeln!(sink, "  {}", printable(&to))?;
        for (at, hop) in from.hops(path).enumerate() {
            let proof = Proof::of(assessing, &memberships, &hop);
            let condition = if hop.conditional { proof.conditions() } else { String::new() };
            let step = format!("{}. {} to become {}{condition}", at + 1, hop.technique, target(&hop.target));
            writeln!(sink, "    {}", printable(&step))?;
            proof.write(all, sink)?;
        }
    }
    for unlisted in assessing.resolver(identity).map(|resolver| resolver.unlisted(&identity.id)).unwrap_or_default() {
        if let Unlisted::Lesser(text) = unlisted {
            writeln!(sink, "  not listed: {}", printable(&text))?;
        }
    }
    for missing in missing {
        let text = match missing {
            Missing::Unread(unread) => {
                format!("not read: {} ({}: {})", unread.what, unread.gap.call, unread.gap.reason)
            }
            Missing::Doubt(whose, text) if whose == identity.id => format!("in doubt: {text}"),
            Missing::Doubt(whose, text) => format!("in doubt: {text} (for {whose})"),
        };
        writeln!(sink, "  {}", printable(&text))?;
    }
    Ok(())
}

/// What shows that a step can be taken.
struct Proof<'a> {
    assessing: &'a Assessing,
    hop: &'a Edge,
    /// The statements that allow it, each with what of it the source holds.
    granted: Vec<(&'a Grant, Vec<Slice>)>,
    /// What leads from the source to these; `None` = it holds nothing itself.
    chains: Option<Chains<'a>>,
    /// What the step takes besides them.
    takes: Option<Arc<str>>,
    /// Why the source may hold less than they say.
    doubts: Vec<Arc<str>>,
}

impl<'a> Proof<'a> {
    fn of(assessing: &'a Assessing, memberships: &Memberships<'a>, hop: &'a Edge) -> Self {
        let inventory = &assessing.assessed.inventory;
        let from = inventory.identities.iter().find(|held| held.id == hop.source);
        let resolver = from.and_then(|from| assessing.resolver(from));
        let access = resolver.and_then(|resolver| resolver.access(&hop.source));
        let of = |grant: &Grant| {
            let slices = access.iter().flat_map(|access| access.slices());
            slices.filter(|slice| resolver.is_some_and(|held| held.grant(slice.grant) == *grant)).cloned().collect()
        };
        let granted = hop.grants.iter().map(|grant| (grant, of(grant))).collect();
        let chains = resolver.map(|resolver| Chains::of(&hop.source, memberships, resolver));
        let takes = resolver.and_then(|resolver| resolver.takes(&hop.technique));
        let limiting = access.iter().flat_map(|access| &access.doubts).filter(|doubt| doubt.may_limit());
        let doubts = limiting.map(|doubt| Arc::clone(&doubt.text)).collect();
        Self { assessing, hop, granted, chains, takes, doubts }
    }

    /// What whoever is reached asks of the source, where a statement of its own lets it in.
    fn asked(&self, grant: &Grant) -> impl Iterator<Item = &Arc<str>> {
        let trusts = self.assessing.assessed.inventory.trusts.iter();
        let here = trusts.filter(|trust| EdgeTarget::Identity(trust.target.clone()) == self.hop.target);
        here.filter(|trust| trust.evidence == grant.evidence && !trust.constraint.is_empty())
            .map(|trust| &trust.constraint)
    }

    /// What leads to a statement of which the source holds some slices.
    fn led(&self, slices: &[Slice]) -> Vec<String> {
        let mut led = Vec::new();
        for slice in slices {
            for through in self.chains.iter().flat_map(|chains| chains.to(slice.grant)) {
                if !led.contains(&through) {
                    led.push(through);
                }
            }
        }
        led
    }

    /// What a step that is conditional hangs on.
    fn conditions(&self) -> String {
        let slices = self.granted.iter().flat_map(|(_, slices)| slices);
        let keys: BTreeSet<&str> = slices.flat_map(|slice| slice.condition.keys()).collect();
        let asks = self.granted.iter().any(|(grant, _)| self.asked(grant).next().is_some());
        let takes = self.takes.as_ref().map(|takes| format!(", if {takes}"));
        match (keys.is_empty(), asks) {
            (true, true) => ", under the conditions of who lets it in".to_owned(),
            (true, false) => match (takes, self.doubts.as_slice()) {
                (Some(takes), _) => takes,
                (None, [doubt, ..]) => format!(", unless what is in doubt takes it away: {doubt}"),
                (None, []) => ", if something holds that no document tells".to_owned(),
            },
            (false, _) => {
                let more = if asks { " and the conditions of who lets it in" } else { "" };
                let keys = keys.into_iter().collect::<Vec<_>>().join(", ");
                format!(", under conditions on {keys}{more}{}", takes.unwrap_or_default())
            }
        }
    }

    fn write(&self, all: bool, sink: &mut dyn Write) -> io::Result<()> {
        let named = if all { usize::MAX } else { 3 };
        // A trust that is no statement of any policy is told by the technique and the place alone.
        let is_trust = |grant: &Grant| grant.policy.strip_prefix(&*self.hop.technique).is_some();
        for (grant, slices) in &self.granted {
            for through in self.led(slices) {
                writeln!(sink, "       {}", printable(&through))?;
            }
            if !is_trust(grant) {
                writeln!(sink, "       by {}", printable(&grant.to_string()))?;
            }
            let held = slices.iter().map(|slice| match slice.condition.is_unconditional() {
                true => format!("on {}", slice.scope),
                false => format!("on {} if {}", slice.scope, slice.condition),
            });
            // Whoever holds a credential is asked nothing: there the words tell how it is held.
            let held_openly = matches!(&*self.hop.technique, "holds-credential" | "ambient-credentials" | "uses-tool");
            let asked = self.asked(grant).map(|asked| match held_openly {
                true => asked.to_string(),
                false => format!("if {asked}"),
            });
            let limits: BTreeSet<String> = held.chain(asked).collect();
            for limit in limits.iter().take(named) {
                writeln!(sink, "          {}", printable(limit))?;
            }
            if limits.len() > named {
                let more = thousands((limits.len() - named) as u64);
                writeln!(sink, "          and {more} more; --all shows them")?;
            }
            writeln!(sink, "       at {}", printable(&grant.evidence.to_string()))?;
        }
        let EdgeTarget::Identity(reached) = &self.hop.target else { return Ok(()) };
        let inventory = &self.assessing.assessed.inventory;
        let running = inventory.workloads.iter().filter(|held| self.hop.escalation && held.identity == *reached);
        for workload in running.take(named) {
            writeln!(sink, "       runs as it: {} {}", workload.kind, printable(&workload.id))?;
            writeln!(sink, "       at {}", printable(&workload.evidence.to_string()))?;
        }
        Ok(())
    }
}

fn target(target: &EdgeTarget) -> String {
    match target {
        EdgeTarget::Identity(identity) => identity.to_string(),
        EdgeTarget::Admin(scope) => format!("admin of {scope}"),
    }
}
