//! The server itself: whether it lives, takes requests, and what it is.

use tutti_api::{Health, ServerInfo, openapi};
use tutti_auth::{Authorized, Caller, Everywhere};

use crate::{
    answer::{Answer, json, of_store, raw},
    asked::Asked,
    metrics::Standing,
};

pub(crate) async fn live(_asked: Asked) -> Answer {
    Ok(json(200, &Health { status: "ok".to_owned() }))
}

/// Ready is who can read the store.
pub(crate) async fn ready(asked: Asked) -> Answer {
    asked.desk.store.head().await.map_err(|error| of_store(&error))?;
    Ok(json(200, &Health { status: "ok".to_owned() }))
}

pub(crate) async fn open_api(asked: Asked) -> Answer {
    Ok(json(200, &openapi::document(asked.desk.version)))
}

pub(crate) async fn server(asked: Asked, _caller: Caller) -> Answer {
    let desk = &asked.desk;
    let info = ServerInfo {
        version: desk.version.to_owned(),
        needs_setup: desk.needs_setup(),
        durability: "full".to_owned(),
    };
    Ok(json(200, &info))
}

pub(crate) async fn metrics(asked: Asked, _proof: Authorized<Everywhere>) -> Answer {
    let desk = &asked.desk;
    let open = desk.store.open_count().await.map_err(|error| of_store(&error))?;
    let (schedules, queued) = desk.board.counts();
    let text = desk.metrics.expose(Standing { open_executions: open, schedules, queued });
    Ok(raw(200, "text/plain; version=0.0.4; charset=utf-8", text))
}
