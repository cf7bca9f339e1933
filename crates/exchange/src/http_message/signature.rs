//! Signature base, parameters and key ids (签名基串): RFC 9421 §2 and §3 for the two labels of the profile.

use sfv::{BareItem, Dictionary, FieldType, InnerList, Item, ListEntry};
use tb_base::{NodeId, Timestamp, Violation};
use tb_crypto::{PublicKey, text};

use super::Profile;
use super::fields::{byte_sequence, bytes_member, dictionary, find, grammar, need, quoted};
use crate::TrustList;
use crate::keys::{KeyUse, Secrets};
use crate::problem::clock;

/// The application that signs (RFC 9421 §2.3, `tag`).
pub const TAG: &str = "tongban-x1";
/// The longest life of a signature.
pub const LIFETIME_SECONDS: i64 = 300;
/// By how much the sender's clock may be ahead.
pub const CLOCK_TOLERANCE_SECONDS: i64 = 60;
/// How much randomness a nonce holds at least.
pub const NONCE_BYTES: usize = 16;
/// The longest nonce, in letters.
const NONCE_LETTERS_MAX: usize = 64;
/// What key ids start with.
const KEY_PREFIX: &str = "urn:tongban:key:";
/// The labels and the keys that they are made with.
const LABELS: [(&str, KeyUse); 2] = [("tb", KeyUse::Message), ("tbsm", KeyUse::MessageSm2)];

/// One line of the signature base: what it is, as the covered list names it, and its value.
pub(crate) struct Line {
    pub(crate) identifier: String,
    pub(crate) value: String,
}

impl Line {
    /// A component of the message itself.
    pub(crate) fn own(name: &str, value: impl Into<String>) -> Line {
        Line { identifier: quoted(name), value: value.into() }
    }

    /// A component of the request that a response answers.
    pub(crate) fn of_request(name: &str, value: impl Into<String>) -> Line {
        Line { identifier: format!("{};req", quoted(name)), value: value.into() }
    }
}

/// The text that is signed (RFC 9421 §2.5).
pub(crate) fn base(lines: &[Line], params: &str) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.identifier);
        text.push_str(": ");
        text.push_str(&line.value);
        text.push('\n');
    }
    text.push_str("\"@signature-params\": ");
    text.push_str(params);
    text
}

/// The parameters of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Params {
    pub(crate) created: i64,
    pub(crate) expires: i64,
    pub(crate) nonce: Option<String>,
    pub(crate) keyid: String,
}

impl Params {
    fn text(&self, lines: &[Line]) -> String {
        let covered: Vec<&str> = lines.iter().map(|line| line.identifier.as_str()).collect();
        let nonce = self.nonce.as_ref().map_or(String::new(), |nonce| format!(";nonce={}", quoted(nonce)));
        format!(
            "({});created={};expires={}{nonce};keyid={};tag={}",
            covered.join(" "),
            self.created,
            self.expires,
            quoted(&self.keyid),
            quoted(TAG)
        )
    }

    /// The life of a signature is bounded whatever the clock says.
    fn check_life(&self) -> Result<(), Violation> {
        let life = self.expires.saturating_sub(self.created);
        if 0 < life && life <= LIFETIME_SECONDS {
            return Ok(());
        }
        let detail = format!("it lives {life} seconds, 1 to {LIFETIME_SECONDS} are allowed");
        Err(Violation::new("expired", "signature-input;expires", detail))
    }
}

/// Whether a signature may be taken now.
pub(crate) fn check_clock(created: i64, expires: i64, now: Timestamp) -> Result<(), Violation> {
    let ahead = created.saturating_sub(now.seconds());
    if CLOCK_TOLERANCE_SECONDS < ahead {
        let detail = clock(ahead.saturating_mul(1_000), "it was signed in the future");
        return Err(Violation::new("expired", "signature-input;created", detail));
    }
    if expires < now.seconds() {
        let detail = clock(ahead.saturating_mul(1_000), "it came too late");
        return Err(Violation::new("expired", "signature-input;expires", detail));
    }
    Ok(())
}

/// How a key is named: city, use, and the start of the key's SHA-256, so that a replaced key has another name.
pub(crate) fn key_id(node: NodeId, key_use: KeyUse, key: &PublicKey) -> String {
    let fingerprint = text::hex(&tb_crypto::sha256(&key.to_bytes())[..8]);
    format!("{KEY_PREFIX}{node}:{}:{fingerprint}", key_use.name())
}

/// The key of that name, if the city might use it when it signed. Cities that left are known, for evidence.
fn resolve(
    trust: &TrustList,
    from: NodeId,
    key_use: KeyUse,
    params: &Params,
) -> Result<PublicKey, Violation> {
    let unknown = |detail: String| Violation::new("key-unknown", "signature-input;keyid", detail);
    let city = trust.known(from).ok_or_else(|| unknown(format!("{from} is no member")))?;
    let created = Timestamp(params.created.saturating_mul(1_000_000));
    for keys in city.keys_at(created) {
        let key = keys.key(key_use)?;
        if key_id(from, key_use, &key) == params.keyid {
            return Ok(key);
        }
    }
    let expected = key_id(from, key_use, &city.keys.key(key_use)?);
    Err(unknown(crate::problem::mismatch(&expected, &params.keyid)))
}

/// Signs the lines with the keys of the profile; gives the two fields and the hash of the base of `tb`.
pub(crate) fn sign(
    lines: &[Line],
    node: NodeId,
    secrets: &Secrets,
    profile: Profile,
    now: Timestamp,
    nonce: Option<&str>,
) -> ([(String, String); 2], [u8; 32]) {
    let keys: &[_] = match profile {
        Profile::Ed25519 => &[("tb", KeyUse::Message, &secrets.message)],
        Profile::Both => {
            &[("tb", KeyUse::Message, &secrets.message), ("tbsm", KeyUse::MessageSm2, &secrets.message_sm2)]
        }
    };
    let (mut inputs, mut signatures, mut base_hash) = (Vec::new(), Vec::new(), [0; 32]);
    for (label, key_use, key) in keys {
        let params = Params {
            created: now.seconds(),
            expires: now.seconds() + LIFETIME_SECONDS,
            nonce: nonce.map(str::to_owned),
            keyid: key_id(node, *key_use, &key.public()),
        };
        let params = params.text(lines);
        let text = base(lines, &params);
        if *label == "tb" {
            base_hash = tb_crypto::sha256(text.as_bytes());
        }
        signatures.push(format!("{label}={}", byte_sequence(&key.sign(text.as_bytes()))));
        inputs.push(format!("{label}={params}"));
    }
    let fields =
        [("signature-input".to_owned(), inputs.join(", ")), ("signature".to_owned(), signatures.join(", "))];
    (fields, base_hash)
}

/// What a signature said of itself, after it was found valid.
pub(crate) struct Valid {
    pub(crate) params: Params,
    pub(crate) base_hash: [u8; 32],
}

/// Whether a message must carry a nonce of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nonce {
    /// A request.
    Needed,
    /// A response: it echoes that of the request in a covered field.
    None,
}

/// Checks all signatures of a message over exactly these lines.
pub(crate) fn verify(
    fields: &[(String, String)],
    lines: &[Line],
    trust: &TrustList,
    from: NodeId,
    nonce: Nonce,
) -> Result<Valid, Violation> {
    let inputs = dictionary("signature-input", need(fields, "signature-input")?)?;
    let signatures = dictionary("signature", need(fields, "signature")?)?;
    check_labels(&labels(&inputs), &labels(&signatures))?;
    let mut valid: Option<Valid> = None;
    for (label, key_use) in LABELS {
        let Some(input) = inputs.get(label) else { continue };
        let ListEntry::InnerList(input) = input else {
            return Err(grammar(format!("signature-input;{label}"), "a list of components is expected"));
        };
        check_coverage(input, lines)?;
        let params = read_params(input, nonce)?;
        params.check_life()?;
        if valid.as_ref().is_some_and(|first| !agree(&first.params, &params)) {
            return Err(grammar(
                format!("signature-input;{label}"),
                "the two signatures differ in time or nonce",
            ));
        }
        let key = resolve(trust, from, key_use, &params)?;
        let text = base(lines, &serialize(input));
        let base_hash = tb_crypto::sha256(text.as_bytes());
        let signature = bytes_member("signature", &signatures, label)?;
        key.verify(text.as_bytes(), signature).map_err(|_| {
            let detail =
                format!("key {}, SHA-256 of the signature base {}", params.keyid, text::hex(&base_hash));
            Violation::new("signature-invalid", format!("signature;{label}"), detail)
        })?;
        valid.get_or_insert(Valid { params, base_hash });
    }
    valid
        .ok_or_else(|| Violation::new("signature-coverage", "signature-input", "the signature tb is missing"))
}

fn agree(one: &Params, other: &Params) -> bool {
    (one.created, one.expires, &one.nonce) == (other.created, other.expires, &other.nonce)
}

fn labels(members: &Dictionary) -> Vec<&str> {
    members.keys().map(|label| label.as_str()).collect()
}

/// The labels are `tb`, and `tbsm` if the sender wants; both fields hold the same ones.
fn check_labels(inputs: &[&str], signatures: &[&str]) -> Result<(), Violation> {
    for label in inputs.iter().chain(signatures) {
        if !LABELS.iter().any(|(known, _)| known == label) {
            return Err(grammar(format!("signature-input;{label}"), "this label is not known"));
        }
    }
    if inputs != signatures {
        return Err(grammar("signature", "it holds other labels than signature-input, or in another order"));
    }
    if inputs.first() != Some(&"tb") {
        return Err(Violation::new("signature-coverage", "signature-input", "the signature tb comes first"));
    }
    Ok(())
}

/// The covered components must be those of the profile, in its order.
fn check_coverage(input: &InnerList, lines: &[Line]) -> Result<(), Violation> {
    let covered: Vec<String> = input.items.iter().map(Item::serialize).collect();
    let coverage = |component: &str, detail: &str| {
        let named = component.replace('"', "");
        // A component without a name is the field's own fault.
        let named = if named.is_empty() { "signature-input".to_owned() } else { named };
        Err(Violation::new("signature-coverage", named, detail.to_owned()))
    };
    if let Some(line) = lines.iter().find(|line| !covered.contains(&line.identifier)) {
        return coverage(&line.identifier, "the signature does not cover it");
    }
    if let Some(other) = covered.iter().find(|name| !lines.iter().any(|line| line.identifier == **name)) {
        return coverage(other, "the signature covers what the profile does not");
    }
    if covered.iter().ne(lines.iter().map(|line| &line.identifier)) {
        return coverage("signature-input", "the components stand in another order, or twice");
    }
    Ok(())
}

fn serialize(input: &InnerList) -> String {
    vec![ListEntry::InnerList(input.clone())].serialize().unwrap_or_default()
}

fn read_params(input: &InnerList, nonce: Nonce) -> Result<Params, Violation> {
    const KNOWN: [&str; 5] = ["created", "expires", "nonce", "keyid", "tag"];
    for key in input.params.keys() {
        let known = KNOWN.contains(&key.as_str()) && (key.as_str() != "nonce" || nonce == Nonce::Needed);
        if !known {
            return Err(grammar(format!("signature-input;{key}"), "this parameter is not allowed"));
        }
    }
    let get = |key: &str| {
        let missing =
            || Violation::new("signature-coverage", format!("signature-input;{key}"), "it is missing");
        input.params.get(key).ok_or_else(missing)
    };
    let number = |key| {
        let value = get(key)?.as_integer();
        value
            .map(i64::from)
            .ok_or_else(|| grammar(format!("signature-input;{key}"), "an integer is expected"))
    };
    let string = |key| {
        let value = get(key)?.as_string().map(|text| text.as_str().to_owned());
        value.ok_or_else(|| grammar(format!("signature-input;{key}"), "a string is expected"))
    };
    if string("tag")? != TAG {
        return Err(grammar("signature-input;tag", format!("the tag is not {TAG}")));
    }
    let nonce = match nonce {
        Nonce::Needed => Some(string("nonce")?),
        Nonce::None => None,
    };
    nonce.as_deref().map_or(Ok(()), check_nonce)?;
    Ok(Params { created: number("created")?, expires: number("expires")?, nonce, keyid: string("keyid")? })
}

/// At least 128 bits in base64 for addresses.
fn check_nonce(nonce: &str) -> Result<(), Violation> {
    let bytes =
        text::unbase64url(nonce).map_err(|_| grammar("signature-input;nonce", "base64url is expected"))?;
    if bytes.len() < NONCE_BYTES || NONCE_LETTERS_MAX < nonce.len() {
        return Err(grammar(
            "signature-input;nonce",
            format!("{} bytes, at least {NONCE_BYTES}", bytes.len()),
        ));
    }
    Ok(())
}

/// The nonce of a request, read without judging the rest.
pub(crate) fn nonce(fields: &[(String, String)]) -> Option<String> {
    let inputs = dictionary("signature-input", find(fields, "signature-input")?).ok()?;
    let ListEntry::InnerList(input) = inputs.get("tb")? else { return None };
    let nonce = input.params.get("nonce").and_then(BareItem::as_string)?.as_str();
    check_nonce(nonce).ok().map(|()| nonce.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Line, base};
    use tb_crypto::{Algorithm, PublicKey, text};

    /// RFC 9421 appendix B.2.6: the base that our own code makes verifies under the RFC's key and signature.
    #[test]
    fn the_ed25519_example_of_the_standard_verifies() {
        let lines = [
            Line::own("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            Line::own("@method", "POST"),
            Line::own("@path", "/foo"),
            Line::own("@authority", "example.com"),
            Line::own("content-type", "application/json"),
            Line::own("content-length", "18"),
        ];
        let params = "(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")\
                      ;created=1618884473;keyid=\"test-key-ed25519\"";
        let spki = text::unbase64("MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").unwrap();
        let key = PublicKey::from_bytes(Algorithm::Ed25519, &spki[12..]).unwrap();
        let signature = text::unbase64(
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
        )
        .unwrap();
        key.verify(base(&lines, params).as_bytes(), &signature).unwrap();
        assert!(key.verify(base(&lines[1..], params).as_bytes(), &signature).is_err());
    }
}
