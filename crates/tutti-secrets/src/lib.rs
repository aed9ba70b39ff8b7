//! Secrets that cannot be printed, the port they come through, sealing, and redaction.
//!
//! **Invariant:** a [`Secret`] has no `Serialize`, no `Display` and no content in its `Debug`; whoever needs the value
//! says [`Secret::expose`], which is easy to find. What leaves the process as text goes through a [`Redactor`].
//!
//! Start reading at [`Secret`], then [`SecretProvider`], [`Keyring`] and [`Redactor`].

mod forms;
mod key_file;
mod key_files;
mod keyring;
mod provider;
mod redactor;
mod secret;
mod signing;

pub use key_file::KeyFileError;
pub use key_files::{KeyFiles, Rekey};
pub use keyring::{Keyring, MasterKey, NoRandomness, OpenError};
pub use provider::{MapSecrets, ProviderError, SecretProvider};
pub use redactor::{REDACTED, RedactedStream, Redactor, TooMuchToRedact};
pub use secret::Secret;
pub use signing::{PublicKey, Signature, SigningKey};
