//! The shop's command line.

use std::path::PathBuf;

/// The first of four ports, unless `--port` says otherwise.
const FIRST_PORT: u16 = 4801;
const USAGE: &str = "usage: shop [--port FIRST] [--ledger FILE]
  --port FIRST   serve on FIRST to FIRST+3; 0 takes free ones (default 4801)
  --ledger FILE  keep what was done in FILE and start from what stands there";

/// How to serve.
pub(crate) struct Options {
    /// The first port; 0 for any.
    pub(crate) port: u16,
    /// Where the ledger is kept; in memory if nowhere.
    pub(crate) ledger: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { port: FIRST_PORT, ledger: None };
        while let Some(argument) = arguments.next() {
            let value = arguments.next();
            match (argument.as_str(), value) {
                ("--port", Some(port)) => {
                    let port = port.parse().ok().filter(|port| *port < u16::MAX - 3);
                    options.port = port.ok_or("`--port` takes a number up to 65531")?;
                }
                ("--ledger", Some(file)) => options.ledger = Some(PathBuf::from(file)),
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(options)
    }
}
