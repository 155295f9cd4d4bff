//! Where the goods of a cart go: an address that is given whole, or one of the owner's address book.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::carts;
use byteshop_domain::address::{Address, Lines};
use byteshop_domain::ids::{AddressId, CartId};
use byteshop_domain::text::{Country, Email, Name, Phone, PostalCode};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::visible::{own, shown};
use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::ask::{Ask, Of};
use crate::edge::problem::Problem;
use crate::http::language::accepted;
use crate::http::show;

/// The destination: the parts of an address with at least `country`, or `address` alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Goal {
    address: Option<AddressId>,
    country: Option<Country>,
    name: Option<Name>,
    company: Option<Name>,
    email: Option<Email>,
    phone: Option<Phone>,
    #[serde(default)]
    lines: Lines,
    postal_code: Option<PostalCode>,
    city: Option<Name>,
    region: Option<Name>,
}

/// The destination: an address, or the id of one in the address book of the cart's owner.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(as = CartAddress, example = json!({"country": "DE", "name": "Ada Lovelace", "email": "ada@example.org",
    "lines": ["Invalidenstraße 43"], "postal_code": "10115", "city": "Berlin"}))]
enum Said {
    Whole(Box<Address>),
    /// An address of the address book.
    Kept {
        /// The id of an address in the cart owner's address book. The cart keeps a copy; later changes of the address book
        /// do not affect it.
        address: AddressId,
    },
}

impl Goal {
    fn said(&self) -> Result<Said, Problem> {
        let given = self.whole();
        match (self.address, given) {
            (Some(address), None) if self.is_empty() => Ok(Said::Kept { address }),
            (Some(_), _) => {
                Err(Problem::invalid("/address", "`address` cannot be combined with other fields of an address"))
            }
            (None, Some(address)) => Ok(Said::Whole(Box::new(address))),
            (None, None) => Err(Problem::invalid("/country", "missing field `country`, or `address` in its place")),
        }
    }

    fn whole(&self) -> Option<Address> {
        Some(Address {
            name: self.name.clone(),
            company: self.company.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            lines: self.lines.clone(),
            postal_code: self.postal_code.clone(),
            city: self.city.clone(),
            region: self.region.clone(),
            country: self.country.clone()?,
        })
    }

    /// Whether no part of an address is given.
    fn is_empty(&self) -> bool {
        let names = [&self.name, &self.company, &self.city, &self.region].iter().all(|part| part.is_none());
        let rest = self.email.is_none() && self.phone.is_none() && self.postal_code.is_none();
        names && rest && self.lines.is_empty() && self.country.is_none()
    }
}

/// Sets the shipping address.
///
/// Either an address, or the id of an address in the owner's address book.
#[utoipa::path(put, path = "/v1/carts/{id}/address", operation_id = "setCartAddress",
    tag = "carts", params(("id" = String, Path)), request_body = Said,
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The cart", body = show::Cart)))]
pub(super) async fn set_address(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    headers: HeaderMap,
    ask: Ask<Caller, Goal>,
) -> Result<Response, Problem> {
    let ask = &ask.on_cart(id);
    let said = &ask.body.said()?;
    let locale = accepted(&headers);
    app.run(ask, "cart.set_address", |unit| async move {
        let mut cart = own(&unit, id, ask).await?;
        match said {
            Said::Whole(address) => carts::set_address(&unit, &mut cart, address, locale).await?,
            Said::Kept { address } => {
                carts::set_kept_address(&unit, &mut cart, *address, ask.who.account(), locale).await?;
            }
        }
        shown(&unit, &cart).await
    })
    .await
}
