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
    /// Where they are sent to, in lines; none when nobody has said so.
    pub return_address: Vec<String>,
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

impl Seller {
    /// The settings that tax law wants on invoices and nobody has made (EU directive 2006/112/EC, article 226 (3) and (5)).
    pub fn lacks(&self) -> Vec<&'static str> {
        let address = self.address.is_empty().then_some("BYTESHOP_SELLER_ADDRESS");
        let tax_id = self.tax_id.is_none().then_some("BYTESHOP_SELLER_TAX_ID");
        address.into_iter().chain(tax_id).collect()
    }

    /// That papers say less of the seller than they must, if they do.
    pub fn warning(&self) -> Option<String> {
        let lacks = self.lacks();
        let unsaid = "invoices lack seller details that tax law requires";
        (!lacks.is_empty()).then(|| format!("{unsaid}: set {}", lacks.join(" and ")))
    }

    /// The seller as a label has it: the name and the address, in lines; nothing when nobody has said where that is.
    pub fn lines(&self) -> Vec<String> {
        if self.address.is_empty() { vec![] } else { [&[self.name.clone()][..], &self.address].concat() }
    }
}

impl Default for Trade {
    /// Money is taken at once, goods come back within thirty days, any number of orders may wait for their payment, and nobody
    /// has said who sells.
    fn default() -> Self {
        Self {
            capture: CaptureMode::Automatic,
            return_window: TimeDelta::days(30),
            return_address: vec![],
            cart_days: cart::LIFETIME_DAYS,
            unpaid_orders: 0,
            seller: Seller { name: "ByteShop".into(), address: vec![], tax_id: None },
        }
    }
}
