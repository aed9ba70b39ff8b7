//! Why what the server keeps cannot be read.

/// Why what the server keeps cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// What is stored cannot be read.
    #[error("cannot read what the server keeps")]
    Store(#[from] tutti_store::Error),
    /// A record does not hold what it should.
    #[error("the {what} `{key}` is damaged")]
    Damaged {
        /// What kind of record.
        what: &'static str,
        /// Its name.
        key: String,
    },
}
