//! ConfigMap `kube-system/aws-auth`: which roles and users of AWS are which users and groups of the cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::Origin;
use super::take::{Taking, member};
use crate::documents::{Found, Problem, Step, Text};

/// One mapping.
#[derive(Clone, Debug)]
pub(crate) struct Mapped {
    /// The role or user of AWS.
    pub(crate) arn: Arc<str>,
    /// The user it is in the cluster; a template where it holds `{{`.
    pub(crate) user: Arc<str>,
    pub(crate) groups: Vec<Arc<str>>,
    pub(crate) origin: Origin,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default, alias = "rolearn", alias = "userarn")]
    arn: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    groups: Vec<String>,
}

/// The mappings of the ConfigMap. Its members are YAML, or JSON, in a text.
pub(super) fn of(found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Result<Vec<Mapped>, Problem> {
    let data: BTreeMap<Text<'_>, Text<'_>> = member(found, found.object.data, "data")?.unwrap_or_default();
    let mut all = Vec::new();
    for (key, text) in &data {
        let key = key.as_str();
        if !matches!(key, "mapRoles" | "mapUsers") || text.as_str().trim().is_empty() {
            continue;
        }
        let spot = found.spot_of(&[Step::Key("data"), Step::Key(key)], &format!("/data/{key}"));
        let entries: Vec<Entry> = serde_saphyr::from_str(text.as_str()).map_err(|_| Problem {
            place: spot.place(""),
            reason: format!("`{key}` of ConfigMap `aws-auth` is no list of roles or users"),
        })?;
        all.extend(entries.into_iter().filter(|entry| !entry.arn.is_empty()).map(|entry| Mapped {
            arn: taking.share(&entry.arn),
            user: taking.share(&entry.username),
            groups: entry.groups.iter().map(|group| taking.share(group)).collect(),
            origin: taking.origin(spot.clone()),
        }));
    }
    Ok(all)
}
