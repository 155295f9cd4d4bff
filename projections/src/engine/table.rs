//! The table of a view, or one beside it: loading rows, writing a batch of changes, and copying many rows in.

use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, PgExecutor};

use super::Key;
use super::rows::Left;
use crate::error::Error;

/// Bytes that go to Postgres in one message of a COPY.
const COPY_CHUNK: usize = 1 << 20;

/// Changes of rows, column by column, as they are written.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub keys: Vec<Key>,
    pub rows: Vec<String>,
    pub positions: Vec<i64>,
    /// The keys of deleted rows.
    pub gone: Vec<Key>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.gone.is_empty()
    }

    /// Adds the change of a row.
    pub fn push(&mut self, Left { key, row, position, stored }: Left) {
        match row {
            Some(row) => {
                self.keys.push(key);
                self.rows.push(row);
                self.positions.push(position);
            }
            None if stored => self.gone.push(key),
            // It came and went between two writings.
            None => {}
        }
    }
}

/// Stored rows: key, JSON text, and the position of the last event that touched the row.
pub(crate) type Found = Vec<(Key, String, i64)>;

/// The statements for one table. They contain only names of views, which are constants of the program.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    view: &'static str,
    name: Arc<str>,
    load: Arc<str>,
    put: Arc<str>,
    remove: Arc<str>,
    copy: Arc<str>,
}

/// The statement that writes rows, whose columns are three parameters from `first` on.
fn put(name: &str, first: usize, only_if: &str) -> String {
    let (keys, rows, positions) = (first, first + 1, first + 2);
    format!(
        "insert into read.{name} (key, row, position)
         select k, r::json, p from unnest(${keys}::text[], ${rows}::text[], ${positions}::bigint[]) u(k, r, p) {only_if}
         on conflict (key) do update set row = excluded.row, position = excluded.position"
    )
}

/// The statement that removes rows, whose keys are the parameter `keys`.
fn remove(name: &str, keys: usize, and: &str) -> String {
    format!("delete from read.{name} where key = any (${keys}::text[]) {and}")
}

impl Table {
    /// The table `read.<name>` of a view: its own, or one beside it.
    pub fn named(view: &'static str, name: &str) -> Self {
        Self {
            view,
            name: name.into(),
            load: format!("select key, row::text, position from read.{name} where key = any ($1)").into(),
            put: put(name, 1, "").into(),
            remove: remove(name, 1, "").into(),
            copy: format!("copy read.{name} (key, row, position) from stdin").into(),
        }
    }

    /// The statement that finds rows, whose keys are the parameter `keys`, marked with a number.
    pub fn find(&self, number: usize, keys: usize) -> String {
        format!("select {number}, key, row::text, position from read.{} where key = any (${keys}::text[])", self.name)
    }

    /// The statement that writes rows if the view is among those `moved`, as part of a larger one; their columns are three parameters
    /// from `first` on.
    pub fn put_if_moved(&self, first: usize) -> String {
        let Self { view, name, .. } = self;
        let put = put(name, first, &format!("where {}", self.moved()));
        format!(", put_{view} as ({put})")
    }

    /// The same for rows that are gone, whose keys are the parameter `keys`.
    pub fn remove_if_moved(&self, keys: usize) -> String {
        let Self { view, name, .. } = self;
        let remove = remove(name, keys, &format!("and {}", self.moved()));
        format!(", gone_{view} as ({remove})")
    }

    fn moved(&self) -> String {
        format!("exists (select from moved where view = '{}')", self.view)
    }

    /// Finds rows by their keys.
    pub async fn load(&self, executor: impl PgExecutor<'_>, keys: &[Key]) -> Result<Found, Error> {
        Ok(sqlx::query_as(AssertSqlSafe(Arc::clone(&self.load))).bind(keys).fetch_all(executor).await?)
    }

    /// Writes changes to a table that has no other writer.
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
    pub async fn copy_in(
        &self,
        connection: &mut PgConnection,
        rows: impl Iterator<Item = Result<Left, Error>>,
    ) -> Result<(), Error> {
        let mut copy = connection.copy_in_raw(&self.copy).await?;
        let mut buffer: Vec<u8> = Vec::with_capacity(COPY_CHUNK + COPY_CHUNK / 8);
        let mut failed = None;
        for left in rows {
            let Left { key, row, position, .. } = match left {
                Ok(left) => left,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            let Some(row) = row else { continue };
            escape(&mut buffer, key.as_bytes());
            buffer.push(b'\t');
            escape(&mut buffer, row.as_bytes());
            buffer.push(b'\t');
            buffer.extend_from_slice(position.to_string().as_bytes());
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
    use super::super::rows::Entry;
    use super::*;

    #[test]
    fn copy_text_keeps_backslashes_and_breaks_apart() {
        let mut text = Vec::new();
        escape(&mut text, b"a\\n\tb\nc\r");
        assert_eq!(text, b"a\\\\n\\tb\\nc\\r");
    }

    #[test]
    fn a_row_that_came_and_went_between_two_writings_is_no_change() {
        let left =
            |row: Option<u8>, stored| Entry { row, stored, ..Entry::absent() }.left("tally", "a".to_owned()).unwrap();
        let mut changes = Changes::default();
        changes.push(left(None, false));
        assert!(changes.is_empty());
        changes.push(left(None, true));
        assert!(!changes.is_empty());
        assert_eq!((changes.gone.as_slice(), changes.keys.len()), (["a".to_owned()].as_slice(), 0));
        let mut changes = Changes::default();
        changes.push(Entry::stored(1, 7).left("tally", "a".to_owned()).unwrap());
        assert!(!changes.is_empty());
        assert_eq!((changes.rows, changes.positions, changes.gone.len()), (vec!["1".to_owned()], vec![7], 0));
    }

    #[test]
    fn the_changes_of_several_views_are_parts_of_one_statement_each_with_its_own_parameters() {
        let table = Table::named("tally", "tally");
        let (put, remove) = (table.put_if_moved(8), table.remove_if_moved(11));
        assert!(put.contains("unnest($8::text[], $9::text[], $10::bigint[])"), "{put}");
        assert!(remove.contains("key = any ($11::text[])"), "{remove}");
        for part in [put, remove] {
            assert_eq!(part.matches("exists (select from moved where view = 'tally')").count(), 1, "{part}");
        }
        let find = Table::named("tally", "tally_beside").find(2, 3);
        assert!(find.starts_with("select 2, key") && find.contains("read.tally_beside where key = any ($3::text[])"));
    }
}
