//! Sellers over HTTP: applying and being approved, members and their roles, and what happens at the same moment.

use byteshop_domain::seller::{Seller, Status};
use byteshop_gateway::security::token::Role;
use byteshop_projections::View as _;
use byteshop_projections::replay::Replay;
use byteshop_projections::seller_list::SellerList;
use byteshop_tests::patience::eventually;
use byteshop_tests::people::{PASSWORD, Person};
use byteshop_tests::sellers::application;
use byteshop_tests::shop::{Answer, TestShop};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// The page of a seller, as a caller sees it.
async fn page(shop: &TestShop, name: &str, person: Option<&Person>) -> Answer {
    let call = shop.get(&format!("/v1/sellers/{name}"));
    if let Some(person) = person { call.by(&person.token).send().await } else { call.send().await }
}

async fn roles(shop: &TestShop, seller: &str, person: &Person) -> Vec<(String, String)> {
    let members = shop.get(&format!("/v1/sellers/{seller}/members")).by(&person.token).send().await.expect(200);
    let text = |member: &Value, field: &str| member[field].as_str().unwrap_or_default().to_owned();
    let members = members.body["members"].as_array().unwrap().clone();
    members.iter().map(|member| (text(member, "email"), text(member, "role"))).collect()
}

async fn set_role(shop: &TestShop, seller: &str, by: &Person, whose: &Person, role: &str) -> Answer {
    let path = format!("/v1/sellers/{seller}/members/{}", whose.id);
    shop.put(&path).by(&by.token).json(json!({"role": role})).send().await
}

async fn remove(shop: &TestShop, seller: &str, by: &Person, whom: &Person) -> Answer {
    shop.delete(&format!("/v1/sellers/{seller}/members/{}", whom.id)).by(&by.token).send().await
}

/// The handles of a list of sellers.
fn handles(list: &Answer) -> Vec<&str> {
    list.body["items"].as_array().unwrap().iter().map(|item| item["handle"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_seller_has_a_page() {
    let shop = TestShop::start().await;
    let (ada, eve) = (shop.person("ada@example.org").await, shop.person("eve@example.org").await);
    shop.apply(&ada, "support").await.expect_problem(422, "seller.handle_reserved");
    shop.post("/v1/sellers").json(application("kettles")).send().await.expect_problem(401, "auth.missing");
    let made = shop.apply(&ada, "kettles").await.expect(201);
    let seller = made.id();
    assert_eq!((made.text("/details/status"), made.text("/details/contact_email")), ("applied", "sales@example.org"));
    shop.apply(&eve, "kettles").await.expect_problem(409, "name.taken");
    // Nobody else sees an application.
    page(&shop, "kettles", None).await.expect_problem(404, "seller.missing");
    page(&shop, &seller, Some(&eve)).await.expect_problem(404, "seller.missing");
    assert_eq!(page(&shop, &seller, Some(&ada)).await.expect(200).text("/details/country"), "DE");
    let approve = format!("/v1/admin/sellers/{seller}/approve");
    shop.post(&approve).by(&shop.token(Role::Support)).send().await.expect_problem(403, "auth.forbidden");
    shop.decide(&seller, "approve").await.expect(200);
    let shown = page(&shop, "kettles", None).await.expect(200);
    assert_eq!((shown.id(), shown.text("/name"), &shown.body["details"]), (seller, "Seller kettles", &Value::Null));
    assert!(shown.body["since"].is_string(), "{}", shown.body);
    page(&shop, "nobody", None).await.expect_problem(404, "seller.missing");
    page(&shop, "NOT_A_HANDLE", None).await.expect_problem(404, "seller.missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_is_free_after_a_rejection_and_kept_after_a_closing() {
    let shop = TestShop::start().await;
    let (ada, eve) = (shop.person("ada@example.org").await, shop.person("eve@example.org").await);
    let rejected = shop.apply(&ada, "kettles").await.expect(201).id();
    shop.decide(&rejected, "reject").await.expect(200);
    shop.decide(&rejected, "approve").await.expect_problem(409, "seller.over");
    let mine = shop.get("/v1/me/sellers").by(&ada.token).send().await.expect(200);
    assert_eq!((mine.text("/items/0/role"), mine.text("/items/0/details/status")), ("owner", "rejected"));
    assert_eq!(mine.text("/items/0/details/reason"), "Complaints of buyers");
    // An application that is withdrawn leaves its handle, too.
    let withdrawn = shop.apply(&ada, "kettles").await.expect(201).id();
    shop.post(&format!("/v1/sellers/{withdrawn}/close")).by(&ada.token).send().await.expect(200);
    let closed = shop.seller(&eve, "kettles").await;
    shop.post(&format!("/v1/sellers/{closed}/close")).by(&ada.token).send().await.expect_problem(404, "seller.missing");
    shop.post(&format!("/v1/sellers/{closed}/close")).by(&eve.token).send().await.expect(200);
    page(&shop, "kettles", None).await.expect_problem(404, "seller.missing");
    shop.apply(&ada, "kettles").await.expect_problem(409, "name.taken");
    shop.decide(&closed, "reinstate").await.expect_problem(409, "seller.over");
}

#[tokio::test(flavor = "multi_thread")]
async fn sellers_are_listed_by_name_and_by_status_for_staff() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let [first, second] = [shop.seller(&ada, "aaa").await, shop.seller(&ada, "bbb").await];
    shop.apply(&ada, "ccc").await.expect(201);
    shop.decide(&second, "suspend").await.expect(200);
    let head = shop.at_rest().await;
    let list = async |path: &str| shop.get(path).by(&shop.token(Role::Support)).after(head).send().await;
    let public = list("/v1/sellers").await.expect(200);
    assert_eq!((handles(&public), &public.body["items"][0]["details"]), (vec!["aaa"], &Value::Null));
    assert!(handles(&list("/v1/sellers?q=BBB").await.expect(200)).is_empty());
    assert_eq!(handles(&list("/v1/sellers?q=Seller+A").await.expect(200)), ["aaa"]);
    let all = list("/v1/admin/sellers").await.expect(200);
    assert_eq!((handles(&all), all.text("/items/2/details/status")), (vec!["aaa", "bbb", "ccc"], "applied"));
    assert_eq!(handles(&list("/v1/admin/sellers?status=suspended").await.expect(200)), ["bbb"]);
    list(&format!("/v1/sellers?q={}", "x".repeat(201))).await.expect_problem(400, "request.invalid_query");
    let next = list("/v1/admin/sellers?limit=1").await.expect(200);
    let next = list(&format!("/v1/admin/sellers?limit=1&cursor={}", next.text("/next"))).await.expect(200);
    assert_eq!(handles(&next), ["bbb"]);
    shop.decide(&second, "reinstate").await.expect(200);
    shop.decide(&first, "suspend").await.expect(200);
    let head = shop.at_rest().await;
    let public = shop.get("/v1/sellers").after(head).send().await.expect(200);
    assert_eq!(handles(&public), ["bbb"]);
    let report = shop.views.replay(SellerList::NAME, Replay::Check, &|_| {}).await.unwrap();
    assert_eq!((report.different, report.differences), (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_an_invited_mailbox_becomes_a_member() {
    let shop = TestShop::start().await;
    let [ada, bob, eve] = [
        shop.person("ada@example.org").await,
        shop.person("bob@example.org").await,
        shop.person("eve@example.org").await,
    ];
    let seller = shop.seller(&ada, "kettles").await;
    let path = format!("/v1/sellers/{seller}/invitations");
    let invite = json!({"email": "Bob@Example.org", "role": "staff", "locale": "ru"});
    shop.post(&path).by(&eve.token).json(invite.clone()).send().await.expect_problem(404, "seller.missing");
    let sent = shop.post(&path).by(&ada.token).json(invite.clone()).send().await.expect(201);
    shop.post(&path).by(&ada.token).json(invite).send().await.expect_problem(409, "seller.already_invited");
    let mail = eventually("the mail with the invitation", || async {
        let mails = shop.get("/dev/mail?to=bob@example.org").header("Accept", "application/json").send().await;
        let mut mails = mails.expect(200).body["items"].as_array().unwrap().clone();
        mails.retain(|mail| mail["subject"].as_str().unwrap().contains("приглашение"));
        mails.pop()
    })
    .await;
    let code = shop.invitation_code(&seller).await.unwrap();
    assert!(
        mail["text"].as_str().unwrap().contains(&code) && mail["subject"].as_str().unwrap().contains("Seller kettles")
    );
    shop.accept(&eve, &code).await.expect_problem(403, "seller.other_mailbox");
    shop.accept(&bob, "nonsense").await.expect_problem(422, "seller.invalid_code");
    shop.accept(&bob, &code).await.expect(200);
    shop.accept(&bob, &code).await.expect_problem(422, "seller.invalid_code");
    assert_eq!(roles(&shop, &seller, &ada).await.len(), 2);
    // Only owners see addresses, and strangers see nothing.
    assert!(roles(&shop, &seller, &bob).await.iter().all(|(email, _)| email.is_empty()));
    let members = format!("/v1/sellers/{seller}/members");
    shop.get(&members).by(&eve.token).send().await.expect_problem(404, "seller.missing");
    let mine = shop.get("/v1/me/sellers").by(&bob.token).send().await.expect(200);
    assert_eq!((mine.text("/items/0/id"), mine.text("/items/0/role")), (seller.as_str(), "staff"));
    // What was known of who was invited is forgotten with the invitation.
    shop.at_rest().await;
    assert_eq!(shop.invitation_code(&seller).await, None);
    assert_eq!(sent.text("/email"), "Bob@Example.org");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_can_be_revoked() {
    let shop = TestShop::start().await;
    let (ada, bob) = (shop.person("ada@example.org").await, shop.person("bob@example.org").await);
    let seller = shop.seller(&ada, "kettles").await;
    let code = shop.invite(&seller, &ada, &bob.email, "owner").await;
    let members = shop.get(&format!("/v1/sellers/{seller}/members")).by(&ada.token).send().await.expect(200);
    assert_eq!(members.text("/invitations/0/email"), "bob@example.org");
    let path = format!("/v1/sellers/{seller}/invitations/{}", members.text("/invitations/0/id"));
    shop.delete(&path).by(&ada.token).send().await.expect(204);
    shop.accept(&bob, &code).await.expect_problem(422, "seller.invalid_code");
    shop.at_rest().await;
    assert_eq!(shop.invitation_code(&seller).await, None, "the address and the code are forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_keep_members_and_the_last_one_stays() {
    let shop = TestShop::start().await;
    let (ada, bob) = (shop.person("ada@example.org").await, shop.person("bob@example.org").await);
    let seller = shop.seller(&ada, "kettles").await;
    shop.join(&seller, &ada, &bob, "staff").await;
    set_role(&shop, &seller, &bob, &bob, "owner").await.expect_problem(403, "seller.owners_only");
    remove(&shop, &seller, &bob, &ada).await.expect_problem(403, "seller.owners_only");
    remove(&shop, &seller, &ada, &ada).await.expect_problem(409, "seller.last_owner");
    set_role(&shop, &seller, &ada, &ada, "staff").await.expect_problem(409, "seller.last_owner");
    set_role(&shop, &seller, &ada, &bob, "owner").await.expect(204);
    remove(&shop, &seller, &ada, &ada).await.expect(204);
    shop.get(&format!("/v1/sellers/{seller}/members"))
        .by(&ada.token)
        .send()
        .await
        .expect_problem(404, "seller.missing");
    let mine = shop.get("/v1/me/sellers").by(&ada.token).send().await.expect(200);
    assert_eq!(mine.body["items"], json!([]));
    let change = json!({"description": "Pans, too", "contact_email": "bob@example.org"});
    let path = format!("/v1/sellers/{seller}");
    shop.patch(&path).by(&ada.token).json(change.clone()).send().await.expect_problem(404, "seller.missing");
    let changed = shop.patch(&path).by(&bob.token).json(change).send().await.expect(200);
    assert_eq!(
        (changed.text("/description"), changed.text("/details/contact_email")),
        ("Pans, too", "bob@example.org")
    );
    let renamed = shop.patch(&path).by(&bob.token).json(json!({"name": "House"})).send().await;
    renamed.expect_problem(409, "seller.name_fixed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_ends_what_a_membership_allows() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let seller = shop.seller(&ada, "kettles").await;
    // A token without a session outlives the ban by itself.
    let token = shop.token_of(Role::Customer, ada.id);
    let change = || shop.patch(&format!("/v1/sellers/{seller}")).by(&token).json(json!({"description": "New"}));
    change().send().await.expect(200);
    let ban = format!("/v1/admin/accounts/{}/ban", ada.id);
    shop.post(&ban).by(&shop.token(Role::Admin)).json(json!({})).send().await.expect(200);
    change().send().await.expect_problem(403, "account.banned");
    shop.get(&format!("/v1/sellers/{seller}/members")).by(&token).send().await.expect_problem(404, "seller.missing");
    let applied = shop.post("/v1/sellers").by(&token).json(application("pans")).send().await;
    applied.expect_problem(403, "account.banned");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_leaves_its_sellers_when_it_is_closed() {
    let shop = TestShop::start().await;
    let (ada, bob) = (shop.person("ada@example.org").await, shop.person("bob@example.org").await);
    let [shared, own] = [shop.seller(&ada, "kettles").await, shop.seller(&bob, "pans").await];
    shop.join(&shared, &ada, &bob, "owner").await;
    let export = shop.get("/v1/me/export").by(&bob.token).send().await.expect(200);
    assert_eq!(export.body["sellers"].as_array().unwrap().len(), 2, "{}", export.body["sellers"]);
    let close = || shop.delete("/v1/me").by(&bob.token).json(json!({"password": PASSWORD}));
    let refused = close().send().await.expect_problem(409, "account.sellers_owned");
    assert!(refused.text("/detail").contains(&own) && !refused.text("/detail").contains(&shared));
    // By decision of an admin, the seller goes with its only owner.
    let path = format!("/v1/admin/accounts/{}?force=true", bob.id);
    shop.delete(&path).by(&shop.token(Role::Admin)).send().await.expect(200);
    let state = async |seller: &str| shop.commands.get::<Seller>(seller.parse().unwrap()).await.unwrap().unwrap();
    let (shared, own) = (state(&shared).await, state(&own).await);
    assert_eq!((own.state.live().unwrap().status, own.state.live().unwrap().members.len()), (Status::Closed, 0));
    assert_eq!(
        (shared.state.live().unwrap().status, shared.state.live().unwrap().members.len()),
        (Status::Approved, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_applies_so_many_times() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    for number in 0..byteshop_domain::account::APPLICATIONS_MAX {
        shop.apply(&ada, &format!("kettles-{number}")).await.expect(201);
    }
    shop.apply(&ada, "kettles").await.expect_problem(409, "account.too_many_applications");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_applications_for_one_handle_one_is_made() {
    let shop = TestShop::start().await;
    let (ada, eve) = (shop.person("ada@example.org").await, shop.person("eve@example.org").await);
    for round in 0..4 {
        let handle = format!("kettles-{round}");
        let mut answers = join_all([shop.apply(&ada, &handle), shop.apply(&eve, &handle)]).await;
        answers.sort_by_key(|answer| answer.status);
        let [made, refused] = <[Answer; 2]>::try_from(answers).unwrap();
        refused.expect_problem(409, "name.taken");
        let seller = made.expect(201).id();
        shop.decide(&seller, "approve").await.expect(200);
        assert_eq!(page(&shop, &handle, None).await.expect(200).id(), seller);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_demote_each_other_one_stays() {
    let shop = TestShop::start().await;
    let (ada, bob) = (shop.person("ada@example.org").await, shop.person("bob@example.org").await);
    let seller = shop.seller(&ada, "kettles").await;
    shop.join(&seller, &ada, &bob, "owner").await;
    for _ in 0..4 {
        let both =
            join_all([set_role(&shop, &seller, &ada, &bob, "staff"), set_role(&shop, &seller, &bob, &ada, "staff")]);
        let mut answers = both.await;
        answers.sort_by_key(|answer| answer.status);
        let [done, refused] = <[Answer; 2]>::try_from(answers).unwrap();
        done.expect(204);
        refused.expect_problem(403, "seller.owners_only");
        let found = shop.commands.get::<Seller>(seller.parse().unwrap()).await.unwrap().unwrap();
        let is_owner = found.state.live().unwrap().require_owner(ada.id).is_ok();
        let (owner, other) = if is_owner { (&ada, &bob) } else { (&bob, &ada) };
        set_role(&shop, &seller, owner, other, "owner").await.expect(204);
    }
}
