//! Records: bytes under a name, which the store keeps for whoever knows what they mean.

use tutti_ids::Name;

/// What a record is about. The codes are stored: they are never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A published version of a workflow.
    Workflow,
    /// Somebody who may ask.
    Principal,
    /// What somebody shows to be known.
    Token,
    /// A secret, sealed.
    Secret,
    /// A start that was asked for under an idempotency key.
    Request,
    /// How far a schedule has come.
    Schedule,
    /// A switch that holds something back.
    Pause,
    /// When calls were made of which only so many may be.
    Cooldown,
}

impl RecordKind {
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Workflow => 1,
            Self::Principal => 2,
            Self::Token => 3,
            Self::Secret => 4,
            Self::Request => 5,
            Self::Schedule => 6,
            Self::Pause => 7,
            Self::Cooldown => 8,
        }
    }
}

/// Names a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// What it is about.
    pub kind: RecordKind,
    /// The namespace it belongs to; none for what belongs to the whole server.
    pub namespace: Option<Name>,
    /// Its name within.
    pub key: String,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub id: RecordId,
    /// What it holds.
    pub value: Vec<u8>,
}

/// Which records are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRange {
    /// Their kind.
    pub kind: RecordKind,
    /// Only those of this namespace; all where there is none.
    pub namespace: Option<Name>,
    /// Those after this one.
    pub after: Option<RecordId>,
    /// At most so many.
    pub limit: usize,
}

/// A change of a record, made with the commit it is part of, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// Which.
    pub id: RecordId,
    /// What it must hold before.
    pub expected: Expected,
    /// What it holds after; none removes it.
    pub value: Option<Vec<u8>>,
}

/// What a record must hold for a change to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it holds.
    Anything,
    /// There must be none.
    Nothing,
    /// Exactly this.
    Value(Vec<u8>),
}

impl Expected {
    /// Whether a record that holds `found` is as expected.
    pub(crate) fn is_met_by(&self, found: Option<&[u8]>) -> bool {
        match self {
            Self::Anything => true,
            Self::Nothing => found.is_none(),
            Self::Value(value) => found == Some(value.as_slice()),
        }
    }
}
