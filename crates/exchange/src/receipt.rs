//! Receipts (回执): what became of a message, said by its receiver.

use serde::{Deserialize, Serialize};
use tb_base::{MessageId, Refusal, Timestamp, Violation};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// It arrived, was verified and stored (送达).
    Delivered,
    /// Its effect was made (已处理).
    Processed,
    /// It was refused for a reason (退回).
    Rejected,
}

impl ReceiptKind {
    /// Whether nothing can follow: the message took effect or never will.
    pub fn is_final(self) -> bool {
        match self {
            ReceiptKind::Delivered => false,
            ReceiptKind::Processed | ReceiptKind::Rejected => true,
        }
    }

    /// What is known after one more receipt; they may come late, twice or in another order, but not contradict.
    pub fn after(self, known: Option<ReceiptKind>) -> Result<ReceiptKind, Violation> {
        match known {
            Some(known) if known.is_final() && self.is_final() && known != self => {
                let detail = format!("the receiver said {known:?} before and {self:?} now");
                Err(Violation::new("receipt", "kind", detail))
            }
            Some(known) if known.is_final() => Ok(known),
            Some(_) | None => Ok(self),
        }
    }
}

/// A receipt, itself signed and logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The message that it is about.
    pub message: MessageId,
    /// What became of it.
    pub kind: ReceiptKind,
    /// When.
    pub at: Timestamp,
    /// Hash of the receiver's leaf, lower-case hex; the index follows with inclusion.
    pub leaf: String,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
}

#[cfg(test)]
mod tests {
    use super::ReceiptKind::{self, Delivered, Processed, Rejected};

    #[track_caller]
    fn check(known: Option<ReceiptKind>, new: ReceiptKind, expected: Option<ReceiptKind>) {
        assert_eq!(new.after(known).ok(), expected);
    }

    #[test]
    fn receipts_come_in_any_order_and_never_contradict() {
        check(None, Delivered, Some(Delivered));
        check(Some(Delivered), Processed, Some(Processed));
        check(Some(Delivered), Delivered, Some(Delivered));
        check(Some(Processed), Delivered, Some(Processed));
        check(Some(Processed), Processed, Some(Processed));
        check(Some(Processed), Rejected, None);
        check(Some(Rejected), Processed, None);
    }
}
