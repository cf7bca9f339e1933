//! What grants stand on (授权依据): limits and articles of law, as dated data.

use tb_base::{Date, Fault, Result};

const FILE: &str = include_str!("../../data/agency.csv");

/// The longest time of one grant, in days with both ends.
const DAYS_MAX: &str = "days_max";
/// How many grants of an enterprise hold or are to come.
const OPEN_MAX: &str = "open_max";

/// A line of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    from: Date,
    /// Its name.
    pub name: String,
    value: Option<i64>,
    /// The article, or whose rule it is.
    pub basis: String,
    /// Whether the source is certain.
    pub is_confirmed: bool,
}

/// The terms of agency (授权条件).
#[derive(Clone, Debug)]
pub struct Terms {
    rows: Vec<Term>,
}

impl Terms {
    /// Those of the program.
    pub fn shipped() -> Result<Terms> {
        Terms::read(FILE)
    }

    fn read(text: &str) -> Result<Terms> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).skip(1);
        let mut rows = lines.map(row).collect::<Result<Vec<_>>>()?;
        rows.sort_by_key(|row| row.from);
        Ok(Terms { rows })
    }

    /// The longest grant, in days.
    pub fn days_max(&self, day: Date) -> i64 {
        self.value(DAYS_MAX, day)
    }

    /// How many grants of an enterprise may be open.
    pub fn open_max(&self, day: Date) -> i64 {
        self.value(OPEN_MAX, day)
    }

    /// What counts on a day, in the order of the data.
    pub fn on(&self, day: Date) -> Vec<&Term> {
        let mut found: Vec<&Term> = Vec::new();
        for row in self.rows.iter().filter(|row| row.from <= day) {
            match found.iter_mut().find(|known| known.name == row.name) {
                Some(known) => *known = row,
                None => found.push(row),
            }
        }
        found
    }

    fn value(&self, name: &str, day: Date) -> i64 {
        let begun = |row: &&Term| row.name == name && row.from <= day;
        self.rows.iter().rev().find(begun).and_then(|row| row.value).unwrap_or(0)
    }
}

fn row(line: &str) -> Result<Term> {
    let bad = || Fault::new(format!("reading agency.csv: {line} is no line of it"));
    let cells: Vec<&str> = line.split(',').collect();
    let [from, name, value, basis, status] = cells[..] else { return Err(bad().into()) };
    let value = match value {
        "" => None,
        value => Some(value.parse().map_err(|_| bad())?),
    };
    let is_confirmed = match status {
        "confirmed" => true,
        "unconfirmed" => false,
        _ => return Err(bad().into()),
    };
    let from = from.parse().map_err(|_| bad())?;
    Ok(Term { from, name: name.to_owned(), value, basis: basis.to_owned(), is_confirmed })
}

#[cfg(test)]
mod tests {
    use super::{Terms, row};

    #[test]
    fn the_line_of_the_day_counts() {
        let text = "from,name,value,basis,status\n2027-01-01,days_max,365,x,confirmed\n2026-01-01,days_max,1096,x,unconfirmed\n";
        let terms = Terms::read(text).unwrap();
        let on = |day: &str| terms.days_max(day.parse().unwrap());
        assert_eq!([on("2025-12-31"), on("2026-12-31"), on("2027-01-01")], [0, 1096, 365]);
        assert_eq!(terms.on("2027-01-01".parse().unwrap()).len(), 1);
        for bad in [
            "2026-01-01,days_max,1096,x",
            "2026-01-01,days_max,many,x,confirmed",
            "2026-13-01,a,,x,confirmed",
            "2026-01-01,a,,x,maybe",
        ] {
            assert!(row(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_shipped_reads_and_says_what_is_not_certain() {
        let terms = Terms::shipped().unwrap();
        let today = "2026-11-24".parse().unwrap();
        assert!(0 < terms.days_max(today) && 0 < terms.open_max(today));
        assert!(terms.on(today).iter().any(|term| !term.is_confirmed && term.name == "signature"));
    }
}
