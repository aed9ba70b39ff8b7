//! What runs through the machine: values with their places, and the names around them.

use std::rc::Rc;

use crate::{
    Value,
    limits::Limit,
    stop::{Flow, Stop},
    syntax::tree::{Function, Node},
};

/// Takes results, one after the other.
pub(crate) type Out<'o> = &'o mut dyn FnMut(Item) -> Flow;

/// A value, and where it stands in what is being traced.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) value: Value,
    pub(crate) track: Track,
}

/// Where a value stands.
#[derive(Clone)]
pub(crate) enum Track {
    /// Nobody asks.
    Off,
    /// It was computed and stands nowhere.
    Lost,
    /// At this place.
    At(Option<Rc<Step>>),
}

/// The last key of a place and what comes before.
pub(crate) struct Step {
    parent: Option<Rc<Step>>,
    key: Value,
    length: u32,
}

impl Item {
    pub(crate) fn plain(value: Value) -> Self {
        Self { value, track: Track::Off }
    }

    /// An item whose parts are traced from here.
    pub(crate) fn traced(value: Value) -> Self {
        Self { value, track: Track::At(None) }
    }

    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.track, Track::Off)
    }

    /// The value alone.
    pub(crate) fn untracked(&self) -> Self {
        Self::plain(self.value.clone())
    }

    /// A value computed from this one.
    pub(crate) fn computed(&self, value: Value) -> Self {
        let track = match &self.track {
            Track::Off => Track::Off,
            // As in jq, `null` where `null` stands is no change of place.
            Track::At(step) if value.is_null() && self.value.is_null() => Track::At(step.clone()),
            Track::At(_) | Track::Lost => Track::Lost,
        };
        Self { value, track }
    }

    /// Refuses to go on from a value that stands nowhere.
    pub(crate) fn check_place(&self) -> Flow {
        match self.track {
            Track::Lost => Stop::raise(format!(
                "Invalid path expression with result {}",
                self.value.preview(29)
            )),
            _ => Ok(()),
        }
    }

    /// The keys that lead here.
    pub(crate) fn place(&self) -> Flow<Vec<Value>> {
        self.check_place()?;
        Ok(match &self.track {
            Track::At(Some(step)) => step.keys(),
            _ => Vec::new(),
        })
    }
}

impl Track {
    pub(crate) fn then(&self, key: &Value) -> Flow<Self> {
        self.then_with(|| key.clone())
    }

    /// One key further.
    pub(crate) fn then_with(&self, key: impl FnOnce() -> Value) -> Flow<Self> {
        let Self::At(parent) = self else { return Ok(self.clone()) };
        let length = parent.as_ref().map_or(0, |step| step.length) + 1;
        if length > Value::MAX_DEPTH {
            return Stop::limit(Limit::ValueDepth);
        }
        Ok(Self::At(Some(Rc::new(Step { parent: parent.clone(), key: key(), length }))))
    }
}

impl Step {
    pub(crate) fn keys(&self) -> Vec<Value> {
        let mut keys = vec![self.key.clone()];
        let mut parent = &self.parent;
        while let Some(step) = parent {
            keys.push(step.key.clone());
            parent = &step.parent;
        }
        keys.reverse();
        keys
    }
}

/// The names around a node, innermost first, each on the stack of the call that bound it.
pub(crate) enum Env<'e> {
    Root,
    Value { value: Value, parent: &'e Env<'e> },
    Parameter { node: &'e Node, env: &'e Env<'e>, parent: &'e Env<'e> },
    Function { function: &'e Function, parent: &'e Env<'e> },
    Label { id: u32, parent: &'e Env<'e> },
}

impl<'e> Env<'e> {
    /// What is bound at this distance.
    pub(crate) fn up(&'e self, distance: usize) -> &'e Self {
        let mut at = self;
        for _ in 0..distance {
            at = match at {
                Self::Root => at,
                Self::Value { parent, .. }
                | Self::Parameter { parent, .. }
                | Self::Function { parent, .. }
                | Self::Label { parent, .. } => parent,
            };
        }
        at
    }
}
