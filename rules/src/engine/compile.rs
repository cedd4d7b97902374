//! From a rule's SQL to expressions over columns.

use evenhand_model::table::{ColumnType, TableSpec};
use polars::prelude::{AggExpr, DataType, DataTypeExpr, Expr, FunctionExpr, Operator, StringFunction};
use polars::sql::sql_expr;

use crate::pack::{Rule, sql};

/// Words that a predicate must not use: their meaning depends on the moment, on chance or on other rows.
const FORBIDDEN: [&str; 12] = [
    "select",
    "over",
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
    "random",
    "rand",
    "row_number",
    "interval",
    "exists",
];

/// SQL as an expression.
///
/// # Errors
/// What is wrong with the SQL, in a few words.
pub(crate) fn expression(text: &str, rule_params: &dyn Fn(&str) -> bool, bound: &str) -> Result<Expr, String> {
    let tokens: Vec<sql::Token<'_>> =
        sql::tokens(text).into_iter().filter(|token| !matches!(token, sql::Token::Space(_))).collect();
    if tokens.is_empty() {
        return Err("an empty text is no condition".to_owned());
    }
    for (at, token) in tokens.iter().enumerate() {
        match token {
            sql::Token::Symbol("/") => {
                return Err("`/` divides differently on different engines; multiply instead".to_owned());
            }
            sql::Token::Param(name) if !rule_params(name) => {
                return Err(format!("parameter `:{name}` is not declared; add it under `params`"));
            }
            sql::Token::Word(word) if FORBIDDEN.iter().any(|bad| word.eq_ignore_ascii_case(bad)) => {
                return Err(format!("`{word}` is not possible here: a condition speaks of one row"));
            }
            token
                if token.is_word("from")
                    && tokens.get(at.wrapping_sub(1)).is_some_and(|before| before.is_word("distinct"))
                    && runs_on(tokens.get(at + 1..).unwrap_or_default()) =>
            {
                return Err("engines differ on where `IS DISTINCT FROM` ends; put it in parentheses".to_owned());
            }
            token if token.is_word("is") => {
                let next = tokens.get(at + 1).filter(|next| !next.is_word("not")).or_else(|| tokens.get(at + 2));
                if let Some(sql::Token::Word(word)) = next
                    && ["true", "false", "unknown"].iter().any(|bad| word.eq_ignore_ascii_case(bad))
                {
                    return Err(format!(
                        "`IS {word}` and `IS NOT {word}` differ between engines where a value is NULL; write the bare \
                         column, or `NOT` before it"
                    ));
                }
            }
            _ => {}
        }
    }
    let expr = sql_expr(bound).map_err(|error| one_line(&error.to_string()))?;
    for node in &expr {
        match node {
            // The list of an `IN`.
            Expr::Agg(AggExpr::Implode { .. }) => {}
            Expr::Agg(_) | Expr::Over { .. } | Expr::Len | Expr::Explode { .. } => {
                return Err(
                    "a condition speaks of one row; sums and counts over rows are columns of the tables".to_owned()
                );
            }
            Expr::Alias(..) => return Err("a condition has no name; leave `AS` out".to_owned()),
            Expr::Selector(_) => return Err("`*` is no condition; name the columns".to_owned()),
            _ => {}
        }
    }
    Ok(expr)
}

/// Whether an operand is followed by `AND` or `OR` before the parentheses around it close.
fn runs_on(tokens: &[sql::Token<'_>]) -> bool {
    let mut depth = 0_u32;
    for token in tokens {
        match token {
            sql::Token::Symbol("(") => depth += 1,
            sql::Token::Symbol(")") if depth == 0 => return false,
            sql::Token::Symbol(")") => depth -= 1,
            token if depth == 0 && (token.is_word("and") || token.is_word("or")) => return true,
            _ => {}
        }
    }
    false
}

/// The columns that an expression reads, sorted.
pub(crate) fn columns(expr: &Expr) -> Vec<String> {
    let mut names: Vec<String> = expr
        .into_iter()
        .filter_map(|node| if let Expr::Column(name) = node { Some(name.to_string()) } else { None })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The first of the conditions that a condition joins by `AND`: where it is not TRUE, neither is the whole.
pub(crate) fn first_condition(condition: &Expr) -> &Expr {
    match condition {
        Expr::BinaryExpr { left, op: Operator::And | Operator::LogicalAnd, .. } => first_condition(left),
        other => other,
    }
}

/// Whether the value of some column may be one on which an expression fails, as a strict `CAST` does. What is not known to
/// be safe may fail.
fn may_fail(expr: &Expr, table: &TableSpec) -> bool {
    expr.into_iter().any(|node| match node {
        // What `NOT` makes of its operand.
        Expr::Cast { expr, dtype: DataTypeExpr::Literal(DataType::Boolean), .. } => !is_boolean(expr, table),
        Expr::Column(_)
        | Expr::Literal(_)
        | Expr::BinaryExpr { .. }
        | Expr::Ternary { .. }
        | Expr::Agg(AggExpr::Implode { .. })
        | Expr::Function { function: FunctionExpr::Boolean(_), .. } => false,
        // What `LIKE` becomes.
        Expr::Function { function: FunctionExpr::StringExpr(StringFunction::Contains { .. }), input } => {
            !matches!(input.get(1), Some(Expr::Literal(_)))
        }
        _ => true,
    })
}

/// Whether the values of an expression are known to be truth values.
fn is_boolean(expr: &Expr, table: &TableSpec) -> bool {
    match expr {
        Expr::Column(name) => {
            table.columns.iter().any(|column| column.name == name.as_str() && column.kind == ColumnType::Boolean)
        }
        Expr::BinaryExpr { op, .. } => op.is_comparison_or_bitwise(),
        Expr::Function { function: FunctionExpr::Boolean(_), .. } => true,
        _ => false,
    }
}

/// The predicate and the condition of applicability of a rule, parameters bound.
pub(crate) struct Compiled {
    table: &'static TableSpec,
    pub(crate) predicate: Expr,
    pub(crate) applies: Option<Expr>,
}

impl Compiled {
    /// Compiles a rule.
    ///
    /// # Errors
    /// What is wrong with its SQL.
    pub(crate) fn new(rule: &Rule) -> Result<Self, String> {
        let compile = |text: &str| {
            let declared = |name: &str| rule.param(name).is_some();
            let bound = sql::bind(text, |name| rule.param(name))
                .map_err(|name| format!("parameter `:{name}` is not declared; add it under `params`"))?;
            expression(text, &declared, &bound)
        };
        let predicate = compile(&rule.predicate)?;
        let applies = rule.applies_to.as_deref().map(compile).transpose()?;
        Ok(Self { table: rule.table, predicate, applies })
    }

    /// Whether some value of a column may make the rule fail.
    pub(crate) fn may_fail(&self) -> bool {
        let may_fail = |expr: &Expr| may_fail(expr, self.table);
        may_fail(&self.predicate) || self.applies.as_ref().is_some_and(may_fail)
    }

    /// The columns that the rule's conditions read, sorted.
    pub(crate) fn columns(&self) -> Vec<String> {
        let mut names = columns(&self.predicate);
        names.extend(self.applies.iter().flat_map(columns));
        names.sort();
        names.dedup();
        names
    }
}

/// The first line of an engine's message.
pub(crate) fn one_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim().to_owned()
}
