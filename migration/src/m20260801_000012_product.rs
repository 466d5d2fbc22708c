//! Products and their dated categories.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE TABLE IF NOT EXISTS product (
                    id :uuid NOT NULL CONSTRAINT product_pk PRIMARY KEY,
                    code :key NOT NULL,
                    name TEXT NOT NULL,
                    created_at :time NOT NULL,
                    row_version :int NOT NULL,
                    CONSTRAINT product_code_key UNIQUE (code)
                ) :strict",
                "CREATE TABLE IF NOT EXISTS product_category (
                    product_id :uuid NOT NULL CONSTRAINT product_category_product_fk REFERENCES product (id),
                    from_on :date NOT NULL,
                    category :key NOT NULL,
                    recorded_at :time NOT NULL,
                    CONSTRAINT product_category_pk PRIMARY KEY (product_id, from_on)
                ) :clustered",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["product_category", "product"]).await
    }
}
