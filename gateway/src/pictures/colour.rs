//! Colours of a picture as every screen shows them: what its profile (ICC.1) means, in sRGB, since the profile is not kept.

use image::{DynamicImage, RgbImage, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Largest profile that is read: those of printers with fine tables have 3 MB, those of cameras and screens some kilobytes.
pub const PROFILE_MAX: usize = 4 << 20;

/// A picture in sRGB. One without a profile counts as sRGB already, and so does one whose profile cannot be read or is of
/// another kind than its pixels: its colours are shown as they are.
pub fn in_srgb(picture: DynamicImage, profile: Option<&[u8]>) -> DynamicImage {
    let profile = profile.filter(|bytes| bytes.len() <= PROFILE_MAX);
    let Some(profile) = profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok()) else { return picture };
    // A profile of the inks of a printer says nothing of pixels that are red, green and blue by now.
    let of_greys = profile.color_space == DataColorSpace::Gray && !picture.color().has_color();
    if profile.color_space == DataColorSpace::Rgb || of_greys { converted(&profile, picture) } else { picture }
}

/// The picture in sRGB, or as it was where there is no way from its profile.
fn converted(profile: &ColorProfile, picture: DynamicImage) -> DynamicImage {
    let (grey, alpha) = (profile.color_space == DataColorSpace::Gray, picture.color().has_alpha());
    let (from, to, pixels) = match (grey, alpha) {
        (false, false) => (Layout::Rgb, Layout::Rgb, picture.to_rgb8().into_raw()),
        (false, true) => (Layout::Rgba, Layout::Rgba, picture.to_rgba8().into_raw()),
        (true, false) => (Layout::Gray, Layout::Rgb, picture.to_luma8().into_raw()),
        (true, true) => (Layout::GrayAlpha, Layout::Rgba, picture.to_luma_alpha8().into_raw()),
    };
    let way = profile.create_transform_8bit(from, &ColorProfile::new_srgb(), to, TransformOptions::default());
    let Ok(way) = way else { return picture };
    let (width, height) = (picture.width(), picture.height());
    let mut shown = vec![0; width as usize * height as usize * if alpha { 4 } else { 3 }];
    if way.transform(&pixels, &mut shown).is_err() {
        return picture;
    }
    let made = if alpha {
        RgbaImage::from_raw(width, height, shown).map(DynamicImage::ImageRgba8)
    } else {
        RgbImage::from_raw(width, height, shown).map(DynamicImage::ImageRgb8)
    };
    made.unwrap_or(picture)
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma, Rgb, Rgba};

    use super::*;

    /// The pixels that a profile gives this colour.
    fn shown(profile: &ColorProfile, colour: [u8; 3]) -> [u8; 3] {
        let picture = DynamicImage::ImageRgb8(RgbImage::from_pixel(3, 2, Rgb(colour)));
        in_srgb(picture, Some(&profile.encode().unwrap())).to_rgb8().get_pixel(2, 1).0
    }

    fn near(one: [u8; 3], other: [u8; 3]) -> bool {
        one.iter().zip(other).all(|(one, other)| one.abs_diff(other) <= 2)
    }

    #[test]
    fn colours_of_a_wide_screen_are_shown_as_they_looked() {
        // From the matrices and the curve of IEC 61966-2-1 and SMPTE EG 432-1.
        let p3 = ColorProfile::new_display_p3();
        for (colour, expected) in [([200, 100, 50], [215, 93, 31]), ([60, 180, 90], [0, 183, 78])] {
            let shown = shown(&p3, colour);
            assert!(near(shown, expected), "{colour:?}: {shown:?}");
        }
        assert!(near(shown(&p3, [128, 128, 128]), [128, 128, 128]), "grey stays grey");
        let adobe = shown(&ColorProfile::new_adobe_rgb(), [200, 100, 50]);
        assert!(adobe[0] > 220 && adobe[2] < 50, "{adobe:?}");
    }

    #[test]
    fn colours_of_srgb_and_of_no_profile_stay() {
        assert!(near(shown(&ColorProfile::new_srgb(), [200, 100, 50]), [200, 100, 50]));
        let picture = DynamicImage::ImageRgb8(RgbImage::from_pixel(1, 1, Rgb([200, 100, 50])));
        for profile in [None, Some(&b"no profile"[..]), Some(&vec![0; PROFILE_MAX + 1][..])] {
            assert_eq!(in_srgb(picture.clone(), profile), picture);
        }
        let grey = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        assert_eq!(in_srgb(picture.clone(), Some(&grey)), picture, "a profile of greys says nothing of colours");
    }

    #[test]
    fn what_can_be_seen_through_stays_so_and_grey_has_profiles_too() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        let glass = DynamicImage::ImageRgba8(RgbaImage::from_pixel(1, 1, Rgba([200, 100, 50, 77])));
        let Rgba([red, green, blue, alpha]) = *in_srgb(glass, Some(&p3)).to_rgba8().get_pixel(0, 0);
        assert!(near([red, green, blue], [215, 93, 31]) && alpha == 77, "{red} {green} {blue} {alpha}");
        let linear = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        let grey = DynamicImage::ImageLuma8(GrayImage::from_pixel(1, 1, Luma([55])));
        let shown = in_srgb(grey, Some(&linear)).to_rgb8().get_pixel(0, 0).0;
        assert!(near(shown, [127, 127, 127]), "{shown:?}");
    }
}
