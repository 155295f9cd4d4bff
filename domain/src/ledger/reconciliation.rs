//! Reconciling the clearing account with the statement of a payment provider.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::OrderId;
use crate::money::Money;
use crate::payment::ProviderReference;

/// What is held of one charge: what was captured and not refunded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The provider's reference of the charge.
    pub reference: ProviderReference,
    /// The order, as far as it is known.
    pub order: Option<OrderId>,
    /// The amount.
    pub amount: Money,
    /// What the provider keeps of it as its fee, as far as it is known.
    pub fee: Option<Money>,
}

/// A charge of which the ledger and the provider hold different amounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LedgerDifference))]
pub struct Difference {
    /// The provider's reference of the charge.
    pub reference: ProviderReference,
    /// The order; null if the ledger does not know the charge.
    pub order: Option<OrderId>,
    /// What was captured and not refunded by the ledger; null if it does not know the charge.
    pub ledger: Option<Money>,
    /// What was captured and not refunded by the provider; null if it does not know the charge.
    pub provider: Option<Money>,
    /// The fee by the ledger; null if it is not compared.
    pub ledger_fee: Option<Money>,
    /// The fee by the provider; null if it does not say one.
    pub provider_fee: Option<Money>,
}

impl Difference {
    /// A charge of which nothing is held need not be known to the other side.
    fn is_one(&self) -> bool {
        let held = |side: Option<Money>| side.filter(|amount| amount.amount != 0);
        let is_fee_another = self.provider_fee.is_some() && held(self.ledger_fee) != held(self.provider_fee);
        held(self.ledger) != held(self.provider) || is_fee_another
    }
}

/// The charges of which both sides hold different amounts, by reference.
pub fn differences(
    ledger: impl IntoIterator<Item = Holding>,
    provider: impl IntoIterator<Item = Holding>,
) -> Vec<Difference> {
    let mut all: BTreeMap<ProviderReference, Difference> = BTreeMap::new();
    let mut of = |reference: &ProviderReference, set: &dyn Fn(&mut Difference)| {
        let reference = reference.clone();
        let new = || Difference {
            reference: reference.clone(),
            order: None,
            ledger: None,
            provider: None,
            ledger_fee: None,
            provider_fee: None,
        };
        set(all.entry(reference.clone()).or_insert_with(new));
    };
    for Holding { reference, order, amount, fee } in ledger {
        of(&reference, &|it| (it.order, it.ledger, it.ledger_fee) = (order, Some(amount), fee));
    }
    for Holding { reference, order: _, amount, fee } in provider {
        of(&reference, &|it| (it.provider, it.provider_fee) = (Some(amount), fee));
    }
    all.into_values().filter(Difference::is_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;
    use crate::testing::{id, text};

    fn held(reference: &str, amount: i64) -> Holding {
        Holding {
            reference: text(reference),
            order: Some(id(1)),
            amount: Money { amount, currency: Currency::EUR },
            fee: None,
        }
    }

    #[test]
    fn equal_books_have_no_differences_and_nothing_held_is_as_good_as_unknown() {
        let ledger = [held("a", 5), held("b", 0), held("c", 7)];
        let provider = [held("c", 7), held("a", 5), held("d", 0)];
        assert_eq!(differences(ledger, provider), []);
    }

    #[test]
    fn each_charge_that_differs_is_listed_with_both_amounts() {
        let provider = [held("a", 6), held("c", 1), Holding { amount: Money::zero(Currency::GBP), ..held("e", 0) }];
        let found = differences([held("a", 5), held("b", 7), held("e", 2)], provider);
        let said: Vec<_> = found
            .iter()
            .map(|it| (it.reference.as_str(), it.order, it.ledger.map(|it| it.amount), it.provider.map(|it| it.amount)))
            .collect();
        let order = Some(id(1));
        assert_eq!(
            said,
            [
                ("a", order, Some(5), Some(6)),
                ("b", order, Some(7), None),
                ("c", None, None, Some(1)),
                ("e", order, Some(2), Some(0))
            ]
        );
    }

    #[test]
    fn a_fee_differs_only_if_the_provider_says_one() {
        let with = |fee: Option<i64>| Holding { fee: fee.map(|fee| Money::new(fee, Currency::EUR)), ..held("a", 5) };
        let count = |ours, theirs| differences([with(ours)], [with(theirs)]).len();
        assert_eq!([count(Some(1), Some(1)), count(None, Some(0)), count(Some(1), None)], [0, 0, 0]);
        assert_eq!([count(None, Some(1)), count(Some(2), Some(1))], [1, 1]);
    }

    #[test]
    fn an_amount_in_another_currency_differs() {
        let pounds = Holding { amount: Money { amount: 5, currency: Currency::GBP }, ..held("a", 5) };
        assert_eq!(differences([held("a", 5)], [pounds]).len(), 1);
    }
}
