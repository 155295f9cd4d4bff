//! Licences, for the programs that are sold with a key: whether it is valid, and on which machines it is active. Public, because a
//! program has no other credential than the key; so guesses are limited, and no answer names a person.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_commands::use_cases::licences::{self, Active};
use byteshop_domain::BoundedText;
use byteshop_domain::ids::{OrderId, ProductId, VariantId};
use byteshop_domain::licence::{KeyNumber, Rejection};
use byteshop_domain::order::Order;
use byteshop_domain::text::{Hash, KEY_MAX};
use byteshop_projections::View as _;
use byteshop_projections::assigned_keys::AssignedKeys;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{App, Shared};
use crate::edge::actor::Caller;
use crate::edge::ask::Ask;
use crate::edge::lists;
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;

/// Longest id of a machine: a hash, or several serial numbers.
const MACHINE_MAX: usize = 200;

/// A key, as its owner enters it.
type KeyText = BoundedText<KEY_MAX>;
/// The id of a machine, as its program makes it.
type MachineText = BoundedText<MACHINE_MAX>;

/// A key of a product.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"product": "prod_01h455vb4pex5vsknk084sn02q", "key": "ACME-7K3QX9MW-2FBA8HJT"}))]
struct LicenceCheck {
    /// The product that the program is.
    product: ProductId,
    key: KeyText,
    /// The id of the machine, if the answer should say whether the key is active there.
    machine: Option<MachineText>,
}

/// A key of a product on a machine.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"product": "prod_01h455vb4pex5vsknk084sn02q", "key": "ACME-7K3QX9MW-2FBA8HJT", "machine": "0c4f9a"}))]
struct LicenceOnMachine {
    /// The product that the program is.
    product: ProductId,
    key: KeyText,
    /// An id of the machine that stays the same; the shop stores a keyed hash of it.
    #[schema(default = json!({"x-schema": {"minLength": 1}}))]
    machine: MachineText,
}

impl LicenceOnMachine {
    fn machine(&self) -> Result<&str, Problem> {
        match self.machine.trim() {
            "" => Err(Problem::invalid("/machine", "the machine needs an id")),
            machine => Ok(machine),
        }
    }
}

/// What a key is worth.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum LicenceStatus {
    /// It was sold and can be used.
    Valid,
    /// It was sold and then given back or refunded, or a return of it is open.
    Revoked,
    /// The product has no such key, or it is not sold.
    Unknown,
}

/// A licence.
#[derive(Serialize, ToSchema)]
struct LicenceStanding {
    status: LicenceStatus,
    product: ProductId,
    /// The variant that was bought; null if the key is unknown.
    variant: Option<VariantId>,
    /// On how many machines the key is active.
    activations: i64,
    /// On how many it can be active; null if the variant has no limit.
    limit: Option<i64>,
    /// Whether it is active on the machine that was named; null if none was named.
    active: Option<bool>,
}

impl LicenceStanding {
    fn unknown(product: ProductId) -> Self {
        Self { status: LicenceStatus::Unknown, product, variant: None, activations: 0, limit: None, active: None }
    }

    fn of(product: ProductId, key: KeyNumber, is_valid: bool, it: &Active, machine: Option<&Hash>) -> Self {
        Self {
            status: if is_valid { LicenceStatus::Valid } else { LicenceStatus::Revoked },
            product,
            variant: Some(key.variant),
            activations: it.licence.state.count(),
            limit: it.limit,
            active: machine.map(|machine| it.licence.state.machines.contains_key(machine)),
        }
    }
}

/// A key that was sold.
struct Sold {
    key: KeyNumber,
    order: OrderId,
    is_valid: bool,
}

/// The key that the product has sold, if it has; of several variants with the same key, one whose key is valid.
async fn sold(app: &App, product: ProductId, key: &KeyText) -> Result<Option<Sold>, Problem> {
    let mut found = None;
    for key in app.commands.find_licence(product, key.trim()).await? {
        let Some(order) = app.views.order_of_key(key).await? else { continue };
        let state = app.commands.get::<Order>(order).await?;
        let shows = state.and_then(|order| order.state.live().ok()?.shows(key));
        let Some(is_valid) = shows else { continue };
        found = Some(Sold { key, order, is_valid });
        if is_valid {
            break;
        }
    }
    Ok(found)
}

/// Checks a licence key.
///
/// For the program that it was sold with. A key that was paid a moment ago may be `unknown` for some milliseconds more, unless the
/// request waits with `Min-Log-Position`.
#[utoipa::path(post, path = "/v1/licences/check", operation_id = "checkLicence",
    tag = "licences", request_body = LicenceCheck, security(()),
    responses((status = 200, description = "The licence", body = LicenceStanding)))]
async fn check(
    State(app): State<Shared>,
    headers: HeaderMap,
    ask: Ask<Caller, LicenceCheck>,
) -> Result<Response, Problem> {
    app.limits.licences(ask.who.address())?;
    app.await_views(&[AssignedKeys::NAME], &headers).await?;
    let LicenceCheck { product, key, machine } = &ask.body;
    let Some(Sold { key, is_valid, .. }) = sold(&app, *product, key).await? else {
        return lists::page(&LicenceStanding::unknown(*product));
    };
    let machine = match machine {
        Some(machine) => Some(app.commands.machine_of(key, machine.trim()).await?),
        None => None,
    };
    let active = app.commands.licence_of(key).await?;
    lists::page(&LicenceStanding::of(*product, key, is_valid, &active, machine.as_ref()))
}

/// A key that was sold, and the machine that a request names.
struct OnMachine {
    sold: Sold,
    machine: Hash,
}

/// What a request is about; refused if no such key was sold.
async fn on_machine(app: &App, headers: &HeaderMap, ask: &Ask<Caller, LicenceOnMachine>) -> Result<OnMachine, Problem> {
    app.limits.licences(ask.who.address())?;
    app.await_views(&[AssignedKeys::NAME], headers).await?;
    let machine = ask.body.machine()?;
    let sold = sold(app, ask.body.product, &ask.body.key).await?;
    let sold = sold.ok_or_else(|| Error::from(Rejection::Unknown))?;
    let machine = app.commands.machine_of(sold.key, machine).await?;
    Ok(OnMachine { sold, machine })
}

/// Activates a licence key on a machine.
///
/// The same machine counts once. A key can be active on as many machines as its variant allows, and not more, however many of them
/// ask at once.
#[utoipa::path(post, path = "/v1/licences/activate", operation_id = "activateLicence",
    tag = "licences", request_body = LicenceOnMachine, security(()),
    responses((status = 200, description = "The licence", body = LicenceStanding)))]
async fn activate(
    State(app): State<Shared>,
    headers: HeaderMap,
    ask: Ask<Caller, LicenceOnMachine>,
) -> Result<Response, Problem> {
    let OnMachine { sold: Sold { key, order, .. }, machine } = &on_machine(&app, &headers, &ask).await?;
    let product = ask.body.product;
    app.run(&ask, "licence.activate", |unit| async move {
        let active = licences::activate(&unit, *key, *order, machine).await?;
        Reply::told(&LicenceStanding::of(product, *key, true, &active, Some(machine)))
    })
    .await
}

/// Deactivates a licence key on a machine.
///
/// Also a key that is revoked, and one that is not active there.
#[utoipa::path(post, path = "/v1/licences/deactivate", operation_id = "deactivateLicence",
    tag = "licences", request_body = LicenceOnMachine, security(()),
    responses((status = 200, description = "The licence", body = LicenceStanding)))]
async fn deactivate(
    State(app): State<Shared>,
    headers: HeaderMap,
    ask: Ask<Caller, LicenceOnMachine>,
) -> Result<Response, Problem> {
    let OnMachine { sold: Sold { key, is_valid, .. }, machine } = &on_machine(&app, &headers, &ask).await?;
    let product = ask.body.product;
    app.run(&ask, "licence.deactivate", |unit| async move {
        let active = licences::deactivate(&unit, *key, machine).await?;
        Reply::told(&LicenceStanding::of(product, *key, *is_valid, &active, Some(machine)))
    })
    .await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(check)).routes(routes!(activate)).routes(routes!(deactivate))
}
