//! The JSON Schema of the JSON report, made from the documentation of the fact tables.

use evenhand_model::finding::{Dimension, Severity};
use evenhand_model::parity::Verdict;
use evenhand_model::table::{ColumnType, TableSpec};
use serde_json::{Map, Value, json};

use crate::json::SCHEMA;

/// The JSON Schema (draft 2020-12) of `-o json`, for these fact tables.
pub fn report(tables: &[&TableSpec]) -> Value {
    let severities: Vec<&str> = Severity::WORST_FIRST.iter().map(|severity| severity.as_str()).collect();
    let dimensions: Vec<&str> = Dimension::ALL.iter().map(|dimension| dimension.as_str()).collect();
    let evidence = json!({
        "type": "object",
        "required": ["document"],
        "additionalProperties": false,
        "properties": {
            "document": {"type": "string"},
            "pointer": {"type": "string"},
            "page": {"type": "string", "description": "the page on which people see and change it"},
            "line": {"type": "integer", "minimum": 1},
            "column": {"type": "integer", "minimum": 1},
        },
    });
    let count = json!({"type": "integer", "minimum": 0});
    let maybe_text = json!({"type": ["string", "null"]});
    let thousandths = json!({"type": "integer", "minimum": 0, "maximum": 1000});
    let maybe_thousandths = json!({"type": ["integer", "null"], "minimum": 0, "maximum": 1000});
    let millionths = json!({"type": "integer", "minimum": 0, "maximum": 1_000_000});
    let maybe_millionths = json!({"type": ["integer", "null"], "minimum": 0, "maximum": 1_000_000});
    let waiver = json!({"oneOf": [{"type": "null"}, object(json!({
        "reason": {"type": "string"}, "owner": {"type": "string"}, "approver": {"type": "string"},
        "ticket": {"type": "string"}, "expires": {"type": "string", "format": "date"},
    }))]});
    let verdicts: Map<String, Value> =
        Verdict::ALL.iter().map(|verdict| (verdict.as_str().to_owned(), count.clone())).collect();
    let table_members: Map<String, Value> =
        tables.iter().map(|table| (table.name.to_owned(), table_schema(table))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "evenhand report",
        "type": "object",
        "required": ["schema", "tool", "scan", "score", "coverage", "findings", "filtered_findings", "gaps", "hints", "possible_agents", "rules", "comparisons", "tables"],
        "additionalProperties": false,
        "properties": {
            "schema": {"const": SCHEMA},
            "tool": object(json!({
                "name": {"type": "string"},
                "version": {"type": "string"},
                "rules": count,
                "rule_pack": {"type": "string"},
                "catalogs": {"type": "array", "items": object(json!({
                    "package": {"type": "string"}, "version": {"type": "string"}, "date": {"type": "string"},
                }))},
            })),
            "scan": object(json!({
                "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                "time": {"type": "string", "format": "date-time"},
                "sources": {"type": "array", "items": object(json!({
                    "path": {"type": "string"},
                    "status": {"enum": ["read", "partial", "failed", "unrecognised"]},
                    "provider": maybe_text,
                    "what": {"type": "string"},
                    "bytes": count,
                }))},
            })),
            "score": {"oneOf": [{"type": "null"}, object(json!({
                "raw": maybe_thousandths, "governed": maybe_thousandths,
                "raw_millionths": maybe_millionths, "governed_millionths": maybe_millionths,
                "exposure_millionths": {"type": ["integer", "null"], "minimum": 0, "maximum": 1_000_000, "description": "of the judged identities, which are all but humans, human roles and what a vendor runs itself, those with a critical or high finding, waived or not"},
                "open": object(json!({"critical": count, "high": count, "medium": count, "low": count})),
                "moved_by": {"type": "array", "items": object(json!({
                    "rule": {"type": "string"}, "open": count, "fixed": thousandths, "fixed_millionths": millionths,
                }))},
                "known": {"type": "boolean", "description": "false where nothing is open but no check could be decided or the scan is incomplete: the scores are then null"},
                "complete": {"type": "boolean", "description": "false where a part of the input could not be read"},
            }))]},
            "coverage": object(json!({
                "percent": {"type": ["integer", "null"], "minimum": 0, "maximum": 100},
                "decided": count, "undecided": count, "rules": count, "identities": count,
                "natures": {"type": "object", "additionalProperties": count},
                "verdicts": {"type": "object", "additionalProperties": false, "properties": verdicts},
                "files_read": count, "files_partial": count, "files_failed": count, "files_unrecognised": count,
                "configuration": maybe_text, "waivers": maybe_text,
                "rules_off": {"type": "array", "items": {"type": "string"}},
                "rules_levelled": {"type": "array", "items": {"type": "string"}},
                "rules_chosen_by": {"type": "array", "items": {"type": "string"}},
            })),
            "findings": {"type": "array", "items": object(json!({
                "id": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
                "rule": {"type": "string"},
                "severity": {"enum": severities},
                "dimension": {"enum": dimensions},
                "status": {"enum": ["fail", "unknown"]},
                "provider": {"type": "string"},
                "scope": {"type": "string"},
                "identity": {"type": "string"},
                "name": {"type": "string"},
                "title": {"type": "string"},
                "facts": {"type": "object", "additionalProperties": {"type": "string"}},
                "evidence": {"type": "array", "items": evidence},
                "remedy": {"type": "string"},
                "missing": {"type": "array", "items": object(json!({
                    "column": {"type": "string"}, "what": {"type": "string"}, "because": maybe_text,
                }))},
                "frameworks": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
                "waiver": waiver,
            }))},
            "filtered_findings": count,
            "gaps": {"type": "array", "items": object(json!({
                "provider": maybe_text, "scope": maybe_text,
                "kind": {"enum": ["failed", "not_collected"]},
                "call": {"type": "string"}, "reason": {"type": "string"}, "facts": {"type": "string"},
            }))},
            "hints": {"type": "array", "items": {
                "type": "object", "required": ["evidence", "message"],
                "properties": {"evidence": {"type": "object"}, "message": {"type": "string"}},
            }},
            "possible_agents": {"type": "array", "items": object(json!({
                "identity": {"type": "string"}, "hint": {"type": "string"},
            }))},
            "rules": {"type": "array", "items": object(json!({
                "id": {"type": "string"}, "title": {"type": "string"},
                "severity": {"enum": severities}, "default_severity": {"enum": severities},
                "dimension": {"enum": dimensions},
                "what": {"type": "string"}, "why": {"type": "string"}, "fix": {"type": "string"},
                "frameworks": {"type": "array", "items": object(json!({
                    "framework": {"type": "string"}, "id": {"type": "string"},
                }))},
                "passed": count, "failed": count, "undecided": count, "error": maybe_text,
            }))},
            "comparisons": {"type": "array", "items": comparison()},
            "tables": {"type": "object", "additionalProperties": false, "properties": table_members},
        },
    })
}

/// The schema of a comparison: what `evenhand compare -o json` prints.
fn comparison() -> Value {
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": text});
    let count = json!({"type": "integer", "minimum": 0});
    let maybe_count = json!({"type": ["integer", "null"], "minimum": 0});
    let maybe_text = json!({"type": ["string", "null"]});
    let truth = json!({"enum": ["yes", "no", "unknown"]});
    let verdicts: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
    let place = json!({"description": "`whole`, or an object whose one member says how the place is given"});
    let evidence = object(json!({"document": text, "place": place}));
    let grant = object(json!({"policy": text, "statement": maybe_count, "name": text, "evidence": evidence}));
    object(json!({
        "identity": text,
        "verdict": {"enum": verdicts},
        "summary": text,
        "baseline": object(json!({"roles": texts, "name": text, "source": text, "reason": text})),
        "operations": maybe_count, "access_weight": maybe_count,
        "human_operations": maybe_count, "human_weight": maybe_count,
        "excess": {"type": "array", "items": object(json!({
            "operation": text, "operations": count, "level": text, "scope": text, "condition": text, "weight": count,
            "high_risk": count, "used": {"type": ["boolean", "null"]}, "grant": grant, "decided": {"type": "boolean"},
            "people_have": maybe_text,
        }))},
        "excess_operations": count, "wider_operations": count, "excess_weight": count, "high_risk_excess": count,
        "undecided_operations": count,
        "coverage": {"type": ["number", "null"], "minimum": 0},
        "controls": {"type": "array", "items": object(json!({
            "control": text, "operations": texts, "count": count, "resource": text, "human": truth, "identity": truth,
            "way": maybe_text, "reason": text, "evidence": {"type": "array", "items": evidence},
        }))},
        "doubts": texts,
    }))
}

/// An object whose members are all required and the only ones.
fn object(properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().map(|members| members.keys().collect()).unwrap_or_default();
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}

/// The schema of a fact table: a list of rows.
pub fn table_schema(table: &TableSpec) -> Value {
    let properties: Map<String, Value> = table
        .columns
        .iter()
        .map(|column| {
            let (kind, format) = match column.kind {
                ColumnType::Text => ("string", None),
                ColumnType::Integer => ("integer", None),
                ColumnType::Float => ("number", None),
                ColumnType::Boolean => ("boolean", None),
                ColumnType::Timestamp => ("string", Some("date-time")),
            };
            let mut schema = Map::new();
            let kind = if column.nullable { json!([kind, "null"]) } else { json!(kind) };
            schema.insert("type".to_owned(), kind);
            if let Some(format) = format {
                schema.insert("format".to_owned(), json!(format));
            }
            schema.insert("description".to_owned(), json!(column.doc));
            (column.name.to_owned(), Value::Object(schema))
        })
        .collect();
    json!({"description": format!("One row per {}.", table.row), "type": "array", "items": object(Value::Object(properties))})
}
