//! The shop's account at PayPal, as the settings name it.

use std::fmt;

/// The base URL of PayPal's production.
pub const LIVE: &str = "https://api-m.paypal.com";
/// The base URL of PayPal's sandbox.
pub const SANDBOX: &str = "https://api-m.sandbox.paypal.com";

/// The account.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The base URL of the API.
    pub url: String,
    /// The client id of the shop's app.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The merchant id, which is the payee of every order that is not paid to a seller.
    pub merchant_id: String,
    /// The attribution id (BN code) of the house as a platform partner; without one no order is paid to a seller.
    pub partner_id: Option<String>,
    /// The id of the webhook, under which PayPal signs.
    pub webhook_id: String,
    /// The certificate authorities that vouch for PayPal's signatures, as PEM; DigiCert's if absent.
    pub webhook_roots: Option<String>,
}

impl Account {
    /// Whether money moves: not in PayPal's sandbox, and not at a stand-in.
    pub fn is_live(&self) -> bool {
        self.url == LIVE
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("url", &self.url).finish_non_exhaustive()
    }
}
