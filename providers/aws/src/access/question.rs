//! A question in compiled form: an action on a resource in a context.

use evenhand_model::access::DecideError;
use evenhand_model::evidence::Truth;
use evenhand_model::opset::OperationIx;
use evenhand_model::scope::{Pattern, ResourceScope};

use crate::catalog::Catalogue;
use crate::policy::context::{Context, NothingGiven, NothingKnown};
use crate::policy::{Effect, arn};

/// What a context key stands for that nobody has given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Absent {
    /// Anything: the answer may be conditional.
    Unknown,
    /// The request does not carry it.
    Missing,
}

impl Absent {
    /// A context in which every key is that.
    pub(crate) fn context(self) -> &'static dyn Context {
        match self {
            Self::Unknown => &NothingKnown,
            Self::Missing => &NothingGiven,
        }
    }
}

/// A resource as it is asked about.
#[derive(Clone, Debug)]
pub(crate) enum Target<'a> {
    /// Any resource at all, or none.
    Any,
    /// One resource, by its six segments.
    Name([&'a str; arn::SEGMENTS]),
    /// Some resource that fits.
    Pattern(Pattern),
}

impl<'a> Target<'a> {
    /// Reads a resource name, `*`, or a name with wildcards.
    pub(crate) fn of(text: &'a str) -> Result<Self, DecideError> {
        match (text, arn::split(text)) {
            ("*", _) => Ok(Self::Any),
            (_, Some(segments)) if segments.first() == Some(&"arn") => {
                Ok(if text.contains(['*', '?']) { Self::Pattern(arn::pattern(text)) } else { Self::Name(segments) })
            }
            _ => Err(DecideError::BadResource {
                resource: text.to_owned(),
                remedy: "write it as `arn:aws:service:region:account:resource`, or `*`".to_owned(),
            }),
        }
    }
}

/// The account in a resource name. The vendor's own things, such as its managed policies, stand in no account; a pattern
/// of names may still say whose.
pub(crate) fn owner(resource: &str) -> Option<&str> {
    arn::split(resource)
        .map(|[_, _, _, _, account, _]| account)
        .filter(|account| !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The number of the action that is asked about.
pub(crate) fn operation(name: &str) -> Result<OperationIx, DecideError> {
    Catalogue::global().operation(name).ok_or_else(|| DecideError::UnknownOperation {
        operation: name.to_owned(),
        remedy: "write it as `service:Action`, such as `s3:GetObject`".to_owned(),
    })
}

/// A question.
pub(crate) struct Question<'a> {
    pub(crate) operation: OperationIx,
    /// The resource as written.
    pub(crate) resource: &'a str,
    pub(crate) target: Target<'a>,
    /// The account that owns the resource, where it is known.
    pub(crate) owner: Option<&'a str>,
    pub(crate) context: &'a dyn Context,
}

impl Question<'_> {
    /// Whether a statement's scope reaches the resource. Where a pattern is asked about, an allow matches if they share
    /// anything, a deny only if it covers the pattern whole.
    pub(crate) fn is_reached(&self, scope: &ResourceScope, effect: Effect) -> Truth {
        if scope.is_everything() {
            return Truth::Yes;
        }
        let any;
        let asked = match &self.target {
            Target::Name(segments) => return scope.matches(segments),
            Target::Pattern(pattern) => pattern,
            Target::Any => {
                any = Pattern::any();
                &any
            }
        };
        let mut all = Truth::Yes;
        for list in &scope.all_of {
            all = all.and(list.iter().fold(Truth::No, |some, pattern| {
                some.or(match effect {
                    Effect::Allow => pattern.overlaps(asked),
                    Effect::Deny => pattern.contains(asked),
                })
            }));
        }
        for hole in &scope.none_of {
            all = all.and(Truth::not(match effect {
                Effect::Allow => hole.contains(asked),
                Effect::Deny => hole.overlaps(asked),
            }));
        }
        all
    }
}
