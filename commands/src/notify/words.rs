//! The texts of messages: a template per message and language, as text and as HTML.
//!
//! The first line of a text is the subject, and its first paragraph is the content of an SMS or a push message. Text
//! that people or sellers wrote is escaped in HTML; plain text needs no escaping, because every field is a single line.

use std::sync::LazyLock;

use byteshop_domain::Locale;
use byteshop_domain::key_pool::KeyRange;
use byteshop_domain::notification::Template;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use super::format::Zone;

/// The template of a message in a language cannot be filled.
#[derive(Debug, thiserror::Error)]
#[error("the template {name} cannot be filled: {source}")]
pub struct Unwritten {
    /// The template.
    name: String,
    /// Why.
    source: minijinja::Error,
}

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The subject line.
    pub subject: String,
    /// The first paragraph.
    pub short: String,
    /// All of it, without the subject.
    pub text: String,
    /// All of it, as HTML.
    pub html: String,
}

/// The data for the templates. Every field is present in each message, so that a template which uses any other fails in
/// its test.
#[derive(Debug, Default, Serialize)]
pub struct Shown {
    /// The sender.
    pub shop: ShopDetails,
    /// The language.
    pub locale: &'static str,
    /// Where to go on, if the shop has pages.
    pub url: Option<String>,
    /// A code that is to be entered.
    pub code: Option<String>,
    /// The order that it is about.
    pub order: Option<ShownOrder>,
    /// Why an order is off: `buyer`, `shop`, `payment` or `unpaid`.
    pub reason: Option<&'static str>,
    /// Whether money goes back.
    pub refund_due: bool,
    /// The invoices of the order.
    pub invoices: Vec<ShownPaper>,
    /// Where the keys of the order are, if a mail can lead a guest there.
    pub keys: Option<String>,
    /// Where the downloads of the order are, if a mail can lead a guest there.
    pub downloads: Option<String>,
    /// Where the credit notes of the order are, if there are any and a mail can lead there.
    pub credit_notes: Option<String>,
    /// An amount.
    pub amount: Option<String>,
    /// What was received of a cancelled order that was never paid in full.
    pub received: Option<String>,
    /// What gift cards and store credit paid of the order.
    pub covers: Vec<ShownExtra>,
    /// Whether refunds of the order went to gift cards or store credit.
    pub stored: bool,
    /// How the order is to be paid.
    pub payment: Option<ShownPayment>,
    /// The lines of the order that the message is about, if not all of them.
    pub goods: Vec<ShownGoods>,
    /// What of a return is sent back: `goods`, or `both` goods and keys or downloads; nothing if it is of `keys` or downloads alone.
    pub back: &'static str,
    /// Whether keys or downloads of the order were revoked.
    pub keys_revoked: bool,
    /// The name of a file.
    pub file: Option<String>,
    /// The version of the file.
    pub version: Option<u32>,
    /// How many keys are left.
    pub left: Option<i64>,
    /// The keys that were revoked.
    pub revoked: Vec<ShownKeys>,
    /// The reason, as staff wrote it.
    pub because: Option<String>,
    /// The carrier.
    pub carrier: Option<String>,
    /// The tracking number.
    pub tracking: Option<String>,
    /// Where they can be followed.
    pub tracking_url: Option<String>,
    /// The shipping address in lines; only for recipients whose e-mail address is confirmed.
    pub ship_to: Vec<String>,
    /// The product that it is about.
    pub product: Option<ShownProduct>,
    /// The previous price.
    pub was: Option<String>,
    /// The current price.
    pub now: Option<String>,
    /// The name of the seller that invites.
    pub seller: Option<String>,
    /// The role that an invitation gives: `owner` or `staff`.
    pub role: Option<&'static str>,
    /// How a payout is paid: `sepa` or `paypal`.
    pub means: Option<&'static str>,
    /// The id of a payout.
    pub payout: Option<String>,
    /// What became of a payout: `failed`, or `returned` after it had arrived.
    pub outcome: Option<&'static str>,
    /// Why a payout did not reach the seller: the name of the failure.
    pub failure: Option<&'static str>,
    /// From when on something holds, absent if it holds at once; or until when something can be answered.
    pub from: Option<String>,
    /// The dispute.
    pub dispute: Option<String>,
    /// The number of the order that a dispute is about.
    pub number: Option<String>,
    /// The link to unsubscribe, if the shop knows its public address.
    pub unsubscribe: Option<String>,
}

/// The shop as it signs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ShopDetails {
    /// The name of the shop.
    pub name: String,
    /// Where its pages are, such as `https://shop.example.org`, if it has any.
    pub url: Option<String>,
    /// The public address of the API, such as `https://api.shop.example.org`, if it is set.
    pub api: Option<String>,
    /// The return address in lines; empty if it is not set.
    pub return_address: Vec<String>,
    /// The time zone in which it tells times.
    #[serde(skip)]
    pub zone: Zone,
}

/// An order as a message shows it.
#[derive(Debug, Default, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact that templates ask for")]
pub struct ShownOrder {
    /// The order number.
    pub number: String,
    /// The first of its lines.
    pub lines: Vec<ShownLine>,
    /// How many lines there are beside those.
    pub more: usize,
    /// Discounts, shipping and tax.
    pub extras: Vec<ShownExtra>,
    /// The total.
    pub total: String,
    /// Until when it is to be paid, if it is.
    pub pay_by: Option<String>,
    /// Whether there is nothing to pay.
    pub free: bool,
    /// Whether something of it is put in a parcel.
    pub travels: bool,
    /// Whether keys are delivered for some of it.
    pub keys: bool,
    /// Whether all of those keys are the codes of gift cards.
    pub gift_cards: bool,
    /// Whether some of it is downloaded.
    pub downloads: bool,
}

/// How an order is to be paid without a provider.
#[derive(Debug, Serialize)]
pub struct ShownPayment {
    /// The title of the method.
    pub title: String,
    /// What the buyer has to do, in lines.
    pub instructions: Vec<String>,
    /// The amount to pay.
    pub amount: String,
    /// The reference to quote.
    pub reference: String,
    /// Until when it is to be paid, if it is.
    pub pay_by: Option<String>,
    /// Whether it is paid when it is delivered.
    pub on_delivery: bool,
}

/// A paper of an order.
#[derive(Debug, Serialize)]
pub struct ShownPaper {
    /// The document number.
    pub number: String,
    /// Where it is, if a mail can lead there.
    pub url: Option<String>,
}

/// A variant and its quantity.
#[derive(Debug, Serialize)]
pub struct ShownGoods {
    /// The title at the time of the order.
    pub title: String,
    /// How many.
    pub quantity: i64,
}

/// Consecutive keys of a batch.
#[derive(Debug, Serialize)]
pub struct ShownKeys {
    /// The number of the batch.
    pub batch: u32,
    /// The number of the first one, from 1.
    pub from: u32,
    /// The number of the last one.
    pub to: u32,
}

impl From<&KeyRange> for ShownKeys {
    fn from(it: &KeyRange) -> Self {
        Self { batch: it.batch, from: it.first + 1, to: it.first + it.count }
    }
}

/// A line of an order.
#[derive(Debug, Serialize)]
pub struct ShownLine {
    /// The title at the time of the order.
    pub title: String,
    /// How many.
    pub quantity: i64,
    /// The unit price.
    pub unit_price: String,
    /// The amount of the line.
    pub amount: String,
}

/// A discount or charge besides the lines.
#[derive(Debug, Serialize)]
pub struct ShownExtra {
    /// `discount`, `shipping`, `tax` or `tax_included`; of what paid, `gift_card` or `store_credit`.
    pub kind: &'static str,
    /// How much.
    pub amount: String,
}

/// A product.
#[derive(Debug, Serialize)]
pub struct ShownProduct {
    /// The title.
    pub title: String,
}

macro_rules! sources {
    ($($name:literal)*) => {
        /// Every template, by its name.
        const SOURCES: &[(&str, &str)] = &[
            ("layout.html", include_str!("../../templates/layout.html")),
            ("parts.html", include_str!("../../templates/parts.html")),
            ("parts.txt", include_str!("../../templates/parts.txt")),
            $(
                (concat!("en/", $name, ".html"), include_str!(concat!("../../templates/en/", $name, ".html"))),
                (concat!("en/", $name, ".txt"), include_str!(concat!("../../templates/en/", $name, ".txt"))),
                (concat!("ru/", $name, ".html"), include_str!(concat!("../../templates/ru/", $name, ".html"))),
                (concat!("ru/", $name, ".txt"), include_str!(concat!("../../templates/ru/", $name, ".txt"))),
            )*
        ];
    };
}

sources! {
    "confirm_email" "reset_password" "confirm_new_email" "email_change_requested" "already_registered" "password_changed" "second_factor_set_up" "second_factor_removed" "order_placed" "payment_instructions" "order_paid" "order_cancelled"
    "order_lines_cancelled" "order_refunded" "order_shipped" "order_delivered" "delivery_failed" "delivery_returning" "delivery_lost"
    "return_approved" "return_rejected" "back_in_stock" "price_dropped" "seller_invitation" "file_updated" "keys_ran_low" "keys_revoked"
    "payout_destination_chosen" "payout_sent" "payout_failed" "dispute_opened" "dispute_due" "dispute_ended" "dispute_for_staff"
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    environment.set_syntax(syntax.build().expect("the usual delimiters"));
    for (name, source) in SOURCES {
        environment.add_template(name, source).expect("a test reads every template");
    }
    environment
});

/// Renders a message.
///
/// # Errors
/// When the template asks for something that is not shown.
pub fn write(template: Template, locale: Locale, shown: &Shown) -> Result<Words, Unwritten> {
    let whole = fill(template, locale, "txt", Value::from(Serde(shown)))?;
    let (subject, text) = whole.trim_start().split_once('\n').unwrap_or((&whole, ""));
    let (subject, text) = (subject.trim().to_owned(), paragraphs(text));
    let short = text.split("\n\n").next().unwrap_or_default().to_owned();
    let titled = minijinja::context! { subject => &subject, ..Value::from(Serde(shown)) };
    let html = fill(template, locale, "html", titled)?;
    Ok(Words { subject, short, text, html })
}

/// The subject of a message alone.
///
/// # Errors
/// When the template asks for something that is not shown.
pub fn subject(template: Template, locale: Locale, shown: &Shown) -> Result<String, Unwritten> {
    let whole = fill(template, locale, "txt", Value::from(Serde(shown)))?;
    Ok(whole.trim_start().lines().next().unwrap_or_default().trim().to_owned())
}

fn fill(template: Template, locale: Locale, ending: &str, shown: Value) -> Result<String, Unwritten> {
    let name = format!("{}/{}.{ending}", locale.as_str(), template.as_str());
    let filled = TEMPLATES.get_template(&name).and_then(|template| template.render(shown));
    filled.map_err(|source| Unwritten { name, source })
}

/// A text with one empty line between paragraphs, however many the template left.
fn paragraphs(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut empty = 2;
    for line in text.lines() {
        // The line above a signature ends with a space (RFC 3676, section 4.3).
        let line = if line == "-- " { line } else { line.trim_end() };
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            whole.push_str(line);
            whole.push('\n');
        }
    }
    whole
}

#[cfg(test)]
mod tests;
