//! How products and lines look over gRPC.

use byteshop_domain::ids::ProductId;
use byteshop_domain::money;
use byteshop_domain::product::{AttributeValue, Attributes, Created, OptionDefinition, Status, TaxClass};
use byteshop_domain::seller::Seller;
use byteshop_projections::product_list::{Image, Row, Variant};

use super::super::v1;
use super::super::v1::attribute_value::Kind;
use crate::queries::lines::{CheckedLine, CheckedLines, LineProblem};

/// A product of a list.
pub(super) fn row(row: &Row) -> v1::Product {
    v1::Product {
        id: row.id.to_string(),
        status: status(row.status).into(),
        title: row.title.to_string(),
        description: row.description.to_string(),
        category: row.category.map(|id| id.to_string()).unwrap_or_default(),
        attributes: attributes(&row.attributes),
        options: row.options.iter().map(option).collect(),
        images: row.images.iter().map(image).collect(),
        variants: row.variants.iter().map(|it| variant(it, None)).collect(),
        seller: row.seller.as_ref().map(|it| v1::ProductSeller {
            id: it.id.to_string(),
            handle: it.handle.as_ref().map(ToString::to_string).unwrap_or_default(),
            name: it.name.as_ref().map(ToString::to_string).unwrap_or_default(),
        }),
    }
}

/// One product, with the available quantity of each variant, and its images at the address of the API.
pub(super) fn product(
    id: ProductId,
    it: &Created,
    seller: Option<&Seller>,
    available: &[i64],
    api: &str,
) -> v1::Product {
    let variants = it
        .variants
        .iter()
        .enumerate()
        .map(|(index, (id, details))| variant(&Variant::of(*id, details), available.get(index).copied()));
    v1::Product {
        id: id.to_string(),
        status: status(it.status).into(),
        title: it.title.to_string(),
        description: it.description.to_string(),
        category: it.category.map(|id| id.to_string()).unwrap_or_default(),
        attributes: attributes(&it.attributes),
        options: it.options.iter().map(option).collect(),
        images: it.images.iter().map(|it| image(&Image::of(it).at(api))).collect(),
        variants: variants.collect(),
        seller: it.seller.zip(seller.and_then(|it| it.live().ok())).map(|(id, known)| v1::ProductSeller {
            id: id.to_string(),
            handle: known.handle.to_string(),
            name: known.name.to_string(),
        }),
    }
}

/// An amount.
pub(super) fn money(it: money::Money) -> v1::Money {
    v1::Money { amount: it.amount, currency: it.currency.code().to_owned() }
}

/// Lines beside what is offered.
pub(super) fn checked(it: &CheckedLines) -> v1::ValidateLinesResponse {
    v1::ValidateLinesResponse {
        purchasable: it.lines.iter().all(|line| line.problems.is_empty()),
        lines: it.lines.iter().map(line).collect(),
        subtotal: Some(money(it.subtotal)),
    }
}

fn line(it: &CheckedLine) -> v1::ValidatedLine {
    let offered = it.offered.as_ref();
    v1::ValidatedLine {
        variant: it.line.variant.to_string(),
        product: offered.map(|offered| offered.product.to_string()).unwrap_or_default(),
        sku: offered.map(|offered| offered.sku.to_string()).unwrap_or_default(),
        title: offered.map(|offered| offered.title.to_string()).unwrap_or_default(),
        quantity: it.line.quantity.get(),
        unit_price: offered.and_then(|offered| offered.offer).map(|offer| money(offer.price.money())),
        amount: it.amount.map(money),
        available: offered.map_or(0, |offered| offered.available),
        problems: it.problems.iter().map(problem).collect(),
    }
}

fn problem(it: &LineProblem) -> v1::LineProblem {
    v1::LineProblem { code: it.code().to_owned(), detail: it.to_string() }
}

/// The value of an attribute.
pub(super) fn value(it: &AttributeValue) -> v1::AttributeValue {
    let kind = match it {
        AttributeValue::Text(text) => Kind::Text(text.to_string()),
        AttributeValue::Integer(number) => Kind::Number(*number),
        AttributeValue::Boolean(yes) => Kind::Boolean(*yes),
    };
    v1::AttributeValue { kind: Some(kind) }
}

fn attributes(them: &Attributes) -> std::collections::HashMap<String, v1::AttributeValue> {
    them.iter().map(|(name, it)| (name.to_string(), value(it))).collect()
}

fn status(it: Status) -> v1::ProductStatus {
    match it {
        Status::Draft => v1::ProductStatus::Draft,
        Status::Published => v1::ProductStatus::Published,
        Status::Unpublished => v1::ProductStatus::Unpublished,
        Status::Archived => v1::ProductStatus::Archived,
    }
}

fn option(it: &OptionDefinition) -> v1::OptionDefinition {
    v1::OptionDefinition { name: it.name.to_string(), values: it.values.iter().map(ToString::to_string).collect() }
}

fn image(it: &Image) -> v1::Image {
    let thumbnails = it.thumbnails.iter().map(|it| v1::Thumbnail { size: it.size, url: it.url.clone() });
    v1::Image {
        id: it.id.to_string(),
        media_type: it.r#type.media_type().to_owned(),
        width: it.width,
        height: it.height,
        alt: it.alt.as_ref().map(ToString::to_string).unwrap_or_default(),
        url: it.url.clone(),
        thumbnails: thumbnails.collect(),
    }
}

fn variant(it: &Variant, available: Option<i64>) -> v1::Variant {
    let listed = it.prices.iter().map(|listed| v1::ListedPrice {
        price: Some(money(listed.price.money())),
        compare_at: listed.compare_at.map(|price| money(price.money())),
    });
    v1::Variant {
        id: it.id.to_string(),
        sku: it.sku.to_string(),
        title: it.title.to_string(),
        prices: listed.collect(),
        options: it.options.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        weight_g: it.weight_g,
        tax_class: tax_class(it.tax_class).into(),
        physical: it.physical,
        available,
    }
}

fn tax_class(it: TaxClass) -> v1::TaxClass {
    match it {
        TaxClass::Standard => v1::TaxClass::Standard,
        TaxClass::Reduced => v1::TaxClass::Reduced,
        TaxClass::SuperReduced => v1::TaxClass::SuperReduced,
        TaxClass::Zero => v1::TaxClass::Zero,
    }
}
