//! Her signature at the counter (手写签名): drawn on the screen, or on a printed sheet that is scanned.
//!
//! Invariant: a typed name is no signature; what is kept is a digest, the drawing itself is not stored here.

use tb_base::{CaseId, Ctx, Error, Refusal, Result};
use tb_crypto::text::{base64, hex};
use tb_licence::consent::drawing;
use tb_store::{Tx, audit};
use tb_web::{Field, Fields, FileKind, Input, Upload};

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
    Some(drawn?.or(scan))
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
