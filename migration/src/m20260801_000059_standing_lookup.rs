//! What reviews found is looked up by the review and then the partner, and by the partner alone no more: a review wrote each standing into a
//! second index, at as many places as it has partners. Whoever asks for all standings of one partner looks into each review.

use sea_orm_migration::prelude::*;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["DROP INDEX IF EXISTS review_standing_partner_idx"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["CREATE INDEX IF NOT EXISTS review_standing_partner_idx ON review_standing (partner_id, review_id)"]).await
    }
}
