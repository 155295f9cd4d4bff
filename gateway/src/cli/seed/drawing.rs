//! The pictures of the demo shop, drawn by the program: a few flat shapes for each category, in colours of the product's own.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "these are pixels, and no money"
)]

use std::io::Cursor;

use image::{ImageFormat, ImageResult, Rgb, RgbImage};
use sha2::{Digest, Sha256};

/// Pixels along each side.
const SIDE: u32 = 480;

/// A shape in a square from (0, 0) at the top left to (1, 1).
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// Middle and radius.
    Disc(f32, f32, f32),
    /// Middle, radius and half the width of its line.
    Ring(f32, f32, f32, f32),
    /// Middle, half its width, half its height, and the radius of its corners.
    Block(f32, f32, f32, f32, f32),
    /// From, to, and half its width.
    Stroke(f32, f32, f32, f32, f32),
    /// Three corners.
    Triangle([f32; 2], [f32; 2], [f32; 2]),
}

/// Which colour of the product a shape has.
#[derive(Debug, Clone, Copy)]
enum Tone {
    Main,
    Dark,
    Light,
    Accent,
}

type Motif = &'static [(Shape, Tone)];

use Shape::{Block, Disc, Ring, Stroke, Triangle};
use Tone::{Accent, Dark, Light, Main};

const CUP: Motif = &[
    (Ring(0.68, 0.53, 0.11, 0.03), Dark),
    (Block(0.48, 0.54, 0.19, 0.2, 0.06), Main),
    (Block(0.48, 0.36, 0.19, 0.025, 0.025), Light),
    (Stroke(0.42, 0.16, 0.42, 0.27, 0.012), Accent),
    (Stroke(0.52, 0.13, 0.52, 0.27, 0.012), Accent),
];
const PAN: Motif = &[
    (Stroke(0.62, 0.42, 0.9, 0.22, 0.035), Accent),
    (Disc(0.44, 0.54, 0.28), Dark),
    (Disc(0.44, 0.54, 0.23), Main),
    (Ring(0.44, 0.54, 0.15, 0.008), Light),
];
const KNIFE: Motif = &[
    (Triangle([0.16, 0.6], [0.62, 0.42], [0.62, 0.6]), Light),
    (Triangle([0.16, 0.6], [0.62, 0.55], [0.62, 0.6]), Main),
    (Block(0.73, 0.53, 0.13, 0.05, 0.04), Dark),
    (Disc(0.68, 0.53, 0.013), Light),
    (Disc(0.78, 0.53, 0.013), Light),
];
const PLATE: Motif = &[
    (Disc(0.5, 0.52, 0.27), Main),
    (Ring(0.5, 0.52, 0.18, 0.008), Light),
    (Stroke(0.14, 0.3, 0.14, 0.75, 0.016), Dark),
    (Stroke(0.1, 0.3, 0.1, 0.42, 0.01), Dark),
    (Stroke(0.18, 0.3, 0.18, 0.42, 0.01), Dark),
    (Stroke(0.86, 0.3, 0.86, 0.75, 0.018), Dark),
];
const POUCH: Motif = &[
    (Block(0.5, 0.54, 0.2, 0.28, 0.04), Main),
    (Block(0.5, 0.28, 0.2, 0.035, 0.01), Dark),
    (Block(0.5, 0.56, 0.12, 0.12, 0.02), Light),
    (Disc(0.5, 0.56, 0.06), Accent),
    (Stroke(0.5, 0.51, 0.5, 0.61, 0.008), Dark),
];
const POT: Motif = &[
    (Ring(0.73, 0.52, 0.1, 0.022), Dark),
    (Stroke(0.3, 0.56, 0.16, 0.4, 0.03), Dark),
    (Disc(0.5, 0.55, 0.22), Main),
    (Block(0.5, 0.37, 0.13, 0.02, 0.02), Light),
    (Disc(0.5, 0.31, 0.035), Accent),
    (Block(0.5, 0.765, 0.14, 0.02, 0.02), Dark),
];
const LAMP: Motif = &[
    (Stroke(0.5, 0.4, 0.5, 0.78, 0.018), Dark),
    (Block(0.5, 0.8, 0.16, 0.025, 0.02), Dark),
    (Triangle([0.5, 0.16], [0.26, 0.46], [0.74, 0.46]), Main),
    (Block(0.5, 0.46, 0.24, 0.02, 0.02), Accent),
    (Disc(0.5, 0.5, 0.05), Light),
];
const CLOTH: Motif = &[
    (Block(0.5, 0.5, 0.27, 0.27, 0.03), Main),
    (Block(0.5, 0.36, 0.27, 0.025, 0.0), Light),
    (Block(0.5, 0.44, 0.27, 0.012, 0.0), Accent),
    (Block(0.5, 0.62, 0.27, 0.04, 0.0), Dark),
];
const CANDLE: Motif = &[
    (Block(0.5, 0.6, 0.12, 0.2, 0.03), Main),
    (Block(0.5, 0.43, 0.12, 0.02, 0.02), Light),
    (Stroke(0.5, 0.34, 0.5, 0.41, 0.006), Dark),
    (Disc(0.5, 0.29, 0.045), Accent),
    (Triangle([0.5, 0.17], [0.46, 0.28], [0.54, 0.28]), Accent),
];
const PLANT: Motif = &[
    (Stroke(0.5, 0.62, 0.36, 0.34, 0.014), Dark),
    (Stroke(0.5, 0.62, 0.64, 0.32, 0.014), Dark),
    (Stroke(0.5, 0.62, 0.5, 0.24, 0.014), Dark),
    (Disc(0.35, 0.34, 0.1), Main),
    (Disc(0.65, 0.32, 0.11), Main),
    (Disc(0.5, 0.22, 0.1), Light),
    (Block(0.5, 0.72, 0.14, 0.1, 0.03), Accent),
    (Block(0.5, 0.63, 0.17, 0.03, 0.01), Accent),
];
const BOOK: Motif = &[
    (Block(0.52, 0.51, 0.2, 0.27, 0.015), Light),
    (Block(0.5, 0.5, 0.2, 0.27, 0.015), Main),
    (Block(0.325, 0.5, 0.025, 0.27, 0.01), Dark),
    (Block(0.52, 0.4, 0.1, 0.03, 0.01), Accent),
    (Block(0.52, 0.48, 0.07, 0.012, 0.01), Light),
];
const PEN: Motif = &[
    (Stroke(0.3, 0.72, 0.68, 0.3, 0.04), Main),
    (Stroke(0.6, 0.39, 0.72, 0.26, 0.042), Dark),
    (Triangle([0.2, 0.83], [0.27, 0.68], [0.35, 0.75]), Accent),
    (Stroke(0.16, 0.86, 0.5, 0.86, 0.008), Dark),
];
const PRINT: Motif = &[
    (Block(0.5, 0.5, 0.24, 0.3, 0.01), Dark),
    (Block(0.5, 0.5, 0.215, 0.275, 0.0), Light),
    (Disc(0.56, 0.4, 0.08), Accent),
    (Triangle([0.3, 0.7], [0.44, 0.46], [0.58, 0.7]), Main),
    (Triangle([0.46, 0.7], [0.6, 0.54], [0.7, 0.7]), Dark),
];
const BAG: Motif = &[
    (Ring(0.5, 0.34, 0.12, 0.02), Dark),
    (Block(0.5, 0.57, 0.23, 0.24, 0.07), Main),
    (Block(0.5, 0.66, 0.15, 0.09, 0.03), Dark),
    (Block(0.5, 0.47, 0.23, 0.012, 0.0), Accent),
];
const TENT: Motif = &[
    (Triangle([0.5, 0.22], [0.16, 0.76], [0.84, 0.76]), Main),
    (Triangle([0.5, 0.36], [0.4, 0.76], [0.6, 0.76]), Dark),
    (Disc(0.78, 0.24, 0.06), Accent),
    (Stroke(0.08, 0.77, 0.92, 0.77, 0.01), Dark),
];
const BLOCKS: Motif = &[
    (Block(0.36, 0.66, 0.12, 0.12, 0.015), Main),
    (Block(0.62, 0.66, 0.12, 0.12, 0.015), Accent),
    (Triangle([0.49, 0.26], [0.36, 0.52], [0.62, 0.52]), Dark),
    (Disc(0.36, 0.66, 0.05), Light),
];
const SCREEN: Motif = &[
    (Block(0.5, 0.46, 0.3, 0.2, 0.02), Dark),
    (Block(0.5, 0.46, 0.275, 0.175, 0.01), Light),
    (Block(0.5, 0.76, 0.14, 0.02, 0.02), Dark),
    (Stroke(0.5, 0.34, 0.5, 0.5, 0.025), Main),
    (Triangle([0.42, 0.49], [0.58, 0.49], [0.5, 0.6]), Main),
];
const SOAP: Motif = &[
    (Block(0.5, 0.6, 0.26, 0.14, 0.1), Main),
    (Block(0.5, 0.6, 0.16, 0.05, 0.05), Light),
    (Disc(0.34, 0.34, 0.06), Accent),
    (Disc(0.48, 0.26, 0.04), Light),
    (Disc(0.6, 0.36, 0.05), Accent),
];
const CLOCK: Motif = &[
    (Disc(0.5, 0.5, 0.28), Dark),
    (Disc(0.5, 0.5, 0.24), Light),
    (Stroke(0.5, 0.5, 0.5, 0.34, 0.014), Main),
    (Stroke(0.5, 0.5, 0.62, 0.56, 0.014), Accent),
];

fn motif(category: &str) -> Motif {
    match category {
        "mugs-and-cups" => CUP,
        "cookware" => PAN,
        "knives" => KNIFE,
        "table" => PLATE,
        "coffee" => POUCH,
        "tea" => POT,
        "light" => LAMP,
        "textiles" => CLOTH,
        "candles" => CANDLE,
        "plants" => PLANT,
        "books" | "books-ru" | "notebooks" => BOOK,
        "writing" => PEN,
        "prints" => PRINT,
        "bags" => BAG,
        "outdoor" => TENT,
        "toys" => BLOCKS,
        "digital" => SCREEN,
        "care" => SOAP,
        _ => CLOCK,
    }
}

/// Draws a product as a PNG: always the same for the same category and title. `view` tells several pictures of one apart.
pub(super) fn draw(category: &str, title: &str, view: u8) -> ImageResult<Vec<u8>> {
    let hash = Sha256::digest(title.as_bytes());
    let hue = f32::from(hash[0]) / 255.0;
    // The second colour is a third of the circle away, so that the two never fight.
    let (main, accent) = (colour(hue, 0.55, 0.62), colour(hue + 0.38, 0.65, 0.68));
    let (dark, light) = (colour(hue, 0.6, 0.34), colour(hue + 0.04, 0.18, 0.95));
    let ground = colour(hue + 0.5 + f32::from(view) * 0.09, 0.12, 0.93);
    let zoom = [1.0, 0.8, 1.35, 0.65][usize::from(view % 4)] * (0.92 + f32::from(hash[1]) / 255.0 * 0.16);
    let turn = (f32::from(hash[2]) / 255.0 - 0.5) * 0.16 + f32::from(view) * 0.12;
    let shapes = motif(category);
    let soft = 1.2 / SIDE as f32 / zoom;
    let image = RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let (u, v) = (x as f32 / SIDE as f32, y as f32 / SIDE as f32);
        let shade = 1.0 - 0.1 * v;
        let mut pixel = ground.map(|channel| channel * shade);
        let (dx, dy) = ((u - 0.5) / zoom, (v - 0.5) / zoom);
        let (sin, cos) = turn.sin_cos();
        let at = [0.5 + dx * cos - dy * sin, 0.5 + dx * sin + dy * cos];
        let shadow = Block(0.53, 0.86, 0.26, 0.02, 0.02);
        pixel = mix(pixel, dark, 0.18 * cover(distance(shadow, at), 0.05));
        for (shape, tone) in shapes {
            let paint = match tone {
                Main => main,
                Dark => dark,
                Light => light,
                Accent => accent,
            };
            pixel = mix(pixel, paint, cover(distance(*shape, at), soft));
        }
        Rgb(pixel.map(|channel| (channel.clamp(0.0, 1.0) * 255.0).round() as u8))
    });
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png)?;
    Ok(png.into_inner())
}

/// How far a point is outside a shape; negative inside. Source: I. Quilez, "2D distance functions".
fn distance(shape: Shape, [x, y]: [f32; 2]) -> f32 {
    match shape {
        Disc(cx, cy, radius) => (x - cx).hypot(y - cy) - radius,
        Ring(cx, cy, radius, half) => ((x - cx).hypot(y - cy) - radius).abs() - half,
        Block(cx, cy, half_width, half_height, round) => {
            let (dx, dy) = ((x - cx).abs() - half_width + round, (y - cy).abs() - half_height + round);
            dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - round
        }
        Stroke(x1, y1, x2, y2, half) => {
            let (ax, ay, bx, by) = (x - x1, y - y1, x2 - x1, y2 - y1);
            let along = ((ax * bx + ay * by) / (bx * bx + by * by)).clamp(0.0, 1.0);
            (ax - bx * along).hypot(ay - by * along) - half
        }
        Triangle(one, two, three) => of_triangle([one, two, three], [x, y]),
    }
}

fn of_triangle(corners: [[f32; 2]; 3], [x, y]: [f32; 2]) -> f32 {
    let side = |index: usize| {
        let (from, to) = (corners[index], corners[(index + 1) % 3]);
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        ((x - from[0]) * dy - (y - from[1]) * dx) / dx.hypot(dy)
    };
    let sides = [side(0), side(1), side(2)];
    // Whichever way round the corners are given, the inside is where all three agree.
    let outside = sides.iter().copied().fold(f32::MIN, f32::max);
    let reversed = sides.iter().map(|side| -side).fold(f32::MIN, f32::max);
    outside.min(reversed)
}

/// How much of a pixel a shape covers, given the distance to its edge and the width of the edge.
fn cover(distance: f32, soft: f32) -> f32 {
    (0.5 - distance / soft).clamp(0.0, 1.0)
}

fn mix(below: [f32; 3], above: [f32; 3], share: f32) -> [f32; 3] {
    std::array::from_fn(|channel| below[channel] + (above[channel] - below[channel]) * share)
}

/// A colour from hue, saturation and value, each from 0 to 1; a hue beyond 1 goes round again.
fn colour(hue: f32, saturation: f32, value: f32) -> [f32; 3] {
    [5.0, 3.0, 1.0].map(|channel| {
        let k = (channel + hue * 6.0) % 6.0;
        value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_always_the_same_and_no_two_are_alike() {
        let mug = draw("mugs-and-cups", "Harbour mug", 0).unwrap();
        assert_eq!(draw("mugs-and-cups", "Harbour mug", 0).unwrap(), mug);
        assert_ne!(draw("mugs-and-cups", "Quay mug", 0).unwrap(), mug);
        assert_ne!(draw("mugs-and-cups", "Harbour mug", 1).unwrap(), mug);
        let image = image::load_from_memory(&mug).unwrap();
        assert_eq!((image.width(), image.height()), (SIDE, SIDE));
    }
}
