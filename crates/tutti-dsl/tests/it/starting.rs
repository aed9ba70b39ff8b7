//! `schedule` and `metadata.tutti` of the document: what is told, and what the model holds.

use tutti_dsl::{
    Concurrency, Consumption, DurationSource, Misfire, OnConflict, Overlap, Read, Workflow, parse,
};

fn document(settings: &str, rest: &str) -> String {
    format!(
        "document:\n  {{ dsl: '1.0.3', namespace: d, name: p, version: '1.0.0', metadata: {{ tutti: {{ {settings} }}, free: y }} }}\n{rest}do: []\n"
    )
}

fn told(settings: &str, rest: &str) -> Vec<String> {
    let text = document(settings, rest);
    let told = parse(&text).diagnostics.into_iter().map(|found| {
        let hint = found.hint.map(|hint| format!(" | {hint}")).unwrap_or_default();
        format!("{} {} {}{hint}", found.code, found.pointer, found.message)
    });
    told.collect()
}

fn workflow(settings: &str, rest: &str) -> Workflow {
    let text = document(settings, rest);
    let parsed = parse(&text);
    assert!(parsed.diagnostics.is_empty(), "{text}{:#?}", parsed.diagnostics);
    parsed.workflow.expect("a valid document")
}

#[test]
fn a_setting_that_cannot_be_kept_is_told() {
    let check = |settings: &str, expected: &[&str]| {
        let pointer = "/document/metadata/tutti";
        let told = told(settings, "schedule: { every: PT1M }\n");
        let told: Vec<String> = told.iter().map(|told| told.replace(pointer, "…")).collect();
        assert_eq!(told, expected, "{settings}");
    };
    check("owner: us, manualMinutes: 30", &[]);
    check("keey: .x", &["E0107 …/keey `keey` is no key of `…` | did you mean `key`?"]);
    check(
        "key: $input.id",
        &[
            "E0125 …/key the variable `$input` does not exist in the settings of the workflow | no variable exists here: `.` is the raw input",
        ],
    );
    check(
        "key: $secrets.TOKEN",
        &[
            "E0125 …/key the variable `$secrets` does not exist in the settings of the workflow | no variable exists here: `.` is the raw input",
            "W0105 …/key a secret used here easily ends up in data | use secrets in `authentication` (`use: NAME`) or in `input.from` where possible",
        ],
    );
    check("key: .a ==", &["E0123 …/key expected a filter, found the end of the expression"]);
    check(
        "onConflict: queue, keyFor: PT1H",
        &[
            "E0109 …/onConflict `onConflict` has a meaning beside `key` only | remove `onConflict`",
            "E0109 …/keyFor `keyFor` has a meaning beside `key` only | remove `keyFor`",
        ],
    );
    check(
        "key: .x, onConflict: replaced, keyFor: '${ .d }'",
        &[
            "E0108 …/onConflict `replaced` is no value of `onConflict` | did you mean `replace`?",
            "E0126 …/keyFor a setting of the workflow is the same for all executions: this duration cannot be computed | write it down, such as `PT15M`, or `{ minutes: 15 }`",
        ],
    );
    check(
        "concurrency: { by: .host, limit: 0 }",
        &["E0110 …/concurrency/limit `limit` must be 1 to 1000000, not 0"],
    );
    check(
        "concurrency: 3",
        &[
            "E0105 …/concurrency `concurrency` must be a mapping, not a whole number | its keys are by, limit",
        ],
    );
    check("priority: 101", &["E0110 …/priority `priority` must be 0 to 100, not 101"]);
    check(
        "onFailure: shop/notify",
        &[
            "E0112 …/onFailure `shop/notify` is not the name of a workflow | a name such as `notify`, in the namespace of this workflow; then perhaps `:` and a version",
        ],
    );
    check(
        "onFailure: 'notify:latest'",
        &[
            "E0113 …/onFailure `latest` is not a semantic version | write the name alone for the highest release, or a version such as `:1.0.0`",
        ],
    );
    check(
        "warnAfter: soon",
        &[
            "E0126 …/warnAfter `soon` is not an ISO 8601 duration | such as `PT15M`, or `{ minutes: 15 }`",
        ],
    );
    check(
        "schedule: { misfire: runTwice, overlap: never, jitter: P2D }",
        &[
            "E0108 …/schedule/misfire `runTwice` is no value of `misfire` | one of skip, runOnce, runAll",
            "E0108 …/schedule/overlap `never` is no value of `overlap` | one of allow, skip, queue, cancelPrevious",
            "E0110 …/schedule/jitter the jitter of a schedule is at most a day",
        ],
    );
    check(
        "schedule: { misfire: { runOnce: {}, runAll: { max: 2000 } } }",
        &[
            "E0109 …/schedule/misfire `misfire` needs exactly one of runOnce, runAll; given: runOnce, runAll",
            "E0110 …/schedule/misfire/runAll/max `max` must be 1 to 1000, not 2000",
        ],
    );
    check(
        "schedule: { calendar: bank }",
        &[
            "E0132 …/schedule/calendar `metadata.tutti.schedule.calendar` is known, but this version does not support it yet | remove it: a setting is never silently ignored",
        ],
    );
}

#[test]
fn settings_of_a_schedule_need_a_schedule() {
    assert_eq!(
        told("schedule: { timezone: UTC }", ""),
        [
            "E0134 /document/metadata/tutti/schedule `metadata.tutti.schedule` has a meaning beside `schedule` only | add `schedule` to the document, or remove this"
        ]
    );
}

#[test]
fn the_model_holds_typed_settings() {
    let settings = workflow(
        "key: '${ .order.id }', onConflict: replace, keyFor: PT1H, concurrency: { by: .host, limit: 2 }, priority: 7, onFailure: 'notify:1.2.0', warnAfter: { minutes: 10 }",
        "",
    )
    .settings;
    let key = settings.key.as_ref().expect("a key");
    assert_eq!((key.value.source().trim(), key.on_conflict), (".order.id", OnConflict::Replace));
    assert_eq!(key.held_for.map(|held| held.milliseconds), Some(3_600_000));
    let Some(Concurrency { by: Some(by), limit: 2 }) = &settings.concurrency else {
        unreachable!("{settings:?}")
    };
    assert_eq!(by.source(), ".host");
    let failure = settings.on_failure.as_ref().expect("a workflow");
    assert_eq!((&*failure.name, failure.version.as_deref()), ("notify", Some("1.2.0")));
    assert_eq!(settings.priority.get(), 7);
    assert_eq!(settings.warn_after.map(|after| after.milliseconds), Some(600_000));
    assert_eq!(
        settings.uses_admission(),
        ["key", "onConflict", "keyFor", "concurrency", "priority", "onFailure", "warnAfter"]
    );
}

#[test]
fn a_cool_down_of_any_task_is_something_among_many_executions() {
    let task = "do: [{ a: { try: [{ b: { call: http, with: { method: get, endpoint: 'http://x' }, metadata: { tutti: { cooldown: { by: .host, limit: 3, per: PT15M } } } } }], catch: {} } }]";
    let text =
        format!("document: {{ dsl: '1.0.3', namespace: n, name: w, version: '1.0.0' }}\n{task}\n");
    let workflow = parse(&text).workflow.expect("a valid document");
    assert_eq!(workflow.settings.uses_admission(), ["cooldown"]);
    let found = workflow.tasks.iter().find_map(|task| task.settings.cooldown.as_ref());
    let cooldown = found.expect("a cool-down");
    assert_eq!((cooldown.limit, cooldown.per.milliseconds), (3, 900_000));
    assert_eq!(cooldown.by.as_ref().map(tutti_expr::Expression::source), Some(".host"));
}

#[test]
fn what_is_not_said_has_the_documented_defaults() {
    let settings = workflow("owner: us", "").settings;
    assert!(settings.key.is_none() && settings.concurrency.is_none());
    assert!(settings.on_failure.is_none() && settings.warn_after.is_none());
    assert_eq!(settings.priority.get(), 50);
    assert_eq!(settings.schedule.timezone, None);
    assert_eq!(settings.schedule.misfire, Misfire::RUN_ONCE);
    assert_eq!(settings.schedule.overlap, Overlap::Allow);
    assert_eq!(settings.schedule.jitter.milliseconds, 0);
    assert!(settings.uses_admission().is_empty());
}

#[test]
fn misfires_are_written_short_or_long() {
    let check = |written: &str, expected: Misfire| {
        let settings = format!("schedule: {{ misfire: {written} }}");
        let found = workflow(&settings, "schedule: { every: PT1M }\n").settings;
        assert_eq!(found.schedule.misfire, expected, "{written}");
        assert!(found.uses_admission().is_empty());
    };
    let within = |text: &str| tutti_dsl::Duration::from_value(&text.into()).expect("a duration");
    check("skip", Misfire::Skip);
    check("runOnce", Misfire::RunOnce { within: within("PT1H") });
    check("runAll", Misfire::RunAll { max: 100 });
    check("{ runOnce: {} }", Misfire::RUN_ONCE);
    check("{ runOnce: { within: P1D } }", Misfire::RunOnce { within: within("P1D") });
    check("{ runAll: {} }", Misfire::RUN_ALL);
    check("{ runAll: { max: 3 } }", Misfire::RunAll { max: 3 });
}

#[test]
fn a_schedule_holds_every_trigger_it_names() {
    let schedule = workflow(
        "schedule: { timezone: Europe/Berlin, overlap: cancelPrevious, jitter: PT10S }",
        "schedule:\n  every: PT5M\n  cron: '0 2 * * mon'\n  after: { seconds: 30 }\n  on: { any: [{ with: { type: a } }, { with: { type: b } }], until: . == 3 }\n",
    );
    assert_eq!(schedule.settings.schedule.timezone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(schedule.settings.schedule.overlap, Overlap::CancelPrevious);
    assert_eq!(schedule.settings.schedule.jitter.milliseconds, 10_000);
    let schedule = schedule.schedule.expect("a schedule");
    let Some(DurationSource::Fixed(every)) = schedule.every else {
        unreachable!("an interval: {schedule:?}")
    };
    assert_eq!(every.milliseconds, 300_000);
    assert!(matches!(schedule.after, Some(DurationSource::Fixed(_))));
    assert_eq!(schedule.cron.as_ref().map(tutti_dsl::Cron::text), Some("0 2 * * mon"));
    let on = schedule.on.expect("events");
    assert_eq!((on.events.consumption, on.events.filters.len()), (Consumption::Any, 2));
}

/// An absent `read` is how documents of DSL 1.0 mean it: the input has whole events.
#[test]
fn events_that_start_are_envelopes_unless_the_document_says_more() {
    let check = |read: &str, expected: Read| {
        let rest = format!("schedule: {{ on: {{ one: {{ with: {{ type: a }} }} }}{read} }}\n");
        let on = workflow("owner: us", &rest).schedule.and_then(|schedule| schedule.on);
        assert_eq!(on.map(|on| on.read), Some(expected), "{read}");
    };
    check("", Read::Envelope);
    check(", read: envelope", Read::Envelope);
    check(", read: data", Read::Data);
    check(", read: raw", Read::Raw);
}

#[test]
fn schedules_that_cannot_be_kept_are_refused() {
    let check = |schedule: &str, expected: &str| {
        let told = told("owner: us", &format!("schedule: {schedule}\n"));
        assert!(told.iter().any(|told| told.starts_with(expected)), "{schedule}: {told:?}");
    };
    check("{ cron: '0 0 31 6 *' }", "E0134 /schedule/cron no month it names has the day it names");
    check("{ every: PT0.5S }", "E0134 /schedule/every `every` is shorter than a second");
    check("{ on: { one: { with: {} } } }", "E0110 /schedule/on/one/with");
    check("{ on: { one: { with: { type: '${ .a == }' } } } }", "E0123 /schedule/on/one/with/type");
    let filters = vec!["{ with: { type: a } }"; 101].join(", ");
    check(&format!("{{ on: {{ all: [{filters}] }} }}"), "E0110 /schedule/on 101 event filters");
}
