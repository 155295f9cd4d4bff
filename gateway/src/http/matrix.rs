//! All variants of a product at once: one for each combination of its options, each made or refused by itself.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_commands::use_cases::products;
use byteshop_domain::ids::{ProductId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::product::{OptionDefinition, Options, TaxClass, VARIANTS_MAX, combinations};
use byteshop_domain::text::{AttributeName, Label, Sku, Title, fresh};
use byteshop_domain::{Bounded, BoundedText, Kind};
use http::{HeaderValue, StatusCode};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::products::OptionList;
use super::variants::{NewVariant, OptionMap, Prices};
use crate::app::{App, Shared};
use crate::edge::actor::Trader;
use crate::edge::ask::{Ask, Of};
use crate::edge::headers::LOG_POSITION;
use crate::edge::problem::{Problem, Written};
use crate::edge::reply;

/// How codes are made: a code, and the names of options in braces.
type SkuPattern = BoundedText<200>;
/// Combinations that are otherwise: each can be.
type Exceptions = Bounded<Vec<Exception>, VARIANTS_MAX>;

/// The common values of all variants; `variants` lists exceptions.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"sku": "SHIRT-{size}-{colour}", "price": {"amount": 1999, "currency": "EUR"}, "weight_g": 200}))]
struct Matrix {
    /// The options; those of the product by default.
    options: Option<OptionList>,
    /// The pattern of the SKUs, with the name of each option in braces; spaces in a value become dashes.
    #[schema(default = json!({"x-schema": {"example": "SHIRT-{size}-{colour}", "minLength": 1}}))]
    sku: SkuPattern,
    price: Price,
    /// A higher reference price, shown struck through.
    compare_at: Option<Price>,
    /// The unit price in further currencies.
    #[serde(default)]
    prices: Prices,
    /// In grams.
    #[schema(maximum = 1_000_000)]
    weight_g: Option<u32>,
    /// The tax class.
    tax_class: Option<TaxClass>,
    physical: Option<bool>,
    /// Exceptions: combinations with other values, and combinations to leave out.
    #[serde(default)]
    variants: Exceptions,
}

/// An exception for one combination; fields left out keep the common value.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"options": {"size": "M", "colour": "red"}, "price": {"amount": 2199, "currency": "EUR"}}))]
struct Exception {
    /// The value of every option.
    options: OptionMap,
    /// Leave this combination out.
    #[serde(default)]
    skip: bool,
    sku: Option<Sku>,
    title: Option<Title>,
    /// In the same currency as the others.
    price: Option<Price>,
    #[schema(maximum = 1_000_000)]
    weight_g: Option<u32>,
}

/// The results, in the order of the options.
#[derive(Serialize, ToSchema)]
struct MatrixOutcome {
    /// Variants created.
    made: usize,
    /// Combinations that already existed.
    present: usize,
    /// Combinations that were refused.
    refused: usize,
    rows: Vec<MatrixRow>,
}

/// The result for one combination.
#[derive(Serialize, ToSchema)]
struct MatrixRow {
    /// 201 if a variant was created, 200 if it already existed, otherwise the status of the problem.
    status: u16,
    /// The option values, such as `{"size": "M"}`.
    options: IndexMap<AttributeName, Label>,
    /// The variant; null if it was refused.
    id: Option<VariantId>,
    /// Its SKU; null if it was refused.
    sku: Option<Sku>,
    /// The problem, in the usual form; null if there is none.
    #[schema(schema_with = crate::http::show::names::problem)]
    problem: Option<Written>,
    #[serde(skip)]
    position: i64,
}

/// The stored result of an accepted combination, so that it can be repeated.
#[derive(Serialize, Deserialize)]
struct Done {
    made: bool,
    id: VariantId,
    sku: Sku,
}

/// Creates a variant for each combination of a product's options.
///
/// Each combination is accepted or refused on its own. Existing combinations stay unchanged, so the request can be repeated after
/// adding an option value.
#[utoipa::path(post, path = "/v1/products/{id}/variants/matrix", operation_id = "createVariantMatrix",
    tag = "catalog", params(("id" = String, Path)),
    request_body = Matrix, security(("bearer" = ["member"])),
    responses((status = 200, description = "The result for each combination", body = MatrixOutcome)))]
async fn matrix(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Trader, Matrix>,
) -> Result<Response, Problem> {
    let options = define(&app, id, &ask).await?;
    let all = combinations(&options).ok_or_else(|| {
        Problem::invalid(
            "/options",
            format!(
                "these options have more than {VARIANTS_MAX} combinations, the most variants that a product can have"
            ),
        )
    })?;
    check(&ask.body, &options, &all)?;
    let wanted = all.into_iter().filter(|it| !ask.body.exception(it).is_some_and(|it| it.skip));
    let mut rows = Vec::new();
    // One after the other: they all change one product.
    for (number, combination) in wanted.enumerate() {
        rows.push(told(&app, &ask, id, number, combination).await);
    }
    let count = |wanted: u16| rows.iter().filter(|row| row.status == wanted).count();
    let (made, present) = (count(StatusCode::CREATED.as_u16()), count(StatusCode::OK.as_u16()));
    let position = rows.iter().map(|row| row.position).max().unwrap_or_default();
    let outcome = MatrixOutcome { made, present, refused: rows.len() - made - present, rows };
    let mut response = reply::json(serde_json::to_string(&outcome).map_err(Error::from)?);
    if position > 0 {
        app.seen.raise(position);
        response.headers_mut().insert(LOG_POSITION, HeaderValue::from(position));
    }
    Ok(response)
}

/// Defines what the variants differ in, where that is said, and tells it.
async fn define(app: &App, id: ProductId, ask: &Ask<Trader, Matrix>) -> Result<Vec<OptionDefinition>, Problem> {
    let text = format!("{:?}", ask.body.options);
    let acts_for = ask.who.acts_for();
    let intent = ask.part(0, text.as_bytes()).intent("product.define_options");
    let done = app.commands.run(&intent, |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        if let Some(options) = &ask.body.options {
            products::define_options(&unit, &mut product, options)?;
        }
        Ok(product.state.live()?.options.clone())
    });
    let options = done.await?.answer;
    if options.is_empty() {
        return Err(Problem::invalid("/options", "the product has no options yet; send `options` to define them"));
    }
    Ok(options)
}

/// Refuses what could be right for no combination.
fn check(body: &Matrix, options: &[OptionDefinition], all: &[Options]) -> Result<(), Problem> {
    let mut rest = body.sku.as_str();
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            return Err(Problem::invalid("/sku", "a closing brace is missing"));
        };
        if !options.iter().any(|option| option.name.as_str() == name) {
            return Err(Problem::invalid("/sku", format!("there is no option {name:?}")));
        }
        rest = after;
    }
    // The same combination, in whatever order its options stand.
    let all: BTreeSet<BTreeSet<(&AttributeName, &Label)>> = all.iter().map(|it| it.iter().collect()).collect();
    let unknown = body.variants.iter().position(|it| !all.contains(&it.options.iter().collect::<BTreeSet<_>>()));
    unknown.map_or(Ok(()), |index| {
        Err(Problem::invalid(format!("/variants/{index}/options"), "there is no such combination"))
    })
}

/// Executes a combination and returns its result.
async fn told(app: &App, ask: &Ask<Trader, Matrix>, id: ProductId, number: usize, options: Options) -> MatrixRow {
    match carry_out(app, ask, id, number, &options).await {
        Ok((Done { made, id, sku }, position)) => {
            let status = if made { StatusCode::CREATED } else { StatusCode::OK };
            MatrixRow { status: status.as_u16(), options, id: Some(id), sku: Some(sku), problem: None, position }
        }
        Err(problem) => {
            let status = problem.status().as_u16();
            let problem = Some(problem.written(ask.request_id()));
            MatrixRow { status, options, id: None, sku: None, problem, position: 0 }
        }
    }
}

async fn carry_out(
    app: &App,
    ask: &Ask<Trader, Matrix>,
    id: ProductId,
    number: usize,
    options: &Options,
) -> Result<(Done, i64), Problem> {
    let text = format!("{:?} {options:?}", ask.body);
    let intent = ask.part(number + 1, text.as_bytes()).intent("product.add_variant");
    let (acts_for, new) = (ask.who.acts_for(), &ask.body.variant(options)?);
    let done = app.commands.run(&intent, |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        let created = product.state.live()?;
        if let Some((id, there)) = created.variants.iter().find(|(_, it)| it.options == *options) {
            return Ok(Done { made: false, id: *id, sku: there.sku.clone() });
        }
        products::check_tax_class(acts_for, TaxClass::default(), new.tax_class)?;
        let title = named(&created.title, options);
        let variant: VariantId = unit.new_id();
        products::add_variant(&unit, &mut product, variant, new.details(&title)).await?;
        Ok(Done { made: true, id: variant, sku: new.sku.clone() })
    });
    let done = done.await?;
    Ok((done.answer, done.position.unwrap_or_default()))
}

/// The title of a variant without one of its own: the product's title, followed by its option values if they fit.
fn named(product: &Title, options: &Options) -> Title {
    let values: Vec<&str> = options.values().map(Label::as_str).collect();
    Title::new(&format!("{product}, {}", values.join(", "))).unwrap_or_else(|_| product.clone())
}

impl Matrix {
    fn exception(&self, options: &Options) -> Option<&Exception> {
        self.variants.iter().find(|it| *it.options == *options)
    }

    /// The variant of a combination.
    fn variant(&self, options: &Options) -> Result<NewVariant, Error> {
        let other = self.exception(options);
        let sku = match other.and_then(|it| it.sku.clone()) {
            Some(sku) => sku,
            None => self.sku_of(options)?,
        };
        Ok(NewVariant {
            sku,
            title: other.and_then(|it| it.title.clone()),
            price: other.and_then(|it| it.price).unwrap_or(self.price),
            compare_at: self.compare_at,
            prices: self.prices.clone(),
            options: options.clone().into(),
            weight_g: other.and_then(|it| it.weight_g).or(self.weight_g),
            tax_class: self.tax_class,
            physical: self.physical,
        })
    }

    fn sku_of(&self, options: &Options) -> Result<Sku, Error> {
        let filled = options.iter().fold(self.sku.as_str().to_owned(), |sku, (name, value)| {
            let value = value.as_str().split_whitespace().collect::<Vec<_>>().join("-");
            sku.replace(&format!("{{{}}}", name.as_str()), &value)
        });
        fresh(|| Sku::new(&filled)).map_err(|error| {
            Error::Rejected(byteshop_commands::Rejected {
                code: "request.invalid".to_owned(),
                kind: Kind::Invalid,
                detail: format!("{filled:?} is not a valid SKU: {error}"),
                pointer: Some("/sku".to_owned()),
            })
        })
    }
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(matrix))
}
