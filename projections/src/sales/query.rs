//! Sums of sales by month and country.

use byteshop_domain::Currency;
use byteshop_domain::money::Money;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use crate::error::Error;
use crate::views::Views;

/// The grouping of the sums.
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
    /// The grouping of the sums.
    pub by: By,
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The day after the last one.
    pub until: Option<NaiveDate>,
}

/// Sales and losses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The sums by month, country and currency, in this order.
    pub items: Vec<Totals>,
    /// Pieces lost, by month unless the sums are by country alone: they have neither country nor currency.
    pub losses: Vec<Losses>,
}

/// Pieces lost from stock or in transit; they have neither country nor currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Losses {
    /// The month, such as `2010-03`; null if the sums are by country alone.
    pub month: Option<String>,
    /// Pieces lost, without those that were found again.
    pub lost_quantity: i64,
}

byteshop_eventstore::from_row!(Losses { month, lost_quantity });

/// Totals of a month, a country or both, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Totals {
    /// The month, such as `2010-03`; null if the sums are by country alone.
    pub month: Option<String>,
    /// The country; null if the sums are by month alone.
    pub country: Option<String>,
    /// Orders, without those cancelled before payment.
    pub orders: i64,
    /// Pieces ordered.
    pub quantity: i64,
    /// The amount ordered.
    pub gross: Money,
    /// Orders cancelled after payment.
    pub cancelled_orders: i64,
    /// The amount to be refunded for cancelled orders, negative.
    pub cancelled_amount: Money,
    /// The number of credit notes.
    pub credit_notes: i64,
    /// The amount of credit notes, negative.
    pub credited: Money,
    /// The remaining amount, including tax: `gross + cancelled_amount + credited`.
    pub after_credits: Money,
}

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
}

byteshop_eventstore::from_row!(Sums {
    month,
    country,
    currency,
    orders,
    units,
    gross,
    cancelled_orders,
    cancelled,
    credit_notes,
    credited
});

impl Views {
    /// Sales and losses.
    pub async fn sales(&self, query: &Query) -> Result<Report, Error> {
        let (month, country) = match query.by {
            By::Month => ("left(day, 7)", "null::text"),
            By::Country => ("null::text", "nullif(country, '')"),
            By::MonthCountry => ("left(day, 7)", "nullif(country, '')"),
        };
        let mut sql = QueryBuilder::<Postgres>::new("select ");
        sql.push(month).push(" as month, ").push(country).push(" as country, currency");
        for name in ["orders", "units", "gross", "cancelled_orders", "cancelled", "credit_notes", "credited"] {
            sum(&mut sql, name, name);
        }
        sql.push(" from read.sales where currency <> ''");
        within(&mut sql, query);
        sql.push(" group by 1, 2, 3 order by 1, 2, 3");
        let sums: Vec<Sums> = sql.build_query_as().fetch_all(self.pool()).await?;
        let items = sums.into_iter().filter_map(Totals::of).collect();
        let mut sql = QueryBuilder::<Postgres>::new("select ");
        sql.push(month).push(" as month");
        sum(&mut sql, "lost_units", "lost_quantity");
        sql.push(" from read.sales where currency = ''");
        within(&mut sql, query);
        sql.push(" group by 1 order by 1");
        let losses = sql.build_query_as().fetch_all(self.pool()).await?;
        Ok(Report { items, losses })
    }
}

/// A sum of bigints is a numeric; where it does not fit a bigint again, the nearest one says enough.
fn sum(sql: &mut QueryBuilder<Postgres>, column: &str, name: &str) {
    sql.push(", least(greatest(sum(").push(column).push("), -9223372036854775807), 9223372036854775807)::bigint as ");
    sql.push(name);
}

fn within(sql: &mut QueryBuilder<Postgres>, query: &Query) {
    if let Some(from) = query.from {
        sql.push(" and day >= ").push_bind(from.to_string());
    }
    if let Some(until) = query.until {
        sql.push(" and day < ").push_bind(until.to_string());
    }
}

impl Totals {
    /// None if this version does not know the currency.
    fn of(sums: Sums) -> Option<Self> {
        let currency = Currency::from_code(&sums.currency)?;
        let money = |amount: i64| Money::new(amount, currency);
        let after_credits = money(sums.gross.saturating_add(sums.cancelled).saturating_add(sums.credited));
        Some(Self {
            month: sums.month,
            country: sums.country,
            orders: sums.orders,
            quantity: sums.units,
            gross: money(sums.gross),
            cancelled_orders: sums.cancelled_orders,
            cancelled_amount: money(sums.cancelled),
            credit_notes: sums.credit_notes,
            credited: money(sums.credited),
            after_credits,
        })
    }
}
