//! Documents for packing: the packing list of an order and the label of a parcel.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_commands::links::Target;
use byteshop_commands::notify::format;
use byteshop_domain::Locale;
use byteshop_domain::ids::{Id as _, OrderId, ShipmentId, VariantId};
use byteshop_domain::order::{Number, Order, Parcel, ParcelStage, Placed};
use byteshop_domain::shipment::{Carrier as CarriedBy, Shipment};
use http::HeaderMap;
use serde_json::{Value, json};

use super::link::Shown;
use super::paper::{From, lines_of};
use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::ask::{Of, Params};
use crate::edge::page::page;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply;
use crate::http::orders::visible::Moments;
use crate::qr;
use crate::trade::label_lines;

/// The packing list of an order as a printable page.
///
/// It lists what is left to pack and the contents of each parcel, including parcels that were handed over. A link for staff
/// (`papers.packing_list` of the order) opens it without a token.
#[utoipa::path(get, path = "/v1/orders/{id}/packing-list", operation_id = "printPackingList",
    tag = "delivery", params(("id" = String, Path), Shown),
    security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
pub(super) async fn packing_list(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(shown): Params<Shown>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Err(refused) = shown.open_to_staff(&app, Target::PackingList(id), &caller, &headers).await {
        return Ok(refused);
    }
    let found = app.snapshot::<Order>(id, &Then::default(), &headers).await?;
    let it = found.state.live()?;
    let locale = shown.reading().of_reader(&app, &caller, &headers).await?;
    let ordered = Moments::of(&app, id).await?.placed;
    let travels =
        |variant: &VariantId| it.placement.lines.iter().any(|line| line.variant == *variant && line.travels());
    // What is bought in several lines is packed at once.
    let left: Vec<(VariantId, i64)> =
        it.variants().into_iter().filter(travels).map(|variant| (variant, it.left_to_ship(variant))).collect();
    let kept = it.parcels.iter().filter(|(_, parcel)| parcel.stage != ParcelStage::Dropped);
    let parcels: Vec<PackedParcel> = kept.map(|(id, parcel)| PackedParcel::of(*id, parcel)).collect();
    let waiting: i64 = parcels.iter().filter(|parcel| !parcel.gone).map(|parcel| sum(&parcel.lines)).sum();
    let parcels = parcels.iter().map(|PackedParcel { id, gone, lines }| {
        json!({"number": Number::of(id.uuid()), "gone": gone, "pieces": sum(lines), "lines": pieces(it, lines)})
    });
    let mut notes = Vec::new();
    for note in &it.notes {
        let opened = app.commands.vault().open(&note.note).await.map_err(Error::from)?;
        notes.extend(opened.map(|text| text.to_string()));
    }
    let weight = it.placement.shipping.as_ref().and_then(|it| u32::try_from(it.weight_g).ok());
    let context = json!({
        "order": Number::of(id.uuid()),
        "stage": it.stage(),
        "pieces": sum(&left) + waiting,
        "address": lines_of(&app, &it.placement.destination, locale, false).await?,
        "ordered": ordered.map(|at| format::day(at, locale)),
        "service": services(it, |_| true),
        "weight": weight.map(|grams| format::weight(grams, locale)),
        "lines": pieces(it, &left),
        "parcels": parcels.collect::<Vec<_>>(),
        "notes": notes,
    });
    page("packing_list.html", locale, &context).map(reply::for_staff)
}

/// A parcel as its packing list shows it.
struct PackedParcel {
    id: ShipmentId,
    /// Whether it was handed over.
    gone: bool,
    lines: Vec<(VariantId, i64)>,
}

impl PackedParcel {
    fn of(id: ShipmentId, parcel: &Parcel) -> Self {
        // What was found after it was replaced is still in its parcel.
        let lines = parcel.lines.iter().chain(&parcel.extra).map(|line| (line.variant, line.quantity.get()));
        Self { id, gone: parcel.stage != ParcelStage::Prepared, lines: lines.collect() }
    }
}

fn sum(lines: &[(VariantId, i64)]) -> i64 {
    lines.iter().map(|(_, pieces)| pieces).sum()
}

/// Pieces of an order in the order in which they were bought, each variant once.
fn pieces(it: &Placed, wanted: &[(VariantId, i64)]) -> Vec<Value> {
    let mut seen = Vec::new();
    let mut lines = Vec::new();
    for line in &it.placement.lines {
        let found = wanted.iter().find(|(variant, pieces)| *variant == line.variant && *pieces > 0);
        let Some((variant, pieces)) = found else { continue };
        if !seen.contains(variant) {
            seen.push(*variant);
            let ordered = it.bought(*variant) - it.off(*variant);
            lines.push(json!({"sku": line.sku, "title": line.title, "ordered": ordered, "pieces": pieces}));
        }
    }
    lines
}

/// The label of a shipment as a printable page of 100 by 150 mm.
///
/// It is not a tax document and is not frozen: it shows the seller details at the time of printing. A link for staff
/// (`papers.label` of the shipment) opens it without a token.
#[utoipa::path(get, path = "/v1/shipments/{id}/label", operation_id = "printShipmentLabel",
    tag = "delivery", params(("id" = String, Path), Shown),
    security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
pub(super) async fn label(
    State(app): State<Shared>,
    Of(id): Of<ShipmentId>,
    Params(shown): Params<Shown>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Err(refused) = shown.open_to_staff(&app, Target::Label(id), &caller, &headers).await {
        return Ok(refused);
    }
    let found = app.snapshot::<Shipment>(id, &Then::default(), &headers).await?;
    let parcel = found.state.live()?;
    let order = app.commands.get::<Order>(parcel.order).await?.ok_or_else(|| Problem::missing("shipment"))?;
    let it = order.state.live()?;
    let locale = shown.reading().of_reader(&app, &caller, &headers).await?;
    let carrier = match &parcel.carrier {
        CarriedBy::Simulated { .. } => None,
        CarriedBy::Other { name } => Some(name.as_str()),
    };
    // Before the carrier has a number for it, the parcel has ours.
    let (tracking, shipment) = (parcel.tracking.as_ref().map(ToString::to_string), Number::of(id.uuid()).to_string());
    let code = qr::svg(tracking.as_deref().unwrap_or(&shipment))?;
    // Carriers everywhere read where a parcel goes, so its country is in English, whatever the reader's language.
    let address = lines_of(&app, &it.placement.destination, Locale::En, false).await?;
    let context = json!({
        "seller": From::of(&app.trade.issuer),
        "carrier": carrier,
        "service": services(it, |variant| parcel.lines.iter().any(|line| line.variant == variant)),
        "weight": parcel.weight_g.map(|grams| format::weight(grams, locale)),
        "size": size(&address),
        "long_seller": lines_of_letters(&label_lines(&app.trade.issuer), 26) > 6,
        "address": address,
        "tracking": tracking,
        "shipment": shipment,
        "order": Number::of(parcel.order.uuid()),
        "pieces": parcel.lines.iter().map(|line| line.quantity.get()).sum::<i64>(),
        "code": code,
    });
    page("label.html", locale, &context).map(reply::for_staff)
}

/// How small an address must be written to fit its label, by the lines that it takes there.
fn size(address: &[String]) -> Option<&'static str> {
    // Each size with the letters of a line in it, of wide ones, and the lines that there is room for.
    const ROOM: [(Option<&str>, usize, usize); 3] = [(None, 26, 8), (Some("long"), 34, 12), (Some("longer"), 42, 18)];
    let fits = ROOM.iter().find(|(_, letters, lines)| lines_of_letters(address, *letters) <= *lines);
    fits.map_or(Some("longest"), |(size, ..)| *size)
}

/// How many lines a text takes that has so many letters to a line.
fn lines_of_letters(text: &[String], letters: usize) -> usize {
    text.iter().map(|line| line.chars().count().div_ceil(letters)).sum()
}

/// The services by which some lines of an order are shipped.
fn services(it: &Placed, is_among: impl Fn(VariantId) -> bool) -> Option<String> {
    let parts = it.parts.all().iter().filter(|part| part.variants().any(&is_among));
    let names =
        parts.filter_map(|part| it.placement.shipping_of(part.seller)).map(|shipping| shipping.name.to_string());
    let names: BTreeSet<String> = names.collect();
    (!names.is_empty()).then(|| names.into_iter().collect::<Vec<_>>().join(", "))
}
