//! Ranks in a cohort, and its mean: the ACTIVE partners that are enrolled on the date and share what the rule names (semantics 23).

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::evaluator::{At, Evaluator};
use super::{Detail, MetricValue};
use crate::date::Date;
use crate::document::metric::CohortFormula;
use crate::exact::{Exact, Overflow};
use crate::facts::{AttributeValue, PartnerFacts, PartnerStatus};
use crate::fault::{Fault, Faults};

/// The values of one cohort, best first, and how many partners it has in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Ranking {
    values: Vec<Exact>,
    partners: u64,
    mean: OnceCell<Option<Exact>>,
}

impl Ranking {
    /// How many have a better value.
    fn better(&self, value: Option<&Exact>) -> u64 {
        value.map_or(0, |value| self.values.partition_point(|other| other > value) as u64)
    }

    /// The mean of all values; worked out when it is first asked.
    fn mean(&self) -> Result<Option<Exact>, Overflow> {
        if let Some(mean) = self.mean.get() {
            return Ok(mean.clone());
        }
        let count = i64::try_from(self.values.len()).map_err(|_| Overflow)?;
        let mean = Exact::sum(self.values.iter())?.div(&Exact::from_int(count))?;
        Ok(self.mean.get_or_init(|| mean).clone())
    }
}

/// Where a value stands (how many are better, of how many), and the mean.
type Placed = (Option<(u64, u64)>, Option<Exact>);

/// The cohorts of one rank formula on one date, by the values that their partners share.
type Rankings = BTreeMap<Vec<String>, Ranking>;

/// The values of all cohorts that were asked for, by formula and date. Computed once for a whole set of partners; can be
/// made over all partners first and then handed to evaluators of parts of them, as long as the program stays in place.
#[derive(Debug, Clone, Default)]
pub struct CohortValues(HashMap<(usize, Date), Rc<Rankings>>);

/// Where one partner stands among others, stated on its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatedRank {
    /// The formula, as JSON text.
    pub formula: String,
    /// The partner's code.
    pub partner: String,
    /// The date.
    pub on: Date,
    /// How many partners of the cohort have a better value.
    pub better: u64,
    /// How many partners the cohort has.
    pub partners: u64,
    /// The mean of their values, of a formula that asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<Exact>,
}

/// Where ranks come from.
#[derive(Debug, Default)]
pub(crate) enum Ranks<'a> {
    /// From the facts of all partners.
    #[default]
    Computed,
    /// The same, and they are kept.
    Kept(RefCell<BTreeSet<StatedRank>>),
    /// They are stated; the facts of the others are not at hand.
    Stated(&'a [StatedRank]),
}

fn spell(formula: &CohortFormula) -> Result<String, Fault> {
    serde_json::to_string(formula).map_err(|error| Fault::new("OUT_OF_RANGE", "", error.to_string()))
}

/// A mean is spelled otherwise than a rank in the same cohort.
fn spell_mean(formula: &CohortFormula) -> Result<String, Fault> {
    Ok(format!("{{\"cohortMean\":{}}}", spell(formula)?))
}

/// What is stated of a formula.
fn find<'s>(stated: &'s [StatedRank], formula: &str, at: &At<'_>) -> Option<&'s StatedRank> {
    stated.iter().find(|rank| rank.on == at.as_of && rank.partner == at.partner.code && rank.formula == formula)
}

fn of_partner(partner: &PartnerFacts, date: Date, field: &str) -> Option<String> {
    let profile = partner.profile(date)?;
    match field {
        "region" => profile.region.clone(),
        "type" => profile.partner_type.clone(),
        "currency" => profile.currency.map(|currency| currency.code().to_owned()),
        _ => profile.attributes.get(field.strip_prefix("attribute.")?).map(|value| match value {
            AttributeValue::Text(text) => text.clone(),
            AttributeValue::Number(number) => number.to_string(),
            AttributeValue::Boolean(value) => value.to_string(),
        }),
    }
}

/// What a partner shares with its cohort; `None` when it lacks one of the fields or does not take part on the date.
fn cohort_of(formula: &CohortFormula, at: &At<'_>) -> Option<Vec<String>> {
    let active = at.partner.profile(at.as_of).is_none_or(|profile| profile.status == PartnerStatus::Active);
    if !active || at.enrollment().is_none() {
        return None;
    }
    formula.cohort.iter().map(|field| of_partner(at.partner, at.as_of, field)).collect()
}

impl<'a> Evaluator<'a> {
    /// A rank, as what is made of it and of the number of partners.
    pub(super) fn ranked(&self, formula: &'a CohortFormula, at: &At<'a>, value: impl Fn(u64, u64) -> Option<Exact>) -> Result<MetricValue, Faults> {
        let own = self.operand(&formula.of, at)?;
        let place = self.place(formula, at, own.value.clone())?;
        let partners = place.map_or(0, |(_, partners)| partners);
        let rank = place.and_then(|(better, _)| own.value.clone().map(|_| better + 1));
        let value = rank.and_then(|rank| value(rank, partners));
        Ok(MetricValue { value, window: own.window, facts: own.facts, detail: Detail::Rank { rank, cohort: partners, of: Arc::clone(&own) } })
    }

    /// The mean of the partner's cohort; none for who is in none, and where nobody has a value.
    pub(super) fn cohort_mean(&self, formula: &'a CohortFormula, at: &At<'a>) -> Result<MetricValue, Faults> {
        let own = self.operand(&formula.of, at)?;
        let (place, mean) = match &self.ranks {
            Ranks::Stated(stated) => {
                let found = find(stated, &spell_mean(formula)?, at);
                (found.map(|found| (found.better, found.partners)), found.and_then(|found| found.mean.clone()))
            }
            Ranks::Computed | Ranks::Kept(_) => self.computed_mean(formula, at, own.value.as_ref())?,
        };
        let rank = place.filter(|_| own.value.is_some()).map(|(better, _)| better + 1);
        let cohort = place.map_or(0, |(_, partners)| partners);
        Ok(MetricValue { value: mean, window: own.window, facts: own.facts, detail: Detail::Rank { rank, cohort, of: Arc::clone(&own) } })
    }

    /// Where a value stands, and the mean of all.
    fn computed_mean(&self, formula: &'a CohortFormula, at: &At<'a>, own: Option<&Exact>) -> Result<Placed, Faults> {
        let rankings = self.rankings(formula, at)?;
        let Some(ranking) = cohort_of(formula, at).and_then(|key| rankings.get(&key)) else { return Ok((None, None)) };
        let better = ranking.better(own);
        let mean = ranking.mean()?;
        if let Ranks::Kept(kept) = &self.ranks {
            let partner = at.partner.code.clone();
            let formula = spell_mean(formula)?;
            kept.borrow_mut().insert(StatedRank { formula, partner, on: at.as_of, better, partners: ranking.partners, mean: mean.clone() });
        }
        Ok((Some((better, ranking.partners)), mean))
    }

    /// Where a value stands in the partner's cohort: how many are better, of how many; `None` where it has none.
    fn place(&self, formula: &'a CohortFormula, at: &At<'a>, value: Option<Exact>) -> Result<Option<(u64, u64)>, Faults> {
        if let Ranks::Stated(stated) = &self.ranks {
            return Ok(find(stated, &spell(formula)?, at).map(|rank| (rank.better, rank.partners)));
        }
        let rankings = self.rankings(formula, at)?;
        let Some(ranking) = cohort_of(formula, at).and_then(|key| rankings.get(&key)) else { return Ok(None) };
        let better = ranking.better(value.as_ref());
        if let Ranks::Kept(kept) = &self.ranks {
            let partner = at.partner.code.clone();
            kept.borrow_mut().insert(StatedRank { formula: spell(formula)?, partner, on: at.as_of, better, partners: ranking.partners, mean: None });
        }
        Ok(Some((better, ranking.partners)))
    }

    fn rankings(&self, formula: &'a CohortFormula, at: &At<'a>) -> Result<Rc<Rankings>, Faults> {
        let key = (std::ptr::from_ref(formula).addr(), at.as_of);
        if let Some(rankings) = self.cohorts.borrow().0.get(&key) {
            return Ok(Rc::clone(rankings));
        }
        let mut rankings = Rankings::new();
        for partner in self.facts.partners.values() {
            let member = at.of(partner);
            let Some(cohort) = cohort_of(formula, &member) else { continue };
            let value = self.operand(&formula.of, &member)?.value.clone();
            let ranking = rankings.entry(cohort).or_default();
            ranking.partners += 1;
            ranking.values.extend(value);
        }
        for ranking in rankings.values_mut() {
            ranking.values.sort_unstable_by(|left, right| right.cmp(left));
        }
        let rankings = Rc::new(rankings);
        self.cohorts.borrow_mut().0.insert(key, Rc::clone(&rankings));
        Ok(rankings)
    }
}
