//! How many checks passed, failed and were skipped, read from what the test runners print.

use std::{collections::BTreeMap, fmt, ops::AddAssign};

/// What a test prints, at the start of a line, when what it needs is not on this machine.
pub(crate) const SKIP_MARK: &str = "SKIPPED:";

/// Counts of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    /// Checks that held.
    pub(crate) passed: u64,
    /// Checks that did not hold, or could not be made.
    pub(crate) failed: u64,
    /// Checks that were visibly left out.
    pub(crate) skipped: u64,
}

impl Tally {
    /// One check with this verdict.
    pub(crate) fn one(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed), skipped: 0 }
    }

    /// One check that was visibly left out.
    pub(crate) fn one_skipped() -> Self {
        Self { skipped: 1, ..Self::default() }
    }

    /// Reads nextest's summary line, such as `Summary [ 1.2s] 3 tests run: 2 passed, 1 failed, 4 skipped`.
    pub(crate) fn of_nextest(text: &str) -> Option<Self> {
        let summary =
            text.lines().map(str::trim_start).rfind(|line| line.starts_with("Summary ["))?;
        let words = words_of(summary.split_once(" run: ").map_or("", |(_, counts)| counts));
        let count = |word: &str| words.get(word).copied().unwrap_or(0);
        let failed = count("failed") + count("timed out") + count("exec failed");
        Some(Self { passed: count("passed"), failed, skipped: count("skipped") })
    }

    /// Sums libtest's lines, such as `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
    pub(crate) fn of_libtest(text: &str) -> Option<Self> {
        let results =
            text.lines().filter_map(|line| line.trim_start().strip_prefix("test result: "));
        results.map(of_libtest_line).reduce(|mut sum, one| {
            sum += one;
            sum
        })
    }

    /// Moves checks that passed only because they were left out to where they belong.
    pub(crate) fn with_passes_skipped(self, skipped: u64) -> Self {
        let moved = skipped.min(self.passed);
        Self { passed: self.passed - moved, skipped: self.skipped + moved, ..self }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Counts the lines by which tests said that they were left out.
pub(crate) fn skip_lines(text: &str) -> u64 {
    text.lines().filter(|line| line.trim_start().starts_with(SKIP_MARK)).map(|_| 1).sum()
}

/// The skip lines of each test case in nextest's JUnit file; each case counts once.
pub(crate) fn skips_in_junit(xml: &str) -> Vec<String> {
    let cases = xml.split("<testcase ").skip(1).filter(|case| !case.contains("<failure"));
    let lines = cases.filter_map(|case| {
        case.split(['\n', '>']).map(str::trim_start).find(|line| line.starts_with(SKIP_MARK))
    });
    lines.map(|line| line.split('<').next().unwrap_or(line).trim_end().to_owned()).collect()
}

fn of_libtest_line(result: &str) -> Tally {
    let counts = result.split_once(". ").map_or("", |(_, counts)| counts);
    let words = words_of(&counts.replace(';', ","));
    let count = |word: &str| words.get(word).copied().unwrap_or(0);
    Tally { passed: count("passed"), failed: count("failed"), skipped: count("ignored") }
}

/// `2 passed (1 slow), 1 timed out` as words and numbers.
fn words_of(counts: &str) -> BTreeMap<String, u64> {
    let parts = counts.split(',').filter_map(|part| {
        let (number, word) = part.trim().split_once(' ')?;
        let word = word.split(" (").next().unwrap_or(word);
        Some((word.to_owned(), number.parse().ok()?))
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, skipped: u64) -> Tally {
        Tally { passed, failed, skipped }
    }

    #[test]
    fn nextest_summaries_are_read() {
        let table = [
            ("     Summary [   0.012s] 20 tests run: 20 passed, 1 skipped", tally(20, 0, 1)),
            (
                "Summary [ 1s] 5 tests run: 3 passed (1 slow, 1 flaky), 1 failed, 1 timed out, 0 skipped",
                tally(3, 2, 0),
            ),
            ("  Summary [ 0.1s] 1/3 tests run: 0 passed, 1 exec failed, 2 skipped", tally(0, 1, 2)),
        ];
        for (text, expected) in table {
            assert_eq!(Tally::of_nextest(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn text_without_a_summary_is_no_tally() {
        assert_eq!(Tally::of_nextest("error: could not compile"), None);
        assert_eq!(Tally::of_libtest("error: could not compile"), None);
    }

    #[test]
    fn libtest_results_are_summed() {
        let text = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(Tally::of_libtest(text), Some(tally(6, 2, 1)));
    }

    #[test]
    fn a_test_that_said_it_was_skipped_is_not_counted_as_passed() {
        let xml = "<testcase name=\"a\"><system-err>SKIPPED: no sqlite3 here</system-err></testcase>\n\
                   <testcase name=\"b\"><system-out>running 1 test\nSKIPPED: no spec\nSKIPPED: twice</system-out></testcase>\n\
                   <testcase name=\"c\"><system-out>says SKIPPED: inside a line</system-out></testcase>";
        let skipped = skips_in_junit(xml);
        assert_eq!(skipped, ["SKIPPED: no sqlite3 here", "SKIPPED: no spec"]);
        assert_eq!(tally(3, 0, 0).with_passes_skipped(2), tally(1, 0, 2));
    }

    #[test]
    fn skip_lines_are_counted_at_the_start_of_a_line_only() {
        assert_eq!(skip_lines("SKIPPED: a\n  SKIPPED: b\nnot SKIPPED: c"), 2);
    }
}
