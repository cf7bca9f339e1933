//! The supervisor at her desk, before a projector and with a telephone: from the title to one case, and who sees that.

use super::Seen;
use super::stage::Stage;
use super::tab::View;

const SUPERVISOR: &str = "supervisor1@430300";

/// She goes from a tile to the list, from the list to the case and to the figures of its item; the case was opened on
/// record.
pub async fn watch(stage: &Stage, case: &str) -> Seen {
    for view in [View::Desk, View::Phone] {
        let name = format!("supervisor-{}", view.width());
        let desk = stage.tab(&name, view, "430300").await?;
        desk.sign_in(SUPERVISOR).await?;
        desk.is_at("/supervise").await?;
        desk.says("h1", "没有晚的").await?;
        desk.look("overview").await?;
        desk.press(".tiles a[href='/supervise/cases']").await?;
        desk.says("h1", "在办").await?;
        desk.look("cases").await?;
        desk.press(&format!("main a[href='/supervise/cases/{case}']")).await?;
        desk.says("main", "本人能看到").await?;
        desk.look("case").await?;
        desk.go("/supervise/items/121").await?;
        desk.look("item").await?;
    }
    Ok(())
}
