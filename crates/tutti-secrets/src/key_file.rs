//! Files that only their owner may read, and how a master key is written in one.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use crate::{MasterKey, NoRandomness, keyring};

/// How long the file of a key is (bytes).
const LENGTH: usize = 12 + 43 + 1;

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
    /// The keys in the file cannot be opened with the master key.
    #[error("the keys in {} do not open with the master key beside it", path.display())]
    Sealed {
        /// The file.
        path: PathBuf,
    },
    /// No key could be drawn.
    #[error("cannot draw a key")]
    NoRandomness(#[from] NoRandomness),
}

/// How the key in a file is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// What is sealed is sealed with it: how stores began.
    Seals,
    /// It seals other keys, which seal.
    SealsKeys,
    /// What others shall be able to check is signed with what is made of it.
    Signs,
}

impl Use {
    /// What the file begins with; the key follows as base64 without padding, then a newline.
    fn prefix(self) -> &'static str {
        match self {
            Self::Seals => "tutti-key-1 ",
            Self::SealsKeys => "tutti-key-2 ",
            Self::Signs => "tutti-key-3 ",
        }
    }
}

/// Reads the key in `path`, which is for one of these uses.
pub(crate) fn read_key(path: &Path, uses: &[Use]) -> Result<(MasterKey, Use), KeyFileError> {
    let text = read(path, LENGTH)?;
    uses.iter()
        .find_map(|used| Some((parse(&text, *used)?, *used)))
        .ok_or_else(|| KeyFileError::NotAKey { path: path.to_owned() })
}

fn parse(text: &[u8], used: Use) -> Option<MasterKey> {
    let text = text.strip_prefix(used.prefix().as_bytes())?.strip_suffix(b"\n")?;
    let mut key = Zeroizing::new([0; 32]);
    let length = STANDARD_NO_PAD.decode_slice(text, &mut *key).ok()?;
    (length == 32).then(|| MasterKey::from_bytes(*key))
}

/// The text of the file of a key.
pub(crate) fn text_of(key: &MasterKey, used: Use) -> Zeroizing<String> {
    let key = Zeroizing::new(STANDARD_NO_PAD.encode(key.bytes()));
    Zeroizing::new(format!("{}{}\n", used.prefix(), *key))
}

/// Reads a file of at most `longest` bytes, which nobody but its owner may read; longer ones come cut.
pub(crate) fn read(path: &Path, longest: usize) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let fail = |source| KeyFileError::Io { attempt: "read", path: path.to_owned(), source };
    let file = File::open(path).map_err(fail)?;
    if is_open_to_others(&file.metadata().map_err(fail)?) {
        return Err(KeyFileError::Readable { path: path.to_owned() });
    }
    let mut text = Zeroizing::new(Vec::with_capacity(LENGTH + 1));
    file.take(longest as u64 + 1).read_to_end(&mut text).map_err(fail)?;
    Ok(text)
}

/// Writes a whole file, durably, which only its owner may read, in place of one there may be.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), KeyFileError> {
    let fail = |source| KeyFileError::Io { attempt: "write", path: path.to_owned(), source };
    let chance = u64::from_be_bytes(keyring::draw()?);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{chance:016x}"));
    let beside = PathBuf::from(name);
    let written = write_whole(&beside, text).and_then(|()| fs::rename(&beside, path));
    if let Err(error) = written {
        // The first error counts.
        fs::remove_file(&beside).ok();
        return Err(fail(error));
    }
    sync_directory_of(path).map_err(fail)
}

/// Gives a file another name, in place of one there may be, durably.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), KeyFileError> {
    let fail = |source| KeyFileError::Io { attempt: "write", path: to.to_owned(), source };
    fs::rename(from, to).and_then(|()| sync_directory_of(to)).map_err(fail)
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private_file().open(path)?;
    file.write_all(text.as_bytes())?;
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
