//! The schedules that are kept, with their next times.

use tutti_api::{Page, ScheduleView};
use tutti_auth::Authorized;
use tutti_ids::Name;

use crate::{
    answer::{Answer, json},
    asked::Asked,
    board::Shown,
    moment::show,
};

pub(crate) async fn list(asked: Asked, proof: Authorized<Name>) -> Answer {
    let shown = asked.desk.board.of(proof.namespace(), asked.desk.clock.now());
    let items = shown.into_iter().map(view).collect();
    Ok(json(200, &Page::<ScheduleView> { items, next: None }))
}

fn view(shown: Shown) -> ScheduleView {
    ScheduleView {
        workflow: shown.id.workflow.to_string(),
        trigger: shown.id.trigger.to_string(),
        next: shown.next.into_iter().map(show).collect(),
        last: shown.decided.map(show),
        running: shown.running.iter().map(ToString::to_string).collect(),
    }
}
