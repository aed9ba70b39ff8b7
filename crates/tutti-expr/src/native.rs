//! What a built-in filter that computes one value is: a name, a number of arguments, a function.

use crate::{Value, budget::Budget, context::Context, stop::Flow};

/// What a native does: the input comes first, then the arguments.
type Run = fn(&Context<'_>, &[Value]) -> Flow<Value>;

/// A built-in filter.
pub(crate) struct Native {
    pub(crate) name: &'static str,
    pub(crate) arity: usize,
    marks: Marks,
    run: Run,
}

/// How the mark of a secret gets from the arguments to the result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// Everything computed from a marked value is marked.
    Spread,
    /// The parts of the arguments keep their own marks.
    Keep,
}

/// A native whose result is marked where any of its arguments is.
pub(crate) const fn native(name: &'static str, arity: usize, run: Run) -> Native {
    Native { name, arity, marks: Marks::Spread, run }
}

/// A native that only arranges the parts of its arguments.
pub(crate) const fn arranging(name: &'static str, arity: usize, run: Run) -> Native {
    Native { name, arity, marks: Marks::Keep, run }
}

impl Native {
    pub(crate) fn call(&self, context: &Context<'_>, args: &[Value]) -> Flow<Value> {
        context.budget.tick()?;
        let result = Budget::admit((self.run)(context, args)?)?;
        if self.marks == Marks::Spread && args.iter().any(Value::is_tainted) {
            context.budget.walk(result.size())?;
            return Ok(result.tainted());
        }
        Ok(result)
    }
}
