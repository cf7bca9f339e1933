//! Pages that no task owns: the agreement and the front of the demo.

pub mod agreement;
pub mod demo_front;
