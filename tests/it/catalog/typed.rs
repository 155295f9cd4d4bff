//! What people type into a search: names as they stand, in any spelling, with typos, letter by letter, and codes.

use byteshop_tests::shop::Answer;
use serde_json::{Value, json};

use super::categories::Staff;
use super::search::url_encoded;

/// Titles with what stands on real ones: lone hyphens, inches, ampersands, accents, slashes, names of stop words.
const TITLES: [&str; 24] = [
    "Motorola - Moto X 4G LTE Cell Phone - Black (Verizon)",
    "Motorola - Moto X 4G LTE Cell Phone - White (AT&T)",
    "Motorola - Moto G Cell Phone - Black",
    "Samsung - Galaxy S 4 mini with 16GB - White Frost",
    "Samsung - Galaxy S 4 with 16GB - White Frost",
    "Apple - iPhone 6s 64GB - Space Gray (AT&T)",
    "Apple - iPhone 6s 64GB - Rose Gold",
    "AT&T - GoPhone Pantech Breeze III",
    "OtterBox - Defender Series Case for Apple® iPhone® 6s - Black",
    "Insignia™ - 27\" Class LED HDTV - Black/White",
    "Rocketfish - 6' Hi-Speed HDMI Cable - Black",
    "Beats by Dr. Dre - Solo2 On-Ear Headphones - Red",
    "The Who - Who's Next",
    "Café crème, 250 g",
    "Cafe chair",
    "Größenverstellbarer Hocker",
    "L'Oréal - Crème de Jour",
    "Ёлочный шар - красный",
    "Чайник электрический - 1.7 л",
    "Книга рецептов: пироги и хлеб",
    "USB-C to USB-A cable, 2 m",
    "T-Shirt - Basic",
    "Coffee grinder",
    "Damascus bread knife",
];

struct Shelf {
    staff: Staff,
    at: String,
}

impl Shelf {
    async fn of(products: &[(&str, Value, &str)]) -> Self {
        let staff = Staff::start().await;
        let mut at = 0;
        for (title, more, sku) in products {
            let mut body = json!({"title": title});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let path = format!("/v1/products/{}", staff.post("/v1/products", body).await.expect(201).id());
            let variant = json!({"sku": sku, "price": {"amount": 1_000, "currency": "EUR"}});
            staff.post(&format!("{path}/variants"), variant).await.expect(201);
            at = staff.post(&format!("{path}/publish"), json!({})).await.expect(200).position();
        }
        Self { staff, at: at.to_string() }
    }

    /// With the titles of real products.
    async fn real() -> Self {
        let skus: Vec<String> = (0..TITLES.len()).map(|number| format!("BB-{number:03}-X{number}")).collect();
        let products = TITLES.iter().zip(&skus).map(|(title, sku)| (*title, json!({}), sku.as_str()));
        Self::of(&products.collect::<Vec<_>>()).await
    }

    async fn ask(&self, q: &str) -> Answer {
        let path = format!("/v1/products?q={}", url_encoded(q));
        self.staff.shop.get(&path).after(&self.at).send().await.expect(200)
    }

    async fn titles(&self, q: &str) -> Vec<String> {
        let found = self.ask(q).await;
        found.body["items"].as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap().to_owned()).collect()
    }

    async fn first(&self, q: &str) -> String {
        self.titles(q).await.into_iter().next().unwrap_or_default()
    }
}

/// A title with the second and third letters of its longest word swapped, if that word is long enough to be corrected.
fn with_swapped_letters(title: &str) -> Option<String> {
    let words = title.split(' ').filter(|word| word.chars().all(char::is_alphabetic));
    let word = words.max_by_key(|word| word.chars().count()).filter(|word| word.chars().count() >= 6)?;
    let mut letters: Vec<char> = word.chars().collect();
    letters.swap(3, 4);
    (letters[3] != letters[4]).then(|| title.replacen(word, &letters.iter().collect::<String>(), 1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_finds_its_product_however_it_is_typed() {
    let shelf = Shelf::real().await;
    for title in TITLES {
        let plain: String = title.chars().map(|it| if it.is_alphanumeric() { it } else { ' ' }).collect();
        for typed in [
            title.to_owned(),
            format!(" {title} "),
            title.to_uppercase(),
            title.to_lowercase(),
            title.replace(" - ", " – "),
            title.replace(" - ", " "),
            title.replace('-', " "),
        ] {
            assert_eq!(shelf.first(&typed).await, title, "{typed}");
        }
        assert!(shelf.titles(&plain).await.contains(&title.to_owned()), "{plain}");
        if let Some(typo) = with_swapped_letters(title) {
            assert_eq!(shelf.first(&typo).await, title, "{typo}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_is_found_from_its_first_letter_to_its_last() {
    let shelf = Shelf::real().await;
    for title in TITLES {
        for (end, _) in title.char_indices().skip(2) {
            let found = shelf.ask(&title[..end]).await;
            let there = found.body["items"].as_array().unwrap().iter().any(|item| item["title"] == title);
            // A hyphen directly before a word leaves the word out, until it turns out to stand alone.
            assert!(there, "{:?}: {}", &title[..end], found.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_hyphen_before_a_word_leaves_it_out() {
    let shelf = Shelf::real().await;
    assert_eq!(shelf.titles("moto - black").await.len(), 2);
    assert_eq!(shelf.titles("moto -black").await, ["Motorola - Moto X 4G LTE Cell Phone - White (AT&T)"]);
    assert_eq!(shelf.titles("moto -\"cell phone\"").await, [""; 0]);
    assert_eq!(shelf.titles("\"phone cell\"").await, [""; 0]);
    assert_eq!(shelf.titles("\"moto x\"").await.len(), 2);
    assert_eq!(shelf.titles("27\" hdtv").await, ["Insignia™ - 27\" Class LED HDTV - Black/White"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_made_of_stop_words_are_found() {
    let shelf = Shelf::real().await;
    let mut found = shelf.titles("AT&T").await;
    found.sort_unstable();
    let expected = [TITLES[7], TITLES[5], TITLES[1]];
    assert_eq!(found, expected);
    for (typed, title) in [("at&t gophone", TITLES[7]), ("at & t breeze", TITLES[7]), ("the who", TITLES[12])] {
        assert_eq!(shelf.first(typed).await, title, "{typed}");
    }
    // Among other words they need not be there.
    assert_eq!(shelf.first("a case for the iphone").await, TITLES[8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn accents_case_and_forms_of_unicode_do_not_matter() {
    let shelf = Shelf::of(&[
        ("Zed cafe chair", json!({}), "Z-1"),
        ("Zed café table", json!({}), "Z-2"),
        ("Zim Cafe\u{301} \u{130}stanbul", json!({}), "Z-3"),
        ("Straße nach Łódź", json!({}), "Z-4"),
        ("Чайный набор, ёлка", json!({}), "Z-5"),
    ])
    .await;
    for (typed, count) in [
        ("Zed cafe", 2),
        ("Zed café", 2),
        ("zed CAFE\u{301}", 2),
        ("Zim caf\u{e9}", 1),
        ("Zim \u{130}stanbul", 1),
        ("istanbul", 1),
        ("ISTANBUL", 1),
        ("ıstanbul", 1),
        ("strasse lodz", 1),
        ("STRASSE", 1),
        ("ЧАЙНЫЙ", 1),
        ("елка", 1),
        // A letter of its own is not another one.
        ("чаиныи набор", 0),
    ] {
        assert_eq!(shelf.titles(typed).await.len(), count, "{typed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn typos_are_corrected_in_every_field_and_both_words_are_told() {
    let more = json!({"attributes": {"brand": "Zwillinx"}, "description": "damascus steel, very powerful"});
    let shelf = Shelf::of(&[
        ("Bread knife", more, "MESSER-100"),
        ("Coffee grinder", json!({}), "KRUPS-7"),
        ("Antigua toffee", json!({}), "TOFFEE"),
        ("Commuter phones", json!({}), "PHONES"),
    ])
    .await;
    for (typed, corrected, title) in [
        ("zwilinx", "zwillinx", "Bread knife"),
        ("damascsu", "damascus", "Bread knife"),
        ("damsacus stele", "damascus steel", "Bread knife"),
        ("meser", "messer", "Bread knife"),
        ("cofee grindr", "coffee grinder", "Coffee grinder"),
        ("cofee -toffee", "coffee -toffee", "Coffee grinder"),
    ] {
        let found = shelf.ask(typed).await;
        let told = (found.text("/original"), found.text("/corrected"));
        assert_eq!((told, found.text("/items/0/title")), ((typed, corrected), title), "{typed}");
    }
    // What may be another word, a code or a number is not.
    for typed in
        ["att", "drones", "computer", "offee", "tofee -toffee x", "kurps-7", "messer-101", "101", "knfi", "\"cofee\""]
    {
        let found = shelf.ask(typed).await;
        let told = (&found.body["total"], &found.body["corrected"], &found.body["original"]);
        assert_eq!(told, (&json!(0), &Value::Null, &Value::Null), "{typed}: {}", found.body);
    }
    let found = shelf.ask("coffee").await;
    assert_eq!((&found.body["corrected"], &found.body["original"]), (&Value::Null, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_gaps_while_a_word_is_typed() {
    let more = json!({"attributes": {"finish": "Brushed batteries"}, "description": "a powerful thing that ran"});
    let shelf = Shelf::of(&[("Pad", more, "R21"), ("Shoe", json!({"description": "for a run"}), "R22")]).await;
    for word in ["powerful", "brushed", "batteries", "thing"] {
        for end in 1..=word.len() {
            assert_eq!(shelf.titles(&word[..end]).await, ["Pad"], "{}", &word[..end]);
        }
    }
    for end in 1..="running".len() {
        let typed = &"running"[..end];
        assert!(shelf.titles(typed).await.contains(&"Shoe".to_owned()), "{typed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_found_however_it_is_typed() {
    let shelf = Shelf::of(&[
        ("Lamp", json!({}), "BS-100X"),
        ("Desk", json!({}), "bs 200 y/4"),
        ("Chair", json!({}), "MUG_BLUE.L"),
        ("BS 100 lamp", json!({}), "OTHER"),
    ])
    .await;
    for typed in
        ["BS-100X", "bs-100x", "BS100X", "bs 100x", "BS 100 X", " BS-100X ", "bs–100x", "bs_100x", "lamp bs-100x"]
    {
        assert_eq!(shelf.titles(typed).await, ["Lamp"], "{typed}");
    }
    for typed in ["bs 200 y/4", "BS-200-Y-4", "bs200y4", "bs200", "bs-200"] {
        assert_eq!(shelf.titles(typed).await, ["Desk"], "{typed}");
    }
    for typed in ["mug_blue.l", "MUG-BLUE-L", "mugbluel", "mug blue l"] {
        assert_eq!(shelf.titles(typed).await, ["Chair"], "{typed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_finds_what_is_not_published() {
    let staff = Staff::start().await;
    let draft = staff.post("/v1/products", json!({"title": "Draft thing"})).await.expect(201);
    let at = draft.position().to_string();
    let (customer, admin) = (staff.shop.token(byteshop_gateway::security::token::Role::Customer), staff.admin.as_str());
    for (query, by, total) in [
        ("q=draft", admin, 1),
        ("q=draft&status=draft", admin, 1),
        ("q=draft&status=published", admin, 0),
        ("", admin, 0),
        ("q=%20", admin, 0),
        ("q=draft", customer.as_str(), 0),
        // Its words are nobody else's to know.
        ("q=drfat", customer.as_str(), 0),
    ] {
        let call = staff.shop.get(&format!("/v1/products?{query}")).by(by).after(&at);
        let found = call.send().await.expect(200);
        assert_eq!((&found.body["total"], &found.body["corrected"]), (&json!(total), &Value::Null), "{query}");
    }
    let typo = staff.shop.get("/v1/products?q=darft").by(admin).after(&at).send().await;
    assert_eq!(typo.expect(200).text("/corrected"), "draft");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_are_shown_in_the_order_in_which_they_are_declared() {
    let staff = Staff::start().await;
    let options = json!([{"name": "size", "values": ["S", "M"]}, {"name": "colour", "values": ["Green"]}]);
    let made = staff.post("/v1/products", json!({"title": "City bike", "options": options})).await.expect(201);
    let path = format!("/v1/products/{}", made.id());
    let price = json!({"amount": 100, "currency": "EUR"});
    let matrix = json!({"sku": "BIKE-{size}-{colour}", "price": price});
    staff.post(&format!("{path}/variants/matrix"), matrix).await.expect(200);
    let at = staff.post(&format!("{path}/publish"), json!({})).await.expect(200).position().to_string();
    let one = staff.shop.get(&path).send().await.expect(200);
    let listed = staff.shop.get("/v1/products").after(&at).send().await.expect(200);
    for product in [&one.body, &listed.body["items"][0]] {
        let variant = &product["variants"][1];
        assert_eq!(variant["title"], "City bike, M, Green");
        let names: Vec<&String> = variant["options"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["size", "colour"]);
    }
}
