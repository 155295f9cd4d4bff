//! Why a promotion refuses a command, and its limit.

use crate::text::NO_COUNTRY;

/// The maximum number of ids, countries, tiers or amounts in one list of the terms: they are one event, and read at every
/// checkout.
pub const LIST_MAX: usize = 500;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such promotion";
        Exists => Conflict: "the promotion already exists";
        Ended => Conflict: "the promotion has ended";
        CodeStays => Invalid at "/code": "the code of a promotion cannot be changed; end it and create another one";
        CodeNeeded => Invalid at "/code": "a promotion of a seller needs a code";
        SellerStays => Invalid at "/seller":
            "the seller of a promotion cannot be changed; end it and create another one";
        ShippingOfSeller => Invalid at "/benefit":
            "a promotion of a seller cannot give free shipping: set the shipping prices of the seller";
        GivesNothing => Invalid at "/benefit":
            "the benefit is zero; it needs an amount, a percentage or a tier above zero";
        Twice => Invalid at "/benefit": "two amounts or tiers overlap";
        List => Invalid at "/target": "a list must have 1 to {LIST_MAX} items";
        Period => Invalid at "/until": "the promotion ends before it starts";
        Past => Invalid at "/until": "the end of the promotion is in the past; use `end` to end it now";
        Limit => Invalid at "/limits": "a limit must be at least 1; pause the promotion instead";
        Country => Invalid at "/conditions/countries": "{NO_COUNTRY}";
    }
}
