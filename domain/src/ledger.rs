//! The general ledger: the double entries that follow from what was recorded about money.
//!
//! ```text
//! payment captured     debit clearing                        credit customers      (by a provider)
//! receipt recorded     debit bank                            credit customers      (and the reverse when it is voided)
//! order paid           debit customers                       credit sales, sales tax by country and rate,
//!                                                            and of sellers: seller payable, commission, commission tax
//! credit note issued   debit the same accounts               credit customers
//! payment refunded     debit customers                       credit clearing, or bank if staff made the refund
//! dispute opened       debit disputes                        credit clearing, or bank      (and the reverse of what is released)
//! dispute lost         debit customers                       credit disputes               (the credit note says what was sold)
//! its fee              debit provider_fees                   credit clearing, or bank
//! fee charged          debit provider_fees                   credit clearing      (and the reverse of what is given back)
//! seller paid          debit seller payable                  credit clearing      (by the provider itself: the house has its fee)
//! seller charged       debit clearing                        credit seller payable
//! gift card            debit gift_cards when a payment that it covers is captured; credit gift_cards when a refund goes to it
//!   issued by staff    debit goodwill                        credit gift_cards
//!   expired            debit gift_cards                      credit breakage
//! store credit         as a gift card, with store_credit
//!   granted            debit goodwill                        credit store_credit  (and the reverse when it is withdrawn)
//! ```
//!
//! An entry is derived from one event and never recorded beside it: no entry is missing, none differs from its event, and
//! orders from before there was a ledger have theirs. An entry belongs to one currency, and its debits equal its credits by
//! construction. What a buyer paid for an order that was cancelled before it was marked paid stays on `customers` until it
//! is refunded, and so does a refund that the provider refused: a balance there is money that the shop owes, or is owed.
//!
//! The house supplies the goods of sellers, too, unless they have given their legal data, so it owes the sales tax. It owes the seller
//! what the buyer paid without that tax, less the commission and the tax on it. A seller that supplies in its own name owes the tax
//! itself, so that is not taken off. An event says itself what each seller has of it; sales from before orders recorded commissions
//! are the house's alone, and so are their credit notes.
//!
//! Credit notes from before they recorded their taxes reduce the sales alone, and cancellations from before they had a credit
//! note reduce nothing. Imported orders were paid and refunded outside of
//! this shop: their clearing account is `imported`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::credit_note;
use crate::ids::{OrderId, SellerId};
use crate::money::Money;
use crate::order::{Placed, SellerInvoice, SellerShare, Taxed};
use crate::payment::{self, Method};
use crate::stored_value::{self, Cover, Means};
use crate::tax_rate::TaxRate;
use crate::text::{Country, Reference};

mod disputes;
mod payouts;
mod reconciliation;

pub use reconciliation::{Difference, Holding, differences};

/// An account of the ledger, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// The money at payment providers: an asset.
    Clearing,
    /// The money that staff recorded as received or returned outside of payment providers: an asset.
    Bank,
    /// The money of imported orders, which was paid and refunded outside of this shop: an asset.
    Imported,
    /// What buyers owe (debit) and are owed (credit).
    Customers,
    /// What the house owes a seller: a liability.
    SellerPayable(SellerId),
    /// What gift cards are worth that can still be used: a liability.
    GiftCards,
    /// The store credit of accounts: a liability.
    StoreCredit,
    /// What staff gave away as gift cards and store credit: an expense.
    Goodwill,
    /// What was left of gift cards that expired: revenue.
    Breakage,
    /// What open disputes hold of the money at payment providers and banks: an asset.
    Disputes,
    /// What payment providers keep of captures, and they and banks charge for disputes: an expense.
    ProviderFees,
    /// What was taken from what the house owes to sellers and has not reached them yet: a liability.
    PayoutsInTransit,
    /// What the house sold of its own goods, without tax: revenue.
    Sales,
    /// What sellers pay to the house for what they sell, without tax: revenue.
    Commission,
    /// The tax on commissions: a liability.
    CommissionTax(TaxRate),
    /// The tax in what was sold to a country: a liability.
    SalesTax(Country, TaxRate),
}

impl Account {
    /// How the codes of the accounts of sellers begin.
    const SELLER_PAYABLE: &'static str = "seller_payable";
}

/// The code of an account, such as `customers`, `sales_tax/DE/19` or `seller_payable/sel_…`.
impl fmt::Display for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clearing => out.write_str("clearing"),
            Self::Bank => out.write_str("bank"),
            Self::Imported => out.write_str("imported"),
            Self::Customers => out.write_str("customers"),
            Self::GiftCards => out.write_str("gift_cards"),
            Self::StoreCredit => out.write_str("store_credit"),
            Self::Goodwill => out.write_str("goodwill"),
            Self::Breakage => out.write_str("breakage"),
            Self::SellerPayable(seller) => write!(out, "{}/{seller}", Self::SELLER_PAYABLE),
            Self::Disputes => out.write_str("disputes"),
            Self::ProviderFees => out.write_str("provider_fees"),
            Self::PayoutsInTransit => out.write_str("payouts_in_transit"),
            Self::Sales => out.write_str("sales"),
            Self::Commission => out.write_str("commission"),
            Self::CommissionTax(rate) => write!(out, "commission_tax/{}", Percent(*rate)),
            Self::SalesTax(country, rate) => write!(out, "sales_tax/{country}/{}", Percent(*rate)),
        }
    }
}

/// A rate in percent with as many decimals as it has: `19`, `8.875`.
struct Percent(TaxRate);

/// Millionths in a percent.
const PER_PERCENT: u32 = 10_000;

impl fmt::Display for Percent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0.ppm() / PER_PERCENT, self.0.ppm() % PER_PERCENT);
        if part == 0 {
            return write!(out, "{whole}");
        }
        let decimals = format!("{part:04}");
        write!(out, "{whole}.{}", decimals.trim_end_matches('0'))
    }
}

/// What an entry records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A payment that a provider captured.
    Capture,
    /// Money that staff recorded as received.
    Receipt,
    /// A receipt that was recorded by mistake.
    VoidedReceipt,
    /// A paid order, as its invoice shows it.
    Sale,
    /// A credit note.
    CreditNote,
    /// A refund that was carried out.
    Refund,
    /// A gift card that staff issued.
    GiftCard,
    /// Store credit that staff granted.
    Grant,
    /// Store credit that staff withdrew.
    Withdrawal,
    /// What was left of a gift card that expired.
    Expiry,
    /// What a dispute holds.
    Dispute,
    /// What a dispute does not hold any more.
    DisputeReleased,
    /// What a buyer got back by a dispute.
    DisputeLost,
    /// What a dispute cost.
    DisputeFee,
    /// What a provider keeps of a capture as its fee, or gives back of it.
    ProviderFee,
    /// What a provider paid a seller of a captured payment itself.
    SellerPaid,
    /// What a provider took from a seller for money that went back.
    SellerCharged,
    /// A payout to a seller that was requested.
    Payout,
    /// A payout that has reached its seller.
    PayoutPaid,
    /// A payout that did not reach its seller.
    PayoutFailed,
    /// A payout that came back after it had arrived.
    PayoutReturned,
}

impl Kind {
    /// The name of the kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Receipt => "receipt",
            Self::VoidedReceipt => "voided_receipt",
            Self::Sale => "sale",
            Self::CreditNote => "credit_note",
            Self::Refund => "refund",
            Self::GiftCard => "gift_card",
            Self::Grant => "grant",
            Self::Withdrawal => "withdrawal",
            Self::Expiry => "expiry",
            Self::Dispute => "dispute",
            Self::DisputeReleased => "dispute_released",
            Self::DisputeLost => "dispute_lost",
            Self::DisputeFee => "dispute_fee",
            Self::ProviderFee => "provider_fee",
            Self::SellerPaid => "seller_paid",
            Self::SellerCharged => "seller_charged",
            Self::Payout => "payout",
            Self::PayoutPaid => "payout_paid",
            Self::PayoutFailed => "payout_failed",
            Self::PayoutReturned => "payout_returned",
        }
    }
}

/// One side of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LedgerLine))]
pub struct Line {
    /// The account, such as `clearing`, `customers`, `sales`, `sales_tax/DE/19` or `seller_payable/sel_…`.
    pub account: String,
    /// The debited amount; zero if the line is a credit.
    pub debit: Money,
    /// The credited amount; zero if the line is a debit.
    pub credit: Money,
}

/// What an entry with these lines adds to what the house owes a seller; negative if it takes back of that. None if it has nothing of
/// the seller.
pub fn owed(lines: &[Line], seller: SellerId) -> Option<Money> {
    let account = Account::SellerPayable(seller).to_string();
    let line = lines.iter().find(|line| line.account == account)?;
    Some(Money { amount: line.credit.amount - line.debit.amount, ..line.credit })
}

/// The number of the invoice of a seller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SellerNumber {
    /// The seller.
    pub seller: SellerId,
    /// The number.
    pub number: Reference,
}

/// An entry of the ledger: the sum of its debits is the sum of its credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it records.
    pub kind: Kind,
    /// The order, if it is known.
    pub order: Option<OrderId>,
    /// The number of the invoice or of the credit note, or the reference of the payment, of the receipt or of the settled refund.
    pub document: Option<Reference>,
    /// The invoices of sellers that a sale has beside that of the house.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invoices: Vec<SellerNumber>,
    /// The lines; debits first.
    pub lines: Vec<Line>,
    /// What each seller has of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sellers: Vec<SellerShare>,
}

impl Entry {
    /// The entry of an event of a payment. None if it moved no money. `settled` is the reference of the refund that the event
    /// records, if staff made it.
    pub fn of_payment(event: &payment::Event, settled: Option<&Reference>) -> Option<Self> {
        if let payment::Event::Captured { order, amount, method, reference, covers } = event {
            let money = match method {
                Method::External => Some(Account::Imported),
                Method::Test | Method::Paypal | Method::Free | Method::StoredValue => Some(Account::Clearing),
                // The receipts have their own entries.
                Method::BankTransfer | Method::Elsewhere | Method::CashOnDelivery => None,
            };
            let covered = Cover::total(covers);
            let lines = covers.iter().fold(Lines::new(*amount), |lines, cover| {
                lines
                    .debit(account_of(cover.means), cover.amount.amount)
                    .credit(Account::Customers, cover.amount.amount)
            });
            let in_money = amount.amount - covered;
            let lines = match money {
                Some(money) => lines.debit(money, in_money).credit(Account::Customers, in_money),
                None => lines,
            };
            return lines.entry(Kind::Capture, Some(*order), Some(reference.clone()));
        }
        if let payment::Event::ReceiptRecorded { order, amount, reference, .. } = event {
            let lines = received(Account::Bank, *amount);
            return lines.entry(Kind::Receipt, Some(*order), Some(reference.clone()));
        }
        if let payment::Event::ReceiptVoided { order, amount, .. } = event {
            return returned(Account::Bank, *amount).entry(Kind::VoidedReceipt, Some(*order), None);
        }
        if let payment::Event::FeeCharged { order, reference, amount } = event {
            let lines = Lines::new(*amount).debit(Account::ProviderFees, amount.amount);
            let lines = lines.credit(Account::Clearing, amount.amount);
            return lines.entry(Kind::ProviderFee, Some(*order), Some(reference.clone()));
        }
        if let payment::Event::SellerPaid { order, seller, reference, amount } = event {
            let lines = Lines::new(*amount).debit(Account::SellerPayable(*seller), amount.amount);
            let lines = lines.credit(Account::Clearing, amount.amount);
            return lines.entry(Kind::SellerPaid, Some(*order), Some(reference.clone()));
        }
        if let payment::Event::SellerCharged { order, seller, amount, .. } = event {
            let lines = Lines::new(*amount).debit(Account::Clearing, amount.amount);
            let lines = lines.credit(Account::SellerPayable(*seller), amount.amount);
            return lines.entry(Kind::SellerCharged, Some(*order), None);
        }
        if let Some(entry) = Self::of_dispute_of_payment(event) {
            return Some(entry);
        }
        let payment::Event::Refunded { order, amount, to, .. } = event else { return None };
        // Payments of imported orders are never refunded here.
        let by_shop = if settled.is_some() { Account::Bank } else { Account::Clearing };
        let money = to.map_or(by_shop, account_of);
        returned(money, *amount).entry(Kind::Refund, Some(*order), settled.cloned())
    }

    /// The entry of an event of a stored value. None for what the payment of an order records, and for what is only held.
    pub fn of_stored_value(event: &stored_value::Event) -> Option<Self> {
        let (kind, debit, credit, amount) = match event {
            stored_value::Event::Issued { amount, .. } => {
                (Kind::GiftCard, Account::Goodwill, Account::GiftCards, *amount)
            }
            stored_value::Event::Granted { amount, .. } => {
                (Kind::Grant, Account::Goodwill, Account::StoreCredit, *amount)
            }
            stored_value::Event::Withdrawn { amount, .. } => {
                (Kind::Withdrawal, Account::StoreCredit, Account::Goodwill, *amount)
            }
            stored_value::Event::Expired { amount } => (Kind::Expiry, Account::GiftCards, Account::Breakage, *amount),
            // The order has them in its sale, and a credit note in its own entry.
            stored_value::Event::Sold { .. }
            | stored_value::Event::TakenBack { .. }
            | stored_value::Event::Held { .. }
            | stored_value::Event::Released { .. }
            | stored_value::Event::Redeemed { .. }
            | stored_value::Event::Credited { .. }
            | stored_value::Event::Blocked { .. }
            | stored_value::Event::Unblocked { .. } => return None,
        };
        Lines::new(amount).debit(debit, amount.amount).credit(credit, amount.amount).entry(kind, None, None)
    }

    /// The entry of an order that was paid: what its invoice shows. None if it is free.
    pub fn of_sale(order: OrderId, placed: &Placed) -> Option<Self> {
        let payable = placed.payable();
        let country = &placed.placement.destination.country;
        let lines = Lines::new(payable).debit(Account::Customers, payable.amount);
        let taxes = &placed.invoiced;
        // Gift cards are no revenue: they can still be used.
        let cards = placed.worth_of_gift_cards();
        let sold = Money { amount: payable.amount - cards.amount, ..payable };
        let lines = lines.credit(Account::GiftCards, cards.amount);
        let lines = lines.credit_sales(sold, country, taxes).debit_taxes(country, &placed.owed_by_sellers);
        let lines = lines.credit_sellers(&placed.shared);
        let first = placed.invoices.first().map(|it| &it.number);
        let entry = lines.entry(Kind::Sale, Some(order), placed.invoice.as_ref().or(first).cloned())?;
        let number = |it: &SellerInvoice| SellerNumber { seller: it.supplier.seller, number: it.number.clone() };
        Some(Entry { invoices: placed.invoices.iter().map(number).collect(), ..entry })
    }

    /// The entry of a credit note. None if it is worth nothing.
    pub fn of_credit_note(event: &credit_note::Event) -> Option<Self> {
        let credit_note::Event::Issued(content) = event;
        let (total, taxes) = (content.total, content.taxes.as_deref().unwrap_or_default());
        // A seller that supplies in its own name owes them itself.
        let taxes = if content.supplier.is_some() { &[] } else { taxes };
        // Those of imports are refunded outside of this shop.
        let back = if content.refund.is_some() { Account::Customers } else { Account::Imported };
        let cards = content.gift_cards.map_or(0, |cards| cards.amount);
        let rest = Money { amount: total.amount - cards, ..total };
        let lines = Lines::new(total).credit(back, total.amount).debit(Account::GiftCards, cards);
        let lines = lines.debit_sales(rest, &content.country, taxes);
        lines.debit_sellers(&content.sellers).entry(Kind::CreditNote, content.order, Some(content.reference.clone()))
    }
}

fn account_of(means: Means) -> Account {
    match means {
        Means::GiftCard { .. } => Account::GiftCards,
        Means::StoreCredit { .. } => Account::StoreCredit,
    }
}

/// Money that a customer paid.
fn received(money: Account, amount: Money) -> Lines {
    Lines::new(amount).debit(money, amount.amount).credit(Account::Customers, amount.amount)
}

/// Money that a customer got back.
fn returned(money: Account, amount: Money) -> Lines {
    Lines::new(amount).debit(Account::Customers, amount.amount).credit(money, amount.amount)
}

/// The lines of an entry as they are collected: debits positive, credits negative.
struct Lines {
    /// The currency.
    zero: Money,
    sums: BTreeMap<Account, i64>,
    sellers: Vec<SellerShare>,
}

impl Lines {
    fn new(amount: Money) -> Self {
        Self { zero: Money::zero(amount.currency), sums: BTreeMap::new(), sellers: vec![] }
    }

    fn debit(mut self, account: Account, amount: i64) -> Self {
        *self.sums.entry(account).or_default() += amount;
        self
    }

    fn credit(self, account: Account, amount: i64) -> Self {
        self.debit(account, -amount)
    }

    /// Credits taxes to their accounts, and the rest of an amount to the sales.
    fn credit_sales(self, amount: Money, country: &Country, taxes: &[Taxed]) -> Self {
        self.sales(amount.amount, country, taxes, -1)
    }

    /// Debits taxes to their accounts, and the rest of an amount to the sales.
    fn debit_sales(self, amount: Money, country: &Country, taxes: &[Taxed]) -> Self {
        self.sales(amount.amount, country, taxes, 1)
    }

    fn sales(self, amount: i64, country: &Country, taxes: &[Taxed], sign: i64) -> Self {
        let mut net = amount;
        let mut lines = self;
        for taxed in taxes {
            net -= taxed.tax.amount;
            lines = lines.debit(Account::SalesTax(country.clone(), taxed.rate), sign * taxed.tax.amount);
        }
        lines.debit(Account::Sales, sign * net)
    }

    /// Debits taxes that sellers owe, and not the house; they are theirs with the rest of the sale.
    fn debit_taxes(self, country: &Country, taxes: &[Taxed]) -> Self {
        taxes.iter().fold(self, |lines, taxed| {
            let tax = taxed.tax.amount;
            lines.debit(Account::SalesTax(country.clone(), taxed.rate), tax).credit(Account::Sales, tax)
        })
    }

    /// Credits what sellers have of the sales to their accounts, and the commission to that of the house.
    fn credit_sellers(self, shares: &[SellerShare]) -> Self {
        self.sellers(shares, -1)
    }

    /// Debits what is taken back of sellers to their accounts, and the commission to that of the house.
    fn debit_sellers(self, shares: &[SellerShare]) -> Self {
        self.sellers(shares, 1)
    }

    fn sellers(mut self, shares: &[SellerShare], sign: i64) -> Self {
        self.sellers = shares.to_vec();
        for share in shares {
            self = self
                .debit(Account::Sales, -sign * (share.amount.amount - share.tax_of_house()))
                .debit(Account::SellerPayable(share.seller), sign * share.owed().amount)
                .debit(Account::Commission, sign * share.commission.amount);
            if let Some(tax) = share.commission_tax {
                self = self.debit(Account::CommissionTax(tax.rate), sign * tax.amount.amount);
            }
        }
        self
    }

    fn entry(self, kind: Kind, order: Option<OrderId>, document: Option<Reference>) -> Option<Entry> {
        let (zero, sellers) = (self.zero, self.sellers);
        let money = |amount: i64| Money { amount, ..zero };
        let (debits, credits): (Vec<_>, Vec<_>) =
            self.sums.into_iter().filter(|(_, sum)| *sum != 0).partition(|(_, sum)| *sum > 0);
        let debits = debits.into_iter().map(|(account, sum)| Line {
            account: account.to_string(),
            debit: money(sum),
            credit: zero,
        });
        let credits = credits.into_iter().map(|(account, sum)| Line {
            account: account.to_string(),
            debit: zero,
            credit: money(-sum),
        });
        let lines: Vec<Line> = debits.chain(credits).collect();
        (!lines.is_empty()).then_some(Entry { kind, order, document, invoices: vec![], lines, sellers })
    }
}

#[cfg(test)]
mod tests;
