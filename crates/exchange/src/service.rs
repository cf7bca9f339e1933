//! Names of the services that cities offer each other: `<service>/<major>/<method>`.

/// Sends a collected case to the city that decides (移交).
pub const CASE_OFFER: &str = "case/1/offer";
/// Accepts or refuses custody of an offered case (接管).
pub const CASE_CUSTODY: &str = "case/1/custody";
/// Tells the collecting city where a case stands (进度).
pub const CASE_PROGRESS: &str = "case/1/progress";
/// Carries what the applicant or the window did to the deciding city (申请人动作).
pub const CASE_ACT: &str = "case/1/act";
/// Lists the licences that a person could present for an item (证照定位).
pub const LICENCE_LOCATE: &str = "licence/1/locate";
/// Fetches fields of a licence with consent (动态调取).
pub const LICENCE_FETCH: &str = "licence/1/fetch";
/// Redeems a presentation code and verifies the licence live (实时核验).
pub const LICENCE_VERIFY: &str = "licence/1/verify";
/// Lets the holder read and show a licence of another city from her own city (异地亮证).
pub const LICENCE_PRESENT: &str = "licence/1/present";
/// Lists who looked at a person's data (谁看了我的数据).
pub const TRACE_LOOKS: &str = "trace/1/looks";
/// Brings a question, an addition to it or its end to the city that answers (问询).
pub const ENQUIRY_ASK: &str = "enquiry/1/ask";
/// Tells the asking city that it arrived, what the answer is, or where it went (答复问询).
pub const ENQUIRY_ANSWER: &str = "enquiry/1/answer";
/// Brings a receipt of an earlier message (回执).
pub const RECEIPT: &str = "exchange/1/receipt";

/// Messages that may be sent again under another id: what is said twice takes effect once, by the epoch, the sequence
/// or the id in the body. An act of a person is not among them: she was told that it was not delivered.
pub const REPEATABLE: [&str; 6] =
    [CASE_OFFER, CASE_CUSTODY, CASE_PROGRESS, ENQUIRY_ASK, ENQUIRY_ANSWER, RECEIPT];

/// Every service of this version, for contracts that allow them all.
pub const ALL: [&str; 12] = [
    CASE_OFFER,
    CASE_CUSTODY,
    CASE_PROGRESS,
    CASE_ACT,
    LICENCE_LOCATE,
    LICENCE_FETCH,
    LICENCE_VERIFY,
    LICENCE_PRESENT,
    TRACE_LOOKS,
    ENQUIRY_ASK,
    ENQUIRY_ANSWER,
    RECEIPT,
];
