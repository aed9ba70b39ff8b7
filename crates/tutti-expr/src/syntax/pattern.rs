//! What binds names: definitions, `as`, `reduce` and `foreach`.

use std::sync::Arc;

use super::{
    lexer::Token,
    parser::{Parsed, Parser},
    tree::{Binding, Fold, Function, Member, Node, Op, Pattern},
};
use crate::Value;

impl Parser<'_> {
    /// `def name(parameters): body; rest`
    pub(super) fn definition(&mut self) -> Parsed {
        let mark = self.names.mark();
        let (name, arity, function) = self.function()?;
        self.names.bind_function(&name, arity, function.body.reach);
        let rest = self.pipe()?;
        self.names.leave(mark);
        self.node(Op::Define(Arc::new(function), Box::new(rest)))
    }

    /// `def name(parameters): body;`, whose body may call it; its name and number of parameters.
    pub(crate) fn function(&mut self) -> Parsed<(String, usize, Function)> {
        self.expect_word("def")?;
        if self.token != Token::Word {
            return self.unexpected("the name of the definition");
        }
        let name = self.text().to_owned();
        self.advance();
        let parameters = self.parameters()?;
        self.expect(":")?;
        let mark = self.names.mark();
        self.names.bind_function(&name, parameters.len(), Node::UNBOUNDED);
        for parameter in &parameters {
            self.names.bind_parameter(parameter.trim_start_matches('$'));
        }
        let mut sources = Vec::new();
        for value in parameters.iter().filter_map(|parameter| parameter.strip_prefix('$')) {
            sources.push(self.names.call(value, Vec::new(), self.range.clone())?);
            self.names.bind_variable(value);
        }
        let mut body = self.pipe()?;
        self.names.leave(mark);
        self.expect(";")?;
        for source in sources.into_iter().rev() {
            let binding = Binding { patterns: vec![Pattern::Slot(0)], slots: 1 };
            body = self.node(Op::Bind(Node::boxed(source), binding, Box::new(body)))?;
        }
        Ok((name, parameters.len(), Function { body }))
    }

    fn parameters(&mut self) -> Parsed<Vec<String>> {
        let mut parameters = Vec::new();
        if !self.accept("(") {
            return Ok(parameters);
        }
        loop {
            if !matches!(self.token, Token::Word | Token::Variable) {
                return self.unexpected("a parameter");
            }
            parameters.push(self.text().to_owned());
            self.advance();
            if !self.accept(";") {
                break;
            }
        }
        self.expect(")")?;
        Ok(parameters)
    }

    /// `as patterns | body`, after `source`.
    pub(super) fn bind(&mut self, source: Node) -> Parsed {
        self.advance();
        let mark = self.names.mark();
        let binding = self.binding()?;
        self.expect("|")?;
        let body = self.pipe()?;
        self.names.leave(mark);
        self.node(Op::Bind(Box::new(source), binding, Box::new(body)))
    }

    /// Patterns separated by `?//`, whose variables are in reach afterwards.
    fn binding(&mut self) -> Parsed<Binding> {
        let mut slots = Vec::new();
        let mut patterns = vec![self.pattern(&mut slots)?];
        while self.accept("?//") {
            patterns.push(self.pattern(&mut slots)?);
        }
        for name in &slots {
            self.names.bind_variable(name);
        }
        Ok(Binding { patterns, slots: slots.len() })
    }

    fn pattern(&mut self, slots: &mut Vec<String>) -> Parsed<Pattern> {
        match self.token {
            Token::Variable => Ok(Pattern::Slot(self.slot(slots))),
            Token::Symbol("[") => {
                self.advance();
                let mut items = vec![self.deeper(|parser| parser.pattern(slots))?];
                while self.accept(",") {
                    items.push(self.deeper(|parser| parser.pattern(slots))?);
                }
                self.expect("]")?;
                Ok(Pattern::Array(items))
            }
            Token::Symbol("{") => {
                self.advance();
                let mut members = vec![self.deeper(|parser| parser.pattern_member(slots))?];
                while self.accept(",") {
                    members.push(self.deeper(|parser| parser.pattern_member(slots))?);
                }
                self.expect("}")?;
                Ok(Pattern::Object(members))
            }
            _ => self.unexpected("a variable, `[` or `{`"),
        }
    }

    fn slot(&mut self, slots: &mut Vec<String>) -> usize {
        let name = &self.text()[1..];
        self.advance();
        if let Some(slot) = slots.iter().position(|known| known == name) {
            return slot;
        }
        slots.push(name.to_owned());
        slots.len() - 1
    }

    fn pattern_member(&mut self, slots: &mut Vec<String>) -> Parsed<Member> {
        let (key, slot) = match self.token {
            Token::Variable => {
                let key = Node::constant(Value::from(&self.text()[1..]));
                (key, Some(self.slot(slots)))
            }
            Token::Word | Token::Symbol("and" | "or") => {
                let key = Node::constant(Value::from(self.text()));
                self.advance();
                (key, None)
            }
            Token::Quote => (self.string("text")?, None),
            Token::Symbol("(") => {
                self.advance();
                let key = self.pipe()?;
                self.expect(")")?;
                (key, None)
            }
            _ => return self.unexpected("a member of the pattern"),
        };
        let value = if self.accept(":") {
            Some(self.pattern(slots)?)
        } else if slot.is_some() {
            None
        } else {
            return self.unexpected("`:`");
        };
        Ok(Member { key, slot, value })
    }

    /// `reduce source as patterns (start; update)` or `foreach source as patterns (start; update; extract)`.
    pub(super) fn fold(&mut self, every: bool) -> Parsed {
        self.advance();
        let source = self.term()?;
        self.expect_word("as")?;
        let mark = self.names.mark();
        let binding = self.binding()?;
        let bound = self.names.mark() - mark;
        self.expect("(")?;
        // The start does not see the bound names, but was read after them: they are hidden while it is read.
        let hidden = self.names.hide(bound);
        let start = self.pipe()?;
        self.names.show(hidden);
        self.expect(";")?;
        let update = self.pipe()?;
        let extract = if every && self.accept(";") { Some(self.pipe()?) } else { None };
        self.names.leave(mark);
        self.expect(")")?;
        let fold = Box::new(Fold { source, binding, start, update, extract });
        self.node(if every { Op::Foreach(fold) } else { Op::Reduce(fold) })
    }
}
