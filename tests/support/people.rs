//! People with accounts: registered, confirmed and logged in over HTTP, as anybody would.

use byteshop_commands::Intent;
use byteshop_commands::use_cases::accounts;
use byteshop_domain::Actor;
use byteshop_domain::account::{Account, Event, Role, Secret};
use byteshop_domain::ids::AccountId;
use byteshop_domain::session::{self, Session};
use byteshop_domain::text::{Email, fresh};
use byteshop_eventstore::StreamId;
use byteshop_eventstore::read::PAGE;
use chrono::TimeDelta;
use serde_json::json;

use crate::past;
use crate::shop::{Answer, TestShop, address};

/// A password that nobody guesses.
pub const PASSWORD: &str = "correct horse battery staple";

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct Person {
    /// Their account.
    pub id: AccountId,
    /// Their address.
    pub email: String,
    /// Their access token.
    pub token: String,
    /// Their refresh token.
    pub refresh: String,
    /// Their session.
    pub session: String,
}

impl TestShop {
    /// Registers an address.
    pub async fn register(&self, email: &str) -> Answer {
        self.post("/v1/auth/register").json(json!({"email": email, "password": PASSWORD})).send().await
    }

    /// Logs in.
    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.post("/v1/auth/login").json(json!({"email": email, "password": password})).send().await
    }

    /// Shows a refresh token.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/v1/auth/refresh").json(json!({"refresh_token": token})).send().await
    }

    /// Somebody with a confirmed account, logged in.
    pub async fn person(&self, email: &str) -> Person {
        self.register(email).await.expect(202);
        let code = self.confirmation_code(email).await.expect("a code");
        self.post("/v1/auth/confirm").json(json!({"code": code})).send().await.expect(204);
        let keys = self.log_in(email, PASSWORD).await.expect(200);
        Person {
            id: keys.text("/account").parse().unwrap(),
            email: email.to_owned(),
            token: keys.text("/access_token").to_owned(),
            refresh: keys.text("/refresh_token").to_owned(),
            session: keys.text("/session").to_owned(),
        }
    }

    /// Somebody who works here, logged in with a password, as the operator of a shop makes the first ones.
    pub async fn staff(&self, email: &str, role: Role) -> Person {
        let person = self.person(email).await;
        self.grant(person.id, role).await;
        let keys = self.log_in(email, PASSWORD).await.expect(200);
        Person {
            token: keys.text("/access_token").to_owned(),
            refresh: keys.text("/refresh_token").to_owned(),
            session: keys.text("/session").to_owned(),
            ..person
        }
    }

    /// Gives an account a role, as an operator does.
    pub async fn grant(&self, account: AccountId, role: Role) {
        let actor = Actor::Operator { name: "alice".into() };
        let intent = Intent::new(actor, "account.set_role", self.commands.clock().new_id());
        let done = self.commands.run(&intent, |unit| async move {
            let mut account = unit.load::<Account>(account).await?.exists()?;
            accounts::set_role(&unit, &mut account, role).await
        });
        done.await.unwrap();
    }

    /// Lets the last proof of identity of a session be so many minutes old, as if they had passed.
    pub async fn age_proof(&self, session: &str, minutes: i64) {
        let session = session.parse().unwrap();
        let now = self.commands.clock().now();
        let proof = session::Command::Authenticate { second_factor: false };
        past::record_at::<Session>(&self.log, session, &[proof], now - TimeDelta::minutes(minutes)).await;
    }

    /// Checks out a cart of an account with so much of a variant in it.
    pub async fn buy(&self, token: &str, variant: &str, quantity: i64) -> Answer {
        let made = self.post("/v1/carts").by(token).json(json!({"currency": "EUR"})).send().await;
        let cart = format!("/v1/carts/{}", made.id());
        let line = self.put(&format!("{cart}/lines/{variant}")).by(token).json(json!({"quantity": quantity}));
        line.send().await.expect(200);
        self.put(&format!("{cart}/address")).by(token).json(address("DE")).send().await.expect(200);
        self.post(&format!("{cart}/checkout")).by(token).send().await
    }

    /// Pays an order of an account.
    pub async fn pay(&self, token: &str, order: &str) -> Answer {
        let body = json!({"provider": "test", "token": "tok_success"});
        self.post(&format!("/v1/orders/{order}/payments")).by(token).json(body).send().await
    }

    /// The account of an address.
    pub async fn account_of(&self, email: &str) -> Option<AccountId> {
        let name = self.commands.email_name(&fresh(|| Email::new(email)).unwrap()).await.unwrap();
        self.commands.account_named(&name).await.unwrap()
    }

    /// What happened to an account.
    pub async fn events_of(&self, account: AccountId) -> Vec<Event> {
        let stored = self.log.read_stream(&StreamId::of::<Account>(account), 0, PAGE).await.unwrap();
        stored.iter().map(|event| event.event::<Account>().unwrap().unwrap()).collect()
    }

    /// The last code that confirms an address, as its mail has it.
    pub async fn confirmation_code(&self, email: &str) -> Option<String> {
        let events = self.events_of(self.account_of(email).await?).await;
        let code = events.iter().rev().find_map(|event| {
            if let Event::ConfirmationRequested { code, .. } = event { Some(code.clone()) } else { None }
        })?;
        let Secret(code) = self.commands.vault().open(&code).await.unwrap()?;
        Some(code)
    }

    /// The last code that was sent to another address of an account.
    pub async fn new_email_code(&self, account: AccountId) -> Option<String> {
        let events = self.events_of(account).await;
        let code = events.iter().rev().find_map(|event| {
            if let Event::EmailChangeRequested { code, .. } = event { Some(code.clone()) } else { None }
        })?;
        let Secret(code) = self.commands.vault().open(&code).await.unwrap()?;
        Some(code)
    }

    /// The last code that resets a password, as its mail has it.
    pub async fn reset_code(&self, email: &str) -> Option<String> {
        let events = self.events_of(self.account_of(email).await?).await;
        let code = events.iter().rev().find_map(|event| {
            if let Event::PasswordResetRequested { code, .. } = event { Some(code.clone()) } else { None }
        })?;
        let Secret(code) = self.commands.vault().open(&code).await.unwrap()?;
        Some(code)
    }
}
