//! Bulk changes of products: each row is a command of its own, with its own result.

use axum::extract::{FromRequest, Request, State};
use axum::response::Response;
use bytes::Bytes;
use byteshop_commands::use_cases::products::{self, Revision};
use byteshop_commands::use_cases::sellers::ActsFor;
use byteshop_commands::{Error, Loaded, Unit};
use byteshop_domain::Bounded;
use byteshop_domain::ids::{CategoryId, ProductId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::product::{Product, Schedule, TaxClass, VARIANTS_MAX};
use byteshop_domain::text::{Description, Sku, Title, fresh};
use futures_util::StreamExt as _;
use http::{HeaderValue, Method, StatusCode, header};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::products::{AttributeMap, OptionList};
use super::variants::{ChangedVariant, NewVariant, OptionMap, Prices};
use crate::app::{App, Shared};
use crate::edge::actor::Staff;
use crate::edge::ask::{Ask, present};
use crate::edge::body::schema::Schema;
use crate::edge::headers::LOG_POSITION;
use crate::edge::problem::{Problem, Written};
use crate::edge::{body, reply};

/// Most rows of one request: at the pace of a private laptop it still answers within seconds.
const ROWS_MAX: usize = 1_000;
/// Largest body: a thousand rows with long descriptions.
const BODY_MAX: usize = 16 << 20;
/// Rows that are carried out at the same time: they are written down together.
const AT_ONCE: usize = 64;
/// Where they are sent.
const PATH: &str = "/v1/products/bulk";
/// The media type of rows that each have a line of their own.
const NDJSON: &str = "application/x-ndjson";

/// The caller and the rows.
struct Sent(Ask<Staff, Vec<Given>>);

/// A row as it was sent.
struct Given {
    text: Bytes,
    /// The line, from 1, if rows are lines.
    line: Option<usize>,
}

impl FromRequest<Shared> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        let (ask, headers) = Ask::<Staff, Bytes>::of_bytes(request, app, BODY_MAX).await?;
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let rows = match kind.as_str() {
            "application/json" => elements(&ask.body)?,
            NDJSON => lines(&ask.body),
            _ => {
                return Err(Problem::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "request.unsupported_media_type",
                    format!("rows are an array as application/json, or lines as {NDJSON}"),
                ));
            }
        };
        if rows.is_empty() || rows.len() > ROWS_MAX {
            return Err(too_many());
        }
        Ok(Self(ask.with(rows)))
    }
}

fn too_many() -> Problem {
    Problem::invalid("", format!("send 1 to {ROWS_MAX} rows"))
}

/// The elements of an array; what is no array has no rows that could be told apart.
fn elements(body: &Bytes) -> Result<Vec<Given>, Problem> {
    if !body.trim_ascii_start().starts_with(b"[") {
        return Err(body::no_list(body));
    }
    let rows: Rows<&RawValue> = fresh(|| serde_json::from_slice(body))
        .map_err(|error| if error.is_data() { too_many() } else { body::no_list(body) })?;
    Ok(rows.iter().map(|row| Given { text: body.slice_ref(row.get().as_bytes()), line: None }).collect())
}

/// The lines in which there is something. What is not JSON breaks one row and not the others, as every row has its own end.
fn lines(body: &Bytes) -> Vec<Given> {
    // Spreadsheets put a byte order mark before the first line.
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let lines = text.split(|byte| *byte == b'\n').zip(1..).map(|(line, number)| (line.trim_ascii(), number));
    // One too many is enough to refuse them all.
    let lines = lines.filter(|(line, _)| !line.is_empty()).take(ROWS_MAX + 1);
    lines.map(|(line, number)| Given { text: body.slice_ref(line), line: Some(number) }).collect()
}

/// The reason why a line is not JSON.
fn json(line: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(line).map_err(|_| "the row is not valid UTF-8")?;
    serde_json::from_str::<IgnoredAny>(text).map(|_| ()).map_err(|error| {
        let column = error.column();
        let cause = if error.is_eof() { "it ends too early," } else { "a syntax error" };
        format!("{cause} at column {column}")
    })
}

impl Given {
    /// Parses the row.
    fn read(&self, schema: Option<Schema<'_>>) -> Result<Row, Problem> {
        if self.text.len() > body::BODY_MAX {
            let detail = format!("a row has at most {} bytes", body::BODY_MAX);
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large", detail));
        }
        if let Some(line) = self.line {
            json(&self.text).map_err(|said| {
                Problem::malformed("request.malformed_json", format!("line {line} is not JSON: {said}"))
            })?;
        }
        body::object(&self.text, schema)
    }
}

/// Rows of one request, each accepted or refused on its own.
type Rows<T> = Bounded<Vec<T>, ROWS_MAX>;
/// Variants of a row.
type RowVariants = Bounded<Vec<RowVariant>, VARIANTS_MAX>;

/// A product to create, or to update if it has an id; then fields left out stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The product to update; leave out to create one.
    id: Option<ProductId>,
    title: Option<Title>,
    /// Plain text, not HTML or Markdown; line breaks are kept.
    description: Option<Description>,
    /// Null for none.
    #[serde(default, deserialize_with = "present")]
    category: Option<Option<CategoryId>>,
    attributes: Option<AttributeMap>,
    options: Option<OptionList>,
    /// Variants with a known SKU are updated, others are added.
    #[serde(default)]
    variants: RowVariants,
    /// Whether to publish it; unchanged if absent.
    publish: Option<bool>,
}

/// A variant to create or update.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RowVariant {
    sku: Sku,
    title: Option<Title>,
    /// Required for a new variant.
    price: Option<Price>,
    #[serde(default, deserialize_with = "present")]
    compare_at: Option<Option<Price>>,
    /// The unit price in further currencies, or in all if `price` is absent.
    prices: Option<Prices>,
    options: Option<OptionMap>,
    #[serde(default, deserialize_with = "present")]
    #[schema(maximum = 1_000_000)]
    weight_g: Option<Option<u32>>,
    tax_class: Option<TaxClass>,
    physical: Option<bool>,
}

/// The results, in the order of the rows.
#[derive(Serialize, ToSchema)]
struct Outcome {
    /// Rows accepted.
    accepted: usize,
    /// Rows refused.
    refused: usize,
    rows: Vec<RowOutcome>,
}

/// The result for one row.
#[derive(Serialize, ToSchema)]
struct RowOutcome {
    /// The index, from 0.
    row: usize,
    /// The line of the body, from 1, where rows are lines, else null; empty lines are counted.
    line: Option<usize>,
    /// 201 if a product was created, 200 if one was updated, otherwise the status of the problem.
    status: u16,
    /// The product; null if the row was refused.
    id: Option<ProductId>,
    /// The problem, in the usual form; null if there is none.
    #[schema(schema_with = crate::http::show::names::problem)]
    problem: Option<Written>,
    #[serde(skip)]
    position: i64,
}

/// Creates and updates many products.
///
/// Each row is accepted or refused on its own, and so is a line that is not JSON. With an `Idempotency-Key`, rows that were already
/// accepted are not applied again.
#[utoipa::path(post, path = "/v1/products/bulk", operation_id = "upsertProducts",
    tag = "catalog", security(("bearer" = ["staff"])),
    request_body(description = "Rows, each accepted or refused on its own", content((Rows<Row> = "application/json",
        example = json!([{"title": "Espresso cup", "variants": [{"sku": "CUP-WHITE", "price": {"amount": 790, "currency": "EUR"}}], "publish": true}])),
        (String = "application/x-ndjson"))),
    responses((status = 200, description = "The result for each row", body = Outcome)))]
async fn bulk(State(app): State<Shared>, Sent(ask): Sent) -> Result<Response, Problem> {
    let work: Vec<_> = (0..ask.body.len()).map(|number| told(&app, &ask, number)).collect();
    let rows: Vec<RowOutcome> = futures_util::stream::iter(work).buffered(AT_ONCE).collect().await;
    let position = rows.iter().map(|row| row.position).max().unwrap_or_default();
    let refused = rows.iter().filter(|row| row.problem.is_some()).count();
    let outcome = Outcome { accepted: rows.len() - refused, refused, rows };
    let mut response = reply::json(serde_json::to_string(&outcome).map_err(Error::from)?);
    if position > 0 {
        app.seen.raise(position);
        response.headers_mut().insert(LOG_POSITION, HeaderValue::from(position));
    }
    Ok(response)
}

/// The stored result of an accepted row, so that it can be repeated.
#[derive(Serialize, Deserialize)]
struct Done {
    created: bool,
    id: ProductId,
}

/// Executes a row and returns its result.
async fn told(app: &App, sent: &Ask<Staff, Vec<Given>>, number: usize) -> RowOutcome {
    let (row, line) = (number, sent.body[number].line);
    match carry_out(app, sent, number).await {
        Ok((status, id, position)) => RowOutcome { row, line, status, id: Some(id), problem: None, position },
        Err(problem) => {
            let status = problem.status().as_u16();
            let problem = Some(problem.written(sent.request_id()));
            RowOutcome { row, line, status, id: None, problem, position: 0 }
        }
    }
}

async fn carry_out(app: &App, sent: &Ask<Staff, Vec<Given>>, number: usize) -> Result<(u16, ProductId, i64), Problem> {
    let given = &sent.body[number];
    let schema = app.contract.body(&Method::POST, PATH).and_then(Schema::of_items);
    let row = &given.read(schema)?;
    let intent = sent.part(number, &given.text).intent("product.bulk");
    let done = app.commands.run(&intent, |unit| async move {
        let mut product = match row.id {
            Some(id) => row.revise(&unit, unit.load::<Product>(id).await?.exists()?).await?,
            None => row.create(&unit).await?,
        };
        row.complete(&unit, &mut product).await?;
        Ok(Done { created: row.id.is_none(), id: product.id })
    });
    let done = done.await?;
    let status = if done.answer.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status.as_u16(), done.answer.id, done.position.unwrap_or_default()))
}

impl Row {
    async fn create(&self, unit: &Unit) -> Result<Loaded<Product>, Error> {
        let title = self.title.clone().ok_or_else(|| missing("/title", "a new product needs a title"))?;
        let new = products::NewProduct {
            description: self.description.clone(),
            category: self.category.flatten(),
            attributes: self.attributes.as_deref().cloned().unwrap_or_default(),
            options: self.options.as_ref().map(|options| options.to_vec()).unwrap_or_default(),
            ..products::NewProduct::titled(title)
        };
        products::create(unit, new, ActsFor::House).await
    }

    async fn revise(&self, unit: &Unit, mut product: Loaded<Product>) -> Result<Loaded<Product>, Error> {
        let revision = Revision {
            title: self.title.clone(),
            description: self.description.clone(),
            category: self.category,
            attributes: self.attributes.as_deref().cloned(),
            options: self.options.as_ref().map(|options| options.to_vec()),
        };
        products::revise(unit, &mut product, revision).await?;
        Ok(product)
    }

    /// Applies the variants of the row, and publishes the product if the row says so.
    async fn complete(&self, unit: &Unit, product: &mut Loaded<Product>) -> Result<(), Error> {
        for (index, variant) in self.variants.iter().enumerate() {
            variant.apply(unit, product, index).await?;
        }
        match self.publish {
            Some(true) => products::publish(unit, product, Schedule::default()).await,
            Some(false) => products::unpublish(unit, product),
            None => Ok(()),
        }
    }
}

impl RowVariant {
    async fn apply(&self, unit: &Unit, product: &mut Loaded<Product>, index: usize) -> Result<(), Error> {
        let created = product.state.live()?;
        let known = created.variants.iter().find(|(_, it)| it.sku == self.sku).map(|(id, _)| *id);
        if let Some(variant) = known {
            let change = self.change();
            products::revise_variant(unit, product, variant, change.details()).await?;
            let prices = change.prices().map_err(|_| {
                missing(
                    &format!("/variants/{index}/prices"),
                    "send either price or prices, and compare_at only with price",
                )
            })?;
            return match prices {
                Some(prices) => prices.set(unit, product, variant).await,
                None => Ok(()),
            };
        }
        let pointer = format!("/variants/{index}/price");
        let price = self.price.ok_or_else(|| missing(&pointer, "a new variant needs a price"))?;
        let details = self.new_variant(price).details(&created.title);
        let variant: VariantId = unit.new_id();
        products::add_variant(unit, product, variant, details).await
    }

    fn change(&self) -> ChangedVariant {
        ChangedVariant {
            title: self.title.clone(),
            price: self.price,
            compare_at: self.compare_at,
            prices: self.prices.clone(),
            options: self.options.clone(),
            weight_g: self.weight_g,
            tax_class: self.tax_class,
            physical: self.physical,
        }
    }

    fn new_variant(&self, price: Price) -> NewVariant {
        NewVariant {
            sku: self.sku.clone(),
            title: self.title.clone(),
            price,
            compare_at: self.compare_at.flatten(),
            prices: self.prices.clone().unwrap_or_default(),
            options: self.options.clone().unwrap_or_default(),
            weight_g: self.weight_g.flatten(),
            tax_class: self.tax_class,
            physical: self.physical,
        }
    }
}

/// A field that is not there, or not as it must be.
fn missing(pointer: &str, detail: &'static str) -> Error {
    Error::Rejected(byteshop_commands::Rejected {
        code: "request.invalid".to_owned(),
        kind: byteshop_domain::Kind::Invalid,
        detail: detail.to_owned(),
        pointer: Some(pointer.to_owned()),
    })
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(bulk))
}
