//! Files that speak for the shop in a dispute.

use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::ids::FileId;
use crate::text::FileName;

/// The most bytes of a file: it is sealed in memory, and a scan of some pages or a photo has less. PayPal takes files of 10 MB.
pub const FILE_MAX: usize = 5 << 20;
/// The most bytes of all files of a dispute: they are sent in one request, which must not take long.
pub const FILES_MAX: u64 = 15 << 20;

/// What a file is: PayPal takes these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileKind {
    /// A document.
    #[serde(rename = "application/pdf")]
    Pdf,
    /// An image.
    #[serde(rename = "image/png")]
    Png,
    /// A photo.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// An image of few colours.
    #[serde(rename = "image/gif")]
    Gif,
}

impl FileKind {
    /// How files of each kind begin.
    const BEGINNINGS: [(&'static [u8], Self); 5] = [
        (b"%PDF-", Self::Pdf),
        (b"\x89PNG\r\n\x1a\n", Self::Png),
        (b"\xff\xd8\xff", Self::Jpeg),
        (b"GIF87a", Self::Gif),
        (b"GIF89a", Self::Gif),
    ];

    /// What a file is, by its first bytes; none if it is nothing of these.
    pub fn of(content: &[u8]) -> Option<Self> {
        let is_so = |(beginning, _): &&(&[u8], Self)| content.starts_with(beginning);
        Self::BEGINNINGS.iter().find(is_so).map(|(_, kind)| *kind)
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
        }
    }

    /// How the names of such files end.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Gif => "gif",
        }
    }
}

/// A file that speaks for the shop. Its content is in the store of files, sealed with the key that its name is sealed with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceFile {
    /// Its id in the store of files.
    pub file: FileId,
    /// Its name, sealed, as it may contain personal data of the buyer.
    pub name: Personal<FileName>,
    /// What it is.
    pub media_type: FileKind,
    /// The number of its bytes.
    pub bytes: u64,
}
