//! The final report of `byteshop seed`: counts by category, and the log-ins.

use byteshop_domain::promotion::Terms;
use serde_json::json;

use super::super::output::{self, Format};
use super::super::progress::grouped;
use super::demo::{Demo, Made, Own, Seeded, count};
use super::people::Person;

/// A category with what is in it.
#[derive(Default)]
struct Sum {
    products: i64,
    variants: i64,
    on_hand: i64,
    new: i64,
}

impl Sum {
    fn of<'a>(products: impl Iterator<Item = &'a Made<'a>>) -> Self {
        products.fold(Self::default(), |sum, made| Self {
            products: sum.products + 1,
            variants: sum.variants + count(made.variants),
            on_hand: sum.on_hand + made.on_hand,
            new: sum.new + i64::from(made.new),
        })
    }

    fn cells(&self) -> [String; 4] {
        [self.products, self.variants, self.on_hand, self.new].map(grouped)
    }
}

/// Prints the report: a summary or a full list for people; every product and every log-in for programs.
pub(super) fn print(
    demo: &Demo,
    seeded: &Seeded<'_>,
    people: &[Person],
    everything: bool,
    format: Format,
) -> std::io::Result<()> {
    match format {
        Format::Table => {
            if everything {
                print_products(&seeded.products)?;
            }
            print_summary(demo, &seeded.products)?;
            print_promotions(&seeded.promotions)?;
            print_left(&seeded.left)?;
            print_people(people)
        }
        Format::Json => output::json(&json!({"products": seeded.products, "left": seeded.left, "logins": people})),
        Format::Jsonl => {
            seeded.products.iter().try_for_each(output::json_line)?;
            seeded.left.iter().try_for_each(|own| output::json_line(&json!({"left": own})))?;
            people.iter().try_for_each(output::json_line)
        }
    }
}

fn print_products(made: &[Made<'_>]) -> std::io::Result<()> {
    output::list(Format::Table, made, |made| {
        let mut table = output::table(["product", "title", "category", "variants", "on hand", ""]);
        for product in made {
            table.add_row([
                product.product.to_string(),
                product.title.to_owned(),
                product.category.to_owned(),
                product.variants.to_string(),
                product.on_hand.to_string(),
                if product.new { "new" } else { "existing" }.to_owned(),
            ]);
        }
        table
    })
}

fn print_summary(demo: &Demo, made: &[Made<'_>]) -> std::io::Result<()> {
    let mut table = output::table(["category", "products", "variants", "on hand", "new"]);
    for category in &demo.categories {
        let sum = Sum::of(made.iter().filter(|made| made.category == category.slug.as_str()));
        // What only holds other categories is no row.
        if sum.products > 0 {
            let [products, variants, on_hand, new] = sum.cells();
            table.add_row([category.name.to_string(), products, variants, on_hand, new]);
        }
    }
    let [products, variants, _, new] = Sum::of(made.iter()).cells();
    let categories = demo.categories.len();
    let all = format!("{products} products with {variants} variants in {categories} categories; {new} of them are new");
    output::line(&format!("{}\n\n{all}", output::laid_out(table)))
}

/// The promotions, with the codes that can be entered.
fn print_promotions(promotions: &[Terms]) -> std::io::Result<()> {
    let mut table = output::table(["code", "promotion"]);
    for terms in promotions {
        let code = terms.code.as_ref().map_or("(automatic)", |code| code.as_str());
        table.add_row([code, terms.label.as_str()]);
    }
    output::line(&format!("\n{table}"))
}

/// The data that the demo did not replace.
fn print_left(left: &[Own]) -> std::io::Result<()> {
    if left.is_empty() {
        return Ok(());
    }
    let names = left.iter().map(|own| own.name()).collect::<Vec<_>>().join(" and ");
    output::line(&format!("\nThe shop has its own {names}; they are unchanged"))
}

/// How to log in.
fn print_people(people: &[Person]) -> std::io::Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    let mut table = output::table(["log in with", "password", "role"]);
    for person in people {
        table.add_row([person.email, person.password, person.role.as_str()]);
    }
    output::line(&format!("\n{table}"))
}
