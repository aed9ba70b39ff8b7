//! The text that Prometheus reads.

use std::fmt::{Display, Write as _};

use super::{
    catalog::Metric,
    figure::{BOUNDS_US, Histogram},
};

/// A page in the text exposition format, version 0.0.4.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
}

impl Page {
    /// What the metric is; its samples follow.
    pub(crate) fn head(&mut self, metric: &Metric) {
        let (name, kind) = (metric.name, metric.kind.as_str());
        writeln!(self.text, "# HELP {name} {}\n# TYPE {name} {kind}", metric.help).ok();
    }

    /// A sample; `values` are those of the labels of the metric, in their order.
    pub(crate) fn sample(&mut self, metric: &Metric, values: &[&str], value: impl Display) {
        self.line(metric.name, "", &labelled(metric, values, None), value);
    }

    /// A metric without labels.
    pub(crate) fn single(&mut self, metric: &Metric, value: impl Display) {
        self.head(metric);
        self.sample(metric, &[], value);
    }

    /// The samples of a histogram.
    pub(crate) fn histogram(&mut self, metric: &Metric, values: &[&str], histogram: &Histogram) {
        let counts = histogram.cumulative();
        for (bound, count) in BOUNDS_US.iter().zip(&counts) {
            let labels = labelled(metric, values, Some(&seconds(*bound)));
            self.line(metric.name, "_bucket", &labels, count);
        }
        let total = counts[BOUNDS_US.len()];
        let labels = labelled(metric, values, Some("+Inf"));
        self.line(metric.name, "_bucket", &labels, total);
        let labels = labelled(metric, values, None);
        self.line(metric.name, "_sum", &labels, histogram.sum_seconds());
        self.line(metric.name, "_count", &labels, total);
    }

    fn line(&mut self, name: &str, suffix: &str, labels: &str, value: impl Display) {
        writeln!(self.text, "{name}{suffix}{labels} {value}").ok();
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

fn labelled(metric: &Metric, values: &[&str], bound: Option<&str>) -> String {
    let pairs = metric.labels.iter().copied().zip(values.iter().copied());
    let pairs = pairs.chain(bound.map(|bound| ("le", bound)));
    let told: Vec<String> =
        pairs.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    if told.is_empty() { String::new() } else { format!("{{{}}}", told.join(",")) }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Microseconds as seconds, without zeros at the end.
fn seconds(us: u64) -> String {
    let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::metrics::catalog::{BUILD, CALL_DURATION};

    #[test]
    fn a_page_is_what_prometheus_reads() {
        let mut page = Page::default();
        page.head(&BUILD);
        page.sample(&BUILD, &["1.0 \"x\\y\"\n"], 1);
        let histogram = Histogram::default();
        histogram.observe(Duration::from_millis(2));
        page.histogram(&CALL_DURATION, &["http"], &histogram);
        let text = page.into_text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "# TYPE tutti_build_info gauge");
        assert_eq!(lines[2], r#"tutti_build_info{version="1.0 \"x\\y\"\n"} 1"#);
        assert_eq!(
            lines[3],
            r#"tutti_call_duration_seconds_bucket{connector="http",le="0.0005"} 0"#
        );
        assert_eq!(
            lines[5],
            r#"tutti_call_duration_seconds_bucket{connector="http",le="0.0025"} 1"#
        );
        assert_eq!(lines[18], r#"tutti_call_duration_seconds_bucket{connector="http",le="60"} 1"#);
        assert_eq!(
            lines[19],
            r#"tutti_call_duration_seconds_bucket{connector="http",le="+Inf"} 1"#
        );
        assert_eq!(lines[20], r#"tutti_call_duration_seconds_sum{connector="http"} 0.002"#);
        assert_eq!(lines[21], r#"tutti_call_duration_seconds_count{connector="http"} 1"#);
    }
}
