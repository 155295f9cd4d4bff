//! Who asks: read from the request in one place, so that handlers only name whom they serve.
//!
//! [`Caller`] is anyone, [`Member`] has an account, [`Staff`] and [`Admin`] have a role. A guest is known by the token of
//! a cart, which only their client has: the shop keeps its hash.

use std::net::{IpAddr, Ipv6Addr};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use byteshop_domain::Actor;
use byteshop_domain::ids::{AccountId, CartId};
use byteshop_domain::text::Hash;
use byteshop_eventstore::envelope::to_hex;
use http::request::Parts;
use http::{HeaderName, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::http::{Edge, Shared};
use crate::problem::Problem;
use crate::token::{Bearer, Role, TokenError};

/// The header in which a guest shows the token of their cart.
pub const CART_TOKEN: HeaderName = HeaderName::from_static("cart-token");
/// Bytes of a cart token: as many as nobody can guess.
const CART_TOKEN_BYTES: usize = 32;

/// Whoever asks.
#[derive(Debug, Clone)]
pub struct Caller {
    bearer: Option<Bearer>,
    cart_hash: Option<Hash>,
    address: IpAddr,
}

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct Member(pub Caller, pub AccountId);

/// Somebody who works here.
#[derive(Debug, Clone)]
pub struct Staff(pub Caller);

/// Somebody who may do everything.
#[derive(Debug, Clone)]
pub struct Admin(pub Caller);

/// Everything that says who asks.
pub trait Who: FromRequestParts<Shared, Rejection = Problem> + Send + Sync {
    /// The caller.
    fn caller(&self) -> &Caller;
}

impl Caller {
    /// Their account, if they have shown a token of it.
    pub fn account(&self) -> Option<AccountId> {
        self.bearer.map(|bearer| bearer.account)
    }

    /// Whether they see what belongs to others.
    pub fn is_staff(&self) -> bool {
        self.bearer.is_some_and(|bearer| bearer.role.is_staff())
    }

    /// Who acts, for the log; a guest acts on the cart that they show the token of.
    pub fn actor(&self, cart: Option<CartId>) -> Actor {
        match self.bearer {
            Some(bearer) => bearer.role.actor(bearer.account),
            None => Actor::Guest { cart },
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

    /// Whose idempotency keys theirs are. Without an account or a cart there is only the address; whoever shares it
    /// would still have to guess the key.
    pub(crate) fn key_owner(&self) -> String {
        match (&self.bearer, &self.cart_hash) {
            (Some(bearer), _) => bearer.account.to_string(),
            (None, Some(hash)) => format!("cart:{hash}"),
            (None, None) => format!("anonymous:{}", self.address),
        }
    }

    fn of(parts: &Parts, app: &Shared) -> Result<Self, Problem> {
        let edge = Edge::of(parts);
        let bearer = match parts.headers.get(header::AUTHORIZATION) {
            Some(value) => Some(bearer(value.as_bytes(), app)?),
            None => None,
        };
        if let Some(bearer) = &bearer {
            app.limits.account(bearer.account)?;
        }
        let cart_hash = parts.headers.get(CART_TOKEN).and_then(|token| hash_of(token.as_bytes()));
        Ok(Self { bearer, cart_hash, address: edge.address })
    }
}

fn bearer(value: &[u8], app: &Shared) -> Result<Bearer, Problem> {
    let refused = |code, detail: String| Problem::new(StatusCode::UNAUTHORIZED, code, detail);
    let invalid = |error: TokenError| match error {
        TokenError::Expired => refused("auth.expired", error.to_string()),
        TokenError::Invalid => refused("auth.invalid", error.to_string()),
    };
    let text = std::str::from_utf8(value).map_err(|_| invalid(TokenError::Invalid))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused("auth.invalid", "Authorization takes a Bearer token".into()));
    }
    app.tokens.check(token.trim()).map_err(invalid)
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        Self::of(parts, app)
    }
}

impl FromRequestParts<Shared> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let caller = Caller::of(parts, app)?;
        let account = caller.account().ok_or_else(nobody)?;
        Ok(Self(caller, account))
    }
}

impl FromRequestParts<Shared> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        with_role(parts, app, Role::is_staff).map(Self)
    }
}

impl FromRequestParts<Shared> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        with_role(parts, app, |role| role == Role::Admin).map(Self)
    }
}

fn with_role(parts: &Parts, app: &Shared, may: impl FnOnce(Role) -> bool) -> Result<Caller, Problem> {
    let caller = Caller::of(parts, app)?;
    match caller.bearer {
        Some(bearer) if may(bearer.role) => Ok(caller),
        Some(bearer) => Err(Problem::forbidden(format!("the role {} may not do this", bearer.role.as_str()))),
        None => Err(nobody()),
    }
}

fn nobody() -> Problem {
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

impl Who for Admin {
    fn caller(&self) -> &Caller {
        &self.0
    }
}

/// A new cart token and its hash; the token is shown to the guest once and kept nowhere.
pub fn new_cart_token() -> Result<(String, Hash), Problem> {
    let mut bytes = [0u8; CART_TOKEN_BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Problem::unavailable("there is no randomness for a token"))?;
    let token = URL_SAFE_NO_PAD.encode(bytes);
    let hash = hash_of(token.as_bytes()).ok_or_else(Problem::internal)?;
    Ok((token, hash))
}

fn hash_of(token: &[u8]) -> Option<Hash> {
    Hash::new(&to_hex(&Sha256::digest(token))).ok()
}

/// What of an address one visitor holds: all of a v4 address, the first half of a v6 one.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}
