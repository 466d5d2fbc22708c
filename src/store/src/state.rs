//! A partner's own state in one statement: who it is, and its profiles, enrollments, tiers on record, overrides, admissions, contracts,
//! exceptions.
//!
//! Each kind is one branch of a UNION ALL over the same columns: kind, eight texts and two dates. That is one round trip instead of
//! eight, on the path that every question about a partner takes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::{Contract, Enrollment, EntitlementException, PartnerFacts, PartnerProfile, TierAdmission, TierAssignment, TierOverride};

use crate::PartnerId;
use crate::answered::StateAsked;
use crate::convert::{Row, region_of_key};
use crate::facts::{FactsPlan, Gathered};
use crate::fault::StoreError;
use crate::scope::within;
use crate::sql::Parameters;
use crate::tx::ReadTx;
use crate::whose::Whose;

/// One kind of what is on record about a partner.
struct Branch {
    part: &'static str,
    /// Its table, named `s`; each has a past of its own, `<table>_past`.
    table: &'static str,
    /// What is answered: six texts and two more of them (`a` to `h`), `from_on`, `until_on`.
    columns: [&'static str; 10],
    /// Which rows; `{program}` is the program's parameter.
    condition: &'static str,
}

/// Looked up for those who have one: joined, all partners were read to find a few.
const PARENT: &str = "(SELECT parent.code FROM partner parent WHERE parent.id = s.parent_id)";
const NAMES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "from_on", "until_on"];
/// The part of tiers that a review had given, before an override of the same day took their place.
pub(crate) const REVIEWED: &str = "ASSIGNED";
const OF_PROGRAM: &str = " AND s.program_id = {program}";

const BRANCHES: [Branch; 8] = [
    Branch {
        part: "PROFILE",
        table: "partner_profile",
        columns: ["s.name", "s.partner_type", "s.region", PARENT, "s.currency", "s.status", "s.attributes", "NULL", "s.from_on", "s.from_on"],
        condition: "",
    },
    Branch {
        part: "ENROLLMENT",
        table: "enrollment",
        columns: ["s.track", "s.region_key", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "s.since_on", "s.until_on"],
        condition: OF_PROGRAM,
    },
    Branch {
        part: "ASSIGNMENT",
        table: "tier_assignment",
        columns: ["s.ladder", "s.region_key", "s.tier", "s.cause", "NULL", "NULL", "NULL", "NULL", "s.from_on", "s.until_on"],
        condition: OF_PROGRAM,
    },
    Branch {
        part: REVIEWED,
        table: "tier_assignment",
        columns: ["s.ladder", "s.region_key", "NULLIF(s.reviewed_tier, '')", "'PROMOTION'", "NULL", "NULL", "NULL", "NULL", "s.from_on", "s.until_on"],
        condition: " AND s.program_id = {program} AND s.reviewed_tier IS NOT NULL",
    },
    Branch {
        part: "OVERRIDE",
        table: "tier_override",
        columns: ["s.ladder", "s.region_key", "s.tier", "s.kind", "s.reason", "s.proposed_by", "s.approved_by", "NULL", "s.from_on", "s.until_on"],
        condition: " AND s.program_id = {program} AND s.state = 'APPROVED'",
    },
    Branch {
        part: "ADMISSION",
        table: "tier_admission",
        columns: ["s.ladder", "s.region_key", "s.tier", "s.kind", "NULL", "NULL", "NULL", "NULL", "s.from_on", "s.until_on"],
        condition: OF_PROGRAM,
    },
    Branch {
        part: "CONTRACT",
        table: "contract",
        columns: ["s.number", "s.template", "s.status", "s.terms", "NULL", "NULL", "NULL", "NULL", "s.from_on", "s.until_on"],
        condition: OF_PROGRAM,
    },
    Branch {
        part: "EXCEPTION",
        table: "entitlement_exception",
        columns: ["s.term", "s.reason", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "s.from_on", "s.until_on"],
        condition: OF_PROGRAM,
    },
];

impl Branch {
    fn select(&self, table: &str, join: &str, condition: &str) -> String {
        let columns: Vec<String> = self.columns.iter().zip(NAMES).map(|(column, name)| format!("{column} AS {name}")).collect();
        format!("SELECT s.partner_id AS partner_id, '{}' AS part, {} FROM {table} s{join} WHERE {condition}{}", self.part, columns.join(", "), self.condition)
    }
}

/// The statement over these branches: as they are now, or as they were on record after change number `records`. `join` and
/// `condition` pick partners, `program` is the program's parameter.
fn union(branches: &[&Branch], (join, condition): (&str, &str), program: &str, records: Option<i64>) -> String {
    let of = |branch: &&Branch| match records {
        None => vec![branch.select(branch.table, join, condition)],
        Some(last) => as_of_record(branch.table, last).map(|(table, known)| branch.select(&table, join, &format!("{condition} AND {known}"))).to_vec(),
    };
    branches.iter().flat_map(of).collect::<Vec<_>>().join(" UNION ALL ").replace("{program}", program)
}

/// Where the rows of a table (named `s`) are that were on record after change number `last`: those that still are, and those of its
/// past. Each with its condition.
pub(crate) fn as_of_record(table: &str, last: i64) -> [(String, String); 2] {
    [
        (table.to_owned(), format!("s.recorded_number <= {last}")),
        (format!("{table}_past"), format!("s.recorded_number <= {last} AND s.superseded_number > {last}")),
    ]
}

/// What is on record about partners.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoadedState {
    /// The partners asked for that lie in scope, with their codes.
    pub(crate) roots: BTreeMap<PartnerId, String>,
    /// Their state, and that of the partners below where these are asked for too.
    pub(crate) gathered: Gathered,
}

/// Partners of a question whose state a snapshot keeps at most: more than a page belong to work in parts, which asks for each part once.
const KEPT_PARTNERS_MAX: usize = 200;

/// Who is meant: `asked (id, code)` are the partners asked for that lie in scope, `reached (id, code, root)` these and, with `subtree`,
/// whoever was below them at any time: what is loaded of him tells when. A run may have known what is on record no more.
fn reached(asked: &str, plan: &FactsPlan) -> String {
    if !plan.subtree {
        return format!("WITH reached (id, code, root) AS (SELECT id, code, TRUE FROM ({asked}) AS asked)");
    }
    let below = if plan.records.is_some() {
        "(SELECT partner_id, parent_id FROM partner_profile UNION ALL SELECT partner_id, parent_id FROM partner_profile_past)"
    } else {
        "partner_profile"
    };
    format!(
        "WITH RECURSIVE asked (id, code) AS ({asked}), down (id) AS (SELECT id FROM asked UNION \
         SELECT f.partner_id FROM {below} f JOIN down ON f.parent_id = down.id), reached (id, code, root) AS (\
         SELECT p.id, p.code, EXISTS (SELECT 1 FROM asked WHERE asked.id = p.id) FROM down JOIN partner p ON p.id = down.id)"
    )
}

/// Of whoever is reached.
const OF_REACHED: &str = "s.partner_id IN (SELECT id FROM reached)";

/// The state of those whom the condition picks; the program is the first parameter.
fn parts(condition: &str, records: Option<i64>) -> String {
    let branches: Vec<&Branch> = BRANCHES.iter().collect();
    union(&branches, ("", condition), "$1", records)
}

/// As it is now, which almost every question asks: spelled once.
static PARTS_NOW: LazyLock<String> = LazyLock::new(|| parts(OF_REACHED, None));

impl ReadTx {
    /// Loads the state of the partners that lie in scope: one statement, and none where this snapshot has answered it before.
    pub(crate) async fn load_state(&self, scope: &Scope, ids: &[PartnerId], whose: Whose<'_>, plan: &FactsPlan) -> Result<LoadedState, StoreError> {
        let kept = self.answered.as_ref().filter(|_| ids.len() <= KEPT_PARTNERS_MAX);
        let Some(answered) = kept else { return self.ask_for_state(scope, ids, whose, plan).await };
        let ids: Vec<PartnerId> = BTreeSet::from_iter(ids.iter().copied()).into_iter().collect();
        let asked = StateAsked { scope: scope.clone(), ids: ids.clone(), program: plan.program, subtree: plan.subtree, records: plan.records };
        let state = answered.states.or_ask(asked, async || Ok(Arc::new(self.ask_for_state(scope, &ids, Whose::Listed(&ids), plan).await?))).await?;
        Ok(LoadedState::clone(&state))
    }

    async fn ask_for_state(&self, scope: &Scope, ids: &[PartnerId], whose: Whose<'_>, plan: &FactsPlan) -> Result<LoadedState, StoreError> {
        let mut parameters = Parameters(vec![plan.program.into()]);
        let asked = whose.condition(self.backend(), "p.id", &mut parameters);
        let picked = match whose {
            Whose::Listed(_) => OF_REACHED.to_owned(),
            Whose::Between(..) => whose.condition(self.backend(), "s.partner_id", &mut parameters),
        };
        let within = within(self.backend(), "p", scope, &mut parameters);
        let reached = reached(&format!("SELECT p.id, p.code FROM partner p WHERE {asked} AND {within}"), plan);
        let parts = match (whose, plan.records) {
            (Whose::Listed(_), None) => Cow::Borrowed(PARTS_NOW.as_str()),
            (_, records) => Cow::Owned(parts(&picked, records)),
        };
        let sql = format!(
            "{reached} {parts} UNION ALL SELECT id, CASE WHEN root THEN 'ROOT' ELSE 'BELOW' END, code, \
             NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM reached"
        );
        let mut state = LoadedState::default();
        let mut reviewed: BTreeMap<PartnerId, Vec<TierAssignment>> = BTreeMap::new();
        let each = |row: &Row<'_>| {
            let (id, part) = (row.get(0)?, row.str(1)?);
            if part == REVIEWED {
                reviewed.entry(id).or_default().push(assignment(row)?);
                return Ok(());
            }
            let facts = state.gathered.entry(id).or_default();
            if !matches!(part, "ROOT" | "BELOW") {
                return keep(row, facts);
            }
            facts.code = row.text(2)?;
            if part == "ROOT" {
                state.roots.insert(id, facts.code.clone());
            }
            Ok(())
        };
        self.each_row(sql, parameters.0, "partner state", each).await?;
        if let Whose::Between(..) = whose {
            // Of a stretch whoever was not asked for, or lies outside the scope, is left out again.
            let asked: BTreeSet<PartnerId> = ids.iter().copied().collect();
            state.roots.retain(|id, _| asked.contains(id));
            state.gathered.retain(|id, _| state.roots.contains_key(id));
        }
        for (id, facts) in &mut state.gathered {
            in_order(facts, reviewed.remove(id).unwrap_or_default());
        }
        Ok(state)
    }
}

/// The rows that say who took part and held which tier; with `profiles`, where. `join` picks partners, `$1` is the program.
pub(crate) fn standing_rows(profiles: bool, join: &str, records: i64) -> String {
    let wanted = |branch: &&Branch| matches!(branch.part, "ENROLLMENT" | "ASSIGNMENT" | REVIEWED | "OVERRIDE") || (profiles && branch.part == "PROFILE");
    let branches: Vec<&Branch> = BRANCHES.iter().filter(wanted).collect();
    union(&branches, (join, "TRUE"), "$1", Some(records))
}

pub(crate) fn keep(row: &Row<'_>, facts: &mut PartnerFacts) -> Result<(), StoreError> {
    match row.str(1)? {
        "PROFILE" => facts.profiles.push(profile(row)?),
        "ENROLLMENT" => {
            facts.enrollments.push(Enrollment { since: row.date(10)?, until: row.maybe_date(11)?, track: row.get(2)?, region: region_of_key(row.get(3)?) })
        }
        "ASSIGNMENT" => facts.assignments.push(assignment(row)?),
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

pub(crate) fn assignment(row: &Row<'_>) -> Result<TierAssignment, StoreError> {
    Ok(TierAssignment {
        ladder: row.get(2)?,
        region: region_of_key(row.get(3)?),
        tier: row.get(4)?,
        from: row.date(10)?,
        until: row.maybe_date(11)?,
        cause: row.text_enum(5)?,
    })
}

/// Puts what is on record in the order of its first days; of one day in an order that is the same in both databases. Here, since that costs a
/// tenth of what the database asks for it. `reviewed` are the tiers that a review had given and an override of the same day replaced: they
/// come before it.
pub(crate) fn in_order(facts: &mut PartnerFacts, reviewed: Vec<TierAssignment>) {
    if !reviewed.is_empty() {
        let replacing = std::mem::replace(&mut facts.assignments, reviewed);
        facts.assignments.extend(replacing);
    }
    facts.profiles.sort_by_key(|profile| profile.from);
    facts.enrollments.sort_by(|a, b| (a.since, &a.track, &a.region).cmp(&(b.since, &b.track, &b.region)));
    facts.overrides.sort_by(|a, b| (a.span.from, &a.ladder, &a.region).cmp(&(b.span.from, &b.ladder, &b.region)));
    facts.admissions.sort_by(|a, b| (a.span.from, &a.ladder, &a.region).cmp(&(b.span.from, &b.ladder, &b.region)));
    facts.contracts.sort_by(|a, b| (a.span.from, &a.key, &a.template).cmp(&(b.span.from, &b.key, &b.template)));
    facts.exceptions.sort_by_cached_key(|held| (held.span.from, format!("{:?}", held.grant), held.reason.clone()));
    facts.assignments.sort_by_key(|held| held.from);
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
