//! SM2: verification by tables beside OpenSSL's and beside the plain crate, and both ways of ours on many cases.

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use tb_base::Entropy;
use tb_crypto::{Algorithm, IssuerKey, SigningKey};

use crate::measure::{Effort, Outcome, Series, moment, rate_of};
use crate::report::{Line, Section, Target, number};

/// Bytes of the messages that are verified.
const MESSAGE_BYTES: usize = 600;
/// Cases of the comparison, in a run of everything and by name.
const CASES_SOME: u64 = 40_000;
const CASES_MANY: u64 = 1_000_000;
/// Keys that sign the cases.
const KEYS: u64 = 16;
/// Cases made of one signature: itself, and bent ones.
const CASES_OF_A_SIGNATURE: u64 = 4;

/// Measures verification under a known key.
pub fn run(effort: Effort) -> Outcome<Section> {
    let key = SigningKey::generate(Algorithm::Sm2, &mut Seeded(7));
    let issuer = IssuerKey::new(&key.public()).ok_or("the key is not one of SM2")?;
    let messages: Vec<[u8; MESSAGE_BYTES]> = (0..64).map(|seed| bytes(&mut Seeded(seed + 1))).collect();
    let signed: Vec<_> = messages.iter().map(|message| (message, key.sign(message))).collect();
    let [mut tables, mut plain, mut openssl] = <[Series; 3]>::default();
    let all = |verify: &dyn Fn(&[u8], &[u8]) -> bool| {
        let mut at = 0;
        rate_of(effort, || {
            at = (at + 1) % signed.len();
            let good = signed.get(at).is_some_and(|(message, signature)| verify(&message[..], signature));
            if good { Ok(()) } else { Err("a good signature was refused".to_owned()) }
        })
    };
    for _ in 0..effort.rounds {
        tables.add(all(&|message, signature| issuer.verify(message, signature))?);
        openssl.add(openssl_rate(effort)?);
        plain.add(all(&|message, signature| issuer.verify_plainly(message, signature))?);
    }
    let begun = moment();
    std::hint::black_box(IssuerKey::new(&key.public()));
    let build = begun.elapsed().as_secs_f64() * 1_000.0;
    let cases = compare(effort.of(CASES_SOME, CASES_SOME / 20))?;
    let what = "SM2: verification under a known key, one core";
    Ok(Section {
        lines: vec![
            Line::beside(what, "/s", tables.clone(), ("`openssl speed sm2`", openssl), Target::Ratio(4.0)),
            Line::beside(what, "/s", tables, ("`sm2` crate, plain", plain), Target::Open),
        ],
        notes: vec![
            format!(
                "Ours digests {MESSAGE_BYTES} bytes with SM3 for every verification and reads the signature; `openssl speed` verifies a digest that is there already, and counts processor time only."
            ),
            format!(
                "The tables of a key are made in {build:.0} ms and take some 600 KB; a key gets them after 32 verifications, at most 12 keys at once have them."
            ),
            "All arithmetic is that of the `sm2` crate's public interface.".to_owned(),
            format!("In this run both ways gave the same answer on {cases}."),
            format!(
                "`cargo xtask bench --only sm2-differential` compares on {} cases.",
                number(CASES_MANY as f64)
            ),
        ],
        tables: Vec::new(),
    })
}

/// Both ways of ours on a million cases.
pub fn differential(effort: Effort) -> Outcome<Section> {
    let begun = moment();
    let cases = compare(effort.of(CASES_MANY, CASES_MANY / 100))?;
    let took = begun.elapsed().as_secs();
    Ok(Section {
        notes: vec![format!("Both ways gave the same answer on {cases}, in {took} s.")],
        ..Section::default()
    })
}

/// OpenSSL's own figure.
fn openssl_rate(effort: Effort) -> Outcome<f64> {
    let seconds = effort.of("2", "1");
    let output = Command::new("openssl").args(["speed", "-mr", "-seconds", seconds, "sm2"]).output();
    let output = output.map_err(|error| format!("running openssl: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    // +F7:0:256:CurveSM2:<sign>:<verify>
    let line = said.lines().find(|line| line.starts_with("+F7:") && line.contains("CurveSM2"));
    let rate = line.and_then(|line| line.rsplit(':').next()?.trim().parse().ok());
    rate.ok_or_else(|| format!("openssl said {said}"))
}

/// Compares on all cores; gives how many cases there were, in words.
fn compare(cases: u64) -> Outcome<String> {
    let issuers: Vec<(SigningKey, IssuerKey)> = (0..KEYS)
        .filter_map(|seed| {
            let key = SigningKey::generate(Algorithm::Sm2, &mut Seeded(1_000 + seed));
            IssuerKey::new(&key.public()).map(|issuer| (key, issuer))
        })
        .collect();
    let (next, good) = (AtomicU64::new(0), AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || -> Outcome<()> {
        loop {
            let at = next.fetch_add(CASES_OF_A_SIGNATURE, Ordering::Relaxed);
            if cases <= at {
                return Ok(());
            }
            good.fetch_add(compare_some(&issuers, at)?, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a comparison panicked".to_owned())?)
    })?;
    let (cases, good) = (number(cases as f64), number(good.into_inner() as f64));
    Ok(format!("{cases} cases, {good} of them good signatures"))
}

/// A good signature, one with a bent bit, one under another key and one of random numbers; gives how many were good.
fn compare_some(issuers: &[(SigningKey, IssuerKey)], at: u64) -> Outcome<u64> {
    let mut random = Seeded(at + 1);
    let place = |by: u64| ((at / CASES_OF_A_SIGNATURE + by) % issuers.len() as u64) as usize;
    let (Some((key, issuer)), Some((_, other))) = (issuers.get(place(0)), issuers.get(place(1))) else {
        return Err("there are no keys".to_owned());
    };
    let message: [u8; 48] = bytes(&mut random);
    let signature = key.sign(&message);
    let chosen: [u8; 2] = bytes(&mut random);
    let mut bent = signature.clone();
    let bit = 1 << (chosen[1] % 8);
    if let Some(byte) = bent.get_mut(usize::from(chosen[0]) % signature.len()) {
        *byte ^= bit;
    }
    let random: [u8; 64] = bytes(&mut random);
    let mut good = 0;
    for (issuer, signature) in
        [(issuer, &signature[..]), (issuer, &bent[..]), (other, &signature[..]), (issuer, &random[..])]
    {
        let plain = issuer.verify_plainly(&message, signature);
        if issuer.verify(&message, signature) != plain {
            return Err(format!("case {at}: tables and plain verification differ"));
        }
        good += u64::from(plain);
    }
    if good == 1 { Ok(good) } else { Err(format!("case {at}: {good} signatures are good")) }
}

fn bytes<const N: usize>(random: &mut Seeded) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

/// A source of bytes that is the same in every run (xorshift64*).
struct Seeded(u64);

impl Entropy for Seeded {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            *byte = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()[0];
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_ways_agree_on_some_cases() {
        assert_eq!(super::compare(200).unwrap(), "200 cases, 50.0 of them good signatures");
    }
}
