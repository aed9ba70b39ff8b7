//! What this machine can do at best, measured the plainest way.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

/// How long each measurement takes; the median of its windows counts.
const WINDOW: Duration = Duration::from_millis(400);
const WINDOWS: usize = 5;
/// About what one turn of a small task writes.
const ROW_BYTES: usize = 512;

/// Appends of one small row, each followed by fdatasync, per second, on the disk of `directory`.
pub(crate) fn synced_appends(directory: &Path) -> Result<f64> {
    let path = directory.join(format!("bench-{}.log", std::process::id()));
    let measured =
        File::create(&path).context("cannot create a file to measure with").and_then(|mut file| {
            median(|| {
                file.write_all(&[7; ROW_BYTES])?;
                Ok(file.sync_data()?)
            })
        });
    fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    measured
}

/// One byte there and back over a loopback connection, per second.
pub(crate) fn loopback_round_trips() -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen on loopback")?;
    let address = listener.local_addr()?;
    let echo = thread::spawn(move || answer(&listener));
    let measured = exchange(TcpStream::connect(address).context("cannot connect over loopback")?);
    if echo.join().is_err() {
        bail!("the answering side of the loopback measurement broke off");
    }
    measured
}

fn exchange(mut stream: TcpStream) -> Result<f64> {
    stream.set_nodelay(true)?;
    let mut byte = [7];
    median(|| {
        stream.write_all(&byte)?;
        Ok(stream.read_exact(&mut byte)?)
    })
}

/// Sends every byte back until the other side hangs up.
fn answer(listener: &TcpListener) {
    let Ok((mut stream, _)) = listener.accept() else { return };
    let mut byte = [0];
    if stream.set_nodelay(true).is_err() {
        return;
    }
    while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
}

/// How often `once` can be done each second: the median over the windows.
fn median(mut once: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut rates = Vec::with_capacity(WINDOWS);
    for _ in 0..WINDOWS {
        let start = Instant::now();
        let mut times: u32 = 0;
        while start.elapsed() < WINDOW {
            once()?;
            times += 1;
        }
        rates.push(f64::from(times) / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    Ok(rates[WINDOWS / 2])
}
