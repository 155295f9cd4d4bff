//! Money that a provider gave back: as the provider shows it, and what of that it did without being asked by the shop.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{Id as _, RefundId};
use crate::money::Money;
use crate::payment_provider::Provider;
use crate::text::Reference;

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x51c7_0f2e_9a64_4d1b_8e35_c09d_7b18_42f6);

/// The id of a refund that a provider made and calls so.
pub fn refund_at(provider: Provider, reference: &Reference) -> RefundId {
    // UUID version 5 of the name (RFC 9562, section 5.5).
    RefundId::from_uuid(Uuid::new_v5(&NAMESPACE, format!("{}:{reference}", provider.as_str()).as_bytes()))
}

/// Money that a provider gave back of a charge, as it shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenBack {
    /// What the provider calls it.
    pub reference: Reference,
    /// The refund of the shop whose id it carries.
    pub refund: Option<RefundId>,
    /// The amount.
    pub amount: Money,
    /// What the house gave back of its fee for it, if it was paid to a seller.
    pub fee_back: Money,
}

/// A refund that a provider made without being asked by the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeElsewhere {
    /// The id that it gets.
    pub refund: RefundId,
    /// What the provider calls it.
    pub reference: Reference,
    /// What nothing that the shop knows explains of it.
    pub amount: Money,
    /// What the house gave back of its fee for it, if it was paid to a seller.
    pub fee_back: Money,
}
