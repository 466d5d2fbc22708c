//! What a person decides for one partner against or beside the rules: admissions, exceptions.

use guerdon_domain::date::{Date, Span};
use guerdon_domain::document::benefit::TermGrant;
use guerdon_domain::facts::TierAdmission;
use sea_orm::{EntityTrait, IntoActiveModel};
use uuid::Uuid;

use crate::convert::{TextEnum, region_key};
use crate::entity::{entitlement_exception, tier_admission};
use crate::fault::StoreError;
use crate::sql::for_update;
use crate::tx::WriteTx;
use crate::{PartnerId, ProgramId};

/// An admission for a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAdmission {
    /// The program.
    pub program: ProgramId,
    /// The partner.
    pub partner: PartnerId,
    /// The admission.
    pub fact: TierAdmission,
}

/// An exception for a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewException {
    /// The program.
    pub program: ProgramId,
    /// The partner.
    pub partner: PartnerId,
    /// What it does.
    pub grant: TermGrant,
    /// The days on which it holds.
    pub span: Span,
    /// Why.
    pub reason: String,
}

impl WriteTx {
    /// Locks a partner, so that what depends on his other rows can be decided.
    pub(crate) async fn lock_partner(&self, partner: PartnerId) -> Result<(), StoreError> {
        let sql = format!("SELECT id FROM partner WHERE id = $1{}", for_update(self.backend()));
        self.one(sql, vec![partner.into()]).await?.map(drop).ok_or(StoreError::NotFound)
    }

    /// Admits a partner to a tier.
    pub async fn insert_admission(&self, new: &NewAdmission) -> Result<Uuid, StoreError> {
        let fact = &new.fact;
        let row = tier_admission::Model {
            id: self.new_id(),
            program_id: new.program,
            partner_id: new.partner,
            ladder: fact.ladder.clone(),
            region_key: region_key(fact.region.as_deref()),
            tier: fact.tier.clone(),
            kind: fact.kind.text().to_owned(),
            from_on: fact.span.from.naive(),
            until_on: fact.span.until.naive(),
            created_at: self.now(),
            created_by: self.context().actor.clone(),
            row_version: 1,
        };
        let id = row.id;
        let insert = tier_admission::Entity::insert(row.into_active_model()).exec_without_returning(&self.tx).await;
        insert.map(|_| id).map_err(|error| self.fault(error))
    }

    /// Gives a partner a benefit, changes it or takes it away.
    pub async fn insert_exception(&self, new: &NewException) -> Result<Uuid, StoreError> {
        let id = self.new_id();
        let term = serde_json::to_string(&new.grant).map_err(|_| StoreError::corrupt("entitlement_exception", id))?;
        let row = entitlement_exception::Model {
            id,
            program_id: new.program,
            partner_id: new.partner,
            benefit: new.grant.benefit.clone(),
            term,
            from_on: new.span.from.naive(),
            until_on: new.span.until.naive(),
            reason: new.reason.clone(),
            created_at: self.now(),
            created_by: self.context().actor.clone(),
            row_version: 1,
        };
        let insert = entitlement_exception::Entity::insert(row.into_active_model()).exec_without_returning(&self.tx).await;
        insert.map(|_| id).map_err(|error| self.fault(error))
    }

    /// Ends an exception early; `until` is its first day without it.
    pub async fn end_exception(&self, id: Uuid, expected: i64, until: Date) -> Result<(), StoreError> {
        let sql = "UPDATE entitlement_exception SET until_on = $1, row_version = row_version + 1 WHERE id = $2 AND row_version = $3 AND until_on > $1";
        self.execute_one(sql, vec![until.naive().into(), id.into(), expected.into()]).await
    }
}
