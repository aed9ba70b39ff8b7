//! The printed table: name, figure, the machine's limit beside it, and their ratio.

use std::fmt;

/// A measured number with its unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    value: f64,
    unit: String,
}

impl Figure {
    /// So many each second.
    pub(crate) fn per_second(value: f64) -> Self {
        Self::new(value, "/s")
    }

    /// So much of a unit.
    pub(crate) fn new(value: f64, unit: impl Into<String>) -> Self {
        Self { value, unit: unit.into() }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.value < 10.0 { 2 } else { usize::from(self.value < 100.0) };
        write!(f, "{:.digits$} {}", self.value, self.unit)
    }
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    name: String,
    figure: Figure,
    against: Option<Against>,
}

impl Row {
    /// A figure that stands for itself, such as a limit of this machine.
    pub(crate) fn alone(name: impl Into<String>, figure: Figure) -> Self {
        Self { name: name.into(), figure, against: None }
    }

    /// A figure of ours, held against a limit of this machine in the same unit.
    pub(crate) fn held(name: impl Into<String>, figure: Figure, limit: Figure) -> Self {
        Self { name: name.into(), figure, against: Some(Against::Limit(limit)) }
    }

    /// A figure that must not be above a bar.
    pub(crate) fn at_most(name: impl Into<String>, figure: Figure, bar: f64) -> Self {
        Self { name: name.into(), figure, against: Some(Against::AtMost(bar)) }
    }

    /// A figure that must not be below a bar.
    pub(crate) fn at_least(name: impl Into<String>, figure: Figure, bar: f64) -> Self {
        Self { name: name.into(), figure, against: Some(Against::AtLeast(bar)) }
    }

    fn cells(&self) -> [String; 4] {
        let unit = &self.figure.unit;
        let (against, ratio) = match &self.against {
            None => (String::new(), None),
            Some(Against::Limit(limit)) => (limit.to_string(), Some(limit.value)),
            Some(Against::AtMost(bar)) => (format!("≤ {}", Figure::new(*bar, unit)), Some(*bar)),
            Some(Against::AtLeast(bar)) => (format!("≥ {}", Figure::new(*bar, unit)), Some(*bar)),
        };
        let ratio =
            ratio.map_or_else(String::new, |value| format!("{:.2}", self.figure.value / value));
        [self.name.clone(), self.figure.to_string(), against, ratio]
    }
}

/// What a figure is held against.
#[derive(Debug, Clone, PartialEq)]
enum Against {
    Limit(Figure),
    AtMost(f64),
    AtLeast(f64),
}

/// The whole table as text.
pub(crate) fn print(rows: &[Row]) -> String {
    let head = ["what", "figure", "limit or bar", "ratio"].map(str::to_owned);
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
            Row::alone("machine: sync", limit.clone()),
            Row::held("tasks", Figure::per_second(2300.0), limit),
            Row::at_most("start", Figure::new(15.0, "ms"), 60.0),
        ];
        let expected = "what            figure  limit or bar  ratio\n\
                        machine: sync  4600 /s\n\
                        tasks          2300 /s       4600 /s   0.50\n\
                        start          15.0 ms     ≤ 60.0 ms   0.25";
        assert_eq!(print(&rows), expected);
    }
}
