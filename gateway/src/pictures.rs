//! Uploaded images: detected by content, measured before decoding, and re-encoded in sRGB, so that only the visible
//! image is kept of the sender's file.

mod colour;
mod whole;

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use byteshop_commands::ports::blobs::{BlobError, BlobName, Blobs};
use byteshop_domain::product::{ImageType, THUMBNAILS};
use byteshop_eventstore::envelope::to_hex;
use http::StatusCode;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits};
use lru::LruCache;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::edge::problem::Problem;

/// Largest file: what a good camera writes.
pub const FILE_MAX: usize = 10 << 20;
/// Longest side, in pixels.
const SIDE_MAX: u32 = 12_000;
/// Most pixels: four bytes of memory each.
const PIXELS_MAX: u64 = 40_000_000;
/// Memory for unpacking one picture: its pixels, and some for the way there.
const MEMORY_MAX: u64 = 400 << 20;
/// Memory for what else a file has packed, such as its profile: four times the largest profile that is read, since it doubles
/// while it is unpacked. A file of 10 MB can promise a thousand times as much.
const EXTRAS_MAX: u64 = 4 * colour::PROFILE_MAX as u64;
/// Longest side of what is kept: twice what a wide screen shows.
const KEPT_MAX: u32 = 2_560;
/// Pictures that are worked on at once: each takes a processor and up to [`MEMORY_MAX`].
const AT_ONCE: usize = 2;
/// Bytes of files that are kept in memory: what the pages of a busy shop show, each once however many ask for it.
const CACHE_MAX: usize = 64 << 20;
/// Files that are read from the store at once; each may have [`FILE_MAX`] bytes.
const READS: usize = 8;
/// Files whose pictures are remembered, so that the same file is not decoded again; each takes some 300 bytes.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4_096).expect("a positive number");
/// Most memory that pictures take in all, in bytes.
pub const MEMORY_ALL: u64 = AT_ONCE as u64 * MEMORY_MAX + CACHE_MAX as u64 + (READS * FILE_MAX) as u64;
/// How well photographs are kept, of 100: what comes out has no visible flaws.
const JPEG_QUALITY: u8 = 85;

/// Where pictures are made and kept. Clones share it.
#[derive(Debug, Clone)]
pub struct Pictures {
    blobs: Blobs,
    turns: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    recent: Arc<Mutex<Recent>>,
    /// What was kept of files that were sent in, by the digest of each. Nothing removes pictures from the store.
    known: Arc<Mutex<LruCache<String, Kept>>>,
}

/// Files that were asked for lately. Their names say what is in them, so they never change.
#[derive(Debug)]
struct Recent {
    files: LruCache<BlobName, Bytes>,
    bytes: usize,
}

impl Recent {
    fn keep(&mut self, name: BlobName, file: Bytes) {
        self.bytes += file.len();
        if let Some((_, old)) = self.files.push(name, file) {
            self.bytes -= old.len();
        }
        while self.bytes > CACHE_MAX
            && let Some((_, oldest)) = self.files.pop_lru()
        {
            self.bytes -= oldest.len();
        }
    }
}

/// A picture that is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// SHA-256 of the file, in hexadecimal digits.
    pub digest: String,
    /// How it is written.
    pub r#type: ImageType,
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// How long the file is.
    pub bytes: u64,
}

/// Why a picture is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// The file is not an image, or is in an unsupported format.
    NotOne,
    /// The image is damaged.
    Broken,
    /// The image is too large to decode.
    TooLarge,
}

/// The file, and smaller copies of it.
struct Made {
    kept: Kept,
    files: Vec<(BlobName, Bytes)>,
}

impl Pictures {
    /// Keeps pictures there.
    pub fn in_blobs(blobs: Blobs) -> Self {
        let recent = Recent { files: LruCache::unbounded(), bytes: 0 };
        let (turns, reads) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Semaphore::new(READS)));
        let known = Arc::new(Mutex::new(LruCache::new(REMEMBERED)));
        Self { blobs, turns, reads, recent: Arc::new(Mutex::new(recent)), known }
    }

    /// Writes a picture and smaller copies of it into the store. A file that this process knows is not decoded again.
    pub async fn keep(&self, file: Bytes) -> Result<Kept, Problem> {
        let hashed = file.clone();
        let digest = tokio::task::spawn_blocking(move || to_hex(&Sha256::digest(&hashed))).await;
        let digest = digest.map_err(|_| Problem::internal())?;
        if let Some(kept) = self.known().get(&digest) {
            return Ok(kept.clone());
        }
        let turn = self.turns.acquire().await.map_err(|_| Problem::internal())?;
        let made = tokio::task::spawn_blocking(move || make(&file)).await;
        drop(turn);
        let made = made.unwrap_or_else(|error| {
            // A file that a decoder cannot cope with is the sender's, not the shop's.
            tracing::error!(%error, "an image decoder panicked");
            Err(Refused::Broken)
        });
        let Made { kept, files } = made.map_err(Problem::from)?;
        for (name, bytes) in files {
            self.blobs.put(&name, bytes).await?;
        }
        let mut known = self.known();
        // What is served of it is the same picture when it is sent in.
        known.put(kept.digest.clone(), kept.clone());
        known.put(digest, kept.clone());
        drop(known);
        Ok(kept)
    }

    /// A file of the store, if there is one. All who ask for a file that is in memory share it.
    pub async fn file(&self, name: &BlobName) -> Result<Option<Bytes>, Problem> {
        if let Some(file) = self.recent().files.get(name) {
            return Ok(Some(file.clone()));
        }
        let _turn = self.reads.acquire().await.map_err(|_| Problem::internal())?;
        // Another task may have read it in the meantime.
        if let Some(file) = self.recent().files.get(name) {
            return Ok(Some(file.clone()));
        }
        let file = self.blobs.get(name).await?;
        if let Some(file) = &file {
            self.recent().keep(name.clone(), file.clone());
        }
        Ok(file)
    }

    fn known(&self) -> MutexGuard<'_, LruCache<String, Kept>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make(file: &[u8]) -> Result<Made, Refused> {
    let Read { picture, r#type, profile } = read(file)?;
    // Made smaller first, so that the second copy of the pixels that this takes is never a large one.
    let picture = colour::in_srgb(fitted(picture, KEPT_MAX), profile.as_deref());
    let whole = written(&picture, r#type)?;
    let digest = to_hex(&Sha256::digest(&whole));
    let extension = r#type.extension();
    let (width, height, bytes) = (picture.width(), picture.height(), whole.len() as u64);
    let name = |text: String| BlobName::parse(&text).ok_or(Refused::Broken);
    let mut files = vec![(name(format!("{digest}.{extension}"))?, whole)];
    for size in THUMBNAILS {
        let copy = written(&fitted(picture.clone(), size), r#type)?;
        files.push((name(format!("{digest}-{size}.{extension}"))?, copy));
    }
    Ok(Made { kept: Kept { digest, r#type, width, height, bytes }, files })
}

/// A picture as it was unpacked.
#[derive(Debug)]
struct Read {
    picture: DynamicImage,
    /// How it is best written.
    r#type: ImageType,
    /// The colour profile, if there is one.
    profile: Option<Vec<u8>>,
}

/// Unpacks a picture, upright.
fn read(file: &[u8]) -> Result<Read, Refused> {
    let kind = infer::get(file).ok_or(Refused::NotOne)?;
    let format = match kind.mime_type() {
        "image/jpeg" => ImageFormat::Jpeg,
        "image/png" => ImageFormat::Png,
        "image/webp" => ImageFormat::WebP,
        "image/gif" => ImageFormat::Gif,
        _ => return Err(Refused::NotOne),
    };
    if !whole::is_whole(file, format) {
        return Err(Refused::Broken);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    let refused = |error: image::ImageError| match error {
        image::ImageError::Limits(_) => Refused::TooLarge,
        image::ImageError::Decoding(_)
        | image::ImageError::Encoding(_)
        | image::ImageError::Parameter(_)
        | image::ImageError::Unsupported(_)
        | image::ImageError::IoError(_) => Refused::Broken,
    };
    // Only the header has been read here; whatever it promises beyond these bounds is never unpacked.
    let mut decoder = decoder(file, format, limits).map_err(refused)?;
    let (width, height) = decoder.dimensions();
    let is_large = width > SIDE_MAX || height > SIDE_MAX || u64::from(width) * u64::from(height) > PIXELS_MAX;
    if is_large || decoder.total_bytes() > MEMORY_MAX {
        return Err(Refused::TooLarge);
    }
    let profile = decoder.icc_profile().ok().flatten();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    picture.apply_orientation(orientation);
    let is_photograph = matches!(format, ImageFormat::Jpeg | ImageFormat::WebP) && !picture.color().has_alpha();
    Ok(Read { picture, r#type: if is_photograph { ImageType::Jpeg } else { ImageType::Png }, profile })
}

/// The decoder of a file. For a PNG the pixels do not count against the memory limit of its reader, but all its other
/// data does when it is decompressed: a profile that does not fit is left out. In the other formats nothing else is
/// compressed.
fn decoder(file: &[u8], format: ImageFormat, limits: Limits) -> ImageResult<Box<dyn ImageDecoder + '_>> {
    let file = Cursor::new(file);
    if format == ImageFormat::Png {
        let mut extras = limits.clone();
        extras.max_alloc = Some(EXTRAS_MAX);
        let mut png = PngDecoder::with_limits(file, extras)?;
        png.set_limits(limits)?;
        return Ok(Box::new(png));
    }
    let mut reader = ImageReader::with_format(file, format);
    reader.limits(limits);
    Ok(Box::new(reader.into_decoder()?))
}

/// A picture that is no larger, at least one pixel each way.
fn fitted(picture: DynamicImage, side: u32) -> DynamicImage {
    if picture.width() <= side && picture.height() <= side { picture } else { picture.thumbnail(side, side) }
}

fn written(picture: &DynamicImage, r#type: ImageType) -> Result<Bytes, Refused> {
    let mut file = Vec::new();
    let outcome = match r#type {
        ImageType::Jpeg => picture.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY)),
        ImageType::Png => {
            let picture = if picture.color().has_alpha() {
                DynamicImage::ImageRgba8(picture.to_rgba8())
            } else {
                DynamicImage::ImageRgb8(picture.to_rgb8())
            };
            picture.write_to(&mut Cursor::new(&mut file), ImageFormat::Png)
        }
    };
    outcome.map_err(|_| Refused::Broken)?;
    Ok(file.into())
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotOne => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "image.unsupported",
                "the file is not a JPEG, PNG, WebP or GIF image",
            ),
            Refused::Broken => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "image.broken", "the image is truncated or damaged")
            }
            Refused::TooLarge => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "image.too_large",
                format!("an image can have at most {PIXELS_MAX} pixels, and {SIDE_MAX} on a side"),
            ),
        }
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        tracing::error!(%error, "a file could not be written or read");
        Self::unavailable("the file store does not answer")
    }
}

#[cfg(test)]
mod tests;
