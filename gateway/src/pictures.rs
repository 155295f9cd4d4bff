//! Pictures that people send in: told by what is in them, measured before they are unpacked, and written anew in sRGB, so that
//! nothing of the sender's file is kept but what can be seen.

mod colour;
mod whole;

use std::io::Cursor;
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

use crate::problem::Problem;

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
/// How well photographs are kept, of 100: what comes out has no visible flaws.
const JPEG_QUALITY: u8 = 85;

/// Where pictures are made and kept. Clones share it.
#[derive(Debug, Clone)]
pub struct Pictures {
    blobs: Blobs,
    turns: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    recent: Arc<Mutex<Recent>>,
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
    /// What is sent is none, or of a kind that is not taken.
    NotOne,
    /// It begins as one and goes on as something else.
    Broken,
    /// It is too large to be unpacked.
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
        Self { blobs, turns, reads, recent: Arc::new(Mutex::new(recent)) }
    }

    /// Writes a picture and smaller copies of it into the store.
    pub async fn keep(&self, file: Bytes) -> Result<Kept, Problem> {
        let turn = self.turns.acquire().await.map_err(|_| Problem::internal())?;
        let made = tokio::task::spawn_blocking(move || make(&file)).await;
        drop(turn);
        let made = made.unwrap_or_else(|error| {
            // A file that a decoder cannot cope with is the sender's, not the shop's.
            tracing::error!(%error, "a decoder of pictures panicked");
            Err(Refused::Broken)
        });
        let Made { kept, files } = made.map_err(Problem::from)?;
        for (name, bytes) in files {
            self.blobs.put(&name, bytes).await?;
        }
        Ok(kept)
    }

    /// A file of the store, if there is one. All who ask for a file that is in memory share it.
    pub async fn file(&self, name: &BlobName) -> Result<Option<Bytes>, Problem> {
        if let Some(file) = self.recent().files.get(name) {
            return Ok(Some(file.clone()));
        }
        let _turn = self.reads.acquire().await.map_err(|_| Problem::internal())?;
        // Somebody else may have read it meanwhile.
        if let Some(file) = self.recent().files.get(name) {
            return Ok(Some(file.clone()));
        }
        let file = self.blobs.get(name).await?;
        if let Some(file) = &file {
            self.recent().keep(name.clone(), file.clone());
        }
        Ok(file)
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
    /// What its colours mean, if it says so.
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

/// What unpacks a file. Of a PNG the pixels do not count against the memory that its reader is given, but all else in it does,
/// packed as it may be: a profile that does not fit is left out. In the other formats nothing else is packed.
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
                "a picture is a JPEG, PNG, WebP or GIF file, whatever it is called",
            ),
            Refused::Broken => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "image.broken",
                "the picture is cut off or broken: it cannot be read to its end",
            ),
            Refused::TooLarge => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "image.too_large",
                format!("a picture has at most {PIXELS_MAX} pixels, and {SIDE_MAX} on a side"),
            ),
        }
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        tracing::error!(%error, "a file was not written or read");
        Self::unavailable("the file store does not answer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut file = Vec::new();
        let picture = DynamicImage::new_rgb8(width, height);
        picture.write_to(&mut Cursor::new(&mut file), ImageFormat::Png).unwrap();
        file
    }

    #[test]
    fn copies_are_no_larger_than_asked_and_keep_their_shape() {
        let made = make(&png(400, 200)).unwrap();
        let sizes: Vec<_> = made.files.iter().map(|(_, bytes)| read(bytes).unwrap().picture).collect();
        let sizes: Vec<_> = sizes.iter().map(|picture| (picture.width(), picture.height())).collect();
        assert_eq!(sizes, [(400, 200), (160, 80), (400, 200)]);
        assert_eq!((made.kept.width, made.kept.height, made.kept.r#type), (400, 200, ImageType::Png));
    }

    #[test]
    fn files_in_memory_never_exceed_their_bound_and_the_oldest_go_first() {
        let name = |digit: u8| BlobName::parse(&format!("{}.png", to_hex(&[digit; 32]))).unwrap();
        let mut recent = Recent { files: LruCache::unbounded(), bytes: 0 };
        for digit in 0..10 {
            recent.keep(name(digit), vec![0; FILE_MAX].into());
        }
        assert_eq!((recent.files.len(), recent.bytes), (6, 6 * FILE_MAX));
        assert!(recent.files.contains(&name(9)) && !recent.files.contains(&name(3)));
        recent.keep(name(9), vec![0; 1].into());
        assert_eq!((recent.files.len(), recent.bytes), (6, 5 * FILE_MAX + 1), "a file counts once");
    }

    #[test]
    fn a_header_that_promises_too_much_is_refused_before_anything_is_unpacked() {
        let mut file = png(1, 1);
        // The width and the height of a PNG stand at 16 and 20 (RFC 2083, section 4.1.1), and are guarded by a checksum.
        file[16..24].copy_from_slice(&[0, 0, 0x20, 0, 0, 0, 0x20, 0]);
        let checksum = crc(&file[12..29]);
        file[29..33].copy_from_slice(&checksum.to_be_bytes());
        assert_eq!(read(&file).unwrap_err(), Refused::TooLarge);
        file[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1]);
        let checksum = crc(&file[12..29]);
        file[29..33].copy_from_slice(&checksum.to_be_bytes());
        assert_eq!(read(&file).unwrap_err(), Refused::TooLarge);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let mut cut = png(64, 64);
        cut.truncate(cut.len() / 2);
        assert_eq!(make(&cut).map(|_| ()).unwrap_err(), Refused::Broken);
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let mut file = Vec::new();
            DynamicImage::new_rgb8(64, 64).write_to(&mut Cursor::new(&mut file), format).unwrap();
            assert!(make(&file).is_ok(), "{format:?}");
            file.truncate(file.len() - 1);
            assert_eq!(make(&file).map(|_| ()).unwrap_err(), Refused::Broken, "{format:?}");
        }
        for text in [&b""[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"GIF", b"\xff\xd8\xff"] {
            assert!(make(text).is_err(), "{text:?}");
        }
    }

    /// A PNG with a chunk of this kind before its pixels (RFC 2083, section 3.2).
    fn with_chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        const BEHIND_HEADER: usize = 33;
        let mut file = png(64, 64);
        let named = [kind, content].concat();
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        let chunk = [&length[..], &named, &crc(&named).to_be_bytes()].concat();
        file.splice(BEHIND_HEADER..BEHIND_HEADER, chunk);
        file
    }

    /// A profile packed as a PNG has it.
    fn packed(profile: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::ZlibEncoder::new(b"profile\0\0".to_vec(), flate2::Compression::best());
        std::io::Write::write_all(&mut packed, profile).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn a_profile_that_promises_too_much_is_not_unpacked() {
        let small = with_chunk(b"iCCP", &packed(&vec![0; colour::PROFILE_MAX]));
        assert_eq!(read(&small).unwrap().profile.map(|profile| profile.len()), Some(colour::PROFILE_MAX));
        let bomb = with_chunk(b"iCCP", &packed(&vec![0; 100 << 20]));
        assert!(bomb.len() < 1 << 20);
        assert_eq!(read(&bomb).unwrap().profile, None);
        assert!(make(&bomb).is_ok(), "what can be seen of it is a picture");
    }

    #[test]
    fn colours_are_converted_before_their_profile_is_dropped() {
        let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
        let picture = image::RgbImage::from_pixel(32, 32, image::Rgb([60, 180, 90]));
        let mut jpeg = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 100);
        image::ImageEncoder::set_icc_profile(&mut encoder, p3.clone()).unwrap();
        encoder.encode_image(&picture).unwrap();
        let mut png = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
        image::ImageEncoder::set_icc_profile(&mut encoder, p3.clone()).unwrap();
        picture.write_with_encoder(encoder).unwrap();
        let mut webp = Vec::new();
        let mut encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut webp);
        image::ImageEncoder::set_icc_profile(&mut encoder, p3).unwrap();
        picture.write_with_encoder(encoder).unwrap();
        for file in [jpeg, png, webp] {
            for (name, kept) in make(&file).unwrap().files {
                let Read { picture, profile, .. } = read(&kept).unwrap();
                let [red, green, blue] = picture.to_rgb8().get_pixel(9, 9).0;
                let near = red <= 6 && green.abs_diff(183) <= 5 && blue.abs_diff(78) <= 5;
                assert!(near && profile.is_none(), "{}: {red} {green} {blue}", name.as_str());
            }
        }
    }

    fn crc(bytes: &[u8]) -> u32 {
        let step = |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
        };
        !bytes.iter().fold(!0, step)
    }
}
