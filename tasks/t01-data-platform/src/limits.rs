//! Limits of the data bureau's own work (工作期限), as dated data.

use tb_base::{Date, Fault, Result, Timestamp};

const FILE: &str = include_str!("../data/limits.csv");
/// How long a dead letter may lie.
const DEAD_LETTER: &str = "dead_letter";

/// How long somebody has for something, by the day on which it begins.
#[derive(Clone, Debug)]
pub struct Limits {
    rows: Vec<(Date, String, i64)>,
}

impl Limits {
    /// The limits of the program.
    pub fn shipped() -> Result<Limits> {
        Limits::read(FILE)
    }

    fn read(text: &str) -> Result<Limits> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).skip(1);
        let mut rows = lines.map(row).collect::<Result<Vec<_>>>()?;
        rows.sort_by_key(|(from, ..)| *from);
        Ok(Limits { rows })
    }

    /// Until when a letter that was given up then must be closed.
    pub fn dead_letter_due(&self, died: Timestamp) -> Timestamp {
        died.plus_seconds(self.hours(DEAD_LETTER, died.date()) * 3_600)
    }

    /// Given up before this moment, a letter is overdue now; the limit of today counts for the list.
    pub fn dead_letter_overdue_before(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(-self.hours(DEAD_LETTER, now.date()) * 3_600)
    }

    fn hours(&self, name: &str, day: Date) -> i64 {
        let begun = |(from, known, _): &&(Date, String, i64)| known == name && *from <= day;
        self.rows.iter().rev().find(begun).map_or(0, |(.., hours)| *hours)
    }
}

fn row(line: &str) -> Result<(Date, String, i64)> {
    let bad = || Fault::new(format!("reading limits.csv: {line} is no limit"));
    let mut cells = line.split(',');
    let (from, name, hours) = (cells.next(), cells.next(), cells.next());
    let from = from.and_then(|from| from.parse().ok()).ok_or_else(bad)?;
    let name = name.filter(|name| !name.is_empty()).ok_or_else(bad)?;
    let hours = hours.and_then(|hours| hours.parse().ok()).ok_or_else(bad)?;
    Ok((from, name.to_owned(), hours))
}

#[cfg(test)]
mod tests {
    use super::{Limits, row};
    use tb_base::Timestamp;

    #[test]
    fn the_limit_of_the_day_counts() {
        let text = "# words\nfrom,name,hours,basis,status\n2026-06-01,dead_letter,8,x,y\n2026-01-01,dead_letter,24,x,y\n";
        let limits = Limits::read(text).unwrap();
        let spring = Timestamp::at("2026-03-01".parse().unwrap(), 9);
        let summer = Timestamp::at("2026-06-01".parse().unwrap(), 0);
        assert_eq!(limits.dead_letter_due(spring), spring.plus_seconds(24 * 3_600));
        assert_eq!(limits.dead_letter_due(summer), summer.plus_seconds(8 * 3_600));
        assert_eq!(limits.dead_letter_overdue_before(summer), summer.plus_seconds(-8 * 3_600));
        assert!(row("2026-13-01,dead_letter,8").is_err() && row("2026-01-01,dead_letter").is_err());
    }

    #[test]
    fn what_is_shipped_reads() {
        let day = Timestamp::at("2026-11-24".parse().unwrap(), 9);
        assert!(day < Limits::shipped().unwrap().dead_letter_due(day));
    }
}
