//! The page of every code: its example gives exactly the diagnostic it shows, and its fix is one.

use std::sync::Arc;

use tutti_dsl::{Code, Resources, Severity, explain, parse_with, render};

/// The blocks of a page that are fenced as `language`, in order.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or("")).collect()
}

/// What the page says is elsewhere: the first line of a block is the URI.
fn resources(page: &str) -> Resources {
    let mut resources = Resources::default();
    for block in blocks(page, "resource") {
        let (uri, text) = block.split_once('\n').unwrap_or((block, ""));
        resources.insert(Arc::from(uri), Ok(text.as_bytes()));
    }
    for block in blocks(page, "unloaded") {
        let (uri, why) = block.split_once('\n').unwrap_or((block, ""));
        if why.trim() == "not text" {
            resources.insert(Arc::from(uri), Ok(&[0xff]));
        } else {
            resources.insert(Arc::from(uri), Ok(&vec![b' '; tutti_dsl::MAX_RESOURCE + 1]));
        }
        assert!(["not text", "too large"].contains(&why.trim()), "{why}");
    }
    resources
}

fn rendered(document: &str, page: &str) -> String {
    let parsed = parse_with(document, &resources(page));
    parsed.diagnostics.iter().map(|found| render(found, "workflow.yaml", document)).collect()
}

#[test]
fn every_page_shows_what_its_example_gives() {
    let mut different = String::new();
    for code in Code::ALL {
        let documents = blocks(code.page(), "yaml");
        let shown = blocks(code.page(), "text");
        let actual = rendered(documents[0], code.page());
        assert!(actual.contains(code.as_str()), "the example of {code} gives:\n{actual}");
        if actual.trim() != shown[0].trim() {
            different.extend(["=== ", code.as_str(), "\n", &actual, "=== end\n"]);
        }
    }
    assert!(different.is_empty(), "the pages must show:\n{different}");
}

#[test]
fn every_fix_is_one() {
    for code in Code::ALL {
        let fix = blocks(code.page(), "yaml")[1];
        let parsed = parse_with(fix, &resources(code.page()));
        let wrong = parsed
            .diagnostics
            .iter()
            .any(|found| found.code == *code || found.severity() == Severity::Error);
        assert!(!wrong, "{code}:\n{}", rendered(fix, code.page()));
    }
}

#[test]
fn codes_are_explained_however_they_are_typed() {
    assert_eq!(explain(" e0117 "), Some(Code::UnknownFunction.page()));
    assert_eq!(explain("E9999"), None);
}

#[test]
fn codes_are_unique_and_titled_like_their_pages() {
    let mut seen = std::collections::BTreeSet::new();
    for code in Code::ALL {
        assert!(seen.insert(code.as_str()), "{code} twice");
        let title = format!("# {code}: {}\n", code.summary().trim_end_matches('.'));
        assert!(code.page().starts_with(&title), "{code}: expected {title}");
    }
}

#[test]
fn the_page_of_each_shows_a_valid_document() {
    let page = include_str!("../../../../docs/reference/functions-each.md");
    assert_eq!(rendered(blocks(page, "yaml")[0], page), "");
}
