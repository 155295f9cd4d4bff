//! `byteshop seed`: a small demo shop, made by the same commands as any other; made again, nothing happens.

mod drawing;
mod people;
mod pictures;
mod rules;

use std::collections::HashMap;
use std::io::Write as _;

use byteshop_commands::{Appender, Commands, Error, Intent, Key, Unit, cases};
use byteshop_domain::category::{self, Category};
use byteshop_domain::ids::{CategoryId, ProductId, VariantId};
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::product::{self, Attributes, OptionDefinition, Product};
use byteshop_domain::promotion::Terms;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::{Description, Label, Name, Slug, Title};
use byteshop_domain::{Actor, Kind};
use byteshop_eventstore::Clock;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::data_key::data_keys;
use super::failure::Failure;
use super::output::{self, Format, FormatArg};
use super::roles::files;
use super::running::Shop;
use crate::config::Config;
use crate::pictures::Pictures;
use people::Person;

/// The demo shop.
const SHOP: &str = include_str!("seed/shop.json");

/// What to fill the shop with.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct SeedArgs {
    #[command(flatten)]
    format: FormatArg,
    /// Draw no pictures, which take the longest
    #[arg(long)]
    without_images: bool,
    #[command(subcommand)]
    what: Option<What>,
}

/// What else to fill it with.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// A retailer's real orders, from a transaction export
    Orders(super::seed_orders::OrdersArgs),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Demo {
    /// Parents before their children.
    categories: Vec<DemoCategory>,
    products: Vec<DemoProduct>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoCategory {
    slug: Slug,
    name: Name,
    parent: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoProduct {
    /// The slug of its category.
    category: String,
    title: Title,
    description: Description,
    attributes: Attributes,
    variants: Vec<DemoVariant>,
}

#[derive(Deserialize)]
struct DemoVariant {
    stock: Quantity,
    #[serde(flatten)]
    details: product::Variant,
}

/// What the command that makes a product answers.
#[derive(Serialize, Deserialize)]
struct NewProduct {
    product: ProductId,
    variants: Vec<VariantId>,
}

/// A product that was made, now or earlier.
#[derive(Serialize)]
struct Made<'a> {
    product: ProductId,
    title: &'a str,
    category: &'a str,
    variants: usize,
    on_hand: i64,
    /// Whether this run made it.
    new: bool,
}

pub(super) async fn run(config: &Config, args: SeedArgs) -> Result<(), Failure> {
    if let Some(What::Orders(orders)) = args.what {
        return super::seed_orders::run(config, orders).await;
    }
    let format = args.format.chosen();
    // People whose passwords are known have no place in a shop that is open to others.
    let dev = Shop::find(config)?.dev;
    let pictures = if args.without_images { None } else { Some(Pictures::in_blobs(files(config)?)) };
    with_commands(config, async |commands| {
        seed(&commands, pictures.as_ref(), format).await?;
        let people = if dev { people::make(&commands).await? } else { Vec::new() };
        Ok(print_people(&people, format)?)
    })
    .await
}

/// Does some work on the write side of the shop, with an appender of its own that ends with it.
pub(super) async fn with_commands<T>(
    config: &Config,
    work: impl AsyncFnOnce(Commands) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let log = Shop::find(config)?.log(config)?;
    log.migrate().await?;
    let keys = data_keys(config)?;
    let cancel = CancellationToken::new();
    // A running shop sees what is new by itself.
    let (appender, appending) = Appender::new(log.clone(), |_| {}, cancel.clone());
    let working = async {
        let outcome = work(Commands::new(log, appender, keys)).await;
        cancel.cancel();
        outcome
    };
    tokio::join!(working, appending).0
}

async fn seed(commands: &Commands, pictures: Option<&Pictures>, format: Format) -> Result<(), Failure> {
    let demo: Demo = serde_json::from_str(SHOP)?;
    let mut categories: HashMap<&str, CategoryId> = HashMap::new();
    for category in &demo.categories {
        let parent = category.parent.as_ref().and_then(|slug| categories.get(slug.as_str())).copied();
        let intent = intent("category.create", format!("category {}", category.slug.as_str()));
        let done = commands.run(&intent, |unit| make_category(unit, category, parent)).await?;
        categories.insert(category.slug.as_str(), done.answer);
    }
    let mut made = Vec::new();
    for product in &demo.products {
        let category = categories.get(product.category.as_str()).copied();
        let title = product.title.as_str();
        let create = intent("product.create", format!("product {title}"));
        let done = commands.run(&create, |unit| make_product(unit, product, category)).await?;
        let variants = &done.answer.variants;
        let stock = intent("stock.receive", format!("stock {title}"));
        commands.run(&stock, |unit| receive(unit, product, variants)).await?;
        made.push(Made {
            product: done.answer.product,
            title,
            category: &product.category,
            variants: product.variants.len(),
            on_hand: product.variants.iter().map(|variant| variant.stock.get()).sum(),
            new: !done.replayed,
        });
    }
    if let Some(pictures) = pictures {
        pictures::hang(commands, pictures, made.iter().map(|made| (made.product, made.category, made.title))).await?;
    }
    print(&made, categories.len(), format)?;
    print_promotions(&rules::make(commands, &categories).await?, format)?;
    Ok(())
}

/// A command of the seed; its key makes it happen once, whatever the demo shop of a later version says.
fn intent(command: &'static str, key: String) -> Intent {
    let key = Key { who: "seed".to_owned(), fingerprint: key.clone().into_bytes(), key };
    Intent { key: Some(key), ..Intent::new(Actor::System { name: "seed".to_owned() }, command, Clock.new_id()) }
}

async fn make_category(unit: Unit, category: &DemoCategory, parent: Option<CategoryId>) -> Result<CategoryId, Error> {
    let id: CategoryId = unit.new_id();
    let slug = category.slug.as_str();
    let mut name = unit.load::<UniqueName>(name::id(NameKind::CategorySlug, slug)).await?;
    let text = Label::new(slug).map_err(|error| unit.refuse("category.slug", Kind::Invalid, error.to_string()))?;
    unit.decide(&mut name, &name::Command::Claim { kind: NameKind::CategorySlug, text, owner: id.to_string() })?;
    let command = category::Command::Create { name: category.name.clone(), slug: category.slug.clone(), parent };
    unit.decide(&mut unit.start::<Category>(id), &command)?;
    Ok(id)
}

async fn make_product(unit: Unit, demo: &DemoProduct, category: Option<CategoryId>) -> Result<NewProduct, Error> {
    let mut variants = Vec::new();
    let mut product = unit.start::<Product>(unit.new_id());
    let (title, description, attributes) = (demo.title.clone(), demo.description.clone(), demo.attributes.clone());
    unit.decide(&mut product, &product::Command::Create { title, description, category, attributes })?;
    unit.decide(&mut product, &product::Command::DefineOptions { options: options(demo) })?;
    for variant in &demo.variants {
        let id = unit.new_id();
        cases::add_variant(&unit, &mut product, id, variant.details.clone()).await?;
        variants.push(id);
    }
    unit.decide(&mut product, &product::Command::Publish {})?;
    Ok(NewProduct { product: product.id, variants })
}

/// What the variants of a product differ in, each value in the order in which it comes first.
fn options(demo: &DemoProduct) -> Vec<OptionDefinition> {
    let mut options: Vec<OptionDefinition> = Vec::new();
    for (name, value) in demo.variants.iter().flat_map(|variant| &variant.details.options) {
        match options.iter_mut().find(|option| option.name == *name) {
            Some(option) if option.values.contains(value) => {}
            Some(option) => option.values.push(value.clone()),
            None => options.push(OptionDefinition { name: name.clone(), values: vec![value.clone()] }),
        }
    }
    options
}

/// Takes in the stock of a product that was just made.
async fn receive(unit: Unit, demo: &DemoProduct, variants: &[VariantId]) -> Result<(), Error> {
    let stocks = unit.load_all::<StockLevel>(variants).await?;
    for (mut stock, variant) in stocks.into_iter().zip(&demo.variants) {
        unit.decide(&mut stock, &stock::Command::Receive { quantity: variant.stock, reason: None })?;
    }
    Ok(())
}

/// The coupons, for people alone.
fn print_promotions(promotions: &[Terms], format: Format) -> std::io::Result<()> {
    if format != Format::Table {
        return Ok(());
    }
    let mut table = output::table(["code", "promotion"]);
    for terms in promotions {
        let code = terms.code.as_ref().map_or("(by itself)", |code| code.as_str());
        table.add_row([code, terms.label.as_str()]);
    }
    output::line(&format!("\n{table}"))
}

/// The people are beside the point of a list for programs: they are told on stderr there.
fn print_people(people: &[Person], format: Format) -> std::io::Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    let mut table = output::table(["log in with", "password", "role"]);
    for person in people {
        table.add_row([person.email, person.password, person.role.as_str()]);
    }
    match format {
        Format::Table => output::line(&format!("\n{table}")),
        Format::Json | Format::Jsonl => writeln!(std::io::stderr(), "{table}"),
    }
}

fn print(made: &[Made<'_>], categories: usize, format: Format) -> std::io::Result<()> {
    output::list(format, made, |made| {
        let mut table = output::table(["product", "title", "category", "variants", "on hand", ""]);
        for product in made {
            table.add_row([
                product.product.to_string(),
                product.title.to_owned(),
                product.category.to_owned(),
                product.variants.to_string(),
                product.on_hand.to_string(),
                if product.new { "new" } else { "was there" }.to_owned(),
            ]);
        }
        table
    })?;
    if format == Format::Table {
        let mut out = output::out();
        let new = made.iter().filter(|product| product.new).count();
        let variants: usize = made.iter().map(|product| product.variants).sum();
        let products = made.len();
        writeln!(
            out,
            "\n{products} products with {variants} variants in {categories} categories; {new} of them are new"
        )?;
        out.flush()?;
    }
    Ok(())
}
