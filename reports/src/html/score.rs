//! The posture score with what holds it down, and what it rests on in numbers.

use std::io::Write;

use evenhand_model::score::{Millionths, Mover, Score};

use super::markup::Text;
use crate::report::{Report, WriteError};
use crate::text::{counted, thousands};
use crate::words::{failing, posture};

/// Where the bands of the score begin, in thousandths, and the worst severity that is open in each.
const BANDS: [(u32, u32, &str); 4] =
    [(0, 400, "critical"), (400, 700, "high"), (700, 900, "medium"), (900, 1000, "low")];

/// Rules that are listed before the rest is folded away.
const MOVERS: usize = 6;

/// The least gain in millionths that is shown as one: a tenth of a point.
const LEAST_GAIN: u32 = 100;

pub(super) fn write(report: &Report, score: &Score, sink: &mut dyn Write) -> Result<(), WriteError> {
    let shown = score.raw.thousandths();
    sink.write_all(
        b"<aside class=\"panel score\" id=\"score\" aria-labelledby=\"score-title\">\n\
          <h2 id=\"score-title\">Posture score</h2>\n",
    )?;
    if report.is_score_known() {
        writeln!(sink, "<p class=\"figure\"><b>{shown}</b> <span class=\"soft\">of 1000</span></p>")?;
        scale(shown, sink)?;
    }
    if !report.is_score_known() || !report.is_complete() {
        writeln!(sink, "<p><b>{}</b></p>", Text(&posture(report).unwrap_or_default()))?;
    } else if score.governed == score.raw {
        sink.write_all(b"<p class=\"small soft\">Raw and governed: accepted exceptions change nothing.</p>\n")?;
    } else {
        writeln!(
            sink,
            "<p class=\"small\">Raw; governed, with accepted exceptions left out: <b>{}</b></p>",
            score.governed.thousandths()
        )?;
    }
    sink.write_all(b"<dl class=\"tally\" aria-label=\"Findings\">\n")?;
    for (word, count) in failing(report) {
        writeln!(sink, "<div class=\"{word}\"><dt>{word}</dt><dd>{}</dd></div>", thousands(count as u64))?;
    }
    sink.write_all(b"</dl>\n")?;
    if report.filtered > 0 {
        writeln!(sink, "<p class=\"small soft\">{} not shown</p>", thousands(report.filtered as u64))?;
    }
    movers(report, score, sink)?;
    facts(report, score, sink)?;
    sink.write_all(b"</aside>\n")?;
    Ok(())
}

/// The score on the line of its bands.
fn scale(shown: u32, sink: &mut dyn Write) -> Result<(), WriteError> {
    let now = BANDS.iter().find(|(low, high, _)| (*low..*high).contains(&shown));
    let words = match now {
        Some((_, high, worst)) => format!("{shown} of 1000; below {high} while anything {worst} is open"),
        None => format!("{shown} of 1000; nothing is open"),
    };
    write!(
        sink,
        "<svg class=\"scale\" role=\"img\" aria-label=\"{words}\">\
         <rect class=\"track\" x=\"0.5\" y=\"12.5\" width=\"99.6%\" height=\"9\" rx=\"4.5\"/>"
    )?;
    for (from, _, _) in BANDS.iter().skip(1) {
        let x = f64::from(*from) / 10.0;
        write!(
            sink,
            "<line class=\"band\" x1=\"{x}%\" x2=\"{x}%\" y1=\"12.5\" y2=\"21.5\"/>\
             <text x=\"{x}%\" y=\"34\" text-anchor=\"middle\">{from}</text>"
        )?;
    }
    let x = f64::from(shown.clamp(8, 992)) / 10.0;
    writeln!(
        sink,
        "<text x=\"0\" y=\"34\">0</text>\
         <svg x=\"{x}%\" y=\"2\" overflow=\"visible\"><path class=\"mark\" d=\"M-6 0h12l-6 9z\"/>\
         <rect class=\"mark\" x=\"-1.25\" y=\"8\" width=\"2.5\" height=\"14\"/></svg></svg>"
    )?;
    if let Some((_, high, worst)) = now.filter(|(_, high, _)| *high < 1000) {
        writeln!(sink, "<p class=\"small soft\">While anything {worst} is open, the score stays below {high}.</p>")?;
    }
    Ok(())
}

fn movers(report: &Report, score: &Score, sink: &mut dyn Write) -> Result<(), WriteError> {
    if score.moved_by.is_empty() {
        return Ok(());
    }
    sink.write_all(b"<h3>What holds it down</h3>\n")?;
    let seen = |mover: &&Mover| mover.fixed.0.saturating_sub(score.raw.0) >= LEAST_GAIN;
    let movers: Vec<&Mover> = score.moved_by.iter().filter(seen).collect();
    if movers.is_empty() {
        sink.write_all(b"<p class=\"small soft\">So much is open that fixing one rule alone would add nothing.</p>\n")?;
        return Ok(());
    }
    sink.write_all(
        b"<p class=\"small soft\">What fixing one rule alone would add, with the identities affected.</p>\n",
    )?;
    let (first, rest) = movers.split_at(movers.len().min(MOVERS));
    list(report, score, first, sink)?;
    if !rest.is_empty() {
        writeln!(sink, "<details><summary>{}</summary>", counted(rest.len(), "rule more", "rules more"))?;
        list(report, score, rest, sink)?;
        sink.write_all(b"</details>\n")?;
    }
    Ok(())
}

fn list(report: &Report, score: &Score, movers: &[&Mover], sink: &mut dyn Write) -> Result<(), WriteError> {
    sink.write_all(b"<ul class=\"movers\">\n")?;
    for mover in movers {
        let title = report.rules.iter().find(|rule| rule.id == mover.rule).map(|rule| &*rule.title);
        writeln!(
            sink,
            "<li><span>{} <span class=\"soft\">({})</span></span><b>+{}</b></li>",
            Text(title.unwrap_or(mover.rule.as_str())),
            counted(usize::try_from(mover.open).unwrap_or(usize::MAX), "identity", "identities"),
            gain(score.raw, mover.fixed)
        )?;
    }
    sink.write_all(b"</ul>\n")?;
    Ok(())
}

/// How many points a fix adds: whole ones, or tenths where it is less than ten.
fn gain(now: Millionths, fixed: Millionths) -> String {
    let more = fixed.0.saturating_sub(now.0);
    if more >= 10_000 { (more / 1000).to_string() } else { format!("{}.{}", more / 1000, more / 100 % 10) }
}

fn facts(report: &Report, score: &Score, sink: &mut dyn Write) -> Result<(), WriteError> {
    let coverage = &report.coverage;
    sink.write_all(b"<ul class=\"facts\">\n")?;
    if let Some(exposure) = score.exposure {
        writeln!(
            sink,
            "<li><b>{}.{} %</b> of the machine identities have a critical or high finding</li>",
            exposure.0 / 10_000,
            exposure.0 / 1_000 % 10
        )?;
    }
    if let Some(percent) = coverage.percent() {
        writeln!(
            sink,
            "<li><b>{percent} %</b> of {} checks over {} could be decided; <a href=\"#evidence\">what was not read</a></li>",
            thousands(coverage.decided + coverage.undecided),
            counted(coverage.rules, "rule", "rules")
        )?;
    }
    sink.write_all(b"</ul>\n")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_gains_are_seen() {
        assert_eq!(gain(Millionths(10_513), Millionths(11_748)), "1.2");
        assert_eq!(gain(Millionths(199_999), Millionths(999_000)), "799");
        assert_eq!(gain(Millionths(5), Millionths(5)), "0.0");
    }

    #[test]
    fn bands_leave_no_hole() {
        assert!(BANDS.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }
}
