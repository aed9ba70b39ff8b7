//! `tutti-sim`: runs seeds of the simulation, and prints the language reference.
//!
//! `--seconds N`: fresh seeds for this long, after the recorded ones; with `--from S`, those from S on. `--seeds N`: this many. `--seed S`: one, with all that
//! happens. `--language`: prints the reference of the language's support.

use std::{
    env, fs,
    io::{self, Write as _},
    panic,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tutti_sim::{SeedReport, language_reference, load_scenarios, simulate};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to tell where even this fails.
            writeln!(io::stderr(), "error: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<bool> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["--language"] => {
            let page = language_reference(&load_scenarios(&directory().join("scenarios"))?);
            io::stdout().write_all(page.as_bytes())?;
            Ok(true)
        }
        ["--seed", seed] => one(&simulate(number(seed)?, true), seed),
        ["--seeds", count] => many(&Limit::Seeds(number(count)?), fresh_base()),
        ["--seconds", seconds] => many(&Limit::seconds(seconds)?, fresh_base()),
        ["--seconds", seconds, "--from", base] => many(&Limit::seconds(seconds)?, number(base)?),
        _ => Err(io::Error::other(
            "usage: tutti-sim --seconds N [--from S] | --seeds N | --seed S | --language",
        )),
    }
}

/// When to stop.
enum Limit {
    Seeds(u64),
    Time(Duration),
}

impl Limit {
    fn seconds(text: &str) -> io::Result<Self> {
        Ok(Self::Time(Duration::from_secs(number(text)?)))
    }
}

/// Where seeds begin that differ from run to run; the one that fails is printed.
fn fresh_base() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() << 20
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn number(text: &str) -> io::Result<u64> {
    text.parse().map_err(|error| io::Error::other(format!("`{text}`: {error}")))
}

fn one(report: &SeedReport, seed: &str) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    for line in report.log.iter().chain(&report.problems) {
        writeln!(out, "{line}")?;
    }
    let failed = usize::from(!report.problems.is_empty());
    writeln!(out, "seed {seed}: {} passed, {failed} failed", 1 - failed)?;
    Ok(failed == 0)
}

fn many(limit: &Limit, base: u64) -> io::Result<bool> {
    let began = Instant::now();
    let recorded = recorded()?;
    let fresh = base..;
    let (mut passed, mut failed, mut turns) = (0_u64, 0_u64, 0_usize);
    let mut out = io::stdout().lock();
    for (seed, count) in recorded.iter().copied().chain(fresh).zip(0_u64..) {
        let is_recorded = count < recorded.len() as u64;
        let over = match limit {
            Limit::Seeds(seeds) => count >= *seeds,
            Limit::Time(time) => began.elapsed() >= *time,
        };
        if (over && !is_recorded) || failed >= 10 {
            break;
        }
        let report = survived(seed);
        turns += report.turns;
        if report.problems.is_empty() {
            passed += 1;
            continue;
        }
        failed += 1;
        let first: String = report.problems[0].chars().take(600).collect();
        writeln!(out, "seed {seed}: {first}\n  replay it: cargo xtask sim --seed {seed}")?;
    }
    let rate = u128::from(passed) * 1_000 / began.elapsed().as_millis().max(1);
    writeln!(out, "{turns} turns, {rate} seeds/s")?;
    writeln!(out, "{passed} passed, {failed} failed")?;
    Ok(failed == 0)
}

/// A seed's report; a panic is one, too, so that its seed is printed.
fn survived(seed: u64) -> SeedReport {
    panic::catch_unwind(|| simulate(seed, false)).unwrap_or_else(|_said_before| SeedReport {
        problems: vec!["it panicked".to_owned()],
        ..SeedReport::default()
    })
}

/// The seeds that once failed.
fn recorded() -> io::Result<Vec<u64>> {
    let text = fs::read_to_string(directory().join("seeds.txt"))?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(number).collect()
}
