//! Hands facts of the build to the program, for `tutti version`.

use std::env;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::io::Write as _;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "cargo::rerun-if-changed=build.rs")?;
    writeln!(stdout, "cargo::rustc-env=TUTTI_TARGET={}", env::var("TARGET")?)?;
    writeln!(stdout, "cargo::rustc-env=TUTTI_PROFILE={}", env::var("PROFILE")?)?;
    Ok(())
}
