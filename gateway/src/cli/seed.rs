//! `byteshop seed`: a small demo shop, made by the same commands as any other; made again, nothing happens.

mod attributes;
mod demo;
mod drawing;
mod people;
mod pictures;
mod report;
mod rules;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

use byteshop_commands::use_cases::sellers::ActsFor;
use byteshop_commands::use_cases::{categories, products, stock};
use byteshop_commands::{Commands, Error, Unit};
use byteshop_domain::ids::{CategoryId, ProductId, VariantId};
use byteshop_domain::product::{OptionDefinition, Schedule};
use byteshop_domain::stock::StockLevel;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::operating::with_commands;
use super::output::FormatArg;
use super::progress::Meter;
use super::running::Shop;
use super::storage::files;
use crate::config::Config;
use crate::pictures::Pictures;
use demo::{Demo, DemoCategory, DemoProduct, Made, Seeded, count, intent};

/// The demo shop.
const SHOP: &str = include_str!("seed/shop.json");

/// The arguments of `byteshop seed`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct SeedArgs {
    #[command(flatten)]
    format: FormatArg,
    /// Skip the demo images, which take longest
    #[arg(long)]
    without_images: bool,
    /// List every product instead of counts per category
    #[arg(long)]
    list: bool,
    #[command(subcommand)]
    what: Option<What>,
}

/// Other data to import.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// A retailer's real orders, from a transaction export
    Orders(super::seed_orders::OrdersArgs),
}

/// The response of the command that creates a product.
#[derive(Serialize, Deserialize)]
struct NewProduct {
    product: ProductId,
    variants: Vec<VariantId>,
}

pub(super) async fn run(config: &Config, args: SeedArgs) -> Result<(), Failure> {
    if let Some(What::Orders(orders)) = args.what {
        return super::seed_orders::run(config, orders).await;
    }
    let format = args.format.chosen();
    // People whose passwords are known have no place in a shop that is open to others.
    let dev = Shop::find(config)?.is_in_development().await?;
    let pictures = if args.without_images { None } else { Some(Pictures::in_blobs(files(config)?)) };
    with_commands(config, async |commands| {
        let demo: Demo = serde_json::from_str(SHOP)?;
        let seeded = seed(&commands, &demo, pictures.as_ref()).await?;
        let people = if dev { people::make(&commands).await? } else { Vec::new() };
        Ok(report::print(&demo, &seeded, &people, args.list, format)?)
    })
    .await
}

async fn seed<'a>(commands: &Commands, demo: &'a Demo, pictures: Option<&Pictures>) -> Result<Seeded<'a>, Failure> {
    let mut categories: HashMap<&str, CategoryId> = HashMap::new();
    for category in &demo.categories {
        let parent = category.parent.as_ref().and_then(|slug| categories.get(slug.as_str())).copied();
        let intent = intent("category.create", format!("category {}", category.slug.as_str()));
        let done = commands.run(&intent, |unit| make_category(unit, category, parent)).await?;
        categories.insert(category.slug.as_str(), done.answer);
        let of_category = demo.products.iter().filter(|product| product.category == category.slug.as_str());
        let declared = attributes::of(of_category);
        if !declared.is_empty() {
            let intent =
                self::demo::intent("category.declare_attributes", format!("attributes {}", category.slug.as_str()));
            commands.run(&intent, |unit| attributes::declare(unit, done.answer, declared.clone())).await?;
        }
    }
    let mut products = Vec::new();
    let meter = Meter::new("seeding", "products");
    for product in &demo.products {
        meter.at(count(products.len()), count(demo.products.len()));
        let category = categories.get(product.category.as_str()).copied();
        let title = product.title.as_str();
        let create = intent("product.create", format!("product {title}"));
        let done = commands.run(&create, |unit| make_product(unit, product, category)).await?;
        let variants = &done.answer.variants;
        let stock = intent("stock.receive", format!("stock {title}"));
        commands.run(&stock, |unit| receive(unit, product, variants)).await?;
        products.push(Made {
            product: done.answer.product,
            title,
            category: &product.category,
            variants: product.variants.len(),
            on_hand: product.variants.iter().map(|variant| variant.stock.get()).sum(),
            new: !done.replayed,
        });
    }
    meter.finish();
    if let Some(pictures) = pictures {
        let meter = Meter::new("drawing", "products");
        let done = AtomicI64::new(0);
        let drawn = || meter.at(done.fetch_add(1, Ordering::Relaxed) + 1, count(products.len()));
        let all = products.iter().map(|made| (made.product, made.category, made.title));
        pictures::hang(commands, pictures, all, drawn).await?;
        meter.finish();
    }
    let left = rules::set_books(commands).await?;
    Ok(Seeded { products, promotions: rules::make(commands, &categories).await?, left })
}

async fn make_category(unit: Unit, category: &DemoCategory, parent: Option<CategoryId>) -> Result<CategoryId, Error> {
    let made = categories::create(&unit, category.name.clone(), category.slug.clone(), parent).await?;
    Ok(made.id)
}

async fn make_product(unit: Unit, demo: &DemoProduct, category: Option<CategoryId>) -> Result<NewProduct, Error> {
    let mut variants = Vec::new();
    let new = products::NewProduct {
        description: Some(demo.description.clone()),
        category,
        attributes: demo.attributes.clone(),
        options: options(demo),
        ..products::NewProduct::titled(demo.title.clone())
    };
    let mut product = products::create(&unit, new, ActsFor::House).await?;
    for variant in &demo.variants {
        let id = unit.new_id();
        products::add_variant(&unit, &mut product, id, variant.details.clone()).await?;
        variants.push(id);
    }
    products::publish(&unit, &mut product, Schedule::default()).await?;
    Ok(NewProduct { product: product.id, variants })
}

/// The options of a product, each value in the order of its first use.
fn options(demo: &DemoProduct) -> Vec<OptionDefinition> {
    let mut options: Vec<OptionDefinition> = Vec::new();
    for (name, value) in demo.variants.iter().flat_map(|variant| &variant.details.options) {
        match options.iter_mut().find(|option| option.name == *name) {
            Some(option) if option.values.contains(value) => {}
            Some(option) => option.values.extend([value.clone()]),
            None => options.push(OptionDefinition { name: name.clone(), values: [value.clone()].into() }),
        }
    }
    options
}

/// Adds the stock of a new product.
async fn receive(unit: Unit, demo: &DemoProduct, variants: &[VariantId]) -> Result<(), Error> {
    let levels = unit.load_all::<StockLevel>(variants).await?;
    for (mut level, variant) in levels.into_iter().zip(&demo.variants) {
        stock::receive(&unit, &mut level, variant.stock, None)?;
    }
    Ok(())
}
