//! Audit lines (审计): who did what to what, without personal data.

use tb_base::{Ctx, Result};

use crate::Tx;

/// Writes an audit line. `object` is an id, `outcome` a word or a refusal code.
pub fn line(tx: &mut Tx<'_>, ctx: &Ctx, action: &'static str, object: &str, outcome: &str) -> Result<()> {
    let _ = (tx, ctx, action, object, outcome);
    unimplemented!()
}
