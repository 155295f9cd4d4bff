//! Sellers and their members, made over HTTP, as people and admins would.

use byteshop_domain::account::Secret;
use byteshop_domain::ids::SellerId;
use byteshop_domain::seller::{Event, Seller};
use byteshop_eventstore::StreamId;
use byteshop_eventstore::read::PAGE;
use byteshop_gateway::security::token::Role;
use serde_json::{Value, json};

use crate::people::Person;
use crate::shop::{Answer, Call, TestShop};

/// The application for a handle.
pub fn application(handle: &str) -> Value {
    json!({"handle": handle, "name": format!("Seller {handle}"), "description": "Kettles, made by hand",
        "country": "DE", "contact_email": "sales@example.org"})
}

impl TestShop {
    /// Applies to sell.
    pub async fn apply(&self, person: &Person, handle: &str) -> Answer {
        self.post("/v1/sellers").by(&person.token).json(application(handle)).send().await
    }

    /// An approved seller, by its id.
    pub async fn seller(&self, owner: &Person, handle: &str) -> String {
        let seller = self.apply(owner, handle).await.expect(201).id();
        self.decide(&seller, "approve").await.expect(200);
        seller
    }

    /// Lets an admin decide about a seller.
    pub async fn decide(&self, seller: &str, what: &str) -> Answer {
        let call = self.post(&format!("/v1/admin/sellers/{seller}/{what}")).by(&self.token(Role::Admin));
        let because = ["reject", "suspend"].contains(&what);
        if because { call.json(json!({"reason": "Complaints of buyers"})).send().await } else { call.send().await }
    }

    /// Invites an address; the code that its mail has.
    pub async fn invite(&self, seller: &str, owner: &Person, email: &str, role: &str) -> String {
        let body = json!({"email": email, "role": role});
        let path = format!("/v1/sellers/{seller}/invitations");
        self.post(&path).by(&owner.token).json(body).send().await.expect(201);
        self.invitation_code(seller).await.expect("a code")
    }

    /// Accepts an invitation.
    pub async fn accept(&self, person: &Person, code: &str) -> Answer {
        self.post("/v1/me/sellers/accept").by(&person.token).json(json!({"code": code})).send().await
    }

    /// Makes somebody a member of a seller.
    pub async fn join(&self, seller: &str, owner: &Person, person: &Person, role: &str) {
        let code = self.invite(seller, owner, &person.email, role).await;
        self.accept(person, &code).await.expect(200);
    }

    /// What happened to a seller.
    pub async fn seller_events(&self, seller: &str) -> Vec<Event> {
        let id: SellerId = seller.parse().unwrap();
        let stored = self.log.read_stream(&StreamId::of::<Seller>(id), 0, PAGE).await.unwrap();
        stored.iter().map(|event| event.event::<Seller>().unwrap().unwrap()).collect()
    }

    /// The code of the last invitation of a seller, as its mail has it; nothing once it can no longer be read.
    pub async fn invitation_code(&self, seller: &str) -> Option<String> {
        let code = self
            .seller_events(seller)
            .await
            .into_iter()
            .rev()
            .find_map(|event| if let Event::MemberInvited { code, .. } = event { Some(code) } else { None })?;
        let Secret(code) = self.commands.vault().open(&code).await.unwrap()?;
        Some(code)
    }

    /// A published product of a seller with one variant of so many pieces, made by a member; gives the ids of both.
    pub async fn product_of(
        &self,
        seller: &str,
        member: &Person,
        sku: &str,
        price: i64,
        on_hand: i64,
    ) -> (String, String) {
        let by = |call: Call| call.by(&member.token);
        let new = json!({"title": format!("Kettle {sku}"), "seller": seller});
        let product = by(self.post("/v1/products")).json(new).send().await.expect(201).id();
        let path = format!("/v1/products/{product}");
        let variant = json!({"sku": sku, "price": {"amount": price, "currency": "EUR"}});
        let added = by(self.post(&format!("{path}/variants"))).json(variant).send().await.expect(201);
        let variant = added.text("/variants/0/id").to_owned();
        by(self.post(&format!("{path}/publish"))).send().await.expect(200);
        let movement = json!({"type": "received", "quantity": on_hand});
        by(self.post(&format!("/v1/variants/{variant}/stock"))).json(movement).send().await.expect(200);
        (product, variant)
    }
}
