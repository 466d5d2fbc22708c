//! Transactions, holdings, activities and deals.

use std::collections::HashMap;

use super::{DEFAULT_SOURCE, Reader};
use crate::facts::input::{ActivityInput, DealInput, HoldingInput, TransactionInput};
use crate::facts::{Activity, Deal, FactId, Holding, Transaction};

/// The identity of a fact: its source and its id. Facts of [`DEFAULT_SOURCE`], named or not, are numbered by their partner.
type Identity = (Option<String>, FactId);

/// Facts that were read already, each with its partner: an id names one fact of its source, whoever it is booked under.
#[derive(Default)]
pub(super) struct Seen {
    transactions: HashMap<Identity, (String, Transaction)>,
    holdings: HashMap<Identity, (String, Holding)>,
    activities: HashMap<Identity, (String, Activity)>,
    deals: HashMap<Identity, (String, Deal)>,
}

/// A fact with what decides whether it is new.
struct Candidate<'f, F> {
    partner: &'f str,
    id: &'f FactId,
    fact: &'f F,
}

impl Reader<'_> {
    /// Whether the fact is new. The same again counts once; another content under the same id is refused.
    fn is_new<F: Clone + PartialEq>(&mut self, seen: &mut HashMap<Identity, (String, F)>, candidate: &Candidate<'_, F>, path: &str) -> bool {
        let Candidate { partner, id, fact } = candidate;
        let identity = ((id.source == DEFAULT_SOURCE).then(|| (*partner).to_owned()), (*id).clone());
        match seen.get(&identity) {
            Some((owner, known)) => {
                if owner != partner || known != *fact {
                    let message = format!(
                        "another fact of the source `{}` has the id `{}` and another content: ids are unique in their source",
                        id.source, id.external_id
                    );
                    self.fault("CONFLICT", format!("{path}.id"), message);
                }
                false
            }
            None => {
                seen.insert(identity, ((*partner).to_owned(), (*fact).clone()));
                true
            }
        }
    }

    /// Sale lines, by date, source and id.
    pub(super) fn transactions(&mut self, partner: &str, inputs: &[TransactionInput], path: &str, seen: &mut Seen) -> Vec<Transaction> {
        let mut lines = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("{path}.transactions[{at}]");
            self.region(input.region.as_ref(), &path);
            self.category(input.category.as_ref(), &path);
            let Some(line) = self.collect(&path, self.filling.transaction(input)) else { continue };
            if self.is_new(&mut seen.transactions, &Candidate { partner, id: &line.id, fact: &line }, &path) {
                lines.push(line);
            }
        }
        lines.sort_by(|one, other| (one.date, &one.id).cmp(&(other.date, &other.id)));
        lines
    }

    /// The lines of an order, as they are listed.
    pub(super) fn order(&mut self, inputs: &[TransactionInput]) -> Vec<Transaction> {
        let mut lines = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("order[{at}]");
            self.region(input.region.as_ref(), &path);
            self.category(input.category.as_ref(), &path);
            lines.extend(self.collect(&path, self.filling.transaction(input)));
        }
        lines
    }

    /// Holdings, by first day, source and id.
    pub(super) fn holdings(&mut self, partner: &str, inputs: &[HoldingInput], path: &str, seen: &mut Seen) -> Vec<Holding> {
        let mut holdings = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("{path}.holdings[{at}]");
            self.region(input.region.as_ref(), &path);
            self.category(input.category.as_ref(), &path);
            self.code(&input.kind, format!("{path}.kind"));
            let Some(holding) = self.collect(&path, self.filling.holding(input)) else { continue };
            if self.is_new(&mut seen.holdings, &Candidate { partner, id: &holding.id, fact: &holding }, &path) {
                holdings.push(holding);
            }
        }
        holdings.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
        holdings
    }

    /// Activities, by date, source and id.
    pub(super) fn activities(&mut self, partner: &str, inputs: &[ActivityInput], path: &str, seen: &mut Seen) -> Vec<Activity> {
        let mut activities = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("{path}.activities[{at}]");
            self.region(input.region.as_ref(), &path);
            self.code(&input.kind, format!("{path}.kind"));
            let Some(activity) = self.collect(&path, self.filling.activity(input)) else { continue };
            if self.is_new(&mut seen.activities, &Candidate { partner, id: &activity.id, fact: &activity }, &path) {
                activities.push(activity);
            }
        }
        activities.sort_by(|one, other| (one.date, &one.id).cmp(&(other.date, &other.id)));
        activities
    }

    /// Deals, by day of registration, source and id.
    pub(super) fn deals(&mut self, partner: &str, inputs: &[DealInput], path: &str, seen: &mut Seen) -> Vec<Deal> {
        let mut deals = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("{path}.deals[{at}]");
            self.region(input.region.as_ref(), &path);
            let Some(deal) = self.collect(&path, self.filling.deal(input)) else { continue };
            if self.is_new(&mut seen.deals, &Candidate { partner, id: &deal.id, fact: &deal }, &path) {
                deals.push(deal);
            }
        }
        deals.sort_by(|one, other| (one.opened_on, &one.id).cmp(&(other.opened_on, &other.id)));
        deals
    }
}
