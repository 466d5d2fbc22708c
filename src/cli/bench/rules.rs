//! The thresholds of the synthetic program as rows, for the SQL that benches compare with: the same rules, told to the database.

use guerdon_domain::date::{Date, Span};
use guerdon_domain::document::requirement::{Comparison, Requirement};
use guerdon_domain::program::Program;
use guerdon_domain::region::Standpoint;
use guerdon_store::{TierInputs, TierRule};

use crate::error::AppError;

/// The metrics of the main ladder, each with the decimals in which it is compared.
const METRICS: [(&str, u32); 6] = [("revenue", 2), ("certified", 0), ("softwareShare", 8), ("growth", 8), ("dealsWon", 0), ("satisfaction", 8)];

/// What is asked of a partner on the last day of a month.
pub fn inputs(program: &Program, as_of: Date) -> TierInputs {
    let until = as_of.next();
    let (year, before) = (until.plus_months(-12), until.plus_months(-24));
    let share_of = program.categories.subtree("SOFTWARE").into_iter().collect();
    TierInputs { as_of, year: Span::new(year, until), year_before: Span::new(before, year), share_of, active_only: false }
}

/// The main ladder's thresholds for every region and type.
///
/// # Errors
/// An internal one when the program asks for something that these rows cannot say.
pub fn rules(program: &Program) -> Result<Vec<TierRule>, AppError> {
    let ladder = program.ladder(None).ok_or_else(|| AppError::internal("the program has no main ladder"))?;
    let mut rules = Vec::new();
    for region in program.geography.regions.keys() {
        for partner_type in &program.document.partner_types {
            for (rank, tier) in (1_u32..).zip(&ladder.tiers) {
                let at = Standpoint { region: Some(region), partner_type: Some(&partner_type.key), track: Some(&partner_type.key) };
                let groups = groups(tier.requirement.as_ref());
                for (group, (need, of)) in (0_u32..).zip(&groups) {
                    for comparison in of {
                        let (metric, at_least) = threshold(program, comparison, at)?;
                        let groups = u32::try_from(groups.len()).unwrap_or(0);
                        rules.push(TierRule {
                            region: region.clone(),
                            partner_type: partner_type.key.clone(),
                            rank,
                            group,
                            need: *need,
                            groups,
                            metric,
                            at_least,
                        });
                    }
                }
            }
        }
    }
    Ok(rules)
}

/// All of the groups must hold, of each so many.
fn groups(requirement: Option<&Requirement>) -> Vec<(u32, Vec<&Comparison>)> {
    let Some(Requirement::AllOf(parts)) = requirement else { return Vec::new() };
    parts
        .iter()
        .map(|part| match part {
            Requirement::AtLeast(rule) => (rule.n, rule.of.iter().filter_map(comparison).collect()),
            Requirement::AnyOf(of) => (1, of.iter().filter_map(comparison).collect()),
            other => (1, comparison(other).into_iter().collect()),
        })
        .collect()
}

fn comparison(requirement: &Requirement) -> Option<&Comparison> {
    match requirement {
        Requirement::Metric(rule) => Some(rule),
        Requirement::Labelled(rule) => comparison(&rule.requirement),
        _ => None,
    }
}

fn threshold(program: &Program, rule: &Comparison, at: Standpoint<'_>) -> Result<(&'static str, i64), AppError> {
    let unknown = || AppError::internal("a threshold that the comparison in SQL does not know");
    let metric = METRICS.iter().find(|(key, _)| rule.metric.as_deref() == Some(key)).ok_or_else(unknown)?;
    let threshold = rule.at_least.as_ref().and_then(|scoped| program.geography.resolve(scoped, at)).ok_or_else(unknown)?;
    let value = threshold.value.to_scaled(metric.1).ok_or_else(unknown)?;
    Ok((metric.0, i64::try_from(value).map_err(AppError::internal)?))
}
