//! What the database itself needs for the inputs of a review, and for the tiers alone: the floors that benches compare with.
//!
//! Every sum is used, since a planner leaves out what nobody asks for.

use guerdon_domain::date::{Date, Span};

use crate::ProgramId;
use crate::convert::Row;
use crate::fault::StoreError;
use crate::tx::ReadTx;

/// A threshold of a tier, for partners of a region and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierRule {
    /// The region of the partner.
    pub region: String,
    /// The type of the partner.
    pub partner_type: String,
    /// The rank of the tier.
    pub rank: u32,
    /// The group within the tier: of each group so many rules as `need` must be met.
    pub group: u32,
    /// So many.
    pub need: u32,
    /// How many groups the tier has.
    pub groups: u32,
    /// The metric.
    pub metric: &'static str,
    /// The least value: minor units, numbers, or 10^-8.
    pub at_least: i64,
}

/// What the tiers of the synthetic program are computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierInputs {
    /// The date.
    pub as_of: Date,
    /// The twelve months up to it; whole ones.
    pub year: Span,
    /// The twelve months before.
    pub year_before: Span,
    /// The categories whose share is measured.
    pub share_of: Vec<String>,
    /// Whether suspended partners and those that left are left out: reviews tell what they are good for, and nobody moves them.
    pub active_only: bool,
}

impl ReadTx {
    /// Reads what a review of everybody reads, folded to one figure a table; answers the sum of these figures.
    pub async fn read_review_inputs(&self, program: ProgramId, inputs: &TierInputs) -> Result<i64, StoreError> {
        let TierInputs { as_of, year, year_before, .. } = inputs;
        let statements = [
            format!(
                "SELECT CAST(SUM(s + n) AS BIGINT) FROM (SELECT m.partner_id, SUM(m.amount_minor) AS s, SUM(m.lines) AS n FROM transaction_monthly m \
                 WHERE m.month >= '{}' AND m.month < '{}' GROUP BY m.partner_id) AS sums",
                year_before.from, year.until
            ),
            format!("SELECT COUNT(*) + COUNT(DISTINCT h.holder) FROM holding h WHERE {}", held_on("h", *as_of)),
            format!(
                "SELECT CAST(SUM(a.value_units + a.value_fraction) AS BIGINT) FROM activity a WHERE a.occurred_on >= '{}' AND a.occurred_on < '{}'",
                year.from, year.until
            ),
            format!("SELECT COUNT(d.outcome) + COUNT(d.closed_on) FROM deal d WHERE d.closed_on >= '{}' AND d.closed_on < '{}'", year.from, year.until),
            "SELECT COUNT(p.code) + COUNT(f.region) FROM partner p JOIN partner_profile f ON f.partner_id = p.id".to_owned(),
        ];
        let mut total = 0_i64;
        for statement in statements {
            total = total.wrapping_add(self.figure(statement, Vec::new()).await?);
        }
        let state = "SELECT (SELECT COUNT(e.track) + COUNT(e.since_on) FROM enrollment e WHERE e.program_id = $1) + \
            (SELECT COUNT(a.tier) + COUNT(a.from_on) FROM tier_assignment a WHERE a.program_id = $1)";
        Ok(total.wrapping_add(self.figure(state.to_owned(), vec![program.into()]).await?))
    }

    async fn figure(&self, sql: String, values: Vec<sea_orm::Value>) -> Result<i64, StoreError> {
        let row = self.one(sql, values).await?;
        row.map_or(Ok(0), |row| Ok(Row::new(&row, "floor").get::<Option<i64>>(0)?.unwrap_or(0)))
    }

    /// How many partners meet each tier as their highest, computed in SQL from the same inputs and from rules as rows: nothing is
    /// explained and nothing is stored. By rank; those that meet none are left out.
    pub async fn compute_tiers_in_sql(&self, inputs: &TierInputs, rules: &[TierRule]) -> Result<Vec<(i64, i64)>, StoreError> {
        let rows = self.all(tiers_sql(inputs, rules), Vec::new()).await?;
        rows.iter().map(|row| Row::new(row, "floor")).map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// How many partners were found qualified for each tier of a ladder in the latest review of a date.
    pub async fn count_qualified(&self, program: ProgramId, ladder: &str, as_of: Date) -> Result<Vec<(String, i64)>, StoreError> {
        let sql = "SELECT s.qualified_tier, COUNT(*) FROM review_standing s JOIN review r ON r.id = s.review_id WHERE r.program_id = $1 AND s.ladder = $2 \
            AND r.as_of = $3 AND s.qualified_tier IS NOT NULL GROUP BY s.qualified_tier ORDER BY 1";
        let rows = self.all(sql, vec![program.into(), ladder.into(), as_of.naive().into()]).await?;
        rows.iter().map(|row| Row::new(row, "review_standing")).map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// Rows and bytes of the standings of the reviews of a date.
    pub async fn size_of_standings(&self, program: ProgramId, as_of: Date) -> Result<(i64, i64), StoreError> {
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(s.standing)), 0) AS BIGINT) FROM review_standing s JOIN review r ON r.id = s.review_id \
            WHERE r.program_id = $1 AND r.as_of = $2";
        let row = self.one(sql, vec![program.into(), as_of.naive().into()]).await?;
        row.map_or(Ok((0, 0)), |row| {
            let row = Row::new(&row, "review_standing");
            Ok((row.get(0)?, row.get(1)?))
        })
    }
}

fn held_on(alias: &str, day: Date) -> String {
    format!(
        "{alias}.since_on <= '{day}' AND ({alias}.until_on IS NULL OR {alias}.until_on > '{day}') AND ({alias}.revoked_on IS NULL OR {alias}.revoked_on > '{day}')"
    )
}

fn tiers_sql(inputs: &TierInputs, rules: &[TierRule]) -> String {
    let TierInputs { as_of, year, year_before, share_of, active_only } = inputs;
    let categories: Vec<String> = share_of.iter().map(|category| format!("'{category}'")).collect();
    let row = |rule: &TierRule| {
        let TierRule { region, partner_type, rank, group, need, groups, metric, at_least } = rule;
        format!("('{region}', '{partner_type}', {rank}, {group}, {need}, {groups}, '{metric}', CAST({at_least} AS BIGINT))")
    };
    let rules: Vec<String> = rules.iter().map(row).collect();
    format!(
        "WITH rule (region, partner_type, tier_rank, grp, need, groups_of_tier, metric, at_least) AS (VALUES {rules}), \
         sums AS (SELECT m.partner_id, CAST(SUM(CASE WHEN m.month >= '{now}' THEN m.amount_minor ELSE 0 END) AS BIGINT) AS present, \
         CAST(SUM(CASE WHEN m.month < '{now}' THEN m.amount_minor ELSE 0 END) AS BIGINT) AS earlier, \
         CAST(SUM(CASE WHEN m.month >= '{now}' AND m.category IN ({categories}) THEN m.amount_minor ELSE 0 END) AS BIGINT) AS part \
         FROM transaction_monthly m WHERE m.month >= '{before}' AND m.month < '{until}' GROUP BY m.partner_id), \
         metrics (partner_id, metric, value) AS ( \
         SELECT partner_id, 'revenue', present FROM sums \
         UNION ALL SELECT partner_id, 'softwareShare', part * 100000000 / present FROM sums WHERE present <> 0 \
         UNION ALL SELECT partner_id, 'growth', CASE WHEN earlier <= 0 THEN 0 WHEN present < earlier THEN -1 \
         ELSE (present - earlier) * 1000 / earlier * 100000 END FROM sums \
         UNION ALL SELECT h.partner_id, 'certified', COUNT(DISTINCT h.holder) FROM holding h WHERE h.kind = 'CERTIFICATION' AND {held} GROUP BY h.partner_id \
         UNION ALL SELECT d.partner_id, 'dealsWon', COUNT(*) FROM deal d WHERE d.outcome = 'WON' AND d.closed_on >= '{now}' AND d.closed_on < '{until}' \
         GROUP BY d.partner_id \
         UNION ALL SELECT a.partner_id, 'satisfaction', CAST((SUM(a.value_units) * 100000000 + SUM(a.value_fraction) / 100) / COUNT(*) AS BIGINT) \
         FROM activity a WHERE a.kind = 'CSAT' AND a.occurred_on >= '{now}' AND a.occurred_on < '{until}' GROUP BY a.partner_id), \
         judged AS (SELECT p.id, r.tier_rank, r.grp, r.need, r.groups_of_tier, COUNT(*) AS met FROM partner p \
         JOIN rule r ON r.region = p.region AND r.partner_type = p.partner_type JOIN metrics v ON v.partner_id = p.id AND v.metric = r.metric \
         WHERE v.value >= r.at_least{active} GROUP BY p.id, r.tier_rank, r.grp, r.need, r.groups_of_tier), \
         tiers AS (SELECT id, tier_rank FROM judged WHERE met >= need GROUP BY id, tier_rank, groups_of_tier HAVING COUNT(*) = groups_of_tier) \
         SELECT CAST(best AS BIGINT), COUNT(*) FROM (SELECT id, MAX(tier_rank) AS best FROM tiers GROUP BY id) AS highest GROUP BY best ORDER BY 1",
        rules = rules.join(", "),
        active = if *active_only { " AND p.status = 'ACTIVE'" } else { "" },
        now = year.from,
        before = year_before.from,
        until = year.until,
        categories = categories.join(", "),
        held = held_on("h", *as_of),
    )
}
