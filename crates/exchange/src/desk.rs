//! The desk of one city (交换台): composes messages that its contracts allow, admits those that they allow.
//!
//! Invariant: what is not agreed for this pair of cities, service and purpose leaves no desk and passes none.

mod again;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use tb_base::{ContractId, Ctx, MessageId, NodeId, Refusal, Result, Timestamp, Violation};
use tb_crypto::AgreementKey;

pub use again::Again;

use crate::contract::SELF_CONTRACT;
use crate::keys::Secrets;
use crate::package::Package;
use crate::problem::mismatch;
use crate::{
    Contract, ContractRef, Envelope, Outgoing, Pseudonym, Purpose, ServiceTerms, SignedContract,
    SignedTrustList,
};

/// The largest body of a message; what is larger goes as an attachment of its own.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The longest text in the head of a message.
pub const HEAD_TEXT_BYTES_MAX: usize = 128;
/// The grounds that a message may stand on; what follows a colon names the receipt or the statute.
const GROUNDS: [&str; 4] = ["consent", "statute", "case", "subject"];

/// What a city knows about its peers: trust list, contracts in force, and the keys of pseudonyms.
///
/// Clones share what is in force: [`Desk::replace`] takes effect for all of them, and nobody waits for it.
#[derive(Clone)]
pub struct Desk {
    /// This city.
    pub me: NodeId,
    agreement: AgreementKey,
    standing: Arc<RwLock<Arc<Standing>>>,
}

/// What is in force at one moment.
struct Standing {
    trust: Arc<SignedTrustList>,
    /// Contracts of this city, by id.
    contracts: Arc<BTreeMap<ContractId, SignedContract>>,
    /// How messages name the contracts: the hash of each is made once.
    references: BTreeMap<ContractId, ContractRef>,
    /// Contracts that ended or were replaced: evidence stands under them.
    ended: Vec<SignedContract>,
    /// Pseudonym keys by contract, agreed by P-256 Diffie-Hellman, the present ones first.
    pseudonym_keys: Vec<(ContractId, [u8; 32])>,
}

impl Desk {
    /// A desk from a trust list and contracts whose signatures it checks; contracts of other pairs are left aside.
    ///
    /// Of two versions of a contract the higher one counts.
    pub fn new(
        me: NodeId,
        trust: SignedTrustList,
        contracts: Vec<SignedContract>,
        secrets: &Secrets,
    ) -> Result<Desk> {
        let agreement = secrets.agreement.clone();
        let standing = Arc::new(Standing::new(me, &agreement, trust, contracts)?);
        Ok(Desk { me, agreement, standing: Arc::new(RwLock::new(standing)) })
    }

    /// Whether the package could stand in force here: every key in it that this city needs can be used.
    pub fn check(&self, package: &Package) -> Result<()> {
        let (trust, contracts) = (package.trust.clone(), package.contracts.clone());
        Standing::new(self.me, &self.agreement, trust, contracts).map(drop)
    }

    /// Puts another trust list and other contracts in force, from the next message on.
    ///
    /// Whether the list may follow the present one is for the caller to check ([`crate::package`]); what ended is
    /// remembered, since people may still ask who looked at their data under it.
    pub fn replace(&self, trust: SignedTrustList, contracts: Vec<SignedContract>) -> Result<()> {
        let mut next = Standing::new(self.me, &self.agreement, trust, contracts)?;
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        next.remember(&standing);
        *standing = Arc::new(next);
        Ok(())
    }

    fn standing(&self) -> Arc<Standing> {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The trust list in force.
    pub fn trust(&self) -> Arc<SignedTrustList> {
        self.standing().trust.clone()
    }

    /// The contracts of this city in force, by id.
    pub fn contracts(&self) -> Arc<BTreeMap<ContractId, SignedContract>> {
        self.standing().contracts.clone()
    }

    /// The contracts of this city, and those that ended: what messages of any day stand under.
    pub fn contracts_ever(&self) -> Vec<SignedContract> {
        let standing = self.standing();
        standing.contracts.values().chain(&standing.ended).cloned().collect()
    }

    /// Whether the city is a member of the region.
    pub fn is_member(&self, city: NodeId) -> bool {
        self.standing().trust.list.city(city).is_some()
    }

    /// The person's pseudonym under a contract.
    pub fn pseudonym(&self, contract: &ContractId, resident: &str) -> Result<Pseudonym> {
        let standing = self.standing();
        let key = standing.pseudonym_keys.iter().find(|(id, _)| id == contract);
        let (_, key) = key.ok_or_else(|| {
            Refusal::not_allowed(
                "EXC-CON-001",
                format!("本市没有契约 {contract}"),
                format!("This city has no contract {contract}"),
            )
        })?;
        Ok(Pseudonym(tb_crypto::hmac_sm3(key, resident.as_bytes())))
    }

    /// The person's pseudonyms under every contract that this city has or had, and under `self`.
    pub fn pseudonyms(&self, resident: &str) -> Vec<(ContractId, Pseudonym)> {
        let of = |key: &[u8; 32]| Pseudonym(tb_crypto::hmac_sm3(key, resident.as_bytes()));
        self.standing().pseudonym_keys.iter().map(|(id, key)| (id.clone(), of(key))).collect()
    }

    /// The other cities that this city has a contract with.
    pub fn peers(&self) -> BTreeSet<NodeId> {
        self.contracts().values().filter_map(|signed| signed.contract.peer_of(self.me)).collect()
    }

    /// Composes a message that a contract in force allows; refuses any other (missing contract, service, purpose).
    ///
    /// `resident` is the resident number of the data subject; only its pseudonym travels in the head.
    /// The deadline is cut to whole seconds: that is what a head can carry.
    #[expect(
        clippy::too_many_arguments,
        reason = "the head of a message has this many parts, all of them mandatory"
    )]
    pub fn compose<B: serde::Serialize>(
        &self,
        ctx: &Ctx,
        to: NodeId,
        service: &str,
        purpose: Purpose,
        actor: &str,
        resident: Option<&str>,
        body: &B,
        deadline: Timestamp,
    ) -> Result<Outgoing> {
        check_purpose(&purpose, resident.is_some()).map_err(|detail| refuse_purpose(&detail))?;
        check_head_text("actor", actor).map_err(|detail| refuse_head(&detail))?;
        check_head_text("service", service).map_err(|detail| refuse_head(&detail))?;
        let contract = self.grant(to, service, &purpose, ctx.now)?;
        let subject = resident.map(|number| self.pseudonym(&contract.id, number)).transpose()?;
        let body = serde_json::to_vec(body).map_err(|error| {
            tb_base::Fault::of(format!("writing the body of a message to {service}"), error)
        })?;
        if BODY_BYTES_MAX < body.len() {
            return Err(refuse_size(body.len()).into());
        }
        let envelope = Envelope {
            id: ctx.id(MessageId::new),
            from: self.me,
            to,
            service: service.to_owned(),
            contract,
            purpose,
            actor: actor.to_owned(),
            subject,
            deadline: Timestamp(deadline.seconds() * 1_000_000),
        };
        Ok(Outgoing { envelope, body })
    }

    /// The contract that allows this, or the reason why none does.
    fn grant(&self, to: NodeId, service: &str, purpose: &Purpose, now: Timestamp) -> Result<ContractRef> {
        if to == self.me {
            return ContractRef::own_city();
        }
        let standing = self.standing();
        if !standing.trust.list.is_current(now) {
            return Err(refuse_stale_trust(&standing.trust).into());
        }
        let mut granted = standing
            .contracts
            .values()
            .map(|signed| &signed.contract)
            .filter(|contract| contract.is_between(self.me, to) && contract.is_in_force(now))
            .filter_map(|contract| contract.services.get(service).map(|terms| (contract, terms)))
            .peekable();
        if granted.peek().is_none() {
            return Err(refuse_grant(to, service).into());
        }
        match granted.find(|(_, terms)| terms.allows(&purpose.item)) {
            Some((contract, _)) => standing.reference(contract),
            None => Err(refuse_purpose(&format!("{} for {service}", purpose.item)).into()),
        }
    }

    /// Checks a verified head against contract, purpose and audience on the receiving side.
    pub fn admit(&self, envelope: &Envelope, now: Timestamp) -> Result<()> {
        self.check_admission(envelope, now).map_err(Into::into)
    }

    pub(crate) fn check_admission(
        &self,
        envelope: &Envelope,
        now: Timestamp,
    ) -> std::result::Result<(), Violation> {
        if envelope.to != self.me {
            let detail = mismatch(self.me.as_str(), envelope.to.as_str());
            return Err(Violation::new("audience", "tb-to", detail));
        }
        if envelope.deadline < now {
            return Err(Violation::new(
                "expired",
                "tb-deadline",
                format!("nobody waits since {}", envelope.deadline),
            ));
        }
        check_purpose(&envelope.purpose, envelope.subject.is_some())
            .map_err(|detail| Violation::new("purpose", "tb-purpose", detail))?;
        if envelope.from == self.me {
            return self.check_own(envelope);
        }
        let standing = self.standing();
        if standing.trust.list.city(envelope.from).is_none() {
            let detail = format!("{} is no member", envelope.from);
            return Err(Violation::new("key-unknown", "tb-from", detail));
        }
        if !standing.trust.list.is_current(now) {
            return Err(Violation::new(
                "expired",
                "trust-list",
                "the trust list of the receiver is not current",
            ));
        }
        let contract = standing.contract_of(self.me, envelope)?;
        if !contract.is_in_force(now) {
            return Err(Violation::new(
                "grant",
                "tb-contract",
                format!("in force from {}", contract.effective),
            ));
        }
        check_terms(contract, envelope)
    }

    /// A message of the city to itself crosses no socket; it stands under `self` and nothing else.
    fn check_own(&self, envelope: &Envelope) -> std::result::Result<(), Violation> {
        let own =
            ContractRef::own_city().map_err(|_| Violation::new("grant", "tb-contract", "no own contract"))?;
        if envelope.contract == own {
            return Ok(());
        }
        Err(Violation::new(
            "grant",
            "tb-contract",
            format!("{} speaks to itself under another contract", self.me),
        ))
    }

    /// The terms that a message stands under; nothing for a message of the city to itself, which is not limited.
    pub fn terms(&self, envelope: &Envelope) -> Option<ServiceTerms> {
        self.standing().terms(envelope).cloned()
    }

    /// How many messages a day the terms allow; nothing for a message of the city to itself.
    pub fn quota_per_day(&self, envelope: &Envelope) -> Option<u32> {
        self.standing().terms(envelope).map(|terms| terms.quota_per_day)
    }

    /// Checks one more message of the day against the quota; `sent_today` counts those before it.
    pub fn check_quota(&self, envelope: &Envelope, sent_today: u32) -> Result<()> {
        match self.standing().terms(envelope) {
            Some(terms) if terms.quota_per_day <= sent_today => {
                let detail = format!("{} a day for {}", terms.quota_per_day, envelope.service);
                Err(Violation::new("quota", "tb-contract", detail).into())
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Standing {
    fn new(
        me: NodeId,
        agreement: &AgreementKey,
        trust: SignedTrustList,
        offered: Vec<SignedContract>,
    ) -> Result<Standing> {
        trust.verify_signatures()?;
        let mut contracts: BTreeMap<ContractId, SignedContract> = BTreeMap::new();
        let own = SELF_CONTRACT.parse()?;
        let mut pseudonym_keys = vec![key_with(agreement, own, &agreement.public())?];
        for signed in offered {
            if signed.contract.peer_of(me).is_none() {
                continue;
            }
            signed.verify(&trust.list)?;
            let known = contracts.get(&signed.contract.id);
            if known.is_none_or(|known| known.contract.version < signed.contract.version) {
                contracts.insert(signed.contract.id.clone(), signed);
            }
        }
        let mut references = BTreeMap::new();
        for (id, signed) in &contracts {
            references.insert(id.clone(), signed.contract.reference()?);
            let peer = signed.contract.peer_of(me).ok_or_else(|| unknown_city(me))?;
            let city = trust.list.city(peer).ok_or_else(|| unknown_city(peer))?;
            pseudonym_keys.push(key_with(agreement, id.clone(), &city.keys.agreement_bytes()?)?);
        }
        let (trust, contracts) = (Arc::new(trust), Arc::new(contracts));
        Ok(Standing { trust, contracts, references, ended: Vec::new(), pseudonym_keys })
    }

    fn reference(&self, contract: &Contract) -> Result<ContractRef> {
        match self.references.get(&contract.id) {
            Some(known) => Ok(known.clone()),
            None => contract.reference(),
        }
    }

    /// Takes over what stood before and stands no more.
    fn remember(&mut self, before: &Standing) {
        for signed in before.contracts.values().chain(&before.ended) {
            let stands = self.contracts.get(&signed.contract.id);
            let is_known = stands.is_some_and(|stands| stands.contract == signed.contract)
                || self.ended.iter().any(|ended| ended.contract == signed.contract);
            if !is_known {
                self.ended.push(signed.clone());
            }
        }
        for pair in &before.pseudonym_keys {
            if !self.pseudonym_keys.contains(pair) {
                self.pseudonym_keys.push(pair.clone());
            }
        }
    }

    fn terms(&self, envelope: &Envelope) -> Option<&ServiceTerms> {
        self.contracts.get(&envelope.contract.id)?.contract.services.get(&envelope.service)
    }

    fn contract_of(&self, me: NodeId, envelope: &Envelope) -> std::result::Result<&Contract, Violation> {
        let named = &envelope.contract;
        let signed =
            self.contracts.get(&named.id).filter(|signed| signed.contract.is_between(me, envelope.from));
        let contract = &signed
            .ok_or_else(|| Violation::new("grant", "tb-contract", format!("no contract {} here", named.id)))?
            .contract;
        let known = self.references.get(&named.id);
        let known = known.ok_or_else(|| Violation::new("inconsistent", "contract", "it has no hash"))?;
        if known == named {
            return Ok(contract);
        }
        let words = |it: &ContractRef| format!("v{} {}", it.version, it.hash);
        Err(Violation::new("contract-stale", "tb-contract", mismatch(&words(known), &words(named))))
    }
}

fn key_with(agreement: &AgreementKey, id: ContractId, peer: &[u8]) -> Result<(ContractId, [u8; 32])> {
    let key = agreement.agree(peer, id.as_str().as_bytes())?;
    Ok((id, key))
}

fn check_terms(contract: &Contract, envelope: &Envelope) -> std::result::Result<(), Violation> {
    let terms = contract.services.get(&envelope.service).ok_or_else(|| {
        Violation::new("grant", "@path", format!("{} does not contain {}", contract.id, envelope.service))
    })?;
    if terms.allows(&envelope.purpose.item) {
        return Ok(());
    }
    let detail =
        format!("{} does not allow item {} for {}", contract.id, envelope.purpose.item, envelope.service);
    Err(Violation::new("purpose", "tb-purpose", detail))
}

/// Form of a purpose: an item, one of four grounds, and a case where it is the ground for naming a person.
fn check_purpose(purpose: &Purpose, names_a_person: bool) -> std::result::Result<(), String> {
    check_head_text("item", &purpose.item)?;
    check_head_text("basis", &purpose.basis)?;
    let (ground, name) = match purpose.basis.split_once(':') {
        Some((ground, name)) => (ground, Some(name)),
        None => (purpose.basis.as_str(), None),
    };
    let named = matches!(ground, "consent" | "statute");
    if !GROUNDS.contains(&ground) || named != name.is_some_and(|name| !name.is_empty()) {
        return Err(format!("{} is no ground", purpose.basis));
    }
    if names_a_person && ground == "case" && purpose.case.is_none() {
        return Err("the ground is a case and none is named".to_owned());
    }
    Ok(())
}

/// A text that a header can carry: printable ASCII, not empty, not long.
fn check_head_text(what: &str, text: &str) -> std::result::Result<(), String> {
    let good = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if good && !text.is_empty() && text.len() <= HEAD_TEXT_BYTES_MAX {
        return Ok(());
    }
    Err(format!("{what} must be 1 to {HEAD_TEXT_BYTES_MAX} printable ASCII characters"))
}

fn refuse_purpose(detail: &str) -> Refusal {
    Refusal::not_allowed(
        "EXC-CON-003",
        format!("共享契约不允许此用途（{detail}）"),
        format!("The contract does not allow this purpose ({detail})"),
    )
    .but("请由双方数据局修订契约后再发送", "Send it after both data bureaus have amended the contract")
}

fn refuse_grant(to: NodeId, service: &str) -> Refusal {
    Refusal::not_allowed(
        "EXC-CON-002",
        format!("与 {to} 之间没有生效的契约允许服务 {service}"),
        format!("No contract in force with {to} contains the service {service}"),
    )
    .but("请由双方数据局签订契约", "Both data bureaus have to sign a contract")
}

fn refuse_stale_trust(trust: &SignedTrustList) -> Refusal {
    let until = trust.list.not_after;
    Refusal::not_now(
        "EXC-TRU-001",
        format!("信任名单不在有效期内（至 {until}）"),
        format!("The trust list is not valid now (until {until})"),
    )
    .but("请装载新的信任名单", "Load a new trust list")
}

fn refuse_head(detail: &str) -> Refusal {
    Refusal::invalid(
        "EXC-MSG-001",
        format!("报文信封不合格（{detail}）"),
        format!("The head is not well formed: {detail}"),
    )
}

fn refuse_size(bytes: usize) -> Refusal {
    Refusal::invalid(
        "EXC-MSG-002",
        format!("报文为 {bytes} 字节，最多 {BODY_BYTES_MAX} 字节"),
        format!("The body has {bytes} bytes, {BODY_BYTES_MAX} at the most"),
    )
}

fn unknown_city(node: NodeId) -> Violation {
    Violation::new("key-unknown", "contract", format!("{node} is no member"))
}

/// What a peer answered to a query, verified and logged on both sides.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Who answered.
    pub from: NodeId,
    /// The body: JSON.
    pub body: Vec<u8>,
    /// When the answer was complete.
    pub at: Timestamp,
}

impl Answer {
    /// The body as a value of `T`, or a violation that names the schema.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| crate::problem::unfit("body", &error).into())
    }
}

/// The code of [`unavailable`]; whoever asks tells it from a refusal of the city itself.
pub const UNAVAILABLE: &str = "EXC-PEER-001";

/// The refusal that names a city which does not answer (对方城市没有应答).
pub fn unavailable(name: &str, name_en: &str) -> Refusal {
    let zh = format!("{name}暂时没有应答");
    let en = format!("{name_en} does not answer at the moment");
    let refusal = Refusal::not_now(UNAVAILABLE, zh, en);
    refusal.but("不用重新填写，稍后再试", "Nothing is lost; try again in a while")
}

/// A future in a box: what crosses a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Asks peers synchronously: over TLS in `node`, in process for the own city.
pub trait Peers: Send + Sync {
    /// Sends a query and hands on the answer when the leaves of both sides are durable.
    ///
    /// A peer that is down, slow or answers wrongly is [`unavailable`]; what the peer itself refused comes back as
    /// its own refusal.
    fn query(&self, ctx: Ctx, message: Outgoing) -> BoxFuture<'_, Result<Answer>>;
}

#[cfg(test)]
mod tests;
