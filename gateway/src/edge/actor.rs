//! The caller of a request, read in one place, so that handlers only name whom they accept.
//!
//! [`Caller`] is anyone, [`Member`] has an account, [`Staff`] and [`Admin`] have a role, or are a program whose key has
//! the scope of the route. [`Trader`] is staff, such a program, or an account that may be a member of a seller. A guest is identified by the token of a cart, which only their client has: the shop keeps
//! its hash.

mod credentials;

use std::net::IpAddr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::{FromRequestParts, MatchedPath};
use byteshop_commands::use_cases::sellers::ActsFor;
use byteshop_domain::Actor;
use byteshop_domain::account::Client;
use byteshop_domain::api_key::ApiKey;
use byteshop_domain::ids::{AccountId, ApiKeyId, CartId, SessionId};
use byteshop_domain::session::Session;
use byteshop_domain::text::Hash;
use chrono::TimeDelta;
use http::request::Parts;
use http::{StatusCode, header};

use self::credentials::{Service, bearer_of, has_ended, service_of, token};
use crate::app::Shared;
use crate::edge::headers::CART_TOKEN;
use crate::edge::idempotency;
use crate::edge::problem::Problem;
use crate::edge::request::{Asker, Edge};
use crate::grpc::protocol;
use crate::security::api_key;
use crate::security::secret::hash_of;
use crate::security::token::{Bearer, Role};

/// The routes for staff without a second factor: setting it up, and logging out.
const ENROLLING: [&str; 2] = ["/v1/auth/", "/v1/me/second-factor"];
/// Most characters that are kept of what a program calls itself.
const AGENT_MAX: usize = 200;

/// Any caller.
#[derive(Debug, Clone)]
pub struct Caller {
    bearer: Option<Bearer>,
    service: Option<Service>,
    cart_hash: Option<Hash>,
    address: IpAddr,
    agent: Option<String>,
}

/// A caller with an account.
#[derive(Debug, Clone)]
pub struct Member(pub Caller, pub AccountId);

/// A caller with a staff role.
#[derive(Debug, Clone)]
pub struct Staff(pub Caller);

/// An admin.
#[derive(Debug, Clone)]
pub struct Admin(pub Caller);

/// A caller for the house, or with an account that may act for a seller, which the use case checks.
#[derive(Debug, Clone)]
pub struct Trader(pub Caller);

/// A kind of caller that handlers accept.
pub trait Who: FromRequestParts<Shared, Rejection = Problem> + Send + Sync {
    /// The caller.
    fn caller(&self) -> &Caller;
}

impl Caller {
    /// Their account, if they have shown a token of it.
    pub fn account(&self) -> Option<AccountId> {
        self.bearer.map(|bearer| bearer.account)
    }

    /// The session that their token belongs to, if it belongs to one.
    pub fn session(&self) -> Option<SessionId> {
        self.bearer.and_then(|bearer| bearer.session)
    }

    /// The key that they asked with, if they are a program.
    pub fn key(&self) -> Option<ApiKeyId> {
        self.service.map(|service| service.key)
    }

    /// Where they are on the network.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// From where they ask, as their sessions remember it.
    pub fn client(&self) -> Client {
        Client { address: self.address.to_string(), agent: self.agent.clone() }
    }

    /// Whether they see what belongs to others.
    pub fn is_staff(&self) -> bool {
        self.bearer.is_some_and(|bearer| bearer.role.is_staff()) || self.service.is_some_and(|service| service.in_scope)
    }

    /// Whether they may do what cannot be undone: no program may, whatever its key is for.
    pub fn is_admin(&self) -> bool {
        self.bearer.is_some_and(|bearer| bearer.role == Role::Admin)
    }

    /// The actor for the log; a guest acts on the cart whose token they send.
    pub fn actor(&self, cart: Option<CartId>) -> Actor {
        match (self.bearer, self.service) {
            (Some(bearer), _) => bearer.role.actor(bearer.account),
            (None, Some(service)) => Actor::Service { key: service.key },
            (None, None) => Actor::Guest { cart },
        }
    }

    /// Whether something that belongs to an account, or to the bearer of a cart token, belongs to them.
    pub fn owns(&self, account: Option<AccountId>, token_hash: Option<&Hash>) -> bool {
        if account.is_some() && account == self.account() {
            return true;
        }
        // Equal hashes are compared without a hint of where they differ.
        let (Some(shown), Some(kept)) = (&self.cart_hash, token_hash) else { return false };
        verify_slices_are_equal(shown.as_str().as_bytes(), kept.as_str().as_bytes()).is_ok()
    }

    /// The owner of the caller's idempotency keys. The role is part of it: a receipt is returned before permissions are
    /// checked, so a response to staff is never repeated to an account that has lost the role. Without an account or a
    /// cart there is only the address; others at the same address would still have to guess the key.
    pub(crate) fn key_owner(&self) -> String {
        match (&self.bearer, &self.service, &self.cart_hash) {
            (Some(bearer), ..) => format!("{} {}", bearer.account, bearer.role.as_str()),
            (None, Some(service), _) => service.key.to_string(),
            (None, None, Some(hash)) => format!("cart:{hash}"),
            (None, None, None) => format!("anonymous:{}", self.address),
        }
    }

    /// Whether nothing but their address tells them from others.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.bearer.is_none() && self.service.is_none() && self.cart_hash.is_none()
    }

    /// Whether they have shown neither an account nor an API key: guests, with a cart or without.
    pub(crate) fn is_guest(&self) -> bool {
        self.bearer.is_none() && self.service.is_none()
    }

    /// Whether anybody could be who they are: guests, and customers, who register themselves.
    pub(crate) fn is_of_the_public(&self) -> bool {
        self.is_guest() || self.bearer.is_some_and(|bearer| bearer.role == Role::Customer)
    }

    /// How long the first answer to a request of theirs is kept.
    pub(crate) fn answers_kept_for(&self) -> TimeDelta {
        if self.is_guest() { idempotency::KEPT_FOR_GUEST } else { idempotency::KEPT_FOR }
    }

    /// Whether this process knows that their session has ended.
    pub fn has_ended(&self, app: &Shared) -> bool {
        self.bearer.is_some_and(|bearer| has_ended(app, &bearer))
    }

    /// Whether what they have shown is still in force, by the log: for answers that go on after the request was read.
    pub async fn is_in_force(&self, app: &Shared) -> Result<bool, Problem> {
        let now = app.commands.clock().now();
        if let Some(session) = self.session() {
            let found = app.commands.get::<Session>(session).await?;
            return Ok(found.is_some_and(|it| it.state.live().is_ok_and(|started| started.is_alive(now))));
        }
        let Some(service) = self.service else { return Ok(true) };
        let found = app.commands.get::<ApiKey>(service.key).await?;
        Ok(found.is_some_and(|key| key.state.live().is_ok_and(|key| key.is_good(now))))
    }

    async fn of(parts: &Parts, app: &Shared) -> Result<Self, Problem> {
        let edge = Edge::of(parts);
        let (mut bearer, mut service) = (None, None);
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            let token = token(value.as_bytes())?;
            match api_key::parse(token) {
                Some(shown) => service = Some(service_of(parts, app, &shown).await?),
                None => bearer = Some(bearer_of(app, token).await?),
            }
        }
        if let Some(bearer) = &bearer {
            app.limits.account(bearer.account)?;
            if bearer.role == Role::Customer && is_write(parts) {
                app.limits.account_writes(bearer.account)?;
            }
            if lacks_second_factor(app, bearer) && !is_for_enrolling(parts) {
                return Err(enrol_first());
            }
        }
        let cart_hash = parts.headers.get(CART_TOKEN).and_then(|token| hash_of(token.as_bytes()));
        // A guest's cart is a guest's, whatever is shown beside its token.
        let of_guest = (bearer.is_none() && service.is_none()) || cart_hash.is_some();
        if of_guest && is_write(parts) {
            app.limits.guest_writes(edge.address)?;
        }
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let agent = agent.map(|agent| agent.chars().take(AGENT_MAX).collect());
        let caller = Self { bearer, service, cart_hash, address: edge.address, agent };
        edge.asked_by(Asker { actor: caller.actor(None), is_staff: caller.is_staff() });
        Ok(caller)
    }
}

/// Whether a request may change something. Every method of gRPC is a POST, and all of them only read.
fn is_write(parts: &Parts) -> bool {
    let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    !parts.method.is_safe() && !route.is_some_and(protocol::is_method)
}

/// Whether a staff caller has no second factor, although the shop requires one.
fn lacks_second_factor(app: &Shared, bearer: &Bearer) -> bool {
    app.staff.second_factor && bearer.role.is_staff() && bearer.session.is_some() && !bearer.second_factor
}

/// Whether a route is among those with which a second factor is set up.
fn is_for_enrolling(parts: &Parts) -> bool {
    let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    route.is_some_and(|route| ENROLLING.iter().any(|start| route.starts_with(start)))
}

fn enrol_first() -> Problem {
    let detail = "accounts with this role need a second factor: set one up with POST /v1/me/second-factor, confirm it with its first \
                  code, and refresh the session";
    Problem::new(StatusCode::FORBIDDEN, "auth.second_factor_enrolment_required", detail)
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        Self::of(parts, app).await
    }
}

impl FromRequestParts<Shared> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let caller = Caller::of(parts, app).await?;
        if caller.service.is_some() {
            return Err(Problem::forbidden("API keys have no account; use an account's access token"));
        }
        let account = caller.account().ok_or_else(nobody)?;
        Ok(Self(caller, account))
    }
}

impl FromRequestParts<Shared> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let_in(Caller::of(parts, app).await?, Role::is_staff).map(Self)
    }
}

impl FromRequestParts<Shared> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let_in(Caller::of(parts, app).await?, |role| role == Role::Admin).map(Self)
    }
}

impl FromRequestParts<Shared> for Trader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let_in(Caller::of(parts, app).await?, |_| true).map(Self)
    }
}

impl Trader {
    /// For whom they act: staff and programs for the house, everybody else for sellers that they are members of.
    pub fn acts_for(&self) -> ActsFor {
        match self.0.account() {
            Some(account) if !self.0.is_staff() => ActsFor::Sellers(account),
            Some(_) | None => ActsFor::House,
        }
    }
}

/// The caller, if their role, or the scope of their key, may do this.
pub(crate) fn let_in(caller: Caller, may: impl FnOnce(Role) -> bool) -> Result<Caller, Problem> {
    match (caller.bearer, caller.service) {
        (Some(bearer), _) if may(bearer.role) => Ok(caller),
        (Some(bearer), _) => Err(Problem::forbidden(format!("the role {} may not do this", bearer.role.as_str()))),
        (None, Some(Service { in_scope: true, .. })) => Ok(caller),
        (None, Some(_)) => Err(Problem::forbidden("API keys cannot call this route; use an account's access token")),
        (None, None) => Err(nobody()),
    }
}

/// The error for a caller without credentials.
pub(crate) fn nobody() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "auth.missing", "this needs an access token: Authorization: Bearer …")
}

impl Who for Caller {
    fn caller(&self) -> &Caller {
        self
    }
}

impl Who for Member {
    fn caller(&self) -> &Caller {
        &self.0
    }
}

impl Who for Staff {
    fn caller(&self) -> &Caller {
        &self.0
    }
}

impl Who for Trader {
    fn caller(&self) -> &Caller {
        &self.0
    }
}

impl Who for Admin {
    fn caller(&self) -> &Caller {
        &self.0
    }
}
