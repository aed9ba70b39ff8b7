//! `tutti server`: the durable server on a data directory, until it is told to stop.
//!
//! Start reading at [`serve`]. What is decided about requests is `tutti-server`'s; here is only the wiring, and what is said
//! to whoever starts it.

mod setup;

pub(crate) use self::setup::fact;

use std::{path::Path, sync::Arc, time::Duration};

use tutti_connectors::Policy;
use tutti_dsl::Resources;
use tutti_engine::Limits;
use tutti_expr::Value;
use tutti_runtime::{
    DEFAULT_MAX_RESIDENTS, EventsKept, Handle, Library, Options, RowSealer, Runtime, SystemClock,
};
use tutti_secrets::{KeyFiles, Keyring};
use tutti_server::{
    Access, Desk, DeskOptions, Feed, LoadResources, Server, Vault, forget_old_requests,
    keep_admissions, keep_cooldowns, keep_schedules,
};
use tutti_store::{Lookup as _, SqliteStore, Store as _};

use crate::{
    command_line::{ServerArguments, VERSION},
    connectors,
    console::Console,
    exit::{Exit, Failure, causes},
    resources::{Loader, Web},
    run::{cannot_open, signals},
    store::without_keys,
};

/// How many calls may be out at once.
const MAX_CALLS: usize = 256;
/// How many executions are taken up at once after a start.
const ADOPTED_AT_ONCE: usize = 64;
/// How many executions are listed at once after a start.
const PAGE: usize = 1_000;

/// Serves until SIGINT or SIGTERM.
pub(crate) fn serve(arguments: &ServerArguments, console: &Console) -> Result<Exit, Failure> {
    let access = if arguments.insecure { Access::Everybody } else { Access::Tokens };
    if access == Access::Everybody && !arguments.listen.ip().is_loopback() {
        return Err(Failure::usage("without tokens the server listens on loopback only")
            .hint("leave out --no-login, or listen on 127.0.0.1"));
    }
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::of("cannot start the runtime", &error))?;
    let served = tokio.block_on(serve_on(arguments, access, console));
    // What is still out is given up: it is recognised or settled by the next start.
    tokio.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve_on(
    arguments: &ServerArguments,
    access: Access,
    console: &Console,
) -> Result<Exit, Failure> {
    let directory = &arguments.store;
    let store = SqliteStore::open(directory).map_err(|error| cannot_open(directory, &error))?;
    let store = Arc::new(store);
    // One that died before it had keys has sealed nothing.
    let is_new = store.head().await.map_err(|error| Failure::unread(&error))?.number == 0;
    let sealer = Arc::new(RowSealer::new(keys(directory, is_new)?));
    let (library, vault, feed) = (Arc::new(Library::default()), Vault::default(), Feed::default());
    let policy = Policy {
        allow_loopback: arguments.allow_loopback || access == Access::Everybody,
        allow_private: arguments.allow_private || access == Access::Everybody,
    };
    let scratch = directory.join("scratch");
    std::fs::create_dir_all(&scratch).map_err(|error| {
        Failure::of(&format!("cannot write to {}", directory.display()), &error)
    })?;
    let handle = Runtime::start(Options {
        store: store.clone(),
        connectors: connectors::all(policy),
        library: library.clone(),
        secrets: Arc::new(vault.clone()),
        sealer: sealer.clone(),
        clock: Arc::new(SystemClock),
        observer: Arc::new(feed.clone()),
        limits: Limits::default(),
        max_calls: MAX_CALLS,
        max_residents: DEFAULT_MAX_RESIDENTS,
        loops: None,
        events_kept: EventsKept::default(),
        scratch: Some(scratch),
    })
    .map_err(|error| Failure::of("cannot start the runtime", &error))?;
    let desk = Desk::open(DeskOptions {
        handle: handle.clone(),
        store: store.clone(),
        library,
        sealer,
        vault,
        feed,
        clock: Arc::new(SystemClock),
        access,
        resources: loader(policy),
        version: VERSION,
    })
    .await
    .map_err(|error| Failure::of("cannot open the data directory", &error))?;
    let listen = setup::prepare(&desk, &store, arguments, console).await?;
    let server = Server::bind(listen).await.map_err(|error| {
        Failure::usage(causes(&error)).hint("another address or port: --listen 127.0.0.1:8421")
    })?;
    console.line(&format!("listening on http://{}", server.address()));
    let desk = Arc::new(desk);
    let forgetting = tokio::spawn(forget_old_requests(desk.clone()));
    let adopting = tokio::spawn(adopt_all(store, handle.clone()));
    let pacing = tokio::spawn(keep_cooldowns(desk.clone()));
    let ushering = tokio::spawn(keep_admissions(desk.clone()));
    let keeping = tokio::spawn(keep_schedules(desk.clone()));
    let stop = signals()?;
    let stop = async {
        stop.await;
    };
    let failed = tokio::select! {
        () = server.run(desk, stop) => None,
        error = handle.ended() => Some(error),
    };
    keeping.abort();
    ushering.abort();
    pacing.abort();
    forgetting.abort();
    adopting.abort();
    if let Some(error) = failed {
        return Err(Failure::usage(causes(&error))
            .hint("what was acknowledged is stored: start it again once the cause is gone")
            .exit(Exit::Unfinished));
    }
    console.line("stopped: what was acknowledged is stored");
    Ok(Exit::Completed)
}

/// The keys of the data directory. They are made with it, never later: without them nothing that was sealed opens.
fn keys(directory: &Path, is_new: bool) -> Result<Keyring, Failure> {
    let files = KeyFiles::in_directory(directory);
    let keys = if is_new { files.open_or_create() } else { files.open() };
    keys.map_err(|error| without_keys(&error))
}

/// Goes on with everything that has not ended. Requests are answered meanwhile: one that names an execution takes it up.
async fn adopt_all(store: Arc<SqliteStore>, handle: Handle) {
    let mut after = None;
    let mut adopting = tokio::task::JoinSet::new();
    // Where the store does not answer, the runtime has stopped and says why.
    while let Ok(page) = store.open_executions(after, PAGE).await {
        let Some(last) = page.last() else { break };
        after = Some(last.execution);
        for open in page {
            if adopting.len() >= ADOPTED_AT_ONCE {
                adopting.join_next().await;
            }
            let handle = handle.clone();
            adopting.spawn(async move { handle.adopt(open.execution).await });
        }
    }
    while adopting.join_next().await.is_some() {}
}

/// What documents name elsewhere: on the web, never a file of the server.
fn loader(policy: Policy) -> LoadResources {
    Arc::new(move |text| {
        let Ok(web) = Web::new(connectors::web(policy), Value::object::<&str>([])) else {
            return Resources::default();
        };
        Loader::web_only(&web).load(text)
    })
}
