//! The pictures of a product: the files lie in the blob store under the hash of what they hold; here is what is known of them.

use serde::{Deserialize, Serialize};

use super::{Created, Decision, Event, Rejection};
use crate::ids::ImageId;
use crate::text::{Hash, Label};

/// Most pictures of a product: more than anybody looks at.
pub const IMAGES_MAX: usize = 20;

/// A picture of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// What names it within the product.
    pub image: ImageId,
    /// SHA-256 of the file, in hexadecimal digits: its name in the blob store.
    pub digest: Hash,
    /// How the file is written.
    pub r#type: ImageType,
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// How long the file is.
    pub bytes: u64,
    /// What it shows, for people who do not see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<Label>,
}

/// How a picture is written: as the shop writes it, whatever was sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageType {
    /// Photographs.
    Jpeg,
    /// Drawings, and what can be seen through.
    Png,
}

impl ImageType {
    /// The ending of its file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// Longest side of each smaller copy of a picture, in pixels: one for lists, one for pages.
pub const THUMBNAILS: [u32; 2] = [160, 640];

impl Image {
    /// Where the picture is served; a size of [`THUMBNAILS`] gives a copy that is no larger.
    pub fn path(&self, size: Option<u32>) -> String {
        let (digest, extension) = (&self.digest, self.r#type.extension());
        match size {
            Some(size) => format!("/v1/files/{digest}-{size}.{extension}"),
            None => format!("/v1/files/{digest}.{extension}"),
        }
    }
}

impl Created {
    pub(super) fn add_image(&self, image: &Image) -> Decision {
        if let Some(known) = self.images.iter().find(|known| known.image == image.image) {
            return if known == image { Ok(vec![]) } else { Err(Rejection::ImageTwice) };
        }
        if self.images.iter().any(|known| known.digest == image.digest) {
            return Err(Rejection::ImageTwice);
        }
        if self.images.len() == IMAGES_MAX {
            return Err(Rejection::TooManyImages);
        }
        Ok(vec![Event::ImageAdded(image.clone())])
    }

    pub(super) fn order_images(&self, images: &[ImageId]) -> Decision {
        let known: Vec<ImageId> = self.images.iter().map(|image| image.image).collect();
        let sorted = |images: &[ImageId]| {
            let mut images = images.to_vec();
            images.sort_unstable();
            images
        };
        if sorted(images) != sorted(&known) {
            return Err(Rejection::ImagesDiffer);
        }
        Ok(if images == known { vec![] } else { vec![Event::ImagesOrdered { images: images.to_vec() }] })
    }

    pub(super) fn describe_image(&self, image: ImageId, alt: Option<&Label>) -> Decision {
        let known = self.images.iter().find(|known| known.image == image).ok_or(Rejection::NoSuchImage)?;
        let same = known.alt.as_ref() == alt;
        Ok(if same { vec![] } else { vec![Event::ImageDescribed { image, alt: alt.cloned() }] })
    }

    pub(super) fn remove_image(&self, image: ImageId) -> Vec<Event> {
        // Unknown, so removed already or never there.
        let known = self.images.iter().any(|known| known.image == image);
        if known { vec![Event::ImageRemoved { image }] } else { vec![] }
    }
}

/// Puts pictures into an order, in which those that are there all are.
pub fn reorder(images: &mut [Image], order: &[ImageId]) {
    images.sort_by_key(|image| order.iter().position(|id| *id == image.image));
}
