//! Partners, and the tiers that they held.

use guerdon_domain::date::Date;
use guerdon_domain::facts::{AssignmentCause, Attributes, PartnerProfile, PartnerStatus};
use guerdon_domain::money::Currency;
use guerdon_store::{PartnerId, SeedAssignment, SeedPartner};

use super::random::Draws;
use super::shape::{Shape, Stream};

/// Leaves of the region tree; those that come twice have twice as many partners.
const REGIONS: [&str; 32] = [
    "DE", "DE", "DE", "AT", "CH", "GB", "GB", "IE", "IT", "ES", "PT", "SE", "NO", "DK", "FI", "FR", "FR", "US", "US", "US", "US", "CA", "BR", "BR", "MX", "AR",
    "JP", "IN", "AU", "NZ", "SG", "MY",
];
const TYPES: [&str; 3] = ["RESELLER", "MSP", "INTEGRATOR"];
const TIERS: [&str; 4] = ["BRONZE", "SILVER", "GOLD", "PLATINUM"];

/// The code of a partner.
pub fn code(partner: u32) -> String {
    format!("B{partner:07}")
}

/// The id of a partner: in the order of the codes, as identities that are given one after the other would be.
pub fn id(shape: &Shape, partner: u32) -> PartnerId {
    let random = shape.draws(Stream::Partner, [partner.into(), 1, 0]).id().as_u128();
    uuid::Builder::from_custom_bytes(((u128::from(partner) << 80) | (random & ((1 << 80) - 1))).to_be_bytes()).into_uuid()
}

/// A partner.
pub fn partner(shape: &Shape, partner: u32) -> SeedPartner {
    let mut draws = shape.draws(Stream::Partner, [partner.into(), 0, 0]);
    let joined = shape.from.plus_months(-48);
    let latest = shape.amounts.until.plus_months(-7).max(joined.next());
    let since = joined.plus_days(draws.days(u64::try_from(latest.days_since(joined)).unwrap_or(1)));
    let partner_type = draws.one_of(&TYPES).map(|key| (*key).to_owned());
    let profile = PartnerProfile {
        from: since,
        name: format!("Partner {partner:07} {}", draws.one_of(&["Systems", "Networks", "Consulting", "Trading", "Cloud"]).unwrap_or(&"Group")),
        partner_type: partner_type.clone(),
        region: draws.one_of(&REGIONS).map(|key| (*key).to_owned()),
        parent: None,
        currency: Some(Currency::USD),
        status: if draws.happens(1, 200) { PartnerStatus::Suspended } else { PartnerStatus::Active },
        attributes: Attributes::new(),
    };
    let enrollment = draws.id();
    SeedPartner {
        id: id(shape, partner),
        code: code(partner),
        profile,
        enrollment,
        since,
        track: partner_type,
        assignments: assignments(shape, partner, since),
    }
}

fn assignments(shape: &Shape, partner: u32, since: Date) -> Vec<SeedAssignment> {
    let mut draws = shape.draws(Stream::Tiers, [partner.into(), 0, 0]);
    let mut held = level(shape, partner, since, &mut draws);
    if draws.happens(shape.size(partner).rank() as u64, 8) {
        let tier = if draws.happens(1, 5) { "CLOUD_EXPERT" } else { "CLOUD_READY" };
        let from = since.plus_days(draws.days(200));
        held.push(assignment(&mut draws, "CLOUD", Some(tier), from, AssignmentCause::Enrolled));
    }
    held
}

fn assignment(draws: &mut Draws, ladder: &str, tier: Option<&str>, from: Date, cause: AssignmentCause) -> SeedAssignment {
    SeedAssignment { id: draws.id(), ladder: ladder.to_owned(), tier: tier.map(str::to_owned), from, until: None, cause }
}

/// One step a year towards the tier of its size, and sometimes back; nothing in the last six months, which benches review.
fn level(shape: &Shape, partner: u32, since: Date, draws: &mut Draws) -> Vec<SeedAssignment> {
    let target = shape.size(partner).rank() - usize::from(draws.happens(1, 3));
    let mut rank = usize::from(draws.happens(1, 2));
    let key = |rank: usize| rank.checked_sub(1).and_then(|at| TIERS.get(at)).copied();
    let mut held = vec![assignment(draws, "LEVEL", key(rank), since, AssignmentCause::Enrolled)];
    let mut day = since.first_of_month();
    loop {
        day = day.plus_months(i32::try_from(6 + draws.below(10)).unwrap_or(12));
        let back = rank == target && rank > 0 && draws.happens(1, 6);
        if day > shape.amounts.until.plus_months(-6) || held.len() >= 6 || (rank == target && !back) {
            return held;
        }
        let cause = if back { AssignmentCause::Demotion } else { AssignmentCause::Promotion };
        rank = if back { rank - 1 } else { rank + 1 };
        if let Some(last) = held.last_mut() {
            last.until = Some(day);
        }
        held.push(assignment(draws, "LEVEL", key(rank), day, cause));
    }
}
