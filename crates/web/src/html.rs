//! A piece of finished HTML (网页片段), which a template inserts without escaping it again.

use std::fmt;

use askama::FastWritable;
use serde::{Serialize, Serializer};

/// Finished HTML. Made from templates, or by [`Html::escaped`] from text; never from input as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// HTML that a template of this program has made.
    pub fn made(html: String) -> Html {
        Html(html)
    }

    /// A text, with everything escaped that HTML gives a meaning to.
    pub fn escaped(text: &str) -> Html {
        let mut html = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#39;"),
                _ => html.push(letter),
            }
        }
        Html(html)
    }

    /// The HTML as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The template of a part as HTML. It writes into memory and cannot fail.
    pub fn of(part: &impl askama::Template) -> Html {
        Html(part.render().unwrap_or_default())
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FastWritable for Html {
    fn write_into(&self, to: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(to.write_str(&self.0)?)
    }
}

impl askama::filters::HtmlSafe for Html {}

impl Serialize for Html {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}
