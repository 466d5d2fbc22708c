//! The whole standing again: the kept figures, and the words and rules of the version that judged.

use std::borrow::Cow;
use std::sync::Arc;

use super::tree::KeptNode;
use super::{KeptStanding, KeptTier};
use crate::document::ladder::Ladder;
use crate::document::requirement::Requirement;
use crate::fault::Fault;
use crate::levelling::{LadderStanding, TierStanding};
use crate::metric::MetricValue;
use crate::program::Program;
use crate::requirement::{Gap, GroupJudged, Judged, PeriodJudged};

impl KeptStanding<'_> {
    /// The whole standing: every tree with its words, and what is missing for the next tier and to keep this one. `program` is the
    /// version that judged, `ladder` and `region` are those that the standing was kept under.
    ///
    /// # Errors
    /// `UNREADABLE_STANDING` when the version is another one: it has no such ladder or tier, or asks for something else.
    pub fn restore(&self, program: &Program, ladder: &str, region: Option<&str>) -> Result<LadderStanding, Fault> {
        let values = self.restore_details().ok_or_else(|| another_version("details"))?;
        let trees = Restoring { kept: self, program, values };
        let main = program.ladder(None).is_some_and(|main| main.key == ladder);
        let ladder = program.ladder(Some(ladder)).ok_or_else(|| another_version(ladder))?;
        let mut standing = LadderStanding {
            ladder: ladder.key.clone(),
            main,
            region: region.map(str::to_owned),
            applies: self.applies,
            applies_to: trees.requirement(ladder.applies_to.as_ref(), self.applies_to.as_ref())?,
            tier: self.tier.as_deref().map(str::to_owned),
            rank: self.rank,
            qualified: self.qualified.as_deref().map(str::to_owned),
            granted: self.granted.as_deref().map(str::to_owned),
            record: self.record.as_deref().cloned(),
            decision: self.decision.as_ref().clone(),
            next: None,
            awaiting: Vec::new(),
            keep: Gap::default(),
            tiers: self.tiers.iter().map(|tier| trees.tier(ladder, tier)).collect::<Result<_, _>>()?,
        };
        standing.complete(ladder, self.next_up_on);
        Ok(standing)
    }
}

/// Kept trees beside their rules.
struct Restoring<'k> {
    kept: &'k KeptStanding<'k>,
    program: &'k Program,
    /// How values came about, by their places.
    values: Vec<Arc<MetricValue>>,
}

impl Restoring<'_> {
    fn tier(&self, ladder: &Ladder, kept: &KeptTier<'_>) -> Result<TierStanding, Fault> {
        let KeptTier(key, met, share_met, admitted, home, requirement) = kept;
        let (rank, tier) = ladder.tier(key).ok_or_else(|| another_version(key))?;
        let asked = if *home { tier.home_region_requirement.as_ref() } else { tier.requirement.as_ref() };
        Ok(TierStanding {
            tier: tier.key.clone(),
            rank,
            met: *met,
            share_met: share_met.clone(),
            entry: tier.entry,
            admitted: *admitted,
            home: *home,
            requirement: self.requirement(asked, requirement.as_ref())?,
        })
    }

    fn requirement(&self, rule: Option<&Requirement>, kept: Option<&KeptNode<'_>>) -> Result<Option<Judged>, Fault> {
        match (rule, kept) {
            (Some(rule), Some(kept)) => self.node(rule, kept).map(Some),
            (None, None) => Ok(None),
            _ => Err(another_version("requirement")),
        }
    }

    /// The node of a rule. The rule says what it is; what is kept must fit it.
    fn node(&self, rule: &Requirement, kept: &KeptNode<'_>) -> Result<Judged, Fault> {
        match (rule, kept) {
            (Requirement::Labelled(rule), _) => Ok(self.node(&rule.requirement, self.under_label(&rule.requirement, kept)?)?.labelled(&rule.label)),
            (Requirement::Shared(key), _) => {
                let shared = self.program.requirement(key).ok_or_else(|| another_version(key))?;
                Ok(Judged::shared(self.program, key, self.node(shared, kept)?))
            }
            (Requirement::Not(of), _) => Ok(Judged::not(self.node(of, kept)?)),
            (Requirement::AllOf(of), KeptNode::Parts(parts)) => Ok(Judged::all_of(self.nodes(of, parts)?)),
            (Requirement::AnyOf(of), KeptNode::Parts(parts)) => Ok(Judged::any_of(self.nodes(of, parts)?)),
            (Requirement::AtLeast(rule), KeptNode::Parts(parts)) => Ok(Judged::at_least(rule, self.nodes(&rule.of, parts)?)),
            (Requirement::When(rule), KeptNode::When { condition, of }) => {
                let of = of.as_ref().map(|of| self.node(&rule.requirement, of)).transpose()?;
                Ok(Judged::when(self.node(&rule.condition, condition)?, of))
            }
            (Requirement::ForEach(rule), KeptNode::Groups { groups }) => {
                let group = |(group, kept): &(Cow<'_, str>, KeptNode<'_>)| {
                    Ok(GroupJudged { group: group.to_string(), requirement: self.node(&rule.requirement, kept)? })
                };
                Ok(Judged::for_each(self.program, rule, groups.iter().map(group).collect::<Result<_, Fault>>()?))
            }
            (Requirement::Streak(rule), KeptNode::Streak { periods, of }) => {
                Ok(Judged::streak(rule, self.periods(periods)?, self.node(&rule.requirement, of)?))
            }
            (Requirement::OnAnyDay(rule), KeptNode::Day { day: (window, day), nearest, over, of }) => {
                let window = window.and_then(|at| self.kept.windows.get(at)).copied();
                let of = self.node(&rule.requirement, of)?;
                Ok(if day.is_some() { Judged::on_any_day(window, *day, of) } else { Judged::on_no_day(window, *nearest, *over, of) })
            }
            (leaf, KeptNode::Leaf(kept)) => {
                let view = self.kept.leaf_view(kept).ok_or_else(|| another_version("leaf"))?;
                let value = view.detail.map(|at| self.values.get(at).map(Arc::clone).ok_or_else(|| another_version("details"))).transpose()?;
                Ok(view.leaf_of(self.program, Some(leaf), value).judged())
            }
            _ => Err(another_version("requirement")),
        }
    }

    fn nodes(&self, rules: &[Requirement], kept: &[KeptNode<'_>]) -> Result<Vec<Judged>, Fault> {
        if rules.len() != kept.len() {
            return Err(another_version("requirement"));
        }
        rules.iter().zip(kept).map(|(rule, kept)| self.node(rule, kept)).collect()
    }

    fn periods(&self, kept: &[(usize, bool)]) -> Result<Vec<PeriodJudged>, Fault> {
        let period = |(at, met): &(usize, bool)| self.kept.windows.get(*at).map(|period| PeriodJudged { period: *period, met: *met });
        kept.iter().map(|kept| period(kept).ok_or_else(|| another_version("streak"))).collect()
    }

    /// What is kept of a rule that a label is put on: a rule that had a label before was put into a list of one.
    fn under_label<'n, 's>(&self, rule: &Requirement, kept: &'n KeptNode<'s>) -> Result<&'n KeptNode<'s>, Fault> {
        let labelled = match rule {
            Requirement::Labelled(_) => true,
            Requirement::Shared(key) => self.program.document.requirements.iter().any(|known| known.key == *key && known.name.is_some()),
            Requirement::Metric(rule) => rule.label.is_some(),
            Requirement::Holding(rule) => rule.label.is_some(),
            _ => false,
        };
        match kept {
            _ if !labelled => Ok(kept),
            KeptNode::Parts(parts) => parts.first().ok_or_else(|| another_version("label")),
            _ => Err(another_version("label")),
        }
    }
}

fn another_version(at: &str) -> Fault {
    Fault::new("UNREADABLE_STANDING", at, "the standing was judged by another version: restore it with the version that judged it")
}
