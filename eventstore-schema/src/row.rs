//! Rows and migrations without sqlx's procedural macros, which build the driver, TLS and AWS-LC a second time for the compiler.

use std::borrow::Cow;

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Implements `sqlx::FromRow` for a struct: each field is read from the column of its name, or from the column that is given
/// with `field = "column"`.
#[macro_export]
macro_rules! from_row {
    ($row:ident { $($field:ident $(= $column:literal)?),+ $(,)? }) => {
        impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for $row {
            fn from_row(row: &'r sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
                use sqlx::Row as _;
                Ok(Self { $($field: row.try_get($crate::from_row!(@column $field $($column)?))?),+ })
            }
        }
    };
    (@column $field:ident) => { stringify!($field) };
    (@column $field:ident $column:literal) => { $column };
}

/// The SQL files of a crate's `migrations` directory, by name without the ending, in their order: `migrations!["0001_log", …]`
/// gives `&[(name, SQL)]` for [`migrator`].
#[macro_export]
macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql")))),+]
    };
}

/// A migrator of the files that [`migrations!`](crate::migrations) has read. Names begin with the version number.
///
/// # Panics
/// When a name does not begin with a number, which the test of its list would have shown.
pub fn migrator(files: &[(&'static str, &'static str)]) -> Migrator {
    let migration = |(name, sql): &(&'static str, &'static str)| {
        let (version, description) = name.split_once('_').expect("a migration is named NUMBER_DESCRIPTION");
        let version = version.parse().expect("the name of a migration begins with its number");
        let description = Cow::Owned(description.replace('_', " "));
        Migration::new(version, description, MigrationType::Simple, SqlStr::from_static(sql), false)
    };
    Migrator::with_migrations(files.iter().map(migration).collect())
}
