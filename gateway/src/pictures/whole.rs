//! Whether an image file is complete: most programs decode a truncated file as far as possible and fill the rest with
//! grey, which would only be noticed by customers.

use image::ImageFormat;

/// Whether the file has the end that its format demands. What is broken before it is the decoder's to find.
pub(super) fn is_whole(file: &[u8], format: ImageFormat) -> bool {
    let ends = [
        (ImageFormat::Jpeg, jpeg_ends as fn(&[u8]) -> Option<()>),
        (ImageFormat::Png, png_ends),
        (ImageFormat::WebP, webp_ends),
    ];
    // Of the others only the first of several pictures is kept, and the decoder reads that to its end.
    ends.iter().find(|(known, _)| *known == format).is_none_or(|(_, ends)| ends(file).is_some())
}

/// Walks from marker to marker up to the end of the image (ITU T.81, annex B): by their lengths, since a preview within them has
/// an end of its own.
fn jpeg_ends(file: &[u8]) -> Option<()> {
    const END: u8 = 0xd9;
    const SCAN: u8 = 0xda;
    let mut at = 2;
    loop {
        // Any number of fill bytes may stand before a marker.
        while file.get(at)? == &0xff && file.get(at + 1)? == &0xff {
            at += 1;
        }
        if file.get(at)? != &0xff {
            return None;
        }
        let marker = *file.get(at + 1)?;
        at += 2;
        match marker {
            END => return Some(()),
            // Those without a length.
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let length = u16::from_be_bytes([*file.get(at)?, *file.get(at + 1)?]);
        at = at.checked_add(usize::from(length))?;
        if marker == SCAN {
            // Within a scan, 0xff stands before a zero or a restart; anything else is the next marker.
            at += file
                .get(at..)?
                .windows(2)
                .position(|two| two[0] == 0xff && !matches!(two[1], 0 | 0xd0..=0xd7 | 0xff))?;
        }
    }
}

/// Walks from chunk to chunk up to `IEND` (PNG, section 5.3).
fn png_ends(file: &[u8]) -> Option<()> {
    let mut at = 8;
    loop {
        let length = u32::from_be_bytes(file.get(at..at + 4)?.try_into().ok()?);
        let name = file.get(at + 4..at + 8)?;
        // Length, name and checksum are four bytes each.
        let next = at.checked_add(12)?.checked_add(usize::try_from(length).ok()?)?;
        if next > file.len() {
            return None;
        }
        if name == b"IEND" {
            return Some(());
        }
        at = next;
    }
}

/// A RIFF file says how long it is after its first eight bytes.
fn webp_ends(file: &[u8]) -> Option<()> {
    let length = u32::from_le_bytes(file.get(4..8)?.try_into().ok()?);
    let end = usize::try_from(length).ok()?.checked_add(8)?;
    (end <= file.len()).then_some(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, Rgb, RgbImage};

    use super::*;

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let mut file = Vec::new();
        let shade = |x: u32, y: u32| u8::try_from((x * 7 + y * 13) % 256).unwrap();
        let picture: DynamicImage = RgbImage::from_fn(96, 64, |x, y| Rgb([shade(x, y), shade(y, x), 90])).into();
        picture.write_to(&mut Cursor::new(&mut file), format).unwrap();
        file
    }

    #[test]
    fn every_cut_is_seen_and_what_follows_the_end_is_not_minded() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let file = encoded(format);
            assert!(is_whole(&file, format), "{format:?}");
            assert!(is_whole(&[file.as_slice(), b"trailer"].concat(), format), "{format:?}");
            for length in 0..file.len() {
                assert!(!is_whole(&file[..length], format), "{format:?} cut to {length} of {}", file.len());
            }
        }
    }

    #[test]
    fn the_end_of_a_preview_is_not_the_end_of_the_picture() {
        let file = encoded(ImageFormat::Jpeg);
        let preview = &file[..400.min(file.len())];
        let length = u16::try_from(preview.len() + 4).unwrap().to_be_bytes();
        let mut with = vec![0xff, 0xd8, 0xff, 0xe1, length[0], length[1]];
        with.extend_from_slice(preview);
        with.extend([0xff, 0xd9]);
        with.extend_from_slice(&file[2..]);
        assert!(is_whole(&with, ImageFormat::Jpeg));
        assert!(!is_whole(&with[..with.len() - 20], ImageFormat::Jpeg));
    }
}
