//! The account of a seller: the entries from which follows what the house owes it.

use byteshop_domain::Currency;
use byteshop_domain::ids::{OrderId, SellerId};
use byteshop_domain::ledger::{self, Account, Kind};
use byteshop_domain::money::Money;
use byteshop_domain::order::SellerShare;
use byteshop_domain::text::Reference;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use super::{Ledger, Row};
use crate::engine::View as _;
use crate::error::Error;
use crate::page::{Ask, List, Page};
use crate::text::micros;
use crate::views::Views;

/// An entry of the account of a seller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SellerStatementRow))]
pub struct StatementRow {
    /// When it happened.
    #[serde(with = "micros")]
    pub at: DateTime<Utc>,
    /// What it records.
    pub kind: Kind,
    /// The order; null if there is none.
    pub order: Option<OrderId>,
    /// The number of the invoice or of the credit note, or the reference of the payout, or its id until that is known; null if there
    /// is none.
    pub document: Option<Reference>,
    /// What the buyer paid for the part of the seller, with sales tax; negative if it went back. Null if the entry is of no sale.
    pub gross: Option<Money>,
    /// The sales tax in it, which the house pays. Null if the entry is of no sale.
    pub tax: Option<Money>,
    /// The commission without its tax; negative if it was given back. Null if the entry is of no sale.
    pub commission: Option<Money>,
    /// The tax on the commission. Null if the entry is of no sale.
    pub commission_tax: Option<Money>,
    /// What it adds to what the house owes the seller: gross minus tax, commission and the tax on that.
    pub amount: Money,
}

/// Which entries of a seller are wanted, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementQuery {
    /// The seller.
    pub seller: SellerId,
    /// Only entries of this kind.
    pub kind: Option<Kind>,
    /// Only entries of this order.
    pub order: Option<OrderId>,
    /// Only entries in this currency.
    pub currency: Option<Currency>,
    /// Only entries of events at or after this time.
    pub from: Option<DateTime<Utc>>,
    /// Only entries of events before this time.
    pub until: Option<DateTime<Utc>>,
    /// Which page.
    pub ask: Ask,
}

impl StatementRow {
    /// The entry of a row as a seller sees it; none if it has nothing of the seller.
    pub(super) fn of(row: Row, seller: SellerId) -> Option<Self> {
        let (entry, shares) = (row.entry?, row.sellers);
        let own = row.invoices.into_iter().find(|it| it.seller == seller).map(|it| it.number);
        let sign = match entry.kind {
            Kind::CreditNote => -1,
            Kind::Sale
            | Kind::Capture
            | Kind::Receipt
            | Kind::VoidedReceipt
            | Kind::Refund
            | Kind::GiftCard
            | Kind::Grant
            | Kind::Withdrawal
            | Kind::Expiry
            | Kind::Dispute
            | Kind::DisputeReleased
            | Kind::DisputeLost
            | Kind::DisputeFee
            | Kind::ProviderFee
            | Kind::SellerPaid
            | Kind::SellerCharged
            | Kind::Payout
            | Kind::PayoutPaid
            | Kind::PayoutFailed
            | Kind::PayoutReturned => 1,
        };
        let share: Option<SellerShare> = shares.into_iter().find(|share| share.seller == seller);
        // Of a sale that is all commission nothing is owed, and it has no line.
        let nothing = share.as_ref().map(|_| Money { amount: 0, currency: entry.currency });
        let amount = ledger::owed(&entry.lines, seller).or(nothing)?;
        let money = |of: &dyn Fn(&SellerShare) -> i64| Some(Money { amount: sign * of(share.as_ref()?), ..amount });
        Some(Self {
            at: entry.at,
            kind: entry.kind,
            order: entry.order,
            document: own.or(entry.document),
            gross: money(&|it| it.amount.amount),
            tax: money(&|it| it.tax.amount),
            commission: money(&|it| it.commission.amount),
            commission_tax: money(&SellerShare::tax_on_commission),
            amount,
        })
    }
}

impl StatementQuery {
    /// The entries after a place in the list, with their places.
    fn statement(&self, after: Option<(String, String)>, limit: i64) -> QueryBuilder<Postgres> {
        let Self { seller, kind, order, currency, from, until, ask: _ } = self;
        let account = Account::SellerPayable(*seller).to_string();
        let mut sql =
            QueryBuilder::<Postgres>::new("select at, key, row::text from read.ledger where sellers @> array[");
        sql.push_bind(account).push("]");
        if let Some(kind) = kind {
            sql.push(" and kind = ").push_bind(kind.as_str());
        }
        if let Some(order) = order {
            sql.push(" and of_order = ").push_bind(order.to_string());
        }
        if let Some(currency) = currency {
            sql.push(" and currency = ").push_bind(currency.code());
        }
        if let Some(from) = from {
            sql.push(" and at >= ").push_bind(micros::text(from));
        }
        if let Some(until) = until {
            sql.push(" and at < ").push_bind(micros::text(until));
        }
        if let Some((at, key)) = after {
            sql.push(" and (at, key) < (").push_bind(at).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by at desc, key desc limit ").push_bind(limit);
        sql
    }
}

impl Views {
    /// A page of the entries of a seller, the newest first.
    pub async fn seller_statement(&self, query: &StatementQuery) -> Result<Page<StatementRow>, Error> {
        let StatementQuery { seller, kind, order, currency, from, until, ask } = query;
        let list = List::of("seller_statement", &(seller, kind, order, currency, from, until));
        let mut sql = query.statement(ask.after(&list)?, ask.limit() + 1);
        let found: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        let mut rows = Vec::with_capacity(found.len());
        for (at, key, text) in found {
            let row = read(*seller, &key, &text)?;
            rows.push(((at, key), row.and_then(|row| serde_json::to_string(&row).ok()).unwrap_or_default()));
        }
        Page::of(rows, ask, &list, |row| row)
    }
}

fn read(seller: SellerId, key: &str, text: &str) -> Result<Option<StatementRow>, Error> {
    let row: Row = serde_json::from_str(text).map_err(|error| Error::Row {
        view: Ledger::NAME,
        key: key.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(StatementRow::of(row, seller))
}
