//! Files that variants deliver: uploaded in pieces, added, replaced by new versions, and removed. No answer has the address of a file.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_commands::ports::private_files::{Stored, Waiting, digest_of};
use byteshop_commands::use_cases::digital_goods::{self, NewFile};
use byteshop_domain::digital_good::Rejection;
use byteshop_domain::ids::{FileId, Id as _, VariantId};
use byteshop_domain::text::{FileName, MediaType, fresh};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::digital_goods::{Good, shown};
use super::show::names::Binary;
use crate::app::{App, Shared};
use crate::edge::actor::Trader;
use crate::edge::ask::{Ask, Nothing, Of, OfTwo, Params, Streamed};
use crate::edge::body::Pieces;
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;

/// How long an upload may take: as long as a connection may last.
const UPLOAD_PATIENCE: Duration = Duration::from_hours(1);
/// The media type of a file of which nothing is known.
const UNKNOWN: &str = "application/octet-stream";
/// What programs send of themselves, without knowing the file.
const UNSAID: [&str; 2] = [UNKNOWN, "application/x-www-form-urlencoded"];
/// How files of some kinds begin.
const KINDS: [(&[u8], &str); 12] = [
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "application/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
];

/// How buyers save a new file.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FileQuery {
    /// The name under which buyers save it; it is required.
    name: Option<FileName>,
}

/// What is uploaded.
enum Upload {
    /// A file with a name.
    File(Option<FileName>),
    /// A new version of a file.
    Version(FileId),
}

/// How buyers save a new version.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VersionQuery {
    /// The name under which buyers save it; that of the version before by default.
    name: Option<FileName>,
}

/// The media type that a request declares; none if it does not know it.
fn declared(headers: &HeaderMap) -> Result<Option<MediaType>, Problem> {
    let unsupported =
        |detail| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "request.unsupported_media_type", detail);
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(unsupported("the file is stored as it is sent: remove Content-Encoding"));
    }
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(None) };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind.starts_with("multipart/") {
        return Err(unsupported("send the file as the body, and not in a form"));
    }
    if kind.is_empty() || UNSAID.contains(&kind.as_str()) {
        return Ok(None);
    }
    let read = fresh(|| MediaType::new(&kind));
    read.map(Some).map_err(|_| unsupported("Content-Type must be a media type such as application/pdf"))
}

/// The media type of a file that begins like this.
fn recognized(beginning: &[u8]) -> Result<MediaType, Problem> {
    let known = KINDS.iter().find(|(start, _)| beginning.starts_with(start)).map(|(_, kind)| *kind);
    let known = known.or_else(|| (beginning.get(4..8) == Some(b"ftyp")).then_some("video/mp4"));
    MediaType::new(known.unwrap_or(UNKNOWN)).map_err(|_| Problem::internal())
}

/// The problem of a new file without a name.
fn unnamed() -> Problem {
    Problem::query("name", "name the file: ?name=course.pdf")
}

/// A request whose body is a file, and the file in the store.
struct Sent {
    ask: Ask<Trader, ()>,
    media_type: MediaType,
    stored: Stored,
}

impl Sent {
    /// Reads and stores the file, if the caller may change the variant.
    async fn of(request: Request, app: &Shared, variant: VariantId, upload: &Upload) -> Result<Self, Problem> {
        let file = match upload {
            Upload::File(_) => None,
            Upload::Version(file) => Some(*file),
        };
        let mut streamed = Streamed::<Trader>::of(request, app).await?;
        let acts_for = streamed.ask.who.acts_for();
        let intent = streamed.ask.intent("digital_good.check_upload");
        let checked = app
            .commands
            .run(&intent, |unit| async move { digital_goods::check_upload(&unit, variant, acts_for, file).await });
        checked.await?;
        // A caller without permission is told that first.
        if let Upload::File(None) = upload {
            return Err(unnamed());
        }
        let declared = declared(streamed.headers())?;
        let max = app.trade.file_max;
        let sent = std::mem::take(&mut streamed.body);
        let mut pieces = Pieces::of(streamed.headers(), sent, max, UPLOAD_PATIENCE)?;
        sweep(app).await;
        let number = app.commands.clock().new_id();
        let mut writing = app.sold_files.upload(Waiting { variant, number }).await?;
        loop {
            match pieces.next().await {
                Ok(Some(piece)) => writing.take(&piece).await?,
                Ok(None) => break,
                Err(problem) => {
                    writing.abort().await;
                    return Err(problem);
                }
            }
        }
        if writing.is_empty() {
            writing.abort().await;
            return Err(Error::from(Rejection::EmptyFile).into());
        }
        let stored = writing.end().await?;
        let media_type = match declared {
            Some(declared) => declared,
            None => recognized(&stored.beginning)?,
        };
        let ask = streamed.after(app, digest_of(&stored.address).as_bytes()).await?;
        Ok(Self { ask, media_type, stored })
    }
}

/// Looks after the files that wait since a crash.
async fn sweep(app: &App) {
    let swept = async {
        for waiting in app.sold_files.sweep(app.commands.clock().now()).await? {
            settle(app, waiting).await?;
        }
        Ok::<_, Problem>(())
    };
    if let Err(problem) = swept.await {
        tracing::warn!(?problem, "files that were uploaded and not added cannot be deleted");
    }
}

/// Keeps a file that a version refers to, and deletes it if none does.
async fn settle(app: &App, waiting: Waiting) -> Result<(), Problem> {
    match app.commands.address_of(waiting).await? {
        Some(address) => Ok(app.sold_files.keep(waiting, &address).await?),
        None => Ok(app.sold_files.discard(waiting).await?),
    }
}

/// The answer to an upload, once its file is kept or, as it was refused or is a repetition, deleted.
async fn settled(app: &App, waiting: Waiting, answer: Result<Response, Problem>) -> Result<Response, Problem> {
    // Whether it was added is not certain: a later upload finds out.
    if answer.as_ref().is_err_and(|problem| problem.status().is_server_error()) {
        return answer;
    }
    // It can be read where it is, and a later upload tries again.
    if let Err(problem) = settle(app, waiting).await {
        tracing::warn!(?problem, "a file that was uploaded cannot be moved to its address");
    }
    answer
}

/// Adds a file to what a variant delivers.
///
/// The body is the file, up to the size that the shop allows (`file_max_mib`, 2 GiB by default). `Content-Type` is its media type;
/// without one it is recognized by its beginning. Buyers of paid orders download it by URLs of the shop, which count and expire. The
/// variant must not be a physical item; without pieces on hand it is sold without a stock from then on.
#[utoipa::path(post, path = "/v1/variants/{id}/files", operation_id = "addFile",
    tag = "stock", params(("id" = String, Path), FileQuery), request_body(content((Binary = "*/*"))),
    security(("bearer" = ["member"])),
    responses((status = 201, description = "What the variant delivers", body = Good)))]
async fn add(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    Params(query): Params<FileQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let Sent { ask, media_type, stored } = Sent::of(request, &app, variant, &Upload::File(query.name.clone())).await?;
    let (acts_for, file) = (ask.who.acts_for(), FileId::from_uuid(app.commands.clock().new_id()));
    let new = &NewFile { name: None, media_type, stored };
    let name = &query.name.ok_or_else(unnamed)?;
    let added = app.run(&ask, "digital_good.add_file", |unit| async move {
        let good = digital_goods::add_file(&unit, variant, acts_for, file, name, new).await?;
        Reply::created(format!("/v1/variants/{variant}/downloads"), good.version, &Good::of(variant, &good.state))
    });
    settled(&app, new.stored.waiting, added.await).await
}

/// Adds a new version of a file.
///
/// Buyers get the current version, also those who bought an older one, and hear of it once by mail. A URL that was made for an older
/// version leads to that one until it expires.
#[utoipa::path(put, path = "/v1/variants/{id}/files/{file}", operation_id = "addFileVersion",
    tag = "stock", params(("id" = String, Path), ("file" = String, Path), VersionQuery),
    request_body(content((Binary = "*/*"))), security(("bearer" = ["member"])),
    responses((status = 200, description = "What the variant delivers", body = Good)))]
async fn add_version(
    State(app): State<Shared>,
    OfTwo(variant, file): OfTwo<VariantId, FileId>,
    Params(query): Params<VersionQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let Sent { ask, media_type, stored } = Sent::of(request, &app, variant, &Upload::Version(file)).await?;
    let acts_for = ask.who.acts_for();
    let new = &NewFile { name: query.name, media_type, stored };
    let added = app.run(&ask, "digital_good.add_version", |unit| async move {
        shown(variant, &digital_goods::add_version(&unit, variant, acts_for, file, new).await?)
    });
    settled(&app, new.stored.waiting, added.await).await
}

/// Removes a file from what a variant delivers.
///
/// Orders that are placed from then on do not get it; those that were placed before keep it.
#[utoipa::path(delete, path = "/v1/variants/{id}/files/{file}", operation_id = "removeFile",
    tag = "stock", params(("id" = String, Path), ("file" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "What the variant delivers", body = Good)))]
async fn remove(
    State(app): State<Shared>,
    OfTwo(variant, file): OfTwo<VariantId, FileId>,
    ask: Ask<Trader, Nothing>,
) -> Result<Response, Problem> {
    let acts_for = ask.who.acts_for();
    app.run(&ask, "digital_good.remove_file", |unit| async move {
        shown(variant, &digital_goods::remove_file(&unit, variant, acts_for, file).await?)
    })
    .await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(add)).routes(routes!(add_version, remove))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn said(kind: &'static str) -> Result<Option<String>, StatusCode> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
        let declared = declared(&headers).map_err(|problem| problem.status())?;
        Ok(declared.map(|kind| kind.to_string()))
    }

    #[test]
    fn a_media_type_is_declared_or_recognized() {
        assert_eq!(said("Application/EPUB+zip; x=1"), Ok(Some("application/epub+zip".to_owned())));
        for unsaid in ["", UNKNOWN, "application/x-www-form-urlencoded"] {
            assert_eq!(said(unsaid), Ok(None), "{unsaid}");
        }
        for refused in ["multipart/form-data; boundary=x", "zip", "a/b/c"] {
            assert_eq!(said(refused), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{refused}");
        }
        for (beginning, kind) in [
            (&b"%PDF-1.7"[..], "application/pdf"),
            (b"PK\x03\x04..", "application/zip"),
            (b"\0\0\0\x20ftypisom", "video/mp4"),
            (b"hello", UNKNOWN),
            (b"", UNKNOWN),
        ] {
            assert_eq!(recognized(beginning).unwrap().as_str(), kind);
        }
    }
}
