//! Texts as QR codes (ISO/IEC 18004), in SVG.

use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

use crate::edge::problem::Problem;

/// Pixels of the side of a code, before a page scales it.
const CODE_PX: u32 = 120;

/// A text as a QR code that can stand in the middle of a page.
pub(crate) fn svg(text: &str) -> Result<String, Problem> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|error| {
        tracing::error!(%error, "cannot draw a QR code");
        Problem::internal()
    })?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(CODE_PX, CODE_PX).quiet_zone(true).build();
    // In the middle of a page an XML declaration is no markup.
    Ok(drawn.trim_start_matches("<?xml version=\"1.0\" standalone=\"yes\"?>").to_owned())
}
