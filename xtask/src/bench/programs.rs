//! Our own programs, measured: what they print about themselves, and the binary as a whole process.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};

use super::table::Figure;
use crate::{
    process::{self, cargo},
    repository::Repository,
};

/// Starts of the binary; the median counts.
const STARTS: usize = 21;

/// Figures by name.
pub(crate) type Figures = BTreeMap<String, Figure>;

/// Builds and runs an example that prints `name<TAB>value<TAB>unit` lines.
pub(crate) fn example(repository: &Repository, package: &str, example: &str) -> Result<Figures> {
    let arguments = ["run", "--quiet", "--release", "--package", package, "--example", example];
    let output =
        cargo(repository, &arguments).output().with_context(|| format!("cannot run {example}"))?;
    ensure!(
        output.status.success(),
        "{example} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(parse(&String::from_utf8_lossy(&output.stdout)))
}

fn parse(text: &str) -> Figures {
    let line = |line: &str| {
        let mut cells = line.split('\t');
        let (name, value, unit) = (cells.next()?, cells.next()?, cells.next()?);
        Some((name.to_owned(), Figure::new(value.parse().ok()?, unit)))
    };
    text.lines().filter_map(line).collect()
}

/// 40 sequential `set` tasks: from the start of the process to its exit, with a fresh store each time; milliseconds.
pub(crate) fn forty_tasks(repository: &Repository) -> Result<f64> {
    process::succeed(&mut cargo(
        repository,
        &["build", "--quiet", "--release", "--package", "tutti"],
    ))?;
    let folder = repository.target().join("bench");
    fs::create_dir_all(&folder).context("cannot make a folder to measure in")?;
    let document = folder.join("forty.yaml");
    fs::write(&document, forty()).context("cannot write a document to measure")?;
    let mut times = Vec::new();
    for start in 0..STARTS {
        let store = folder.join(format!("store-{}-{start}", std::process::id()));
        let mut command = Command::new(repository.target().join("release/tutti"));
        command.arg("run").arg(&document).arg("--quiet").arg("--store").arg(&store);
        command.stdout(Stdio::null());
        let begun = Instant::now();
        process::succeed(&mut command)?;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        fs::remove_dir_all(&store).ok();
    }
    times.sort_by(f64::total_cmp);
    Ok(times[STARTS / 2])
}

fn forty() -> String {
    let mut text = String::from(
        "document: { dsl: '1.0.3', namespace: bench, name: forty, version: '1.0.0' }\ndo:\n",
    );
    for number in 0..40 {
        // Writing to a string cannot fail.
        writeln!(text, "  - task{number}: {{ set: {{ n: '${{ .n + 1 }}' }} }}").ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_by_line_and_other_lines_are_passed_over() {
        let figures = parse("a: b\t12.5\tms\nhello\nx\tno number\t/s\n");
        assert_eq!(figures.len(), 1);
        assert_eq!(figures.get("a: b"), Some(&Figure::new(12.5, "ms")));
    }
}
