//! What an account says of its owner: profile, settings and address book. All but the settings is encrypted with their key.

use byteshop_domain::Subject;
use byteshop_domain::account::{Account, Command, Profile, Settings};
use byteshop_domain::address::Address;
use byteshop_domain::ids::AddressId;
use byteshop_domain::text::{Name, Phone};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// What changes of a profile: what is absent stays, and none clears a field.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    /// The name.
    pub name: Option<Option<Name>>,
    /// The telephone number.
    pub phone: Option<Option<Phone>>,
}

/// Changes the profile of an account.
pub async fn change_profile(unit: &Unit, account: &mut Loaded<Account>, change: ProfileChange) -> Result<(), Error> {
    let vault = unit.commands().vault();
    let before = match &account.state.live()?.profile {
        Some(profile) => vault.open(profile).await?.unwrap_or_default(),
        None => Profile::default(),
    };
    let profile = Profile {
        name: change.name.unwrap_or_else(|| before.name.clone()),
        phone: change.phone.unwrap_or_else(|| before.phone.clone()),
    };
    // Sealed twice, equal values look different, so only here it can be seen that nothing changes.
    if profile == before {
        return Ok(());
    }
    let profile = vault.seal(Subject::from(account.id), &profile).await?;
    unit.decide(account, &Command::ChangeProfile { profile })
}

/// Changes the settings of an account.
pub fn change_settings(unit: &Unit, account: &mut Loaded<Account>, settings: Settings) -> Result<(), Error> {
    unit.decide(account, &Command::ChangeSettings { settings })
}

/// Adds an address to the address book of an account.
pub async fn add_address(unit: &Unit, account: &mut Loaded<Account>, address: &Address) -> Result<AddressId, Error> {
    let id: AddressId = unit.new_id();
    let address = unit.commands().vault().seal(Subject::from(account.id), address).await?;
    unit.decide(account, &Command::AddAddress { id, address })?;
    Ok(id)
}

/// Replaces an address of the address book.
pub async fn change_address(
    unit: &Unit,
    account: &mut Loaded<Account>,
    id: AddressId,
    address: &Address,
) -> Result<(), Error> {
    let address = unit.commands().vault().seal(Subject::from(account.id), address).await?;
    unit.decide(account, &Command::ChangeAddress { id, address })
}

/// Removes an address from the address book.
pub fn remove_address(unit: &Unit, account: &mut Loaded<Account>, id: AddressId) -> Result<(), Error> {
    unit.decide(account, &Command::RemoveAddress { id })
}
