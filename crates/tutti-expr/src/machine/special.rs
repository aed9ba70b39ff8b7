//! Built-in filters that take filters.

use super::{Env, Item, Machine, Out};
use crate::{
    Value,
    budget::Budget,
    natives::{self, operators, sorting},
    stop::{Flow, Stop},
    syntax::tree::{Binary, Node, Special},
};

/// What is left to do of a walk, the next on top.
enum Pending {
    Visit(Item),
    Emit(Item),
    Fail(Box<Stop>),
}

impl Machine<'_> {
    pub(super) fn run_special<'e>(
        &self,
        special: Special,
        args: &'e [Node],
        env: &'e Env<'e>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        match (special, args) {
            (Special::Empty, _) => Ok(()),
            (Special::Path, [paths]) => {
                self.run(paths, env, Item::traced(item.value.clone()), &mut |place| {
                    out(item.computed(Budget::admit(Value::array(place.place()?))?))
                })
            }
            (Special::GetPath, [path]) => self.values(path, env, item.value.clone(), &mut |path| {
                out(self.get_path(item.clone(), &path)?)
            }),
            (Special::Range, bounds) => self.run_range(bounds, env, &item, out),
            (Special::Limit, [count, filter]) => {
                self.values(count, env, item.value.clone(), &mut |count| {
                    self.run_limit(natives::count(&count, "limit")?, filter, env, item.clone(), out)
                })
            }
            (Special::Skip, [count, filter]) => {
                self.values(count, env, item.value.clone(), &mut |count| {
                    let mut left = natives::count(&count, "skip")?;
                    self.run(filter, env, item.clone(), &mut |item| {
                        if left == 0 {
                            return out(item);
                        }
                        left -= 1;
                        Ok(())
                    })
                })
            }
            (Special::First, [filter]) => match self.first(filter, env, item)? {
                Some(first) => out(first),
                None => Ok(()),
            },
            (Special::Last, [filter]) => {
                let mut last = None;
                self.run(filter, env, item, &mut |item| {
                    last = Some(item);
                    Ok(())
                })?;
                last.map_or(Ok(()), out)
            }
            (Special::Recurse | Special::Repeat, [children]) => {
                self.walk(item, out, &mut |item, pending| {
                    pending.push(Pending::Emit(item.clone()));
                    self.gather(children, env, item, pending)
                })
            }
            (Special::While, [condition, update]) => self.walk(item, out, &mut |item, pending| {
                self.choose(condition, env, item.clone(), pending, &mut |chosen, pending| {
                    if !chosen {
                        return Ok(());
                    }
                    pending.push(Pending::Emit(item.clone()));
                    self.gather(update, env, item.clone(), pending)
                })
            }),
            (Special::Until, [condition, update]) => self.walk(item, out, &mut |item, pending| {
                self.choose(condition, env, item.clone(), pending, &mut |chosen, pending| {
                    if !chosen {
                        return self.gather(update, env, item.clone(), pending);
                    }
                    pending.push(Pending::Emit(item.clone()));
                    Ok(())
                })
            }),
            (Special::Substitute, [pattern, text, flags, global]) => {
                self.run_substitute([pattern, text, flags, global], env, &item, out)
            }
            _ => out(item.computed(self.one_special(special, args, env, item.value.clone())?)),
        }
    }

    pub(super) fn one_special<'e>(
        &self,
        special: Special,
        args: &'e [Node],
        env: &'e Env<'e>,
        input: Value,
    ) -> Flow<Value> {
        match (special, args) {
            (Special::GetPath, [path]) => {
                let path = self.one(path, env, input.clone())?;
                Ok(self.get_path(Item::plain(input), &path)?.value)
            }
            (Special::Any, [items, condition]) => self.settles(true, items, condition, env, input),
            (Special::All, [items, condition]) => self.settles(false, items, condition, env, input),
            (Special::AddAll, [items]) => {
                let mut sum = Value::NULL;
                self.values(items, env, input, &mut |item| {
                    let before = std::mem::replace(&mut sum, Value::NULL);
                    sum = operators::binary(&self.context, Binary::Add, before, item)?;
                    Ok(())
                })?;
                Ok(sum)
            }
            (_, [key]) => {
                let Some(items) = input.as_array() else {
                    return Stop::raise(format!("Cannot index {} with number", input.type_name()));
                };
                let mut keyed = Vec::with_capacity(items.len());
                for item in items {
                    self.context.budget.tick()?;
                    keyed.push((self.collect(key, env, item.clone())?, item.clone()));
                }
                sorting::by_key(&self.context, special, keyed)
            }
            _ => Stop::broken(),
        }
    }

    /// The first result of a filter.
    pub(super) fn first<'e>(
        &self,
        filter: &'e Node,
        env: &'e Env<'e>,
        item: Item,
    ) -> Flow<Option<Item>> {
        let label = self.new_label();
        let mut first = None;
        self.run(filter, env, item, &mut |item| {
            first = Some(item);
            Stop::break_to(label)
        })
        .or_else(|stop| stop.caught_at(label))?;
        Ok(first)
    }

    fn run_limit<'e>(
        &self,
        count: u64,
        filter: &'e Node,
        env: &'e Env<'e>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        if count == 0 {
            return Ok(());
        }
        let label = self.new_label();
        let mut left = count;
        self.run(filter, env, item, &mut |item| {
            left -= 1;
            out(item)?;
            if left == 0 { Stop::break_to(label) } else { Ok(()) }
        })
        .or_else(|stop| stop.caught_at(label))
    }

    fn get_path(&self, item: Item, path: &Value) -> Flow<Item> {
        let Some(keys) = path.as_array() else {
            return Stop::raise("Path must be specified as an array");
        };
        keys.iter().try_fold(item, |item, key| {
            self.context.budget.tick()?;
            if item.value.is_null() {
                item.check_place()?;
                let value = Value::NULL.tainted_if(item.value.is_tainted());
                return Ok(Item { value, track: item.track.then(key)? });
            }
            self.step(&item, key)
        })
    }

    fn settles<'e>(
        &self,
        on: bool,
        items: &'e Node,
        condition: &'e Node,
        env: &'e Env<'e>,
        input: Value,
    ) -> Flow<Value> {
        let label = self.new_label();
        let (mut settled, mut mark) = (false, false);
        self.values(items, env, input, &mut |item| {
            self.values(condition, env, item, &mut |truth| {
                mark |= truth.is_tainted();
                settled = truth.is_truthy() == on;
                if settled { Stop::break_to(label) } else { Ok(()) }
            })
        })
        .or_else(|stop| stop.caught_at(label))?;
        Ok(Value::from(settled == on).tainted_if(mark))
    }

    fn run_range<'e>(
        &self,
        bounds: &'e [Node],
        env: &'e Env<'e>,
        item: &Item,
        out: Out<'_>,
    ) -> Flow {
        let input = &item.value;
        let mut emit = |value| out(item.computed(value));
        match bounds {
            [end] => self.values(end, env, input.clone(), &mut |end| {
                self.count_up(&Value::from(0), &end, &Value::from(1), &mut emit)
            }),
            [start, end] => self.values(start, env, input.clone(), &mut |start| {
                self.values(end, env, input.clone(), &mut |end| {
                    self.count_up(&start, &end, &Value::from(1), &mut emit)
                })
            }),
            [start, end, by] => self.values(start, env, input.clone(), &mut |start| {
                self.values(end, env, input.clone(), &mut |end| {
                    self.values(by, env, input.clone(), &mut |by| {
                        self.count_up(&start, &end, &by, &mut emit)
                    })
                })
            }),
            _ => Stop::broken(),
        }
    }

    fn count_up(
        &self,
        start: &Value,
        end: &Value,
        by: &Value,
        out: &mut dyn FnMut(Value) -> Flow,
    ) -> Flow {
        let mark = start.is_tainted() || end.is_tainted() || by.is_tainted();
        let (Some(mut at), Some(last), Some(step)) = (start.as_f64(), end.as_f64(), by.as_f64())
        else {
            return Stop::raise("Range bounds must be numeric");
        };
        while if step > 0.0 { at < last } else { step < 0.0 && at > last } {
            self.context.budget.tick()?;
            out(Value::computed(at).tainted_if(mark))?;
            at += step;
        }
        if step == 0.0 && at < last {
            // Like jq, a step of zero never ends by itself.
            loop {
                self.context.budget.tick()?;
                out(start.clone())?;
            }
        }
        Ok(())
    }

    /// Visits items depth first with a stack of its own.
    fn walk(
        &self,
        start: Item,
        out: Out<'_>,
        visit: &mut dyn FnMut(Item, &mut Vec<Pending>) -> Flow,
    ) -> Flow {
        let mut pending = vec![Pending::Visit(start)];
        while let Some(next) = pending.pop() {
            self.context.budget.tick()?;
            match next {
                Pending::Emit(item) => out(item)?,
                Pending::Fail(stop) => return Err(stop),
                Pending::Visit(item) => {
                    let base = pending.len();
                    visit(item, &mut pending)?;
                    pending[base..].reverse();
                }
            }
        }
        Ok(())
    }

    /// Leaves every result of a filter to be visited, and its error after them.
    fn gather<'e>(
        &self,
        filter: &'e Node,
        env: &'e Env<'e>,
        item: Item,
        pending: &mut Vec<Pending>,
    ) -> Flow {
        let flow = self.run(filter, env, item, &mut |item| {
            pending.push(Pending::Visit(item));
            Ok(())
        });
        match flow {
            Err(stop) if stop.is_error() => {
                pending.push(Pending::Fail(stop));
                Ok(())
            }
            flow => flow,
        }
    }

    fn choose<'e>(
        &self,
        condition: &'e Node,
        env: &'e Env<'e>,
        item: Item,
        pending: &mut Vec<Pending>,
        then: &mut dyn FnMut(bool, &mut Vec<Pending>) -> Flow,
    ) -> Flow {
        self.values(condition, env, item.value, &mut |chosen| then(chosen.is_truthy(), pending))
    }
}
