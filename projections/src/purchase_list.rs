//! Which keys and downloads has an account bought, and which keys has it been shown? No row has a key or a URL in it.

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::download::{self, Download};
use byteshop_domain::ids::{AccountId, Id as _, OrderId, ProductId, VariantId};
use byteshop_domain::key_pool::count_of;
use byteshop_domain::order::{Event, Number, Order, Placement};
use byteshop_domain::text::{Sku, Title};
use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use crate::engine::{Key, Keys, View};
use crate::error::Error;
use crate::page::{Ask, List, Page};
use crate::text::micros;
use crate::views::Views;

#[cfg(test)]
mod tests;

/// The view.
#[derive(Debug)]
pub struct PurchaseList;

/// An order for whose pieces keys or downloads were delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The order.
    pub order: OrderId,
    /// The order number shown to people.
    pub number: Number,
    /// The account of the buyer.
    pub account: AccountId,
    /// The lines with keys or downloads.
    pub lines: Vec<PurchasedLine>,
    /// When it was paid, which delivered them.
    #[serde(with = "micros::option")]
    pub paid_at: Option<DateTime<Utc>>,
}

/// The keys of a variant in an order, in numbers, and whether it has downloads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurchasedLine {
    /// The variant.
    pub variant: VariantId,
    /// The product.
    pub product: ProductId,
    /// The SKU.
    pub sku: Sku,
    /// The title at the time of the order.
    pub title: Title,
    /// How many keys the order has got.
    pub keys: i64,
    /// Keys among them that the buyer has been shown.
    pub revealed: i64,
    /// Keys that were revoked with a return or a refund: they are not shown any more.
    pub revoked: i64,
    /// Whether its pieces are downloads.
    pub downloads: bool,
}

impl Row {
    fn of(order: OrderId, placement: &Placement) -> Option<Self> {
        let account = placement.buyer.account?;
        let mut lines: Vec<PurchasedLine> = Vec::new();
        for line in placement.lines.iter().filter(|line| line.keys || line.downloads) {
            if lines.iter().all(|known| known.variant != line.variant) {
                let (sku, title) = (line.sku.clone(), line.title.clone());
                let (variant, product, downloads) = (line.variant, line.product, line.downloads);
                lines.push(PurchasedLine { variant, product, sku, title, keys: 0, revealed: 0, revoked: 0, downloads });
            }
        }
        let number = Number::of(order.uuid());
        (!lines.is_empty()).then_some(Self { order, number, account, lines, paid_at: None })
    }

    fn line(&mut self, variant: VariantId) -> Option<&mut PurchasedLine> {
        self.lines.iter_mut().find(|line| line.variant == variant)
    }
}

/// The content of an event for this view.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// An event of the order.
    Moved(Box<Event>),
    /// The order got its downloads, as it was paid.
    Granted(OrderId),
}

impl View for PurchaseList {
    const NAME: &'static str = "purchase_list";
    const VERSION: i32 = 3;
    const READS: &'static [Reads] = &[
        Reads::only::<Order>(&["placed", "paid", "keys_revealed", "returned", "credited"]),
        Reads::only::<Download>(&["granted"]),
    ];
    type Fact = Fact;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Fact>, CodecError> {
        if let Some(moved) = event.event::<Order>() {
            return Ok(Some(Fact::Moved(Box::new(moved?))));
        }
        let granted = event.event::<Download>().transpose()?;
        Ok(match granted {
            Some(download::Event::Granted { order, .. }) => Some(Fact::Granted(order)),
            Some(download::Event::Started { .. }) | None => None,
        })
    }

    fn keys(fact: &Fact, event: &Recorded) -> Keys {
        match fact {
            Fact::Moved(moved) => Row::touched(event.id_of::<Order>(), moved),
            Fact::Granted(order) => vec![order.to_string()],
        }
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Fact, event: &Recorded) -> Option<Row> {
        match fact {
            Fact::Moved(moved) => Row::moved(row, moved, event),
            Fact::Granted(_) => row.map(|row| Row { paid_at: row.paid_at.or(Some(event.occurred_at())), ..row }),
        }
    }
}

impl Row {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS touch a row")]
    fn touched(order: OrderId, moved: &Event) -> Keys {
        let touches = match moved {
            Event::Placed(placement) => Self::of(order, placement).is_some(),
            Event::Paid { keys, .. } => !keys.is_empty(),
            Event::KeysRevealed { .. } | Event::Returned { .. } => true,
            Event::Credited { revoked, .. } => !revoked.is_empty(),
            _ => false,
        };
        if touches { vec![order.to_string()] } else { vec![] }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS touch a row")]
    fn moved(row: Option<Self>, moved: &Event, event: &Recorded) -> Option<Self> {
        if let Event::Placed(placement) = moved {
            return Self::of(event.id_of::<Order>(), placement);
        }
        let mut row = row?;
        match moved {
            Event::Paid { keys, .. } => {
                row.paid_at = Some(event.occurred_at());
                for delivered in keys {
                    if let Some(line) = row.line(delivered.variant) {
                        line.keys = count_of(&delivered.keys);
                    }
                }
            }
            Event::KeysRevealed { lines, .. } => {
                for seen in lines {
                    if let Some(line) = row.line(seen.variant) {
                        line.revealed = seen.quantity.get();
                    }
                }
            }
            Event::Returned { lines, .. } => {
                for back in lines {
                    if let Some(line) = row.line(back.variant).filter(|line| line.keys > 0) {
                        line.revoked += back.quantity.get();
                    }
                }
            }
            Event::Credited { revoked, .. } => {
                for given_up in revoked {
                    if let Some(line) = row.line(given_up.variant) {
                        line.revoked += count_of(&given_up.keys);
                    }
                }
            }
            _ => {}
        }
        Some(row)
    }
}

/// Whose purchases are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The account.
    pub account: AccountId,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// A page of paid orders with keys or downloads, those that were paid last first.
    pub async fn purchase_list(&self, query: &Query) -> Result<Page<Row>, Error> {
        let mut sql =
            QueryBuilder::<Postgres>::new("select paid, key, row::text from read.purchase_list where account = ");
        sql.push_bind(query.account.to_string()).push(" and paid is not null");
        let list = List::of(PurchaseList::NAME, &query.account);
        if let Some((paid, key)) = query.ask.after::<(String, String)>(&list)? {
            sql.push(" and (paid, key) < (").push_bind(paid).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by paid desc, key desc limit ").push_bind(query.ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, &query.ask, &list, |(paid, key, text)| ((paid, key), text))
    }
}
