//! How a subject is read from the command line, and set going.

use std::sync::Arc;

use tutti_engine::Control;
use tutti_ids::ExecutionId;
use tutti_journal::Resolution;
use tutti_runtime::{Beside, Error, Handle, Incident, Library, NewExecution};
use tutti_store::Store as _;

use super::{
    State,
    definitions::{Published, Publisher},
    events, input, secrets, state, stopped,
    subject::{Place, Subject, What},
    unknown,
};
use crate::{
    command_line::RunArguments,
    connectors::{OWN_MACHINE, web},
    console::Console,
    exit::{Exit, Failure},
    progress::Progress,
    resources::Web,
};

/// Reads what the command line names.
pub(super) fn subject(arguments: &RunArguments, console: &Console) -> Result<Subject, Failure> {
    let mut stdin = input::Stdin::default();
    let library = Arc::new(Library::default());
    // The texts of secrets must be known before anything is said.
    let secrets = secrets::gather(arguments, &mut stdin, console)?;
    unknown::resolution(arguments)?;
    if let Some(execution) = arguments.resume {
        let place = match (&arguments.store, execution) {
            (Some(directory), _) => Place::Given(directory.clone()),
            (None, Some(execution)) => Place::Own(execution),
            (None, None) => return Err(state::which_one()),
        };
        if arguments.input.is_some() || !arguments.set.is_empty() {
            return Err(Failure::usage("`--resume` takes neither --input nor --set")
                .hint("an execution keeps the input it was started with"));
        }
        let file = match &arguments.file {
            // What it started with is stored: the web is not asked again.
            Some(file) => {
                let publisher = Publisher { library: &library, web: None, console };
                Some(publisher.publish(file, &arguments.children, &mut stdin)?.text.digest)
            }
            None => None,
        };
        let events = events::given(arguments, &mut stdin)?;
        let what = What::Resume { named: execution, file };
        return Ok(Subject { library, secrets, place, events, what });
    }
    let Some(file) = &arguments.file else { return Err(Failure::usage("no FILE is given")) };
    let web = Web::new(web(OWN_MACHINE), secrets.all())
        .map_err(|error| Failure::of("cannot prepare to load resources", &error))?;
    let publisher = Publisher { library: &library, web: Some(&web), console };
    let published = publisher.publish(file, &arguments.children, &mut stdin)?;
    let input = input::input(arguments.input.as_deref(), &arguments.set, &mut stdin)?;
    let events = events::given(arguments, &mut stdin)?;
    secrets.warn_of_differences(&published.workflow, console);
    let place = match &arguments.store {
        Some(directory) => Place::Given(directory.clone()),
        None => Place::Own(state::draw_id()?),
    };
    let Published { text, workflow, children } = published;
    let what = What::Start { text, workflow, input, children };
    Ok(Subject { library, secrets, place, events, what })
}

/// Starts the execution, or takes it up; says which it is.
pub(super) async fn begin(
    handle: &Handle,
    state: &mut State,
    subject: &Subject,
    progress: &Progress,
) -> Result<ExecutionId, Failure> {
    match &subject.what {
        What::Start { text, workflow, input, children } => {
            let execution = state.execution;
            progress.watch(execution);
            state.prepare(children)?;
            let definition = (text.name.clone(), text.digest, workflow.clone());
            let (input, key, beside) = (input.clone(), None, Beside::default());
            let hold = None;
            let new = NewExecution { execution, definition, input, key, hold, beside };
            handle.start_with(new).await.map_err(|error| stopped(&error))?;
            Ok(execution)
        }
        What::Resume { named, file } => {
            let execution = state.find(*named).await?;
            progress.watch(execution);
            state.publish_children(&subject.library)?;
            let digest = state.learn_secrets(&subject.library).await?;
            subject.secrets.demand(&state.secrets, &state.how_to_resume())?;
            if file.is_some_and(|file| file != digest) {
                progress.warn(
                    "FILE is not the definition that the execution was started with",
                    "it goes on with the one it was started with; leave FILE out",
                );
            }
            progress.restore(&*state.store, &subject.library, execution).await?;
            adopt_all(handle, state, execution).await?;
            Ok(execution)
        }
    }
}

/// Takes up an execution and everything open in its store.
async fn adopt_all(handle: &Handle, state: &State, execution: ExecutionId) -> Result<(), Failure> {
    adopt(handle, execution).await?;
    let mut after = None;
    loop {
        let open = state.store.open_executions(after, 100).await;
        let open = open.map_err(|error| Failure::unread(&error))?;
        let Some(last) = open.last() else { return Ok(()) };
        after = Some(last.execution);
        for open in &open {
            // Another root in the same store is another execution's affair.
            if open.projection.parent.is_some() {
                adopt(handle, open.execution).await?;
            }
        }
    }
}

async fn adopt(handle: &Handle, execution: ExecutionId) -> Result<(), Failure> {
    handle.adopt(execution).await.map_err(|error| match error {
        Error::Refused(refusal) => {
            Failure::usage(format!("cannot go on with {execution}: {refusal}"))
                .hint(
                    "`--resume` without an id goes on with the only one in --store, or the latest",
                )
                .exit(Exit::Unfinished)
                .suspecting_store()
        }
        other => stopped(&other),
    })
}

/// Settles what a person has to settle, as the command line says; false where it says nothing that helps.
/// `may_resume`: whether whoever called has asked to go on with an execution whose journal has reached its limit.
pub(super) async fn move_on(
    handle: &Handle,
    root: ExecutionId,
    incidents: &[Incident],
    resolution: &mut Option<Resolution>,
    may_resume: &mut bool,
) -> Result<bool, Failure> {
    if incidents.is_empty() {
        return match handle.control(root, Control::Resume).await {
            Ok(()) => Ok(true),
            Err(Error::Refused(_)) => Ok(false),
            Err(other) => Err(stopped(&other)),
        };
    }
    // Once: an outcome that is unknown again is again for a person to look at, and so is a journal that grew again.
    let resolution = resolution.take();
    let may_resume = std::mem::take(may_resume);
    let control_for = |incident: &Incident| match &resolution {
        _ if incident.is_journal_limit() => may_resume.then_some(Control::Resume),
        Some(resolution) => {
            Some(Control::Resolve { task: incident.task, resolution: resolution.clone() })
        }
        None => None,
    };
    let controls: Option<Vec<_>> = incidents.iter().map(control_for).collect();
    let Some(controls) = controls else { return Ok(false) };
    for (incident, control) in incidents.iter().zip(controls) {
        match handle.control(incident.execution, control).await {
            Ok(()) | Err(Error::Refused(_)) => {}
            Err(other) => return Err(stopped(&other)),
        }
    }
    Ok(true)
}
