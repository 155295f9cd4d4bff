//! How the shop trades: what its owner decides and the configuration says.

use byteshop_commands::PayoutRules;
use byteshop_domain::cart;
use byteshop_domain::issuer::Issuer;
use byteshop_domain::payment::CaptureMode;
use chrono::TimeDelta;

/// The settings of trading.
#[derive(Debug, Clone)]
pub struct Trade {
    /// When authorized money is taken.
    pub capture: CaptureMode,
    /// How long after goods were handed over their buyer can ask to send them back.
    pub return_window: TimeDelta,
    /// The return address in lines; empty if it is not set.
    pub return_address: Vec<String>,
    /// Days after which an unchanged cart expires.
    pub cart_days: u16,
    /// Orders of one account that may wait for their payment at once; 0 for any number.
    pub unpaid_orders: u32,
    /// The largest file that can be sold, in bytes.
    pub file_max: usize,
    /// The issuer of invoices: name, address lines and tax number.
    pub issuer: Issuer,
    /// When and how sellers are paid what they have earned.
    pub payouts: PayoutRules,
}

/// The settings that are missing although tax law requires them on invoices (EU directive 2006/112/EC, article 226 (3) and (5)).
pub fn missing_of_issuer(issuer: &Issuer) -> Vec<&'static str> {
    let address = issuer.address.is_empty().then_some("BYTESHOP_SELLER_ADDRESS");
    let tax_id = issuer.tax_id.is_none().then_some("BYTESHOP_SELLER_TAX_ID");
    address.into_iter().chain(tax_id).collect()
}

/// A warning that invoices lack seller details, if they do.
pub fn issuer_warning(issuer: &Issuer) -> Option<String> {
    let missing = missing_of_issuer(issuer);
    let unsaid = "invoices lack seller details that tax law requires";
    (!missing.is_empty()).then(|| format!("{unsaid}: set {}", missing.join(" and ")))
}

/// A warning that buyers are not told where to send goods back to, if they are not.
pub fn return_address_warning(return_address: &[String]) -> Option<&'static str> {
    return_address.is_empty().then_some("mails do not say where to send returns: set BYTESHOP_RETURN_ADDRESS")
}

/// The issuer as a label has it: the name and the address, in lines; nothing where no address is set.
pub fn label_lines(issuer: &Issuer) -> Vec<String> {
    if issuer.address.is_empty() { vec![] } else { [&[issuer.name.clone()][..], &issuer.address].concat() }
}

impl Trade {
    /// Warnings that operators must see before the shop sells.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let back = return_address_warning(&self.return_address).map(str::to_owned);
        issuer_warning(&self.issuer).into_iter().chain(back)
    }
}

impl Default for Trade {
    /// Payments are captured at once, the return window is thirty days, unpaid orders are not limited, and the seller
    /// details are missing.
    fn default() -> Self {
        Self {
            capture: CaptureMode::Automatic,
            return_window: TimeDelta::days(30),
            return_address: vec![],
            cart_days: cart::LIFETIME_DAYS,
            unpaid_orders: 0,
            file_max: 2 << 30,
            issuer: Issuer { name: "ByteShop".into(), address: vec![], tax_id: None },
            payouts: PayoutRules::default(),
        }
    }
}
