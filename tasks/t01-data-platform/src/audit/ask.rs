//! What an auditor may ask for (查询条件), and how the question itself is written down.
//!
//! Invariant: no personal data gets into a question: codes only, and nothing that looks like a number of a person.

use tb_base::{Date, MessageId, Refusal, Timestamp};
use tb_store::audit::Search;
use tb_web::{Choice, Field, Fields, Html, Input};

use crate::words::ACTS;

/// Letters of what is searched for; the longest object is a question that was written down.
const TEXT_LETTERS_MAX: usize = 200;
/// So many digits in a row may be a telephone or an identity number.
const DIGITS_MIN: usize = 11;

const KINDS: [Choice<'static>; 5] = [
    Choice::new("staff", "工作人员", "Staff"),
    Choice::new("resident", "办事人", "Residents"),
    Choice::new("node", "其他城市", "Other cities"),
    Choice::new("system", "系统", "The system"),
    Choice::new("anonymous", "没有登录的人", "Not signed in"),
];
const FROM: Field<'static> = Field::new("from", "从哪天", "From", Input::Text).optional();
const UNTIL: Field<'static> = Field::new("until", "到哪天", "Until", Input::Text).optional();
const KIND: Field<'static> =
    Field::new("kind", "哪一类人", "Kind of actor", Input::Select(&KINDS)).optional();
const ACTOR: Field<'static> = Field::text("actor", "谁（编号）", "Who (id)").optional();
const OBJECT: Field<'static> = Field::text("object", "对象编号", "Object").optional();
const OUTCOME: Field<'static> = Field::text("outcome", "结果代码", "Outcome").optional();
const TRACE: Field<'static> = Field::text("trace", "追踪号", "Trace").optional();

/// What is searched for; nothing where something is wrong with it.
pub(super) fn asked(form: &mut Fields) -> Option<Search> {
    let from = form.date(&FROM).optional();
    let until = form.date(&UNTIL).optional();
    let kind = form.read(&KIND).optional();
    let mut code =
        |field: &Field<'_>| form.read(field).max(TEXT_LETTERS_MAX).check(|text| is_code(text)).optional();
    let (actor, object) = (code(&ACTOR), code(&OBJECT));
    let (outcome, trace) = (code(&OUTCOME), code(&TRACE));
    let acts = actions();
    let action =
        form.read(&Field::new("action", "操作", "Action", Input::Select(&acts)).optional()).optional();
    Some(Search {
        from: from?.map(|day: Date| Timestamp::at(day, 0)),
        until: until?.map(|day: Date| Timestamp::at(day, 24)),
        // One actor says more than a kind.
        actor: actor?.or(kind?),
        action: action?,
        object: object?,
        outcome: outcome?,
        trace: trace?,
    })
}

fn actions() -> Vec<Choice<'static>> {
    ACTS.iter().map(|(code, zh, en)| Choice::new(code, zh, en)).collect()
}

/// The form, filled in.
pub(super) fn show(form: &Fields) -> Html {
    let acts = actions();
    let action = Field::new("action", "操作", "Action", Input::Select(&acts)).optional();
    // Every filter may stay empty; saying so at each would be noise.
    let all = [FROM, UNTIL, KIND, ACTOR, action, OBJECT, OUTCOME, TRACE];
    form.show_all(&all.map(|field| Field { optional: false, ..field }))
}

/// Only codes are searched for, since the question is written down.
fn is_code(text: &str) -> Result<(), Refusal> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::invalid(
            "T01-AUD-002",
            "只能按编号和代码查",
            "Only ids and codes can be searched for",
        )
        .but("编号可以从表里点", "Click one in the table"));
    }
    let is_id = text.rsplit(':').next().is_some_and(|id| id.parse::<MessageId>().is_ok());
    let digits = text.split(|letter: char| !letter.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    if !is_id && DIGITS_MIN <= digits {
        return Err(Refusal::invalid(
            "T01-AUD-003",
            "这像是身份证号或手机号；审计里没有这些，查询本身也会被记下",
            "This looks like the number of a person or a telephone; the audit holds none, and searches are written down",
        )
        .but("请按办件、账户或报文的编号查", "Search by the id of a case, an account or a message"));
    }
    Ok(())
}

/// A question as it is written down.
pub(super) fn words(search: &Search) -> String {
    let day = |at: Option<Timestamp>, seconds: i64| at.map(|at| at.plus_seconds(-seconds).date().to_string());
    let parts = [
        ("from", day(search.from, 0)),
        ("until", day(search.until, 1)),
        ("actor", search.actor.clone()),
        ("action", search.action.clone()),
        ("object", search.object.clone()),
        ("outcome", search.outcome.clone()),
        ("trace", search.trace.clone()),
    ];
    let named = parts.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
    let words = named.collect::<Vec<_>>().join("&");
    if words.is_empty() { "all".to_owned() } else { words }
}

/// The address of a search for one thing.
pub(super) fn address(name: &str, value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let letter = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    format!("/audit?{name}={}", value.bytes().map(letter).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let code = is_code(text).err().map(|refusal| refusal.code.into_owned());
        assert_eq!(code.as_deref(), expected, "{text}");
    }

    #[test]
    fn nothing_of_a_person_is_searched_for() {
        check("staff:01kq3zt0000000000000000001", None);
        check("01kq3zt0000000000000000001", None);
        check("/x/v1/430100/430300/case/1/offer", None);
        check("周晓梅", Some("T01-AUD-002"));
        check("two words", Some("T01-AUD-002"));
        check("430302199003072024", Some("T01-AUD-003"));
        check("43030219900307202X", Some("T01-AUD-003"));
        check("13907310001", Some("T01-AUD-003"));
    }

    #[test]
    fn a_question_is_written_down_as_codes() {
        assert_eq!(words(&Search::default()), "all");
        let day: Date = "2026-11-24".parse().unwrap();
        let search = Search {
            from: Some(Timestamp::at(day, 0)),
            until: Some(Timestamp::at(day, 24)),
            ..Search::action("case.act")
        };
        assert_eq!(words(&search), "from=2026-11-24&until=2026-11-24&action=case.act");
        assert_eq!(address("object", "from=1&x"), "/audit?object=from%3D1%26x");
    }
}
