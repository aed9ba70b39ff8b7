//! Requests by route, method and class of status.

use std::time::Duration;

use tutti_api::Operation;

use super::{
    catalog::{REQUEST_DURATION, REQUESTS},
    figure::{Counter, Histogram},
    page::Page,
};

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// What stands for a path that is no route: such paths are anybody's choice.
const NO_ROUTE: &str = "none";
/// The methods that are told by name; others are `other`.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "other"];

/// All of them.
#[derive(Debug)]
pub(crate) struct Requests {
    /// In the order of the operations.
    routes: Vec<Series>,
    /// What no route took, in the order of the methods.
    others: Vec<Series>,
}

#[derive(Debug)]
struct Series {
    route: &'static str,
    method: &'static str,
    classes: [Counter; CLASSES.len()],
    duration: Histogram,
}

impl Series {
    fn new(route: &'static str, method: &'static str) -> Self {
        Self { route, method, classes: Default::default(), duration: Histogram::default() }
    }

    fn observe(&self, status: u16, took: Duration) {
        let class = usize::from(status / 100).clamp(1, CLASSES.len()) - 1;
        self.classes[class].add(1);
        self.duration.observe(took);
    }

    fn is_used(&self) -> bool {
        self.classes.iter().any(|class| class.get() > 0)
    }
}

impl Requests {
    pub(crate) fn new() -> Self {
        let of = |operation: &Operation| Series::new(operation.path(), operation.method().as_str());
        Self {
            routes: Operation::ALL.iter().map(of).collect(),
            others: METHODS.map(|method| Series::new(NO_ROUTE, method)).into(),
        }
    }

    /// A request to an operation was answered.
    pub(crate) fn answered(&self, operation: Operation, status: u16, took: Duration) {
        self.routes[operation as usize].observe(status, took);
    }

    /// A request that no route takes was answered.
    pub(crate) fn turned_away(&self, method: &str, status: u16) {
        let known = METHODS.iter().position(|known| *known == method);
        self.others[known.unwrap_or(METHODS.len() - 1)].observe(status, Duration::ZERO);
    }

    /// Routes that nobody asked for are left out: there are many.
    pub(crate) fn expose(&self, page: &mut Page) {
        let used = || self.routes.iter().chain(&self.others).filter(|series| series.is_used());
        page.head(&REQUESTS);
        for series in used() {
            for (class, count) in CLASSES.iter().zip(&series.classes) {
                if count.get() > 0 {
                    page.sample(&REQUESTS, &[series.route, series.method, class], count.get());
                }
            }
        }
        page.head(&REQUEST_DURATION);
        for series in used() {
            page.histogram(&REQUEST_DURATION, &[series.route, series.method], &series.duration);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_series_and_unknown_methods_share_one() {
        let requests = Requests::new();
        for (at, operation) in Operation::ALL.iter().enumerate() {
            assert_eq!(*operation as usize, at, "{}", operation.name());
            requests.answered(*operation, 204, Duration::from_millis(1));
        }
        requests.turned_away("BREW", 404);
        requests.turned_away("STEW", 404);
        let mut page = Page::default();
        requests.expose(&mut page);
        let text = page.into_text();
        for operation in Operation::ALL {
            let (path, method) = (operation.path(), operation.method().as_str());
            let line = format!(
                "tutti_http_requests_total{{route=\"{path}\",method=\"{method}\",status=\"2xx\"}} 1\n"
            );
            assert!(text.contains(&line), "{line}");
        }
        let other = "tutti_http_requests_total{route=\"none\",method=\"other\",status=\"4xx\"} 2\n";
        assert!(text.contains(other), "{text}");
    }
}
