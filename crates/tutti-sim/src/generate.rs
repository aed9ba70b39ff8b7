//! Workflow documents drawn from chance, over the keywords that are executed.

mod pieces;
mod taken_back;

use tutti_expr::Value;

use crate::Chance;

/// Draws documents.
#[derive(Debug)]
pub(crate) struct Generator<'c> {
    chance: &'c mut Chance,
    named: u32,
    /// How many tasks may still be drawn.
    left: u32,
    has_function: bool,
    /// Whether nothing may come of what is drawn that a listener hears.
    is_quiet: bool,
    /// Chance for what was thought of later: what a seed draws elsewhere does not depend on it.
    more: Chance,
    has_undos: bool,
    undoes: u32,
}

impl<'c> Generator<'c> {
    pub(crate) fn new(chance: &'c mut Chance, mut more: Chance) -> Self {
        let has_undos = more.one_in(2);
        Self {
            chance,
            named: 0,
            left: 24,
            has_function: true,
            is_quiet: false,
            more,
            has_undos,
            undoes: 0,
        }
    }

    /// A workflow, as JSON text. The one called `child` starts no children.
    pub(crate) fn document(&mut self, name: &str) -> String {
        let has_children = name != "child";
        self.has_function = true;
        let mut tasks = self.list(3, has_children);
        if self.more.one_in(4) {
            tasks = self.add_piece(&tasks);
        }
        self.is_quiet = true;
        let extensions = self.extensions();
        self.is_quiet = false;
        self.has_function = false;
        let function = self.list(1, false);
        let header = object([
            ("dsl", Value::from("1.0.3")),
            ("namespace", Value::from("sim")),
            ("name", Value::from(name)),
            ("version", Value::from("1.0.0")),
        ]);
        let shared = object([
            ("secrets", Value::array([Value::from("token")])),
            ("functions", object([("shared", object([("do", function)]))])),
            ("extensions", extensions),
        ]);
        let mut members = vec![("document", header), ("use", shared), ("do", tasks)];
        if self.chance.one_in(8) {
            members.push(("timeout", after(self.chance.below(20_000))));
        }
        object(members).to_json()
    }

    /// None, one or two; short, as they are put around many tasks.
    fn extensions(&mut self) -> Value {
        let count = if self.chance.one_in(3) { 1 + self.chance.index(2) } else { 0 };
        let mut drawn: Vec<Value> = (0..count).map(|place| self.extension(place)).collect();
        if self.more.one_in(6) {
            drawn.push(self.around_everything());
        }
        Value::array(drawn)
    }

    fn extension(&mut self, place: usize) -> Value {
        let extended = *self.chance.pick(&["all", "call", "composite", "for", "run", "set", "try"]);
        let mut members = vec![("extend", Value::from(extended))];
        if self.chance.one_in(2) {
            let when = ["(.n? // 0) % 2 == 0", "$task.name | . < \"t5\"", ".n | startswith(1)"];
            members.push(("when", Value::from(*self.chance.pick(&when))));
        }
        if !self.chance.one_in(3) {
            members.push(("before", Value::array([self.task(0, false)])));
        }
        if !self.chance.one_in(3) {
            members.push(("after", Value::array([self.task(0, false)])));
        }
        object([(format!("e{place}").as_str(), object(members))])
    }

    fn list(&mut self, depth: u32, children: bool) -> Value {
        let length = 1 + self.chance.index(3);
        let tasks: Vec<Value> = (0..length).map(|_| self.task(depth, children)).collect();
        Value::array(tasks)
    }

    fn task(&mut self, depth: u32, children: bool) -> Value {
        self.named += 1;
        self.left = self.left.saturating_sub(1);
        let name = format!("t{}", self.named);
        let mut members = self.body(if self.left == 0 { 0 } else { depth }, children);
        if self.chance.one_in(10) {
            members.push(("if", Value::from(format!("(.n // 0) % 2 == {}", self.chance.below(2)))));
        }
        if self.chance.one_in(6) {
            members.push((
                "export",
                object([("as", Value::from(format!("$context + {{ {name}: (.n? // 0) }}")))]),
            ));
        }
        if self.chance.one_in(9) {
            members.push(("timeout", after(self.chance.below(3_000))));
        }
        if self.chance.one_in(25) {
            members.push(("then", Value::from(*self.chance.pick(&["exit", "end"]))));
        }
        members.extend(self.undo());
        Value::object([(name, object(members))])
    }

    fn body(&mut self, depth: u32, children: bool) -> Vec<(&'static str, Value)> {
        let kinds = if depth == 0 { 10 } else { 18 };
        match self.chance.below(kinds) {
            0 => {
                vec![("set", object([("n", Value::from("${ ((.n? // 0) | numbers // 0) + 1 }"))]))]
            }
            1 => vec![("wait", milliseconds(self.chance.below(2_000)))],
            2 => {
                let method = *self.chance.pick(&["get", "put", "delete"]);
                self.http(method)
            }
            3 => self.http("post"),
            4 => vec![("run", object([("shell", object([("command", Value::from("work"))]))]))],
            5 if self.chance.one_in(2) => vec![(
                "raise",
                object([(
                    "error",
                    object([
                        ("type", Value::from("https://example.com/x")),
                        ("status", Value::from(500)),
                    ]),
                )]),
            )],
            5 => vec![(
                "set",
                object([
                    ("n", Value::from(1)),
                    ("hidden", Value::from("${ \"<\" + $secrets.token + \">\" }")),
                ]),
            )],
            6 if children => vec![(
                "run",
                object([
                    (
                        "workflow",
                        object([
                            ("namespace", Value::from("sim")),
                            ("name", Value::from("child")),
                            ("version", Value::from("1.0.0")),
                        ]),
                    ),
                    ("await", Value::from(!self.chance.one_in(4))),
                ]),
            )],
            6 => vec![("set", Value::from("${ . }"))],
            7 if !self.is_quiet => self.emit(),
            8 | 9 => self.listen(depth),
            10 => vec![("do", self.list(depth - 1, children))],
            11 | 12 => self.fork(depth, children),
            13 => vec![
                (
                    "for",
                    object([("in", Value::from(format!("[range({})]", self.chance.below(4))))]),
                ),
                ("do", self.list(depth - 1, children)),
            ],
            14 | 15 => self.guarded(depth, children),
            16 => self.each(depth, children),
            _ if self.has_function && !self.is_quiet => vec![("call", Value::from("shared"))],
            _ => vec![("set", Value::from("${ . }"))],
        }
    }

    fn emit(&mut self) -> Vec<(&'static str, Value)> {
        let data = *self.chance.pick(&["${ .n? // 0 }", "${ $secrets.token }"]);
        let with = object([
            ("type", Value::from(*self.chance.pick(&["sim.a", "sim.b"]))),
            ("subject", Value::from(*self.chance.pick(&["k1", "k2"]))),
            ("data", object([("n", Value::from(data))])),
        ]);
        vec![("emit", object([("event", object([("with", with)]))]))]
    }

    fn listen(&mut self, depth: u32) -> Vec<(&'static str, Value)> {
        let mut to = match self.chance.below(4) {
            0 => vec![("one", self.filter())],
            1 => vec![("all", Value::array([self.filter(), self.filter()]))],
            _ => vec![("any", Value::array([self.filter()]))],
        };
        let until = if to[0].0 == "any" { self.chance.below(4) } else { 4 };
        match until {
            0..=1 => to.push(("until", Value::from("length >= 2"))),
            2 => to.push(("until", object([("one", self.filter())]))),
            _ => {}
        }
        let read = *self.chance.pick(&["data", "envelope", "raw"]);
        let listen = object([("to", object(to)), ("read", Value::from(read))]);
        let mut members = vec![("listen", listen)];
        if depth > 0 && self.chance.one_in(2) {
            // What a listener does with an event must not bring it the next one: it would go on for ever.
            let around = std::mem::replace(&mut self.is_quiet, true);
            members.push(("foreach", object([("do", self.list(depth - 1, false))])));
            self.is_quiet = around;
        }
        members
    }

    fn filter(&mut self) -> Value {
        let kind = *self.chance.pick(&["sim.a", "sim.b", "sim\\.(a|b)"]);
        let mut filter = vec![("with", object([("type", Value::from(kind))]))];
        if self.chance.one_in(3) {
            let mut key = vec![("from", Value::from(".subject"))];
            if self.chance.one_in(2) {
                key.push(("expect", Value::from("k1")));
            }
            filter.push(("correlate", object([("key", object(key))])));
        }
        object(filter)
    }

    fn http(&mut self, method: &str) -> Vec<(&'static str, Value)> {
        let header = Value::from("${ \"Bearer \" + $secrets.token }");
        let headers = object([("Authorization", header)]);
        let headers = self.chance.one_in(4).then_some(("headers", headers));
        call(method, headers)
    }

    fn fork(&mut self, depth: u32, children: bool) -> Vec<(&'static str, Value)> {
        let compete = Value::from(self.chance.one_in(3));
        let branches = self.list(depth - 1, children);
        vec![("fork", object([("compete", compete), ("branches", branches)]))]
    }

    fn guarded(&mut self, depth: u32, children: bool) -> Vec<(&'static str, Value)> {
        let mut catch = Vec::new();
        let named = self.chance.one_in(4);
        if named {
            let filter = object([("type", Value::from("tutti://errors/outcome-unknown"))]);
            catch.push(("errors", object([("with", filter)])));
        }
        if !named && self.chance.one_in(2) {
            let mut attempt = vec![("count", Value::from(1 + i64::from(self.chance.one_in(2))))];
            if self.chance.one_in(3) {
                attempt.push(("duration", milliseconds(500)));
            }
            let mut retry = vec![
                ("delay", milliseconds(self.chance.below(700))),
                ("limit", object([("attempt", object(attempt))])),
            ];
            if self.chance.one_in(3) {
                retry.push((
                    "jitter",
                    object([("from", milliseconds(0)), ("to", milliseconds(300))]),
                ));
            }
            catch.push(("retry", object(retry)));
        }
        if self.chance.one_in(2) {
            catch.push(("do", self.list(depth - 1, children)));
        }
        vec![("try", self.list(depth - 1, children)), ("catch", object(catch))]
    }

    fn each(&mut self, depth: u32, children: bool) -> Vec<(&'static str, Value)> {
        let count = self.chance.below(4);
        let mut with = vec![
            ("in", Value::from(format!("${{ [range({count}) | {{ n: . }}] }}"))),
            ("do", self.list(depth - 1, children)),
        ];
        if self.chance.one_in(2) {
            with.push(("limit", Value::from(1)));
        }
        if self.chance.one_in(2) {
            with.push(("onError", Value::from("collect")));
        }
        vec![("call", Value::from("each")), ("with", object(with))]
    }
}

/// A call over HTTP.
fn http(method: &str) -> Vec<(&'static str, Value)> {
    call(method, None)
}

fn call(method: &str, more: Option<(&'static str, Value)>) -> Vec<(&'static str, Value)> {
    let own = [("method", Value::from(method)), ("endpoint", Value::from("https://example.com/x"))];
    vec![("call", Value::from("http")), ("with", object(own.into_iter().chain(more)))]
}

fn object<'k>(members: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    Value::object(members)
}

fn milliseconds(count: u64) -> Value {
    object([("milliseconds", Value::from(i64::try_from(count).unwrap_or(0)))])
}

fn after(count: u64) -> Value {
    object([("after", milliseconds(count + 1))])
}
