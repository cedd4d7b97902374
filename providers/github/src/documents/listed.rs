//! Whether the credentials saw all repositories of an organisation. A list of repositories holds those that they may see, and
//! looks the same for those who see all and for those who see some; what the organisation says of itself does not.
//!
//! One judgement for the side that collects and the side that reads.

use evenhand_model::gap::{Lost, Subject};

use super::people::Organisation;

/// What is unknown of repositories that were not listed.
pub(crate) const LOST: Lost = Lost::of("everything about repositories that were not listed", Subject::ALL);

/// Why a list of so many repositories is not known to be whole; `None` = it is. `selection`: which repositories the app is
/// installed on that asked, as GitHub says it.
///
/// The numbers are those of [Get an organization](https://docs.github.com/rest/orgs/orgs#get-an-organization); that of
/// private ones is withheld from those who may not administer it. An answer without any of them was shortened by hand, and
/// says nothing about the list.
pub(crate) fn partly(organisation: &Organisation, listed: usize, selection: Option<&str>) -> Option<String> {
    let listed_too = u64::try_from(listed).unwrap_or(u64::MAX);
    match (organisation.public_repos, organisation.total_private_repos, selection) {
        (Some(public), Some(private), _) => {
            let all = public.saturating_add(private);
            (listed_too < all).then(|| {
                format!(
                    "the credentials see {listed} of {all} repositories; let them reach all, and go on with --resume"
                )
            })
        }
        (_, _, Some("all")) => None,
        (_, _, Some(_)) => Some(format!(
            "the app is installed on selected repositories, and {listed} were listed; install it on all, or let it read \
             the administration of the organisation, which tells how many there are"
        )),
        (Some(_), None, None) => Some(format!(
            "how many private repositories there are was withheld, and {listed} repositories were listed; let the credentials \
             read the administration of the organisation"
        )),
        (None, _, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_whole_only_where_the_organisation_says_so() {
        for (public, private, selection, listed, is_whole) in [
            (Some(2), Some(1), None, 3, true),
            // One was made in between.
            (Some(2), Some(1), None, 4, true),
            (Some(2), Some(1), None, 2, false),
            (Some(2), Some(1), Some("all"), 2, false),
            (Some(2), Some(1), Some("selected"), 3, true),
            (Some(2), None, None, 2, false),
            (Some(2), None, Some("all"), 2, true),
            (Some(2), None, Some("selected"), 2, false),
            (None, None, Some("selected"), 2, false),
            (None, None, None, 2, true),
        ] {
            let organisation =
                Organisation { public_repos: public, total_private_repos: private, ..Organisation::default() };
            let why = partly(&organisation, listed, selection);
            assert_eq!(why.is_none(), is_whole, "{public:?} {private:?} {selection:?} {listed}: {why:?}");
        }
    }
}
