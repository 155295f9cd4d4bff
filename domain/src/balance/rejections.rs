//! Why a balance refuses a command.

use crate::currency::Currency;
use crate::money::Money;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Conflict at "/currency": "the seller has no balance in this currency";
        OtherCurrency { currency: Currency } => Invalid at "/amount/currency":
            "the amount must be in {code}", code = currency.code();
        NotEnough { available: Money } => Conflict at "/amount": "only {available} can be paid out";
        BelowMinimum { minimum: Money, amount: Money } => Conflict at "/amount":
            "{amount} is less than the smallest payout of {minimum}";
        NothingAvailable { available: Money } => Conflict: "nothing can be paid out: {available} is available";
        TooLittle { minimum: Money, available: Money } => Conflict:
            "{available} is available, which is less than the smallest payout of {minimum}";
        OutOfRange => Conflict: "the balance would be too large";
    }
}
