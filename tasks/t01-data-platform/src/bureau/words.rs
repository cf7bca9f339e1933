//! Words for what the exchange writes down (说法): services, what stopped a message, how a letter was settled.

use tb_enquiry::peer::PURPOSE as ENQUIRY_PURPOSE;
use tb_exchange::service;
use tb_licence::ask::VERIFY_PURPOSE;
use tb_licence::peer::show::PRESENT_PURPOSE;
use tb_store::dead_letters::LetterState;
use tb_web::{Choice, Lang};

use crate::looks::PURPOSE as TRACE_PURPOSE;

/// Code, Chinese, English.
type Word = (&'static str, &'static str, &'static str);

/// Every service, in the order of the contracts.
pub const SERVICES: [Word; 12] = [
    (service::CASE_OFFER, "移交办件", "hands a case over"),
    (service::CASE_CUSTODY, "答复移交", "answers the handing over"),
    (service::CASE_PROGRESS, "告知进度", "tells how a case stands"),
    (service::CASE_ACT, "转申请人操作", "passes on an act of the applicant"),
    (service::LICENCE_LOCATE, "查有哪些证照", "looks up licences"),
    (service::LICENCE_FETCH, "调取证照", "fetches a licence"),
    (service::LICENCE_VERIFY, "核验证照", "verifies a licence"),
    (service::LICENCE_PRESENT, "异地亮证", "shows a licence elsewhere"),
    (service::TRACE_LOOKS, "查谁看了", "asks who looked"),
    (service::ENQUIRY_ASK, "转问询", "passes a question on"),
    (service::ENQUIRY_ANSWER, "答复问询", "answers a question"),
    (service::RECEIPT, "回执", "receipt"),
];

/// What contracts allow services for beside items.
const PURPOSES: [Word; 4] = [
    (VERIFY_PURPOSE, "核验证照", "verifying a licence"),
    (PRESENT_PURPOSE, "本人看自己的证照", "the holder's own look"),
    (TRACE_PURPOSE, "本人查谁看了", "the person's own look at who looked"),
    (ENQUIRY_PURPOSE, "问询与答复", "questions and answers"),
];

/// What is allowed beside items, in words.
pub fn purpose_word(lang: Lang, purpose: &str) -> Option<&'static str> {
    PURPOSES.iter().find(|(code, ..)| *code == purpose).map(|(_, zh, en)| lang.t(zh, en))
}

/// What stopped a message, by the code that the problem begins with.
const CAUSES: [Word; 22] = [
    ("EXC-PEER-001", "对方城市没有应答", "the other city does not answer"),
    ("audience", "报文寄错了城市", "it was addressed to another city"),
    ("contract-stale", "双方的契约版本不同", "the two cities have different versions of the contract"),
    ("digest-mismatch", "内容与摘要不符", "the content is not what its digest says"),
    (
        "expired",
        "对方认为报文过期，或两边时钟不一致",
        "it was out of time for the other city, or the clocks differ",
    ),
    ("fault", "对方城市的系统出了故障", "the other city's system failed"),
    ("fingerprint", "同一编号曾用于别的内容", "its number was used for another content"),
    ("grammar", "报文格式不合格", "it is not well formed"),
    ("grant", "没有生效的契约允许这项服务", "no contract in force allows the service"),
    ("in-flight", "对方正在处理同一报文", "the other city is working on it"),
    ("key-unknown", "对方不认得签名的密钥", "the other city does not know the key"),
    ("log-unavailable", "对方写不了日志", "the other city cannot write its log"),
    ("peer-down", "对方城市没有应答", "the other city does not answer"),
    ("purpose", "契约不允许这个用途", "the contract does not allow the purpose"),
    ("quota", "当天的配额用完了", "the quota of the day is used up"),
    ("replay", "对方认为是重放", "the other city takes it for a replay"),
    ("schema", "内容不符合约定的格式", "the body does not fit its schema"),
    ("shed", "对方城市太忙", "the other city is overloaded"),
    ("signature-coverage", "签名没有覆盖该覆盖的部分", "the signature does not cover what it must"),
    ("signature-invalid", "签名验不过", "the signature is not valid"),
    ("too-large", "报文太大", "it is too large"),
    (
        "transport-unsigned",
        "应答没有对方签名，可能来自中间设备",
        "the answer was not signed by the other city",
    ),
];

/// Sentences that the node itself writes.
const SENTENCES: [Word; 2] = [
    ("its deadline has passed", "到期限还没有送到", "it was not delivered by its deadline"),
    (
        "its receiver is no member of the region",
        "收件城市不在信任名单里",
        "its receiver is no member of the region",
    ),
];

/// Why a letter is settled by hand.
pub const WHY: [Choice<'static>; 5] = [
    Choice::new("done_otherwise", "事情已用别的方式办完", "It was done in another way"),
    Choice::new(
        "not_needed",
        "办件已结束或撤回，不再需要",
        "The case ended or was withdrawn; nobody needs it",
    ),
    Choice::new("replaced", "经办单位已发出新的报文", "The office has sent another message"),
    Choice::new("redone", "申请人已重做这一步", "The applicant has done this step again"),
    Choice::new("mistaken", "报文本来就不该发", "It should not have been sent"),
];

/// What was done about a letter.
pub const DONE: [Choice<'static>; 5] = [
    Choice::new("told_city", "已告知对方城市", "The other city was told"),
    Choice::new("told_office", "已告知经办单位", "The office was told"),
    Choice::new("told_applicant", "经办单位已告知申请人", "The office told the applicant"),
    Choice::new("mended", "已更正契约或配置", "Contract or configuration was mended"),
    Choice::new("nothing", "核实过，不用再做什么", "Examined; nothing else is needed"),
];

fn of(lang: Lang, words: &[Word], code: &str) -> Option<&'static str> {
    words.iter().find(|(known, ..)| *known == code).map(|(_, zh, en)| lang.t(*zh, *en))
}

/// What a service does.
pub fn service_word(lang: Lang, code: &str) -> String {
    of(lang, &SERVICES, code).map_or_else(|| code.to_owned(), str::to_owned)
}

/// What stopped a message, and its code; details stay out, since they may quote what was in the message.
pub fn cause(lang: Lang, problem: &str) -> (String, String) {
    if let Some(sentence) = of(lang, &SENTENCES, problem) {
        return (sentence.to_owned(), String::new());
    }
    let code = code_of(problem);
    let is_refusal = code.split('-').count() == 3 && code.chars().any(|letter| letter.is_ascii_digit());
    let words = match of(lang, &CAUSES, code) {
        Some(words) => words,
        None if is_refusal => lang.t("对方城市不同意", "the other city refused"),
        None => lang.t("对方没有说明原因", "the other city did not say why"),
    };
    (words.to_owned(), code.to_owned())
}

/// The code that a problem begins with, behind the word for its kind.
fn code_of(problem: &str) -> &str {
    let rest = ["violation: ", "refused: ", "fault "].iter().find_map(|kind| problem.strip_prefix(kind));
    if problem.starts_with("fault ") {
        return "fault";
    }
    let first = rest.unwrap_or(problem).split([' ', ':']).next().unwrap_or("");
    let is_code = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    if first.chars().all(is_code) { first } else { "" }
}

/// What one of the choices says.
pub fn choice_word(lang: Lang, choices: &[Choice<'static>], value: &str) -> String {
    let choice = choices.iter().find(|choice| choice.value == value);
    choice.map_or_else(|| value.to_owned(), |choice| lang.t(choice.zh, choice.en).to_owned())
}

/// The kind of tag and the word of a state.
pub fn state_word(lang: Lang, state: LetterState) -> (&'static str, &'static str) {
    match state {
        LetterState::Open => ("stop", lang.t("待处理", "to be seen to")),
        LetterState::Again => ("now", lang.t("已重发", "sent again")),
        LetterState::Settled => ("done", lang.t("已人工办结", "settled by hand")),
        LetterState::Arrived => ("done", lang.t("后来送到了", "arrived after all")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(problem: &str, zh: &str, code: &str) {
        assert_eq!(cause(Lang::Zh, problem), (zh.to_owned(), code.to_owned()));
    }

    #[test]
    fn causes_in_words_without_details() {
        check("its deadline has passed", "到期限还没有送到", "");
        check(
            "violation: schema in body: invalid value: string \"周晓梅\"",
            "内容不符合约定的格式",
            "schema",
        );
        check("contract-stale in tb-contract: expected v4", "双方的契约版本不同", "contract-stale");
        check("refused: EXC-PEER-001 湘潭暂时没有应答", "对方城市没有应答", "EXC-PEER-001");
        check("refused: CAS-CUS-003 不行", "对方城市不同意", "CAS-CUS-003");
        check("fault reading a row: disk", "对方城市的系统出了故障", "fault");
        check("周晓梅", "对方没有说明原因", "");
        check("", "对方没有说明原因", "");
    }

    #[test]
    fn tables_are_whole() {
        assert!(CAUSES.is_sorted_by_key(|(code, ..)| *code));
        assert_eq!(SERVICES.map(|(code, ..)| code), service::ALL);
        assert_eq!(service_word(Lang::En, service::RECEIPT), "receipt");
        assert_eq!(choice_word(Lang::Zh, &WHY, "mistaken"), "报文本来就不该发");
    }
}
