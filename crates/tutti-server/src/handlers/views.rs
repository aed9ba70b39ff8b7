//! What an execution did and what it waits for, read from its journal.

use tutti_api::{Page, Problem};
use tutti_auth::{Authorized, Permission, authorize};
use tutti_ids::{Name, Sequence};
use tutti_runtime::Reading;
use tutti_store::Listed;

use crate::{
    answer::{Answer, json, not_found, of_unread},
    asked::Asked,
    views::{admission, journal_entry, pause, task_views, waiting_view},
};

pub(crate) async fn tasks(asked: Asked, proof: Authorized<Name>, listed: Listed) -> Answer {
    let limit = asked.limit()?;
    let after: u64 = asked.parsed("cursor", |text| text.parse().ok())?.unwrap_or(0);
    let wants_values = asked.parsed("values", |text| text.parse().ok())?.unwrap_or(false);
    if wants_values && let Some(caller) = &asked.caller {
        let may = authorize(caller, Permission::ExecutionReadValues, proof.namespace());
        may.map_err(|denied| crate::answer::of_denied(&denied, "execution"))?;
    }
    let reading = read(&asked, &listed).await?;
    let all = task_views(&reading, wants_values);
    let later = all.into_iter().filter(|task| task.sequence > after);
    let mut items: Vec<_> = later.take(limit + 1).collect();
    let is_more = items.len() > limit;
    items.truncate(limit);
    let next = is_more.then(|| items.last().map(|last| last.sequence.to_string())).flatten();
    Ok(json(200, &Page { items, next }))
}

pub(crate) async fn journal(asked: Asked, _proof: Authorized<Name>, listed: Listed) -> Answer {
    let limit = asked.limit()?;
    let after: u64 = asked.parsed("cursor", |text| text.parse().ok())?.unwrap_or(0);
    let reading = read(&asked, &listed).await?;
    let later = reading.entries().filter(|(sequence, ..)| *sequence > after);
    let entries = later.map(|(sequence, turn, entry)| journal_entry(sequence, turn.at, entry));
    let mut items: Vec<_> = entries.take(limit + 1).collect();
    let is_more = items.len() > limit;
    items.truncate(limit);
    let next = is_more.then(|| items.last().map(|last| last.sequence.to_string())).flatten();
    Ok(json(200, &Page { items, next }))
}

pub(crate) async fn waiting(asked: Asked, proof: Authorized<Name>, listed: Listed) -> Answer {
    let may_see =
        |caller| authorize(caller, Permission::ExecutionReadValues, proof.namespace()).is_ok();
    let wants_values = asked.caller.as_ref().is_some_and(may_see);
    let reading = read(&asked, &listed).await?;
    let mut view = waiting_view(&reading, &listed, wants_values);
    for wait in view.waits.iter_mut().filter(|wait| wait.what == "cooldown") {
        let call = (listed.execution, Sequence(wait.task));
        if let Some(known) = asked.desk.pauses.wait(call) {
            pause(wait, &known);
        }
    }
    if let Some(since) = reading.execution.held() {
        view.waits.push(admission(since, asked.desk.admissions.wait(listed.execution)));
    }
    Ok(json(200, &view))
}

async fn read(asked: &Asked, listed: &Listed) -> Result<Reading, Problem> {
    let reading = asked.desk.reader.read(listed.execution).await;
    let reading = reading.map_err(|error| of_unread(&error))?;
    reading.ok_or_else(|| not_found(&format!("execution {}", listed.execution)))
}
