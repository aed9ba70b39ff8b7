//! The figures of the server: counted as things happen, told when Prometheus asks.
//!
//! **Invariant:** every label has few values, known when the server starts: templates of paths, names of connectors, words of
//! ours. Nothing a caller, document or event says becomes one. What is counted where: [`crate::measured`] around the store,
//! [`crate::watcher`] for what becomes durable, `serve.rs` for requests; the binary counts calls around its connectors.

mod calls;
mod catalog;
mod figure;
mod page;
mod requests;
mod tally;

use std::{sync::Arc, time::Duration};

use tutti_api::Operation;
use tutti_auth::Refusal;
use tutti_runtime::schedule::Reason;
use tutti_store::Status;

pub use self::{
    calls::CallEnd,
    catalog::{METRICS, Metric, MetricKind},
};

use self::{
    calls::Calls,
    figure::{Counter, Gauge, Histogram},
    page::Page,
    requests::Requests,
    tally::Tally,
};

/// More loops than this are counted with the last.
const LOOPS: usize = 16;

/// The figures of one server. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Figures>);

/// What is known when a server starts.
#[derive(Debug, Clone)]
pub struct MetricsOptions {
    /// The version of the product.
    pub version: &'static str,
    /// When the server started, in milliseconds since the epoch.
    pub started_at_ms: i64,
    /// The connectors, by the functions they serve.
    pub connectors: Vec<&'static str>,
    /// How many calls may be made at once.
    pub max_calls: usize,
}

/// How things stand at a moment, asked for when the figures are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) open_executions: u64,
    pub(crate) schedules: usize,
    pub(crate) queued: usize,
}

#[derive(Debug)]
struct Figures {
    options: MetricsOptions,
    requests: Requests,
    requests_in_flight: Gauge,
    connections: Gauge,
    refusals: Tally<11>,
    refusals_unrecorded: Counter,
    started: Counter,
    ended: Tally<3>,
    unreadable: Counter,
    turns: Counter,
    entries: Counter,
    turn_duration: Histogram,
    commits: Tally<4>,
    commit_duration: Histogram,
    commit_rows: Tally<5>,
    calls: Calls,
    events: Tally<2>,
    events_behind: [Gauge; LOOPS],
    timer_lag: Histogram,
    schedule_starts: Counter,
    schedule_misses: Tally<7>,
    schedule_lag: Histogram,
    log_dropped: Counter,
}

impl Metrics {
    /// Figures of which none was counted yet.
    pub fn new(options: MetricsOptions) -> Self {
        let max_calls = options.max_calls as u64;
        let ended = [Status::Cancelled, Status::Faulted, Status::Completed];
        Self(Arc::new(Figures {
            requests: Requests::new(),
            requests_in_flight: Gauge::default(),
            connections: Gauge::default(),
            refusals: Tally::new(std::array::from_fn(|at| Refusal::ALL[at].as_str())),
            refusals_unrecorded: Counter::default(),
            started: Counter::default(),
            ended: Tally::new(ended.map(Status::as_str)),
            unreadable: Counter::default(),
            turns: Counter::default(),
            entries: Counter::default(),
            turn_duration: Histogram::default(),
            commits: Tally::new(["stored", "refused", "ambiguous", "failed"]),
            commit_duration: Histogram::default(),
            commit_rows: Tally::new(["turn", "definition", "event", "record", "audit"]),
            calls: Calls::new(&options.connectors, max_calls),
            events: Tally::new(["logged", "duplicate"]),
            events_behind: Default::default(),
            timer_lag: Histogram::default(),
            schedule_starts: Counter::default(),
            schedule_misses: Tally::new(MISSES.map(reason)),
            schedule_lag: Histogram::default(),
            log_dropped: Counter::default(),
            options,
        }))
    }

    /// Measures a call until it ends; one whose future is dropped was given up with the process and counts nowhere.
    pub async fn call<T>(
        &self,
        connector: &str,
        call: impl Future<Output = T>,
        end: impl FnOnce(&T) -> CallEnd,
    ) -> T {
        let Some(connector) = self.0.calls.of(connector) else { return call.await };
        let _held = connector.in_flight.hold();
        let began = std::time::Instant::now();
        let result = call.await;
        connector.ended(end(&result), began.elapsed());
        result
    }

    /// What a probe found; [`CallEnd::Cancelled`] is that the call was not made.
    pub fn probed(&self, connector: &str, end: CallEnd) {
        if let Some(connector) = self.0.calls.of(connector) {
            connector.probed(end);
        }
    }

    /// A line of the log was dropped.
    pub fn log_line_dropped(&self) {
        self.0.log_dropped.add(1);
    }

    /// How many lines of the log were dropped.
    pub fn log_lines_dropped(&self) -> u64 {
        self.0.log_dropped.get()
    }

    /// Measures a request to an operation.
    pub(crate) async fn request<B>(
        &self,
        operation: Operation,
        answering: impl Future<Output = http::Response<B>>,
    ) -> http::Response<B> {
        let _held = self.0.requests_in_flight.hold();
        let began = std::time::Instant::now();
        let response = answering.await;
        self.0.requests.answered(operation, response.status().as_u16(), began.elapsed());
        response
    }

    pub(crate) fn turned_away(&self, method: &str, status: u16) {
        self.0.requests.turned_away(method, status);
    }

    /// Counts a connection as long as it lasts.
    pub(crate) async fn connection(&self, serving: impl Future<Output = ()>) {
        let _held = self.0.connections.hold();
        serving.await;
    }

    pub(crate) fn refused(&self, why: Refusal) {
        self.0.refusals.add(why.as_str(), 1);
    }

    pub(crate) fn refusal_passed_over(&self) {
        self.0.refusals_unrecorded.add(1);
    }

    pub(crate) fn turn(&self, entries: usize, took: Duration) {
        self.0.turns.add(1);
        self.0.entries.add(entries as u64);
        self.0.turn_duration.observe(took);
    }

    pub(crate) fn execution_started(&self) {
        self.0.started.add(1);
    }

    pub(crate) fn execution_ended(&self, how: Status) {
        self.0.ended.add(how.as_str(), 1);
    }

    pub(crate) fn execution_unreadable(&self) {
        self.0.unreadable.add(1);
    }

    pub(crate) fn commit(&self, outcome: &str, took: Duration) {
        self.0.commits.add(outcome, 1);
        self.0.commit_duration.observe(took);
    }

    pub(crate) fn rows(&self, kind: &str, count: usize) {
        self.0.commit_rows.add(kind, count as u64);
    }

    pub(crate) fn event(&self, outcome: &str) {
        self.0.events.add(outcome, 1);
    }

    pub(crate) fn events_behind(&self, number: usize, events: u64) {
        self.0.events_behind[number.min(LOOPS - 1)].set(events);
    }

    pub(crate) fn timers_due(&self, late: Duration) {
        self.0.timer_lag.observe(late);
    }

    pub(crate) fn schedule_started(&self, late: Duration) {
        self.0.schedule_starts.add(1);
        self.0.schedule_lag.observe(late);
    }

    pub(crate) fn schedule_missed(&self, why: Reason, times: u32) {
        self.0.schedule_misses.add(reason(why), u64::from(times));
    }

    /// The page that Prometheus reads.
    pub(crate) fn expose(&self, standing: Standing) -> String {
        let (mut page, of) = (Page::default(), &*self.0);
        page.head(&catalog::BUILD);
        page.sample(&catalog::BUILD, &[of.options.version], 1);
        let ms = of.options.started_at_ms;
        page.single(&catalog::STARTED, format!("{}.{:03}", ms / 1_000, ms.rem_euclid(1_000)));
        of.requests.expose(&mut page);
        page.single(&catalog::REQUESTS_IN_FLIGHT, of.requests_in_flight.get());
        page.single(&catalog::CONNECTIONS, of.connections.get());
        of.refusals.expose(&catalog::REFUSALS, &mut page);
        page.single(&catalog::REFUSALS_UNRECORDED, of.refusals_unrecorded.get());
        of.expose_executions(standing, &mut page);
        of.calls.expose(&mut page);
        of.expose_lag(standing, &mut page);
        page.single(&catalog::LOG_DROPPED, of.log_dropped.get());
        page.into_text()
    }
}

impl Figures {
    fn expose_executions(&self, standing: Standing, page: &mut Page) {
        page.single(&catalog::EXECUTIONS_OPEN, standing.open_executions);
        page.single(&catalog::EXECUTIONS_STARTED, self.started.get());
        self.ended.expose(&catalog::EXECUTIONS_ENDED, page);
        page.single(&catalog::EXECUTIONS_UNREADABLE, self.unreadable.get());
        page.single(&catalog::TURNS, self.turns.get());
        page.single(&catalog::ENTRIES, self.entries.get());
        page.head(&catalog::TURN_DURATION);
        page.histogram(&catalog::TURN_DURATION, &[], &self.turn_duration);
        self.commits.expose(&catalog::COMMITS, page);
        page.head(&catalog::COMMIT_DURATION);
        page.histogram(&catalog::COMMIT_DURATION, &[], &self.commit_duration);
        self.commit_rows.expose(&catalog::COMMIT_ROWS, page);
    }

    fn expose_lag(&self, standing: Standing, page: &mut Page) {
        self.events.expose(&catalog::EVENTS, page);
        let furthest = self.events_behind.iter().map(Gauge::get).max().unwrap_or(0);
        page.single(&catalog::EVENTS_BEHIND, furthest);
        page.head(&catalog::TIMER_LAG);
        page.histogram(&catalog::TIMER_LAG, &[], &self.timer_lag);
        page.single(&catalog::SCHEDULES, standing.schedules);
        page.single(&catalog::SCHEDULES_QUEUED, standing.queued);
        page.single(&catalog::SCHEDULE_STARTS, self.schedule_starts.get());
        self.schedule_misses.expose(&catalog::SCHEDULE_MISSES, page);
        page.head(&catalog::SCHEDULE_LAG);
        page.histogram(&catalog::SCHEDULE_LAG, &[], &self.schedule_lag);
    }
}

const MISSES: [Reason; 7] = [
    Reason::Misfire,
    Reason::Overlap,
    Reason::QueueFull,
    Reason::Replaced,
    Reason::Declined,
    Reason::Refused,
    Reason::Deactivated,
];

/// The word for why a nominal time started nothing.
pub(crate) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Misfire => "misfire",
        Reason::Overlap => "overlap",
        Reason::QueueFull => "queue-full",
        Reason::Replaced => "replaced",
        Reason::Declined => "declined",
        Reason::Refused => "refused",
        Reason::Deactivated => "deactivated",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn metrics() -> Metrics {
        Metrics::new(MetricsOptions {
            version: "1.2.3",
            started_at_ms: 1_700_000_000_042,
            connectors: vec!["http", "shell"],
            max_calls: 8,
        })
    }

    const STANDING: Standing = Standing { open_executions: 3, schedules: 2, queued: 1 };

    #[test]
    fn every_metric_of_the_catalog_is_exposed_once_and_no_other() {
        let text = metrics().expose(STANDING);
        let exposed: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
            .collect();
        let known: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(exposed, known, "in order, each once");
        for metric in METRICS {
            assert!(metric.name.starts_with("tutti_") && metric.help.ends_with('.'), "{metric:?}");
            let is_total = metric.name.ends_with("_total");
            assert_eq!(is_total, metric.kind == MetricKind::Counter, "{}", metric.name);
            let is_seconds = metric.name.ends_with("_seconds");
            assert!(is_seconds || metric.kind != MetricKind::Histogram, "{}", metric.name);
        }
    }

    #[test]
    fn a_sample_has_a_name_that_is_announced_and_stands_once() {
        let text = metrics().expose(STANDING);
        let mut seen = BTreeSet::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(seen.insert(series), "twice: {series}");
            let name = series.split('{').next().unwrap_or_default();
            let known = METRICS.iter().any(|metric| {
                name == metric.name
                    || metric.kind == MetricKind::Histogram
                        && name
                            .strip_prefix(metric.name)
                            .is_some_and(|suffix| ["_bucket", "_sum", "_count"].contains(&suffix))
            });
            assert!(known, "{line}");
        }
        assert!(text.contains("tutti_start_time_seconds 1700000000.042\n"), "{text}");
        assert!(text.contains("tutti_executions_open 3\n"), "{text}");
    }

    #[tokio::test]
    async fn a_call_counts_in_flight_while_it_lasts_and_by_its_end_afterwards() {
        let metrics = metrics();
        let during =
            metrics.call("http", async { metrics.expose(STANDING) }, |_| CallEnd::Unknown).await;
        assert!(during.contains("tutti_calls_in_flight{connector=\"http\"} 1\n"), "{during}");
        let after = metrics.expose(STANDING);
        assert!(after.contains("tutti_calls_in_flight{connector=\"http\"} 0\n"), "{after}");
        let ended = "tutti_calls_total{connector=\"http\",outcome=\"unknown\"} 1\n";
        assert!(after.contains(ended), "{after}");
    }
}
