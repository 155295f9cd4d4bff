//! Reconciling the clearing account with the statement of a payment provider.

use std::collections::BTreeMap;

use serde::Serialize;

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
}

/// A charge of which the ledger and the provider hold different amounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
}

impl Difference {
    /// A charge of which nothing is held need not be known to the other side.
    fn is_one(&self) -> bool {
        let held = |side: Option<Money>| side.filter(|amount| amount.amount != 0);
        held(self.ledger) != held(self.provider)
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
        let new = || Difference { reference: reference.clone(), order: None, ledger: None, provider: None };
        set(all.entry(reference.clone()).or_insert_with(new));
    };
    for Holding { reference, order, amount } in ledger {
        of(&reference, &|it| (it.order, it.ledger) = (order, Some(amount)));
    }
    for Holding { reference, order: _, amount } in provider {
        of(&reference, &|it| it.provider = Some(amount));
    }
    all.into_values().filter(Difference::is_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;
    use crate::testing::{id, text};

    fn held(reference: &str, amount: i64) -> Holding {
        Holding { reference: text(reference), order: Some(id(1)), amount: Money { amount, currency: Currency::EUR } }
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
    fn an_amount_in_another_currency_differs() {
        let pounds = Holding { amount: Money { amount: 5, currency: Currency::GBP }, ..held("a", 5) };
        assert_eq!(differences([held("a", 5)], [pounds]).len(), 1);
    }
}
