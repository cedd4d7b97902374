//! Why a document that can be read is no provider's, in the words of the report.

use evenhand_model::document::{Document, Format};

use super::malformed::Malformed;
use crate::config;
use crate::sources::Found;

/// The reason for what is known for something although no provider reads it. `template`: whether it is one by
/// [`is_template`].
pub(super) fn special(found: &Found, document: &Document, template: bool) -> Option<&'static str> {
    let is_called = |name: &str| found.file.file_name().is_some_and(|held| held == name);
    Some(match document.format {
        Format::Toml if is_called(config::NAME) => "a configuration of evenhand that this scan does not use",
        Format::Toml if is_called(config::WAIVERS) => "waivers of evenhand that this scan does not use",
        _ if document.text.trim().is_empty() => "it is empty",
        Format::Yaml if is_workflow(&document.path) && document.head.has("jobs") => "a workflow that runs no agent",
        Format::Yaml | Format::Text if is_workflow(&document.path) => {
            "a workflow that is not valid YAML, or has no `jobs`"
        }
        _ if template => "a template; scan what it is rendered to",
        _ => return None,
    })
}

/// The reason for what is nothing in particular.
pub(super) fn unknown(format: Format, malformed: Option<Malformed>) -> String {
    if let Some(Malformed { syntax, line, column, .. }) = malformed {
        return format!("not valid {syntax} at line {line}, column {column}, and no provider knows its keys");
    }
    let reason = match format {
        Format::Json => "JSON, but no provider knows its keys",
        Format::Ndjson => "lines of JSON, but no provider knows their keys",
        Format::Yaml => "YAML, but no provider knows its keys",
        Format::Toml => "TOML, but no provider knows its keys",
        Format::Csv => "CSV, but no provider knows its columns",
        Format::Text => "text that no provider knows",
    };
    reason.to_owned()
}

/// What begins a place in a template that a program fills in.
const MARKS: [&str; 3] = ["{{", "{%", "<%"];

/// Whether a text is one that a program makes documents of: by its name, or, where nobody named the file itself, by marks
/// in a text that is malformed for them.
pub(super) fn is_template(found: &Found, document: &Document, malformed: Option<Malformed>) -> bool {
    const ENDINGS: [&str; 9] = ["erb", "gotmpl", "hbs", "j2", "jinja", "jinja2", "mustache", "tmpl", "tpl"];
    let ending = document.relative.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let is_called_so = ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()));
    let is_broken_by_marks = |malformed: Malformed| match document.format {
        // Texts of an export may hold them too, so that a mark must be what breaks it.
        Format::Json => breaks_at_mark(&document.text, malformed),
        _ => has_marks(document),
    };
    let malformed = malformed.filter(|malformed| !found.named && !malformed.is_cut);
    is_called_so || malformed.is_some_and(is_broken_by_marks)
}

/// Whether a text holds what a program would fill in.
pub(super) fn has_marks(document: &Document) -> bool {
    MARKS.iter().any(|mark| document.text.contains(mark))
}

/// Whether a mark stands where JSON breaks: from the letter that the parser refuses on, or with it at its end.
fn breaks_at_mark(text: &str, malformed: Malformed) -> bool {
    let at = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let Some((before, rest)) =
        text.lines().nth(at(malformed.line)).and_then(|line| line.split_at_checked(at(malformed.column)))
    else {
        return false;
    };
    MARKS.iter().any(|mark| {
        let begun =
            mark.split_at_checked(1).is_some_and(|(first, last)| before.ends_with(first) && rest.starts_with(last));
        begun || rest.starts_with(mark)
    })
}

/// Whether a file lies where GitHub looks for workflows.
fn is_workflow(path: &str) -> bool {
    let path = path.replace('\\', "/");
    (path.ends_with(".yml") || path.ends_with(".yaml")) && path.contains(".github/workflows/")
}

#[cfg(test)]
mod tests {
    use evenhand_model::document::{FileFacts, Head};

    use super::*;

    fn found(path: &str, text: &str, format: Format) -> (Found, Document) {
        let found = Found {
            file: path.into(),
            path: path.into(),
            relative: path.into(),
            source_name: "lab".into(),
            user_level: false,
            named: false,
            bytes: text.len() as u64,
        };
        let document = Document {
            path: path.into(),
            relative: path.into(),
            source_name: "lab".into(),
            format,
            text: text.to_owned(),
            head: Head::default(),
            file: FileFacts::default(),
        };
        (found, document)
    }

    fn reason(path: &str, text: &str, format: Format) -> String {
        let (found, document) = found(path, text, format);
        let malformed = Malformed::of(&document);
        let special = special(&found, &document, is_template(&found, &document, malformed));
        special.map_or_else(|| unknown(format, malformed), str::to_owned)
    }

    #[test]
    fn a_file_that_is_named_is_a_template_by_its_name_alone() {
        for (path, text, format, is_template_where_found, is_template_where_named) in [
            ("a.json", "{\"a\": {{ x }}}", Format::Json, true, false),
            ("a.yaml", "name: {{ .Values.x }}-y\n", Format::Yaml, true, false),
            ("a.json.j2", "{\"a\": {{ x }}}", Format::Json, true, true),
            // A program that was stopped in the middle of an export wrote no template.
            ("a.json", "{\"a\": \"{{x}}\", ", Format::Json, false, false),
        ] {
            let (found, document) = found(path, text, format);
            let malformed = Malformed::of(&document);
            assert!(malformed.is_some(), "{text}");
            assert_eq!(is_template(&found, &document, malformed), is_template_where_found, "{path} {text}");
            let named = Found { named: true, ..found };
            assert_eq!(is_template(&named, &document, malformed), is_template_where_named, "{path} {text}");
        }
    }

    #[test]
    fn the_reason_tells_what_is_well_formed_from_what_is_not_and_from_templates() {
        let template = "a template; scan what it is rendered to";
        for (path, text, format, said) in [
            ("policy.json.j2", "{\"a\": 1}", Format::Json, template),
            ("a.yaml", "name: {{ .Values.x }}-y\n", Format::Yaml, template),
            ("a.yaml", "a: b\n  c: [d\n", Format::Yaml, "not valid YAML at line 2, column "),
            ("a.json", "{\"a\": }", Format::Json, "not valid JSON at line 1, column 7, and no provider knows its keys"),
            ("a.yaml", "a: b\n---\nc: !Ref d\n", Format::Yaml, "YAML, but no provider knows its keys"),
            ("a.json", "{\"a\": {{ x }}}", Format::Json, template),
            ("a.json", "{\n  {% for x in y %}\n}", Format::Json, template),
            ("a.json", "<% x %>", Format::Json, template),
            ("a.json", "{\"a\": \"{{x}}\", \"b\": }", Format::Json, "not valid JSON at line 1, column 21, and no"),
            ("a.json.tpl", "{\"a\": 1}", Format::Json, template),
            ("a.json", "{\"a\": \"{{x}}\"}", Format::Json, "JSON, but no provider knows its keys"),
            ("a.json", " ", Format::Json, "it is empty"),
        ] {
            let reason = reason(path, text, format);
            assert!(reason.starts_with(said), "{path} {text:?}: {reason}");
        }
    }
}
