//! The machine room: addresses, machines, names and watches, each of which the next ones hold on to.

use serde_json::{Value, json};

use crate::ledger::{Entered, Ledger};

/// The path of each kind of thing, and its kind.
const KINDS: [(&str, &str); 4] =
    [("addresses", "address"), ("machines", "machine"), ("names", "name"), ("watches", "watch")];
/// The first address that is given away is this one of its network.
const FIRST_ADDRESS: usize = 11;

/// Why something was not done: the status and the title of the answer.
pub(crate) type Refusal = (u16, String);

/// The kind of the things under a path.
pub(crate) fn kind_of(path: &str) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| *known == path).map(|(_, kind)| *kind)
}

/// What of all that was ever made is still there.
pub(crate) fn held(ledger: &Ledger) -> Vec<Value> {
    let removed = ledger.of_kind("removal");
    let is_held = |thing: &Value| !removed.iter().any(|removal| removal["of"] == thing["id"]);
    let things = ledger.all().into_iter();
    things.filter(|it| KINDS.iter().any(|(_, kind)| it["kind"] == *kind) && is_held(it)).collect()
}

/// Makes a thing of what a request says; whatever it names must be there.
pub(crate) fn make(
    ledger: &Ledger,
    kind: &'static str,
    key: Option<&str>,
    asked: &Value,
) -> Result<Entered, Refusal> {
    let held = held(ledger);
    for (_, needed) in KINDS {
        let missing = |id: &&Value| !held.iter().any(|thing| thing["id"] == **id);
        if let Some(id) = asked.get(needed).filter(missing) {
            return Err((409, format!("there is no {needed} {id}")));
        }
    }
    let mut thing = asked.as_object().cloned().unwrap_or_default();
    if kind == "address" {
        let number = FIRST_ADDRESS + ledger.of_kind("address").len();
        thing.insert("ip".to_owned(), json!(format!("10.20.0.{number}")));
    }
    entered(ledger, kind, key, thing.into())
}

/// Removes a thing unless another one holds on to it. Removing twice is removing once.
pub(crate) fn remove(ledger: &Ledger, kind: &str, id: &str) -> Result<Entered, Refusal> {
    if !ledger.of_kind(kind).iter().any(|thing| thing["id"] == id) {
        return Err((404, format!("there is no {kind} {id}")));
    }
    let held = held(ledger);
    if let Some(other) = held.iter().find(|other| other[kind] == id) {
        let other = other["id"].as_str().unwrap_or_default();
        return Err((409, format!("{other} still needs {id}")));
    }
    entered(ledger, "removal", Some(id), json!({ "of": id }))
}

fn entered(
    ledger: &Ledger,
    kind: &str,
    key: Option<&str>,
    effect: Value,
) -> Result<Entered, Refusal> {
    ledger.enter(kind, key, effect).map_err(|error| (409, error.to_string()))
}
