//! Resource elements: names of six segments with wildcards and variables.

use std::array;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use evenhand_model::glob::{Glob, Token};
use evenhand_model::scope::Pattern;

use super::context::{Context, Lookup};
use super::store::PolicyRole;

/// `arn:partition:service:region:account:resource`.
pub(crate) const SEGMENTS: usize = 6;

/// One character of a text that may hold wildcards and variables.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Part {
    /// Something that needs no context.
    Fixed(Token),
    /// `${key}` or `${key, 'default'}`; the key is lower-case.
    Variable { key: Arc<str>, default: Option<Arc<str>> },
}

/// A text with variables in it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Template(Box<[Part]>);

impl Template {
    /// Splits a text into its parts. `${*}`, `${?}` and `${$}` are the characters themselves.
    pub(crate) fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(inner) = rest.strip_prefix("${")
                && let Some((body, after)) = inner.split_once('}')
            {
                match body {
                    "*" | "?" | "$" => parts.extend(body.chars().map(|c| Part::Fixed(Token::Char(c)))),
                    _ => {
                        let (key, default) = match body.split_once(',') {
                            Some((key, default)) => (key, Some(Arc::from(default.trim().trim_matches('\'')))),
                            None => (body, None),
                        };
                        parts.push(Part::Variable { key: key.trim().to_ascii_lowercase().into(), default });
                    }
                }
                rest = after;
                continue;
            }
            parts.push(Part::Fixed(match c {
                '*' => Token::Many,
                '?' => Token::One,
                other => Token::Char(other),
            }));
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        Self(parts.into())
    }

    /// The context keys of the variables.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter().filter_map(|part| if let Part::Variable { key, .. } = part { Some(key) } else { None })
    }

    /// The tokens with every known variable in place. `None` where a variable has no value, or several: then the text
    /// matches nothing. Wildcards inside a value are plain characters.
    pub(crate) fn fill(&self, context: &dyn Context) -> Option<Vec<Token>> {
        let mut tokens = Vec::with_capacity(self.0.len());
        for part in &self.0 {
            match part {
                Part::Fixed(token) => tokens.push(token.clone()),
                Part::Variable { key, default } => match (context.get(key), default) {
                    (Lookup::Known(values), default) => match (values.as_slice(), default) {
                        ([one], _) => tokens.extend(one.chars().map(Token::Char)),
                        ([], Some(default)) => tokens.extend(default.chars().map(Token::Char)),
                        // A default stands in for a key that is absent, not for one of several values.
                        _ => return None,
                    },
                    (Lookup::Absent, Some(default)) => tokens.extend(default.chars().map(Token::Char)),
                    (Lookup::Absent, None) => return None,
                    (Lookup::Unknown, _) => tokens.push(Token::Variable(Arc::clone(key))),
                },
            }
        }
        Some(tokens)
    }
}

/// One entry of `Resource` or `NotResource`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Element {
    /// Needs no context.
    Fixed(Pattern),
    /// Holds variables.
    Template(Template),
    /// Too short to be a resource name where it stands: reaches nothing.
    Nothing,
}

/// Whether an entry is short, and what to do with it under `NotResource`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Length {
    /// Six segments, or `*`.
    Whole,
    /// Fewer; filled up by wildcards or rejected. Under `NotResource` it never makes a statement match.
    Short,
    /// Fewer, in a resource policy and without wildcard: plain inversion under `NotResource`.
    ShortPlain,
}

/// Reads one entry. `variables`: whether the document's version has them.
pub(crate) fn element(text: &str, role: PolicyRole, variables: bool) -> (Element, Length) {
    if text == "*" {
        return (Element::Fixed(Pattern::any()), Length::Whole);
    }
    if variables && text.contains("${") {
        let template = Template::parse(text);
        // Segments are counted, and wildcards looked for, outside of variables.
        let fixed = |token: &Token| template.0.iter().filter(|part| **part == Part::Fixed(token.clone())).count();
        if fixed(&Token::Char(':')) + 1 >= SEGMENTS {
            return (Element::Template(template), Length::Whole);
        }
        let has_wildcard = fixed(&Token::Many) + fixed(&Token::One) > 0;
        let ends_in_any = template.0.last() == Some(&Part::Fixed(Token::Many));
        let (padded, length) = short(role, has_wildcard, ends_in_any);
        return (if padded { Element::Template(template) } else { Element::Nothing }, length);
    }
    let (globs, count) = segments(text);
    if count == SEGMENTS {
        return (Element::Fixed(Pattern::new(globs, ':')), Length::Whole);
    }
    let (padded, length) = short(role, text.contains(['*', '?']), text.ends_with('*'));
    if padded { (Element::Fixed(Pattern::new(globs, ':')), length) } else { (Element::Nothing, length) }
}

/// Whether an entry of fewer than six segments is filled up by wildcards where it stands.
fn short(role: PolicyRole, has_wildcard: bool, ends_in_any: bool) -> (bool, Length) {
    match role {
        PolicyRole::Identity | PolicyRole::Endpoint => (true, Length::Short),
        PolicyRole::Resource | PolicyRole::Trust if has_wildcard => (true, Length::Short),
        PolicyRole::Resource | PolicyRole::Trust => (false, Length::ShortPlain),
        PolicyRole::ServiceControl => (ends_in_any, Length::Short),
        PolicyRole::ResourceControl => (false, Length::Short),
    }
}

/// A text with a context's variables in place, written so that it reads back as the same: what was a character stays
/// one.
pub(crate) fn rewritten(tokens: &[Token]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for token in tokens {
        match token {
            Token::Char(c @ ('*' | '?' | '$')) => {
                let _ = write!(text, "${{{c}}}");
            }
            Token::Char(c) => text.push(*c),
            Token::Many => text.push('*'),
            Token::One => text.push('?'),
            Token::Variable(key) => {
                let _ = write!(text, "${{{key}}}");
            }
        }
    }
    text
}

/// A text in which `${` is no variable, written so that it reads back as the same.
pub(crate) fn without_variables(text: &str) -> String {
    text.replace("${", "${$}{")
}

thread_local! {
    /// Segments that occur in most names, shared. Each thread has its own, so that none waits for another to count.
    static COMMON: HashMap<&'static str, Glob, foldhash::fast::FixedState> = [
        "",
        "arn",
        "aws",
        "aws-us-gov",
        "aws-cn",
        "s3",
        "iam",
        "lambda",
        "dynamodb",
        "sqs",
        "sns",
        "kms",
        "logs",
        "ec2",
        "secretsmanager",
        "ssm",
        "bedrock",
        "bedrock-agentcore",
        "ecr",
        "ecs",
        "events",
        "states",
        "sts",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "eu-central-1",
        "eu-north-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-northeast-1",
        "ap-south-1",
        "ca-central-1",
        "sa-east-1",
    ]
    .into_iter()
    .map(|text| (text, Glob::literal(text)))
    .collect();
    /// What names read last begin with: the next one is very probably of the same account.
    static LAST: RefCell<[Glob; SEGMENTS - 1]> = const { RefCell::new([const { Glob::Any }; SEGMENTS - 1]) };
}

fn glob(segment: &str) -> Glob {
    COMMON.with(|common| common.get(segment).cloned()).unwrap_or_else(|| Glob::wildcard(segment))
}

/// The segments of a name, missing ones as wildcards, and how many there are.
fn segments(text: &str) -> ([Glob; SEGMENTS], usize) {
    let mut parts = text.splitn(SEGMENTS, ':');
    let mut count = 0;
    let globs = LAST.with_borrow_mut(|last| {
        array::from_fn(|at| {
            let Some(part) = parts.next() else { return Glob::Any };
            count += 1;
            match last.get_mut(at) {
                Some(Glob::Literal(held)) if **held == *part => Glob::Literal(Arc::clone(held)),
                Some(_) if part.is_empty() => glob(part),
                Some(held) => {
                    *held = glob(part);
                    held.clone()
                }
                // What is named itself hardly ever occurs twice.
                None => Glob::wildcard(part),
            }
        })
    });
    (globs, count)
}

/// A name as a pattern of six segments; missing ones are wildcards.
pub(crate) fn pattern(text: &str) -> Pattern {
    Pattern::new(segments(text).0, ':')
}

/// The pattern of a catalogue's resource type. Some have no segments at all.
pub(crate) fn catalogue_pattern(text: &str) -> Pattern {
    if text == "*" { Pattern::any() } else { pattern(text) }
}

/// A filled template as a pattern of six segments; missing ones are wildcards.
pub(crate) fn filled(tokens: Vec<Token>) -> Pattern {
    let mut segments: Vec<Vec<Token>> = vec![Vec::new()];
    for token in tokens {
        if token == Token::Char(':') && segments.len() < SEGMENTS {
            segments.push(Vec::new());
        } else if let Some(last) = segments.last_mut() {
            last.push(token);
        }
    }
    let mut globs: Vec<Glob> = segments.into_iter().map(Glob::from_tokens).collect();
    globs.resize(SEGMENTS, Glob::Any);
    Pattern::new(globs, ':')
}

/// Whether a filled template has six segments.
pub(crate) fn is_whole(tokens: &[Token]) -> bool {
    tokens.iter().filter(|token| **token == Token::Char(':')).count() + 1 >= SEGMENTS
}

/// The six segments of a name, if it has them.
pub(crate) fn split(name: &str) -> Option<[&str; SEGMENTS]> {
    let mut segments = [""; SEGMENTS];
    let mut parts = name.splitn(SEGMENTS, ':');
    for slot in &mut segments {
        *slot = parts.next()?;
    }
    Some(segments)
}

#[cfg(test)]
mod tests {
    use evenhand_model::evidence::Truth;

    use super::super::context::Known;
    use super::*;

    fn reaches(entry: &str, role: PolicyRole, name: &str) -> Truth {
        match element(entry, role, true).0 {
            Element::Fixed(pattern) => pattern.matches(&split(name).unwrap()),
            Element::Template(template) => match template.fill(&Known::default()) {
                Some(tokens) => filled(tokens).matches(&split(name).unwrap()),
                None => Truth::No,
            },
            Element::Nothing => Truth::No,
        }
    }

    #[test]
    fn segments_match_one_by_one() {
        for (entry, name, expected) in [
            ("*", "arn:aws:s3:::b/k", Truth::Yes),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/k/l:m", Truth::Yes),
            ("arn:aws:s3:::b", "arn:aws:s3:::B", Truth::No),
            ("arn:aws:*:*:*:*", "arn:aws:sqs:eu-west-1:111111111111:q", Truth::Yes),
            ("arn:*:sqs:*:*:q", "arn:aws:sns:eu-west-1:111111111111:q", Truth::No),
            ("arn:aws:lambda:*:*:function:f?", "arn:aws:lambda:eu-west-1:1:function:f1", Truth::Yes),
        ] {
            assert_eq!(reaches(entry, PolicyRole::Identity, name), expected, "{entry} {name}");
        }
    }

    #[test]
    fn a_name_is_read_the_same_whatever_was_read_before_it() {
        let names = [
            "arn:aws:sqs:eu-west-1:111111111111:q",
            "arn:aws:sqs:eu-west-1:222222222222:q",
            "arn:aws:s3:::b/*",
            "arn:aws:s?:*:22*:222222222222",
            "arn",
            "*:aws:sqs",
            "arn:aws:sqs::arn:a:b:c",
        ];
        for before in names {
            for name in names {
                let mut globs: Vec<Glob> = name.splitn(SEGMENTS, ':').map(Glob::wildcard).collect();
                globs.resize(SEGMENTS, Glob::Any);
                pattern(before);
                assert_eq!(pattern(name).segments(), globs, "{name} after {before}");
            }
        }
    }

    #[test]
    fn short_names_are_read_by_the_rule_of_their_place() {
        let name = "arn:aws:s3:::b";
        for (entry, role, expected) in [
            ("arn:aws:s3", PolicyRole::Identity, Truth::Yes),
            ("arn:aws:s3", PolicyRole::Resource, Truth::No),
            ("arn:aws:s3*", PolicyRole::Resource, Truth::Yes),
            ("arn:aws:s3", PolicyRole::ServiceControl, Truth::No),
            ("arn:aws:s3*", PolicyRole::ServiceControl, Truth::Yes),
            ("arn:aws:s3*", PolicyRole::ResourceControl, Truth::No),
        ] {
            assert_eq!(reaches(entry, role, name), expected, "{entry} {role:?}");
        }
    }

    #[test]
    fn short_names_with_variables_are_read_by_the_same_rule() {
        for (entry, role, something) in [
            ("arn:aws:${service}", PolicyRole::Identity, true),
            ("arn:aws:${service}", PolicyRole::Resource, false),
            ("arn:aws:${service}*", PolicyRole::Resource, true),
            ("arn:aws:*${service}", PolicyRole::ServiceControl, false),
            ("arn:aws:${service}*", PolicyRole::ResourceControl, false),
        ] {
            assert_eq!(element(entry, role, true).0 != Element::Nothing, something, "{entry} {role:?}");
        }
    }

    #[test]
    fn a_filled_text_reads_back_as_the_same() {
        let known = Known::default().with("k", "a*$?b");
        for text in ["${k}-*", "${$}{k}?", "x${*}${other, 'd'}", "plain"] {
            let tokens = Template::parse(text).fill(&known).unwrap();
            assert_eq!(Template::parse(&rewritten(&tokens)).fill(&known).unwrap(), tokens, "{text}");
        }
        let old = Template::parse(&without_variables("a${k}b"));
        assert_eq!(old.keys().count(), 0);
        assert_eq!(filled(old.fill(&known).unwrap()).segments()[0].to_string(), "a${k}b");
    }

    #[test]
    fn variables_are_filled_or_match_nothing() {
        let known = Known::default().with("aws:username", "a*");
        let fill = |text: &str| Template::parse(text).fill(&known).map(|tokens| filled(tokens).to_string());
        assert_eq!(fill("arn:aws:iam::1:user/${aws:username}"), Some("arn:aws:iam::1:user/a*".to_owned()));
        assert_eq!(
            fill("arn:aws:iam::1:user/${AWS:PrincipalTag/x, 'none'}").as_deref(),
            Some("arn:aws:iam::1:user/none")
        );
        assert_eq!(fill("arn:aws:iam::1:user/${aws:PrincipalTag/x}"), None);
        let several = Known::default().with("k", "a").with("k", "b");
        assert_eq!(Template::parse("${k, 'none'}").fill(&several), None, "a default is for absent keys only");
        let own = filled(Template::parse("arn:aws:iam::1:user/${aws:username}").fill(&known).unwrap());
        assert_eq!(own.matches(&split("arn:aws:iam::1:user/abc").unwrap()), Truth::No, "a value's `*` is a character");
        assert_eq!(own.matches(&split("arn:aws:iam::1:user/a*").unwrap()), Truth::Yes);
    }
}
