//! What one line of an export says, as JSON and back.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};
use tutti_ids::{Digest, ExecutionId, Sequence};
use tutti_journal::{Row, SaltedValues, Timestamp};

use super::{Scope, flaw::Wrong, report::Counts};
use crate::{
    AuditFact, DefinitionText, Erasure, StoredAudit,
    commit_chain::{CommitRow, Tail, Totals},
};

/// The version of the format.
const FORMAT: u64 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The first: what the export is.
    Header(Header),
    /// The text of a definition.
    Definition(DefinitionText),
    /// An execution; its rows follow.
    Execution(ExecutionRecord),
    /// A row of the execution before.
    Row(Box<RowRecord>),
    /// The bytes of a value that stands in a blob.
    Blob {
        /// Their digest.
        digest: Digest,
        /// The encoded value.
        bytes: Vec<u8>,
    },
    /// That the values of an execution were erased.
    Erasure(Erasure),
    /// A fact of the audit trail.
    Audit(StoredAudit),
    /// A row of the chain of commits.
    Commit(CommitRecord),
    /// The last: how much there is.
    End(Counts),
}

/// What an export is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The version of the product.
    pub product: String,
    /// When it was made.
    pub at: Timestamp,
    /// Which executions it holds.
    pub scope: Scope,
    /// The store's hold at that time.
    pub incarnation: [u8; 16],
    /// Where the chain of commits stands before the first one here.
    pub(crate) from: Tail,
    /// The number of the last commit.
    pub commit: i64,
    /// Its head.
    pub head: Digest,
}

/// An execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecutionRecord {
    /// Its id.
    pub execution: ExecutionId,
    /// The digest of its definition's text.
    pub definition: Digest,
    /// How many rows follow.
    pub rows: u64,
}

/// A row of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRecord {
    /// Where it stands among all rows of the store, counted from 1.
    pub position: i64,
    /// The row.
    pub row: Row,
}

/// A row of the chain of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRecord {
    /// What it added.
    pub(crate) row: CommitRow,
    /// The digests it is made of; left out where none of them is of a row here.
    pub(crate) digests: Option<Vec<Digest>>,
}

impl Record {
    /// The one form of the line, without its digest.
    pub(super) fn to_json(&self) -> String {
        let json = match self {
            Self::Header(header) => header.json(),
            Self::Definition(definition) => json!({
                "kind": "definition",
                "digest": hex(&definition.digest.0),
                "namespace": definition.name.namespace.as_str(),
                "name": definition.name.name.as_str(),
                "version": definition.name.version.as_str(),
                "text": &*definition.text,
            }),
            Self::Execution(execution) => json!({
                "kind": "execution",
                "execution": execution.execution.to_string(),
                "definition": hex(&execution.definition.0),
                "rows": execution.rows,
            }),
            Self::Row(row) => row.json(),
            Self::Blob { digest, bytes } => json!({
                "kind": "blob",
                "digest": hex(&digest.0),
                "bytes": STANDARD.encode(bytes),
            }),
            Self::Erasure(erasure) => json!({
                "kind": "erasure",
                "execution": erasure.execution.to_string(),
                "commit": erasure.commit,
                "at": erasure.at.0,
                "by": erasure.by,
                "reason": erasure.reason,
                "rows": erasure.rows,
            }),
            Self::Audit(audit) => json!({
                "kind": "audit",
                "number": audit.number,
                "commit": audit.commit,
                "execution": audit.fact.execution.map(|execution| execution.to_string()),
                "bytes": STANDARD.encode(&audit.fact.bytes),
            }),
            Self::Commit(commit) => commit.json(),
            Self::End(counts) => end(counts),
        };
        json.to_string()
    }

    /// What a line says.
    pub(super) fn from_json(json: &Json) -> Result<Self, Wrong> {
        let fields = Fields(json);
        match fields.text("kind")? {
            "header" => Header::parse(fields).map(Self::Header),
            "definition" => definition(fields).map(Self::Definition),
            "execution" => Ok(Self::Execution(ExecutionRecord {
                execution: fields.parsed("execution")?,
                definition: fields.digest("definition")?,
                rows: fields.unsigned("rows")?,
            })),
            "row" => RowRecord::parse(fields).map(|row| Self::Row(Box::new(row))),
            "blob" => {
                Ok(Self::Blob { digest: fields.digest("digest")?, bytes: fields.bytes("bytes")? })
            }
            "erasure" => Ok(Self::Erasure(Erasure {
                execution: fields.parsed("execution")?,
                commit: fields.integer("commit")?,
                at: Timestamp(fields.integer("at")?),
                by: fields.text("by")?.to_owned(),
                reason: fields.text("reason")?.to_owned(),
                rows: fields.unsigned("rows")?,
            })),
            "audit" => audit(fields).map(Self::Audit),
            "commit" => CommitRecord::parse(fields).map(Self::Commit),
            "end" => counts(fields).map(Self::End),
            _ => Err(Wrong::line("there is no such kind of line")),
        }
    }
}

impl Header {
    fn json(&self) -> Json {
        json!({
            "kind": "header",
            "format": FORMAT,
            "product": self.product,
            "at": self.at.0,
            "scope": match self.scope {
                Scope::All => "all".to_owned(),
                Scope::Execution(execution) => execution.to_string(),
            },
            "incarnation": hex(&self.incarnation),
            "from_commit": self.from.number,
            "from_rows": self.from.totals.rows,
            "from_head": hex(&self.from.head.0),
            "commit": self.commit,
            "head": hex(&self.head.0),
        })
    }

    fn parse(fields: Fields<'_>) -> Result<Self, Wrong> {
        if fields.unsigned("format")? != FORMAT {
            return Err(Wrong::line("the export was written by a newer version"));
        }
        let scope = match fields.text("scope")? {
            "all" => Scope::All,
            _ => Scope::Execution(fields.parsed("scope")?),
        };
        let totals = Totals { rows: fields.integer("from_rows")?, ..Tail::START.totals };
        let from = Tail {
            number: fields.integer("from_commit")?,
            head: fields.digest("from_head")?,
            totals,
        };
        Ok(Self {
            product: fields.text("product")?.to_owned(),
            at: Timestamp(fields.integer("at")?),
            scope,
            incarnation: fields.hex("incarnation")?,
            from,
            commit: fields.integer("commit")?,
            head: fields.digest("head")?,
        })
    }
}

fn definition(fields: Fields<'_>) -> Result<DefinitionText, Wrong> {
    let name = tutti_ids::DefinitionRef {
        namespace: fields.parsed("namespace")?,
        name: fields.parsed("name")?,
        version: fields.parsed("version")?,
    };
    Ok(DefinitionText { name, digest: fields.digest("digest")?, text: fields.text("text")?.into() })
}

fn audit(fields: Fields<'_>) -> Result<StoredAudit, Wrong> {
    let execution =
        if fields.is_null("execution") { None } else { Some(fields.parsed("execution")?) };
    let fact = AuditFact { execution, bytes: fields.bytes("bytes")? };
    Ok(StoredAudit { number: fields.unsigned("number")?, commit: fields.integer("commit")?, fact })
}

impl RowRecord {
    fn json(&self) -> Json {
        let row = &self.row;
        json!({
            "kind": "row",
            "position": self.position,
            "first": row.first.0,
            "count": row.count,
            "at": row.at.0,
            "structure": STANDARD.encode(&row.structure),
            "salt": row.values.as_ref().map(|values| hex(&values.salt)),
            "values": row.values.as_ref().map(|values| STANDARD.encode(&values.bytes)),
            "values_digest": hex(&row.values_digest.0),
            "previous": hex(&row.previous.0),
            "digest": hex(&row.digest.0),
            "execution": row.execution.to_string(),
        })
    }

    fn parse(fields: Fields<'_>) -> Result<Self, Wrong> {
        let values = if fields.is_null("salt") && fields.is_null("values") {
            None
        } else {
            Some(SaltedValues { salt: fields.hex("salt")?, bytes: fields.bytes("values")? })
        };
        let count =
            u32::try_from(fields.unsigned("count")?).map_err(|_large| Wrong::field("count"))?;
        let row = Row {
            execution: fields.parsed("execution")?,
            first: Sequence(fields.unsigned("first")?),
            count,
            at: Timestamp(fields.integer("at")?),
            structure: fields.bytes("structure")?,
            values,
            values_digest: fields.digest("values_digest")?,
            previous: fields.digest("previous")?,
            digest: fields.digest("digest")?,
        };
        Ok(Self { position: fields.integer("position")?, row })
    }
}

impl CommitRecord {
    fn json(&self) -> Json {
        let row = &self.row;
        let digests = self.digests.as_ref();
        let digests =
            digests.map(|all| all.iter().map(|digest| hex(&digest.0)).collect::<Vec<_>>());
        json!({
            "kind": "commit",
            "number": row.number,
            "first": row.first,
            "count": row.count,
            "executions": row.totals.executions,
            "open": row.totals.open,
            "definitions": row.totals.definitions,
            "digests": digests,
            "digest": hex(&row.digest.0),
            "head": hex(&row.head.0),
        })
    }

    fn parse(fields: Fields<'_>) -> Result<Self, Wrong> {
        let (first, count): (i64, _) = (fields.integer("first")?, fields.integer("count")?);
        let totals = Totals {
            rows: first.saturating_add(count).saturating_sub(1),
            executions: fields.integer("executions")?,
            open: fields.integer("open")?,
            definitions: fields.integer("definitions")?,
        };
        let row = CommitRow {
            number: fields.integer("number")?,
            first,
            count,
            totals,
            digest: fields.digest("digest")?,
            head: fields.digest("head")?,
        };
        let digests = match fields.field("digests")? {
            Json::Null => None,
            Json::Array(items) => Some(items.iter().map(digest_of).collect::<Option<_>>())
                .map(|digests| digests.ok_or_else(|| Wrong::field("digests")))
                .transpose()?,
            _ => return Err(Wrong::field("digests")),
        };
        Ok(Self { row, digests })
    }
}

fn end(counts: &Counts) -> Json {
    let mut end = json!({
        "kind": "end",
        "definitions": counts.definitions,
        "executions": counts.executions,
        "rows": counts.rows,
        "entries": counts.entries,
        "erased": counts.erased,
        "blobs": counts.blobs,
        "erasures": counts.erasures,
        "commits": counts.commits,
    });
    // Without an audit trail the line is as it was before there was one.
    if counts.audit > 0 {
        end["audit"] = counts.audit.into();
    }
    end
}

fn counts(fields: Fields<'_>) -> Result<Counts, Wrong> {
    Ok(Counts {
        definitions: fields.unsigned("definitions")?,
        executions: fields.unsigned("executions")?,
        rows: fields.unsigned("rows")?,
        entries: fields.unsigned("entries")?,
        erased: fields.unsigned("erased")?,
        blobs: fields.unsigned("blobs")?,
        erasures: fields.unsigned("erasures")?,
        audit: if fields.0.get("audit").is_some() { fields.unsigned("audit")? } else { 0 },
        commits: fields.unsigned("commits")?,
    })
}

/// The fields of a line.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a Json);

impl<'a> Fields<'a> {
    fn field(self, name: &str) -> Result<&'a Json, Wrong> {
        self.0.get(name).ok_or_else(|| Wrong::field(name))
    }

    fn is_null(self, name: &str) -> bool {
        self.0.get(name).is_some_and(Json::is_null)
    }

    fn text(self, name: &str) -> Result<&'a str, Wrong> {
        self.field(name)?.as_str().ok_or_else(|| Wrong::field(name))
    }

    fn integer(self, name: &str) -> Result<i64, Wrong> {
        self.field(name)?.as_i64().ok_or_else(|| Wrong::field(name))
    }

    fn unsigned(self, name: &str) -> Result<u64, Wrong> {
        self.field(name)?.as_u64().ok_or_else(|| Wrong::field(name))
    }

    fn parsed<T: std::str::FromStr>(self, name: &str) -> Result<T, Wrong> {
        self.text(name)?.parse().map_err(|_malformed| Wrong::field(name))
    }

    fn bytes(self, name: &str) -> Result<Vec<u8>, Wrong> {
        STANDARD.decode(self.text(name)?).map_err(|_malformed| Wrong::field(name))
    }

    fn hex<const N: usize>(self, name: &str) -> Result<[u8; N], Wrong> {
        from_hex(self.text(name)?).ok_or_else(|| Wrong::field(name))
    }

    fn digest(self, name: &str) -> Result<Digest, Wrong> {
        self.hex(name).map(Digest)
    }
}

fn digest_of(json: &Json) -> Option<Digest> {
    json.as_str().and_then(from_hex).map(Digest)
}

/// Bytes as hexadecimal digits, in lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("invariant: writing to a string cannot fail");
        text
    })
}

/// Bytes from hexadecimal digits.
pub(super) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (position, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * position..2 * position + 2], 16).ok()?;
    }
    Some(bytes)
}
