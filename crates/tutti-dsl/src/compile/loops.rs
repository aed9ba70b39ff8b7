//! `for` and `fork`.

use std::sync::Arc;

use super::{
    At, Compiler,
    flow::Jumps,
    scope::{LANGUAGE, Scopes},
};
use crate::{For, Fork, TaskKind, codes::Code};

impl<'n> Compiler<'n> {
    pub(super) fn for_loop(&mut self, at: &At<'n>, scopes: &Scopes) -> Option<TaskKind> {
        let head = at.get("for")?;
        let item = self.variable(head.get("each").as_ref(), "item");
        let index = self.variable(head.get("at").as_ref(), "index");
        self.refuse_same_names(head.get("at").or_else(|| head.get("each")), &item, &index);
        let inner = scopes.with(&[&item, &index]);
        let collection =
            head.get("in").and_then(|collection| self.transform(&collection, &scopes.body));
        let condition = at.get("while").and_then(|at| self.expression(&at, &inner.body));
        let body = at.get("do").map(|list| self.list(&list, &inner, Jumps::InLoop));
        Some(TaskKind::For(For {
            collection: collection?,
            item,
            at: index,
            condition,
            body: body?,
        }))
    }

    pub(super) fn fork(&mut self, at: &At<'n>, scopes: &Scopes) -> Option<TaskKind> {
        let fork = at.get("fork")?;
        let compete = fork.get("compete").and_then(|at| at.node.as_bool()).unwrap_or(false);
        let branches = self.list(&fork.get("branches")?, scopes, Jumps::Refused);
        Some(TaskKind::Fork(Fork { compete, branches }))
    }

    /// The name of a variable that a loop or handler binds.
    pub(super) fn variable(&mut self, at: Option<&At<'_>>, default: &str) -> Arc<str> {
        let Some((at, name)) = at.and_then(|at| Some((at, at.text()?))) else {
            return Arc::from(default);
        };
        let fits = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !fits {
            let message = format!("`{name}` cannot be the name of a variable");
            self.push(
                at.problem(Code::InvalidVariable, message)
                    .hint("letters, digits and `_`, without `$` and not starting with a digit"),
            );
        } else if LANGUAGE.contains(&&**name) {
            let message =
                format!("`${name}` is a variable of the language and cannot be bound again");
            self.push(at.problem(Code::InvalidVariable, message).hint("choose another name"));
        }
        name.clone()
    }

    /// Two variables of one loop.
    pub(super) fn refuse_same_names(&mut self, at: Option<At<'_>>, item: &str, index: &str) {
        if item == index
            && let Some(at) = at
        {
            let message = format!("the item and its index are both called `{item}`");
            self.push(at.problem(Code::InvalidVariable, message).hint("give one another name"));
        }
    }
}
