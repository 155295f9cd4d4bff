//! Balances and entries of the ledger.

use byteshop_domain::Currency;
use byteshop_domain::ids::OrderId;
use byteshop_domain::ledger::{Account, Holding, Kind};
use byteshop_domain::money::Money;
use byteshop_domain::text::Reference;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use super::{Ledger, Posted};
use crate::engine::View as _;
use crate::error::Error;
use crate::page::{Ask, List, Page};
use crate::text::micros;
use crate::views::Views;

/// The balance of an account in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LedgerBalance))]
pub struct Balance {
    /// The account, such as `clearing`, `customers`, `sales` or `sales_tax/DE/19`.
    pub account: String,
    /// The number of its lines.
    pub lines: i64,
    /// The sum of its debits.
    pub debit: Money,
    /// The sum of its credits.
    pub credit: Money,
    /// Debits minus credits: negative if more was credited.
    pub balance: Money,
}

/// Which charges are wanted: those with an entry of money in a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charges {
    /// From this time on.
    pub from: DateTime<Utc>,
    /// Before this time.
    pub until: DateTime<Utc>,
    /// How the references of the provider begin.
    pub beginning: &'static str,
    /// Which page.
    pub ask: Ask,
}

/// A charge, as the entries have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The order.
    pub order: OrderId,
    /// The provider's reference.
    pub reference: Reference,
    /// What was captured and not refunded, without what a seller has of it.
    pub amount: Money,
    /// What the provider keeps as its fee.
    pub fee: Money,
}

/// The charges of a page. The fee is that of the captured attempt; an order may have others, which were given back.
const CHARGES: &str = "select of_order, currency, reference, \
     coalesce(sum(amount) filter (where account in ($6, $7) and kind <> 'provider_fee'), 0)::bigint as amount, \
     coalesce(sum(amount) filter (where account = $8 and kind = 'provider_fee' and document = reference), 0)::bigint as fee \
     from (select captured.of_order, captured.currency, captured.document as reference, entry.kind, \
           entry.row -> 'entry' ->> 'document' as document, unnest(entry.accounts) as account, unnest(entry.amounts) as amount \
           from (select of_order, currency, row -> 'entry' ->> 'document' as document from read.ledger \
                 where posted is not null and kind = 'capture' and starts_with(row -> 'entry' ->> 'document', $4) \
                 and of_order in (select of_order from read.ledger where posted is not null and at >= $1 and at < $2 \
                                  and kind in ('capture', 'refund', 'dispute_lost', 'provider_fee', 'seller_paid', 'seller_charged') \
                                  and of_order > $3) \
                 order by of_order limit $5) captured \
           join read.ledger entry on entry.posted is not null and entry.of_order = captured.of_order \
                and entry.kind in ('capture', 'refund', 'dispute_lost', 'provider_fee', 'seller_paid', 'seller_charged')) line \
     group by of_order, currency, reference order by of_order";

struct Sums {
    account: String,
    currency: String,
    lines: i64,
    debit: i64,
    credit: i64,
}

byteshop_eventstore::from_row!(Sums { account, currency, lines, debit, credit });

impl Balance {
    fn of(sums: Sums) -> Option<Self> {
        let currency = Currency::from_code(&sums.currency)?;
        let money = |amount| Money { amount, currency };
        Some(Self {
            account: sums.account,
            lines: sums.lines,
            debit: money(sums.debit),
            credit: money(sums.credit),
            balance: money(sums.debit.saturating_sub(sums.credit)),
        })
    }
}

/// Which entries are wanted, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only entries with a line of this account, or of the accounts below it: `sales_tax` has those of all countries.
    pub account: Option<String>,
    /// Only entries of this kind.
    pub kind: Option<Kind>,
    /// Only entries of this order.
    pub order: Option<OrderId>,
    /// Only entries of events at or after this time.
    pub from: Option<DateTime<Utc>>,
    /// Only entries of events before this time.
    pub until: Option<DateTime<Utc>>,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// The trial balance: each account with an entry at or before a position, by currency. Over all accounts of a currency the
    /// balances add up to zero.
    pub async fn ledger_balances(&self, position: Option<i64>) -> Result<Vec<Balance>, Error> {
        let mut sql = QueryBuilder::<Postgres>::new(
            "select account, currency, count(*) as lines, \
             least(coalesce(sum(amount) filter (where amount > 0), 0), 9223372036854775807)::bigint as debit, \
             least(-coalesce(sum(amount) filter (where amount < 0), 0), 9223372036854775807)::bigint as credit \
             from (select currency, unnest(accounts) as account, unnest(amounts) as amount \
             from read.ledger where posted is not null",
        );
        if let Some(position) = position {
            sql.push(" and posted <= ").push_bind(position);
        }
        sql.push(") line group by 1, 2 order by 2, 1");
        let sums: Vec<Sums> = sql.build_query_as().fetch_all(self.pool()).await?;
        Ok(sums.into_iter().filter_map(Balance::of).collect())
    }

    /// What the provider holds of each charge by the entries of the clearing account: what was captured and not refunded. What is
    /// disputed is the provider's to decide, and counts until it is lost.
    pub async fn ledger_holdings(&self) -> Result<Vec<Holding>, Error> {
        let rows: Vec<(String, Option<String>, String, i64)> = sqlx::query_as(
            "select max(row -> 'entry' ->> 'document') filter (where kind = 'capture'), of_order, currency, sum(amount)::bigint \
             from (select row, kind, of_order, currency, unnest(accounts) as account, unnest(amounts) as amount \
             from read.ledger where posted is not null and kind in ('capture', 'refund', 'dispute_lost')) line \
             where account in ($1, $2) group by of_order, currency having bool_or(account = $1)",
        )
        .bind(Account::Clearing.to_string())
        .bind(Account::Disputes.to_string())
        .fetch_all(self.pool())
        .await?;
        let holding = |(reference, order, currency, amount): (String, Option<String>, String, i64)| {
            let amount = Money { amount, currency: Currency::from_code(&currency)? };
            let order = order.and_then(|order| order.parse().ok());
            Some(Holding { reference: Reference::new(&reference).ok()?, order, amount, fee: None })
        };
        Ok(rows.into_iter().filter_map(holding).collect())
    }

    /// A page of the charges of a provider that moved in a time, by order: what the entries of each say that the provider has, and keeps
    /// as its fee.
    pub async fn ledger_charges(&self, query: &Charges) -> Result<Page<Charge>, Error> {
        // The time may go on while pages are read.
        let list = List::of("ledger_charges", &query.beginning);
        let after = query.ask.after::<String>(&list)?.unwrap_or_default();
        let rows: Vec<(String, String, String, i64, i64)> = sqlx::query_as(CHARGES)
            .bind(micros::text(&query.from))
            .bind(micros::text(&query.until))
            .bind(after)
            .bind(query.beginning)
            .bind(query.ask.limit() + 1)
            .bind(Account::Clearing.to_string())
            .bind(Account::Disputes.to_string())
            .bind(Account::ProviderFees.to_string())
            .fetch_all(self.pool())
            .await?;
        let charge = |(order, currency, reference, amount, fee): (String, String, String, i64, i64)| {
            let currency = Currency::from_code(&currency)?;
            let money = |amount| Money { amount, currency };
            let (of_order, reference) = (order.parse().ok()?, Reference::new(&reference).ok()?);
            let charge = Charge { order: of_order, reference, amount: money(amount), fee: money(fee) };
            Some((order, serde_json::to_string(&charge).ok()?))
        };
        Page::of(rows.into_iter().filter_map(charge).collect(), &query.ask, &list, |row| row)
    }

    /// A page of entries, the newest first.
    pub async fn ledger_entries(&self, query: &Query) -> Result<Page<Posted>, Error> {
        let mut sql =
            QueryBuilder::<Postgres>::new("select posted, row ->> 'entry' from read.ledger where posted is not null");
        if let Some(account) = &query.account {
            sql.push(" and exists (select from unnest(accounts) account where account = ").push_bind(account);
            sql.push(" or starts_with(account, ").push_bind(format!("{account}/")).push("))");
        }
        if let Some(kind) = query.kind {
            sql.push(" and kind = ").push_bind(kind.as_str());
        }
        if let Some(order) = query.order {
            sql.push(" and of_order = ").push_bind(order.to_string());
        }
        if let Some(from) = &query.from {
            sql.push(" and at >= ").push_bind(micros::text(from));
        }
        if let Some(until) = &query.until {
            sql.push(" and at < ").push_bind(micros::text(until));
        }
        let Query { account, kind, order, from, until, ask } = query;
        let list = List::of(Ledger::NAME, &(account, kind, order, from, until));
        if let Some(after) = ask.after::<i64>(&list)? {
            sql.push(" and posted < ").push_bind(after);
        }
        sql.push(" order by posted desc limit ").push_bind(ask.limit() + 1);
        let rows: Vec<(i64, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, ask, &list, |row| row)
    }
}
