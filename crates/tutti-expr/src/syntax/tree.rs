//! The tree of one program.

use std::sync::Arc;

use crate::{Value, native::Native};

/// One filter and what is known about it before it runs.
pub(crate) struct Node {
    pub(crate) op: Op,
    /// It yields exactly one result (or raises), whatever its input.
    pub(crate) single: bool,
    /// How deep its source nests.
    pub(crate) height: u16,
    /// A bound on how deep evaluating it nests; [`Node::UNBOUNDED`] where it may call itself.
    pub(crate) reach: u16,
}

/// What a node does.
pub(crate) enum Op {
    Identity,
    Constant(Value),
    /// The value bound at this distance.
    Local(usize),
    /// The n-th variable of the scope that the program uses.
    Global(usize),
    Field(Box<Node>, Arc<str>),
    Index(Box<Node>, Box<Node>),
    Slice(Box<Node>, Option<Box<Node>>, Option<Box<Node>>),
    Iterate(Box<Node>),
    Collect(Box<Node>),
    Object(Vec<(Node, Node)>),
    Text(Vec<Part>),
    Pipe(Box<Node>, Box<Node>),
    Comma(Vec<Node>),
    Negate(Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Alternative(Box<Node>, Box<Node>),
    If(Box<Node>, Box<Node>, Box<Node>),
    Try(Box<Node>, Option<Box<Node>>),
    Reduce(Box<Fold>),
    Foreach(Box<Fold>),
    Bind(Box<Node>, Binding, Box<Node>),
    Label(Box<Node>),
    Break(usize),
    Define(Arc<Function>, Box<Node>),
    /// A call of the function bound at this distance.
    Call(usize, Vec<Node>),
    /// A use of the filter parameter bound at this distance.
    Parameter(usize),
    /// A call of the n-th definition of the library.
    Library(usize, Vec<Node>),
    Native(&'static Native, Vec<Node>),
    Special(Special, Vec<Node>),
    Assign(Box<Node>, Box<Node>),
    Update(Box<Node>, Box<Node>),
    UpdateWith(Binary, Box<Node>, Box<Node>),
    UpdateAlternative(Box<Node>, Box<Node>),
}

/// A piece of an interpolated text.
pub(crate) enum Part {
    Literal(Arc<str>),
    Hole(Node),
}

/// Operators that compute one value from two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Built-in filters that take filters, which no definition in jq could bound or run as fast.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    Empty,
    Path,
    GetPath,
    Range,
    Limit,
    Skip,
    First,
    Last,
    Until,
    While,
    Repeat,
    Recurse,
    Any,
    All,
    AddAll,
    SortBy,
    GroupBy,
    UniqueBy,
    MinBy,
    MaxBy,
    Substitute,
}

/// A definition.
pub(crate) struct Function {
    pub(crate) body: Node,
}

/// The parts of `reduce` and `foreach`.
pub(crate) struct Fold {
    pub(crate) source: Node,
    pub(crate) binding: Binding,
    pub(crate) start: Node,
    pub(crate) update: Node,
    pub(crate) extract: Option<Node>,
}

/// Patterns to try in turn and how many variables they bind together.
pub(crate) struct Binding {
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) slots: usize,
}

/// What a value is taken apart by.
pub(crate) enum Pattern {
    Slot(usize),
    Array(Vec<Pattern>),
    Object(Vec<Member>),
}

/// A member of an object pattern.
pub(crate) struct Member {
    pub(crate) key: Node,
    pub(crate) slot: Option<usize>,
    pub(crate) value: Option<Pattern>,
}

impl Node {
    /// The reach of what may call itself.
    pub(crate) const UNBOUNDED: u16 = u16::MAX;

    pub(crate) fn new(op: Op) -> Self {
        let mut measure = Measure { height: 0, reach: 1, single: true };
        op.children(&mut |child| measure.add(child));
        let single = op.is_single(measure.single);
        Self { op, single, height: measure.height + 1, reach: measure.reach }
    }

    pub(crate) fn identity() -> Self {
        Self::new(Op::Identity)
    }

    pub(crate) fn constant(value: Value) -> Self {
        Self::new(Op::Constant(value))
    }

    pub(crate) fn boxed(op: Op) -> Box<Self> {
        Box::new(Self::new(op))
    }
}

struct Measure {
    height: u16,
    reach: u16,
    single: bool,
}

impl Measure {
    fn add(&mut self, child: &Node) {
        self.height = self.height.max(child.height);
        self.reach = self.reach.saturating_add(child.reach);
        self.single &= child.single;
    }
}

impl Op {
    /// Whether this yields exactly one result, given whether all its children do.
    fn is_single(&self, children: bool) -> bool {
        match self {
            Self::Identity
            | Self::Constant(_)
            | Self::Local(_)
            | Self::Global(_)
            | Self::Collect(_)
            | Self::Update(..) => true,
            Self::Reduce(fold) => fold.start.single && fold.binding.is_plain(),
            Self::Foreach(_)
            | Self::Iterate(_)
            | Self::Comma(_)
            | Self::Label(_)
            | Self::Break(_)
            | Self::Try(_, None)
            | Self::Call(..)
            | Self::Parameter(_)
            | Self::Library(..) => false,
            Self::Bind(source, binding, body) => source.single && body.single && binding.is_plain(),
            Self::Define(_, body) => body.single,
            Self::Assign(_, value)
            | Self::UpdateWith(_, _, value)
            | Self::UpdateAlternative(_, value) => value.single,
            Self::Special(Special::GetPath, _) => children,
            Self::Special(special, _) => special.is_single(),
            _ => children,
        }
    }

    /// Hands over the nodes right below.
    pub(crate) fn children(&self, visit: &mut dyn FnMut(&Node)) {
        match self {
            Self::Identity
            | Self::Constant(_)
            | Self::Local(_)
            | Self::Global(_)
            | Self::Break(_)
            | Self::Parameter(_) => {}
            Self::Field(child, _)
            | Self::Iterate(child)
            | Self::Collect(child)
            | Self::Negate(child)
            | Self::Label(child) => visit(child),
            Self::Slice(target, from, to) => {
                visit(target);
                from.iter().chain(to).for_each(|child| visit(child));
            }
            Self::Object(members) => members.iter().for_each(|(key, value)| {
                visit(key);
                visit(value);
            }),
            Self::Text(parts) => parts.iter().for_each(|part| {
                if let Part::Hole(child) = part {
                    visit(child);
                }
            }),
            Self::Index(left, right)
            | Self::Pipe(left, right)
            | Self::Binary(_, left, right)
            | Self::And(left, right)
            | Self::Or(left, right)
            | Self::Alternative(left, right)
            | Self::Assign(left, right)
            | Self::Update(left, right)
            | Self::UpdateWith(_, left, right)
            | Self::UpdateAlternative(left, right) => {
                visit(left);
                visit(right);
            }
            Self::If(condition, then, otherwise) => {
                visit(condition);
                visit(then);
                visit(otherwise);
            }
            Self::Try(body, handler) => {
                visit(body);
                if let Some(handler) = handler {
                    visit(handler);
                }
            }
            Self::Reduce(fold) | Self::Foreach(fold) => {
                visit(&fold.source);
                fold.binding.children(visit);
                visit(&fold.start);
                visit(&fold.update);
                if let Some(extract) = &fold.extract {
                    visit(extract);
                }
            }
            Self::Bind(source, binding, body) => {
                visit(source);
                binding.children(visit);
                visit(body);
            }
            Self::Define(function, body) => {
                visit(&function.body);
                visit(body);
            }
            Self::Comma(items)
            | Self::Call(_, items)
            | Self::Library(_, items)
            | Self::Native(_, items)
            | Self::Special(_, items) => items.iter().for_each(visit),
        }
    }
}

impl Special {
    fn is_single(self) -> bool {
        matches!(
            self,
            Self::AddAll
                | Self::SortBy
                | Self::GroupBy
                | Self::UniqueBy
                | Self::MinBy
                | Self::MaxBy
        ) || matches!(self, Self::Any | Self::All)
    }
}

impl Binding {
    /// Whether this binds a value to one name and nothing else.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.patterns.as_slice(), [Pattern::Slot(_)])
    }

    fn children(&self, visit: &mut dyn FnMut(&Node)) {
        self.patterns.iter().for_each(|pattern| pattern.children(visit));
    }
}

impl Pattern {
    fn children(&self, visit: &mut dyn FnMut(&Node)) {
        match self {
            Self::Slot(_) => {}
            Self::Array(items) => items.iter().for_each(|item| item.children(visit)),
            Self::Object(members) => members.iter().for_each(|member| {
                visit(&member.key);
                member.value.iter().for_each(|value| value.children(visit));
            }),
        }
    }
}
