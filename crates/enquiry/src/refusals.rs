//! Every refusal of an enquiry (拒绝理由): code, words in both languages, way out.

use tb_base::Refusal;

use crate::decide::{AGAINS_MAX, PASSES_MAX};
use crate::enquiry::{State, TEXT_LETTERS_MAX};

pub(crate) fn empty() -> Refusal {
    Refusal::invalid("ENQ-TXT-001", "请写明您要说的事", "Write what you want to say").on("text")
}

pub(crate) fn too_long() -> Refusal {
    Refusal::invalid(
        "ENQ-TXT-002",
        format!("太长，最多 {TEXT_LETTERS_MAX} 个字"),
        format!("This is too long; at most {TEXT_LETTERS_MAX} letters"),
    )
    .but("先写最要紧的，别的等答复后再补充", "Write what matters most; the rest can follow")
    .on("text")
}

pub(crate) fn control() -> Refusal {
    Refusal::invalid("ENQ-TXT-003", "含有不能显示的字符", "This holds signs that cannot be shown")
        .but("删去粘贴带来的特殊字符再提交", "Take out what came along when you pasted it")
        .on("text")
}

pub(crate) fn gone() -> Refusal {
    Refusal::gone("ENQ-FND-001", "没有这条问询，或者不是您的", "There is no such enquiry, or it is not yours")
        .but("请核对查询码和手机号", "Check the code and the phone number")
}

pub(crate) fn too_many(open: i64) -> Refusal {
    Refusal::not_now(
        "ENQ-ASK-001",
        format!("您还有 {open} 条没有答复，请等答复后再提新的"),
        format!("{open} of your enquiries wait for an answer; please let them be answered first"),
    )
    .but("急事可在原来那条里补充，或拨打 12345", "If it is urgent, add to one of them, or call 12345")
}

pub(crate) fn not_in_state(state: State) -> Refusal {
    let (zh, en) = match state {
        State::Open => ("待答复", "waiting for an answer"),
        State::Answered => ("已答复", "answered"),
        State::Returned => ("已退回", "returned"),
        State::Closed => ("已办结", "closed"),
    };
    Refusal::not_now(
        "ENQ-STA-001",
        format!("这条问询现在是“{zh}”，不能这样办"),
        format!("This enquiry is {en}; this is not possible now"),
    )
    .but(
        "请刷新页面，按当前状态办理；已办结的可以另提一条",
        "Reload the page; if it is closed, make a new one",
    )
}

pub(crate) fn wrong_office() -> Refusal {
    Refusal::not_allowed("ENQ-WHO-001", "这条问询不由您的单位答复", "Another office answers this enquiry")
        .but("请由现在承办的单位答复", "Leave it to the office that has it now")
}

pub(crate) fn not_the_asker() -> Refusal {
    Refusal::not_allowed("ENQ-WHO-002", "只有提问的人可以这样办", "Only the person who asked may do this")
        .but("办理单位请用“答复”“转办”或“退回”", "The office answers, passes on or returns")
}

pub(crate) fn agains_spent() -> Refusal {
    Refusal::not_now(
        "ENQ-AGN-001",
        format!("这条问询已经补充、追问了 {AGAINS_MAX} 次"),
        format!("You have added to this enquiry {AGAINS_MAX} times"),
    )
    .but("请另提一条，或拨打 12345 转监督", "Make a new one, or call 12345 and ask for the supervisor")
}

pub(crate) fn passes_spent() -> Refusal {
    Refusal::not_now(
        "ENQ-PAS-001",
        format!("已经转办 {PASSES_MAX} 次，不能再转"),
        format!("This has been passed on {PASSES_MAX} times and stays here"),
    )
    .but(
        "请答复；确实不归本市的，退回并说明找谁",
        "Answer it; if it is not this city's, return it and say whose it is",
    )
}

pub(crate) fn to_itself() -> Refusal {
    Refusal::invalid("ENQ-PAS-002", "请选另一个单位", "Choose another office").on("to")
}

pub(crate) fn no_office() -> Refusal {
    Refusal::invalid("ENQ-PAS-003", "本市没有这个单位", "There is no such office in this city")
        .but("请从列出的单位里选", "Choose one of those listed")
        .on("to")
}

pub(crate) fn moved_on() -> Refusal {
    Refusal::conflict(
        "ENQ-SEQ-001",
        "您打开页面以后，这条问询有了新的内容，没有提交",
        "Something was added since you opened the page; nothing was sent",
    )
    .but("看过新内容再提交，您写的还在", "Read it and send again; what you wrote is still here")
}

pub(crate) fn used_id() -> Refusal {
    Refusal::conflict("ENQ-ASK-002", "这张表已经用过", "This form was used before")
        .but("请重新打开页面填写", "Open the page again")
}
