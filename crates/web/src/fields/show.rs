//! How a form shows itself (表单呈现): the summary of errors, and each field with label, hint, error and value.

use askama::Template;

use super::{FieldError, Fields};
use crate::field::{Choice, Field, Input};
use crate::html::Html;
use crate::lang::Lang;
use crate::ui;

#[derive(Template)]
#[template(path = "parts/errors.html")]
struct Summary<'a> {
    lang: Lang,
    errors: &'a [FieldError],
}

#[derive(Template)]
#[template(path = "parts/field.html")]
struct Shown<'a> {
    lang: Lang,
    field: &'a Field<'a>,
    fields: &'a Fields,
    label: &'a str,
    hint: Option<&'a str>,
    error: Option<&'a str>,
    value: &'a str,
    described: String,
}

impl Shown<'_> {
    fn kind(&self) -> &'static str {
        match self.field.input {
            Input::Radio(_) | Input::Boxes(_) => "group",
            Input::Select(_) => "select",
            Input::Area => "area",
            Input::Date => "date",
            Input::Agree => "agree",
            Input::File => "file",
            Input::Signature => "signature",
            Input::Text | Input::Digits | Input::Phone | Input::Password => "line",
        }
    }

    fn line_type(&self) -> &'static str {
        match self.field.input {
            Input::Password => "password",
            Input::Phone => "tel",
            _ => "text",
        }
    }

    fn inputmode(&self) -> &'static str {
        match self.field.input {
            Input::Digits => "numeric",
            Input::Phone => "tel",
            _ => "",
        }
    }

    fn width(&self) -> &'static str {
        match self.field.input {
            Input::Phone => " input--phone",
            _ => "",
        }
    }

    fn choice_type(&self) -> &'static str {
        if matches!(self.field.input, Input::Boxes(_)) { "checkbox" } else { "radio" }
    }

    fn chosen(&self, choice: &Choice<'_>) -> bool {
        self.fields.has(self.field.name, choice.value)
    }

    fn part(&self, part: &str) -> String {
        let own = self.fields.value(&format!("{}.{part}", self.field.name));
        if !own.is_empty() {
            return own.to_owned();
        }
        let at = match part {
            "y" => 0,
            "m" => 1,
            _ => 2,
        };
        self.value.split('-').nth(at).unwrap_or("").to_owned()
    }
}

impl Fields {
    /// The summary of errors, on top of the page; nothing when there are none.
    pub fn errors(&self) -> Html {
        if self.errors.is_empty() {
            return Html::default();
        }
        Html::of(&Summary { lang: self.lang, errors: &self.errors })
    }

    /// A field: label, hint, error, value.
    pub fn show(&self, field: &Field<'_>) -> Html {
        let (hint, error) = (field.hint.map(|(zh, en)| self.lang.t(zh, en)), self.error_of(field.name));
        let mut described = Vec::new();
        if hint.is_some() {
            described.push(format!("{}-hint", field.name));
        }
        if error.is_some() {
            described.push(format!("{}-why", field.name));
        }
        Html::of(&Shown {
            lang: self.lang,
            field,
            fields: self,
            label: self.lang.t(field.zh, field.en),
            hint,
            error: error.map(|error| error.message.as_str()),
            value: self.value(field.name),
            described: described.join(" "),
        })
    }

    /// Several fields, one below the other.
    pub fn show_all(&self, fields: &[Field<'_>]) -> Html {
        Html::made(fields.iter().map(|field| self.show(field).to_string()).collect())
    }

    /// The hidden token that every form with `method="post"` holds.
    pub fn csrf(&self) -> Html {
        ui::csrf(&self.csrf)
    }
}
