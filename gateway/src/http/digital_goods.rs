//! What variants deliver as downloads, as staff and the members of a seller set it. No answer here has a link or the address of a file
//! in it.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Loaded;
use byteshop_commands::use_cases::digital_goods;
use byteshop_domain::digital_good::{self, DAYS_MAX, DOWNLOADS_MAX, DigitalGood, File, Limits};
use byteshop_domain::ids::{FileId, ProductId, VariantId};
use byteshop_domain::text::{FileName, Link, MediaType, Sku};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::keys::require;
use super::show::FileRelease;
use crate::app::Shared;
use crate::edge::actor::Trader;
use crate::edge::ask::{Ask, Of};
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};

/// What a variant delivers as a download.
#[derive(Serialize, ToSchema)]
#[schema(as = DigitalGood)]
pub(super) struct Good<'a> {
    variant: VariantId,
    product: Option<ProductId>,
    sku: Option<&'a Sku>,
    /// Whether it delivers a link. The link itself is shown to no one: buyers are led to it.
    link: bool,
    /// For how many days after the payment it can be downloaded; null for ever.
    days: Option<u32>,
    /// How often the link, and each file, can be downloaded for each piece that was bought; null for 1,000 times.
    downloads: Option<u32>,
    /// The files that it delivers, the oldest first.
    files: Vec<GoodFile<'a>>,
}

/// A file that a variant delivers, in its current version.
#[derive(Serialize, ToSchema)]
#[schema(as = DigitalFile)]
struct GoodFile<'a> {
    file: FileId,
    name: &'a FileName,
    media_type: &'a MediaType,
    /// The number of its bytes.
    bytes: u64,
    /// The number of its current version.
    version: u32,
    /// All versions, the newest first.
    versions: Vec<FileRelease>,
}

impl<'a> GoodFile<'a> {
    fn of((id, file): (FileId, &'a File)) -> Option<Self> {
        let current = file.current()?;
        let (name, media_type, bytes) = (&current.name, &current.media_type, current.bytes);
        Some(Self { file: id, name, media_type, bytes, version: current.version, versions: FileRelease::all(file) })
    }
}

impl<'a> Good<'a> {
    pub(super) fn of(variant: VariantId, good: &'a DigitalGood) -> Self {
        let Limits { days, downloads } = good.limits;
        Self {
            variant,
            product: good.product,
            sku: good.sku.as_ref(),
            link: good.link.is_some(),
            days,
            downloads,
            files: good.present().filter_map(GoodFile::of).collect(),
        }
    }
}

pub(super) fn shown(variant: VariantId, good: &Loaded<DigitalGood>) -> Result<Reply, byteshop_commands::Error> {
    Reply::ok(good.version, &Good::of(variant, &good.state))
}

/// What a variant delivers as a download.
#[utoipa::path(get, path = "/v1/variants/{id}/downloads", operation_id = "getDigitalGood",
    tag = "stock", params(("id" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "What it delivers", body = Good)))]
async fn good(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    who: Trader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    require(&app, &who, variant).await?;
    let good = app.commands.get::<DigitalGood>(digital_good::id(variant)).await?;
    let good = good.ok_or_else(|| Problem::missing("digital_good"))?;
    reply::one(good.version, &Good::of(variant, &good.state))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"link": "https://files.example.org/course?access=3f9a"}))]
struct SetLink {
    /// An HTTPS URL; null removes the link.
    link: Option<Link>,
}

/// Sets the link that a variant delivers.
///
/// Buyers of paid orders are led to it by URLs of the shop, which count and expire. It is stored encrypted, and no answer shows it. All
/// orders get the present link, also those that were paid before. The variant must not be a physical item; without pieces on hand it is
/// sold without a stock from then on.
#[utoipa::path(put, path = "/v1/variants/{id}/downloads/link", operation_id = "setDownloadLink",
    tag = "stock", params(("id" = String, Path)), request_body = SetLink, security(("bearer" = ["member"])),
    responses((status = 200, description = "What the variant delivers", body = Good)))]
async fn set_link(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    ask: Ask<Trader, SetLink>,
) -> Result<Response, Problem> {
    let (link, acts_for) = (ask.body.link.as_ref(), ask.who.acts_for());
    app.run(&ask, "digital_good.set_link", |unit| async move {
        shown(variant, &digital_goods::set_link(&unit, variant, acts_for, link).await?)
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"days": 365, "downloads": 5}))]
struct SetLimits {
    /// For how many days after the payment; null for ever.
    #[schema(minimum = 1, maximum = 3650)]
    days: Option<u32>,
    /// How often, for each piece that was bought; null for 1,000 times.
    #[schema(minimum = 1, maximum = 1000)]
    downloads: Option<u32>,
}

// The document states them as numbers.
const _: () = assert!(DAYS_MAX == 3_650 && DOWNLOADS_MAX == 1_000);

/// Sets how long and how often a variant can be downloaded.
///
/// The limits hold for orders that are paid from then on.
#[utoipa::path(put, path = "/v1/variants/{id}/downloads/limits", operation_id = "setDownloadLimits",
    tag = "stock", params(("id" = String, Path)), request_body = SetLimits, security(("bearer" = ["member"])),
    responses((status = 200, description = "What the variant delivers", body = Good)))]
async fn set_limits(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    ask: Ask<Trader, SetLimits>,
) -> Result<Response, Problem> {
    let limits = Limits { days: ask.body.days, downloads: ask.body.downloads };
    let acts_for = ask.who.acts_for();
    app.run(&ask, "digital_good.set_limits", |unit| async move {
        shown(variant, &digital_goods::set_limits(&unit, variant, acts_for, limits).await?)
    })
    .await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(good)).routes(routes!(set_link)).routes(routes!(set_limits))
}
