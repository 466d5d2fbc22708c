//! What was set aside for a partner and a schedule.

use sea_orm::entity::prelude::*;

/// What was set aside for a partner and a schedule.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rebate_accrual_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub accrual_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub partner_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub schedule: String,
    #[sea_orm(column_type = "Text")]
    pub currency: String,
    pub accrued_minor: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::rebate_accrual::Entity", from = "Column::AccrualId", to = "super::rebate_accrual::Column::Id")]
    Accrual,
    #[sea_orm(belongs_to = "super::partner::Entity", from = "Column::PartnerId", to = "super::partner::Column::Id")]
    Partner,
}

impl Related<super::rebate_accrual::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Accrual.def()
    }
}

impl Related<super::partner::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Partner.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
