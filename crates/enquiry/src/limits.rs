//! Limits of enquiries (答复期限), as dated data: the days of an answer, of silence, and of keeping.

use tb_base::{
    Calendar, Date, DatedTerm, DatedTerms, Deadline, DeadlineInput, Due, Fault, Limit, LimitUnit, Result,
    Timestamp,
};

use crate::enquiry::Kind;

const FILE: &str = include_str!("../data/limits.csv");
/// After so long without another question an answered enquiry is over.
const SILENCE: &str = "silence";
/// So long an enquiry is kept after it is over.
const KEEP: &str = "keep";

/// How long somebody has for something, by the day on which it begins.
#[derive(Clone, Debug)]
pub struct Limits {
    terms: DatedTerms,
}

/// A limit with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Based {
    /// The limit.
    pub limit: Limit,
    /// Its basis, in Chinese.
    pub basis: String,
    /// Whether the basis was confirmed.
    pub is_confirmed: bool,
}

impl Limits {
    /// The limits of the program.
    pub fn shipped() -> Result<Limits> {
        Limits::read(FILE)
    }

    fn read(text: &str) -> Result<Limits> {
        let names = [name(Kind::Stuck), name(Kind::Look), SILENCE, KEEP];
        let limits = Limits { terms: DatedTerms::read("limits of enquiries", text, &names)? };
        match limits.terms.all().iter().find(|it| limit(it).is_none()) {
            None => Ok(limits),
            Some(it) => {
                Err(Fault::new(format!("reading limits of enquiries: {} is no limit", it.name)).into())
            }
        }
    }

    /// How long an office has to answer, where its clock began on that day.
    pub fn answer(&self, kind: Kind, day: Date) -> Based {
        self.of(name(kind), day)
    }

    /// Until when an office has to answer, with every day explained.
    pub fn due(&self, calendar: &Calendar, kind: Kind, since: Timestamp) -> Due {
        let limit = self.answer(kind, since.date()).limit;
        Deadline::compute(calendar, &DeadlineInput::new(since, limit))
    }

    /// When silence after an answer ends the enquiry.
    pub fn silent_until(&self, calendar: &Calendar, answered: Timestamp) -> Timestamp {
        let limit = self.of(SILENCE, answered.date()).limit;
        Deadline::compute(calendar, &DeadlineInput::new(answered, limit)).at
    }

    /// What was over before this moment is no longer kept.
    pub fn kept_since(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(-86_400 * i64::from(self.of(KEEP, now.date()).limit.n))
    }

    fn of(&self, name: &str, day: Date) -> Based {
        let nothing = Based { limit: Limit::days(0), basis: String::new(), is_confirmed: false };
        self.terms.of(name, day).map_or(nothing, |it| Based {
            limit: limit(it).unwrap_or(Limit::days(0)),
            basis: it.basis.clone(),
            is_confirmed: it.is_confirmed,
        })
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Stuck => "stuck",
        Kind::Look => "look",
    }
}

fn limit(term: &DatedTerm) -> Option<Limit> {
    let unit = match term.unit.as_str() {
        "working_days" => LimitUnit::WorkingDays,
        "days" => LimitUnit::Days,
        _ => return None,
    };
    Limit::new(term.value?, unit).ok()
}

#[cfg(test)]
mod tests {
    use super::{FILE, Limits};
    use crate::enquiry::Kind;
    use tb_base::{Calendar, Timestamp};

    fn at(day: &str, hour: i64) -> Timestamp {
        Timestamp::at(day.parse().unwrap(), hour)
    }

    #[track_caller]
    fn check(kind: Kind, asked: &str, expected: &str) {
        let due = Limits::shipped().unwrap().due(Calendar::national(), kind, at(asked, 10));
        assert_eq!(due.date.to_string(), expected, "{kind:?} asked on {asked}");
    }

    #[test]
    fn working_days_count() {
        check(Kind::Stuck, "2026-09-07", "2026-09-08");
        check(Kind::Look, "2026-09-07", "2026-09-14");
        // Over the holidays of October: the 1st to the 7th do not count.
        check(Kind::Stuck, "2026-09-30", "2026-10-08");
    }

    #[test]
    fn the_limit_of_the_day_counts_and_every_line_names_its_basis() {
        let limits = Limits::shipped().unwrap();
        assert!(!limits.answer(Kind::Stuck, "2026-09-07".parse().unwrap()).is_confirmed);
        assert!(
            Limits::read("from\n2026-01-01,stuck,1,working_days,x,confirmed\n").is_err(),
            "the rest is missing"
        );
        for bad in [FILE.replace(",working_days,", ",weeks,"), FILE.replace(",15,days,", ",,days,")] {
            assert!(Limits::read(&bad).is_err(), "{bad}");
        }
    }
}
