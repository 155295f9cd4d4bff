//! The roles of the database: an owner, who migrates, and the role that serves. The latter adds events and reads them; what
//! was written it can neither change nor delete, and it cannot make itself able to.

use percent_encoding::percent_decode_str;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::error::StoreError;
use crate::{Connection, Log};

/// The privileges of the shop's role on each table of schemas `log` and `emulator`; it has no others.
const GRANTS: [(&str, &str); 20] = [
    ("log.event", "select, insert"),
    ("log.head", "select, update"),
    ("log.receipt", "select, insert, update, delete"),
    ("log.delivery", "select, insert, update"),
    ("log.process", "select, insert, update, delete"),
    ("log.timer", "select, insert, update, delete"),
    ("log.subject_key", "select, insert, update"),
    ("log.credential_use", "select, insert, update"),
    ("log.cart_total", "select, insert, update, delete"),
    ("log.pool_key", "select, insert, delete"),
    ("log.data_key", "select, insert, update"),
    ("log.instance", "select, insert, update"),
    ("log.webhook_cursor", "select, insert, update, delete"),
    ("log.webhook_delivery", "select, insert, delete"),
    ("log.kept_message", "select, insert, delete"),
    ("log._sqlx_migrations", "select"),
    ("emulator.charge", "select, insert, update"),
    ("emulator.refund", "select, insert"),
    ("emulator.notification", "select, insert, update, delete"),
    ("emulator.secret", "select, insert"),
];
/// The privileges on a table that is not listed; a test requires that every table is listed.
const UNLISTED: &str = "select, insert, update, delete";
/// The tables of both schemas, with their schemas.
const TABLES: &str =
    "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('log', 'emulator') and c.relkind in ('r', 'p') order by 1";
/// The advisory lock for migrations and changes of privileges, taken by one program at a time; the number is arbitrary.
const LOCK: i64 = 0x6279_7465_7368_6f70;
/// How often the role is made or changed when other programs do so at the same time.
const TRIES: u32 = 10;

/// The role in a URL of Postgres.
struct Role {
    options: PgConnectOptions,
    password: Option<String>,
}

impl Role {
    fn of(url: &str) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse()?;
        let user = url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')).map(|(user, _)| user);
        let password = user.and_then(|user| user.split_once(':')).map(|(_, password)| password);
        let password = password.map(|password| percent_decode_str(password).decode_utf8_lossy().into_owned());
        Ok(Self { options: options.disable_statement_logging(), password })
    }

    fn name(&self) -> &str {
        self.options.get_username()
    }

    /// Whether it can log in; an error when that cannot be told.
    async fn logs_in(&self) -> Result<bool, StoreError> {
        match self.options.connect().await {
            Ok(connection) => {
                // Nothing was asked, so nothing can be lost.
                let _ = connection.close().await;
                Ok(true)
            }
            // Class 28: there is no such role, or it has another password.
            Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code.starts_with("28")) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Log {
    /// Waits until no other program brings the database up to date. The turn ends when the connection is dropped.
    ///
    /// Two programs that do it at once would both make a schema that neither has found, or change the same row of a
    /// catalog, and the later one would fail.
    ///
    /// # Errors
    /// [`StoreError::Postgres`] when Postgres does not answer.
    pub async fn turn_to_migrate(&self) -> Result<Connection, StoreError> {
        let mut connection = self.connect().await?;
        sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut connection).await?;
        Ok(connection)
    }

    /// As the owner of the database: lets the role of a URL serve the shop, which makes it when there is none. Gives its name;
    /// none when the URL names the owner itself, who then serves.
    ///
    /// # Errors
    /// [`StoreError::Postgres`] when the owner may not make roles, or Postgres does not answer.
    pub async fn admit(&self, serving_url: &str) -> Result<Option<String>, StoreError> {
        let role = Role::of(serving_url)?;
        let mut owner = self.connect().await?;
        let current: String = sqlx::query_scalar("select current_user::text").fetch_one(&mut owner).await?;
        if current == role.name() {
            return Ok(None);
        }
        make(&mut owner, &role).await?;
        grant(&mut owner, role.name()).await?;
        Ok(Some(role.name().to_owned()))
    }

    /// The privileges of this connection's role to change recorded events, in words; none if it can only append and
    /// read them.
    pub async fn excess_rights(&self) -> Result<Option<String>, StoreError> {
        let said: Option<String> = sqlx::query_scalar(
            "select case
                when r.rolsuper then 'is a superuser'
                when pg_has_role(c.relowner, 'usage') then 'owns the log'
                when has_table_privilege(c.oid, 'update, delete, truncate, trigger') then 'may change events'
             end
             from pg_class c, pg_roles r where c.oid = 'log.event'::regclass and r.rolname = current_user",
        )
        .fetch_one(self.pool())
        .await?;
        Ok(said.map(|said| format!("the database role {} {said}", self.options().get_username())))
    }

    /// Whether the role of this connection may bring the schema up to date.
    pub async fn may_migrate(&self) -> Result<bool, StoreError> {
        let may = "select case when n.oid is null then has_database_privilege(current_database(), 'create')
                   else has_schema_privilege(n.oid, 'create') end
                   from (select 1) one left join pg_namespace n on n.nspname = 'log'";
        Ok(sqlx::query_scalar(may).fetch_one(self.pool()).await?)
    }
}

/// Makes the role, or gives it the password of the URL.
async fn make(owner: &mut Connection, role: &Role) -> Result<(), StoreError> {
    let mut failed = None;
    for _ in 0..TRIES {
        if role.logs_in().await? {
            return Ok(());
        }
        // Roles belong to the whole server, so a lock in this database does not keep others from making the same one.
        let known: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
            .bind(role.name())
            .fetch_one(&mut *owner)
            .await?;
        let verb = if known { "alter" } else { "create" };
        let limits = "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password";
        let statement: String = sqlx::query_scalar("select format($1, $2::text, $3::text)")
            .bind(format!("{verb} role %I with {limits} %L"))
            .bind(role.name())
            .bind(role.password.as_deref())
            .fetch_one(&mut *owner)
            .await?;
        // Tried again for the sake of who did the same just now.
        failed = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *owner).await.err();
    }
    if role.logs_in().await? { Ok(()) } else { Err(failed.map_or(StoreError::Unavailable(refused(role)), Into::into)) }
}

fn refused(role: &Role) -> String {
    format!("the role {} was created but cannot log in: check pg_hba.conf", role.name())
}

/// Grants the role its privileges on schemas `log` and `emulator`, and revokes all others.
async fn grant(owner: &mut Connection, role: &str) -> Result<(), StoreError> {
    let mut transaction = owner.begin().await?;
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut *transaction).await?;
    let name: String = sqlx::query_scalar("select quote_ident($1)").bind(role).fetch_one(&mut *transaction).await?;
    let mut statements = vec![
        format!("revoke all on schema log, emulator from {name}"),
        format!("grant usage on schema log, emulator to {name}"),
        format!("revoke all on all tables in schema log, emulator from {name}"),
        format!("revoke all on all sequences in schema log, emulator from {name}"),
    ];
    for table in tables {
        let listed = GRANTS.iter().find(|(known, _)| *known == table);
        let privileges = listed.map_or(UNLISTED, |(_, privileges)| privileges);
        statements.push(format!("grant {privileges} on {table} to {name}"));
    }
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The tables that have no line in the list of what the serving role may do.
///
/// # Errors
/// [`StoreError::Postgres`] when Postgres does not answer.
pub async fn unlisted(log: &Log) -> Result<Vec<String>, StoreError> {
    let mut tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(log.pool()).await?;
    tables.retain(|table| GRANTS.iter().all(|(known, _)| known != table));
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_from_its_url() {
        for (url, name, password) in [
            ("postgres://shop:p%40ss@host:1/db", "shop", Some("p@ss")),
            ("postgres://shop:pa/ss@host/db", "shop", Some("pa/ss")),
            ("postgres://shop@host/db", "shop", None),
        ] {
            let Ok(role) = Role::of(url) else { continue };
            assert_eq!((role.name(), role.password.as_deref()), (name, password), "{url}");
        }
    }

    #[test]
    fn events_are_added_and_read_and_no_more() {
        let of = |wanted: &str| GRANTS.iter().find(|(table, _)| *table == wanted).map(|(_, privileges)| *privileges);
        assert_eq!(of("log.event"), Some("select, insert"));
        assert!(GRANTS.iter().all(|(_, privileges)| !privileges.contains("truncate") && !privileges.contains("all")));
    }
}
