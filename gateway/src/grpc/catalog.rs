//! The catalog for other programs: search, one product, and whether lines can be ordered.

use http::HeaderMap;
use tonic::{Request, Response, Status};

use super::v1::catalog_service_server::CatalogService;
use super::v1::{
    GetProductRequest, GetProductResponse, SearchProductsRequest, SearchProductsResponse, ValidateLinesRequest,
    ValidateLinesResponse,
};
use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::problem::Problem;
use crate::queries::{catalog, lines};

mod page;
mod query;
mod show;

/// Answers from the same states and views as HTTP.
pub(super) struct Catalog(Shared);

impl Catalog {
    pub(super) fn new(app: Shared) -> Self {
        Self(app)
    }
}

#[tonic::async_trait]
impl CatalogService for Catalog {
    async fn search_products(
        &self,
        request: Request<SearchProductsRequest>,
    ) -> Result<Response<SearchProductsResponse>, Status> {
        let (caller, headers, asked) = opened(request)?;
        let asked = query::of(&caller, asked)?;
        let found = catalog::products(&self.0, &caller, &headers, asked, |name| format!("attr.{name}")).await?;
        Ok(Response::new(page::of(&found)?))
    }

    async fn get_product(&self, request: Request<GetProductRequest>) -> Result<Response<GetProductResponse>, Status> {
        let (caller, headers, asked) = opened(request)?;
        let current = catalog::product(&self.0, &caller, &headers, &query::named(asked)?).await?;
        let api = self.0.commands.api_address();
        let seller = current.seen.seller.as_deref();
        let product = show::product(current.id, current.details()?, seller, &current.available, api);
        Ok(Response::new(GetProductResponse { product: Some(product), version: current.found.version }))
    }

    async fn validate_lines(
        &self,
        request: Request<ValidateLinesRequest>,
    ) -> Result<Response<ValidateLinesResponse>, Status> {
        let (_, headers, asked) = opened(request)?;
        let currency = query::currency_of(&asked.currency)?;
        let checked = lines::check(&self.0, &headers, query::lines(&asked.lines, currency)?, currency).await?;
        Ok(Response::new(show::checked(&checked)))
    }
}

/// Splits a request into the caller, the headers and the message.
fn opened<T>(request: Request<T>) -> Result<(Caller, HeaderMap, T), Problem> {
    let (metadata, extensions, asked) = request.into_parts();
    // The edge of gRPC has put it there.
    let caller = extensions.get::<Caller>().cloned().ok_or_else(Problem::internal)?;
    Ok((caller, metadata.into_headers(), asked))
}
