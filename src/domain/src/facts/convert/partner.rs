//! Partners: profiles, enrollments, tiers on record, overrides, admissions, contracts, exceptions.

use std::collections::BTreeMap;

use super::Reader;
use super::fact::Seen;
use crate::date::{Date, Span};
use crate::document::validate::{contract_terms_faults, term_grant_faults};
use crate::facts::input::{AdmissionInput, AssignmentInput, ContractInput, EnrollmentInput, ExceptionInput, OverrideInput, PartnerInput, ProfileInput};
use crate::facts::read::read_profile;
use crate::facts::{Contract, Enrollment, EntitlementException, OverrideKind, PartnerFacts, PartnerProfile, TierAdmission, TierAssignment, TierOverride};

/// Partners may stand so many one above the other.
const MAX_ANCESTORS: usize = 32;

impl Reader<'_> {
    /// All partners, by code.
    pub(super) fn partners(&mut self, inputs: &[PartnerInput]) -> BTreeMap<String, PartnerFacts> {
        let mut partners = BTreeMap::new();
        let mut seen = Seen::default();
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("partners[{at}]");
            self.code(&input.code, format!("{path}.code"));
            let partner = self.partner(input, &path, &mut seen);
            if partners.insert(input.code.clone(), partner).is_some() {
                self.fault("DUPLICATE_KEY", format!("{path}.code"), format!("two partners have the code `{}`: put their facts together", input.code));
            }
        }
        self.ancestors(inputs, &partners);
        partners
    }

    fn partner(&mut self, input: &PartnerInput, path: &str, seen: &mut Seen) -> PartnerFacts {
        PartnerFacts {
            code: input.code.clone(),
            profiles: self.profiles(input, path),
            enrollments: self.enrollments(&input.enrollments, path),
            assignments: self.assignments(&input.assignments, path),
            overrides: self.overrides(&input.overrides, path),
            admissions: self.admissions(&input.admissions, path),
            contracts: self.contracts(&input.contracts, path),
            exceptions: self.exceptions(&input.exceptions, path),
            transactions: self.transactions(&input.code, &input.transactions, path, seen),
            sums: Vec::new(),
            holdings: self.holdings(&input.code, &input.holdings, path, seen),
            activities: self.activities(&input.code, &input.activities, path, seen),
            deals: self.deals(&input.code, &input.deals, path, seen),
        }
    }

    fn profiles(&mut self, input: &PartnerInput, path: &str) -> Vec<PartnerProfile> {
        let mut profiles: Vec<PartnerProfile> = Vec::with_capacity(input.attributes.len());
        for (at, profile) in input.attributes.iter().enumerate() {
            let path = format!("{path}.attributes[{at}]");
            let read = self.profile(&input.code, profile, &path);
            if profiles.iter().any(|earlier| earlier.from == read.from) {
                self.fault("CONFLICT", format!("{path}.from"), "another profile begins on the same day: a profile is whole, so put them together");
            }
            profiles.push(read);
        }
        profiles.sort_by_key(|profile| profile.from);
        if profiles.is_empty() {
            profiles.push(read_profile(&input.code, &ProfileInput::default()));
        }
        profiles
    }

    fn profile(&mut self, code: &str, input: &ProfileInput, path: &str) -> PartnerProfile {
        self.partner_type(input.r#type.as_ref(), format!("{path}.type"));
        self.region(input.region.as_ref(), path);
        if let Some(parent) = &input.parent {
            self.code(parent, format!("{path}.parent"));
        }
        read_profile(code, input)
    }

    /// Refuses partners that are their own ancestors on some date, and trees that are too deep. A circle closes on a day on
    /// which one of its partners changes, so each is asked on its own days only.
    fn ancestors(&mut self, inputs: &[PartnerInput], partners: &BTreeMap<String, PartnerFacts>) {
        let parent_on = |code: &str, date: Date| partners.get(code).and_then(|partner| partner.profile(date)).and_then(|profile| profile.parent.as_deref());
        for (at, input) in inputs.iter().enumerate() {
            let days = partners.get(&input.code).into_iter().flat_map(|partner| &partner.profiles).filter(|profile| profile.parent.is_some());
            for date in days.map(|profile| profile.from) {
                let above = std::iter::successors(parent_on(&input.code, date), |code| parent_on(code, date)).take(MAX_ANCESTORS + 1);
                let (steps, circular) = above.fold((0, false), |(steps, circular), code| (steps + 1, circular || code == input.code));
                let path = format!("partners[{at}].attributes");
                if circular {
                    self.fault("CYCLE", path, format!("as of {date} `{}` is its own ancestor: correct `parent` of one of them", input.code));
                    break;
                }
                if steps > MAX_ANCESTORS {
                    self.fault("TOO_DEEP", path, format!("as of {date} more than {MAX_ANCESTORS} partners stand one above the other over `{}`", input.code));
                    break;
                }
            }
        }
    }

    /// Without any, the partner is enrolled from the beginning.
    fn enrollments(&mut self, inputs: &[EnrollmentInput], path: &str) -> Vec<Enrollment> {
        if inputs.is_empty() {
            return vec![Enrollment { since: Date::MIN, until: None, track: None, region: None }];
        }
        let mut enrollments = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("{path}.enrollments[{at}]");
            self.partner_type(input.track.as_ref(), format!("{path}.track"));
            self.region(input.region.as_ref(), &path);
            self.span(input.since, input.until, &path);
            enrollments.push(Enrollment { since: input.since, until: input.until, track: input.track.clone(), region: input.region.clone() });
        }
        enrollments.sort_by_key(|enrollment| enrollment.since);
        enrollments
    }

    /// A tier without an end is held until the next one of the same ladder and region begins.
    fn assignments(&mut self, inputs: &[AssignmentInput], path: &str) -> Vec<TierAssignment> {
        let mut read: Vec<(usize, TierAssignment)> = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("{path}.assignments[{at}]");
            self.region(input.region.as_ref(), &path);
            self.span(input.from, input.until, &path);
            let Some(ladder) = self.ladder(input.ladder.as_ref(), &path) else { continue };
            self.tier(ladder, input.tier.as_ref(), &path);
            self.place(ladder, input.region.as_ref(), &path);
            let assignment = TierAssignment {
                ladder: ladder.key.clone(),
                region: input.region.clone(),
                tier: input.tier.clone(),
                from: input.from,
                until: input.until,
                cause: input.cause,
            };
            read.push((at, assignment));
        }
        read.sort_by_key(|(_, held)| held.from);
        for index in 0..read.len() {
            let Some((_, held)) = read.get(index).cloned() else { continue };
            let next = read.iter().skip(index + 1).find(|(_, later)| later.ladder == held.ladder && later.region == held.region);
            let Some((at, from)) = next.map(|(at, next)| (*at, next.from)) else { continue };
            if held.until.is_some_and(|until| until > from) || held.from == from {
                let message = format!("on {from} another tier of the ladder `{}` is held: a partner has one at a time", held.ladder);
                self.fault("OVERLAP", format!("{path}.assignments[{at}].from"), message);
            } else if let (None, Some((_, held))) = (held.until, read.get_mut(index)) {
                held.until = Some(from);
            }
        }
        read.into_iter().map(|(_, held)| held).collect()
    }

    fn overrides(&mut self, inputs: &[OverrideInput], path: &str) -> Vec<TierOverride> {
        let mut overrides: Vec<TierOverride> = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("{path}.overrides[{at}]");
            self.region(input.region.as_ref(), &path);
            let span = self.span(input.from, input.until, &path);
            if span.is_empty() {
                self.fault("EMPTY_SPAN", format!("{path}.until"), "it holds on no day: `until` is the first day without it, write a later one");
            }
            if input.tier.is_none() && input.kind != OverrideKind::Pin {
                self.fault("MISSING_MEMBER", format!("{path}.tier"), "only a PIN may be to no tier: name the tier");
            }
            if input.approved_by.is_some() && input.approved_by == input.proposed_by {
                self.fault("SEGREGATION_OF_DUTIES", format!("{path}.approvedBy"), "somebody else than the one who proposed it must approve it");
            }
            let Some(ladder) = self.ladder(input.ladder.as_ref(), &path) else { continue };
            self.tier(ladder, input.tier.as_ref(), &path);
            self.place(ladder, input.region.as_ref(), &path);
            let same = |other: &&TierOverride| other.ladder == ladder.key && other.region == input.region && other.kind == input.kind;
            if overrides.iter().filter(same).any(|other| !other.span.intersect(span).is_empty()) {
                self.fault("OVERLAP", format!("{path}.from"), "another override of this kind holds on some of these days: end it first");
            }
            let held = TierOverride {
                ladder: ladder.key.clone(),
                region: input.region.clone(),
                kind: input.kind,
                tier: input.tier.clone(),
                span,
                reason: input.reason.clone(),
                proposed_by: input.proposed_by.clone(),
                approved_by: input.approved_by.clone(),
            };
            overrides.extend(Some(held).filter(TierOverride::in_effect));
        }
        overrides
    }

    fn admissions(&mut self, inputs: &[AdmissionInput], path: &str) -> Vec<TierAdmission> {
        let mut admissions = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("{path}.admissions[{at}]");
            self.region(input.region.as_ref(), &path);
            let span = self.span(input.from, input.until, &path);
            let Some(ladder) = self.ladder(input.ladder.as_ref(), &path) else { continue };
            self.tier(ladder, Some(&input.tier), &path);
            self.place(ladder, input.region.as_ref(), &path);
            admissions.push(TierAdmission { ladder: ladder.key.clone(), region: input.region.clone(), tier: input.tier.clone(), kind: input.kind, span });
        }
        admissions
    }

    fn contracts(&mut self, inputs: &[ContractInput], path: &str) -> Vec<Contract> {
        let mut contracts: Vec<Contract> = Vec::with_capacity(inputs.len());
        let document = self.vocabulary.document;
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("{path}.contracts[{at}]");
            self.code(&input.key, format!("{path}.key"));
            if contracts.iter().any(|other| other.key == input.key) {
                self.fault("DUPLICATE_KEY", format!("{path}.key"), format!("two contracts have the number `{}`", input.key));
            }
            if let Some(template) = &input.template {
                self.known("contract template", template, &format!("{path}.template"), document.contract_templates.iter().map(|known| known.key.as_str()));
            }
            self.faults.0.extend(contract_terms_faults(document, &input.terms, &format!("{path}.terms")).0);
            let span: Span = self.span(input.from, input.until, &path);
            contracts.push(Contract { key: input.key.clone(), template: input.template.clone(), status: input.status, span, terms: input.terms.clone() });
        }
        contracts
    }

    fn exceptions(&mut self, inputs: &[ExceptionInput], path: &str) -> Vec<EntitlementException> {
        let document = self.vocabulary.document;
        let mut exceptions = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("{path}.exceptions[{at}]");
            self.faults.0.extend(term_grant_faults(document, &input.grant, &format!("{path}.grant")).0);
            let span = self.span(input.from, input.until, &path);
            exceptions.push(EntitlementException { grant: input.grant.clone(), span, reason: input.reason.clone() });
        }
        exceptions
    }
}
