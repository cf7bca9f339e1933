//! Receipts (回执): what became of a message, said by its receiver.

use serde::{Deserialize, Serialize};
use tb_base::{MessageId, Refusal, Timestamp};

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
