//! What the services do with a request.

use std::io;

use serde_json::{Value, json};

use crate::{
    connection::Request,
    ledger::{Entered, Ledger},
    machines::{self, Refusal},
};

/// What every article has in stock at the beginning.
const STOCK: i64 = 1_000;
/// Cards whose number ends so are declined.
const DECLINED_CARD: &str = "0002";

/// One of the shop's services, each on a port of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Service {
    Inventory,
    Payment,
    Shipping,
    Machines,
}

/// The bad day a request asks for in the header `Shop-Fault`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `decline`: payments are refused with 402, shipments with 409.
    Decline,
    /// `hold`: the effect happens, and the answer never comes. A repetition under the same key is answered.
    Hold,
    /// `drop`: the effect happens, and the connection is closed. A repetition under the same key is answered.
    Drop,
}

/// An answer to a request.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// Whether an effect happened for it.
    pub(crate) is_new: bool,
}

impl Service {
    /// In the order of their ports.
    pub(crate) const ALL: [Self; 4] =
        [Self::Inventory, Self::Payment, Self::Shipping, Self::Machines];

    /// Its name in lower case.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Payment => "payment",
            Self::Shipping => "shipping",
            Self::Machines => "machines",
        }
    }

    /// Does what is asked, and tells how the answer is to be lost, if at all.
    pub(crate) fn answer(self, request: &Request, ledger: &Ledger) -> (Answer, Option<Fault>) {
        let fault = match request.headers.get("shop-fault").map(String::as_str) {
            Some("decline") => Some(Fault::Decline),
            Some("hold") => Some(Fault::Hold),
            Some("drop") => Some(Fault::Drop),
            _ => None,
        };
        let call = Call { request, ledger, fault };
        let path: Vec<&str> = request.path.split('/').skip(1).collect();
        let answer = match (self, request.method.as_str(), path.as_slice()) {
            (_, "GET", ["ledger"]) => Ok(call.ledger()),
            (Self::Inventory, "POST", ["reservations"]) => call.reserve(),
            (Self::Inventory, "DELETE", ["reservations", id]) => call.release(id),
            (Self::Inventory, "GET", ["stock", article]) => {
                Ok(Answer::plain(200, json!({ "article": article, "free": call.free(article) })))
            }
            (Self::Payment, ..) if !call.is_authorized() => {
                Ok(Answer::problem(401, "a bearer token is needed"))
            }
            (Self::Payment, "POST", ["charges"]) => call.pay("charge", &["order", "amount"]),
            (Self::Payment, "GET", ["charges", order]) => Ok(call.find("charge", "order", order)),
            (Self::Payment, "POST", ["bills"]) => {
                call.pay("bill", &["customer", "period", "amount"])
            }
            (Self::Payment, "GET", ["bills", number]) => Ok(call.find("bill", "key", number)),
            (Self::Payment, "POST", ["refunds"]) => call.refund(),
            (Self::Shipping, "POST", ["shipments"]) => call.ship(),
            (Self::Machines, "GET", ["held"]) => {
                Ok(Answer::plain(200, Value::from(machines::held(ledger))))
            }
            (Self::Machines, "POST", [path]) => Ok(call.make(path)),
            (Self::Machines, "DELETE", [path, id]) => Ok(call.remove(path, id)),
            _ => Ok(Answer::nothing_here()),
        };
        (answer.unwrap_or_else(|error| Answer::problem(409, &error.to_string())), fault)
    }
}

impl Answer {
    fn plain(status: u16, body: Value) -> Self {
        Self { status, body, is_new: false }
    }

    fn problem(status: u16, title: &str) -> Self {
        Self::plain(status, json!({ "status": status, "title": title }))
    }
}

/// A request being answered.
struct Call<'c> {
    request: &'c Request,
    ledger: &'c Ledger,
    fault: Option<Fault>,
}

impl Call<'_> {
    /// Everything that happened; `?bill=300` waits until 300 bills have.
    fn ledger(&self) -> Answer {
        for (kind, count) in &self.request.query {
            drop(self.ledger.wait_for(kind, count.parse().unwrap_or(0)));
        }
        Answer::plain(200, Value::from(self.ledger.all()))
    }

    fn reserve(&self) -> io::Result<Answer> {
        let items = self.request.body["items"].as_array().cloned().unwrap_or_default();
        if items.is_empty() {
            return Ok(Answer::problem(400, "an order has at least one item"));
        }
        for item in &items {
            let article = item["article"].as_str().unwrap_or_default();
            if self.free(article) < item["quantity"].as_i64().unwrap_or(1) {
                return Ok(Answer::problem(409, &format!("`{article}` is out of stock")));
            }
        }
        self.enter("reservation", self.members(&["order", "items"]))
    }

    /// Releasing twice is releasing once.
    fn release(&self, id: &str) -> io::Result<Answer> {
        let known = self.ledger.of_kind("reservation").into_iter().any(|it| it["id"] == id);
        if !known {
            return Ok(Answer::problem(404, "there is no such reservation"));
        }
        let released = self.ledger.enter("release", Some(id), json!({ "reservation": id }))?;
        Ok(Answer::entered(released, 200))
    }

    fn free(&self, article: &str) -> i64 {
        let released = self.ledger.of_kind("release");
        let reservations = self.ledger.of_kind("reservation").into_iter();
        let held = reservations
            .filter(|reservation| !released.iter().any(|it| it["reservation"] == reservation["id"]))
            .filter_map(|reservation| reservation["items"].as_array().cloned())
            .flatten()
            .filter(|item| item["article"] == article)
            .map(|item| item["quantity"].as_i64().unwrap_or(1));
        STOCK - held.sum::<i64>()
    }

    fn is_authorized(&self) -> bool {
        let header = self.request.headers.get("authorization");
        header.and_then(|it| it.strip_prefix("Bearer ")).is_some_and(|token| !token.is_empty())
    }

    fn pay(&self, kind: &str, members: &[&str]) -> io::Result<Answer> {
        let card = self.request.body["card"].as_str().unwrap_or_default();
        if self.fault == Some(Fault::Decline) || card.ends_with(DECLINED_CARD) {
            return Ok(Answer::problem(402, "the card was declined"));
        }
        self.enter(kind, self.members(members))
    }

    /// Refunding a charge twice is refunding it once.
    fn refund(&self) -> io::Result<Answer> {
        let charge = &self.request.body["charge"];
        if !self.ledger.of_kind("charge").iter().any(|it| it["id"] == *charge) {
            return Ok(Answer::problem(404, "there is no such charge"));
        }
        let refunded = self.ledger.enter("refund", charge.as_str(), json!({ "charge": charge }))?;
        Ok(Answer::entered(refunded, 201))
    }

    fn ship(&self) -> io::Result<Answer> {
        if self.fault == Some(Fault::Decline) {
            return Ok(Answer::problem(409, "no carrier goes there"));
        }
        self.enter("shipment", self.members(&["order", "address"]))
    }

    fn find(&self, kind: &str, member: &str, value: &str) -> Answer {
        let found = self.ledger.of_kind(kind).into_iter().find(|effect| effect[member] == value);
        found.map_or_else(
            || Answer::problem(404, &format!("there is no {kind} for `{value}`")),
            |effect| Answer::plain(200, effect),
        )
    }

    fn make(&self, path: &str) -> Answer {
        let Some(kind) = machines::kind_of(path) else { return Answer::nothing_here() };
        let made = machines::make(self.ledger, kind, self.key(), &self.request.body);
        Answer::of(made, 201)
    }

    fn remove(&self, path: &str, id: &str) -> Answer {
        let Some(kind) = machines::kind_of(path) else { return Answer::nothing_here() };
        Answer::of(machines::remove(self.ledger, kind, id), 200)
    }

    fn members(&self, names: &[&str]) -> Value {
        let members =
            names.iter().map(|name| ((*name).to_owned(), self.request.body[*name].clone()));
        Value::Object(members.collect())
    }

    fn enter(&self, kind: &str, effect: Value) -> io::Result<Answer> {
        Ok(Answer::entered(self.ledger.enter(kind, self.key(), effect)?, 201))
    }

    fn key(&self) -> Option<&str> {
        self.request.headers.get("idempotency-key").map(String::as_str)
    }
}

impl Answer {
    fn nothing_here() -> Self {
        Self::problem(404, "there is nothing here")
    }

    fn of(done: Result<Entered, Refusal>, status: u16) -> Self {
        match done {
            Ok(entered) => Self::entered(entered, status),
            Err((status, title)) => Self::problem(status, &title),
        }
    }

    fn entered(entered: Entered, status: u16) -> Self {
        match entered {
            Entered::New(body) => Self { status, body, is_new: true },
            Entered::Before(body) => Self { status, body, is_new: false },
        }
    }
}
