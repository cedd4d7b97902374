//! Unpacks the embedded table.

use std::io::Read;
use std::sync::Arc;

use evenhand_model::catalog::{AccessLevel, CatalogSource};
use evenhand_model::scope::Pattern;

use crate::policy::arn;

static ACTIONS: &[u8] = include_bytes!("../../catalog/actions.tsv.gz");
static RETIRED: &str = include_str!("../../catalog/retired.txt");

/// The table's records by kind.
#[derive(Default)]
pub(super) struct Table {
    pub(super) sources: Vec<CatalogSource>,
    pub(super) names: Vec<Arc<str>>,
    pub(super) levels: Vec<AccessLevel>,
    pub(super) resources: Vec<Box<[u16]>>,
    pub(super) patterns: Vec<Pattern>,
    /// Prefix, first number, number after the last.
    pub(super) services: Vec<(Arc<str>, u32, u32)>,
    pub(super) resource_controlled: Vec<Box<str>>,
    pub(super) retired: Vec<Box<str>>,
}

/// Reads the table. The bytes are part of the program and a test reads all of them, so what does not parse is not there.
pub(super) fn read() -> Table {
    let mut text = String::new();
    if flate2::read::GzDecoder::new(ACTIONS).read_to_string(&mut text).is_err() {
        text.clear();
    }
    let mut table = Table::default();
    for line in text.lines() {
        let mut fields = line.split('\t');
        let kind = fields.next().unwrap_or_default();
        let mut field = || fields.next().unwrap_or_default();
        match kind {
            "source" => table.sources.push(CatalogSource {
                package: field().into(),
                version: field().into(),
                date: field().into(),
            }),
            "rcp" => table.resource_controlled.push(field().into()),
            "arn" => table.patterns.push(arn::catalogue_pattern(field())),
            "service" => {
                let start = u32::try_from(table.names.len()).unwrap_or(u32::MAX);
                table.services.push((field().into(), start, start));
            }
            "action" => {
                let (name, level, resources) = (field(), field(), field());
                if let Some((prefix, _, end)) = table.services.last_mut() {
                    table.names.push(format!("{prefix}:{name}").into());
                    *end += 1;
                }
                table.levels.push(match level {
                    "L" => AccessLevel::List,
                    "R" => AccessLevel::Read,
                    "T" => AccessLevel::Tagging,
                    "P" => AccessLevel::PermissionManagement,
                    _ => AccessLevel::Write,
                });
                table.resources.push(
                    resources
                        .split(',')
                        .filter_map(|number| number.strip_suffix('!').unwrap_or(number).parse().ok())
                        .collect(),
                );
            }
            _ => {}
        }
    }
    table.retired = RETIRED
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.to_ascii_lowercase().into())
        .collect();
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_is_whole() {
        let table = read();
        assert!(ACTIONS.len() <= 250 * 1024);
        assert_eq!(table.names.len(), table.levels.len());
        assert_eq!(table.names.len(), table.resources.len());
        assert!(table.names.len() > 20_000 && table.services.len() > 400 && table.patterns.len() > 2_000);
        let all = table.resources.iter().flatten();
        assert!(all.into_iter().all(|number| usize::from(*number) < table.patterns.len()));
        assert!(!table.retired.is_empty() && !table.resource_controlled.is_empty());
    }
}
