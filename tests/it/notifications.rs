//! What people are told: in their language, once, in the ways that they want, over real sockets.

mod smtp;
mod watch;

use byteshop_commands::Intent;
use byteshop_commands::notify::outside::Outside;
use byteshop_commands::notify::words::ShopDetails;
use byteshop_commands::use_cases::accounts::code::Code;
use byteshop_commands::use_cases::accounts::{self, Newcomer};
use byteshop_domain::account::{Account, Channel, Command, Profile, Secret, Settings};
use byteshop_domain::ids::{AccountId, Id as _};
use byteshop_domain::process::notify::PLACED_GRACE;
use byteshop_domain::text::{Email, Hash, Phone};
use byteshop_domain::{Actor, Locale, Subject};
use byteshop_eventstore::{Clock, Log};
use byteshop_gateway::security::token::Role;
use byteshop_tests::past;
use byteshop_tests::patience::eventually;
use byteshop_tests::people::PASSWORD;
use byteshop_tests::servers::fresh_database;
use byteshop_tests::shop::{Answer, GuestCart, TestShop, address};
use serde_json::{Value, json};

/// Everything that is kept for an address, the oldest first, once there is so much.
async fn mails(shop: &TestShop, to: &str, count: usize) -> Vec<Value> {
    let path = format!("/dev/mail?to={to}");
    eventually(&format!("{count} mails to {to}"), || async {
        let mails = shop.get(&path).header("Accept", "application/json").send().await.expect(200);
        let mut mails = mails.body["items"].as_array().unwrap().clone();
        mails.reverse();
        (mails.len() >= count).then_some(mails)
    })
    .await
}

/// The mail to an address whose subject fits.
async fn mail(shop: &TestShop, to: &str, fits: impl Fn(&str) -> bool) -> Value {
    eventually(&format!("the mail to {to}"), || async {
        mails(shop, to, 0).await.into_iter().find(|mail| fits(mail["subject"].as_str().unwrap()))
    })
    .await
}

/// A guest's order whose mails go to an address.
async fn order_of(shop: &TestShop, variant: &str, email: &str, language: &str) -> (Answer, GuestCart) {
    let cart = shop.guest_cart().await;
    let line = format!("/v1/carts/{}/lines/{variant}", cart.id);
    shop.put(&line).with(&cart).json(json!({"quantity": 2})).send().await.expect(200);
    let address = json!({"country": "DE", "city": "Berlin", "email": email, "name": "Ada <b>Lovelace</b>",
        "lines": ["Invalidenstraße 43"]});
    let path = format!("/v1/carts/{}/address", cart.id);
    shop.put(&path).with(&cart).header("Accept-Language", language).json(address).send().await.expect(200);
    let placed = shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).send().await;
    (placed.expect(201), cart)
}

async fn pay(shop: &TestShop, placed: &Answer, cart: &GuestCart) {
    let path = format!("/v1/orders/{}/payments", placed.text("/id"));
    shop.post(&path).with(cart).json(json!({"provider": "test", "token": "tok_success"})).send().await.expect(201);
}

/// An account with these settings.
async fn account(shop: &TestShop, email: &str, locale: Locale, channels: &[Channel]) -> AccountId {
    let id = AccountId::from_uuid(Clock.new_id());
    let (subject, vault) = (Subject::from(id), shop.commands.vault());
    let name = shop.commands.email_name(&Email::new(email).unwrap()).await.unwrap();
    let email = vault.seal(subject, &Email::new(email).unwrap()).await.unwrap();
    let password = vault.seal(subject, &Secret("unused".into())).await.unwrap();
    let phone = Some(Phone::new("+49 30 123456").unwrap());
    let profile = vault.seal(subject, &Profile { name: None, phone }).await.unwrap();
    let settings = &Settings { channels: channels.iter().copied().collect(), ..Settings::new(locale) };
    let (profile, code) = (Some(profile), Code([0; 32]));
    let newcomer = &Newcomer { id, name, email, password, locale, profile, code };
    let register = intent("account.register");
    let made = shop.commands.run(&register, |unit| async move {
        accounts::register_confirmed(&unit, newcomer).await?;
        let mut account = unit.load::<Account>(id).await?;
        accounts::change_settings(&unit, &mut account, settings.clone())
    });
    made.await.unwrap();
    id
}

fn intent(command: &'static str) -> Intent {
    Intent::new(Actor::System { name: "test".into() }, command, Clock.new_id())
}

/// The list of staff, of one status.
async fn listed(shop: &TestShop, status: &str) -> Vec<Value> {
    let head = shop.log.head().await.unwrap().to_string();
    let path = format!("/v1/admin/notifications?status={status}");
    let staff = shop.token(Role::Support);
    let page = eventually("the view has everything", || async {
        let listed = shop.get(&path).by(&staff).after(&head).send().await;
        // Its lease may still be held by a shop that died.
        (listed.status != 503).then_some(listed)
    })
    .await;
    page.expect(200).body["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_hears_of_their_order_in_their_language() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("N-1", 61_750, 10).await;
    let (placed, cart) = order_of(&shop, &variant, "ada@example.org", "ru-RU, en;q=0.5").await;
    let first = mails(&shop, "ADA@example.org", 1).await;
    assert!(first[0]["subject"].as_str().unwrap().starts_with("Ваш заказ "), "{}", first[0]);
    pay(&shop, &placed, &cart).await;
    let both = mails(&shop, "ada@example.org", 2).await;
    assert!(both[1]["subject"].as_str().unwrap().ends_with("оплачен"), "{}", both[1]);
    let (html, text) = (both[1]["html"].as_str().unwrap(), both[1]["text"].as_str().unwrap());
    for body in [html, text] {
        assert!(body.contains("1\u{a0}235,00\u{a0}€"), "{body}");
        assert!(!body.contains("Lovelace"), "what people call themselves is not repeated to anybody: {body}");
    }
    let order = format!("/v1/orders/{}", placed.text("/id"));
    shop.post(&format!("{order}/fulfil")).by(&shop.token(Role::Support)).send().await.expect(200);
    mails(&shop, "ada@example.org", 3).await;
    let (_, _) = order_of(&shop, &variant, "bob@example.org", "de, en;q=0.5").await;
    let english = mails(&shop, "bob@example.org", 1).await;
    assert!(english[0]["text"].as_str().unwrap().contains("€1,235.00"), "{}", english[0]);
    // A mail is there before the log says that it was sent.
    let sent = eventually("all four are sent", async || {
        let sent = listed(&shop, "sent").await;
        (sent.len() == 4).then_some(sent)
    })
    .await;
    assert!(!json!(sent).to_string().contains("example.org"), "{sent:?}");
}

/// A mail leads to the papers of its order, where somebody said where this shop answers.
#[tokio::test(flavor = "multi_thread")]
async fn mails_of_payments_and_refunds_lead_to_their_papers() {
    const API: &str = "https://api.example.org";
    let database = fresh_database().await;
    let log = Log::open(&database).unwrap();
    let details = ShopDetails { name: "ByteShop".into(), api: Some(API.into()), ..ShopDetails::default() };
    let shop = TestShop::on(database).reaching(Outside { details, ..Outside::kept(&log) }).await;
    let (_, variant) = shop.product("N-8", 1_000, 10).await;
    let (placed, cart) = order_of(&shop, &variant, "vera@example.org", "ru").await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let redirected = json!({"provider": "test", "token": "tok_redirect"});
    let redirected = shop.post(&format!("{path}/payments")).with(&cart).json(redirected).send().await.expect(201);
    assert!(redirected.text("/action_url").starts_with(&format!("{API}/dev/pay/")), "{}", redirected.body);
    pay(&shop, &placed, &cart).await;
    // The paper behind the link of a mail, for whoever opens it.
    let paper = async |mail: &Value| {
        let text = mail["text"].as_str().unwrap();
        let at = text.find(&format!("{API}{path}")).unwrap_or_else(|| panic!("no link in {text}"));
        let link = text[at..].split_whitespace().next().unwrap();
        let query = link.split_once('?').unwrap().1.replace('&', "&amp;");
        assert!(mail["html"].as_str().unwrap().contains(&query), "{}", mail["html"]);
        let page = shop.get(link.strip_prefix(API).unwrap()).send().await.expect(200);
        page.body.as_str().unwrap().to_owned()
    };
    let paid = &mail(&shop, "vera@example.org", |subject| subject.ends_with("оплачен")).await;
    let number = shop.get(&path).with(&cart).send().await.expect(200).text("/invoice").to_owned();
    assert!(paid["text"].as_str().unwrap().contains(&format!("Счёт {number}: ")), "{paid}");
    assert!(paper(paid).await.contains(&number));
    let off = json!({"lines": [{"variant": variant, "quantity": 1}]});
    shop.post(&format!("{path}/cancel")).with(&cart).json(off).send().await.expect(200);
    let refunded = mail(&shop, "vera@example.org", |subject| subject.starts_with("Возврат")).await;
    assert!(paper(&refunded).await.contains("Кредит-нота"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_hears_what_is_called_off_and_what_does_not_arrive() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("N-5", 1_000, 10).await;
    let (placed, cart) = order_of(&shop, &variant, "ada@example.org", "en").await;
    let order = format!("/v1/orders/{}", placed.text("/id"));
    let off = json!({"lines": [{"variant": variant, "quantity": 1}]});
    shop.post(&format!("{order}/cancel")).with(&cart).json(off.clone()).send().await.expect(200);
    let number = placed.text("/number");
    // Two mails that are written at once arrive in either order.
    let both = mails(&shop, "ada@example.org", 2).await;
    let less = both.iter().find(|mail| mail["subject"] == format!("Part of order {number} is cancelled"));
    let text = less.unwrap_or_else(|| panic!("{both:?}"))["text"].as_str().unwrap();
    assert!(text.contains("as you requested") && text.contains("reduced by €10.00"), "{text}");
    assert!(text.contains("1 × Thing N-5: €10.00"), "{text}");

    let (placed, cart) = order_of(&shop, &variant, "boris@example.org", "ru").await;
    pay(&shop, &placed, &cart).await;
    mail(&shop, "boris@example.org", |subject| subject.ends_with("оплачен")).await;
    let order = format!("/v1/orders/{}", placed.text("/id"));
    shop.at_rest().await;
    shop.post(&format!("{order}/cancel")).by(&staff).json(off).send().await.expect(200);
    let back = mail(&shop, "boris@example.org", |subject| subject.starts_with("Часть заказа")).await;
    let text = back["text"].as_str().unwrap();
    assert!(text.contains("магазином") && text.contains("Мы вернём за неё 10,00\u{a0}€"), "{text}");

    let parcel = json!({"carrier": {"kind": "simulated", "story": "returned"}});
    let parcel = shop.post(&format!("{order}/shipments")).by(&staff).json(parcel).send().await.expect(201);
    let parcel = format!("/v1/shipments/{}", parcel.id());
    shop.post(&format!("{parcel}/hand-over")).by(&staff).send().await.expect(200);
    let sent = mail(&shop, "boris@example.org", |subject| subject.ends_with("в пути")).await;
    assert!(sent["text"].as_str().unwrap().contains("Перевозчик: учебный перевозчик"), "{sent}");
    let number = placed.text("/number");
    for subject in
        [format!("Заказ {number} не удалось вручить"), format!("Посылка из заказа {number} возвращается в магазин")]
    {
        mail(&shop, "boris@example.org", |told| told == subject).await;
    }
    // What happened is told to other programs by the events themselves.
    let events = shop.log.read_log(0, 1_000).await.unwrap();
    for (category, event_type) in
        [("order", "lines_cancelled"), ("shipment", "attempt_failed"), ("shipment", "returning_to_sender")]
    {
        assert!(events.iter().any(|event| event.category == category && event.event_type == event_type));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_hears_what_is_in_a_parcel_and_what_may_come_back() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("N-9", 500, 10).await;
    let (placed, cart) = order_of(&shop, &variant, "ada@example.org", "en").await;
    let order = format!("/v1/orders/{}", placed.text("/id"));
    pay(&shop, &placed, &cart).await;
    mail(&shop, "ada@example.org", |subject| subject.ends_with("is paid")).await;
    let one = || json!({"lines": [{"variant": variant, "quantity": 1}]});
    eventually("the stock has left", || async {
        let cancelled = shop.post(&format!("{order}/cancel")).by(&staff).json(one()).send().await;
        (cancelled.status == 200).then_some(())
    })
    .await;
    let told = async |subject: &str, shows: &[&str]| {
        let path = "/dev/mail?to=ada@example.org";
        let mail = eventually(subject, || async {
            let kept = shop.get(path).header("Accept", "application/json").send().await.expect(200);
            let mut items = kept.body["items"].as_array().unwrap().iter();
            items.find(|mail| mail["subject"].as_str().unwrap().contains(subject)).cloned()
        })
        .await;
        for body in [&mail["text"], &mail["html"]] {
            let body = body.as_str().unwrap();
            assert!(shows.iter().all(|shown| body.contains(shown)), "{shows:?} in {body}");
        }
    };
    let parcel = shop.post(&format!("{order}/shipments")).by(&staff).send().await.expect(201).id();
    let news = |path: String, body: Value| shop.post(&path).by(&staff).json(body).send();
    news(format!("/v1/shipments/{parcel}/hand-over"), json!({})).await.expect(200);
    told("on its way", &["In this parcel", "1 × "]).await;
    eventually("the parcel is there", || async {
        let there = shop.get(&order).by(&staff).send().await.expect(200);
        (there.body["stage"] == "completed").then_some(())
    })
    .await;
    let ask = || json!({"lines": [{"variant": variant, "quantity": 1}], "reason": "damaged"});
    let back = |body| shop.post(&format!("{order}/returns")).with(&cart).json(body).send();
    let refused = back(ask()).await.expect(201).id();
    news(format!("/v1/returns/{refused}/reject"), json!({"reason": "it is <worn>"})).await.expect(200);
    told("was declined", &["worn", "1 × "]).await;
    let granted = back(ask()).await.expect(201).id();
    news(format!("/v1/returns/{granted}/approve"), json!({})).await.expect(200);
    told("is approved", &["1 × "]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_leads_to_where_a_parcel_can_be_followed() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("N-10", 500, 10).await;
    let (placed, cart) = order_of(&shop, &variant, "ada@example.org", "en").await;
    pay(&shop, &placed, &cart).await;
    let order = format!("/v1/orders/{}", placed.text("/id"));
    let carrier = json!({"carrier": {"kind": "other", "name": "Royal Mail"}});
    let parcel = eventually("the order is paid", || async {
        let parcel = shop.post(&format!("{order}/shipments")).by(&staff).json(carrier.clone()).send().await;
        (parcel.status == 201).then(|| parcel.id())
    })
    .await;
    let path = format!("/v1/shipments/{parcel}/hand-over");
    let hand_over =
        |url: &str| shop.post(&path).by(&staff).json(json!({"tracking": "RM1", "tracking_url": url})).send();
    for wrong in ["javascript:alert(1)", "http://track.example.org/RM1"] {
        let refused = hand_over(wrong).await.expect_problem(422, "request.invalid");
        assert_eq!(refused.text("/errors/0/pointer"), "/tracking_url");
    }
    let url = "https://track.example.org/?parcel=RM1&lang=en";
    assert_eq!(hand_over(url).await.expect(200).text("/tracking_url"), url);
    let sent = mail(&shop, "ada@example.org", |subject| subject.ends_with("is on its way")).await;
    assert!(sent["text"].as_str().unwrap().contains(&format!("Track the parcel: {url}")), "{sent}");
    // The address of a guest's mails may be a stranger's.
    assert!(!sent.to_string().contains("Invalidenstraße"), "{sent}");
    let html = sent["html"].as_str().unwrap();
    assert!(html.contains("track.example.org") && html.contains(">RM1</a>"), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_paid_at_once_gets_one_mail() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("N-11", 500, 10).await;
    let (placed, cart) = order_of(&shop, &variant, "ada@example.org", "en").await;
    pay(&shop, &placed, &cart).await;
    mail(&shop, "ada@example.org", |subject| subject.ends_with("is paid")).await;
    // The timer is gone, or finds the order paid.
    eventually("no timer is left", || async {
        let left = sqlx::query_scalar::<_, i64>("select count(*) from log.timer where process = 'notify'");
        (left.fetch_one(shop.log.pool()).await.unwrap() == 0).then_some(())
    })
    .await;
    let all = mails(&shop, "ada@example.org", 1).await;
    let events = shop.log.read_log(0, 1_000).await.unwrap();
    let at =
        |wanted: &str| events.iter().find(|it| it.category == "order" && it.event_type == wanted).unwrap().recorded_at;
    // On a machine that is very busy the payment may not have come at once.
    let expected = if at("paid") - at("placed") < PLACED_GRACE { 1 } else { 2 };
    assert_eq!(all.len(), expected, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_knows_nobodys_address() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("N-2", 500, 10).await;
    order_of(&shop, &variant, "secret-address@example.org", "en").await;
    mails(&shop, "secret-address@example.org", 1).await;
    shop.at_rest().await;
    let events = shop.log.read_log(0, 1_000).await.unwrap();
    assert!(events.iter().any(|event| event.category == "notification" && event.event_type == "sent"));
    assert!(
        events.iter().all(|event| !event.data.contains("secret-address") && !event.meta.contains("secret-address"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_hear_in_the_ways_that_they_want() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("N-3", 500, 10).await;
    let everything = [Channel::Email, Channel::Sms, Channel::Push];
    let loud = account(&shop, "loud@example.org", Locale::Ru, &everything).await;
    let quiet = account(&shop, "quiet@example.org", Locale::En, &[]).await;
    for who in [loud, quiet] {
        let token = shop.token_of(Role::Customer, who);
        let made = shop.post("/v1/carts").by(&token).json(json!({"currency": "EUR"})).send().await.expect(201);
        let cart = format!("/v1/carts/{}", made.id());
        shop.put(&format!("{cart}/lines/{variant}")).by(&token).json(json!({"quantity": 1})).send().await.expect(200);
        shop.put(&format!("{cart}/address")).by(&token).json(address("FR")).send().await.expect(200);
        shop.post(&format!("{cart}/checkout")).by(&token).send().await.expect(201);
    }
    mails(&shop, "loud@example.org", 1).await;
    let sms = mails(&shop, "%2B49%2030%20123456", 1).await;
    assert_eq!((&sms[0]["channel"], &sms[0]["html"]), (&json!("sms"), &Value::Null));
    assert!(sms[0]["text"].as_str().unwrap().starts_with("Спасибо!"), "{}", sms[0]);
    let push = mails(&shop, &loud.to_string(), 1).await;
    assert_eq!(push[0]["channel"], "push");
    eventually("the quiet one is skipped", || async {
        let skipped = listed(&shop, "skipped").await;
        (skipped.len() == 1 && skipped[0]["skip_reason"] == "preference").then_some(())
    })
    .await;
    // What protects an account comes all the same.
    let code = &Code([7; 32]);
    let request = intent("account.request_reset");
    let asked = shop.commands.run(&request, |unit| async move {
        let mut account = unit.load::<Account>(quiet).await?;
        accounts::request_reset(&unit, &mut account, code).await
    });
    asked.await.unwrap();
    let reset = mails(&shop, "quiet@example.org", 1).await;
    assert!(reset[0]["text"].as_str().unwrap().contains(&code.of(quiet)), "{}", reset[0]);
    let token = shop.token_of(Role::Customer, loud);
    let rows = eventually("all three are sent", async || {
        let mine = shop.get("/v1/me/notifications").by(&token).send().await.expect(200);
        let rows = mine.body["items"].as_array().unwrap().clone();
        (rows.iter().filter(|row| row["status"] == "sent").count() == 3).then_some(rows)
    })
    .await;
    assert_eq!(rows.len(), 3, "{rows:?}");
    for row in &rows {
        assert!(row["subject"].as_str().unwrap().starts_with("Ваш заказ "), "{row}");
        assert!(row["queued_at"].is_string(), "{row}");
        // What went wrong and how often it was tried is for staff.
        assert!(["attempts", "reason", "error"].iter().all(|it| row.get(it).is_none()), "{row}");
    }
    let channels: Vec<_> = rows.iter().map(|row| row["channel"].as_str().unwrap()).collect();
    assert!(["email", "sms", "push"].iter().all(|channel| channels.contains(channel)), "{channels:?}");
    let others = shop.get("/v1/me/notifications").by(&shop.token(Role::Customer)).send().await.expect(200);
    assert_eq!(others.body["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_forgotten_hears_nothing_any_more() {
    let shop = TestShop::start().await;
    let id = account(&shop, "gone@example.org", Locale::En, &[Channel::Email]).await;
    let code = shop.commands.vault().seal(Subject::from(id), &Secret("c0de".into())).await.unwrap();
    shop.commands.vault().erase(Subject::from(id)).await.unwrap();
    // It was asked for a moment before.
    past::record::<Account>(&shop.log, id, &[Command::RequestReset { code, code_hash: Hash::new("00").unwrap() }])
        .await;
    eventually("it is skipped", || async {
        let skipped = listed(&shop, "skipped").await;
        (skipped.len() == 1 && skipped[0]["skip_reason"] == "erased").then_some(())
    })
    .await;
    assert_eq!(shop.log.kept(None, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_mail_is_shown_to_people_too() {
    let shop = TestShop::start().await;
    let empty = shop.get("/dev/mail").send().await.expect(200);
    assert!(empty.body.as_str().unwrap().contains("No messages yet"));
    let (_, variant) = shop.product("N-4", 500, 10).await;
    order_of(&shop, &variant, "ada@example.org", "en").await;
    let mail = mails(&shop, "ada@example.org", 1).await.remove(0);
    let path = format!("/dev/mail/{}", mail["id"].as_str().unwrap());
    let page = shop.get(&path).send().await.expect(200);
    let html = page.body.as_str().unwrap();
    assert!(html.contains("srcdoc=\"&lt;base target=&quot;_blank&quot;&gt;&lt;!doctype html&gt;"), "{html}");
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    let text = shop.get(&format!("{path}?show=text")).send().await.expect(200);
    assert!(text.body.as_str().unwrap().contains("<pre>"));
    for missing in ["/dev/mail/nothing", "/dev/mail/00000000-0000-0000-0000-000000000000"] {
        shop.get(missing).send().await.expect_problem(404, "request.not_found");
    }
    shop.get("/dev/mail?from=x").send().await.expect_problem(400, "request.invalid_query");
    shop.delete("/dev/mail").send().await.expect(204);
    assert_eq!(shop.log.kept(None, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_confirmed_and_reset_with_the_codes_of_its_mails() {
    let shop = TestShop::start().await;
    let code = |mail: &Value| {
        let text = mail["text"].as_str().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.iter().position(|line| line.ends_with("code:")).unwrap() + 1].to_owned()
    };
    shop.register("new@example.org").await.expect(202);
    let confirm = mails(&shop, "new@example.org", 1).await.remove(0);
    shop.post("/v1/auth/confirm").json(json!({"code": code(&confirm)})).send().await.expect(204);
    shop.log_in("new@example.org", PASSWORD).await.expect(200);
    shop.register("new@example.org").await.expect(202);
    let again = mails(&shop, "new@example.org", 2).await.remove(1);
    assert_eq!(again["subject"], "You already have an account");
    shop.post("/v1/auth/password/forgot").json(json!({"email": "new@example.org"})).send().await.expect(202);
    let reset = mails(&shop, "new@example.org", 3).await.remove(2);
    let body = json!({"code": code(&reset), "password": "another horse battery"});
    shop.post("/v1/auth/password/reset").json(body).send().await.expect(204);
    let changed = mails(&shop, "new@example.org", 4).await.remove(3);
    assert_eq!(changed["subject"], "Your password was changed");
    shop.log_in("new@example.org", "another horse battery").await.expect(200);
}
