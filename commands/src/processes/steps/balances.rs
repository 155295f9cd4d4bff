//! The steps of the processes that post balances and send payouts.

use byteshop_domain::process::{post_balances, send_payouts};

use super::cause::{Cause, intent};
use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::{Intent, Key};
use crate::use_cases::balances::Posting;

/// Posts to balances, and starts holds.
pub(super) async fn post(commands: &Commands, cause: &Cause, step: &post_balances::Step) -> Result<(), Error> {
    let order = match step {
        post_balances::Step::PostSale { order } | post_balances::Step::StartHolds { order, .. } => Some(*order),
        post_balances::Step::Post { .. }
        | post_balances::Step::PostDirect { .. }
        | post_balances::Step::Withhold { .. }
        | post_balances::Step::EndDispute { .. } => None,
    };
    if let Some(order) = order
        && !commands.has_sellers(order).await?
    {
        return Ok(());
    }
    match step {
        post_balances::Step::PostSale { order } => {
            let amounts = commands.sold(*order, cause.position).await?;
            if amounts.is_empty() {
                return Ok(());
            }
            let intent = once(commands, cause, "balance.post", format!("{}/post", cause.position));
            let posting = Posting { position: cause.position, order: Some(*order), dispute: None };
            commands.post_balances(&intent, posting, &amounts).await
        }
        post_balances::Step::Post { order, amounts, dispute } => {
            let intent = once(commands, cause, "balance.post", format!("{}/post", cause.position));
            let posting = Posting { position: cause.position, order: *order, dispute: *dispute };
            commands.post_balances(&intent, posting, amounts).await
        }
        post_balances::Step::PostDirect { order, seller, amount } => {
            let intent = once(commands, cause, "balance.post", format!("{}/post", cause.position));
            commands.post_direct(&intent, cause.position, *order, (*seller, *amount)).await
        }
        post_balances::Step::Withhold { dispute, order, amounts } => {
            commands.withhold(&intent(commands, cause, "balance.withhold"), *dispute, *order, amounts).await
        }
        post_balances::Step::EndDispute { dispute } => {
            commands.end_dispute(&intent(commands, cause, "balance.end_dispute"), *dispute).await
        }
        post_balances::Step::StartHolds { order, delivered_at } => {
            let (sellers, currency) = commands.delivered(*order).await?;
            for seller in sellers {
                let Some(currency) = currency else { continue };
                // Whichever event was the first: the hold starts once.
                let intent = once(commands, cause, "balance.start_hold", format!("{order}/{seller}/hold"));
                commands.start_hold(&intent, *order, (seller, currency), *delivered_at).await?;
            }
            Ok(())
        }
    }
}

/// Sends a payout, or makes those of a schedule.
pub(super) async fn send(commands: &Commands, cause: &Cause, step: &send_payouts::Step) -> Result<(), Error> {
    match step {
        send_payouts::Step::Send { payout } => {
            commands.send_payout(&intent(commands, cause, "payout.send"), *payout).await
        }
        send_payouts::Step::RunSchedule { seller, due } => {
            commands.run_schedule(&intent(commands, cause, "payout.request"), *seller, *due).await
        }
    }
}

/// The intent of a step that is carried out once: its key names what it does.
fn once(commands: &Commands, cause: &Cause, command: &'static str, key: String) -> Intent {
    let who = format!("process {}", cause.process);
    let fingerprint = key.clone().into_bytes();
    Intent { key: Some(Key { who, key, fingerprint, kept_for: None }), ..intent(commands, cause, command) }
}
