//! A signature drawn on the screen or scanned from paper (手写签名): checked to be one, then only its hash is kept.

use tb_base::{Error, Refusal, Result};
use tb_crypto::{sha256, text::unbase64};

/// The largest picture: a scan of a signed sheet.
pub const PICTURE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The largest text of strokes.
const STROKES_BYTES_MAX: usize = 64 * 1024;
/// The longest data URL: a picture in base64, and its head.
const URL_BYTES_MAX: usize = PICTURE_BYTES_MAX.div_ceil(3) * 4 + 64;
/// A pen leaves at least so many points; fewer is a blot.
const POINTS_MIN: usize = 8;
/// A pen leaves at most so many strokes.
const STROKES_MAX: usize = 500;
const PNG_HEAD: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Signature, header, one row of data and end: nothing shorter is a picture.
const PNG_BYTES_MIN: usize = 67;
const JPEG_HEAD: &[u8] = b"\xff\xd8\xff";
const JPEG_TAIL: &[u8] = b"\xff\xd9";
/// Tables, a frame and a scan: nothing shorter is a picture.
const JPEG_BYTES_MIN: usize = 107;

/// The SHA-256 of a signature in a data URL; refuses what is too large, of another type, broken or empty.
///
/// `data:image/png;base64,…`, `data:image/jpeg;base64,…`, or strokes as JSON
/// `data:application/json;base64,…` = `[[[x, y], …], …]`.
pub fn hash(url: &str) -> Result<[u8; 32]> {
    if URL_BYTES_MAX < url.len() {
        return Err(too_large());
    }
    let (kind, text) =
        url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).ok_or_else(|| {
            bad(
                "LIC-SIG-002",
                "签名应为 PNG、JPG 图像或笔迹数据",
                "A signature is a PNG or JPG picture or strokes",
            )
        })?;
    let bytes =
        unbase64(text).map_err(|_| bad("LIC-SIG-003", "签名数据已损坏", "The signature is broken"))?;
    match kind {
        "image/png" | "image/jpeg" if PICTURE_BYTES_MAX < bytes.len() => return Err(too_large()),
        "application/json" if STROKES_BYTES_MAX < bytes.len() => return Err(too_large()),
        "image/png" => check_png(&bytes)?,
        "image/jpeg" => check_jpeg(&bytes)?,
        "application/json" => check_strokes(&bytes)?,
        _ => {
            return Err(bad(
                "LIC-SIG-002",
                "签名应为 PNG、JPG 图像或笔迹数据",
                "A signature is a PNG or JPG picture or strokes",
            ));
        }
    }
    Ok(sha256(&bytes))
}

fn check_png(bytes: &[u8]) -> Result<()> {
    let whole = bytes.starts_with(PNG_HEAD)
        && bytes.get(12..16) == Some(b"IHDR")
        && bytes.windows(4).any(|it| it == b"IDAT")
        && bytes.windows(4).any(|it| it == b"IEND");
    if PNG_BYTES_MIN <= bytes.len() && whole {
        return Ok(());
    }
    Err(bad("LIC-SIG-003", "签名数据已损坏", "The signature is broken"))
}

fn check_jpeg(bytes: &[u8]) -> Result<()> {
    let whole = bytes.starts_with(JPEG_HEAD) && bytes.ends_with(JPEG_TAIL);
    if JPEG_BYTES_MIN <= bytes.len() && whole {
        return Ok(());
    }
    Err(bad("LIC-SIG-003", "签名数据已损坏", "The signature is broken"))
}

fn check_strokes(bytes: &[u8]) -> Result<()> {
    let strokes: Vec<Vec<[i32; 2]>> = serde_json::from_slice(bytes)
        .map_err(|_| bad("LIC-SIG-003", "签名数据已损坏", "The signature is broken"))?;
    let points: usize = strokes.iter().map(Vec::len).sum();
    if points < POINTS_MIN || STROKES_MAX < strokes.len() {
        return Err(bad(
            "LIC-SIG-004",
            "还没有签名，请在框内签写姓名",
            "There is no signature yet; sign in the frame",
        ));
    }
    Ok(())
}

fn too_large() -> Error {
    bad("LIC-SIG-001", "签名图像超过 2 MB", "The signature is larger than 2 MB")
}

fn bad(code: &'static str, zh: &'static str, en: &'static str) -> Error {
    Refusal::invalid(code, zh, en)
        .on("signature")
        .but("请清除后重新签写", "Clear the frame and sign again")
        .into()
}

#[cfg(test)]
mod tests {
    use tb_crypto::text::base64;

    use super::{PICTURE_BYTES_MAX, STROKES_BYTES_MAX, hash};

    #[track_caller]
    fn check(url: &str, expected: Option<&str>) {
        match (hash(url), expected) {
            (Ok(_), None) => {}
            (Err(error), Some(code)) => assert!(error.to_string().contains(code), "{error}"),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn drawings() {
        let strokes = |text: &str| format!("data:application/json;base64,{}", base64(text.as_bytes()));
        check(&strokes("[[[1,2],[3,4],[5,6],[7,8]],[[1,1],[2,2],[3,3],[4,4]]]"), None);
        check(&strokes("[]"), Some("LIC-SIG-004"));
        check(&strokes("[[[1,2]]]"), Some("LIC-SIG-004"));
        check(&strokes("{\"a\":1}"), Some("LIC-SIG-003"));
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0; 40]);
        png.extend(b"IDAT....IEND");
        check(&format!("data:image/png;base64,{}", base64(&png)), None);
        check(&format!("data:image/png;base64,{}", base64(&png[..40])), Some("LIC-SIG-003"));
        check("data:image/png;base64,***", Some("LIC-SIG-003"));
        check("data:text/html;base64,PGI+", Some("LIC-SIG-002"));
        check("<svg/>", Some("LIC-SIG-002"));
        let strokes_too_long = format!("[{}[[1,2]]]", "[[1,2]],".repeat(STROKES_BYTES_MAX / 8));
        check(&strokes(&strokes_too_long), Some("LIC-SIG-001"));
    }

    #[test]
    fn scans() {
        let scan = |bytes: usize| {
            let mut jpeg = b"\xff\xd8\xff\xe0".to_vec();
            jpeg.resize(bytes - 2, 7);
            jpeg.extend(b"\xff\xd9");
            jpeg
        };
        let url = |bytes: &[u8]| format!("data:image/jpeg;base64,{}", base64(bytes));
        check(&url(&scan(300 * 1024)), None);
        check(&url(&scan(PICTURE_BYTES_MAX)), None);
        check(&url(&scan(PICTURE_BYTES_MAX + 1)), Some("LIC-SIG-001"));
        check(&url(&scan(2 * PICTURE_BYTES_MAX)), Some("LIC-SIG-001"));
        check(&url(&scan(300)[..200]), Some("LIC-SIG-003"));
        check(&url(&scan(50)), Some("LIC-SIG-003"));
        check(&url(b"\x89PNG"), Some("LIC-SIG-003"));
    }
}
