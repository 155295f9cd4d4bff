//! A promotion together with what finds it: the name of its code, or its entry in the book of those without one.

use byteshop_domain::Kind;
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::promotion::{self, Promotion, Status};
use byteshop_domain::promotion_book::{self, PromotionBook};
use byteshop_domain::text::Label;

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Changes a promotion, and what finds it with it.
pub async fn change_promotion(
    unit: &Unit,
    promotion: &mut Loaded<Promotion>,
    command: &promotion::Command,
) -> Result<(), Error> {
    let before = promotion.version;
    unit.decide(promotion, command)?;
    if promotion.version == before {
        return Ok(());
    }
    let created = promotion.state.live()?;
    if let Some(code) = &created.terms.code {
        let mut name = unit.load::<UniqueName>(name::id(NameKind::Coupon, code.as_str())).await?;
        let text = Label::new(code.as_str());
        let text = text.map_err(|error| unit.refuse("promotion.code", Kind::Invalid, error.to_string()))?;
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
