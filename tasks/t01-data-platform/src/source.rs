//! Where a request comes from (来源): the network address, for the limits on guessing, and the kind of device, so that
//! its holder knows her sign-ins apart.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use tb_identity::accounts::limits;
use tb_web::{Caller, Lang};

/// What stands for an address that the server did not hand on, as in tests.
pub const SOURCE_UNKNOWN: &str = "unknown";

/// The network address of the caller, without the port.
///
/// The site's outermost layer found it: of the socket, or what a proxy that the city trusts says.
/// Of an IPv6 address it is the network, because single addresses in it cost nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(pub limits::Source);

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Source, Infallible> {
        let caller = parts.extensions.get::<Caller>();
        let network = caller.and_then(|caller| caller.network());
        let address = network.map_or_else(|| SOURCE_UNKNOWN.to_owned(), |network| network.to_string());
        let is_shared = caller.is_some_and(|caller| caller.is_shared());
        let from = if is_shared { limits::Source::shared(address) } else { limits::Source::own(address) };
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Ok(Source(from.device(device_of(agent.unwrap_or_default()))))
    }
}

/// Kinds of devices: the code, what a browser says of itself when it runs on one, and the words.
const DEVICES: [(&str, &[&str], &str, &str); 3] = [
    ("tablet", &["iPad", "Tablet"], "平板", "tablet"),
    ("phone", &["iPhone", "Android", "HarmonyOS", "Mobile"], "手机", "phone"),
    ("computer", &["Windows", "Macintosh", "Linux", "X11", "CrOS"], "电脑", "computer"),
];

/// Browsers, those that call themselves by several names first.
const BROWSERS: [(&str, &[&str], &str, &str); 5] = [
    ("wechat", &["MicroMessenger"], "微信", "WeChat"),
    ("edge", &["Edg/", "EdgA/"], "Edge", "Edge"),
    ("firefox", &["Firefox/"], "Firefox", "Firefox"),
    ("chrome", &["Chrome/", "Chromium/", "CriOS/"], "Chrome", "Chrome"),
    ("safari", &["Safari/"], "Safari", "Safari"),
];

/// Kind and browser by what a browser says of itself, such as `phone/chrome`; nothing else of it is kept.
fn device_of(agent: &str) -> String {
    let find = |known: &[(&'static str, &[&str], &str, &str)]| {
        known
            .iter()
            .find(|(_, marks, ..)| marks.iter().any(|mark| agent.contains(mark)))
            .map(|(code, ..)| *code)
    };
    format!("{}/{}", find(&DEVICES).unwrap_or(""), find(&BROWSERS).unwrap_or(""))
}

/// A code of [`device_of`] in words.
pub fn device_words(lang: Lang, code: &str) -> String {
    let (kind, browser) = code.split_once('/').unwrap_or((code, ""));
    let word = |known: &[(&str, &[&str], &'static str, &'static str)], code: &str| {
        known.iter().find(|(known, ..)| *known == code).map(|(_, _, zh, en)| lang.t(*zh, *en))
    };
    let kind = word(&DEVICES, kind).unwrap_or(lang.t("设备不明", "unknown device"));
    match word(&BROWSERS, browser) {
        Some(browser) => format!("{kind} · {browser}"),
        None => kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{device_of, device_words};
    use tb_web::Lang;

    #[track_caller]
    fn check(agent: &str, code: &str, zh: &str) {
        assert_eq!((device_of(agent).as_str(), device_words(Lang::Zh, code).as_str()), (code, zh), "{agent}");
    }

    #[test]
    fn what_a_browser_says_becomes_words() {
        check("", "/", "设备不明");
        check("curl/8.0", "/", "设备不明");
        check(
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
            "phone/chrome",
            "手机 · Chrome",
        );
        check(
            "Mozilla/5.0 (iPad; CPU OS 17_0) AppleWebKit/605.1 Version/17.0 Safari/604.1",
            "tablet/safari",
            "平板 · Safari",
        );
        check(
            "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537.36 Edg/120.0",
            "computer/edge",
            "电脑 · Edge",
        );
        check("Mozilla/5.0 (iPhone) MicroMessenger/8.0 Safari/604", "phone/wechat", "手机 · 微信");
        check(
            "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Firefox/120.0",
            "computer/firefox",
            "电脑 · Firefox",
        );
    }
}
