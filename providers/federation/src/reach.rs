//! How far a condition reaches: which tenant of an issuer, which workload, in which contexts.

use std::collections::BTreeSet;

/// How firmly one level of a subject is held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) enum Pin {
    /// Not at all.
    #[default]
    Open,
    /// By a part of its name, which others may take too.
    Part,
    /// By its name, which somebody else may have later.
    Name,
    /// By a number that is never given again.
    Id,
}

/// The name for what is held by a name and by no number.
pub(crate) const NO_ID: &str = "no-id-pin";

/// In which of a workload's contexts (branch, tag, environment, phase, user).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) enum Context {
    /// In all of them.
    #[default]
    All,
    /// In several; the pattern's name.
    Several(&'static str),
    /// At a tag, which can be moved.
    Tag,
    /// In one.
    One,
}

/// Whether changes that are proposed are among what fits, before anybody has looked at them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Proposals {
    /// Nothing is said of them.
    #[default]
    Unsaid,
    /// They fit what a pattern leaves open; the name of the pattern that lets them in.
    Fit(&'static str),
    /// They are, beside other things.
    Beside,
    /// Nothing else is.
    Alone,
    /// They are not.
    Never,
}

impl Proposals {
    /// What holds where both hold; `None` where they leave nothing.
    fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Unsaid, held)
            | (held, Self::Unsaid)
            | (Self::Fit(_), held)
            | (held, Self::Fit(_))
            | (Self::Beside, held)
            | (held, Self::Beside) => Some(held),
            (Self::Alone, Self::Alone) => Some(Self::Alone),
            (Self::Never, Self::Never) => Some(Self::Never),
            (Self::Alone, Self::Never) | (Self::Never, Self::Alone) => None,
        }
    }

    /// What holds where one of them does.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unsaid, Self::Unsaid | Self::Never) | (Self::Never, Self::Unsaid) => Self::Unsaid,
            (Self::Alone, Self::Alone) => Self::Alone,
            (Self::Never, Self::Never) => Self::Never,
            (fit @ Self::Fit(_), Self::Unsaid | Self::Fit(_) | Self::Never)
            | (Self::Unsaid | Self::Never, fit @ Self::Fit(_)) => fit,
            _ => Self::Beside,
        }
    }

    fn are_named(self) -> bool {
        matches!(self, Self::Beside | Self::Alone)
    }
}

/// What stands before changes that are proposed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) enum Guard {
    /// Nothing.
    #[default]
    Open,
    /// The steps that run: those of a reusable workflow, which a proposal may call, with inputs and files of its own.
    Steps,
    /// A branch, a tag or an environment, so that proposals fit only where these let them: at a branch once they are merged
    /// into it, in an environment once it has let them in. Or an event that never runs what is proposed.
    Context,
}

/// What of a token's workload a condition holds fast.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Reach {
    /// Organisation, owner, group, namespace.
    pub(crate) tenant: Pin,
    /// Repository, project, workspace, service account.
    pub(crate) workload: Pin,
    pub(crate) context: Context,
    /// The reusable workflow whose steps run, by its repository and a branch, tag or commit of it. Any workload that may call
    /// it gets there, and nothing but these steps runs. In part: its repository or the reference is open, so that the steps
    /// may be anybody's.
    pub(crate) steps: Pin,
    /// In which contexts these steps are held, which says nothing of those of the job that calls them.
    pub(crate) steps_at: Context,
    /// Proposed changes.
    pub(crate) proposals: Proposals,
    /// What is demanded that keeps them out.
    pub(crate) guard: Guard,
    /// Only at branches and tags that something protects, of which there may be several.
    pub(crate) protected: bool,
    /// No token of the issuer fits.
    pub(crate) never: bool,
    /// Names of what is noteworthy and takes nothing from the grade.
    pub(crate) remarks: BTreeSet<&'static str>,
    /// A weakness of its own.
    pub(crate) mark: Option<&'static str>,
}

impl Reach {
    /// What holds where both hold.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.tenant = self.tenant.max(other.tenant);
        self.workload = self.workload.max(other.workload);
        // Where it is a branch that lets proposals in, the branch decides where they run.
        self.context = match (self.proposals.are_named(), other.proposals.are_named()) {
            (true, false) if self.guard == Guard::Open && other.guard != Guard::Open => other.context,
            (false, true) if other.guard == Guard::Open && self.guard != Guard::Open => self.context,
            _ => self.context.max(other.context),
        };
        self.steps = self.steps.max(other.steps);
        self.steps_at = self.steps_at.max(other.steps_at);
        let proposals = self.proposals.and(other.proposals);
        self.never |= proposals.is_none();
        self.proposals = proposals.unwrap_or(Proposals::Never);
        self.guard = self.guard.max(other.guard);
        self.protected |= other.protected;
        self.never |= other.never;
        self.remarks.extend(other.remarks);
        self.mark = self.mark.or(other.mark);
        self
    }

    /// What holds where one of them does.
    pub(crate) fn or(mut self, other: Self) -> Self {
        if self.never {
            return other;
        }
        if other.never {
            return self;
        }
        self.tenant = self.tenant.min(other.tenant);
        self.workload = self.workload.min(other.workload);
        self.context = self.context.min(other.context);
        self.steps = self.steps.min(other.steps);
        self.steps_at = self.steps_at.min(other.steps_at);
        // Where no proposal gets there is none to be kept out.
        self.guard = match (self.proposals == Proposals::Never, other.proposals == Proposals::Never) {
            (true, false) => other.guard,
            (false, true) => self.guard,
            _ => self.guard.min(other.guard),
        };
        self.proposals = self.proposals.or(other.proposals);
        self.protected &= other.protected;
        self.remarks.extend(other.remarks);
        self.mark = self.mark.or(other.mark);
        self
    }

    /// What is left where nothing proposed is let in, whatever else is said. What runs for proposals alone stays as it is:
    /// their runs are no longer at a reference of theirs once they are merged.
    #[must_use]
    pub(crate) fn without_proposals(mut self) -> Self {
        if self.proposals != Proposals::Alone {
            self.proposals = Proposals::Never;
            if self.context == Context::All {
                self.context = Context::Several("wildcard-ref");
            }
        }
        self
    }

    /// Whether proposed changes are admitted by name, and nothing stands before them.
    pub(crate) fn admits_proposals(&self) -> bool {
        self.proposals.are_named() && self.guard == Guard::Open
    }

    /// The pattern by which proposed changes fit, where nothing stands before them.
    pub(crate) fn fits_proposals(&self) -> Option<&'static str> {
        match self.proposals {
            Proposals::Fit(name) if self.guard == Guard::Open => Some(name),
            _ => None,
        }
    }

    /// Whether nothing but the steps that run stands before proposed changes.
    pub(crate) fn lets_proposals_call(&self) -> bool {
        self.guard == Guard::Steps && self.proposals != Proposals::Never
    }

    /// Proposed changes and nothing else.
    pub(crate) fn proposed() -> Self {
        Self { proposals: Proposals::Alone, context: Context::One, ..Self::default() }
    }

    /// That nothing fits.
    pub(crate) fn nobody() -> Self {
        Self { never: true, ..Self::default() }
    }

    pub(crate) fn tenant(pin: Pin) -> Self {
        Self { tenant: pin, ..Self::default() }
    }

    /// A workload, and with it its tenant.
    pub(crate) fn workload(pin: Pin) -> Self {
        Self { tenant: pin, workload: pin, ..Self::default() }
    }

    pub(crate) fn context(context: Context) -> Self {
        Self { context, ..Self::default() }
    }

    #[must_use]
    pub(crate) fn remark(mut self, name: &'static str) -> Self {
        self.remarks.insert(name);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_kept_once_however_many_values_make_it() {
        let one = || Reach::workload(Pin::Name).remark("name-based");
        let listed = (0..1000).map(|_| one()).reduce(Reach::or).unwrap();
        assert_eq!(listed.remarks.len(), 1);
        assert_eq!(
            listed.and(one().remark("exact-ref")).remarks.into_iter().collect::<Vec<_>>(),
            ["exact-ref", "name-based"]
        );
    }
}
