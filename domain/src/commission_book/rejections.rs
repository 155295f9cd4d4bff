//! The limits of the commission book, and why it refuses a command.

/// The maximum number of rules: each is compared with every line of a seller at checkout.
pub const RULES_MAX: usize = 500;
/// The maximum number of amounts of a rule, one per currency: ISO 4217 has some 180.
pub const AMOUNTS_MAX: usize = 200;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        RuleTwice { at: usize } => Invalid at "/rules/{at}/rule": "two rules have the same name";
        NoRate { at: usize } => Invalid at "/rules/{at}/rate_ppm": "a rate is at most 1000000 millionths, which is 100 %";
        NoBand { at: usize } => Invalid at "/rules/{at}/bands":
            "a rule has one price band per currency, which ends above the price that it begins at, in the same currency";
        AmountTwice { at: usize, field: &'static str } => Invalid at "/rules/{at}/{field}":
            "a rule has one amount of each kind per currency";
        NoRange { at: usize } => Invalid at "/rules/{at}/maximum": "the maximum of a rule is below its minimum";
        NoPeriod { at: usize } => Invalid at "/rules/{at}/valid_until": "the rule ends before it begins";
        NoTax => Invalid at "/tax_ppm": "a rate is at most 1000000 millionths, which is 100 %";
        TooMany => Invalid at "/rules":
            "a shop has at most {RULES_MAX} rules, each with at most {AMOUNTS_MAX} amounts of a kind";
    }
}
