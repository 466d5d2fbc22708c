//! The books: entries that sum to zero, accounts whose balances are the fold of their postings. Entries of runs are written by the
//! database in one go, whatever the number of partners.
//!
//! Debits are positive, credits negative. Postings come before their entry (see the migration): the entry closes them.

use chrono::{DateTime, Utc};
use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::money::{Currency, Money};
use sea_orm::{DbBackend, QueryResult, Value};
use serde::{Deserialize, Serialize};

use crate::convert::{Row, TextEnum, text_enum};
use crate::fault::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::rebate_run::StoredRun;
use crate::scope::within;
use crate::sql::{Parameters, is_one_of_uuids, uuids};
use crate::stated_line::AMOUNT;
use crate::tx::{ReadTx, WriteTx};
use crate::{EntryId, PartnerId, ProgramId, RunId};

/// What an entry records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EntryKind {
    /// Set aside for an open period: expense to accrued.
    Accrual,
    /// What was set aside is taken back, since the period is posted.
    AccrualRelease,
    /// Owed to partners: expense to payable.
    Posting,
    /// Paid: payable to clearing. Paid back, for a reversal: clearing to payable.
    Payment,
    /// The negatives of a posting.
    Reversal,
}

text_enum!(EntryKind { Accrual = "ACCRUAL", AccrualRelease = "ACCRUAL_RELEASE", Posting = "POSTING", Payment = "PAYMENT", Reversal = "REVERSAL" });

/// The accounts of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountKind {
    /// What rebates cost.
    RebateExpense,
    /// What is set aside for open periods.
    RebateAccrued,
    /// What is owed to one partner.
    RebatePayable,
    /// Payments that left.
    PaymentClearing,
}

text_enum!(AccountKind {
    RebateExpense = "REBATE_EXPENSE",
    RebateAccrued = "REBATE_ACCRUED",
    RebatePayable = "REBATE_PAYABLE",
    PaymentClearing = "PAYMENT_CLEARING",
});

/// An entry on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its id.
    pub id: EntryId,
    /// The program.
    pub program_id: ProgramId,
    /// What it records.
    pub kind: EntryKind,
    /// The period of the run, or of the accrual.
    pub period: String,
    /// The day that it is of.
    pub on: Date,
    /// The currency of all its postings.
    pub currency: Currency,
    /// The run that it is of.
    pub run_id: Option<RunId>,
    /// The reference of a payment.
    pub reference: Option<String>,
    /// Who caused it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A posting of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPosting {
    /// The account.
    pub account: AccountKind,
    /// The partner whose account it is.
    pub partner: Option<PartnerId>,
    /// The amount; debits are positive.
    pub amount: Money,
}

/// An account and its balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAccount {
    /// What it is for.
    pub kind: AccountKind,
    /// The partner whose account it is.
    pub partner: Option<PartnerId>,
    /// What is on it; debits are positive.
    pub balance: Money,
}

/// Which entries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct EntryFilter {
    /// Of this program.
    pub program: Option<ProgramId>,
    /// Of this run.
    pub run: Option<RunId>,
    /// Of this period.
    pub period: Option<String>,
}

impl EntryFilter {
    fn conditions(&self, tx: &ReadTx, scope: &Scope, parameters: &mut Parameters) -> Vec<String> {
        let mut conditions = vec!["TRUE".to_owned()];
        for (column, id) in [("e.program_id", self.program), ("e.run_id", self.run)].into_iter().filter_map(|(column, id)| Some((column, id?))) {
            conditions.push(format!("{column} = {}", parameters.add(id)));
        }
        if let Some(period) = &self.period {
            conditions.push(format!("e.period = {}", parameters.add(period.clone())));
        }
        if !scope.is_all() {
            let within = within(tx.backend(), "p", scope, parameters);
            conditions.push(format!(
                "EXISTS (SELECT 1 FROM posting o JOIN account a ON a.id = o.account_id JOIN partner p ON p.id = a.partner_id \
                 WHERE o.entry_id = e.id AND {within})"
            ));
        }
        conditions
    }
}

const COLUMNS: &str = "e.id, e.program_id, e.kind, e.period, e.entry_on, e.currency, e.run_id, e.reference, e.created_by, e.created_at";

fn entry_of(row: &QueryResult) -> Result<StoredEntry, StoreError> {
    let row = Row::new(row, "journal_entry");
    Ok(StoredEntry {
        id: row.get(0)?,
        program_id: row.get(1)?,
        kind: row.text_enum(2)?,
        period: row.get(3)?,
        on: row.date(4)?,
        currency: row.currency(5)?,
        run_id: row.get(6)?,
        reference: row.get(7)?,
        created_by: row.get(8)?,
        created_at: row.get(9)?,
    })
}

/// What the books hold that they must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFault {
    /// What is wrong: the name of the check.
    pub check: &'static str,
    /// Which row.
    pub subject: String,
    /// The two figures that should be equal.
    pub found: String,
}

/// The checks of the books: the name, and a query that answers whatever is wrong, as subject and figures. `:id(..)` spells an id,
/// `:lines` the sum of the lines of statement `s`.
const CHECKS: [(&str, &str); 9] = [
    (
        "an entry sums to zero",
        "SELECT :id(e.id), CAST(SUM(p.amount_minor) AS TEXT) FROM journal_entry e JOIN posting p ON p.entry_id = e.id \
         GROUP BY e.id HAVING SUM(p.amount_minor) <> 0",
    ),
    (
        "a balance is the fold of its postings",
        "SELECT CAST(a.id AS TEXT), CAST(a.balance_minor AS TEXT) || ' on record, ' || CAST(COALESCE(SUM(p.amount_minor), 0) AS TEXT) || ' posted' \
         FROM account a LEFT JOIN posting p ON p.account_id = a.id GROUP BY a.id, a.balance_minor \
         HAVING a.balance_minor <> COALESCE(SUM(p.amount_minor), 0)",
    ),
    (
        "a statement is the sum of its lines",
        "SELECT :id(id), CAST(amount_minor AS TEXT) || ' stated, ' || CAST(in_lines AS TEXT) || ' in lines' \
         FROM (SELECT s.id, s.amount_minor, :lines AS in_lines FROM statement s) AS summed WHERE amount_minor <> in_lines",
    ),
    (
        "a run has the statements that it counted",
        "SELECT :id(r.id), CAST(r.statements AS TEXT) || ' counted, ' || CAST(COUNT(s.id) AS TEXT) || ' there' \
         FROM rebate_run r LEFT JOIN statement s ON s.run_id = r.id WHERE r.posting_number IS NOT NULL GROUP BY r.id, r.statements \
         HAVING r.statements <> COUNT(s.id)",
    ),
    (
        "what a run posted to its partners is the sum of its statements",
        "SELECT :id(r.id), CAST(COALESCE((SELECT SUM(s.amount_minor) FROM statement s WHERE s.run_id = r.id), 0) AS TEXT) || ' stated, ' || \
         CAST(COALESCE((SELECT -SUM(p.amount_minor) FROM journal_entry e JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id \
         WHERE e.run_id = r.id AND e.kind IN ('POSTING', 'REVERSAL') AND a.kind = 'REBATE_PAYABLE'), 0) AS TEXT) || ' posted' \
         FROM rebate_run r WHERE r.posting_number IS NOT NULL AND \
         COALESCE((SELECT SUM(s.amount_minor) FROM statement s WHERE s.run_id = r.id), 0) <> \
         COALESCE((SELECT -SUM(p.amount_minor) FROM journal_entry e JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id \
         WHERE e.run_id = r.id AND e.kind IN ('POSTING', 'REVERSAL') AND a.kind = 'REBATE_PAYABLE'), 0)",
    ),
    (
        "what was paid for a run, or paid back for a reversal, is the sum of its statements",
        "SELECT :id(id), CAST(stated AS TEXT) || ' stated, ' || CAST(paid AS TEXT) || ' paid' FROM (SELECT r.id, CASE WHEN r.state = 'PAID' THEN \
         COALESCE((SELECT SUM(s.amount_minor) FROM statement s WHERE s.run_id = r.id), 0) ELSE 0 END AS stated, \
         COALESCE((SELECT SUM(p.amount_minor) FROM journal_entry e JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id \
         WHERE e.run_id = r.id AND e.kind = 'PAYMENT' AND a.kind = 'REBATE_PAYABLE'), 0) AS paid FROM rebate_run r) AS settled WHERE stated <> paid",
    ),
    (
        "what was paid back was paid before",
        "SELECT :id(r.id), r.period FROM rebate_run r JOIN rebate_run o ON o.id = r.of_run_id WHERE r.state = 'PAID' AND o.state <> 'PAID'",
    ),
    (
        "what was recognised before is what earlier runs state",
        "SELECT :id(s.id), CAST(s.before_minor AS TEXT) || ' taken, ' || CAST(COALESCE(SUM(o.difference_minor), 0) AS TEXT) || ' recognised' \
         FROM statement s JOIN rebate_run r ON r.id = s.run_id AND r.posting_number IS NOT NULL \
         LEFT JOIN (statement o JOIN rebate_run b ON b.id = o.run_id) ON o.partner_id = s.partner_id AND o.program_id = s.program_id \
         AND o.schedule = s.schedule AND o.period = s.period AND b.posting_number < r.posting_number \
         GROUP BY s.id, s.before_minor HAVING s.before_minor <> COALESCE(SUM(o.difference_minor), 0)",
    ),
    (
        "a posted original locks its period until it is reversed",
        "SELECT :id(r.id), r.period FROM rebate_run r WHERE r.kind = 'ORIGINAL' AND r.posting_number IS NOT NULL \
         AND (r.reversed_by_run_id IS NULL) <> EXISTS (SELECT 1 FROM period_lock l WHERE l.run_id = r.id AND l.released_at IS NULL)",
    ),
];

impl ReadTx {
    /// One page of entries, the latest first. With a scope that does not reach everybody, those that touch an account of a partner
    /// in it.
    pub async fn list_entries(&self, scope: &Scope, filter: &EntryFilter, page: &PageRequest) -> Result<Page<StoredEntry>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = filter.conditions(self, scope, &mut parameters);
        for (cursor, operator) in [(&page.after, "<"), (&page.before, ">")] {
            if let Some(cursor) = cursor {
                let at: DateTime<Utc> = cursor.key.parse().map_err(|_| StoreError::NotFound)?;
                let id: EntryId = cursor.id.parse().map_err(|_| StoreError::NotFound)?;
                let (at, id) = (parameters.add(at), parameters.add(id));
                conditions.push(format!("(e.created_at, e.id) {operator} ({at}, {id})"));
            }
        }
        let direction = if page.from_end { "ASC" } else { "DESC" };
        let sql = format!(
            "SELECT {COLUMNS} FROM journal_entry e WHERE {} ORDER BY e.created_at {direction}, e.id {direction} LIMIT {}",
            conditions.join(" AND "),
            page.limit()
        );
        let mut rows = Vec::new();
        for row in self.all(sql, parameters.0).await? {
            let entry = entry_of(&row)?;
            rows.push((Cursor { key: entry.created_at.to_rfc3339(), id: entry.id.to_string() }, entry));
        }
        Ok(Page::cut(page, rows))
    }

    /// How many entries the filter takes.
    pub async fn count_entries(&self, scope: &Scope, filter: &EntryFilter) -> Result<i64, StoreError> {
        let mut parameters = Parameters::default();
        let conditions = filter.conditions(self, scope, &mut parameters);
        let row = self.one(format!("SELECT COUNT(*) FROM journal_entry e WHERE {}", conditions.join(" AND ")), parameters.0).await?;
        row.map_or(Ok(0), |row| Row::new(&row, "journal_entry").get(0))
    }

    /// The postings of an entry, in the order of accounts, behind that number of them; those of partners out of scope are left out.
    pub async fn list_postings(&self, scope: &Scope, entry: EntryId, after: i64, limit: u32) -> Result<Vec<(i64, StoredPosting)>, StoreError> {
        let mut parameters = Parameters(vec![entry.into(), after.into()]);
        let reach = within(self.backend(), "p", scope, &mut parameters);
        let sql = format!(
            "SELECT a.id, a.kind, a.partner_id, o.amount_minor, a.currency FROM posting o JOIN account a ON a.id = o.account_id \
             LEFT JOIN partner p ON p.id = a.partner_id WHERE o.entry_id = $1 AND a.id > $2 AND (a.partner_id IS NULL OR {reach}) ORDER BY a.id LIMIT {limit}"
        );
        let posting = |row: &QueryResult| {
            let row = Row::new(row, "posting");
            Ok((row.get(0)?, StoredPosting { account: row.text_enum(1)?, partner: row.get(2)?, amount: Money::new(row.get(3)?, row.currency(4)?) }))
        };
        self.all(sql, parameters.0).await?.iter().map(posting).collect()
    }

    /// What is owed to partners, by currency.
    pub async fn payables_many(&self, scope: &Scope, program: Option<ProgramId>, partners: &[PartnerId]) -> Result<Vec<StoredAccount>, StoreError> {
        let mut parameters = Parameters(vec![uuids(self.backend(), partners)]);
        let mut conditions = vec![is_one_of_uuids(self.backend(), "a.partner_id", 1), within(self.backend(), "p", scope, &mut parameters)];
        if let Some(program) = program {
            conditions.push(format!("a.program_id = {}", parameters.add(program)));
        }
        let sql = format!(
            "SELECT a.kind, a.partner_id, a.balance_minor, a.currency FROM account a JOIN partner p ON p.id = a.partner_id WHERE {} ORDER BY a.id",
            conditions.join(" AND ")
        );
        self.all(sql, parameters.0).await?.iter().map(account_of).collect()
    }

    /// The accounts of a program that belong to no partner.
    pub async fn list_program_accounts(&self, program: ProgramId) -> Result<Vec<StoredAccount>, StoreError> {
        let sql = "SELECT a.kind, a.partner_id, a.balance_minor, a.currency FROM account a WHERE a.program_id = $1 AND a.partner_id IS NULL ORDER BY a.id";
        self.all(sql, vec![program.into()]).await?.iter().map(account_of).collect()
    }

    /// Whatever the books hold that they must not.
    pub async fn verify_ledger(&self) -> Result<Vec<LedgerFault>, StoreError> {
        let mut faults = Vec::new();
        let (id, lines) = if self.backend() == sea_orm::DbBackend::Postgres {
            ("CONCAT(", format!("(SELECT COALESCE(SUM(CAST(l->>{AMOUNT} AS BIGINT)), 0) FROM json_array_elements(CAST(s.lines AS json)) AS l)"))
        } else {
            ("HEX(", format!("(SELECT COALESCE(SUM(l.value->>{AMOUNT}), 0) FROM json_each(s.lines) AS l)"))
        };
        for (check, sql) in CHECKS {
            for row in self.all(sql.replace(":id(", id).replace(":lines", &lines), Vec::new()).await? {
                let row = Row::new(&row, "journal_entry");
                faults.push(LedgerFault { check, subject: row.get(0)?, found: row.get(1)? });
            }
        }
        Ok(faults)
    }
}

fn account_of(row: &QueryResult) -> Result<StoredAccount, StoreError> {
    let row = Row::new(row, "account");
    Ok(StoredAccount { kind: row.text_enum(0)?, partner: row.get(1)?, balance: Money::new(row.get(2)?, row.currency(3)?) })
}

/// What an entry is of.
struct EntryOf<'e> {
    program: ProgramId,
    kind: EntryKind,
    period: &'e str,
    on: Date,
    run: Option<RunId>,
    accrual: Option<uuid::Uuid>,
    reference: Option<&'e str>,
}

impl WriteTx {
    /// Writes what a run posts: expense to payable, one entry a currency. Answers how many entries.
    pub async fn post_run_entries(&self, run: &StoredRun, kind: EntryKind, on: Date) -> Result<u64, StoreError> {
        self.run_entries(run, kind, on, AccountKind::RebateExpense, -1, None).await
    }

    /// Writes that a run was paid: payable to clearing, one entry a currency. The statements of a reversal are negative, so that what was
    /// paid back goes the other way.
    pub async fn pay_run_entries(&self, run: &StoredRun, on: Date, reference: &str) -> Result<u64, StoreError> {
        self.run_entries(run, EntryKind::Payment, on, AccountKind::PaymentClearing, 1, Some(reference)).await
    }

    /// Moves what the statements of a run sum to, for each partner, between his account (`sign` times it) and another.
    async fn run_entries(
        &self,
        run: &StoredRun,
        kind: EntryKind,
        on: Date,
        against: AccountKind,
        sign: i64,
        reference: Option<&str>,
    ) -> Result<u64, StoreError> {
        let mut entries = 0;
        let of = EntryOf { program: run.program_id, kind, period: &run.period, on, run: Some(run.id), accrual: None, reference };
        for currency in self.run_currencies(run.id).await? {
            let sums = "SELECT s.partner_id AS partner_id, SUM(s.amount_minor) AS amount FROM statement s WHERE s.run_id = $1 AND s.currency = $2 \
                GROUP BY s.partner_id HAVING SUM(s.amount_minor) <> 0";
            let values = vec![run.id.into(), currency.clone().into(), run.program_id.into(), sign.into()];
            if self.add_to_partners(sums, &values).await? == 0 {
                continue;
            }
            let entry = self.new_id();
            let postings = format!(
                "INSERT INTO posting (entry_id, account_id, amount_minor) SELECT $5, a.id, CAST($4 * sums.amount AS BIGINT) FROM ({sums}) AS sums \
                 JOIN account a ON a.program_id = $3 AND a.kind = 'REBATE_PAYABLE' AND a.currency = $2 AND a.partner_id = sums.partner_id"
            );
            let mut values = values;
            values.push(entry.into());
            self.execute(postings, values).await?;
            let total = self.sum_of_entry(entry).await?;
            // Where partners owe as much as they are owed, the entry balances as it is.
            if total != 0 {
                self.post_to_program(entry, run.program_id, against, &currency, -total).await?;
            }
            self.close_entry(entry, &of, &currency).await?;
            entries += 1;
        }
        Ok(entries)
    }

    /// Adds `$4` times what `sums` come to, in currency `$2`, to the accounts of partners in program `$3`; answers how many. Accounts
    /// that are not there yet are opened: on SQLite before, where a trigger refuses upserts.
    async fn add_to_partners(&self, sums: &str, values: &[Value]) -> Result<u64, StoreError> {
        let open = "INSERT INTO account (program_id, kind, partner_id, currency, balance_minor) SELECT $3, 'REBATE_PAYABLE', partner_id, $2,";
        if self.backend() == DbBackend::Postgres {
            let sql = format!(
                "{open} CAST($4 * amount AS BIGINT) FROM ({sums}) AS sums \
                 ON CONFLICT (program_id, kind, currency, partner_id) WHERE partner_id IS NOT NULL \
                 DO UPDATE SET balance_minor = account.balance_minor + excluded.balance_minor"
            );
            return Ok(self.execute(sql, values.to_vec()).await?.rows_affected());
        }
        let own = "a.program_id = $3 AND a.kind = 'REBATE_PAYABLE' AND a.currency = $2 AND a.partner_id = sums.partner_id";
        let missing = format!("{open} 0 * $4 FROM ({sums}) AS sums WHERE NOT EXISTS (SELECT 1 FROM account a WHERE {own})");
        self.execute(missing, values.to_vec()).await?;
        let add = format!("UPDATE account AS a SET balance_minor = a.balance_minor + CAST($4 * sums.amount AS BIGINT) FROM ({sums}) AS sums WHERE {own}");
        Ok(self.execute(add, values.to_vec()).await?.rows_affected())
    }

    async fn run_currencies(&self, run: RunId) -> Result<Vec<String>, StoreError> {
        let rows = self.all("SELECT DISTINCT currency FROM statement WHERE run_id = $1 ORDER BY currency", vec![run.into()]).await?;
        rows.iter().map(|row| Row::new(row, "statement").get(0)).collect()
    }

    async fn sum_of_entry(&self, entry: EntryId) -> Result<i64, StoreError> {
        let sql = "SELECT CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) FROM posting WHERE entry_id = $1";
        self.one(sql, vec![entry.into()]).await?.map_or(Ok(0), |row| Row::new(&row, "posting").get(0))
    }

    /// Posts an amount to an account of the program itself.
    async fn post_to_program(&self, entry: EntryId, program: ProgramId, kind: AccountKind, currency: &str, amount: i64) -> Result<(), StoreError> {
        let account = self.add_to_program(program, kind, currency, amount).await?;
        let sql = "INSERT INTO posting (entry_id, account_id, amount_minor) VALUES ($1, $2, $3)";
        self.execute(sql, vec![entry.into(), account.into(), amount.into()]).await.map(drop)
    }

    /// Adds to an account of the program itself, which is opened when it is not there yet; answers its number.
    async fn add_to_program(&self, program: ProgramId, kind: AccountKind, currency: &str, amount: i64) -> Result<i64, StoreError> {
        let values = || vec![program.into(), kind.text().into(), currency.into(), amount.into()];
        let open = "INSERT INTO account (program_id, kind, partner_id, currency, balance_minor) VALUES ($1, $2, NULL, $3, $4)";
        let row = if self.backend() == DbBackend::Postgres {
            let upsert = "ON CONFLICT (program_id, kind, currency) WHERE partner_id IS NULL \
                DO UPDATE SET balance_minor = account.balance_minor + excluded.balance_minor RETURNING id";
            self.one(format!("{open} {upsert}"), values()).await?
        } else {
            // A trigger refuses upserts.
            let add = "UPDATE account SET balance_minor = balance_minor + $4 WHERE program_id = $1 AND kind = $2 AND currency = $3 \
                AND partner_id IS NULL RETURNING id";
            match self.one(add, values()).await? {
                Some(row) => Some(row),
                None => self.one(format!("{open} RETURNING id"), values()).await?,
            }
        };
        Row::new(&row.ok_or_else(|| StoreError::corrupt("account", kind.text()))?, "account").get(0)
    }

    async fn close_entry(&self, entry: EntryId, of: &EntryOf<'_>, currency: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO journal_entry (id, program_id, kind, period, entry_on, currency, run_id, accrual_id, reference, created_by, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let values = vec![
            entry.into(),
            of.program.into(),
            of.kind.text().into(),
            of.period.into(),
            of.on.naive().into(),
            currency.into(),
            of.run.into(),
            of.accrual.into(),
            of.reference.map(str::to_owned).into(),
            self.context().actor.clone().into(),
            self.now().into(),
        ];
        self.execute(sql, values).await.map(drop)
    }

    /// Takes what is set aside for a period to `amount`: expense to accrued, by the difference. Nothing when there is none.
    pub async fn accrue_to(
        &self,
        program: ProgramId,
        period: &str,
        on: Date,
        accrual: Option<uuid::Uuid>,
        amount: Money,
    ) -> Result<Option<EntryId>, StoreError> {
        let currency = amount.currency.code();
        let before = self.accrued(program, period, currency).await?;
        let difference = amount.minor.checked_sub(before).ok_or_else(|| StoreError::conflict("number_out_of_range"))?;
        if difference == 0 {
            return Ok(None);
        }
        let entry = self.new_id();
        self.post_to_program(entry, program, AccountKind::RebateExpense, currency, difference).await?;
        self.post_to_program(entry, program, AccountKind::RebateAccrued, currency, -difference).await?;
        let kind = if accrual.is_some() { EntryKind::Accrual } else { EntryKind::AccrualRelease };
        self.close_entry(entry, &EntryOf { program, kind, period, on, run: None, accrual, reference: None }, currency).await?;
        Ok(Some(entry))
    }
}

impl ReadTx {
    /// What is set aside for a period of a program in a currency, in minor units.
    pub async fn accrued(&self, program: ProgramId, period: &str, currency: &str) -> Result<i64, StoreError> {
        let sql = "SELECT CAST(COALESCE(-SUM(p.amount_minor), 0) AS BIGINT) FROM journal_entry e JOIN posting p ON p.entry_id = e.id \
            JOIN account a ON a.id = p.account_id WHERE e.program_id = $1 AND e.period = $2 AND e.currency = $3 AND a.kind = 'REBATE_ACCRUED'";
        let row = self.one(sql, vec![program.into(), period.into(), currency.into()]).await?;
        row.map_or(Ok(0), |row| Row::new(&row, "posting").get(0))
    }

    /// What is set aside for a period, by currency.
    pub async fn accrued_by_currency(&self, program: ProgramId, period: &str) -> Result<Vec<Money>, StoreError> {
        let sql = "SELECT e.currency, CAST(-SUM(p.amount_minor) AS BIGINT) FROM journal_entry e JOIN posting p ON p.entry_id = e.id \
            JOIN account a ON a.id = p.account_id WHERE e.program_id = $1 AND e.period = $2 AND a.kind = 'REBATE_ACCRUED' \
            GROUP BY e.currency ORDER BY e.currency";
        let rows = self.all(sql, vec![program.into(), period.into()]).await?;
        rows.iter().map(|row| Row::new(row, "posting")).map(|row| Ok(Money::new(row.get(1)?, row.currency(0)?))).collect()
    }
}
