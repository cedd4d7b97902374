//! What a caller hands to the workflow or action that it calls: inputs and secrets, put in the place of the references to
//! them, so that what is called reads as if it stood in the caller.

use super::job::is_blank;
use super::reference::{self, Context, Reference};
use crate::tree::{Entry, Node, Value};

/// What stands for a reference.
enum Given {
    /// This very text.
    Literal(String),
    /// The value of an expression.
    Expression(String),
}

impl Given {
    /// What the caller writes; `None` where it mixes text and expressions.
    fn of(node: &Node) -> Option<Self> {
        let text = node.scalar()?;
        let trimmed = text.trim();
        if !trimmed.contains("${{") {
            return Some(Self::Literal(text.into_owned()));
        }
        let inner = trimmed.strip_prefix("${{")?.strip_suffix("}}")?;
        (!inner.contains("${{")).then(|| Self::Expression(inner.trim().to_owned()))
    }

    fn nothing() -> Self {
        Self::Literal(String::new())
    }

    fn in_expression(&self) -> String {
        match self {
            Self::Literal(text) if matches!(text.as_str(), "true" | "false") => text.clone(),
            Self::Literal(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Expression(text) if text.contains([' ', '|', '&', '=']) => format!("({text})"),
            Self::Expression(text) => text.clone(),
        }
    }
}

/// The secrets that a called workflow is handed.
#[derive(Clone, Copy)]
enum Secrets<'c> {
    /// All of the caller's, under their own names; or, for an action, none that it could refer to.
    AsTheyAre,
    /// These.
    Listed(&'c [Entry]),
}

/// What a call hands over.
pub(super) struct Handed<'c> {
    /// The inputs that the called file declares.
    declared: &'c [Entry],
    given: &'c [Entry],
    secrets: Secrets<'c>,
}

fn entries<'n>(node: &'n Node, key: &str) -> &'n [Entry] {
    node.get(key).map_or(&[][..], |entry| entry.node.entries())
}

fn named<'n>(entries: &'n [Entry], name: &str) -> Option<&'n Entry> {
    entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(name))
}

impl<'c> Handed<'c> {
    /// What a job hands to the workflow that it calls. `own`: what its own workflow was handed, where that was called too.
    pub(super) fn to_workflow(called: &'c Node, job: &'c Node, own: Option<&Handed<'c>>) -> Self {
        let on = called.get("on").or_else(|| called.get("true"));
        let call = on.and_then(|on| on.node.get("workflow_call"));
        let secrets = match job.get("secrets").map(|entry| &entry.node) {
            Some(node) if node.text() == Some("inherit") => own.map_or(Secrets::AsTheyAre, |own| own.secrets),
            Some(node) => Secrets::Listed(node.entries()),
            None => Secrets::Listed(&[]),
        };
        Self {
            declared: call.map_or(&[][..], |call| entries(&call.node, "inputs")),
            given: entries(job, "with"),
            secrets,
        }
    }

    fn to_action(action: &'c Node, step: &'c Node) -> Self {
        Self { declared: entries(action, "inputs"), given: entries(step, "with"), secrets: Secrets::AsTheyAre }
    }

    /// What stands for one input or secret; `None` where the reference stays as it is.
    fn value(&self, context: Context, name: &str) -> Option<Given> {
        match (context, &self.secrets) {
            (Context::Inputs, _) => match named(self.given, name) {
                Some(entry) => Given::of(&entry.node),
                None => match named(self.declared, name).and_then(|entry| entry.node.get("default")) {
                    Some(default) => Given::of(&default.node),
                    None => Some(Given::nothing()),
                },
            },
            (Context::Secrets, Secrets::Listed(listed)) if !name.eq_ignore_ascii_case("GITHUB_TOKEN") => {
                match named(listed, name) {
                    Some(entry) => Given::of(&entry.node),
                    None => Some(Given::nothing()),
                }
            }
            (Context::Secrets, _) => None,
        }
    }

    /// What stands for a reference in an expression; `None` where it stays as it is.
    fn expressed(&self, reference: Reference<'_>) -> Option<String> {
        match reference {
            Reference::Named(context, name) => Some(self.value(context, name)?.in_expression()),
            Reference::All(context) => {
                let names: Vec<&Entry> = match (context, &self.secrets) {
                    (Context::Secrets, Secrets::AsTheyAre) => return None,
                    (Context::Secrets, Secrets::Listed(listed)) => listed.iter().collect(),
                    (Context::Inputs, _) => {
                        let defaults = self.declared.iter().filter(|entry| named(self.given, &entry.key).is_none());
                        self.given.iter().chain(defaults).collect()
                    }
                };
                let each = names.into_iter().map(|entry| Some(self.value(context, &entry.key)?.in_expression()));
                // No expression writes a map; what counts is what is in it.
                Some(format!("toJSON({})", each.collect::<Option<Vec<String>>>()?.join(", ")))
            }
        }
    }

    /// An expression with its references replaced.
    fn expression(&self, text: &str) -> String {
        reference::replaced(text, |reference| self.expressed(reference))
    }

    /// A text with the references in its expressions replaced.
    fn text(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${{") {
            let Some((inner, after)) = behind.split_once("}}") else { break };
            filled.push_str(before);
            let alone = match reference::alone(inner) {
                Some(Reference::Named(context, name)) => self.value(context, name),
                Some(Reference::All(_)) | None => None,
            };
            match alone {
                Some(Given::Literal(text)) => filled.push_str(&text),
                Some(Given::Expression(text)) => filled.push_str(&format!("${{{{ {text} }}}}")),
                None => filled.push_str(&format!("${{{{{}}}}}", self.expression(inner))),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    fn changed(&self, key: &str, text: &str) -> Option<String> {
        if !reference::is_in(text) {
            return None;
        }
        let bare = key == "if" && !text.contains("${{");
        Some(if bare { self.expression(text) } else { self.text(text) })
    }
}

/// A called workflow with what its caller hands over in place.
pub(super) fn filled(called: &Node, handed: &Handed<'_>) -> Node {
    called.changed(&mut |key, text| handed.changed(key, text))
}

/// The steps of a composite action, as the step that uses it runs them; none of an action of another kind, whose code is
/// not read. They stand at the line of the call.
pub(super) fn steps(action: &Node, step: &Node, line: u32) -> Vec<Node> {
    let handed = Handed::to_action(action, step);
    let steps = action.get("runs").and_then(|runs| runs.node.get("steps"));
    let mut filled: Vec<Node> = steps
        .map_or(&[][..], |steps| steps.node.elements())
        .iter()
        .map(|inner| inner.changed(&mut |key, text| handed.changed(key, text)))
        .collect();
    let condition = step.get("if").filter(|entry| !is_blank(&entry.node));
    for inner in &mut filled {
        if let Some(outer) = condition.and_then(|entry| entry.node.scalar()) {
            guard(inner, &outer);
        }
        inner.move_to(line);
    }
    filled
}

/// Lets a step run only where an outer condition holds too.
fn guard(step: &mut Node, outer: &str) {
    fn bare(text: &str) -> &str {
        let text = text.trim();
        text.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")).map_or(text, str::trim)
    }
    let line = step.line;
    let Value::Map(entries) = &mut step.value else { return };
    match entries.iter_mut().find(|entry| entry.key == "if") {
        Some(own) => {
            let inner = own.node.scalar().unwrap_or_default().into_owned();
            own.node.value = Value::Text(format!("({}) && ({})", bare(outer), bare(&inner)));
        }
        None => {
            let node = Node { line, value: Value::Text(bare(outer).to_owned()) };
            entries.push(Entry { key: String::from("if"), line, node });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Syntax, parse};

    fn node(text: &str) -> Node {
        parse(text, Syntax::Yaml).ok().unwrap()
    }

    #[test]
    fn references_become_what_the_caller_writes() {
        let called = node("on: {workflow_call: {inputs: {mode: {default: ask}, free: {}}}}");
        let job = node(
            "with: {args: --yolo, pick: '${{ github.actor }}', any: '${{ a || b }}', mixed: 'x ${{ a }}'}\nsecrets: {KEY: '${{ secrets.PROD }}'}",
        );
        let handed = Handed::to_workflow(&called, &job, None);
        let cases = [
            ("run", "claude ${{ inputs.args }} now", "claude --yolo now"),
            ("run", "${{ inputs.mode }}/${{inputs.free}}/", "ask//"),
            ("run", "${{ inputs.pick }}", "${{ github.actor }}"),
            ("run", "${{ inputs.mixed }}", "${{ inputs.mixed }}"),
            ("run", "${{ secrets.KEY }} ${{ secrets.OTHER }}", "${{ secrets.PROD }} "),
            ("run", "${{ secrets.GITHUB_TOKEN }}", "${{ secrets.GITHUB_TOKEN }}"),
            ("run", "${{ github.event.inputs.args }}", "${{ github.event.inputs.args }}"),
            ("if", "inputs.args == 'x' && inputs.any", "'--yolo' == 'x' && (a || b)"),
            ("run", "echo inputs.args", "echo inputs.args"),
            ("run", "claude ${{ inputs['args'] }} now", "claude --yolo now"),
            ("run", "${{ inputs[ 'pick' ] }}", "${{ github.actor }}"),
            ("run", "${{ secrets['KEY'] }} ${{secrets['OTHER']}}", "${{ secrets.PROD }} "),
            ("run", "${{ secrets['GITHUB_TOKEN'] }}", "${{ secrets['GITHUB_TOKEN'] }}"),
            ("if", "inputs['args'] == 'x'", "'--yolo' == 'x'"),
            ("run", "${{ github.event.inputs['args'] }}", "${{ github.event.inputs['args'] }}"),
            ("run", "${{ inputs[github.actor] }}", "${{ inputs[github.actor] }}"),
            ("run", "echo inputs['args']", "echo inputs['args']"),
            ("run", "${{ toJSON(secrets) }}", "${{ toJSON(secrets.PROD) }}"),
            ("run", "${{ tojson( secrets ) }} ${{ inputs.args }}", "${{ toJSON(secrets.PROD) }} --yolo"),
        ];
        for (key, text, expected) in cases {
            assert_eq!(handed.changed(key, text).as_deref().unwrap_or(text), expected, "{text}");
        }
        let inherit = node("secrets: inherit");
        let handed = Handed::to_workflow(&called, &inherit, None);
        assert_eq!(handed.text("${{ secrets.KEY }}"), "${{ secrets.KEY }}");
    }
}
