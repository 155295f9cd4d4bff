//! `byteshop erase`: forgetting a person, who has an account, or bought as a guest, or both.

use byteshop_commands::accounts::{self, forget_buyer};
use byteshop_commands::{Commands, Error};
use byteshop_domain::account::Account;
use byteshop_domain::ids::{AccountId, OrderId};
use byteshop_domain::order::{CancelReason, Event, Order, Placement};
use byteshop_domain::text::Email;
use byteshop_domain::{Decider as _, Subject};
use byteshop_eventstore::StoreError;
use byteshop_eventstore::read::{Filter, PAGE};

use super::accounts::intent;
use super::failure::Failure;
use super::output;
use super::seed::with_commands;
use crate::config::Config;

/// Who is forgotten.
#[derive(Debug, clap::Args)]
pub(super) struct EraseArgs {
    /// Who: an account, by its id; a guest, by the id of their order; or everybody with an e-mail address, account and guests
    #[arg(value_name = "PERSON")]
    person: Named,
    /// Do it: nothing brings the account and what is known of the person back
    #[arg(long)]
    yes: bool,
    /// Even while orders are paid for and not delivered: what is not packed is called off and its money goes back, and the rest
    /// goes on although nobody knows any more where to
    #[arg(long)]
    force: bool,
}

/// A person by one of their names.
#[derive(Debug, Clone)]
enum Named {
    Account(AccountId),
    Guest(OrderId),
    Email(Email),
}

impl std::str::FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let account = text.parse().map(Self::Account).ok();
        let guest = || text.parse().map(Self::Guest).ok();
        let email = || text.parse().map(Self::Email).ok();
        account.or_else(guest).or_else(email).ok_or_else(|| {
            "neither an account's id (acc_…), nor the id of a guest's order (ord_…), nor an e-mail address".to_owned()
        })
    }
}

pub(super) async fn erase(config: &Config, args: EraseArgs) -> Result<(), Failure> {
    with_commands(config, async |commands| {
        let (account, orders) = match &args.person {
            Named::Account(id) => (Some(*id), vec![]),
            Named::Guest(id) => (None, vec![*id]),
            Named::Email(email) => (
                commands.account_named(commands.email_name(email).await?.id).await?,
                orders_of_guest(&commands, email).await?,
            ),
        };
        if account.is_none() && orders.is_empty() {
            return Err(Failure::refused("nobody has an account with this address, and no guest's order has it"));
        }
        if let Some(id) = account
            && commands.get::<Account>(id).await?.is_none()
        {
            return Err(Failure::refused(format!("there is no account {id}")));
        }
        if !args.yes {
            return Err(Failure::refused(asked(account, &orders)));
        }
        if let Some(id) = account {
            erase_account(&commands, id, args.force).await?;
        }
        for order in orders {
            erase_guest(&commands, order, args.force).await?;
        }
        Ok(())
    })
    .await
}

/// What would be done.
fn asked(account: Option<AccountId>, orders: &[OrderId]) -> String {
    let account = account.map(|id| format!("closes {id} and destroys the key of all that is known of its owner"));
    let orders: Vec<_> = orders.iter().map(ToString::to_string).collect();
    let guest = (!orders.is_empty()).then(|| format!("destroys the keys of the guests of {}", orders.join(", ")));
    let parts: Vec<_> = [account, guest].into_iter().flatten().collect();
    format!("this {}; say so with --yes", parts.join(" and "))
}

/// The orders of guests who gave an address and are not forgotten yet: from the log, as no view need be up to date here.
async fn orders_of_guest(commands: &Commands, email: &Email) -> Result<Vec<OrderId>, Failure> {
    let Some(wanted) = commands.guest_hash(email).await? else { return Ok(vec![]) };
    let (categories, event_type) = (vec![Order::CATEGORY.to_owned()], Some("placed".to_owned()));
    let filter = Filter { categories, event_type, ..Filter::default() };
    let (mut found, mut position) = (vec![], 0);
    loop {
        let page = commands.log().read_filtered(position, PAGE, &filter).await?;
        let Some(last) = page.last() else { return Ok(found) };
        position = last.position;
        for event in &page {
            let decoded = event.event::<Order>().transpose();
            let decoded = decoded.map_err(|source| StoreError::Unreadable { position: event.position, source })?;
            let theirs = |it: &Placement| it.destination.email_hash.as_ref() == Some(&wanted);
            if !matches!(decoded, Some(Event::Placed(placement)) if theirs(&placement)) {
                continue;
            }
            let id = event.id_of::<Order>();
            let order = commands.get::<Order>(id).await?;
            if order.is_some_and(|order| order.state.placed().is_ok_and(|placed| !placed.forgotten)) {
                found.push(id);
            }
        }
    }
}

async fn erase_account(commands: &Commands, id: AccountId, force: bool) -> Result<(), Failure> {
    let intent = intent(commands, "account.erase");
    let done = commands.run(&intent, |unit| async move {
        let mut account = unit.load::<Account>(id).await?.exists()?;
        accounts::erase(&unit, &mut account, force).await
    });
    let unfinished = done.await.map_err(with_force)?.answer;
    commands.vault().erase(Subject::from(id)).await?;
    for order in unfinished.cancelled {
        called_off(order)?;
    }
    for order in unfinished.left {
        let what = "is packed or sent, and its address forgotten: what does not arrive can only be refunded";
        output::line(&format!("{order} {what}"))?;
    }
    Ok(output::line(&format!("{id} is closed, and its owner forgotten"))?)
}

async fn erase_guest(commands: &Commands, id: OrderId, force: bool) -> Result<(), Failure> {
    let intent = intent(commands, "order.forget_buyer");
    let done = commands.run(&intent, |unit| async move {
        let mut order = unit.load::<Order>(id).await?.exists()?;
        forget_buyer(&unit, &mut order, CancelReason::StaffRequest, force).await
    });
    let forgotten = done.await.map_err(with_force)?.answer;
    commands.vault().erase(forgotten.subject).await?;
    if forgotten.called_off {
        called_off(id)?;
    }
    Ok(output::line(&format!("the guest of {id} is forgotten"))?)
}

fn called_off(order: OrderId) -> Result<(), Failure> {
    Ok(output::line(&format!("{order} is called off; what was paid for it goes back"))?)
}

/// What is under way can be ended by force.
fn with_force(error: Error) -> Failure {
    if let Error::Rejected(rejected) = &error
        && rejected.code.ends_with("under_way")
    {
        return Failure::refused(format!("{}; or do it all the same with --force", rejected.detail));
    }
    error.into()
}
