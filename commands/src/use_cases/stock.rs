//! The stock of a variant: movements that people record.

use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::{Command, StockLevel};
use byteshop_domain::text::Reason;

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Records goods that came in.
pub fn receive(
    unit: &Unit,
    stock: &mut Loaded<StockLevel>,
    quantity: Quantity,
    reason: Option<Reason>,
) -> Result<(), Error> {
    unit.decide(stock, &Command::Receive { quantity, reason })
}

/// Records goods that were lost or spoilt.
pub fn lose(
    unit: &Unit,
    stock: &mut Loaded<StockLevel>,
    quantity: Quantity,
    reason: Option<Reason>,
) -> Result<(), Error> {
    unit.decide(stock, &Command::Lose { quantity, reason })
}

/// Records goods that came back without a return of an order.
pub fn take_back(
    unit: &Unit,
    stock: &mut Loaded<StockLevel>,
    quantity: Quantity,
    reason: Option<Reason>,
) -> Result<(), Error> {
    unit.decide(stock, &Command::Return { quantity, order: None, reason })
}

/// Records a count of the goods on hand.
pub fn count(unit: &Unit, stock: &mut Loaded<StockLevel>, on_hand: i64) -> Result<(), Error> {
    unit.decide(stock, &Command::Count { on_hand })
}
