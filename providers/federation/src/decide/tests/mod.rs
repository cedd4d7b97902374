//! Lines, and what is said to them.

mod expressions;
mod grades;
mod lines;
mod tokens;
mod workflows;

use evenhand_model::decide::Refusal;
use serde_json::Value;

use crate::decide::Decider;
use crate::issuer::Issuer;
use crate::platform::{Platform, Understood};

/// A platform that is not asked here.
struct Nobody;

impl Platform for Nobody {
    fn understand(&self, _: &str, _: Issuer) -> Result<Box<dyn Understood>, Refusal> {
        Err(Refusal::new("/x", "not here", "elsewhere"))
    }
}

fn answer(line: &Value) -> Result<Value, Refusal> {
    Ok(serde_json::to_value(Decider::new(Box::new(Nobody)).answer(&line.to_string())?).unwrap())
}
