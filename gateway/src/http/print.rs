//! Printable pages: the invoice and the credit notes for the buyer, the packing list and the label for staff.
//!
//! Documents for the buyer are in the language of the order, like its mails, those for staff in the reader's language;
//! `?locale=` and `Accept-Language` override this. Links in mails open the buyer's documents as well.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::At;
use byteshop_commands::links::Target;
use byteshop_commands::notify::format;
use byteshop_domain::Locale;
use byteshop_domain::ids::{Id as _, OrderId};
use byteshop_domain::money::{Money, MoneyError};
use byteshop_domain::order::{Line, Number, Order, Placed, Status, Taxed};
use http::HeaderMap;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::orders::visible::Moments;
use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::ask::{Of, Params};
use crate::edge::page::page;
use crate::edge::problem::Problem;
use link::Shown;
use paper::{From, invoice_number, lines_of, missing_settings, tax};
use payment::{HowToPay, Paid};

mod credit;
mod link;
mod paper;
mod parcel;
mod payment;

/// The invoice of an order as a printable page.
///
/// Before the order is paid it is a pro forma invoice.
#[utoipa::path(get, path = "/v1/orders/{id}/invoice", operation_id = "printInvoice",
    tag = "orders", params(("id" = String, Path), Shown),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 409, description = "The order was never paid and is no longer open")))]
async fn invoice(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(shown): Params<Shown>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = match shown.open(&app, id, Target::Invoice(id), &caller, &headers).await {
        Ok(found) => found,
        Err(refused) => return Ok(refused),
    };
    let now = found.state.live()?;
    let locale = shown.reading().of_order(&app, now, &headers).await?;
    let Moments { placed: ordered, paid, paid_version } = Moments::of(&app, id).await?;
    // What was issued stays as it was issued, whatever becomes of the order.
    let issued = match paid_version {
        Some(version) => app.commands.get_at::<Order>(id, At::Version(version)).await?,
        None => None,
    };
    let it = issued.as_ref().and_then(|issued| issued.state.live().ok()).unwrap_or(now);
    if paid.is_none() && it.progress.status != Status::Open {
        let detail = "there is no invoice of an order that was never paid";
        return Err(Problem::new(http::StatusCode::CONFLICT, "order.not_paid", detail));
    }
    let placement = &it.placement;
    let (payment, instructions) = match paid {
        Some(_) => (Paid::of(&app, placement.payment, locale).await?, None),
        None => (None, HowToPay::of(&app, placement.payment, locale).await?),
    };
    let money = |amount: Money| format::money(amount, locale);
    let lines = placement.lines.iter().map(|line| {
        let off = it.off(line.variant);
        json!({
            "title": line.title, "sku": line.sku, "quantity": line.quantity, "price": money(line.unit_price.money()),
            "net_price": net_price(line).map(money),
            "rate": line.tax.map(|tax| format::rate(tax.rate, locale)), "amount": money(line.amount),
            "off": (off > 0).then_some(off),
        })
    });
    let discounts = placement
        .discounts
        .iter()
        .map(|discount| json!({"label": discount.label, "code": discount.code, "amount": money(discount.amount)}));
    let sums = sums(it, locale).map_err(|error| {
        tracing::error!(%error, order = %id, "the taxes of an order cannot be summed");
        Problem::internal()
    })?;
    let plain = placement.discounts.is_empty() && placement.shipping.is_none();
    let context = json!({
        "pro_forma": paid.is_none(),
        "number": paid.map(|_| invoice_number(id, it)),
        "order": Number::of(id.uuid()),
        // What is issued names the seller as they were then; older invoices did not keep that.
        "seller": From::of(it.seller.as_ref().unwrap_or(&app.trade.issuer)),
        "missing_settings": missing_settings(&app, shown.to_staff(&caller)),
        "buyer": lines_of(&app, &placement.destination, locale, true).await?,
        "ordered": ordered.map(|at| format::day(at, locale)),
        "issued": paid.map(|at| format::day(at, locale)),
        // Directive 2006/112/EC, article 226 (7): what is sent is supplied after its price was paid on account, everything else
        // with the payment.
        "supplied_later": placement.lines.iter().any(|line| line.travels() && it.bought(line.variant) > it.off(line.variant)),
        "pay_by": placement.pay_by.filter(|_| paid.is_none() && !it.is_on_delivery()).map(|at| format::moment(at, format::Zone::default(), locale)),
        "payment": payment,
        "instructions": instructions,
        "stage": it.stage(),
        "lines": lines.collect::<Vec<_>>(),
        "subtotal": placement.subtotal().ok().filter(|_| !plain).map(money),
        "discounts": discounts.collect::<Vec<_>>(),
        "shipping": placement.shipping.as_ref().map(|it| json!({"name": it.name, "amount": money(it.price.money())})),
        "sums": sums,
        "total": money(it.payable()),
    });
    page("invoice.html", locale, &context)
}

/// The taxes on an invoice, and the amount that was cancelled before payment.
///
/// Each rate is listed once, with the tax charged. If taxes are added to prices, the cancelled amount is therefore
/// shown without its tax.
fn sums(it: &Placed, locale: Locale) -> Result<Value, MoneyError> {
    let priced = it.placement.taxed()?;
    let charged = it.taxed_of_payable()?;
    let (within, on_top): (Vec<&Taxed>, Vec<&Taxed>) = charged.iter().partition(|tax| tax.included);
    let zero = Money::zero(it.reduced().currency);
    let of_all = priced.iter().filter(|tax| !tax.included).try_fold(zero, |sum, tax| sum.plus(tax.tax))?;
    let not_charged = of_all.minus(on_top.iter().try_fold(zero, |sum, tax| sum.plus(tax.tax))?)?;
    let reduced = it.reduced().minus(not_charged)?;
    let words = |taxes: Vec<&Taxed>| taxes.into_iter().map(|it| tax(it, locale)).collect::<Vec<_>>();
    Ok(json!({
        "taxed": !priced.is_empty(),
        "reduced": (reduced.amount > 0).then(|| format::money(reduced, locale)),
        "on_top": words(on_top),
        "within": words(within),
    }))
}

/// The unit price without the included tax (EU directive 2006/112/EC, article 226 (8)).
fn net_price(line: &Line) -> Option<Money> {
    let (tax, price) = (line.tax.filter(|tax| tax.included && tax.amount.amount > 0)?, line.unit_price.money());
    price.minus(tax.rate.within(price).ok()?).ok()
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(invoice))
        .routes(routes!(credit::print_credit_notes))
        .routes(routes!(parcel::packing_list))
        .routes(routes!(parcel::label))
}
