//! `byteshop erase`: forgetting a person, who has an account, or bought as a guest, or both.

use byteshop_commands::use_cases::accounts::grants::Revoke;
use byteshop_commands::use_cases::accounts::{self, forget_buyer};
use byteshop_commands::use_cases::carts;
use byteshop_commands::{Commands, Error, Rejected};
use byteshop_domain::Subject;
use byteshop_domain::account::{self, Account};
use byteshop_domain::cart::{self, Cart, Destination};
use byteshop_domain::ids::{AccountId, CartId, OrderId};
use byteshop_domain::order::{self, CancelReason, Order};
use byteshop_domain::text::Email;

use super::accounts::line;
use super::failure::{Failure, words};
use super::operating::{intent, with_commands, with_event};
use super::output;
use crate::config::Config;

/// The arguments of `byteshop erase`.
#[derive(Debug, clap::Args)]
pub(super) struct EraseArgs {
    /// The person: an account, by its id; a guest, by the id of their order or cart; or all accounts and guests with an
    /// e-mail address
    #[arg(value_name = "PERSON")]
    person: Named,
    /// Confirm; the erasure cannot be undone
    #[arg(long)]
    yes: bool,
    /// Erase even while paid orders are not delivered or payments are disputed: items that are not packed are cancelled and refunded,
    /// packed parcels continue without their address, and the evidence for disputes is lost
    #[arg(long)]
    force: bool,
    /// Revoke the API keys and webhook endpoints that the account created
    #[arg(long)]
    revoke: bool,
}

/// A person by one of their names.
#[derive(Debug, Clone)]
enum Named {
    Account(AccountId),
    Guest(OrderId),
    Cart(CartId),
    Email(Email),
}

/// The accounts, orders and carts that a name refers to.
#[derive(Debug, Default)]
struct Known {
    account: Option<AccountId>,
    /// The orders of guests.
    orders: Vec<OrderId>,
    /// Carts of guests that were never ordered.
    carts: Vec<CartId>,
}

impl std::str::FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let account = text.parse().map(Self::Account).ok();
        let guest = || text.parse().map(Self::Guest).ok();
        let cart = || text.parse().map(Self::Cart).ok();
        let email = || text.parse().map(Self::Email).ok();
        account.or_else(guest).or_else(cart).or_else(email).ok_or_else(|| {
            "neither an account's id (acc_…), nor the id of a guest's order or cart (ord_…, cart_…), nor an e-mail address"
                .to_owned()
        })
    }
}

pub(super) async fn erase(config: &Config, args: EraseArgs) -> Result<(), Failure> {
    with_commands(config, async |commands| {
        let known = match &args.person {
            Named::Account(id) => Known { account: Some(*id), ..Known::default() },
            Named::Guest(id) => Known { orders: vec![*id], ..Known::default() },
            Named::Cart(id) => Known { carts: vec![*id], ..Known::default() },
            Named::Email(email) => Known {
                account: commands.account_named(&commands.email_name(email).await?).await?,
                ..of_guest(&commands, email).await?
            },
        };
        if known.account.is_none() && known.orders.is_empty() && known.carts.is_empty() {
            let said = "no account has this address, and no order or cart of a guest has it";
            return Err(Failure::refused(said));
        }
        if let Some(id) = known.account
            && commands.get::<Account>(id).await?.is_none()
        {
            return Err(Failure::refused(format!("there is no account {id}")));
        }
        if let Named::Cart(id) = &args.person {
            is_forgotten_alone(&commands, *id).await?;
        }
        if !args.yes {
            return Err(Failure::refused(known.asked()));
        }
        if let Some(id) = known.account {
            erase_account(&commands, id, args.force, Revoke::when(args.revoke)).await?;
        }
        // A person who cannot be erased does not prevent the erasure of the others.
        let mut in_the_way = Vec::new();
        for order in known.orders {
            in_the_way.extend(refusal(erase_guest(&commands, order, args.force).await, order)?);
        }
        for cart in known.carts {
            in_the_way.extend(refusal(erase_cart(&commands, cart).await, cart)?);
        }
        if in_the_way.is_empty() { Ok(()) } else { Err(Failure::refused(in_the_way.join("\n"))) }
    })
    .await
}

impl Known {
    /// The effect of the command, for the question whether to confirm it.
    fn asked(&self) -> String {
        let account = self.account.map(|id| format!("closes {id} and destroys the key to its owner's personal data"));
        let orders = self.orders.iter().map(ToString::to_string);
        let guests: Vec<_> = orders.chain(self.carts.iter().map(ToString::to_string)).collect();
        let guests = (!guests.is_empty()).then(|| format!("destroys the keys of the guests of {}", guests.join(", ")));
        let parts: Vec<_> = [account, guests].into_iter().flatten().collect();
        format!("this {}; confirm with --yes", parts.join(" and "))
    }
}

/// The reason why one of several people cannot be erased, with their name.
fn refusal(outcome: Result<(), Failure>, whose: impl std::fmt::Display) -> Result<Option<String>, Failure> {
    match outcome {
        Ok(()) => Ok(None),
        Err(Failure::Refused(error)) => Ok(Some(format!("{whose}: {}", words(&error)))),
        Err(other @ (Failure::Usage(_) | Failure::FoundWanting)) => Err(other),
    }
}

/// The orders and carts of guests who gave an address and are not forgotten yet: from the log, as no view need be up to date
/// here.
async fn of_guest(commands: &Commands, email: &Email) -> Result<Known, Failure> {
    let mut known = Known::default();
    let wanted = commands.guest_hashes(email).await?;
    let is_theirs = |it: &Destination| it.email_hash.as_ref().is_some_and(|hash| wanted.contains(hash));
    let placed = |event: &order::Event| matches!(event, order::Event::Placed(it) if is_theirs(&it.destination));
    for id in with_event::<Order>(commands, "placed", placed).await? {
        let order = commands.get::<Order>(id).await?;
        if order.is_some_and(|order| order.state.live().is_ok_and(|placed| !placed.forgotten)) {
            known.orders.push(id);
        }
    }
    let given =
        |event: &cart::Event| matches!(event, cart::Event::DestinationSet { destination } if is_theirs(destination));
    for id in with_event::<Cart>(commands, "destination_set", given).await? {
        let cart = commands.get::<Cart>(id).await?;
        // What was ordered is forgotten with its order, and what was put into an account's cart already is.
        let is_kept = |it: &cart::Created| it.stage == cart::Stage::Open;
        if cart.is_some_and(|cart| cart.state.live().is_ok_and(is_kept)) {
            known.carts.push(id);
        }
    }
    Ok(known)
}

async fn erase_account(commands: &Commands, id: AccountId, force: bool, revoke: Revoke) -> Result<(), Failure> {
    let intent = intent(commands, "account.erase");
    let done = commands.run(&intent, |unit| async move {
        let mut account = unit.load::<Account>(id).await?.exists()?;
        accounts::erase(&unit, &mut account, force, revoke).await
    });
    let unfinished = done.await.map_err(with_force)?.answer;
    commands.vault().erase(Subject::from(id)).await?;
    for grant in &unfinished.grants {
        output::line(&line(grant, revoke))?;
    }
    for order in unfinished.cancelled {
        report_cancelled(order)?;
    }
    for order in unfinished.left {
        let what = "is packed or shipped, or its payment is disputed, and its address is erased; items that do not arrive can only be \
                    refunded";
        output::line(&format!("{order} {what}"))?;
    }
    Ok(output::line(&format!("{id} is closed, and its owner's personal data is erased"))?)
}

async fn erase_guest(commands: &Commands, id: OrderId, force: bool) -> Result<(), Failure> {
    let intent = intent(commands, "order.forget_buyer");
    let done = commands.run(&intent, |unit| async move {
        let mut order = unit.load::<Order>(id).await?.exists()?;
        forget_buyer(&unit, &mut order, CancelReason::StaffRequest, force).await
    });
    let forgotten = done.await.map_err(with_force)?.answer;
    commands.vault().erase(forgotten.subject).await?;
    if forgotten.is_cancelled {
        report_cancelled(id)?;
    }
    Ok(output::line(&format!("the personal data of the guest of {id} is erased"))?)
}

/// The data in an account's cart is encrypted with the key of its owner, and that in an ordered cart with the key of
/// its guest.
async fn is_forgotten_alone(commands: &Commands, id: CartId) -> Result<(), Failure> {
    let cart = commands.get::<Cart>(id).await?;
    let Some(created) = cart.as_ref().and_then(|cart| cart.state.live().ok()) else {
        return Err(Failure::refused(format!("there is no cart {id}")));
    };
    match (created.owner, created.stage.order()) {
        (Some(owner), _) => Err(Failure::refused(format!("{id} is the cart of an account: `byteshop erase {owner}`"))),
        (None, Some(order)) => Err(Failure::refused(format!("{id} became an order: `byteshop erase {order}`"))),
        (None, None) => Ok(()),
    }
}

async fn erase_cart(commands: &Commands, id: CartId) -> Result<(), Failure> {
    let intent = intent(commands, "cart.discard");
    let done = commands.run(&intent, |unit| async move {
        let mut cart = unit.load::<Cart>(id).await?.exists()?;
        carts::discard(&unit, &mut cart)
    });
    done.await?;
    commands.forget_cart(id).await?;
    Ok(output::line(&format!("{id} is discarded, and what a guest entered in it is erased"))?)
}

fn report_cancelled(order: OrderId) -> Result<(), Failure> {
    Ok(output::line(&format!("{order} is cancelled; any payment for it is refunded"))?)
}

/// Whether orders in progress, or disputes about their payments, prevent the erasure.
fn is_under_way(rejected: &Rejected) -> bool {
    let of_order = [order::Rejection::UnderWay, order::Rejection::Disputed];
    let orders = Vec::new;
    let of_account = [
        account::Rejection::OrdersUnderWay { orders: orders() },
        account::Rejection::OrdersDisputed { orders: orders() },
    ];
    of_order.iter().any(|rejection| rejected.is::<Order>(rejection))
        || of_account.iter().any(|rejection| rejected.is::<Account>(rejection))
}

/// Orders in progress can be cancelled, and evidence given up, with `--force`.
fn with_force(error: Error) -> Failure {
    if let Error::Rejected(rejected) = &error
        && is_under_way(rejected)
    {
        return Failure::refused(format!("{}; use --force to do it anyway", rejected.detail));
    }
    error.into()
}
