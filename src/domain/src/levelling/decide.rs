//! The decision: what a partner holds after an evaluation, by the review policy of the version (domain: Review).
//!
//! A decision changes a tier only on a day on which the policy's cadence lets it go that way. Days are those of the calendar
//! (or fiscal year); a review that was called by hand may say that it is due.

use super::days::ReviewDays;
use super::outcome::{TierOutcome, reviewed_tier};
use super::record::{admission_end, fell_to, has_tier, history, in_force, is_pinned, override_ends_on, region_of, since, still_holding, with_overrides};
use super::{Change, Decision, GraceStanding, OverrideStanding, Reason};
use crate::date::{Date, Length, Span};
use crate::document::ladder::{Ladder, ReviewPolicy};
use crate::facts::{AssignmentCause, PartnerStatus};
use crate::fault::Faults;
use crate::levelling::Due;
use crate::metric::{At, Evaluator};
use crate::requirement::enrolled_since;

/// What was decided.
pub(super) struct Decided {
    /// The rank held after the evaluation.
    pub(super) rank: u32,
    pub(super) decision: Decision,
}

/// The policy of a tier: its own, else its ladder's.
pub(super) fn policy(ladder: &Ladder, rank: u32) -> &ReviewPolicy {
    ladder.at_rank(rank).and_then(|tier| tier.review.as_ref()).unwrap_or(&ladder.review)
}

/// A decision in the making.
struct Case<'e, 'a> {
    evaluator: &'e Evaluator<'a>,
    ladder: &'a Ladder,
    at: &'e At<'a>,
    outcome: &'e TierOutcome,
    due: Due,
    reviewed: u32,
    reasons: Vec<Reason>,
    grace: Option<GraceStanding>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn decide(&self, ladder: &'a Ladder, at: &At<'a>, outcome: &TierOutcome, due: Due) -> Result<Decided, Faults> {
        let records = history(ladder, at.partner, region_of(ladder, at));
        let current = in_force(&records, at.as_of).copied();
        let recorded = current.map_or(0, |held| held.rank);
        let by_override = current.filter(|held| held.cause == AssignmentCause::Override);
        let override_ended = by_override.is_some_and(|held| still_holding(ladder, at.partner, region_of(ladder, at), at.as_of, held.rank).is_none());
        let is_due = override_ended || (override_ends_on(ladder, at) && !is_pinned(ladder, at));
        let of_review = reviewed_tier(ladder, at);
        let dropped = Dropped::find(ladder, current.and_then(|held| held.tier), of_review, Self::status(at));
        let due = if is_due || dropped.any() { Due::Now } else { due };
        let reviewed = ladder.rank(of_review);
        let mut case = Case { evaluator: self, ladder, at, outcome, due, reviewed, reasons: Vec::new(), grace: None };
        if is_due {
            case.reasons.push(Reason::OverrideEnded);
        }
        let before_overrides = case.rank(!records.is_empty() && !dropped.of_review)?;
        let (due_up, due_down) = (case.due_up(case.outcome.inherited.max(reviewed + 1)), case.due_down());
        let Case { mut reasons, grace, .. } = case;
        let takes_part = Self::status(at) != PartnerStatus::Terminated && at.enrollment().is_some();
        let (rank, held_by) = if takes_part { with_overrides(ladder, at, before_overrides) } else { (before_overrides, None) };
        if held_by.is_some() {
            reasons.push(Reason::Overridden);
        }
        let inherited_from = outcome.inherited_from.clone().filter(|_| rank > outcome.granted && rank <= outcome.inherited && held_by.is_none());
        if inherited_from.is_some() {
            reasons.push(Reason::Inherited);
        }
        let change = match (current.is_some(), rank.cmp(&recorded)) {
            (false, _) => Change::Entered,
            // The tier on record is one that the version does not have.
            (true, std::cmp::Ordering::Equal) if dropped.on_record => Change::Demoted,
            // On record as the override's, and now the partner's own: the end of the override must have it to go back to.
            (true, std::cmp::Ordering::Equal) if by_override.is_some() && held_by.is_none() => Change::Released,
            // The same tier by the override, and another one under it: its end must have that to go back to.
            (true, std::cmp::Ordering::Equal) if held_by.is_some() && before_overrides != reviewed => Change::Overridden,
            (true, std::cmp::Ordering::Equal) => Change::Kept,
            (true, std::cmp::Ordering::Greater) => Change::Promoted,
            (true, std::cmp::Ordering::Less) => Change::Demoted,
        };
        let decision = Decision {
            change,
            cause: self.cause(change, held_by.is_some(), fell_to(ladder, at.partner, region_of(ladder, at), rank, at.as_of), dropped.any(), at.as_of),
            reasons,
            due_up,
            due_down,
            next_down_on: ReviewDays::down(ladder, rank, at, self.program.fiscal_year).next_after(at.as_of),
            grace,
            reviewed: held_by.map(|_| ladder.at_rank(before_overrides).map(|tier| tier.key.clone()).unwrap_or_default()),
            overridden: held_by.map(|held| OverrideStanding { kind: held.kind, tier: held.tier.clone(), span: held.span, reason: held.reason.clone() }),
            inherited_from,
        };
        Ok(Decided { rank, decision })
    }

    fn cause(&self, change: Change, overridden: bool, fell: bool, dropped: bool, as_of: Date) -> Option<AssignmentCause> {
        match change {
            Change::Kept => None,
            _ if overridden => Some(AssignmentCause::Override),
            Change::Entered => Some(AssignmentCause::Enrolled),
            _ if dropped || as_of == self.program.levelling_since() => Some(AssignmentCause::VersionChange),
            Change::Released if fell => Some(AssignmentCause::Demotion),
            Change::Promoted | Change::Released | Change::Overridden => Some(AssignmentCause::Promotion),
            Change::Demoted => Some(AssignmentCause::Demotion),
        }
    }
}

/// What the version in force has dropped from its ladder: tiers that it does not have are held no more, and no policy of reviews delays
/// what takes their place. Suspended partners are not judged, and keep what is on record.
#[derive(Clone, Copy)]
struct Dropped {
    /// The tier on record.
    on_record: bool,
    /// The tier that the last review gave, whatever overrides hold since.
    of_review: bool,
}

impl Dropped {
    fn find(ladder: &Ladder, on_record: Option<&str>, of_review: Option<&str>, status: PartnerStatus) -> Self {
        let is_dropped = |tier: Option<&str>| status != PartnerStatus::Suspended && !has_tier(ladder, tier);
        Self { on_record: is_dropped(on_record), of_review: is_dropped(of_review) }
    }

    const fn any(self) -> bool {
        self.on_record || self.of_review
    }
}

impl<'a> Case<'_, 'a> {
    /// The rank before overrides.
    fn rank(&mut self, on_record: bool) -> Result<u32, Faults> {
        if let Some((rank, reason)) = self.outside() {
            self.reasons.push(reason);
            return Ok(rank);
        }
        if self.outcome.qualified > self.outcome.granted {
            self.reasons.push(Reason::AwaitsAdmission);
        }
        let target = match self.onboarding_deadline()? {
            Some(rank) => rank,
            None => return Ok(0),
        };
        match target.cmp(&self.reviewed) {
            // The first tier is given at once, and so is the one after a tier that the version dropped; the policy is about changes.
            _ if !on_record => Ok(target),
            std::cmp::Ordering::Equal => Ok(target),
            std::cmp::Ordering::Greater => Ok(self.up(target)),
            std::cmp::Ordering::Less => self.down(target),
        }
    }

    /// Those who are not judged.
    fn outside(&self) -> Option<(u32, Reason)> {
        match Evaluator::status(self.at) {
            PartnerStatus::Terminated => Some((0, Reason::Terminated)),
            _ if self.at.enrollment().is_none() => Some((0, Reason::NotEnrolled)),
            PartnerStatus::Suspended => Some((self.reviewed, Reason::Suspended)),
            PartnerStatus::Active => (!self.outcome.applies()).then_some((0, Reason::DoesNotApply)),
        }
    }

    /// Until its deadline a newcomer has the lowest tier without meeting it; whoever does not meet one on that day falls out: `None`. Who has
    /// passed the day goes by the policy of reviews.
    fn onboarding_deadline(&mut self) -> Result<Option<u32>, Faults> {
        let given = self.outcome.inherited;
        let Some(deadline) = deadline(self.ladder, self.at).filter(|_| given == 0) else { return Ok(Some(given)) };
        if self.at.as_of < deadline {
            self.reasons.push(Reason::Onboarding);
            return Ok(Some(1));
        }
        if self.has_passed(deadline) || self.is_shielded_on(deadline) || self.evaluator.outcome(self.ladder, &self.at.on(deadline))?.inherited > 0 {
            return Ok(Some(given));
        }
        self.reasons.push(Reason::OnboardingFailed);
        Ok(None)
    }

    /// Whether a tier is on record that was held after the deadline: given on that day or later, or left by the review of the day. What lies
    /// after the day until which things are known has not been reviewed yet.
    fn has_passed(&self, deadline: Date) -> bool {
        let reviewed = deadline < self.at.as_of.min(self.evaluator.known_until);
        let records = history(self.ladder, self.at.partner, region_of(self.ladder, self.at));
        let mut held = records.iter().filter(|held| held.tier.is_some() && held.span.from <= self.at.as_of);
        held.any(|held| held.span.from >= deadline || (reviewed && held.span.until > deadline))
    }

    /// Whether the tier on record could not be lost on the deadline: before a version is enforced, and while it protects what was held.
    fn is_shielded_on(&self, deadline: Date) -> bool {
        let protected_until = self.evaluator.protected_until(self.ladder, self.at, self.reviewed, policy(self.ladder, self.reviewed));
        self.reviewed > 0 && deadline < self.evaluator.program.enforced_on().max(protected_until)
    }

    fn due_up(&self, rank: u32) -> bool {
        let rank = rank.min(u32::try_from(self.ladder.tiers.len()).unwrap_or(u32::MAX));
        self.due == Due::Now || ReviewDays::up(self.ladder, rank, self.at, self.evaluator.program.fiscal_year).due(self.at.as_of)
    }

    fn due_down(&self) -> bool {
        self.due == Due::Now || ReviewDays::down(self.ladder, self.reviewed, self.at, self.evaluator.program.fiscal_year).due(self.at.as_of)
    }

    /// The highest tier above the present one that is given, due, and not too many steps away.
    fn up(&mut self, target: u32) -> u32 {
        let most = policy(self.ladder, target).max_steps_up.map_or(target, |steps| self.reviewed.saturating_add(steps).min(target));
        if most < target {
            self.reasons.push(Reason::StepsUpLimited);
        }
        // A step on the way to a tier that is met need not be met itself.
        let step = (most < target && most > self.reviewed && self.due_up(most)).then_some(most);
        let given = (self.reviewed + 1..=most).rev().filter(|rank| self.outcome.gives(*rank));
        let rank = step.or_else(|| given.into_iter().find(|rank| self.due_up(*rank))).unwrap_or(self.reviewed);
        if rank < most {
            self.reasons.push(Reason::UpNotDue);
        }
        rank
    }

    fn down(&mut self, target: u32) -> Result<u32, Faults> {
        let rank = self.reviewed;
        if self.admission_ended() {
            self.reasons.push(Reason::AdmissionEnded);
            return Ok(target);
        }
        let policy = policy(self.ladder, rank);
        if let Some(reason) = self.kept_anyway(policy) {
            self.reasons.push(reason);
            return Ok(rank);
        }
        let lost = match &policy.grace {
            Some(grace) => self.after_grace(grace, policy)?,
            None if self.due_down() => true,
            None => {
                self.reasons.push(Reason::DownNotDue);
                false
            }
        };
        if !lost {
            return Ok(rank);
        }
        let lowest = policy.max_steps_down.map_or(0, |steps| rank.saturating_sub(steps));
        if lowest > target {
            self.reasons.push(Reason::StepsDownLimited);
        }
        let protected = self.protected_rank(policy).min(rank);
        if protected > target.max(lowest) {
            self.reasons.push(Reason::Protected);
        }
        Ok(target.max(lowest).max(protected))
    }

    /// Whether the tier on record is not open to the partner any more: its admission is over. No policy holds that up.
    fn admission_ended(&self) -> bool {
        self.outcome.tiers.iter().any(|tier| tier.rank == self.reviewed && !tier.admitted)
    }

    /// Reasons for which nothing is lost, whatever is met.
    fn kept_anyway(&self, policy: &ReviewPolicy) -> Option<Reason> {
        let day = self.at.as_of;
        let judged_from = self.evaluator.judged_down_from(self.ladder, self.at, self.reviewed, policy);
        match judged_from {
            from if day >= from => None,
            _ if day < self.evaluator.program.enforced_on() => Some(Reason::NotEnforced),
            _ if onboarded_on(policy, self.at).is_some_and(|onboarded| day < onboarded) => Some(Reason::Onboarding),
            _ => Some(Reason::RecentlyReached),
        }
    }

    /// The rank held on the version's effective date, while that is protected.
    fn protected_rank(&self, policy: &ReviewPolicy) -> u32 {
        if policy.protected_until.is_none_or(|until| self.at.as_of >= until) {
            return 0;
        }
        let records = history(self.ladder, self.at.partner, region_of(self.ladder, self.at));
        in_force(&records, self.evaluator.program.levelling_since()).map_or(0, |held| held.rank)
    }

    fn after_grace(&mut self, grace: &crate::document::ladder::Grace, policy: &ReviewPolicy) -> Result<bool, Faults> {
        if self.protected_rank(policy) >= self.reviewed {
            self.reasons.push(Reason::Protected);
            return Ok(false);
        }
        let forced = self.due == Due::Now;
        let standing = self.evaluator.grace(self.ladder, self.at, self.reviewed, policy, grace, forced)?;
        match standing {
            None => {
                self.reasons.push(Reason::DownNotDue);
                Ok(false)
            }
            Some(standing) if self.at.as_of < standing.until => {
                self.reasons.push(Reason::Grace);
                self.grace = Some(standing);
                Ok(false)
            }
            Some(_) => {
                self.reasons.push(Reason::GraceEnded);
                Ok(true)
            }
        }
    }
}

pub(super) fn months_after(date: Date, months: u32) -> Date {
    Length::Months(months).after(date)
}

/// The day from which a newcomer is judged downwards.
fn onboarded_on(policy: &ReviewPolicy, at: &At<'_>) -> Option<Date> {
    Some(policy.onboarding()?.after(enrolled_since(at)?))
}

/// The day by which a newcomer must meet some tier.
pub(super) fn deadline(ladder: &Ladder, at: &At<'_>) -> Option<Date> {
    Some(policy(ladder, 1).onboarding_deadline()?.after(enrolled_since(at)?))
}

impl<'a> Evaluator<'a> {
    /// The days of a stretch on which the policy of reviews may change what is held: reviews, ends of grace periods (which
    /// begin on a review, or on one of `starts`), and the days until which a tier is protected.
    pub(crate) fn policy_days(&self, ladder: &Ladder, at: &At<'a>, between: Span, starts: &[Date]) -> Vec<Date> {
        /// Reviews of one kind that are looked at: those of a century of months.
        const MOST: usize = 1_200;
        let header = &self.program.document.version;
        let ranks = 1..=u32::try_from(ladder.tiers.len()).unwrap_or(u32::MAX);
        // The days from which a tier may be judged downwards at all: a grace period may begin on each of them.
        let mut judged_from: Vec<Date> = starts.iter().copied().chain([self.program.enforced_on(), header.effective_on]).collect();
        let mut days = Vec::new();
        for rank in ranks {
            let policy = policy(ladder, rank);
            let grace_of = |day: Date| policy.grace.as_ref().map(|grace| super::grace::end_of(grace, day));
            let from = policy.grace.as_ref().map_or(between.from, |_| between.from.plus_months(-ladder.grace_look_back().unwrap_or(0)));
            for reviews in [ReviewDays::up(ladder, rank, at, self.program.fiscal_year), ReviewDays::down(ladder, rank, at, self.program.fiscal_year)] {
                let dated = std::iter::successors(reviews.next_after(from.plus_days(-1)), |day| reviews.next_after(*day));
                days.extend(dated.take_while(|day| *day < between.until).take(MOST).flat_map(|day| [Some(day), grace_of(day)]).flatten());
            }
            judged_from.extend(policy.protected_until);
            let of_tiers = at.partner.assignments.iter().filter_map(|held| Some(months_after(held.from, policy.protection_months?)));
            days.extend(self.admission_ends(ladder, rank, at).filter(|end| between.contains(*end)));
            let enrolled = enrolled_since(at);
            let of_newcomers = [policy.onboarding(), policy.onboarding_deadline()].into_iter().flatten();
            judged_from.extend(of_tiers.chain(of_newcomers.filter_map(|length| Some(length.after(enrolled?)))));
        }
        let graces = ladder.policies().filter_map(|policy| policy.grace.as_ref());
        days.extend(graces.flat_map(|grace| judged_from.iter().map(|day| super::grace::end_of(grace, *day))));
        days.extend(judged_from);
        days
    }

    /// The days on which admissions to a tier are over.
    pub(crate) fn admission_ends<'s>(&'s self, ladder: &'s Ladder, rank: u32, at: &'s At<'a>) -> impl Iterator<Item = Date> + use<'s, 'a> {
        let region = region_of(ladder, at);
        let tier = ladder.at_rank(rank).filter(|tier| super::admission_of(tier.entry).is_some());
        let of_tier = move |given: &&'s crate::facts::TierAdmission| tier.is_some_and(|tier| given.ladder == ladder.key && given.tier == tier.key);
        at.partner.admissions.iter().filter(of_tier).filter_map(move |given| Some(admission_end(ladder, at.partner, region, tier?, given)))
    }

    /// The first day on which the tier may be judged downwards: enforcement, onboarding and protection of what was lately
    /// reached are over.
    pub(super) fn judged_down_from(&self, ladder: &Ladder, at: &At<'a>, rank: u32, policy: &ReviewPolicy) -> Date {
        let mut from = self.program.enforced_on();
        if let Some(onboarded) = onboarded_on(policy, at) {
            from = from.max(onboarded);
        }
        let records = history(ladder, at.partner, region_of(ladder, at));
        if let (Some(months), Some(reached)) = (policy.protection_months, since(&records, rank, at.as_of)) {
            from = from.max(months_after(reached, months));
        }
        from
    }
}
