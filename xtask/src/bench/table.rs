//! The printed table: name, figure, the machine's limit beside it, and their ratio.

use std::fmt;

/// A measured number with its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figure {
    value: f64,
    unit: &'static str,
}

impl Figure {
    /// So many each second.
    pub(crate) fn per_second(value: f64) -> Self {
        Self { value, unit: "/s" }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.value < 100.0);
        write!(f, "{:.digits$} {}", self.value, self.unit)
    }
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    name: &'static str,
    figure: Figure,
    limit: Option<Figure>,
}

impl Row {
    /// A limit of this machine.
    pub(crate) fn limit(name: &'static str, figure: Figure) -> Self {
        Self { name, figure, limit: None }
    }

    /// A figure of ours, held against a limit in the same unit.
    #[cfg_attr(not(test), expect(dead_code, reason = "the product's first row uses it"))]
    pub(crate) fn held(name: &'static str, figure: Figure, limit: Figure) -> Self {
        Self { name, figure, limit: Some(limit) }
    }

    fn cells(&self) -> [String; 4] {
        let limit = self.limit.map_or_else(String::new, |limit| limit.to_string());
        let ratio = self
            .limit
            .map_or_else(String::new, |limit| format!("{:.2}", self.figure.value / limit.value));
        [self.name.to_owned(), self.figure.to_string(), limit, ratio]
    }
}

/// The whole table as text.
pub(crate) fn print(rows: &[Row]) -> String {
    let head = ["what", "figure", "machine limit", "ratio"].map(str::to_owned);
    let lines: Vec<[String; 4]> =
        std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let width =
        |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let shown = lines.iter().map(|[what, figure, limit, ratio]| {
        let [a, b, c, d] = widths;
        format!("{what:<a$}  {figure:>b$}  {limit:>c$}  {ratio:>d$}").trim_end().to_owned()
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_a_held_figure_shows_its_ratio() {
        let limit = Figure::per_second(4600.0);
        let rows = [
            Row::limit("machine: sync", limit),
            Row::held("tasks", Figure::per_second(2300.0), limit),
        ];
        let expected = "what            figure  machine limit  ratio\n\
                        machine: sync  4600 /s\n\
                        tasks          2300 /s        4600 /s   0.50";
        assert_eq!(print(&rows), expected);
    }
}
