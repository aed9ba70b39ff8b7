//! Checking an export, line by line, without a store and without keys.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::BufRead,
};

use tutti_ids::{Digest, ExecutionId};
use tutti_journal::{Entry, Row, SealError, Sealer, Timestamp};

use super::{
    Flaw, Report, Scope, Unverified,
    flaw::Wrong,
    lines::LineReader,
    record::{CommitRecord, ExecutionRecord, Header, Record, RowRecord},
    report::{Counts, ErasedRow, LISTED},
};
use crate::{
    Erasure, StoredAudit,
    check::{self, Head},
    commit_chain::Tail,
};

/// Checks everything in an export: the form and digest of every line, the chain of every journal, blobs, definitions, the
/// chain of commits, and that all is counted. Reads it once; takes memory for its digests, not for its values.
///
/// # Errors
/// The first thing that does not hold, and where.
pub fn verify(source: impl BufRead) -> Result<Report, Unverified> {
    verify_against(source, &BTreeMap::new())
}

/// A head of the chain of commits, as somebody outside wrote it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownHead {
    /// The head.
    pub head: Digest,
    /// When it was written down.
    pub at: Timestamp,
}

/// The same, and that the chain of commits has these heads at these numbers. Those from before the first commit of the export, and
/// from after it was made, are not compared.
///
/// # Errors
/// The first thing that does not hold, and where.
pub fn verify_against(
    source: impl BufRead,
    heads: &BTreeMap<i64, KnownHead>,
) -> Result<Report, Unverified> {
    let mut lines = LineReader::new(source);
    let mut verifier = None;
    while let Some(line) = lines.next()? {
        let taken = line.and_then(|record| take(&mut verifier, heads, record));
        taken.map_err(|wrong| Flaw {
            line: lines.number,
            offset: lines.offset + wrong.at as u64,
            what: wrong.what,
        })?;
    }
    let end = |what: &str| {
        Unverified::Flaw(Flaw { line: lines.number, offset: lines.offset, what: what.to_owned() })
    };
    let Some(verifier) = verifier else { return Err(end("there is nothing in it")) };
    if verifier.section != Section::End {
        return Err(end("its end is missing"));
    }
    Ok(verifier.report())
}

fn take<'h>(
    verifier: &mut Option<Verifier<'h>>,
    heads: &'h BTreeMap<i64, KnownHead>,
    record: Record,
) -> Result<(), Wrong> {
    match (verifier, record) {
        (Some(verifier), record) => verifier.take(record),
        (none, Record::Header(header)) => {
            *none = Some(Verifier::new(header, heads)?);
            Ok(())
        }
        (None, _) => Err(Wrong::line("it does not begin with a header")),
    }
}

/// The parts of an export, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Definitions,
    Executions,
    Blobs,
    Erasures,
    Audit,
    Commits,
    End,
}

struct Verifier<'h> {
    header: Header,
    /// The heads of commits that somebody outside knows.
    heads: &'h BTreeMap<i64, KnownHead>,
    section: Section,
    counts: Counts,
    definitions: BTreeSet<Digest>,
    executions: BTreeSet<ExecutionId>,
    journal: Option<Journal>,
    /// The digest of the row at each position.
    rows: BTreeMap<i64, Digest>,
    /// Blobs that rows refer to and that have not come yet.
    blobs: BTreeSet<Digest>,
    erased: Vec<ErasedRow>,
    /// How many rows of each execution have no values; those that an erasure speaks of are taken out.
    unexplained: BTreeMap<ExecutionId, u64>,
    erasures: Vec<Erasure>,
    audit: Vec<StoredAudit>,
    /// The number of the last fact of the audit trail.
    audited: u64,
    /// How often each digest of an erasure or an audit fact must be in the commit of this number.
    uncommitted: BTreeMap<(i64, Digest), u64>,
    tail: Tail,
}

/// The journal whose rows come next.
struct Journal {
    execution: ExecutionId,
    definition: Digest,
    head: Head,
    left: u64,
}

impl<'h> Verifier<'h> {
    fn new(header: Header, heads: &'h BTreeMap<i64, KnownHead>) -> Result<Self, Wrong> {
        let from = header.from;
        if from.number == 0 && (from.head != Digest::ZERO || from.totals.rows != 0) {
            return Err(Wrong::line("nothing can stand before the first commit"));
        }
        if header.scope == Scope::All && from.number != 0 {
            return Err(Wrong::line("an export of everything must begin at the first commit"));
        }
        let verifier = Self {
            tail: from,
            header,
            heads,
            section: Section::Definitions,
            counts: Counts::default(),
            definitions: BTreeSet::new(),
            executions: BTreeSet::new(),
            journal: None,
            rows: BTreeMap::new(),
            blobs: BTreeSet::new(),
            erased: Vec::new(),
            unexplained: BTreeMap::new(),
            erasures: Vec::new(),
            audit: Vec::new(),
            audited: 0,
            uncommitted: BTreeMap::new(),
        };
        verifier.known()?;
        Ok(verifier)
    }

    fn take(&mut self, record: Record) -> Result<(), Wrong> {
        self.enter(match record {
            Record::Header(_) => return Err(Wrong::line("there is a second header")),
            Record::Definition(_) => Section::Definitions,
            Record::Execution(_) | Record::Row(_) => Section::Executions,
            Record::Blob { .. } => Section::Blobs,
            Record::Erasure(_) => Section::Erasures,
            Record::Audit(_) => Section::Audit,
            Record::Commit(_) => Section::Commits,
            Record::End(_) => Section::End,
        })?;
        match record {
            Record::Header(_) => Ok(()),
            Record::Definition(definition) => {
                self.counts.definitions += 1;
                check::definition(&definition).map_err(of_store)?;
                if self.definitions.insert(definition.digest) {
                    return Ok(());
                }
                Err(Wrong::line("a definition comes twice"))
            }
            Record::Execution(execution) => self.execution(execution),
            Record::Row(row) => self.row(&row),
            Record::Blob { digest, bytes } => self.blob(digest, &bytes),
            Record::Erasure(erasure) => self.erasure(erasure),
            Record::Audit(audit) => self.audit(audit),
            Record::Commit(commit) => self.commit(&commit),
            Record::End(counts) => self.end(counts),
        }
    }

    fn enter(&mut self, section: Section) -> Result<(), Wrong> {
        if section < self.section || self.section == Section::End {
            return Err(Wrong::line("the line does not belong here"));
        }
        if section > Section::Executions && self.section <= Section::Executions {
            self.journal_ends()?;
        }
        if section > Section::Blobs
            && let Some(digest) = self.blobs.first()
        {
            return Err(Wrong::line(format!("blob {digest} is missing")));
        }
        if section > Section::Erasures
            && let Some((execution, _)) = self.unexplained.first_key_value()
        {
            return Err(Wrong::line(format!(
                "values of {execution} are missing, but no erasure says so"
            )));
        }
        self.section = section;
        Ok(())
    }

    fn execution(&mut self, execution: ExecutionRecord) -> Result<(), Wrong> {
        self.journal_ends()?;
        self.counts.executions += 1;
        if !self.definitions.contains(&execution.definition) {
            return Err(Wrong::line("the definition of the execution is missing"));
        }
        if !self.executions.insert(execution.execution) {
            return Err(Wrong::line("an execution comes twice"));
        }
        self.journal = Some(Journal {
            execution: execution.execution,
            definition: execution.definition,
            head: Head::START,
            left: execution.rows,
        });
        Ok(())
    }

    fn journal_ends(&mut self) -> Result<(), Wrong> {
        match self.journal.take() {
            Some(journal) if journal.left > 0 => {
                Err(Wrong::line(format!("rows of {} are missing", journal.execution)))
            }
            _ => Ok(()),
        }
    }

    fn row(&mut self, RowRecord { position, row }: &RowRecord) -> Result<(), Wrong> {
        let misplaced = || Wrong::line("the row does not belong here");
        let journal = self.journal.as_mut().ok_or_else(misplaced)?;
        if journal.execution != row.execution || journal.left == 0 || row.count == 0 {
            return Err(misplaced());
        }
        row.verify(journal.head.digest, journal.head.next)
            .map_err(|damage| Wrong::line(damage.to_string()))?;
        if journal.head == Head::START {
            begins_with(row, journal.definition)?;
        }
        journal.head = Head { next: row.next(), digest: row.digest };
        journal.left -= 1;
        self.counts.rows += 1;
        self.counts.entries += u64::from(row.count);
        if row.values.is_none() {
            self.erased_row(row);
        }
        self.blobs.extend(row.blob_digests().map_err(|error| Wrong::line(error.to_string()))?);
        match self.rows.insert(*position, row.digest) {
            None => Ok(()),
            Some(_) => Err(Wrong::line("two rows stand at one position")),
        }
    }

    fn erased_row(&mut self, row: &Row) {
        self.counts.erased += 1;
        *self.unexplained.entry(row.execution).or_default() += 1;
        if self.erased.len() < LISTED {
            let Row { execution, first, count, .. } = *row;
            self.erased.push(ErasedRow { execution, first, count });
        }
    }

    fn blob(&mut self, digest: Digest, bytes: &[u8]) -> Result<(), Wrong> {
        self.counts.blobs += 1;
        check::blob(digest, bytes).map_err(of_store)?;
        if self.blobs.remove(&digest) {
            return Ok(());
        }
        Err(Wrong::line("nothing refers to the blob, or it comes twice"))
    }

    fn erasure(&mut self, erasure: Erasure) -> Result<(), Wrong> {
        self.counts.erasures += 1;
        if self.unexplained.remove(&erasure.execution) != Some(erasure.rows) {
            return Err(Wrong::line("what is missing is not what the erasure says"));
        }
        *self.uncommitted.entry((erasure.commit, erasure.digest())).or_default() += 1;
        if self.erasures.len() < LISTED {
            self.erasures.push(erasure);
        }
        Ok(())
    }

    fn audit(&mut self, audit: StoredAudit) -> Result<(), Wrong> {
        self.counts.audit += 1;
        let is_all = self.header.scope == Scope::All;
        if audit.number <= self.audited || (is_all && audit.number != self.audited + 1) {
            return Err(Wrong::line("the fact of the audit trail does not belong here"));
        }
        self.audited = audit.number;
        *self.uncommitted.entry((audit.commit, audit.fact.digest())).or_default() += 1;
        if self.audit.len() < LISTED {
            self.audit.push(audit);
        }
        Ok(())
    }

    fn commit(&mut self, CommitRecord { row, digests }: &CommitRecord) -> Result<(), Wrong> {
        self.counts.commits += 1;
        let Some(digests) = digests else {
            if self.rows.range(row.first..row.first.saturating_add(row.count)).next().is_some() {
                return Err(Wrong::line("the digests of the rows of the commit are missing"));
            }
            self.tail = self.tail.follow_digest(row).map_err(of_store)?;
            return self.known();
        };
        self.tail = self.tail.follow(row, digests).map_err(of_store)?;
        self.known()?;
        for digest in digests.iter().skip(rows_of(row.count)) {
            if !self.is_explained(row.number, *digest) && self.header.scope == Scope::All {
                return Err(Wrong::line("a fact of the audit trail is missing, or an erasure"));
            }
        }
        for (position, digest) in (row.first..).zip(digests.iter().take(rows_of(row.count))) {
            if self.rows.remove(&position).is_some_and(|of_row| of_row != *digest) {
                return Err(Wrong::line(format!(
                    "the commit has another row at position {position}"
                )));
            }
        }
        Ok(())
    }

    /// Checks the last commit against what is known of it.
    fn known(&self) -> Result<(), Wrong> {
        let Tail { number, head, .. } = self.tail;
        match self.heads.get(&number) {
            Some(known) if known.head != head => Err(Wrong::line(format!(
                "commit {number} has another head than its checkpoint: the history was changed"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether an erasure or an audit fact of this digest is here for the commit; each counts once.
    fn is_explained(&mut self, commit: i64, digest: Digest) -> bool {
        let Some(left) = self.uncommitted.get_mut(&(commit, digest)) else { return false };
        *left -= 1;
        if *left == 0 {
            self.uncommitted.remove(&(commit, digest));
        }
        true
    }

    fn end(&mut self, counts: Counts) -> Result<(), Wrong> {
        if let Some((position, _)) = self.rows.first_key_value() {
            return Err(Wrong::line(format!("no commit has the row at position {position}")));
        }
        if let Some(((number, _), _)) = self.uncommitted.first_key_value() {
            let what = format!("commit {number} does not have its erasure or its audit fact");
            return Err(Wrong::line(what));
        }
        if (self.tail.number, self.tail.head) != (self.header.commit, self.header.head) {
            return Err(Wrong::line("the chain of commits does not end where the header says"));
        }
        let mut later = self.heads.range(self.tail.number + 1..);
        if let Some((number, _)) = later.find(|(_, known)| known.at <= self.header.at) {
            return Err(Wrong::line(format!(
                "there is a checkpoint of commit {number}, but the commits end before: the end was cut off"
            )));
        }
        if counts != self.counts {
            return Err(Wrong::line("there are fewer or more lines than the end says"));
        }
        match self.header.scope {
            Scope::All if !self.is_all() => Err(Wrong::line(
                "there are fewer or more rows, executions or definitions than the commits say",
            )),
            Scope::Execution(execution) if !self.executions.contains(&execution) => {
                Err(Wrong::line(format!("{execution} is missing")))
            }
            _ => Ok(()),
        }
    }

    fn is_all(&self) -> bool {
        let totals = self.tail.totals;
        let found = [self.counts.rows, self.counts.executions, self.counts.definitions];
        found.map(i64::try_from) == [Ok(totals.rows), Ok(totals.executions), Ok(totals.definitions)]
    }

    fn report(self) -> Report {
        Report {
            product: self.header.product,
            scope: self.header.scope,
            from: self.header.from.number,
            commit: self.header.commit,
            head: self.header.head,
            counts: self.counts,
            erased: self.erased,
            erasures: self.erasures,
            audit: self.audit,
        }
    }
}

fn rows_of(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}

/// Checks that a journal begins with the start of an execution of this definition.
fn begins_with(row: &Row, definition: Digest) -> Result<(), Wrong> {
    let structure = Row { values: None, ..row.clone() };
    let turn = structure.decode(&NothingOpens, &|_| None);
    let turn = turn.map_err(|error| Wrong::line(error.to_string()))?;
    match turn.entries.first() {
        Some(Entry::ExecutionStarted { digest, .. }) if *digest != definition => {
            Err(Wrong::line("the execution was started with another definition"))
        }
        _ => Ok(()),
    }
}

/// Values are not looked into.
#[derive(Debug)]
struct NothingOpens;

impl Sealer for NothingOpens {
    fn seal(&self, _: &[u8]) -> Vec<u8> {
        Vec::new()
    }

    fn open(&self, _: &[u8]) -> Result<Vec<u8>, SealError> {
        Err(SealError)
    }
}

fn of_store(error: crate::Error) -> Wrong {
    match error {
        crate::Error::Corrupt { what } => Wrong::line(what),
        other => Wrong::line(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
