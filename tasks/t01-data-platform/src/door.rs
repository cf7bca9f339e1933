//! What the pages of sign-in, registration and passwords share (登录相关): fields and how refusals are shown.

use tb_base::{Error, Refusal, Role};
use tb_web::{Field, Fields, Input, PageError};

/// Letters of a password that a page takes; the door itself refuses fewer than eight.
pub const NEW_PASSWORD: Field<'static> = Field::new("password", "新密码", "New password", Input::Password)
    .hint("至少 8 个字符，不要用常见的密码", "At least 8 letters, and not a common one")
    .autocomplete("new-password");

/// The code of a text message.
pub const CODE: Field<'static> =
    Field::new("code", "短信验证码", "Code from the text message", Input::Digits)
        .hint("6 位数字，10 分钟内有效", "Six digits, good for 10 minutes")
        .autocomplete("one-time-code");

/// The outcome of the door: every refusal becomes an error of the form, so that nothing typed is lost.
pub fn taken<T>(fields: &mut Fields, outcome: tb_base::Result<T>) -> Result<Option<T>, PageError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(Error::Refused(refusal)) => {
            fields.refuse(&refusal);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// A code is six digits; anything else need not be sent.
pub fn six_digits(code: &str) -> Result<(), Refusal> {
    if code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()) {
        return Ok(());
    }
    Err(Refusal::invalid("T01-COD-001", "验证码是 6 位数字", "The code has six digits"))
}

/// Where somebody begins the day after signing in.
pub fn home(role: Role) -> &'static str {
    match role {
        Role::Resident => "/",
        Role::Supervisor => "/supervise",
        Role::Administrator => "/accounts",
        Role::Window => "/window",
        Role::Reviewer | Role::Approver => "/office",
        Role::Inspector => "/verify",
        Role::Bureau => "/bureau",
        Role::Auditor => "/audit",
    }
}

/// A phone as a page shows it: 138****5678.
pub fn masked_phone(phone: &str) -> String {
    let letters: Vec<char> = phone.chars().collect();
    match letters.len() {
        0..=7 => "*".repeat(letters.len()),
        count => {
            let hidden = "*".repeat(count - 7);
            format!(
                "{}{hidden}{}",
                letters[..3].iter().collect::<String>(),
                letters[count - 4..].iter().collect::<String>()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(phone: &str, expected: &str) {
        assert_eq!(masked_phone(phone), expected);
    }

    #[test]
    fn phones_are_masked() {
        check("13873100001", "138****0001");
        check("1234567", "*******");
        check("", "");
    }

    #[test]
    fn codes_have_six_digits() {
        assert!(six_digits("012345").is_ok());
        for bad in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert!(six_digits(bad).is_err(), "{bad}");
        }
    }
}
