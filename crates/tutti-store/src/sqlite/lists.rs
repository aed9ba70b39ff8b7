//! Lists of executions: pages of an index, newest first. No page scans what is not on it.

use rusqlite::{Connection, types::Value};
use tutti_ids::ExecutionId;

use super::{
    failure, keys, read,
    rows::{self, EXECUTION_COLUMNS},
};
use crate::{Error, ExecutionQuery, Listed};

/// A page of the executions that `query` asks for.
pub(super) fn executions(
    connection: &Connection,
    query: &ExecutionQuery,
) -> Result<Vec<Listed>, Error> {
    let (text, parameters) = statement(query);
    let fail = failure::of("cannot list the executions");
    let mut statement = connection.prepare_cached(&text).map_err(&fail)?;
    let parameters = rusqlite::params_from_iter(parameters);
    let found = statement.query_map(parameters, rows::execution_row).map_err(&fail)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(&fail)?;
    found.into_iter().map(|row| listed(connection, row)).collect()
}

/// How one execution stands.
pub(super) fn standing(connection: &Connection, id: ExecutionId) -> Result<Option<Listed>, Error> {
    read::execution(connection, id)?.map(|row| listed(connection, row)).transpose()
}

fn listed(connection: &Connection, row: rows::ExecutionRow) -> Result<Listed, Error> {
    let key = keys::find(connection, row.execution)?;
    Ok(Listed { execution: row.execution, projection: row.projection, key })
}

/// The index that has the page in order, and what narrows it.
fn statement(query: &ExecutionQuery) -> (String, Vec<Value>) {
    let mut parameters = vec![Value::Text(query.namespace.as_str().to_owned())];
    let mut place = |value: Value| {
        parameters.push(value);
        format!("?{}", parameters.len())
    };
    let before = query.before.map_or(vec![0xFF; 17], |id| id.to_bits().to_be_bytes().to_vec());
    let since = query.since.map_or(0, |since| u64::try_from(since.0).unwrap_or(0));
    let since = ExecutionId::new(since, 0).to_bits().to_be_bytes().to_vec();
    let (before, since) = (place(Value::Blob(before)), place(Value::Blob(since)));
    let workflow = query.workflow.as_ref().map(|workflow| {
        format!(" AND name = {}", place(Value::Text(workflow.as_str().to_owned())))
    });
    let status = query.status.map(|status| {
        format!(" AND status = {}", place(Value::Integer(rows::status_code(status))))
    });
    let conditions = [workflow, status].into_iter().flatten().collect::<String>();
    // A business key may have had any number of executions: they are walked in order, too.
    let source = match (&query.key, &query.workflow, query.status) {
        (Some(key), ..) => {
            let key = place(Value::Text((**key).to_owned()));
            format!(
                "(SELECT execution AS keyed FROM keys WHERE namespace = ?1 AND key = {key}
                  AND execution < {before} AND execution >= {since})
                 CROSS JOIN executions ON execution = keyed"
            )
        }
        (None, Some(_), Some(_)) => "executions INDEXED BY executions_by_both".to_owned(),
        (None, Some(_), None) => "executions INDEXED BY executions_by_workflow".to_owned(),
        (None, None, Some(_)) => "executions INDEXED BY executions_by_status".to_owned(),
        (None, None, None) => "executions INDEXED BY executions_listed".to_owned(),
    };
    let limit = place(Value::Integer(i64::try_from(query.limit).unwrap_or(i64::MAX)));
    let order = if query.key.is_some() { "keyed" } else { "execution" };
    let text = format!(
        "SELECT {EXECUTION_COLUMNS} FROM {source}
         WHERE namespace = ?1 AND execution < {before} AND execution >= {since}{conditions}
         ORDER BY {order} DESC LIMIT {limit}"
    );
    (text, parameters)
}
