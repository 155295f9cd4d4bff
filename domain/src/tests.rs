//! Properties of the whole shop under any sequence of commands: goods and money are conserved.
//!
//! Buyers, staff, the provider, the process and crashes take turns, each through the very decisions that production calls:
//! [`checkout`](crate::checkout), [`settlement`](crate::settlement), [`parcels`](crate::parcels), [`aftersales`](crate::aftersales),
//! the quote and the process. `BYTESHOP_TEST_SHOP_CASES` runs more of it than the suite has time for.

use proptest::prelude::*;

mod acts;
mod disputes;
mod goods;
mod judge;
mod ledger;
mod manual;
mod parts;
mod provider;
mod runner;
mod shop;
mod stored;

use shop::Shop;

/// Histories in the suite: some seconds of them.
const CASES: u32 = 500;

#[expect(clippy::disallowed_methods, reason = "how long a test runs is no setting of the shop")]
fn cases() -> u32 {
    std::env::var("BYTESHOP_TEST_SHOP_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(CASES)
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn no_sequence_of_commands_makes_goods_or_money_from_nothing(acts in acts::history()) {
        let mut shop = Shop::new(acts);
        while shop.go_on() {
            judge::at_any_time(&shop);
            manual::at_any_time(&shop);
            stored::at_any_time(&shop);
        }
        shop.come_to_rest();
        judge::at_any_time(&shop);
        manual::at_any_time(&shop);
        stored::at_any_time(&shop);
        judge::at_rest(&shop);
        stored::at_rest(&shop);
        disputes::at_rest(&shop);
        ledger::at_rest(&shop);
    }
}
