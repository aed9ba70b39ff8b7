//! Starting executions, and how they stand.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderName, Response, header},
};
use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};
use tutti_api::{
    Code, EXECUTION_HEADER, ExecutionStatus, ExecutionView, IDEMPOTENCY_HEADER, PROBLEM_JSON, Page,
    Problem,
};
use tutti_auth::{Action, Authorized, Permission, authorize};
use tutti_engine::{Definitions as _, Outcome};
use tutti_expr::Value;
use tutti_ids::{Digest, ExecutionId, Name};
use tutti_journal::Error;
use tutti_runtime::{Beside, NewExecution, Settlement};
use tutti_store::{ExecutionQuery, Listed, RecordId, RecordKind, Status};

use crate::{
    answer::{
        Answer, invalid, json, not_found, of_runtime, of_store, of_unread, problem, raw,
        with_header,
    },
    asked::{Asked, short},
    audit::Deed,
    moment::{parse, show},
};

/// How long a start may wait for the end.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// The longest business key, in bytes.
const LONGEST_KEY: usize = 512;

/// What a request under an idempotency key has done.
#[derive(Debug, Encode, Decode)]
struct Done {
    /// The digest of what was asked.
    #[cbor(n(0), with = "minicbor::bytes")]
    asked: [u8; 32],
    /// The execution it started.
    #[cbor(n(1), with = "minicbor::bytes")]
    execution: [u8; 16],
    /// When, in milliseconds since the epoch.
    #[n(2)]
    at: i64,
}

pub(crate) async fn start(asked: Asked, proof: Authorized<Name>) -> Answer {
    let wait = asked.parsed("wait", duration)?;
    let execution = begin(&asked, &proof).await?;
    let answer = match wait {
        Some(wait) => awaited(&asked, execution, wait).await?,
        None => json(201, &standing(&asked, execution).await?),
    };
    let id = execution.to_string();
    let answer = with_header(answer, HeaderName::from_static(EXECUTION_HEADER), &id);
    Ok(with_header(answer, header::LOCATION, &format!("/api/v1/executions/{id}")))
}

/// Starts the execution, or finds the one that the same request started before.
async fn begin(asked: &Asked, proof: &Authorized<Name>) -> Result<ExecutionId, Problem> {
    let Some(key) = asked.header(IDEMPOTENCY_HEADER) else {
        return admit(asked, proof, Beside::default()).await;
    };
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(invalid(format!("`{IDEMPOTENCY_HEADER}` has 1 to {LONGEST_KEY} bytes")));
    }
    let desk = &asked.desk;
    let id = request_record(asked, proof, key);
    let digest = request_digest(asked);
    let _held = desk.keyed.hold(&format!("request {}", id.key)).await;
    let known = desk.store.record(id.clone()).await.map_err(|error| of_store(&error))?;
    if let Some(done) = known.and_then(|bytes| minicbor::decode::<Done>(&bytes).ok()) {
        let execution = ExecutionId::from_bits(u128::from_be_bytes(done.execution));
        if done.asked == digest {
            return Ok(execution);
        }
        return Err(Problem::new(Code::KeyReused, "this key came with another request before"));
    }
    let execution = desk.handle.new_id().map_err(|error| of_runtime(&error))?;
    let at = desk.clock.now().0;
    let done = Done { asked: digest, execution: execution.to_bits().to_be_bytes(), at };
    let value = minicbor::to_vec(&done).expect("invariant: memory takes what is written");
    let beside = Beside { records: vec![(id, Some(value))], audit: Vec::new() };
    admit_as(asked, proof, execution, beside).await
}

async fn admit(
    asked: &Asked,
    proof: &Authorized<Name>,
    beside: Beside,
) -> Result<ExecutionId, Problem> {
    let execution = asked.desk.handle.new_id().map_err(|error| of_runtime(&error))?;
    admit_as(asked, proof, execution, beside).await
}

async fn admit_as(
    asked: &Asked,
    proof: &Authorized<Name>,
    execution: ExecutionId,
    mut beside: Beside,
) -> Result<ExecutionId, Problem> {
    let (desk, name) = (&asked.desk, asked.name("name")?);
    let namespace = proof.namespace();
    let version = asked.parameter("version").unwrap_or("latest");
    let missing = || not_found(&format!("workflow {name}, version {}", short(version)));
    let found = desk.library().find(namespace.as_str(), name.as_str(), version);
    let (definition, digest) = found.ok_or_else(missing)?;
    desk.publications.get(&definition).ok_or_else(missing)?;
    let workflow = desk.library().get(digest).ok_or_else(missing)?;
    let input = match asked.text()?.trim() {
        "" => None,
        text => Some(
            Value::from_json(text)
                .map_err(|error| invalid(format!("the body is no JSON: {}", error.message)))?,
        ),
    };
    let key = asked.parameter("key").map(str::to_owned);
    if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY) {
        return Err(invalid(format!("`key` has 1 to {LONGEST_KEY} bytes")));
    }
    let subject = definition.to_string();
    beside.audit.push(asked.fact(&Deed {
        action: Action::ExecutionStart,
        namespace: Some(namespace),
        subject: &subject,
        execution: Some(execution),
        reason: None,
    }));
    let definition = (definition, digest, workflow);
    let new = NewExecution { execution, definition, input, key, beside };
    desk.handle.start_with(new).await.map_err(|error| of_runtime(&error))?;
    Ok(execution)
}

fn request_record(asked: &Asked, proof: &Authorized<Name>, key: &str) -> RecordId {
    let who = asked.who();
    let parts = [who.as_str(), asked.part("name"), key];
    let hash = parts.iter().fold(Sha256::new(), |hash, part| {
        hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
    });
    let key = Digest(hash.finalize().into()).to_string();
    RecordId { kind: RecordKind::Request, namespace: Some(proof.namespace().clone()), key }
}

/// What a repetition must ask as well: the same body and parameters. How long it waits is its own affair.
fn request_digest(asked: &Asked) -> [u8; 32] {
    let said = asked.query.iter().filter(|(name, _)| *name != "wait");
    let hash = said.fold(Sha256::new(), |hash, (name, value)| {
        let lengths = [name.len() as u64, value.len() as u64];
        let hash = lengths.iter().fold(hash, |hash, it| hash.chain_update(it.to_be_bytes()));
        hash.chain_update(name).chain_update(value)
    });
    hash.chain_update(&asked.body).finalize().into()
}

/// Waits for the end, and answers with what came of it.
async fn awaited(
    asked: &Asked,
    execution: ExecutionId,
    wait: Duration,
) -> Result<Response<Body>, Problem> {
    let settled = asked.desk.handle.settled(execution);
    let Ok(settled) = tokio::time::timeout(wait, settled).await else {
        return Ok(json(202, &standing(asked, execution).await?));
    };
    match settled.map_err(|error| of_runtime(&error))? {
        Settlement::Ended(Outcome::Completed(output)) => {
            Ok(raw(200, "application/json", output.to_redacted_json()))
        }
        Settlement::Ended(Outcome::Faulted(error)) => Ok(faulted(&error)),
        Settlement::Ended(Outcome::Cancelled) => {
            Ok(problem(&Problem::new(Code::Cancelled, format!("{execution} was cancelled"))))
        }
        Settlement::Suspended { .. } | Settlement::Listening { .. } => {
            Ok(json(202, &standing(asked, execution).await?))
        }
        Settlement::Lost(reason) => Err(Problem::new(Code::Internal, reason)),
    }
}

/// The error of an execution, as problem details with its own status where that is one of a failure.
fn faulted(error: &Error) -> Response<Body> {
    let status = if (400..600).contains(&error.status) { error.status } else { 500 };
    raw(status, PROBLEM_JSON, error.to_value().to_redacted_json())
}

pub(crate) async fn list(asked: Asked, proof: Authorized<Name>) -> Answer {
    let limit = asked.limit()?;
    let query = ExecutionQuery {
        namespace: proof.namespace().clone(),
        workflow: asked.parsed("workflow", |text| text.parse().ok())?,
        status: asked.parsed("status", stored_status)?,
        key: asked.parameter("key").map(Arc::from),
        since: asked.parsed("since", parse)?,
        before: asked.parsed("cursor", |text| text.parse().ok())?,
        limit: limit + 1,
    };
    let found = asked.desk.store.executions(query).await.map_err(|error| of_store(&error))?;
    let items: Vec<_> = found.iter().take(limit).map(view).collect();
    let next = (found.len() > limit).then(|| items.last().map(|last| last.id.clone())).flatten();
    Ok(json(200, &Page { items, next }))
}

pub(crate) async fn get(asked: Asked, proof: Authorized<Name>, listed: Listed) -> Answer {
    let mut view = view(&listed);
    let may_see =
        |caller| authorize(caller, Permission::ExecutionReadValues, proof.namespace()).is_ok();
    if view.status.is_terminal() && asked.caller.as_ref().is_some_and(may_see) {
        let reading = asked.desk.reader.read(listed.execution).await;
        let reading = reading.map_err(|error| of_unread(&error))?;
        match reading.as_ref().and_then(|reading| reading.outcome()) {
            Some(Outcome::Completed(output)) => view.output = Some(plain(output)),
            Some(Outcome::Faulted(error)) => view.error = Some(plain(&error.to_value())),
            Some(Outcome::Cancelled) | None => {}
        }
    }
    Ok(json(200, &view))
}

/// How an execution stands now.
pub(crate) async fn standing(
    asked: &Asked,
    execution: ExecutionId,
) -> Result<ExecutionView, Problem> {
    let found = asked.desk.store.standing(execution).await.map_err(|error| of_store(&error))?;
    found.as_ref().map(view).ok_or_else(|| not_found(&format!("execution {execution}")))
}

pub(crate) fn view(listed: &Listed) -> ExecutionView {
    let Listed { execution, projection, key } = listed;
    let status = wire_status(projection.status);
    ExecutionView {
        id: execution.to_string(),
        namespace: projection.definition.namespace.to_string(),
        workflow: projection.definition.name.to_string(),
        version: projection.definition.version.to_string(),
        digest: projection.digest.to_string(),
        status,
        key: key.as_ref().map(ToString::to_string),
        parent: projection.parent.map(|parent| parent.to_string()),
        started_at: show(projection.started_at),
        updated_at: show(projection.updated_at),
        ended_at: status.is_terminal().then(|| show(projection.updated_at)),
        due: projection.due.filter(|_| !status.is_terminal()).map(show),
        output: None,
        error: None,
    }
}

/// A value on the wire; what came from a secret is shown as that.
pub(crate) fn plain(value: &Value) -> serde_json::Value {
    serde_json::from_str(&value.to_redacted_json()).unwrap_or(serde_json::Value::Null)
}

pub(crate) fn wire_status(status: Status) -> ExecutionStatus {
    match status {
        Status::Pending => ExecutionStatus::Pending,
        Status::Running => ExecutionStatus::Running,
        Status::Waiting => ExecutionStatus::Waiting,
        Status::Suspended => ExecutionStatus::Suspended,
        Status::Cancelled => ExecutionStatus::Cancelled,
        Status::Faulted => ExecutionStatus::Faulted,
        Status::Completed => ExecutionStatus::Completed,
    }
}

fn stored_status(text: &str) -> Option<Status> {
    let all = [
        Status::Pending,
        Status::Running,
        Status::Waiting,
        Status::Suspended,
        Status::Cancelled,
        Status::Faulted,
        Status::Completed,
    ];
    all.into_iter().find(|status| status.as_str() == text)
}

/// `30s`, `500ms`, `2m` or `PT30S`, up to the longest wait.
fn duration(text: &str) -> Option<Duration> {
    let span: jiff::SignedDuration = text.parse().ok()?;
    let wait = span.try_into().ok()?;
    (wait <= LONGEST_WAIT).then_some(wait)
}
