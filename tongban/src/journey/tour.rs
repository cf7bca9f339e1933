//! The whole journey in order (全程): each step is taken, timed, and seen in both cities.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::journey::patience;
use crate::journey::people::{World, list, text};
use crate::journey::proof;
use crate::journey::region::{CITIES, Region, Setup};
use crate::journey::report::{Report, StepLine, Stopwatch};
use crate::journey::steps::{self, APPROVER, CLERK, DRIVER_HOME, DRIVER_THERE, INSPECTOR, REVIEWER, Visitor};

/// Nine in the morning, China's time, is one o'clock UTC.
const MORNING_SECONDS: i64 = 3_600;
const DAY_SECONDS: i64 = 86_400;
/// So often a certificate is shown in a drill.
const SHOWN_MAX: usize = 60;

/// What the journey is to be.
pub struct Tour {
    /// The binary that runs the nodes and verifies the bundle.
    pub binary: PathBuf,
    /// Where the evidence goes.
    pub out: PathBuf,
    /// The day on which it begins.
    pub at: String,
    /// PostgreSQL instead of SQLite.
    pub database: Option<String>,
    /// Print no steps.
    pub quiet: bool,
    /// Kill each city at every write that it reaches.
    pub drill: bool,
    /// Where the cities' data goes and stays, schemas in a database too; a folder that is removed where none is named.
    pub data: Option<PathBuf>,
}

/// A journey under way.
struct Traveller {
    tour: Tour,
    world: World,
    watch: Stopwatch,
    report: Report,
}

/// Takes the journey; the report tells how far it came.
pub async fn travel(tour: Tour) -> (Report, Result<(), String>) {
    let temporary = std::env::temp_dir().join(format!("tongban-journey-{}", std::process::id()));
    let folder = tour.data.clone().unwrap_or_else(|| temporary.clone());
    let outcome = start(&tour, folder.clone()).await;
    let (report, outcome) = match outcome {
        Ok(world) => {
            let mut traveller =
                Traveller { tour, world, watch: Stopwatch::begin(), report: Report::default() };
            let outcome = traveller.travel().await;
            let outcome = traveller.come_to_rest(outcome).await;
            traveller.report.millis = traveller.watch.total();
            traveller.report.ok = outcome.is_ok();
            (traveller.report, outcome)
        }
        Err(error) => (Report::default(), Err(error)),
    };
    if outcome.is_ok() {
        let _ = std::fs::remove_dir_all(temporary);
    }
    (report, outcome)
}

async fn start(tour: &Tour, folder: PathBuf) -> Result<World, String> {
    // What cannot be written is said now, not after the whole journey.
    std::fs::write(&tour.out, b"").map_err(|error| format!("{}: {error}", tour.out.display()))?;
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let setup = Setup {
        binary: tour.binary.clone(),
        folder,
        shift: shift_to(&tour.at)?,
        database: tour.database.clone(),
        drill: tour.drill,
    };
    let mut region = Region::start(setup).await?;
    if tour.data.is_some() {
        region.leave_data();
    }
    Ok(World::new(region))
}

/// How many seconds lie between now and nine in the morning of a day.
#[expect(clippy::disallowed_methods, reason = "the shift of the nodes' clocks is reckoned from real time")]
pub fn shift_to(day: &str) -> Result<i64, String> {
    let day = days_since_1970(day).ok_or_else(|| format!("{day} is no day such as 2026-03-10"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    let now = i64::try_from(now.as_secs()).map_err(|error| error.to_string())?;
    Ok(day * DAY_SECONDS + MORNING_SECONDS - now)
}

/// Days of the civil calendar, by Hinnant's algorithm; the journey uses no block of the product.
fn days_since_1970(day: &str) -> Option<i64> {
    let mut parts = day.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let last = *days.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    if parts.next().is_some() || !(1..=last).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if 2 < month { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

impl Traveller {
    /// Ends the drill, if there was one; where the data stays, the cities run on until nothing waits any more.
    async fn come_to_rest(&mut self, outcome: Result<(), String>) -> Result<(), String> {
        let kills = self.world.region.finish_drill();
        outcome?;
        self.report.kills = kills?;
        if self.tour.drill {
            for city in CITIES {
                self.world.region.restart(city).await?;
            }
        }
        if !self.tour.drill && self.tour.data.is_none() {
            return Ok(());
        }
        for city in CITIES {
            let nothing_waits = |page: &Value| {
                let none_to = |peer: &Value| peer.pointer("/waiting").and_then(Value::as_u64) == Some(0);
                list(page, "/peers").iter().all(none_to)
                    && list(page, "/dead").is_empty()
                    && page.pointer("/log/waiting").and_then(Value::as_u64) == Some(0)
            };
            let bureau = format!("bureau1@{city}");
            self.world
                .until(&bureau, "/bureau", "that nothing waits and nothing is dead", nothing_waits)
                .await?;
        }
        Ok(())
    }

    /// Writes a step down; gives nothing back, so that a step is one line.
    #[expect(clippy::print_stdout, reason = "the steps are what the user watches")]
    fn done(&mut self, who: &str, step: &str, seen: &str) {
        let millis = self.watch.lap();
        if !self.tour.quiet {
            println!("{millis:>6} ms  {who:<20} {step}: {seen}");
        }
        self.report.steps.push(StepLine {
            step: step.to_owned(),
            who: who.to_owned(),
            millis,
            seen: seen.to_owned(),
        });
    }

    async fn travel(&mut self) -> Result<(), String> {
        if self.world.is_patient() {
            patience::first_sign_in(&mut self.world).await?;
        }
        let case = self.collect().await?;
        self.report.case.clone_from(&case);
        self.correct(&case).await?;
        self.decide(&case).await?;
        self.deliver(&case).await?;
        self.present().await?;
        self.ask_back().await?;
        self.prove(&case).await
    }

    /// At Changsha's window: identity, form, consent by a code on her phone, handing over to Xiangtan.
    async fn collect(&mut self) -> Result<String, String> {
        let draft = steps::collect_at_window(&mut self.world, Visitor::Driver).await?;
        self.done(CLERK, "identity and form checked", "nothing else is asked");
        steps::agree_by_code(&mut self.world, &draft).await?;
        self.done(CLERK, "consent by code, two licences fetched from Xiangtan", "no paper");
        let case = steps::submit_at_window(&mut self.world, &draft).await?;
        let (home, _) = steps::both_show(&mut self.world, &case, &["received"]).await?;
        let epoch = home.pointer("/progress/epoch").and_then(Value::as_u64);
        if epoch != Some(2) {
            return Err(format!("custody should be at epoch 2, is {epoch:?}"));
        }
        self.done(CLERK, "handed over, Xiangtan has custody", "epoch 2 in both cities");
        Ok(case)
    }

    /// Xiangtan asks once; she answers there, though she filed in Changsha; then 受理.
    async fn correct(&mut self, case: &str) -> Result<(), String> {
        let ask = [
            ("command", "ask_correction"),
            ("about1", "phone"),
            ("what1", "手机号打不通，请核对"),
            ("article1", "行政许可法第三十二条第一款第四项"),
        ];
        steps::act(&mut self.world, REVIEWER, case, &ask).await?;
        steps::both_show(&mut self.world, case, &["correcting"]).await?;
        self.done(REVIEWER, "one correction asked", "shown in both cities");
        steps::answer_correction(&mut self.world, DRIVER_THERE, case).await?;
        steps::both_show(&mut self.world, case, &["received"]).await?;
        self.done(DRIVER_THERE, "answered on Xiangtan's site", "shown in both cities");
        steps::act(&mut self.world, REVIEWER, case, &[("command", "accept")]).await?;
        let (home, _) = steps::both_show(&mut self.world, case, &["accepted"]).await?;
        self.report.legal_due = text(&home, "/due/legal/date").to_owned();
        self.report.promised_due = text(&home, "/due/promised/date").to_owned();
        if self.report.legal_due.is_empty() || list(&home, "/due/legal/days").is_empty() {
            return Err(format!(
                "no due date with its days: {}",
                home.pointer("/due").unwrap_or(&Value::Null)
            ));
        }
        self.report.provisional =
            home.pointer("/due/legal/provisional").and_then(Value::as_bool).unwrap_or(false);
        let sure = if self.report.provisional {
            ", provisional: that year's holidays are not announced"
        } else {
            ""
        };
        let until = format!("until {} by law, day by day{sure}", self.report.legal_due);
        self.done(REVIEWER, "accepted (受理)", &until);
        Ok(())
    }

    /// Review, decision, and the certificate that supersedes the old one.
    async fn decide(&mut self, case: &str) -> Result<(), String> {
        let before = steps::licences(&mut self.world).await?;
        let version = version(&before);
        let opine = [("command", "opine"), ("agrees", "approve"), ("text", "符合条件，建议准予换发")];
        steps::act(&mut self.world, REVIEWER, case, &opine).await?;
        self.done(REVIEWER, "reviewed", "proposes to approve");
        steps::act(&mut self.world, APPROVER, case, &[("command", "approve")]).await?;
        steps::both_show(&mut self.world, case, &["delivering", "decided"]).await?;
        let after = steps::licences(&mut self.world).await?;
        if self::version(&after) != version.map(|version| version + 1) {
            return Err(format!("the certificate should be one version on from {version:?}: {after}"));
        }
        let seen = format!("version {} in force, the old one superseded", version.unwrap_or_default() + 1);
        self.done(APPROVER, "decided, new certificate issued", &seen);
        Ok(())
    }

    /// Delivered at Changsha's window; window and department rated apart.
    async fn deliver(&mut self, case: &str) -> Result<(), String> {
        steps::hand_over(&mut self.world, case).await?;
        steps::both_show(&mut self.world, case, &["delivered"]).await?;
        self.done(CLERK, "delivered at the window", "against her signature");
        steps::rate(&mut self.world, case, "window", "5").await?;
        steps::rate(&mut self.world, case, "department", "4").await?;
        let (home, _) = steps::both_show(&mut self.world, case, &["closed", "delivered"]).await?;
        let rated = |page: &Value| list(page, "/progress/ratings").len() == 2;
        if !rated(&home) {
            self.world.until(DRIVER_HOME, &format!("/cases/{case}"), "two ratings", rated).await?;
        }
        self.done(DRIVER_HOME, "window and department rated apart", "5 and 4");
        Ok(())
    }

    /// She shows the new certificate in Zhuzhou, whose inspector asks Xiangtan live.
    async fn present(&mut self) -> Result<(), String> {
        let code = self.inspected().await?;
        let again = steps::inspect(&mut self.world, &code).await?;
        if text(&again, "/answer") == "yes" {
            return Err("a code was good twice".to_owned());
        }
        self.done(INSPECTOR, "verified live with Xiangtan", "yes; the same code again is refused");
        Ok(())
    }

    /// What could not be got done in Xiangtan, said at home and answered there.
    async fn ask_back(&mut self) -> Result<(), String> {
        steps::ask_back(&mut self.world).await?;
        self.done(
            DRIVER_HOME,
            "办不成事, asked at home and answered in Xiangtan",
            "the same in both cities, once",
        );
        Ok(())
    }

    /// Shows the certificate to the inspector; gives the code that was good. In a drill a code may be used up by an
    /// answer that nobody heard: then she shows another one.
    async fn inspected(&mut self) -> Result<String, String> {
        let mut seen = String::new();
        for _ in 0..if self.world.is_patient() { SHOWN_MAX } else { 1 } {
            let code = steps::show_certificate(&mut self.world).await?;
            match steps::inspect(&mut self.world, &code).await {
                Ok(answer) if text(&answer, "/answer") == "yes" => return Ok(code),
                Ok(answer) => seen = answer.to_string(),
                Err(error) => seen = error,
            }
        }
        Err(format!("the inspector should see yes: {seen}"))
    }

    /// 谁看了我的数据 on either site, each look with its proof; then the evidence of the case.
    async fn prove(&mut self, case: &str) -> Result<(), String> {
        let looks = proof::looks(&mut self.world, case).await?;
        let folder = self.world.region.folder().to_owned();
        let proved = proof::prove_looks(&mut self.world, &looks, &self.tour.binary, &folder).await?;
        self.report.looks = proved as u64;
        let seen = format!("{proved} looks on either site, each verified with no node");
        self.done(DRIVER_HOME, "谁看了我的数据", &seen);
        let bundle = proof::bundle(&mut self.world, case).await?;
        self.report.messages = proof::messages(&bundle);
        std::fs::write(&self.tour.out, bundle)
            .map_err(|error| format!("{}: {error}", self.tour.out.display()))?;
        let found = proof::verify(&self.tour.binary, &self.tour.out, &folder.join("trust.json")).await?;
        self.report.bundle = self.tour.out.display().to_string();
        self.report.proofs = found.pointer("/proofs").and_then(Value::as_u64).unwrap_or(0);
        self.report.cosignatures = cosignatures(&found);
        for city in CITIES {
            let state = self.world.get(&format!("bureau1@{city}"), "/bureau").await?;
            let size = state.pointer("/log/size").and_then(Value::as_u64).unwrap_or(0);
            self.report.log_sizes.insert(city.to_owned(), size);
        }
        let missing =
            self.report.proofs == 0 || self.report.cosignatures == 0 || self.report.messages.is_empty();
        if missing {
            return Err(format!("the bundle proves too little: {found}"));
        }
        self.done(DRIVER_HOME, "evidence", "verified with no node");
        Ok(())
    }
}

/// The version of her certificate.
fn version(page: &Value) -> Option<u64> {
    steps::certificate(page)?.pointer("/version").and_then(Value::as_u64)
}

fn cosignatures(report: &Value) -> u64 {
    let by_log = report.pointer("/cosignatures").and_then(Value::as_object);
    by_log.map_or(0, |logs| logs.values().filter_map(Value::as_array).map(|it| it.len() as u64).sum())
}

#[cfg(test)]
mod tests {
    use super::days_since_1970;

    #[track_caller]
    fn check(day: &str, expected: Option<i64>) {
        assert_eq!(days_since_1970(day), expected, "{day}");
    }

    #[test]
    fn days_are_civil() {
        check("1970-01-01", Some(0));
        check("2000-02-29", Some(11_016));
        check("2026-03-10", Some(20_522));
        check("2026-13-01", None);
        check("2026-02-30", None);
        check("2024-02-29", Some(19_782));
        check("soon", None);
    }
}
