//! Assignments: changing what stands at places.

use super::{Env, Item, Machine};
use crate::{
    Value,
    natives::{access, operators},
    stop::Flow,
    syntax::tree::{Binary, Node},
};

impl Machine<'_> {
    /// `paths = value`
    pub(super) fn assign<'e>(
        &self,
        paths: &'e Node,
        env: &'e Env<'e>,
        input: Value,
        value: &Value,
    ) -> Flow<Value> {
        self.change(paths, env, input, &mut |_| Ok(Some(value.clone())))
    }

    /// `paths |= update`: the update's first result, or removal where it has none.
    pub(super) fn update<'e>(
        &self,
        paths: &'e Node,
        update: &'e Node,
        env: &'e Env<'e>,
        input: Value,
    ) -> Flow<Value> {
        self.change(paths, env, input, &mut |before| {
            self.context.budget.tick()?;
            if update.single {
                return self.one(update, env, before).map(Some);
            }
            self.first(update, env, Item::plain(before)).map(|item| item.map(|item| item.value))
        })
    }

    /// `paths += value` and its like.
    pub(super) fn update_with<'e>(
        &self,
        operator: Binary,
        paths: &'e Node,
        env: &'e Env<'e>,
        input: Value,
        value: &Value,
    ) -> Flow<Value> {
        self.change(paths, env, input, &mut |before| {
            operators::binary(&self.context, operator, before, value.clone()).map(Some)
        })
    }

    /// `paths //= value`
    pub(super) fn update_alternative<'e>(
        &self,
        paths: &'e Node,
        env: &'e Env<'e>,
        input: Value,
        value: &Value,
    ) -> Flow<Value> {
        self.change(paths, env, input, &mut |before| {
            Ok(Some(if before.is_truthy() { before } else { value.clone() }))
        })
    }

    fn change<'e>(
        &self,
        paths: &'e Node,
        env: &'e Env<'e>,
        input: Value,
        change: access::Change<'_>,
    ) -> Flow<Value> {
        let mut places = Vec::new();
        self.run(paths, env, Item::traced(input.clone()), &mut |item| {
            item.check_place()?;
            places.push(item.track);
            Ok(())
        })?;
        let mut result = input;
        let mut removed = Vec::new();
        for track in places {
            self.context.budget.ticks(2)?;
            let place = Item { value: Value::NULL, track }.place()?;
            let mut empty = false;
            result = access::change(&self.context, result, &place, &mut |before| {
                let after = change(before)?;
                empty = after.is_none();
                Ok(after)
            })?;
            if empty {
                removed.push(Value::array(place));
            }
        }
        if removed.is_empty() {
            Ok(result)
        } else {
            access::delete_paths(&self.context, result, &removed)
        }
    }
}
