//! `reduce` and `foreach`.

use super::{Env, Item, Machine, Out};
use crate::{Value, stop::Flow, syntax::tree::Fold};

impl Machine<'_> {
    pub(super) fn run_reduce<'e>(
        &self,
        fold: &'e Fold,
        env: &'e Env<'e>,
        item: &Item,
        out: Out<'_>,
    ) -> Flow {
        self.run(&fold.start, env, item.clone(), &mut |start| {
            let mut state = start;
            self.values(&fold.source, env, item.value.clone(), &mut |value| {
                self.with_bound(fold, value, env, &item.value, &mut |inner| {
                    let before = std::mem::replace(&mut state, Item::plain(Value::NULL));
                    state = self.last_update(fold, inner, before)?;
                    Ok(())
                })
            })?;
            out(state)
        })
    }

    /// The last result of the update, or `null`.
    fn last_update<'x>(&self, fold: &'x Fold, env: &'x Env<'x>, before: Item) -> Flow<Item> {
        if fold.update.single && before.is_plain() {
            self.context.budget.tick()?;
            return Ok(Item::plain(self.one(&fold.update, env, before.value)?));
        }
        let mut last = before.computed(Value::NULL);
        self.run(&fold.update, env, before, &mut |item| {
            last = item;
            Ok(())
        })?;
        Ok(last)
    }

    pub(super) fn run_foreach<'e>(
        &self,
        fold: &'e Fold,
        env: &'e Env<'e>,
        item: &Item,
        out: Out<'_>,
    ) -> Flow {
        self.run(&fold.start, env, item.clone(), &mut |start| {
            let mut state = start;
            self.values(&fold.source, env, item.value.clone(), &mut |value| {
                self.with_bound(fold, value, env, &item.value, &mut |inner| {
                    let before = state.clone();
                    self.run(&fold.update, inner, before, &mut |item| {
                        state = item.clone();
                        match &fold.extract {
                            Some(extract) => self.run(extract, inner, item, out),
                            None => out(item),
                        }
                    })
                })
            })
        })
    }

    fn with_bound<'e>(
        &self,
        fold: &'e Fold,
        value: Value,
        env: &'e Env<'e>,
        input: &Value,
        then: &mut dyn for<'x> FnMut(&'x Env<'x>) -> Flow,
    ) -> Flow {
        if fold.binding.is_plain() {
            return then(&Env::Value { value, parent: env });
        }
        self.bind_all(&fold.binding, &value, env, input, then)
    }
}
