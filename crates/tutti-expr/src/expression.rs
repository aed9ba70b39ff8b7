//! One compiled jq program.

use std::{fmt, sync::Arc};

use crate::{
    Value,
    environment::{Environment, Reads, Scope},
    library,
    limits::{Limit, OUTPUT, SOURCE},
    machine::Machine,
    regexes::SharedRegexes,
    stop::{Flow, Stop},
    syntax::{error::CompileError, parser::Parser, reads::reads, tree::Node},
};

/// A compiled jq program; cheap to clone and shared between threads.
#[derive(Clone)]
pub struct Expression(Arc<Program>);

struct Program {
    source: Arc<str>,
    root: Node,
    variables: Vec<Arc<str>>,
    /// One for each of `variables`.
    reads: Vec<Reads>,
    regexes: SharedRegexes,
}

/// The stack that programs get which may call deep.
const STACK: usize = 32 << 20;
/// The stack below which such a program gets its own.
const DEEP: usize = 24 << 20;
/// The stack that programs need which do not call deep.
const SHALLOW: usize = 768 << 10;
/// How deep a program may nest to need no stack of its own.
const SHALLOW_REACH: u16 = 100;

impl Expression {
    /// Compiles jq source (without `${` and `}`) whose free variables are in `scope`.
    ///
    /// # Errors
    /// If the source does not compile: unknown syntax, function or variable, or a limit on source.
    pub fn compile(source: &str, scope: &Scope) -> Result<Self, CompileError> {
        if source.len() > SOURCE {
            return Err(CompileError::limit(Limit::Source, 0..source.len()));
        }
        let definitions = library::shared();
        let read = || {
            let mut parser = Parser::new(source, scope, definitions);
            let root = parser.program()?;
            let variables = parser.names.into_used();
            let reads = reads(&root, variables.len());
            Ok((root, variables, reads))
        };
        // What nests at all has at most one level per byte.
        let needed = (64 << 10) + source.len().min(400) * (10 << 10);
        let (root, variables, reads) = stacker::maybe_grow(needed, STACK / 2, read)?;
        Ok(Self(Arc::new(Program {
            source: Arc::from(source),
            root,
            variables,
            reads,
            regexes: SharedRegexes::default(),
        })))
    }

    /// The program inside an expression position's text: without the optional `${` and `}` around it, trimmed.
    pub fn strip(text: &str) -> &str {
        let text = text.trim();
        match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
            Some(inside) => inside.trim(),
            None => text,
        }
    }

    /// The source as written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The variables of the scope that the program uses, without `$`, in the order of their first use.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.variables.iter().map(AsRef::as_ref)
    }

    /// What the program reads of the variable `name`; none where it does not use it.
    ///
    /// ```
    /// use tutti_expr::{Expression, Reads, Scope};
    ///
    /// let program = Expression::compile("$secrets.token + $secrets[.name]", &Scope::new(["secrets"]));
    /// assert_eq!(program.expect("it compiles").reads("secrets"), Some(&Reads::All));
    /// ```
    pub fn reads(&self, name: &str) -> Option<&Reads> {
        let number = self.0.variables.iter().position(|known| **known == *name)?;
        self.0.reads.get(number)
    }

    /// Evaluates to one value: no result is `null`, several are an array.
    ///
    /// # Errors
    /// If the program raises an error or reaches a limit.
    pub fn evaluate(&self, input: &Value, environment: &dyn Environment) -> Result<Value, Error> {
        if self.0.root.reach <= SHALLOW_REACH {
            return stacker::maybe_grow(SHALLOW, STACK, || self.results(input, environment));
        }
        stacker::maybe_grow(DEEP, STACK, || self.results(input, environment))
    }

    fn results(&self, input: &Value, environment: &dyn Environment) -> Result<Value, Error> {
        if input.depth() > Value::MAX_DEPTH {
            return Err(Error::Limit { limit: Limit::ValueDepth });
        }
        let machine =
            Machine::new((&self.0.variables, &self.0.reads), &self.0.regexes, environment);
        let mut first: Option<Value> = None;
        let mut more: Vec<Value> = Vec::new();
        let mut size = 0;
        let flow = machine.start(&self.0.root, input.clone(), &mut |value| {
            size += value.size();
            if size > OUTPUT {
                return Stop::limit(Limit::Output);
            }
            match &first {
                None => first = Some(value),
                Some(_) => more.push(value),
            }
            Ok(())
        });
        environment.on_evaluated(machine.context.budget.used());
        flow.map_err(|stop| Error::from_stop(*stop))?;
        let Some(first) = first else { return Ok(Value::NULL) };
        if more.is_empty() {
            return Ok(first.into_finite());
        }
        more.insert(0, first);
        let whole: Flow<Value> = machine.context.array(more);
        whole.map(Value::into_finite).map_err(|stop| Error::from_stop(*stop))
    }

    /// Evaluates a condition: only `true` and `false` count, `null` and no result are false.
    ///
    /// # Errors
    /// If the program raises an error, reaches a limit or yields something else than a boolean.
    pub fn is_true(&self, input: &Value, environment: &dyn Environment) -> Result<bool, Error> {
        let value = self.evaluate(input, environment)?;
        match value.as_bool() {
            Some(truth) => Ok(truth),
            None if value.is_null() => Ok(false),
            None => Err(Error::NotBoolean { found: Arc::from(value.preview(SHOWN)) }),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${{ {} }}", self.0.source)
    }
}

/// Why an evaluation gave no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The program raised an error.
    #[error("{message}")]
    Raised {
        /// The program's message, secrets redacted, cut short after 1 KiB.
        message: Arc<str>,
    },
    /// The program reached a limit.
    #[error("the expression exceeds its limit of {limit}")]
    Limit {
        /// Which one.
        limit: Limit,
    },
    /// A condition yielded something else than a boolean.
    #[error("a condition must yield true or false, not {found}")]
    NotBoolean {
        /// What it yielded, cut short.
        found: Arc<str>,
    },
}

/// How much of a value messages show.
const SHOWN: usize = 1 << 10;

impl Error {
    fn from_stop(stop: Stop) -> Self {
        match stop {
            Stop::Limit(limit) => Self::Limit { limit },
            Stop::Break(_) => Self::Raised { message: Arc::from("break") },
            Stop::Error(error) => Self::Raised { message: Arc::from(message_of(&error)) },
        }
    }
}

fn message_of(error: &Value) -> String {
    match error.as_str() {
        Some(text) if !error.is_tainted() => text[..text.floor_char_boundary(SHOWN)].to_owned(),
        _ => error.preview(SHOWN),
    }
}
