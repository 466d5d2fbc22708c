//! Since when the rules of levelling of a version hold: a version of other rates goes on with those of the one before.

use crate::date::Date;
use crate::document::Document;
use crate::document::ladder::ReviewPolicy;
use crate::program::Program;
use crate::simulation::levelling_differs;

/// Since when the rules of levelling of `after` hold, where they are those of the version before it. What was stated for a time that is over
/// when `after` takes effect (enforcement, protection) cannot be stated again: then they hold since the last of it ended.
pub(crate) fn going_on_since(before: &Program, after: &Program) -> Option<Date> {
    let mut over = Vec::new();
    let (mine, theirs) = (lasting(&before.document, after.effective_on(), &mut over), lasting(&after.document, after.effective_on(), &mut over));
    let since = over.into_iter().fold(before.levelling_since(), Date::max);
    (!levelling_differs(&mine, &theirs)).then_some(since)
}

/// A version without what it states for a time that is over on a day.
fn lasting(document: &Document, day: Date, over: &mut Vec<Date>) -> Document {
    let mut document = Document { scenarios: Vec::new(), ..document.clone() };
    let ladders = document.ladders.iter_mut();
    let policies = ladders.flat_map(|ladder| std::iter::once(&mut ladder.review).chain(ladder.tiers.iter_mut().filter_map(|tier| tier.review.as_mut())));
    let protected = policies.map(|policy: &mut ReviewPolicy| &mut policy.protected_until);
    for until in protected.chain([&mut document.version.enforced_on]) {
        over.extend(until.take_if(|until| *until <= day));
    }
    document
}
