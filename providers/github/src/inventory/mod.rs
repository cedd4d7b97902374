//! What the answers say, in evenhand's vocabulary.

use evenhand_model::id::ScopeId;

use crate::documents::GITHUB_COM;

/// The scope that an organisation, or a person who owns repositories, is: `github:acme`, on another host
/// `github:git.acme.example/acme`.
pub(crate) fn scope_of(host: &str, owner: &str) -> ScopeId {
    if host == GITHUB_COM {
        ScopeId::new(format!("github:{owner}"))
    } else {
        ScopeId::new(format!("github:{host}/{owner}"))
    }
}
