//! What the log holds (日志叶): commitments, never content.

use tb_base::{MessageId, Timestamp};

/// What a leaf says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LeafKind {
    /// A request or message was handed to the outbox (发出).
    Sent = 1,
    /// A request or message was received and checked (收到).
    Received = 2,
    /// A query was answered (应答).
    Answered = 3,
    /// An answer was received (收到应答).
    Got = 4,
    /// A receipt was given (回执).
    Receipt = 5,
    /// Somebody looked at a person's data (查看).
    Look = 6,
    /// A licence was issued or changed its state (证照事件).
    Licence = 7,
    /// A case moved (办件事件).
    Case = 8,
    /// A definition, contract or trust list took effect (规则生效).
    Definition = 9,
}

/// A leaf before encoding. The encoding has a fixed size and a version byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What happened.
    pub kind: LeafKind,
    /// When, by the clock of the node that writes it.
    pub at: Timestamp,
    /// The message, case, licence or look that it is about: its id.
    pub id: MessageId,
    /// First 16 bytes of the contract's hash; zero where none applies.
    pub contract: [u8; 16],
    /// SHA-256 of the content: body of the message, canonical JSON of the event.
    pub content: [u8; 32],
    /// SHA-256 of the signature base, where a signature was made or checked.
    pub base: [u8; 32],
    /// SHA-256 of salt ‖ subject, where a person is concerned.
    pub subject: [u8; 32],
}
