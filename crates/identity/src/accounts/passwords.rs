//! Passwords (口令): argon2id behind a bounded number of slots, never inside a transaction.
//!
//! OWASP's floor: 19 MiB of memory, two passes, one lane.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tb_base::{Ctx, Entropy, Fault, Refusal, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// How many hashes run at once; each takes 19 MiB and one core.
pub const HASHES_AT_ONCE: usize = 2;
/// How many sign-ins may wait for a slot; more are asked to come again.
pub const WAITING_MAX: usize = 64;
/// Fewest letters of a password.
pub const LETTERS_MIN: usize = 8;
/// Most letters of a password.
pub const LETTERS_MAX: usize = 128;

/// Passwords that everybody tries first.
const COMMON: &[&str] = &[
    "12345678",
    "123456789",
    "1234567890",
    "87654321",
    "11111111",
    "00000000",
    "88888888",
    "66666666",
    "password",
    "password1",
    "password123",
    "passw0rd",
    "p@ssw0rd",
    "qwertyui",
    "qwerty123",
    "qwertyuiop",
    "1qaz2wsx",
    "1q2w3e4r",
    "asdfghjk",
    "zxcvbnm1",
    "abc12345",
    "abcd1234",
    "a1234567",
    "aa123456",
    "woaini520",
    "woaini1314",
    "iloveyou",
    "5201314520",
    "admin123",
    "administrator",
    "letmein1",
    "changeme",
    "changsha",
    "zhuzhou1",
    "xiangtan",
    "hunan123",
    "123qweasd",
    "qazwsxedc",
    "147258369",
    "112233445566",
];

/// Hashes and verifies passwords; cheap to clone, one per process.
#[derive(Clone)]
pub struct Passwords {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// Verified in place of the hash that an unknown sign-in name does not have.
    dummy: Arc<str>,
}

impl Passwords {
    /// Makes the slots, and the hash of a password that nobody knows.
    pub fn new(entropy: &mut dyn Entropy) -> Result<Passwords> {
        let mut unknown = [0_u8; 32];
        entropy.fill(&mut unknown);
        let mut salt = [0_u8; 16];
        entropy.fill(&mut salt);
        Ok(Passwords {
            running: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            dummy: hash_now(&unknown, salt)?.into(),
        })
    }

    /// The hash of a password that nobody knows: for an account that waits for its first one.
    pub fn of_nobody(&self) -> &str {
        &self.dummy
    }

    /// The hash of a password, as a PHC string.
    pub async fn hash(&self, ctx: &Ctx, password: &str) -> Result<String> {
        let salt: [u8; 16] = ctx.random();
        let password = password.to_owned();
        self.in_slot(move || hash_now(password.as_bytes(), salt)).await
    }

    /// Whether the password fits the hash. Without a hash it takes as long and says no.
    pub async fn fits(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        let known = hash.is_some();
        let hash = hash.map_or_else(|| self.dummy.to_string(), str::to_owned);
        let password = password.to_owned();
        let fits = self.in_slot(move || fits_now(password.as_bytes(), &hash)).await?;
        Ok(fits && known)
    }

    /// Runs work on a blocking thread when a slot is free.
    async fn in_slot<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| busy())?;
        let slot =
            Arc::clone(&self.running).acquire_owned().await.map_err(|_| Fault::new("waiting for a slot"))?;
        let held: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (place, slot);
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(held);
            done
        });
        done.await.map_err(|error| Fault::of("hashing a password", error))?
    }
}

/// Whether a new password may be used (S19: length and common words, no rules of composition).
pub fn check(password: &str, login: &str) -> Result<()> {
    let letters = password.chars().count();
    let folded = password.to_lowercase();
    let refusal = if letters < LETTERS_MIN {
        Refusal::invalid("IDN-PWD-001", "密码至少 8 个字符", "A password has at least 8 letters")
    } else if LETTERS_MAX < letters {
        Refusal::invalid("IDN-PWD-002", "密码最多 128 个字符", "A password has at most 128 letters")
    } else if COMMON.contains(&folded.as_str()) || is_one_letter(&folded) {
        Refusal::invalid(
            "IDN-PWD-003",
            "这个密码太常见，请换一个",
            "This password is too common, please choose another",
        )
    } else if folded == login.trim().to_lowercase() {
        Refusal::invalid(
            "IDN-PWD-004",
            "密码不能与登录名相同",
            "The password must differ from the sign-in name",
        )
    } else {
        return Ok(());
    };
    Err(refusal.on("password").into())
}

fn is_one_letter(password: &str) -> bool {
    let mut letters = password.chars();
    let first = letters.next();
    letters.all(|letter| Some(letter) == first)
}

fn busy() -> Refusal {
    Refusal::not_now(
        "IDN-PWD-005",
        "登录的人较多，请稍后再试",
        "Many people are signing in, please try again in a moment",
    )
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None)
        .map_err(|error| Fault::new(format!("setting argon2 up: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &[u8], salt: [u8; 16]) -> Result<String> {
    let hash: PasswordHash = hasher()?
        .hash_password_with_salt(password, &salt)
        .map_err(|error| Fault::new(format!("hashing a password: {error}")))?;
    Ok(hash.to_string())
}

fn fits_now(password: &[u8], hash: &str) -> Result<bool> {
    match hasher()?.verify_password(password, hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(Fault::new(format!("verifying a password: {error}")).into()),
    }
}
