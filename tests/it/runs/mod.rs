//! Rebate runs through the interface, on a database: their way from draft to paid, true-up, and what nobody can change.

mod adventureworks;
mod calculation;
mod killed;
mod knowledge;
mod law;
mod life;
mod locks;
mod operands;
mod refused;
mod simulated;
mod unreplaced;
mod versions;
mod ways;

use guerdon::jobs::run_due;
use guerdon_domain::access::{Actor, Role, RoleScope};
use serde_json::{Value, json};

use crate::api::{Answer, Api, actor, approver, document, importer};

/// Who prepares runs.
pub fn preparer() -> Actor {
    actor(Role::FinancePreparer, RoleScope::All)
}

/// Another approver.
pub fn second_approver() -> Actor {
    Actor { person: "second approver".into(), ..approver() }
}

/// The program of the interface's tests with this schedule alone.
pub fn program_with(schedule: Value) -> Value {
    let mut document = document();
    document["rebateSchedules"] = json!([schedule]);
    document
}

/// 1 % of everything up to 1,000, 2 % of everything from there on, by quarter.
pub fn retroactive() -> Value {
    json!({
        "key": "quarterly",
        "period": {"quarter": {}},
        "method": {"bands": {"scope": "RETROACTIVE", "bands": [{"from": 0, "rate": "1 %"}, {"from": 1000, "rate": "2 %"}]}},
    })
}

/// A service with this program and these partners, without sales, on a day.
pub async fn service(document: &Value, partners: &[&str], on: &str) -> Api {
    let api = Api::new().await;
    api.publish(document).await;
    api.enroll(partners).await;
    go_to(&api, on);
    api
}

/// Goes to noon of a day.
pub fn go_to(api: &Api, on: &str) {
    api.clock.set(format!("{on}T12:00:00Z").parse().unwrap());
}

/// A sale line.
pub fn line(id: &str, partner: &str, date: &str, amount: &str) -> Value {
    json!({"externalId": id, "partner": partner, "date": date, "amount": {"amount": amount, "currency": "USD"}, "quantity": "1"})
}

/// Records sale lines.
pub async fn sell(api: &Api, lines: &[Value]) {
    let input = json!({"source": "erp", "transactions": lines, "idempotencyKey": api.key()});
    api.mutate(importer(), "transactionsRecord", "TransactionsRecordInput", "result { recorded }", input).await;
}

const RUN: &str = "run { id state contentHash needsSecondApprover faults { code message } totals { statements entitled { amount } difference { amount } amount { amount } } }";

/// A mutation about a run.
pub async fn try_move(api: &Api, who: Actor, name: &str, mut input: Value) -> Answer {
    input["idempotencyKey"] = json!(api.key());
    let input_type = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    api.try_mutate(who, name, &input_type, RUN, input).await
}

/// The same, which must succeed; answers the run.
pub async fn move_run(api: &Api, who: Actor, name: &str, input: Value) -> Value {
    let answer = try_move(api, who, name, input).await;
    assert_eq!(answer.at("/payload/userErrors"), &json!([]), "{name}");
    answer.at("/payload/run").clone()
}

/// The first code of the user errors.
pub fn refusal(answer: &Answer) -> String {
    answer.at("/payload/userErrors/0/code").as_str().unwrap().to_owned()
}

/// Makes a run and has it calculated.
pub async fn calculated(api: &Api, period: &str, kind: &str) -> Value {
    let run = move_run(api, preparer(), "rebateRunCreate", json!({"program": "P", "period": period, "kind": kind})).await;
    calculate(api, &run).await
}

/// Has a run calculated; answers it as it is then.
pub async fn calculate(api: &Api, run: &Value) -> Value {
    move_run(api, preparer(), "rebateRunCalculate", json!({"runId": run["id"]})).await;
    run_due(&api.app).await.unwrap();
    look(api, run).await
}

/// A run as it is.
pub async fn look(api: &Api, run: &Value) -> Value {
    let query = format!("{{ node(id: {}) {{ ... on RebateRun {{ {} }} }} }}", run["id"], &RUN["run { ".len()..RUN.len() - 2]);
    api.ask(preparer(), &query).await.at("/node").clone()
}

/// Submits and approves what is calculated.
pub async fn approved(api: &Api, run: &Value) -> Value {
    let hash = &run["contentHash"];
    move_run(api, preparer(), "rebateRunSubmit", json!({"runId": run["id"], "contentHash": hash})).await;
    move_run(api, approver(), "rebateRunApprove", json!({"runId": run["id"], "contentHash": hash})).await
}

/// Makes, calculates, submits, approves and posts a run; answers it.
pub async fn posted(api: &Api, period: &str, kind: &str) -> Value {
    let run = calculated(api, period, kind).await;
    assert_eq!(run["state"], "CALCULATED", "{run}");
    let run = approved(api, &run).await;
    move_run(api, approver(), "rebateRunPost", json!({"runId": run["id"], "contentHash": run["contentHash"]})).await
}

/// What a run posts in all, of its first currency.
pub fn amount(run: &Value) -> &str {
    run["totals"][0]["amount"]["amount"].as_str().unwrap_or("0.00")
}

/// The statements of a run: partner, period, entitled, before, amount.
pub async fn statements(api: &Api, run: &Value) -> Vec<(String, String, String, String, String)> {
    let query = format!(
        "{{ statements(filter: {{run: {}}}, first: 100) {{ totalCount nodes {{ partner {{ code }} period entitled {{ amount }} before {{ amount }} amount {{ amount }} \
         lines {{ amount {{ amount }} }} }} }} }}",
        run["id"]
    );
    let answer = api.ask(preparer(), &query).await;
    let nodes = answer.at("/statements/nodes").as_array().unwrap().clone();
    assert_eq!(answer.at("/statements/totalCount"), &json!(nodes.len()));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut rows: Vec<_> = nodes
        .iter()
        .map(|node| {
            let cents = |value: &Value| (value["amount"].as_str().unwrap().replace('.', "")).parse::<i64>().unwrap();
            let lines: i64 = node["lines"].as_array().unwrap().iter().map(|line| cents(&line["amount"])).sum();
            assert_eq!(lines, cents(&node["amount"]), "lines sum to the statement: {node}");
            (
                text(&node["partner"]["code"]),
                text(&node["period"]),
                text(&node["entitled"]["amount"]),
                text(&node["before"]["amount"]),
                text(&node["amount"]["amount"]),
            )
        })
        .collect();
    rows.sort();
    rows
}

/// A statement's figures, as [`statements`] answers them.
pub fn row(partner: &str, period: &str, entitled: &str, before: &str, amount: &str) -> (String, String, String, String, String) {
    (partner.to_owned(), period.to_owned(), entitled.to_owned(), before.to_owned(), amount.to_owned())
}

/// The books hold nothing that they must not.
pub async fn sound(api: &Api) {
    let faults = api.database.store.read(async |tx| tx.verify_ledger().await).await.unwrap();
    assert_eq!(faults, [], "the books are sound");
}
