//! Copies of what was loaded from the web, for when it cannot be reached.
//!
//! A copy is never used in place of an answer, and never made of what was loaded as somebody: who may read it is not ours
//! to say. It holds a digest of its URI and its bytes; one that does not hold is removed.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process,
    time::SystemTime,
};

use sha2::{Digest as _, Sha256};
use tutti_dsl::MAX_RESOURCE;
use tutti_ids::Digest;

/// How many copies are kept; the oldest goes first.
const MOST: usize = 1_000;
/// How many bytes of a file come before those of the resource: their digest.
const HEAD: usize = 32;

/// A directory of copies.
#[derive(Debug)]
pub(crate) struct Cache(PathBuf);

/// What was loaded once.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) bytes: Vec<u8>,
    /// When.
    pub(crate) at: SystemTime,
}

impl Cache {
    /// The one of this user; none where there is no place for it.
    pub(crate) fn usual() -> Option<Self> {
        let variable =
            |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let cache =
            variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
        cache.map(|cache| Self(cache.join("tutti").join("resources")))
    }

    /// Keeps what was loaded from `uri` just now.
    ///
    /// # Errors
    /// If the copy cannot be written; nothing depends on it.
    pub(crate) fn keep(&self, uri: &str, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > MAX_RESOURCE {
            return Ok(());
        }
        make(&self.0)?;
        self.make_room()?;
        // Whoever reads meanwhile finds the old copy or the new one.
        let (target, beside) = (self.place(uri), self.0.join(format!("{}.new", process::id())));
        fs::write(&beside, [&digest(uri, bytes).0[..], bytes].concat())?;
        fs::rename(&beside, target)
    }

    /// What was loaded from `uri` when that was last possible.
    pub(crate) fn find(&self, uri: &str) -> Option<Copy> {
        let place = self.place(uri);
        let about = fs::metadata(&place).ok()?;
        let small = about.len() <= (HEAD + MAX_RESOURCE) as u64;
        let read = if small { fs::read(&place).ok()? } else { Vec::new() };
        match read.split_at_checked(HEAD) {
            Some((head, bytes)) if head == digest(uri, bytes).0 => {
                Some(Copy { bytes: bytes.to_vec(), at: about.modified().ok()? })
            }
            _ => {
                fs::remove_file(&place).ok();
                None
            }
        }
    }

    fn place(&self, uri: &str) -> PathBuf {
        self.0.join(Digest(Sha256::digest(uri).into()).to_string().replace(':', "-"))
    }

    fn make_room(&self) -> io::Result<()> {
        let mut copies: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            copies.push((entry.metadata()?.modified()?, entry.path()));
        }
        copies.sort();
        let over = (copies.len() + 1).saturating_sub(MOST);
        copies.iter().take(over).try_for_each(|(_, path)| fs::remove_file(path))
    }
}

fn digest(uri: &str, bytes: &[u8]) -> Digest {
    let digest = Sha256::new().chain_update(uri).chain_update([0]).chain_update(bytes);
    Digest(digest.finalize().into())
}

/// Makes a directory that only its owner may look into.
fn make(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_of_its_own_uri_and_whole_or_is_none() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = Cache(directory.path().join("a/b"));
        let found = |uri: &str| cache.find(uri).map(|copy| copy.bytes);
        assert_eq!(found("http://h/a"), None);
        cache.keep("http://h/a", b"one").expect("a copy");
        cache.keep("http://h/a", b"two").expect("a copy");
        cache.keep("http://h/large", &vec![b'x'; MAX_RESOURCE + 1]).expect("nothing is wrong");
        assert_eq!(found("http://h/a").as_deref(), Some(&b"two"[..]));
        assert_eq!((found("http://h/b"), found("http://h/large")), (None, None));
        fs::copy(cache.place("http://h/a"), cache.place("http://h/b")).expect("a copy");
        assert_eq!(found("http://h/b"), None);
        for damaged in [&b""[..], b"short", &[7; HEAD + 3]] {
            fs::write(cache.place("http://h/a"), damaged).expect("a file");
            assert_eq!(found("http://h/a"), None);
            assert!(!cache.place("http://h/a").exists(), "it is looked at again");
        }
    }

    #[test]
    fn the_oldest_copies_make_room() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = Cache(directory.path().to_owned());
        for number in 0..MOST + 3 {
            cache.keep(&format!("http://h/{number}"), b"x").expect("a copy");
        }
        assert_eq!(fs::read_dir(directory.path()).expect("a directory").count(), MOST);
        assert!(cache.find(&format!("http://h/{}", MOST + 2)).is_some());
    }
}
