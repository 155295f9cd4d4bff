//! Stock: typed movements of a variant, and how much of it there is.

use axum::extract::State;
use axum::response::Response;
use byteshop_domain::ids::VariantId;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::{Command, StockLevel};
use byteshop_domain::text::Reason;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::max;
use super::show::Stock;
use crate::app::Shared;
use crate::edge::actor::Staff;
use crate::edge::ask::{Ask, Of};
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};

/// A stock movement.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "received", "quantity": 100}))]
struct Movement {
    r#type: MovementType,
    /// Pieces moved, at least 1; for a count, the pieces on hand, at least 0.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    quantity: i64,
    #[schema(value_type = Option<String>, default = max::<Reason>)]
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

impl Movement {
    fn command(&self) -> Result<Command, Problem> {
        let quantity =
            || Quantity::new(self.quantity).map_err(|error| Problem::invalid("/quantity", error.to_string()));
        let reason = self.reason.clone();
        Ok(match self.r#type {
            MovementType::Received => Command::Receive { quantity: quantity()?, reason },
            MovementType::Lost => Command::Lose { quantity: quantity()?, reason },
            MovementType::Returned => Command::Return { quantity: quantity()?, order: None, reason },
            MovementType::Counted => Command::Count { on_hand: self.quantity },
        })
    }
}

/// Records a stock movement.
#[utoipa::path(post, path = "/v1/variants/{id}/stock", operation_id = "recordStockMovement",
    tag = "stock", params(("id" = String, Path)),
    request_body = Movement, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The stock afterwards", body = Stock)))]
async fn move_stock(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    ask: Ask<Staff, Movement>,
) -> Result<Response, Problem> {
    let command = ask.body.command()?;
    let ask = &ask;
    app.run(ask, "stock.move", |unit| {
        let command = command.clone();
        async move {
            let mut stock = unit.load_matching::<StockLevel>(variant).await?;
            unit.decide(&mut stock, &command)?;
            Reply::ok(stock.version, &Stock::of(variant, &stock.state))
        }
    })
    .await
}

/// Stock of a variant.
#[utoipa::path(get, path = "/v1/variants/{id}/stock", operation_id = "getStock",
    tag = "stock", params(("id" = String, Path)),
    security(("bearer" = ["staff"])), responses((status = 200, description = "The stock", body = Stock)))]
async fn stock(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    _staff: Staff,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    let found = app.commands.get::<StockLevel>(variant).await?.ok_or_else(|| Problem::missing("stock"))?;
    reply::one(found.version, &Stock::of(variant, &found.state))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(move_stock, stock))
}
