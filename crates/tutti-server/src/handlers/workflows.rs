//! Publishing workflows, and reading what is published.

use std::sync::Arc;

use tutti_api::{
    Code, ControlRequest, Page, Problem, Validation, WorkflowState, WorkflowVersion, WorkflowView,
};
use tutti_auth::{Action, Authorized};
use tutti_engine::Definitions as _;
use tutti_ids::{DefinitionRef, ExecutionId, Name};
use tutti_runtime::{Draft, PublishError};
use tutti_store::{Commit, ExecutionQuery, Expected, RecordChange, Status};

use crate::{
    admission::unkept,
    answer::{Answer, diagnostic, invalid, json, not_found, nothing, of_publishing, of_store},
    asked::{Asked, short},
    audit::Deed,
    moment::show,
    publications::{self, Publication},
};

/// How many executions are looked at, at once.
const PAGE: usize = 1_000;

pub(crate) async fn publish(asked: Asked, proof: Authorized<Name>) -> Answer {
    let draft = compile(&asked).await?.map_err(|error| of_publishing(&error))?;
    if let Some(unkept) = unkept(&draft.workflow) {
        return Err(unkept);
    }
    let name = draft.text.name.clone();
    if name.namespace != *proof.namespace() {
        let detail = format!(
            "the document says namespace `{}`, but is published in `{}`",
            name.namespace,
            proof.namespace()
        );
        return Err(invalid(detail));
    }
    let desk = &asked.desk;
    let _held = desk.keyed.hold(&format!("workflow {name}")).await;
    if let Some(known) = desk.publications.get(&name) {
        // The library refuses any other text of this version.
        return Ok(json(200, &version(&name, &known, &draft)));
    }
    let publication = Publication::new(draft.text.digest, desk.clock.now(), &asked.who());
    let subject = name.to_string();
    let commit = Commit {
        definitions: vec![draft.text.clone()],
        records: vec![RecordChange {
            id: publications::record(&name),
            expected: Expected::Nothing,
            value: Some(publication.encode()),
        }],
        audit: vec![asked.fact(&deed(Action::WorkflowPublish, &proof, &subject, None))],
        ..Commit::default()
    };
    desk.store.commit(commit).await.map_err(|error| of_store(&error))?;
    desk.library().shelve(&draft);
    desk.publications.put(name.clone(), publication.clone());
    Ok(json(201, &version(&name, &publication, &draft)))
}

/// Checks and compiles the document in the body, with what it names elsewhere; both may take their time.
async fn compile(asked: &Asked) -> Result<Result<Draft, PublishError>, Problem> {
    let text: Arc<str> = Arc::from(asked.text()?);
    let (library, load) = (asked.desk.library().clone(), asked.desk.resources.clone());
    let compiling = tokio::task::spawn_blocking(move || library.draft(&text, &load(&text)));
    compiling.await.map_err(|_panicked| invalid("the document cannot be compiled"))
}

fn deed<'a>(
    action: Action,
    proof: &'a Authorized<Name>,
    subject: &'a str,
    reason: Option<&'a str>,
) -> Deed<'a> {
    Deed { action, namespace: Some(proof.namespace()), subject, execution: None, reason }
}

pub(crate) async fn validate(asked: Asked, _proof: Authorized<Name>) -> Answer {
    let found = match compile(&asked).await? {
        Ok(draft) => {
            if let Some(unkept) = unkept(&draft.workflow) {
                return Err(unkept);
            }
            Validation { valid: true, diagnostics: draft.warnings.iter().map(diagnostic).collect() }
        }
        Err(PublishError::Invalid { diagnostics }) => {
            Validation { valid: false, diagnostics: diagnostics.iter().map(diagnostic).collect() }
        }
        Err(conflict) => return Err(of_publishing(&conflict)),
    };
    Ok(json(200, &found))
}

pub(crate) async fn list(asked: Asked, proof: Authorized<Name>) -> Answer {
    let limit = asked.limit()?;
    let after = asked.parsed("cursor", |text| {
        let (name, version) = text.split_once('/')?;
        let (name, version) = (name.parse().ok()?, version.parse().ok()?);
        Some(DefinitionRef { namespace: proof.namespace().clone(), name, version })
    })?;
    let found = asked.desk.publications.page(proof.namespace(), after.as_ref(), limit + 1);
    let items: Vec<_> = found.iter().take(limit).map(|(name, it)| plain(name, it)).collect();
    let next = (found.len() > limit).then(|| items.last()).flatten();
    let next = next.map(|last| format!("{}/{}", last.name, last.version));
    Ok(json(200, &Page { items, next }))
}

/// The version of the path, or the latest.
fn named(asked: &Asked, proof: &Authorized<Name>) -> Result<DefinitionRef, Problem> {
    let name = asked.name("name")?;
    let missing =
        |version: &str| not_found(&format!("workflow {name}, version {}", short(version)));
    let version = match asked.part("version") {
        "" => "latest",
        version => version,
    };
    let namespace = proof.namespace();
    let found = asked.desk.library().find(namespace.as_str(), name.as_str(), version);
    let (found, _digest) = found.ok_or_else(|| missing(version))?;
    // What only an execution brought along is not published.
    asked.desk.publications.get(&found).map(|_| found).ok_or_else(|| missing(version))
}

pub(crate) async fn get(asked: Asked, proof: Authorized<Name>) -> Answer {
    let name = named(&asked, &proof)?;
    let missing = || not_found(&format!("workflow {name}"));
    let publication = asked.desk.publications.get(&name).ok_or_else(missing)?;
    let library = asked.desk.library();
    let workflow = library.get(publication.digest()).ok_or_else(missing)?;
    let text = library.text(publication.digest()).ok_or_else(missing)?;
    let view = WorkflowView {
        version: plain(&name, &publication),
        title: workflow.document.title.as_ref().map(ToString::to_string),
        summary: workflow.document.summary.as_ref().map(ToString::to_string),
        document: tutti_dsl::Resources::unbundle(&text.text).0.clone(),
    };
    Ok(json(200, &view))
}

pub(crate) async fn deprecate(asked: Asked, proof: Authorized<Name>) -> Answer {
    let request: ControlRequest = asked.json_or_default()?;
    let name = named(&asked, &proof)?;
    let desk = &asked.desk;
    let _held = desk.keyed.hold(&format!("workflow {name}")).await;
    let known =
        desk.publications.get(&name).ok_or_else(|| not_found(&format!("workflow {name}")))?;
    let changed = known.clone().deprecated();
    let subject = name.to_string();
    let commit = Commit {
        records: vec![RecordChange {
            id: publications::record(&name),
            expected: Expected::Value(known.encode()),
            value: Some(changed.encode()),
        }],
        audit: vec![asked.fact(&deed(
            Action::WorkflowDeprecate,
            &proof,
            &subject,
            request.reason.as_deref(),
        ))],
        ..Commit::default()
    };
    desk.store.commit(commit).await.map_err(|error| of_store(&error))?;
    desk.publications.put(name.clone(), changed.clone());
    Ok(json(200, &plain(&name, &changed)))
}

pub(crate) async fn delete(asked: Asked, proof: Authorized<Name>) -> Answer {
    let name = named(&asked, &proof)?;
    let desk = &asked.desk;
    let _held = desk.keyed.hold(&format!("workflow {name}")).await;
    let known =
        desk.publications.get(&name).ok_or_else(|| not_found(&format!("workflow {name}")))?;
    if let Some(open) = open_execution(&asked, &name).await? {
        return Err(Problem::new(Code::InUse, format!("{open} has not ended and keeps {name}"))
            .hint("deprecate the version: then nothing new starts with it"));
    }
    let subject = name.to_string();
    let fact =
        asked.fact(&deed(Action::WorkflowDelete, &proof, &subject, asked.parameter("reason")));
    let commit = Commit {
        records: vec![RecordChange {
            id: publications::record(&name),
            expected: Expected::Value(known.encode()),
            value: None,
        }],
        audit: vec![fact],
        ..Commit::default()
    };
    desk.store.commit(commit).await.map_err(|error| of_store(&error))?;
    desk.publications.remove(&name);
    Ok(nothing())
}

/// An execution of this version that has not ended.
async fn open_execution(
    asked: &Asked,
    name: &DefinitionRef,
) -> Result<Option<ExecutionId>, Problem> {
    for status in Status::ALL.into_iter().filter(|status| !status.is_terminal()) {
        let mut before = None;
        loop {
            let query = ExecutionQuery {
                namespace: name.namespace.clone(),
                workflow: Some(name.name.clone()),
                status: Some(status),
                key: None,
                since: None,
                before,
                limit: PAGE,
            };
            let page = asked.desk.store.executions(query).await;
            let page = page.map_err(|error| of_store(&error))?;
            let Some(last) = page.last() else { break };
            before = Some(last.execution);
            let has_it = page.iter().find(|listed| listed.projection.definition == *name);
            if let Some(listed) = has_it {
                return Ok(Some(listed.execution));
            }
        }
    }
    Ok(None)
}

fn plain(name: &DefinitionRef, publication: &Publication) -> WorkflowVersion {
    WorkflowVersion {
        namespace: name.namespace.to_string(),
        name: name.name.to_string(),
        version: name.version.to_string(),
        digest: publication.digest().to_string(),
        state: if publication.is_deprecated {
            WorkflowState::Deprecated
        } else {
            WorkflowState::Active
        },
        published_at: show(publication.published_at()),
        published_by: publication.published_by.clone(),
        warnings: Vec::new(),
    }
}

fn version(name: &DefinitionRef, publication: &Publication, draft: &Draft) -> WorkflowVersion {
    let warnings = draft.warnings.iter().map(diagnostic).collect();
    WorkflowVersion { warnings, ..plain(name, publication) }
}
