//! The table of a view, or one beside it: loading rows, writing a batch of changes, and copying many rows in.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, PgExecutor};

use super::checkpoint::{ADVANCE, Move};
use super::rows::{Entry, Rows};
use super::{Key, View};
use crate::error::Error;

/// Bytes that go to Postgres in one message of a COPY.
const COPY_CHUNK: usize = 1 << 20;

/// Changes of rows, column by column, as they are written.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub keys: Vec<Key>,
    pub rows: Vec<String>,
    pub positions: Vec<i64>,
    /// Keys whose rows are no more.
    pub gone: Vec<Key>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.gone.is_empty()
    }

    /// Adds what became of a row.
    pub fn push<R: Serialize>(&mut self, view: &'static str, key: Key, entry: &Entry<R>) -> Result<(), Error> {
        match &entry.row {
            Some(row) => {
                let text = serde_json::to_string(row).map_err(|error| unreadable(view, &key, &error))?;
                self.keys.push(key);
                self.rows.push(text);
                self.positions.push(entry.position);
            }
            None if entry.stored => self.gone.push(key),
            // It came and went between two writings.
            None => {}
        }
        Ok(())
    }
}

pub(crate) fn unreadable(view: &'static str, key: &str, error: &serde_json::Error) -> Error {
    Error::Row { view, key: key.to_owned(), reason: error.to_string() }
}

/// The statements for one table. Only names of views, which are constants of ours, are written into them.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    view: &'static str,
    load: Arc<str>,
    put: Arc<str>,
    remove: Arc<str>,
    apply: Arc<str>,
    copy: Arc<str>,
}

impl Table {
    /// The table `read.<name>` of a view: its own, or one beside it.
    pub fn named(view: &'static str, name: &str) -> Self {
        let upsert = "on conflict (key) do update set row = excluded.row, position = excluded.position";
        Self {
            view,
            load: format!("select key, row::text, position from read.{name} where key = any ($1)").into(),
            put: format!(
                "insert into read.{name} (key, row, position)
                 select k, r::json, p from unnest($1::text[], $2::text[], $3::bigint[]) u(k, r, p) {upsert}"
            )
            .into(),
            remove: format!("delete from read.{name} where key = any ($1)").into(),
            // One statement, hence one transaction: rows move only when the checkpoint does.
            apply: format!(
                "with moved as ({ADVANCE} returning 1), put as (
                    insert into read.{name} (key, row, position)
                    select k, r::json, p from unnest($8::text[], $9::text[], $10::bigint[]) u(k, r, p)
                    where exists (select from moved) {upsert}
                 ), gone as (delete from read.{name} where key = any ($11) and exists (select from moved))
                 select exists (select from moved)"
            )
            .into(),
            copy: format!("copy read.{name} (key, row, position) from stdin").into(),
        }
    }

    /// Brings rows into memory; a key without a row is absent there.
    pub async fn load<V: View>(
        &self,
        executor: impl PgExecutor<'_>,
        keys: Vec<Key>,
        rows: &mut Rows<V::Row>,
    ) -> Result<(), Error>
    where
        V::Row: DeserializeOwned,
    {
        let found: Vec<(String, String, i64)> =
            sqlx::query_as(AssertSqlSafe(Arc::clone(&self.load))).bind(&keys).fetch_all(executor).await?;
        for key in keys {
            rows.insert(key, Entry::absent());
        }
        for (key, text, position) in found {
            let row = serde_json::from_str(&text).map_err(|error| unreadable(self.view, &key, &error))?;
            rows.insert(key, Entry::stored(row, position));
        }
        Ok(())
    }

    /// Moves the checkpoint and the rows, or nothing: false when the checkpoint is no longer where it was.
    pub async fn apply(&self, pool: &PgPool, step: &Move<'_>, changes: &Changes) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(AssertSqlSafe(Arc::clone(&self.apply)))
            .bind(self.view)
            .bind(step.version)
            .bind(step.epoch)
            .bind(step.from)
            .bind(step.to)
            .bind(step.leaf)
            .bind(step.rate)
            .bind(&changes.keys)
            .bind(&changes.rows)
            .bind(&changes.positions)
            .bind(&changes.gone)
            .fetch_one(pool)
            .await?)
    }

    /// Writes changes to a table that nobody else writes.
    pub async fn write_in(&self, connection: &mut PgConnection, changes: &Changes) -> Result<(), Error> {
        if !changes.keys.is_empty() {
            sqlx::query(AssertSqlSafe(Arc::clone(&self.put)))
                .bind(&changes.keys)
                .bind(&changes.rows)
                .bind(&changes.positions)
                .execute(&mut *connection)
                .await?;
        }
        if !changes.gone.is_empty() {
            sqlx::query(AssertSqlSafe(Arc::clone(&self.remove))).bind(&changes.gone).execute(connection).await?;
        }
        Ok(())
    }

    /// Copies rows in whose keys the table does not have.
    pub async fn copy_in<R: Serialize>(
        &self,
        connection: &mut PgConnection,
        rows: impl Iterator<Item = (Key, Entry<R>)>,
    ) -> Result<(), Error> {
        let mut copy = connection.copy_in_raw(&self.copy).await?;
        let mut buffer: Vec<u8> = Vec::with_capacity(COPY_CHUNK + COPY_CHUNK / 8);
        let mut json: Vec<u8> = Vec::new();
        let mut failed = None;
        for (key, entry) in rows {
            let Some(row) = &entry.row else { continue };
            json.clear();
            if let Err(error) = serde_json::to_writer(&mut json, row) {
                failed = Some(unreadable(self.view, &key, &error));
                break;
            }
            escape(&mut buffer, key.as_bytes());
            buffer.push(b'\t');
            escape(&mut buffer, &json);
            buffer.push(b'\t');
            buffer.extend_from_slice(entry.position.to_string().as_bytes());
            buffer.push(b'\n');
            if buffer.len() >= COPY_CHUNK {
                copy.send(buffer.as_slice()).await?;
                buffer.clear();
            }
        }
        if let Some(error) = failed {
            copy.abort("a row cannot be written").await?;
            return Err(error);
        }
        if !buffer.is_empty() {
            copy.send(buffer.as_slice()).await?;
        }
        copy.finish().await?;
        Ok(())
    }
}

/// Writes a column of COPY's text format (PostgreSQL manual, COPY, "Text Format").
fn escape(into: &mut Vec<u8>, bytes: &[u8]) {
    let mut plain = 0;
    for (index, byte) in bytes.iter().enumerate() {
        let letter = match byte {
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            _ => continue,
        };
        into.extend_from_slice(&bytes[plain..index]);
        into.extend_from_slice(&[b'\\', letter]);
        plain = index + 1;
    }
    into.extend_from_slice(&bytes[plain..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_text_keeps_backslashes_and_breaks_apart() {
        let mut text = Vec::new();
        escape(&mut text, b"a\\n\tb\nc\r");
        assert_eq!(text, b"a\\\\n\\tb\\nc\\r");
    }
}
