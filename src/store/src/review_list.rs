//! Lists of standings: those that a review found, and those that hold now, by what people ask of them.

use std::collections::BTreeMap;

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Value};

use crate::bulk::{self, Column, Kind};
use crate::convert::{Row, region_key, region_of_key};
use crate::fault::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::review::NewStanding;
use crate::scope::within;
use crate::sql::{Parameters, is_one_of_texts, is_one_of_uuids, texts, uuids};
use crate::tx::{ReadTx, WriteTx};
use crate::{PartnerId, ProgramId, ReviewId, VersionId};

/// Which standings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandingsOf {
    /// Those that a review found.
    Review(ReviewId),
    /// The latest of every partner of a program.
    Now(ProgramId),
}

/// What is asked of standings. All that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandingFilter {
    /// In this ladder.
    pub ladder: Option<String>,
    /// Holding any of these tiers; any, or none, when empty.
    pub tiers: Vec<String>,
    /// Whether the review moved the tier. Only of a review.
    pub moved: Option<bool>,
    /// Whether the tier is at risk.
    pub at_risk: Option<bool>,
    /// At risk on or before this day.
    pub at_risk_by: Option<Date>,
    /// At least this part of the next tier's requirement is met, in 10^-8.
    pub near: Option<i64>,
    /// Whether an override holds the tier.
    pub overridden: Option<bool>,
    /// Whether a grace period runs.
    pub in_grace: Option<bool>,
    /// Whether a higher tier is met and nobody has admitted the partner.
    pub awaiting: Option<bool>,
    /// Of a partner in any of these regions today; anywhere when empty.
    pub regions: Vec<String>,
    /// Of a partner of any of these types today; of any when empty.
    pub types: Vec<String>,
    /// Of a partner whose attribute `manager` is this today.
    pub manager: Option<String>,
    /// Of this partner.
    pub partner: Option<PartnerId>,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StandingOrder {
    /// By the partners' codes.
    #[default]
    Code,
    /// By the day on which the tier is at risk, the earliest first; those that are not are left out.
    AtRisk,
    /// By the part of the next tier's requirement that is met, the largest first; those without a next tier are left out.
    Near,
}

/// A standing of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedStanding {
    /// The review that found it.
    pub review_id: ReviewId,
    /// The version that decided.
    pub version_id: VersionId,
    /// As of when.
    pub as_of: Date,
    /// The partner.
    pub partner_id: PartnerId,
    /// Its code.
    pub code: String,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder asks for one.
    pub region: Option<String>,
    /// The tier that was decided.
    pub tier: Option<String>,
    /// The tier whose requirement was met.
    pub qualified_tier: Option<String>,
    /// The tier on record before. Only of a review.
    pub from_tier: Option<String>,
    /// What was decided. Only of a review.
    pub change: Option<String>,
    /// The next tier up.
    pub next_tier: Option<String>,
    /// The part of its requirement that is met, in 10^-8.
    pub next_share: Option<i64>,
    /// The first day on which the tier is not met.
    pub at_risk_on: Option<Date>,
    /// What fails then, as a JSON list of sentences.
    pub risk: Option<String>,
    /// When the grace period that runs ends.
    pub grace_until: Option<Date>,
    /// When the override that holds the tier ends.
    pub overridden_until: Option<Date>,
    /// Whether a higher tier is met, and nobody has admitted the partner.
    pub awaiting: bool,
    /// The whole standing, as JSON.
    pub standing: Option<String>,
}

/// When a partner was last told about its tier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// As of when it is known where the partner stands; none where nothing is known.
    pub as_of: Option<Date>,
    /// When, and of which tier, that it is at risk.
    pub risk: Option<(Date, String)>,
    /// When, and of which tier, that it is near.
    pub near: Option<(Date, String)>,
}

/// A standing that holds from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingNews<'s> {
    /// The standing.
    pub standing: &'s NewStanding,
    /// When the partner was last told, with this time.
    pub told: Told,
}

/// Ladder, tier before, tier after, and how many.
pub type MoveCount = (String, Option<String>, Option<String>, i64);

/// Partner, ladder and region.
pub type StandingKey = (PartnerId, String, Option<String>);

const OF_REVIEW: &str = "r.id, r.version_id, r.as_of, p.id, p.code, s.ladder, s.region_key, s.tier, s.qualified_tier, s.from_tier, s.change, s.next_tier, \
                         s.next_share, s.at_risk_on, s.risk, s.grace_until, s.overridden_until, s.awaiting, s.standing \
                         FROM review_standing s JOIN review r ON r.id = s.review_id JOIN partner p ON p.id = s.partner_id";
const NOW: &str = "r.id, r.version_id, s.as_of, p.id, p.code, s.ladder, s.region_key, s.tier, s.qualified_tier, h.from_tier, h.change, s.next_tier, \
                   s.next_share, s.at_risk_on, s.risk, s.grace_until, s.overridden_until, s.awaiting, h.standing \
                   FROM standing_now s JOIN review r ON r.id = s.review_id JOIN partner p ON p.id = s.partner_id \
                   LEFT JOIN review_standing h ON h.review_id = s.review_id AND h.partner_id = s.partner_id AND h.ladder = s.ladder AND h.region_key = s.region_key";

const NOW_COLUMNS: [Column; 20] = [
    ("program_id", Kind::Uuid),
    ("partner_id", Kind::Uuid),
    ("ladder", Kind::Text),
    ("region_key", Kind::Text),
    ("review_id", Kind::Uuid),
    ("as_of", Kind::Date),
    ("tier", Kind::Text),
    ("qualified_tier", Kind::Text),
    ("next_tier", Kind::Text),
    ("next_share", Kind::Int),
    ("at_risk_on", Kind::Date),
    ("risk", Kind::Text),
    ("grace_warn_from", Kind::Date),
    ("grace_until", Kind::Date),
    ("overridden_until", Kind::Date),
    ("awaiting", Kind::Int),
    ("risk_told_on", Kind::Date),
    ("risk_told_tier", Kind::Text),
    ("near_told_on", Kind::Date),
    ("near_told_tier", Kind::Text),
];

impl StandingOrder {
    const fn column(self) -> &'static str {
        match self {
            Self::Code => "p.code",
            Self::AtRisk => "s.at_risk_on",
            Self::Near => "s.next_share",
        }
    }

    fn key_of(self, row: &ListedStanding) -> String {
        match self {
            Self::Code => row.code.clone(),
            Self::AtRisk => row.at_risk_on.map(|day| day.to_string()).unwrap_or_default(),
            Self::Near => row.next_share.unwrap_or_default().to_string(),
        }
    }

    fn value_of(self, key: &str) -> Result<Value, StoreError> {
        match self {
            Self::Code => Ok(key.into()),
            Self::AtRisk => key.parse::<Date>().map(|date| date.naive().into()).map_err(|_| StoreError::NotFound),
            Self::Near => key.parse::<i64>().map(Value::from).map_err(|_| StoreError::NotFound),
        }
    }
}

fn listed(row: &QueryResult) -> Result<ListedStanding, StoreError> {
    let row = Row::new(row, "review_standing");
    Ok(ListedStanding {
        review_id: row.get(0)?,
        version_id: row.get(1)?,
        as_of: row.date(2)?,
        partner_id: row.get(3)?,
        code: row.text(4)?,
        ladder: row.text(5)?,
        region: region_of_key(row.text(6)?),
        tier: row.maybe_text(7)?,
        qualified_tier: row.maybe_text(8)?,
        from_tier: row.maybe_text(9)?,
        change: row.maybe_text(10)?,
        next_tier: row.maybe_text(11)?,
        next_share: row.get(12)?,
        at_risk_on: row.maybe_date(13)?,
        risk: row.maybe_text(14)?,
        grace_until: row.maybe_date(15)?,
        overridden_until: row.maybe_date(16)?,
        awaiting: row.get::<i64>(17)? != 0,
        standing: row.maybe_text(18)?,
    })
}

/// The place of a row among those with the same sort key.
fn place(row: &ListedStanding) -> String {
    serde_json::json!([row.code, row.ladder, region_key(row.region.as_deref())]).to_string()
}

impl ReadTx {
    /// A page of standings of partners in scope.
    pub async fn list_standings(
        &self,
        scope: &Scope,
        of: StandingsOf,
        filter: &StandingFilter,
        order: StandingOrder,
        page: &PageRequest,
    ) -> Result<Page<ListedStanding>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = self.standing_conditions(scope, of, filter, &mut parameters);
        let column = order.column();
        if order != StandingOrder::Code {
            conditions.push(format!("{column} IS NOT NULL"));
        }
        let descending = order == StandingOrder::Near;
        for (cursor, later) in [(&page.after, true), (&page.before, false)] {
            if let Some(cursor) = cursor {
                let (code, ladder, region): (String, String, String) = serde_json::from_str(&cursor.id).map_err(|_| StoreError::NotFound)?;
                let operator = if later == descending { "<" } else { ">" };
                let key = parameters.add(order.value_of(&cursor.key)?);
                let places: Vec<String> = [code, ladder, region].into_iter().map(|part| parameters.add(part)).collect();
                conditions.push(format!("({column}, p.code, s.ladder, s.region_key) {operator} ({key}, {})", places.join(", ")));
            }
        }
        let direction = if descending == page.from_end { "ASC" } else { "DESC" };
        let by = [column, "p.code", "s.ladder", "s.region_key"].map(|column| format!("{column} {direction}")).join(", ");
        let columns = if matches!(of, StandingsOf::Review(_)) { OF_REVIEW } else { NOW };
        let sql = format!("SELECT {columns} WHERE {} ORDER BY {by} LIMIT {}", conditions.join(" AND "), page.limit());
        let mut rows = Vec::new();
        for row in self.all(sql, parameters.0).await? {
            let row = listed(&row)?;
            rows.push((Cursor { key: order.key_of(&row), id: place(&row) }, row));
        }
        Ok(Page::cut(page, rows))
    }

    /// How many standings of partners in scope the filter takes.
    pub async fn count_standings(&self, scope: &Scope, of: StandingsOf, filter: &StandingFilter) -> Result<i64, StoreError> {
        let mut parameters = Parameters::default();
        let conditions = self.standing_conditions(scope, of, filter, &mut parameters);
        let table = if matches!(of, StandingsOf::Review(_)) { "review_standing" } else { "standing_now" };
        let sql = format!("SELECT COUNT(*) FROM {table} s JOIN partner p ON p.id = s.partner_id WHERE {}", conditions.join(" AND "));
        self.one(sql, parameters.0).await?.map_or(Ok(0), |row| Row::new(&row, "review_standing").get(0))
    }

    /// How many partners in scope went from which tier to which, by review and ladder.
    pub async fn count_moves_many(&self, scope: &Scope, reviews: &[ReviewId]) -> Result<BTreeMap<ReviewId, Vec<MoveCount>>, StoreError> {
        let mut parameters = Parameters(vec![uuids(self.backend(), reviews)]);
        let within = within(self.backend(), "p", scope, &mut parameters);
        let sql = format!(
            "SELECT s.review_id, s.ladder, s.from_tier, s.tier, COUNT(*) FROM review_standing s JOIN partner p ON p.id = s.partner_id \
             WHERE {} AND {within} GROUP BY s.review_id, s.ladder, s.from_tier, s.tier",
            is_one_of_uuids(self.backend(), "s.review_id", 1)
        );
        let mut moves: BTreeMap<ReviewId, Vec<MoveCount>> = BTreeMap::new();
        for row in self.all(sql, parameters.0).await? {
            let row = Row::new(&row, "review_standing");
            moves.entry(row.get(0)?).or_default().push((row.text(1)?, row.maybe_text(2)?, row.maybe_text(3)?, row.get(4)?));
        }
        // Here, since the two databases sort what is missing, and letters, in their own ways.
        moves.values_mut().for_each(|of_review| of_review.sort());
        Ok(moves)
    }

    /// Where partners stand as far as is known: as of when, and when they were last told about their tiers.
    pub async fn told_many(&self, program: ProgramId, partners: &[PartnerId]) -> Result<BTreeMap<StandingKey, Told>, StoreError> {
        let sql = format!(
            "SELECT partner_id, ladder, region_key, risk_told_on, risk_told_tier, near_told_on, near_told_tier, as_of FROM standing_now \
             WHERE program_id = $1 AND {}",
            is_one_of_uuids(self.backend(), "partner_id", 2)
        );
        let mut told = BTreeMap::new();
        for row in self.all(sql, vec![program.into(), uuids(self.backend(), partners)]).await? {
            let row = Row::new(&row, "standing_now");
            let when = |on: usize, tier: usize| Ok::<_, StoreError>(row.maybe_date(on)?.zip(row.maybe_text(tier)?));
            told.insert((row.get(0)?, row.text(1)?, region_of_key(row.text(2)?)), Told { as_of: row.maybe_date(7)?, risk: when(3, 4)?, near: when(5, 6)? });
        }
        // Plans are kept, and one that was made while the table was empty reads all of it. As long as nobody is found they are made anew.
        if told.is_empty() && partners.len() > 1 && self.backend() == DbBackend::Postgres {
            self.tx.execute_unprepared("DISCARD PLANS").await.map_err(|error| self.fault(error))?;
        }
        Ok(told)
    }

    fn standing_conditions(&self, scope: &Scope, of: StandingsOf, filter: &StandingFilter, parameters: &mut Parameters) -> Vec<String> {
        let backend = self.backend();
        let mut conditions = vec![match of {
            StandingsOf::Review(review) => format!("s.review_id = {}", parameters.add(review)),
            StandingsOf::Now(program) => format!("s.program_id = {}", parameters.add(program)),
        }];
        conditions.push(within(backend, "p", scope, parameters));
        if let Some(ladder) = &filter.ladder {
            conditions.push(format!("s.ladder = {}", parameters.add(ladder.clone())));
        }
        for (column, list) in [("s.tier", &filter.tiers), ("p.region", &filter.regions), ("p.partner_type", &filter.types)] {
            if !list.is_empty() {
                let number = parameters.number(texts(backend, list.iter().map(String::as_str)));
                conditions.push(is_one_of_texts(backend, column, number));
            }
        }
        for (asked, column) in [(filter.at_risk, "s.at_risk_on"), (filter.in_grace, "s.grace_until"), (filter.overridden, "s.overridden_until")] {
            conditions.extend(asked.map(|asked| format!("{column} IS {}NULL", if asked { "NOT " } else { "" })));
        }
        if let (Some(moved), StandingsOf::Review(_)) = (filter.moved, of) {
            let moves = "(COALESCE(s.tier, '') <> COALESCE(s.from_tier, ''))";
            conditions.push(format!("{}{moves}", if moved { "" } else { "NOT " }));
        }
        conditions.extend(filter.awaiting.map(|awaiting| format!("s.awaiting = {}", i64::from(awaiting))));
        if let Some(day) = filter.at_risk_by {
            conditions.push(format!("s.at_risk_on <= {}", parameters.add(day.naive())));
        }
        if let Some(share) = filter.near {
            conditions.push(format!("s.next_share >= {}", parameters.add(share)));
        }
        if let Some(partner) = filter.partner {
            conditions.push(format!("s.partner_id = {}", parameters.add(partner)));
        }
        if let Some(manager) = &filter.manager {
            let at = parameters.add(manager.clone());
            let attribute = if backend == DbBackend::Postgres { "f.attributes::jsonb ->> 'manager'" } else { "json_extract(f.attributes, '$.manager')" };
            conditions
                .push(format!("EXISTS (SELECT 1 FROM partner_profile f WHERE f.partner_id = p.id AND f.from_on = p.profile_from AND {attribute} = {at})"));
        }
        conditions
    }
}

impl WriteTx {
    /// Notes where partners stand now, found by `review` as of a date, unless something later is known. Of `partners` is forgotten what
    /// they stood in before and do no longer: a ladder that is gone.
    pub async fn stand_now(
        &self,
        program: ProgramId,
        review: ReviewId,
        as_of: Date,
        partners: &[PartnerId],
        news: &[StandingNews<'_>],
    ) -> Result<(), StoreError> {
        let row = |news: &StandingNews<'_>| {
            let (standing, index) = (news.standing, &news.standing.index);
            let (risk_on, risk_tier) = news.told.risk.clone().unzip();
            let (near_on, near_tier) = news.told.near.clone().unzip();
            vec![
                program.into(),
                standing.partner.into(),
                standing.ladder.clone().into(),
                region_key(standing.region.as_deref()).into(),
                review.into(),
                as_of.naive().into(),
                standing.tier.clone().into(),
                standing.qualified_tier.clone().into(),
                index.next_tier.clone().into(),
                index.next_share.into(),
                index.at_risk_on.map(Date::naive).into(),
                index.risk.clone().into(),
                index.grace_warn_from.map(Date::naive).into(),
                index.grace_until.map(Date::naive).into(),
                index.overridden_until.map(Date::naive).into(),
                i64::from(index.awaiting).into(),
                risk_on.map(Date::naive).into(),
                risk_tier.into(),
                near_on.map(Date::naive).into(),
                near_tier.into(),
            ]
        };
        let rows: Vec<Vec<Value>> = news.iter().map(row).collect();
        let set: Vec<String> = NOW_COLUMNS.iter().skip(4).map(|(name, _)| format!("{name} = excluded.{name}")).collect();
        let tail =
            format!(" ON CONFLICT (program_id, partner_id, ladder, region_key) DO UPDATE SET {} WHERE standing_now.as_of <= excluded.as_of", set.join(", "));
        bulk::insert(self, "standing_now", &NOW_COLUMNS, rows, &tail).await?;
        if partners.is_empty() {
            return Ok(());
        }
        let gone = format!("DELETE FROM standing_now WHERE program_id = $1 AND as_of < $2 AND {}", is_one_of_uuids(self.backend(), "partner_id", 3));
        self.execute(gone, vec![program.into(), as_of.naive().into(), uuids(self.backend(), partners)]).await.map(drop)
    }

    /// Forgets where partners stand that are not enrolled on the date.
    pub async fn forget_those_who_left(&self, program: ProgramId, as_of: Date) -> Result<(), StoreError> {
        let sql = "DELETE FROM standing_now WHERE program_id = $1 AND as_of < $2 AND NOT EXISTS (SELECT 1 FROM enrollment e \
                   WHERE e.partner_id = standing_now.partner_id AND e.program_id = $1 AND e.since_on <= $2 AND (e.until_on IS NULL OR e.until_on > $2))";
        self.execute(sql, vec![program.into(), as_of.naive().into()]).await.map(drop)
    }
}
