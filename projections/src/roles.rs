//! The owner of the views: the shop's role. It drops and creates their tables whenever one is rebuilt, and everything
//! in them is derived from the log.

use sqlx::AssertSqlSafe;

use crate::error::Error;
use crate::views::Views;

/// A statement for each thing in schema `read` that another role owns, the schema itself first.
const STATEMENTS: &str = "select statement from (
        select 0 as rank, format('alter schema read owner to %I', $1) as statement
        from pg_namespace where nspname = 'read' and pg_get_userbyid(nspowner) <> $1
        union all
        select 1, format('alter table %s owner to %I', c.oid::regclass, $1)
        from pg_class c where c.relnamespace = 'read'::regnamespace and c.relkind in ('r', 'p')
          and pg_get_userbyid(c.relowner) <> $1
        union all
        select 2, format('alter routine %s owner to %I', p.oid::regprocedure, $1)
        from pg_proc p where p.pronamespace = 'read'::regnamespace and pg_get_userbyid(p.proowner) <> $1
    ) it order by rank, statement";

impl Views {
    /// As the owner of the database: gives schema `read` and all that is in it to the role that serves.
    ///
    /// # Errors
    /// [`Error::Postgres`] when the owner may not do so.
    pub async fn give_to(&self, role: &str) -> Result<(), Error> {
        let mut transaction = self.pool().begin().await?;
        // Who owns a database without being a superuser gives away only to a role that it could act as.
        let member: bool =
            sqlx::query_scalar("select pg_has_role($1, 'member')").bind(role).fetch_one(&mut *transaction).await?;
        if !member {
            let statement: String = sqlx::query_scalar("select format('grant %I to current_user', $1)")
                .bind(role)
                .fetch_one(&mut *transaction)
                .await?;
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
        }
        let statements: Vec<String> = sqlx::query_scalar(STATEMENTS).bind(role).fetch_all(&mut *transaction).await?;
        for statement in statements {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
