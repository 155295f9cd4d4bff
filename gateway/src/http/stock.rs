//! Stock: typed movements of a variant, and how much of it there is.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::{products, stock};
use byteshop_domain::ids::VariantId;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::Reason;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show::Stock;
use crate::app::Shared;
use crate::edge::actor::Trader;
use crate::edge::ask::{Ask, Of};
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::queries::catalog::require_keeper;

/// A stock movement.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "received", "quantity": 100}))]
struct Movement {
    r#type: MovementType,
    /// Pieces moved, at least 1; for a count, the pieces on hand, at least 0.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    quantity: i64,
    reason: Option<Reason>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MovementType {
    /// Goods received.
    Received,
    /// Goods lost or spoilt.
    Lost,
    /// Goods returned.
    Returned,
    /// A count of the goods on hand.
    Counted,
}

/// What a movement says.
#[derive(Clone, Copy)]
enum Said {
    Received(Quantity),
    Lost(Quantity),
    Returned(Quantity),
    Counted(i64),
}

impl Movement {
    fn said(&self) -> Result<Said, Problem> {
        let quantity =
            || Quantity::new(self.quantity).map_err(|error| Problem::invalid("/quantity", error.to_string()));
        Ok(match self.r#type {
            MovementType::Received => Said::Received(quantity()?),
            MovementType::Lost => Said::Lost(quantity()?),
            MovementType::Returned => Said::Returned(quantity()?),
            MovementType::Counted => Said::Counted(self.quantity),
        })
    }
}

/// Records a stock movement.
#[utoipa::path(post, path = "/v1/variants/{id}/stock", operation_id = "recordStockMovement",
    tag = "stock", params(("id" = String, Path)),
    request_body = Movement, security(("bearer" = ["member"])),
    responses((status = 200, description = "The stock afterwards", body = Stock)))]
async fn move_stock(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    ask: Ask<Trader, Movement>,
) -> Result<Response, Problem> {
    let said = ask.body.said()?;
    let ask = &ask;
    app.run(ask, "stock.move", |unit| async move {
        let mut level = unit.load::<StockLevel>(variant).await?.exists()?;
        products::require_stock(&unit, &level, ask.who.acts_for()).await?;
        unit.check_version(&level)?;
        let reason = ask.body.reason.clone();
        match said {
            Said::Received(quantity) => stock::receive(&unit, &mut level, quantity, reason)?,
            Said::Lost(quantity) => stock::lose(&unit, &mut level, quantity, reason)?,
            Said::Returned(quantity) => stock::take_back(&unit, &mut level, quantity, reason)?,
            Said::Counted(on_hand) => stock::count(&unit, &mut level, on_hand)?,
        }
        Reply::ok(level.version, &Stock::of(variant, &level.state))
    })
    .await
}

/// Stock of a variant.
#[utoipa::path(get, path = "/v1/variants/{id}/stock", operation_id = "getStock",
    tag = "stock", params(("id" = String, Path)),
    security(("bearer" = ["member"])), responses((status = 200, description = "The stock", body = Stock)))]
async fn level(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    Trader(caller): Trader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    let found = app.commands.get::<StockLevel>(variant).await?.ok_or_else(|| Problem::missing("stock"))?;
    if !caller.is_staff() {
        let product = found.state.product.ok_or_else(|| Problem::missing("stock"))?;
        require_keeper(&app, &caller, product).await?;
    }
    reply::one(found.version, &Stock::of(variant, &found.state))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(move_stock, level))
}
