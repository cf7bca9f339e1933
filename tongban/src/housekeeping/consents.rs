//! Consents end with their cases (授权随办件结束): what the transaction that ended the case could not end is found here.

use std::sync::Arc;

use tb_case::queue;
use tb_licence::consent;
use tb_web::Job;

const JOB: &str = "city.housekeeping.consents";

pub(super) fn job() -> Job {
    Job {
        kind: JOB,
        run: Arc::new(|tx, ctx, payload| {
            let cases = consent::open_cases(tx, ctx.now, super::after(payload))?;
            super::page(tx, ctx, JOB, &cases, |tx, case| {
                let case = case.parse()?;
                // A case that is not here is a draft, which may still be handed in, or was never handed over.
                if queue::is_over(tx, case)? {
                    consent::end_of_case(tx, ctx, case)?;
                }
                Ok(())
            })
        }),
    }
}
