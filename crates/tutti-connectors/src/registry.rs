//! Which connector serves which function.

use std::{collections::BTreeMap, sync::Arc};

use crate::Connector;

/// The connectors of a process by function. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Registry(Arc<BTreeMap<&'static str, Arc<dyn Connector>>>);

/// Puts a [`Registry`] together.
#[derive(Debug, Default)]
pub struct RegistryBuilder(BTreeMap<&'static str, Arc<dyn Connector>>);

impl Registry {
    /// Starts an empty registry.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    /// The connector for `function`.
    pub fn get(&self, function: &str) -> Option<&Arc<dyn Connector>> {
        self.0.get(function)
    }

    /// The functions served, sorted.
    pub fn functions(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

impl RegistryBuilder {
    /// Adds a connector; a later one for the same function takes the place of an earlier.
    #[must_use]
    pub fn with(mut self, connector: impl Connector + 'static) -> Self {
        self.0.insert(connector.function(), Arc::new(connector));
        self
    }

    /// The finished registry.
    pub fn build(self) -> Registry {
        Registry(Arc::new(self.0))
    }
}
