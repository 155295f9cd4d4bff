//! Pages that are printed: the invoice and the credit notes for the buyer, the packing list and the label for whoever packs.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_domain::address::Address;
use byteshop_domain::basis_points::BasisPoints;
use byteshop_domain::cart::Destination;
use byteshop_domain::ids::{Id as _, OrderId, ShipmentId};
use byteshop_domain::money::{Money, MoneyError};
use byteshop_domain::order::{Number, Order, Placed, Placement};
use byteshop_domain::shipment::{Carrier, Shipment};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask::{Of, Then};
use super::orders::{moments, placed};
use super::shipments::prepared;
use super::{App, Shared};
use crate::actor::{Caller, Staff};
use crate::page::page;
use crate::problem::Problem;
use crate::trade::Seller;

mod credit;

/// Pixels of a square of the code, before the page scales it.
const CODE_PX: u32 = 120;

#[derive(Serialize)]
struct From<'a> {
    name: &'a str,
    address: &'a [String],
    tax_id: Option<&'a str>,
}

impl<'a> From<'a> {
    fn of(seller: &'a Seller) -> Self {
        Self { name: &seller.name, address: &seller.address, tax_id: seller.tax_id.as_deref() }
    }
}

/// The invoice of an order that is paid, to be printed.
#[utoipa::path(get, path = "/v1/orders/{id}/invoice", tag = "orders", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
async fn invoice(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.seen_order(&caller, id, &Then::default(), &headers).await?;
    let it = placed(&found.state)?;
    let (ordered, paid) = moments(&app, id).await?;
    let Some(paid) = paid else {
        let detail = "there is no invoice before the order is paid";
        return Err(Problem::new(http::StatusCode::CONFLICT, "order.not_paid", detail));
    };
    let number = Number::of(id.uuid());
    let placement = &it.placement;
    let lines = placement.lines.iter().map(|line| {
        let off = it.off(line.variant);
        let note = (off > 0).then(|| format!("{off} of them cancelled"));
        json!({
            "title": line.title, "sku": line.sku, "quantity": line.quantity, "price": line.unit_price.to_string(),
            "rate": line.tax.map(|tax| tax.rate_bps.to_string()), "amount": line.amount.to_string(), "note": note,
        })
    });
    let taxes = taxes(placement).map_err(|error| {
        tracing::error!(%error, order = %id, "the taxes of an order cannot be summed");
        Problem::internal()
    })?;
    let cancelled = it.cancelled.map(|_| "This order was cancelled.");
    let context = json!({
        "number": format!("INV-{number}"),
        "order": number,
        "seller": From::of(&app.trade.seller),
        "buyer": lines_of(&app, &placement.destination, true).await?,
        "ordered": ordered.map(day),
        "paid": day(paid),
        "status": it.stage(),
        "lines": lines.collect::<Vec<_>>(),
        "taxed": !taxes.is_empty(),
        "sums": sums(it, &taxes),
        "taxes": taxes.iter().filter(|it| it.included).map(tax_row).collect::<Vec<_>>(),
        "total": it.payable().to_string(),
        "refunded": (it.refunded.amount > 0).then(|| it.refunded.to_string()),
        "cancelled_note": cancelled,
    });
    page("invoice.html", &context)
}

/// What stands between the lines and the total.
fn sums(it: &Placed, taxes: &[Taxed]) -> Vec<Value> {
    let placement = &it.placement;
    let row = |name: String, amount: String| json!({"name": name, "amount": amount});
    let mut rows = Vec::new();
    let off = |amount: Money| format!("−{amount}");
    if let (false, Ok(subtotal)) =
        (placement.discounts.is_empty() && placement.shipping.is_none(), placement.subtotal())
    {
        rows.push(row("Subtotal".into(), subtotal.to_string()));
    }
    rows.extend(placement.discounts.iter().map(|discount| {
        let code = discount.code.as_ref().map_or_else(String::new, |code| format!(" ({code})"));
        row(format!("{}{code}", discount.label), off(discount.amount))
    }));
    if let Some(shipping) = &placement.shipping {
        rows.push(row(format!("Shipping: {}", shipping.name), shipping.price.to_string()));
    }
    rows.extend(taxes.iter().filter(|it| !it.included).map(tax_row));
    if it.reduced.amount > 0 {
        rows.push(row("Cancelled before payment".into(), off(it.reduced)));
    }
    rows
}

/// What is taxed at a rate.
struct Taxed {
    rate: BasisPoints,
    included: bool,
    tax: Money,
    /// Without the tax.
    net: Money,
}

/// What is taxed of lines and shipping, by rate and by whether prices include it.
fn taxes(placement: &Placement) -> Result<Vec<Taxed>, MoneyError> {
    let zero = Money::zero(placement.total.currency);
    let mut all: Vec<Taxed> = Vec::new();
    let of_lines = placement.lines.iter().map(|line| (line.tax, line.amount, line.discount.unwrap_or(zero)));
    let of_shipping = placement.shipping.iter().map(|it| (it.tax, it.price.money(), it.discount));
    for (tax, amount, discount) in of_lines.chain(of_shipping) {
        let Some(tax) = tax else { continue };
        let paid = amount.minus(discount)?;
        let net = if tax.included { paid.minus(tax.amount)? } else { paid };
        match all.iter_mut().find(|it| (it.rate, it.included) == (tax.rate_bps, tax.included)) {
            Some(it) => (it.tax, it.net) = (it.tax.plus(tax.amount)?, it.net.plus(net)?),
            None => all.push(Taxed { rate: tax.rate_bps, included: tax.included, tax: tax.amount, net }),
        }
    }
    Ok(all)
}

fn tax_row(it: &Taxed) -> Value {
    let within = if it.included { "of which " } else { "" };
    json!({"name": format!("{within}{} tax on {}", it.rate, it.net), "amount": it.tax.to_string()})
}

/// What is to be packed of an order, to be printed.
#[utoipa::path(get, path = "/v1/orders/{id}/packing-list", tag = "delivery", params(("id" = String, Path)),
    security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
async fn packing_list(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    _staff: Staff,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<Order>(id, &Then::default(), &headers).await?;
    let it = placed(&found.state)?;
    let (ordered, _) = moments(&app, id).await?;
    let mut seen = Vec::new();
    let mut lines = Vec::new();
    for line in it.placement.lines.iter().filter(|line| line.travels()) {
        let left = it.left_to_ship(line.variant);
        // What is bought in several lines is packed at once.
        if left > 0 && !seen.contains(&line.variant) {
            seen.push(line.variant);
            lines.push(json!({
                "sku": line.sku, "title": line.title, "ordered": it.bought(line.variant), "left": left,
            }));
        }
    }
    let left: i64 = seen.iter().map(|variant| it.left_to_ship(*variant)).sum();
    let mut notes = Vec::new();
    for note in &it.notes {
        let opened = app.commands.vault().open(&note.note).await.map_err(Error::from)?;
        notes.extend(opened.map(|text| text.to_string()));
    }
    let context = json!({
        "order": Number::of(id.uuid()),
        "status": it.stage(),
        "pieces": pieces(left),
        "address": lines_of(&app, &it.placement.destination, false).await?,
        "ordered": ordered.map(day),
        "service": service(it),
        "weight": it.placement.shipping.as_ref().and_then(|it| u32::try_from(it.weight_g).ok()).map(weight),
        "lines": lines,
        "notes": notes,
    });
    page("packing_list.html", &context)
}

/// The label of a parcel, to be printed: 100 by 150 millimetres.
#[utoipa::path(get, path = "/v1/shipments/{id}/label", tag = "delivery", params(("id" = String, Path)),
    security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
async fn label(
    State(app): State<Shared>,
    Of(id): Of<ShipmentId>,
    _staff: Staff,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<Shipment>(id, &Then::default(), &headers).await?;
    let parcel = prepared(&found.state)?;
    let order = app.commands.get::<Order>(parcel.order).await?.ok_or_else(|| Problem::missing("shipment"))?;
    let it = placed(&order.state)?;
    let carrier = match &parcel.carrier {
        Carrier::Simulated { .. } => "Simulated carrier",
        Carrier::Other { name } => name.as_str(),
    };
    // Before the carrier has a number for it, the parcel has ours.
    let (tracking, shipment) = (parcel.tracking.as_ref().map(ToString::to_string), Number::of(id.uuid()).to_string());
    let code = code(tracking.as_deref().unwrap_or(&shipment))?;
    let context = json!({
        "seller": From::of(&app.trade.seller),
        "carrier": carrier,
        "service": service(it),
        "weight": parcel.weight_g.map(weight),
        "address": lines_of(&app, &it.placement.destination, false).await?,
        "tracking": tracking,
        "shipment": shipment,
        "order": Number::of(parcel.order.uuid()),
        "pieces": pieces(parcel.lines.iter().map(|line| line.quantity.get()).sum()),
        "code": code,
    });
    page("label.html", &context)
}

/// A text as a QR code (ISO/IEC 18004), in SVG.
fn code(text: &str) -> Result<String, Problem> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|error| {
        tracing::error!(%error, "a code cannot be made");
        Problem::internal()
    })?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(CODE_PX, CODE_PX).quiet_zone(true).build();
    // In the middle of a page an XML declaration is no markup.
    Ok(drawn.trim_start_matches("<?xml version=\"1.0\" standalone=\"yes\"?>").to_owned())
}

/// Where an order goes, in the lines that stand on an envelope; with the e-mail address where mails matter.
async fn lines_of(app: &App, destination: &Destination, with_email: bool) -> Result<Vec<String>, Problem> {
    let Some(sealed) = &destination.address else {
        return Ok(vec![destination.country.to_string()]);
    };
    let Some(address) = app.commands.vault().open::<Address>(sealed).await.map_err(Error::from)? else {
        return Ok(vec![]);
    };
    let Address { name, company, email, phone: _, lines, postal_code, city, region, country } = address;
    let text = |part: Option<String>| part.filter(|part| !part.is_empty());
    let town = [postal_code.map(|it| it.to_string()), city.map(|it| it.to_string())];
    let town: Vec<String> = town.into_iter().flatten().collect();
    let mut all: Vec<Option<String>> = vec![name.map(|it| it.to_string()), company.map(|it| it.to_string())];
    all.extend(lines.as_slice().iter().map(|line| Some(line.to_string())));
    all.extend([text(Some(town.join(" "))), region.map(|it| it.to_string()), Some(country.to_string())]);
    all.extend([email.filter(|_| with_email).map(|it| it.to_string())]);
    Ok(all.into_iter().flatten().collect())
}

fn service(it: &Placed) -> Option<String> {
    it.placement.shipping.as_ref().map(|shipping| shipping.name.to_string())
}

fn day(moment: DateTime<Utc>) -> String {
    moment.format("%-d %B %Y").to_string()
}

fn pieces(count: i64) -> String {
    if count == 1 { "1 piece".to_owned() } else { format!("{count} pieces") }
}

/// Grams as kilograms with three digits.
fn weight(grams: u32) -> String {
    format!("{}.{:03} kg", grams / 1_000, grams % 1_000)
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(invoice))
        .routes(routes!(credit::print_credit_notes))
        .routes(routes!(packing_list))
        .routes(routes!(label))
}
