//! The settings of trading: when money is taken, how long goods come back, who sells, and who takes payments and parcels.

use byteshop_commands::Connected;
use byteshop_commands::ports::connected::{ConnectedCarrier, Provider};
use chrono::TimeDelta;

use super::reader::Reader;
use super::kind;
use crate::trade::{Trade, label_lines};

impl Reader {
    /// The connected providers and carriers. In production an emulator must be named; none if a name is unknown.
    pub(super) fn connected(&mut self, dev: bool) -> Option<Connected> {
        let provider = kind::list(Provider::ALL, Provider::as_str);
        let providers = self.read("payment_provider", dev.then_some("test"), provider);
        let carrier = kind::list(ConnectedCarrier::ALL, ConnectedCarrier::as_str);
        let carriers = self.read("carrier", dev.then_some("simulated"), carrier);
        Some(Connected { providers: providers?, carriers: carriers? })
    }

    /// How the shop trades; nothing when one of it cannot be used.
    pub(super) fn trade(&mut self, limit: Option<&'static str>) -> Option<Trade> {
        let capture = self.read("capture", None, kind::capture);
        let return_window_days = self.read("return_window_days", None, kind::number(0, 3_650));
        let cart_days = self.read("cart_days", None, kind::number(1, 3_650));
        let unpaid_orders = self.read("unpaid_orders", limit, kind::number(0, 10_000))?;
        let seller = byteshop_domain::seller::Seller {
            name: self.read("seller_name", None, kind::words)?,
            address: self.optional("seller_address", kind::lines).unwrap_or_default(),
            tax_id: self.optional("seller_tax_id", kind::words),
        };
        let return_address = self.optional("return_address", kind::lines).unwrap_or_else(|| label_lines(&seller));
        let return_window = TimeDelta::days(return_window_days?);
        Some(Trade { capture: capture?, return_window, return_address, cart_days: cart_days?, unpaid_orders, seller })
    }
}
