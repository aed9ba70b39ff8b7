//! Prints what a call costs over loopback beside a bare exchange on a socket, and how many go through at once.

use std::{
    error::Error,
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};
use tutti_connectors::{
    Call, CallContext, Canceller, Connector, Guard, GuardOptions, Policy,
    http::{Http, HttpOptions},
    shell::Shell,
};
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::Effect;

const ROUNDS: u32 = 5_000;
const CONCURRENT: u32 = 64;
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{\"a\":1}";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(respond(listener));
    let mut out = std::io::stdout();

    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!("POST / HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\n\r\n");
    let started = Instant::now();
    for _ in 0..ROUNDS {
        stream.write_all(request.as_bytes()).await?;
        let read = stream.read(&mut [0; 1024]).await?;
        assert_eq!(read, ANSWER.len());
    }
    writeln!(out, "call: bare socket\t{:.1}\tµs", micros(started.elapsed(), ROUNDS))?;

    let policy = Policy { allow_loopback: true, allow_private: false };
    let guard = Guard::new(GuardOptions { policy, ..GuardOptions::default() });
    let http = Arc::new(Http::new(guard, HttpOptions::default()));
    let arguments = Value::from_json(&format!(r#"{{"method":"post","uri":"http://{address}/"}}"#))?;
    let took = sequential(&*http, &arguments, ROUNDS).await?;
    writeln!(out, "call: http\t{:.1}\tµs", micros(took, ROUNDS))?;

    let started = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..CONCURRENT {
        let (http, arguments) = (Arc::clone(&http), arguments.clone());
        calls.spawn(async move { sequential(&*http, &arguments, 500).await.is_ok() });
    }
    let all = calls.join_all().await.into_iter().all(|it| it);
    let rate = f64::from(CONCURRENT * 500) / started.elapsed().as_secs_f64();
    assert!(all, "every call ends well");
    writeln!(out, "call: http, {CONCURRENT} at once\t{rate:.0}\t/s")?;

    let arguments = Value::from_json(r#"{"command":"true"}"#)?;
    let took = sequential(&Shell, &arguments, 200).await?;
    writeln!(out, "call: shell\t{:.1}\tµs", micros(took, 200))?;
    Ok(())
}

async fn sequential(
    connector: &dyn Connector,
    arguments: &Value,
    rounds: u32,
) -> Result<Duration, String> {
    let (_canceller, cancellation) = Canceller::new();
    let (log, _lines) = mpsc::channel(1);
    let context = CallContext { cancellation, log, scratch: None };
    let started = Instant::now();
    for _ in 0..rounds {
        let call = Call {
            execution: ExecutionId::new(1, 2),
            task: Sequence(3),
            reference: TaskRef::root(),
            arguments: arguments.clone(),
            effect: Effect::Once,
            key: Arc::from("key-1"),
            attempt: 1,
            sensitive: false,
            secrets: Vec::new(),
        };
        connector.call(call, context.clone()).await.map_err(|failure| format!("{failure:?}"))?;
    }
    Ok(started.elapsed())
}

async fn respond(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            stream.set_nodelay(true).ok();
            let mut request = [0; 4096];
            while let Ok(1..) = stream.read(&mut request).await {
                if stream.write_all(ANSWER).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// Microseconds of one of so many rounds.
fn micros(took: Duration, rounds: u32) -> f64 {
    took.as_secs_f64() * 1e6 / f64::from(rounds)
}
