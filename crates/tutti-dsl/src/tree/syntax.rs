//! What the scanner finds wrong with a text, in our own words, and what to do about it.

/// A piece of what the scanner says, what we say, and what can be done; the first piece that fits counts.
const TOLD: [(&str, &str, &str); 31] = [
    ("tab", "a tab stands where only spaces may", "indent with spaces: YAML allows no tabs there"),
    ("mapping values are not allowed", COLON, QUOTE_COLON),
    ("illegal placement of ':'", COLON, QUOTE_COLON),
    (
        "did not find expected key",
        "the line does not go on with the mapping it stands in",
        ALIGN_KEY,
    ),
    ("expected '-' indicator", "the line does not go on with the list it stands in", ALIGN_ENTRY),
    (
        "expected ',' or ']'",
        "a list in brackets lacks a comma or its end",
        "add `,` between entries, or `]`",
    ),
    (
        "expected ',' or '}'",
        "a mapping in braces lacks a comma or its end",
        "add `,` between entries, or `}`",
    ),
    ("quoted scalar, found unexpected", "a quote is opened and never closed", CLOSE_QUOTE),
    (
        "unknown escape character",
        "`\\` and this character are no escape",
        "double the backslash, or use single quotes",
    ),
    (
        "hexadecimal number",
        "the escape lacks hexadecimal digits",
        "double the backslash, or use single quotes",
    ),
    (
        "Unicode character escape",
        "the escape is no character",
        "double the backslash, or use single quotes",
    ),
    ("trailing content after double-quoted", "something follows the closing quote", CLOSE_QUOTE),
    (
        "indentation in quoted scalar",
        "a text in quotes goes on too far to the left",
        "indent it further than its key",
    ),
    (
        "indentation in flow construct",
        "what is in brackets goes on too far to the left",
        "close the bracket, or indent the line further than its key",
    ),
    (
        "indentation indicator",
        "the number after `|` or `>` is no indentation",
        "leave the number out",
    ),
    (
        "block scalar, did not find",
        "something follows `|` or `>` on its line",
        "begin the text on the next line",
    ),
    ("indentation", "the indentation fits nothing above it", ALIGN_KEY),
    (
        "block sequence entries are not allowed",
        "a list cannot begin here",
        "begin it on a line of its own",
    ),
    ("simple key expect", "a key lacks its `:`", "write `key: value` on one line"),
    ("mapping keys are not allowed", "a `?` stands where no key can begin", QUOTE),
    ("unknown anchor", "`*` refers to an anchor that is nowhere above", QUOTE),
    ("anchor or alias", "a name is missing after `&` or `*`", QUOTE),
    ("directive", "a line that begins with `%` is not one that YAML knows", QUOTE),
    ("tag", "what begins with `!` is no tag", QUOTE),
    ("byte order mark", "a byte order mark stands inside the text", "remove it"),
    (
        "unprintable",
        "a character stands here that cannot be printed",
        "remove it, or write it as an escape in quotes",
    ),
    ("cannot start with '-'", "a text cannot begin with `-` and a bracket", QUOTE),
    ("node content", "a value is missing", "write one, or `null`"),
    ("document start", BEHIND, INDENT),
    ("document end", BEHIND, INDENT),
    ("expected whitespace", "a space is missing", "add one"),
];

const COLON: &str = "a colon stands where no value can begin";
const QUOTE_COLON: &str = "put a text with a colon in quotes, or begin a new line";
const QUOTE_EXPRESSION: &str = "put the whole expression in quotes: '${ … }'";
const ALIGN_KEY: &str = "indent it exactly like the other keys of its mapping";
const ALIGN_ENTRY: &str = "begin every entry with `- `, indented alike";
const CLOSE_QUOTE: &str =
    "close it at the end of the text; in single quotes, a quote is written twice";
const QUOTE: &str = "if it is a text, put it in quotes";
const BEHIND: &str = "the document ended before this";
const INDENT: &str = "indent it, if it belongs to what stands above";

/// What is wrong and what to do, given what the scanner says and the line up to the place.
pub(super) fn told(info: &str, before: &str) -> (String, &'static str) {
    if before.contains('\t') {
        return (TOLD[0].1.to_owned(), TOLD[0].2);
    }
    if let Some((_, begins)) = info.split_once("unexpected character: `") {
        let character = begins.chars().next().unwrap_or_default().escape_default();
        return (format!("a text cannot begin with `{character}`"), "put it in quotes");
    }
    let known = TOLD.iter().find(|(piece, ..)| info.contains(piece));
    let (what, hint) = known.map_or(
        ("it does not fit what stands before it", "compare its indentation, quotes and brackets"),
        |(_, what, hint)| (*what, *hint),
    );
    let hint = if what == COLON && before.contains("${") { QUOTE_EXPRESSION } else { hint };
    (what.to_owned(), hint)
}
