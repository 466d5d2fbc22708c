//! The standing that a review found, as it was decided.

use sea_orm::entity::prelude::*;

/// The standing that a review found, as it was decided.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "review_standing")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub review_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub partner_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub ladder: String,
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub region_key: String,
    #[sea_orm(column_type = "Text")]
    pub tier: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub qualified_tier: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub standing: String,
    #[sea_orm(column_type = "Text")]
    pub from_tier: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub change: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub next_tier: Option<String>,
    pub next_share: Option<i64>,
    pub at_risk_on: Option<Date>,
    #[sea_orm(column_type = "Text")]
    pub risk: Option<String>,
    pub grace_until: Option<Date>,
    pub overridden_until: Option<Date>,
    pub awaiting: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::review::Entity", from = "Column::ReviewId", to = "super::review::Column::Id")]
    Review,
    #[sea_orm(belongs_to = "super::partner::Entity", from = "Column::PartnerId", to = "super::partner::Column::Id")]
    Partner,
}

impl Related<super::review::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Review.def()
    }
}

impl Related<super::partner::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Partner.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
