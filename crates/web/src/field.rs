//! What a form asks (表单项): declared once, used for showing it and for reading it.

/// One thing that a form asks for. `Copy`, so that it can be a constant or borrow from a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name in the form, which is also its id on the page.
    pub name: &'a str,
    /// What it is called, in Chinese.
    pub zh: &'a str,
    /// The same in English.
    pub en: &'a str,
    /// How to fill it in, in both languages.
    pub hint: Option<(&'a str, &'a str)>,
    /// How it looks and what it takes.
    pub input: Input<'a>,
    /// What a browser may fill in by itself; empty for nothing.
    pub autocomplete: &'a str,
    /// Whether it may stay empty; shown beside the label.
    pub optional: bool,
    /// Whether it is shown and sent, but cannot be changed.
    pub fixed: bool,
}

/// How a field looks and what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// One line.
    Text,
    /// One line, digits expected (codes, numbers, amounts).
    Digits,
    /// A telephone number.
    Phone,
    /// A secret, never shown again.
    Password,
    /// Several lines.
    Area,
    /// A day, as year, month and day.
    Date,
    /// One of a few, as radio buttons.
    Radio(&'a [Choice<'a>]),
    /// One of many, as a list.
    Select(&'a [Choice<'a>]),
    /// Any number of a few, as boxes.
    Boxes(&'a [Choice<'a>]),
    /// One statement to agree to; the label is the statement.
    Agree,
    /// A file: PDF, PNG or JPG.
    File,
    /// A signature drawn on the screen; arrives as a PNG data address.
    Signature,
}

/// One answer that can be chosen (选项).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    /// What is sent.
    pub value: &'a str,
    /// What is shown, in Chinese.
    pub zh: &'a str,
    /// The same in English.
    pub en: &'a str,
    /// What it means, in both languages.
    pub note: Option<(&'a str, &'a str)>,
    /// Whether it is shown but cannot be chosen.
    pub off: bool,
}

impl<'a> Choice<'a> {
    /// A choice.
    pub const fn new(value: &'a str, zh: &'a str, en: &'a str) -> Choice<'a> {
        Choice { value, zh, en, note: None, off: false }
    }

    /// Says what the choice means.
    #[must_use]
    pub const fn note(self, zh: &'a str, en: &'a str) -> Choice<'a> {
        Choice { note: Some((zh, en)), ..self }
    }

    /// Shown, but cannot be chosen.
    #[must_use]
    pub const fn off(self) -> Choice<'a> {
        Choice { off: true, ..self }
    }
}

impl<'a> Field<'a> {
    /// A field of any kind.
    pub const fn new(name: &'a str, zh: &'a str, en: &'a str, input: Input<'a>) -> Field<'a> {
        Field { name, zh, en, hint: None, input, autocomplete: "", optional: false, fixed: false }
    }

    /// One line of text.
    pub const fn text(name: &'a str, zh: &'a str, en: &'a str) -> Field<'a> {
        Field::new(name, zh, en, Input::Text)
    }

    /// Says how to fill it in.
    #[must_use]
    pub const fn hint(self, zh: &'a str, en: &'a str) -> Field<'a> {
        Field { hint: Some((zh, en)), ..self }
    }

    /// Lets the browser fill in what it knows, such as `tel` or `name`.
    #[must_use]
    pub const fn autocomplete(self, what: &'a str) -> Field<'a> {
        Field { autocomplete: what, ..self }
    }

    /// May stay empty.
    #[must_use]
    pub const fn optional(self) -> Field<'a> {
        Field { optional: true, ..self }
    }

    /// Shown, but not to be changed.
    #[must_use]
    pub const fn fixed(self) -> Field<'a> {
        Field { fixed: true, ..self }
    }

    /// The choices of a radio, list or box field.
    pub const fn choices(&self) -> &'a [Choice<'a>] {
        match self.input {
            Input::Radio(choices) | Input::Select(choices) | Input::Boxes(choices) => choices,
            _ => &[],
        }
    }
}
