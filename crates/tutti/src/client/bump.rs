//! Raising the version of a document in its text; the rest of the text stays as it is. Pure.

use tutti_expr::Value;

use crate::command_line::Bump;

/// The most places of the version that are tried.
const MOST_PLACES: usize = 1_000;

/// The text with the version raised, and that version; nothing where it has none that can be raised.
pub(super) fn bumped(text: &str, part: Bump) -> Option<(String, String)> {
    let version = member(text, "version")?;
    let raised = raised(&version, part)?;
    // The place of the version is the one that, when it is changed, changes the version. Others stand in other places.
    let places = text.match_indices(&version).take(MOST_PLACES);
    places.map(|(at, found)| replaced(text, at, found.len(), &raised)).find_map(|changed| {
        (member(&changed, "version").as_deref() == Some(&raised)).then(|| (changed, raised.clone()))
    })
}

/// A member of `document`.
pub(super) fn member(text: &str, name: &str) -> Option<String> {
    let document = tutti_dsl::parse_value(text).ok()?;
    document.get("document")?.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn replaced(text: &str, at: usize, length: usize, with: &str) -> String {
    format!("{}{with}{}", &text[..at], &text[at + length..])
}

/// The next version; a pre-release becomes its release where the part is not below.
fn raised(version: &str, part: Bump) -> Option<String> {
    let release = version.split(['-', '+']).next()?;
    let is_release = !version.contains('-');
    let numbers: Option<Vec<u64>> = release.split('.').map(|it| it.parse().ok()).collect();
    let [major, minor, patch] = numbers?[..] else { return None };
    let next = |number: u64| number.checked_add(1);
    let (major, minor, patch) = match part {
        Bump::Patch if !is_release => (major, minor, patch),
        Bump::Patch => (major, minor, next(patch)?),
        Bump::Minor if !is_release && patch == 0 => (major, minor, 0),
        Bump::Minor => (major, next(minor)?, 0),
        Bump::Major if !is_release && minor == 0 && patch == 0 => (major, 0, 0),
        Bump::Major => (next(major)?, 0, 0),
    };
    Some(format!("{major}.{minor}.{patch}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_is_named_is_raised() {
        let check = |version: &str, part: Bump, expected: Option<&str>| {
            assert_eq!(raised(version, part).as_deref(), expected, "{version} {part:?}");
        };
        check("1.2.3", Bump::Patch, Some("1.2.4"));
        check("1.2.3", Bump::Minor, Some("1.3.0"));
        check("1.2.3", Bump::Major, Some("2.0.0"));
        check("1.2.3-rc.1", Bump::Patch, Some("1.2.3"));
        check("1.2.3-rc.1", Bump::Minor, Some("1.3.0"));
        check("2.0.0-rc.1+7", Bump::Major, Some("2.0.0"));
        check("1.2.9+build", Bump::Patch, Some("1.2.10"));
        check("1.2", Bump::Patch, None);
        check("1.2.18446744073709551615", Bump::Patch, None);
    }

    #[test]
    fn only_the_version_changes_in_the_text() {
        let check = |before: &str, after: Option<&str>| {
            let changed = bumped(before, Bump::Patch).map(|(text, _version)| text);
            assert_eq!(changed.as_deref(), after, "{before}");
        };
        check(
            "# 1.0.3 of it\ndocument:\n  dsl: '1.0.3'   # the language\n  version: '1.0.3' # ours\n",
            Some(
                "# 1.0.3 of it\ndocument:\n  dsl: '1.0.3'   # the language\n  version: '1.0.4' # ours\n",
            ),
        );
        check(
            "{\"document\": {\"version\": \"0.1.0\", \"dsl\": \"1.0.0\"}}",
            Some("{\"document\": {\"version\": \"0.1.1\", \"dsl\": \"1.0.0\"}}"),
        );
        check(
            "document: { version: 1.0.0 }\r\ndo: []\r\n",
            Some("document: { version: 1.0.1 }\r\ndo: []\r\n"),
        );
        check("document: { dsl: '1.0.0' }\n", None);
        check("document: [", None);
    }
}
