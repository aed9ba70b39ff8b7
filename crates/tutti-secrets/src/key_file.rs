//! A master key in a file that only its owner may read.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use crate::{MasterKey, NoRandomness, keyring};

/// What a key file begins with; the key follows as base64 without padding, then a newline.
const PREFIX: &str = "tutti-key-1 ";
const LENGTH: usize = PREFIX.len() + 43 + 1;

/// A key file that could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file could not be written or read.
    #[error("cannot {attempt} the key file {}", path.display())]
    Io {
        /// `read` or `write`.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may read the file.
    #[error("the key file {} may be read by others than its owner: its mode must be 0600", path.display())]
    Readable {
        /// The file.
        path: PathBuf,
    },
    /// The file does not hold a key.
    #[error("the file {} does not hold a key", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// No key could be drawn.
    #[error("cannot draw a key")]
    NoRandomness(#[from] NoRandomness),
}

impl MasterKey {
    /// Reads the key in `path`; draws one and writes it there, with mode 0600, if there is no such file. Of several
    /// callers at once all get the same key.
    ///
    /// # Errors
    /// If the file cannot be read or written, others may read it, or it holds no key.
    pub fn read_or_create(path: &Path) -> Result<Self, KeyFileError> {
        if !path.exists() {
            write_new(path, &Self::generate()?)?;
        }
        Self::read(path)
    }

    /// Reads the key in `path`.
    ///
    /// # Errors
    /// If the file cannot be read, others may read it, or it holds no key.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let fail = |source| KeyFileError::Io { attempt: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(fail)?;
        if is_open_to_others(&file.metadata().map_err(fail)?) {
            return Err(KeyFileError::Readable { path: path.to_owned() });
        }
        let mut text = Zeroizing::new(Vec::with_capacity(LENGTH + 1));
        file.take(LENGTH as u64 + 1).read_to_end(&mut text).map_err(fail)?;
        parse(&text).ok_or_else(|| KeyFileError::NotAKey { path: path.to_owned() })
    }
}

fn parse(text: &[u8]) -> Option<MasterKey> {
    let text = text.strip_prefix(PREFIX.as_bytes())?.strip_suffix(b"\n")?;
    let mut key = Zeroizing::new([0; 32]);
    let length = STANDARD_NO_PAD.decode_slice(text, &mut *key).ok()?;
    (length == 32).then(|| MasterKey::from_bytes(*key))
}

/// Writes a whole file beside `path`, then gives it that name unless somebody else was quicker.
fn write_new(path: &Path, key: &MasterKey) -> Result<(), KeyFileError> {
    let fail = |source| KeyFileError::Io { attempt: "write", path: path.to_owned(), source };
    let chance = u64::from_be_bytes(keyring::draw()?);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{chance:016x}"));
    let beside = PathBuf::from(name);
    let linked = write_whole(&beside, key).and_then(|()| fs::hard_link(&beside, path));
    let removed = fs::remove_file(&beside);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(fail(error)),
        _ => removed.map_err(fail)?,
    }
    sync_directory_of(path).map_err(fail)
}

fn write_whole(path: &Path, key: &MasterKey) -> io::Result<()> {
    let mut file = private_file().open(path)?;
    let key = Zeroizing::new(STANDARD_NO_PAD.encode(key.bytes()));
    file.write_all(Zeroizing::new(format!("{PREFIX}{}\n", *key)).as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn private_file() -> fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn private_file() -> fs::OpenOptions {
    let mut options = File::options();
    options.write(true).create_new(true);
    options
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn sync_directory_of(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory_of(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn all_who_ask_at_once_get_the_same_key() {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = directory.path().join("key");
        let keys: Vec<[u8; 32]> = thread::scope(|scope| {
            let read = || MasterKey::read_or_create(&path).map(|key| *key.bytes());
            let readers: Vec<_> = (0..8).map(|_| scope.spawn(read)).collect();
            readers.into_iter().filter_map(|reader| reader.join().ok()?.ok()).collect()
        });
        assert_eq!(keys.len(), 8);
        assert!(keys.iter().all(|key| *key == keys[0]));
        let left = fs::read_dir(directory.path()).expect("the directory can be read").count();
        assert_eq!(left, 1, "nothing is left beside the key");
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = directory.path().join("key");
        MasterKey::read_or_create(&path).expect("the key can be made");
        let good = fs::read_to_string(&path).expect("the key can be read");
        for bad in ["", "tutti-key-1 \n", good.trim_end(), &good[1..], &format!("{good}x")] {
            fs::write(&path, bad).expect("the file can be written");
            let refused = MasterKey::read(&path).map(|_| ());
            assert!(matches!(refused, Err(KeyFileError::NotAKey { .. })), "{bad:?}: {refused:?}");
        }
        let missing = MasterKey::read(&directory.path().join("missing")).map(|_| ());
        assert!(matches!(missing, Err(KeyFileError::Io { .. })), "{missing:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = directory.path().join("key");
        MasterKey::read_or_create(&path).expect("the key can be made");
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("the mode can be set");
        let refused = MasterKey::read_or_create(&path).map(|_| ());
        assert!(matches!(refused, Err(KeyFileError::Readable { .. })), "{refused:?}");
    }
}
