//! Starting executions, and how they stand.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderName, Response, header},
};
use tutti_api::{
    Code, EXECUTION_HEADER, ExecutionView, IDEMPOTENCY_HEADER, PROBLEM_JSON, Page, Problem,
};
use tutti_auth::{Action, Authorized, Permission, authorize};
use tutti_engine::{Definitions as _, Outcome};
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Name};
use tutti_journal::Error;
use tutti_runtime::{Beside, Settlement};
use tutti_store::{ExecutionQuery, Listed, Status};

use crate::{
    admission::{self, Admitted, Refused, Wish},
    answer::{
        Answer, invalid, json, not_found, of_runtime, of_store, of_unread, problem, raw,
        with_header,
    },
    asked::{Asked, short},
    audit::Deed,
    moment::{parse, show},
    requests::{self, Done},
    views::{plain, wire_status},
};

/// How long a start may wait for the end.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// The longest idempotency key, in bytes.
const LONGEST_KEY: usize = 512;

pub(crate) async fn start(asked: Asked, proof: Authorized<Name>) -> Answer {
    let wait = asked.parsed("wait", duration)?;
    let admitted = match begin(&asked, &proof).await {
        Ok(admitted) => admitted,
        Err(Refused::Because(problem)) => return Err(problem),
        Err(Refused::Taken(by, taken)) => return Ok(naming(problem(&taken), by)),
    };
    let execution = admitted.execution();
    let answer = match (wait, admitted) {
        (Some(wait), _) => awaited(&asked, execution, wait).await?,
        (None, Admitted::New(_)) => json(201, &standing(&asked, execution).await?),
        (None, Admitted::Existing(_)) => json(200, &standing(&asked, execution).await?),
    };
    Ok(naming(answer, execution))
}

/// The answer, which says what execution it is about.
fn naming(answer: Response<Body>, execution: ExecutionId) -> Response<Body> {
    let id = execution.to_string();
    let answer = with_header(answer, HeaderName::from_static(EXECUTION_HEADER), &id);
    with_header(answer, header::LOCATION, &format!("/api/v1/executions/{id}"))
}

/// Starts the execution, or finds the one that the same request started before.
async fn begin(asked: &Asked, proof: &Authorized<Name>) -> Result<Admitted, Refused> {
    let desk = &asked.desk;
    let execution = desk.handle.new_id().map_err(|error| of_runtime(&error))?;
    let Some(key) = asked.header(IDEMPOTENCY_HEADER) else {
        return admission::admit(desk, wish(asked, proof, execution, Beside::default())?).await;
    };
    if key.is_empty() || key.len() > LONGEST_KEY {
        let detail = format!("`{IDEMPOTENCY_HEADER}` has 1 to {LONGEST_KEY} bytes");
        return Err(invalid(detail).into());
    }
    let id = requests::record(asked, proof.namespace(), key);
    let digest = requests::digest(asked);
    let _held = desk.keyed.hold(&format!("request {}", id.key)).await;
    let known = desk.store.record(id.clone()).await.map_err(|error| of_store(&error))?;
    if let Some(done) = known.as_deref().and_then(Done::decode) {
        if done.asked_for(&digest) {
            return Ok(Admitted::New(done.execution()));
        }
        let reused = Problem::new(Code::KeyReused, "this key came with another request before");
        return Err(reused.into());
    }
    let done = Done::new(digest, execution, desk.clock.now());
    let beside = Beside { records: vec![(id, Some(done.encode()))], audit: Vec::new() };
    admission::admit(desk, wish(asked, proof, execution, beside)?).await
}

/// What is asked for: a published version, the input, the key.
fn wish(
    asked: &Asked,
    proof: &Authorized<Name>,
    execution: ExecutionId,
    mut beside: Beside,
) -> Result<Wish, Problem> {
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
    let subject = definition.to_string();
    beside.audit.push(asked.fact(&Deed {
        action: Action::ExecutionStart,
        namespace: Some(namespace),
        subject: &subject,
        execution: Some(execution),
        reason: None,
    }));
    let (definition, key) = ((definition, digest, workflow), asked.parameter("key"));
    Ok(Wish { execution, definition, input, key: key.map(str::to_owned), beside })
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

fn stored_status(text: &str) -> Option<Status> {
    Status::ALL.into_iter().find(|status| status.as_str() == text)
}

/// `30s`, `500ms`, `2m` or `PT30S`, up to the longest wait.
fn duration(text: &str) -> Option<Duration> {
    let span: jiff::SignedDuration = text.parse().ok()?;
    let wait = span.try_into().ok()?;
    (wait <= LONGEST_WAIT).then_some(wait)
}
