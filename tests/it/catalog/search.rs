//! Searching in both languages: forms of words, their beginnings, slips, and what ranks first.

use std::fmt::Write as _;

use byteshop_tests::shop::Answer;
use serde_json::{Value, json};

use super::categories::Staff;

struct Library {
    staff: Staff,
    at: String,
}

impl Library {
    async fn open(products: &[(&str, &str, Value)]) -> Self {
        let staff = Staff::start().await;
        let mut at = 0;
        for (index, (title, description, attributes)) in products.iter().enumerate() {
            let body = json!({"title": title, "description": description, "attributes": attributes});
            let path = format!("/v1/products/{}", staff.post("/v1/products", body).await.expect(201).id());
            let variant = json!({"sku": format!("BS-{index}00X"), "price": {"amount": 100 + index, "currency": "EUR"}});
            staff.post(&format!("{path}/variants"), variant).await.expect(201);
            at = staff.post(&format!("{path}/publish"), json!({})).await.expect(200).position();
        }
        Self { staff, at: at.to_string() }
    }

    async fn ask(&self, q: &str) -> Answer {
        let query = url_encoded(q);
        let path = format!("/v1/products?q={query}");
        self.staff.shop.get(&path).after(&self.at).send().await
    }

    async fn titles(&self, q: &str) -> Vec<String> {
        let found = self.ask(q).await.expect(200);
        let items = found.body["items"].as_array().unwrap();
        items.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
    }
}

pub fn url_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let _ = write!(encoded, "%{byte:02X}");
    }
    encoded
}

async fn library() -> Library {
    Library::open(&[
        ("Книга рецептов", "Пироги и хлеб для большой семьи", json!({})),
        ("Coffee grinder", "Grinds beans evenly", json!({"material": "Steel"})),
        ("Walnut bookshelf", "For books and boxes, runs along any wall", json!({"material": "Walnut wood"})),
        ("Ёлочный шар", "Стекло ручной работы, coffee-coloured", json!({"material": "Стекло"})),
        ("Running shoes", "Light", json!({})),
    ])
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_in_their_forms_in_both_languages() {
    let library = library().await;
    for (q, expected) in [
        ("книги", &["Книга рецептов"][..]),
        ("КНИГУ", &["Книга рецептов"]),
        ("пирогов", &["Книга рецептов"]),
        ("ёлочные шары", &["Ёлочный шар"]),
        ("елочный", &["Ёлочный шар"]),
        ("grinders", &["Coffee grinder"]),
        ("book", &["Walnut bookshelf"]),
        ("run", &["Running shoes", "Walnut bookshelf"]),
        // In an attribute, and in a code.
        ("steel", &["Coffee grinder"]),
        ("стекла", &["Ёлочный шар"]),
        ("bs-100x", &["Coffee grinder"]),
        // The title weighs more than the description.
        ("coffee", &["Coffee grinder", "Ёлочный шар"]),
        ("coffee -glass -grinder", &["Ёлочный шар"]),
        ("\"coffee grinder\"", &["Coffee grinder"]),
        ("shoes or grinder", &["Coffee grinder", "Running shoes"]),
    ] {
        assert_eq!(library.titles(q).await, expected, "{q}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beginnings_and_slips_are_found_too() {
    let library = library().await;
    for (q, expected) in [
        ("кни", "Книга рецептов"),
        ("книга рец", "Книга рецептов"),
        ("coffee gri", "Coffee grinder"),
        ("walnut bookshel", "Walnut bookshelf"),
        ("BS-10", "Coffee grinder"),
    ] {
        let found = library.ask(q).await.expect(200);
        assert_eq!((found.text("/items/0/title"), &found.body["corrected"]), (expected, &Value::Null), "{q}");
    }
    for (q, corrected, expected) in [
        ("кинга", "книга", "Книга рецептов"),
        ("книга рицептов", "книга рецептов", "Книга рецептов"),
        ("cofee grider", "coffee grinder", "Coffee grinder"),
        ("wallnut", "walnut", "Walnut bookshelf"),
    ] {
        let found = library.ask(q).await.expect(200);
        assert_eq!((found.text("/items/0/title"), found.text("/corrected")), (expected, corrected), "{q}");
    }
    let nothing = library.ask("xylophone").await.expect(200);
    assert_eq!((&nothing.body["items"], &nothing.body["total"]), (&json!([]), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_typed_is_answered() {
    let library = library().await;
    for q in [
        "",
        " ",
        "'",
        "\\",
        "a\0b",
        "':*",
        "!",
        "& | ! ( )",
        "\"",
        "\"\"",
        "-",
        "--",
        "-coffee",
        "or",
        "or or",
        ":*",
        "'\\'",
        "😀",
        "\u{202e}coffee",
        "%",
        "the",
        "и",
        "a'b\\c",
        "<->",
        "coffee or",
        "100%",
        "\u{301}",
        "ﬁ",
        "İ",
    ] {
        library.ask(q).await.expect(200);
    }
    library.ask(&"x".repeat(200)).await.expect(200);
    library.ask(&"word ".repeat(40)).await.expect(200);
    // More of them than Postgres keeps in mind.
    for hyphens in ["-".repeat(200), "- ".repeat(100), format!("{}coffee", "-".repeat(190))] {
        library.ask(&hyphens).await.expect(200);
    }
    library.ask(&"x".repeat(201)).await.expect_problem(400, "request.invalid_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_matches_follow_each_other() {
    let titles: Vec<String> = (0..7).map(|number| format!("Lamp {number}")).collect();
    let products: Vec<_> = titles.iter().map(|title| (title.as_str(), "", json!({}))).collect();
    let library = Library::open(&products).await;
    for sort in ["relevance", "newest", "price", "price_desc", "title"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/products?q=lamp&sort={sort}&limit=3{cursor}");
            let page = library.staff.shop.get(&path).after(&library.at).send().await.expect(200);
            assert_eq!(page.body["total"], 7);
            let items = page.body["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| item["title"].as_str().unwrap().to_owned()));
            match page.body["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let rising = ["price", "title"].contains(&sort);
        let expected: Vec<_> = if rising { titles.clone() } else { titles.iter().rev().cloned().collect() };
        assert_eq!(seen, expected, "{sort}");
    }
}
