//! Fenced blocks of pages, and what is printed held against what is shown.

/// A fenced block: its language, its text, the line it begins at, and the comment just before it.
pub(crate) struct Block<'t> {
    pub(crate) language: &'t str,
    pub(crate) text: String,
    pub(crate) line: usize,
    pub(crate) mark: Option<&'t str>,
}

/// The fenced blocks of a page.
pub(crate) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    let mut mark = None;
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => {
                let mark = mark.take();
                open = Some(Block { language, text: String::new(), line: number + 1, mark });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {
                let comment = line.strip_prefix("<!-- ").and_then(|it| it.strip_suffix(" -->"));
                mark = if line.is_empty() { mark } else { comment };
            }
        }
    }
    blocks
}

/// The lines of a text without the spaces at their ends.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).collect()
}

/// Whether what was printed is what was expected, line by line.
pub(crate) fn matches(expected: &[&str], printed: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, others)| line_matches(line, first) && matches(rest, others)),
    }
}

fn line_matches(expected: &str, printed: &str) -> bool {
    let Some((start, end)) = expected.split_once('…') else { return expected == printed };
    let Some(rest) = printed.strip_prefix(start) else { return false };
    (0..=rest.len())
        .filter(|skipped| rest.is_char_boundary(*skipped))
        .any(|skipped| line_matches(end, &rest[skipped..]))
}

#[test]
fn an_output_is_compared_line_by_line() {
    let check = |expected: &str, printed: &str| matches(&lines(expected), &lines(printed));
    assert!(check("a\nb", "a\nb\n"));
    assert!(check("a … c", "a b c"));
    assert!(check("a\n…\nd", "a\nb\nc\nd"));
    assert!(check("…", ""));
    assert!(!check("a", "a\nb"));
    assert!(!check("a\nb", "a"));
    assert!(!check("a … c", "a b d"));
    assert!(!check("a\n…\nd", "a\nb\nc"));
}
