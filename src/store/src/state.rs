//! A partner's own state in one statement: profiles, enrollments, tiers on record, overrides, admissions, contracts, exceptions.
//!
//! Each kind is one branch of a UNION ALL over the same columns: kind, six texts and two dates. That is one round trip instead of
//! seven, on the path that every question about a partner takes.

use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::{Contract, Enrollment, EntitlementException, PartnerFacts, PartnerProfile, TierAdmission, TierAssignment, TierOverride};
use sea_orm::{DbBackend, QueryResult};

use crate::PartnerId;
use crate::convert::{Row, region_of_key};
use crate::facts::{FactsPlan, Gathered};
use crate::fault::StoreError;
use crate::sql::{Parameters, is_one_of_uuids, uuids};
use crate::tx::ReadTx;

/// The branches: the kind, its table (named `s`), its columns `a` to `h`, `from_on`, `until_on`. `{ids}` is the condition on the
/// partners, `$2` the program.
const BRANCHES: [&str; 8] = [
    "SELECT s.partner_id, 'PROFILE' AS part, s.name AS a, s.partner_type AS b, s.region AS c, parent.code AS d, s.currency AS e, s.status AS f, \
     s.attributes AS g, NULL AS h, s.from_on AS from_on, s.from_on AS until_on FROM partner_profile s LEFT JOIN partner parent ON parent.id = s.parent_id \
     WHERE {ids}",
    "SELECT s.partner_id, 'ENROLLMENT', s.track, s.region_key, NULL, NULL, NULL, NULL, NULL, NULL, s.since_on, s.until_on FROM enrollment s \
     WHERE {ids} AND s.program_id = $2",
    "SELECT s.partner_id, 'ASSIGNMENT', s.ladder, s.region_key, s.tier, s.cause, NULL, NULL, NULL, NULL, s.from_on, s.until_on FROM tier_assignment s \
     WHERE {ids} AND s.program_id = $2",
    "SELECT s.partner_id, 'ASSIGNED', s.ladder, s.region_key, NULLIF(s.reviewed_tier, ''), 'PROMOTION', NULL, NULL, NULL, NULL, s.from_on, s.until_on \
     FROM tier_assignment s WHERE {ids} AND s.program_id = $2 AND s.reviewed_tier IS NOT NULL",
    "SELECT s.partner_id, 'OVERRIDE', s.ladder, s.region_key, s.tier, s.kind, s.reason, s.proposed_by, s.approved_by, NULL, s.from_on, s.until_on \
     FROM tier_override s WHERE {ids} AND s.program_id = $2 AND s.state = 'APPROVED'",
    "SELECT s.partner_id, 'ADMISSION', s.ladder, s.region_key, s.tier, s.kind, NULL, NULL, NULL, NULL, s.from_on, s.until_on FROM tier_admission s \
     WHERE {ids} AND s.program_id = $2",
    "SELECT s.partner_id, 'CONTRACT', s.number, s.template, s.status, s.terms, NULL, NULL, NULL, NULL, s.from_on, s.until_on FROM contract s \
     WHERE {ids} AND s.program_id = $2",
    "SELECT s.partner_id, 'EXCEPTION', s.term, s.reason, NULL, NULL, NULL, NULL, NULL, NULL, s.from_on, s.until_on FROM entitlement_exception s \
     WHERE {ids} AND s.program_id = $2",
];

impl ReadTx {
    /// Loads the state of the partners: one statement.
    pub(crate) async fn load_state(&self, ids: &[PartnerId], plan: &FactsPlan, gathered: &mut Gathered) -> Result<(), StoreError> {
        let condition = is_one_of_uuids(self.backend(), "s.partner_id", 1);
        let branches: Vec<String> = BRANCHES.iter().map(|branch| branch.replace("{ids}", &condition)).collect();
        // The branches' texts have different collations; naming one makes the order the same on both databases.
        let collation = if self.backend() == DbBackend::Postgres { "\"C\"" } else { "BINARY" };
        let sql = format!(
            "SELECT * FROM ({}) AS state ORDER BY partner_id, part, from_on, a COLLATE {collation}, b COLLATE {collation}",
            branches.join(" UNION ALL ")
        );
        let parameters = Parameters(vec![uuids(self.backend(), ids), plan.program.into()]);
        self.gather(sql, parameters, gathered, keep).await?;
        gathered.values_mut().for_each(|facts| facts.assignments.sort_by_key(|held| held.from));
        Ok(())
    }
}

/// The branches that say who took part and held which tier; with `profiles`, where. `{window}` is a join that picks partners, `$1`
/// the program.
pub(crate) fn standing_branches(profiles: bool) -> Vec<String> {
    let wanted = |branch: &&&str| {
        ["'ENROLLMENT'", "'ASSIGNMENT'", "'ASSIGNED'", "'OVERRIDE'"].iter().any(|part| branch.contains(part)) || (profiles && branch.contains("'PROFILE'"))
    };
    let mut branches: Vec<String> =
        BRANCHES.iter().filter(wanted).map(|branch| branch.replace("$2", "$1").replace(" WHERE {ids}", "{window} WHERE TRUE")).collect();
    // The first one names the columns, whichever it is.
    if let Some(first) = branches.first_mut().filter(|first| !first.contains(" AS part")) {
        *first = first.replace("'ENROLLMENT', s.track, s.region_key, NULL, NULL, NULL, NULL, NULL, NULL, s.since_on, s.until_on", "'ENROLLMENT' AS part, s.track AS a, s.region_key AS b, NULL AS c, NULL AS d, NULL AS e, NULL AS f, NULL AS g, NULL AS h, s.since_on AS from_on, s.until_on AS until_on");
    }
    branches
}

pub(crate) fn keep(row: &QueryResult, facts: &mut PartnerFacts) -> Result<(), StoreError> {
    let row = Row::new(row, "partner state");
    match row.text(1)?.as_str() {
        "PROFILE" => facts.profiles.push(profile(&row)?),
        "ENROLLMENT" => {
            facts.enrollments.push(Enrollment { since: row.date(10)?, until: row.maybe_date(11)?, track: row.get(2)?, region: region_of_key(row.get(3)?) })
        }
        // What a review had given comes before the override that took its place on the same day.
        "ASSIGNED" | "ASSIGNMENT" => facts.assignments.push(TierAssignment {
            ladder: row.get(2)?,
            region: region_of_key(row.get(3)?),
            tier: row.get(4)?,
            from: row.date(10)?,
            until: row.maybe_date(11)?,
            cause: row.text_enum(5)?,
        }),
        "OVERRIDE" => facts.overrides.push(TierOverride {
            ladder: row.get(2)?,
            region: region_of_key(row.get(3)?),
            kind: row.text_enum(5)?,
            tier: row.get(4)?,
            span: row.span(10)?,
            reason: row.get(6)?,
            proposed_by: row.get(7)?,
            approved_by: row.get(8)?,
        }),
        "ADMISSION" => facts.admissions.push(TierAdmission {
            ladder: row.get(2)?,
            region: region_of_key(row.get(3)?),
            tier: row.get(4)?,
            kind: row.text_enum(5)?,
            span: row.span(10)?,
        }),
        "CONTRACT" => facts.contracts.push(Contract {
            key: row.get(2)?,
            template: row.get(3)?,
            status: row.text_enum(4)?,
            span: open_end(row.date(10)?, row.maybe_date(11)?),
            terms: row.json(5)?,
        }),
        "EXCEPTION" => facts.exceptions.push(EntitlementException { grant: row.json(2)?, span: row.span(10)?, reason: row.get(3)? }),
        other => return Err(StoreError::corrupt("partner state", other)),
    }
    Ok(())
}

fn profile(row: &Row<'_>) -> Result<PartnerProfile, StoreError> {
    Ok(PartnerProfile {
        from: row.date(10)?,
        name: row.get(2)?,
        partner_type: row.get(3)?,
        region: row.get(4)?,
        parent: row.get(5)?,
        currency: row.maybe_currency(6)?,
        status: row.text_enum(7)?,
        attributes: row.attributes(8)?,
    })
}

fn open_end(from: Date, until: Option<Date>) -> Span {
    Span::new(from, until.unwrap_or(Date::MAX))
}
