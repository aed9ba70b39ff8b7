//! Where the repository is and what it contains, read once.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// Directories that hold no source: never read, never checked.
const NOT_SOURCE: &[&str] = &["target", ".git", "node_modules", ".cache", "dist"];
/// Larger files are data; no house rule reads them.
const LARGEST_TEXT: u64 = 2 * 1024 * 1024;

/// The checked-out repository.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    /// Its top directory.
    pub(crate) root: PathBuf,
}

impl Repository {
    /// Finds the repository this command was built from.
    pub(crate) fn locate() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root =
            manifest.parent().context("xtask must stand in the repository's top directory")?;
        Ok(Self { root: root.to_owned() })
    }

    /// A path inside the repository.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Where cargo builds: `CARGO_TARGET_DIR`, else `target`.
    pub(crate) fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| self.path("target"), |dir| self.root.join(dir))
    }

    /// Every text file, in the order of its path.
    pub(crate) fn files(&self) -> Result<Vec<SourceFile>> {
        let mut files = Vec::new();
        collect(&self.root, &self.root, &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}

/// One text file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// Relative to the top directory, with `/`.
    pub(crate) path: String,
    /// Its whole text.
    pub(crate) text: String,
}

impl SourceFile {
    /// A file as a test plants it.
    #[cfg(test)]
    pub(crate) fn planted(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether this is Rust source of a crate, an example or the house commands, integration tests included.
    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
            && ["crates/", "examples/", "xtask/"].iter().any(|start| self.path.starts_with(start))
    }

    /// Whether this is a module of a crate's `src`.
    pub(crate) fn is_module(&self) -> bool {
        self.is_rust() && self.path.contains("/src/")
    }
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<SourceFile>) -> Result<()> {
    let reading = || format!("cannot read the directory {}", directory.display());
    for entry in fs::read_dir(directory).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        let (path, kind) = (entry.path(), entry.file_type().with_context(reading)?);
        let skipped = entry.file_name().to_str().is_some_and(|name| NOT_SOURCE.contains(&name));
        if kind.is_dir() && !skipped {
            collect(root, &path, files)?;
        } else if kind.is_file()
            && !skipped
            && entry.metadata().with_context(reading)?.len() <= LARGEST_TEXT
        {
            files.extend(read(root, &path)?);
        }
    }
    Ok(())
}

/// The file, unless it is not text.
fn read(root: &Path, path: &Path) -> Result<Option<SourceFile>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let relative =
        path.strip_prefix(root).context("a file of the repository lies below its top")?;
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    Ok(String::from_utf8(bytes).ok().map(|text| SourceFile { path: parts.join("/"), text }))
}
