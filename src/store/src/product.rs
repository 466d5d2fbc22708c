//! Products and their dated categories. They belong to no partner.

use std::collections::BTreeMap;

use guerdon_domain::date::Date;
use sea_orm::Value;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bulk::{self, Column, Kind};
use crate::convert::Row;
use crate::fault::StoreError;
use crate::sql::{is_one_of_texts, texts};
use crate::tx::{ReadTx, WriteTx};

/// A product's category from a date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductUpsert {
    /// The vendor's product code.
    pub code: String,
    /// Its name; its code when empty and the product is new, else as it was.
    pub name: Option<String>,
    /// Its category.
    pub category: String,
    /// From this day on.
    pub from: Date,
}

/// A product with its categories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredProduct {
    /// Its id.
    pub id: Uuid,
    /// The vendor's product code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its categories by the day from which each holds.
    pub categories: Vec<(Date, String)>,
}

impl StoredProduct {
    /// Its category on `date`; none before its first.
    pub fn category(&self, date: Date) -> Option<&str> {
        let after = self.categories.partition_point(|(from, _)| *from <= date);
        after.checked_sub(1).and_then(|at| self.categories.get(at)).map(|(_, category)| category.as_str())
    }
}

const PRODUCT_COLUMNS: [Column; 5] = [("id", Kind::Uuid), ("code", Kind::Text), ("name", Kind::Text), ("created_at", Kind::Time), ("row_version", Kind::Int)];
const CATEGORY_COLUMNS: [Column; 4] = [("product_id", Kind::Uuid), ("from_on", Kind::Date), ("category", Kind::Text), ("recorded_at", Kind::Time)];

impl ReadTx {
    /// Products by code.
    pub async fn products_many(&self, codes: &[String]) -> Result<BTreeMap<String, StoredProduct>, StoreError> {
        let sql = format!(
            "SELECT p.id, p.code, p.name, c.from_on, c.category FROM product p LEFT JOIN product_category c ON c.product_id = p.id \
             WHERE {} ORDER BY p.code, c.from_on",
            is_one_of_texts(self.backend(), "p.code", 1)
        );
        let mut products: BTreeMap<String, StoredProduct> = BTreeMap::new();
        for row in self.all(sql, vec![texts(self.backend(), codes.iter().map(String::as_str))]).await? {
            let row = Row::new(&row, "product");
            let code = row.text(1)?;
            let new = StoredProduct { id: row.get(0)?, code: code.clone(), name: row.get(2)?, categories: Vec::new() };
            let product = products.entry(code).or_insert(new);
            if let (Some(from), Some(category)) = (row.maybe_date(3)?, row.maybe_text(4)?) {
                product.categories.push((from, category));
            }
        }
        Ok(products)
    }
}

impl WriteTx {
    /// Makes and changes products. Answers how many rows changed something. A category counts for the facts recorded from now
    /// on; facts that are recorded already keep theirs.
    pub async fn upsert_products(&self, rows: &[ProductUpsert]) -> Result<u64, StoreError> {
        let codes: Vec<String> = rows.iter().map(|row| row.code.clone()).collect();
        let mut known = self.products_many(&codes).await?;
        let (mut new, mut products, mut categories) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut changed = 0;
        for row in rows {
            let (id, is_new) = match known.get(&row.code) {
                Some(product) => (product.id, false),
                None => (self.new_id(), true),
            };
            let product = known.entry(row.code.clone()).or_insert_with(|| StoredProduct {
                id,
                code: row.code.clone(),
                name: row.name.clone().unwrap_or_else(|| row.code.clone()),
                categories: Vec::new(),
            });
            let renamed = row.name.as_ref().is_some_and(|name| *name != product.name);
            if let Some(name) = row.name.as_ref().filter(|_| renamed) {
                product.name.clone_from(name);
            }
            if is_new || renamed {
                let cells: Vec<Value> = vec![id.into(), row.code.clone().into(), product.name.clone().into(), self.now().into(), 1_i64.into()];
                let kept = if is_new || new.contains_key(&row.code) { &mut new } else { &mut products };
                kept.insert(row.code.clone(), cells);
            }
            let moved = product.category(row.from) != Some(row.category.as_str());
            if moved {
                product.categories.retain(|(from, _)| *from != row.from);
                product.categories.push((row.from, row.category.clone()));
                product.categories.sort();
                let cells: Vec<Value> = vec![id.into(), row.from.naive().into(), row.category.clone().into(), self.now().into()];
                categories.insert((id, row.from), cells);
            }
            changed += u64::from(is_new || renamed || moved);
        }
        let made = new.len() as u64;
        if made > 0 && bulk::insert(self, "product", &PRODUCT_COLUMNS, new.into_values().collect(), "ON CONFLICT (code) DO NOTHING").await? < made {
            return Err(self.run_again());
        }
        let named = "ON CONFLICT (code) DO UPDATE SET name = excluded.name, row_version = product.row_version + 1";
        write_all(self, "product", &PRODUCT_COLUMNS, products.into_values().collect(), named).await?;
        let placed = "ON CONFLICT (product_id, from_on) DO UPDATE SET category = excluded.category, recorded_at = excluded.recorded_at";
        write_all(self, "product_category", &CATEGORY_COLUMNS, categories.into_values().collect(), placed).await?;
        Ok(changed)
    }
}

async fn write_all(tx: &WriteTx, table: &str, columns: &[Column], rows: Vec<Vec<Value>>, tail: &str) -> Result<(), StoreError> {
    if rows.is_empty() { Ok(()) } else { bulk::insert(tx, table, columns, rows, tail).await.map(drop) }
}
