//! Generated files say what their generator says today.

use super::Violation;

/// One violation for each stale path.
pub(super) fn check(stale: &[&str]) -> Vec<Violation> {
    stale.iter().map(|path| Violation::new(*path, "is stale; run `cargo xtask generate`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_is_found() {
        assert_eq!(check(&["docs/reference/errors.md"]).len(), 1);
        assert_eq!(check(&[]), []);
    }
}
