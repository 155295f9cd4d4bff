//! Files as evidence for disputes: uploaded and downloaded by staff alone.

use axum::body::Body;
use axum::extract::{FromRequest, Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use byteshop_commands::ports::evidence_files::EvidenceName;
use byteshop_commands::use_cases::disputes::files;
use byteshop_domain::Decider as _;
use byteshop_domain::dispute::{Dispute, FILE_MAX, FileKind};
use byteshop_domain::ids::DisputeId;
use byteshop_domain::text::FileName;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{App, Shared};
use crate::edge::actor::Staff;
use crate::edge::ask::{Ask, Of, Params};
use crate::edge::attachment::{self, disposition};
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;
use crate::edge::version;
use crate::http::show::dispute as show;
use crate::http::show::names::Binary;

/// What a file is called.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EvidenceFileQuery {
    /// The name of the file; it is required.
    name: Option<FileName>,
}

/// A request whose body is a file.
struct Sent(Ask<Staff, Bytes>, FileKind);

impl FromRequest<Shared> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        let (ask, _) = Ask::<Staff, Bytes>::of_bytes(request, app, FILE_MAX).await?;
        let kind = FileKind::of(&ask.body).ok_or_else(|| {
            Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "request.unsupported_media_type",
                "the file must be a PDF, PNG, JPEG or GIF; send it as the body, and not in a form",
            )
        })?;
        Ok(Self(ask, kind))
    }
}

/// Submits a file as evidence for a dispute.
///
/// The body is the file: a PDF, PNG, JPEG or GIF of at most 5 MiB, recognized by its beginning. All files of a dispute may have 15 MiB.
/// It is encrypted, and erased with the buyer's personal data. A provider that asks for evidence gets the file, under another name.
#[utoipa::path(post, path = "/v1/admin/disputes/{id}/evidence/files", operation_id = "addDisputeEvidenceFile",
    tag = "admin", params(("id" = String, Path), EvidenceFileQuery),
    request_body(content((Binary = "application/pdf"), (Binary = "image/png"), (Binary = "image/jpeg"), (Binary = "image/gif"))),
    security(("bearer" = ["staff"])), responses((status = 201, description = "The dispute", body = show::Dispute)))]
async fn upload(
    State(app): State<Shared>,
    Of(id): Of<DisputeId>,
    Params(query): Params<EvidenceFileQuery>,
    Sent(ask, kind): Sent,
) -> Result<Response, Problem> {
    let name = query.name.ok_or_else(|| Problem::query("name", "name the file: ?name=delivery.pdf"))?;
    if let Err(error) = app.commands.sweep_evidence().await {
        tracing::warn!(%error, "files for disputes that were not submitted cannot be deleted");
    }
    let stored = app.commands.store_evidence(id, kind, &ask.body).await?;
    let (name, stored) = (&name, &stored);
    let submitted = app.run(&ask, "dispute.submit_file", |unit| async move {
        let mut dispute = unit.load_matching::<Dispute>(id).await?;
        files::submit_file(&unit, &mut dispute, name, stored).await?;
        let shown = show::Dispute::of(id, dispute.state.live()?);
        Reply::created(format!("/v1/admin/disputes/{id}"), dispute.version, &shown)
    });
    settled(&app, stored.name, submitted.await).await
}

/// The answer to an upload, once its file is kept or, as it was refused or is a repetition, deleted.
async fn settled(app: &App, name: EvidenceName, answer: Result<Response, Problem>) -> Result<Response, Problem> {
    // Whether it was submitted is not certain: an upload a day later finds out.
    if answer.as_ref().is_err_and(|problem| problem.status().is_server_error()) {
        return answer;
    }
    // It can be read where it is, and a later upload tries again.
    if let Err(error) = app.commands.settle_evidence(name).await {
        tracing::warn!(%error, "a file for a dispute cannot be moved to its place");
    }
    answer
}

/// Downloads a file that was submitted as evidence.
///
/// `number` is that of the evidence. Once the buyer was erased there is no such file.
#[utoipa::path(get, path = "/v1/admin/disputes/{id}/evidence/{number}/file", operation_id = "getDisputeEvidenceFile",
    tag = "admin", params(("id" = String, Path), ("number" = i64, Path)), security(("bearer" = ["staff"])),
    responses((status = 200, description = "The file", content((Binary = "application/pdf"), (Binary = "image/png"),
        (Binary = "image/jpeg"), (Binary = "image/gif")))))]
async fn download(
    State(app): State<Shared>,
    Path((id, number)): Path<(String, String)>,
    _staff: Staff,
) -> Result<Response, Problem> {
    let id: DisputeId = id.parse().map_err(|_| Problem::missing(Dispute::CATEGORY))?;
    let missing = || Problem::missing("file");
    let number = version::digits(&number).and_then(|number| usize::try_from(number).ok()).ok_or_else(missing)?;
    let found = app.commands.get::<Dispute>(id).await?.ok_or_else(|| Problem::missing(Dispute::CATEGORY))?;
    let file = found.state.live()?.file(number).ok_or_else(missing)?;
    let (name, content) = app.commands.evidence_file(id, file).await?.ok_or_else(missing)?;
    let disposition = HeaderValue::try_from(disposition(name.as_str())).map_err(|_| Problem::internal())?;
    let mut response = Body::from(content).into_response();
    let answer = response.headers_mut();
    attachment::describe(answer, HeaderValue::from_static(file.media_type.media_type()), disposition);
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(upload)).routes(routes!(download))
}
