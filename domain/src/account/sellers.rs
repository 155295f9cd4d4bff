//! The sellers that an account is a member of, and its applications to sell.

use chrono::{DateTime, Utc};

use super::rejections::{APPLICATION_WINDOW, APPLICATIONS_MAX, SELLERS_MAX};
use super::{Decision, Event, Membership, Open, Rejection};
use crate::ids::SellerId;

impl Open {
    /// Refuses accounts that cannot act for a seller: a ban ends what their memberships allow.
    pub fn may_sell(&self) -> Result<(), Rejection> {
        if self.ban.is_some() {
            return Err(Rejection::Banned);
        }
        if self.confirmed { Ok(()) } else { Err(Rejection::NotConfirmed) }
    }

    pub(super) fn change_membership(&self, change: Membership, at: DateTime<Utc>) -> Decision {
        match change {
            Membership::Apply { seller } => self.apply_to_sell(seller, at),
            Membership::Join { seller } => self.join_seller(seller),
            Membership::Leave { seller } => Ok(self.leave_seller(seller)),
        }
    }

    fn apply_to_sell(&self, seller: SellerId, at: DateTime<Utc>) -> Decision {
        self.may_sell()?;
        self.room_for_seller()?;
        let lately = self.applications.iter().filter(|applied| **applied + APPLICATION_WINDOW > at).count();
        if lately >= APPLICATIONS_MAX {
            return Err(Rejection::TooManyApplications);
        }
        Ok(vec![Event::SellerApplied { seller, at }])
    }

    fn join_seller(&self, seller: SellerId) -> Decision {
        self.may_sell()?;
        if self.sellers.contains(&seller) {
            return Ok(vec![]);
        }
        self.room_for_seller()?;
        Ok(vec![Event::SellerJoined { seller }])
    }

    fn leave_seller(&self, seller: SellerId) -> Vec<Event> {
        if self.sellers.contains(&seller) { vec![Event::SellerLeft { seller }] } else { vec![] }
    }

    pub(super) fn applied_to_sell(&mut self, seller: SellerId, at: DateTime<Utc>) {
        self.sellers.insert(seller);
        if self.applications.len() == APPLICATIONS_MAX {
            self.applications.pop_front();
        }
        self.applications.push_back(at);
    }

    fn room_for_seller(&self) -> Result<(), Rejection> {
        if self.sellers.len() < SELLERS_MAX { Ok(()) } else { Err(Rejection::TooManySellers) }
    }
}

#[cfg(test)]
mod tests;
