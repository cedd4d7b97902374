//! The language, sentence by sentence.

use evenhand_model::evidence::Truth;

use super::*;

/// Attributes as `@Source[name]=a|b`; `@Source[name]` alone is known to be absent.
fn attributes(known: &[&str]) -> Attributes {
    let mut all = Attributes::default();
    for text in known {
        let (name, value) = match text.split_once("]=") {
            Some((name, value)) => (name, Value::Texts(value.split('|').map(str::to_owned).collect())),
            None => (text.trim_end_matches(']'), Value::Absent),
        };
        let (source, name) = name.trim_start_matches('@').split_once('[').unwrap();
        all.insert(Attribute::new(Source::of(source).unwrap(), name), value);
    }
    all
}

fn holds(condition: &str, operation: &str, suboperation: Option<&str>, known: &[&str]) -> Truth {
    let condition = Condition::new(condition);
    assert_eq!(condition.check(), Ok(()), "{condition}");
    let attributes = attributes(known);
    condition.holds(&Known { operation, suboperation, attributes: &attributes })
}

#[test]
fn words_join_in_any_case_and_as_signs() {
    const YES: &str = "'a' StringEquals 'a'";
    const NO: &str = "'a' StringEquals 'b'";
    for (condition, expected) in [
        (format!("{YES} AND {NO}"), Truth::No),
        (format!("{YES} && {YES}"), Truth::Yes),
        (format!("{NO} or {YES}"), Truth::Yes),
        (format!("{NO} || {NO}"), Truth::No),
        (format!("NOT {NO} AND NOT ({NO})"), Truth::Yes),
        (format!("!({YES})"), Truth::No),
        (format!("{NO} AND {NO} OR {YES}"), Truth::Yes),
        (format!("{YES} OR {NO} AND {NO}"), Truth::Yes),
    ] {
        assert_eq!(holds(&condition, "x", None, &[]), expected, "{condition}");
    }
}

#[test]
fn what_is_not_known_stays_unknown_unless_it_does_not_matter() {
    const ASKS: &str = "@Request[role] StringEquals 'a'";
    for (condition, expected) in [
        (ASKS.to_owned(), Truth::Unknown),
        (format!("NOT ({ASKS})"), Truth::Unknown),
        (format!("{ASKS} OR 'a' StringEquals 'a'"), Truth::Yes),
        (format!("{ASKS} AND 'a' StringEquals 'b'"), Truth::No),
        ("SubOperationMatches{'Blob.List'}".to_owned(), Truth::Unknown),
        ("Exists @Resource[x]".to_owned(), Truth::Unknown),
    ] {
        assert_eq!(holds(&condition, "x", None, &[]), expected, "{condition}");
    }
}

#[test]
fn operations_match_without_regard_to_case() {
    const READ: &str = "microsoft.storage/storageaccounts/blobservices/containers/blobs/read";
    for (condition, operation, suboperation, expected) in [
        ("ActionMatches{'Microsoft.Storage/*/blobs/Read'}", READ, None, Truth::Yes),
        ("ActionMatches{'Microsoft.Storage/*/write', 'Microsoft.Storage/*/read'}", READ, None, Truth::Yes),
        ("ActionMatches{'Microsoft.Storage/*/write'}", READ, None, Truth::No),
        ("SubOperationMatches{'Blob.List'}", READ, Some("blob.list"), Truth::Yes),
        ("SubOperationMatches{'Blob.List'}", READ, Some("Blob.Read"), Truth::No),
        ("SubOperationMatches{'Blob.List'}", READ, Some(""), Truth::No),
        (
            "!(ActionMatches{'Microsoft.Storage/*/blobs/read'} AND NOT SubOperationMatches{'Blob.List'})",
            "x",
            None,
            Truth::Yes,
        ),
        (
            "!(ActionMatches{'Microsoft.Storage/*/blobs/read'} AND NOT SubOperationMatches{'Blob.List'})",
            READ,
            None,
            Truth::Unknown,
        ),
    ] {
        assert_eq!(holds(condition, operation, suboperation, &[]), expected, "{condition}");
    }
}

#[test]
fn each_operator_compares_in_its_own_way() {
    for (condition, expected) in [
        ("@Resource[n] StringEquals 'prod'", Truth::Yes),
        ("@Resource[n] StringEquals 'PROD'", Truth::No),
        ("@Resource[n] StringEqualsIgnoreCase 'PROD'", Truth::Yes),
        ("@Resource[n] StringNotEquals 'prod'", Truth::No),
        ("@Resource[n] StringNotEqualsIgnoreCase 'dev'", Truth::Yes),
        ("@Resource[n] StringStartsWith 'pr'", Truth::Yes),
        ("@Resource[n] StringNotStartsWith 'pr'", Truth::No),
        ("@Resource[n] StringLike 'p?o*'", Truth::Yes),
        ("@Resource[n] StringNotLike 'p*'", Truth::No),
        ("@Resource[id] GuidEquals 49FC33C1886F4B21A00E1D9993234734", Truth::Yes),
        ("@Resource[id] GuidNotEquals '49fc33c1-886f-4b21-a00e-1d9993234734'", Truth::No),
        ("@Environment[isPrivateLink] boolequals true", Truth::Yes),
        ("@Environment[isPrivateLink] BoolNotEquals true", Truth::No),
        ("@Environment[isPrivateLink] BoolEquals maybe", Truth::Unknown),
        ("@Request[count] NumericLessThan 10", Truth::Yes),
        ("@Request[count] NumericGreaterThanEquals 9", Truth::Yes),
        ("@Request[count] NumericEquals 9.0", Truth::Yes),
        ("@Request[count] NumericNotEquals 9", Truth::No),
        ("@Environment[UtcNow] DateTimeGreaterThan '2026-01-01T00:00:00Z'", Truth::Yes),
        ("@Environment[UtcNow] DateTimeLessThanEquals '2026-01-01T00:00:00Z'", Truth::No),
        ("@Environment[UtcNow] TimeOfDayLessThan '10:00'", Truth::Unknown),
        ("@Resource[n] StringEquals @Principal[team]", Truth::Yes),
    ] {
        let known = [
            "@Resource[n]=prod",
            "@Resource[id]=49fc33c1-886f-4b21-a00e-1d9993234734",
            "@Environment[isPrivateLink]=true",
            "@Request[count]=9",
            "@Environment[UtcNow]=2026-11-27T10:00:00Z",
            "@Principal[team]=prod",
        ];
        assert_eq!(holds(condition, "x", None, &known), expected, "{condition}");
    }
}

#[test]
fn several_values_are_put_together_by_the_word_before_the_operator() {
    for (condition, expected) in [
        ("@Request[t] ForAnyOfAnyValues:StringEquals {'a', 'x'}", Truth::Yes),
        ("@Request[t] ForAnyOfAnyValues:StringEquals {'x', 'y'}", Truth::No),
        ("@Request[t] ForAllOfAnyValues:StringEquals {'a', 'b', 'c'}", Truth::Yes),
        ("@Request[t] ForAllOfAnyValues:StringEquals {'a', 'c'}", Truth::No),
        ("@Request[t] ForAnyOfAllValues:StringNotEquals {'a', 'c'}", Truth::Yes),
        ("@Request[t] ForAllOfAllValues:StringNotEquals {'c', 'd'}", Truth::Yes),
        ("@Request[t] ForAllOfAllValues:StringNotEquals {'b', 'd'}", Truth::No),
        ("@Request[t] StringEquals 'a'", Truth::Unknown),
    ] {
        assert_eq!(holds(condition, "x", None, &["@Request[t]=a|b"]), expected, "{condition}");
    }
}

#[test]
fn an_attribute_that_is_known_to_be_absent_passes_no_comparison() {
    for (condition, expected) in [
        ("@Resource[n] StringEquals 'a'", Truth::No),
        ("@Resource[n] StringNotEquals 'a'", Truth::Unknown),
        ("Exists @Resource[n]", Truth::No),
        ("NOT Exists @Resource[N]", Truth::Yes),
        ("Exists @Resource[tags:Project<$key_case_sensitive$>]", Truth::Yes),
    ] {
        let known = ["@Resource[n]", "@Resource[tags:Project]=x"];
        assert_eq!(holds(condition, "x", None, &known), expected, "{condition}");
    }
}

#[test]
fn what_is_not_understood_may_hold_or_not_and_is_told_with_its_place() {
    let deep = "(".repeat(10_000);
    for (condition, at, what) in [
        ("", 1, "an attribute or a value is expected"),
        ("'a' StringEquals", 17, "an attribute or a value is expected"),
        ("'a' StringSounds 'b'", 5, "there is no operator `StringSounds`"),
        ("@Moon[x] StringEquals 'a'", 1, "there is no such source of attributes"),
        ("@Request[x StringEquals 'a'", 1, "an attribute has no end"),
        ("'a' StringEquals 'b", 18, "a text has no end"),
        ("('a' StringEquals 'b'", 22, "`)` is expected"),
        ("'a' StringEquals 'b' 'c'", 22, "nothing more is expected, but there is `'c'`"),
        ("'a' StringEquals 'b' & 'c' StringEquals 'c'", 22, "a sign stands alone that is written twice"),
        (&deep, 201, "parts are nested too deep"),
    ] {
        let condition = Condition::new(condition);
        let problem = condition.check().unwrap_err();
        assert_eq!((problem.at, &*problem.what), (at, what), "{condition}");
        let known = Known { operation: "x", suboperation: None, attributes: Attributes::NONE };
        assert_eq!(condition.holds(&known), Truth::Unknown);
    }
}
