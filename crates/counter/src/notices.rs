//! What a person is told about what happens at the counter (专窗通知): templates, and words in both languages.

use std::collections::BTreeMap;

use tb_base::{Ctx, Result};
use tb_case::draft::Draft;
use tb_case::text::Text;
use tb_case::{ProgressView, acts};
use tb_identity::messages;
use tb_identity::wording::{Wording, wording};
use tb_store::Tx;

const UNDO: Wording = wording(
    "counter.undo",
    &[(
        "收件窗口正在撤销“{item}”（{code}）的移交，原因：{reason}。撤好后您会看到“已撤回”，需要时可以重新申请。",
        "The counter takes back the hand-over of your case '{item_en}' ({code}): {reason}. It will be shown as withdrawn; you can apply again.",
    )],
);
const HANDED_BACK: Wording = wording(
    "counter.handed_back",
    &[(
        "窗口把“{item}”的草稿（编号 {code}）交还给您，可以接着填，也可以凭编号到窗口接着办。",
        "The counter handed the draft of '{item_en}' ({code}) back to you: go on with it, or come to a counter with its code.",
    )],
);

/// Every kind of notice of this crate.
pub const WORDINGS: &[Wording] = &[UNDO, HANDED_BACK];

/// Tells the applicant that the counter takes the hand-over back, and why.
pub(crate) fn undo(tx: &mut Tx<'_>, ctx: &Ctx, view: &ProgressView, reason: &str) -> Result<()> {
    let Some(person) = acts::person_of(tx, view.case)? else { return Ok(()) };
    let params = [
        ("item", view.item_name.zh.as_str()),
        ("item_en", &view.item_name.en),
        ("code", &view.query_code),
        ("reason", reason),
    ];
    messages::post(tx, ctx, person, &UNDO, &owned(params), Some(view.case)).map(drop)
}

/// Tells the applicant that the draft can be gone on with at home.
pub fn handed_back(tx: &mut Tx<'_>, ctx: &Ctx, draft: &Draft, item: &Text) -> Result<()> {
    let params = [
        ("item", item.zh.as_str()),
        ("item_en", &item.en),
        ("code", &draft.code),
        ("draft", draft.id.as_str()),
    ];
    messages::post(tx, ctx, draft.person, &HANDED_BACK, &owned(params), None).map(drop)
}

fn owned<const N: usize>(params: [(&str, &str); N]) -> BTreeMap<String, String> {
    params.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// Where a notice of this crate leads, apart from a case.
pub fn href(template: &str, params: &BTreeMap<String, String>) -> Option<String> {
    let draft = params.get("draft").filter(|_| template == HANDED_BACK.key)?;
    Some(format!("/drafts/{draft}"))
}
