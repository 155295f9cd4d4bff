//! The role that serves adds events and reads them, and cannot make itself able to do more.

use byteshop_eventstore::{Log, roles};
use byteshop_gateway::database;
use byteshop_tests::servers::{empty_database, fresh_database, migrated, over_tcp, serving};
use byteshop_tests::shop::TestShop;
use sqlx::{Connection as _, PgConnection};

/// SQLSTATE: insufficient privilege.
const FORBIDDEN: &str = "42501";

#[tokio::test(flavor = "multi_thread")]
async fn the_role_that_serves_changes_no_event_and_lifts_no_guard() {
    let shop = TestShop::start().await;
    shop.product("R-1", 1_000, 1).await;
    let head = shop.log.head().await.unwrap();
    let mut serving = PgConnection::connect_with(shop.log.options()).await.unwrap();
    for statement in [
        "update log.event set data = data where position = 1",
        "delete from log.event where position = 1",
        "truncate log.event",
        "alter table log.event disable trigger all",
        "alter table log.event disable trigger event_rows_stay",
        "drop trigger event_rows_stay on log.event",
        "create trigger mine before insert on log.event for each row execute function log.refuse_change()",
        "alter table log.event add column more text",
        "drop table log.event",
        "create or replace function log.refuse_change() returns trigger language plpgsql as $$ begin return new; end $$",
        "create table log.mine (one int)",
        "set session_replication_role = replica",
        "set role postgres",
        "alter role current_user superuser",
        "create role mine superuser",
        "create temp table seen (line text); copy seen from program 'env'",
        "copy log.event to program 'cat > /dev/null'",
        "copy log.head to '/tmp/byteshop-head'",
        "select pg_read_file('postgresql.conf')",
        "delete from log.subject_key",
        "delete from log.head",
        "update log._sqlx_migrations set success = false",
    ] {
        let refused = sqlx::raw_sql(statement).execute(&mut serving).await;
        let Err(sqlx::Error::Database(error)) = refused else { panic!("{statement}: {refused:?}") };
        // There may be no role of this name to become.
        let code = error.code().unwrap_or_default().into_owned();
        assert!(code == FORBIDDEN || (statement.starts_with("set role") && code == "22023"), "{statement}: {error}");
    }
    assert_eq!(shop.log.excess_rights().await.unwrap(), None);
    // It still serves.
    shop.product("R-2", 1_000, 1).await;
    assert!(shop.log.head().await.unwrap() > head);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_says_what_the_role_that_serves_may_do_with_it() {
    let log = Log::open(&migrated(&fresh_database().await).await).unwrap();
    assert_eq!(roles::unlisted(&log).await.unwrap(), [""; 0], "give each its line in eventstore-schema/src/roles.rs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_more_rights_than_it_needs_is_told_and_loses_those_that_it_was_given() {
    let owner = empty_database().await;
    let log = Log::open(&owner).unwrap();
    database::migrate(&owner, &owner).await.unwrap();
    let told = log.excess_rights().await.unwrap().expect("the owner may do everything");
    assert!(told.contains("is a superuser"), "{told}");

    let serving = migrated(&owner).await;
    let mut as_owner = PgConnection::connect(&owner).await.unwrap();
    sqlx::raw_sql("grant update on log.event to byteshop_serve").execute(&mut as_owner).await.unwrap();
    let role = Log::open(&serving).unwrap();
    assert!(role.excess_rights().await.unwrap().is_some_and(|told| told.contains("may change events")));
    database::migrate(&owner, &serving).await.unwrap();
    assert_eq!(role.excess_rights().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_gets_the_password_of_its_url_and_many_may_make_it_at_once() {
    let owner = empty_database().await;
    let url = over_tcp(&serving(&owner).await);
    let (_, address) = url.rsplit_once('@').unwrap();
    let named = |password: &str| format!("postgres://byteshop_test_role:{password}@{address}");
    let (first, second) = (named("first"), named("sec%2Fond"));
    let once = [(); 6].map(|()| database::migrate(&owner, &first));
    for made in futures_util::future::join_all(once).await {
        made.unwrap();
    }
    assert!(PgConnection::connect(&first).await.is_ok());
    database::migrate(&owner, &second).await.unwrap();
    assert!(PgConnection::connect(&second).await.is_ok() && PgConnection::connect(&first).await.is_err());
}
