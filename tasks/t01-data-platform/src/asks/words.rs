//! An enquiry in words (用话说): its title, its state, who asks, what was done.

use tb_enquiry::{About, Act, Asker, Enquiry, LookRef, State, Turn};
use tb_web::{Lang, Visit};

use super::city_name;
use crate::looks::Found;
use crate::looks::trace::Seen;
use crate::looks::words::{Telling, tell};
use crate::parts::Parts;

/// What it is about, in a few words.
pub fn title(lang: Lang, parts: &Parts, about: &About) -> String {
    match about {
        About::Anything {} => lang.t("办不成的事", "Something that cannot be got done").to_owned(),
        About::Item { item } => item_name(lang, parts, &item.to_string()),
        About::Case { code, item, .. } => format!("{} · {code}", item_name(lang, parts, &item.to_string())),
        About::Look { look } => match lang {
            Lang::Zh => format!("{} 的查看", lang.moment(look.at)),
            Lang::En => format!("The look of {}", lang.moment(look.at)),
        },
    }
}

/// The name of an item, or its number.
pub fn item_name(lang: Lang, parts: &Parts, item: &str) -> String {
    let named = (parts.words.item)(item).map(|(zh, en)| lang.t(&zh, &en).to_owned());
    named.unwrap_or_else(|| format!("{} {item}", lang.t("事项", "Item")))
}

/// Why somebody asks.
pub fn kind(lang: Lang, about: &About) -> &'static str {
    match about {
        About::Look { .. } => lang.t("追问查看", "Question about a look"),
        About::Anything {} | About::Item { .. } | About::Case { .. } => {
            lang.t("办不成事", "Could not be done")
        }
    }
}

/// The state as a tag: kind and word.
pub fn tag(visit: &Visit, enquiry: &Enquiry) -> (&'static str, String) {
    let lang = visit.lang;
    let word = |zh: &'static str, en: &'static str| lang.t(zh, en).to_owned();
    match enquiry.state {
        State::Open if enquiry.is_overdue(visit.ctx.now) => ("stop", word("逾期未答", "Answer overdue")),
        State::Open if enquiry.is_on_its_way() => {
            let (zh, en) = city_name(visit, enquiry.to);
            ("wait", lang.t(&format!("等{zh}收到"), &format!("Waiting for {en}")).to_owned())
        }
        State::Open => ("wait", word("等答复", "Waiting for an answer")),
        State::Answered => ("done", word("已答复", "Answered")),
        State::Returned => ("stop", word("已退回", "Returned")),
        State::Closed => ("plain", word("已办结", "Closed")),
    }
}

/// Who asks, as an office reads it: never a name.
pub fn asker(visit: &Visit, enquiry: &Enquiry) -> String {
    let lang = visit.lang;
    let (zh, en) = city_name(visit, enquiry.from);
    match (&enquiry.asker, enquiry.signed_in) {
        (Asker::Phone(phone), _) => match lang {
            Lang::Zh => format!("没有登录，电话 {phone}"),
            Lang::En => format!("Not signed in, phone {phone}"),
        },
        (Asker::Person(_) | Asker::Elsewhere, true) => {
            lang.t(&format!("{zh}登录的居民"), &format!("A resident signed in in {en}")).to_owned()
        }
        (Asker::Person(_) | Asker::Elsewhere, false) => lang
            .t(
                &format!("在{zh}没有登录的人，电话留在{zh}，答复由{zh}发短信告知"),
                &format!(
                    "Somebody not signed in in {en}, where the phone number stays; {en} sends the message"
                ),
            )
            .to_owned(),
    }
}

/// What was done in a turn that says nothing.
pub fn event(visit: &Visit, turn: &Turn, enquiry: &Enquiry) -> String {
    let lang = visit.lang;
    let (zh, en) = city_name(visit, enquiry.to);
    match &turn.act {
        Act::Receive { office } => lang
            .t(&format!("{zh}收到，交{}答复", office.zh), &format!("{en} has it; {} answers", office.en))
            .to_owned(),
        Act::Close {} => lang.t("提问的人说：办成了", "The person who asked says that it is done").to_owned(),
        Act::Lapse {} => {
            lang.t("答复后没有再问，自动办结", "Nothing more was asked after the answer; closed").to_owned()
        }
        Act::Ask { .. }
        | Act::Again { .. }
        | Act::Answer { .. }
        | Act::PassOn { .. }
        | Act::Return { .. } => String::new(),
    }
}

/// What stands before the words of an office.
pub fn office_act(lang: Lang, act: &Act) -> String {
    match act {
        Act::Answer { office, .. } => {
            lang.t(&format!("{} 答复", office.zh), &format!("{} answers", office.en)).to_owned()
        }
        Act::Return { office, .. } => {
            lang.t(&format!("{} 退回", office.zh), &format!("{} returns it", office.en)).to_owned()
        }
        Act::PassOn { office, to, .. } => lang
            .t(&format!("{} 转给{}", office.zh, to.zh), &format!("{} passes it on to {}", office.en, to.en))
            .to_owned(),
        Act::Ask { .. } | Act::Again { .. } | Act::Close {} | Act::Receive { .. } | Act::Lapse {} => {
            String::new()
        }
    }
}

/// A look that is asked about, told as the list of looks tells it.
pub fn telling(lang: Lang, parts: &Parts, visit: &Visit, enquiry: &Enquiry, look: &LookRef) -> Telling {
    let mut found = Found::default();
    if let Some(office) = enquiry.office.as_ref().filter(|office| Some(&office.id) == look.office.as_ref()) {
        found.offices.insert(office.id.clone(), (office.zh.clone(), office.en.clone()));
    }
    let (zh, en) = city_name(visit, enquiry.to);
    tell(lang, &parts.words, &found, &seen(enquiry, look), lang.t(&zh, &en))
}

fn seen(enquiry: &Enquiry, look: &LookRef) -> Seen {
    Seen {
        id: look.id,
        at: look.at,
        kind: look.kind,
        city: enquiry.to,
        office: look.office.clone(),
        role: look.role.clone(),
        item: look.item.clone(),
        case: look.case,
        ground: look.ground.clone(),
        fields: look.fields.clone(),
        message: look.message,
        outcome: look.outcome.clone(),
        witnesses: 0,
    }
}
