//! `as` and its patterns.

use super::{Env, Item, Machine, Out};
use crate::{
    Value,
    natives::{self, access},
    stop::{Flow, Stop},
    syntax::tree::{Binding, Member, Node, Pattern},
};

/// Goes on with the names bound.
type Then<'t> = &'t mut dyn for<'x> FnMut(&'x Env<'x>) -> Flow;

impl Machine<'_> {
    pub(super) fn run_bind<'e>(
        &self,
        source: &'e Node,
        binding: &'e Binding,
        body: &'e Node,
        env: &'e Env<'e>,
        item: &Item,
        out: Out<'_>,
    ) -> Flow {
        self.values(source, env, item.value.clone(), &mut |value| {
            if binding.is_plain() {
                return self.run(body, &Env::Value { value, parent: env }, item.clone(), out);
            }
            let mut passed_on = false;
            self.bind_all(binding, &value, env, &item.value, &mut |inner| {
                passed_on = false;
                self.run(body, inner, item.clone(), &mut |item| {
                    out(item).inspect_err(|_| passed_on = true)
                })
            })
        })
    }

    /// Binds with the first pattern after which neither it nor what follows raises an error.
    pub(super) fn bind_all<'e>(
        &self,
        binding: &'e Binding,
        value: &Value,
        env: &'e Env<'e>,
        input: &Value,
        then: Then<'_>,
    ) -> Flow {
        let Some((last, before)) = binding.patterns.split_last() else { return Ok(()) };
        for pattern in before {
            match self.bind_one(pattern, binding.slots, value, env, input, then) {
                Err(stop) if stop.is_error() => {}
                flow => return flow,
            }
        }
        self.bind_one(last, binding.slots, value, env, input, then)
    }

    fn bind_one<'e>(
        &self,
        pattern: &'e Pattern,
        slots: usize,
        value: &Value,
        env: &'e Env<'e>,
        input: &Value,
        then: Then<'_>,
    ) -> Flow {
        let work = vec![(pattern, value.clone())];
        self.take_apart(work, vec![Value::NULL; slots], env, input, then)
    }

    fn take_apart<'e>(
        &self,
        mut work: Vec<(&'e Pattern, Value)>,
        mut slots: Vec<Value>,
        env: &'e Env<'e>,
        input: &Value,
        then: Then<'_>,
    ) -> Flow {
        let _nesting = self.context.budget.enter()?;
        while let Some((pattern, value)) = work.pop() {
            self.context.budget.tick()?;
            match pattern {
                Pattern::Slot(slot) => slots[*slot] = value,
                Pattern::Array(items) => {
                    if !value.is_null() && value.as_array().is_none() {
                        return Stop::raise(format!(
                            "Cannot index {} with number",
                            value.type_name()
                        ));
                    }
                    for (index, item) in items.iter().enumerate().rev() {
                        work.push((
                            item,
                            access::index(&self.context, &value, &natives::integer(index))?,
                        ));
                    }
                }
                Pattern::Object(members) => {
                    return self.take_members(members, &value, work, slots, env, input, then);
                }
            }
        }
        with_slots(&slots, env, then)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one destructuring, which nothing else holds"
    )]
    fn take_members<'e>(
        &self,
        members: &'e [Member],
        value: &Value,
        work: Vec<(&'e Pattern, Value)>,
        slots: Vec<Value>,
        env: &'e Env<'e>,
        input: &Value,
        then: Then<'_>,
    ) -> Flow {
        let Some((member, rest)) = members.split_first() else {
            return self.take_apart(work, slots, env, input, then);
        };
        let _nesting = self.context.budget.enter()?;
        self.values(&member.key, env, input.clone(), &mut |key| {
            if key.as_str().is_none() {
                return Stop::raise(format!(
                    "Cannot index {} with {}",
                    value.type_name(),
                    key.type_name()
                ));
            }
            let part = access::index(&self.context, value, &key)?;
            let (mut work, mut slots) = (work.clone(), slots.clone());
            if let Some(slot) = member.slot {
                slots[slot] = part.clone();
            }
            if let Some(pattern) = &member.value {
                work.push((pattern, part));
            }
            self.take_members(rest, value, work, slots, env, input, then)
        })
    }
}

fn with_slots<'e>(slots: &[Value], env: &'e Env<'e>, then: Then<'_>) -> Flow {
    match slots.split_first() {
        None => then(env),
        Some((first, rest)) => {
            let inner = Env::Value { value: first.clone(), parent: env };
            with_slots(rest, &inner, then)
        }
    }
}
