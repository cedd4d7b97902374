//! Policy documents as written: typed, nothing interpreted.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use evenhand_model::catalog::Catalog as _;
use evenhand_model::opset::OperationIx;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::arn;
use super::operator::Operator;
use super::text::{Texts, Values};
use crate::catalog::Catalogue;
use crate::scalar::{Scalar, Text};

/// What a statement does with the requests that it matches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// Whether a list names what matches or what does not (`Action` against `NotAction`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Listed<T = Arc<str>> {
    /// Whatever is in the list.
    In(Vec<T>),
    /// Whatever is not in the list.
    NotIn(Vec<T>),
}

impl<T> Listed<T> {
    pub(crate) fn map<U>(self, of: impl Fn(T) -> U) -> Listed<U> {
        match self {
            Self::In(list) => Listed::In(list.into_iter().map(of).collect()),
            Self::NotIn(list) => Listed::NotIn(list.into_iter().map(of).collect()),
        }
    }
}

/// One entry of `Action` or `NotAction`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// The name of an action in the catalogue's own spelling; nearly all are.
    Known(OperationIx),
    /// A wildcard, another spelling, or what the catalogue does not know.
    Text(Arc<str>),
}

impl Action {
    /// What is written, unless it is the name of an action in the catalogue's own spelling.
    pub(crate) fn text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Known(_) => None,
            Self::Text(text) => Some(text),
        }
    }

    /// What is written.
    pub(crate) fn name(&self) -> Arc<str> {
        match self {
            Self::Known(operation) => Catalogue::global().name(*operation),
            Self::Text(text) => Arc::clone(text),
        }
    }
}

impl From<Text<'_>> for Action {
    fn from(text: Text<'_>) -> Self {
        match Catalogue::global().spelled(&text) {
            Some(operation) => Self::Known(operation),
            None => Self::Text(text.shared()),
        }
    }
}

/// A list of principals.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Principals {
    /// `*`, or `AWS: *`: everybody, anonymous callers included.
    pub(crate) any: bool,
    pub(crate) aws: Vec<Arc<str>>,
    pub(crate) service: Vec<Arc<str>>,
    pub(crate) federated: Vec<Arc<str>>,
    pub(crate) canonical: Vec<Arc<str>>,
}

/// How a test treats keys of several values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Qualifier {
    /// The key has one value.
    None,
    /// `ForAllValues:` every value of the request passes; true when there is none.
    ForAllValues,
    /// `ForAnyValue:` some value of the request passes.
    ForAnyValue,
}

/// One operator and key of a `Condition` block with its values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ConditionTest {
    pub(crate) qualifier: Qualifier,
    /// `None` where the operator is not one of the language's: such a test never holds.
    pub(crate) operator: Option<Operator>,
    pub(crate) if_exists: bool,
    /// The operator as written, with qualifier and suffix.
    pub(crate) written: Arc<str>,
    /// Lower-case: keys are compared without regard to case.
    pub(crate) key: Arc<str>,
    pub(crate) values: Vec<Arc<str>>,
}

/// A statement. `R`: an entry of `Resource` or `NotResource`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Statement<R = Arc<str>> {
    pub(crate) effect: Effect,
    /// Empty where there is none.
    pub(crate) sid: Arc<str>,
    pub(crate) principals: Option<Box<Principals>>,
    pub(crate) not_principals: Option<Box<Principals>>,
    pub(crate) actions: Listed<Action>,
    /// `None` in trust policies, where the role itself is meant.
    pub(crate) resources: Option<Listed<R>>,
    /// Shared with the compiled statement.
    pub(crate) conditions: Arc<[ConditionTest]>,
    /// Elements that the language does not have.
    pub(crate) unknown: Vec<Arc<str>>,
}

/// A policy. `R`: an entry of `Resource` or `NotResource`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct PolicyDocument<R = Arc<str>> {
    /// Whether it is of version 2012-10-17, in which `${…}` is a variable. The default of the language is the older one.
    pub(crate) variables: bool,
    pub(crate) statements: Vec<Statement<R>>,
}

/// A policy as it is parsed: what it says of resources is borrowed, since little of that is kept.
pub(crate) type Written<'a> = PolicyDocument<Cow<'a, str>>;

impl<'a> Written<'a> {
    /// Parses a document.
    pub(crate) fn parse(json: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// The first statement that says neither whom it means nor whom not. Where it names principals, and none, it does not.
    pub(crate) fn names_nobody(&self) -> Option<usize> {
        let is_nobody = |held: &Statement<Cow<'a, str>>| {
            held.principals.as_ref().is_none_or(|named| named.is_empty()) && held.not_principals.is_none()
        };
        self.statements.iter().position(is_nobody)
    }

    /// The document apart from its text.
    pub(crate) fn owned(self) -> PolicyDocument {
        let mut statements: Vec<Statement> = self.statements.into_iter().map(Statement::owned).collect();
        statements.shrink_to_fit();
        PolicyDocument { variables: self.variables, statements }
    }

    /// Drops what the compiled form tells better: names of actions, and resources. Wildcards of what is meant stay, since a
    /// proposal may say them again, and denies as they stand where it may say those again; so do unknown actions, meant or
    /// left out, names of statements, principals and conditions.
    pub(crate) fn forget_grants(&mut self, denies_stay: bool, is_unknown: impl Fn(&str) -> bool) {
        for statement in self.statements.iter_mut().filter(|held| !denies_stay || held.effect == Effect::Allow) {
            let kept = |mut actions: Vec<Action>, stays: &dyn Fn(&Arc<str>) -> bool| {
                actions.retain(|action| action.text().is_some_and(stays));
                actions.shrink_to_fit();
                actions
            };
            statement.actions = match std::mem::replace(&mut statement.actions, Listed::In(Vec::new())) {
                Listed::In(actions) => Listed::In(kept(actions, &|name| name.contains(['*', '?']) || is_unknown(name))),
                Listed::NotIn(actions) => match kept(actions, &|name| is_unknown(name)) {
                    none if none.is_empty() => Listed::In(none),
                    left_out => Listed::NotIn(left_out),
                },
            };
            statement.resources = None;
        }
    }
}

impl Statement<Cow<'_, str>> {
    fn owned(self) -> Statement {
        Statement {
            effect: self.effect,
            sid: self.sid,
            principals: self.principals,
            not_principals: self.not_principals,
            actions: self.actions,
            resources: self.resources.map(|listed| listed.map(Arc::<str>::from)),
            conditions: self.conditions,
            unknown: self.unknown,
        }
    }

    /// Makes `${…}` in conditions the characters that it is in the older version of the language. Whoever reads the
    /// values later need not know the version.
    fn take_literally(&mut self) {
        let has_variable = |test: &ConditionTest| test.values.iter().any(|value| value.contains("${"));
        if !self.conditions.iter().any(has_variable) {
            return;
        }
        let literal = |test: &ConditionTest| ConditionTest {
            values: test.values.iter().map(|value| arn::without_variables(value).into()).collect(),
            ..test.clone()
        };
        self.conditions = self.conditions.iter().map(literal).collect();
    }
}

impl Principals {
    fn is_empty(&self) -> bool {
        !self.any && [&self.aws, &self.service, &self.federated, &self.canonical].iter().all(|names| names.is_empty())
    }

    fn insert(&mut self, kind: &str, names: Vec<Arc<str>>) -> bool {
        match kind {
            "AWS" => {
                self.any |= names.iter().any(|name| &**name == "*");
                self.aws.extend(names.into_iter().filter(|name| &**name != "*"));
            }
            "Service" => self.service.extend(names),
            "Federated" => self.federated.extend(names),
            "CanonicalUser" => self.canonical.extend(names),
            _ => return false,
        }
        true
    }
}

impl<'de> Deserialize<'de> for Written<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Document;
        impl<'de> Visitor<'de> for Document {
            type Value = Written<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written<'de>, A::Error> {
                let mut document = Written::default();
                let mut seen = false;
                while let Some(Text(key)) = map.next_key()? {
                    match &*key {
                        "Version" => document.variables = map.next_value::<Text<'_>>()?.0 == "2012-10-17",
                        "Statement" => {
                            document.statements = map.next_value::<Statements<'de>>()?.0;
                            seen = true;
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                if !document.variables {
                    document.statements.iter_mut().for_each(Statement::take_literally);
                }
                if seen { Ok(document) } else { Err(serde::de::Error::missing_field("Statement")) }
            }
        }
        deserializer.deserialize_map(Document)
    }
}

/// One statement or a list of them.
struct Statements<'a>(Vec<Statement<Cow<'a, str>>>);

impl<'de> Deserialize<'de> for Statements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Statements<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a list of objects")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Statements<'de>, A::Error> {
                Ok(Statements(vec![statement(map)?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Statements<'de>, A::Error> {
                let mut statements = Vec::new();
                while let Some(statement) = list.next_element()? {
                    statements.push(statement);
                }
                Ok(Statements(statements))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

impl<'de> Deserialize<'de> for Statement<Cow<'de, str>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Statement<Cow<'de, str>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                statement(map)
            }
        }
        deserializer.deserialize_map(One)
    }
}

fn statement<'de, A: MapAccess<'de>>(mut map: A) -> Result<Statement<Cow<'de, str>>, A::Error> {
    use serde::de::Error;
    let (mut effect, mut sid) = (None, None);
    let (mut principals, mut not_principals) = (None, None);
    let (mut actions, mut resources) = (None, None);
    let mut conditions = Vec::new();
    let mut unknown = Vec::new();
    while let Some(Text(key)) = map.next_key()? {
        match &*key {
            "Effect" => {
                effect = Some(match &*map.next_value::<Text<'_>>()?.0 {
                    "Allow" => Effect::Allow,
                    "Deny" => Effect::Deny,
                    other => {
                        return Err(A::Error::invalid_value(serde::de::Unexpected::Str(other), &"`Allow` or `Deny`"));
                    }
                });
            }
            // It decides nothing, so that a number costs nothing.
            "Sid" => sid = Some(map.next_value::<Scalar>()?.0),
            "Principal" => principals = Some(Box::new(map.next_value::<PrincipalElement>()?.0)),
            "NotPrincipal" => not_principals = Some(Box::new(map.next_value::<PrincipalElement>()?.0)),
            "Action" => actions = Some(Listed::In(map.next_value::<Texts<Action>>()?.0)),
            "NotAction" => actions = Some(Listed::NotIn(map.next_value::<Texts<Action>>()?.0)),
            "Resource" => resources = Some(Listed::In(map.next_value::<Texts<Cow<'de, str>>>()?.0)),
            "NotResource" => resources = Some(Listed::NotIn(map.next_value::<Texts<Cow<'de, str>>>()?.0)),
            "Condition" => conditions = map.next_value::<ConditionElement>()?.0,
            other => {
                unknown.push(Arc::from(other));
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(Statement {
        effect: effect.ok_or_else(|| A::Error::missing_field("Effect"))?,
        sid: sid.unwrap_or_default(),
        principals,
        not_principals,
        actions: actions.ok_or_else(|| A::Error::missing_field("Action"))?,
        resources,
        conditions: conditions.into(),
        unknown,
    })
}

struct PrincipalElement(Principals);

impl<'de> Deserialize<'de> for PrincipalElement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Element;
        impl<'de> Visitor<'de> for Element {
            type Value = PrincipalElement;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`*` or principals by kind")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PrincipalElement, E> {
                if text.is_empty() {
                    return Err(E::invalid_value(serde::de::Unexpected::Str(text), &self));
                }
                let mut principals = Principals::default();
                principals.insert("AWS", vec![Arc::from(text)]);
                Ok(PrincipalElement(principals))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<PrincipalElement, A::Error> {
                let mut principals = Principals::default();
                while let Some(text) = list.next_element::<Text<'_>>()? {
                    principals.insert("AWS", vec![text.shared()]);
                }
                Ok(PrincipalElement(principals))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PrincipalElement, A::Error> {
                let mut principals = Principals::default();
                while let Some(Text(kind)) = map.next_key()? {
                    let names = map.next_value::<Texts>()?.0;
                    if !principals.insert(&kind, names) {
                        return Err(serde::de::Error::unknown_variant(
                            &kind,
                            &["AWS", "Service", "Federated", "CanonicalUser"],
                        ));
                    }
                }
                Ok(PrincipalElement(principals))
            }
        }
        deserializer.deserialize_any(Element)
    }
}

struct ConditionElement(Vec<ConditionTest>);

impl<'de> Deserialize<'de> for ConditionElement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Block;
        impl<'de> Visitor<'de> for Block {
            type Value = ConditionElement;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("operators with their keys and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ConditionElement, A::Error> {
                let mut tests = Vec::new();
                while let Some(Text(written)) = map.next_key()? {
                    let written: Arc<str> = written.into();
                    let (qualifier, operator, if_exists) = split_operator(&written);
                    for (key, values) in map.next_value::<KeyValues>()?.0 {
                        tests.push(ConditionTest {
                            qualifier,
                            operator,
                            if_exists,
                            written: Arc::clone(&written),
                            key,
                            values,
                        });
                    }
                }
                Ok(ConditionElement(tests))
            }
        }
        deserializer.deserialize_map(Block)
    }
}

struct KeyValues(Vec<(Arc<str>, Vec<Arc<str>>)>);

impl<'de> Deserialize<'de> for KeyValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = KeyValues;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("condition keys with their values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeyValues, A::Error> {
                let mut keys = Vec::new();
                while let Some(Text(key)) = map.next_key()? {
                    keys.push((Arc::from(key.to_ascii_lowercase()), map.next_value::<Values>()?.0));
                }
                Ok(KeyValues(keys))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// `ForAnyValue:StringLikeIfExists` → its three parts. Operator names are compared without regard to case.
pub(crate) fn split_operator(written: &str) -> (Qualifier, Option<Operator>, bool) {
    let (qualifier, rest) = match written.split_once(':') {
        Some((head, rest)) if head.eq_ignore_ascii_case("ForAllValues") => (Qualifier::ForAllValues, rest),
        Some((head, rest)) if head.eq_ignore_ascii_case("ForAnyValue") => (Qualifier::ForAnyValue, rest),
        Some(_) => return (Qualifier::None, None, false),
        None => (Qualifier::None, written),
    };
    let lower = rest.to_ascii_lowercase();
    let (name, if_exists) = match lower.strip_suffix("ifexists") {
        Some(name) => (name, true),
        None => (&*lower, false),
    };
    let operator = Operator::parse(name);
    // `NullIfExists` is no operator.
    if if_exists && operator == Some(Operator::Null) {
        return (qualifier, None, if_exists);
    }
    (qualifier, operator, if_exists)
}

/// A test from its written parts.
pub(crate) fn condition_test(written: &Arc<str>, key: &Arc<str>, values: &[Arc<str>]) -> ConditionTest {
    let (qualifier, operator, if_exists) = split_operator(written);
    ConditionTest {
        qualifier,
        operator,
        if_exists,
        written: Arc::clone(written),
        key: Arc::clone(key),
        values: values.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_and_lists_are_the_same() {
        let one = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*",
            "Condition":{"Bool":{"aws:SecureTransport":true}}}}"#;
        let many = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["*"],
            "Condition":{"Bool":{"AWS:securetransport":["true"]}}}]}"#;
        assert_eq!(PolicyDocument::parse(one).unwrap(), PolicyDocument::parse(many).unwrap());
    }

    #[test]
    fn of_what_is_granted_the_wildcards_and_what_is_unknown_are_remembered_and_denies_where_they_stay() {
        let json = r#"{"Statement":[
            {"Effect":"Allow","Action":["s3:Get*","s3:PutObject","new:Make","ec2:?top*"],"Resource":"arn:aws:s3:::b/*"},
            {"Effect":"Allow","NotAction":"iam:*","Resource":"*"},
            {"Effect":"Allow","NotAction":["iam:*","new:Make"],"Resource":"*"},
            {"Effect":"Deny","NotAction":["s3:PutObject","new:Make"],"Resource":"*"}]}"#;
        let texts = |texts: &[&str]| texts.iter().map(|text| Action::Text((*text).into())).collect::<Vec<_>>();
        let put = Action::Known(Catalogue::global().spelled("s3:PutObject").unwrap());
        let denied = Listed::NotIn([vec![put], texts(&["new:Make"])].concat());
        for (denies_stay, denied) in [(true, denied), (false, Listed::NotIn(texts(&["new:Make"])))] {
            let mut document = PolicyDocument::parse(json).unwrap();
            document.forget_grants(denies_stay, |name| name == "new:Make");
            let kept: Vec<&Listed<Action>> = document.statements.iter().map(|statement| &statement.actions).collect();
            let allowed = Listed::In(texts(&["s3:Get*", "new:Make", "ec2:?top*"]));
            let left_out = Listed::NotIn(texts(&["new:Make"]));
            assert_eq!(kept, [&allowed, &Listed::In(Vec::new()), &left_out, &denied]);
            let resources: Vec<bool> = document.statements.iter().map(|held| held.resources.is_some()).collect();
            assert_eq!(resources, [false, false, false, denies_stay]);
        }
    }

    #[test]
    fn an_action_is_a_number_where_it_is_spelled_as_the_catalogue_does_and_else_a_text() {
        let json = r#"{"Statement":{"Effect":"Allow","Action":["s3:GetObject","S3:getobject","s3:*","s3:GetObjct","s3:\u0047etObject"],
            "Resource":["arn:aws:s3:::b/*","\u002a"]}}"#;
        let document = PolicyDocument::parse(json).unwrap().owned();
        let known = Action::Known(Catalogue::global().spelled("s3:GetObject").unwrap());
        let text = |text: &str| Action::Text(text.into());
        let expected = [known.clone(), text("S3:getobject"), text("s3:*"), text("s3:GetObjct"), known];
        assert_eq!(document.statements[0].actions, Listed::In(expected.to_vec()));
        assert_eq!(document.statements[0].resources, Some(Listed::In(vec!["arn:aws:s3:::b/*".into(), "*".into()])));
    }

    #[test]
    fn what_is_not_a_policy_is_an_error() {
        for json in [
            "[]",
            "{}",
            r#"{"Statement":[{"Effect":"Maybe","Action":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow"}]}"#,
            r#"{"Version":7,"Statement":[{"Effect":"Allow","Action":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":7}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":["*",true]}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":""}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":7}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":[""]}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Principal":""}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Principal":{"AWS":111122223333}}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Condition":7}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Principal":{"Martian":"x"}}]}"#,
        ] {
            assert!(PolicyDocument::parse(json).is_err(), "{json}");
        }
    }

    #[test]
    fn only_the_newer_version_has_variables() {
        let policy = |version: &str| {
            let json = format!(
                r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"*",
                "Condition":{{"StringEquals":{{"k":"${{aws:username}}"}}}}}}{version}}}"#
            );
            PolicyDocument::parse(&json).unwrap().statements[0].conditions[0].values[0].to_string()
        };
        assert_eq!(policy(r#","Version":"2012-10-17""#), "${aws:username}");
        for version in ["", r#","Version":"2008-10-17""#] {
            assert_eq!(policy(version), "${$}{aws:username}");
        }
    }

    #[test]
    fn operators_are_split_into_their_parts() {
        assert_eq!(
            split_operator("ForAnyValue:StringLikeIfExists"),
            (Qualifier::ForAnyValue, Some(Operator::StringLike { negated: false }), true)
        );
        assert_eq!(split_operator("StringSoundsLike").1, None);
    }
}
