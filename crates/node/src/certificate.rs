//! The end of a certificate's validity, read from its DER (X.509, RFC 5280 §4.1); nothing else of it is looked at.

use tb_base::Date;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The explicit version that stands before the serial number.
const VERSION: u8 = 0xa0;

/// The day of `notAfter`.
pub fn last_day(certificate: &[u8]) -> Option<Date> {
    let (_, signed, _) = part(certificate)?;
    let (_, mut rest, _) = part(signed)?;
    if rest.first() == Some(&VERSION) {
        rest = part(rest)?.2;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        rest = part(rest)?.2;
    }
    let (kind, validity, _) = part(rest)?;
    let (_, _, after) = part(validity)?;
    let (time, digits, _) = part(after)?;
    let digits = std::str::from_utf8(digits).ok()?;
    let digits = match time {
        // Two digits up to 49 are of this century (RFC 5280 §4.1.2.5.1).
        UTC_TIME if digits < "50" => format!("20{digits}"),
        UTC_TIME => format!("19{digits}"),
        GENERALIZED_TIME => digits.to_owned(),
        _ => return None,
    };
    let (year, month, day) = (digits.get(0..4)?, digits.get(4..6)?, digits.get(6..8)?);
    format!("{year}-{month}-{day}").parse().ok().filter(|_| kind == SEQUENCE)
}

/// Tag, content and what follows.
fn part(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, mut rest) = rest.split_first()?;
    let mut length = usize::from(*first);
    if 0x80 < *first {
        let digits = usize::from(first & 0x7f);
        let bytes = rest.get(..digits).filter(|_| digits <= 4)?;
        length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        rest = rest.get(digits..)?;
    }
    Some((*tag, rest.get(..length)?, rest.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::last_day;
    use crate::tls::Identity;

    #[test]
    fn the_end_is_read_and_nothing_breaks_it() {
        let identity = Identity::generate("430100".parse().unwrap()).unwrap();
        let der = &identity.certificate;
        assert_eq!(last_day(der).map(|day| day.to_string()).as_deref(), Some("4096-01-01"));
        for end in 0..der.len() {
            let _ = last_day(&der[..end]);
            let mut changed = der.clone();
            changed[end] ^= 0xff;
            let _ = last_day(&changed);
        }
    }
}
