//! Connectors that are measured: calls and probes pass through as they are, and are counted.

use std::{path::Path, sync::Arc};

use tutti_connectors::{BoxFuture, Call, CallContext, Connector, Failure, Probe, Registry};
use tutti_expr::Value;
use tutti_server::{CallEnd, Metrics};

/// The same connectors, each of them measured.
pub(crate) fn measured(registry: &Registry, metrics: &Metrics) -> Registry {
    let connectors = registry.functions().filter_map(|function| registry.get(function));
    let measured = connectors.fold(Registry::builder(), |builder, inner| {
        builder.with(Measured { inner: inner.clone(), metrics: metrics.clone() })
    });
    measured.build()
}

#[derive(Debug)]
struct Measured {
    inner: Arc<dyn Connector>,
    metrics: Metrics,
}

impl Connector for Measured {
    fn function(&self) -> &'static str {
        self.inner.function()
    }

    fn call(&self, call: Call, context: CallContext) -> BoxFuture<'_, Result<Value, Failure>> {
        let calling = self.inner.call(call, context);
        Box::pin(self.metrics.call(self.function(), calling, |result| match result {
            Ok(_) => CallEnd::Completed,
            Err(Failure::Known(_)) => CallEnd::Failed,
            Err(Failure::Cancelled) => CallEnd::Cancelled,
            Err(Failure::Unknown(_)) => CallEnd::Unknown,
        }))
    }

    fn probe(&self, call: Call, context: CallContext) -> BoxFuture<'_, Probe> {
        Box::pin(async move {
            let found = self.inner.probe(call, context).await;
            let end = match &found {
                Probe::Finished(Ok(_)) => CallEnd::Completed,
                Probe::Finished(Err(_)) => CallEnd::Failed,
                Probe::NotMade => CallEnd::Cancelled,
                Probe::Unknown => CallEnd::Unknown,
            };
            self.metrics.probed(self.function(), end);
            found
        })
    }

    fn settled(&self, call: &Call, scratch: &Path) {
        self.inner.settled(call, scratch);
    }
}
