//! The interface, by behaviour: queries and mutations executed as an actor on a fresh database.

mod admissions;
mod catalogue;
mod explained;
mod facts;
mod levelling;
mod override_ends;
mod overrides;
mod partners;
mod programs;
mod reviews;
mod simulation;
mod simulation_laws;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_graphql::{Request, Variables};
use guerdon::app::{App, Ctx};
use guerdon::clock::StandingClock;
use guerdon::graphql::{Schema, build_schema, prepare};
use guerdon_domain::access::{Actor, ActorKind, Role, RoleAssignment, RoleScope};
use serde_json::{Value, json};

use crate::harness::{TestDatabase, fresh};

/// A service on a fresh database, on 2020-06-01.
pub struct Api {
    pub app: App,
    pub schema: Schema,
    pub clock: StandingClock,
    pub database: TestDatabase,
    keys: std::sync::atomic::AtomicU32,
}

/// Somebody with one role.
pub fn actor(role: Role, scope: RoleScope) -> Actor {
    let kind = if matches!(role, Role::ImportService | Role::ContentService) { ActorKind::Service } else { ActorKind::Person };
    Actor { person: format!("{role}"), credential: "test".into(), kind, roles: vec![RoleAssignment::new(role, scope)] }
}

/// Somebody of a partner's company.
pub fn of_partner(code: &str) -> Actor {
    actor(Role::PartnerAdmin, RoleScope::Partners(vec![code.into()]))
}

pub fn importer() -> Actor {
    actor(Role::ImportService, RoleScope::All)
}

pub fn admin() -> Actor {
    actor(Role::Admin, RoleScope::All)
}

pub fn approver() -> Actor {
    actor(Role::FinanceApprover, RoleScope::All)
}

pub fn designer() -> Actor {
    actor(Role::ProgramDesigner, RoleScope::All)
}

pub fn auditor() -> Actor {
    actor(Role::Auditor, RoleScope::All)
}

/// Nobody: known, and without a role.
pub fn nobody() -> Actor {
    Actor { person: "nobody".into(), credential: "test".into(), kind: ActorKind::Person, roles: vec![] }
}

/// What an execution answered.
#[derive(Debug)]
pub struct Answer {
    pub data: Value,
    pub errors: Vec<Value>,
}

impl Answer {
    /// The part at a JSON pointer; there must be no error.
    pub fn at(&self, pointer: &str) -> &Value {
        assert!(self.errors.is_empty(), "{:?}", self.errors);
        self.data.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer} of {}", self.data))
    }

    /// The codes of the errors.
    pub fn codes(&self) -> Vec<&str> {
        self.errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or_default()).collect()
    }
}

impl Api {
    pub async fn new() -> Self {
        let database = fresh().await;
        let clock = StandingClock::on("2020-06-01".parse().unwrap());
        let app = App::new(database.store.clone()).with_clock(Arc::new(clock.clone()));
        Self { app, schema: build_schema(), clock, database, keys: std::sync::atomic::AtomicU32::new(0) }
    }

    /// An idempotency key that was not used before.
    pub fn key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }

    /// With the program, three partners enrolled in it, and sales.
    pub async fn furnished() -> Self {
        let api = Self::new().await;
        api.publish(&document()).await;
        api.furnish(&["A", "B", "C"]).await;
        api
    }

    /// Makes partners and enrolls them.
    pub async fn enroll(&self, codes: &[&str]) {
        let partners: Vec<Value> = codes.iter().map(|code| json!({"code": code, "name": format!("Partner {code}"), "from": "2018-01-01", "type": "VAR", "region": if *code == "B" { "US" } else { "DE" }})).collect();
        for chunk in partners.chunks(100) {
            let input = json!({"partners": chunk, "idempotencyKey": self.key()});
            self.mutate(admin(), "partnerUpsert", "PartnerUpsertInput", "results { outcome }", input).await;
        }
        for code in codes {
            let input = json!({"partner": code, "program": "P", "since": "2018-01-01", "idempotencyKey": self.key()});
            self.mutate(admin(), "partnerEnroll", "PartnerEnrollInput", "enrollment { since }", input).await;
        }
    }

    /// Makes partners, enrolls them, and records sales for them.
    pub async fn furnish(&self, codes: &[&str]) {
        self.enroll(codes).await;
        for chunk in codes.chunks(100) {
            let sales: Vec<Value> = chunk.iter().flat_map(|code| (1..=7).map(move |month| sale(code, month))).collect();
            let input = json!({"source": "erp", "transactions": sales, "idempotencyKey": self.key()});
            self.mutate(importer(), "transactionsRecord", "TransactionsRecordInput", "result { recorded }", input).await;
        }
    }

    /// Applies and publishes a document.
    pub async fn publish(&self, document: &Value) -> Value {
        let applied = self.apply(document).await;
        let version = &applied["version"];
        let input = json!({"versionId": version["id"], "expectedVersion": version["version"], "idempotencyKey": self.key()});
        self.mutate(approver(), "programPublish", "ProgramPublishInput", "version { id number state version }", input).await
    }

    /// Applies a document.
    pub async fn apply(&self, document: &Value) -> Value {
        let input = json!({"document": document.to_string(), "idempotencyKey": self.key()});
        self.mutate(designer(), "programApply", "ProgramApplyInput", "outcome version { id number state version digest }", input).await
    }

    /// Executes as somebody.
    pub async fn execute(&self, actor: Actor, query: &str, variables: Value) -> Answer {
        let ctx = Ctx::new(actor, "request-1", guerdon::clock::Clock::now(&self.clock));
        let request = prepare(Request::new(query).variables(Variables::from_json(variables)), &self.app, ctx);
        let response = serde_json::to_value(self.schema.execute(request).await).unwrap();
        Answer { data: response["data"].clone(), errors: response["errors"].as_array().cloned().unwrap_or_default() }
    }

    /// Asks as somebody.
    pub async fn ask(&self, actor: Actor, query: &str) -> Answer {
        self.execute(actor, query, json!({})).await
    }

    /// The payload of a mutation, errors and user errors included.
    pub async fn try_mutate(&self, actor: Actor, name: &str, input_type: &str, fields: &str, input: Value) -> Answer {
        let query = format!(
            "mutation($input: {input_type}!) {{ payload: {name}(input: $input) {{ {fields} userErrors {{ ... on UserError {{ code field message }} }} }} }}"
        );
        self.execute(actor, &query, json!({"input": input})).await
    }

    /// The payload of a mutation that must succeed.
    pub async fn mutate(&self, actor: Actor, name: &str, input_type: &str, fields: &str, input: Value) -> Value {
        let answer = self.try_mutate(actor, name, input_type, fields, input).await;
        let payload = answer.at("/payload").clone();
        assert_eq!(payload["userErrors"], json!([]), "{name}");
        payload
    }

    /// The user errors of a mutation that must be refused, as (code, path).
    pub async fn refused(&self, actor: Actor, name: &str, input_type: &str, fields: &str, input: Value) -> BTreeSet<(String, String)> {
        let answer = self.try_mutate(actor, name, input_type, fields, input).await;
        let errors = answer.at("/payload/userErrors").as_array().unwrap().clone();
        assert!(!errors.is_empty(), "{name} was not refused");
        let path = |error: &Value| {
            let steps = error["field"].as_array().cloned().unwrap_or_default();
            steps.iter().map(|step| step.as_str().unwrap().to_owned()).collect::<Vec<_>>().join(".")
        };
        errors.iter().map(|error| (error["code"].as_str().unwrap().to_owned(), path(error))).collect()
    }
}

/// A sale of 1,000 in a month of 2020.
pub fn sale(partner: &str, month: u32) -> Value {
    json!({
        "externalId": format!("{partner}-{month}"),
        "partner": partner,
        "date": format!("2020-{:02}-15", month.min(5)),
        "category": if month.is_multiple_of(2) { "BIKES" } else { "PARTS" },
        "amount": {"amount": "1000.00", "currency": "USD"},
        "quantity": "2",
    })
}

/// A program of two tiers: SILVER from 5,000 in a rolling year, GOLD from 50,000 with a certificate.
pub fn document() -> Value {
    let revenue = |least: &str| json!({"metric": {"metric": "revenue", "atLeast": least}});
    json!({
        "guerdon": 1,
        "program": {"code": "P", "name": "Program", "currency": "USD"},
        "version": {"label": "FY20", "effectiveOn": "2018-01-01"},
        "regions": [{"key": "WORLD", "regions": [{"key": "EMEA", "regions": [{"key": "DE"}, {"key": "FR"}]}, {"key": "US"}]}],
        "partnerTypes": [{"key": "VAR"}, {"key": "MSP"}],
        "categories": [{"key": "BIKES"}, {"key": "PARTS"}],
        "metrics": [{"key": "revenue", "unit": "MONEY", "measure": {"source": "TRANSACTIONS", "window": {"rolling": {"months": 12}}, "aggregate": "SUM"}}],
        "ladders": [{"key": "MAIN", "main": true, "tiers": [
            {"key": "REGISTERED"},
            {"key": "SILVER", "requirement": revenue("5000")},
            {"key": "GOLD", "requirement": {"allOf": [revenue("50000"), {"holding": {"kind": "CERTIFICATION"}}]}},
        ]}],
        "benefits": [
            {"key": "portal", "kind": "ACCESS"},
            {"key": "hours", "kind": "ALLOWANCE", "period": "YEAR"},
            {"key": "support", "kind": "LEVEL", "levels": ["BASIC", "PREMIER"]},
        ],
        "grants": [
            {"benefit": "portal", "value": {"access": true}},
            {"benefit": "hours", "tier": "SILVER", "value": {"allowance": 10}},
            {"benefit": "hours", "tier": "SILVER", "region": "DE", "value": {"allowance": 12}},
            {"benefit": "support", "tier": "GOLD", "value": {"level": "PREMIER"}},
        ],
        "rebateSchedules": [{
            "key": "quarterly",
            "period": {"quarter": {}},
            "method": {"bands": {"scope": "MARGINAL", "bands": [{"from": 0, "rate": "1 %"}, {"from": 10000, "rate": "2 %"}]}},
        }],
    })
}
