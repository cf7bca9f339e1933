//! QR codes (二维码), drawn as one SVG path; what they hold also stands beside them as text.

use qrcode::{Color, EcLevel, QrCode};
use tb_base::{Fault, Result};

use crate::html::Html;

/// Modules of quiet around the code (ISO/IEC 18004 §6.3.8 asks for four).
const QUIET: usize = 4;

/// The code of a text. A text that does not fit is a fault of the caller.
pub fn svg(text: &str, description: &str) -> Result<Html> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M)
        .map_err(|error| Fault::of("drawing a QR code", error))?;
    let (width, colours) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in colours.chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row.iter().skip(x).take_while(|colour| **colour == Color::Dark).count();
            if 0 < run {
                path.push_str(&format!("M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET));
            }
            x += run.max(1);
        }
    }
    let side = width + 2 * QUIET;
    let description = Html::escaped(description);
    Ok(Html::made(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{description}\"><path d=\"{path}\"/></svg>"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_small_and_escaped() {
        let html = svg("https://example.invalid/v/7K4M29QD7K4M29QD7K4M29QD", "\"<核验>\"")
            .expect("fits")
            .to_string();
        assert!(html.contains("viewBox=\"0 0 41 41\""), "{}", &html[..80]);
        assert!(html.contains("&quot;&lt;核验&gt;&quot;"));
        assert!(html.len() < 12_000, "{} bytes", html.len());
        assert!(svg(&"x".repeat(5_000), "").is_err());
    }
}
