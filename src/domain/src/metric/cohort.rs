//! Ranks in a cohort: the ACTIVE partners that are enrolled on the date and share what the rule names (semantics 23).

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::evaluator::{At, Evaluator};
use super::{Detail, MetricValue};
use crate::date::Date;
use crate::document::metric::PercentileRankFormula;
use crate::exact::Exact;
use crate::facts::{AttributeValue, PartnerFacts, PartnerStatus};
use crate::fault::Faults;

/// The values of one cohort, best first, and how many partners it has in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Ranking {
    values: Vec<Exact>,
    partners: u64,
}

/// The cohorts of one rank formula on one date, by the values that their partners share.
type Rankings = BTreeMap<Vec<String>, Ranking>;

/// The values of all cohorts that were asked for, by formula and date. Computed once for a whole set of partners; can be
/// made over all partners first and then handed to evaluators of parts of them, as long as the program stays in place.
#[derive(Debug, Clone, Default)]
pub struct CohortValues(HashMap<(usize, Date), Rc<Rankings>>);

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
fn cohort_of(formula: &PercentileRankFormula, at: &At<'_>) -> Option<Vec<String>> {
    let active = at.partner.profile(at.as_of).is_none_or(|profile| profile.status == PartnerStatus::Active);
    if !active || at.enrollment().is_none() {
        return None;
    }
    formula.cohort.iter().map(|field| of_partner(at.partner, at.as_of, field)).collect()
}

impl<'a> Evaluator<'a> {
    pub(super) fn percentile_rank(&self, formula: &'a PercentileRankFormula, at: &At<'a>) -> Result<MetricValue, Faults> {
        let own = self.operand(&formula.of, at)?;
        let rankings = self.rankings(formula, at)?;
        let ranking = cohort_of(formula, at).and_then(|key| rankings.get(&key));
        let partners = ranking.map_or(0, |ranking| ranking.partners);
        let rank = match (ranking, own.value) {
            (Some(ranking), Some(value)) => Some(ranking.values.partition_point(|other| *other > value) as u64 + 1),
            _ => None,
        };
        let value = rank.and_then(|rank| Exact::ratio(rank.into(), partners.into()));
        Ok(MetricValue { value, window: own.window, facts: own.facts, detail: Detail::Rank { rank, cohort: partners, of: Arc::clone(&own) } })
    }

    fn rankings(&self, formula: &'a PercentileRankFormula, at: &At<'a>) -> Result<Rc<Rankings>, Faults> {
        let key = (std::ptr::from_ref(formula).addr(), at.as_of);
        if let Some(rankings) = self.cohorts.borrow().0.get(&key) {
            return Ok(Rc::clone(rankings));
        }
        let mut rankings = Rankings::new();
        for partner in self.facts.partners.values() {
            let member = at.of(partner);
            let Some(cohort) = cohort_of(formula, &member) else { continue };
            let value = self.operand(&formula.of, &member)?.value;
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
