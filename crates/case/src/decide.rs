//! What may be done with a case (办件裁决): one pure function for pages, handlers, timers and peers.
//! Serves clauses 2.1 to 2.5.
//!
//! Limits and grounds come from the definition.
//! Invariant: whatever [`allowed`] lists, [`decide`] does not refuse for party, office or phase.

use tb_base::{Calendar, Refusal, Timestamp};

use crate::case::{
    By, Case, CaseClock, ClockKind, Correction, CorrectionLine, IssuedResult, Opening, Opinion, Outcome,
    Party, Pause, Phase, PhaseKind, Proof, Rating, Reason, RemedyText,
};
use crate::clocks;
use crate::command::{Answers, COMMANDS, Command, CommandKind, Decision, GroundFacts};
use crate::definitions::{DeliveryMode, Ground, ItemRules};
use crate::event::{Change, Event, running};
use crate::refusals;

/// Letters of a free text at the most.
pub const TEXT_LETTERS_MAX: usize = 500;
/// Lines of a correction notice at the most.
pub const CORRECTION_LINES_MAX: usize = 30;
/// Letters of a proof of delivery at the most.
pub const PROOF_LETTERS_MAX: usize = 80;

/// The events that open a case: collected, and offered where another city decides.
pub fn open(opening: Opening, by: &By, now: Timestamp) -> Vec<Event> {
    let (from, to) = (opening.collecting.city, opening.deciding.city);
    let event = |change| Event { at: now, by: by.clone(), change };
    let mut events = vec![event(Change::Collected { opening: Box::new(opening) })];
    if from != to {
        events.push(event(Change::Offered { to }));
    }
    events
}

/// What a command makes happen, or why it may not be (裁决).
pub fn decide(
    case: &Case,
    rules: &ItemRules,
    command: &Command,
    by: &By,
    now: Timestamp,
    calendar: &Calendar,
) -> Result<Vec<Event>, Refusal> {
    permits(case, rules, command.kind(), by)?;
    let at = Moment { case, rules, now, calendar };
    let changes = match command {
        Command::AcceptCustody => at.accept_custody(by),
        Command::RefuseCustody { reason } => vec![Change::CustodyRefused { reason: reason.clone() }],
        Command::AskCorrection { lines } => at.ask(lines)?,
        Command::AnswerCorrection { answers } => at.answer(answers)?,
        Command::Accept => at.accept(),
        Command::DeemAccept => at.deem_accept()?,
        Command::Decline { ground, facts } => at.decline(ground, facts)?,
        Command::Opine { agrees, text } => {
            let text = words("text", text)?;
            vec![Change::Opined { opinion: Opinion { by: by.name.clone(), agrees: *agrees, text, at: now } }]
        }
        Command::Extend { reason } => at.extend(reason)?,
        Command::Pause { kind, notice, estimate_days } => {
            if !rules.clocks.legal.pauses.contains(kind) {
                return Err(refusals::pause_unlawful());
            }
            let pause = Pause {
                kind: *kind,
                notice: words("notice", notice)?,
                estimate_days: *estimate_days,
                since: now,
            };
            vec![Change::Paused { pause, clocks: clocks::paused(case, now, calendar) }]
        }
        Command::Resume { result } => {
            vec![Change::Resumed {
                result: words("result", result)?,
                clocks: clocks::resumed(case, now, calendar),
            }]
        }
        Command::Decide { decision } => at.settle(decision)?,
        Command::IssueResult { result } => at.issue(result.as_ref())?,
        Command::Deliver { proof } => at.deliver(proof)?,
        Command::Withdraw => vec![Change::Withdrawn],
        Command::Rate { target, grade, text } => {
            let rating = Rating { target: *target, grade: *grade, text: short("text", text)?, at: now };
            at.rate(rating)?
        }
        Command::Lapse => at.lapse()?,
        Command::Close => vec![Change::Closed],
    };
    Ok(changes.into_iter().map(|change| Event { at: now, by: by.clone(), change }).collect())
}

/// The commands that somebody may give now: the same answer for a page's buttons and for the server.
pub fn allowed(case: &Case, rules: &ItemRules, by: &By) -> Vec<CommandKind> {
    COMMANDS.into_iter().filter(|kind| permits(case, rules, *kind, by).is_ok()).collect()
}

/// Whether party, office and phase allow a command at all.
pub fn permits(case: &Case, rules: &ItemRules, kind: CommandKind, by: &By) -> Result<(), Refusal> {
    if !kind.parties().contains(&by.party) {
        return Err(refusals::wrong_party(kind));
    }
    phase_allows(case, rules, kind)?;
    of_office(case, kind, by)?;
    if kind == CommandKind::Decide && case.examiners.contains(&by.name) {
        return Err(refusals::recusal());
    }
    Ok(())
}

/// The phases in which a command can be given at all, also for lists that know no more of a case than its phase.
pub fn phases(kind: CommandKind) -> &'static [PhaseKind] {
    match kind {
        CommandKind::AcceptCustody | CommandKind::RefuseCustody => &[PhaseKind::Offered],
        CommandKind::AskCorrection | CommandKind::Accept | CommandKind::DeemAccept | CommandKind::Decline => {
            &[PhaseKind::Received]
        }
        CommandKind::AnswerCorrection | CommandKind::Lapse => &[PhaseKind::Correcting],
        CommandKind::Opine
        | CommandKind::Extend
        | CommandKind::Pause
        | CommandKind::Resume
        | CommandKind::Decide => &[PhaseKind::Accepted],
        CommandKind::IssueResult => &[PhaseKind::Decided],
        CommandKind::Deliver => &[PhaseKind::Decided, PhaseKind::Delivering],
        CommandKind::Withdraw => &[PhaseKind::Received, PhaseKind::Correcting, PhaseKind::Accepted],
        CommandKind::Rate => &[PhaseKind::Delivered, PhaseKind::Closed],
        CommandKind::Close => &[PhaseKind::Delivered],
    }
}

/// Whether the phase allows it.
fn phase_allows(case: &Case, rules: &ItemRules, kind: CommandKind) -> Result<(), Refusal> {
    let phase = case.phase.kind();
    // What was granted has to be issued before it can be handed over; what was refused is never issued.
    let in_order = match (kind, &case.phase) {
        (CommandKind::IssueResult, Phase::Decided { outcome }) => *outcome == Outcome::Approved,
        (CommandKind::Deliver, Phase::Decided { outcome }) => *outcome != Outcome::Approved,
        (_, _) => true,
    };
    let fits = in_order && phases(kind).contains(&phase);
    if fits { within_phase(case, rules, kind) } else { Err(refusals::not_in_phase(kind, phase)) }
}

/// Whether what the phase carries allows it.
fn within_phase(case: &Case, rules: &ItemRules, kind: CommandKind) -> Result<(), Refusal> {
    let (opinion, paused) = match &case.phase {
        Phase::Accepted { opinion, paused, .. } => (opinion.is_some(), paused.is_some()),
        Phase::Offered { .. }
        | Phase::Received
        | Phase::Correcting { .. }
        | Phase::Decided { .. }
        | Phase::Delivering { .. }
        | Phase::Delivered { .. }
        | Phase::Closed { .. }
        | Phase::Withdrawn
        | Phase::Declined { .. }
        | Phase::Lapsed
        | Phase::Returned { .. } => (false, false),
    };
    let asked = u32::try_from(case.corrections.len()).unwrap_or(u32::MAX);
    match kind {
        CommandKind::AskCorrection if rules.correction.rounds_max <= asked => {
            Err(refusals::correction_used())
        }
        CommandKind::Decide if paused => Err(refusals::pause_running()),
        CommandKind::Pause if paused => Err(refusals::pause_running()),
        CommandKind::Resume if !paused => Err(refusals::pause_missing()),
        CommandKind::Decide if !opinion => Err(refusals::opinion_missing()),
        CommandKind::Extend if rules.clocks.legal.extension.is_none() => Err(refusals::no_extension()),
        CommandKind::Extend if 0 < case.extensions => Err(refusals::extension_used()),
        CommandKind::Rate if rules.rating.targets.len() <= case.ratings.len() => {
            Err(refusals::rated_already())
        }
        CommandKind::AcceptCustody
        | CommandKind::RefuseCustody
        | CommandKind::AskCorrection
        | CommandKind::AnswerCorrection
        | CommandKind::Accept
        | CommandKind::DeemAccept
        | CommandKind::Decline
        | CommandKind::Opine
        | CommandKind::Extend
        | CommandKind::Pause
        | CommandKind::Resume
        | CommandKind::Decide
        | CommandKind::IssueResult
        | CommandKind::Deliver
        | CommandKind::Withdraw
        | CommandKind::Rate
        | CommandKind::Lapse
        | CommandKind::Close => Ok(()),
    }
}

/// Whether the actor's city and office are those of the case.
fn of_office(case: &Case, kind: CommandKind, by: &By) -> Result<(), Refusal> {
    let (collecting, deciding) = (&case.opening.collecting, &case.opening.deciding);
    let fits = match by.party {
        Party::Applicant => true,
        Party::System => by.city == deciding.city || by.city == case.owner,
        Party::Window => by.city == collecting.city,
        Party::Reviewer | Party::Approver => {
            by.city == deciding.city && by.office.as_ref() == Some(&deciding.office)
        }
    };
    if !fits {
        return Err(refusals::wrong_office());
    }
    let at_window = case.opening.delivery == DeliveryMode::CollectingWindow;
    match (kind, &case.phase, by.party) {
        // What waits at the collecting window only its clerks can hand over; what is posted they cannot.
        (CommandKind::Deliver, Phase::Delivering { .. }, Party::Window) if !at_window => {
            Err(refusals::wrong_office())
        }
        (CommandKind::Deliver, Phase::Delivering { .. }, Party::Reviewer | Party::Approver) if at_window => {
            Err(refusals::wrong_office())
        }
        (_, _, Party::Applicant | Party::Window | Party::Reviewer | Party::Approver | Party::System) => {
            Ok(())
        }
    }
}

/// A case at a moment under its rules: what the arms of [`decide`] share.
struct Moment<'a> {
    case: &'a Case,
    rules: &'a ItemRules,
    now: Timestamp,
    calendar: &'a Calendar,
}

impl Moment<'_> {
    fn accept_custody(&self, by: &By) -> Vec<Change> {
        let clocks = clocks::stopped(self.case, ClockKind::HandOver, self.now).into_iter().collect();
        vec![Change::CustodyAccepted { owner: by.city, epoch: self.case.epoch + 1, clocks }]
    }

    fn ask(&self, lines: &[CorrectionLine]) -> Result<Vec<Change>, Refusal> {
        self.in_time()?;
        if lines.is_empty() || CORRECTION_LINES_MAX < lines.len() {
            return Err(refusals::correction_empty());
        }
        let mut checked = Vec::new();
        for line in lines {
            let known = self.rules.material(&line.about).is_some()
                || self.rules.all_questions().any(|question| question.id == line.about);
            if !known {
                return Err(refusals::correction_unknown(&line.about));
            }
            if line.what.trim().is_empty() || line.article.trim().is_empty() {
                return Err(refusals::correction_empty().on(line.about.clone()));
            }
            let (what, article) = (short("what", &line.what)?, short("article", &line.article)?);
            checked.push(CorrectionLine { about: line.about.clone(), what, article });
        }
        let correction = Correction { lines: checked, asked: self.now, answered: None };
        Ok(vec![Change::CorrectionAsked {
            correction,
            clocks: clocks::at_asking(self.case, self.rules, self.now, self.calendar),
        }])
    }

    fn answer(&self, answers: &Answers) -> Result<Vec<Change>, Refusal> {
        let Phase::Correcting { asked } = &self.case.phase else { return Ok(Vec::new()) };
        for line in &asked.lines {
            let answer = answers.lines.iter().find(|answer| answer.about == line.about);
            if answer.is_none_or(|answer| answer.text.trim().is_empty()) {
                return Err(refusals::answer_incomplete(&line.about));
            }
        }
        for answer in &answers.lines {
            if !asked.lines.iter().any(|line| line.about == answer.about) {
                return Err(refusals::answer_unknown(&answer.about));
            }
            short("text", &answer.text)?;
        }
        let about = asked.lines.iter().map(|line| line.about.clone()).collect();
        let clocks = clocks::at_answer(self.case, self.rules, self.now, self.calendar);
        Ok(vec![Change::CorrectionAnswered { about, digest: crate::digest(answers), clocks }])
    }

    fn accept(&self) -> Vec<Change> {
        let clocks = clocks::at_acceptance(self.case, self.rules, self.now, self.now, self.calendar);
        vec![Change::Accepted { deemed: false, clocks }]
    }

    /// Nobody accepted or asked within the limit: accepted from the receipt (行政许可法 article 32).
    fn deem_accept(&self) -> Result<Vec<Change>, Refusal> {
        self.passed(ClockKind::Acceptance)?;
        let clocks =
            clocks::at_acceptance(self.case, self.rules, self.case.complete, self.now, self.calendar);
        Ok(vec![Change::Accepted { deemed: true, clocks }])
    }

    fn lapse(&self) -> Result<Vec<Change>, Refusal> {
        self.passed(ClockKind::Answer)?;
        Ok(vec![Change::Lapsed])
    }

    /// Refuses unless a limit, certain in its source, has passed.
    fn passed(&self, kind: ClockKind) -> Result<(), Refusal> {
        match running(self.case, kind) {
            Some(CaseClock { unconfirmed: true, .. }) => Err(refusals::limit_unconfirmed()),
            Some(clock) if clock.due_at < self.now => Ok(()),
            Some(_) | None => Err(refusals::not_yet_due()),
        }
    }

    fn decline(&self, ground: &str, facts: &str) -> Result<Vec<Change>, Refusal> {
        self.in_time()?;
        let reason = reason(self.rules.decline(ground), ground, facts)?;
        Ok(vec![Change::Declined { reason, remedies: self.remedies() }])
    }

    fn extend(&self, reason: &str) -> Result<Vec<Change>, Refusal> {
        let extension = self.rules.clocks.legal.extension.ok_or_else(refusals::no_extension)?;
        let clocks = clocks::extended(self.case, extension, self.calendar);
        Ok(vec![Change::Extended { reason: words("reason", reason)?, clocks }])
    }

    fn settle(&self, decision: &Decision) -> Result<Vec<Change>, Refusal> {
        let outcome = match decision {
            Decision::Approve => Outcome::Approved,
            Decision::Refuse { grounds } => self.refuse(grounds)?,
        };
        let clocks = clocks::at_decision(self.case, self.rules, self.now, self.calendar);
        Ok(vec![Change::Decided { outcome, clocks }])
    }

    fn refuse(&self, grounds: &[GroundFacts]) -> Result<Outcome, Refusal> {
        if grounds.is_empty() || CORRECTION_LINES_MAX < grounds.len() {
            return Err(refusals::reasons_missing());
        }
        let reasons = grounds.iter().map(|it| reason(self.rules.refusal(&it.ground), &it.ground, &it.facts));
        let reasons = reasons.collect::<Result<Vec<Reason>, Refusal>>()?;
        Ok(Outcome::Refused { reasons, remedies: self.remedies() })
    }

    fn remedies(&self) -> Vec<RemedyText> {
        let remedies = self.rules.remedies.iter();
        remedies.map(|rule| RemedyText { text: rule.text.clone(), basis: rule.basis.clone() }).collect()
    }

    /// Once the limit has passed in silence the case counts as accepted: too late to ask or to decline.
    fn in_time(&self) -> Result<(), Refusal> {
        match running(self.case, ClockKind::Acceptance) {
            Some(clock) if !clock.unconfirmed && clock.due_at < self.now => Err(refusals::deemed_accepted()),
            Some(_) | None => Ok(()),
        }
    }

    fn issue(&self, result: Option<&IssuedResult>) -> Result<Vec<Change>, Refusal> {
        let result = result.ok_or_else(refusals::result_missing)?.clone();
        let mut changes = vec![Change::ResultIssued { result }];
        if self.case.opening.delivery == DeliveryMode::Electronic {
            // An electronic licence is in her hands when it is issued.
            let proof = Proof { mode: DeliveryMode::Electronic, reference: "licence".to_owned() };
            changes.push(self.delivered(proof));
        }
        Ok(changes)
    }

    fn deliver(&self, proof: &Proof) -> Result<Vec<Change>, Refusal> {
        let refused = matches!(self.case.phase, Phase::Decided { .. });
        if !refused && proof.mode != self.case.opening.delivery {
            return Err(refusals::proof_mismatch());
        }
        let reference = proof.reference.trim();
        if reference.is_empty() {
            return Err(refusals::proof_missing());
        }
        if PROOF_LETTERS_MAX < reference.chars().count() {
            return Err(refusals::text_too_long("reference", PROOF_LETTERS_MAX));
        }
        Ok(vec![self.delivered(Proof { mode: proof.mode, reference: reference.to_owned() })])
    }

    fn delivered(&self, proof: Proof) -> Change {
        let clocks = clocks::stopped(self.case, ClockKind::Delivery, self.now).into_iter().collect();
        Change::Delivered { proof, clocks }
    }

    fn rate(&self, rating: Rating) -> Result<Vec<Change>, Refusal> {
        if rating.grade < 1 || 5 < rating.grade {
            return Err(refusals::grade_out_of_range());
        }
        let known = self.rules.rating.targets.contains(&rating.target);
        if !known || self.case.ratings.iter().any(|held| held.target == rating.target) {
            return Err(refusals::rated_already());
        }
        let last = self.case.ratings.len() + 1 == self.rules.rating.targets.len();
        let mut changes = vec![Change::Rated { rating }];
        if last && self.case.phase.kind() == PhaseKind::Delivered {
            changes.push(Change::Closed);
        }
        Ok(changes)
    }
}

fn reason(ground: Option<&Ground>, name: &str, facts: &str) -> Result<Reason, Refusal> {
    let ground = ground.ok_or_else(|| refusals::ground_unknown(name))?;
    if ground.unconfirmed {
        return Err(refusals::ground_unconfirmed(ground));
    }
    Ok(Reason {
        ground: ground.id.clone(),
        text: ground.text.clone(),
        article: ground.article.clone(),
        facts: words("facts", facts)?,
    })
}

/// A text that must be there.
fn words(field: &'static str, text: &str) -> Result<String, Refusal> {
    let text = short(field, text)?;
    if text.is_empty() { Err(refusals::text_missing(field)) } else { Ok(text) }
}

/// A text within its limit, without blanks around it.
fn short(field: &'static str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if TEXT_LETTERS_MAX < text.chars().count() {
        return Err(refusals::text_too_long(field, TEXT_LETTERS_MAX));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
