//! Searching among a hundred thousand products, with the counts of every filter, in two languages.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use byteshop_commands::use_cases::sellers::ActsFor;
use byteshop_commands::use_cases::{categories, products, stock};
use byteshop_commands::{Appender, Commands, Connected, Intent, Unit};
use byteshop_domain::category::AttributeDefinition;
use byteshop_domain::ids::{CategoryId, VariantId};
use byteshop_domain::money::{Money, Price};
use byteshop_domain::product::{self, Schedule};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::{Description, Name, Sku, Slug, Title};
use byteshop_domain::{Actor, Currency};
use byteshop_eventstore::{Clock, Log};
use byteshop_tests::random::Chance;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::http::Client;
use crate::report::{Report, percentile};
use crate::shop::Shop;

/// Products.
const PRODUCTS: u64 = 100_000;
/// Products that are made at once.
const AT_ONCE: usize = 256;
/// Categories, of which every tenth is a root.
const CATEGORIES: usize = 200;
/// Queries of each kind and client.
const QUERIES: usize = 200;
/// Titles that are searched for.
const KNOWN_ITEMS: usize = 500;
/// Clients.
const CLIENTS: [usize; 2] = [1, 8];

const ADJECTIVES: [&str; 24] = [
    "Red", "Blue", "Walnut", "Folding", "Heavy", "Quiet", "Nordic", "Brass", "Copper", "Linen", "Woven", "Glazed",
    "Compact", "Tall", "Round", "Matt", "Rustic", "Electric", "Portable", "Antique", "Ceramic", "Velvet", "Bright",
    "Silver",
];
const NOUNS: [&str; 36] = [
    "lamp",
    "chair",
    "table",
    "mug",
    "kettle",
    "knife",
    "blanket",
    "pillow",
    "shelf",
    "mirror",
    "clock",
    "bottle",
    "basket",
    "carpet",
    "candle",
    "vase",
    "drawer",
    "stool",
    "teapot",
    "grinder",
    "notebook",
    "pencil",
    "backpack",
    "umbrella",
    "wallet",
    "headphones",
    "keyboard",
    "monitor",
    "camera",
    "speaker",
    "bicycle",
    "helmet",
    "tent",
    "hammock",
    "skillet",
    "toaster",
];
const RUSSIAN_ADJECTIVES: [&str; 12] = [
    "Красная",
    "Синяя",
    "Дубовая",
    "Складная",
    "Тихая",
    "Медная",
    "Льняная",
    "Большая",
    "Старинная",
    "Яркая",
    "Лёгкая",
    "Круглая",
];
const RUSSIAN_NOUNS: [&str; 16] = [
    "лампа",
    "кружка",
    "книга",
    "полка",
    "подушка",
    "ваза",
    "сумка",
    "бутылка",
    "корзина",
    "тарелка",
    "ложка",
    "скатерть",
    "картина",
    "тетрадь",
    "палатка",
    "клавиатура",
];
const MATERIALS: [&str; 10] =
    ["oak", "walnut", "steel", "brass", "glass", "wool", "cotton", "ceramic", "leather", "bamboo"];
const COLOURS: [&str; 12] =
    ["red", "blue", "green", "black", "white", "grey", "yellow", "brown", "purple", "pink", "orange", "silver"];

/// Measures and reports.
pub async fn run(shop: &Shop, report: &mut Report) -> Result<()> {
    let log = Log::open(&shop.database_url)?;
    let cancel = CancellationToken::new();
    let (appender, appending) = Appender::new(log.clone(), |_| {}, cancel.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(appending);
    let commands = Commands::new(log.clone(), appender, byteshop_tests::servers::data_keys(), Connected::emulators());
    let started = Instant::now();
    let categories = Arc::new(plant(&commands).await?);
    let mut chance = Chance::of(11);
    let made = futures_util::stream::iter((0..PRODUCTS).map(|number| {
        let (commands, categories, chance) = (commands.clone(), Arc::clone(&categories), chance.fork());
        async move { make(&commands, &categories, number, chance).await }
    }));
    made.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    let head = log.head().await?;
    cancel.cancel();
    while tasks.join_next().await.is_some() {}
    caught_up(shop, head).await?;
    report.add(
        "search, products made and in the views",
        PRODUCTS as f64 / started.elapsed().as_secs_f64(),
        "products/s",
    );

    let mut client = Client::connect(&shop.base).await?;
    let first = Instant::now();
    let answer = client.ask("GET", "/v1/products", &[], None).await?.json(200)?;
    report.add("search, the first query of a process, which reads the products", first.elapsed().as_secs_f64(), "s");
    anyhow::ensure!(answer["total"] == PRODUCTS, "{} products", answer["total"]);
    anyhow::ensure!(answer["facets"]["attributes"].as_array().is_some_and(|it| it.len() > 3), "{}", answer["facets"]);
    for clients in CLIENTS {
        measure(shop, &categories, clients, report).await?;
    }
    known_items(&mut client, report).await
}

/// A way to type a title.
type Respelled = fn(&str) -> String;

/// How often a title that is typed in some way finds its product first.
async fn known_items(client: &mut Client, report: &mut Report) -> Result<()> {
    let mut titles: Vec<String> = Vec::new();
    let mut cursor = String::new();
    while titles.len() < KNOWN_ITEMS {
        let path = format!("/v1/products?limit=100&facets=false&sort=price{cursor}");
        let page = client.ask("GET", &path, &[], None).await?.json(200)?;
        let items = page["items"].as_array().context("items")?.iter();
        titles.extend(items.filter_map(|item| item["title"].as_str().map(str::to_owned)));
        cursor = format!("&cursor={}", page["next"].as_str().context("a next page")?);
    }
    let ways: [(&str, Respelled); 4] = [
        ("as it is", str::to_owned),
        ("with lone hyphens", |title| title.replace(' ', " - ")),
        ("in capitals", str::to_uppercase),
        ("with two letters swapped", swapped),
    ];
    for (way, typed) in ways {
        let mut first = 0;
        for title in &titles {
            let path = format!("/v1/products?limit=1&facets=false&q={}", encoded(&typed(title)));
            let found = client.ask("GET", &path, &[], None).await?.json(200)?;
            first += usize::from(found["items"][0]["title"] == *title);
        }
        report.add(format!("titles typed {way} that find their product first"), share(first, titles.len()), "%");
    }
    Ok(())
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}

/// A title with the third and fourth letters of its longest word swapped.
fn swapped(title: &str) -> String {
    let Some(word) = title.split(' ').max_by_key(|word| word.chars().count()) else { return title.to_owned() };
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() > 3 {
        letters.swap(2, 3);
    }
    title.replacen(word, &letters.into_iter().collect::<String>(), 1)
}

fn intent(command: &'static str) -> Intent {
    Intent::new(Actor::System { name: "bench".into() }, command, Clock.new_id())
}

async fn plant(commands: &Commands) -> Result<Vec<CategoryId>> {
    let mut categories: Vec<CategoryId> = Vec::new();
    for number in 0..CATEGORIES {
        let parent = (number % 10 != 0).then(|| categories[number / 10 * 10]);
        let (name, slug): (Name, Slug) =
            (format!("Category {number}").try_into()?, format!("category-{number}").try_into()?);
        let attributes = json!([
            {"name": "material", "type": "choice", "values": MATERIALS, "filterable": true},
            {"name": "colour", "type": "choice", "values": COLOURS, "filterable": true},
            {"name": "width_mm", "type": "number", "unit": "mm", "filterable": true},
            {"name": "boxed", "type": "boolean", "filterable": true},
            {"name": format!("maker_{}", number / 10), "type": "text", "filterable": true},
        ]);
        let attributes: Vec<AttributeDefinition> = serde_json::from_value(attributes)?;
        let (name, slug, attributes) = (&name, &slug, &attributes);
        let done = commands
            .run(&intent("category.create"), |unit: Unit| async move {
                let mut category = categories::create(&unit, name.clone(), slug.clone(), parent).await?;
                categories::declare_attributes(&unit, &mut category, attributes.clone())?;
                Ok(category.id)
            })
            .await?;
        categories.push(done.answer);
    }
    Ok(categories)
}

async fn make(commands: &Commands, categories: &[CategoryId], number: u64, mut chance: Chance) -> Result<()> {
    let of = usize::try_from(chance.between(0, CATEGORIES as u64 - 1))?;
    let russian = chance.once_in(3);
    let (adjectives, nouns) =
        if russian { (&RUSSIAN_ADJECTIVES[..], &RUSSIAN_NOUNS[..]) } else { (&ADJECTIVES[..], &NOUNS[..]) };
    let title = format!("{} {} {}", chance.one_of(adjectives), chance.one_of(nouns), chance.between(100, 999));
    // A noun of another product, among words of which each is in one description of a hundred.
    let mut words: Vec<String> = (0..24).map(|_| format!("term{}", chance.between(1, 2_400))).collect();
    words.extend(chance.once_in(4).then(|| chance.one_of(nouns).to_owned()));
    let attributes = json!({
        "material": chance.one_of(&MATERIALS),
        "colour": chance.one_of(&COLOURS),
        "width_mm": chance.between(1, 40) * 50,
        "boxed": chance.once_in(2),
        (format!("maker_{}", of / 10)): format!("Maker {}", chance.between(1, 30)),
    });
    let (attributes, description) = (serde_json::from_value(attributes)?, Description::new(&words.join(" "))?);
    let (title, category): (Title, _) = (title.try_into()?, categories[of]);
    let price = Price::new(Money::new(i64::try_from(chance.between(1, 500))? * 100 - 1, Currency::EUR))?;
    let (on_hand, sku) = (Quantity::new(5)?, Sku::new(&format!("SKU-{number:06}"))?);
    let in_stock = !chance.once_in(4);
    let (title, description, attributes, sku) = (&title, &description, &attributes, &sku);
    commands
        .run(&intent("product.create"), |unit: Unit| async move {
            let (title, attributes): (_, product::Attributes) = (title.clone(), product::Attributes::clone(attributes));
            let text = Some(description.clone());
            let mut product = {
                let new = products::NewProduct {
                    description: text,
                    category: Some(category),
                    attributes,
                    ..products::NewProduct::titled(title.clone())
                };
                products::create(&unit, new, ActsFor::House).await?
            };
            let variant: VariantId = unit.new_id();
            let details = product::Variant::new(sku.clone(), title, price, product::Options::new());
            products::add_variant(&unit, &mut product, variant, details).await?;
            products::publish(&unit, &mut product, Schedule::default()).await?;
            if in_stock {
                let mut level = unit.load::<StockLevel>(variant).await?;
                stock::receive(&unit, &mut level, on_hand, None)?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}

async fn caught_up(shop: &Shop, head: i64) -> Result<()> {
    let mut client = Client::connect(&shop.base).await?;
    let bearer = format!("Bearer {}", shop.token);
    let deadline = Instant::now() + std::time::Duration::from_mins(2);
    while Instant::now() < deadline {
        let head = head.to_string();
        let path = "/v1/products?limit=1&facets=false";
        // Only staff may ask with a number.
        let headers = [("Min-Log-Position", head.as_str()), ("Authorization", bearer.as_str())];
        if client.ask("GET", path, &headers, None).await?.status == 200 {
            return Ok(());
        }
    }
    anyhow::bail!("the views have not caught up")
}

/// What people ask, by kind.
fn query(kind: usize, categories: &[CategoryId], chance: &mut Chance) -> (&'static str, String) {
    let category = chance.one_of(categories);
    let root = categories[usize::try_from(chance.between(0, 19)).unwrap_or(0) * 10];
    let (noun, adjective) = (chance.one_of(&NOUNS), chance.one_of(&ADJECTIVES));
    let (russian, colours) = (chance.one_of(&RUSSIAN_NOUNS), [chance.one_of(&COLOURS), chance.one_of(&COLOURS)]);
    let price = chance.between(1, 400) * 100;
    match kind {
        0 => ("everything", String::from("sort=newest")),
        1 => ("a category", format!("category={root}&sort=price")),
        2 => (
            "a category, two colours, a price",
            format!(
                "category={category}&attr.colour={}&attr.colour={}&price_min={price}&price_max={}&in_stock=true",
                colours[0],
                colours[1],
                price + 10_000
            ),
        ),
        3 => ("a word", format!("q={noun}s")),
        4 => ("two words, in stock", format!("q={adjective}+{noun}&in_stock=true")),
        5 => ("the beginning of a word", format!("q={}", &noun[..3])),
        6 => ("a word in Russian", format!("q={}", encoded(russian))),
        _ => ("a typo", format!("q={}+{}x{}", adjective, &noun[..2], &noun[2..])),
    }
}

fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02X}");
        encoded
    })
}

const KINDS: usize = 8;

async fn measure(shop: &Shop, categories: &Arc<Vec<CategoryId>>, clients: usize, report: &mut Report) -> Result<()> {
    let started = Instant::now();
    let mut tasks: JoinSet<Result<Vec<(&'static str, f64)>>> = JoinSet::new();
    for number in 0..clients {
        let (base, categories) = (shop.base.clone(), Arc::clone(categories));
        tasks.spawn(async move {
            let mut client = Client::connect(&base).await?;
            let mut chance = Chance::of(100 + number as u64);
            let mut took = Vec::with_capacity(QUERIES * KINDS);
            for round in 0..QUERIES * KINDS {
                let (kind, query) = query(round % KINDS, &categories, &mut chance);
                let asked = Instant::now();
                let answer = client.ask("GET", &format!("/v1/products?{query}"), &[], None).await?;
                took.push((kind, asked.elapsed().as_secs_f64() * 1e3));
                let body: Value = answer.json(200)?;
                anyhow::ensure!(body["facets"].is_object(), "no facets: {query}");
            }
            Ok(took)
        });
    }
    let mut took = Vec::new();
    while let Some(done) = tasks.join_next().await {
        took.extend(done.context("a client ends")??);
    }
    let rate = took.len() as f64 / started.elapsed().as_secs_f64();
    let sorted = |kind: Option<&str>| {
        let mut times: Vec<f64> =
            took.iter().filter(|it| kind.is_none_or(|kind| kind == it.0)).map(|it| it.1).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let name = format!("search with facets among {PRODUCTS} products, {clients} clients");
    report.add(format!("{name}, p50"), percentile(&sorted(None), 0.5), "ms");
    report.add(format!("{name}, p99"), percentile(&sorted(None), 0.99), "ms");
    report.add(name, rate, "queries/s");
    if clients == 1 {
        for kind in 0..KINDS {
            let (kind, _) = query(kind, categories, &mut Chance::of(0));
            report.add(format!("search for {kind}, p50"), percentile(&sorted(Some(kind)), 0.5), "ms");
            report.add(format!("search for {kind}, p99"), percentile(&sorted(Some(kind)), 0.99), "ms");
        }
    }
    Ok(())
}
