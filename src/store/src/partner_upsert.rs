//! Making and changing partners, many at once. A profile is dated and whole: what it leaves out is empty from its date on.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::facts::PartnerProfile;
use sea_orm::Value;
use serde::{Deserialize, Serialize};

use crate::PartnerId;
use crate::bulk::{self, Column, Kind};
use crate::convert::{Row, TextEnum, attributes_text};
use crate::fault::StoreError;
use crate::partner::StoredPartner;
use crate::sql::{for_update, is_one_of_texts, texts};
use crate::tx::WriteTx;

/// A partner as it is from a date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerUpsert {
    /// The vendor's own id.
    pub code: String,
    /// What it is from `profile.from` on, until its next profile.
    pub profile: PartnerProfile,
    /// The row version that the caller has seen, where two could edit.
    pub expected: Option<i64>,
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpsertedPartner {
    /// The vendor's own id.
    pub code: String,
    /// What became of it.
    pub outcome: UpsertOutcome,
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UpsertOutcome {
    /// The partner is new.
    Created(PartnerId),
    /// It changed.
    Changed(PartnerId),
    /// It was so already.
    Unchanged(PartnerId),
    /// The row cannot be applied. If any row is refused, roll the transaction back: the others may rest on it.
    Refused(UpsertRefusal),
}

/// Why a row cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UpsertRefusal {
    /// Its parent does not exist and is not among the rows, or lies outside the caller's scope: the answer tells neither from the other.
    UnknownParent(String),
    /// It would be above itself on some date.
    Cycle,
    /// It was changed since the caller saw it.
    Stale,
    /// Another row of the same call says otherwise for the same partner and date.
    Contradiction,
    /// It exists outside the caller's scope, or would.
    OutOfScope,
}

/// Partners by code, as far as they are known to this call.
struct Known {
    partners: BTreeMap<String, StoredPartner>,
    created: BTreeSet<String>,
    ids: BTreeMap<String, PartnerId>,
}

pub(crate) const PARTNER_COLUMNS: [Column; 14] = [
    ("id", Kind::Uuid),
    ("code", Kind::Text),
    ("name", Kind::Text),
    ("name_folded", Kind::Text),
    ("partner_type", Kind::Text),
    ("region", Kind::Text),
    ("parent_id", Kind::Uuid),
    ("currency", Kind::Text),
    ("status", Kind::Text),
    ("profile_from", Kind::Date),
    ("next_profile_from", Kind::Date),
    ("created_at", Kind::Time),
    ("updated_at", Kind::Time),
    ("row_version", Kind::Int),
];

pub(crate) const PROFILE_COLUMNS: [Column; 10] = [
    ("partner_id", Kind::Uuid),
    ("from_on", Kind::Date),
    ("name", Kind::Text),
    ("partner_type", Kind::Text),
    ("region", Kind::Text),
    ("parent_id", Kind::Uuid),
    ("currency", Kind::Text),
    ("status", Kind::Text),
    ("attributes", Kind::Text),
    ("recorded_at", Kind::Time),
];

impl WriteTx {
    /// Makes and changes partners, in a fixed number of statements for any number of rows (per 32,000 bound values on SQLite).
    /// `today` decides which profile is the present one. The same again changes nothing.
    pub async fn upsert_partners(&self, scope: &Scope, rows: &[PartnerUpsert], today: Date) -> Result<Vec<UpsertedPartner>, StoreError> {
        let mut known = self.lock_partners(rows).await?;
        let mut refused = refusals(scope, rows, &known);
        self.create_partners(rows, &mut known, &refused).await?;
        let ids: Vec<PartnerId> = rows.iter().filter_map(|row| known.ids.get(&row.code).copied()).collect();
        let mut profiles = self.profiles_many(&Scope::All, &ids).await?;
        let changes = plan_changes(rows, &known, &mut profiles, &mut refused);
        self.know_parents(&profiles, &mut known).await?;
        self.write_profiles(&changes, &known).await?;
        let changed: BTreeSet<PartnerId> = changes.iter().map(|(id, _)| *id).collect();
        self.refresh_partners(&changed, &profiles, &known, today).await?;
        let above_themselves = self.partners_in_cycles(&changed.iter().copied().collect::<Vec<_>>()).await?;
        Ok(rows.iter().enumerate().map(|(at, row)| outcome(row, refused.remove(&at), &known, &changed, &above_themselves)).collect())
    }

    /// The partners of the rows and their parents, locked in the order of their codes.
    async fn lock_partners(&self, rows: &[PartnerUpsert]) -> Result<Known, StoreError> {
        let codes: BTreeSet<&str> = rows.iter().flat_map(|row| [Some(row.code.as_str()), row.profile.parent.as_deref()]).flatten().collect();
        let codes: Vec<String> = codes.into_iter().map(str::to_owned).collect();
        let lock = format!("SELECT p.id FROM partner p WHERE {} ORDER BY p.code{}", is_one_of_texts(self.backend(), "p.code", 1), for_update(self.backend()));
        if !for_update(self.backend()).is_empty() {
            self.all(lock, vec![texts(self.backend(), codes.iter().map(String::as_str))]).await?;
        }
        let partners = self.partners_by_code_many(&Scope::All, &codes).await?;
        let ids = partners.iter().map(|(code, partner)| (code.clone(), partner.id)).collect();
        Ok(Known { partners, created: BTreeSet::new(), ids })
    }

    /// Parents that only profiles of other dates name.
    async fn know_parents(&self, profiles: &BTreeMap<PartnerId, Vec<PartnerProfile>>, known: &mut Known) -> Result<(), StoreError> {
        let named: BTreeSet<&String> = profiles.values().flatten().filter_map(|profile| profile.parent.as_ref()).collect();
        let missing: Vec<String> = named.into_iter().filter(|code| !known.ids.contains_key(*code)).cloned().collect();
        if !missing.is_empty() {
            known.ids.extend(self.partners_by_code_many(&Scope::All, &missing).await?.into_values().map(|partner| (partner.code, partner.id)));
        }
        Ok(())
    }

    async fn create_partners(&self, rows: &[PartnerUpsert], known: &mut Known, refused: &BTreeMap<usize, UpsertRefusal>) -> Result<(), StoreError> {
        let mut new: BTreeMap<&str, &PartnerUpsert> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            if !known.partners.contains_key(&row.code) && !refused.contains_key(&at) {
                new.entry(&row.code).or_insert(row);
            }
        }
        let mut cells = Vec::with_capacity(new.len());
        for (code, row) in new {
            let id = self.new_id();
            known.ids.insert(code.to_owned(), id);
            known.created.insert(code.to_owned());
            // Without its parent, which may be a later row; `refresh_partners` sets it.
            cells.push(partner_cells(id, code, &row.profile, None, None, (self.now(), self.now()), 1));
        }
        let new = cells.len() as u64;
        if new > 0 && bulk::insert(self, "partner", &PARTNER_COLUMNS, cells, "ON CONFLICT (code) DO NOTHING").await? < new {
            return Err(self.run_again());
        }
        Ok(())
    }

    async fn write_profiles(&self, changes: &[(PartnerId, PartnerProfile)], known: &Known) -> Result<(), StoreError> {
        let cells = changes.iter().map(|(id, profile)| {
            let parent = profile.parent.as_ref().and_then(|code| known.ids.get(code)).copied();
            vec![
                (*id).into(),
                profile.from.naive().into(),
                profile.name.clone().into(),
                profile.partner_type.clone().into(),
                profile.region.clone().into(),
                parent.into(),
                profile.currency.map(|currency| currency.code().to_owned()).into(),
                profile.status.text().to_owned().into(),
                attributes_text(&profile.attributes).into(),
                self.now().into(),
            ]
        });
        let cells: Vec<Vec<Value>> = cells.collect();
        if cells.is_empty() {
            return Ok(());
        }
        bulk::upsert(self, "partner_profile", &PROFILE_COLUMNS, 2, cells).await
    }

    /// Writes the present profile beside the partner.
    async fn refresh_partners(
        &self,
        changed: &BTreeSet<PartnerId>,
        profiles: &BTreeMap<PartnerId, Vec<PartnerProfile>>,
        known: &Known,
        today: Date,
    ) -> Result<(), StoreError> {
        let codes: BTreeMap<PartnerId, &str> = known.ids.iter().map(|(code, id)| (*id, code.as_str())).collect();
        let mut cells = Vec::with_capacity(changed.len());
        for id in changed {
            let (Some(history), Some(code)) = (profiles.get(id), codes.get(id)) else { continue };
            let after = history.partition_point(|profile| profile.from <= today);
            let Some(present) = history.get(after.saturating_sub(1)) else { continue };
            let next = if after == 0 { history.get(1) } else { history.get(after) };
            let parent = present.parent.as_ref().and_then(|code| known.ids.get(code)).copied();
            cells.push(partner_cells(*id, code, present, parent, next.map(|next| next.from), (self.now(), self.now()), 1));
        }
        if cells.is_empty() {
            return Ok(());
        }
        let created: BTreeSet<PartnerId> = known.created.iter().filter_map(|code| known.ids.get(code)).copied().collect();
        let (new, old): (Vec<_>, Vec<_>) = cells.into_iter().zip(changed).partition(|(_, id)| created.contains(id));
        for (part, step) in [(new, 0), (old, 1)] {
            let part: Vec<Vec<Value>> = part.into_iter().map(|(cells, _)| cells).collect();
            if !part.is_empty() {
                let tail = format!("{REFRESH} row_version = partner.row_version + {step}");
                bulk::insert(self, "partner", &PARTNER_COLUMNS, part, &tail).await?;
            }
        }
        Ok(())
    }

    /// Moves partners on to profiles that have become the present ones by `today`; answers how many. For a daily job and for
    /// start-up.
    pub async fn refresh_present_profiles(&self, today: Date) -> Result<u64, StoreError> {
        let due = "SELECT code FROM partner WHERE next_profile_from <= $1 ORDER BY code";
        let rows = self.all(due, vec![today.naive().into()]).await?;
        let codes: Vec<String> = rows.iter().map(|row| Row::new(row, "partner").text(0)).collect::<Result<_, _>>()?;
        let partners = self.partners_by_code_many(&Scope::All, &codes).await?;
        let ids: Vec<PartnerId> = partners.values().map(|partner| partner.id).collect();
        let profiles = self.profiles_many(&Scope::All, &ids).await?;
        let id_of = partners.values().map(|partner| (partner.code.clone(), partner.id)).collect();
        let mut known = Known { partners, created: BTreeSet::new(), ids: id_of };
        self.know_parents(&profiles, &mut known).await?;
        self.refresh_partners(&ids.iter().copied().collect(), &profiles, &known, today).await?;
        Ok(ids.len() as u64)
    }
}

const REFRESH: &str = "ON CONFLICT (code) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded, \
    partner_type = excluded.partner_type, region = excluded.region, parent_id = excluded.parent_id, currency = excluded.currency, \
    status = excluded.status, profile_from = excluded.profile_from, next_profile_from = excluded.next_profile_from, \
    updated_at = excluded.updated_at,";

pub(crate) fn partner_cells(
    id: PartnerId,
    code: &str,
    profile: &PartnerProfile,
    parent: Option<PartnerId>,
    next: Option<Date>,
    (created, updated): (chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>),
    version: i64,
) -> Vec<Value> {
    vec![
        id.into(),
        code.to_owned().into(),
        profile.name.clone().into(),
        profile.name.to_lowercase().into(),
        profile.partner_type.clone().into(),
        profile.region.clone().into(),
        parent.into(),
        profile.currency.map(|currency| currency.code().to_owned()).into(),
        profile.status.text().to_owned().into(),
        profile.from.naive().into(),
        next.map(Date::naive).into(),
        created.into(),
        updated.into(),
        version.into(),
    ]
}

/// What can be refused before anything is written.
fn refusals(scope: &Scope, rows: &[PartnerUpsert], known: &Known) -> BTreeMap<usize, UpsertRefusal> {
    let among: BTreeSet<&str> = rows.iter().map(|row| row.code.as_str()).collect();
    let mut seen: BTreeMap<(&str, Date), &PartnerProfile> = BTreeMap::new();
    let mut refused = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        let present = known.partners.get(&row.code);
        let region = present.map_or(row.profile.region.as_deref(), |partner| partner.region.as_deref());
        let reachable = scope.contains(&row.code, region) && (scope.is_all() || scope.contains(&row.code, row.profile.region.as_deref()));
        let unknown_parent = row.profile.parent.as_deref().filter(|parent| match known.partners.get(*parent) {
            // What a partner has for a parent already stays, whoever writes the rest of its profile.
            Some(parent) => !scope.contains(&parent.code, parent.region.as_deref()) && present.is_none_or(|own| own.parent_id != Some(parent.id)),
            None => !among.contains(parent),
        });
        let stale = row.expected.is_some_and(|expected| present.is_none_or(|partner| partner.row_version != expected));
        let contradicts = seen.insert((&row.code, row.profile.from), &row.profile).is_some_and(|other| *other != row.profile);
        if !reachable {
            refused.insert(at, UpsertRefusal::OutOfScope);
        } else if stale {
            refused.insert(at, UpsertRefusal::Stale);
        } else if let Some(parent) = unknown_parent {
            refused.insert(at, UpsertRefusal::UnknownParent(parent.to_owned()));
        } else if contradicts {
            refused.insert(at, UpsertRefusal::Contradiction);
        }
    }
    refused
}

/// The profiles that differ from what holds on their date already. `profiles` becomes what will be stored.
fn plan_changes(
    rows: &[PartnerUpsert],
    known: &Known,
    profiles: &mut BTreeMap<PartnerId, Vec<PartnerProfile>>,
    refused: &mut BTreeMap<usize, UpsertRefusal>,
) -> Vec<(PartnerId, PartnerProfile)> {
    let mut changes = Vec::new();
    let mut in_order: Vec<(usize, &PartnerUpsert)> = rows.iter().enumerate().filter(|(at, _)| !refused.contains_key(at)).collect();
    in_order.sort_by_key(|(_, row)| row.profile.from);
    for (at, row) in in_order {
        let Some(id) = known.ids.get(&row.code) else {
            refused.insert(at, UpsertRefusal::OutOfScope);
            continue;
        };
        let history = profiles.entry(*id).or_default();
        let after = history.partition_point(|profile| profile.from <= row.profile.from);
        let held = after.checked_sub(1).and_then(|at| history.get(at));
        if held.is_some_and(|held| PartnerProfile { from: row.profile.from, ..held.clone() } == row.profile) {
            continue;
        }
        match after.checked_sub(1).and_then(|at| history.get_mut(at)).filter(|held| held.from == row.profile.from) {
            Some(same_day) => *same_day = row.profile.clone(),
            None => history.insert(after, row.profile.clone()),
        }
        changes.push((*id, row.profile.clone()));
    }
    changes
}

fn outcome(
    row: &PartnerUpsert,
    refused: Option<UpsertRefusal>,
    known: &Known,
    changed: &BTreeSet<PartnerId>,
    above_themselves: &BTreeSet<PartnerId>,
) -> UpsertedPartner {
    let outcome = match (refused, known.ids.get(&row.code)) {
        (Some(refusal), _) => UpsertOutcome::Refused(refusal),
        (None, None) => UpsertOutcome::Refused(UpsertRefusal::OutOfScope),
        (None, Some(id)) if above_themselves.contains(id) => UpsertOutcome::Refused(UpsertRefusal::Cycle),
        (None, Some(id)) if known.created.contains(&row.code) => UpsertOutcome::Created(*id),
        (None, Some(id)) if changed.contains(id) => UpsertOutcome::Changed(*id),
        (None, Some(id)) => UpsertOutcome::Unchanged(*id),
    };
    UpsertedPartner { code: row.code.clone(), outcome }
}
