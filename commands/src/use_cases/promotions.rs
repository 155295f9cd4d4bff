//! A promotion together with what finds it: the name of its code, or its entry in the book of those without one.

use byteshop_domain::Kind;
use byteshop_domain::ids::{AccountId, PromotionId, SellerId};
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::promotion::{Command, Promotion, Rejection, Status, Terms};
use byteshop_domain::promotion_book::{self, PromotionBook};
use byteshop_domain::text::Label;

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::sellers;

/// Creates a promotion with these terms.
pub async fn create(unit: &Unit, terms: Terms) -> Result<Loaded<Promotion>, Error> {
    let mut promotion = unit.start::<Promotion>(unit.new_id());
    change(unit, &mut promotion, &Command::Create { terms: Box::new(terms) }).await?;
    Ok(promotion)
}

/// Creates a coupon of a seller, by one of its members.
pub async fn create_for_seller(
    unit: &Unit,
    (seller, account): (SellerId, AccountId),
    terms: Terms,
) -> Result<Loaded<Promotion>, Error> {
    sellers::for_member(unit, seller, account).await?;
    create(unit, Terms { seller: Some(seller), ..terms }).await
}

/// A promotion of a seller, for a command of one of its members, at the version that the caller expects.
pub async fn of_seller(
    unit: &Unit,
    (seller, account): (SellerId, AccountId),
    promotion: PromotionId,
) -> Result<Loaded<Promotion>, Error> {
    sellers::for_member(unit, seller, account).await?;
    let found = unit.load_matching::<Promotion>(promotion).await?;
    if found.state.live()?.terms.seller == Some(seller) { Ok(found) } else { Err(Rejection::Missing.into()) }
}

/// Replaces the terms of a promotion; its code stays.
pub async fn revise(unit: &Unit, promotion: &mut Loaded<Promotion>, terms: Terms) -> Result<(), Error> {
    change(unit, promotion, &Command::Revise { terms: Box::new(terms) }).await
}

/// Pauses a promotion; its code stays reserved.
pub async fn pause(unit: &Unit, promotion: &mut Loaded<Promotion>) -> Result<(), Error> {
    change(unit, promotion, &Command::Pause {}).await
}

/// Resumes a paused promotion.
pub async fn resume(unit: &Unit, promotion: &mut Loaded<Promotion>) -> Result<(), Error> {
    change(unit, promotion, &Command::Resume {}).await
}

/// Ends a promotion for good; its code is free for others.
pub async fn end(unit: &Unit, promotion: &mut Loaded<Promotion>) -> Result<(), Error> {
    change(unit, promotion, &Command::End {}).await
}

/// Changes a promotion together with what finds it.
async fn change(unit: &Unit, promotion: &mut Loaded<Promotion>, command: &Command) -> Result<(), Error> {
    let before = promotion.version;
    unit.decide(promotion, command)?;
    if promotion.version == before {
        return Ok(());
    }
    let created = promotion.state.live()?;
    if let Some(code) = &created.terms.code {
        let mut name = unit.load::<UniqueName>(name::id(NameKind::Coupon, code.as_str())).await?;
        let text = Label::new(code.as_str());
        let text = text.map_err(|error| Error::refused("promotion.code", Kind::Invalid, error.to_string()))?;
        let owner = promotion.id.to_string();
        let command = match created.status {
            // One that only pauses keeps its code.
            Status::Active | Status::Paused => name::Command::Claim { kind: NameKind::Coupon, text, owner },
            Status::Ended => name::Command::Release {},
        };
        return unit.decide(&mut name, &command);
    }
    let mut book = unit.load::<PromotionBook>(promotion_book::id()).await?;
    let (promotion, version) = (promotion.id, promotion.version);
    let command = match created.status {
        Status::Active => promotion_book::Command::List { promotion, version, terms: Box::new(created.terms.clone()) },
        Status::Paused | Status::Ended => promotion_book::Command::Unlist { promotion },
    };
    unit.decide(&mut book, &command)
}
