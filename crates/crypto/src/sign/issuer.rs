//! SM2 verification under a key that comes often (签发机关公钥): two tables of points in place of doublings.
//!
//! `[s]G + [t]P` (GB/T 32918.2 §7.1, B6) becomes one addition for each byte of `s` and of `t`: the tables hold
//! `[v·256^i]` of the point for every place `i` and value `v`. All arithmetic is that of the `sm2` crate; what is
//! verified is public, so time may depend on it.
//!
//! Invariant: the answer is that of `sm2::dsa::VerifyingKey::verify`, for every message and every 64 bytes.

use std::sync::LazyLock;

use p256::ecdsa::signature::Verifier;
use sm2::dsa as sm2_dsa;
use sm2::elliptic_curve::Group;
use sm2::elliptic_curve::group::Curve;
use sm2::elliptic_curve::ops::Reduce;
use sm2::elliptic_curve::point::AffineCoordinates;
use sm2::elliptic_curve::sec1::ToSec1Point;
use sm2::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};
use sm3::{Digest, Sm3};

use super::{Point, PublicKey, SM2_ID};

/// Bytes of a scalar, and windows of a table.
const WINDOWS: usize = 32;
/// Points of a window: one for each byte but zero.
const VALUES: usize = 255;
/// The coefficient a of the curve, GB/T 32918.5-2017 §2.
const A: &str = "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc";
/// The coefficient b.
const B: &str = "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93";

/// Multiples of the generator, made once for all keys.
static GENERATOR: LazyLock<Table> = LazyLock::new(|| Table::of(ProjectivePoint::GENERATOR));

/// A public key of SM2 that verifies by tables; made in some 20 ms, takes some 600 KB.
pub struct IssuerKey {
    /// For every doubt: the plain way.
    plain: sm2_dsa::VerifyingKey,
    /// The digest of signer's id, curve and key that every message digest begins with (GB/T 32918.2 §5.5).
    z: [u8; 32],
    table: Table,
}

impl IssuerKey {
    /// Makes the tables; nothing where the key is not one of SM2.
    pub fn new(key: &PublicKey) -> Option<IssuerKey> {
        match &key.0 {
            Point::Sm2(key) => Some(IssuerKey::of(key)),
            Point::Ed25519(_) | Point::P256(_) => None,
        }
    }

    pub(super) fn of(key: &sm2_dsa::VerifyingKey) -> IssuerKey {
        let point = *key.as_affine();
        IssuerKey { plain: key.clone(), z: z_of(&point), table: Table::of(point.into()) }
    }

    /// Whether the message was signed by the owner of this key.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        sm2_dsa::Signature::from_slice(signature).is_ok_and(|signature| self.agrees(message, &signature))
    }

    /// The same by the `sm2` crate alone, for comparison.
    pub fn verify_plainly(&self, message: &[u8], signature: &[u8]) -> bool {
        sm2_dsa::Signature::from_slice(signature)
            .is_ok_and(|signature| self.plain.verify(message, &signature).is_ok())
    }

    /// B3 to B7 of GB/T 32918.2 §7.1; that r and s are in range was seen when the signature was read.
    pub(super) fn agrees(&self, message: &[u8], signature: &sm2_dsa::Signature) -> bool {
        let (r, s) = (signature.r(), signature.s());
        let t = *r + *s;
        if t.is_zero().into() {
            return false;
        }
        let sum = self.table.times(&t, GENERATOR.times(&s, ProjectivePoint::IDENTITY));
        if sum.is_identity().into() {
            return false;
        }
        let digest = Sm3::new().chain_update(self.z).chain_update(message).finalize();
        *r == Scalar::reduce(&digest) + Scalar::reduce(&sum.to_affine().x())
    }
}

/// The multiples of one point, window after window, within a window by value.
struct Table(Vec<AffinePoint>);

impl Table {
    fn of(point: ProjectivePoint) -> Table {
        let mut points = Vec::with_capacity(WINDOWS * VALUES);
        let mut base = point;
        for _ in 0..WINDOWS {
            let mut multiple = base;
            for _ in 0..VALUES {
                points.push(multiple);
                multiple += base;
            }
            // One more than the last value of the window is the first of the next.
            base = multiple;
        }
        let mut affine = vec![AffinePoint::IDENTITY; points.len()];
        ProjectivePoint::batch_normalize(&points, &mut affine);
        Table(affine)
    }

    /// Adds so many times the point.
    fn times(&self, scalar: &Scalar, mut sum: ProjectivePoint) -> ProjectivePoint {
        let bytes: FieldBytes = scalar.into();
        for (window, byte) in self.0.chunks_exact(VALUES).zip(bytes.iter().rev()) {
            if let Some(point) = usize::from(*byte).checked_sub(1).and_then(|at| window.get(at)) {
                sum += point;
            }
        }
        sum
    }
}

/// `Z = SM3(ENTL ‖ ID ‖ a ‖ b ‖ G ‖ P)`, GB/T 32918.2 §5.5.
fn z_of(point: &AffinePoint) -> [u8; 32] {
    let bits = (SM2_ID.len() * 8) as u16;
    let mut digest = Sm3::new().chain_update(bits.to_be_bytes()).chain_update(SM2_ID);
    for coefficient in [A, B] {
        digest.update(crate::text::unhex(coefficient).unwrap_or_default());
    }
    for point in [&AffinePoint::GENERATOR, point] {
        // Behind the tag that says that both coordinates follow.
        digest.update(point.to_sec1_point(false).as_bytes().get(1..).unwrap_or_default());
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests;
