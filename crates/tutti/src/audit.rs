//! `tutti audit verify`

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use serde_json::{Value as Json, json};
use tutti_store::{
    Erasure,
    export::{self, ErasedRow, Flaw, Report, Scope, Unverified},
};

use crate::{
    checkpoints::{self, Known},
    command_line::{AuditVerifyArguments, ReportFormat},
    console,
    exit::{Exit, Failure},
};

/// Checks an export and prints what it holds, or the first thing that does not.
pub(crate) fn verify(arguments: &AuditVerifyArguments) -> Result<Exit, Failure> {
    let file = &arguments.file;
    let key = arguments.checkpoint_key.as_deref();
    let known = arguments.checkpoints.as_deref().map(|path| checkpoints::read(path, key));
    let known = known.transpose()?;
    let heads = known.as_ref().map_or_else(BTreeMap::new, |known| known.heads.clone());
    let verified = export::verify_against(source(file)?, &heads);
    let json = arguments.output == ReportFormat::Json;
    match verified {
        Ok(report) if json => console::print(&format!("{}\n", whole(&report, known.as_ref()))),
        Ok(report) => console::print(&text(&report, known.as_ref())),
        Err(Unverified::Flaw(flaw)) => {
            if json {
                console::print(&format!("{}\n", flawed(&flaw)))?;
            }
            Err(Failure::usage(format!("{}: {flaw}", file.display()))
                .hint("this is not what was exported: ask for the file again, and find out who changed it")
                .exit(Exit::Unfinished))
        }
        Err(error @ Unverified::Unreadable(_)) => {
            Err(Failure::of(&file.display().to_string(), &error))
        }
    }
}

fn source(file: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let shown = file.display();
    if file.is_dir() {
        return Err(Failure::usage(format!("{shown} is a directory, not an export"))
            .hint(format!("export what is in it with `tutti export --store {shown} -o FILE`, or check it as it is with `tutti store verify {shown}`")));
    }
    let fail = |error| Failure::of(&format!("cannot read {shown}"), &error);
    Ok(Box::new(BufReader::with_capacity(256 * 1024, File::open(file).map_err(fail)?)))
}

fn text(report: &Report, known: Option<&Known>) -> String {
    let counts = &report.counts;
    let mut text = format!(
        "everything holds\n\
         executions {}, entries {}, rows {}, blobs {}, definitions {}, commits {}\n\
         the last commit is {}, {}\n",
        counts.executions,
        counts.entries,
        counts.rows,
        counts.blobs,
        counts.definitions,
        counts.commits,
        report.commit,
        report.head,
    );
    if let Some(known) = known {
        let (compared, newest) = compared(report, known);
        let key = &known.key;
        let newest = newest.map_or_else(String::new, |at| format!(", the newest of commit {at}"));
        writeln!(text, "checkpoints {compared}{newest}, signed by {key}").ok();
    }
    if counts.erased > 0 {
        writeln!(text, "erased: the values of {} rows", counts.erased).ok();
    }
    if counts.audit > 0 {
        writeln!(text, "audit facts {}", counts.audit).ok();
    }
    for erasure in &report.erasures {
        let Erasure { execution, at, by, reason, rows, .. } = erasure;
        let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        // A moment that no calendar has is told as it is stored.
        let at = jiff::Timestamp::from_millisecond(at.0)
            .map_or_else(|_| at.0.to_string(), |at| at.to_string());
        writeln!(text, "erasure  {execution}, rows {rows}, at {at}, by {by}{reason}").ok();
    }
    for row in &report.erased {
        writeln!(text, "erased  {} entries {} to {}", row.execution, row.first, last(row)).ok();
    }
    text
}

/// How many checkpoints the commits were compared with, and the number of the last of those commits.
fn compared(report: &Report, known: &Known) -> (usize, Option<i64>) {
    let compared = known.heads.range(report.from..=report.commit);
    (compared.clone().count(), compared.last().map(|(commit, _)| *commit))
}

fn last(row: &ErasedRow) -> u64 {
    row.first.0.saturating_add(u64::from(row.count)).saturating_sub(1)
}

fn whole(report: &Report, known: Option<&Known>) -> Json {
    let counts = &report.counts;
    let erased = |row: &ErasedRow| json!({ "execution": row.execution.to_string(), "first": row.first.0, "last": last(row) });
    let erasure = |erasure: &Erasure| {
        json!({
            "execution": erasure.execution.to_string(),
            "commit": erasure.commit,
            "at": erasure.at.0,
            "by": erasure.by,
            "reason": erasure.reason,
            "rows": erasure.rows,
        })
    };
    let mut whole = json!({
        "holds": true,
        "product": report.product,
        "scope": match report.scope {
            Scope::All => "all".to_owned(),
            Scope::Execution(execution) => execution.to_string(),
        },
        "commit": report.commit,
        "head": report.head.to_string(),
        "definitions": counts.definitions,
        "executions": counts.executions,
        "entries": counts.entries,
        "rows": counts.rows,
        "erased_rows": counts.erased,
        "blobs": counts.blobs,
        "erasures": counts.erasures,
        "audit": counts.audit,
        "commits": counts.commits,
        "erasure_records": report.erasures.iter().map(erasure).collect::<Vec<_>>(),
        "erased": report.erased.iter().map(erased).collect::<Vec<_>>(),
    });
    if let Some(known) = known {
        let (compared, newest) = compared(report, known);
        whole["checkpoints"] = json!({ "compared": compared, "commit": newest, "key": known.key });
    }
    whole
}

fn flawed(flaw: &Flaw) -> Json {
    json!({ "holds": false, "line": flaw.line, "offset": flaw.offset, "what": flaw.what })
}
