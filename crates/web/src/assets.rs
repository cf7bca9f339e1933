//! Static files (静态文件): embedded, named by their content, kept by browsers for a year.
//!
//! The style sheet ends with the colours of the region's cities, so that a fourth city needs no code.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::app::CityFront;
use crate::deflate::gzip;

/// The style sheets in the order in which a browser reads them: what comes later wins.
///
/// Each part of a page stands once, in the sheet of its kind, and its states are shown on `/styleguide`.
const SHEETS: [&str; 14] = [
    include_str!("../assets/css/tokens.css"),
    include_str!("../assets/css/base.css"),
    include_str!("../assets/css/frame.css"),
    include_str!("../assets/css/text.css"),
    include_str!("../assets/css/actions.css"),
    include_str!("../assets/css/forms.css"),
    include_str!("../assets/css/notices.css"),
    include_str!("../assets/css/records.css"),
    include_str!("../assets/css/clocks.css"),
    include_str!("../assets/css/tables.css"),
    include_str!("../assets/css/figures.css"),
    include_str!("../assets/css/work.css"),
    include_str!("../assets/css/elder.css"),
    include_str!("../assets/css/preferences.css"),
];
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
    /// The same, compressed.
    small: Vec<u8>,
}

/// Whether whoever asks can read gzip (压缩).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// As every browser.
    Gzip,
    /// Only what is as it is.
    Plain,
}

impl Reads {
    /// What a request says that it reads (RFC 9110 §12.5.3); a weight of zero is a no.
    pub(crate) fn of(headers: &HeaderMap) -> Reads {
        let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        let takes = |offer: &str| {
            let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
            let weight = weight.trim().trim_start_matches("q=");
            name.trim() == "gzip" && weight.parse::<f32>() != Ok(0.0)
        };
        match lines.flat_map(|line| line.split(',')).any(takes) {
            true => Reads::Gzip,
            false => Reads::Plain,
        }
    }
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
        let style = format!("{}{}", small(&SHEETS.concat()), city_colours(cities));
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
    pub(crate) fn answer(&self, name: &str, reads: Reads) -> Response<Body> {
        let all = [&self.style, &self.script, &self.icon];
        let Some(found) = all.into_iter().find(|asset| asset.name == name) else {
            let mut missing = Response::new(Body::empty());
            *missing.status_mut() = StatusCode::NOT_FOUND;
            return missing;
        };
        let body = match reads {
            Reads::Gzip => found.small.clone(),
            Reads::Plain => found.body.clone(),
        };
        let mut answer = Response::new(Body::from(body));
        let headers = answer.headers_mut();
        if reads == Reads::Gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(found.kind));
        headers
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
        answer
    }

    /// The icon under its old fixed address.
    pub(crate) fn favicon(&self, reads: Reads) -> Response<Body> {
        self.answer(&self.icon.name, reads)
    }
}

fn asset(stem: &str, extension: &str, kind: &'static str, text: String) -> Asset {
    let hash = tb_crypto::sha256(text.as_bytes());
    let short: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let body = text.into_bytes();
    Asset { name: format!("{stem}-{short}.{extension}"), kind, small: gzip(&body), body }
}

/// A style sheet without its comments and blank beginnings of lines.
fn small(sheet: &str) -> String {
    let mut bare = String::with_capacity(sheet.len());
    let mut rest = sheet;
    while let Some((before, comment)) = rest.split_once("/*") {
        bare.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    bare.push_str(rest);
    bare.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n") + "\n"
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
    fn comments_and_indents_are_not_sent() {
        let sheet = "/* one\n two */\n\na { b: c; }\n  @media x {\n    d { e: f; } /* g */\n  }\n";
        assert_eq!(small(sheet), "a { b: c; }\n@media x {\nd { e: f; }\n}\n");
        assert_eq!(small("a /* never closed"), "a\n");
    }

    #[test]
    fn script_and_styles_stay_small() {
        assert!(SCRIPT.len() <= 15_000, "the script has {} bytes", SCRIPT.len());
        let style = small(&SHEETS.concat()).len();
        assert!(style <= 48_000, "the style sheets have {style} bytes");
    }

    #[test]
    fn what_is_not_wanted_compressed_is_sent_as_it_is() {
        for (line, reads) in [
            ("gzip, deflate, br", Reads::Gzip),
            ("br;q=1.0, gzip;q=0.8", Reads::Gzip),
            ("gzip;q=0, br", Reads::Plain),
            ("br", Reads::Plain),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
            assert_eq!(Reads::of(&headers), reads, "{line}");
        }
        assert_eq!(Reads::of(&HeaderMap::new()), Reads::Plain);
        let assets = Assets::new(&[]);
        let sizes = (assets.style.small.len(), assets.style.body.len());
        assert!(sizes.0 * 3 < sizes.1, "the style sheet has {} bytes of {}", sizes.0, sizes.1);
    }
}
