//! A comparison in one line, for people.

use evenhand_model::evidence::Truth;
use evenhand_model::parity::{Comparison, Verdict};

/// The line. `for_its_user`: whether it has no access that is known but that of whoever runs it.
pub(crate) fn line(comparison: &Comparison, for_its_user: bool) -> String {
    let role = &comparison.baseline.name;
    match comparison.verdict {
        Verdict::Excess => {
            let risk = match comparison.high_risk_excess {
                0 => String::new(),
                count => format!(", {count} of high risk"),
            };
            let (does, it) = if comparison.baseline.roles.len() > 1 { ("do", "they do") } else { ("does", "it does") };
            let wider = comparison.wider_operations;
            let lacking = comparison.excess_operations.saturating_sub(wider);
            match (lacking, wider) {
                (_, 0) => format!("holds {} that {role} {does} not{risk}", operations(lacking)),
                (0, _) => format!("holds {} more widely than {role} {does}{risk}", operations(wider)),
                _ => {
                    format!(
                        "holds {} that {role} {does} not, and {wider} more widely than {it}{risk}",
                        operations(lacking)
                    )
                }
            }
        }
        Verdict::ControlGap => {
            let gaps: Vec<_> = comparison.controls.iter().filter(|row| row.is_gap() == Truth::Yes).collect();
            let mut names: Vec<&str> = gaps.iter().map(|row| words(row.control.as_str())).collect();
            names.dedup();
            let most = gaps.iter().map(|row| row.count).max().unwrap_or_default();
            let does = if comparison.baseline.roles.len() > 1 { "do" } else { "does" };
            let under = if names.len() > 1 { "them" } else { "it" };
            format!("does without {} what {role} {does} under {under}, {}", names.join(" and "), operations(most))
        }
        Verdict::NoBaseline if for_its_user && comparison.doubts.is_empty() => {
            String::from("acts for whoever runs it; name that person's job in a [[job]] of evenhand.toml")
        }
        Verdict::NoBaseline => comparison.baseline.reason.to_string(),
        Verdict::Unknown => unknown(comparison),
        Verdict::Parity => format!("holds the access of {role} and no more"),
        Verdict::Narrower => match (comparison.operations, comparison.human_operations) {
            (Some(held), Some(human)) if held < human => {
                format!("holds {held} of the {} of {role}", operations(human))
            }
            _ => format!("holds part of the access of {role}"),
        },
    }
}

fn unknown(comparison: &Comparison) -> String {
    let role = &comparison.baseline.name;
    if comparison.operations.is_none() {
        return match comparison.doubts.first() {
            Some(doubt) => format!("what it may do is not known: {doubt}"),
            None => String::from("what it may do is not known"),
        };
    }
    if comparison.undecided_operations > 0 {
        let count = operations(comparison.undecided_operations);
        let because = comparison.doubts.first().map_or_else(String::new, |doubt| format!(": {doubt}"));
        return format!("nothing tells whether {role} covers {count} of it{because}");
    }
    let open = comparison.controls.iter().find(|row| row.is_gap() == Truth::Unknown);
    match (comparison.doubts.first(), open) {
        (Some(doubt), _) => format!("no excess over {role} was found, but {doubt}"),
        (None, Some(row)) => {
            format!("no excess over {role}, but nothing tells whether both are under {}", words(row.control.as_str()))
        }
        (None, None) => format!("nothing tells how it compares with {role}"),
    }
}

fn operations(count: u32) -> String {
    if count == 1 { String::from("1 operation") } else { format!("{count} operations") }
}

/// A control's word as people say it.
fn words(control: &str) -> &str {
    match control {
        "second_person_approval" => "a second person's approval",
        "just_in_time" => "just-in-time activation",
        "change_gate" => "a change gate",
        "mfa" => "MFA",
        "network_or_device" => "a network or device condition",
        other => other,
    }
}
