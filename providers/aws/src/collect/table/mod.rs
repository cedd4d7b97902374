//! Every call that the collector makes, one row each: how it is spoken, what it is asked with, where its answer goes,
//! and what is unknown without it. The published policy and the page about the provider are made from it.
//!
//! The rows follow the service models that the vendor publishes; operations, paths and paging keys are spelled as there.

mod account;
mod organisation;
mod region;

use crate::documents::form::Form;

/// A service and how it is reached.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// The part of `AWS_ENDPOINT_URL_<SERVICE>` and of the `services` section of a profile.
    pub(crate) id: &'static str,
    /// The first part of its host name.
    pub(crate) host: &'static str,
    /// The name that requests are signed for.
    pub(crate) signing: &'static str,
    /// What its operations begin with in a policy.
    pub(crate) prefix: &'static str,
    /// How it is spoken.
    pub(crate) protocol: Protocol,
    /// Whether there is one endpoint for all regions.
    pub(crate) global: bool,
}

/// How a service is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A form in, XML out.
    Query { version: &'static str },
    /// The same with EC2's spelling of lists and names.
    Ec2 { version: &'static str },
    /// JSON in and out, the operation in a header.
    Json { version: &'static str, target: &'static str },
    /// JSON at paths.
    Rest,
}

/// Where a call of [`Protocol::Rest`] goes; names in braces are parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path {
    /// The other protocols have one path only.
    Root,
    /// Further parameters are in the query.
    Get(&'static str),
    /// Further parameters are in the body.
    Post(&'static str),
    /// Further parameters are in the query, although it is a POST.
    PostQuery(&'static str),
}

/// How long answers go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages {
    /// The parameter that asks for the next page.
    pub(crate) ask: &'static str,
    /// The member that tells where the next page begins.
    pub(crate) next: &'static str,
    /// The lists that pages are parts of.
    pub(crate) lists: &'static [&'static str],
}

/// Whose calls they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Once for each account.
    Account,
    /// Once, with the credentials at hand: about the organisation.
    Organisation,
    /// Once for each region, with the credentials at hand: about people.
    Center,
    /// Once for each region of each account.
    Region,
}

/// What a call is made for: each element of an earlier answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Each {
    /// The earlier call.
    pub(crate) of: Form,
    /// The member that holds the list; empty for the answer as a whole.
    pub(crate) list: &'static str,
    /// Parameters taken from an element: name, and JSON pointer (empty for the element itself).
    pub(crate) take: &'static [(&'static str, &'static str)],
    /// Parameters taken over from the earlier call.
    pub(crate) keep: &'static [&'static str],
    /// Which elements count.
    pub(crate) only: Only,
}

/// Which elements of an answer count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    /// All.
    All,
    /// Those whose member names the region that was asked.
    Here(&'static str),
    /// Roles that an agent service may assume.
    AgentRoles,
}

/// How an answer says whether it is ready.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    /// Where its state stands, as a JSON pointer.
    pub(crate) state: &'static str,
    /// While the state is one of these the call is made again.
    pub(crate) unfinished: &'static [&'static str],
    /// The state of an answer; every other one is a failure.
    pub(crate) finished: &'static str,
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) service: &'static Service,
    pub(crate) operation: &'static str,
    /// What its answer is to the reader.
    pub(crate) form: Form,
    /// The name of the document, without ending.
    pub(crate) file: &'static str,
    pub(crate) reach: Reach,
    pub(crate) path: Path,
    pub(crate) pages: Option<Pages>,
    /// Parameters that are always the same.
    pub(crate) fixed: &'static [(&'static str, &'static str)],
    /// Parameters that the vendor takes as lists; each is asked with one element.
    pub(crate) plural: &'static [&'static str],
    /// A parameter for which it is made with each of several values.
    pub(crate) vary: Option<(&'static str, &'static [&'static str])>,
    /// What it is made for; made once where this is empty.
    pub(crate) each: &'static [Each],
    /// Parameters that only tell what the answer is about.
    pub(crate) unsent: &'static [&'static str],
    /// Where its answer may not be ready yet.
    pub(crate) wait: Option<Wait>,
    /// A member that every answer without pages has; those with pages have one of their lists.
    pub(crate) holds: Option<&'static str>,
    /// Whether its list may be missing where it is empty: the vendor's model of the answer does not require the member.
    /// What is never empty, such as the roots of an organisation, is not believed to be on such a word.
    pub(crate) omits_empty: bool,
    /// Whether it only orders what later calls fetch: its answer is good for a while, and for nothing else.
    pub(crate) order: bool,
    /// The only places that are written, where anything may stand in the others; all where this is empty. Spelled like
    /// [`Call::withheld`].
    pub(crate) kept: &'static [&'static str],
    /// Places whose values are not written: JSON pointers, where `*` stands for every member or element.
    pub(crate) withheld: &'static [&'static str],
    /// Whether the answer is written as it is: it is large, other tools read it, and it says what it is about.
    pub(crate) bare: bool,
    /// The operation in a policy, where it is called otherwise there.
    pub(crate) action: Option<&'static str>,
}

impl Call {
    /// The operation as policies spell it.
    pub(crate) fn action(&self) -> String {
        self.action.map_or_else(|| format!("{}:{}", self.service.prefix, self.operation), str::to_owned)
    }
}

/// A row with everything that most rows leave as it is.
const fn row(service: &'static Service, operation: &'static str, form: Form, file: &'static str, reach: Reach) -> Call {
    Call {
        service,
        operation,
        form,
        file,
        reach,
        path: Path::Root,
        pages: None,
        fixed: &[],
        plural: &[],
        vary: None,
        each: &[],
        unsent: &[],
        wait: None,
        holds: None,
        omits_empty: false,
        order: false,
        kept: &[],
        withheld: &[],
        bare: false,
        action: None,
    }
}

/// All rows, each after those that it takes parameters from.
pub(crate) fn calls() -> impl Iterator<Item = &'static Call> {
    account::CALLS.iter().chain(organisation::CALLS).chain(region::CALLS)
}

/// Who the credentials belong to. Asked first.
pub(crate) fn caller() -> &'static Call {
    &account::CALLER
}

/// The regions of an account.
pub(crate) fn regions() -> &'static Call {
    &account::REGIONS
}

/// The role of another account. Its answer is a credential: never written.
pub(crate) fn assume() -> &'static Call {
    &account::ASSUME
}

/// The paging of most services.
const fn next_token(lists: &'static [&'static str]) -> Option<Pages> {
    Some(Pages { ask: "nextToken", next: "nextToken", lists })
}

/// The same with a capital letter.
const fn capital_token(lists: &'static [&'static str]) -> Option<Pages> {
    Some(Pages { ask: "NextToken", next: "NextToken", lists })
}

/// Each element of a list of an earlier answer.
const fn each(of: Form, list: &'static str, take: &'static [(&'static str, &'static str)]) -> Each {
    Each { of, list, take, keep: &[], only: Only::All }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use evenhand_model::catalog::{AccessLevel, Catalog};

    use super::*;
    use crate::carrier::{CarrierKind, DescribedBy};
    use crate::catalog::Catalogue;
    use crate::documents::form::Main;

    #[test]
    fn every_call_only_reads() {
        let catalogue = Catalogue::global();
        for call in calls().chain([regions()]) {
            let action = call.action();
            let operation = catalogue.operation(&action).unwrap_or_else(|| panic!("no action {action}"));
            let level = catalogue.level(operation);
            assert!(matches!(level, AccessLevel::List | AccessLevel::Read), "{action} is {level:?}");
        }
    }

    #[test]
    fn the_list_that_is_put_in_where_there_is_nothing_is_the_one_that_the_reader_asks_for() {
        for call in calls().filter(|call| call.omits_empty) {
            let lists = call.pages.map_or(&[][..], |pages| pages.lists);
            let put: Vec<Main> = lists.iter().copied().chain(call.holds).map(Main::List).collect();
            assert_eq!(put, Vec::from_iter(call.form.main()), "{}", call.operation);
        }
    }

    #[test]
    fn a_call_takes_its_parameters_from_calls_before_it_in_the_same_place() {
        let mut before: Vec<(Form, Reach)> = Vec::new();
        for call in calls() {
            before.push((call.form, call.reach));
            for each in call.each {
                assert!(before.contains(&(each.of, call.reach)), "{} takes from {:?}", call.operation, each.of);
            }
        }
    }

    #[test]
    fn every_call_has_a_document_and_a_form_of_its_own() {
        let mut files = BTreeSet::new();
        let mut forms = BTreeSet::new();
        for call in calls() {
            assert!(files.insert((call.reach, call.file)), "{}", call.file);
            assert!(forms.insert(call.form), "{}", call.operation);
            assert_eq!(Form::of_call(call.form.call()), Some(call.form), "{}", call.operation);
        }
    }

    #[test]
    fn everything_that_runs_with_a_role_is_listed_and_described() {
        let made: BTreeSet<&str> =
            calls().filter(|call| call.reach == Reach::Region).map(|call| call.form.call()).collect();
        for kind in CarrierKind::ALL {
            assert!(made.contains(kind.list()), "{}", kind.list());
            if let DescribedBy::Call(call) = kind.described_by() {
                assert!(made.contains(call), "{call}");
            }
        }
    }

    #[test]
    fn every_parameter_of_a_path_has_a_source() {
        for call in calls() {
            let (Path::Get(path) | Path::Post(path) | Path::PostQuery(path)) = call.path else {
                assert!(call.service.protocol != Protocol::Rest, "{} has no path", call.operation);
                continue;
            };
            for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                let fixed = call.fixed.iter().any(|(name, _)| *name == part);
                let told = |each: &Each| each.keep.contains(&part) || each.take.iter().any(|(name, _)| *name == part);
                assert!(fixed || (!call.each.is_empty() && call.each.iter().all(told)), "{}: {part}", call.operation);
            }
        }
    }
}
