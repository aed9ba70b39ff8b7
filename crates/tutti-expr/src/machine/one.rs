//! Filters that yield exactly one result.

use std::fmt::Write as _;

use super::{Env, Item, Machine};
use crate::{
    Object, Value,
    budget::Budget,
    native::Native,
    natives::{self, operators},
    stop::{Flow, Stop},
    syntax::tree::{Fold, Node, Op, Part},
    value::Array,
};

impl Machine<'_> {
    /// The one result of a node that is [`single`](Node::single).
    pub(crate) fn one<'e>(&self, node: &'e Node, env: &'e Env<'e>, input: Value) -> Flow<Value> {
        match &node.op {
            Op::Identity => Ok(input),
            Op::Constant(value) => Ok(value.clone()),
            Op::Local(distance) => match env.up(*distance) {
                Env::Value { value, .. } => Ok(value.clone()),
                _ => Stop::broken(),
            },
            Op::Global(number) => self.global(*number),
            Op::Field(target, name) => match &target.op {
                Op::Identity => natives::access::field(&input, name),
                _ => natives::access::field(&self.one(target, env, input)?, name),
            },
            Op::Pipe(left, right) => {
                let middle = self.one(left, env, input)?;
                self.context.budget.tick()?;
                self.one(right, env, middle)
            }
            Op::If(condition, then, otherwise) => {
                let chosen = self.one(condition, env, input.clone())?.is_truthy();
                self.one(if chosen { then } else { otherwise }, env, input)
            }
            Op::Binary(operator, left, right) => {
                let right = self.one(right, env, input.clone())?;
                let left = self.one(left, env, input)?;
                self.context.budget.tick()?;
                operators::binary(&self.context, *operator, left, right)
            }
            Op::Collect(inner) => self.collect(inner, env, input),
            _ => self.one_op(node, env, input),
        }
    }

    fn one_op<'e>(&self, node: &'e Node, env: &'e Env<'e>, input: Value) -> Flow<Value> {
        match &node.op {
            Op::Index(target, key) => {
                let key = self.one(key, env, input.clone())?;
                natives::access::index(&self.context, &self.one(target, env, input)?, &key)
            }
            Op::Slice(target, from, to) => {
                let bound = |node: &'e Option<Box<Node>>| match node {
                    Some(node) => self.one(node, env, input.clone()),
                    None => Ok(Value::NULL),
                };
                let key = natives::access::slice_key(bound(from)?, bound(to)?);
                natives::access::index(&self.context, &self.one(target, env, input)?, &key)
            }
            Op::Object(members) => self.one_object(members, env, &input),
            Op::Text(parts) => self.one_text(parts, env, &input),
            Op::Negate(operand) => operators::negate(&self.one(operand, env, input)?),
            Op::And(left, right) => self.one_logic(false, [left, right], env, input),
            Op::Or(left, right) => self.one_logic(true, [left, right], env, input),
            Op::Alternative(left, right) => match self.one(left, env, input.clone()) {
                Ok(value) if value.is_truthy() => Ok(value),
                Err(stop) if !stop.is_error() => Err(stop),
                _ => self.one(right, env, input),
            },
            Op::Try(body, Some(handler)) => match self.one(body, env, input) {
                Err(stop) => {
                    let error = stop.into_error()?;
                    self.context.budget.ticks(super::ERROR_TICKS)?;
                    self.one(handler, env, error)
                }
                value => value,
            },
            Op::Reduce(fold) => self.one_reduce(fold, env, input),
            Op::Bind(source, _, body) => {
                let value = self.one(source, env, input.clone())?;
                self.one(body, &Env::Value { value, parent: env }, input)
            }
            Op::Define(function, body) => {
                self.one(body, &Env::Function { function, parent: env }, input)
            }
            Op::Native(native, args) => self.one_native(native, args, env, input),
            Op::Special(special, args) => self.one_special(*special, args, env, input),
            Op::Update(paths, update) => self.update(paths, update, env, input),
            Op::Assign(paths, value) => {
                let value = self.one(value, env, input.clone())?;
                self.assign(paths, env, input, &value)
            }
            Op::UpdateWith(operator, paths, value) => {
                let value = self.one(value, env, input.clone())?;
                self.update_with(*operator, paths, env, input, &value)
            }
            Op::UpdateAlternative(paths, value) => {
                let value = self.one(value, env, input.clone())?;
                self.update_alternative(paths, env, input, &value)
            }
            _ => Stop::broken(),
        }
    }

    /// All results of a node as an array.
    pub(crate) fn collect<'e>(
        &self,
        node: &'e Node,
        env: &'e Env<'e>,
        input: Value,
    ) -> Flow<Value> {
        let mut items = Vec::new();
        let mut size = 0_u64;
        self.values(node, env, input, &mut |value| {
            size = size.saturating_add(value.size());
            if size > crate::limits::BYTES {
                return Stop::limit(crate::limits::Limit::Bytes);
            }
            items.push(value);
            Ok(())
        })?;
        self.context.budget.copy(items.len())?;
        Budget::admit(Value::from(Array::new(items)))
    }

    fn one_object<'e>(
        &self,
        members: &'e [(Node, Node)],
        env: &'e Env<'e>,
        input: &Value,
    ) -> Flow<Value> {
        let mut object = Object::default();
        for (key, value) in members {
            self.context.budget.tick()?;
            let key = self.one(key, env, input.clone())?;
            natives::object::put(&mut object, &key, self.one(value, env, input.clone())?)?;
        }
        Budget::admit(Value::from(object))
    }

    /// Objects of every combination of the members' results; the last member changes fastest.
    pub(super) fn run_object<'e>(
        &self,
        members: &'e [(Node, Node)],
        done: Vec<(Value, Value)>,
        env: &'e Env<'e>,
        input: &Value,
        out: &mut dyn FnMut(Value) -> Flow,
    ) -> Flow {
        let Some(((key, value), rest)) = members.split_first() else {
            self.context.budget.ticks(2 * done.len() as u64)?;
            let mut object = Object::default();
            for (key, value) in done {
                natives::object::put(&mut object, &key, value)?;
            }
            return out(Budget::admit(Value::from(object))?);
        };
        let _nesting = self.context.budget.enter()?;
        self.values(key, env, input.clone(), &mut |key| {
            self.values(value, env, input.clone(), &mut |value| {
                self.context.budget.ticks(2 + done.len() as u64 / 2)?;
                let mut done = done.clone();
                done.push((key.clone(), value));
                self.run_object(rest, done, env, input, out)
            })
        })
    }

    fn one_text<'e>(&self, parts: &'e [Part], env: &'e Env<'e>, input: &Value) -> Flow<Value> {
        let mut pieces = Vec::with_capacity(parts.len());
        for part in parts {
            self.context.budget.tick()?;
            pieces.push(match part {
                Part::Literal(text) => Value::from(text.clone()),
                Part::Hole(node) => self.one(node, env, input.clone())?,
            });
        }
        self.join_text(&pieces)
    }

    fn join_text(&self, pieces: &[Value]) -> Flow<Value> {
        let length: usize = pieces.iter().filter_map(Value::as_str).map(str::len).sum();
        self.context.budget.hold(length as u64)?;
        self.context.budget.walk(length as u64)?;
        self.context.budget.copy(pieces.len())?;
        let mut text = String::with_capacity(length);
        for piece in pieces {
            match piece.as_str() {
                Some(piece) => text.push_str(piece),
                None => write!(text, "{}", piece.to_json()).unwrap_or_default(),
            }
        }
        Ok(Value::from(text).tainted_if(pieces.iter().any(Value::is_tainted)))
    }

    /// Texts of every combination of the parts' results; the first part changes fastest.
    pub(super) fn run_text<'e>(
        &self,
        parts: &'e [Part],
        done: Vec<Value>,
        env: &'e Env<'e>,
        input: &Value,
        out: &mut dyn FnMut(Value) -> Flow,
    ) -> Flow {
        let Some((part, before)) = parts.split_last() else {
            let pieces: Vec<Value> = done.into_iter().rev().collect();
            return out(self.join_text(&pieces)?);
        };
        let _nesting = self.context.budget.enter()?;
        let mut next = |piece| {
            self.context.budget.ticks(2 + done.len() as u64 / 4)?;
            let mut done = done.clone();
            done.push(piece);
            self.run_text(before, done, env, input, out)
        };
        match part {
            Part::Literal(text) => next(Value::from(text.clone())),
            Part::Hole(node) => self.values(node, env, input.clone(), &mut next),
        }
    }

    fn one_logic<'e>(
        &self,
        settles: bool,
        [left, right]: [&'e Node; 2],
        env: &'e Env<'e>,
        input: Value,
    ) -> Flow<Value> {
        let left = self.one(left, env, input.clone())?;
        if left.is_truthy() == settles {
            return Ok(Value::from(settles).tainted_if(left.is_tainted()));
        }
        let right = self.one(right, env, input)?;
        Ok(Value::from(right.is_truthy()).tainted_if(left.is_tainted() || right.is_tainted()))
    }

    fn one_reduce<'e>(&self, fold: &'e Fold, env: &'e Env<'e>, input: Value) -> Flow<Value> {
        let mut result = Value::NULL;
        self.run_reduce(fold, env, &Item::plain(input), &mut |item| {
            result = item.value;
            Ok(())
        })?;
        Ok(result)
    }

    fn one_native<'e>(
        &self,
        native: &'static Native,
        args: &'e [Node],
        env: &'e Env<'e>,
        input: Value,
    ) -> Flow<Value> {
        self.context.budget.tick()?;
        if args.is_empty() {
            return native.call(&self.context, &[input]);
        }
        let mut values = vec![input.clone()];
        for arg in args {
            values.push(self.one(arg, env, input.clone())?);
        }
        native.call(&self.context, &values)
    }

    /// Calls a native with every combination of its arguments' results; the first argument changes fastest.
    pub(super) fn run_native<'e>(
        &self,
        native: &'static Native,
        args: &'e [Node],
        mut values: Vec<Value>,
        env: &'e Env<'e>,
        input: &Value,
        out: &mut dyn FnMut(Value) -> Flow,
    ) -> Flow {
        let Some((last, before)) = args.split_last() else {
            values[1..].reverse();
            self.context.budget.ticks(args.len() as u64 + 1)?;
            return out(native.call(&self.context, &values)?);
        };
        self.values(last, env, input.clone(), &mut |value| {
            let mut values = values.clone();
            values.push(value);
            self.run_native(native, before, values, env, input, out)
        })
    }
}
