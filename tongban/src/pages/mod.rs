//! Pages that no task owns: the agreement, help, and the front of the demo.

pub mod agreement;
pub mod demo_front;
pub mod help;
