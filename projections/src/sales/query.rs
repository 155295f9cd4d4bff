//! Sums of sales by month and country.

use byteshop_domain::Currency;
use byteshop_domain::money::Money;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Postgres, QueryBuilder};

use crate::error::Error;
use crate::views::Views;

/// What the sums are for, each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A month.
    #[default]
    Month,
    /// A country.
    Country,
    /// A country in a month.
    MonthCountry,
}

/// Which sales are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Query {
    /// What the sums are for, each.
    pub by: By,
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
}

/// The sums of a month, a country or both, in one currency. Losses have neither country nor currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Such as `2010-03`; not there when the sums are by country alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    /// Not there when the sums are by month alone, nor for losses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Orders that were not cancelled before they were paid.
    pub orders: i64,
    /// Pieces ordered with them.
    pub units: i64,
    /// What was ordered with them; not there for losses.
    pub gross: Option<Money>,
    /// Orders that were cancelled after they were paid.
    pub cancelled_orders: i64,
    /// What is owed back for them, negative.
    pub cancelled: Option<Money>,
    /// Credit notes.
    pub credit_notes: i64,
    /// What they give back, negative.
    pub credited: Option<Money>,
    /// What remains: `gross + cancelled + credited`.
    pub net: Option<Money>,
    /// Pieces lost.
    pub lost_units: i64,
}

#[derive(FromRow)]
struct Sums {
    month: Option<String>,
    country: Option<String>,
    currency: String,
    orders: i64,
    units: i64,
    gross: i64,
    cancelled_orders: i64,
    cancelled: i64,
    credit_notes: i64,
    credited: i64,
    lost_units: i64,
}

impl Views {
    /// The sums of sales, by month, country and currency in this order.
    pub async fn sales(&self, query: &Query) -> Result<Vec<Totals>, Error> {
        let (month, country) = match query.by {
            By::Month => ("left(day, 7)", "null::text"),
            By::Country => ("null::text", "nullif(country, '')"),
            By::MonthCountry => ("left(day, 7)", "nullif(country, '')"),
        };
        let mut sql = QueryBuilder::<Postgres>::new("select ");
        sql.push(month).push(" as month, ").push(country).push(" as country, currency");
        for sum in
            ["orders", "units", "gross", "cancelled_orders", "cancelled", "credit_notes", "credited", "lost_units"]
        {
            // A sum of bigints is a numeric; where it does not fit a bigint again, the nearest one says enough.
            sql.push(", least(greatest(sum(")
                .push(sum)
                .push("), -9223372036854775807), 9223372036854775807)::bigint as ");
            sql.push(sum);
        }
        sql.push(" from read.sales where true");
        if let Some(from) = query.from {
            sql.push(" and day >= ").push_bind(from.to_string());
        }
        if let Some(to) = query.to {
            sql.push(" and day <= ").push_bind(to.to_string());
        }
        sql.push(" group by 1, 2, 3 order by 1, 2, 3");
        let sums: Vec<Sums> = sql.build_query_as().fetch_all(self.pool()).await?;
        Ok(sums.into_iter().map(Totals::from).collect())
    }
}

impl From<Sums> for Totals {
    fn from(sums: Sums) -> Self {
        let currency = Currency::from_code(&sums.currency);
        let money = |amount: i64| currency.map(|currency| Money::new(amount, currency));
        let net = sums.gross.saturating_add(sums.cancelled).saturating_add(sums.credited);
        Self {
            month: sums.month,
            country: sums.country,
            orders: sums.orders,
            units: sums.units,
            gross: money(sums.gross),
            cancelled_orders: sums.cancelled_orders,
            cancelled: money(sums.cancelled),
            credit_notes: sums.credit_notes,
            credited: money(sums.credited),
            net: money(net),
            lost_units: sums.lost_units,
        }
    }
}
