//! The telephone of somebody of the cast (演示手机): the text messages that a gateway would send.

use askama::Template;
use serde::Serialize;
use tb_identity::seed::driver;
use tb_identity::sms;
use tb_web::{Frame, Lang, PageResult, Visit};

use super::DemoDoor;

#[derive(Serialize)]
struct Text {
    at: String,
    purpose: String,
    text: String,
}

#[derive(Template, Serialize)]
#[template(path = "demo_phone.html")]
struct Phone {
    frame: Frame,
    lang: Lang,
    phone: String,
    texts: Vec<Text>,
}

/// The text messages that the driver's phone received from this city, newest first.
pub async fn show(visit: Visit, door: DemoDoor) -> PageResult {
    let phone = match visit.param("phone") {
        Some(phone) => phone,
        None => driver()?.phone.unwrap_or_default(),
    };
    let (vault, asked) = (door.vault, phone.clone());
    let texts = visit.app.store.read("demo.phone", move |tx| sms::of_phone(tx, &vault, &asked)).await?;
    let lang = visit.lang;
    let texts = texts
        .into_iter()
        .map(|it| Text {
            at: lang.moment(it.at),
            purpose: purpose(lang, &it.purpose).to_owned(),
            text: it.text,
        })
        .collect();
    visit.page(Phone {
        frame: visit.frame("手机短信（演示）", "Text messages (demo)").crumb("演示首页", "Demo", "/demo"),
        lang,
        phone,
        texts,
    })
}

/// What a text message is for, in words.
fn purpose(lang: Lang, purpose: &str) -> &str {
    match purpose {
        "consent" => lang.t("证照调取授权", "Consent to fetch licences"),
        "register" => lang.t("注册", "Registering"),
        "reset" => lang.t("重设密码", "Resetting the password"),
        other => other,
    }
}
