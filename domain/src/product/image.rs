//! The images of a product. Their files are in the blob store under the hash of their content; here is what is known of them.

use serde::{Deserialize, Serialize};

use crate::ids::ImageId;
use crate::text::{Hash, Label};

/// An image of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The id of the image within the product.
    pub image: ImageId,
    /// The SHA-256 hash of the file in hexadecimal digits: its name in the blob store.
    pub digest: Hash,
    /// The format of the file.
    pub r#type: ImageType,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The text alternative, for people who cannot see the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<Label>,
}

/// The format in which the shop stores an image, whatever was uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageType {
    /// JPEG, for photographs.
    Jpeg,
    /// PNG, for drawings and transparency.
    Png,
}

impl ImageType {
    /// The file extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// The longest side of each thumbnail in pixels: one for lists, one for pages.
pub const THUMBNAILS: [u32; 2] = [160, 640];

/// The beginning of the path of every image.
pub const IMAGE_PATH: &str = "/v1/files/";

impl Image {
    /// The path at which the image is served; a size of [`THUMBNAILS`] gives a copy that is no larger.
    pub fn path(&self, size: Option<u32>) -> String {
        let (digest, extension) = (&self.digest, self.r#type.extension());
        match size {
            Some(size) => format!("{IMAGE_PATH}{digest}-{size}.{extension}"),
            None => format!("{IMAGE_PATH}{digest}.{extension}"),
        }
    }
}

/// Puts images in an order that lists each of them once.
pub fn reorder(images: &mut [Image], order: &[ImageId]) {
    images.sort_by_key(|image| order.iter().position(|id| *id == image.image));
}
