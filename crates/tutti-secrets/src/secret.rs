//! A value that must not be shown.

use std::fmt;

use zeroize::Zeroize;

/// A value that must not be shown: it cannot be printed or serialized, and is overwritten when it is dropped.
///
/// ```
/// use tutti_secrets::Secret;
///
/// let token = Secret::new("hunter2".to_owned());
/// assert_eq!(format!("{token:?}"), "Secret(«secret»)");
/// assert_eq!(token.expose(), "hunter2");
/// ```
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes a value that must not be shown.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that sends it where it belongs.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(«secret»)")
    }
}
