//! Which names are in reach of the place that is being read.

use std::{ops::Range, sync::Arc};

use super::{
    definitions::Definitions,
    error::CompileError,
    names::nearest,
    tree::{Node, Op, Special},
};
use crate::{Value, environment::Scope, natives};

/// A name bound inside the program.
enum Bound {
    Variable(String),
    Parameter(String),
    Function(String, usize, u16),
    Label(String),
}

/// Names that are out of reach for a while.
pub(crate) struct Hidden(Vec<Bound>);

/// The names in reach: those bound inside the program, innermost last, and those around it.
pub(crate) struct Names<'a> {
    bound: Vec<Bound>,
    scope: &'a Scope,
    library: &'a Definitions,
    used: Vec<Arc<str>>,
}

impl<'a> Names<'a> {
    pub(crate) fn new(scope: &'a Scope, library: &'a Definitions) -> Self {
        Self { bound: Vec::new(), scope, library, used: Vec::new() }
    }

    /// The variables of the scope that were used, in the order of their numbers.
    pub(crate) fn into_used(self) -> Vec<Arc<str>> {
        self.used
    }

    pub(crate) fn mark(&self) -> usize {
        self.bound.len()
    }

    pub(crate) fn leave(&mut self, mark: usize) {
        self.bound.truncate(mark);
    }

    /// Takes the innermost names out of reach until they are shown again.
    pub(crate) fn hide(&mut self, count: usize) -> Hidden {
        Hidden(self.bound.split_off(self.bound.len() - count))
    }

    pub(crate) fn show(&mut self, hidden: Hidden) {
        self.bound.extend(hidden.0);
    }

    pub(crate) fn bind_variable(&mut self, name: &str) {
        self.bound.push(Bound::Variable(name.to_owned()));
    }

    pub(crate) fn bind_parameter(&mut self, name: &str) {
        self.bound.push(Bound::Parameter(name.to_owned()));
    }

    /// Binds a function whose calls nest so deep.
    pub(crate) fn bind_function(&mut self, name: &str, arity: usize, reach: u16) {
        self.bound.push(Bound::Function(name.to_owned(), arity, reach));
    }

    pub(crate) fn bind_label(&mut self, name: &str) {
        self.bound.push(Bound::Label(name.to_owned()));
    }

    /// What `$name` means here.
    pub(crate) fn variable(&mut self, name: &str, range: Range<usize>) -> Result<Op, CompileError> {
        let is_it = |bound: &Bound| matches!(bound, Bound::Variable(known) if known == name);
        if let Some(distance) = self.bound.iter().rev().position(is_it) {
            return Ok(Op::Local(distance));
        }
        if let Some(number) = self.used.iter().position(|known| &**known == name) {
            return Ok(Op::Global(number));
        }
        match self.scope.get(name) {
            Some(known) => {
                self.used.push(known.clone());
                Ok(Op::Global(self.used.len() - 1))
            }
            None => Err(self.unknown_variable(name, range)),
        }
    }

    fn unknown_variable(&self, name: &str, range: Range<usize>) -> CompileError {
        let bound = self.bound.iter().filter_map(|bound| match bound {
            Bound::Variable(name) => Some(name.as_str()),
            _ => None,
        });
        let hint = if name == "ENV" {
            Some("an expression cannot see the environment of the server; pass the value in as input or secret".to_owned())
        } else if let Some(near) = nearest(name, bound.chain(self.scope.names())) {
            Some(format!("did you mean `${near}`?"))
        } else {
            let known: Vec<_> = self.scope.names().map(|name| format!("${name}")).collect();
            let none = "no variable is available here".to_owned();
            Some(if known.is_empty() {
                none
            } else {
                format!("variables available here: {}", known.join(", "))
            })
        };
        CompileError::new(format!("unknown variable `${name}`"), hint, range)
    }

    /// The distance to `label $name`.
    pub(crate) fn label(&self, name: &str, range: Range<usize>) -> Result<usize, CompileError> {
        let is_it = |bound: &Bound| matches!(bound, Bound::Label(known) if known == name);
        self.bound.iter().rev().position(is_it).ok_or_else(|| {
            let hint = format!("write `label ${name} | …` around it");
            CompileError::new(
                format!("`break ${name}` is not inside `label ${name}`"),
                Some(hint),
                range,
            )
        })
    }

    /// What calling `name` with these arguments means here.
    pub(crate) fn call(
        &self,
        name: &str,
        args: Vec<Node>,
        range: Range<usize>,
    ) -> Result<Op, CompileError> {
        for (distance, bound) in self.bound.iter().rev().enumerate() {
            match bound {
                Bound::Parameter(known) if known == name && args.is_empty() => {
                    return Ok(Op::Parameter(distance));
                }
                Bound::Function(known, arity, _) if known == name && *arity == args.len() => {
                    return Ok(Op::Call(distance, args));
                }
                _ => {}
            }
        }
        if let Some(number) = self.library.find(name, args.len()) {
            return Ok(Op::Library(number, args));
        }
        if let Some(native) = natives::find(name, args.len()) {
            return Ok(Op::Native(native, args));
        }
        let arity = args.len();
        if (name, arity) == BUILTINS {
            return Ok(Op::Constant(self.builtins()));
        }
        expand(name, args).ok_or_else(|| self.unknown_function(name, arity, range))
    }

    /// How deep calling the function at this distance nests, beside its arguments.
    pub(crate) fn function_reach(&self, distance: usize) -> u16 {
        match self.bound.iter().rev().nth(distance) {
            Some(Bound::Function(_, _, reach)) => *reach,
            _ => Node::UNBOUNDED,
        }
    }

    /// How deep calling a definition of the library nests, beside its arguments.
    pub(crate) fn library_reach(&self, number: usize) -> u16 {
        self.library.reach(number)
    }

    /// All names in reach of every program that do not begin with `_`, and their numbers of arguments.
    fn known(&self) -> impl Iterator<Item = (&str, usize)> {
        natives::all().chain(EXPANDED).chain([BUILTINS]).chain(self.library.all())
    }

    /// What `builtins` yields.
    fn builtins(&self) -> Value {
        Value::array(self.known().map(|(name, arity)| Value::from(format!("{name}/{arity}"))))
    }

    fn unknown_function(&self, name: &str, arity: usize, range: Range<usize>) -> CompileError {
        let bound = self.bound.iter().filter_map(|bound| match bound {
            Bound::Parameter(name) | Bound::Function(name, ..) => Some(name.as_str()),
            _ => None,
        });
        let known: Vec<&str> = self.known().map(|known| known.0).collect();
        let message = format!("unknown function `{name}/{arity}`");
        let hint = match absent(name) {
            Some(why) => Some(why.to_owned()),
            None if known.contains(&name) => Some(self.arities(name)),
            None => nearest(name, bound.chain(known)).map(|near| format!("did you mean `{near}`?")),
        };
        CompileError::new(message, hint, range)
    }

    fn arities(&self, name: &str) -> String {
        let counts: Vec<_> = (0..=4_usize)
            .filter(|arity| {
                natives::find(name, *arity).is_some()
                    || self.known().any(|known| known == (name, *arity))
            })
            .map(|arity| arity.to_string())
            .collect();
        format!("`{name}` takes {} arguments, separated by `;`", counts.join(" or "))
    }
}

/// The filter that lists all filters.
const BUILTINS: (&str, usize) = ("builtins", 0);

/// Functions that are built from nodes instead of being defined: name, number of arguments.
const EXPANDED: [(&str, usize); 36] = [
    ("true", 0),
    ("false", 0),
    ("null", 0),
    ("empty", 0),
    ("map", 1),
    ("select", 1),
    ("recurse", 0),
    ("recurse", 1),
    ("path", 1),
    ("getpath", 1),
    ("range", 1),
    ("range", 2),
    ("range", 3),
    ("limit", 2),
    ("skip", 2),
    ("first", 1),
    ("last", 1),
    ("until", 2),
    ("while", 2),
    ("repeat", 1),
    ("any", 0),
    ("any", 1),
    ("any", 2),
    ("all", 0),
    ("all", 1),
    ("all", 2),
    ("add", 1),
    ("sort_by", 1),
    ("group_by", 1),
    ("unique_by", 1),
    ("min_by", 1),
    ("max_by", 1),
    ("sub", 2),
    ("sub", 3),
    ("gsub", 2),
    ("gsub", 3),
];

fn expand(name: &str, mut args: Vec<Node>) -> Option<Op> {
    let each = || Node::new(Op::Iterate(Box::new(Node::identity())));
    let special = |special| move |args| Some(Op::Special(special, args));
    match (name, args.len()) {
        ("true", 0) => Some(Op::Constant(Value::from(true))),
        ("false", 0) => Some(Op::Constant(Value::from(false))),
        ("null", 0) => Some(Op::Constant(Value::NULL)),
        ("empty", 0) => special(Special::Empty)(args),
        ("map", 1) => {
            let mapped = Node::boxed(Op::Pipe(Box::new(each()), Box::new(args.pop()?)));
            Some(Op::Collect(mapped))
        }
        ("select", 1) => {
            let nothing = Node::boxed(Op::Special(Special::Empty, Vec::new()));
            Some(Op::If(Box::new(args.pop()?), Box::new(Node::identity()), nothing))
        }
        ("recurse", 0) => {
            let children = Node::new(Op::Try(Box::new(each()), None));
            special(Special::Recurse)(vec![children])
        }
        ("any" | "all", 0) => expand(name, vec![each(), Node::identity()]),
        ("any" | "all", 1) => expand(name, vec![each(), args.pop()?]),
        ("sub" | "gsub", 2) => {
            args.push(Node::constant(Value::NULL));
            expand(name, args)
        }
        ("sub" | "gsub", 3) => {
            args.push(Node::constant(Value::from(name == "gsub")));
            special(Special::Substitute)(args)
        }
        ("recurse", 1) => special(Special::Recurse)(args),
        ("path", 1) => special(Special::Path)(args),
        ("getpath", 1) => special(Special::GetPath)(args),
        ("range", 1..=3) => special(Special::Range)(args),
        ("limit", 2) => special(Special::Limit)(args),
        ("skip", 2) => special(Special::Skip)(args),
        ("first", 1) => special(Special::First)(args),
        ("last", 1) => special(Special::Last)(args),
        ("until", 2) => special(Special::Until)(args),
        ("while", 2) => special(Special::While)(args),
        ("repeat", 1) => special(Special::Repeat)(args),
        ("any", 2) => special(Special::Any)(args),
        ("all", 2) => special(Special::All)(args),
        ("add", 1) => special(Special::AddAll)(args),
        ("sort_by", 1) => special(Special::SortBy)(args),
        ("group_by", 1) => special(Special::GroupBy)(args),
        ("unique_by", 1) => special(Special::UniqueBy)(args),
        ("min_by", 1) => special(Special::MinBy)(args),
        ("max_by", 1) => special(Special::MaxBy)(args),
        _ => None,
    }
}

/// Why a function of jq is not here.
fn absent(name: &str) -> Option<&'static str> {
    match name {
        "env" => Some(
            "an expression cannot see the environment of the server; pass the value in as input or secret",
        ),
        "input" | "inputs" | "input_filename" | "input_line_number" => {
            Some("an expression has one input, `.`; there is no further one to read")
        }
        "debug" | "stderr" => Some("an expression writes nothing; return what you want to see"),
        "halt" | "halt_error" => {
            Some("an expression cannot stop the server; use `error(…)` to raise an error")
        }
        "import" | "include" | "modulemeta" | "get_search_list" | "get_prog_origin"
        | "get_jq_origin" => Some("an expression has no modules; write the definition inside it"),
        "rand" | "random" => Some("an expression has no chance in it, so that it can be repeated"),
        "eval" => Some("data is never code"),
        _ => None,
    }
}
