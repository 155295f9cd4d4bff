//! The routes of HTTP and gRPC, and the edge around them.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use byteshop_commands::ports::connected::Provider;

use crate::app::{App, Shared};
use crate::edge::{layer, parameters};
use crate::grpc;
use crate::http::{openapi, pages};

/// The routes of HTTP; run them with [`serve`](crate::serve::serve), so that limits know the address of the caller.
pub fn router(app: App) -> Router {
    let app: Shared = Arc::new(app);
    let (routes, _) = openapi::routes().split_for_parts();
    let at_edge = from_fn_with_state(Arc::clone(&app), layer::pass);
    let mut shop = routes
        .route_layer(from_fn_with_state(Arc::clone(&app), parameters::known))
        .merge(pages::routes())
        .merge(grpc::routes(&app))
        .fallback(pages::nothing)
        .layer(at_edge.clone());
    // Before the edge: preflights count against no limit, and pages can read refusals of the edge, too.
    if let Some(cors) = app.cors.layer() {
        shop = shop.layer(cors);
    }
    // No page of anybody else's may ask for those of development.
    if app.dev {
        let emulator = app.commands.connected().has_provider(Provider::Test);
        shop = shop.merge(pages::development(emulator).layer(at_edge));
    }
    shop.with_state(app)
}
