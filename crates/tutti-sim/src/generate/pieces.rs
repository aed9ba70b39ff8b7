//! Pieces of workflows in which things meet that chance alone seldom brings together.

use tutti_expr::Value;

use super::{Generator, http, milliseconds, object, taken_back::failure};

impl Generator<'_> {
    /// Puts a piece among the tasks of a workflow.
    pub(super) fn add_piece(&mut self, tasks: &Value) -> Value {
        let mut tasks: Vec<Value> = tasks.as_array().unwrap_or(&[]).to_vec();
        let piece = match self.more.below(4) {
            0 | 1 => self.race(),
            2 => self.retried(),
            _ => Self::told_secret(),
        };
        tasks.insert(self.more.index(tasks.len() + 1), object([("piece", object(piece))]));
        Value::array(tasks)
    }

    /// Listeners beside each other, one that emits what they await, and another behind them.
    fn race(&mut self) -> Vec<(&'static str, Value)> {
        let listener =
            |name: &str, listen: Vec<(&'static str, Value)>| object([(name, object(listen))]);
        let emits = vec![("wait", milliseconds(self.more.below(300)))];
        let tells = [("type", Value::from("sim.a")), ("subject", Value::from("k1"))];
        let tells = object([("event", object([("with", object(tells))]))]);
        let emitting = Value::array([
            object([("pause", object(emits))]),
            object([("tell", object([("emit", tells)]))]),
        ]);
        let branches = Value::array([
            listener("left", self.one_of("sim.a")),
            listener("right", self.one_of("sim\\.(a|b)")),
            object([("both", object([("do", emitting)]))]),
        ]);
        let compete = Value::from(self.more.one_in(4));
        let fork = object([("compete", compete), ("branches", branches)]);
        let mut behind = self.one_of("sim\\.(a|b)");
        behind.push(("timeout", super::after(2_000)));
        let tasks = Value::array([
            object([("beside", object([("fork", fork)]))]),
            object([("behind", object(behind))]),
        ]);
        vec![("try", tasks), ("catch", object([("as", Value::from("late"))]))]
    }

    fn one_of(&mut self, kind: &str) -> Vec<(&'static str, Value)> {
        let filter = object([("with", object([("type", Value::from(kind))]))]);
        let listen = object([
            ("to", object([("one", filter)])),
            ("read", Value::from(*self.more.pick(&["data", "envelope"]))),
        ]);
        let mut members = vec![("listen", listen)];
        members.extend(self.undo());
        members
    }

    /// A call, and what fails after it, tried again, with what is undone at last.
    fn retried(&mut self) -> Vec<(&'static str, Value)> {
        let mut called = http(*self.more.pick(&["post", "put"]));
        called.extend(self.undo());
        let fails = vec![("raise", failure("tried again"))];
        let tried = Value::array([
            object([("called", object(called))]),
            object([("fails", object(fails))]),
        ]);
        let limit = object([("attempt", object([("count", Value::from(2))]))]);
        let retry = object([("delay", milliseconds(self.more.below(400))), ("limit", limit)]);
        let mut catch = vec![("retry", retry)];
        if self.more.one_in(2) {
            let told = object([("told", object([("set", Value::from("${ . }"))]))]);
            catch.push(("do", Value::array([told])));
        }
        vec![("try", tried), ("catch", object(catch))]
    }

    /// An error that tells of a secret, and what handles it.
    fn told_secret() -> Vec<(&'static str, Value)> {
        let raised = vec![("raise", failure("${ \"no entry for \" + $secrets.token }"))];
        let tried = Value::array([object([("fails", object(raised))])]);
        let merged = object([("set", Value::from("${ { n: 1, why: $error.detail } + . }"))]);
        let handled = object([("do", Value::array([object([("told", merged)])]))]);
        vec![("try", tried), ("catch", handled)]
    }

    /// An extension around what is tried again.
    pub(super) fn around_everything(&mut self) -> Value {
        let extended = *self.more.pick(&["all", "call", "try", "listen"]);
        let around = |name: &str, task: Vec<(&'static str, Value)>| {
            Value::array([object([(name, object(task))])])
        };
        let put = http("put");
        let set = vec![("set", Value::from("${ . }"))];
        let (before, after) = if self.more.one_in(2) { (put, set) } else { (set, put) };
        let members = object([
            ("extend", Value::from(extended)),
            ("before", around("ahead", before)),
            ("after", around("behind", after)),
        ]);
        object([("always", members)])
    }
}
