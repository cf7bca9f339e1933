//! Licences whose term is over are written down as such (期满失效).

use std::sync::Arc;

use tb_licence::store;
use tb_web::Job;

const JOB: &str = "city.housekeeping.licences";

pub(super) fn job() -> Job {
    Job {
        kind: JOB,
        run: Arc::new(|tx, ctx, payload| {
            let ids = store::due(tx, ctx.now.date(), super::after(payload))?;
            super::page(tx, ctx, JOB, &ids, |tx, id| store::expire(tx, ctx, id.parse()?).map(drop))
        }),
    }
}
