//! Reading: pages of the log, of a stream, of many streams at once. A reader never holds more than a page.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{FromRow as _, Row as _};
use uuid::Uuid;

use crate::envelope::{Recorded, StreamId};
use crate::error::StoreError;
use crate::{Connection, Log};

/// Events in a page: keyset pages of this size read as fast as COPY OUT, and hold about half a megabyte.
pub const PAGE: i64 = 1_000;

/// Which events of the log a reader wants.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these categories; all when empty.
    pub categories: Vec<String>,
    /// Only events of these types, each with its category, such as `order.placed`; all when empty.
    pub types: Vec<String>,
    /// Only events of these streams; all when empty.
    pub streams: Vec<StreamId>,
    /// Only events whose actor is this, as `audit` writes it: a kind, an id, or both.
    pub actor: Option<String>,
    /// Only events recorded at or after this moment.
    pub since: Option<DateTime<Utc>>,
    /// Only events recorded before this moment.
    pub until: Option<DateTime<Utc>>,
}

/// The part of the log ahead of a reader.
#[derive(Debug, Clone)]
pub struct Ahead {
    /// How far was looked; the reader's own position when there is nothing new.
    pub upto: i64,
    /// The events that match, in order.
    pub events: Vec<Recorded>,
}

/// What changed in the part of the log ahead of a reader.
#[derive(Debug, Clone)]
pub struct Changed {
    /// How far was looked; before the reader's own position when the log has become shorter.
    pub upto: i64,
    /// The streams that changed, each with its newest version there.
    pub streams: Vec<(StreamId, i64)>,
}

/// How far was looked, and a stream that changed there, if there is one.
type Change = (i64, Option<String>, Option<Uuid>, Option<i64>);

/// The events that a [`Filter`] lets through, with the rest of the statement.
macro_rules! filtered {
    ($rest:literal) => {
        concat!(
            "select position, id, category, stream, version, type, schema, data::text as data, meta::text as meta, recorded_at, leaf
             from log.event
             where ($3::text[] is null or category = any ($3))
               and ($4::text[] is null or category || '.' || type = any ($4))
               and ($5::uuid[] is null or stream = any ($5))
               and ($6::text is null or (strpos(meta::text, $9) > 0 and (concat_ws(' ', meta->'actor'->>'kind', coalesce(meta->'actor'->>'id', meta->'actor'->>'name', meta->'actor'->>'cart', meta->'actor'->>'key')) = $6
                    or $6 in (meta->'actor'->>'kind', meta->'actor'->>'id', meta->'actor'->>'name', meta->'actor'->>'cart', meta->'actor'->>'key'))))
               and ($7::timestamptz is null or recorded_at >= $7)
               and ($8::timestamptz is null or recorded_at < $8)
               and ",
            $rest
        )
    };
}

impl Filter {
    /// The categories that the other parts of the filter leave: with them, the index over streams serves.
    fn narrowest_categories(&self) -> Vec<String> {
        if !self.categories.is_empty() {
            return self.categories.clone();
        }
        let of_streams = self.streams.iter().map(|stream| stream.category.to_string());
        let of_types = self.types.iter().filter_map(|name| Some(name.split_once('.')?.0.to_owned()));
        let mut left: Vec<String> = if self.streams.is_empty() { of_types.collect() } else { of_streams.collect() };
        left.sort_unstable();
        left.dedup();
        left
    }
}

impl Log {
    /// The next events of the log after a position, in order.
    pub async fn read_log(&self, after: i64, limit: i64) -> Result<Vec<Recorded>, StoreError> {
        Ok(sqlx::query_as(
            "select position, id, category, stream, version, type, schema, data::text as data, meta::text as meta, recorded_at, leaf
             from log.event where position > $1 order by position limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(self.pool())
        .await?)
    }

    /// The events of some categories between two positions (exclusive, inclusive), in order. The range bounds the page.
    ///
    /// `category || ''` keeps Postgres from the index over categories, in which it would read all of their history.
    pub async fn read_range(&self, after: i64, upto: i64, categories: &[&str]) -> Result<Vec<Recorded>, StoreError> {
        Ok(sqlx::query_as(
            "select position, id, category, stream, version, type, schema, data::text as data, meta::text as meta, recorded_at, leaf
             from log.event where position > $1 and position <= $2 and category || '' = any ($3) order by position",
        )
        .bind(after)
        .bind(upto)
        .bind(categories)
        .fetch_all(self.pool())
        .await?)
    }

    /// The next events after a position that a filter lets through.
    pub async fn read_filtered(&self, after: i64, limit: i64, filter: &Filter) -> Result<Vec<Recorded>, StoreError> {
        self.filtered(filtered!("position > $1 order by position limit $2"), after, limit, filter).await
    }

    /// The last events up to a position that a filter lets through, in order.
    pub async fn read_last(&self, upto: i64, limit: i64, filter: &Filter) -> Result<Vec<Recorded>, StoreError> {
        let sql = filtered!("position <= $1 order by position desc limit $2");
        let mut events = self.filtered(sql, upto, limit, filter).await?;
        events.reverse();
        Ok(events)
    }

    async fn filtered(
        &self,
        sql: &'static str,
        position: i64,
        limit: i64,
        filter: &Filter,
    ) -> Result<Vec<Recorded>, StoreError> {
        let categories = filter.narrowest_categories();
        let streams: Vec<Uuid> = filter.streams.iter().map(|stream| stream.id).collect();
        // Which filters are there decides which index serves, so this statement is planned for its arguments.
        let mut transaction = self.pool().begin().await?;
        sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut *transaction).await?;
        let events = sqlx::query_as(sql)
            .bind(position)
            .bind(limit)
            .bind((!categories.is_empty()).then_some(&categories))
            .bind((!filter.types.is_empty()).then_some(&filter.types))
            .bind((!streams.is_empty()).then_some(&streams))
            .bind(&filter.actor)
            .bind(filter.since)
            .bind(filter.until)
            // Looking for a word is many times cheaper than reading the JSON of every event.
            .bind(filter.actor.as_deref().and_then(|actor| actor.rsplit(' ').next()))
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(events)
    }

    /// The names of the processes and systems that did something, in order. It reads the whole log.
    pub async fn actor_names(&self) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "select distinct meta->'actor'->>'name' as name from log.event
             where strpos(meta::text, '\"name\"') > 0 and meta->'actor'->>'name' is not null order by name",
        )
        .fetch_all(self.pool())
        .await?)
    }

    /// The events of one type whose data holds a text somewhere, in order.
    pub async fn mentioning(&self, category: &str, event_type: &str, text: &str) -> Result<Vec<Recorded>, StoreError> {
        Ok(sqlx::query_as(
            "select position, id, category, stream, version, type, schema, data::text as data, meta::text as meta, recorded_at, leaf
             from log.event where category = $1 and type = $2 and strpos(data::text, $3) > 0 order by position limit $4",
        )
        .bind(category)
        .bind(event_type)
        .bind(text)
        .bind(PAGE)
        .fetch_all(self.pool())
        .await?)
    }

    /// The next events of a stream after a version, in order.
    pub async fn read_stream(&self, stream: &StreamId, after: i64, limit: i64) -> Result<Vec<Recorded>, StoreError> {
        read_stream_on(&mut *self.pool().acquire().await?, stream, after, limit).await
    }

    /// The next page of each of many streams after a version of each, in the order of the streams, in one round trip.
    pub async fn read_many(&self, streams: &[(StreamId, i64)], limit: i64) -> Result<Vec<Vec<Recorded>>, StoreError> {
        read_many_on(&mut *self.pool().acquire().await?, streams, limit).await
    }

    /// The event at a position.
    pub async fn event_at(&self, position: i64) -> Result<Option<Recorded>, StoreError> {
        Ok(self.read_log(position - 1, 1).await?.into_iter().find(|event| event.position == position))
    }

    /// When some positions were recorded; those beyond the end are missing.
    pub async fn recorded_at(&self, positions: &[i64]) -> Result<BTreeMap<i64, DateTime<Utc>>, StoreError> {
        let rows: Vec<(i64, DateTime<Utc>)> =
            sqlx::query_as("select position, recorded_at from log.event where position = any ($1)")
                .bind(positions)
                .fetch_all(self.pool())
                .await?;
        Ok(rows.into_iter().collect())
    }

    /// The next events of one chain of causes and effects after a position, in order.
    pub async fn read_correlation(
        &self,
        correlation: Uuid,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Recorded>, StoreError> {
        Ok(sqlx::query_as(
            "select position, id, category, stream, version, type, schema, data::text as data, meta::text as meta, recorded_at, leaf
             from log.event where correlation = $1 and position > $2 order by position limit $3",
        )
        .bind(correlation)
        .bind(after)
        .bind(limit)
        .fetch_all(self.pool())
        .await?)
    }

    /// The version of a stream, 0 when there is none.
    pub async fn version_of(&self, stream: &StreamId) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("select coalesce(max(version), 0) from log.event where category = $1 and stream = $2")
            .bind(&*stream.category)
            .bind(stream.id)
            .fetch_one(self.pool())
            .await?)
    }

    /// The last position of the log, 0 when it is empty.
    pub async fn head(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("select position from log.head").fetch_one(self.pool()).await?)
    }

    /// The leaf hash at a position.
    pub async fn leaf_at(&self, position: i64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("select log.leaf_at($1)").bind(position).fetch_one(self.pool()).await?)
    }

    /// The last position that was recorded at or before a moment, 0 when there is none.
    pub async fn position_at(&self, moment: DateTime<Utc>) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("select coalesce(max(position), 0) from log.event where recorded_at <= $1")
            .bind(moment)
            .fetch_one(self.pool())
            .await?)
    }
}

/// Reads at most `range` positions ahead: the events of some categories, and the position that was reached. One round
/// trip; a reader of few categories does not load the others.
pub async fn read_ahead(
    connection: &mut Connection,
    after: i64,
    range: i64,
    categories: &[&str],
) -> Result<Ahead, StoreError> {
    let rows = sqlx::query(
            "select least(h.position, $1 + $2) as upto,
                    e.position, e.id, e.category, e.stream, e.version, e.type, e.schema, e.data::text as data, e.meta::text as meta, e.recorded_at, e.leaf
             from log.head h
             left join log.event e on e.position > $1 and e.position <= $1 + $2 and e.category || '' = any ($3)
             order by e.position",
        )
        .bind(after)
        .bind(range)
        .bind(categories)
        .fetch_all(connection)
        .await?;
    let mut ahead = Ahead { upto: after, events: Vec::with_capacity(rows.len()) };
    for row in rows {
        ahead.upto = row.try_get("upto")?;
        if row.try_get::<Option<i64>, _>("position")?.is_some() {
            ahead.events.push(Recorded::from_row(&row)?);
        }
    }
    Ok(ahead)
}

/// Looks at most `range` positions ahead for changes of the streams of some categories. One round trip, and no event is loaded.
pub async fn changed_ahead(
    connection: &mut Connection,
    after: i64,
    range: i64,
    categories: &[&str],
) -> Result<Changed, StoreError> {
    let rows: Vec<Change> = sqlx::query_as(
        "select least(h.position, $1 + $2), e.category, e.stream, e.version
             from log.head h
             left join lateral (
                select category, stream, max(version) as version from log.event
                where position > $1 and position <= $1 + $2 and category || '' = any ($3)
                group by category, stream) e on true",
    )
    .bind(after)
    .bind(range)
    .bind(categories)
    .fetch_all(connection)
    .await?;
    let upto = rows.first().map_or(after, |(upto, ..)| *upto);
    let stream = |(_, category, stream, version): Change| Some((StreamId::named(category?, stream?), version?));
    Ok(Changed { upto, streams: rows.into_iter().filter_map(stream).collect() })
}

/// [`Log::read_many`] on a connection of the caller's: a pool would ask it before and after whether it lives.
pub async fn read_many_on(
    connection: &mut Connection,
    streams: &[(StreamId, i64)],
    limit: i64,
) -> Result<Vec<Vec<Recorded>>, StoreError> {
    if let [(stream, after)] = streams {
        return Ok(vec![read_stream_on(connection, stream, *after, limit).await?]);
    }
    let categories: Vec<&str> = streams.iter().map(|(stream, _)| stream.category.as_ref()).collect();
    let ids: Vec<Uuid> = streams.iter().map(|(stream, _)| stream.id).collect();
    let after: Vec<i64> = streams.iter().map(|(_, version)| *version).collect();
    let rows = sqlx::query(
            "select s.n, e.position, e.id, e.category, e.stream, e.version, e.type, e.schema, e.data::text as data, e.meta::text as meta, e.recorded_at, e.leaf
             from unnest($1::text[], $2::uuid[], $3::bigint[]) with ordinality s(category, stream, version, n)
             cross join lateral (
                select * from log.event e
                where e.category = s.category and e.stream = s.stream and e.version > s.version
                order by e.version limit $4) e
             order by s.n, e.version",
        )
        .bind(categories)
        .bind(ids)
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let mut pages: Vec<Vec<Recorded>> = vec![Vec::new(); streams.len()];
    for row in rows {
        let place = usize::try_from(row.try_get::<i64, _>("n")? - 1).unwrap_or(usize::MAX);
        if let Some(page) = pages.get_mut(place) {
            page.push(Recorded::from_row(&row)?);
        }
    }
    Ok(pages)
}

async fn read_stream_on(
    connection: &mut Connection,
    stream: &StreamId,
    after: i64,
    limit: i64,
) -> Result<Vec<Recorded>, StoreError> {
    Ok(sqlx::query_as(
            "select position, id, category, stream, version, type, schema, data::text as data, meta::text as meta, recorded_at, leaf
             from log.event where category = $1 and stream = $2 and version > $3 order by version limit $4",
        )
        .bind(stream.category.as_ref())
        .bind(stream.id)
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn categories(categories: &[&str], types: &[&str], streams: &[&'static str]) -> Vec<String> {
        let filter = Filter {
            categories: categories.iter().map(|name| (*name).to_owned()).collect(),
            types: types.iter().map(|name| (*name).to_owned()).collect(),
            streams: streams.iter().map(|name| StreamId::named(*name, Uuid::nil())).collect(),
            ..Filter::default()
        };
        filter.narrowest_categories()
    }

    #[test]
    fn a_filter_looks_only_at_the_categories_that_its_parts_leave() {
        assert_eq!(categories(&[], &[], &[]), [""; 0]);
        assert_eq!(categories(&["cart"], &["order.placed"], &["order"]), ["cart"]);
        assert_eq!(categories(&[], &["order.placed", "cart.created", "order.paid"], &[]), ["cart", "order"]);
        assert_eq!(categories(&[], &["order.placed"], &["stock", "cart", "stock"]), ["cart", "stock"]);
    }
}
