//! What an officer can do, as forms (办理操作): one form for each act, read into one command.
//! Serves clauses 2.4 and 2.5.
//!
//! Invariant: grounds and articles come from the definition; one that is not certain cannot be chosen.

use askama::Template;
use tb_base::Refusal;
use tb_case::ItemRules;
use tb_case::case::{Agreement, CorrectionLine, Proof};
use tb_case::command::{Command, CommandKind, Decision, GroundFacts};
use tb_case::decide::{CORRECTION_LINES_MAX, TEXT_LETTERS_MAX};
use tb_case::definitions::{DeliveryMode, Ground, PauseKind};
use tb_case::text::Text;
use tb_web::{Choice, Field, Fields, Html, Input, Lang};

use crate::words::word;

/// Lines of a correction notice that the form offers at once.
const LINES_SHOWN: usize = 4;

/// An act of the department, as the address and the form name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Accept,
    AskCorrection,
    Decline,
    Opine,
    Extend,
    Pause,
    Resume,
    Approve,
    Refuse,
    Issue,
    Deliver,
}

/// Every act, in the order of the buttons.
pub(super) const DEEDS: [Deed; 11] = [
    Deed::Accept,
    Deed::AskCorrection,
    Deed::Decline,
    Deed::Opine,
    Deed::Approve,
    Deed::Refuse,
    Deed::Issue,
    Deed::Deliver,
    Deed::Extend,
    Deed::Pause,
    Deed::Resume,
];

impl Deed {
    /// The word in `?do=` and in the field `command`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Deed::Accept => "accept",
            Deed::AskCorrection => "ask_correction",
            Deed::Decline => "decline",
            Deed::Opine => "opine",
            Deed::Extend => "extend",
            Deed::Pause => "pause",
            Deed::Resume => "resume",
            Deed::Approve => "approve",
            Deed::Refuse => "refuse",
            Deed::Issue => "issue",
            Deed::Deliver => "deliver",
        }
    }

    /// The act of a word.
    pub(super) fn of(word: &str) -> Option<Deed> {
        DEEDS.into_iter().find(|deed| deed.word() == word)
    }

    /// The command behind it.
    pub(super) fn kind(self) -> CommandKind {
        match self {
            Deed::Accept => CommandKind::Accept,
            Deed::AskCorrection => CommandKind::AskCorrection,
            Deed::Decline => CommandKind::Decline,
            Deed::Opine => CommandKind::Opine,
            Deed::Extend => CommandKind::Extend,
            Deed::Pause => CommandKind::Pause,
            Deed::Resume => CommandKind::Resume,
            Deed::Approve | Deed::Refuse => CommandKind::Decide,
            Deed::Issue => CommandKind::IssueResult,
            Deed::Deliver => CommandKind::Deliver,
        }
    }

    /// What the button says.
    pub(super) fn name(self) -> Text {
        match self {
            Deed::Approve => Text::new("准予并制证", "Grant and issue"),
            Deed::Refuse => Text::new("不予许可", "Refuse"),
            Deed::Accept
            | Deed::AskCorrection
            | Deed::Decline
            | Deed::Opine
            | Deed::Extend
            | Deed::Pause
            | Deed::Resume
            | Deed::Issue
            | Deed::Deliver => self.kind().name(),
        }
    }

    /// What it brings about, told before it is done.
    pub(super) fn effect(self) -> Text {
        match self {
            Deed::Accept => Text::new(
                "受理后开始计算法定和承诺期限，申请人收到受理通知。",
                "The limits run and the applicant is told.",
            ),
            Deed::AskCorrection => Text::new(
                "只能告知一次，请一次写全。补正齐了以后，期限重新起算。",
                "It can be asked once only; write everything down. The limits count anew from the answer.",
            ),
            Deed::Decline => Text::new(
                "写明理由和依据，告知申请人去哪里办。",
                "State ground and facts, and where to go instead.",
            ),
            Deed::Opine => {
                Text::new("提出意见的人不能再作决定。", "Whoever gives the opinion cannot decide.")
            }
            Deed::Extend => {
                Text::new("只能延长一次，理由会告知申请人。", "Once only; the applicant is told why.")
            }
            Deed::Pause => Text::new(
                "期限停止计算，须书面告知所需时间。",
                "The clock stands still; she is told how long it takes.",
            ),
            Deed::Resume => Text::new("期限接着计算。", "The clock runs on."),
            Deed::Approve => Text::new(
                "签名即写入办件历史，不能改；新版证照立即签发，旧版同时失效。",
                "It is written for good; the new version is issued at once and ends the old one.",
            ),
            Deed::Refuse => Text::new(
                "须有确定的理由和条款；救济途径自动写入决定书。",
                "It needs a certain ground; the remedies are added by themselves.",
            ),
            Deed::Issue => {
                Text::new("签发新版证照，旧版同时失效。", "The new version is issued and ends the old one.")
            }
            Deed::Deliver => Text::new("写明运单号或签收记录。", "State waybill or record of signature."),
        }
    }

    /// Whether the button is one that ends badly for the applicant.
    pub(super) fn is_adverse(self) -> bool {
        matches!(self, Deed::Decline | Deed::Refuse)
    }
}

/// The acts behind what is allowed, in the order of the buttons.
pub(super) fn deeds(allowed: &[CommandKind]) -> Vec<Deed> {
    DEEDS.into_iter().filter(|deed| allowed.contains(&deed.kind())).collect()
}

const TEXT: Field<'static> = Field::new("text", "审查意见", "The opinion", Input::Area)
    .hint("写明依据的事实，最多 500 字", "The facts it rests on, up to 500 characters");
const FACTS: Field<'static> = Field::new("facts", "本件的事实", "The facts of this case", Input::Area)
    .hint("会写进决定书告知申请人", "Goes into the decision that she receives");
const REASON: Field<'static> = Field::new("reason", "延长的理由", "Why it is extended", Input::Area)
    .hint("会告知申请人", "The applicant is told");
const NOTICE: Field<'static> = Field::new("notice", "为什么、要做什么", "Why, and what is done", Input::Area);
const ESTIMATE: Field<'static> = Field::new("estimate_days", "预计几天", "Estimated days", Input::Digits)
    .hint("会告知申请人", "The applicant is told");
const RESULT: Field<'static> = Field::new("result", "结果", "The result", Input::Area);
const REFERENCE: Field<'static> = Field::text("reference", "送达凭证", "Proof of delivery")
    .hint("运单号或签收记录，最多 80 字", "Waybill or record, up to 80 characters");
const AGREES: [Choice<'static>; 2] = [
    Choice::new("approve", "建议准予", "Propose to grant"),
    Choice::new("refuse", "建议不予", "Propose to refuse"),
];

/// A form with what the definition knows already.
pub(super) fn blank(fields: Fields, deed: Deed, rules: &ItemRules) -> Fields {
    match deed {
        Deed::AskCorrection => (1..=LINES_SHOWN)
            .fold(fields, |fields, at| fields.with(&format!("article{at}"), rules.correction.basis.clone())),
        Deed::Accept
        | Deed::Decline
        | Deed::Opine
        | Deed::Extend
        | Deed::Pause
        | Deed::Resume
        | Deed::Approve
        | Deed::Refuse
        | Deed::Issue
        | Deed::Deliver => fields,
    }
}

/// The further lines of a correction, folded away until they are needed.
#[derive(Template)]
#[template(
    source = r#"<details{% if open %} open{% endif %}><summary>{{ lang.t("还有要补正的", "More to correct") }}</summary><div>{{ rest }}</div></details>"#,
    ext = "html"
)]
struct More {
    lang: Lang,
    open: bool,
    rest: Html,
}

/// The questions of an act.
pub(super) fn show(lang: Lang, fields: &Fields, deed: Deed, rules: &ItemRules) -> Html {
    match deed {
        Deed::Accept | Deed::Approve | Deed::Issue => Html::default(),
        Deed::AskCorrection => with_about(rules, |about| {
            let first = show_line(fields, 1, about);
            let rest: String = (2..=LINES_SHOWN).map(|at| show_line(fields, at, about).to_string()).collect();
            let open = (2..=LINES_SHOWN).any(|at| is_begun(fields, at));
            let more = More { lang, open, rest: Html::made(rest) };
            Html::made(format!("{first}{}", more.render().unwrap_or_default()))
        }),
        Deed::Decline => with_grounds(&rules.declines, |ground| fields.show_all(&[ground, FACTS])),
        Deed::Refuse => with_grounds(&rules.refusals, |ground| fields.show_all(&[ground, FACTS])),
        Deed::Opine => {
            fields.show_all(&[Field::new("agrees", "建议", "Proposal", Input::Radio(&AGREES)), TEXT])
        }
        Deed::Extend => fields.show_all(&[REASON]),
        Deed::Pause => with_pauses(rules, |kind| fields.show_all(&[kind, NOTICE, ESTIMATE])),
        Deed::Resume => fields.show_all(&[RESULT]),
        Deed::Deliver => fields.show_all(&[REFERENCE]),
    }
}

/// Reads an act; none where the form says what is wrong, everything at once.
pub(super) fn read(
    fields: &mut Fields,
    deed: Deed,
    rules: &ItemRules,
    delivery: DeliveryMode,
) -> Option<Command> {
    match deed {
        Deed::Accept => Some(Command::Accept),
        Deed::Approve => Some(Command::Decide { decision: Decision::Approve }),
        Deed::Issue => Some(Command::IssueResult { result: None }),
        Deed::AskCorrection => read_lines(fields, rules).map(|lines| Command::AskCorrection { lines }),
        Deed::Decline => {
            let (ground, facts) = read_ground(fields, &rules.declines)?;
            Some(Command::Decline { ground, facts })
        }
        Deed::Refuse => {
            let (ground, facts) = read_ground(fields, &rules.refusals)?;
            Some(Command::Decide {
                decision: Decision::Refuse { grounds: vec![GroundFacts { ground, facts }] },
            })
        }
        Deed::Opine => {
            let agrees =
                fields.read(&Field::new("agrees", "建议", "Proposal", Input::Radio(&AGREES))).required();
            let text = fields.read(&TEXT).max(TEXT_LETTERS_MAX).required();
            let agrees = if agrees? == "approve" { Agreement::Approve } else { Agreement::Refuse };
            Some(Command::Opine { agrees, text: text? })
        }
        Deed::Extend => {
            let reason = fields.read(&REASON).max(TEXT_LETTERS_MAX).required()?;
            Some(Command::Extend { reason })
        }
        Deed::Pause => read_pause(fields, rules),
        Deed::Resume => {
            let result = fields.read(&RESULT).max(TEXT_LETTERS_MAX).required()?;
            Some(Command::Resume { result })
        }
        Deed::Deliver => {
            let reference = fields.read(&REFERENCE).max(80).required()?;
            Some(Command::Deliver { proof: Proof { mode: delivery, reference } })
        }
    }
}

/// What a line of a correction can be about: every question and every material.
fn with_about(rules: &ItemRules, show: impl FnOnce(&[Choice<'_>]) -> Html) -> Html {
    let questions = rules.all_questions().map(|question| (&question.id, &question.text));
    let materials = rules.materials.iter().map(|material| (&material.id, &material.title));
    let choices: Vec<Choice<'_>> =
        questions.chain(materials).map(|(id, text)| Choice::new(id, &text.zh, &text.en)).collect();
    show(&choices)
}

fn show_line(fields: &Fields, at: usize, about: &[Choice<'_>]) -> Html {
    let names = line_names(at);
    let zh = format!("第 {at} 项：哪一项要补正");
    let en = format!("Line {at}: what is to be corrected");
    let field = Field::new(&names[0], &zh, &en, Input::Select(about));
    let what = Field::new(&names[1], "哪里不对、要补什么", "What is wrong and what is expected", Input::Text);
    let article = Field::text(&names[2], "依据", "Article");
    let all = [field, what, article].map(|field| if at == 1 { field } else { field.optional() });
    fields.show_all(&all)
}

fn line_names(at: usize) -> [String; 3] {
    [format!("about{at}"), format!("what{at}"), format!("article{at}")]
}

/// Whether something was written into a line.
fn is_begun(fields: &Fields, at: usize) -> bool {
    let [about, what, _] = line_names(at);
    !fields.value(&about).trim().is_empty() || !fields.value(&what).trim().is_empty()
}

/// The lines of a correction: an empty line is left out, a half one says what it misses.
fn read_lines(fields: &mut Fields, rules: &ItemRules) -> Option<Vec<CorrectionLine>> {
    let (mut lines, mut wrong) = (Vec::new(), false);
    for at in 1..=CORRECTION_LINES_MAX {
        let [about, what, article] = line_names(at);
        if !is_begun(fields, at) {
            continue;
        }
        let about = fields
            .read(&Field::text(&about, "要补正的项", "What it is about"))
            .try_with(|id| known(rules, id))
            .required();
        let what = fields
            .read(&Field::new(&what, "哪里不对", "What is wrong", Input::Area))
            .max(TEXT_LETTERS_MAX)
            .required();
        let article = fields.read(&Field::text(&article, "依据", "Article")).required();
        match (about, what, article) {
            (Some(about), Some(what), Some(article)) => lines.push(CorrectionLine { about, what, article }),
            (_, _, _) => wrong = true,
        }
    }
    if lines.is_empty() && !wrong {
        let refusal =
            Refusal::invalid("T02-OFF-003", "至少写一项要补正的内容", "Write down at least one line");
        fields.wrong(&Field::text("about1", "第 1 项", "Line 1"), &refusal);
        return None;
    }
    (!wrong).then_some(lines)
}

fn known(rules: &ItemRules, about: String) -> Result<String, Refusal> {
    let is_known =
        rules.material(&about).is_some() || rules.all_questions().any(|question| question.id == about);
    match is_known {
        true => Ok(about),
        false => Err(Refusal::invalid(
            "T02-OFF-004",
            "请从表单项和材料里选",
            "Choose a question or a material of the item",
        )),
    }
}

/// The grounds of the definition; one whose source is not certain is shown and cannot be chosen.
fn with_grounds(grounds: &[Ground], show: impl FnOnce(Field<'_>) -> Html) -> Html {
    let names: Vec<(String, String)> = grounds.iter().map(ground_names).collect();
    let choices: Vec<Choice<'_>> = grounds
        .iter()
        .zip(&names)
        .map(|(ground, (zh, en))| {
            let choice = Choice::new(&ground.id, zh, en).note(&ground.article, &ground.article);
            if ground.unconfirmed { choice.off() } else { choice }
        })
        .collect();
    show(Field::new("ground", "理由", "Ground", Input::Radio(&choices)))
}

fn ground_names(ground: &Ground) -> (String, String) {
    match ground.unconfirmed {
        true => (
            format!("{}（待核实，不能据此作出不利决定）", ground.text.zh),
            format!("{} (to be verified; nobody may be refused on it)", ground.text.en),
        ),
        false => (ground.text.zh.clone(), ground.text.en.clone()),
    }
}

/// A ground and the facts; grounds that may not be used are told by the case block, with their reason.
fn read_ground(fields: &mut Fields, grounds: &[Ground]) -> Option<(String, String)> {
    let unknown = || Refusal::invalid("T02-OFF-005", "请从列出的理由里选", "Choose one of the grounds");
    let uncertain = || {
        Refusal::invalid(
            "T02-OFF-006",
            "这项理由的依据待核实，不能据此作出不利决定",
            "The source of this ground is not certain; nobody may be refused on it",
        )
        .but("请改用依据确定的理由", "Use a ground whose source is certain")
    };
    let ground = fields.read(&Field::text("ground", "理由", "Ground")).try_with(|id| {
        match grounds.iter().find(|ground| ground.id == id) {
            Some(ground) if ground.unconfirmed => Err(uncertain()),
            Some(_) => Ok(id),
            None => Err(unknown()),
        }
    });
    let ground = ground.required();
    let facts = fields.read(&FACTS).max(TEXT_LETTERS_MAX).required();
    Some((ground?, facts?))
}

fn with_pauses(rules: &ItemRules, show: impl FnOnce(Field<'_>) -> Html) -> Html {
    let names: Vec<(String, Text)> =
        rules.clocks.legal.pauses.iter().map(|kind| (word(kind), kind.name())).collect();
    let choices: Vec<Choice<'_>> =
        names.iter().map(|(id, text)| Choice::new(id, &text.zh, &text.en)).collect();
    show(Field::new("kind", "哪种特别程序", "Which procedure", Input::Radio(&choices)))
}

fn read_pause(fields: &mut Fields, rules: &ItemRules) -> Option<Command> {
    let pauses: &[PauseKind] = &rules.clocks.legal.pauses;
    let kind = fields.read(&Field::text("kind", "哪种特别程序", "Which procedure")).try_with(|id| {
        let found = pauses.iter().copied().find(|kind| word(kind) == id);
        found.ok_or_else(|| {
            Refusal::invalid("T02-OFF-007", "本事项没有这种特别程序", "This item has no such procedure")
        })
    });
    let kind = kind.required();
    let notice = fields.read(&NOTICE).max(TEXT_LETTERS_MAX).required();
    let days = fields.number(&ESTIMATE).try_with(|days| match u32::try_from(days) {
        Ok(days @ 1..=365) => Ok(days),
        Ok(_) | Err(_) => Err(Refusal::invalid("T02-OFF-008", "应为 1 到 365 天", "Between 1 and 365 days")),
    });
    let days = days.required();
    Some(Command::Pause { kind: kind?, notice: notice?, estimate_days: days? })
}
