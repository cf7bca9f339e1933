//! Static files (静态文件): embedded, named by their content, kept by browsers for a year.
//!
//! The style sheet ends with the colours of the region's cities, so that a fourth city needs no code.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use crate::app::CityFront;

const TOKENS: &str = include_str!("../assets/tokens.css");
const COMPONENTS: &str = include_str!("../assets/components.css");
const SCRIPT: &str = include_str!("../assets/tongban.js");
const FAVICON: &str = include_str!("../assets/favicon.svg");
/// Address prefix of every static file.
pub(crate) const PREFIX: &str = "/static/";
/// How much of a city's colour is in its wash; the rest is white.
const WASH_PERCENT: u32 = 14;

/// One embedded file.
struct Asset {
    name: String,
    kind: &'static str,
    body: Vec<u8>,
}

/// All embedded files of one site.
pub(crate) struct Assets {
    style: Asset,
    script: Asset,
    icon: Asset,
}

impl Assets {
    /// The files of a site whose region has these cities.
    pub(crate) fn new(cities: &[CityFront]) -> Assets {
        let style = format!("{TOKENS}\n{COMPONENTS}\n{}", city_colours(cities));
        Assets {
            style: asset("tongban", "css", "text/css; charset=utf-8", style),
            script: asset("tongban", "js", "text/javascript; charset=utf-8", SCRIPT.to_owned()),
            icon: asset("favicon", "svg", "image/svg+xml", FAVICON.to_owned()),
        }
    }

    /// Address of the style sheet.
    pub(crate) fn style(&self) -> String {
        format!("{PREFIX}{}", self.style.name)
    }

    /// Address of the script.
    pub(crate) fn script(&self) -> String {
        format!("{PREFIX}{}", self.script.name)
    }

    /// Address of the icon.
    pub(crate) fn icon(&self) -> String {
        format!("{PREFIX}{}", self.icon.name)
    }

    /// Bytes of style sheet and script together, which every page weighs.
    #[cfg(test)]
    pub(crate) fn weight_bytes(&self) -> usize {
        self.style.body.len() + self.script.body.len() + self.icon.body.len()
    }

    /// The answer to a request for a file; 404 for a name that this build does not have.
    pub(crate) fn answer(&self, name: &str) -> Response<Body> {
        let all = [&self.style, &self.script, &self.icon];
        let Some(found) = all.into_iter().find(|asset| asset.name == name) else {
            let mut missing = Response::new(Body::empty());
            *missing.status_mut() = StatusCode::NOT_FOUND;
            return missing;
        };
        let mut answer = Response::new(Body::from(found.body.clone()));
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(found.kind));
        headers
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
        answer
    }

    /// The icon under its old fixed address.
    pub(crate) fn favicon(&self) -> Response<Body> {
        self.answer(&self.icon.name)
    }
}

fn asset(stem: &str, extension: &str, kind: &'static str, text: String) -> Asset {
    let hash = tb_crypto::sha256(text.as_bytes());
    let short: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Asset { name: format!("{stem}-{short}.{extension}"), kind, body: text.into_bytes() }
}

/// One rule a city: its colour and the wash of it. A colour that is not `#rrggbb` is left out.
fn city_colours(cities: &[CityFront]) -> String {
    let rule = |city: &CityFront| {
        let wash = wash(&city.colour)?;
        let CityFront { node, colour, .. } = city;
        Some(format!("[data-city=\"{node}\"] {{ --city: {colour}; --city-wash: {wash}; }}\n"))
    };
    cities.iter().filter_map(rule).collect()
}

/// The colour mixed with white. `color-mix()` is younger than the oldest browser that we serve.
fn wash(colour: &str) -> Option<String> {
    let digits = colour.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    let mix = |part: u32| (part * WASH_PERCENT + 255 * (100 - WASH_PERCENT)) / 100;
    Some(format!("#{:02x}{:02x}{:02x}", mix(value >> 16), mix(value >> 8 & 0xff), mix(value & 0xff)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wash_is_light_and_strict() {
        assert_eq!(wash("#7a3b5e"), Some("#ece3e8".to_owned()));
        assert_eq!(wash("#000000"), Some("#dbdbdb".to_owned()));
        assert_eq!(wash("red"), None);
        assert_eq!(wash("#zz0000"), None);
    }

    #[test]
    fn script_and_styles_stay_small() {
        assert!(SCRIPT.len() <= 15_000, "the script has {} bytes", SCRIPT.len());
        let style = TOKENS.len() + COMPONENTS.len();
        assert!(style <= 48_000, "the style sheets have {style} bytes");
    }

    #[test]
    fn style_needs_no_young_engine() {
        let style = format!("{TOKENS}{COMPONENTS}");
        for young in [":has(", "@container", "@layer", "color-mix(", "inset-inline:", " @scope"] {
            let used = style.lines().any(|line| line.contains(young) && !line.contains("Engine floor"));
            assert!(!used, "{young} is younger than Chromium 90");
        }
    }
}
