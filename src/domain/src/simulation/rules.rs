//! The rules of a hypothesis: another version, or the one in force with changes.

use std::sync::Arc;

use super::delta::levelling_differs;
use crate::date::Date;
use crate::document::Document;
use crate::document::patch::{RuleChange, apply_changes};
use crate::document::validate::validate;
use crate::fault::Faults;
use crate::levelling::going_on_since;
use crate::program::Program;

/// Which rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RulesInForce {
    /// Those in force.
    AsTheyAre,
    /// Those of a document: a draft, or one that was never published.
    Document(Box<Document>),
    /// Those of a version that was published, by what was checked then.
    Published(Box<Document>),
    /// Those in force, with changes.
    Changed(Vec<RuleChange>),
}

/// Two versions, ready to be judged side by side on a date.
#[derive(Debug, Clone)]
pub struct Hypothesis {
    /// The rules in force.
    pub before: Arc<Program>,
    /// The rules of the hypothesis; the same where nothing is different.
    pub after: Arc<Program>,
    /// The day on which the hypothesis really takes effect, where that is after the date and it is judged as if it did on it.
    pub takes_effect_later: Option<Date>,
}

/// The rules of a hypothesis beside those in force on `as_of`.
///
/// # Errors
/// Every fault of the given document, as publishing would report it; of a changed one those that the rules in force do not have already.
pub fn hypothetical(before: &Arc<Program>, rules: &RulesInForce, as_of: Date) -> Result<Hypothesis, Faults> {
    let unchanged = || Hypothesis { before: Arc::clone(before), after: Arc::clone(before), takes_effect_later: None };
    let (mut document, given) = match rules {
        RulesInForce::AsTheyAre => return Ok(unchanged()),
        RulesInForce::Document(document) | RulesInForce::Published(document) => (document.as_ref().clone(), true),
        RulesInForce::Changed(changes) if changes.is_empty() => return Ok(unchanged()),
        RulesInForce::Changed(changes) => (apply_changes(&before.document, changes)?, false),
    };
    // Judged as it is written, so that a fault is the document's own.
    faults_of(&document, rules, before).or(())?;
    let mut later = None;
    if !levelling_differs(&before.document, &document) {
        let own = &before.document.version;
        document.version.effective_on = own.effective_on;
        document.version.announced_on = own.announced_on;
        document.version.label.clone_from(&own.label);
    } else if !given || document.version.effective_on > as_of {
        later = given.then_some(document.version.effective_on);
        take_effect_on(&mut document, as_of, given);
    }
    document.scenarios.clear();
    let after = Program::compile_published(document)?;
    let since = going_on_since(before, &after);
    let after = after.with_levelling_since(since);
    Ok(Hypothesis { before: Arc::clone(before), after: Arc::new(after), takes_effect_later: later })
}

/// What speaks against judging by a document. A version that was published stands as it is, and so does what is not changed of it.
fn faults_of(document: &Document, rules: &RulesInForce, before: &Program) -> Faults {
    if matches!(rules, RulesInForce::Published(_)) {
        return Faults::new();
    }
    let mut faults = validate(document);
    if matches!(rules, RulesInForce::Changed(_)) && !faults.is_empty() {
        let known = validate(&before.document).0;
        faults.0.retain(|fault| !known.contains(fault));
    }
    faults
}

/// Lets a version take effect on a day; one that would take effect later is enforced on it too.
fn take_effect_on(document: &mut Document, day: Date, enforced: bool) {
    let header = &mut document.version;
    header.effective_on = day;
    header.announced_on = header.announced_on.filter(|announced| *announced <= day);
    header.enforced_on = header.enforced_on.filter(|from| *from > day && !enforced);
}
