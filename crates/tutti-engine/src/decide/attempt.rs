//! `try`: what is caught, when it is tried again, what handles it.

use std::sync::Arc;

use tutti_dsl::{Backoff, Catch, ErrorFilter, RetryPolicy, TaskKind, Try};
use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::{Entry, Error, ErrorType, Timestamp};

use crate::{
    advance::Stepper,
    chance,
    data_flow::Result,
    environment::Scene,
    frame::{Body, Frame},
};

/// The namespaces in which the language's own error types are known; the first is the one we write.
const NAMESPACES: [&str; 3] = [
    "https://serverlessworkflow.io/spec/1.0.0/errors/",
    "https://serverlessworkflow.io/dsl/errors/types/",
    "https://open-workflow-specification.org/spec/1.0.0/errors/",
];
/// The names that are equal in all of them.
const STANDARD: [&str; 8] = [
    "configuration",
    "validation",
    "expression",
    "authentication",
    "authorization",
    "timeout",
    "communication",
    "runtime",
];
/// The delay before a retry with backoff for which no delay is given, in milliseconds.
const DEFAULT_DELAY_MS: u64 = 1_000;

impl Stepper<'_> {
    /// Starts the tasks under `try`, for the first time or again.
    pub(crate) fn start_attempt(&mut self, id: Sequence) {
        let due = self.with_catch(id, |scene, catch, frame| {
            let limit = catch.retry.as_ref().and_then(|retry| retry.limit_attempt.as_ref());
            limit.map(|limit| scene.due(limit, &frame.input)).transpose()
        });
        match due {
            Ok(due) => self.record(Entry::RetryStarted { task: id, due: due.flatten() }),
            Err(error) => self.fault(id, *error),
        }
    }

    /// An error came out of the tasks under `try`: retry, handle or raise it again.
    pub(super) fn decide_caught(&mut self, id: Sequence, error: Error) {
        let Some(frame) = self.execution.frame(id) else { return };
        let verdict = self.catches(frame, &error).and_then(|caught| {
            if caught { self.next_retry(id, &error) } else { Ok(Verdict::Raise) }
        });
        match verdict {
            Ok(Verdict::Retry { retry, due }) => {
                self.record(Entry::RetryScheduled { task: id, retry, due, error });
                if due <= self.surroundings.now {
                    self.start_attempt(id);
                }
            }
            Ok(Verdict::Handle) => self.leave_try(id, error, true),
            Ok(Verdict::Raise) => self.leave_try(id, error, false),
            Err(error) => self.fault(id, *error),
        }
    }

    /// Whether the `catch` of a `try` catches an error.
    pub(super) fn catches(&self, tried: &Frame, error: &Error) -> Result<bool> {
        let Some(TaskKind::Try(task)) = self.execution.task_of(tried).map(|task| &task.kind) else {
            return Ok(false);
        };
        let catch = &task.catch;
        if !fits(catch.filter.as_ref(), error) {
            return Ok(false);
        }
        let (scene, value) = self.error_scene(tried, catch, error);
        let wanted = catch.when.as_ref().map_or(Ok(true), |when| scene.holds(when, &value))?;
        let unwanted =
            catch.except_when.as_ref().map_or(Ok(false), |when| scene.holds(when, &value))?;
        Ok(wanted && !unwanted)
    }

    /// The scene of `when` and `exceptWhen`: `.` is the error, and it is bound to the catch's variable.
    fn error_scene<'b>(
        &'b self,
        tried: &'b Frame,
        catch: &Catch,
        error: &Error,
    ) -> (Scene<'b>, Value) {
        let value = error.to_value();
        let mut scene = Scene::of(self.execution, &self.surroundings, tried);
        scene.bound = vec![(Arc::clone(&catch.variable), value.clone())];
        (scene, value)
    }

    fn next_retry(&self, id: Sequence, error: &Error) -> Result<Verdict> {
        let Some(frame) = self.execution.frame(id) else { return Ok(Verdict::Raise) };
        let (Body::Try(state), Some(TaskKind::Try(tried))) =
            (&frame.body, self.execution.task_of(frame).map(|task| &task.kind))
        else {
            return Ok(Verdict::Raise);
        };
        let Some(policy) = &tried.catch.retry else { return Ok(Verdict::Handle) };
        let retry = state.retries + 1;
        if retry > self.retry_limit(policy) || !self.is_retry_wanted(frame, tried, policy, error)? {
            let handled = tried.catch.handler.is_some() || tried.catch.then.is_some();
            return Ok(if handled { Verdict::Handle } else { Verdict::Raise });
        }
        let delay = self.delay(frame, policy, retry)?;
        Ok(Verdict::Retry { retry, due: self.surroundings.now.plus_ms(delay) })
    }

    /// How many retries there may be; one that limits the time only is limited by that.
    fn retry_limit(&self, policy: &RetryPolicy) -> u64 {
        match (policy.limit_count, &policy.limit_total) {
            (Some(count), _) => count,
            (None, Some(_)) => u64::MAX,
            (None, None) => self.surroundings.limits.retries,
        }
    }

    fn is_retry_wanted(
        &self,
        frame: &Frame,
        tried: &Try,
        policy: &RetryPolicy,
        error: &Error,
    ) -> Result<bool> {
        let (scene, value) = self.error_scene(frame, &tried.catch, error);
        let wanted = policy.when.as_ref().map_or(Ok(true), |when| scene.holds(when, &value))?;
        let unwanted =
            policy.except_when.as_ref().map_or(Ok(false), |when| scene.holds(when, &value))?;
        Ok(wanted && !unwanted)
    }

    /// The delay before a retry in milliseconds: base by backoff, plus a draw from the jitter.
    fn delay(&self, frame: &Frame, policy: &RetryPolicy, retry: u64) -> Result<u64> {
        let scene = Scene::of(self.execution, &self.surroundings, frame);
        let base = match (&policy.delay, policy.backoff) {
            (Some(delay), _) => scene.milliseconds(delay, &frame.input)?,
            (None, Some(_)) => DEFAULT_DELAY_MS,
            (None, None) => 0,
        };
        let backed_off = match policy.backoff {
            None | Some(Backoff::Constant) => base,
            Some(Backoff::Linear) => base.saturating_mul(retry),
            Some(Backoff::Exponential) => base
                .saturating_mul(2_u64.saturating_pow(u32::try_from(retry - 1).unwrap_or(u32::MAX))),
        };
        let jitter = match &policy.jitter {
            None => 0,
            Some(jitter) => {
                let from = scene.milliseconds(&jitter.from, &frame.input)?;
                let to = scene.milliseconds(&jitter.to, &frame.input)?;
                chance::draw_between(self.execution.seed, self.execution.next, from, to.max(from))
            }
        };
        Ok(backed_off.min(self.surroundings.limits.retry_delay_ms).saturating_add(jitter))
    }

    fn with_catch<T>(
        &self,
        id: Sequence,
        ask: impl FnOnce(&Scene<'_>, &Catch, &Frame) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(frame) = self.execution.frame(id) else { return Ok(None) };
        let Some(TaskKind::Try(tried)) = self.execution.task_of(frame).map(|task| &task.kind)
        else {
            return Ok(None);
        };
        let scene = Scene::of(self.execution, &self.surroundings, frame);
        ask(&scene, &tried.catch, frame).map(Some)
    }
}

/// What becomes of a caught error.
enum Verdict {
    Retry { retry: u64, due: Timestamp },
    Handle,
    Raise,
}

/// Whether an error has what a filter asks for. An unknown outcome fits only a filter that names its type.
fn fits(filter: Option<&ErrorFilter>, error: &Error) -> bool {
    let named = filter.and_then(|filter| filter.kind.as_deref());
    if error.is(ErrorType::OutcomeUnknown) && named != Some(&*error.kind) {
        return false;
    }
    let Some(filter) = filter else { return true };
    let text = |wanted: &Option<Arc<str>>, found: Option<&str>| {
        wanted.as_deref().is_none_or(|wanted| Some(wanted) == found)
    };
    filter.kind.as_deref().is_none_or(|kind| same_type(kind, &error.kind))
        && filter.status.is_none_or(|status| status == i64::from(error.status))
        && text(&filter.instance, Some(&error.instance))
        && text(&filter.title, error.title.as_ref().and_then(Value::as_str))
        && text(&filter.detail, error.detail.as_ref().and_then(Value::as_str))
}

/// Whether two type URIs name the same type: equal, or the same standard name in any of its namespaces.
fn same_type(left: &str, right: &str) -> bool {
    let standard = |uri: &str| {
        let name = NAMESPACES.iter().find_map(|namespace| uri.strip_prefix(namespace))?.to_owned();
        STANDARD.contains(&name.as_str()).then_some(name)
    };
    left == right || standard(left).is_some_and(|left| Some(left) == standard(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_types_are_equal_in_every_namespace() {
        let ours = "https://serverlessworkflow.io/spec/1.0.0/errors/timeout";
        assert!(same_type(ours, "https://serverlessworkflow.io/dsl/errors/types/timeout"));
        assert!(same_type(
            "https://open-workflow-specification.org/spec/1.0.0/errors/timeout",
            ours
        ));
        assert!(!same_type(ours, "https://serverlessworkflow.io/spec/1.0.0/errors/runtime"));
        assert!(!same_type(
            "https://serverlessworkflow.io/spec/1.0.0/errors/own",
            "https://serverlessworkflow.io/dsl/errors/types/own"
        ));
    }

    #[test]
    fn unknown_outcome_fits_only_a_filter_that_names_it() {
        let error = Error::new(ErrorType::OutcomeUnknown, "x");
        let named = ErrorFilter { kind: Some(error.kind.clone()), ..ErrorFilter::default() };
        assert!(fits(Some(&named), &error));
        assert!(!fits(None, &error));
        assert!(!fits(Some(&ErrorFilter { status: Some(500), ..ErrorFilter::default() }), &error));
    }
}
