//! The machine that walks a program.
//!
//! Every filter hands its results to a callback, one after the other, so that generators need no memory and stopping
//! early is an error that passes through. [`Machine::run`] is for any filter, [`Machine::one`] for those that yield
//! exactly one result. Each call pays a tick and checks its depth; there is no other way to loop or to go deeper.

mod assign;
mod bind;
mod fold;
mod item;
mod one;
mod places;
mod special;
mod substitute;

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

pub(crate) use item::{Env, Item, Out};

use crate::{
    Environment, Reads, Value,
    context::Context,
    library,
    limits::Limit,
    natives::operators,
    regexes::SharedRegexes,
    stop::{Flow, Stop},
    syntax::{
        definitions::Definitions,
        tree::{Node, Op},
    },
};

/// One evaluation.
pub(crate) struct Machine<'m> {
    pub(crate) context: Context<'m>,
    names: &'m [Arc<str>],
    reads: &'m [Reads],
    globals: Vec<OnceCell<Value>>,
    library: &'static Definitions,
    labels: Cell<u32>,
}

/// What catching an error costs.
const ERROR_TICKS: u64 = 16;

static ROOT: Env<'static> = Env::Root;

impl<'m> Machine<'m> {
    pub(crate) fn new(
        (names, reads): (&'m [Arc<str>], &'m [Reads]),
        regexes: &'m SharedRegexes,
        environment: &'m dyn Environment,
    ) -> Self {
        Self {
            context: Context::new(regexes, environment),
            names,
            reads,
            globals: names.iter().map(|_| OnceCell::new()).collect(),
            library: library::shared(),
            labels: Cell::new(0),
        }
    }

    /// Runs a whole program and hands over its results.
    pub(crate) fn start(
        &self,
        program: &Node,
        input: Value,
        out: &mut dyn FnMut(Value) -> Flow,
    ) -> Flow {
        if program.single {
            self.context.budget.tick()?;
            return out(self.one(program, &ROOT, input)?);
        }
        self.run(program, &ROOT, Item::plain(input), &mut |item| out(item.value))
    }

    fn global(&self, number: usize) -> Flow<Value> {
        let unbound = || Stop::raise(format!("${} has no value here", self.names[number]));
        let slot = &self.globals[number];
        if let Some(value) = slot.get() {
            return Ok(value.clone());
        }
        match self.context.environment.members(&self.names[number], &self.reads[number]) {
            Some(value) if value.depth() > Value::MAX_DEPTH => Stop::limit(Limit::ValueDepth),
            Some(value) => Ok(slot.get_or_init(|| value).clone()),
            None => unbound(),
        }
    }

    fn new_label(&self) -> u32 {
        self.labels.set(self.labels.get() + 1);
        self.labels.get()
    }

    /// Hands every result of `node` to `out`.
    pub(crate) fn run<'e>(
        &self,
        mut node: &'e Node,
        mut env: &'e Env<'e>,
        mut item: Item,
        out: Out<'_>,
    ) -> Flow {
        let _nesting = self.context.budget.enter()?;
        loop {
            self.context.budget.tick()?;
            if node.single && item.is_plain() {
                return out(Item::plain(self.one(node, env, item.value)?));
            }
            match &node.op {
                Op::Pipe(left, right) if left.single && item.is_plain() => {
                    item = Item::plain(self.one(left, env, item.value)?);
                    node = right;
                }
                Op::If(condition, then, otherwise) if condition.single => {
                    let chosen = self.one(condition, env, item.value.clone())?.is_truthy();
                    node = if chosen { then } else { otherwise };
                }
                Op::Comma(items) => {
                    let Some((last, before)) = items.split_last() else { return Ok(()) };
                    for node in before {
                        self.run(node, env, item.clone(), out)?;
                    }
                    node = last;
                }
                Op::Library(number, args) if args.is_empty() => {
                    node = self.library.body(*number);
                    env = &ROOT;
                }
                Op::Call(distance, args) if args.is_empty() => {
                    let at = env.up(*distance);
                    let Env::Function { function, .. } = at else { return Stop::broken() };
                    node = &function.body;
                    env = at;
                }
                Op::Parameter(distance) => {
                    let Env::Parameter { node: filter, env: theirs, .. } = env.up(*distance) else {
                        return Stop::broken();
                    };
                    node = filter;
                    env = theirs;
                }
                _ => return self.run_op(node, env, item, out),
            }
        }
    }

    fn run_op<'e>(&self, node: &'e Node, env: &'e Env<'e>, item: Item, out: Out<'_>) -> Flow {
        match &node.op {
            Op::Identity => out(item),
            Op::Pipe(left, right) => {
                self.run(left, env, item, &mut |item| self.run(right, env, item, out))
            }
            Op::If(condition, then, otherwise) => {
                self.run(condition, env, item.untracked(), &mut |chosen| {
                    let branch = if chosen.value.is_truthy() { then } else { otherwise };
                    self.run(branch, env, item.clone(), out)
                })
            }
            Op::Field(..) | Op::Index(..) | Op::Slice(..) | Op::Iterate(_) => {
                self.run_access(node, env, item, out)
            }
            Op::Alternative(left, right) => self.run_alternative(left, right, env, item, out),
            Op::Try(body, handler) => self.run_try(body, handler.as_deref(), env, item, out),
            Op::Reduce(fold) => self.run_reduce(fold, env, &item, out),
            Op::Foreach(fold) => self.run_foreach(fold, env, &item, out),
            Op::Bind(source, binding, body) => {
                self.run_bind(source, binding, body, env, &item, out)
            }
            Op::Label(body) => {
                let id = self.new_label();
                let inner = Env::Label { id, parent: env };
                self.run(body, &inner, item, out).or_else(|stop| stop.caught_at(id))
            }
            Op::Break(distance) => match env.up(*distance) {
                Env::Label { id, .. } => Stop::break_to(*id),
                _ => Stop::broken(),
            },
            Op::Define(function, body) => {
                let inner = Env::Function { function, parent: env };
                self.run(body, &inner, item, out)
            }
            Op::Call(distance, args) => {
                let at = env.up(*distance);
                let Env::Function { function, .. } = at else { return Stop::broken() };
                self.call(&function.body, args, env, at, item, out)
            }
            Op::Library(number, args) => {
                self.call(self.library.body(*number), args, env, &ROOT, item, out)
            }
            Op::Special(special, args) => self.run_special(*special, args, env, item, out),
            _ => self.run_computed(node, env, &item, out),
        }
    }

    /// Filters whose results are new values, not places in the input.
    fn run_computed<'e>(
        &self,
        node: &'e Node,
        env: &'e Env<'e>,
        item: &Item,
        out: Out<'_>,
    ) -> Flow {
        let out = &mut |value| out(item.computed(value));
        let input = item.value.clone();
        if node.single {
            return out(self.one(node, env, input)?);
        }
        match &node.op {
            Op::Object(members) => self.run_object(members, Vec::new(), env, &input, out),
            Op::Text(parts) => self.run_text(parts, Vec::new(), env, &input, out),
            Op::Negate(operand) => {
                self.values(operand, env, input, &mut |value| out(operators::negate(&value)?))
            }
            Op::Binary(operator, left, right) => {
                self.values(right, env, input.clone(), &mut |right| {
                    self.values(left, env, input.clone(), &mut |left| {
                        self.context.budget.tick()?;
                        out(operators::binary(&self.context, *operator, left, right.clone())?)
                    })
                })
            }
            Op::And(left, right) => self.run_logic(false, [left, right], env, &input, out),
            Op::Or(left, right) => self.run_logic(true, [left, right], env, &input, out),
            Op::Native(native, args) => {
                self.run_native(native, args, vec![input.clone()], env, &input, out)
            }
            Op::Assign(paths, value) => self.values(value, env, input.clone(), &mut |value| {
                out(self.assign(paths, env, input.clone(), &value)?)
            }),
            Op::UpdateWith(operator, paths, value) => {
                self.values(value, env, input.clone(), &mut |value| {
                    out(self.update_with(*operator, paths, env, input.clone(), &value)?)
                })
            }
            Op::UpdateAlternative(paths, value) => {
                self.values(value, env, input.clone(), &mut |value| {
                    out(self.update_alternative(paths, env, input.clone(), &value)?)
                })
            }
            _ => Stop::broken(),
        }
    }

    /// Hands every result of `node` on `input` to `out`, as values without places.
    pub(crate) fn values<'e>(
        &self,
        node: &'e Node,
        env: &'e Env<'e>,
        input: Value,
        out: &mut dyn FnMut(Value) -> Flow,
    ) -> Flow {
        if node.single {
            self.context.budget.tick()?;
            return out(self.one(node, env, input)?);
        }
        self.run(node, env, Item::plain(input), &mut |item| out(item.value))
    }

    fn run_alternative<'e>(
        &self,
        left: &'e Node,
        right: &'e Node,
        env: &'e Env<'e>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        let (mut found, mut passed_on) = (false, false);
        let flow = self.run(left, env, item.clone(), &mut |item| {
            if !item.value.is_truthy() {
                return Ok(());
            }
            found = true;
            out(item).inspect_err(|_| passed_on = true)
        });
        match flow {
            Err(stop) if passed_on || !stop.is_error() => Err(stop),
            _ if found => Ok(()),
            _ => self.run(right, env, item, out),
        }
    }

    fn run_try<'e>(
        &self,
        body: &'e Node,
        handler: Option<&'e Node>,
        env: &'e Env<'e>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        let mut passed_on = false;
        let flow =
            self.run(body, env, item, &mut |item| out(item).inspect_err(|_| passed_on = true));
        match flow {
            Err(stop) if !passed_on => {
                let error = stop.into_error()?;
                // An error is a text that was put together, perhaps for nothing.
                self.context.budget.ticks(ERROR_TICKS)?;
                handler.map_or(Ok(()), |handler| self.run(handler, env, Item::plain(error), out))
            }
            flow => flow,
        }
    }

    /// Calls `body` with these filters as arguments.
    fn call<'e>(
        &self,
        body: &'e Node,
        args: &'e [Node],
        caller: &'e Env<'e>,
        env: &'e Env<'e>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        match args.split_first() {
            None => self.run(body, env, item, out),
            Some((first, rest)) => {
                let inner = Env::Parameter { node: first, env: caller, parent: env };
                self.call(body, rest, caller, &inner, item, out)
            }
        }
    }

    fn run_logic<'e>(
        &self,
        settles: bool,
        [left, right]: [&'e Node; 2],
        env: &'e Env<'e>,
        input: &Value,
        out: &mut dyn FnMut(Value) -> Flow,
    ) -> Flow {
        self.values(left, env, input.clone(), &mut |left| {
            if left.is_truthy() == settles {
                return out(Value::from(settles).tainted_if(left.is_tainted()));
            }
            self.values(right, env, input.clone(), &mut |right| {
                let mark = left.is_tainted() || right.is_tainted();
                out(Value::from(right.is_truthy()).tainted_if(mark))
            })
        })
    }
}
