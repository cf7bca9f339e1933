//! Her signature at the counter (手写签名): drawn on the screen, or on a printed sheet that is scanned.
//!
//! Invariant: a typed name is no signature; what is kept is a digest, the drawing itself is not stored here.

use tb_base::{CaseId, Ctx, Error, Refusal, Result};
use tb_crypto::text::{base64, hex, unbase64};
use tb_licence::consent::drawing;
use tb_store::{Tx, audit};
use tb_web::{Field, Fields, FileKind, Input, Upload};

/// Pixels packed into fewer bytes than this hold no signature.
const PACKED_BYTES_MIN: u64 = 64;
/// Only a picture of one colour packs so many times smaller.
const PACKING_MAX: u64 = 800;

/// The frame in which she signs.
pub(super) const DRAWN: Field<'static> =
    Field::new("signature", "本人签名", "Her signature", Input::Signature).hint(
        "二选一：请本人在框内签写姓名，或在下面上传签名纸的扫描件",
        "One of two: she signs her name in the frame, or a scan of the signed sheet is uploaded below",
    );

/// The scanned sheet for a browser without a frame to sign in.
pub(super) const SCANNED: Field<'static> =
    Field::new("scan", "或者上传签名纸的扫描件", "Or upload a scan of the signed sheet", Input::File)
        .hint(
            "屏幕不能签名时用：打印、本人签名、扫描成 PNG 或 JPG，不超过 2 MB",
            "Where the screen cannot take it: print, let her sign, scan as PNG or JPG of up to 2 MB",
        )
        .optional();

/// Both ways to sign, as a form shows them; one of the two is needed.
pub(super) fn shown() -> [Field<'static>; 2] {
    [DRAWN, Field { optional: false, ..SCANNED }]
}

/// The signature as a data address, drawn or scanned; none where there is neither. Errors are noted in the form.
pub(super) fn read(fields: &mut Fields) -> Option<Option<String>> {
    let drawn = fields.read(&DRAWN).optional();
    let scanned = fields.files(&SCANNED);
    let scan = match scanned?.into_iter().next() {
        Some(scan) => Some(data_url(fields, &scan)?),
        None => None,
    };
    let (drawn, scan) = (drawn?, scan);
    let field = if drawn.is_some() { &DRAWN } else { &SCANNED };
    let signature = drawn.or(scan);
    if signature.as_deref().is_some_and(is_blank) {
        let blank = Refusal::invalid("T02-SIG-003", "签名是空白的", "The signature is blank");
        fields.wrong(field, &blank.but("请本人签写姓名后再提交", "Let the applicant sign first"));
        return None;
    }
    Some(signature)
}

/// Whether a PNG shows nothing: what has a pen line in it does not pack so small.
fn is_blank(url: &str) -> bool {
    let png = url.strip_prefix("data:image/png;base64,").and_then(|text| unbase64(text).ok());
    let Some((plain, packed)) = png.as_deref().and_then(sizes_of_png) else { return false };
    packed < PACKED_BYTES_MIN || packed.saturating_mul(PACKING_MAX) <= plain
}

/// Bytes of the pixels of a PNG, plain and as they are packed; none where the head is not one of a picture.
fn sizes_of_png(bytes: &[u8]) -> Option<(u64, u64)> {
    let number = |at: usize| {
        let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(u64::from(u32::from_be_bytes(four)))
    };
    let (width, height, depth) = (number(16)?, number(20)?, u64::from(*bytes.get(24)?));
    let channels = match *bytes.get(25)? {
        0 | 3 => 1,
        2 => 3,
        4 => 2,
        6 => 4,
        _ => return None,
    };
    let row = width.checked_mul(channels * depth)?.div_ceil(8).checked_add(1)?;
    let (mut at, mut packed) = (8_usize, 0_u64);
    while let (Some(length), Some(kind)) = (number(at), bytes.get(at.saturating_add(4)..at.saturating_add(8)))
    {
        if kind == b"IDAT" {
            packed = packed.saturating_add(length);
        }
        // Length, kind and check sum are four bytes each.
        at = usize::try_from(length).ok()?.checked_add(12)?.checked_add(at)?;
    }
    Some((row.checked_mul(height)?, packed))
}

/// The signature that must be there.
pub(super) fn required(fields: &mut Fields) -> Option<String> {
    let signature = read(fields)?;
    if signature.is_none() {
        let missing = Refusal::invalid("T02-SIG-001", "还没有本人签名", "Her signature is missing").but(
            "请本人在屏幕上签名，或上传签名纸的扫描件",
            "Let her sign on the screen, or upload a scan of the signed sheet",
        );
        fields.wrong(&DRAWN, &missing);
    }
    signature
}

fn data_url(fields: &mut Fields, scan: &Upload) -> Option<String> {
    if scan.kind == FileKind::Pdf {
        let refusal = Refusal::invalid(
            "T02-SIG-002",
            format!("“{}”是 PDF，签名扫描件应为 PNG 或 JPG", scan.name),
            format!("'{}' is a PDF; the scan of a signature is a PNG or JPG", scan.name),
        );
        fields.wrong(&SCANNED, &refusal);
        return None;
    }
    let url = format!("data:{};base64,{}", scan.kind.media_type(), base64(&scan.bytes));
    match drawing::hash(&url) {
        Ok(_) => Some(url),
        Err(error) => {
            if let Error::Refused(refusal) = error {
                fields.wrong(&SCANNED, &refusal);
            }
            None
        }
    }
}

/// The digest that stands for a signature in proofs and audit lines: `sha256:` and hex.
pub(super) fn digest(url: &str) -> Result<String> {
    Ok(format!("sha256:{}", hex(&drawing::hash(url)?)))
}

/// Writes down that she signed for this act on her case (代办留痕).
pub(super) fn note(tx: &mut Tx<'_>, ctx: &Ctx, case: CaseId, digest: &str) -> Result<()> {
    audit::line(tx, ctx, "window.signature", case.as_str(), digest)
}

#[cfg(test)]
mod tests {
    use tb_crypto::text::base64;

    use super::is_blank;

    /// A PNG of so many pixels, four bytes each, that are packed into so many bytes.
    fn png(width: u32, height: u32, packed: usize) -> String {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend(width.to_be_bytes());
        png.extend(height.to_be_bytes());
        png.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        png.extend(u32::try_from(packed).expect("a small number").to_be_bytes());
        png.extend(b"IDAT");
        png.resize(png.len() + packed + 4, 7);
        png.extend(b"\0\0\0\0IEND\xae\x42\x60\x82");
        format!("data:image/png;base64,{}", base64(&png))
    }

    #[test]
    fn what_packs_too_small_is_blank() {
        for (width, height, packed, blank) in
            [(1, 1, 10, true), (720, 240, 756, true), (720, 240, 1_800, false), (96, 32, 131, false)]
        {
            assert_eq!(is_blank(&png(width, height, packed)), blank, "{width}×{height} in {packed}");
        }
        assert!(!is_blank("data:image/jpeg;base64,AAAA"));
        assert!(!is_blank("data:image/png;base64,AAAA"));
    }
}
