//! What can be told of a jq source without compiling it: which variables it names, and where.

use std::ops::Range;

/// A `$name` outside of texts and comments.
pub(crate) struct VariableUse<'s> {
    /// The bytes of the source, `$` included.
    pub(crate) range: Range<usize>,
    /// The name without `$`.
    pub(crate) name: &'s str,
}

/// Every variable a source names; the inside of `\( )` in texts counts, the texts themselves do not.
pub(crate) fn variables(source: &str) -> Vec<VariableUse<'_>> {
    let mut uses = Vec::new();
    if !source.contains('$') {
        return uses;
    }
    // For every text that is open: how many parentheses are open inside its interpolation; `None` outside of one.
    let mut texts: Vec<Option<usize>> = Vec::new();
    let mut at = 0;
    while let Some(character) = source[at..].chars().next() {
        let rest = &source[at + character.len_utf8()..];
        let mut next = at + character.len_utf8();
        match (texts.last_mut(), character) {
            (Some(None), '"') => _ = texts.pop(),
            (Some(open @ None), '\\') if rest.starts_with('(') => {
                *open = Some(0);
                next += 1;
            }
            (Some(None), '\\') => next += rest.chars().next().map_or(0, char::len_utf8),
            (Some(None), _) => {}
            (_, '#') => next += rest.find('\n').unwrap_or(rest.len()),
            (_, '$') => {
                let name = name_at(rest);
                if is_name(name) {
                    next += name.len();
                    uses.push(VariableUse { range: at..next, name });
                }
            }
            (_, '"') => texts.push(None),
            (Some(Some(open)), '(') => *open += 1,
            (Some(slot @ Some(_)), ')') => *slot = slot.and_then(|open| open.checked_sub(1)),
            _ => {}
        }
        at = next;
    }
    uses
}

/// Whether a source may bind a variable of this name itself: then only the compiler knows what each use means.
pub(super) fn binds(source: &str, name: &str) -> bool {
    if ["def ", " as [", " as {"].iter().any(|binding| source.contains(binding)) {
        return true;
    }
    let variable = format!("${name}");
    source.match_indices(&variable).any(|(at, _)| source[..at].trim_end().ends_with("as"))
}

/// The name of a member after an object, `.NAME` or `["NAME"]`, and how many bytes it takes.
pub(super) fn member_named(rest: &str) -> (usize, Option<String>) {
    let quoted = |opening: &str, closing: &str| {
        let inner = rest.strip_prefix(opening)?;
        let end = inner.find('"').filter(|end| inner[end + 1..].starts_with(closing))?;
        let name = &inner[..end];
        let length = opening.len() + end + 1 + closing.len();
        (!name.contains('\\')).then(|| (length, Some(name.to_owned())))
    };
    let found = quoted("[\"", "]").or_else(|| quoted(".[\"", "]")).or_else(|| quoted(".\"", ""));
    if let Some(found) = found {
        return found;
    }
    let name = rest.strip_prefix('.').map_or("", name_at);
    if is_name(name) { (1 + name.len(), Some(name.to_owned())) } else { (0, None) }
}

pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn name_at(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_outside_of_texts() {
        let check = |source: &str, expected: &[&str]| {
            let found: Vec<&str> = variables(source).iter().map(|used| used.name).collect();
            assert_eq!(found, expected, "{source}");
        };
        check("$a + .b | $c_1.d", &["a", "c_1"]);
        check(r#""$a \($b | "x\($c)y") $d" + $e"#, &["b", "c", "e"]);
        check(r#""\\($a)" , "\"$b" # $c"#, &[]);
        check("\"\\(f($x; (1)))\" | $y # $z\n| $w", &["x", "y", "w"]);
        check("$ , $1 , $__loc__", &["__loc__"]);
    }

    #[test]
    fn members_are_named() {
        assert_eq!(member_named(".key | x"), (4, Some("key".to_owned())));
        assert_eq!(member_named("[\"my-key\"]"), (10, Some("my-key".to_owned())));
        assert_eq!(member_named(".\"my-key\""), (9, Some("my-key".to_owned())));
        assert_eq!(member_named("[.name]"), (0, None));
        assert_eq!(member_named(""), (0, None));
    }

    #[test]
    fn own_bindings_are_seen() {
        assert!(binds(". as $output | $output", "output"));
        assert!(binds("def f($output): $output; f(1)", "output"));
        assert!(binds(". as [$output] | $output", "output"));
        assert!(!binds("$output.a", "output"));
        assert!(!binds(". as $x | $output", "output"));
    }
}
