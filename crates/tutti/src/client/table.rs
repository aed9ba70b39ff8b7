//! What a server has, as aligned columns, JSON or YAML.

use serde::Serialize;
use tutti_expr::Value;

use crate::{
    command_line::{ListFormat, OutputFormat},
    console,
    exit::{Exit, Failure},
    text_of_value::text_of,
};

/// A table: the heads of its columns and the rows below.
#[derive(Debug)]
pub(super) struct Table<const COLUMNS: usize> {
    heads: [&'static str; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// A table of these rows.
    pub(super) fn new(
        heads: [&'static str; COLUMNS],
        rows: impl IntoIterator<Item = [String; COLUMNS]>,
    ) -> Self {
        let shown = |row: [String; COLUMNS]| row.map(|cell| one_line(&cell));
        Self { heads, rows: rows.into_iter().map(shown).collect() }
    }

    /// The table as lines; columns are as wide as what is in them.
    pub(super) fn text(&self) -> String {
        let heads = self.heads.map(str::to_owned);
        let all = || std::iter::once(&heads).chain(&self.rows);
        let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
            all().map(|row| row[column].chars().count()).max().unwrap_or(0)
        });
        let mut text = String::new();
        for row in all() {
            let padded = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
            let line = padded.collect::<Vec<_>>().join("  ");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Prints what the server said, as a table or as it said it.
pub(super) fn print<const COLUMNS: usize>(
    said: &impl Serialize,
    format: ListFormat,
    table: impl FnOnce() -> Table<COLUMNS>,
) -> Result<Exit, Failure> {
    match format {
        ListFormat::Table => console::print(&table().text()),
        ListFormat::Json | ListFormat::Yaml => print_value(said, format),
    }
}

/// Prints what the server said, as JSON unless YAML is wanted.
pub(super) fn print_value(said: &impl Serialize, format: ListFormat) -> Result<Exit, Failure> {
    let format = (format == ListFormat::Yaml).then_some(OutputFormat::Yaml);
    console::print(&text_of(&value_of(said), format))
}

/// A wire type as a value.
pub(super) fn value_of(said: &impl Serialize) -> Value {
    let text = serde_json::to_string(said).expect("invariant: the wire types are JSON");
    Value::from_json(&text).expect("invariant: what was written as JSON is JSON")
}

/// A text that may come from anywhere, in one line of a terminal.
pub(super) fn one_line(text: &str) -> String {
    crate::progress::plain(text)
}

/// What is there, or a dash.
pub(super) fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or("-").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_where_their_text_does() {
        let rows = [["a", "much longer", "x"], ["ä\u{1b}[31m", "b", ""]];
        let table = Table::new(["ID", "NAME", "Z"], rows.map(|row| row.map(str::to_owned)));
        let text = table.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let at = |line: &str, what: &str| line.split_once(what).map(|(it, _)| it.chars().count());
        assert_eq!(at(lines[0], "NAME"), at(lines[1], "much"));
        assert!(lines.iter().all(|line| !line.ends_with(' ')));
    }
}
