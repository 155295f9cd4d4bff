//! What sellers have earned, and where they are paid, as time itself leaves both: sales whose hold is over, destinations in use.

use byteshop_domain::balance::{self, Balance, Hold};
use byteshop_domain::ids::{Id as _, OrderId, SellerId};
use byteshop_domain::money::Money;
use byteshop_domain::payout_account::{self, Destination, PayoutAccount};
use byteshop_domain::payout_file::Debtor;
use byteshop_domain::text::{Email, Holder, Iban};
use byteshop_domain::{Currency, Subject};
use byteshop_eventstore::{Clock, Log, Vault};
use chrono::TimeDelta;
use serde_json::Value;

use crate::past;
use crate::people::Person;
use crate::shop::TestShop;

/// An IBAN that a bank in Germany could have given.
pub const IBAN: &str = "DE89370400440532013000";

/// The bank account of the house.
pub fn debtor() -> Debtor {
    Debtor { name: Holder::new("ByteShop GmbH").unwrap(), iban: Iban::new("NL91ABNA0417164300").unwrap() }
}

/// A bank account.
pub fn bank() -> Destination {
    Destination::Iban { iban: Iban::new(IBAN).unwrap(), holder: Holder::new("Ada & Söhne <GmbH>").unwrap() }
}

/// An account at PayPal.
pub fn paypal(email: &str) -> Destination {
    Destination::Paypal { email: Email::new(email).unwrap() }
}

/// Lets a seller have so many euro cents of a sale whose hold is over.
pub async fn earn(log: &Log, seller: SellerId, amount: i64) {
    let now = Clock.now();
    let (order, moment) = (OrderId::from_uuid(Clock.new_id()), now - TimeDelta::hours(1));
    let hold = Hold { available_at: moment, reserved_until: moment };
    let amount = Money::new(amount, Currency::EUR);
    let post =
        balance::Command::Post { seller, position: 1, order: Some(order), amount, reserve_percent: 0, dispute: None };
    let commands = [post, balance::Command::StartHold { order, hold }];
    past::record::<Balance>(log, balance::id(seller, Currency::EUR), &commands).await;
    let note = payout_account::Command::NoteCurrency { currency: Currency::EUR };
    past::record::<PayoutAccount>(log, payout_account::id(seller), &[note]).await;
}

/// Lets the payouts of a seller go somewhere, as an owner chose two days ago.
pub async fn pay_to(log: &Log, vault: &Vault, seller: SellerId, owner: Subject, destination: &Destination) {
    let means = destination.means();
    let destination = vault.seal(owner, destination).await.unwrap();
    let choose = payout_account::Command::Choose { destination, means, delay: TimeDelta::days(1) };
    let at = Clock.now() - TimeDelta::days(2);
    past::record_at::<PayoutAccount>(log, payout_account::id(seller), &[choose], at).await;
}

impl TestShop {
    /// Lets a seller have so many euro cents of a sale whose hold is over.
    pub async fn earned(&self, seller: &str, amount: i64) {
        earn(&self.log, seller.parse().unwrap(), amount).await;
    }

    /// Lets the payouts of a seller go somewhere, as an owner chose two days ago.
    pub async fn pays_to(&self, seller: &str, owner: &Person, destination: &Destination) {
        let owner = Subject::from(owner.id);
        pay_to(&self.log, self.commands.vault(), seller.parse().unwrap(), owner, destination).await;
    }

    /// The figures of the balance of a seller in euro cents: pending, reserved, available, in transit, paid out.
    pub async fn balance(&self, seller: &str, person: &Person) -> [i64; 5] {
        let found = self.get(&format!("/v1/sellers/{seller}/balance")).by(&person.token).send().await.expect(200).body;
        let figure = |name: &str| found["items"].get(0).map_or(0, |it: &Value| it[name]["amount"].as_i64().unwrap());
        ["pending", "reserved", "available", "in_transit", "paid_out"].map(figure)
    }
}
