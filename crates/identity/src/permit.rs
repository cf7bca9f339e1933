//! Permits (权限): who may do what, in one table; a permit is a value that only [`may`] makes.
//!
//! Functions that act for somebody take a [`Permit`], so that a forgotten check does not compile.
//! The page asks the same function which buttons to show.

use std::fmt::Write;

use tb_base::{Actor, NodeId, OfficeId, PersonId, Refusal, Result, Role};

/// Every act of the product (操作).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Reads guides, the agreement and public figures (查看指南).
    ReadGuide,
    /// Asks for an account (注册).
    Register,
    /// Manages the own account and its sessions (管理本人账号).
    ManageOwnAccount,
    /// Reads the own notices (查看本人消息).
    ReadOwnMessages,
    /// Drafts and files a case (申请办件).
    FileCase,
    /// Reads an own case (查看本人办件).
    ReadOwnCase,
    /// Answers a request for correction (补正).
    AnswerCorrection,
    /// Withdraws an own case (撤回).
    WithdrawCase,
    /// Rates window and department (评价).
    RateCase,
    /// Consents to the use of a licence (授权用证).
    GiveConsent,
    /// Reads the own licences (查看本人证照).
    ReadOwnLicences,
    /// Shows a licence to a verifier (亮证).
    PresentLicence,
    /// Reads who looked at the own data, and takes the proof (谁看了我的数据).
    ReadOwnLooks,
    /// Acts for an enterprise that she represents or has a grant of, and ends a grant (代企业办事).
    ActForEnterprise,
    /// Gives grants of an enterprise that she represents (企业授权).
    GrantAgency,
    /// Takes the evidence of an own case (下载证据).
    TakeEvidence,
    /// Says what could not be got done, with an account or without (反映办不成事).
    ReportStuck,
    /// Asks an office about a look at the own data (追问查看).
    AskAboutLook,
    /// Reads and follows up the own enquiries (查看本人问询).
    ReadOwnEnquiry,
    /// Reads and answers the enquiries of the own office (答复问询).
    AnswerEnquiry,
    /// Finds a person by number for a case at the window (窗口查找本人).
    FindPerson,
    /// Checks the card of a person at the window and sets the assurance level (窗口核验身份).
    CheckIdentity,
    /// Collects a case at the window (窗口收件).
    CollectCase,
    /// Does at the window what the applicant asks for: correction, withdrawal (窗口代办).
    AssistApplicant,
    /// Fetches licence fields for a case with consent (调取证照).
    FetchLicence,
    /// Hands the result over (送达).
    DeliverResult,
    /// Reads the cases of the own office (查看本单位办件).
    ReadOfficeCase,
    /// Asks once for corrections (告知补正).
    AskCorrection,
    /// Accepts a case, or refuses to (受理).
    AcceptCase,
    /// Examines and proposes (审查).
    ReviewCase,
    /// Decides a case (决定).
    DecideCase,
    /// Extends the limit (延期).
    ExtendLimit,
    /// Issues, supersedes, suspends, lifts or revokes a licence (制发与变更证照).
    ChangeLicence,
    /// Finds and opens licences that the own department issued (管理本部门证照).
    ManageLicence,
    /// Verifies a licence that is shown (核验证照).
    VerifyLicence,
    /// Reads exchange, contracts and catalogue (查看交换).
    ReadExchange,
    /// Takes, sends again and settles dead letters (处理死信).
    OperateExchange,
    /// Proposes contracts and definitions (提出契约与规则).
    ProposeContract,
    /// Watches limits over all offices (监督时限).
    SuperviseCases,
    /// Watches the enquiries of all offices and those that other cities owe (监督问询).
    SuperviseEnquiries,
    /// Reads audit lines (查看审计).
    ReadAudit,
    /// Reads the log, checkpoints and cosignatures (查看日志).
    ReadLog,
    /// Makes, freezes and frees accounts (管理账号).
    ManageAccounts,
    /// Enters offices and staff (管理单位).
    ManageOffices,
    /// Asks this node by a verified message; the contract decides further (对等节点请求).
    AskNode,
    /// Runs timers, jobs and seeds (系统任务).
    RunJobs,
}

/// What an act is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The data or the case of this person.
    Person(PersonId),
    /// Something that this office has in hand.
    Office(OfficeId),
    /// The node as a whole.
    Node(NodeId),
}

/// How far a rule reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The actor's own data, from an assurance level on.
    Own(u8),
    /// What the actor's office has in hand.
    Office,
    /// Everything on the node.
    Node,
}

/// To whom a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Anybody,
    Role(Role),
    Peer,
    System,
}

/// One row of the table.
struct Rule {
    action: Action,
    code: &'static str,
    zh: &'static str,
    en: &'static str,
    grants: &'static [(Who, Reach)],
}

/// Every role, in the order of the table.
pub const ROLES: [Role; 9] = [
    Role::Resident,
    Role::Window,
    Role::Reviewer,
    Role::Approver,
    Role::Inspector,
    Role::Bureau,
    Role::Supervisor,
    Role::Auditor,
    Role::Administrator,
];

const fn rule(
    action: Action,
    code: &'static str,
    zh: &'static str,
    en: &'static str,
    grants: &'static [(Who, Reach)],
) -> Rule {
    Rule { action, code, zh, en, grants }
}

const RESIDENT: Who = Who::Role(Role::Resident);
const WINDOW: Who = Who::Role(Role::Window);
const REVIEWER: Who = Who::Role(Role::Reviewer);
const APPROVER: Who = Who::Role(Role::Approver);
const INSPECTOR: Who = Who::Role(Role::Inspector);
const BUREAU: Who = Who::Role(Role::Bureau);
const SUPERVISOR: Who = Who::Role(Role::Supervisor);
const AUDITOR: Who = Who::Role(Role::Auditor);
const ADMINISTRATOR: Who = Who::Role(Role::Administrator);

/// The table. What does not stand here is forbidden.
const RULES: &[Rule] = &[
    rule(Action::ReadGuide, "guide.read", "查看指南", "read guides", &[(Who::Anybody, Reach::Node)]),
    rule(
        Action::Register,
        "account.register",
        "注册账号",
        "ask for an account",
        &[(Who::Anybody, Reach::Node)],
    ),
    rule(
        Action::ManageOwnAccount,
        "account.own",
        "管理本人账号",
        "manage the own account",
        &[(RESIDENT, Reach::Own(1))],
    ),
    rule(
        Action::ReadOwnMessages,
        "message.read",
        "查看本人消息",
        "read own notices",
        &[(RESIDENT, Reach::Own(1))],
    ),
    rule(Action::FileCase, "case.file", "申请办件", "file a case", &[(RESIDENT, Reach::Own(2))]),
    rule(
        Action::ReadOwnCase,
        "case.read_own",
        "查看本人办件",
        "read an own case",
        &[(RESIDENT, Reach::Own(2))],
    ),
    rule(
        Action::AnswerCorrection,
        "case.answer",
        "补正",
        "answer a correction",
        &[(RESIDENT, Reach::Own(2))],
    ),
    rule(Action::WithdrawCase, "case.withdraw", "撤回", "withdraw a case", &[(RESIDENT, Reach::Own(2))]),
    rule(Action::RateCase, "case.rate", "评价", "rate", &[(RESIDENT, Reach::Own(2))]),
    rule(
        Action::GiveConsent,
        "licence.consent",
        "授权用证",
        "consent to the use of a licence",
        &[(RESIDENT, Reach::Own(3))],
    ),
    rule(
        Action::ReadOwnLicences,
        "licence.read_own",
        "查看本人证照",
        "read own licences",
        &[(RESIDENT, Reach::Own(3))],
    ),
    rule(Action::PresentLicence, "licence.present", "亮证", "show a licence", &[(RESIDENT, Reach::Own(3))]),
    rule(
        Action::ReadOwnLooks,
        "look.read_own",
        "谁看了我的数据",
        "read who looked",
        &[(RESIDENT, Reach::Own(3))],
    ),
    rule(
        Action::ActForEnterprise,
        "enterprise.act",
        "代企业办事",
        "act for an enterprise",
        &[(RESIDENT, Reach::Own(2))],
    ),
    rule(
        Action::GrantAgency,
        "enterprise.grant",
        "企业授权",
        "give grants of an enterprise",
        &[(RESIDENT, Reach::Own(3))],
    ),
    rule(
        Action::TakeEvidence,
        "case.evidence",
        "下载本人证据",
        "take own evidence",
        &[(RESIDENT, Reach::Own(3))],
    ),
    rule(
        Action::ReportStuck,
        "enquiry.report",
        "反映办不成事",
        "say what could not be done",
        &[(Who::Anybody, Reach::Node)],
    ),
    rule(
        Action::AskAboutLook,
        "enquiry.ask_look",
        "追问查看记录",
        "ask about a look",
        &[(RESIDENT, Reach::Own(3))],
    ),
    rule(
        Action::ReadOwnEnquiry,
        "enquiry.read_own",
        "查看本人问询",
        "read own enquiries",
        &[(RESIDENT, Reach::Own(1))],
    ),
    rule(
        Action::AnswerEnquiry,
        "enquiry.answer",
        "答复问询",
        "answer enquiries",
        &[
            (WINDOW, Reach::Office),
            (REVIEWER, Reach::Office),
            (APPROVER, Reach::Office),
            (INSPECTOR, Reach::Office),
            (BUREAU, Reach::Office),
        ],
    ),
    rule(
        Action::FindPerson,
        "person.find",
        "窗口查找本人",
        "find the person at the window",
        &[(WINDOW, Reach::Node)],
    ),
    rule(
        Action::CheckIdentity,
        "person.check",
        "窗口核验身份",
        "check identity at the window",
        &[(WINDOW, Reach::Node)],
    ),
    rule(Action::CollectCase, "case.collect", "窗口收件", "collect a case", &[(WINDOW, Reach::Office)]),
    rule(
        Action::AssistApplicant,
        "case.assist",
        "窗口代办",
        "act for the applicant at the window",
        &[(WINDOW, Reach::Office)],
    ),
    rule(
        Action::FetchLicence,
        "licence.fetch",
        "为办件调取证照",
        "fetch licence fields for a case",
        &[(WINDOW, Reach::Office), (REVIEWER, Reach::Office)],
    ),
    rule(
        Action::DeliverResult,
        "case.deliver",
        "送达结果",
        "hand the result over",
        &[(WINDOW, Reach::Office)],
    ),
    rule(
        Action::ReadOfficeCase,
        "case.read",
        "查看本单位办件",
        "read cases of the office",
        &[
            (WINDOW, Reach::Office),
            (REVIEWER, Reach::Office),
            (APPROVER, Reach::Office),
            (SUPERVISOR, Reach::Node),
        ],
    ),
    rule(
        Action::AskCorrection,
        "case.correct",
        "告知补正",
        "ask for corrections",
        &[(REVIEWER, Reach::Office)],
    ),
    rule(Action::AcceptCase, "case.accept", "受理", "accept a case", &[(REVIEWER, Reach::Office)]),
    rule(Action::ReviewCase, "case.review", "审查", "examine and propose", &[(REVIEWER, Reach::Office)]),
    rule(Action::DecideCase, "case.decide", "决定", "decide", &[(APPROVER, Reach::Office)]),
    rule(Action::ExtendLimit, "case.extend", "延长期限", "extend the limit", &[(APPROVER, Reach::Office)]),
    rule(
        Action::ChangeLicence,
        "licence.change",
        "制发与变更证照",
        "issue or change a licence",
        &[(APPROVER, Reach::Office)],
    ),
    rule(
        Action::ManageLicence,
        "licence.manage",
        "管理本部门证照",
        "find and open licences of the department",
        &[(REVIEWER, Reach::Office), (APPROVER, Reach::Office)],
    ),
    rule(
        Action::VerifyLicence,
        "licence.verify",
        "核验证照",
        "verify a licence",
        &[(INSPECTOR, Reach::Node), (WINDOW, Reach::Node)],
    ),
    rule(
        Action::ReadExchange,
        "exchange.read",
        "查看交换与契约",
        "read exchange and contracts",
        &[(BUREAU, Reach::Node), (AUDITOR, Reach::Node)],
    ),
    rule(
        Action::OperateExchange,
        "exchange.operate",
        "处理死信",
        "see to dead letters",
        &[(BUREAU, Reach::Node)],
    ),
    rule(
        Action::ProposeContract,
        "exchange.propose",
        "提出契约与规则",
        "propose contracts and definitions",
        &[(BUREAU, Reach::Node)],
    ),
    rule(Action::SuperviseCases, "case.supervise", "监督时限", "watch limits", &[(SUPERVISOR, Reach::Node)]),
    rule(
        Action::SuperviseEnquiries,
        "enquiry.supervise",
        "监督问询",
        "watch enquiries",
        &[(SUPERVISOR, Reach::Node)],
    ),
    rule(Action::ReadAudit, "audit.read", "查看审计", "read audit lines", &[(AUDITOR, Reach::Node)]),
    rule(
        Action::ReadLog,
        "log.read",
        "查看日志与见证",
        "read log and cosignatures",
        &[(AUDITOR, Reach::Node), (BUREAU, Reach::Node)],
    ),
    rule(
        Action::ManageAccounts,
        "account.manage",
        "管理账号",
        "manage accounts",
        &[(ADMINISTRATOR, Reach::Node)],
    ),
    rule(
        Action::ManageOffices,
        "office.manage",
        "管理单位",
        "manage offices and staff",
        &[(ADMINISTRATOR, Reach::Node)],
    ),
    rule(Action::AskNode, "exchange.ask", "对等节点请求", "ask this node", &[(Who::Peer, Reach::Node)]),
    rule(Action::RunJobs, "system.run", "系统任务", "run jobs and timers", &[(Who::System, Reach::Node)]),
];

/// The proof that an act is permitted (许可凭据): made by [`may`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    action: Action,
    actor: Actor,
    scope: Scope,
}

impl Permit {
    /// What is permitted.
    pub fn action(&self) -> Action {
        self.action
    }

    /// To whom.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// On what.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// Whether the actor may do this; the permit, or why not.
pub fn may(actor: &Actor, action: Action, scope: &Scope) -> Result<Permit> {
    let who = who(actor);
    let reach = RULES
        .iter()
        .filter(|rule| rule.action == action)
        .flat_map(|rule| rule.grants)
        .find(|(granted, _)| *granted == Who::Anybody || *granted == who)
        .map(|(_, reach)| *reach);
    let Some(reach) = reach else { return Err(forbidden(actor, action).into()) };
    reaches(actor, reach, scope)?;
    Ok(Permit { action, actor: actor.clone(), scope: scope.clone() })
}

/// The stable code of an action, such as `case.file`.
pub fn code(action: Action) -> &'static str {
    RULES.iter().find(|rule| rule.action == action).map_or("", |rule| rule.code)
}

/// The table of actions by role in Markdown, for the documentation.
pub fn permit_table() -> String {
    let mut text = String::from("| action | 操作 | anybody ");
    for role in ROLES {
        let _ = write!(text, "| {} ", crate::staff::role_word(role));
    }
    text.push_str("| peer | system |\n|---|---|");
    text.push_str(&"---|".repeat(ROLES.len() + 3));
    text.push('\n');
    let columns = || {
        std::iter::once(Who::Anybody).chain(ROLES.into_iter().map(Who::Role)).chain([Who::Peer, Who::System])
    };
    for rule in RULES {
        let _ = write!(text, "| `{}` {} | {} ", rule.code, rule.en, rule.zh);
        for column in columns() {
            let cell = rule.grants.iter().find(|(who, _)| *who == column).map(|(_, reach)| *reach);
            let _ = write!(text, "| {} ", cell.map_or(String::new(), mark));
        }
        text.push_str("|\n");
    }
    text
}

fn mark(reach: Reach) -> String {
    match reach {
        Reach::Own(level) => format!("own, level {level}"),
        Reach::Office => "office".to_owned(),
        Reach::Node => "city".to_owned(),
    }
}

fn who(actor: &Actor) -> Who {
    match actor {
        Actor::Anonymous => Who::Anybody,
        Actor::Resident { .. } => RESIDENT,
        Actor::Staff { role, .. } => Who::Role(*role),
        Actor::Peer(_) => Who::Peer,
        Actor::System => Who::System,
    }
}

fn reaches(actor: &Actor, reach: Reach, scope: &Scope) -> Result<()> {
    let refusal = match (reach, actor, scope) {
        (Reach::Node, _, _) => return Ok(()),
        (Reach::Own(needed), Actor::Resident { person, level }, Scope::Person(owner)) if person == owner => {
            if needed <= *level {
                return Ok(());
            }
            too_low(*level, needed)
        }
        (Reach::Office, Actor::Staff { office, .. }, Scope::Office(owner)) if office == owner => {
            return Ok(());
        }
        (Reach::Own(_), _, _) => {
            Refusal::not_allowed("IDN-PMT-002", "这不是您本人的事项或数据", "This is not your own matter")
        }
        (Reach::Office, _, _) => Refusal::not_allowed(
            "IDN-PMT-003",
            "这件事不由您的单位办理",
            "This is in the hands of another office",
        ),
    };
    Err(refusal.into())
}

fn forbidden(actor: &Actor, action: Action) -> Refusal {
    let rule = RULES.iter().find(|rule| rule.action == action);
    let (zh, en) = rule.map_or(("此项操作", "this"), |rule| (rule.zh, rule.en));
    match actor {
        Actor::Anonymous => Refusal::not_allowed(
            "IDN-PMT-004",
            format!("请先登录，再{zh}"),
            format!("Please sign in first ({en})"),
        )
        .but("登录后会回到这一页", "You come back to this page after signing in"),
        Actor::Resident { .. } | Actor::Staff { .. } | Actor::Peer(_) | Actor::System => {
            Refusal::not_allowed(
                "IDN-PMT-001",
                format!("您的角色不能{zh}"),
                format!("Your role may not {en}"),
            )
        }
    }
}

fn too_low(level: u8, needed: u8) -> Refusal {
    Refusal::not_allowed(
        "IDN-PMT-005",
        format!("需要实名等级 {needed} 级，您现在是 {level} 级"),
        format!("This needs assurance level {needed}; yours is {level}"),
    )
    .but("可以带身份证到本市政务大厅窗口核验", "Show your card at a service hall of this city to raise it")
}

#[cfg(test)]
mod tests;
