//! Programs and their versions. They belong to no partner, so that no scope is asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use guerdon_domain::date::Date;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QueryResult, QuerySelect};
use serde::{Deserialize, Serialize};

use crate::convert::{Row, TextEnum, text_enum};
use crate::entity::{program, program_version};
use crate::fault::StoreError;
use crate::sql::{for_update, is_one_of_uuids, uuids};
use crate::tx::{ReadTx, WriteTx};
use crate::{ProgramId, VersionId};

/// Programs that a list answers at most: a vendor runs a handful.
const PROGRAMS_MAX: u64 = 500;
/// Versions that a list answers at most.
const VERSIONS_MAX: u64 = 2_000;

/// A program by its id or its code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProgramKey {
    /// Its id.
    Id(ProgramId),
    /// Its code.
    Code(String),
}

/// A program with its published versions, by effective date: what is in force on any date follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedProgram {
    /// The program.
    pub program: StoredProgram,
    /// Its published versions.
    pub versions: Vec<VersionHead>,
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredProgram {
    /// Its id.
    pub id: ProgramId,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Counts its changes.
    pub row_version: i64,
}

/// Whether a version may still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VersionState {
    /// It may.
    Draft,
    /// Never again.
    Published,
}

text_enum!(VersionState { Draft = "DRAFT", Published = "PUBLISHED" });

/// A version without its document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionHead {
    /// Its id.
    pub id: VersionId,
    /// Its program.
    pub program_id: ProgramId,
    /// Its number, from 1.
    pub number: i64,
    /// Its name, for people.
    pub label: Option<String>,
    /// Draft or published.
    pub state: VersionState,
    /// Digest of its canonical document.
    pub digest: String,
    /// When partners were told.
    pub announced_on: Option<Date>,
    /// From when its rules hold.
    pub effective_on: Date,
    /// From when its downward reviews bind.
    pub enforced_on: Option<Date>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who made it.
    pub created_by: String,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// Who published it.
    pub published_by: Option<String>,
    /// Counts its changes.
    pub row_version: i64,
}

/// What a draft holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDraft {
    /// Its name, for people.
    pub label: Option<String>,
    /// The canonical document, as JSON.
    pub document: String,
    /// Its digest.
    pub digest: String,
    /// When partners were told.
    pub announced_on: Option<Date>,
    /// From when its rules hold.
    pub effective_on: Date,
    /// From when its downward reviews bind.
    pub enforced_on: Option<Date>,
}

const HEAD: &str = "SELECT id, program_id, number, label, state, digest, announced_on, effective_on, enforced_on, created_at, created_by, \
    published_at, published_by, row_version FROM program_version";

fn head_of(row: &QueryResult) -> Result<VersionHead, StoreError> {
    head_from(row, 0)
}

/// The version whose columns begin at `first`.
fn head_from(row: &QueryResult, first: usize) -> Result<VersionHead, StoreError> {
    let row = Row::new(row, "program_version");
    Ok(VersionHead {
        id: row.get(first)?,
        program_id: row.get(first + 1)?,
        number: row.get(first + 2)?,
        label: row.get(first + 3)?,
        state: row.text_enum(first + 4)?,
        digest: row.get(first + 5)?,
        announced_on: row.maybe_date(first + 6)?,
        effective_on: row.date(first + 7)?,
        enforced_on: row.maybe_date(first + 8)?,
        created_at: row.get(first + 9)?,
        created_by: row.get(first + 10)?,
        published_at: row.get(first + 11)?,
        published_by: row.get(first + 12)?,
        row_version: row.get(first + 13)?,
    })
}

/// Programs from rows of a program and one of its versions, or none.
fn published_of(rows: &[QueryResult]) -> Result<Vec<PublishedProgram>, StoreError> {
    let mut found: Vec<PublishedProgram> = Vec::new();
    for row in rows {
        let own = Row::new(row, "program");
        let id: ProgramId = own.get(0)?;
        if found.last().is_none_or(|last| last.program.id != id) {
            let program = StoredProgram { id, code: own.get(1)?, name: own.get(2)?, created_at: own.get(3)?, row_version: own.get(4)? };
            found.push(PublishedProgram { program, versions: Vec::new() });
        }
        if let (Some(last), Some(_)) = (found.last_mut(), own.get::<Option<VersionId>>(5)?) {
            last.versions.push(head_from(row, 5)?);
        }
    }
    Ok(found)
}

fn program_of(row: program::Model) -> StoredProgram {
    StoredProgram { id: row.id, code: row.code, name: row.name, created_at: row.created_at, row_version: row.row_version }
}

impl ReadTx {
    /// The program of this code.
    pub async fn find_program(&self, code: &str) -> Result<Option<StoredProgram>, StoreError> {
        let found = program::Entity::find().filter(program::Column::Code.eq(code)).one(&self.tx).await;
        Ok(found.map_err(|error| self.fault(error))?.map(program_of))
    }

    /// The program of this id.
    pub async fn find_program_by_id(&self, id: ProgramId) -> Result<Option<StoredProgram>, StoreError> {
        let found = program::Entity::find_by_id(id).one(&self.tx).await;
        Ok(found.map_err(|error| self.fault(error))?.map(program_of))
    }

    /// Programs by id.
    pub async fn programs_many(&self, ids: &[ProgramId]) -> Result<BTreeMap<ProgramId, StoredProgram>, StoreError> {
        let found = program::Entity::find().filter(program::Column::Id.is_in(ids.iter().copied())).all(&self.tx).await;
        Ok(found.map_err(|error| self.fault(error))?.into_iter().map(|row| (row.id, program_of(row))).collect())
    }

    /// All programs, by code.
    pub async fn list_programs(&self) -> Result<Vec<StoredProgram>, StoreError> {
        let found = program::Entity::find().order_by_asc(program::Column::Code).limit(PROGRAMS_MAX).all(&self.tx).await;
        Ok(found.map_err(|error| self.fault(error))?.into_iter().map(program_of).collect())
    }

    /// The program that is named, with its published versions; where none is named the first two there are, so that one sees whether
    /// there is only one.
    pub async fn list_published(&self, key: Option<&ProgramKey>) -> Result<Vec<Arc<PublishedProgram>>, StoreError> {
        let Some(answered) = &self.answered else { return self.ask_for_published(key).await };
        let found = answered.programs.or_ask(key.cloned(), async || self.ask_for_published(key).await).await?;
        if let (None, [only]) = (key, found.as_slice()) {
            answered.programs.keep(Some(ProgramKey::Id(only.program.id)), found.clone()).await;
        }
        Ok(found)
    }

    async fn ask_for_published(&self, key: Option<&ProgramKey>) -> Result<Vec<Arc<PublishedProgram>>, StoreError> {
        let (condition, values) = match key {
            Some(ProgramKey::Id(id)) => ("p.id = $1", vec![(*id).into()]),
            Some(ProgramKey::Code(code)) => ("p.code = $1", vec![code.clone().into()]),
            None => ("p.id IN (SELECT id FROM program ORDER BY code LIMIT 2)", Vec::new()),
        };
        let sql = format!(
            "SELECT p.id, p.code, p.name, p.created_at, p.row_version, v.id, v.program_id, v.number, v.label, v.state, v.digest, v.announced_on, \
             v.effective_on, v.enforced_on, v.created_at, v.created_by, v.published_at, v.published_by, v.row_version \
             FROM program p LEFT JOIN program_version v ON v.program_id = p.id AND v.state = 'PUBLISHED' WHERE {condition} \
             ORDER BY p.code, v.effective_on LIMIT {VERSIONS_MAX}"
        );
        Ok(published_of(&self.all(sql, values).await?)?.into_iter().map(Arc::new).collect())
    }

    /// The version of this id.
    pub async fn find_version(&self, id: VersionId) -> Result<Option<VersionHead>, StoreError> {
        self.one(format!("{HEAD} WHERE id = $1"), vec![id.into()]).await?.as_ref().map(head_of).transpose()
    }

    /// Versions by id.
    pub async fn versions_many(&self, ids: &[VersionId]) -> Result<BTreeMap<VersionId, VersionHead>, StoreError> {
        let sql = format!("{HEAD} WHERE {}", is_one_of_uuids(self.backend(), "id", 1));
        let rows = self.all(sql, vec![uuids(self.backend(), ids)]).await?;
        rows.iter().map(|row| head_of(row).map(|head| (head.id, head))).collect()
    }

    /// The versions of a program, newest number first.
    pub async fn list_versions(&self, program: ProgramId) -> Result<Vec<VersionHead>, StoreError> {
        let sql = format!("{HEAD} WHERE program_id = $1 ORDER BY number DESC LIMIT {VERSIONS_MAX}");
        self.all(sql, vec![program.into()]).await?.iter().map(head_of).collect()
    }

    /// The canonical document of a version.
    pub async fn find_document(&self, id: VersionId) -> Result<Option<String>, StoreError> {
        let row = self.one("SELECT document FROM program_version WHERE id = $1", vec![id.into()]).await?;
        row.map(|row| Row::new(&row, "program_version").text(0)).transpose()
    }

    /// The version in force on `date`: the published one with the latest effective date not after it (semantics 5).
    pub async fn find_version_in_force(&self, program: ProgramId, date: Date) -> Result<Option<VersionHead>, StoreError> {
        let sql = format!("{HEAD} WHERE program_id = $1 AND state = 'PUBLISHED' AND effective_on <= $2 ORDER BY effective_on DESC LIMIT 1");
        self.one(sql, vec![program.into(), date.naive().into()]).await?.as_ref().map(head_of).transpose()
    }

    /// The published versions of a program by effective date: what is in force on any date follows from it.
    pub async fn list_published_versions(&self, program: ProgramId) -> Result<Vec<VersionHead>, StoreError> {
        let sql = format!("{HEAD} WHERE program_id = $1 AND state = 'PUBLISHED' ORDER BY effective_on LIMIT {VERSIONS_MAX}");
        self.all(sql, vec![program.into()]).await?.iter().map(head_of).collect()
    }

    /// The same as of change number `records` of everything on record.
    pub async fn list_versions_published_by(&self, program: ProgramId, records: i64) -> Result<Vec<VersionHead>, StoreError> {
        let sql = format!("{HEAD} WHERE program_id = $1 AND state = 'PUBLISHED' AND recorded_number <= $2 ORDER BY effective_on LIMIT {VERSIONS_MAX}");
        self.all(sql, vec![program.into(), records.into()]).await?.iter().map(head_of).collect()
    }

    /// The version in force on `date` of every program that has one.
    pub async fn list_versions_in_force(&self, date: Date) -> Result<Vec<VersionHead>, StoreError> {
        let later = "SELECT 1 FROM program_version later WHERE later.program_id = program_version.program_id AND later.state = 'PUBLISHED' \
            AND later.effective_on <= $1 AND later.effective_on > program_version.effective_on";
        let sql = format!("{HEAD} WHERE state = 'PUBLISHED' AND effective_on <= $1 AND NOT EXISTS ({later}) LIMIT {VERSIONS_MAX}");
        self.all(sql, vec![date.naive().into()]).await?.iter().map(head_of).collect()
    }

    /// The newest draft of a program.
    pub async fn find_draft(&self, program: ProgramId) -> Result<Option<VersionHead>, StoreError> {
        let sql = format!("{HEAD} WHERE program_id = $1 AND state = 'DRAFT' ORDER BY number DESC LIMIT 1");
        self.one(sql, vec![program.into()]).await?.as_ref().map(head_of).transpose()
    }
}

impl WriteTx {
    /// A new program. `program_code_key` when the code is taken.
    pub async fn create_program(&self, code: &str, name: &str) -> Result<StoredProgram, StoreError> {
        let row = program::Model { id: self.new_id(), code: code.to_owned(), name: name.to_owned(), created_at: self.now(), row_version: 1 };
        let insert = program::Entity::insert(row.clone().into_active_model()).exec_without_returning(&self.tx).await;
        insert.map_err(|error| self.fault(error))?;
        Ok(program_of(row))
    }

    /// Gives a program another name.
    pub async fn rename_program(&self, id: ProgramId, name: &str) -> Result<(), StoreError> {
        let sql = "UPDATE program SET name = $1, row_version = row_version + 1 WHERE id = $2";
        self.execute_one(sql, vec![name.into(), id.into()]).await
    }

    /// A new draft, with the next number.
    pub async fn insert_draft(&self, program: ProgramId, draft: NewDraft) -> Result<VersionHead, StoreError> {
        // The program's row is the lock under which numbers are given.
        let lock = format!("SELECT id FROM program WHERE id = $1{}", for_update(self.backend()));
        self.one(lock, vec![program.into()]).await?.ok_or(StoreError::NotFound)?;
        let next = self.one("SELECT COALESCE(MAX(number), 0) + 1 FROM program_version WHERE program_id = $1", vec![program.into()]).await?;
        let number = next.map(|row| Row::new(&row, "program_version").get(0)).transpose()?.unwrap_or(1);
        let id = self.new_id();
        let row = program_version::ActiveModel {
            id: Set(id),
            program_id: Set(program),
            number: Set(number),
            label: Set(draft.label),
            state: Set(VersionState::Draft.text().to_owned()),
            document: Set(draft.document),
            digest: Set(draft.digest),
            announced_on: Set(draft.announced_on.map(Date::naive)),
            effective_on: Set(draft.effective_on.naive()),
            enforced_on: Set(draft.enforced_on.map(Date::naive)),
            created_at: Set(self.now()),
            created_by: Set(self.context().actor.clone()),
            published_at: Set(None),
            published_by: Set(None),
            row_version: Set(1),
        };
        program_version::Entity::insert(row).exec_without_returning(&self.tx).await.map_err(|error| self.fault(error))?;
        self.find_version(id).await?.ok_or(StoreError::NotFound)
    }

    /// Replaces what a draft holds. [`StoreError::Stale`] when it is no draft any more or was changed since `expected`.
    pub async fn update_draft(&self, id: VersionId, expected: i64, draft: NewDraft) -> Result<VersionHead, StoreError> {
        let sql = "UPDATE program_version SET label = $1, document = $2, digest = $3, announced_on = $4, effective_on = $5, enforced_on = $6, \
            row_version = row_version + 1 WHERE id = $7 AND row_version = $8 AND state = 'DRAFT'";
        let values = vec![
            draft.label.into(),
            draft.document.into(),
            draft.digest.into(),
            draft.announced_on.map(Date::naive).into(),
            draft.effective_on.naive().into(),
            draft.enforced_on.map(Date::naive).into(),
            id.into(),
            expected.into(),
        ];
        self.execute_one(sql, values).await?;
        self.find_version(id).await?.ok_or(StoreError::NotFound)
    }

    /// Publishes a draft, for ever. [`StoreError::Stale`] when it is no draft any more or was changed since `expected`;
    /// `program_version_effective_key` when another published version takes effect on the same day (semantics 5).
    pub async fn publish_version(&self, id: VersionId, expected: i64) -> Result<VersionHead, StoreError> {
        let sql = "UPDATE program_version SET state = 'PUBLISHED', published_at = $1, published_by = $2, row_version = row_version + 1, \
            recorded_number = $5 WHERE id = $3 AND row_version = $4 AND state = 'DRAFT'";
        let number = self.next_number("record").await?;
        self.execute_one(sql, vec![self.now().into(), self.context().actor.clone().into(), id.into(), expected.into(), number.into()]).await?;
        self.find_version(id).await?.ok_or(StoreError::NotFound)
    }

    /// Throws a draft away.
    pub async fn delete_draft(&self, id: VersionId, expected: i64) -> Result<(), StoreError> {
        let sql = "DELETE FROM program_version WHERE id = $1 AND row_version = $2 AND state = 'DRAFT'";
        self.execute_one(sql, vec![id.into(), expected.into()]).await
    }
}
