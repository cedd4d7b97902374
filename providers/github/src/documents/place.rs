//! What a bare answer is about: told by where its file lies, else by the answer itself where that names its place.

use evenhand_model::document::{Document, Head};

use super::route::{Asked, Route};

/// The host of those who do not run GitHub themselves.
pub const GITHUB_COM: &str = "github.com";

/// Host and call of a bare answer; `None` where nothing tells.
pub(super) fn of_bare(document: &Document) -> Option<(String, Asked)> {
    let head = &document.head;
    if head.has("host") && head.has("path") || head.has("evenhand_capture") {
        return None;
    }
    of_file(&document.path).or_else(|| of_content(head, &document.text))
}

/// A file below a folder `github` that lies where its call's path says: `github/orgs/acme/installations.json`, for another
/// host `github/git.acme.example/orgs/…`.
fn of_file(path: &str) -> Option<(String, Asked)> {
    let path = path.strip_suffix(".gz").or_else(|| path.strip_suffix(".zst")).unwrap_or(path);
    let path = path.strip_suffix(".json")?;
    let mut below = path;
    loop {
        let at = below.find("github/")?;
        let starts = at == 0 || below.get(..at).is_some_and(|before| before.ends_with('/'));
        below = below.get(at + "github/".len()..)?;
        if !starts {
            continue;
        }
        if let Some(asked) = call(below) {
            return Some((GITHUB_COM.to_owned(), asked));
        }
        let (host, rest) = below.split_once('/')?;
        if host.contains('.')
            && let Some(asked) = call(rest)
        {
            return Some((host.to_owned(), asked));
        }
    }
}

/// The call of a path that is one of the API's from its beginning.
fn call(path: &str) -> Option<Asked> {
    ["orgs/", "repos/", "apps/", "enterprises/", "user/"]
        .iter()
        .any(|top| path.starts_with(top))
        .then(|| Asked::parse(path))?
}

/// Answers that name their own place.
fn of_content(head: &Head, text: &str) -> Option<(String, Asked)> {
    let holds = |keys: &[&str]| keys.iter().all(|key| head.has(key));
    let first = |list: &str, keys: &[&str]| {
        head.element(list).is_some_and(|held| keys.iter().all(|key| held.iter().any(|one| one == key)))
    };
    if head.value("type") == Some("Organization") && holds(&["login", "repos_url"]) {
        return head.value("url").and_then(of_url);
    }
    if holds(&["full_name", "default_branch", "url"])
        || holds(&["required_signatures", "enforce_admins", "url"])
        || (head.value("type") == Some("file") && holds(&["encoding", "content", "url"]))
    {
        return head.value("url").and_then(of_url);
    }
    if holds(&["source_type", "enforcement", "rules", "id"]) {
        let source = head.value("source")?;
        let value: Id = serde_json::from_str(text).ok()?;
        let asked = match head.value("source_type")? {
            "Organization" => Asked { route: Route::OrganisationRuleset, of: vec![source.to_owned(), value.id] },
            "Repository" => {
                let (owner, repository) = source.split_once('/')?;
                Asked { route: Route::RepositoryRuleset, of: vec![owner.to_owned(), repository.to_owned(), value.id] }
            }
            _ => return None,
        };
        return Some((GITHUB_COM.to_owned(), asked));
    }
    if first("installations", &["app_slug", "account", "permissions"]) {
        let list: Installations = serde_json::from_str(text).ok()?;
        let account = list.installations.first()?.account.login.clone();
        return Some((GITHUB_COM.to_owned(), Asked { route: Route::Installations, of: vec![account] }));
    }
    if first("", &["full_name", "default_branch", "owner"]) {
        let list: Vec<Owned> = serde_json::from_str(text).ok()?;
        let owner = list.first()?.owner.login.clone();
        return Some((GITHUB_COM.to_owned(), Asked { route: Route::Repositories, of: vec![owner] }));
    }
    None
}

/// The host and call of an address that GitHub gives to things.
fn of_url(url: &str) -> Option<(String, Asked)> {
    let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
    let (host, path) = match host.strip_prefix("api.") {
        Some(host) => (host, path),
        None => (host, path.strip_prefix("api/v3/")?),
    };
    Some((host.to_owned(), Asked::parse(path)?))
}

#[derive(serde::Deserialize)]
struct Id {
    #[serde(deserialize_with = "number_or_text")]
    id: String,
}

#[derive(serde::Deserialize)]
struct Login {
    login: String,
}

#[derive(serde::Deserialize)]
struct Owned {
    owner: Login,
}

#[derive(serde::Deserialize)]
struct Installed {
    account: Login,
}

#[derive(serde::Deserialize)]
struct Installations {
    installations: Vec<Installed>,
}

fn number_or_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    Ok(match serde::Deserialize::deserialize(deserializer)? {
        Either::Number(number) => number.to_string(),
        Either::Text(text) => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_lies_where_its_call_says() {
        for (path, host, route) in [
            ("c/github/orgs/acme/installations.json", "github.com", Route::Installations),
            ("github/repos/acme/shop/keys.json.gz", "github.com", Route::DeployKeys),
            ("github/git.acme.example/orgs/acme.json", "git.acme.example", Route::Organisation),
            ("github/github/orgs/acme/members?role=admin.json", "github.com", Route::Owners),
        ] {
            let (held, asked) = of_file(path).unwrap();
            assert_eq!((held.as_str(), asked.route), (host, route), "{path}");
        }
        for path in ["orgs/acme.json", "mygithub/orgs/acme.json", "github/orgs/acme.yaml", "github/other/acme.json"] {
            assert!(of_file(path).is_none(), "{path}");
        }
    }

    #[test]
    fn an_address_tells_host_and_call() {
        let (host, asked) = of_url("https://git.acme.example/api/v3/repos/acme/shop").unwrap();
        assert_eq!((host.as_str(), asked.route), ("git.acme.example", Route::Repository));
        assert!(of_url("https://github.com/acme/shop").is_none());
    }
}
