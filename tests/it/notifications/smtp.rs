//! Mail over SMTP against a server that fails in every way: never lost without a word, never twice by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use byteshop_commands::notify::outside::Outside;
use byteshop_commands::ports::http_message::HttpCarrier;
use byteshop_commands::ports::message::{Carrier, Message, Taken, Undelivered};
use byteshop_commands::ports::smtp::{Smtp, SmtpSettings, Tls};
use byteshop_domain::Subject;
use byteshop_eventstore::{Clock, Log};
use byteshop_gateway::security::token::Role;
use byteshop_tests::authority::Authority;
use byteshop_tests::patience::eventually;
use byteshop_tests::receiver::Receiver;
use byteshop_tests::servers::fresh_database;
use byteshop_tests::shop::TestShop;
use byteshop_tests::smtp::{Guard, SmtpSink, Turn};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use super::{listed, order_of, pay};

fn settings(port: u16, tls: Tls) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".into(),
        port,
        tls,
        authorities: None,
        login: None,
        from: "ByteShop <shop@example.org>".into(),
        reply_to: Some("help@example.org".into()),
    }
}

fn smtp(sink: &SmtpSink) -> Smtp {
    Smtp::new(settings(sink.port, Tls::None)).unwrap()
}

/// A shop whose mail goes to a server of the test's.
async fn shop_with(sink: &SmtpSink) -> TestShop {
    let database = fresh_database().await;
    let kept = Outside::kept(&Log::open(&database).unwrap());
    TestShop::on(database).reaching(Outside { mail: Box::new(smtp(sink)), ..kept }).await
}

fn message(subject: &str) -> Message {
    Message {
        id: Uuid::from_u128(7),
        to: "ada@example.org".into(),
        person: Subject(Uuid::from_u128(8)),
        subject: subject.into(),
        text: "A line.\n.\nAnother.\n".into(),
        html: Some("<p>A line</p>".into()),
        at: Clock.now(),
        unsubscribe: None,
    }
}

/// The one notification of this state, once it is there.
async fn one(shop: &TestShop, state: &str) -> Value {
    eventually(&format!("one is {state}"), || async {
        let mut found = listed(shop, state).await;
        (found.len() == 1).then(|| found.remove(0))
    })
    .await
}

/// Lets every timer be due.
async fn pass_time(shop: &TestShop) {
    let log = &shop.log;
    eventually("a timer is set", || async {
        let moved = sqlx::query("update log.timer set due_at = now() where process = 'send_notifications'")
            .execute(log.pool())
            .await
            .unwrap();
        (moved.rows_affected() > 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_arrives_with_its_headers() {
    let sink = SmtpSink::start(&[]).await;
    let shop = shop_with(&sink).await;
    let (_, variant) = shop.product("S-1", 500, 10).await;
    order_of(&shop, &variant, "ada@example.org", "en").await;
    let sent = one(&shop, "sent").await;
    let taken = sink.taken();
    assert_eq!(taken.len(), 1);
    let mail = &taken[0];
    assert!(mail.from.contains("<shop@example.org>") && mail.to.contains("<ada@example.org>"), "{mail:?}");
    let header = |name| mail.header(name).unwrap_or_else(|| panic!("no {name} in {}", mail.data));
    assert_eq!(header("From"), "ByteShop <shop@example.org>");
    assert_eq!(header("Reply-To"), "help@example.org");
    assert_eq!(header("To"), "ada@example.org");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert!(header("Subject").starts_with("Your order "));
    let (_, id) = byteshop_domain::ids::parse(sent["id"].as_str().unwrap()).unwrap();
    assert_eq!(header("Message-ID"), format!("<{}@example.org>", id.simple()));
    assert!(mail.data.contains("multipart/alternative") && mail.data.contains("text/plain"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_reaches_a_domain_beyond_ascii_at_a_server_without_smtputf8() {
    let sink = SmtpSink::start(&[]).await;
    let mail = Message { to: "Ada@bücher.example".into(), ..message("Hello") };
    let from = "Bücher <shop@bücher.example>".to_owned();
    let of_bookshop = Smtp::new(SmtpSettings { from, ..settings(sink.port, Tls::None) }).unwrap();
    of_bookshop.send(&mail).await.unwrap();
    let taken = sink.taken();
    assert!(taken[0].to.contains("<Ada@xn--bcher-kva.example>"), "{:?}", taken[0]);
    assert!(taken[0].from.contains("<shop@xn--bcher-kva.example>"), "{:?}", taken[0]);
    assert_eq!(taken[0].header("To").as_deref(), Some("Ada@xn--bcher-kva.example"));
    assert!(taken[0].data.is_ascii(), "{}", taken[0].data);
    // Only the part before the @ has no other form.
    let mail = Message { to: "rené@example.org".into(), ..mail };
    let Err(Undelivered::Refused(reason)) = of_bookshop.send(&mail).await else { panic!("it was taken") };
    assert!(reason.contains("SMTPUTF8") && !reason.contains("example"), "{reason}");
    assert_eq!(sink.taken().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_now_is_tried_again_and_arrives_once() {
    for turn in [Turn::RefuseRecipient("451 4.7.1 later"), Turn::RefuseMessage("452 full"), Turn::Drop] {
        let sink = SmtpSink::start(&[turn]).await;
        let shop = shop_with(&sink).await;
        let (_, variant) = shop.product("S-2", 500, 10).await;
        order_of(&shop, &variant, "ada@example.org", "en").await;
        let failed = one(&shop, "failed").await;
        assert!(failed["retry_at"].is_string() && !failed.to_string().contains("ada@"), "{failed}");
        assert_eq!(sink.taken(), [], "{turn:?}");
        pass_time(&shop).await;
        assert_eq!(one(&shop, "sent").await["attempts"], 2, "{turn:?}");
        assert_eq!(sink.taken().len(), 1, "{turn:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_good_dies_until_somebody_sends_it_again() {
    let sink = SmtpSink::start(&[Turn::RefuseRecipient("550 5.1.1 <ada@example.org> is nobody here")]).await;
    let shop = shop_with(&sink).await;
    let (_, variant) = shop.product("S-3", 500, 10).await;
    order_of(&shop, &variant, "ada@example.org", "en").await;
    let dead = one(&shop, "dead").await;
    assert_eq!((&dead["reason"], &dead["error"]), (&"refused".into(), &"the envelope: SMTP 550".into()));
    let path = format!("/v1/admin/notifications/{}/resend", dead["id"].as_str().unwrap());
    shop.post(&path).by(&shop.token(Role::Customer)).send().await.expect_problem(403, "auth.forbidden");
    let support = shop.token(Role::Support);
    shop.post(&path).by(&support).send().await.expect(200);
    one(&shop, "sent").await;
    assert_eq!(sink.taken().len(), 1);
    shop.post(&path).by(&support).send().await.expect_problem(409, "notification.not_dead");
    let nobody = "/v1/admin/notifications/ntf_00000000000000000000000001/resend";
    shop.post(nobody).by(&support).send().await.expect_problem(404, "notification.missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_is_never_sent_again_by_itself() {
    for turn in [Turn::TakeAndDrop, Turn::TakeAndHang] {
        let sink = SmtpSink::start(&[turn]).await;
        let shop = shop_with(&sink).await;
        let (_, variant) = shop.product("S-4", 500, 10).await;
        order_of(&shop, &variant, "ada@example.org", "en").await;
        assert_eq!(one(&shop, "dead").await["reason"], "outcome_unknown", "{turn:?}");
        assert_eq!(sink.taken().len(), 1, "{turn:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_asked_again() {
    let sink = SmtpSink::start(&[Turn::Hang]).await;
    let sent = smtp(&sink).send(&message("Hello")).await;
    assert_eq!(sent, Err(Undelivered::NotNow("the server was not ready in time".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_to_a_server_that_is_not_there_waits() {
    let port = SmtpSink::start(&[]).await.port;
    let gone = Smtp::new(settings(port, Tls::None)).unwrap();
    assert_eq!(gone.send(&message("Hello")).await, Err(Undelivered::NotNow("connecting: no connection".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_used_again_and_replaced_when_it_is_lost() {
    let sink = SmtpSink::start(&[Turn::Take, Turn::Take, Turn::Drop]).await;
    let smtp = smtp(&sink);
    for _ in 0..2 {
        smtp.send(&message("Hello")).await.unwrap();
    }
    assert_eq!(sink.connections(), 1);
    // The third is lost before anything was sent, so a fresh connection takes it.
    smtp.send(&message("Hello")).await.unwrap();
    assert_eq!((sink.connections(), sink.taken().len()), (2, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_in_the_clear_where_tls_is_wanted() {
    let sink = SmtpSink::start(&[]).await;
    let login = Some(("shop".to_owned(), "password".to_owned()));
    let smtp = Smtp::new(SmtpSettings { login, ..settings(sink.port, Tls::StartTls) }).unwrap();
    assert!(matches!(smtp.send(&message("Hello")).await, Err(Undelivered::NotNow(_))));
    assert_eq!((sink.taken(), sink.login()), (vec![], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_logs_in_where_it_must() {
    let sink = SmtpSink::start(&[]).await;
    let login = Some(("shop".to_owned(), "password".to_owned()));
    let smtp = Smtp::new(SmtpSettings { login, ..settings(sink.port, Tls::None) }).unwrap();
    smtp.send(&message("Hello")).await.unwrap();
    // base64 of \0shop\0password (RFC 4616)
    assert_eq!(sink.login().as_deref(), Some("AHNob3AAcGFzc3dvcmQ="));
}

const LOGIN: (&str, &str) = ("shop", "s3cret");

/// How a shop reaches a server that protects itself, whom this authority vouches for.
fn trusting(port: u16, tls: Tls, authority: &Authority) -> SmtpSettings {
    let login = Some((LOGIN.0.to_owned(), LOGIN.1.to_owned()));
    SmtpSettings { host: "localhost".into(), authorities: Some(authority.pem()), login, ..settings(port, tls) }
}

/// Both ways to protect a connection, with what the server shows.
fn guards(config: &Arc<rustls::ServerConfig>) -> [(Tls, Guard); 2] {
    let (config, login) = (|| Some(Arc::clone(config)), Some(LOGIN));
    [
        (Tls::Implicit, Guard { implicit: config(), login, ..Guard::default() }),
        (Tls::StartTls, Guard { starttls: config(), login, ..Guard::default() }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_over_tls_to_a_server_that_somebody_trusted_vouches_for() {
    let authority = Authority::new();
    for (tls, guard) in guards(&authority.server("localhost")) {
        let sink = SmtpSink::guarded(&[], guard).await;
        let smtp = Smtp::new(trusting(sink.port, tls, &authority)).unwrap();
        for _ in 0..2 {
            smtp.send(&message("Hello")).await.unwrap();
        }
        assert_eq!((sink.taken().len(), sink.connections()), (2, 1), "{tls:?}");
        let clear: &[&str] = if tls == Tls::StartTls { &["EHLO", "STAR"] } else { &[] };
        assert_eq!(sink.in_the_clear(), clear, "{tls:?}: a name, a password or a mail went in the clear");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_to_a_server_that_nobody_vouches_for() {
    let (ours, other) = (Authority::new(), Authority::new());
    let wrong = [
        ("another authority", other.server("localhost")),
        ("another name", ours.server("mail.example.org")),
        ("a certificate that has run out", ours.expired("localhost")),
    ];
    for (what, config) in wrong {
        for (tls, guard) in guards(&config) {
            let sink = SmtpSink::guarded(&[], guard).await;
            let smtp = Smtp::new(trusting(sink.port, tls, &ours)).unwrap();
            let sent = smtp.send(&message("Hello")).await;
            assert_eq!(sent, Err(Undelivered::NotNow("connecting: TLS failed".into())), "{what}, {tls:?}");
            assert_eq!((sink.taken(), sink.login()), (vec![], None), "{what}, {tls:?}");
        }
    }
    // Whom the machine trusts does not include somebody who made a certificate in a test.
    let sink = SmtpSink::guarded(&[], guards(&ours.server("localhost"))[0].1.clone()).await;
    let of_machine = SmtpSettings { authorities: None, ..trusting(sink.port, Tls::Implicit, &ours) };
    let sent = Smtp::new(of_machine).unwrap().send(&message("Hello")).await;
    assert_eq!(sent, Err(Undelivered::NotNow("connecting: TLS failed".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_none_is_refused_when_the_shop_starts() {
    for pem in ["", "nothing", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"] {
        let settings = SmtpSettings { authorities: Some(pem.into()), ..settings(25, Tls::Implicit) };
        assert!(Smtp::new(settings).is_err(), "{pem:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_and_loses_no_mail() {
    let authority = Authority::new();
    let [_, (tls, guard)] = guards(&authority.server("localhost"));
    let sink = SmtpSink::guarded(&[], Guard { login: Some(("shop", "another")), ..guard }).await;
    let smtp = Smtp::new(trusting(sink.port, tls, &authority)).unwrap();
    let database = fresh_database().await;
    let kept = Outside::kept(&Log::open(&database).unwrap());
    let shop = TestShop::on(database).reaching(Outside { mail: Box::new(smtp), ..kept }).await;
    let (_, variant) = shop.product("S-7", 500, 10).await;
    order_of(&shop, &variant, "ada@example.org", "en").await;
    let failed = one(&shop, "failed").await;
    assert_eq!(failed["error"], "the login: SMTP 535", "{failed}");
    assert!(failed["retry_at"].is_string() && !failed.to_string().contains(LOGIN.1), "{failed}");
    // Somebody mends it, and the mail goes out by itself.
    sink.admit(LOGIN.0, LOGIN.1);
    pass_time(&shop).await;
    assert_eq!(one(&shop, "sent").await["attempts"], 2);
    assert_eq!(sink.taken().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_or_an_address_adds_no_header_and_no_recipient() {
    let sink = SmtpSink::start(&[]).await;
    let smtp = smtp(&sink);
    for subject in [
        "Hi\r\nBcc: eve@example.org",
        "Hi\nBcc: eve@example.org\n\nbody",
        "Hi\rBcc: eve@example.org",
        "Привет\r\nBcc: eve@example.org",
    ] {
        smtp.send(&message(subject)).await.unwrap();
    }
    for mail in sink.taken() {
        assert_eq!(mail.header("Bcc"), None, "{}", mail.data);
        assert!(
            mail.to.contains("<ada@example.org>") && !mail.data.contains("\nBcc:") && !mail.data.contains("\rBcc:")
        );
        assert!(mail.data.contains("A line"), "a line with a single dot does not end it: {}", mail.data);
    }
    for to in
        ["a@example.org>\r\nRCPT TO:<eve@example.org", "a@example.org, eve@example.org", "a@example.org\nDATA", ""]
    {
        let sent = smtp.send(&Message { to: to.into(), ..message("Hello") }).await;
        assert!(matches!(sent, Err(Undelivered::Refused(_))), "{to:?}: {sent:?}");
    }
    assert_eq!(sink.taken().len(), 4);
}

/// A carrier that takes a message and never says so: a program that is killed in between looks like this.
struct Abyss(Arc<AtomicUsize>);

impl Carrier for Abyss {
    fn send<'a>(&'a self, _message: &'a Message) -> BoxFuture<'a, Result<Taken, Undelivered>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::future::pending().boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_whose_maker_died_is_not_made_again() {
    let (database, handed_over) = (fresh_database().await, Arc::new(AtomicUsize::new(0)));
    let kept = || Outside::kept(&Log::open(&database).unwrap());
    let abyss = Outside { mail: Box::new(Abyss(Arc::clone(&handed_over))), ..kept() };
    let shop = TestShop::on(database.clone()).reaching(abyss).await;
    let (_, variant) = shop.product("S-5", 500, 10).await;
    order_of(&shop, &variant, "ada@example.org", "en").await;
    one(&shop, "attempted").await;
    drop(shop);
    let shop = TestShop::on(database.clone()).reaching(kept()).await;
    pass_time(&shop).await;
    assert_eq!(one(&shop, "dead").await["reason"], "outcome_unknown");
    assert_eq!(handed_over.load(Ordering::SeqCst), 1);
    assert_eq!(shop.log.kept(None, 10).await.unwrap(), []);
    // Somebody decides that it may arrive twice.
    let dead = one(&shop, "dead").await;
    let path = format!("/v1/admin/notifications/{}/resend", dead["id"].as_str().unwrap());
    shop.post(&path).by(&shop.token(Role::Admin)).send().await.expect(200);
    one(&shop, "sent").await;
    assert_eq!(shop.log.kept(None, 10).await.unwrap().len(), 1);
}

/// A carrier that has one turn, and keeps it until it is told to go on.
struct Desk {
    turns: Semaphore,
    handed_over: Arc<AtomicUsize>,
    go_on: Arc<Notify>,
}

impl Carrier for Desk {
    fn send<'a>(&'a self, _message: &'a Message) -> BoxFuture<'a, Result<Taken, Undelivered>> {
        self.handed_over.fetch_add(1, Ordering::SeqCst);
        async {
            self.go_on.notified().await;
            Ok("1".into())
        }
        .boxed()
    }

    fn turns(&self) -> Option<&Semaphore> {
        Some(&self.turns)
    }
}

/// A shop with two mails for one turn, the first of which is under way.
async fn with_a_mail_under_way() -> (TestShop, Arc<Notify>) {
    let (database, handed_over, go_on) =
        (fresh_database().await, Arc::<AtomicUsize>::default(), Arc::<Notify>::default());
    let kept = Outside::kept(&Log::open(&database).unwrap());
    let desk = Desk { turns: Semaphore::new(1), handed_over: Arc::clone(&handed_over), go_on: Arc::clone(&go_on) };
    let shop = TestShop::on(database).reaching(Outside { mail: Box::new(desk), ..kept }).await;
    let (_, variant) = shop.product("S-6", 500, 10).await;
    for _ in 0..2 {
        order_of(&shop, &variant, "ada@example.org", "en").await;
    }
    let begun = async || (handed_over.load(Ordering::SeqCst) == 1).then_some(());
    eventually("a mail is under way", begun).await;
    (shop, go_on)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_turn_is_not_lost_with_the_program() {
    let (shop, _) = with_a_mail_under_way().await;
    let database = shop.database.clone();
    one(&shop, "attempted").await;
    drop(shop);
    let kept = Outside::kept(&Log::open(&database).unwrap());
    let shop = TestShop::on(database).reaching(kept).await;
    one(&shop, "sent").await;
    pass_time(&shop).await;
    assert_eq!(one(&shop, "dead").await["reason"], "outcome_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_waits_for_the_mail_that_is_under_way_and_begins_no_other() {
    let (shop, go_on) = with_a_mail_under_way().await;
    let database = shop.database.clone();
    tokio::join!(shop.stop(), async { go_on.notify_one() });
    let kept = Outside::kept(&Log::open(&database).unwrap());
    let shop = TestShop::on(database).reaching(kept).await;
    eventually("both are sent", async || (listed(&shop, "sent").await.len() == 2).then_some(())).await;
    assert_eq!(shop.log.kept(None, 10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_told_again_send_nothing_again() {
    let sink = SmtpSink::start(&[Turn::RefuseRecipient("550 no")]).await;
    let database = fresh_database().await;
    let outside = || Outside { mail: Box::new(smtp(&sink)), ..Outside::kept(&Log::open(&database).unwrap()) };
    let shop = TestShop::on(database.clone()).reaching(outside()).await;
    let (_, variant) = shop.product("S-6", 500, 10).await;
    for name in ["a@example.org", "b@example.org", "c@example.org"] {
        let (placed, cart) = order_of(&shop, &variant, name, "en").await;
        pay(&shop, &placed, &cart).await;
    }
    eventually("one dies, and the others that it was paid arrive", || async {
        let (sent, dead) = (listed(&shop, "sent").await.len(), listed(&shop, "dead").await.len());
        (sent >= 2 && dead == 1).then_some(())
    })
    .await;
    let (head, taken) = (shop.at_rest().await, sink.taken().len());
    drop(shop);
    let log = Log::open(&database).unwrap();
    // As in the repair of a shop whose processes have read another history.
    sqlx::query("update log.process set leaf = sha256('other')").execute(log.pool()).await.unwrap();
    let processes = log.processes().await.unwrap();
    assert!(!processes.is_empty() && processes.iter().all(|process| !process.same_history));
    for process in processes {
        eventually("its leader has left", || async { log.restart_process(&process.name).await.unwrap().then_some(()) })
            .await;
    }
    let shop = TestShop::on(database.clone()).reaching(outside()).await;
    shop.at_rest().await;
    assert_eq!((sink.taken().len(), shop.log.head().await.unwrap()), (taken, head));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_over_http_says_what_was_taken() {
    let receiver = Receiver::start(&[200, 503, 429, 401, 400]).await;
    let carrier = HttpCarrier::new(&receiver.url, "s3cret").unwrap();
    let sms = Message { to: "+4930123456".into(), html: None, ..message("Hello") };
    assert_eq!(carrier.send(&sms).await, Ok("taken-1".into()));
    for not_now in ["HTTP 503", "HTTP 429", "HTTP 401"] {
        assert_eq!(carrier.send(&sms).await, Err(Undelivered::NotNow(not_now.into())));
    }
    assert_eq!(carrier.send(&sms).await, Err(Undelivered::Refused("HTTP 400".into())));
    let first = receiver.posted().remove(0);
    assert_eq!(first.header("authorization"), "Bearer s3cret");
    assert_eq!(first.header("idempotency-key"), Uuid::from_u128(7).to_string());
    assert_eq!((first.json()["to"].as_str(), first.json()["title"].as_str()), (Some("+4930123456"), Some("Hello")));
    let gone = SmtpSink::start(&[]).await.port;
    let nobody = HttpCarrier::new(&format!("http://127.0.0.1:{gone}/"), "s3cret").unwrap();
    assert_eq!(nobody.send(&sms).await, Err(Undelivered::NotNow("no connection".into())));
}
