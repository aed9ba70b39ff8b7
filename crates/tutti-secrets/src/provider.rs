//! Where secrets come from.

use std::{collections::BTreeMap, env, ffi::OsString, fmt::Debug, fs, io, path::Path};

use zeroize::Zeroize;

use crate::Secret;

/// How large a secret read from a file may be, in bytes.
const LARGEST_FILE: u64 = 64 * 1024;

/// Gives secrets by name. Implemented here over a map; vaults and the store implement it above.
pub trait SecretProvider: Debug + Send + Sync {
    /// The secret called `name`; none if there is no such secret.
    ///
    /// # Errors
    /// If it cannot be told whether there is one, or what it is.
    fn secret(&self, name: &str) -> Result<Option<Secret<String>>, ProviderError>;
}

/// A secret that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// A file or another source could not be read.
    #[error("cannot read secret `{name}`")]
    Unreadable {
        /// The secret's name.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The secret is no text in UTF-8.
    #[error("secret `{name}` is not UTF-8 text")]
    NotText {
        /// The secret's name.
        name: String,
    },
    /// The secret is larger than 64 KiB.
    #[error("secret `{name}` is larger than 64 KiB")]
    TooLarge {
        /// The secret's name.
        name: String,
    },
}

/// Secrets that are known beforehand.
#[derive(Debug, Clone, Default)]
pub struct MapSecrets {
    secrets: BTreeMap<String, Secret<String>>,
}

impl MapSecrets {
    /// No secrets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret; one of the same name is replaced.
    pub fn insert(&mut self, name: impl Into<String>, value: Secret<String>) {
        self.secrets.insert(name.into(), value);
    }

    /// Adds the content of a file as a secret, without one newline at its end.
    ///
    /// # Errors
    /// If the file cannot be read, is larger than 64 KiB or is not UTF-8 text.
    pub fn insert_file(&mut self, name: &str, path: &Path) -> Result<(), ProviderError> {
        let unreadable = |source| ProviderError::Unreadable { name: name.to_owned(), source };
        if fs::metadata(path).map_err(unreadable)?.len() > LARGEST_FILE {
            return Err(ProviderError::TooLarge { name: name.to_owned() });
        }
        let mut text = text(name, fs::read(path).map_err(unreadable)?)?;
        if text.ends_with('\n') {
            text.pop();
        }
        if text.ends_with('\r') {
            text.pop();
        }
        self.insert(name, Secret::new(text));
        Ok(())
    }

    /// Adds the environment variable called `name` as a secret of that name; says whether there is one.
    ///
    /// # Errors
    /// If it is not UTF-8 text.
    pub fn insert_variable(&mut self, name: &str) -> Result<bool, ProviderError> {
        let Some(value) = env::var_os(name) else { return Ok(false) };
        self.insert(name, Secret::new(text(name, value.into_encoded_bytes())?));
        Ok(true)
    }

    /// Adds every environment variable whose name begins with `prefix`, called by the rest of its name.
    ///
    /// # Errors
    /// If one of them is not UTF-8 text.
    pub fn insert_variables(&mut self, prefix: &str) -> Result<(), ProviderError> {
        self.insert_prefixed(prefix, env::vars_os())
    }

    fn insert_prefixed(
        &mut self,
        prefix: &str,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<(), ProviderError> {
        for (name, value) in variables {
            let Some(name) = name.to_str().and_then(|name| name.strip_prefix(prefix)) else {
                continue;
            };
            if !name.is_empty() {
                self.insert(name, Secret::new(text(name, value.into_encoded_bytes())?));
            }
        }
        Ok(())
    }

    /// The secrets, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret<String>)> {
        self.secrets.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl SecretProvider for MapSecrets {
    fn secret(&self, name: &str) -> Result<Option<Secret<String>>, ProviderError> {
        Ok(self.secrets.get(name).cloned())
    }
}

fn text(name: &str, bytes: Vec<u8>) -> Result<String, ProviderError> {
    String::from_utf8(bytes).map_err(|error| {
        error.into_bytes().zeroize();
        ProviderError::NotText { name: name.to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposed(secrets: &MapSecrets, name: &str) -> Option<String> {
        secrets.secret(name).expect("maps do not fail").map(|secret| secret.expose().clone())
    }

    #[test]
    fn secrets_are_found_by_name() {
        let mut secrets = MapSecrets::new();
        secrets.insert("token", Secret::new("one".to_owned()));
        secrets.insert("token", Secret::new("two".to_owned()));
        assert_eq!(exposed(&secrets, "token").as_deref(), Some("two"));
        assert_eq!(exposed(&secrets, "Token"), None);
        assert!(!format!("{secrets:?}").contains("two"));
    }

    #[test]
    fn variables_with_the_prefix_become_secrets() {
        let mut secrets = MapSecrets::new();
        let variables = [("APP_token", "abcd"), ("APP_", "nameless"), ("token", "other")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        secrets.insert_prefixed("APP_", variables.into_iter()).expect("all of them are text");
        let found: Vec<_> =
            secrets.iter().map(|(name, value)| (name, value.expose().as_str())).collect();
        assert_eq!(found, [("token", "abcd")]);
    }

    #[test]
    fn a_file_is_a_secret_without_its_last_newline() {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = directory.path().join("secret");
        let mut secrets = MapSecrets::new();
        for (content, expected) in
            [("abc", "abc"), ("abc\n", "abc"), ("a\nb\r\n", "a\nb"), ("\n\n", "\n")]
        {
            fs::write(&path, content).expect("the file can be written");
            secrets.insert_file("name", &path).expect("the file can be read");
            assert_eq!(exposed(&secrets, "name").as_deref(), Some(expected));
        }
        fs::write(&path, [0xFF]).expect("the file can be written");
        let refused = secrets.insert_file("name", &path);
        assert!(matches!(refused, Err(ProviderError::NotText { .. })), "{refused:?}");
        fs::write(&path, vec![b'x'; 65_537]).expect("the file can be written");
        let refused = secrets.insert_file("name", &path);
        assert!(matches!(refused, Err(ProviderError::TooLarge { .. })), "{refused:?}");
        let refused = secrets.insert_file("name", &directory.path().join("missing"));
        assert!(matches!(refused, Err(ProviderError::Unreadable { .. })), "{refused:?}");
    }
}
