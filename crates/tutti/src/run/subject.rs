//! What is run: a document that is started, or an execution that is taken up again.

use std::{path::PathBuf, sync::Arc};

use tutti_dsl::Workflow;
use tutti_expr::Value;
use tutti_ids::{Digest, ExecutionId};
use tutti_runtime::Library;
use tutti_store::DefinitionText;

use super::{events::Given, secrets::GivenSecrets};

/// Everything the command line says about what is run, read and checked before anything is touched.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) library: Arc<Library>,
    pub(super) secrets: GivenSecrets,
    pub(super) place: Place,
    pub(super) events: Given,
    pub(super) what: What,
}

/// Where the state is kept.
#[derive(Debug)]
pub(super) enum Place {
    /// In the directory of the user's state, under the execution's id; removed on completion.
    Own(ExecutionId),
    /// Where the user says.
    Given(PathBuf),
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum What {
    /// Start an execution of this document.
    Start {
        text: DefinitionText,
        workflow: Arc<Workflow>,
        input: Option<Value>,
        children: Vec<DefinitionText>,
    },
    /// Go on with the execution of this id, or the only one there is.
    Resume {
        named: Option<ExecutionId>,
        /// The definition that the command line names as well.
        file: Option<Digest>,
    },
}
