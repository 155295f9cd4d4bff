//! Hangs a drawn picture, and for some products a second one, on what was made.

use byteshop_commands::Commands;
use byteshop_commands::use_cases::products;
use byteshop_domain::ids::{ImageId, ProductId};
use byteshop_domain::product::{Image, Product};
use byteshop_domain::text::{Hash, Label};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::super::failure::Failure;
use super::demo::intent;
use super::drawing::draw;
use crate::pictures::Pictures;

/// Products that are worked on at the same time: drawing and copying keep a processor busy each.
const AT_ONCE: usize = 4;

/// Draws for each product; `products` are ids with category and title, and `drawn` hears of each that is done.
pub(super) async fn hang(
    commands: &Commands,
    pictures: &Pictures,
    products: impl IntoIterator<Item = (ProductId, &str, &str)>,
    drawn: impl Fn(),
) -> Result<(), Failure> {
    futures_util::stream::iter(products)
        .map(|(product, category, title)| one(commands, pictures, product, category, title))
        .buffer_unordered(AT_ONCE)
        .try_for_each(|()| {
            drawn();
            std::future::ready(Ok(()))
        })
        .await
}

async fn one(
    commands: &Commands,
    pictures: &Pictures,
    product: ProductId,
    category: &str,
    title: &str,
) -> Result<(), Failure> {
    // Every third product has a second view, so that there is an order to change.
    let views = if title.len().is_multiple_of(3) { 2 } else { 1 };
    // An earlier run may have been stopped while it drew, or have been told to draw nothing.
    let found = commands.get::<Product>(product).await?;
    let hung = found.and_then(|found| found.state.live().ok().map(|product| product.images.len())).unwrap_or(0);
    for view in (0..views).skip(hung) {
        let (of_category, of_title) = (category.to_owned(), title.to_owned());
        let drawn = tokio::task::spawn_blocking(move || draw(&of_category, &of_title, view)).await;
        let drawn = drawn.map_err(|error| Failure::refused(error.to_string()))??;
        let kept = pictures.keep(drawn.into()).await.map_err(|problem| Failure::refused(problem.code().to_owned()))?;
        let digest = Hash::new(&kept.digest).map_err(|error| Failure::refused(error.to_string()))?;
        let (digest, alt) = (&digest, &Label::new(title).ok());
        let intent = intent("product.add_image", format!("image {view} of {title}"));
        let done = commands.run(&intent, |unit| async move {
            let mut product = unit.load::<Product>(product).await?.exists()?;
            let image = Image {
                image: unit.new_id::<ImageId>(),
                digest: digest.clone(),
                r#type: kept.r#type,
                width: kept.width,
                height: kept.height,
                bytes: kept.bytes,
                alt: alt.clone(),
            };
            products::add_image(&unit, &mut product, image)
        });
        done.await?;
    }
    Ok(())
}
