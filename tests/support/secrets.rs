//! Looking for what must be nowhere: texts in the log, the receipts and the views, as they lie in Postgres.

use sqlx::{AssertSqlSafe, PgPool};

use crate::shop::TestShop;

/// Every table of ours but the one in which development keeps mail in order to show it.
const TABLES: &str = "select table_schema || '.' || table_name from information_schema.tables
     where table_schema in ('log', 'read') and table_type = 'BASE TABLE'
     and table_name <> 'kept_message'";

/// Asserts that none of some texts is in any table of the shop.
pub async fn nowhere(shop: &TestShop, texts: &[&str]) {
    let pool = PgPool::connect_with(shop.log.options().clone()).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&pool).await.unwrap();
    assert!(tables.len() > 8, "{tables:?}");
    for table in tables {
        for text in texts {
            let query = format!("select count(*) from {table} as it where strpos(it::text, $1) > 0");
            let found: i64 = sqlx::query_scalar(AssertSqlSafe(query)).bind(text).fetch_one(&pool).await.unwrap();
            assert_eq!(found, 0, "{text} is in {table}");
        }
    }
}
