//! The titles of problems of balances and payouts.

/// Every code of theirs, in the order of the alphabet, and its title.
pub(super) const TITLES: &[(&str, &str)] = &[
    ("balance.below_minimum", "Less than the smallest payout"),
    ("balance.missing", "No balance in this currency"),
    ("balance.not_enough", "Not enough available"),
    ("balance.other_currency", "Different currency"),
    ("balance.out_of_range", "Balance too large"),
    ("payout.automatic", "PayPal is carrying the payout out"),
    ("payout.ended", "Payout already ended"),
    ("payout.missing", "Payout not found"),
    ("payout.not_due", "Payout not due"),
    ("payout_account.no_destination", "No payout destination"),
    ("payout_account.not_in_currency", "Destination does not take this currency"),
    ("payout_account.not_in_sepa", "Bank account not in SEPA"),
    ("payout_account.nothing_waits", "No change to cancel"),
    ("payout_account.waits", "Payout destination not in use yet"),
    ("payout_file.in_the_past", "Day in the past"),
    ("payout_file.missing", "File of payouts not found"),
    ("payout_file.no_debtor", "Bank account of the house not set"),
    ("payout_file.nothing_due", "No payout due"),
    ("payout_file.out_of_range", "Sum too large"),
    ("payout_file.too_many", "Too many payouts"),
];
