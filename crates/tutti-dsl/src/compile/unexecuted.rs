//! What this version does not execute: its expressions, durations and lists are checked by the tables.

use super::{At, Compiler, flow::Jumps, scope::Scopes};
use crate::{
    kinds::Keyword,
    shape::{
        Object, Shape,
        authentication::POLICY,
        calls,
        data_flow::{EXPORT, OUTPUT},
        events::ITERATOR,
        fit::fits,
        resources::ENDPOINT,
        tasks,
    },
};

impl<'n> Compiler<'n> {
    /// Checks a task that is not executed.
    pub(super) fn check_unexecuted(&mut self, keyword: Keyword, at: &At<'n>, scopes: &Scopes) {
        let Some(call) = at.get("call") else {
            for key in tasks::of(keyword).keys {
                if let Some(part) = at.get(key.name) {
                    self.by_shape(&part, &key.shape, scopes);
                }
            }
            return;
        };
        let Some(with) = at.get("with") else { return };
        match call.text().and_then(|name| calls::arguments(name)) {
            Some(arguments) => self.object_by_shape(&with, arguments, scopes),
            None => _ = self.template(&with, &scopes.body),
        }
    }

    /// Checks what stands at a place of this shape; where it has another shape that is told elsewhere.
    fn by_shape(&mut self, at: &At<'n>, shape: &Shape, scopes: &Scopes) {
        if !fits(at.node, shape) {
            return;
        }
        let place = &scopes.body;
        match shape {
            Shape::Expression => _ = self.expression(at, place),
            Shape::Value | Shape::TextValue | Shape::Marked | Shape::MapValue => {
                _ = self.template(at, place);
            }
            Shape::Code => _ = self.code_template(at, place),
            Shape::Duration => _ = self.duration(at, place),
            Shape::Uri if at.text().is_some_and(|text| text.trim().starts_with("${")) => {
                self.template(at, place);
            }
            Shape::Uri => _ = self.uri_template(at),
            Shape::List(inner) => at.items().for_each(|item| self.by_shape(&item, inner, scopes)),
            Shape::Map(inner) => {
                at.members().for_each(|(_, member)| self.by_shape(&member, inner, scopes));
            }
            Shape::UseOr(object) if std::ptr::eq(*object, &raw const POLICY) => {
                self.authentication(at, place);
            }
            Shape::UseOr(object) | Shape::Object(object) => {
                self.object_by_shape(at, object, scopes);
            }
            Shape::Either(shapes) => {
                if let Some(shape) = shapes.iter().find(|shape| fits(at.node, shape)) {
                    self.by_shape(at, shape, scopes);
                }
            }
            Shape::Tasks => _ = self.list(at, scopes, Jumps::Allowed),
            Shape::Any
            | Shape::Text
            | Shape::Bool
            | Shape::Integer { .. }
            | Shape::Choice(_)
            | Shape::DnsLabel
            | Shape::Version
            | Shape::VersionOrLatest
            | Shape::Host
            | Shape::Directive
            | Shape::Variable
            | Shape::JsonSchema
            | Shape::NotYet
            | Shape::Named(_)
            | Shape::NonEmptyNamed(_)
            | Shape::Task => {}
        }
    }

    fn object_by_shape(&mut self, at: &At<'n>, object: &Object, scopes: &Scopes) {
        let inner = if object.name == ITERATOR.name {
            let item = self.variable(at.get("item").as_ref(), "item");
            let index = self.variable(at.get("at").as_ref(), "index");
            self.refuse_same_names(at.get("at").or_else(|| at.get("item")), &item, &index);
            scopes.with(&[&item, &index])
        } else {
            scopes.clone()
        };
        if object.name == OUTPUT.name || object.name == EXPORT.name {
            self.schema(at);
        }
        for (name, member) in at.members() {
            let shape = object.key(&name.text).map(|key| key.shape).or(object.others);
            if let Some(shape) = shape {
                self.by_shape(&member, &shape, &inner);
            }
        }
    }

    /// The root of a catalog.
    pub(super) fn catalog(&mut self, at: &At<'n>, scopes: &Scopes) {
        self.by_shape(at, &ENDPOINT, scopes);
    }
}
