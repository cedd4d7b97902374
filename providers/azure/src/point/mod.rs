//! Point decisions on objects: role assignments, role definitions, deny assignments and a request in, a decision out, as
//! Azure Resource Manager gives it.
//!
//! A line needs nothing else. Nothing is remembered but the objects, so that a world that many lines carry is understood
//! once. How a request is decided is the business of [`rbac`](crate::rbac); this module reads lines and refuses what it
//! does not understand with its place.

mod answer;
mod input;
#[cfg(test)]
mod tests;
mod world;

use evenhand_model::access::Outcome;
use evenhand_model::catalog::Catalog as _;
use evenhand_model::decide::{Decides, Refusal, read, step};
use evenhand_model::kept::Kept;

pub use answer::{Answer, Decision, Effect, Matched, Note};

use crate::catalog::Catalogue;
use crate::rbac::condition::{Attribute, Attributes, Source, Value};
use crate::rbac::{ArmId, ObjectId, Plane, Request};
use input::{Asked, Input, REMEDY};
use world::World;
#[cfg(test)]
pub(crate) use world::definitions;

/// Decides lines that bring all their objects. Shared by threads; keeps the objects of earlier lines, up to a bound.
#[derive(Debug, Default)]
pub struct Decider {
    worlds: Kept<World>,
}

impl Decides for Decider {
    fn reply(&self, line: &str) -> Result<Vec<u8>, Refusal> {
        let input: Input<'_> = read(line, REMEDY)?;
        let world = self.worlds.of(&world::text(&input), || World::read(&input))?;
        let request = input.request.request().map_err(|refusal| refusal.below("/request"))?;
        let decided = world.authorizer.decide(&request);
        let mut notes = world.notes.clone();
        if decided.outcome == Outcome::ImplicitlyDenied {
            notes.extend(unknown(&request));
        }
        serde_json::to_vec(&Answer::new(&decided, &world.authorizer, notes))
            .map_err(|error| Refusal::new("", format!("the answer cannot be written: {error}"), "report it"))
    }
}

/// The JSON Schema of a line and, below `$defs`, of its answer and of its refusal.
pub fn schema() -> serde_json::Value {
    evenhand_model::decide::schema::<Input<'static>, Answer<'static>>(
        "evenhand decide azure",
        "One line of input. The answer to it is `$defs/Answer`; a line that cannot be understood is answered by \
         `$defs/Refused`.",
    )
}

impl Asked {
    /// The request as the authorizer takes it.
    fn request(self) -> Result<Request, Refusal> {
        let (plane, operation, member) = match (self.action, self.data_action) {
            (Some(action), None) => (Plane::Control, action, "/action"),
            (None, Some(action)) => (Plane::Data, action, "/dataAction"),
            (None, None) => {
                return Err(Refusal::new("", "no operation is asked about", "give `action` or `dataAction`"));
            }
            (Some(_), Some(_)) => {
                return Err(Refusal::new(
                    "",
                    "two operations are asked about",
                    "give `action` or `dataAction`, not both",
                ));
            }
        };
        let is_one =
            !operation.contains('*') && operation.trim().split('/').filter(|part| !part.is_empty()).count() > 1;
        if !is_one {
            return Err(Refusal::new(
                member,
                format!("`{operation}` is no operation"),
                "write one in full, such as `Microsoft.Compute/virtualMachines/read`",
            ));
        }
        if self.principal.trim().is_empty() {
            return Err(Refusal::new("/principal", "nobody asks", "give the object id of who asks"));
        }
        let resource = ArmId::parse(&self.resource).map_err(|_| {
            Refusal::new(
                "/resource",
                format!("`{}` is no resource id", self.resource),
                "write it from the root on, such as `/subscriptions/ID/resourceGroups/NAME`",
            )
        })?;
        let mut attributes = Attributes::default();
        for (name, given) in self.attributes.unwrap_or_default() {
            let attribute = attribute(&name).ok_or_else(|| {
                Refusal::new(
                    format!("/attributes{}", step(&name)),
                    format!("`{name}` is no attribute"),
                    "write it as in conditions: `@Request[…]`, `@Resource[…]`, `@Principal[…]` or `@Environment[…]`",
                )
            })?;
            attributes.insert(attribute, given.map_or(Value::Absent, |given| Value::Texts(given.texts())));
        }
        Ok(Request {
            principal: ObjectId::new(&self.principal),
            plane,
            operation,
            resource,
            suboperation: self.sub_operation,
            attributes,
        })
    }
}

/// That an operation may be misspelt. No list of all operations is published, so that it may be one all the same.
fn unknown(request: &Request) -> Option<Note> {
    let member = if request.plane == Plane::Data { "dataAction" } else { "action" };
    let is_unknown = Catalogue::global().expand(request.operation.trim()).is_empty();
    is_unknown.then(|| Note {
        at: format!("/request/{member}"),
        message: format!("no built-in role names `{}`: check its spelling", request.operation),
    })
}

/// An attribute as it is written in conditions.
fn attribute(text: &str) -> Option<Attribute> {
    let (source, name) = text.trim().strip_prefix('@')?.strip_suffix(']')?.split_once('[')?;
    (!name.is_empty()).then_some(Attribute::new(Source::of(source)?, name))
}
