//! Loading a resource: a GET whose answer is bytes, guarded and bounded like every call.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::sync::mpsc;
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::{Effect, Error, ErrorType};

use super::Http;
use crate::{Call, CallContext, Canceller, Connector as _, Failure};

impl Http {
    /// Loads what is at a URI, redirects followed. `authentication` is as in the arguments of a call: `scheme` and
    /// `parameters`, evaluated.
    ///
    /// # Errors
    /// What a call would have faulted with; no secret is in it.
    pub async fn fetch(&self, uri: &str, authentication: Option<Value>) -> Result<Vec<u8>, Error> {
        let members = [
            ("method", Value::from("GET")),
            ("uri", Value::from(uri)),
            ("output", Value::from("raw")),
            ("redirect", Value::from(true)),
        ];
        let authentication = authentication.map(|value| ("authentication", value));
        let call = Call {
            execution: ExecutionId::from_bits(0),
            task: Sequence::FIRST,
            reference: TaskRef::root(),
            arguments: Value::object(members.into_iter().chain(authentication)),
            effect: Effect::Read,
            key: Arc::from("resource"),
            attempt: 1,
            sensitive: false,
            secrets: Vec::new(),
        };
        let (_canceller, cancellation) = Canceller::new();
        let (log, _lines) = mpsc::channel(1);
        let answer = self.call(call, CallContext { cancellation, log, scratch: None }).await;
        let content = answer.map_err(|failure| match failure {
            Failure::Known(error) | Failure::Unknown(error) => error,
            Failure::Cancelled => Error::new(ErrorType::Communication, "it was given up"),
        })?;
        let bytes = STANDARD.decode(content.as_str().unwrap_or_default());
        bytes.map_err(|error| Error::new(ErrorType::Communication, error.to_string()))
    }
}
