//! Every view of the shop.

use byteshop_eventstore::Log;

use crate::account_list::AccountList;
use crate::api_key_list::ApiKeyList;
use crate::assigned_keys::AssignedKeys;
use crate::category_list::CategoryList;
use crate::dispute_list::DisputeList;
use crate::error::Error;
use crate::key_pool_list::KeyPoolList;
use crate::ledger::Ledger;
use crate::notification_list::NotificationList;
use crate::order_email::OrderEmail;
use crate::order_list::OrderList;
use crate::part_list::PartList;
use crate::payout_file_list::PayoutFileList;
use crate::payout_list::PayoutList;
use crate::product_list::ProductList;
use crate::promotion_list::PromotionList;
use crate::purchase_list::PurchaseList;
use crate::return_list::ReturnList;
use crate::sales::Sales;
use crate::seller_list::SellerList;
use crate::stock_level::StockLevel;
use crate::stored_value_list::StoredValueList;
use crate::views::{Registered, Views};

/// Every view of the shop, in the order in which they are shown.
fn shop() -> Vec<Registered> {
    vec![
        Registered::of::<CategoryList>(),
        Registered::of::<ProductList>(),
        Registered::of::<StockLevel>(),
        Registered::of::<OrderList>(),
        Registered::of::<OrderEmail>(),
        Registered::of::<PartList>(),
        Registered::of::<ReturnList>(),
        Registered::of::<PurchaseList>(),
        Registered::of::<KeyPoolList>(),
        Registered::of::<AssignedKeys>(),
        Registered::of::<NotificationList>(),
        Registered::of::<PromotionList>(),
        Registered::of::<Sales>(),
        Registered::of::<Ledger>(),
        Registered::of::<StoredValueList>(),
        Registered::of::<DisputeList>(),
        Registered::of::<AccountList>(),
        Registered::of::<ApiKeyList>(),
        Registered::of::<SellerList>(),
        Registered::of::<PayoutList>(),
        Registered::of::<PayoutFileList>(),
    ]
}

impl Views {
    /// The views beside a log; connects when first used.
    pub fn open(url: &str) -> Result<Self, Error> {
        Ok(Self::beside(Log::open(url)?))
    }

    /// The views beside a log that is open already.
    pub fn beside(log: Log) -> Self {
        Self::of(log, shop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events that each view ignores, of the categories that it reads: one view and event a line.
    const IGNORED: &str = include_str!("ignored_events.txt");

    #[test]
    fn views_declare_events_that_exist() {
        for (view, reads) in shop().iter().map(Registered::declared) {
            for reads in reads {
                assert!(reads.unknown().is_empty(), "{view} reads {:?}, which are no events", reads.unknown());
            }
        }
    }

    #[test]
    fn an_event_is_declared_by_a_view_or_listed_as_ignored() {
        let views = shop();
        let ignored = views.iter().map(Registered::declared).flat_map(|(view, reads)| {
            let ignored = reads.iter().flat_map(|reads| reads.ignored());
            ignored.map(|event| format!("{view} {event}\n")).collect::<Vec<_>>()
        });
        let ignored: String = ignored.collect();
        assert_eq!(
            ignored, IGNORED,
            "decide for each event whether the view reads it: declare it in READS, or list it in ignored_events.txt"
        );
    }
}
