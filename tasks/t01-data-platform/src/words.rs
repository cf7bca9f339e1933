//! Words for codes (代码的说法): roles, and what audit lines name, each in one table.

use tb_base::Role;
use tb_case::{CommandKind, PhaseKind};
use tb_identity::staff::role_of;
use tb_web::Lang;

use crate::bureau::words::{DONE, WHY, choice_word};

/// What a member of staff is called by her role.
pub fn role_word(lang: Lang, role: Role) -> &'static str {
    let (zh, en) = match role {
        Role::Resident => ("办事人", "resident"),
        Role::Window => ("窗口人员", "window clerk"),
        Role::Reviewer => ("审查人员", "reviewer"),
        Role::Approver => ("审批人员", "approver"),
        Role::Inspector => ("执法检查人员", "inspector"),
        Role::Bureau => ("数据局", "data bureau"),
        Role::Supervisor => ("监督人员", "supervisor"),
        Role::Auditor => ("审计人员", "auditor"),
        Role::Administrator => ("系统管理员", "administrator"),
    };
    lang.t(zh, en)
}

/// What an act in an audit line is called; none for an act that this table does not know.
pub fn act_word(lang: Lang, act: &str) -> Option<&'static str> {
    ACTS.iter().find(|(code, ..)| *code == act).map(|(_, zh, en)| lang.t(*zh, *en))
}

/// What the outcome of an act is called; a code of a refusal or a digest stands for itself.
pub fn outcome_word(lang: Lang, act: &str, outcome: &str) -> Option<String> {
    let of_case = match act {
        "case.move" => read(outcome).map(|phase: PhaseKind| phase.name()),
        "case.act" => read(outcome).map(|command: CommandKind| command.name()),
        _ => None,
    };
    if let Some(name) = of_case {
        return Some(lang.t(&name.zh, &name.en).to_owned());
    }
    match (act, outcome.split_once(':')) {
        (_, Some(("found", count))) => {
            return Some(
                format!("{} {count} {}", lang.t("查到", "found"), lang.t("条", "")).trim_end().to_owned(),
            );
        }
        ("exchange.again", Some(("another", _))) => {
            return Some(lang.t("以新报文代替", "another one in its place").to_owned());
        }
        ("exchange.settle", Some((why, done))) => {
            let (why, done) = (choice_word(lang, &WHY, why), choice_word(lang, &DONE, done));
            return Some(format!("{why}{}{done}", lang.t("；", "; ")));
        }
        _ => {}
    }
    if matches!(act, "identity.staff.enter" | "identity.staff.move") {
        return role_of(outcome).map(|role| role_word(lang, role).to_owned());
    }
    if outcome == "closed" && act.starts_with("enquiry.") {
        return Some(lang.t("已办结", "closed").to_owned());
    }
    let word = |code: &str| OUTCOMES.iter().find(|(known, ..)| *known == code);
    let known = |code: &str| word(code).map(|(_, zh, en)| lang.t(*zh, *en));
    match outcome.split_once(':') {
        None => known(outcome).map(str::to_owned),
        Some((state, because)) => Some(format!("{}{}{}", known(state)?, lang.t("：", ": "), known(because)?)),
    }
}

/// A code of the case block, as it writes it.
fn read<T: serde::de::DeserializeOwned>(code: &str) -> Option<T> {
    serde_json::from_value(code.into()).ok()
}

/// What the kind of whoever acted is called.
pub fn actor_word(lang: Lang, actor: &str) -> &'static str {
    let (zh, en) = match actor.split(':').next().unwrap_or("") {
        "staff" => ("工作人员", "staff"),
        "resident" => ("办事人", "resident"),
        "node" => ("其他城市", "another city"),
        "anonymous" => ("没有登录的人", "not signed in"),
        _ => ("系统", "the system"),
    };
    lang.t(zh, en)
}

/// Every act that is written to the audit: code, Chinese, English.
pub const ACTS: &[(&str, &str, &str)] = &[
    ("account.list", "查工作人员账户", "searched accounts of staff"),
    ("audit.export", "导出审计记录", "exported audit lines"),
    ("audit.read", "查审计记录", "read audit lines"),
    ("bureau.export", "导出交换资料", "exported what the exchange holds"),
    ("bureau.read", "查看交换", "looked at the exchange"),
    ("case.act", "办理操作", "acted on a case"),
    ("case.custody", "办件移交", "a case was handed over"),
    ("case.draft", "草稿", "a draft"),
    ("case.evidence", "下载办件证据", "took the evidence of a case"),
    ("case.move", "办件进入新环节", "a case moved on"),
    ("case.overdue", "办件超时限", "a case is overdue"),
    ("case.progress", "办件进度送达", "progress of a case arrived"),
    ("enquiry.again", "补充或追问", "added to an enquiry"),
    ("enquiry.answer", "答复问询", "answered an enquiry"),
    ("enquiry.ask", "提出问询", "made an enquiry"),
    ("enquiry.close", "问询办结", "closed an enquiry"),
    ("enquiry.lapse", "问询无追问办结", "an enquiry ended in silence"),
    ("enquiry.overdue", "问询逾期未答", "an answer is overdue"),
    ("enquiry.pass_on", "转办问询", "passed an enquiry on"),
    ("enquiry.receive", "问询送达", "an enquiry arrived"),
    ("enquiry.return", "退回问询", "returned an enquiry"),
    ("exchange.acknowledge", "报文签收", "acknowledged a message"),
    ("exchange.again", "重发死信", "sent a dead letter again"),
    ("exchange.answer", "答复他市查询", "answered another city"),
    ("exchange.dead", "报文成为死信", "gave a message up"),
    ("exchange.mistrust", "报文不可信", "mistrusted a message"),
    ("exchange.omitted", "他市日志漏了报文", "another city left a message out of its log"),
    ("exchange.process", "处理报文", "processed a message"),
    ("exchange.receive", "收到报文", "received a message"),
    ("exchange.refuse", "拒收报文", "refused a message"),
    ("exchange.settle", "人工办结死信", "settled a dead letter by hand"),
    ("exchange.stranger", "已退出的城市来访", "a city that left called"),
    ("exchange.take", "认领死信", "took a dead letter"),
    ("identity.account.create", "开户", "made an account"),
    ("identity.account.level", "改实名等级", "set an assurance level"),
    ("identity.account.state", "锁定或恢复账户", "locked or unlocked an account"),
    ("identity.check", "窗口核验身份", "checked identity at a window"),
    ("identity.first", "设首次密码", "set a first password"),
    ("identity.leave", "请假与代办", "leave and its substitute"),
    ("identity.office", "管理单位", "managed an office"),
    ("identity.password.change", "改密码", "changed a password"),
    ("identity.reset", "重设密码", "set a lost password anew"),
    ("identity.seed", "导入登记数据", "planted the register"),
    ("identity.sign_in", "登录", "signed in"),
    ("identity.sign_out", "退出登录", "signed out"),
    ("identity.sign_out.all", "退出所有登录", "signed out everywhere"),
    ("identity.staff.code", "发放一次性代码", "gave out a one-time code"),
    ("identity.staff.enter", "工作人员入册", "entered a member of staff"),
    ("identity.staff.move", "调岗", "changed office or role"),
    ("keys.reseal", "换密钥重新封存", "sealed the database with a new key"),
    ("keys.retire", "停用数据密钥", "retired a key of the database"),
    ("licence.ask", "向他市查证照", "asked another city for licences"),
    ("licence.consent", "用证授权", "consent to use a licence"),
    ("licence.fetch", "调取证照", "fetched a licence"),
    ("licence.find", "按持证人查证照", "looked up licences of a holder"),
    ("licence.issue", "制发证照", "issued a licence"),
    ("licence.locate", "查有哪些证照", "looked up licences"),
    ("licence.open", "打开本部门签发的证照", "opened a licence of the department"),
    ("licence.order", "变更证照状态", "changed the state of a licence"),
    ("licence.present", "亮证", "showed a licence"),
    ("licence.read", "看自己的证照", "read an own licence"),
    ("licence.supersede", "换发证照", "replaced a licence"),
    ("licence.take_over", "接管已有证照", "took over a licence"),
    ("licence.verify", "核验证照", "verified a licence"),
    ("look.proof", "下载查看证明", "took the proof of a look"),
    ("look.read", "看查看记录", "read the list of looks"),
    ("recovery.again", "为恢复中的城市再发一次", "sends again to a restored city"),
    ("recovery.decided", "决定不等某市", "decided not to wait for a city"),
    ("recovery.done", "备份恢复完成", "recovered from a backup"),
    ("recovery.forked", "恢复的日志与他市所见不同", "the restored log is not the one that was cosigned"),
    ("recovery.leaves", "备份之后的日志记录", "leaves after the backup"),
    ("recovery.message", "取回备份之后的报文", "took a message back after the backup"),
    ("recovery.without", "不等某市即恢复", "recovered without a city"),
    ("supervise.case", "监督人员查看办件", "looked at a case as supervisor"),
    ("supervise.export", "导出全市办件", "exported the cases of the city"),
    ("trust.conflict", "同号的两份信任名单", "two trust lists of one number"),
    ("trust.install", "信任名单生效", "put a trust list in force"),
    ("trust.refuse", "拒绝信任名单", "refused a trust list"),
    ("window.signature", "窗口手写签名", "signed at a window"),
    ("witness.fork", "他市日志有两份历史", "a log has two histories"),
    ("witness.refuse", "拒绝为他市日志见证", "refused to cosign a log"),
    ("witness.refused", "他市拒绝为本市日志见证", "another city refused to cosign"),
];

/// Outcomes that are words: code, Chinese, English.
const OUTCOMES: &[(&str, &str, &str)] = &[
    ("accepted", "已接管", "taken over"),
    ("active", "已恢复", "unlocked"),
    ("again", "再次收到", "received again"),
    ("answered", "已答复", "answered"),
    ("asked", "已询问", "asked"),
    ("back", "回岗", "back at the post"),
    ("begun", "开始", "begun"),
    ("cleared", "核查完毕", "examination over"),
    ("closed", "已注销", "closed"),
    ("dead", "放弃", "given up"),
    ("discarded", "丢弃", "discarded"),
    ("done", "完成", "done"),
    ("duplicate", "重复", "duplicate"),
    ("ended", "随办件结束", "ended with its case"),
    ("examined", "正在核查", "being examined"),
    ("frozen", "已锁定", "locked"),
    ("given", "已同意", "agreed"),
    ("issued", "已制发", "issued"),
    ("left", "离岗", "left the post"),
    ("look", "追问查看", "question about a look"),
    ("not_found", "查无此证", "not found"),
    ("open", "等答复", "waits for an answer"),
    ("refused", "没有同意或被拒绝", "refused"),
    ("renamed", "已改名", "renamed"),
    ("returned", "已退回", "returned"),
    ("same", "原报文再发", "the same message again"),
    ("shown", "已提供", "shown"),
    ("stale", "过时，没有采用", "stale, not used"),
    ("stolen", "可能被冒用", "possibly used by others"),
    ("stuck", "办不成事", "could not be done"),
    ("superseded", "已换发", "replaced"),
    ("withdrawn", "已撤回", "withdrawn"),
    ("wrong_code", "验证码不对", "wrong code"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(act: &str, outcome: &str, zh: Option<&str>, en: Option<&str>) {
        assert_eq!(outcome_word(Lang::Zh, act, outcome).as_deref(), zh);
        assert_eq!(outcome_word(Lang::En, act, outcome).as_deref(), en);
    }

    #[test]
    fn outcomes_in_words() {
        check("audit.read", "done", Some("完成"), Some("done"));
        check("identity.account.state", "frozen:left", Some("已锁定：离岗"), Some("locked: left the post"));
        check("licence.consent", "LIC-CNS-001", None, None);
        check("identity.account.state", "frozen:unknown", None, None);
        check("case.move", "received", Some("已收件"), Some("Received"));
        check("case.act", "accept", Some("受理"), Some("Accept"));
        check("audit.read", "found:12", Some("查到 12 条"), Some("found 12"));
        check("exchange.again", "another:01kq", Some("以新报文代替"), Some("another one in its place"));
        check("case.custody", "accepted", Some("已接管"), Some("taken over"));
    }

    #[test]
    fn tables_are_in_order() {
        assert!(ACTS.is_sorted_by_key(|(code, ..)| *code));
        assert!(OUTCOMES.is_sorted_by_key(|(code, ..)| *code));
        assert_eq!(act_word(Lang::En, "identity.sign_in"), Some("signed in"));
        assert_eq!(act_word(Lang::Zh, "nothing.known"), None);
        assert_eq!(actor_word(Lang::Zh, "node:430300"), "其他城市");
    }
}
