//! A region in which every page has something to show (预置办件): what walkers come to see.

use serde_json::Value;
use tongban::journey::people::{World, list, text};
use tongban::journey::steps::{self, APPROVER, CLERK, DRIVER_HOME, REVIEWER, Visitor};

use super::Seen;

/// Where the walkers begin beside the first page of each.
pub struct Planted {
    /// Addresses of the driver.
    pub driver: Vec<String>,
    /// Addresses of the clerk.
    pub clerk: Vec<String>,
    /// Addresses of the reviewer and of the approver.
    pub office: Vec<String>,
}

/// A case of hers that was granted, another that was refused, one that waits for its correction; her draft before it is
/// handed in; a draft at the window whose consent was asked for; a code of her certificate.
pub async fn plant(world: &mut World) -> Seen<Planted> {
    let granted = file(world).await?;
    accept(world, &granted).await?;
    opine(world, &granted, "approve").await?;
    steps::act(world, APPROVER, &granted, &[("command", "approve")]).await?;
    steps::both_show(world, &granted, &["delivering", "decided"]).await?;
    let refused = file(world).await?;
    accept(world, &refused).await?;
    opine(world, &refused, "refuse").await?;
    let why = [("command", "refuse"), ("ground", "conditions-not-met"), ("facts", "继续教育学时未完成")];
    steps::act(world, APPROVER, &refused, &why).await?;
    steps::both_show(world, &refused, &["closed", "decided", "delivering"]).await?;
    let correcting = file(world).await?;
    let ask = [
        ("command", "ask_correction"),
        ("about1", "phone"),
        ("what1", "手机号打不通，请核对"),
        ("article1", "行政许可法第三十二条"),
    ];
    steps::act(world, REVIEWER, &correcting, &ask).await?;
    steps::both_show(world, &correcting, &["correcting"]).await?;
    let waiting = file(world).await?;
    accept_together(world, &waiting).await?;
    let draft = steps::prepare_online(world).await?;
    let at_window = steps::collect_at_window(world, Visitor::WalkIn).await?;
    let consent = format!("{at_window}/consent");
    world.post(CLERK, &at_window, &format!("{consent}/ask"), &[("how", "signature")]).await?;
    let code = code(world).await?;
    Ok(Planted {
        driver: vec![
            draft.clone(),
            format!("{draft}/consent"),
            format!("{draft}/check"),
            format!("{draft}/discard"),
            format!("/cases/{refused}/decision"),
            format!("/cases/{granted}/receipt"),
            format!("/cases/{correcting}"),
            code,
        ],
        clerk: vec![
            at_window.clone(),
            consent,
            format!("{at_window}/check"),
            format!("/window/cases/{refused}"),
            format!("/window/cases/{refused}/decision"),
            format!("/window/cases/{refused}/receipt"),
        ],
        office: vec![
            format!("/office/cases/{correcting}"),
            format!("/office/cases/{waiting}"),
            format!("/office/cases/{granted}"),
        ],
    })
}

/// She comes to the window and says the code on her telephone; the case is Xiangtan's then.
pub async fn file(world: &mut World) -> Seen<String> {
    let draft = steps::collect_at_window(world, Visitor::Driver).await?;
    steps::agree_by_code(world, &draft).await?;
    let case = steps::submit_at_window(world, &draft).await?;
    steps::both_show(world, &case, &["received"]).await?;
    Ok(case)
}

/// One case as a bulk, whose result the reviewer finds again.
async fn accept_together(world: &mut World, case: &str) -> Seen {
    let page = world.get(REVIEWER, &format!("/office/cases/{case}")).await?;
    let seen = page.pointer("/progress/seq").and_then(Value::as_u64).unwrap_or(0);
    let ask = format!("/office/bulk?case={case}");
    let done = world.post(REVIEWER, &ask, "/office/bulk", &[("case", &format!("{case}.{seen}"))]).await?;
    let result = world.get(REVIEWER, &done).await?;
    if result["done"] == 1 { Ok(()) } else { Err(format!("nothing was accepted: {result}")) }
}

async fn accept(world: &mut World, case: &str) -> Seen {
    steps::act(world, REVIEWER, case, &[("command", "accept")]).await
}

async fn opine(world: &mut World, case: &str, agrees: &str) -> Seen {
    let opinion = [("command", "opine"), ("agrees", agrees), ("text", "继续教育学时已核对")];
    steps::act(world, REVIEWER, case, &opinion).await
}

/// The page with a code of her certificate.
async fn code(world: &mut World) -> Seen<String> {
    let is_there =
        |page: &Value| list(page, "/licences").iter().any(|it| !text(it, "/present_url").is_empty());
    let page = world.until(DRIVER_HOME, "/licences", "her licences", is_there).await?;
    let licence = list(&page, "/licences").iter().find(|it| !text(it, "/present_url").is_empty());
    let present = licence.map(|it| text(it, "/present_url").to_owned()).unwrap_or_default();
    world.post(DRIVER_HOME, "/licences", &present, &[]).await
}
