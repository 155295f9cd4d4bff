//! Access tokens that an operator makes at the command line.

use byteshop_domain::access_token::{AccessToken, Command};
use byteshop_domain::account::Role;
use byteshop_domain::ids::{AccessTokenId, AccountId};

use crate::engine::error::Error;
use crate::engine::unit::Unit;

/// Records a token before anybody has it.
pub fn mint(unit: &Unit, id: AccessTokenId, account: AccountId, role: Role, lifetime_s: u64) -> Result<(), Error> {
    unit.decide(&mut unit.start::<AccessToken>(id), &Command::Mint { account, role, lifetime_s })
}
