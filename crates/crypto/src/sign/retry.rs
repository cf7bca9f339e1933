//! A counter in the shape of a random source, for the second attempt of a deterministic signature.
//!
//! RFC 6979 §3.6 lets extra data enter the nonce; a different counter gives a different nonce, and secrecy
//! comes from the key and the message, not from here.

use std::convert::Infallible;

use p256::ecdsa::signature::rand_core::{TryCryptoRng, TryRng};

/// Which attempt this is.
#[derive(Default)]
pub(super) struct Retry(u64);

impl TryRng for Retry {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 += 1;
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        self.0 += 1;
        for (byte, counted) in buffer.iter_mut().rev().zip(self.0.to_le_bytes()) {
            *byte = counted;
        }
        Ok(())
    }
}

impl TryCryptoRng for Retry {}
