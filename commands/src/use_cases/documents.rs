//! The numbers of documents: each is taken from its series in the append that issues the document, so none is ever lost or
//! given twice.

use byteshop_domain::credit_note::CreditNote;
use byteshop_domain::gift_card_delivery::Cards;
use byteshop_domain::ids::{OrderId, PaymentId, SeriesId, StoredValueId};
use byteshop_domain::order::{Order, Placed};
use byteshop_domain::seller::Seller;
use byteshop_domain::series::{self, Series, of_credit_notes};
use byteshop_domain::settlement;
use byteshop_domain::stored_value::StoredValue;
use byteshop_domain::text::Reason;
use chrono::Datelike as _;

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::engine::together::Together;
use crate::engine::unit::Unit;
use crate::use_cases::generated_keys;

impl Commands {
    /// Lets a series go on above a number: what is left out is written down with its reason. Gives the last
    /// number that is given or left out then.
    pub async fn skip_numbers(&self, intent: &Intent, id: SeriesId, to: i64, reason: &Reason) -> Result<i64, Error> {
        let done = self.run(intent, |unit| async move {
            let mut series = unit.load::<Series>(id).await?;
            unit.decide(&mut series, &series::Command::Skip { to, reason: reason.clone() })?;
            Ok(series.state.last)
        });
        Ok(done.await?.answer)
    }

    /// Marks an order paid, gives its invoices the next numbers of their series, commits its stock, assigns its keys, issues its gift
    /// cards and grants its downloads, in one append.
    ///
    /// The one process that marks orders paid builds each append on the one before in memory, so payments at the same time
    /// do not get in each other's way, although they share a series.
    pub(crate) async fn mark_paid(&self, intent: &Intent, order: OrderId, payment: PaymentId) -> Result<(), Error> {
        self.run(intent, |unit| async move {
            let loaded = unit.load::<Order>(order).await?;
            let mut together = unit.together();
            together.hold(&loaded);
            let mut cards = Cards::new();
            // What is paid already, or cancelled, takes no number.
            if let Some(placed) = loaded.state.awaiting(payment) {
                // The append expects the legal data of the sellers to be unchanged.
                let sellers: Vec<_> = placed.parts.all().iter().filter_map(|part| part.seller).collect();
                together.load::<Seller>(&sellers).await?;
                let series = together.look(|work| settlement::series_of_invoices(work, placed))?;
                together.load::<Series>(&series).await?;
                together.load_stock(&placed.stock_to_commit()).await?;
                let keyed = placed.keyed();
                generated_keys::make(&unit, &keyed).await?;
                cards = generated_keys::gift_cards(&unit, &keyed).await?;
                let ids: Vec<StoredValueId> = cards.values().flatten().copied().collect();
                together.load::<StoredValue>(&ids).await?;
                together.load_pools(&keyed).await?;
                together.load_goods(order, placed).await?;
            }
            together.decide(|work| settlement::mark_paid(work, order, payment, &cards))
        })
        .await?;
        Ok(())
    }
}

impl Together<'_> {
    /// What a refund of an order without goods concerns: its documents, the pools of its keys, and its gift cards.
    pub(crate) async fn load_money_back(&mut self, unit: &Unit, order: &Placed) -> Result<(), Error> {
        self.load_documents(unit, order).await?;
        self.load_pools(&order.pieces_with_keys()).await?;
        self.load::<StoredValue>(&order.gift_cards()).await
    }

    /// The credit notes of an order, and the series of the next ones where there can be any.
    pub(crate) async fn load_documents(&mut self, unit: &Unit, order: &Placed) -> Result<(), Error> {
        self.load::<CreditNote>(&order.credit_notes).await?;
        if order.is_paid() {
            let year = unit.asked().at.year();
            let series = order.suppliers().into_iter().map(|supplier| of_credit_notes(supplier, year));
            self.load::<Series>(&series.collect::<Vec<_>>()).await?;
        }
        Ok(())
    }
}
