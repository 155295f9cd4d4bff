//! Pictures of products, and the files that they are served from.

use axum::body::Body;
use axum::extract::{FromRequest, Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use byteshop_commands::ports::blobs::BlobName;
use byteshop_commands::use_cases::products;
use byteshop_domain::Bounded;
use byteshop_domain::ids::{ImageId, ProductId};
use byteshop_domain::product::{IMAGES_MAX, Image};
use byteshop_domain::text::{Hash, Label, fresh};
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::products::{changed, made};
use super::show;
use super::show::names::Binary;
use crate::app::Shared;
use crate::edge::actor::Trader;
use crate::edge::ask::{Ask, Nothing, Of, OfTwo, Params};
use crate::edge::body;
use crate::edge::conditional::{self, Part};
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;
use crate::pictures::FILE_MAX;
use crate::queries::catalog::require_keeper;

/// The maximum size of a form besides its file.
const FORM_MAX: usize = 16 << 10;
/// The media type of forms with files (RFC 7578).
const FORM: &str = "multipart/form-data";

/// A picture that is sent in, in a multipart form with one file or by itself.
#[derive(ToSchema)]
#[schema(as = UploadForm)]
struct Upload {
    #[schema(default = json!({"x-schema": {"contentMediaType": "application/octet-stream"}}))]
    file: Binary,
    /// The alternative text.
    alt: Option<Label>,
}

/// The caller and the image.
struct Sent(Ask<Trader, Upload>);

/// The query of an image that is sent without a form.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UploadQuery {
    /// The alternative text.
    alt: Option<Label>,
}

impl FromRequest<Shared> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        let (ask, headers) = Ask::<Trader, Bytes>::of_bytes(request, app, FILE_MAX + FORM_MAX).await?;
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.to_ascii_lowercase();
        let is_file = kind.is_empty() || kind.starts_with("image/") || kind.starts_with("application/octet-stream");
        if !is_file && !kind.starts_with(FORM) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "request.unsupported_media_type",
                "send the image as image/… or application/octet-stream, or in a multipart/form-data form",
            ));
        }
        let upload = if is_file {
            Upload { file: Binary(ask.body.clone()), alt: None }
        } else {
            form(&headers, &ask.body).await?
        };
        if upload.file.0.len() > FILE_MAX {
            return Err(body::too_large(FILE_MAX));
        }
        Ok(Self(ask.with(upload)))
    }
}

/// Reads a form: a file, and what it shows.
async fn form(headers: &HeaderMap, bytes: &Bytes) -> Result<Upload, Problem> {
    let malformed = |error: multer::Error| Problem::malformed("request.malformed_form", error.to_string());
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(malformed)?;
    let whole = stream::iter([Ok::<_, std::io::Error>(bytes.clone())]);
    let mut form = multer::Multipart::new(whole, boundary);
    let (mut file, mut alt) = (None, None);
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        // The name that the file had where it came from means nothing here.
        match field.name().unwrap_or_default().to_owned().as_str() {
            "file" if file.is_none() => file = Some(field.bytes().await.map_err(malformed)?),
            "alt" if alt.is_none() => alt = Some(field.text().await.map_err(malformed)?),
            _ => return Err(Problem::invalid("", "the form must have one field `file` and may have one field `alt`")),
        }
    }
    let alt = alt.filter(|alt| !alt.trim().is_empty()).map(|alt| fresh(|| Label::new(&alt))).transpose();
    let alt = alt.map_err(|error| Problem::invalid("/alt", error.to_string()))?;
    let file = file.ok_or_else(|| Problem::invalid("/file", "the form needs a field `file`"))?;
    Ok(Upload { file: Binary(file), alt })
}

/// Appends an image to a product.
///
/// The image is rotated upright and re-encoded without metadata, and thumbnails are made.
#[utoipa::path(post, path = "/v1/products/{id}/images", operation_id = "addProductImage",
    tag = "catalog", params(("id" = String, Path), UploadQuery),
    request_body(content((Upload = "multipart/form-data"), (Binary = "application/octet-stream"), (Binary = "image/*"))),
    security(("bearer" = ["member"])), responses((status = 201, description = "The product", body = show::Product)))]
async fn add(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    Params(query): Params<UploadQuery>,
    Sent(ask): Sent,
) -> Result<Response, Problem> {
    // A missing product, or that of another seller, is reported before the image is processed.
    require_keeper(&app, &ask.who.0, id).await?;
    let acts_for = ask.who.acts_for();
    let kept = app.pictures.keep(ask.body.file.0.clone()).await?;
    let digest = Hash::new(&kept.digest).map_err(|_| Problem::internal())?;
    let alt = ask.body.alt.clone().or(query.alt);
    let (digest, alt, kept) = (&digest, &alt, &kept);
    app.run(&ask, "product.add_image", |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        let image = Image {
            image: unit.new_id(),
            digest: digest.clone(),
            r#type: kept.r#type,
            width: kept.width,
            height: kept.height,
            bytes: kept.bytes,
            alt: alt.clone(),
        };
        let location = format!("/v1/products/{id}/images/{}", image.image);
        products::add_image(&unit, &mut product, image)?;
        made(&unit, &product, location).await
    })
    .await
}

/// The pictures of a product.
type ImageIds = Bounded<Vec<ImageId>, IMAGES_MAX>;

/// All images of a product, in their new order.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"images": ["img_01h455vb4pex5vsknk084sn02q", "img_01h455vb4pex5vsknk084sn02r"]}))]
struct ImageOrder {
    /// Without duplicates.
    images: ImageIds,
}

/// Reorders a product's images.
#[utoipa::path(put, path = "/v1/products/{id}/images", operation_id = "reorderProductImages",
    tag = "catalog", params(("id" = String, Path)),
    request_body = ImageOrder, security(("bearer" = ["member"])),
    responses((status = 200, description = "The product", body = show::Product)))]
async fn order(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Trader, ImageOrder>,
) -> Result<Response, Problem> {
    let (acts_for, images) = (ask.who.acts_for(), &ask.body.images);
    app.run(&ask, "product.order_images", |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        products::order_images(&unit, &mut product, images.to_vec())?;
        changed(&unit, &product).await
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"alt": "A white cup from the side"}))]
struct ImageChange {
    /// The alternative text; null removes it.
    alt: Option<Label>,
}

/// Sets the alternative text of an image.
#[utoipa::path(patch, path = "/v1/products/{id}/images/{image}", operation_id = "updateProductImage",
    tag = "catalog",
    params(("id" = String, Path), ("image" = String, Path)), request_body = ImageChange,
    security(("bearer" = ["member"])), responses((status = 200, description = "The product", body = show::Product)))]
async fn describe(
    State(app): State<Shared>,
    OfTwo(id, image): OfTwo<ProductId, ImageId>,
    ask: Ask<Trader, ImageChange>,
) -> Result<Response, Problem> {
    let (acts_for, alt) = (ask.who.acts_for(), &ask.body.alt);
    app.run(&ask, "product.describe_image", |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        products::describe_image(&unit, &mut product, image, alt.clone())?;
        changed(&unit, &product).await
    })
    .await
}

/// Removes an image from a product.
#[utoipa::path(delete, path = "/v1/products/{id}/images/{image}", operation_id = "removeProductImage",
    tag = "catalog",
    params(("id" = String, Path), ("image" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 204, description = "Removed")))]
async fn remove(
    State(app): State<Shared>,
    OfTwo(id, image): OfTwo<ProductId, ImageId>,
    ask: Ask<Trader, Nothing>,
) -> Result<Response, Problem> {
    let acts_for = ask.who.acts_for();
    app.run(&ask, "product.remove_image", |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        products::remove_image(&unit, &mut product, image)?;
        Ok(Reply::gone(product.version))
    })
    .await
}

/// Downloads an image or one of its thumbnails.
///
/// The name is derived from the content, so a file never changes.
#[utoipa::path(get, path = "/v1/files/{name}", operation_id = "getFile",
    tag = "catalog", security(()), params(("name" = String, Path)),
    responses((status = 200, description = "The file", content((Binary = "image/jpeg"), (Binary = "image/png"))),
        (status = 206, description = "The requested range", content((Binary = "image/jpeg"), (Binary = "image/png"))),
        (status = 304, description = "Not modified: the version in `If-None-Match` is the current one"),
        (status = 416, description = "`Range` begins after the end of the file")))]
async fn file(
    State(app): State<Shared>,
    method: Method,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let missing = || Problem::missing("file");
    let name = BlobName::parse(&name).ok_or_else(missing)?;
    let media_type = match name.as_str().rsplit_once('.') {
        Some((_, "jpg")) => HeaderValue::from_static("image/jpeg"),
        Some((_, "png")) => HeaderValue::from_static("image/png"),
        Some(_) | None => return Err(missing()),
    };
    let tag = HeaderValue::try_from(format!("\"{}\"", name.as_str())).map_err(|_| missing())?;
    let file = app.pictures.file(&name).await?.ok_or_else(missing)?;
    let mut response = if conditional::has(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let part = conditional::part(&method, &headers, &tag, file.len());
        sliced(file, part)?
    };
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        return Ok(response);
    }
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, media_type);
    answer.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    answer.insert(header::ETAG, tag);
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    answer.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    answer.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    Ok(response)
}

/// The whole file, or the part of it that is asked for.
fn sliced(file: Bytes, part: Part) -> Result<Response, Problem> {
    let length = file.len();
    let range = |text: String| HeaderValue::try_from(text).map_err(|_| Problem::internal());
    match part {
        Part::Whole => Ok(Body::from(file).into_response()),
        Part::Bytes(bytes) => {
            let told = range(format!("bytes {}-{}/{length}", bytes.start, bytes.end.saturating_sub(1)))?;
            let mut response = (StatusCode::PARTIAL_CONTENT, Body::from(file.slice(bytes))).into_response();
            response.headers_mut().insert(header::CONTENT_RANGE, told);
            Ok(response)
        }
        Part::Outside => {
            let detail = format!("the file has {length} bytes, and the range begins after its end");
            let outside = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "request.range_not_satisfiable", detail);
            let mut response = outside.into_response();
            response.headers_mut().insert(header::CONTENT_RANGE, range(format!("bytes */{length}"))?);
            Ok(response)
        }
    }
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(add, order)).routes(routes!(describe, remove)).routes(routes!(file))
}
