//! The people of the demo shop: one of each role and a customer for each language, with passwords that everybody may know.

use byteshop_commands::Commands;
use byteshop_commands::use_cases::accounts;
use byteshop_domain::Locale;
use byteshop_domain::account::{Account, Role};
use byteshop_domain::text::Email;
use serde::Serialize;

use super::super::accounts::make_account;
use super::super::failure::Failure;
use crate::cli::operating::intent;

/// The accounts: address, password, role and language.
const PEOPLE: [(&str, &str, Role, Locale); 5] = [
    ("admin@byteshop.example", "harbour-lantern-7", Role::Admin, Locale::En),
    ("support@byteshop.example", "quiet-ledger-12", Role::Support, Locale::En),
    ("seller@byteshop.example", "copper-kettle-31", Role::Seller, Locale::En),
    ("ada@byteshop.example", "analytical-engine-1", Role::Customer, Locale::En),
    ("boris@byteshop.example", "samovar-and-book-5", Role::Customer, Locale::Ru),
];

/// An account of the demo shop.
#[derive(Serialize)]
pub(super) struct Person {
    pub(super) email: &'static str,
    pub(super) password: &'static str,
    pub(super) role: Role,
}

/// Makes them, those who are not there yet.
pub(super) async fn make(commands: &Commands) -> Result<Vec<Person>, Failure> {
    let mut people = Vec::with_capacity(PEOPLE.len());
    for (email, password, role, locale) in PEOPLE {
        let address = Email::new(email).map_err(|error| Failure::refused(error.to_string()))?;
        let name = commands.email_name(&address).await?;
        if commands.account_named(&name).await?.is_none() {
            let id = make_account(commands, &address, password, locale).await?;
            let setting = intent(commands, "account.set_role");
            let done = commands.run(&setting, |unit| async move {
                let mut account = unit.load::<Account>(id).await?.exists()?;
                accounts::set_role(&unit, &mut account, role).await
            });
            done.await?;
        }
        people.push(Person { email, password, role });
    }
    Ok(people)
}
