//! How the shop trades: what its owner decides and the configuration says.

use byteshop_domain::cart;
use byteshop_domain::payment::CaptureMode;
use chrono::TimeDelta;

/// What the shop's owner decides about trading.
#[derive(Debug, Clone)]
pub struct Trade {
    /// When authorized money is taken.
    pub capture: CaptureMode,
    /// How long after goods were handed over their buyer can ask to send them back.
    pub return_window: TimeDelta,
    /// Days after which a cart is given up that nobody changes.
    pub cart_days: u16,
    /// Orders of one account that may wait for their payment at once; 0 for any number.
    pub unpaid_orders: u32,
    /// Who sells, as invoices say it: a name, an address and a tax number, a line each.
    pub seller: Seller,
}

/// Who sells.
#[derive(Debug, Clone)]
pub struct Seller {
    /// What the shop is called.
    pub name: String,
    /// Where it is, in lines.
    pub address: Vec<String>,
    /// Its tax number, if it has one.
    pub tax_id: Option<String>,
}

impl Default for Trade {
    /// Money is taken at once, goods come back within thirty days, any number of orders may wait for their payment, and nobody
    /// has said who sells.
    fn default() -> Self {
        Self {
            capture: CaptureMode::Automatic,
            return_window: TimeDelta::days(30),
            cart_days: cart::LIFETIME_DAYS,
            unpaid_orders: 0,
            seller: Seller { name: "ByteShop".into(), address: vec![], tax_id: None },
        }
    }
}
