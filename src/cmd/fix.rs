//! `evenhand fix`: a right-sized policy in the vendor's own form. It writes files and changes nothing live.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::proposal::{ProposedFile, is_proposed, quoted};
use evenhand_reports::text::{counted, printable, thousands};
use evenhand_rules::judgements::Judgements;
use evenhand_rules::link::link;
use evenhand_rules::parity::ParityConfig;
use serde::Serialize;

use super::{Failure, Invocation, say};
use crate::cli::{self, FixAim, PlainFormat};
use crate::gate::Exit;
use crate::lent::Lent;
use crate::lookup;
use crate::output::{to_file, to_stdout};
use crate::remedy::{Aim, Ground, Portion, Remains, Remedy, RemedyError, Share, Through, Uncontrolled, remedy};
use crate::sources::{LIST, Listed, Proposed};

pub(super) fn run(invocation: &Invocation, arguments: &cli::Fix) -> Result<Exit, Failure> {
    let progress = invocation.progress();
    let config = invocation.config_to_judge_by(&arguments.from.sources)?;
    let (mut capture, _) = invocation.read_for(&arguments.from, &config, &progress)?;
    let parity = ParityConfig::new(config.jobs.clone());
    link(&mut capture.inventory, &parity.jobs);
    let judgements = Judgements::new(&capture.inventory, &parity.jobs);
    let inventory = &capture.inventory;
    let resolvers = Arc::new(std::mem::take(&mut capture.resolvers));
    let subject = lookup::identity(&inventory.identities, &arguments.identity)?;
    if matches!(judgements.nature(&subject.id), Nature::Human | Nature::HumanRole) {
        return Err(Failure::new(
            format!("`{}` is how people do the job, and the measure for what acts by itself", subject.id),
            "name an AI identity; `evenhand inventory` tells the natures",
        ));
    }
    let ground = Ground { inventory, judgements: &judgements, resolvers: &resolvers, parity: &parity };
    let holds = |identity: &Identity| {
        resolvers.get(identity.provider).is_some_and(|resolver| resolver.access(&identity.id).is_some())
    };
    let lenders: Vec<&Identity> =
        Lent::new(inventory).to(subject, holds).into_iter().map(|lender| lender.identity).collect();
    let is_human = |lender: &&Identity| matches!(judgements.nature(&lender.id), Nature::Human | Nature::HumanRole);
    if !holds(subject) && !lenders.is_empty() && lenders.iter().all(is_human) {
        return Err(Failure::About(
            format!("`{}` holds no access of its own; it acts as people do:", subject.id),
            super::listed(
                lenders.iter().map(|lender| lender.id.to_string()).collect(),
                "`evenhand explain` lists them",
            ),
            "let it act as an identity of its own, and propose a policy for that".to_owned(),
        ));
    }
    let human = match &arguments.human {
        Some(role) => Some(invocation.role_of_people(role, &subject.id, &inventory.identities, &judgements)?),
        None => None,
    };
    let aim = match (arguments.to, human) {
        (FixAim::HumanRole, human) => Aim::HumanRole(human),
        (FixAim::Used, None) => Aim::Used,
        (FixAim::Used, Some(_)) => {
            return Err(Failure::new(
                "`--to used` cuts to what was used, and `--human` names a role to cut to",
                "leave one of them out",
            ));
        }
    };
    let uncontrolled = if arguments.keep_uncontrolled { Uncontrolled::Kept } else { Uncontrolled::Removed };
    let remedy = remedy(ground, subject, &lenders, aim, uncontrolled)?;
    let changed = remedy.by_identity().filter(|(_, share)| share.changes());
    let changed: Vec<(&IdentityId, &[ProposedFile])> =
        changed.map(|(identity, share)| (identity, share.files.as_slice())).collect();
    let written = write(&arguments.out, &changed, arguments.force)?;
    let changes = remedy.shares().any(Share::changes);
    let told = Told {
        remedy: &remedy,
        changes,
        not_enough: not_enough(&remedy, changes, arguments.to),
        written: &written,
        to: arguments.to,
        all: arguments.all,
    };
    match arguments.output {
        PlainFormat::Table => say(|sink| told.table(sink))?,
        PlainFormat::Json => to_stdout(|sink| {
            serde_json::to_writer_pretty(&mut *sink, &told)?;
            sink.write_all(b"\n")
        })?,
    }
    Ok(if remedy.reached { Exit::Passed } else { Exit::GateFailed })
}

impl From<RemedyError> for Failure {
    fn from(error: RemedyError) -> Self {
        Self::new(error.to_string(), error.remedy)
    }
}

/// What was done in the folder of a proposal.
#[derive(Debug, Default, Serialize)]
struct Written {
    /// The files that were written.
    files: Vec<PathBuf>,
    /// Files of earlier proposals for the same identities that are no part of this one, taken away.
    #[serde(rename = "files_removed")]
    removed: Vec<PathBuf>,
    /// Those of them that are no longer as they were written, and stay.
    #[serde(rename = "files_left")]
    left: Vec<PathBuf>,
}

/// Writes the files of a proposal, for each identity that changes. Of the files that are there it replaces those that the
/// folder's list gives to the same identity, with other content only where that is asked for, and takes away those that are
/// no part of it any more; all others it leaves alone.
fn write(folder: &Path, changed: &[(&IdentityId, &[ProposedFile])], force: bool) -> Result<Written, Failure> {
    let files: Vec<(&IdentityId, &ProposedFile)> =
        changed.iter().flat_map(|(identity, files)| files.iter().map(move |file| (*identity, file))).collect();
    let paths: Vec<PathBuf> = files.iter().map(|(_, file)| folder.join(&file.name)).collect();
    let (list, listed) = (folder.join(LIST), Proposed::of(folder));
    if changed.is_empty() || (files.is_empty() && listed.is_none()) {
        return Ok(Written::default());
    }
    let is_there = |path: &Path| std::fs::symlink_metadata(path).is_ok();
    let refused = |path: &Path, why: &str, remedy: &str| {
        Failure::new(format!("`{}` is there already, {why}", path.display()), remedy)
    };
    if listed.is_none() && is_there(&list) {
        return Err(refused(&list, "and no list of proposals", "name another folder with --out"));
    }
    let mut listed = listed.unwrap_or_default();
    for (path, (identity, file)) in paths.iter().zip(&files).filter(|(path, _)| is_there(path)) {
        match listed.whose(&file.name) {
            None => {
                let why = format!("and no proposal that `{}` names", list.display());
                return Err(refused(path, &why, "move it away, or name another folder with --out"));
            }
            // Also where both are the same by now: the next proposal for one of them may be another.
            Some(whose) if whose != identity.as_str() => {
                return Err(refused(path, &format!("and proposed for `{whose}`"), "name another folder with --out"));
            }
            Some(_) if force || std::fs::read(path).is_ok_and(|held| held == file.text.as_bytes()) => {}
            Some(_) => {
                let remedy = "name another folder with --out, or replace it with --force";
                return Err(refused(path, "with other content", remedy));
            }
        }
    }
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::new(
            format!("the folder `{}` could not be made: {error}", folder.display()),
            "name a folder where this user may write with --out",
        )
    })?;
    let stale = stale(&listed, changed, folder);
    listed.files.extend(files.iter().map(|(identity, file)| (file.name.clone(), Listed::new(identity, &file.text))));
    let write_list = |listed: &Proposed| {
        to_file(&list, |sink| {
            serde_json::to_writer_pretty(&mut *sink, listed)?;
            sink.write_all(b"\n")
        })
    };
    // Before the files, so that no new one is there unlisted: a scan would take it for evidence, and the next proposal would
    // not replace it. A manifest is known by its hash, so one that is replaced has none until it is written. Files of the
    // earlier proposal stay listed, and go last, when all of this one is there.
    write_list(&listed)?;
    for (path, (_, file)) in paths.iter().zip(&files) {
        to_file(path, |sink| sink.write_all(file.text.as_bytes()))?;
    }
    let mut written = Written { files: paths, ..Written::default() };
    let listed_before = listed.files.len();
    for (name, is_as_written) in stale {
        let path = folder.join(&name);
        if is_there(&path) && !is_as_written {
            written.left.push(path);
            continue;
        }
        if is_as_written {
            std::fs::remove_file(&path).map_err(|error| {
                Failure::new(
                    format!("`{}` of an earlier proposal could not be taken away: {error}", path.display()),
                    "give this user the right to write there, or name another folder with --out",
                )
            })?;
            written.removed.push(path);
        }
        listed.files.remove(&name);
    }
    if listed.files.len() < listed_before {
        write_list(&listed)?;
    }
    Ok(written)
}

/// The files in a folder that are listed for identities that change and are no part of what is proposed for them now, each
/// with whether it is as it was written. Anybody may have written the list: [`Proposed::of`] drops what lies outside the
/// folder.
fn stale(listed: &Proposed, changed: &[(&IdentityId, &[ProposedFile])], folder: &Path) -> Vec<(String, bool)> {
    let is_stale = |(name, held): &(&String, &Listed)| {
        let mut now = changed.iter().flat_map(|(_, files)| files.iter());
        is_proposed(name)
            && changed.iter().any(|(identity, _)| identity.as_str() == held.identity)
            && !now.any(|file| file.name.eq_ignore_ascii_case(name))
    };
    let stale = listed.files.iter().filter(is_stale);
    stale.map(|(name, held)| (name.clone(), held.is_as_written(&folder.join(name)))).collect()
}

/// Why a remedy does not bring an identity within what it is cut to; `None` = it does.
fn not_enough(remedy: &Remedy, changes: bool, to: FixAim) -> Option<String> {
    if remedy.reached {
        return None;
    }
    let all = if changes { "with all of that in place" } else { "as it is" };
    Some(match to {
        FixAim::Used => format!("{all} more remains than {}", remedy.cut_to),
        FixAim::HumanRole => format!("{all} the verdict is {}: {}", remedy.verdict_then.as_str(), remedy.summary_then),
    })
}

/// A remedy, told.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    remedy: &'a Remedy,
    /// Whether there is anything to change.
    changes: bool,
    /// Why the exit code tells of a rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_enough: Option<String>,
    #[serde(flatten)]
    written: &'a Written,
    #[serde(skip)]
    to: FixAim,
    #[serde(skip)]
    all: bool,
}

/// How many entries of a list, and operations of an entry, are shown where not all are asked for.
const SHOWN: usize = 20;

impl Told<'_> {
    fn table(&self, sink: &mut dyn Write) -> io::Result<()> {
        let remedy = self.remedy;
        writeln!(sink, "{} cut to {}", printable(remedy.identity.as_str()), printable(&remedy.cut_to))?;
        let own = &remedy.own;
        if own.operations > 0 {
            counts(own, sink)?;
        }
        let (now, then) = (remedy.verdict.as_str(), remedy.verdict_then.as_str());
        let needs = remedy.shares().filter(|share| share.changes()).any(|share| !share.needs.is_empty());
        let once = if needs { ", once it has what it needs" } else { "" };
        writeln!(sink, "  verdict     {now} → {then}: {}{once}", printable(&remedy.summary_then))?;
        if remedy.nothing_left {
            writeln!(
                sink,
                "  warning     nothing is left: with that in place it can do nothing any more, and its work stops; see what is \
                 taken away, and --human, --keep-uncontrolled and --to"
            )?;
        }
        told_beside(own, sink)?;
        for doubt in &remedy.doubts {
            writeln!(sink, "  in doubt    {}", printable(doubt))?;
        }
        self.share(own, sink)?;
        for Through { identity, name, share } in &remedy.through {
            writeln!(sink, "\nThrough {}", printable(&format!("{name}: {identity}")))?;
            counts(share, sink)?;
            told_beside(share, sink)?;
            self.share(share, sink)?;
        }
        if !remedy.remains.is_empty() {
            writeln!(sink, "\nNothing is proposed for")?;
            for Remains { identity, why } in &remedy.remains {
                writeln!(sink, "  {}: {}", printable(identity.as_str()), printable(why))?;
            }
        }
        if self.changes {
            self.steps(sink)?;
        } else {
            let far = if remedy.doubts.is_empty() { "" } else { ", as far as they were read" };
            let whose = if remedy.through.is_empty() { "its own policies grant" } else { "the policies grant" };
            writeln!(sink, "\nNothing to change: {whose} no more than that{far}")?;
        }
        if let Some(why) = &self.not_enough {
            if self.to == FixAim::Used {
                return writeln!(sink, "\nNot enough: {}, as told above", printable(why));
            }
            writeln!(sink, "\nNot enough: {}", printable(why))?;
            writeln!(
                sink,
                "  `evenhand compare {}` tells the rest, statement by statement",
                quoted(remedy.identity.as_str())
            )?;
        }
        Ok(())
    }

    fn steps(&self, sink: &mut dyn Write) -> io::Result<()> {
        writeln!(sink, "\nWritten")?;
        let Written { files, removed, left } = self.written;
        for path in files {
            writeln!(sink, "  {}", printable(&path.display().to_string()))?;
        }
        if files.is_empty() {
            writeln!(sink, "  no file: nothing is left to grant")?;
        }
        if !removed.is_empty() || !left.is_empty() {
            writeln!(sink, "\nOf an earlier proposal")?;
        }
        for path in removed {
            writeln!(sink, "  {}: taken away", printable(&path.display().to_string()))?;
        }
        for path in left {
            let path = printable(&path.display().to_string());
            writeln!(
                sink,
                "  {path}: left, since it is no longer as it was written; take it away, it is no part of this one"
            )?;
        }
        // The steps name files without their folder.
        let folder = files.first().and_then(|path| path.parent()).map(|folder| folder.display().to_string());
        let place = folder.map(|folder| format!(", in the folder `{}`", printable(&folder))).unwrap_or_default();
        writeln!(sink, "\nTo put it in place{place}; nothing is changed yet")?;
        let steps = self.remedy.shares().filter(|share| share.changes()).flat_map(|share| &share.steps);
        (1..).zip(steps).try_for_each(|(number, step)| writeln!(sink, "  {number}. {}", printable(step)))
    }

    /// The lists of what is proposed for one identity.
    fn share(&self, share: &Share, sink: &mut dyn Write) -> io::Result<()> {
        self.list("Keeps", &share.kept, sink)?;
        self.list("Takes away", &share.removed, sink)?;
        self.list("Of it, what people do under a control that this identity does not pass", &share.uncontrolled, sink)?;
        self.list("Leaves out, because it cannot be cut exactly", &share.left_out, sink)?;
        self.list("Beyond the measure, and granted elsewhere: change it there", &share.elsewhere, sink)
    }

    fn list(&self, title: &str, portions: &[Portion], sink: &mut dyn Write) -> io::Result<()> {
        if portions.is_empty() {
            return Ok(());
        }
        writeln!(sink, "\n{title}")?;
        let shown = if self.all { usize::MAX } else { SHOWN };
        for portion in portions.iter().take(shown) {
            let mut names: Vec<String> = portion.operations.iter().take(shown).map(|name| printable(name)).collect();
            if portion.operations.len() > names.len() {
                let more = thousands((portion.operations.len() - names.len()) as u64);
                names.push(format!("and {more} more; --all shows them"));
            }
            writeln!(sink, "  {}", names.join(", "))?;
            writeln!(sink, "    on {}", printable(&portion.scope))?;
            if !portion.condition.is_empty() {
                writeln!(sink, "    if {}", printable(&portion.condition))?;
            }
            if let Some(until_now) = &portion.until_now {
                writeln!(sink, "    until now {}", printable(until_now))?;
            }
            writeln!(
                sink,
                "    by {} at {}",
                printable(&portion.grant.to_string()),
                printable(&portion.grant.evidence.to_string())
            )?;
            if let Some(why) = &portion.why {
                writeln!(sink, "    because {}", printable(why))?;
            }
        }
        match portions.len().saturating_sub(shown) {
            0 => Ok(()),
            more => writeln!(sink, "  … and {}; --all shows them", counted(more, "more grant", "more grants")),
        }
    }
}

/// Whom a proposal concerns besides, and what it rests on.
fn told_beside(share: &Share, sink: &mut dyn Write) -> io::Result<()> {
    if !share.others.is_empty() {
        let mut names: Vec<String> = share.others.iter().take(SHOWN).map(|id| printable(id.as_str())).collect();
        if share.others.len() > names.len() {
            names.push(format!("and {} more; -o json has them", thousands((share.others.len() - names.len()) as u64)));
        }
        let who = counted(share.others.len(), "other uses this access and loses", "others use this access and lose");
        writeln!(sink, "  others      {who} the same: {}", names.join(", "))?;
    }
    let mut needs = share.needs.iter().filter(|_| share.changes());
    needs.try_for_each(|need| writeln!(sink, "  needs       {}", printable(need)))?;
    share.notes.iter().try_for_each(|note| writeln!(sink, "  note        {}", printable(note)))
}

/// How many operations are held, and how many stay.
fn counts(share: &Share, sink: &mut dyn Write) -> io::Result<()> {
    let number = |count: usize| thousands(count as u64);
    let (all, kept, removed) = (share.operations, share.operations_kept, share.operations_removed);
    writeln!(sink, "  operations  {} → {}, {} taken away", number(all), number(kept), number(removed))
}
