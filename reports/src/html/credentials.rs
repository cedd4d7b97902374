//! Credentials that last: how old they are, and where they lie.

use std::io::Write;

use super::facts::Facts;
use crate::report::{Report, WriteError};
use crate::text::{counted, thousands};

/// The ages of the histogram in whole days: from, and below.
const AGES: [(i64, i64, &str); 6] = [
    (i64::MIN, 30, "under 30 days"),
    (30, 90, "30 to 89 days"),
    (90, 180, "90 to 179 days"),
    (180, 365, "180 to 364 days"),
    (365, 730, "1 to 2 years"),
    (730, i64::MAX, "2 years and more"),
];

/// Where credentials lie, worst first, with words for people.
const PLACES: [(&str, &str); 5] = [
    ("committed", "in a project's files"),
    ("environment", "in a workload's environment"),
    ("user_file", "in a person's files"),
    ("store", "in a secret store"),
    ("none", "nowhere that was read"),
];

/// A row of a chart: AI identities, and everyone else.
#[derive(Clone, Copy, Default)]
struct Count {
    ai: u64,
    other: u64,
}

impl Count {
    fn add(&mut self, is_ai: bool) {
        *(if is_ai { &mut self.ai } else { &mut self.other }) += 1;
    }

    fn all(self) -> u64 {
        self.ai + self.other
    }
}

struct Charts {
    ages: Vec<(&'static str, Count)>,
    places: Vec<(&'static str, Count)>,
    lasting: u64,
    untold: usize,
}

/// Counts the credentials that stay valid until someone revokes them and that are accepted.
fn charts(report: &Report) -> Charts {
    let table = Facts::of(report, "credentials");
    let mut ages = [Count::default(); AGES.len() + 1];
    let mut places = [Count::default(); PLACES.len() + 1];
    let (mut lasting, mut untold) = (0, 0);
    for row in 0..table.rows() {
        if table.boolean(row, "enabled") == Some(false) || table.boolean(row, "expired") == Some(true) {
            continue;
        }
        match table.boolean(row, "static") {
            Some(true) => lasting += 1,
            Some(false) => continue,
            None => {
                untold += 1;
                continue;
            }
        }
        let is_ai = table.text(row, "nature").is_some_and(|nature| *nature == *"ai_agent");
        let age = table.integer(row, "age_days");
        let age = age.and_then(|age| AGES.iter().position(|(from, below, _)| (*from..*below).contains(&age)));
        let place = table.text(row, "exposure");
        let place = place.and_then(|place| PLACES.iter().position(|(word, _)| *word == &*place));
        for (counts, at) in
            [(&mut ages[..], age.unwrap_or(AGES.len())), (&mut places[..], place.unwrap_or(PLACES.len()))]
        {
            if let Some(count) = counts.get_mut(at) {
                count.add(is_ai);
            }
        }
    }
    let labels = AGES.iter().map(|(_, _, words)| *words).chain(["age not known"]);
    let spots = PLACES.iter().map(|(_, words)| *words).chain(["not known"]);
    Charts { ages: labels.zip(ages).collect(), places: spots.zip(places).collect(), lasting, untold }
}

/// Writes the section; nothing where no credential was read.
pub(super) fn write(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    let charts = charts(report);
    if charts.lasting == 0 && charts.untold == 0 {
        return Ok(());
    }
    writeln!(
        sink,
        "<section class=\"panel\" id=\"credentials\" aria-labelledby=\"credentials-title\">\n\
         <header><h2 id=\"credentials-title\">Credentials that last</h2>\n\
         <p>{} until someone revokes {}.{}</p></header>",
        match charts.lasting {
            1 => "1 key, token or password stays valid".to_owned(),
            many => format!("{} keys, tokens and passwords stay valid", thousands(many)),
        },
        if charts.lasting == 1 { "it" } else { "them" },
        match charts.untold {
            0 => String::new(),
            untold => format!(" Of {} it is not known.", counted(untold, "more", "more")),
        }
    )?;
    sink.write_all(
        b"<ul class=\"legend\"><li><svg aria-hidden=\"true\"><rect width=\"14\" height=\"12\" rx=\"2\" class=\"fill-write\"/></svg>AI identities</li>\
          <li><svg aria-hidden=\"true\"><rect width=\"14\" height=\"12\" rx=\"2\" class=\"fill-shared\"/></svg>everyone else</li></ul>\n\
          <div class=\"charts\">\n",
    )?;
    chart("How old they are", "Age", &charts.ages, sink)?;
    chart("Where they lie", "Place", &charts.places, sink)?;
    sink.write_all(b"</div>\n</section>\n")?;
    Ok(())
}

/// A chart that is a table: read down by people, cell by cell by a screen reader.
fn chart(title: &str, of: &str, rows: &[(&str, Count)], sink: &mut dyn Write) -> Result<(), WriteError> {
    let most = rows.iter().map(|(_, count)| count.all()).max().unwrap_or(0).max(1);
    #[expect(clippy::cast_precision_loss, reason = "a bar's length")]
    let share = |count: u64| 100.0 * count as f64 / most as f64;
    writeln!(
        sink,
        "<table class=\"ages\"><caption>{title}</caption>\n\
         <thead><tr><th scope=\"col\">{of}</th><td></td><th scope=\"col\" class=\"number\">AI</th>\
         <th scope=\"col\" class=\"number\">Others</th></tr></thead>\n<tbody>"
    )?;
    for (words, count) in rows {
        let (ai, all) = (share(count.ai), share(count.all()));
        writeln!(
            sink,
            "<tr><th scope=\"row\">{words}</th><td class=\"bar-cell\"><svg aria-hidden=\"true\">\
             <rect width=\"{ai:.2}%\" height=\"16\" class=\"fill-write\"/>\
             <rect x=\"{ai:.2}%\" width=\"{:.2}%\" height=\"16\" class=\"fill-shared\"/></svg></td>\
             <td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            all - ai,
            thousands(count.ai),
            thousands(count.other)
        )?;
    }
    sink.write_all(b"</tbody></table>\n")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_age_has_one_place() {
        for age in [-1, 0, 29, 30, 364, 365, 730, 100_000] {
            assert_eq!(AGES.iter().filter(|(from, below, _)| (*from..*below).contains(&age)).count(), 1, "{age}");
        }
    }
}
