//! The threads that read, each with a connection of its own.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{failure, schema};
use crate::Error;

/// How many reads may wait for a thread; more callers wait for a place.
const QUEUE: usize = 256;

/// The handle to the threads; dropping it waits until they have ended.
#[derive(Debug)]
pub(super) struct Readers {
    reads: Option<mpsc::Sender<Read>>,
    threads: Vec<JoinHandle<()>>,
}

/// A read as a thread does it: with a connection, or with the reason why there is none.
type Read = Box<dyn FnOnce(Result<&mut Connection, Error>) + Send>;
type Queue = Arc<Mutex<mpsc::Receiver<Read>>>;

impl Readers {
    /// Starts `count` threads; each opens its connection at its first read.
    pub(super) fn start(database: &Path, count: usize) -> Result<Self, Error> {
        let (reads, queue) = mpsc::channel(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        let threads = (0..count).map(|number| spawn(number, database.to_owned(), queue.clone()));
        Ok(Self { reads: Some(reads), threads: threads.collect::<Result<_, _>>()? })
    }

    /// Has a thread do `read`, as of one moment.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let read: Read = Box::new(move |connection| {
            let result = connection.and_then(|connection| at_one_moment(connection, read));
            // Whoever does not wait any more does not need the answer.
            drop(reply.send(result));
        });
        let gone =
            || Error::Unavailable { attempt: "the store is closed".to_owned(), source: None };
        self.reads.as_ref().ok_or_else(gone)?.send(read).await.map_err(|_read| gone())?;
        answer.await.map_err(|_lost| gone())?
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.reads = None;
        for thread in self.threads.drain(..) {
            // A reader that panicked answered its caller by dropping the reply.
            drop(thread.join());
        }
    }
}

fn spawn(number: usize, database: PathBuf, queue: Queue) -> Result<JoinHandle<()>, Error> {
    thread::Builder::new()
        .name(format!("store-reader-{number}"))
        .spawn(move || serve(&database, &queue))
        .map_err(|error| Error::Unavailable {
            attempt: "cannot start a reading thread".to_owned(),
            source: Some(error.into()),
        })
}

fn serve(database: &Path, queue: &Queue) {
    let mut connection = None;
    while let Some(read) = next(queue) {
        if connection.is_none() {
            match schema::open_reader(database) {
                Ok(opened) => connection = Some(opened),
                Err(error) => {
                    read(Err(error));
                    continue;
                }
            }
        }
        if let Some(connection) = &mut connection {
            read(Ok(connection));
        }
    }
}

/// Waits for the next read. Idle threads queue for the lock; whoever holds it waits for work.
fn next(queue: &Queue) -> Option<Read> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv()
}

fn at_one_moment<T>(
    connection: &mut Connection,
    read: impl FnOnce(&Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    let transaction = connection.transaction().map_err(failure::of("cannot begin to read"))?;
    read(&transaction)
}
