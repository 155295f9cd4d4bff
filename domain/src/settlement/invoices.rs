//! The invoices of an order that is paid: one of each seller that supplies in its own name, and one of the house for everything else.

use chrono::Datelike as _;

use crate::ids::{OrderId, SellerId, SeriesId};
use crate::issuer::{Issuer, Supplier};
use crate::order::{Placed, SellerInvoice};
use crate::seller::Seller;
use crate::series::{Document, of_invoices};
use crate::text::Reference;
use crate::work::{Refused, Work};

/// The invoices that are issued.
#[derive(Default)]
pub(super) struct Issued {
    /// The number of the house's; none if sellers supply all of the order.
    pub(super) invoice: Option<Reference>,
    /// The house as its invoice names it.
    pub(super) seller: Option<Issuer>,
    /// Those of sellers.
    pub(super) invoices: Vec<SellerInvoice>,
}

/// Gives each invoice the next number of its series.
pub(super) fn issue(work: &mut Work, order: OrderId, placed: &Placed) -> Result<Issued, Refused> {
    let suppliers = suppliers(work, placed)?;
    // Of what was cancelled before the payment there is nothing to invoice.
    let is_of_house = |seller: Option<SellerId>| suppliers.iter().all(|it| Some(it.seller) != seller);
    let has_house = placed.parts.all().iter().any(|part| part.kept() > 0 && is_of_house(part.seller));
    let has_house = has_house || suppliers.is_empty();
    let invoice = has_house.then(|| work.number(Document::Invoice { order, seller: None }, None)).transpose()?;
    let mut invoices = Vec::with_capacity(suppliers.len());
    for supplier in suppliers {
        let document = Document::Invoice { order, seller: Some(supplier.seller) };
        let number = work.number(document, Some(&supplier.handle))?;
        invoices.push(SellerInvoice { number, supplier });
    }
    let seller = work.issuer().filter(|_| has_house).cloned();
    Ok(Issued { invoice, seller, invoices })
}

/// The series of the invoices of an order that is paid now.
pub fn series_of_invoices(work: &Work, placed: &Placed) -> Result<Vec<SeriesId>, Refused> {
    let year = work.asked().at.year();
    let of_sellers = suppliers(work, placed)?.into_iter().map(|it| of_invoices(Some(it.seller), year));
    Ok(std::iter::once(of_invoices(None, year)).chain(of_sellers).collect())
}

/// The sellers that supply their parts in their own name, in the order of the parts. What a seller has is only known of orders that
/// record commissions; the house supplies all of the others.
fn suppliers(work: &Work, placed: &Placed) -> Result<Vec<Supplier>, Refused> {
    let shares = placed.kept.shares();
    let mut suppliers = Vec::new();
    for seller in shares
        .iter()
        .map(|share| share.seller)
        .filter(|seller| placed.parts.of_seller(*seller).is_some_and(|(_, part)| part.kept() > 0))
    {
        let state = work.get::<Seller>(seller)?;
        suppliers.extend(state.live().ok().and_then(|known| known.supplier(seller)));
    }
    Ok(suppliers)
}
