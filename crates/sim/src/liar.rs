//! A city that lies (作恶节点): with its own good keys, in one way, for the length of the storm.

use std::sync::Arc;

use tb_base::NodeId;
use tb_exchange::City;
use tb_exchange::keys::Secrets;
use tb_exchange::witness::{ADD_CHECKPOINT_PATH, signers};
use tb_tlog::Checkpoint;
use tb_tlog::note::Note;
use tb_tlog::witness::Request;

use crate::dice::Dice;
use crate::net::Call;
use crate::storm::Lie;

/// Calls that the liar remembers to say again.
const REMEMBERED_MAX: usize = 64;

/// The liar.
pub struct Liar {
    /// Which city it is.
    pub city: NodeId,
    lie: Lie,
    listed: City,
    secrets: Arc<Secrets>,
    said: Vec<Call>,
}

impl Liar {
    /// A city that lies in one way.
    pub fn new(lie: Lie, listed: City, secrets: Arc<Secrets>) -> Liar {
        Liar { city: listed.node, lie, listed, secrets, said: Vec::new() }
    }

    /// What it sends in place of a call, and beside it.
    pub fn speak(&mut self, dice: &mut Dice, _to: NodeId, call: Call) -> (Call, Vec<Call>) {
        match self.lie {
            Lie::BadSignature => (self.spoil(dice, call), Vec::new()),
            Lie::ForkedLog => {
                let forged = self.fork(dice, &call);
                (call, forged.into_iter().collect())
            }
            Lie::Replay => {
                let again = self.again(dice, &call);
                (call, again.into_iter().collect())
            }
            Lie::OmittedLeaf => (call, Vec::new()),
        }
    }

    /// A letter of the signature is another.
    fn spoil(&self, dice: &mut Dice, mut call: Call) -> Call {
        if dice.happens(30)
            && let Some((_, value)) = call.fields.iter_mut().find(|(name, _)| name == "signature")
        {
            let other =
                if value.contains("A") { value.replacen('A', "B", 1) } else { value.replacen('B', "A", 1) };
            *value = other;
        }
        call
    }

    /// The same log, signed rightly, with another root.
    fn fork(&self, dice: &mut Dice, call: &Call) -> Option<Call> {
        if call.path != ADD_CHECKPOINT_PATH || !dice.happens(50) {
            return None;
        }
        let mut request: Request = std::str::from_utf8(&call.body).ok()?.parse().ok()?;
        // Whoever knows nothing of a log yet cannot tell a fork from the log.
        if request.old == 0 {
            return None;
        }
        let honest = request.checkpoint().ok()?;
        let mut root = honest.root;
        root[0] ^= 1;
        let size = honest.size + dice.between(0, 2);
        let forged = Checkpoint { origin: honest.origin, size, root };
        let bare = Note::new(&forged.text()).ok()?;
        let signers = signers(&self.listed, &self.secrets).ok()?;
        request.note = signers.iter().fold(bare.clone(), |note, signer| note.with(signer.sign(&bare)));
        Some(Call { body: request.to_string().into_bytes(), ..call.clone() })
    }

    /// Something said before, byte for byte.
    fn again(&mut self, dice: &mut Dice, call: &Call) -> Option<Call> {
        if self.said.len() < REMEMBERED_MAX && call.path != ADD_CHECKPOINT_PATH {
            self.said.push(call.clone());
        }
        (!self.said.is_empty() && dice.happens(40)).then(|| dice.choose(&self.said).clone())
    }
}
