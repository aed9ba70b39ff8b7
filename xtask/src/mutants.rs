//! `cargo xtask mutants [NAME]`: known bugs are planted in a copy of the tree, one after the other, and a narrow command
//! must notice each. For a release, not for every commit.

mod planted;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use self::planted::{MUTANTS, Mutant};
use crate::{console::say, process, repository::Repository};

/// How long a command may take, its build included, in seconds: a bug that makes it hang is noticed as well.
const PATIENCE: &str = "600";
/// The code with which `timeout` says so.
const TIMED_OUT: i32 = 124;

/// What became of a planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Caught,
    CaughtByTime,
    Missed,
    DoesNotBuild,
}

/// Plants each bug whose name holds the given text, or all.
pub(crate) fn command(repository: &Repository, arguments: &[String]) -> Result<()> {
    let wanted = match arguments {
        [] => "",
        [name] if !name.starts_with('-') => name,
        _ => bail!("usage: cargo xtask mutants [NAME]"),
    };
    let chosen: Vec<&Mutant> = MUTANTS.iter().filter(|it| it.name.contains(wanted)).collect();
    if chosen.is_empty() {
        bail!("no planted bug is called `{wanted}`");
    }
    for mutant in &chosen {
        planted(mutant, &repository.path(mutant.file))?;
    }
    let copy = Copy::make(repository)?;
    copy.unchanged_passes(&chosen)?;
    let mut missed = 0;
    for mutant in &chosen {
        let verdict = copy.judge(mutant)?;
        missed += u32::from(matches!(verdict, Verdict::Missed | Verdict::DoesNotBuild));
        say(&format!("{:<13} {}", verdict.word(), mutant.name));
    }
    if missed > 0 {
        bail!("{missed} of {} planted bugs were not caught", chosen.len());
    }
    say(&format!("{} planted bugs, all caught", chosen.len()));
    Ok(())
}

/// The file's text with the bug in it.
fn planted(mutant: &Mutant, file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", mutant.file))?;
    match text.matches(mutant.search).count() {
        1 => Ok(text.replace(mutant.search, mutant.replacement)),
        count => bail!(
            "{}: its text stands {count} times in {}, not once\nhint: mend its entry in xtask/src/mutants/planted.rs",
            mutant.name,
            mutant.file
        ),
    }
}

/// A copy of the tree in which bugs are planted.
#[derive(Debug)]
struct Copy {
    tree: PathBuf,
    target: PathBuf,
}

impl Copy {
    /// Copies all that git would: what is tracked, and what is new and not ignored. Dependencies that are built already
    /// are linked, not built again.
    fn make(repository: &Repository) -> Result<Self> {
        let folder = repository.target().join("mutants");
        let copy = Self { tree: folder.join("tree"), target: folder.join("target") };
        let listed = process::output(
            Command::new("git")
                .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
                .current_dir(&repository.root),
        )?;
        if copy.tree.exists() {
            fs::remove_dir_all(&copy.tree).context("cannot remove the last copy")?;
        }
        for name in listed.split('\0').filter(|name| !name.is_empty()) {
            let from = repository.path(name);
            if from.is_file() {
                let to = copy.tree.join(name);
                fs::create_dir_all(to.parent().unwrap_or(&copy.tree))?;
                fs::copy(&from, &to).with_context(|| format!("cannot copy {name}"))?;
            }
        }
        link_dependencies(&repository.target().join("debug"), &copy.target.join("debug"))?;
        Ok(copy)
    }

    /// A command that fails on the unchanged tree proves nothing.
    fn unchanged_passes(&self, chosen: &[&Mutant]) -> Result<()> {
        let mut commands: Vec<_> = chosen.iter().map(|mutant| mutant.command).collect();
        commands.sort_unstable();
        commands.dedup();
        for command in commands {
            let shown = command.join(" ");
            say(&format!("unchanged     cargo {shown}"));
            let output = self.cargo(command).output().context("cannot start cargo")?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stdout);
                bail!("cargo {shown} fails without any planted bug:\n{said}");
            }
        }
        Ok(())
    }

    fn judge(&self, mutant: &Mutant) -> Result<Verdict> {
        let file = self.tree.join(mutant.file);
        let (original, text) = (fs::read_to_string(&file)?, planted(mutant, &file)?);
        fs::write(&file, text)?;
        let builds = self.cargo(&build_of(mutant.command)).output().context("cannot build")?;
        let verdict = if builds.status.success() {
            let ended = self.cargo(mutant.command).output().context("cannot start cargo")?;
            match ended.status.code() {
                Some(0) => Verdict::Missed,
                Some(TIMED_OUT) => Verdict::CaughtByTime,
                _ => Verdict::Caught,
            }
        } else {
            say(&String::from_utf8_lossy(&builds.stderr));
            Verdict::DoesNotBuild
        };
        fs::write(&file, original)?;
        Ok(verdict)
    }

    /// Cargo in the copy, for a limited time, without warnings: a planted bug may leave something unused.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", PATIENCE]);
        command.arg(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target);
        command.env("CARGO_TERM_COLOR", "never").env("INSTA_UPDATE", "no");
        command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME");
        command
    }
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Caught => "caught",
            Self::CaughtByTime => "caught (hangs)",
            Self::Missed => "MISSED",
            Self::DoesNotBuild => "DOES NOT BUILD",
        }
    }
}

/// The command that only builds what `command` executes.
fn build_of(command: &[&'static str]) -> Vec<&'static str> {
    match command {
        ["run", package @ ..] => {
            let package = package.iter().take_while(|argument| **argument != "--");
            [&"build"].into_iter().chain(package).copied().collect()
        }
        // A filter of tests behind it means nothing to `--no-run`.
        _ => command.iter().copied().chain(["--no-run"]).collect(),
    }
}

/// Links what was built of other people's crates, so that only ours are built again.
fn link_dependencies(from: &Path, to: &Path) -> Result<()> {
    if to.exists() || !from.exists() {
        return Ok(());
    }
    for folder in [".fingerprint", "build", "deps"] {
        link(&from.join(folder), &to.join(folder))?;
    }
    Ok(())
}

fn link(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let is_ours = ["tutti", "xtask", "libtutti", "libxtask", "it-"]
            .iter()
            .any(|start| name.to_string_lossy().starts_with(start));
        if is_ours {
            continue;
        }
        if kind.is_dir() {
            link(&entry.path(), &to.join(&name))?;
        } else if kind.is_file() {
            fs::hard_link(entry.path(), to.join(&name))
                .with_context(|| format!("cannot link {}", entry.path().display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_planted_bug_still_fits_the_text_it_stands_in() {
        let repository = Repository::locate().expect("this is the repository");
        for mutant in MUTANTS {
            let text = planted(mutant, &repository.path(mutant.file));
            assert!(text.is_ok(), "{:?}", text.err());
            assert_ne!(mutant.search, mutant.replacement, "{}", mutant.name);
        }
    }

    #[test]
    fn what_a_command_executes_is_built_first() {
        assert_eq!(build_of(&["run", "-p", "a", "--", "--x"]), ["build", "-p", "a"]);
        assert_eq!(build_of(&["test", "-p", "a", "b"]), ["test", "-p", "a", "b", "--no-run"]);
    }
}
