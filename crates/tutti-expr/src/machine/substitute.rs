//! `sub` and `gsub`.

use super::{Env, Item, Machine, Out};
use crate::{
    Value,
    natives::{self, regex},
    stop::{Flow, Stop},
    syntax::tree::Node,
};

impl Machine<'_> {
    pub(super) fn run_substitute<'e>(
        &self,
        args: [&'e Node; 4],
        env: &'e Env<'e>,
        item: &Item,
        out: Out<'_>,
    ) -> Flow {
        let [pattern, text, flags, global] = args;
        let input = &item.value;
        self.values(pattern, env, input.clone(), &mut |pattern| {
            self.values(flags, env, input.clone(), &mut |flags| {
                self.values(global, env, input.clone(), &mut |global| {
                    let found =
                        regex::matches(&self.context, input, &pattern, &flags, global.is_truthy())?;
                    for result in self.substitute(text, env, input, &found)? {
                        self.context.budget.tick()?;
                        let mark = input.is_tainted() || pattern.is_tainted();
                        out(item.computed(Value::from(result.0).tainted_if(result.1 || mark)))?;
                    }
                    Ok(())
                })
            })
        })
    }

    /// One text per result of `text`: its n-th results for all matches together make the n-th text.
    fn substitute<'e>(
        &self,
        text: &'e Node,
        env: &'e Env<'e>,
        input: &Value,
        found: &[regex::Match],
    ) -> Flow<Vec<(String, bool)>> {
        let whole = input.as_str().unwrap_or_default();
        let mut results: Vec<(String, bool)> = Vec::new();
        let mut at = 0;
        for (number, found) in found.iter().enumerate() {
            self.context.budget.tick()?;
            let gap = &whole[at..found.range.start];
            let before = &whole[..at];
            at = found.range.end;
            let mut index = 0;
            self.values(text, env, found.named(input.is_tainted()), &mut |piece| {
                let Some(replacement) = piece.as_str() else {
                    return Stop::raise(format!(
                        "{} cannot be added to a string",
                        natives::describe(&piece)
                    ));
                };
                if results.len() == index {
                    // A result that earlier matches did not have: they stay as they were.
                    results
                        .push((if number == 0 { String::new() } else { before.to_owned() }, false));
                }
                let added = (gap.len() + replacement.len()) as u64;
                self.context.budget.walk(added)?;
                let total: usize = results.iter().map(|result| result.0.len()).sum();
                self.context.budget.hold(total as u64 * 2 + added)?;
                let result = &mut results[index];
                result.0.push_str(gap);
                result.0.push_str(replacement);
                result.1 |= piece.is_tainted();
                index += 1;
                Ok(())
            })?;
        }
        if found.is_empty() {
            results.push((String::new(), false));
        }
        let rest = &whole[at..];
        for result in &mut results {
            self.context.budget.walk(rest.len() as u64)?;
            result.0.push_str(rest);
        }
        Ok(results)
    }
}
