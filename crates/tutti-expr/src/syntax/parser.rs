//! Tokens to nodes: pipes, commas and operators.

use std::ops::Range;

use super::{
    definitions::Definitions,
    error::CompileError,
    lexer::{Token, token},
    scope::Names,
    tree::{Binary, Node, Op},
};
use crate::{
    environment::Scope,
    limits::{Limit, SYNTAX_DEPTH},
};

/// Reads one source.
pub(crate) struct Parser<'a> {
    pub(super) source: &'a str,
    pub(super) token: Token,
    pub(super) range: Range<usize>,
    pub(crate) names: Names<'a>,
    depth: u16,
}

pub(crate) type Parsed<T = Node> = Result<T, CompileError>;

impl<'a> Parser<'a> {
    pub(crate) fn new(source: &'a str, scope: &'a Scope, library: &'a Definitions) -> Self {
        let (token, range) = token(source, 0);
        Self { source, token, range, names: Names::new(scope, library), depth: 0 }
    }

    /// The whole source as one filter.
    pub(crate) fn program(&mut self) -> Parsed {
        if self.token == Token::End {
            return self.refuse(
                "the expression is empty",
                Some("write `.` for the input itself".to_owned()),
            );
        }
        let node = self.pipe()?;
        match self.token {
            Token::End => Ok(node),
            _ => self.unexpected("an operator or the end of the expression"),
        }
    }

    pub(super) fn advance(&mut self) {
        self.continue_at(self.range.end);
    }

    /// Goes on reading tokens at this place of the source.
    pub(super) fn continue_at(&mut self, at: usize) {
        (self.token, self.range) = token(self.source, at);
    }

    pub(super) fn text(&self) -> &'a str {
        &self.source[self.range.clone()]
    }

    pub(super) fn is(&self, symbol: &str) -> bool {
        matches!(self.token, Token::Symbol(found) if found == symbol)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.token == Token::Word && self.text() == word
    }

    /// Steps over a symbol if it stands here.
    pub(super) fn accept(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn accept_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.accept(symbol) { Ok(()) } else { self.unexpected(&format!("`{symbol}`")) }
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.accept_word(word) { Ok(()) } else { self.unexpected(&format!("`{word}`")) }
    }

    pub(super) fn refuse<T>(&self, message: &str, hint: Option<String>) -> Parsed<T> {
        Err(CompileError::new(message.to_owned(), hint, self.range.clone()))
    }

    pub(super) fn unexpected<T>(&self, wanted: &str) -> Parsed<T> {
        let found = match self.token {
            Token::End => "the end of the expression".to_owned(),
            _ => format!("`{}`", self.text()),
        };
        self.refuse(&format!("expected {wanted}, found {found}"), self.hint())
    }

    fn hint(&self) -> Option<String> {
        match self.text() {
            "&" => Some("write `and`".to_owned()),
            "!" => Some("write `… | not`".to_owned()),
            "'" => Some("strings stand in double quotes".to_owned()),
            "import" | "include" => {
                Some("an expression has no modules; write the definition inside it".to_owned())
            }
            _ => None,
        }
    }

    /// Reads something one level deeper.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= SYNTAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn too_deep(&self) -> CompileError {
        CompileError::limit(Limit::SyntaxDepth, self.range.clone())
    }

    /// A node, if its source is not nested too deep.
    pub(super) fn node(&self, op: Op) -> Parsed {
        let mut node = Node::new(op);
        let called = match &node.op {
            Op::Library(number, args) => Some((self.names.library_reach(*number), args)),
            Op::Call(distance, args) => Some((self.names.function_reach(*distance), args)),
            _ => None,
        };
        if let Some((body, args)) = called {
            let inner = args.iter().fold(1_u16, |sum, arg| sum.saturating_add(arg.reach));
            node.reach = body.saturating_mul(inner);
        }
        if node.height > SYNTAX_DEPTH { Err(self.too_deep()) } else { Ok(node) }
    }

    /// `a | b`, with definitions and commas inside.
    pub(super) fn pipe(&mut self) -> Parsed {
        self.deeper(|parser| {
            let mut stages = vec![parser.comma()?];
            while parser.accept("|") {
                stages.push(parser.comma()?);
            }
            parser.join(stages)
        })
    }

    /// `a | b` where a comma ends it: a member's value.
    pub(super) fn pipe_without_comma(&mut self) -> Parsed {
        self.deeper(|parser| {
            let mut stages = vec![parser.binary(1)?];
            while parser.accept("|") {
                stages.push(parser.binary(1)?);
            }
            parser.join(stages)
        })
    }

    fn join(&self, stages: Vec<Node>) -> Parsed {
        let mut stages = stages.into_iter().rev();
        let Some(last) = stages.next() else { return self.unexpected("a filter") };
        stages.try_fold(last, |rest, stage| match stage.op {
            Op::Identity => Ok(rest),
            _ => self.node(Op::Pipe(Box::new(stage), Box::new(rest))),
        })
    }

    fn comma(&mut self) -> Parsed {
        let first = self.binary(1)?;
        if !self.is(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.accept(",") {
            items.push(self.binary(1)?);
        }
        self.node(Op::Comma(items))
    }

    /// Operators that bind at least as tightly as `least`.
    pub(super) fn binary(&mut self, least: u8) -> Parsed {
        let mut left = self.operand()?;
        let mut chained = 0;
        while let Some(operator) = self.operator() {
            if operator.strength < least {
                break;
            }
            if operator.strength == chained && operator.joins == Joins::Not {
                return self.refuse(
                    &format!("`{}` cannot follow another operator of its kind", self.text()),
                    Some("put one of them in parentheses".to_owned()),
                );
            }
            chained = operator.strength;
            self.advance();
            let right = match operator.joins {
                Joins::Right => self.deeper(|parser| parser.binary(operator.strength))?,
                Joins::Left | Joins::Not => self.binary(operator.strength + 1)?,
            };
            left = self.node((operator.make)(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn operator(&self) -> Option<Operator> {
        let Token::Symbol(symbol) = self.token else { return None };
        let (strength, joins, make): (u8, Joins, Make) = match symbol {
            "//" => (1, Joins::Right, Op::Alternative),
            "=" => (2, Joins::Not, Op::Assign),
            "|=" => (2, Joins::Not, Op::Update),
            "//=" => (2, Joins::Not, Op::UpdateAlternative),
            "+=" => (2, Joins::Not, |left, right| Op::UpdateWith(Binary::Add, left, right)),
            "-=" => (2, Joins::Not, |left, right| Op::UpdateWith(Binary::Subtract, left, right)),
            "*=" => (2, Joins::Not, |left, right| Op::UpdateWith(Binary::Multiply, left, right)),
            "/=" => (2, Joins::Not, |left, right| Op::UpdateWith(Binary::Divide, left, right)),
            "%=" => (2, Joins::Not, |left, right| Op::UpdateWith(Binary::Remainder, left, right)),
            "or" => (3, Joins::Left, Op::Or),
            "and" => (4, Joins::Left, Op::And),
            "==" => (5, Joins::Not, |left, right| Op::Binary(Binary::Equal, left, right)),
            "!=" => (5, Joins::Not, |left, right| Op::Binary(Binary::Unequal, left, right)),
            "<" => (5, Joins::Not, |left, right| Op::Binary(Binary::Less, left, right)),
            "<=" => (5, Joins::Not, |left, right| Op::Binary(Binary::LessOrEqual, left, right)),
            ">" => (5, Joins::Not, |left, right| Op::Binary(Binary::Greater, left, right)),
            ">=" => (5, Joins::Not, |left, right| Op::Binary(Binary::GreaterOrEqual, left, right)),
            "+" => (6, Joins::Left, |left, right| Op::Binary(Binary::Add, left, right)),
            "-" => (6, Joins::Left, |left, right| Op::Binary(Binary::Subtract, left, right)),
            "*" => (7, Joins::Left, |left, right| Op::Binary(Binary::Multiply, left, right)),
            "/" => (7, Joins::Left, |left, right| Op::Binary(Binary::Divide, left, right)),
            "%" => (7, Joins::Left, |left, right| Op::Binary(Binary::Remainder, left, right)),
            _ => return None,
        };
        Some(Operator { strength, joins, make })
    }
}

type Make = fn(Box<Node>, Box<Node>) -> Op;

struct Operator {
    strength: u8,
    joins: Joins,
    make: Make,
}

/// How operators of one strength group when they follow each other.
#[derive(PartialEq, Eq)]
enum Joins {
    Left,
    Right,
    Not,
}
