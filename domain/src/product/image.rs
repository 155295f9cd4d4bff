//! The pictures of a product: the files lie in the blob store under the hash of what they hold; here is what is known of them.

use serde::{Deserialize, Serialize};

use crate::ids::ImageId;
use crate::text::{Hash, Label};

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

/// Puts pictures into an order, in which those that are there all are.
pub fn reorder(images: &mut [Image], order: &[ImageId]) {
    images.sort_by_key(|image| order.iter().position(|id| *id == image.image));
}
