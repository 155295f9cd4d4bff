//! The shipping address of a cart: given in full, or taken from its owner's address book.

use byteshop_domain::account::Account;
use byteshop_domain::address::Address;
use byteshop_domain::cart::{Cart, Command, Destination};
use byteshop_domain::ids::{AccountId, AddressId};
use byteshop_domain::{Locale, Personal, Subject};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Sets the shipping address of a cart, encrypted with the key of its owner or of the guest. `locale` is the language of a guest's
/// mails.
pub async fn set_address(
    unit: &Unit,
    cart: &mut Loaded<Cart>,
    address: &Address,
    locale: Option<Locale>,
) -> Result<(), Error> {
    let owner = changeable(unit, cart)?;
    let sealed = unit.commands().vault().seal(Subject::of_cart(cart.id, owner), address).await?;
    let mut destination = destination(address, sealed, locale);
    if let Some(email) = address.email.as_ref().filter(|_| owner.is_none()) {
        destination.email_hash = unit.commands().guest_hash(email).await?;
        destination.mailbox_hash = unit.commands().mailbox_hash(email).await?;
    }
    unit.decide(cart, &Command::SetDestination { destination })
}

/// Sets the shipping address of a cart to one of its owner's address book. `by` is the account of the caller:
/// a caller without the account, such as one with the cart token, does not get an address from the book.
pub async fn set_kept_address(
    unit: &Unit,
    cart: &mut Loaded<Cart>,
    address: AddressId,
    by: Option<AccountId>,
    locale: Option<Locale>,
) -> Result<(), Error> {
    let owner = changeable(unit, cart)?.filter(|owner| by == Some(*owner));
    let (address, sealed) = of_book(unit, owner, address).await?;
    let destination = destination(&address, sealed, locale);
    unit.decide(cart, &Command::SetDestination { destination })
}

/// The owner of a cart that can still be changed. Nothing is sealed for one that is over: its key may be destroyed.
fn changeable(unit: &Unit, cart: &Loaded<Cart>) -> Result<Option<AccountId>, Error> {
    Ok(cart.state.open(unit.asked().at)?.owner)
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

/// An address of the owner's address book, decrypted and as it is encrypted there: with the same key as the rest of the cart.
async fn of_book(unit: &Unit, owner: Option<AccountId>, id: AddressId) -> Result<(Address, Personal<Address>), Error> {
    let missing = || Error::no_such("address", "/address");
    let account = unit.load::<Account>(owner.ok_or_else(missing)?).await?;
    let kept = account.state.live().and_then(|open| open.address(id)).map_err(|_| missing())?;
    let address = unit.commands().vault().open(&kept.address).await?.ok_or_else(missing)?;
    Ok((address, kept.address.clone()))
}
