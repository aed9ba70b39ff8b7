//! Reading the columns of a row in the order in which a query names them.

use rusqlite::{Row as SqlRow, types::FromSql};
use tutti_ids::{DefinitionRef, ExecutionId};

/// The columns of a row, one after another. By position: looking columns up by name costs more than reading them.
pub(super) struct Columns<'row, 'statement> {
    row: &'row SqlRow<'statement>,
    next: usize,
}

impl<'row, 'statement> Columns<'row, 'statement> {
    /// The columns of `row` from the first on.
    pub(super) fn of(row: &'row SqlRow<'statement>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(super) fn next<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    /// The next column, a number that is not negative.
    pub(super) fn unsigned(&mut self) -> rusqlite::Result<u64> {
        u64::try_from(self.next::<i64>()?).map_err(|_negative| self.damaged())
    }

    /// The next column, an id.
    pub(super) fn execution(&mut self) -> rusqlite::Result<ExecutionId> {
        self.next().map(execution_id)
    }

    /// The next column, an id or nothing.
    pub(super) fn optional_execution(&mut self) -> rusqlite::Result<Option<ExecutionId>> {
        Ok(self.next::<Option<_>>()?.map(execution_id))
    }

    /// The next three columns: namespace, name and version of a definition.
    pub(super) fn definition(&mut self) -> rusqlite::Result<DefinitionRef> {
        Ok(DefinitionRef { namespace: self.parse()?, name: self.parse()?, version: self.parse()? })
    }

    fn parse<T: std::str::FromStr>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        let text = self.row.get_ref(self.next - 1)?.as_str().map_err(|_not_text| self.damaged())?;
        text.parse().map_err(|_malformed| self.damaged())
    }

    /// The error that says that the column read last cannot be what was written.
    pub(super) fn damaged(&self) -> rusqlite::Error {
        let column = self.next.saturating_sub(1);
        let name = self.row.as_ref().column_name(column).unwrap_or("?").to_owned();
        let data_type =
            self.row.get_ref(column).map_or(rusqlite::types::Type::Null, |value| value.data_type());
        rusqlite::Error::InvalidColumnType(column, name, data_type)
    }
}

fn execution_id(bytes: [u8; 16]) -> ExecutionId {
    ExecutionId::from_bits(u128::from_be_bytes(bytes))
}
