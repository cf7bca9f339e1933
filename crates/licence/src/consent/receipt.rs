//! The receipt of a consent (授权凭据): what the asking city signs, and how the answering city checks it.
//!
//! Invariant: a receipt fits one case, one item, one person, one answering city and exact fields;
//! whatever differs is refused, each with its own code.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tb_base::{CaseId, ContractId, Ctx, Error, NodeId, Refusal, Result, Timestamp, Violation};
use tb_crypto::text::{base64, hex, unbase64};
use tb_crypto::{SigningKey, Vault, canonical};
use tb_exchange::keys::KeyUse;
use tb_exchange::{Desk, Envelope, Pseudonym, SELF_CONTRACT, TrustList};
use tb_identity::people;
use tb_store::Tx;

use super::{Asked, ConsentId, Manner, need};

/// Parts receipts from everything else that the message key signs.
const SIGNING_CONTEXT: &[u8] = b"tongban/consent/1\n";
/// How long a receipt may be used; a fresh one is made for each fetch.
const RECEIPT_SECONDS: i64 = 600;
/// How far the clocks of two cities may differ.
const SKEW_SECONDS: i64 = 60;

/// What the asking city says that she agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The consent.
    pub id: ConsentId,
    /// The city that asked her and signs this.
    pub asking: NodeId,
    /// The city that may answer on it.
    pub answering: NodeId,
    /// The city that decides the case.
    pub deciding: NodeId,
    /// The item.
    pub item: String,
    /// The case.
    pub case: CaseId,
    /// The contract under which she has the pseudonym.
    pub contract: ContractId,
    /// Her pseudonym, lower-case hex.
    pub subject: String,
    /// Types and exact fields.
    pub asked: Vec<Asked>,
    /// How she confirmed.
    pub manner: Manner,
    /// SHA-256 of her drawn signature, lower-case hex.
    pub signature_hash: Option<String>,
    /// When she agreed.
    pub given_at: Timestamp,
    /// When this receipt was made.
    pub issued_at: Timestamp,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

/// A receipt with the signature of the asking city.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedReceipt {
    /// What was agreed.
    pub receipt: Receipt,
    /// Signature of the asking city's message key over the canonical text, base64.
    pub signature: String,
}

/// Makes a fresh receipt for one answering city, as long as the consent stands.
pub fn receipt(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    desk: &Desk,
    vault: &Vault,
    key: &SigningKey,
    id: ConsentId,
    answering: NodeId,
) -> Result<SignedReceipt> {
    let consent = need(tx, id)?;
    let (true, Some(manner), Some(given_at)) =
        (consent.is_given(ctx.now), consent.manner, consent.answered_at)
    else {
        return Err(Refusal::not_allowed(
            "LIC-CNS-020",
            "没有有效的授权，不能调取",
            "Without a standing consent nothing is fetched",
        )
        .by("《中华人民共和国个人信息保护法》第十三条、第十五条")
        .but("请先取得本人同意，或请其自带材料", "Ask for her consent first, or for papers")
        .into());
    };
    let contract = contract_with(desk, answering, ctx.now)?;
    let number = people::get(tx, vault, consent.person)?.number.to_string();
    let receipt = Receipt {
        id,
        asking: desk.me,
        answering,
        deciding: consent.deciding,
        item: consent.item,
        case: consent.case,
        subject: hex(&desk.pseudonym(&contract, &number)?.0),
        contract,
        asked: consent.asked,
        manner,
        signature_hash: consent.signature_hash.map(|hash| hex(&hash)),
        given_at,
        issued_at: ctx.now,
        expires_at: ctx.now.plus_seconds(RECEIPT_SECONDS).min(consent.expires),
    };
    let signature = base64(&key.sign(&signed_text(&receipt)?));
    Ok(SignedReceipt { receipt, signature })
}

impl SignedReceipt {
    /// Checks that the asking city signed it; what a deciding city does with a receipt in a package.
    pub fn verify(&self, trust: &TrustList) -> Result<()> {
        let city = trust.known(self.receipt.asking);
        let city =
            city.ok_or_else(|| Violation::new("key-unknown", "consent", "the asking city is no member"))?;
        let signature = unbase64(&self.signature)?;
        let (issued, text) = (self.receipt.issued_at, signed_text(&self.receipt)?);
        Ok(city.verify_at(KeyUse::Message, issued, &text, &signature)?)
    }

    /// Checks that it belongs to a case that a city sent: signed by that city, for that case and item.
    pub fn check_case(&self, trust: &TrustList, asking: NodeId, case: CaseId, item: &str) -> Result<()> {
        self.verify(trust)?;
        let receipt = &self.receipt;
        if receipt.asking == asking && receipt.case == case && receipt.item == item {
            return Ok(());
        }
        Err(misfit("LIC-CNS-103", "授权凭据属于另一办件", "the receipt is for another case"))
    }

    /// Checks that a fetch of exactly these fields stands on it, on the answering side.
    pub(crate) fn check(
        &self,
        desk: &Desk,
        envelope: &Envelope,
        type_id: &str,
        fields: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<()> {
        let receipt = &self.receipt;
        if self.verify(&desk.trust().list).is_err() {
            return Err(misfit(
                "LIC-CNS-101",
                "授权凭据的签名不对",
                "the signature of the receipt is not valid",
            ));
        }
        if receipt.asking != envelope.from || receipt.answering != desk.me {
            return Err(misfit("LIC-CNS-102", "授权凭据是给别的城市的", "the receipt is for other cities"));
        }
        let basis = format!("consent:{}", receipt.id);
        if Some(receipt.case) != envelope.purpose.case || basis != envelope.purpose.basis {
            return Err(misfit("LIC-CNS-103", "授权凭据属于另一办件", "the receipt is for another case"));
        }
        if receipt.item != envelope.purpose.item {
            return Err(misfit("LIC-CNS-104", "授权凭据属于另一事项", "the receipt is for another item"));
        }
        let subject = envelope.subject.map(|Pseudonym(bytes)| hex(&bytes));
        if Some(&receipt.subject) != subject.as_ref() || receipt.contract != envelope.contract.id {
            return Err(misfit("LIC-CNS-105", "授权凭据属于另一人", "the receipt is of another person"));
        }
        let agreed = receipt.asked.iter().filter(|it| it.type_id == type_id).any(|it| it.fields == *fields);
        if !agreed {
            return Err(misfit("LIC-CNS-106", "所调字段与授权不一致", "the fields are not those agreed to"));
        }
        if receipt.expires_at < now || now.plus_seconds(SKEW_SECONDS) < receipt.issued_at {
            return Err(misfit(
                "LIC-CNS-107",
                "授权凭据不在有效期内",
                "the receipt is not valid at this time",
            ));
        }
        Ok(())
    }
}

/// The contract that both cities speak of her under.
fn contract_with(desk: &Desk, peer: NodeId, now: Timestamp) -> Result<ContractId> {
    if peer == desk.me {
        return Ok(SELF_CONTRACT.parse()?);
    }
    let contracts = desk.contracts();
    let mut between = contracts.values().map(|signed| &signed.contract);
    let found = between.find(|it| it.is_between(desk.me, peer) && it.is_in_force(now));
    found.map(|contract| contract.id.clone()).ok_or_else(|| {
        Refusal::not_allowed(
            "LIC-CNS-021",
            "与该城市没有生效的契约",
            "There is no contract in force with that city",
        )
        .into()
    })
}

fn signed_text(receipt: &Receipt) -> Result<Vec<u8>> {
    Ok([SIGNING_CONTEXT, &canonical(receipt)?].concat())
}

fn misfit(code: &'static str, zh: &'static str, en: &'static str) -> Error {
    Refusal::not_allowed(code, zh, en)
        .by("《中华人民共和国个人信息保护法》第十四条")
        .but("请就本办件重新取得同意", "Ask for consent again, for this case")
        .into()
}
