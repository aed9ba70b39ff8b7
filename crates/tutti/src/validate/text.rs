//! Diagnostics for people.

use std::fmt::Write as _;

use tutti_dsl::{Diagnostic, Severity, excerpt};

use crate::console::{Paint, Style};

/// Diagnostics with their excerpts and hints, in color if wanted.
pub(crate) fn shown_as_text(
    diagnostics: &[Diagnostic],
    name: &str,
    text: &str,
    paint: Paint,
) -> String {
    diagnostics.iter().map(|diagnostic| shown(diagnostic, name, text, paint)).collect()
}

fn shown(diagnostic: &Diagnostic, name: &str, text: &str, paint: Paint) -> String {
    let style = match diagnostic.severity() {
        Severity::Error => Style::Bad,
        Severity::Warning => Style::Doubtful,
    };
    let excerpt = excerpt(diagnostic, text);
    let number = excerpt.line.to_string();
    let margin = " ".repeat(number.len());
    let bar = paint.paint(Style::Dim, "|");
    let kind = format!("{}[{}]:", diagnostic.severity(), diagnostic.code);
    let mut out = String::new();
    let span = &diagnostic.span;
    writeln!(out, "{} {}", paint.paint(style, &kind), diagnostic.message).ok();
    let arrow = paint.paint(Style::Dim, "-->");
    writeln!(out, "{margin}{arrow} {name}:{}:{}", span.line, span.column).ok();
    writeln!(out, "{} {bar} {}", paint.paint(Style::Dim, &number), excerpt.source).ok();
    let carets = paint.paint(style, &"^".repeat(excerpt.width));
    writeln!(out, "{margin} {bar} {}{carets}", " ".repeat(excerpt.before)).ok();
    if let Some(hint) = &diagnostic.hint {
        writeln!(out, "{margin} {} {hint}", paint.paint(Style::Bold, "hint:")).ok();
    }
    out.push('\n');
    out
}

/// `: 2 errors, 1 warning`, or nothing.
pub(super) fn counts(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| diagnostics.iter().filter(|d| d.severity() == severity).count();
    let named = |count, name| match count {
        0 => None,
        1 => Some(format!("1 {name}")),
        _ => Some(format!("{count} {name}s")),
    };
    let counted: Vec<String> =
        [named(count(Severity::Error), "error"), named(count(Severity::Warning), "warning")]
            .into_iter()
            .flatten()
            .collect();
    if counted.is_empty() { String::new() } else { format!(": {}", counted.join(", ")) }
}
