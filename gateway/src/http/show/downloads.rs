//! How the downloads of an order look from outside: numbers, and for the buyer the signed URLs.

use byteshop_commands::Error;
use byteshop_commands::use_cases::downloads::Held;
use byteshop_domain::digital_good::{File, FileVersion};
use byteshop_domain::download::Item;
use byteshop_domain::ids::{AccountId, FileId, OrderId, ProductId, VariantId};
use byteshop_domain::order::{Number, Placed};
use byteshop_domain::text::{FileName, MediaType, Sku, Title};
use byteshop_projections::purchase_list;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;

/// What can be downloaded for the pieces of a variant in an order.
#[derive(Serialize, ToSchema)]
pub struct Downloads {
    /// Whether nothing can be downloaded any more, because all pieces are given back, refunded or on their way back.
    revoked: bool,
    /// Until when it can be downloaded; null for ever.
    until: Option<DateTime<Utc>>,
    /// The link; null if the variant has none.
    link: Option<DownloadUrl>,
    /// The files, the oldest first.
    files: Vec<DownloadFile>,
}

/// A file that was bought, in its current version.
#[derive(Serialize, ToSchema)]
struct DownloadFile {
    file: FileId,
    name: FileName,
    media_type: MediaType,
    /// The number of its bytes.
    bytes: u64,
    /// The number of its current version.
    version: u32,
    /// All versions, the newest first.
    versions: Vec<FileRelease>,
    /// How often it was downloaded: one URL counts once, and its versions are counted together.
    downloaded: i64,
    /// How often it can still be downloaded.
    remaining: i64,
    /// A URL of the shop that leads to the current version; null for staff, and if it cannot be downloaded any more.
    url: Option<String>,
    /// When that URL expires; read this again to get a new one.
    expires_at: Option<DateTime<Utc>>,
}

/// A version of a file.
#[derive(Serialize, ToSchema)]
pub struct FileRelease {
    version: u32,
    name: FileName,
    /// The number of its bytes.
    bytes: u64,
    /// When it was added.
    added_at: DateTime<Utc>,
}

impl FileRelease {
    /// The versions of a file, the newest first.
    pub fn all(file: &File) -> Vec<Self> {
        let one =
            |it: &FileVersion| Self { version: it.version, name: it.name.clone(), bytes: it.bytes, added_at: it.at };
        file.versions.iter().rev().map(one).collect()
    }
}

/// How often something was downloaded, and where it is.
#[derive(Serialize, ToSchema)]
struct DownloadUrl {
    /// How often it was downloaded: one URL counts once, and the versions of a file are counted together.
    downloaded: i64,
    /// How often it can still be downloaded.
    remaining: i64,
    /// A URL of the shop that leads there; null for staff, and if it cannot be downloaded any more.
    #[schema(
        example = "/v1/orders/ord_01h455vb4pex5vsknk084sn02q/download?variant=…&ticket=…&until=1797777000&seal=…"
    )]
    url: Option<String>,
    /// When that URL expires; read this again to get a new one.
    expires_at: Option<DateTime<Utc>>,
}

impl Downloads {
    /// What a line of an order can download; its URLs are for the buyer alone.
    pub async fn of(
        app: &App,
        order: OrderId,
        placed: &Placed,
        variant: VariantId,
        is_buyer: bool,
    ) -> Result<Option<Self>, Error> {
        let Some(held) = app.commands.held(order, placed, variant).await? else { return Ok(None) };
        let link = match &held.good.link {
            Some(_) => Some(DownloadUrl::of(app, &held, Item::Link, is_buyer).await?),
            None => None,
        };
        let mut files = Vec::new();
        for (id, file) in held.files() {
            let Some(current) = file.current() else { continue };
            let FileVersion { version, name, media_type, bytes, .. } = current.clone();
            let item = Item::File { file: id, version };
            let DownloadUrl { downloaded, remaining, url, expires_at } =
                DownloadUrl::of(app, &held, item, is_buyer).await?;
            let versions = FileRelease::all(file);
            files.push(DownloadFile {
                file: id,
                name,
                media_type,
                bytes,
                version,
                versions,
                downloaded,
                remaining,
                url,
                expires_at,
            });
        }
        Ok(Some(Self { revoked: held.pieces == 0, until: held.download.until(), link, files }))
    }

    /// The URL of the link.
    pub fn link_url(&self) -> Option<&str> {
        self.link.as_ref()?.url.as_deref()
    }

    /// The names, sizes and URLs of the files.
    pub fn file_urls(&self) -> impl Iterator<Item = (&FileName, u64, Option<&str>)> {
        self.files.iter().map(|file| (&file.name, file.bytes, file.url.as_deref()))
    }
}

impl DownloadUrl {
    async fn of(app: &App, held: &Held, item: Item, is_buyer: bool) -> Result<Self, Error> {
        let link = if is_buyer { app.commands.download_url(held, item).await? } else { None };
        let (url, expires_at) = link.map(|link| (link.url, link.until)).unzip();
        let downloaded = held.download.count(item);
        let remaining = (held.download.limit(held.pieces) - downloaded).max(0);
        Ok(Self { downloaded, remaining, url, expires_at })
    }
}

/// The downloads of an order.
#[derive(Serialize, ToSchema)]
pub struct OrderDownloads {
    /// The order.
    pub order: OrderId,
    /// The lines with downloads, a variant once.
    pub lines: Vec<DownloadsOfLine>,
}

/// A line of an order with what can be downloaded for it.
#[derive(Serialize, ToSchema)]
pub struct DownloadsOfLine {
    variant: VariantId,
    product: ProductId,
    /// The SKU.
    pub sku: Sku,
    /// The title at the time of the order.
    pub title: Title,
    /// What can be downloaded.
    pub downloads: Downloads,
}

impl OrderDownloads {
    /// Those of a paid order.
    pub async fn of(app: &App, order: OrderId, placed: &Placed, is_buyer: bool) -> Result<Self, Error> {
        let mut lines: Vec<DownloadsOfLine> = Vec::new();
        // Before the payment there is nothing to tell.
        let all = placed.placement.lines.iter().filter(|line| line.downloads && placed.is_paid());
        for line in all {
            if lines.iter().any(|known| known.variant == line.variant) {
                continue;
            }
            if let Some(downloads) = Downloads::of(app, order, placed, line.variant, is_buyer).await? {
                let (variant, product, sku, title) = (line.variant, line.product, line.sku.clone(), line.title.clone());
                lines.push(DownloadsOfLine { variant, product, sku, title, downloads });
            }
        }
        Ok(Self { order, lines })
    }
}

/// A page of purchases.
#[derive(Serialize, ToSchema)]
#[schema(as = PurchasePage)]
pub struct Purchases {
    /// The orders.
    pub items: Vec<Purchase>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// A paid order of the account with keys or downloads.
#[derive(Serialize, ToSchema)]
#[schema(as = PurchaseRow)]
pub struct Purchase {
    order: OrderId,
    /// The order number shown to people.
    number: Number,
    /// The account of the buyer.
    account: AccountId,
    /// The lines with keys or downloads.
    lines: Vec<PurchasedLine>,
    /// When it was paid, which delivered them.
    paid_at: Option<DateTime<Utc>>,
}

/// A line of a purchase: its keys in numbers, and its downloads.
#[derive(Serialize, ToSchema)]
struct PurchasedLine {
    variant: VariantId,
    product: ProductId,
    sku: Sku,
    /// The title at the time of the order.
    title: Title,
    /// How many keys the order has got.
    keys: i64,
    /// Keys among them that the buyer has been shown.
    revealed: i64,
    /// Keys that were revoked with a return or a refund: they are not shown any more.
    revoked: i64,
    /// What can be downloaded; null if its pieces are no downloads.
    downloads: Option<Downloads>,
}

impl Purchase {
    /// A purchase of a page; `placed` is its order if it has downloads.
    pub async fn of(app: &App, row: purchase_list::Row, placed: Option<&Placed>) -> Result<Self, Error> {
        let purchase_list::Row { order, number, account, lines: bought, paid_at } = row;
        let mut lines = Vec::with_capacity(bought.len());
        for line in bought {
            let downloads = match placed.filter(|_| line.downloads) {
                Some(placed) => Downloads::of(app, order, placed, line.variant, true).await?,
                None => None,
            };
            let purchase_list::PurchasedLine { variant, product, sku, title, keys, revealed, revoked, .. } = line;
            lines.push(PurchasedLine { variant, product, sku, title, keys, revealed, revoked, downloads });
        }
        Ok(Self { order, number, account, lines, paid_at })
    }
}
