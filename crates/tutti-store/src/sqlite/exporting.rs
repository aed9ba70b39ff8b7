//! Reading what an export holds, checked, row by row.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use rusqlite::Connection;
use tutti_ids::{Digest, ExecutionId};

use super::{
    audits, commits, erasures, failure, read,
    rows::{self, ExecutionRow},
    schema,
};
use crate::{
    Error, check,
    check::Head,
    commit_chain::Tail,
    export::{
        CommitRecord, Counts, ErasedRow, ExecutionRecord, ExportRequest, Header, LineWriter,
        Record, Report, RowRecord, Scope,
    },
};

/// Writes everything that `request` asks for.
pub(super) fn write<'a>(
    connection: &'a Connection,
    request: &ExportRequest,
    sink: &'a mut dyn Write,
) -> Result<Report, Error> {
    let executions = selected(connection, request.scope)?;
    let positions = positions(connection, &executions)?;
    let from = match request.scope {
        Scope::All => Tail::START,
        Scope::Execution(_) => before(connection, positions.first().copied().unwrap_or(1))?,
    };
    let last = commits::last(connection)?;
    let header = Header {
        product: request.product.clone(),
        at: request.at,
        scope: request.scope,
        incarnation: schema::read_incarnation(connection)?,
        from,
        commit: last.number,
        head: last.head,
    };
    let report = Report {
        product: header.product.clone(),
        scope: header.scope,
        from: from.number,
        commit: header.commit,
        head: header.head,
        counts: Counts::default(),
        erased: Vec::new(),
        erasures: Vec::new(),
        audit: Vec::new(),
    };
    let lines = LineWriter::new(io::BufWriter::with_capacity(64 * 1024, sink));
    let mut export = Export { connection, lines, report, blobs: BTreeSet::new() };
    export.line(&Record::Header(header))?;
    export.definitions(request.scope, &executions)?;
    executions.iter().try_for_each(|execution| export.execution(execution))?;
    export.blobs()?;
    let mut facts = export.erasures(&executions)?;
    facts.extend(export.audit(request.scope, &executions)?);
    let shown = Shown { positions, facts, all: request.scope == Scope::All };
    export.commits(from, &shown)?;
    let counts = export.report.counts;
    export.line(&Record::End(counts))?;
    export.lines.finish().map_err(unwritten)?;
    Ok(export.report)
}

/// Which commits show what they are made of.
struct Shown {
    /// Those of the rows at these positions, in order.
    positions: Vec<i64>,
    /// Those with these numbers.
    facts: BTreeSet<i64>,
    all: bool,
}

struct Export<'a> {
    connection: &'a Connection,
    lines: LineWriter<io::BufWriter<&'a mut dyn Write>>,
    report: Report,
    /// Blobs that rows refer to.
    blobs: BTreeSet<Digest>,
}

impl Export<'_> {
    fn line(&mut self, record: &Record) -> Result<(), Error> {
        self.lines.write(record).map_err(unwritten)
    }

    fn definitions(&mut self, scope: Scope, executions: &[ExecutionRow]) -> Result<(), Error> {
        let mut wanted: BTreeSet<Digest> =
            executions.iter().map(|execution| execution.projection.digest).collect();
        if scope == Scope::All {
            read::each_definition(self.connection, |definition| {
                let definition = definition.map_err(failure::of("a definition was altered"))?;
                wanted.insert(definition.digest);
                Ok(())
            })?;
        }
        for digest in wanted {
            let definition = read::definition(self.connection, digest)?.ok_or_else(|| {
                check::corrupt(format!("definition {digest} of an execution is lost"))
            })?;
            self.report.counts.definitions += 1;
            self.line(&Record::Definition(definition))?;
        }
        Ok(())
    }

    fn execution(&mut self, execution: &ExecutionRow) -> Result<(), Error> {
        self.report.counts.executions += 1;
        let ExecutionRow { execution: id, projection, head: end } = execution;
        self.line(&Record::Execution(ExecutionRecord {
            execution: *id,
            definition: projection.digest,
            rows: rows::number_of(self.connection, *id)?,
        }))?;
        let mut head = Head::START;
        rows::each_of(self.connection, *id, |position, row| {
            row.verify(head.digest, head.next)?;
            head = Head { next: row.next(), digest: row.digest };
            self.blobs.extend(check::blob_digests(&row)?);
            let counts = &mut self.report.counts;
            counts.rows += 1;
            counts.entries += u64::from(row.count);
            if row.values.is_none() {
                counts.erased += 1;
                let (execution, first, count) = (row.execution, row.first, row.count);
                self.report.erased.push(ErasedRow { execution, first, count });
            }
            self.lines.write(&Record::Row(Box::new(RowRecord { position, row }))).map_err(unwritten)
        })?;
        if head == *end {
            return Ok(());
        }
        Err(check::corrupt(format!("the journal of {id} does not end where it should")))
    }

    fn blobs(&mut self) -> Result<(), Error> {
        for digest in std::mem::take(&mut self.blobs) {
            let bytes = read::blob(self.connection, digest)?.to_vec();
            self.report.counts.blobs += 1;
            self.line(&Record::Blob { digest, bytes })?;
        }
        Ok(())
    }

    /// What was erased of these executions; gives the numbers of the commits.
    fn erasures(&mut self, executions: &[ExecutionRow]) -> Result<BTreeSet<i64>, Error> {
        let mut numbers = BTreeSet::new();
        for erasure in erasures::all(self.connection)? {
            let key = |row: &ExecutionRow| row.execution;
            if executions.binary_search_by_key(&erasure.execution, key).is_err() {
                continue;
            }
            numbers.insert(erasure.commit);
            self.report.counts.erasures += 1;
            self.line(&Record::Erasure(erasure.clone()))?;
            self.report.erasures.push(erasure);
        }
        Ok(numbers)
    }

    /// What the audit trail says of these executions, or all it says; gives the numbers of the commits.
    fn audit(&mut self, scope: Scope, executions: &[ExecutionRow]) -> Result<BTreeSet<i64>, Error> {
        let mut numbers = BTreeSet::new();
        if !audits::are_kept(self.connection)? {
            return Ok(numbers);
        }
        let mut written = Ok(());
        let key = |row: &ExecutionRow| row.execution;
        audits::each_after(self.connection, 0, |audit| {
            let concerns = |execution| executions.binary_search_by_key(&execution, key).is_ok();
            if scope == Scope::All || audit.fact.execution.is_some_and(concerns) {
                numbers.insert(audit.commit);
                self.report.counts.audit += 1;
                written = self.line(&Record::Audit(audit.clone()));
                self.report.audit.push(audit);
            }
            written.is_ok()
        })?;
        written.map(|()| numbers)
    }

    /// The commits after `from`.
    fn commits(&mut self, from: Tail, shown: &Shown) -> Result<(), Error> {
        let connection = self.connection;
        let mut tail = from;
        commits::each_from(connection, from.number + 1, |row| {
            let digests = erasures::digests_of(connection, &row)?;
            tail = tail.follow(&row, &digests)?;
            let (first, end) = row.positions();
            let next = shown.positions.partition_point(|position| *position < first);
            let covers = shown.positions.get(next).is_some_and(|position| *position <= end);
            let is_shown = shown.all || covers || shown.facts.contains(&row.number);
            self.report.counts.commits += 1;
            let digests = is_shown.then_some(digests);
            self.line(&Record::Commit(CommitRecord { row, digests }))
        })
    }
}

/// The executions that an export holds, by id.
fn selected(connection: &Connection, scope: Scope) -> Result<Vec<ExecutionRow>, Error> {
    let all = rows::all_executions(connection)?;
    match scope {
        Scope::All => Ok(all),
        Scope::Execution(root) => {
            let family = family(&all, root)?;
            Ok(all.into_iter().filter(|row| family.contains(&row.execution)).collect())
        }
    }
}

/// An execution and all that it started, directly or not.
pub(super) fn family(
    all: &[ExecutionRow],
    root: ExecutionId,
) -> Result<BTreeSet<ExecutionId>, Error> {
    if !all.iter().any(|row| row.execution == root) {
        return Err(Error::Unknown { execution: root });
    }
    let mut family = BTreeSet::from([root]);
    loop {
        let before = family.len();
        for row in all {
            if row.projection.parent.is_some_and(|parent| family.contains(&parent)) {
                family.insert(row.execution);
            }
        }
        if family.len() == before {
            return Ok(family);
        }
    }
}

/// The positions of all rows of these executions, in order.
fn positions(connection: &Connection, executions: &[ExecutionRow]) -> Result<Vec<i64>, Error> {
    let query = "SELECT position FROM journal WHERE execution = ?1";
    let fail = failure::of("cannot find the rows of an execution");
    let mut query = connection.prepare_cached(query).map_err(&fail)?;
    let mut positions = Vec::new();
    for execution in executions {
        let key = execution.execution.to_bits().to_be_bytes();
        for position in query.query_map([key], |row| row.get(0)).map_err(&fail)? {
            positions.push(position.map_err(&fail)?);
        }
    }
    positions.sort_unstable();
    Ok(positions)
}

/// The chain of commits before the one that added the row at `position`.
fn before(connection: &Connection, position: i64) -> Result<Tail, Error> {
    let mut before = Tail::START;
    let mut found = false;
    commits::each_from(connection, 1, |row| {
        found = found || row.positions().1 >= position;
        if !found {
            before = before.follow_digest(&row)?;
        }
        Ok(())
    })?;
    Ok(before)
}

fn unwritten(error: io::Error) -> Error {
    Error::Unavailable { attempt: "cannot write the export".to_owned(), source: Some(error.into()) }
}
