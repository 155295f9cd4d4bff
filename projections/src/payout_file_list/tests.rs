//! Folds of payout_file_list.

use byteshop_domain::Currency;
use byteshop_domain::ids::{Id as _, PayoutId};
use byteshop_domain::payout_file::Debtor;
use uuid::Uuid;

use super::*;
use crate::testing::{event, noon, rows, text};

#[test]
fn a_row_has_the_number_and_the_sum_of_the_payouts() {
    let payout = |number| PayoutId::from_uuid(Uuid::from_u128(number));
    let created = Event::Created {
        payouts: vec![payout(1), payout(2)],
        total: Money::new(3_000, Currency::EUR),
        debtor: Debtor { name: text("ByteShop GmbH"), iban: text("DE89370400440532013000") },
        execute_on: noon().date_naive(),
        at: noon(),
    };
    let row = rows::<PayoutFileList>(vec![event::<PayoutFile>(7, &created)]).into_values().next().unwrap();
    assert_eq!((row.id, row.payouts), (PayoutFileId::from_uuid(Uuid::from_u128(7)), 2));
    assert_eq!(
        (row.total, row.execute_on, row.created_at),
        (Money::new(3_000, Currency::EUR), noon().date_naive(), noon())
    );
}
