//! What a complete item definition (事项定义) says, after a city's overlay.
//!
//! Invariant: a value in here was read from a definition without problems; nothing in it is code.

use serde::{Deserialize, Serialize};
use tb_base::{Date, Limit, OfficeId};

use crate::text::Text;

/// What an item is called, which version of it this is, who answers for it (事项基本信息).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Stable name, such as `t02.road-transport-qualification-renewal`.
    pub id: String,
    /// Its row in the list of items.
    pub number: u16,
    /// Grows with every change; a case keeps the one that it was filed under.
    pub version: u32,
    /// The clause of the agreement that it serves.
    pub clause: String,
    /// The kind of office that answers for the definition.
    pub owner: String,
    /// The first day on which it may be used.
    pub effective: Date,
    /// Its name.
    pub title: Text,
    /// Its legal kind (事项类型).
    pub kind: Fact,
    /// How it is handled across cities (通办模式).
    pub modes: Vec<Mode>,
    /// Who may apply: `person`, `enterprise`.
    pub audience: Vec<String>,
    /// The lowest assurance level (实名等级) that may apply.
    pub assurance_level_min: u8,
    /// Which city decides (办理地).
    pub competent: Competent,
    /// Paths that a city may set.
    pub local: Vec<String>,
}

/// How an item is handled across cities (通办模式).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Online from anywhere (全程网办).
    OnlineFull,
    /// Collected by a window anywhere, decided by the competent city (异地代收代办).
    RemoteCollect,
    /// Handled by several cities together (多地联办).
    MultiJoint,
}

impl Mode {
    /// Its name in both languages.
    pub fn name(self) -> Text {
        match self {
            Mode::OnlineFull => Text::new("全程网办", "Fully online"),
            Mode::RemoteCollect => Text::new("异地代收代办", "Collected here, decided there"),
            Mode::MultiJoint => Text::new("多地联办", "Handled jointly by several cities"),
        }
    }
}

/// Which city decides (办理地规则).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Competent {
    /// The city that issued the licence which this material is fetched from.
    IssuerOf {
        /// The material.
        material: String,
    },
    /// The city that collects.
    Collecting,
}

/// A text whose source may be uncertain (待核实).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// Whether its source is not certain; it is shown so and refuses nobody.
    #[serde(default)]
    pub unconfirmed: bool,
}

/// The guide (办事指南), apart from what other sections say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guide {
    /// What it is for.
    pub summary: Text,
    /// What to bring, and why not more.
    pub bring: Text,
    /// How often one has to come.
    pub trips: Text,
    /// What happens when something is missing.
    pub promise: Text,
}

/// A condition of the grant (受理条件).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Stable name.
    pub id: String,
    /// What must hold.
    pub text: Text,
    /// Whether its source is not certain.
    #[serde(default)]
    pub unconfirmed: bool,
}

/// A question that people ask, and its answer (常见问题).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionAnswer {
    /// The question.
    pub question: Text,
    /// The answer.
    pub answer: Text,
}

/// A page of the form (表单页).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormPage {
    /// Stable name, part of the address of the page.
    pub id: String,
    /// What it asks about.
    pub title: Text,
    /// Its questions in order.
    #[serde(rename = "question")]
    pub questions: Vec<Question>,
}

/// A question of the form (表单项) with a name that later versions keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Stable name: the key of the answer.
    pub id: String,
    /// What may be answered.
    pub kind: QuestionKind,
    /// The question.
    pub text: Text,
    /// Help under it.
    #[serde(default)]
    pub hint: Option<Text>,
    /// Whether it must be answered where it is shown.
    #[serde(default)]
    pub required: bool,
    /// The fewest letters of a text.
    #[serde(default)]
    pub letters_min: u32,
    /// The most letters of a text.
    #[serde(default = "letters_max")]
    pub letters_max: u32,
    /// Choices.
    #[serde(default)]
    pub options: Vec<Choice>,
    /// When it is asked at all.
    #[serde(default)]
    pub when: Option<When>,
    /// What is known already: `person.phone`, `person.name`, or `<material>.<field>`.
    #[serde(default)]
    pub prefill: Option<String>,
}

fn letters_max() -> u32 {
    200
}

/// What may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// One line.
    Text,
    /// Several lines.
    LongText,
    /// One of the options.
    Choice,
    /// A mobile number of the mainland: 11 digits.
    Mobile,
    /// A date, `2026-11-22`.
    Date,
    /// A box that must be ticked: `yes`.
    Yes,
}

/// One of the options of a choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Stable name: the answer.
    pub id: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// A question is asked when an earlier one has one of these answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The earlier question.
    pub question: String,
    /// Its answers.
    pub is: Vec<String>,
}

/// A material of the application (申请材料) and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// Stable name.
    pub id: String,
    /// What it is.
    pub title: Text,
    /// Whether the application is incomplete without it.
    pub required: bool,
    /// Where it comes from.
    pub source: Source,
    /// Why it is needed.
    pub why: Text,
    /// Whether its being needed is not certain.
    #[serde(default)]
    pub unconfirmed: bool,
}

/// Where a material comes from (材料来源): never from the applicant when a register has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// A licence, fetched with consent (免提交).
    Licence {
        /// Its type.
        licence: String,
        /// Who is asked.
        from: Holder,
        /// The fields that are taken, no others.
        fields: Vec<String>,
    },
    /// Known to an office, not asked of the applicant.
    Office {
        /// Who knows it.
        holder: Holder,
    },
}

/// Which city holds a material.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// The city that decides.
    DecidingCity,
    /// The city that collects.
    CollectingCity,
}

/// A line of the formal check (形式审查): the window may judge nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Stable name.
    pub id: String,
    /// What is checked.
    pub text: Text,
}

/// A stage that progress pages show (办理环节).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Which step of the machine it names.
    pub id: StageId,
    /// Which city does it.
    pub at: Side,
    /// Which of its offices: `window` or `deciding`.
    pub office: String,
    /// What has happened when it is done.
    pub text: Text,
}

/// The steps of the machine that a definition may name; it adds texts, never phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageId {
    /// Handed in.
    Collect,
    /// Custody moved to the deciding city.
    HandOver,
    /// 受理.
    Accept,
    /// 审查.
    Examine,
    /// 决定.
    Decide,
    /// 制证.
    Issue,
    /// 送达.
    Deliver,
}

/// Which of the two cities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The city that collects (收件地).
    Collecting,
    /// The city that decides (办理地).
    Deciding,
}

/// A limit as a definition writes it: `{ working_days = 5 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LimitOf {
    /// Working days (工作日).
    WorkingDays(u32),
    /// Calendar days (自然日).
    Days(u32),
    /// Months (月).
    Months(u32),
    /// Hours (小时).
    Hours(u32),
}

impl LimitOf {
    /// The limit for the calendar's arithmetic.
    pub fn limit(self) -> Limit {
        match self {
            LimitOf::WorkingDays(n) => Limit::working_days(n),
            LimitOf::Days(n) => Limit::days(n),
            LimitOf::Months(n) => Limit::months(n),
            LimitOf::Hours(n) => Limit::hours(n),
        }
    }

    /// The limit in words.
    pub fn words(self) -> Text {
        Text::new(self.limit().zh(), self.limit().en())
    }
}

/// A clock of the case (时限).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockRule {
    /// How long.
    pub limit: LimitOf,
    /// What it limits.
    pub text: Text,
    /// What starts it.
    pub from: Start,
    /// Law and article; absent only where the limit is unconfirmed.
    #[serde(default)]
    pub basis: Option<String>,
    /// How much one extension adds.
    #[serde(default)]
    pub extension: Option<LimitOf>,
    /// Law and article of the extension.
    #[serde(default)]
    pub extension_basis: Option<String>,
    /// Special procedures (特别程序) that stop it.
    #[serde(default)]
    pub pauses: Vec<PauseKind>,
    /// Law and article of the pauses.
    #[serde(default)]
    pub pause_basis: Option<String>,
    /// Whether the limit is not certain; it then warns and never ends anything.
    #[serde(default)]
    pub unconfirmed: bool,
}

/// What starts a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Handed in at the collecting city.
    Collected,
    /// Complete: handed in, or the correction answered (材料齐全).
    CompleteReceipt,
    /// 受理.
    Accepted,
    /// The correction was asked.
    Asked,
    /// The decision was made.
    Decided,
}

/// A special procedure whose time does not count (特别程序), 行政许可法 article 45.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseKind {
    /// 听证.
    Hearing,
    /// 招标.
    Tender,
    /// 拍卖.
    Auction,
    /// 检验.
    Inspection,
    /// 检测.
    Testing,
    /// 检疫.
    Quarantine,
    /// 鉴定.
    Appraisal,
    /// 专家评审.
    ExpertReview,
}

impl PauseKind {
    /// Its name in both languages.
    pub fn name(self) -> Text {
        match self {
            PauseKind::Hearing => Text::new("听证", "Hearing"),
            PauseKind::Tender => Text::new("招标", "Tender"),
            PauseKind::Auction => Text::new("拍卖", "Auction"),
            PauseKind::Inspection => Text::new("检验", "Inspection"),
            PauseKind::Testing => Text::new("检测", "Testing"),
            PauseKind::Quarantine => Text::new("检疫", "Quarantine"),
            PauseKind::Appraisal => Text::new("鉴定", "Appraisal"),
            PauseKind::ExpertReview => Text::new("专家评审", "Expert review"),
        }
    }
}

/// All clocks of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    /// From window to deciding city (移交期限).
    pub hand_over: ClockRule,
    /// Accept, ask for corrections or decline (受理期限).
    pub acceptance: ClockRule,
    /// The applicant's answer (补正期限).
    pub answer: ClockRule,
    /// By law (法定期限).
    pub legal: ClockRule,
    /// Promised (承诺期限).
    pub promised: ClockRule,
    /// Delivery (送达期限).
    pub delivery: ClockRule,
}

/// How often a correction may be asked (一次性告知).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectionRule {
    /// Rounds at the most.
    pub rounds_max: u32,
    /// Law and article.
    pub basis: String,
}

/// A ground of refusal or of non-acceptance (不予许可、不予受理的理由).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// Stable name.
    pub id: String,
    /// What it says.
    pub text: Text,
    /// Law and article.
    pub article: String,
    /// Whether its source is not certain: then nobody may be refused on it.
    #[serde(default)]
    pub unconfirmed: bool,
}

/// What a person can do against a decision (救济途径).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// Stable name.
    pub id: String,
    /// What can be done.
    pub text: Text,
    /// Within how many days.
    #[serde(default)]
    pub days: Option<u32>,
    /// Within how many months.
    #[serde(default)]
    pub months: Option<u32>,
    /// Law and article.
    pub basis: String,
}

/// What it costs (收费).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// In cents.
    pub cents: u64,
    /// In words.
    pub text: Text,
    /// Law and article.
    pub basis: String,
    /// Whether its source is not certain.
    #[serde(default)]
    pub unconfirmed: bool,
}

/// What an approval brings about (办理结果).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultRule {
    /// The type of the licence that is issued.
    pub licence: String,
    /// Whether it replaces the one of `material`.
    pub effect: Effect,
    /// The material that names the licence which it replaces.
    pub material: String,
    /// In words.
    pub text: Text,
}

/// How an approval changes licences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// A first one.
    Issue,
    /// A new version; the old one ends at the same moment.
    Supersede,
}

/// A way to hand over the result (送达方式).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// At the window of the collecting city.
    CollectingWindow,
    /// By post.
    Post,
    /// As an electronic licence.
    Electronic,
}

/// A way to hand over the result, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryRule {
    /// The way.
    pub id: DeliveryMode,
    /// In words.
    pub text: Text,
}

/// Who is rated, with which grades (好差评).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatingRule {
    /// Who is rated, each apart.
    pub targets: Vec<RatingTarget>,
    /// The grades from best to worst.
    pub grades: Vec<GradeText>,
}

/// Who is rated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RatingTarget {
    /// The collecting window.
    Window,
    /// The deciding department.
    Department,
}

/// A grade in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeText {
    /// 5 is best.
    pub grade: u8,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// The offices of a city that handle the item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offices {
    /// Where it is collected.
    pub window: OfficeName,
    /// Where it is decided.
    pub deciding: OfficeName,
}

/// An office with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficeName {
    /// The office.
    pub id: OfficeId,
    /// Its name.
    pub name: Text,
}

/// Where the window is and when it is open (办理地点).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowRule {
    /// Where.
    pub address: Text,
    /// When.
    pub hours: Text,
    /// By phone.
    pub phone: String,
    /// Whether its source is not certain.
    #[serde(default)]
    pub unconfirmed: bool,
}

/// When a delivered case is closed by itself (归档).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchiveRule {
    /// Days after delivery.
    pub after_days: u32,
    /// Whether its source is not certain.
    #[serde(default)]
    pub unconfirmed: bool,
}

/// A complete item in one city (本地化事项规则).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemRules {
    /// What it is.
    pub item: Head,
    /// Law behind it.
    pub basis: Vec<Fact>,
    /// Guide.
    pub guide: Guide,
    /// Conditions.
    pub conditions: Vec<Condition>,
    /// Frequent questions.
    pub questions: Vec<QuestionAnswer>,
    /// Form.
    pub pages: Vec<FormPage>,
    /// Materials.
    pub materials: Vec<Material>,
    /// Formal check.
    pub checks: Vec<Check>,
    /// Stages.
    pub stages: Vec<Stage>,
    /// Clocks.
    pub clocks: Clocks,
    /// Corrections.
    pub correction: CorrectionRule,
    /// Grounds of refusal.
    pub refusals: Vec<Ground>,
    /// Grounds of non-acceptance.
    pub declines: Vec<Ground>,
    /// Remedies.
    pub remedies: Vec<Remedy>,
    /// Fee.
    pub fee: Fee,
    /// Result.
    pub result: ResultRule,
    /// Delivery.
    pub delivery: Vec<DeliveryRule>,
    /// Rating.
    pub rating: RatingRule,
    /// Offices of the city.
    pub offices: Offices,
    /// Window of the city.
    pub window: WindowRule,
    /// Archive.
    pub archive: ArchiveRule,
    /// SHA-256 of the shared standard, lower-case hex: what cities agree on and messages carry.
    pub sha256: String,
    /// SM3 of the same text.
    pub sm3: String,
}

impl ItemRules {
    /// All questions of the form in order.
    pub fn all_questions(&self) -> impl Iterator<Item = &Question> {
        self.pages.iter().flat_map(|page| &page.questions)
    }

    /// The material of that name.
    pub fn material(&self, id: &str) -> Option<&Material> {
        self.materials.iter().find(|material| material.id == id)
    }

    /// The ground of refusal of that name.
    pub fn refusal(&self, id: &str) -> Option<&Ground> {
        self.refusals.iter().find(|ground| ground.id == id)
    }

    /// The ground of non-acceptance of that name.
    pub fn decline(&self, id: &str) -> Option<&Ground> {
        self.declines.iter().find(|ground| ground.id == id)
    }
}
