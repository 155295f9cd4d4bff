//! Where the goods of a cart go: an address that is given whole, or one of the owner's address book.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::{Error, Unit, cases};
use byteshop_domain::account::Account;
use byteshop_domain::address::{Address, LINES_MAX, Lines};
use byteshop_domain::cart::{Cart, Command, Destination};
use byteshop_domain::ids::{AccountId, AddressId, CartId};
use byteshop_domain::text::{Country, Email, Name, Phone, PostalCode};
use byteshop_domain::{Bounded, Locale, Personal, Subject};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{own, shown};
use crate::actor::Caller;
use crate::http::ask::{Ask, Of, no_such};
use crate::http::language::accepted;
use crate::http::openapi::max;
use crate::http::{Shared, show};
use crate::problem::Problem;

/// The destination: the parts of an address with at least `country`, or `address_id` alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Goal {
    /// The id of an address in the cart owner's address book. The cart keeps a copy; later changes of the address book
    /// do not affect it.
    #[schema(value_type = Option<String>, example = "addr_01h455vb4pex5vsknk084sn02q")]
    address_id: Option<AddressId>,
    /// ISO 3166 alpha-2 country code.
    #[schema(value_type = Option<String>, example = "DE", pattern = "^[A-Za-z]{2}$")]
    country: Option<Country>,
    #[schema(value_type = Option<String>, example = "Ada Lovelace", min_length = 1, default = max::<Name>)]
    name: Option<Name>,
    #[schema(value_type = Option<String>, min_length = 1, default = max::<Name>)]
    company: Option<Name>,
    /// The address for order mails.
    #[schema(value_type = Option<String>, example = "ada@example.org", default = max::<Email>)]
    email: Option<Email>,
    #[schema(value_type = Option<String>, example = "+49 30 1234567", default = max::<Phone>)]
    phone: Option<Phone>,
    /// Street and house number, and further lines.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["Invalidenstraße 43"]), default = max::<Bounded<Vec<String>, LINES_MAX>>)]
    lines: Lines,
    #[schema(value_type = Option<String>, example = "10115", min_length = 1, default = max::<PostalCode>)]
    postal_code: Option<PostalCode>,
    #[schema(value_type = Option<String>, example = "Berlin", min_length = 1, default = max::<Name>)]
    city: Option<Name>,
    /// The state or province.
    #[schema(value_type = Option<String>, min_length = 1, default = max::<Name>)]
    region: Option<Name>,
}

/// What a goal says.
enum Said {
    Whole(Box<Address>),
    Kept(AddressId),
}

impl Goal {
    fn said(&self) -> Result<Said, Problem> {
        let given = self.address();
        match (self.address_id, given) {
            (Some(id), None) if self.is_empty() => Ok(Said::Kept(id)),
            (Some(_), _) => {
                Err(Problem::invalid("/address_id", "`address_id` cannot be combined with other fields of an address"))
            }
            (None, Some(address)) => Ok(Said::Whole(Box::new(address))),
            (None, None) => Err(Problem::invalid("/country", "missing field `country`, or `address_id` in its place")),
        }
    }

    fn address(&self) -> Option<Address> {
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
    tag = "carts", params(("id" = String, Path)), request_body = Goal,
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
        // Nothing is sealed for a cart that is over: its key may be destroyed.
        let owner = cases::open(&cart.state, unit.asked().at)?.owner;
        let destination = match said {
            Said::Whole(address) => {
                let sealed = unit.commands().vault().seal(Subject::of_cart(id, owner), address.as_ref()).await?;
                let email_hash = match address.email.as_ref().filter(|_| owner.is_none()) {
                    Some(email) => unit.commands().guest_hash(email).await?,
                    None => None,
                };
                Destination { email_hash, ..destination(address, sealed, locale) }
            }
            Said::Kept(kept) => {
                // Whoever opens a cart in another way is not the one whose book it is.
                let owner = owner.filter(|owner| ask.who.account() == Some(*owner));
                let (address, sealed) = of_book(&unit, owner, *kept).await?;
                destination(&address, sealed, locale)
            }
        };
        unit.decide::<Cart>(&mut cart, &Command::SetDestination { destination })?;
        shown(&unit, &cart).await
    })
    .await
}

fn destination(address: &Address, sealed: Personal<Address>, locale: Option<Locale>) -> Destination {
    Destination {
        area: address.postal_code.as_ref().and_then(Destination::area_of),
        address: Some(sealed),
        lacks: address.lacks(),
        locale,
        ..Destination::to(address.country.clone())
    }
}

/// An address of somebody's address book, open and as it is sealed there: with the same person's key as all of their cart.
async fn of_book(unit: &Unit, owner: Option<AccountId>, id: AddressId) -> Result<(Address, Personal<Address>), Error> {
    let missing = || no_such("address", "/address_id");
    let account = unit.load::<Account>(owner.ok_or_else(missing)?).await?;
    let kept = account.state.open().and_then(|open| open.address(id)).map_err(|_| missing())?;
    let address = unit.commands().vault().open(&kept.address).await?.ok_or_else(missing)?;
    Ok((address, kept.address.clone()))
}
