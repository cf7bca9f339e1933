//! Money in cents (人民币分): whole numbers, so that no sum depends on the order of adding.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::code::{part, reasons};

reasons! {
    /// Why a text is no amount, or a sum is none (金额).
    pub enum BadCents {
        /// Not digits with at most two decimals.
        Form => "BAS-CNT-001", ("金额应为数字，最多两位小数"), ("An amount is digits with at most two decimals");
        /// Beyond [`Cents::MAX`] on either side.
        TooLarge => "BAS-CNT-002", ("金额超出可处理的范围"), ("The amount is beyond what can be handled");
        /// A share with a zero or negative whole.
        Share => "BAS-CNT-003", ("分摊的份数应大于零"), ("The number of shares must be above zero");
    }
}

/// An amount of money in cents (分).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Cents = Cents(0);
    /// A hundred billion yuan: more than any payment of three cities.
    pub const MAX: Cents = Cents(10_000_000_000_000);

    /// The sum, unless it is too large.
    pub fn plus(self, other: Cents) -> Result<Cents, BadCents> {
        self.0.checked_add(other.0).map_or(Err(BadCents::TooLarge), Cents::bounded)
    }

    /// The difference, unless it is too large.
    pub fn minus(self, other: Cents) -> Result<Cents, BadCents> {
        self.0.checked_sub(other.0).map_or(Err(BadCents::TooLarge), Cents::bounded)
    }

    /// So many times the amount.
    pub fn times(self, count: i64) -> Result<Cents, BadCents> {
        self.0.checked_mul(count).map_or(Err(BadCents::TooLarge), Cents::bounded)
    }

    /// The part `numerator / denominator`, halves rounded away from zero (四舍五入).
    pub fn portion(self, numerator: i64, denominator: i64) -> Result<Cents, BadCents> {
        if denominator <= 0 {
            return Err(BadCents::Share);
        }
        let (whole, product) = (i128::from(denominator), i128::from(self.0) * i128::from(numerator));
        let rounded = (product.abs() * 2 + whole) / (whole * 2) * product.signum();
        i64::try_from(rounded).map_or(Err(BadCents::TooLarge), Cents::bounded)
    }

    /// Equal shares that add up to the whole; the first ones get the odd cents.
    pub fn split(self, shares: u32) -> Result<Vec<Cents>, BadCents> {
        if shares == 0 {
            return Err(BadCents::Share);
        }
        let each = self.0.div_euclid(i64::from(shares));
        let odd = self.0.rem_euclid(i64::from(shares));
        Ok((0..i64::from(shares)).map(|place| Cents(each + i64::from(place < odd))).collect())
    }

    fn bounded(cents: i64) -> Result<Cents, BadCents> {
        if cents.unsigned_abs() <= Cents::MAX.0.unsigned_abs() {
            Ok(Cents(cents))
        } else {
            Err(BadCents::TooLarge)
        }
    }
}

/// Yuan with two decimals: `1234.50`.
impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl FromStr for Cents {
    type Err = BadCents;

    /// Yuan with at most two decimals, no thousands separators, no plus sign.
    fn from_str(text: &str) -> Result<Cents, BadCents> {
        let (digits, sign) = text.strip_prefix('-').map_or((text, 1), |digits| (digits, -1));
        let (yuan, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit());
        if !is_digits(yuan) || !is_digits(decimals) || 2 < decimals.len() {
            return Err(BadCents::Form);
        }
        let cents: i64 = part(&format!("{decimals}0"), 0, 2).parse().map_err(|_| BadCents::Form)?;
        let yuan: i64 = yuan.parse().map_err(|_| BadCents::TooLarge)?;
        let total = yuan.checked_mul(100).and_then(|it| it.checked_add(cents)).ok_or(BadCents::TooLarge)?;
        Cents::bounded(total * sign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_and_show() {
        let check = |text: &str, expected: Result<i64, BadCents>| {
            assert_eq!(text.parse::<Cents>(), expected.map(Cents), "{text}");
        };
        check("0", Ok(0));
        check("12.3", Ok(1_230));
        check("12.34", Ok(1_234));
        check("-0.05", Ok(-5));
        check("100000000000", Ok(Cents::MAX.0));
        check("100000000000.01", Err(BadCents::TooLarge));
        check("99999999999999999999", Err(BadCents::TooLarge));
        for text in ["", ".", "1.", ".5", "1.234", "+1", "1,000", "1e3", "--1", "１"] {
            check(text, Err(BadCents::Form));
        }
        assert_eq!(Cents(-5).to_string(), "-0.05");
        assert_eq!(Cents(123_456).to_string(), "1234.56");
    }

    #[test]
    fn portions_round_half_away_from_zero() {
        assert_eq!(Cents(5).portion(1, 2), Ok(Cents(3)));
        assert_eq!(Cents(-5).portion(1, 2), Ok(Cents(-3)));
        assert_eq!(Cents(100).portion(1, 3), Ok(Cents(33)));
        assert_eq!(Cents(100).portion(1, 0), Err(BadCents::Share));
    }

    #[test]
    fn sums_are_bounded() {
        assert_eq!(Cents::MAX.plus(Cents(1)), Err(BadCents::TooLarge));
        assert_eq!(Cents(i64::MIN).minus(Cents(1)), Err(BadCents::TooLarge));
        assert_eq!(Cents(2).times(i64::MAX), Err(BadCents::TooLarge));
        assert_eq!(Cents(2).plus(Cents(3)), Ok(Cents(5)));
    }

    proptest::proptest! {
        #[test]
        fn text_round_trips(cents in -Cents::MAX.0..=Cents::MAX.0) {
            proptest::prop_assert_eq!(Cents(cents).to_string().parse(), Ok(Cents(cents)));
        }

        #[test]
        fn shares_add_up(cents in -1_000_000_i64..1_000_000, shares in 1_u32..50) {
            let parts = Cents(cents).split(shares).expect("shares above zero");
            proptest::prop_assert_eq!(parts.iter().map(|part| part.0).sum::<i64>(), cents);
            let spread = parts.iter().max().map(|it| it.0).zip(parts.iter().min().map(|it| it.0));
            proptest::prop_assert!(spread.is_some_and(|(most, least)| most - least <= 1));
        }
    }
}
