//! `tutti server`: the durable server on a data directory, until it is told to stop.
//!
//! Start reading at [`serve`]. What is decided about requests is `tutti-server`'s; here is only the wiring, and what is said
//! to whoever starts it.

mod checkpointing;
mod log;
mod settings;
mod setup;

pub(crate) use self::setup::{administrator, change, fact, no_chance};

use std::{path::Path, sync::Arc, time::Duration};

use tokio::sync::oneshot;
use tutti_connectors::{Policy, Registry};
use tutti_dsl::Resources;
use tutti_engine::Limits;
use tutti_expr::Value;
use tutti_runtime::{Clock as _, Handle, Library, Options, RowSealer, Runtime, SystemClock};
use tutti_secrets::{KeyFiles, Keyring};
use tutti_server::{
    Access, Desk, DeskOptions, Feed, LoadResources, Log, LogLevel, LogRecord, MeasuredStore,
    Metrics, MetricsOptions, Server, Vault, Watcher, forget_old_requests, keep_admissions,
    keep_cooldowns, keep_schedules,
};
use tutti_store::{Lookup, SqliteStore};

use self::{
    checkpointing::Checkpointer,
    log::{Form, Logger},
    settings::{Layers, Settings},
};
use crate::{
    command_line::{ServerArguments, VERSION},
    connectors,
    console::{self, Console},
    exit::{Exit, Failure, causes},
    resources::{Loader, Web},
    run::{cannot_open, signals},
    store::without_keys,
};

/// How many executions are taken up at once after a start.
const ADOPTED_AT_ONCE: usize = 64;
/// How many executions are listed at once after a start.
const PAGE: usize = 1_000;

/// Serves until SIGINT or SIGTERM.
pub(crate) fn serve(arguments: &ServerArguments, console: &Console) -> Result<Exit, Failure> {
    let layers = Layers::load(arguments)?;
    let settings = layers.settings()?;
    if arguments.print_config {
        return console::print(&layers.as_toml());
    }
    if settings.no_login && !settings.listen.ip().is_loopback() {
        return Err(Failure::usage("without tokens the server listens on loopback only")
            .hint("leave out --no-login, or listen on 127.0.0.1"));
    }
    let connectors = connectors::all(policy(&settings));
    let metrics = Metrics::new(MetricsOptions {
        version: VERSION,
        started_at_ms: SystemClock.now().0,
        connectors: connectors.functions().collect(),
        max_calls: settings.max_calls,
    });
    let form = Form::of(settings.log_format, console);
    let (logger, writing) = Logger::start(settings.log_level, form, metrics.clone(), console)?;
    let log: Arc<dyn Log> = Arc::new(logger);
    let parts = Parts { settings, connectors, metrics, log: log.clone(), console: console.clone() };
    let served = run(&parts);
    let told = match (served, form) {
        // A machine reads: the last line is one of the log as well.
        (Err(failure), Form::Json) => {
            let record = LogRecord::new(LogLevel::Error, failure.message);
            log.write(record.with("code", failure.code).with("hint", failure.hint));
            Ok(failure.exit)
        }
        (served, _) => served,
    };
    writing.finish();
    told
}

/// What a server is made of before it has a store.
struct Parts {
    settings: Settings,
    connectors: Registry,
    metrics: Metrics,
    log: Arc<dyn Log>,
    console: Console,
}

fn run(parts: &Parts) -> Result<Exit, Failure> {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::of("cannot start the runtime", &error))?;
    let served = tokio.block_on(async {
        let Opened { desk, store, handle, server, checkpointer } = open(parts).await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let checkpointing = checkpointer.map(|it| {
            tokio::spawn(it.keep(async {
                stopped.await.ok();
            }))
        });
        let forgetting = tokio::spawn(forget_old_requests(desk.clone()));
        let adopting = tokio::spawn(adopt_all(store, handle.clone(), parts.log.clone()));
        let pacing = tokio::spawn(keep_cooldowns(desk.clone()));
        let ushering = tokio::spawn(keep_admissions(desk.clone()));
        let keeping = tokio::spawn(keep_schedules(desk.clone()));
        let ended = until_stopped(server, desk, &handle, &parts.log).await;
        keeping.abort();
        ushering.abort();
        pacing.abort();
        forgetting.abort();
        adopting.abort();
        drop(stop);
        if let Some(checkpointing) = checkpointing {
            checkpointing.await.ok();
        }
        ended
    });
    // What is still out is given up: it is recognised or settled by the next start.
    tokio.shutdown_timeout(Duration::from_secs(1));
    served
}

fn policy(settings: &Settings) -> Policy {
    Policy {
        allow_loopback: settings.allow_loopback || settings.no_login,
        allow_private: settings.allow_private || settings.no_login,
    }
}

/// A server that can begin.
struct Opened {
    desk: Arc<Desk>,
    store: Arc<dyn Lookup>,
    handle: Handle,
    server: Server,
    checkpointer: Option<Checkpointer>,
}

async fn open(parts: &Parts) -> Result<Opened, Failure> {
    let Parts { settings, connectors, metrics, log, console } = parts;
    let directory = &settings.store;
    let access = if settings.no_login { Access::Everybody } else { Access::Tokens };
    let starting = LogRecord::new(LogLevel::Info, "starting").with("version", VERSION);
    let starting = starting.with_text("store", &directory.display());
    let file = settings.file.as_ref().map(|file| file.display().to_string());
    log.write(starting.with("config", file));
    let store = SqliteStore::open(directory).map_err(|error| cannot_open(directory, &error))?;
    let store: Arc<dyn Lookup> = Arc::new(MeasuredStore::new(Arc::new(store), metrics.clone()));
    // One that died before it had keys has sealed nothing.
    let is_new = store.head().await.map_err(|error| Failure::unread(&error))?.number == 0;
    let sealer = Arc::new(RowSealer::new(keys(directory, is_new)?));
    let (library, vault, feed) = (Arc::new(Library::default()), Vault::default(), Feed::default());
    let policy = policy(settings);
    let watcher = Watcher {
        feed: feed.clone(),
        metrics: metrics.clone(),
        log: log.clone(),
        clock: Arc::new(SystemClock),
    };
    let handle = Runtime::start(Options {
        store: store.clone(),
        connectors: connectors::measured(connectors, metrics),
        library: library.clone(),
        secrets: Arc::new(vault.clone()),
        sealer: sealer.clone(),
        clock: Arc::new(SystemClock),
        observer: Arc::new(watcher),
        limits: Limits::default(),
        max_calls: settings.max_calls,
        max_residents: settings.max_residents,
        loops: None,
        events_kept: settings.events_kept,
        scratch: Some(scratch(directory)?),
    })
    .map_err(|error| Failure::of("cannot start the runtime", &error))?;
    let desk = Desk::open(DeskOptions {
        handle: handle.clone(),
        store: store.clone(),
        library,
        sealer,
        vault,
        feed,
        metrics: metrics.clone(),
        log: log.clone(),
        clock: Arc::new(SystemClock),
        access,
        resources: loader(policy),
        version: VERSION,
    })
    .await
    .map_err(|error| Failure::of("cannot open the data directory", &error))?;
    let checkpointer = Checkpointer::open(settings, store.clone(), log.clone())?;
    let listen = setup::prepare(&desk, &*store, settings, (&**log, console)).await?;
    let server = Server::bind(listen).await.map_err(|error| {
        Failure::usage(causes(&error)).hint("another address or port: --listen 127.0.0.1:8421")
    })?;
    tell_where(&server, settings, &**log);
    Ok(Opened { desk: Arc::new(desk), store, handle, server, checkpointer })
}

fn scratch(directory: &Path) -> Result<std::path::PathBuf, Failure> {
    let scratch = directory.join("scratch");
    std::fs::create_dir_all(&scratch).map_err(|error| {
        Failure::of(&format!("cannot write to {}", directory.display()), &error)
    })?;
    Ok(scratch)
}

fn tell_where(server: &Server, settings: &Settings, log: &dyn Log) {
    let address = server.address();
    let listening = format!("listening on http://{address}");
    log.write(LogRecord::new(LogLevel::Info, listening).with_text("address", &address));
    if settings.no_login {
        let message = "whoever reaches this address is an administrator: no login is asked for";
        log.write(LogRecord::new(LogLevel::Warn, message).with_text("address", &address));
    }
}

/// Serves until a signal, which lets requests under way end; a second one does not wait for them.
async fn until_stopped(
    server: Server,
    desk: Arc<Desk>,
    handle: &Handle,
    log: &Arc<dyn Log>,
) -> Result<Exit, Failure> {
    let (told, first) = oneshot::channel();
    let stop = signals()?;
    let stop = async {
        let signal = name(stop.await);
        log.write(LogRecord::new(LogLevel::Info, "stopping").with("signal", signal));
        // It is awaited below.
        told.send(()).ok();
    };
    let at_once = async {
        match (first.await, signals()) {
            (Ok(()), Ok(second)) => second.await,
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        () = server.run(desk, stop) => {}
        exit = at_once => {
            let record = LogRecord::new(LogLevel::Warn, "stopped at once by a second signal");
            log.write(record.with("signal", name(exit)));
            return Ok(exit);
        }
        error = handle.ended() => return Err(Failure::usage(causes(&error))
            .hint("what was acknowledged is stored: start it again once the cause is gone")
            .exit(Exit::Unfinished)),
    }
    log.write(LogRecord::new(LogLevel::Info, "stopped: what was acknowledged is stored"));
    Ok(Exit::Completed)
}

fn name(exit: Exit) -> &'static str {
    if exit == Exit::Interrupted { "SIGINT" } else { "SIGTERM" }
}

/// The keys of the data directory. They are made with it, never later: without them nothing that was sealed opens.
fn keys(directory: &Path, is_new: bool) -> Result<Keyring, Failure> {
    let files = KeyFiles::in_directory(directory);
    let keys = if is_new { files.open_or_create() } else { files.open() };
    keys.map_err(|error| without_keys(&error))
}

/// Goes on with everything that has not ended. Requests are answered meanwhile: one that names an execution takes it up.
async fn adopt_all(store: Arc<dyn Lookup>, handle: Handle, log: Arc<dyn Log>) {
    let (mut after, mut count) = (None, 0_u64);
    let mut adopting = tokio::task::JoinSet::new();
    // Where the store does not answer, the runtime has stopped and says why.
    while let Ok(page) = store.open_executions(after, PAGE).await {
        let Some(last) = page.last() else { break };
        after = Some(last.execution);
        count += page.len() as u64;
        for open in page {
            if adopting.len() >= ADOPTED_AT_ONCE {
                adopting.join_next().await;
            }
            let handle = handle.clone();
            adopting.spawn(async move { handle.adopt(open.execution).await });
        }
    }
    while adopting.join_next().await.is_some() {}
    let record = LogRecord::new(LogLevel::Info, "open executions are taken up");
    log.write(record.with("executions", count));
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
