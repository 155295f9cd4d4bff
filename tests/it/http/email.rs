//! Another e-mail address for an account: proven by a code, told to nobody whom it does not concern, and had by one alone.

use byteshop_domain::account::Event;
use byteshop_domain::ids::AccountId;
use byteshop_tests::patience::eventually;
use byteshop_tests::people::{PASSWORD, Person};
use byteshop_tests::secrets;
use byteshop_tests::shop::{Answer, TestShop};
use serde_json::{Value, json};

async fn request(shop: &TestShop, person: &Person, email: &str) -> Answer {
    shop.post("/v1/me/email").by(&person.token).json(json!({"email": email, "password": PASSWORD})).send().await
}

async fn confirm(shop: &TestShop, person: &Person, code: &str) -> Answer {
    shop.post("/v1/me/email/confirm").by(&person.token).json(json!({"code": code})).send().await
}

/// The mails to an address, once there are so many, the newest first.
async fn mails(shop: &TestShop, to: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{count} mails to {to}"), || async {
        let path = format!("/dev/mail?to={to}");
        let mails = shop.get(&path).header("Accept", "application/json").send().await.expect(200);
        let mails = mails.body["items"].as_array().unwrap().clone();
        (mails.len() >= count).then_some(mails)
    })
    .await
}

fn named(events: &[Event], wanted: fn(&Event) -> bool) -> usize {
    events.iter().filter(|event| wanted(event)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_changes_when_its_code_is_shown_and_other_sessions_end() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let phone = shop.log_in(&ada.email, PASSWORD).await.expect(200);
    let wrong = json!({"email": "ada@example.com", "password": "wrong password"});
    let wrong = shop.post("/v1/me/email").by(&ada.token).json(wrong).send().await;
    wrong.expect_problem(403, "auth.wrong_password");
    request(&shop, &ada, "ada@0-mail.com").await.expect_problem(422, "account.disposable_email");
    request(&shop, &ada, "ada").await.expect_problem(422, "request.invalid");

    let asked = request(&shop, &ada, "Ada@Example.com").await.expect(202);
    assert_eq!(asked.body, json!({"status": "accepted"}));
    request(&shop, &ada, "ada@example.net").await.expect_problem(409, "account.email_change_too_soon");
    let code = shop.new_email_code(ada.id).await.unwrap();
    let to_new = mails(&shop, "Ada@Example.com", 1).await;
    assert!(to_new[0]["text"].as_str().unwrap().contains(&code), "{}", to_new[0]);
    // The present address had the code that confirmed it, and now hears of this, but has no code.
    let to_old = mails(&shop, &ada.email, 2).await;
    assert_eq!(to_old[0]["subject"], "Request to change your e-mail address");
    assert!(!to_old[0]["text"].as_str().unwrap().contains(&code));

    // Nothing has changed before the code is shown, and nobody else can show it.
    shop.log_in("ada@example.com", PASSWORD).await.expect(401);
    let eve = shop.person("eve@example.org").await;
    confirm(&shop, &eve, &code).await.expect_problem(422, "account.invalid_code");
    for wrong in ["", "x", &code[4..]] {
        confirm(&shop, &ada, wrong).await.expect_problem(422, "account.invalid_code");
    }
    shop.post("/v1/auth/confirm").json(json!({"code": code})).send().await.expect_problem(422, "account.invalid_code");
    shop.post("/v1/auth/password/forgot").json(json!({"email": ada.email})).send().await.expect(202);
    let reset = shop.reset_code(&ada.email).await.unwrap();

    confirm(&shop, &ada, &code).await.expect(204);
    let me = shop.get("/v1/me").by(&ada.token).send().await.expect(200);
    assert_eq!((me.text("/email"), &me.body["confirmed"]), ("Ada@Example.com", &json!(true)));
    shop.get("/v1/me").by(phone.text("/access_token")).send().await.expect_problem(401, "session.ended");
    shop.refresh(phone.text("/refresh_token")).await.expect_problem(401, "session.ended");
    shop.refresh(&ada.refresh).await.expect(200);
    shop.log_in("ada@example.org", PASSWORD).await.expect_problem(401, "auth.wrong_credentials");
    shop.log_in("ada@example.com", PASSWORD).await.expect(200);
    confirm(&shop, &ada, &code).await.expect_problem(422, "account.invalid_code");
    let reset = json!({"code": reset, "password": "a new horse for the battery"});
    shop.post("/v1/auth/password/reset").json(reset).send().await.expect_problem(422, "account.invalid_code");
    // The former address is free, and the trail says what happened without saying the addresses.
    shop.person("ada@example.org").await;
    let events = shop.events_of(ada.id).await;
    assert_eq!(named(&events, |event| matches!(event, Event::EmailChangeRequested { .. })), 1);
    assert_eq!(named(&events, |event| matches!(event, Event::EmailChanged { .. })), 1);
    secrets::nowhere(&shop, &["Ada@Example.com", "ada@example.com", &code, PASSWORD]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_an_address_is_taken_is_seen_by_nobody_but_who_reads_its_mail() {
    let shop = TestShop::start().await;
    let (ada, berta, eve) = (
        shop.person("ada@example.org").await,
        shop.person("berta@example.org").await,
        shop.person("eve@example.org").await,
    );
    let taken = request(&shop, &eve, &ada.email).await.expect(202);
    let free = request(&shop, &berta, "free@example.org").await.expect(202);
    let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((&taken.body, names(&taken)), (&free.body, names(&free)));
    mails(&shop, &ada.email, 2).await;
    mails(&shop, "free@example.org", 1).await;
    shop.at_rest().await;
    // What their own trail and their own list of mails show is the same.
    let told = async |person: &Person| {
        let position = shop.log.head().await.unwrap().to_string();
        let mine = shop.get("/v1/me/notifications").by(&person.token).after(&position);
        let mine = mine.send().await.expect(200);
        let rows = mine.body["items"].as_array().unwrap().clone();
        let mut rows: Vec<_> = rows.iter().map(|row| format!("{} {}", row["template"], row["status"])).collect();
        rows.sort();
        rows
    };
    assert_eq!(told(&eve).await, told(&berta).await);
    let trail = async |id: AccountId| {
        let discriminants = shop.events_of(id).await;
        discriminants.iter().map(std::mem::discriminant).collect::<Vec<_>>()
    };
    assert_eq!(trail(eve.id).await, trail(berta.id).await);
    // Only with the code from the mail, which its owner has, is there an answer.
    let code = shop.new_email_code(eve.id).await.unwrap();
    confirm(&shop, &eve, &code).await.expect_problem(409, "account.email_taken");
    assert_eq!(shop.get("/v1/me").by(&eve.token).send().await.expect(200).text("/email"), "eve@example.org");
    shop.log_in(&ada.email, PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_an_address_at_once_one_gets_it() {
    let shop = TestShop::start().await;
    let mut people = Vec::new();
    for number in 0..6 {
        let person = shop.person(&format!("p{number}@example.org")).await;
        request(&shop, &person, "wanted@example.org").await.expect(202);
        let code = shop.new_email_code(person.id).await.unwrap();
        people.push((person, code));
    }
    let (shop, register) = (&shop, shop.register("wanted@example.org"));
    let all = people.iter().map(|(person, code)| confirm(shop, person, code));
    let (answers, _) = tokio::join!(futures_util::future::join_all(all), register);
    let winners: Vec<&Person> =
        people.iter().zip(&answers).filter(|(_, answer)| answer.status == 204).map(|((person, _), _)| person).collect();
    assert!(answers.iter().all(|answer| [204, 409].contains(&answer.status)), "{answers:?}");
    assert!(winners.len() <= 1, "{answers:?}");
    let holder = shop.account_of("wanted@example.org").await.expect("somebody has it");
    assert!(winners.first().is_none_or(|winner| winner.id == holder));
    // Everybody else still has their own.
    for (person, _) in people.iter().filter(|(person, _)| person.id != holder) {
        assert_eq!(shop.account_of(&person.email).await, Some(person.id));
    }
}
