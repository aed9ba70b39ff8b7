//! The hands that people lay on executions. Each is an entry of the journal, with its audit record in the same transaction.

use tokio::sync::OwnedMutexGuard;
use tutti_api::{ControlRequest, Problem, Resolution as Asking, ResolveRequest, RetryRequest};
use tutti_auth::{Action, Authorized};
use tutti_engine::Control;
use tutti_expr::Value;
use tutti_ids::{Name, Sequence, TaskRef};
use tutti_journal::Resolution;
use tutti_runtime::Beside;
use tutti_runtime::admission::waits_for_key;
use tutti_store::Listed;

use crate::{
    admission,
    answer::{Answer, invalid, json, of_runtime, of_unread},
    asked::Asked,
    audit::Deed,
    handlers::executions::standing,
};

pub(crate) async fn suspend(asked: Asked, proof: Authorized<Name>, listed: Listed) -> Answer {
    let request: ControlRequest = asked.json_or_default()?;
    control(&asked, &proof, &listed, Action::ExecutionSuspend, Control::Suspend, request.reason)
        .await
}

pub(crate) async fn resume(asked: Asked, proof: Authorized<Name>, listed: Listed) -> Answer {
    let request: ControlRequest = asked.json_or_default()?;
    control(&asked, &proof, &listed, Action::ExecutionResume, Control::Resume, request.reason).await
}

pub(crate) async fn cancel(asked: Asked, proof: Authorized<Name>, listed: Listed) -> Answer {
    let request: ControlRequest = asked.json_or_default()?;
    let cancel = Control::Cancel { reason: request.reason.clone() };
    control(&asked, &proof, &listed, Action::ExecutionCancel, cancel, request.reason).await
}

pub(crate) async fn resolve(asked: Asked, proof: Authorized<Name>, listed: Listed) -> Answer {
    let request: ResolveRequest = asked.json()?;
    let resolution = match (request.resolution, &request.output) {
        (Asking::Retry, None) => Resolution::Retry,
        (Asking::Fault, None) => Resolution::Fault,
        (Asking::Complete, output) => {
            let text = output.as_ref().map_or_else(|| "null".to_owned(), ToString::to_string);
            let output = Value::from_json(&text).map_err(|error| invalid(error.message))?;
            Resolution::Complete { output }
        }
        _ => return Err(invalid("`output` goes with `complete` only")),
    };
    let task = match request.task {
        Some(task) => Sequence(task),
        None => only_incident(&asked, &listed).await?,
    };
    let settle = Control::Resolve { task, resolution };
    control(&asked, &proof, &listed, Action::ExecutionResolve, settle, request.reason).await
}

/// The task execution of the incident, where there is one.
async fn only_incident(asked: &Asked, listed: &Listed) -> Result<Sequence, Problem> {
    let reading = asked.desk.reader.read(listed.execution).await;
    let reading = reading.map_err(|error| of_unread(&error))?;
    let incidents: Vec<Sequence> = reading
        .iter()
        .flat_map(|reading| reading.execution.incidents().map(|(task, ..)| task))
        .collect();
    match incidents[..] {
        [only] => Ok(only),
        [] => Err(Problem::new(tutti_api::Code::NotNow, "the execution has no incident")),
        _ => Err(invalid("the execution has several incidents: name one by its `task`")
            .hint("GET …/waiting lists them")),
    }
}

pub(crate) async fn retry(asked: Asked, proof: Authorized<Name>, listed: Listed) -> Answer {
    let request: RetryRequest = asked.json_or_default()?;
    let from = request.from.as_deref().map(TaskRef::new);
    let _held = take_key_back(&asked, &listed).await?;
    let beside =
        written(&asked, &proof, &listed, Action::ExecutionRetry, request.reason.as_deref());
    let retried = asked.desk.handle.retry_with(listed.execution, from, beside).await;
    retried.map_err(|error| of_runtime(&error))?;
    Ok(json(200, &standing(&asked, listed.execution).await?))
}

/// An execution that has ended and goes on again has its business key again, if nobody else has it by now, or waits for it
/// where starts do.
async fn take_key_back(
    asked: &Asked,
    listed: &Listed,
) -> Result<Option<OwnedMutexGuard<()>>, Problem> {
    let (Some(key), true) = (&listed.key, listed.projection.status.is_terminal()) else {
        return Ok(None);
    };
    let (desk, definition) = (&asked.desk, &listed.projection.definition);
    let held = admission::hold(desk, definition, key).await;
    let workflow = desk.reader.workflow(listed.projection.digest).await;
    if waits_for_key(&workflow.map_err(|error| of_unread(&error))?.settings) {
        return Ok(Some(held));
    }
    match admission::holder(desk, definition, key, None).await? {
        Some(other) if other.execution != listed.execution => {
            let detail = format!("{} has the business key `{key}` by now", other.execution);
            Err(Problem::new(tutti_api::Code::KeyTaken, detail))
        }
        _ => Ok(Some(held)),
    }
}

async fn control(
    asked: &Asked,
    proof: &Authorized<Name>,
    listed: &Listed,
    action: Action,
    control: Control,
    reason: Option<String>,
) -> Answer {
    let beside = written(asked, proof, listed, action, reason.as_deref());
    let done = asked.desk.handle.control_with(listed.execution, control, beside).await;
    done.map_err(|error| of_runtime(&error))?;
    Ok(json(200, &standing(asked, listed.execution).await?))
}

fn written(
    asked: &Asked,
    proof: &Authorized<Name>,
    listed: &Listed,
    action: Action,
    reason: Option<&str>,
) -> Beside {
    let (execution, subject) = (Some(listed.execution), listed.execution.to_string());
    let namespace = Some(proof.namespace());
    let deed = Deed { action, namespace, subject: &subject, execution, reason };
    Beside { records: Vec::new(), audit: vec![asked.fact(&deed)] }
}
