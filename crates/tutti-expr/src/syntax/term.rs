//! Terms: what stands between operators.

use std::sync::Arc;

use super::{
    lexer::Token,
    parser::{Parsed, Parser},
    tree::{Node, Op, Special},
};
use crate::{Value, natives};

/// Words that cannot be the name of a function.
const KEYWORDS: [&str; 17] = [
    "def", "if", "then", "elif", "else", "end", "as", "reduce", "foreach", "try", "catch", "label",
    "import", "include", "__loc__", "and", "or",
];

impl Parser<'_> {
    /// A term, or `term as $x | …`, or a definition and what follows it.
    pub(super) fn operand(&mut self) -> Parsed {
        if self.is_word("def") {
            return self.deeper(Self::definition);
        }
        if self.is_word("label") {
            return self.deeper(Self::label);
        }
        let term = self.term()?;
        if self.is_word("as") { self.deeper(|parser| parser.bind(term)) } else { Ok(term) }
    }

    /// A term with its suffixes.
    pub(super) fn term(&mut self) -> Parsed {
        let mut node = self.primary()?;
        loop {
            node = match self.token {
                Token::Field => {
                    let name = Arc::from(&self.text()[1..]);
                    self.advance();
                    self.node(Op::Field(Box::new(node), name))?
                }
                Token::Symbol("[") => self.brackets(node)?,
                Token::Symbol(".") => {
                    self.advance();
                    self.after_dot(node)?
                }
                Token::Symbol("?") => {
                    self.advance();
                    self.attempt(node)?
                }
                // Outside patterns `?//` is `?` and then `//`.
                Token::Symbol("?//") => {
                    self.continue_at(self.range.start + 1);
                    self.attempt(node)?
                }
                _ => return Ok(node),
            };
        }
    }

    fn attempt(&self, node: Node) -> Parsed {
        match node.op {
            Op::Try(_, None) => Ok(node),
            _ => self.node(Op::Try(Box::new(node), None)),
        }
    }

    fn after_dot(&mut self, target: Node) -> Parsed {
        match self.token {
            Token::Quote => {
                let key = self.string("text")?;
                self.index(target, key)
            }
            Token::Symbol("[") => self.brackets(target),
            _ => self.unexpected("a name, a string or `[` after `.`"),
        }
    }

    fn index(&self, target: Node, key: Node) -> Parsed {
        match &key.op {
            Op::Constant(name) if name.as_str().is_some() => {
                let name = Arc::from(name.as_str().unwrap_or_default());
                self.node(Op::Field(Box::new(target), name))
            }
            _ => self.node(Op::Index(Box::new(target), Box::new(key))),
        }
    }

    /// `[]`, `[key]`, `[from:to]` after a term.
    fn brackets(&mut self, target: Node) -> Parsed {
        self.expect("[")?;
        if self.accept("]") {
            return self.node(Op::Iterate(Box::new(target)));
        }
        let from = if self.is(":") { None } else { Some(self.pipe()?) };
        if self.accept("]") {
            return match from {
                Some(key) => self.index(target, key),
                None => self.unexpected("a key"),
            };
        }
        self.expect(":")?;
        let to = if self.is("]") { None } else { Some(self.pipe()?) };
        if from.is_none() && to.is_none() {
            return self.unexpected("where the slice ends");
        }
        self.expect("]")?;
        self.node(Op::Slice(Box::new(target), from.map(Box::new), to.map(Box::new)))
    }

    fn primary(&mut self) -> Parsed {
        match self.token {
            Token::Number => Ok(self.number()),
            Token::Quote => self.string("text"),
            Token::Format => self.format(),
            Token::Variable => self.variable(),
            Token::Field => {
                let name = Arc::from(&self.text()[1..]);
                self.advance();
                self.node(Op::Field(Box::new(Node::identity()), name))
            }
            Token::Word => self.word(),
            Token::Symbol(".") => {
                self.advance();
                match self.token {
                    Token::Quote => self.after_dot(Node::identity()),
                    _ => Ok(Node::identity()),
                }
            }
            Token::Symbol("..") => {
                self.advance();
                let op = self.names.call("recurse", Vec::new(), self.range.clone())?;
                self.node(op)
            }
            Token::Symbol("(") => {
                self.advance();
                let inner = self.pipe()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Symbol("[") => self.array(),
            Token::Symbol("{") => self.object(),
            Token::Symbol("-") => {
                self.advance();
                let operand = self.deeper(Self::operand)?;
                self.node(Op::Negate(Box::new(operand)))
            }
            _ => self.unexpected("a filter"),
        }
    }

    fn number(&mut self) -> Node {
        let text = self.text();
        let fraction = text.contains(['.', 'e', 'E']);
        let number = if text.starts_with('.')
            || text.ends_with('.')
            || text.contains(".e")
            || text.contains(".E")
        {
            Value::float(text.parse().unwrap_or(0.0))
        } else {
            Value::number(text, fraction)
        };
        self.advance();
        Node::constant(number)
    }

    fn variable(&mut self) -> Parsed {
        let range = self.range.clone();
        let name = &self.text()[1..];
        self.advance();
        if name == "__loc__" {
            let line = self.source[..range.start].matches('\n').count() + 1;
            let line = Value::from(i64::try_from(line).unwrap_or(i64::MAX));
            return Ok(Node::constant(Value::object([
                ("file", Value::from("<top-level>")),
                ("line", line),
            ])));
        }
        let op = self.names.variable(name, range)?;
        self.node(op)
    }

    fn word(&mut self) -> Parsed {
        match self.text() {
            "if" => self.deeper(Self::condition),
            "try" => self.deeper(Self::try_term),
            "reduce" => self.deeper(|parser| parser.fold(false)),
            "foreach" => self.deeper(|parser| parser.fold(true)),
            "break" => self.break_out(),
            "def" => self.deeper(Self::definition),
            "label" => self.deeper(Self::label),
            word if KEYWORDS.contains(&word) => self.unexpected("a filter"),
            _ => self.call(),
        }
    }

    fn call(&mut self) -> Parsed {
        let range = self.range.clone();
        let name = self.text();
        self.advance();
        let mut args = Vec::new();
        if self.accept("(") {
            args.push(self.pipe()?);
            while self.accept(";") {
                args.push(self.pipe()?);
            }
            self.expect(")")?;
        }
        let op = self.names.call(name, args, range)?;
        self.node(op)
    }

    fn break_out(&mut self) -> Parsed {
        self.advance();
        if self.token != Token::Variable {
            return self.unexpected("the label to leave, as `$name`");
        }
        let distance = self.names.label(&self.text()[1..], self.range.clone())?;
        self.advance();
        self.node(Op::Break(distance))
    }

    fn array(&mut self) -> Parsed {
        self.advance();
        if self.accept("]") {
            return Ok(Node::constant(Value::array([])));
        }
        let inner = self.pipe()?;
        self.expect("]")?;
        match constants(&inner) {
            Some(items) => Ok(Node::constant(Value::array(items))),
            None => self.node(Op::Collect(Box::new(inner))),
        }
    }

    fn object(&mut self) -> Parsed {
        self.advance();
        let mut members = Vec::new();
        while !self.is("}") {
            members.push(self.member()?);
            if !self.accept(",") {
                break;
            }
        }
        self.expect("}")?;
        let literal: Option<Vec<(Arc<str>, Value)>> = members
            .iter()
            .map(|(key, value)| match (&key.op, &value.op) {
                (Op::Constant(key), Op::Constant(value)) => {
                    Some((Arc::from(key.as_str()?), value.clone()))
                }
                _ => None,
            })
            .collect();
        match literal {
            Some(literal) => Ok(Node::constant(Value::object(literal))),
            None => self.node(Op::Object(members)),
        }
    }

    fn member(&mut self) -> Parsed<(Node, Node)> {
        let start = self.range.clone();
        let key = match self.token {
            Token::Word | Token::Symbol("and" | "or") => {
                let key = Node::constant(Value::from(self.text()));
                self.advance();
                key
            }
            Token::Variable => return self.variable_member(),
            Token::Number => self.number(),
            Token::Quote => self.string("text")?,
            Token::Format => {
                let name = &self.text()[1..];
                self.advance();
                if self.token != Token::Quote || natives::format(name).is_none() {
                    return self.unexpected("a string after a format");
                }
                self.string(name)?
            }
            Token::Symbol("(") => {
                self.advance();
                let key = self.pipe()?;
                self.expect(")")?;
                if !self.is(":") {
                    return self.unexpected("`:`");
                }
                key
            }
            _ => return self.unexpected("a member name"),
        };
        if self.accept(":") {
            return Ok((key, self.pipe_without_comma()?));
        }
        // `{name}` and `{"name"}` take the member of that name from the input.
        let again = match &key.op {
            Op::Constant(name) if name.as_str().is_some() => Node::constant(name.clone()),
            Op::Constant(_) => return self.unexpected("`:`"),
            _ => {
                let end = (self.token, self.range.clone());
                self.continue_at(start.start);
                let again = self.term()?;
                (self.token, self.range) = end;
                again
            }
        };
        let value = self.index(Node::identity(), again)?;
        Ok((key, value))
    }

    /// `{$name}`, or `{$name: …}` whose key is the variable's value.
    fn variable_member(&mut self) -> Parsed<(Node, Node)> {
        let name = Value::from(&self.text()[1..]);
        let value = self.variable()?;
        if self.accept(":") {
            return Ok((value, self.pipe_without_comma()?));
        }
        Ok((Node::constant(name), value))
    }

    fn condition(&mut self) -> Parsed {
        self.advance();
        let condition = self.pipe()?;
        self.expect_word("then")?;
        let then = self.pipe()?;
        let otherwise = if self.is_word("elif") {
            self.deeper(Self::condition)?
        } else {
            let otherwise = if self.accept_word("else") { self.pipe()? } else { Node::identity() };
            if !self.is_word("end") {
                return self.unexpected("`elif`, `else` or `end`");
            }
            self.advance();
            otherwise
        };
        self.node(Op::If(Box::new(condition), Box::new(then), Box::new(otherwise)))
    }

    fn try_term(&mut self) -> Parsed {
        self.advance();
        let body = self.term()?;
        let handler = if self.accept_word("catch") { Some(Box::new(self.term()?)) } else { None };
        self.node(Op::Try(Box::new(body), handler))
    }

    pub(super) fn label(&mut self) -> Parsed {
        self.advance();
        if self.token != Token::Variable {
            return self.unexpected("the name of the label, as `$name`");
        }
        let name = &self.text()[1..];
        self.advance();
        self.expect("|")?;
        let mark = self.names.mark();
        self.names.bind_label(name);
        let body = self.pipe()?;
        self.names.leave(mark);
        self.node(Op::Label(Box::new(body)))
    }
}

/// The values of a comma of constants.
fn constants(node: &Node) -> Option<Vec<Value>> {
    let constant = |node: &Node| match &node.op {
        Op::Constant(value) => Some(value.clone()),
        _ => None,
    };
    match &node.op {
        Op::Comma(items) => items.iter().map(constant).collect(),
        Op::Special(Special::Empty, _) => Some(Vec::new()),
        _ => Some(vec![constant(node)?]),
    }
}
