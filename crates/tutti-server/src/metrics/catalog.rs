//! Every metric there is: its name, what it counts and by what. What is not here is not exposed.

/// A metric as it is exposed and documented.
#[derive(Debug)]
pub struct Metric {
    /// Its name, by the conventions of Prometheus: `tutti_`, what is counted, the unit, `_total` for counters.
    pub name: &'static str,
    /// What kind it is.
    pub kind: MetricKind,
    /// By what it is told apart. Each label has few values, known when the server starts.
    pub labels: &'static [&'static str],
    /// What it says, in one line.
    pub help: &'static str,
}

/// What kind a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows while the server lives.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by length of time.
    Histogram,
}

impl MetricKind {
    /// The word of the exposition format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

macro_rules! metrics {
    ($($name:ident = $kind:ident $text:literal [$($label:literal),*], $help:literal;)+) => {
        $(pub(crate) const $name: Metric =
            Metric { name: $text, kind: MetricKind::$kind, labels: &[$($label),*], help: $help };)+

        /// Every metric, in the order in which they are exposed.
        pub const METRICS: &[Metric] = &[$($name),+];
    };
}

metrics! {
    BUILD = Gauge "tutti_build_info" ["version"], "1; the label says what was built.";
    STARTED = Gauge "tutti_start_time_seconds" [], "When the server started, in seconds since the epoch.";

    REQUESTS = Counter "tutti_http_requests_total" ["route", "method", "status"],
        "Requests that were answered, by the template of their path and the class of the status.";
    REQUEST_DURATION = Histogram "tutti_http_request_duration_seconds" ["route", "method"],
        "From the head of a request to the head of the answer; a stream goes on after that.";
    REQUESTS_IN_FLIGHT = Gauge "tutti_http_requests_in_flight" [], "Requests that are being answered.";
    CONNECTIONS = Gauge "tutti_http_connections" [], "Connections that are open.";
    REFUSALS = Counter "tutti_refusals_total" ["reason"], "Requests refused for want of a right or a good token.";
    REFUSALS_UNRECORDED = Counter "tutti_refusals_unrecorded_total" [],
        "Refusals that are not in the audit trail one by one, because there were too many in a minute.";

    EXECUTIONS_OPEN = Gauge "tutti_executions_open" [], "Executions that have not ended.";
    EXECUTIONS_STARTED = Counter "tutti_executions_started_total" [], "Executions that began.";
    EXECUTIONS_ENDED = Counter "tutti_executions_ended_total" ["status"], "Executions that ended, by how.";
    EXECUTIONS_UNREADABLE = Counter "tutti_executions_unreadable_total" [],
        "Executions that could not be read and were left alone.";
    TURNS = Counter "tutti_turns_total" [], "Turns that became durable.";
    ENTRIES = Counter "tutti_journal_entries_total" [], "Entries of journals that became durable.";
    TURN_DURATION = Histogram "tutti_turn_duration_seconds" [],
        "From the decision of a turn until it was durable, in whole milliseconds.";

    COMMITS = Counter "tutti_commits_total" ["outcome"],
        "Commits by outcome: `stored`, `refused` because something had changed, `ambiguous`, `failed`.";
    COMMIT_DURATION = Histogram "tutti_commit_duration_seconds" [], "From asking for a commit until it was durable or refused.";
    COMMIT_ROWS = Counter "tutti_commit_rows_total" ["kind"], "Rows that stored commits wrote, by what they hold.";

    CALLS = Counter "tutti_calls_total" ["connector", "outcome"],
        "Calls that ended, by outcome: `completed`, `failed`, `cancelled`, `unknown`.";
    CALL_DURATION = Histogram "tutti_call_duration_seconds" ["connector"], "How long calls took.";
    CALLS_IN_FLIGHT = Gauge "tutti_calls_in_flight" ["connector"], "Calls that are being made.";
    CALLS_LIMIT = Gauge "tutti_calls_limit" [], "How many calls may be made at once; more wait for a slot.";
    PROBES = Counter "tutti_probes_total" ["connector", "outcome"],
        "Attempts to find out what became of a call: `completed`, `failed`, `not-made`, `unknown`.";

    EVENTS = Counter "tutti_events_received_total" ["outcome"], "Events that were received: `logged`, or a `duplicate`.";
    EVENTS_BEHIND = Gauge "tutti_events_behind" [],
        "Events of the log that the loop furthest behind has still to look up for those who listen.";
    TIMER_LAG = Histogram "tutti_timer_lag_seconds" [],
        "How late the most overdue timer was, each time a loop came to timers that were due.";

    SCHEDULES = Gauge "tutti_schedules" [], "Schedules that are kept.";
    SCHEDULES_QUEUED = Gauge "tutti_schedule_queue_length" [],
        "Nominal times that wait until an earlier execution of their schedule has ended.";
    SCHEDULE_STARTS = Counter "tutti_schedule_starts_total" [], "Executions that schedules started.";
    SCHEDULE_MISSES = Counter "tutti_schedule_misses_total" ["reason"], "Nominal times that started nothing, by why.";
    SCHEDULE_LAG = Histogram "tutti_schedule_lag_seconds" [], "From a nominal time until its execution was asked for.";

    LOG_DROPPED = Counter "tutti_log_lines_dropped_total" [],
        "Lines of the log that were dropped because whoever reads it was too slow.";
}
