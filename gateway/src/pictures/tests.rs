//! What becomes of pictures that are sent in, and of files that only look like some.

use std::time::Duration;

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

#[tokio::test]
async fn a_file_that_is_known_is_not_decoded_again() {
    let pictures = Pictures::in_blobs(Blobs::in_memory());
    let file: Bytes = png(40, 20).into();
    let first = pictures.keep(file.clone()).await.unwrap();
    // Whatever is decoded waits for a turn.
    let turns = pictures.turns.acquire_many(u32::try_from(AT_ONCE).unwrap()).await.unwrap();
    let again = pictures.keep(file).await.unwrap();
    assert_eq!((&again.digest, again.bytes), (&first.digest, first.bytes));
    let name = BlobName::parse(&format!("{}.png", first.digest)).unwrap();
    let served = pictures.file(&name).await.unwrap().unwrap();
    assert_eq!(pictures.keep(served).await.unwrap().digest, first.digest);
    let waits = tokio::time::timeout(Duration::from_millis(50), pictures.keep(png(41, 20).into())).await;
    assert!(waits.is_err(), "another file is decoded");
    drop(turns);
    assert_ne!(pictures.keep(png(41, 20).into()).await.unwrap().digest, first.digest);
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
fn with_chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    const BEHIND_HEADER: usize = 33;
    let mut file = png(64, 64);
    let named = [&kind[..], content].concat();
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
    let small = with_chunk(*b"iCCP", &packed(&vec![0; colour::PROFILE_MAX]));
    assert_eq!(read(&small).unwrap().profile.map(|profile| profile.len()), Some(colour::PROFILE_MAX));
    let bomb = with_chunk(*b"iCCP", &packed(&vec![0; 100 << 20]));
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
