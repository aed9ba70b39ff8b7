//! Filters that go from a value to what stands in it.

use super::{Env, Item, Machine, Out};
use crate::{
    Value,
    natives::{self, access},
    stop::{Flow, Stop},
    syntax::tree::{Node, Op},
};

impl Machine<'_> {
    pub(super) fn run_access<'e>(
        &self,
        node: &'e Node,
        env: &'e Env<'e>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        match &node.op {
            Op::Field(target, name) => {
                let key = Value::from(name.clone());
                self.run(target, env, item, &mut |item| out(self.step(&item, &key)?))
            }
            Op::Index(target, key) => self.values(key, env, item.value.clone(), &mut |key| {
                self.run(target, env, item.clone(), &mut |item| out(self.step(&item, &key)?))
            }),
            Op::Slice(target, from, to) => {
                self.bound(from.as_deref(), env, &item.value, &mut |from| {
                    self.bound(to.as_deref(), env, &item.value, &mut |to| {
                        let key = access::slice_key(from.clone(), to);
                        self.run(
                            target,
                            env,
                            item.clone(),
                            &mut |item| out(self.step(&item, &key)?),
                        )
                    })
                })
            }
            Op::Iterate(target) => self.run(target, env, item, &mut |item| self.each(&item, out)),
            _ => Stop::broken(),
        }
    }

    fn bound<'e>(
        &self,
        node: Option<&'e Node>,
        env: &'e Env<'e>,
        input: &Value,
        out: &mut dyn FnMut(Value) -> Flow,
    ) -> Flow {
        match node {
            Some(node) => self.values(node, env, input.clone(), out),
            None => out(Value::NULL),
        }
    }

    /// What stands at `key` in an item, and its place.
    pub(super) fn step(&self, item: &Item, key: &Value) -> Flow<Item> {
        item.check_place()?;
        let value = access::index(&self.context, &item.value, key)?;
        Ok(Item { value, track: item.track.then(key)? })
    }

    /// Every part of an item, and its place.
    pub(super) fn each(&self, item: &Item, out: Out<'_>) -> Flow {
        item.check_place()?;
        if let Some(items) = item.value.as_array() {
            for (index, value) in items.iter().enumerate() {
                self.context.budget.tick()?;
                let track = item.track.then_with(|| natives::integer(index))?;
                out(Item { value: value.clone(), track })?;
            }
            return Ok(());
        }
        if let Some(object) = item.value.as_object() {
            for (key, value) in object.iter() {
                self.context.budget.tick()?;
                let mark = object.keys_tainted();
                let track = item.track.then_with(|| Value::from(key.clone()).tainted_if(mark))?;
                out(Item { value: value.clone(), track })?;
            }
            return Ok(());
        }
        Stop::raise(format!("Cannot iterate over {}", natives::describe_with_null(&item.value)))
    }
}
