//! What people see and do in a browser: the pages of development, the papers behind a mail's links, and the API reference.

use byteshop_commands::notify::outside::Outside;
use byteshop_commands::notify::words::ShopDetails;
use byteshop_tests::browser::{Page, Screen, browse};
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{GuestCart, TestShop};
use serde_json::json;

/// An order of a guest that waits for its payment.
struct Order {
    path: String,
    cart: GuestCart,
}

impl Order {
    async fn place(shop: &TestShop, variant: &str) -> Self {
        let (placed, cart) = shop.order(variant, 1).await;
        Self { path: format!("/v1/orders/{}", placed.text("/id")), cart }
    }

    /// Pays with this token; gives the page on which a person goes on, if there is one.
    async fn pay(&self, shop: &TestShop, token: &str) -> Option<String> {
        let payments = format!("{}/payments", self.path);
        let paying = json!({"provider": "test", "token": token});
        let answer = shop.post(&payments).with(&self.cart).json(paying).send().await.expect(201);
        answer.body["action_url"].as_str().map(str::to_owned)
    }

    async fn is(&self, shop: &TestShop, payment_status: &str) {
        eventually(&format!("the payment is {payment_status}"), async || {
            let order = shop.get(&self.path).with(&self.cart).send().await.expect(200);
            (order.text("/payment_status") == payment_status).then_some(())
        })
        .await;
    }
}

/// The pixels that are wider than the screen.
async fn overflow(page: &Page) -> i64 {
    page.evaluate("return document.documentElement.scrollWidth - window.innerWidth").await.as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_approves_declines_or_cancels_a_payment() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("BROWSER-1", 1999, 9).await;
    browse(Screen::Desktop, async |page| {
        for (button, said, status) in [
            ("Approve", "Payment complete", "paid"),
            ("Decline", "declined", "awaiting"),
            ("Cancel and return to the shop", "cancelled", "awaiting"),
        ] {
            let order = Order::place(&shop, &variant).await;
            let path = order.pay(&shop, "tok_redirect").await.unwrap();
            page.open(&format!("{}{path}", shop.url)).await;
            page.shows("h1", "19.99").await;
            page.click(button).await;
            page.shows(".state", said).await;
            order.is(&shop, status).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_opens_the_papers_of_an_order_from_its_mail() {
    let shop = TestShop::start().await;
    let details = ShopDetails { name: "ByteShop".into(), api: Some(shop.url.clone()), ..ShopDetails::default() };
    shop.commands.reach(Outside { details, ..Outside::kept(&shop.log) });
    let (_, variant) = shop.product("BROWSER-2", 1999, 9).await;
    browse(Screen::Desktop, async |page| {
        // The mailbox is open before there is any mail: it fills by itself.
        page.open(&format!("{}/dev/mail?to=rahel@example.org", shop.url)).await;
        page.shows("nav", "No messages to rahel@example.org").await;
        let order = Order::place(&shop, &variant).await;
        order.pay(&shop, "tok_success").await;
        page.click("is paid").await;
        page.shows("h1", "is paid").await;
        assert!(page.address().await.contains("to=rahel"), "the filter is lost: {}", page.address().await);
        page.click("Text").await;
        page.shows("pre", "Invoice").await;
        assert!(page.address().await.contains("to=rahel"), "the filter is lost: {}", page.address().await);
        page.click("HTML").await;
        page.find("iframe").await;
        page.enter_frame(0, "INV-").await;
        page.click("INV-").await;
        page.enter_window(2).await;
        page.shows("h1", "Invoice").await;
        page.shows("table", "BROWSER-2").await;
        // However long the provider's reference is, it is not broken where it would be copied wrongly.
        let lines = "const range = document.createRange(); range.selectNodeContents(document.querySelector('dd.reference')); \
                     return new Set([...range.getClientRects()].map(it => it.top)).size";
        assert_eq!(page.evaluate(lines).await, 1, "the lines of the reference");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_empties_the_development_mailbox() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("BROWSER-3", 1999, 9).await;
    Order::place(&shop, &variant).await;
    browse(Screen::Desktop, async |page| {
        page.open(&format!("{}/dev/mail", shop.url)).await;
        page.find("nav a").await;
        page.click("Empty mailbox").await;
        page.shows("nav", "No messages yet").await;
        assert_eq!(shop.log.kept(None, 10).await.unwrap(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_reads_the_api_reference() {
    let shop = TestShop::start().await;
    browse(Screen::Desktop, async |page| {
        page.open(&shop.url).await;
        page.shows("h1", "ByteShop").await;
        page.click("/docs").await;
        assert_eq!(page.title().await, "ByteShop API reference");
        page.find(".opblock-tag-section").await;
        let tags = page.count(".opblock-tag").await;
        assert!(tags > 10, "{tags} tags");
        assert_eq!(page.count(".opblock").await, 0, "operations are shown before anybody asked for them");
        page.find(".operation-filter-input").await.send_keys("payments").await.unwrap();
        eventually("one tag is left", async || (page.count(".opblock-tag").await == 1).then_some(())).await;
        page.find(".opblock-tag").await.click().await.unwrap();
        page.shows("#operations-payments-captureAuthorizedPayment", "Captures an authorized payment.").await;
        // All of it came from the shop: nothing was refused by the page's own policy.
        let errors = page.evaluate("return document.querySelectorAll('.errors-wrapper').length").await;
        assert_eq!(errors, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address_shows_a_person_a_page() {
    let shop = TestShop::start().await;
    browse(Screen::Desktop, async |page| {
        for path in ["/dev/nothing", "/dev/pay/pay_00000000000000000000000001", "/dev/mail/nothing", "/nothing"] {
            page.open(&format!("{}{path}", shop.url)).await;
            page.shows("h1", "Page not found").await;
        }
        page.click("Overview").await;
        page.shows("h1", "ByteShop").await;
    })
    .await;
    // Programs and the API itself keep to problems.
    shop.get("/dev/nothing").send().await.expect_problem(404, "request.not_found");
    let asked = shop.get("/v1/nothing").header("Accept", "text/html").send().await;
    asked.expect_problem(404, "request.not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_a_telephone() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("BROWSER-4", 1999, 9).await;
    let order = Order::place(&shop, &variant).await;
    let paying = order.pay(&shop, "tok_redirect").await.unwrap();
    let mail = eventually("a mail", async || shop.log.kept(None, 1).await.unwrap().pop()).await;
    browse(Screen::Phone, async |page| {
        let mails = [format!("/dev/mail/{}", mail.id), format!("/dev/mail/{}?show=text", mail.id)];
        for path in mails.iter().map(String::as_str).chain(["/", "/dev/mail", &paying, "/nothing"]) {
            page.open(&format!("{}{path}", shop.url)).await;
            page.find("body").await;
            assert_eq!(page.evaluate("return window.innerWidth").await, 390, "{path}");
            assert_eq!(overflow(&page).await, 0, "{path} is wider than the screen");
        }
    })
    .await;
}
