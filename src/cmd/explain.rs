//! `evenhand explain`: a rule, a finding, an identity, or why an identity may do something.

mod operation;
mod path;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use evenhand_model::access::{Access, AccessResolver, Slice};
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::finding::Finding;
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::opset::OpSet;
use evenhand_reports::text::{counted, printable, thousands};
use evenhand_rules::evaluate::Keep;
use evenhand_rules::pack::RuleSet;

use super::{Failure, Invocation, say, without_word};
use crate::assess::{self, Assessing, Options};
use crate::chain::{Chains, Memberships};
use crate::cli;
use crate::config::Config;
use crate::console::{Console, Verbosity};
use crate::gate::Exit;
use crate::lent::Lent;
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
            let why = operation::why(&assessing, identity, operation)?;
            say(|sink| operation::write_why(&why, arguments.all, sink))?;
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
    path::write_paths(assessing, identity, all, sink)?;
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
