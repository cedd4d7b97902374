//! `evenhand explain`: a rule, a finding, an identity, or why an identity may do something.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use evenhand_model::access::{
    Access, AccessResolver, Decision, Edge, EdgeTarget, Grant, Outcome, Request, Slice, Unlisted,
};
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::finding::Finding;
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::opset::OpSet;
use evenhand_reports::text::{counted, printable, thousands};
use evenhand_rules::evaluate::Keep;
use evenhand_rules::pack::RuleSet;
use evenhand_rules::paths::{self, Missing};

use super::{Failure, Invocation, say, without_word};
use crate::assess::{self, Assessing, Options};
use crate::chain::{Chains, Memberships};
use crate::cli;
use crate::config::Config;
use crate::console::{Console, Verbosity};
use crate::gate::Exit;
use crate::lent::{self, Lender, Lent};
use crate::lookup::{self, LookupError};
use crate::ruleset;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Explain) -> Result<Exit, Failure> {
    let operation = (!arguments.operation.is_empty()).then(|| super::operation(&arguments.operation)).transpose()?;
    let config = invocation.config_to_judge_by(&arguments.from.sources)?;
    let rules = ruleset::load(&arguments.selection, &config, invocation.console)?;
    if arguments.subject.trim().is_empty() {
        return Err(Failure::new("no name is given", "name a rule, a finding or an identity"));
    }
    if operation.is_none()
        && let Some(rule) = rules.get(&arguments.subject)
    {
        tell_missing(invocation, &arguments.from.sources);
        say(|sink| sink.write_all(ruleset::page(rule).as_bytes()))?;
        return Ok(Exit::Passed);
    }
    if operation.is_none() {
        refuse_left_out(arguments, &config)?;
    }
    let progress = invocation.progress();
    let (capture, now) = invocation.read_for(&arguments.from, &config, &progress)?;
    let options =
        Options { config: &config, rules: &rules, strict: false, stable_fingerprints: false, now, progress: &progress };
    let assessing = assess::assess(capture, options, Keep::Everything);
    if operation.is_none()
        && let Some(finding) = finding(&assessing.assessed.findings, &arguments.subject)
    {
        say(|sink| write_finding(finding, sink))?;
        return Ok(Exit::Passed);
    }
    let identities = &assessing.assessed.inventory.identities;
    let identity = lookup::identity(identities, &arguments.subject).map_err(|error| match (error, &operation) {
        (LookupError::Unknown { asked, nearest }, None) => {
            nothing_called(&asked, nearest, &rules, &assessing.assessed.findings)
        }
        (LookupError::Unknown { asked, nearest }, Some(_)) => {
            no_identity(asked, nearest, &rules, &assessing.assessed.findings)
        }
        (error, _) => error.into(),
    })?;
    match &operation {
        None => say(|sink| write_identity(&assessing, identity, arguments.all, sink))?,
        Some(operation) => {
            let why = why(&assessing, identity, operation)?;
            say(|sink| write_why(&why, arguments.all, sink))?;
        }
    }
    Ok(Exit::Passed)
}

/// Says which sources are not there where none of them is read: a rule is the same whatever they hold.
fn tell_missing(invocation: &Invocation, sources: &[PathBuf]) {
    for source in without_word(sources).unwrap_or(sources).iter().filter(|source| !source.exists()) {
        let said = format!("{}: there is no such file or folder", source.display());
        invocation.console.alarm(&said, &[], Some("check the path"));
    }
}

/// Refuses a rule that options leave out: it is there, so that "not called so" would be wrong.
fn refuse_left_out(arguments: &cli::Explain, config: &Config) -> Result<(), Failure> {
    let cli::Selection { only, skip, framework, .. } = &arguments.selection;
    if only.is_empty() && skip.is_empty() && framework.is_empty() {
        return Ok(());
    }
    // What is wrong with the rules was told when they were read.
    let quiet = Console { verbosity: Verbosity::Quiet };
    let all = ruleset::load_all(&arguments.selection, config, quiet)?;
    match all.get(&arguments.subject) {
        None => Ok(()),
        Some(rule) => Err(Failure::new(
            format!("the rule `{}` is left out by `--rule`, `--skip` or `--framework`", rule.id),
            "leave that option out, or choose this rule too",
        )),
    }
}

/// The error for an operation that is asked of no identity; `nearest`: those that are spelled alike.
fn no_identity(asked: String, nearest: Vec<String>, rules: &RuleSet, findings: &[Finding]) -> Failure {
    let (what, whom) = match (rules.get(&asked), finding(findings, &asked)) {
        (Some(_), _) => ("rule", "an identity".to_owned()),
        (None, Some(finding)) => ("finding", format!("`{}`", finding.identity)),
        (None, None) => return LookupError::Unknown { asked, nearest }.into(),
    };
    let instead = format!("ask about {whom}, or leave the operation out");
    Failure::new(format!("`{asked}` is a {what}, and operations are those of identities"), instead)
}

/// The error for a subject that is no rule, no finding and no identity; `identities`: those that are spelled alike.
fn nothing_called(asked: &str, identities: Vec<String>, rules: &RuleSet, findings: &[Finding]) -> Failure {
    const RULES: usize = 3;
    let begun = findings.iter().filter(|finding| finding.id.as_str().starts_with(asked));
    let begun: Vec<String> =
        begun.map(|finding| format!("finding {} ({} of {})", finding.id, finding.rule, finding.name)).collect();
    if !begun.is_empty() {
        let message = format!("`{asked}` begins the ids of {}:", counted(begun.len(), "finding", "findings"));
        return Failure::About(
            message,
            super::listed(begun, "`evenhand scan -o csv:findings` lists them"),
            "give more of the id".to_owned(),
        );
    }
    let alike = lookup::alike(asked, rules.iter().map(|rule| rule.id.as_str()), RULES);
    let mut items: Vec<String> = alike.into_iter().map(|rule| format!("rule {rule}")).collect();
    items.extend(identities.into_iter().map(|identity| format!("identity {identity}")));
    Failure::nothing_called(asked, "rule, finding or identity", items)
}

/// A finding by its id, or by a beginning of it that is long enough and fits no other.
fn finding<'a>(findings: &'a [Finding], asked: &str) -> Option<&'a Finding> {
    const LONG_ENOUGH: usize = 6;
    if let Some(exact) = findings.iter().find(|finding| finding.id.as_str() == asked) {
        return Some(exact);
    }
    let mut fitting = findings.iter().filter(|finding| finding.id.as_str().starts_with(asked));
    let first = fitting.next().filter(|_| asked.len() >= LONG_ENOUGH)?;
    fitting.next().is_none().then_some(first)
}

/// A label and a text that may hold anything; its lines stay apart.
fn line(sink: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    let mut lines = text.trim_end().lines();
    writeln!(sink, "  {label:<12} {}", printable(lines.next().unwrap_or_default()))?;
    lines.try_for_each(|line| writeln!(sink, "  {:<12} {}", "", printable(line)))
}

fn write_finding(finding: &Finding, sink: &mut dyn Write) -> io::Result<()> {
    writeln!(sink, "{}", printable(&finding.title))?;
    line(sink, "finding", finding.id.as_str())?;
    line(sink, "rule", finding.rule.as_str())?;
    line(sink, "severity", &format!("{} ({}, {})", finding.severity, finding.dimension, finding.status.as_str()))?;
    line(sink, "identity", finding.identity.as_str())?;
    line(sink, "where", &format!("{} {}", finding.provider, finding.scope))?;
    if let Some(waiver) = &finding.waiver {
        let by = format!("{} until {}, approved by {}", waiver.owner, waiver.expires, waiver.approver);
        line(sink, "waived", &format!("{} ({by}) at {}", waiver.reason, waiver.evidence))?;
    }
    for (column, value) in &finding.facts {
        line(sink, "fact", &format!("{column} = {value}"))?;
    }
    for missing in &*finding.missing {
        let because = missing.because.as_ref().map(|because| format!(", because {because}")).unwrap_or_default();
        line(sink, "not known", &format!("{} ({}){because}", missing.what, missing.column))?;
    }
    for evidence in &finding.evidence {
        line(sink, "evidence", &evidence.to_string())?;
    }
    line(sink, "remedy", &finding.remedy)?;
    for (framework, id) in finding.frameworks.iter() {
        line(sink, "framework", &format!("{framework} {id}"))?;
    }
    Ok(())
}

fn write_identity(assessing: &Assessing, identity: &Identity, all: bool, sink: &mut dyn Write) -> io::Result<()> {
    let found = &assessing.assessed;
    writeln!(sink, "{}", printable(&identity.name))?;
    line(sink, "id", identity.id.as_str())?;
    line(sink, "what", &what(identity))?;
    line(sink, "described", &identity.evidence.to_string())?;
    if let Some(judged) = found.judgements.of(&identity.id) {
        let because = if judged.reason.is_empty() { "nothing tells" } else { &judged.reason };
        line(sink, "nature", &format!("{}: {because} (confidence {:.1})", judged.nature.as_str(), judged.confidence))?;
        if let Some(hint) = &judged.ai_hint {
            line(sink, "hint", &format!("may be an agent: {hint}"))?;
        }
    }
    for signal in &identity.signals {
        let strength = format!("{:?}", signal.strength).to_lowercase();
        line(
            sink,
            "",
            &format!("{strength} for {}: {} at {}", signal.nature.as_str(), signal.reason, signal.evidence),
        )?;
    }
    line(sink, "owner", &fact(&identity.owner))?;
    line(sink, "purpose", &fact(&identity.purpose))?;
    line(sink, "last used", &fact(&identity.last_used_at))?;
    write_credentials(assessing, identity, sink)?;
    write_trusts(assessing, identity, sink)?;
    write_verdict(assessing, identity, sink)?;
    write_access(assessing, identity, all, sink)?;
    write_paths(assessing, identity, all, sink)?;
    let findings: Vec<&Finding> = found.findings.iter().filter(|finding| finding.identity == identity.id).collect();
    if !findings.is_empty() {
        writeln!(sink, "\nFindings")?;
        for finding in findings {
            let (severity, status) = (finding.severity.as_str(), finding.status.as_str());
            writeln!(sink, "  {severity:8}  {status:7}  {}: {}", finding.rule, printable(&finding.title))?;
            writeln!(sink, "    {}", finding.id)?;
        }
    }
    Ok(())
}

fn fact<T: ToString>(fact: &Fact<T>) -> String {
    match fact {
        Fact::Known(value) => value.to_string(),
        Fact::Absent => "none".to_owned(),
        Fact::Unknown => "not known".to_owned(),
    }
}

fn write_credentials(assessing: &Assessing, identity: &Identity, sink: &mut dyn Write) -> io::Result<()> {
    let mut held =
        assessing.assessed.inventory.credentials.iter().filter(|held| held.identity == identity.id).peekable();
    if held.peek().is_some() {
        writeln!(sink, "\nCredentials")?;
    }
    for credential in held {
        let kind = match credential.is_static {
            Fact::Known(true) => "static",
            Fact::Known(false) => "short-lived",
            Fact::Absent | Fact::Unknown => "of unknown lifetime",
        };
        let made = match &credential.created_at {
            Fact::Known(moment) => format!(", made {moment}"),
            Fact::Absent | Fact::Unknown => String::new(),
        };
        let text = format!("{} ({kind}){made}, at {}", credential.kind, credential.evidence);
        writeln!(sink, "  {}", printable(&text))?;
    }
    Ok(())
}

fn write_trusts(assessing: &Assessing, identity: &Identity, sink: &mut dyn Write) -> io::Result<()> {
    let mut trusts = assessing.assessed.inventory.trusts.iter().filter(|trust| trust.target == identity.id).peekable();
    if trusts.peek().is_some() {
        writeln!(sink, "\nWho may become it")?;
    }
    for trust in trusts {
        let mut text = format!("{} ({})", trust.source, trust.mechanism.as_str());
        if !trust.constraint.is_empty() {
            text.push_str(&format!(" if {}", trust.constraint));
        }
        if trust.weak == Truth::Yes {
            text.push_str(&format!(", weak: {}", trust.weakness));
        }
        writeln!(sink, "  {}", printable(&text))?;
        writeln!(sink, "    at {}", printable(&trust.evidence.to_string()))?;
    }
    Ok(())
}

/// What an identity is and where, in words. Many scopes name their provider already.
fn what(identity: &Identity) -> String {
    let (kind, scope) = (identity.kind.replace('_', " "), identity.scope.as_str());
    let named = scope.split(':').next() == Some(identity.provider.0);
    if named { format!("{kind} in {scope}") } else { format!("{kind} of {} in {scope}", identity.provider) }
}

fn write_verdict(assessing: &Assessing, identity: &Identity, sink: &mut dyn Write) -> io::Result<()> {
    let found = &assessing.assessed;
    let Some(comparison) = found.comparisons.iter().find(|comparison| comparison.identity == identity.id) else {
        if found.judgements.nature(&identity.id) != Nature::AiAgent {
            writeln!(sink, "\nVerdict\n  none: only AI identities are held beside a human role")?;
        }
        return Ok(());
    };
    writeln!(sink, "\nVerdict")?;
    line(sink, comparison.verdict.as_str(), &comparison.summary)?;
    let baseline = &comparison.baseline;
    if !baseline.roles.is_empty() {
        let sure = baseline.source.confidence();
        line(sink, "human role", &format!("{}: {} (confidence {sure:.1})", baseline.name, baseline.reason))?;
    }
    Ok(())
}

fn write_access(assessing: &Assessing, identity: &Identity, all: bool, sink: &mut dyn Write) -> io::Result<()> {
    writeln!(sink, "\nAccess")?;
    let Some(resolver) = assessing.resolver(identity) else {
        return writeln!(sink, "  none of its own; whom it can act as stands under the paths");
    };
    let Some(access) = resolver.access(&identity.id) else {
        return writeln!(sink, "  not known: nothing about it was read");
    };
    if access.unlimited {
        writeln!(sink, "  unlimited: nothing is denied to it, whatever the policies say")?;
    }
    writeln!(sink, "  {}", counted(access.operations().len(), "operation", "operations"))?;
    let chains = Chains::of(&identity.id, &Memberships::of(&assessing.assessed.inventory), resolver);
    for slice in distinct(&access, resolver) {
        write_slice(resolver, &chains, slice, &slice.operations, all, sink)?;
    }
    for doubt in &access.doubts {
        writeln!(sink, "  in doubt: {}", printable(&doubt.text))?;
    }
    let lent = Lent::new(&assessing.assessed.inventory);
    for lender in lent.to(identity, |held| assessing.resolver(held).is_some()) {
        let access = assessing.resolver(lender.identity).and_then(|resolver| resolver.access(&lender.identity.id));
        let said = match access {
            Some(access) => counted(access.operations().len(), "operation", "operations"),
            None => "not known: nothing about it was read".to_owned(),
        };
        writeln!(sink, "  by way of {}: {said}", printable(&lender.shown()))?;
    }
    Ok(())
}

/// The slices of an access, each once: one grant may give the same in several ways, such as for each of its repositories.
fn distinct<'a>(access: &'a Access, resolver: &dyn AccessResolver) -> Vec<&'a Slice> {
    let mut told = BTreeSet::new();
    let mut slices = Vec::new();
    for slice in access.slices() {
        let place = (slice.scope.to_string(), slice.condition.to_string());
        if told.insert((&*slice.operations, place, resolver.grant(slice.grant))) {
            slices.push(slice);
        }
    }
    slices
}

/// A slice: what it grants, on what, under which condition, what leads to the statement that does, and that.
fn write_slice(
    resolver: &dyn AccessResolver,
    chains: &Chains<'_>,
    slice: &Slice,
    operations: &OpSet,
    all: bool,
    sink: &mut dyn Write,
) -> io::Result<()> {
    let named = if all { usize::MAX } else { 8 };
    let groups = resolver.catalog().summarise(operations);
    let mut names: Vec<String> = groups.iter().take(named).map(|(name, _)| printable(name)).collect();
    if groups.len() > named {
        names.push(format!("and {} more; --all shows them", thousands((groups.len() - named) as u64)));
    }
    let grant = resolver.grant(slice.grant);
    writeln!(sink, "  {}", names.join(", "))?;
    writeln!(sink, "    on {}", printable(&slice.scope.to_string()))?;
    if !slice.condition.is_unconditional() {
        writeln!(sink, "    if {}", printable(&slice.condition.to_string()))?;
    }
    for through in chains.to(slice.grant) {
        writeln!(sink, "    {}", printable(&through))?;
    }
    writeln!(sink, "    by {}", printable(&grant.to_string()))?;
    writeln!(sink, "    at {}", printable(&grant.evidence.to_string()))
}

fn write_paths(assessing: &Assessing, identity: &Identity, all: bool, sink: &mut dyn Write) -> io::Result<()> {
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

/// Why an identity may, or may not, use some operations.
struct Why<'a> {
    identity: &'a Identity,
    pattern: &'a str,
    operations: OpSet,
    resolver: &'a dyn AccessResolver,
    chains: Chains<'a>,
    access: Arc<Access>,
    /// The decision on any resource, where one operation is meant.
    decision: Option<Decision>,
    /// Those whose access it uses beside its own.
    through: Vec<Through<'a>>,
}

/// What an identity is granted by way of somebody whose access it uses.
struct Through<'a> {
    lender: Lender<'a>,
    chains: Chains<'a>,
    access: Option<Arc<Access>>,
    /// The decision on any resource, where one operation is meant.
    decision: Option<Decision>,
}

fn why<'a>(assessing: &'a Assessing, identity: &'a Identity, pattern: &'a str) -> Result<Why<'a>, Failure> {
    let resolver = assessing.resolver(identity).ok_or_else(|| {
        let message =
            format!("`{}` is an identity of {}, which grants no access by itself", identity.id, identity.provider);
        let lent = Lent::new(&assessing.assessed.inventory);
        let lenders = lent.to(identity, |held| assessing.resolver(held).is_some());
        Failure::new(message, lent::instead(&lenders))
    })?;
    let operations = resolver.catalog().expand(pattern);
    if operations.is_empty() {
        let message = format!("no operation of {} is called `{pattern}`", identity.provider);
        let alike = super::can::spelled_alike(resolver, pattern).map(|name| format!("did you mean `{name}`?"));
        let spelling = || "use the vendor's spelling; `*` stands for any text".to_owned();
        return Err(Failure::new(message, alike.unwrap_or_else(spelling)));
    }
    let access = resolver.access(&identity.id).ok_or_else(|| {
        Failure::new(format!("the access of `{}` is not known", identity.id), "add the documents that describe it")
    })?;
    let decide = |identity: &Identity| match (operations.len(), operations.first()) {
        (1, Some(operation)) => {
            let request = Request {
                identity: identity.id.to_string(),
                operation: resolver.catalog().name(operation).to_string(),
                resource: None,
                context: std::collections::BTreeMap::new(),
            };
            resolver.decide(&identity.id, &request).ok()
        }
        _ => None,
    };
    let inventory = &assessing.assessed.inventory;
    let memberships = Memberships::of(inventory);
    let through = Lent::new(inventory)
        .to(identity, |held| assessing.resolver(held).is_some())
        .into_iter()
        // The operations are those of this provider.
        .filter(|lender| lender.identity.provider == identity.provider)
        .map(|lender| Through {
            chains: Chains::of(&lender.identity.id, &memberships, resolver),
            access: resolver.access(&lender.identity.id),
            decision: decide(lender.identity),
            lender,
        })
        .collect();
    let decision = decide(identity);
    let chains = Chains::of(&identity.id, &memberships, resolver);
    Ok(Why { identity, pattern, operations, resolver, chains, access, decision, through })
}

fn write_why(why: &Why<'_>, all: bool, sink: &mut dyn Write) -> io::Result<()> {
    writeln!(sink, "{} and {}", printable(&why.identity.name), printable(why.pattern))?;
    line(sink, "identity", why.identity.id.as_str())?;
    line(sink, "meant", &counted(why.operations.len(), "operation", "operations"))?;
    let mut granted = write_granted(why, None, all, sink)?;
    if granted.is_empty() {
        let said = match (why.access.unlimited, why.through.is_empty()) {
            (true, _) => "no statement is needed: nothing is denied to it",
            (false, true) => "by nothing",
            (false, false) => "by nothing of its own",
        };
        writeln!(sink, "\nGranted\n  {said}")?;
    }
    for through in &why.through {
        granted = granted.union(&write_granted(why, Some(through), all, sink)?);
    }
    let missing = why.operations.difference(&granted);
    if !granted.is_empty() && !missing.is_empty() && !why.access.unlimited {
        writeln!(sink, "\nNot granted\n  {}", counted(missing.len(), "operation", "operations"))?;
        if all {
            for (name, _) in why.resolver.catalog().summarise(&missing) {
                writeln!(sink, "  {}", printable(&name))?;
            }
        } else {
            writeln!(sink, "  --all lists them")?;
        }
    }
    if let Some(decision) = &why.decision
        && (decision.outcome != Outcome::Allowed || !decision.blocked_by.is_empty())
    {
        let outcome = decision.outcome.as_str().replace('_', " ");
        writeln!(sink, "\nOn any resource, without context: {outcome}")?;
        for layer in &decision.blocked_by {
            writeln!(sink, "  {}", printable(&super::can::stopped_by(decision.outcome, layer)))?;
        }
        for condition in &decision.conditions {
            line(sink, "if", condition)?;
        }
        for grant in &decision.because {
            line(sink, "because of", &format!("{grant} at {}", grant.evidence))?;
        }
        let through = why.through.iter().filter(|_| decision.outcome != Outcome::Allowed);
        for through in through {
            if let Some(held) = &through.decision
                && matches!(held.outcome, Outcome::Allowed | Outcome::Conditional | Outcome::Unknown)
            {
                let outcome = held.outcome.as_str().replace('_', " ");
                writeln!(sink, "  but by way of {}: {outcome}", printable(&through.lender.shown()))?;
            }
        }
    }
    for doubt in &why.access.doubts {
        line(sink, "in doubt", &doubt.text)?;
    }
    Ok(())
}

/// What grants the operations to the identity itself, or by way of somebody whose access it uses; which of them it grants.
fn write_granted(why: &Why<'_>, through: Option<&Through<'_>>, all: bool, sink: &mut dyn Write) -> io::Result<OpSet> {
    let (access, chains) = match through {
        Some(through) => (through.access.as_ref(), &through.chains),
        None => (Some(&why.access), &why.chains),
    };
    let mut granted = OpSet::new();
    for slice in access.into_iter().flat_map(|access| distinct(access, why.resolver)) {
        let operations = slice.operations.intersection(&why.operations);
        if operations.is_empty() {
            continue;
        }
        if granted.is_empty() {
            let by_way = through.map(|through| format!(" by way of {}", printable(&through.lender.shown())));
            writeln!(sink, "\nGranted{}", by_way.unwrap_or_default())?;
        }
        write_slice(why.resolver, chains, slice, &operations, all, sink)?;
        granted = granted.union(&operations);
    }
    Ok(granted)
}
