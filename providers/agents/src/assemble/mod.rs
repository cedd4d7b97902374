//! Joins what single files said: the files of one client in one place become one agent, its servers, their secrets.

mod lending;
mod pipelines;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Inventory;

use crate::clients::{Client, Level};
use crate::profiles::ProfileFile;
use crate::reader::{Environment, FileRead};
use crate::scope::{Place, machine_root};
use crate::settings::Settings;
pub use pipelines::{Repository, rows};
pub(crate) use pipelines::{missing_part, pipelines};
use rows::Out;
pub(crate) use rows::{home_of, of_project};

/// The whole machine, as a place.
const MACHINE: &str = "machine";

/// The files of one client in one place.
struct Group<'f> {
    client: &'static Client,
    kind: Ground,
    place: Place,
    files: Vec<&'f FileRead>,
}

/// What kind of place it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ground {
    Machine,
    Home,
    Project,
}

/// Joins all files of a reading.
pub(crate) fn join(
    files: &[FileRead],
    environments: &[Environment],
    profiles: &[ProfileFile],
    inventory: &mut Inventory,
) {
    let homes = homes(files);
    let mut groups: BTreeMap<(&str, Ground, String), Group<'_>> = BTreeMap::new();
    for file in files {
        let (kind, root) = ground(file, &homes);
        let mut place = file.place.clone();
        if kind == Ground::Machine {
            place.shown = MACHINE.to_owned();
        }
        place.root.clone_from(&root);
        groups
            .entry((file.client.id, kind, root))
            .or_insert_with(|| Group { client: file.client, kind, place, files: Vec::new() })
            .files
            .push(file);
    }
    let groups: Vec<Group<'_>> = groups.into_values().collect();
    let names = scope_names(&groups);
    let mut out = Out::new(inventory).beside(environments, profiles, homes);
    let client_id = |client: &Client, name: &str| IdentityId::new(format!("agent:{}:{name}", client.id));
    for (group, name) in groups.iter().zip(&names) {
        // A project that only brings tool servers does not configure the client: it is the one of the person's home.
        let settings = settings_of(group, &groups);
        let own = settings.speaks_of_project
            || group.files.iter().any(|file| file.settings.decides() || !file.found.is_empty());
        let host = match homes_over(group, &groups).as_slice() {
            [home] if !own => groups
                .iter()
                .zip(&names)
                .find(|(other, _)| std::ptr::eq(*other, *home))
                .map(|(other, name)| client_id(other.client, name)),
            _ => None,
        };
        let governs_others = group.kind == Ground::Machine
            && group.files.iter().all(|file| file.servers.is_empty())
            && groups.iter().any(|other| {
                other.client.id == group.client.id
                    && other.kind != Ground::Machine
                    && group.place.holds(&other.place.root)
            });
        // In a home an empty file still tells that the client is there, and its defaults hold.
        let says_nothing = group.kind == Ground::Project && group.files.iter().all(|file| file.is_empty);
        if !governs_others && !says_nothing {
            out.group(group, name, host, &settings);
        }
    }
}

/// Folders that are homes: the pipeline says so, a file lies there that only homes have, or their path says so.
pub(crate) fn homes(files: &[FileRead]) -> BTreeSet<String> {
    files
        .iter()
        .filter(|file| {
            file.homely && (file.facts.user_level || file.level == Level::User || file.place.person().is_some())
        })
        .map(|file| file.place.root.clone())
        .collect()
}

fn ground(file: &FileRead, homes: &BTreeSet<String>) -> (Ground, String) {
    let root = &file.place.root;
    if homes.contains(root) || (file.level == Level::User && !file.by_content) {
        return (Ground::Home, root.clone());
    }
    if matches!(file.level, Level::Managed | Level::System) && !file.homely {
        return (Ground::Machine, machine_root(root));
    }
    (Ground::Project, root.clone())
}

/// The place of a file in the order of precedence, now that it is known whether its folder is a home.
fn level(file: &FileRead, kind: Ground) -> Level {
    match (file.level, kind) {
        (Level::UserOrProject, Ground::Home) => Level::User,
        (Level::UserOrProject, _) => Level::Project,
        (level, _) => level,
    }
}

/// The homes whose settings hold in a project: the home it lies below; the one home of a live machine is that of
/// whoever scans.
fn homes_over<'g>(group: &Group<'_>, groups: &'g [Group<'g>]) -> Vec<&'g Group<'g>> {
    if group.kind != Ground::Project {
        return Vec::new();
    }
    let mut homes: Vec<&Group<'_>> =
        groups.iter().filter(|other| other.kind == Ground::Home && other.client.id == group.client.id).collect();
    let live = |other: &Group<'_>| {
        other.place.root.starts_with(['~', '/']) && other.files.iter().any(|file| file.facts.user_level)
    };
    let only = homes.len() == 1;
    homes.retain(|home| home.place.holds(&group.place.root) || (only && live(home)));
    homes
}

/// What all files that hold for a group say, the strongest first.
fn settings_of(group: &Group<'_>, groups: &[Group<'_>]) -> Settings {
    let mut holding: Vec<(Level, &FileRead)> =
        group.files.iter().map(|file| (level(file, group.kind), *file)).collect();
    if group.kind != Ground::Machine {
        let machines = groups
            .iter()
            .filter(|other| other.kind == Ground::Machine && other.client.id == group.client.id)
            .filter(|other| other.place.holds(&group.place.root));
        for other in machines.chain(homes_over(group, groups)) {
            holding.extend(other.files.iter().map(|file| (level(file, other.kind), *file)));
        }
    }
    holding.sort_by(|(a, first), (b, second)| b.cmp(a).then_with(|| first.document.cmp(&second.document)));
    let mut settings = Settings::default();
    for (level, file) in holding {
        settings.under(&file.settings.at_level(level));
    }
    settings.keep_sandbox();
    if group.kind != Ground::Project || settings.in_projects.is_empty() {
        return settings;
    }
    // What a person's file says of one project holds in that project alone.
    let homes = homes_over(group, groups);
    let is_it = |path: &str| homes.iter().any(|home| group.place.is_called(path, &home.place.root));
    settings.of_project(is_it).unwrap_or(settings)
}

/// A name for the place of each group, equal for equal places and different for different ones.
fn scope_names(groups: &[Group<'_>]) -> Vec<String> {
    let plain = |group: &Group<'_>| -> String {
        match group.kind {
            Ground::Machine => MACHINE.to_owned(),
            Ground::Home | Ground::Project => group.place.shown.clone(),
        }
    };
    let qualified = |group: &Group<'_>| format!("{}/{}", group.place.source, plain(group));
    let mut roots: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for group in groups {
        for name in [plain(group), qualified(group)] {
            roots.entry(name).or_default().insert(&group.place.root);
        }
    }
    let unique = |name: &String| roots.get(name).is_none_or(|roots| roots.len() <= 1);
    groups
        .iter()
        .map(|group| {
            [plain(group), qualified(group)].into_iter().find(unique).unwrap_or_else(|| group.place.root.clone())
        })
        .collect()
}
