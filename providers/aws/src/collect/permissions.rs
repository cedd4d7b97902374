//! What the collector's role has to be allowed, made from the table of calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

use super::table::{self, Call, Reach};

/// The operations of these calls as policies spell them; [`table::caller`] needs no permission.
fn actions(reaches: &[Reach]) -> BTreeSet<String> {
    let regions = Some(table::regions()).filter(|_| reaches.contains(&Reach::Account));
    table::calls().filter(|call| reaches.contains(&call.reach)).chain(regions).map(Call::action).collect()
}

/// The least-privilege policy for the collector: everything that is asked about one account, and once about the
/// organisation and its people. With a role, the account that collects may assume it in the others.
pub fn policy(role: Option<&str>) -> Value {
    let statement = |sid: &str, reaches: &[Reach]| json!({"Sid": sid, "Effect": "Allow", "Action": actions(reaches), "Resource": "*"});
    let mut statements = vec![
        statement("EachAccount", &[Reach::Account, Reach::Region]),
        statement("OrganizationOnce", &[Reach::Organisation, Reach::Center]),
    ];
    statements.extend(role.map(other_accounts));
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The statement that lets the identity that collects become a role in other accounts.
pub fn other_accounts(role: &str) -> Value {
    json!({
        "Sid": "OtherAccounts",
        "Effect": "Allow",
        "Action": table::assume().action(),
        "Resource": format!("arn:*:iam::*:role/{role}"),
    })
}

/// The calls as a table in Markdown: call, operation in a policy, and what is unknown without it.
pub fn calls_table() -> String {
    let mut text = String::new();
    let titles = [
        (Reach::Account, "Each account, once"),
        (Reach::Region, "Each account, in each region"),
        (Reach::Organisation, "The organisation, once, with the credentials at hand"),
        (Reach::Center, "People, in each region, with the credentials at hand"),
    ];
    let mut by_reach: BTreeMap<Reach, Vec<&Call>> = BTreeMap::new();
    by_reach.entry(Reach::Account).or_default().extend([table::caller(), table::regions()]);
    for call in table::calls() {
        by_reach.entry(call.reach).or_default().push(call);
    }
    for (reach, title) in titles {
        let _ = write!(text, "\n### {title}\n\n| call | operation in a policy | unknown without it |\n|---|---|---|\n");
        for call in by_reach.remove(&reach).unwrap_or_default() {
            let _ = writeln!(text, "| `aws {}` | `{}` | {} |", call.form.call(), call.action(), call.form.words());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_exactly_the_calls_of_the_table() {
        let policy = policy(None);
        let allowed: BTreeSet<String> = policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap().to_owned())
            .collect();
        let made: BTreeSet<String> = table::calls().chain([table::regions()]).map(Call::action).collect();
        assert_eq!(allowed, made);
        assert!(allowed.iter().all(|action| !action.contains('*')));
    }

    #[test]
    fn a_role_may_be_assumed_only_where_one_is_named() {
        assert!(!policy(None).to_string().contains("AssumeRole"));
        assert!(policy(Some("audit")).to_string().contains("arn:*:iam::*:role/audit"));
    }
}
