//! Cryptography of Tongban (密码学): keys, signatures, agreed secrets, sealed values, digests, canonical JSON.
//!
//! Layer 1 and pure: randomness is handed in as [`tb_base::Entropy`], secret keys never print themselves.
//! National algorithms (SM2, SM3, SM4) and international ones (Ed25519, P-256, SHA-256, AES) stand side by side;
//! the bytes of a signature or a sealed value say nothing of trust, the caller knows whose key it was.

mod agreement;
mod canonical;
mod compare;
mod digest;
mod sign;
pub mod text;
mod vault;

pub use agreement::AgreementKey;
pub use canonical::{CANONICAL_DEPTH_MAX, CANONICAL_INTEGER_MAX, canonical, from_canonical};
pub use compare::constant_eq;
pub use digest::{Hash, hkdf, hmac_sha256, hmac_sm3, sha256, sm3};
pub use sign::{Algorithm, IssuerKey, PublicKey, SIGNATURE_BYTES, SM2_ID, SigningKey};
pub use vault::{KeyId, Mark, Ring, Suite, Vault};
