//! Every refusal of a case (拒绝理由): code, words in both languages, ground, way out.

use tb_base::Refusal;

use crate::case::PhaseKind;
use crate::command::CommandKind;
use crate::definitions::Ground;

const LAW_32: &str = "行政许可法第三十二条第一款第四项";

pub(crate) fn not_in_phase(command: CommandKind, phase: PhaseKind) -> Refusal {
    let (command, phase) = (command.name(), phase.name());
    Refusal::not_now(
        "CAS-PHA-001",
        format!("办件现在是“{}”，不能{}", phase.zh, command.zh),
        format!("The case is '{}'; '{}' is not possible now", phase.en, command.en),
    )
    .but("请刷新页面，按当前状态办理", "Reload the page and act on the present state")
}

pub(crate) fn wrong_party(command: CommandKind) -> Refusal {
    let command = command.name();
    Refusal::not_allowed(
        "CAS-WHO-001",
        format!("您不能对本办件{}", command.zh),
        format!("You may not do this with the case: {}", command.en),
    )
    .but(
        "由申请人、收件窗口或办理部门各自办理",
        "The applicant, the collecting window and the deciding office each have their own part",
    )
}

pub(crate) fn wrong_office() -> Refusal {
    Refusal::not_allowed("CAS-WHO-002", "本办件不由您的单位办理", "Another office handles this case")
        .but("请由办理单位的人员办理", "Leave it to the staff of that office")
}

pub(crate) fn recusal() -> Refusal {
    Refusal::not_allowed(
        "CAS-WHO-003",
        "审查人员不得作出决定，请由另一位审批人员决定",
        "Whoever examined the case may not decide it; another approver must",
    )
    .but("转给本单位其他审批人员", "Hand it to another approver of the office")
}

pub(crate) fn not_found() -> Refusal {
    Refusal::gone(
        "CAS-FND-001",
        "没有这个办件，或者您无权查看",
        "There is no such case, or you may not see it",
    )
    .but("请核对查询码", "Check the code you ask by")
}

pub(crate) fn not_owner() -> Refusal {
    Refusal::conflict(
        "CAS-CUS-001",
        "本办件已由办理城市接管，本市不能再写入",
        "The deciding city has custody of the case; this city can no longer write to it",
    )
    .but("请刷新页面，操作会转给办理城市", "Reload the page; what you do is passed on to the deciding city")
}

pub(crate) fn overtaken() -> Refusal {
    Refusal::conflict("CAS-CON-001", "别人刚刚办理了这个办件", "Somebody else has just acted on this case")
        .but("请刷新页面，按新的状态办理", "Reload the page and act on the new state")
}

pub(crate) fn stale_epoch() -> Refusal {
    Refusal::conflict("CAS-CUS-002", "移交的轮次不是最新的", "The epoch of the offer is not the latest one")
}

pub(crate) fn other_definition() -> Refusal {
    Refusal::conflict(
        "CAS-CUS-003",
        "两市的事项标准版本不一致",
        "The two cities hold different versions of the item's standard",
    )
    .but("由两市数据局核对事项标准后重新提交", "The data bureaus compare the definitions; then submit again")
}

pub(crate) fn unknown_subject() -> Refusal {
    Refusal::gone(
        "CAS-CUS-004",
        "办理城市没有申请人的登记",
        "The deciding city has no record of the applicant",
    )
    .but(
        "请到办理城市核对登记，或由收件窗口协助",
        "Have the record checked in the deciding city; the window helps",
    )
}

pub(crate) fn licence_changed(material: &str) -> Refusal {
    Refusal::conflict(
        "CAS-CUS-005",
        format!("材料“{material}”所用证照已有新版本或不再有效"),
        format!("The licence used for material '{material}' has a newer version or is no longer valid"),
    )
    .but("请重新调取证照后提交", "Fetch the licence again and submit anew")
}

pub(crate) fn broken_chain() -> Refusal {
    Refusal::conflict(
        "CAS-CUS-006",
        "移交的办件历史不连续",
        "The history of the offered case does not hold together",
    )
}

pub(crate) fn not_competent() -> Refusal {
    Refusal::conflict("CAS-CUS-007", "本市不是该办件的办理城市", "This city does not decide the case")
}

pub(crate) fn correction_used() -> Refusal {
    Refusal::not_now(
        "CAS-COR-001",
        "补正只能一次性告知，本办件已告知过",
        "Corrections are asked once; this case has had its notice",
    )
    .by(LAW_32)
    .but("请依现有材料受理或者不予受理", "Accept or decline on what there is")
}

pub(crate) fn deemed_accepted() -> Refusal {
    Refusal::not_now(
        "CAS-COR-006",
        "逾期未告知，自收到材料之日起即为受理",
        "Nobody asked in time: the case counts as accepted from its receipt",
    )
    .by(LAW_32)
    .but("请受理后继续审查", "Accept it and go on with the examination")
}

pub(crate) fn correction_empty() -> Refusal {
    Refusal::invalid(
        "CAS-COR-002",
        "补正告知至少列明一项，每项写明问题和依据",
        "A notice lists at least one line, each with what is wrong and the article",
    )
    .by(LAW_32)
}

pub(crate) fn correction_unknown(about: &str) -> Refusal {
    Refusal::invalid(
        "CAS-COR-003",
        format!("“{about}”不是本事项的表单项或材料"),
        format!("'{about}' is no question or material of this item"),
    )
    .on(about.to_owned())
}

pub(crate) fn answer_incomplete(about: &str) -> Refusal {
    Refusal::invalid("CAS-COR-004", format!("还没有补正：{about}"), format!("Not yet answered: {about}"))
        .on(about.to_owned())
}

pub(crate) fn answer_unknown(about: &str) -> Refusal {
    Refusal::invalid(
        "CAS-COR-005",
        format!("补正告知没有这一项：{about}"),
        format!("The notice has no such line: {about}"),
    )
    .on(about.to_owned())
}

pub(crate) fn not_yet_due() -> Refusal {
    Refusal::not_now("CAS-DUE-001", "期限还没有届满", "The limit has not passed yet")
}

pub(crate) fn limit_unconfirmed() -> Refusal {
    Refusal::not_now(
        "CAS-DUE-002",
        "该期限来源待核实，不能据此终止办件",
        "The source of this limit is not certain; it ends no case",
    )
    .but("请提醒申请人", "Remind the applicant")
}

pub(crate) fn extension_used() -> Refusal {
    Refusal::not_now("CAS-EXT-001", "期限只能延长一次", "The limit may be extended once")
        .by("行政许可法第四十二条第一款")
}

pub(crate) fn no_extension() -> Refusal {
    Refusal::not_now("CAS-EXT-002", "本事项不能延长期限", "The limit of this item cannot be extended")
}

pub(crate) fn pause_unlawful() -> Refusal {
    Refusal::invalid("CAS-PAU-001", "本事项没有这种特别程序", "This item has no such special procedure")
        .on("kind")
        .by("行政许可法第四十五条")
}

pub(crate) fn pause_running() -> Refusal {
    Refusal::not_now("CAS-PAU-002", "特别程序尚未结束", "A special procedure is under way")
        .but("先结束特别程序", "End the special procedure first")
}

pub(crate) fn pause_missing() -> Refusal {
    Refusal::not_now("CAS-PAU-003", "没有正在进行的特别程序", "No special procedure is under way")
}

pub(crate) fn opinion_missing() -> Refusal {
    Refusal::not_now("CAS-DEC-001", "还没有审查意见，不能决定", "There is no reviewer's opinion yet")
        .but("请审查人员先提出意见", "A reviewer gives an opinion first")
}

pub(crate) fn reasons_missing() -> Refusal {
    Refusal::invalid("CAS-DEC-002", "不予许可应当说明理由", "A refusal states its reasons")
        .on("grounds")
        .by("行政许可法第三十八条第二款")
}

pub(crate) fn ground_unknown(ground: &str) -> Refusal {
    Refusal::invalid(
        "CAS-DEC-003",
        format!("没有这项理由：{ground}"),
        format!("There is no such ground: {ground}"),
    )
    .on("grounds")
}

pub(crate) fn ground_unconfirmed(ground: &Ground) -> Refusal {
    Refusal::invalid(
        "CAS-DEC-004",
        format!("“{}”的依据待核实，不能据此作出不利决定", ground.text.zh),
        format!("The source of '{}' is not certain; nobody may be refused on it", ground.text.en),
    )
    .on("grounds")
    .but("请改用依据确定的理由", "Use a ground whose source is certain")
}

pub(crate) fn result_missing() -> Refusal {
    Refusal::not_now("CAS-RES-001", "证照还没有制成", "The licence has not been made")
}

pub(crate) fn proof_mismatch() -> Refusal {
    Refusal::invalid(
        "CAS-DEL-001",
        "送达方式与申请人选择的不一致",
        "This is not the way of delivery that the applicant chose",
    )
    .on("mode")
}

pub(crate) fn proof_missing() -> Refusal {
    Refusal::invalid(
        "CAS-DEL-002",
        "请填写送达凭证（运单号或签收记录）",
        "Enter the proof of delivery: waybill or record of signature",
    )
    .on("reference")
}

pub(crate) fn rated_already() -> Refusal {
    Refusal::conflict("CAS-RAT-001", "已经评价过了", "This has been rated already")
}

pub(crate) fn grade_out_of_range() -> Refusal {
    Refusal::invalid("CAS-RAT-002", "评价等级为 1 到 5", "A grade is 1 to 5").on("grade")
}

pub(crate) fn text_too_long(field: &'static str, letters_max: usize) -> Refusal {
    Refusal::invalid(
        "CAS-TXT-001",
        format!("文字最长 {letters_max} 字"),
        format!("The text has at most {letters_max} letters"),
    )
    .on(field)
}

pub(crate) fn text_missing(field: &'static str) -> Refusal {
    Refusal::invalid("CAS-TXT-002", "请填写说明", "Write a few words").on(field)
}

pub(crate) fn item_not_online() -> Refusal {
    Refusal::not_now(
        "CAS-SUB-001",
        "本事项目前只有办理指引，不能在线提交",
        "This item is a guide entry and cannot be filed here",
    )
    .but("请按办理指引到窗口咨询", "Ask at a window, as the guide says")
}

pub(crate) fn material_missing(material: &str) -> Refusal {
    Refusal::invalid(
        "CAS-SUB-002",
        format!("还没有取得材料：{material}"),
        format!("Material not yet fetched: {material}"),
    )
    .on(material.to_owned())
    .but(
        "请先同意调取；对方城市暂时无法应答时，草稿会保留",
        "Consent to the fetch first; when the other city does not answer, the draft is kept",
    )
}

pub(crate) fn consent_missing(material: &str) -> Refusal {
    Refusal::invalid("CAS-SUB-003", "调取证照需要本人同意", "Fetching a licence needs the person's consent")
        .on(material.to_owned())
}

pub(crate) fn check_missing(check: &str) -> Refusal {
    Refusal::invalid("CAS-SUB-004", "形式审查还没有完成", "The formal check is not complete")
        .on(check.to_owned())
}

pub(crate) fn competent_unknown() -> Refusal {
    Refusal::not_now("CAS-SUB-005", "还不能确定由哪个城市办理", "It is not yet known which city decides")
        .but("请先调取原证照", "Fetch the old licence first")
}

pub(crate) fn level_too_low(level: u8) -> Refusal {
    Refusal::not_allowed(
        "CAS-SUB-006",
        format!("本事项需要实名等级 {level} 以上"),
        format!("This item needs assurance level {level} or higher"),
    )
    .but("请先完成实名核验，或到窗口办理", "Have your identity verified first, or apply at a window")
}

pub(crate) fn draft_gone() -> Refusal {
    Refusal::gone("CAS-DRA-001", "草稿不存在或已提交", "The draft does not exist or has been submitted")
        .but("请到“我的办件”查看", "Look under 'my cases'")
}

pub(crate) fn not_returned() -> Refusal {
    Refusal::not_now("CAS-DRA-004", "只有被退回的办件可以重新提交", "Only a returned case can be begun again")
}

pub(crate) fn draft_changed() -> Refusal {
    Refusal::conflict("CAS-DRA-002", "草稿在别处改过了", "The draft was changed elsewhere")
        .but("请刷新后继续填写", "Reload and go on")
}

pub(crate) fn drafts_too_many(drafts_max: i64) -> Refusal {
    Refusal::not_now(
        "CAS-DRA-003",
        format!("草稿最多 {drafts_max} 份"),
        format!("At most {drafts_max} drafts"),
    )
    .but("请先提交或删除不用的草稿", "Submit or discard drafts first")
}

pub(crate) fn not_disputable(field: &str) -> Refusal {
    Refusal::invalid(
        "CAS-DSP-001",
        "只能对登记或证照带出的内容提出异议",
        "Only what a register or a licence says can be disputed",
    )
    .on(field.to_owned())
    .but("自己填的内容请直接修改", "Change what you typed yourself")
}

pub(crate) fn act_waiting() -> Refusal {
    Refusal::not_now(
        "CAS-ACT-001",
        "同一操作正在等待办理城市答复",
        "The same act is waiting for the deciding city's answer",
    )
    .but("不用再提交，收到答复后自动更新", "No need to repeat it; the page follows by itself")
}

pub(crate) fn bulk_size(rows_max: usize) -> Refusal {
    Refusal::invalid(
        "CAS-BLK-001",
        format!("一次选 1 到 {rows_max} 件"),
        format!("Choose between 1 and {rows_max} cases at once"),
    )
    .but("回到待办，选好要办的件", "Go back to the queue and choose the cases")
}
