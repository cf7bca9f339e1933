//! The contact sheet (照片总览): every photograph of the browser tests on one page, by role, to be looked at one by one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::{root, visits};

const SHEET: &str = "target/screenshots/index.html";
const STYLE: &str = "body{font:14px/1.4 sans-serif;margin:16px;background:#f4f4f2}h2{margin:32px 0 8px}\
    .shots{display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start}figure{margin:0;background:#fff;padding:6px;\
    border:1px solid #ccc}img{display:block;max-height:640px;object-fit:cover;object-position:top}\
    figcaption{max-width:320px;overflow-wrap:anywhere}";

/// Writes the sheet.
pub fn run() -> Result<(), String> {
    let mut roles: BTreeMap<String, Vec<visits::Look>> = BTreeMap::new();
    for look in visits::read()?.1 {
        roles.entry(role(&look.who).to_owned()).or_default().push(look);
    }
    let total: usize = roles.values().map(Vec::len).sum();
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{total} photographs</title>\
         <style>{STYLE}</style></head><body>\n<h1>{total} photographs</h1>\n<ul>\n"
    );
    for (role, looks) in &roles {
        let _ = writeln!(html, "<li><a href=\"#{role}\">{role}</a>, {}</li>", looks.len());
    }
    html.push_str("</ul>\n");
    for (role, looks) in &mut roles {
        looks.sort_by(|one, other| {
            (&one.path, &one.form, &one.width).cmp(&(&other.path, &other.form, &other.width))
        });
        let _ = writeln!(html, "<h2 id=\"{role}\">{role}</h2>\n<div class=\"shots\">");
        for look in looks {
            let width = if look.width == "390" { 200 } else { 320 };
            let path = look.path.replace('&', "&amp;").replace('"', "");
            let _ = writeln!(
                html,
                "<figure><a href=\"{0}.png\"><img src=\"{0}.png\" width=\"{width}\" loading=\"lazy\" alt=\"\"></a>\
                 <figcaption>{0}<br>{path} · {1} · {2}</figcaption></figure>",
                look.shot, look.width, look.form
            );
        }
        html.push_str("</div>\n");
    }
    html.push_str("</body></html>\n");
    std::fs::write(root().join(SHEET), html).map_err(|error| format!("{SHEET}: {error}"))?;
    println!("sheet: {total} photographs in {SHEET}");
    Ok(())
}

/// `window2@430100` is a `window`.
fn role(login: &str) -> &str {
    let name = login.split('@').next().unwrap_or_default().trim_end_matches(|it: char| it.is_ascii_digit());
    match name {
        "" => "public",
        "driver" => "resident",
        name => name,
    }
}
