//! Loading facts: the number of statements does not depend on the number of partners, and the scope decides who is there.

use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_store::{FactsPlan, LoadedFacts, NewEnrollment, PartnerId, Store};

use sea_orm::ConnectionTrait as _;

use crate::harness::build::{activity, date, deal, holding, of, partner, partners, program, record, sale, write};
use crate::harness::fresh;

async fn load(store: &Store, scope: &Scope, ids: &[PartnerId], plan: &FactsPlan) -> LoadedFacts {
    store.read(async |tx| tx.load_facts(scope, ids, plan).await).await.unwrap()
}

#[tokio::test]
async fn as_many_statements_for_one_as_for_a_hundred() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "PR").await;
    let rows: Vec<_> = (0..100).map(|n| partner(&format!("P{n:03}"), "DE")).collect();
    let ids = partners(store, &rows).await;
    for code in ["P000", "P050"] {
        record(store, of(code, [sale(&format!("{code}s"), "2024-01-05", 1)])).await;
        record(store, of(code, [holding(&format!("{code}h"), "2024-01-05")])).await;
        record(store, of(code, [activity(&format!("{code}a"), "2024-01-05", "1")])).await;
        record(store, of(code, [deal(&format!("{code}d"), "2024-01-05")])).await;
    }
    let everything = FactsPlan { monthly: Some(Span::ALWAYS), ..FactsPlan::everything(program, Date::MAX) };
    for (plan, expected) in [(FactsPlan::state(program, Date::MAX), 1), (everything, 6)] {
        let mut counts = Vec::new();
        for size in [1, 10, 100] {
            let before = store.statements();
            let loaded = load(store, &Scope::All, &ids[..size], &plan).await;
            assert_eq!(loaded.ids.len(), size);
            counts.push(store.statements() - before);
        }
        assert_eq!(counts, vec![expected; 3]);
    }
    for size in [1, 10, 100] {
        let before = store.statements();
        store.read(async |tx| tx.transactions_first_n_many(&Scope::All, &ids[..size], guerdon_domain::date::Span::ALWAYS, 5).await).await.unwrap();
        store.read(async |tx| tx.partners_many(&Scope::All, &ids[..size]).await).await.unwrap();
        store.read(async |tx| tx.assignments_on_many(&Scope::All, program, &ids[..size], Date::MAX).await).await.unwrap();
        assert_eq!(store.statements() - before, 3);
    }
}

/// Many partners whose ids lie together are read as a stretch: what is answered is the same, in scope and without those not asked for.
#[tokio::test]
async fn a_stretch_of_partners_answers_what_lists_answer() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "PR").await;
    let rows: Vec<_> = (0..300).map(|n| partner(&format!("P{n:03}"), if n % 3 == 0 { "FR" } else { "DE" })).collect();
    let ids = partners(store, &rows).await;
    let enrollments: Vec<_> = ids.iter().map(|id| NewEnrollment { partner: *id, since: date("2024-01-01"), track: None, region: None }).collect();
    write(store, async |tx| tx.enroll_partners(program, &enrollments).await).await.unwrap();
    for n in [0, 1, 2, 150, 151, 152, 298, 299] {
        let (code, day) = (format!("P{n:03}"), "2024-01-05");
        record(store, of(&code, [sale(&format!("{code}s"), day, n + 1), sale(&format!("{code}t"), "2024-02-05", 7)])).await;
        record(store, of(&code, [holding(&format!("{code}h"), day)])).await;
        record(store, of(&code, [activity(&format!("{code}a"), day, "1")])).await;
        record(store, of(&code, [deal(&format!("{code}d"), day)])).await;
    }
    let february = Span::new(date("2024-02-01"), date("2024-03-01"));
    let plan = FactsPlan { subtree: false, monthly: Some(Span::ALWAYS), daily: vec![february], ..FactsPlan::everything(program, Date::MAX) };
    for scope in [Scope::All, Scope::Regions(vec!["DE".to_owned()]), Scope::Nothing] {
        // All but one, four of five, and two of three, which are too few of the stretch.
        for left_out in [usize::MAX, 5, 3] {
            let asked: Vec<PartnerId> = ids.iter().enumerate().filter(|(at, _)| at % left_out != 1).map(|(_, id)| *id).collect();
            let together = load(store, &scope, &asked, &plan).await;
            let mut listed = LoadedFacts::default();
            for part in asked.chunks(100) {
                let LoadedFacts { ids, partners } = load(store, &scope, part, &plan).await;
                listed.ids.extend(ids);
                listed.partners.extend(partners);
            }
            assert_eq!(together, listed, "{scope:?} {left_out}");
            let german = (0..ids.len()).filter(|at| at % left_out != 1 && at % 3 != 0).count();
            let seen = match scope {
                Scope::All => asked.len(),
                Scope::Nothing => 0,
                _ => german,
            };
            assert_eq!(together.ids.len(), seen, "{scope:?} {left_out}");
        }
    }
}

#[tokio::test]
async fn a_twin_sees_the_same_snapshot() {
    let database = fresh().await;
    let store = &database.store;
    partners(store, &[partner("BEFORE", "DE")]).await;
    let seen = store.read(async |tx| {
        tx.partners_by_code_many(&Scope::All, &["BEFORE".to_owned()]).await?;
        partners(store, &[partner("AFTER", "DE")]).await;
        let twin = tx.twin().await?;
        let codes = ["BEFORE", "AFTER"].map(str::to_owned);
        let mut seen = vec![tx.partners_by_code_many(&Scope::All, &codes).await?.len()];
        if let Some(twin) = twin {
            seen.push(twin.partners_by_code_many(&Scope::All, &codes).await?.len());
        }
        Ok::<_, guerdon_store::StoreError>(seen)
    });
    let twins = if crate::harness::is_postgres() { 2 } else { 1 };
    assert_eq!(seen.await.unwrap(), vec![1; twins]);
}

#[tokio::test]
async fn reads_of_one_request_see_one_state_and_ask_for_it_once() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "PR").await;
    let ids = partners(store, &[partner("P", "DE")]).await;
    let (request, plan) = (store.in_one_snapshot(), FactsPlan::state(program, Date::MAX));
    let first = load(&request, &Scope::All, &ids, &plan).await;
    let enrollment = NewEnrollment { partner: ids[0], since: date("2024-01-01"), track: None, region: None };
    write(store, async |tx| tx.enroll_partners(program, std::slice::from_ref(&enrollment)).await).await.unwrap();
    let sent = store.statements();
    assert_eq!(load(&request, &Scope::All, &ids, &plan).await, first);
    assert_eq!(store.statements(), sent);
    let enrollments = request.read(async |tx| tx.enrollments_many(&Scope::All, &ids, None).await).await.unwrap();
    assert_eq!(enrollments.values().flatten().count(), 0);
    assert!(load(&request, &Scope::Nothing, &ids, &plan).await.ids.is_empty(), "another right is another question");
    assert_eq!(load(store, &Scope::All, &ids, &plan).await.partners["P"].enrollments.len(), 1);
}

#[tokio::test]
async fn a_failed_question_of_a_request_does_not_take_the_others_with_it() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "PR").await;
    let ids = partners(store, &[partner("P", "DE")]).await;
    database.beside().await.execute_unprepared("ALTER TABLE exchange_rate RENAME TO mislaid").await.unwrap();
    let request = store.in_one_snapshot();
    let rates = request.read(async |tx| tx.list_exchange_rates(Date::MIN, Date::MAX).await).await;
    assert!(rates.is_err());
    assert_eq!(load(&request, &Scope::All, &ids, &FactsPlan::state(program, Date::MAX)).await.ids.len(), 1);
}

#[tokio::test]
async fn only_what_the_plan_asks_for() {
    let database = fresh().await;
    let store = &database.store;
    let (program_id, _) = program(store, "PR").await;
    let (other, _) = program(store, "OTHER").await;
    let ids = partners(store, &[partner("P", "DE")]).await;
    for program in [program_id, other] {
        let enrollment = NewEnrollment { partner: ids[0], since: date("2024-01-01"), track: Some("RESELLER".to_owned()), region: None };
        write(store, async |tx| tx.enroll_partners(program, std::slice::from_ref(&enrollment)).await).await.unwrap();
    }
    let days = ["2023-12-31", "2024-01-01", "2024-01-31", "2024-02-01", "2024-03-15", "2024-03-16"];
    record(store, of("P", days.map(|day| sale(day, day, 1)))).await;
    record(store, of("P", days.map(|day| activity(day, day, "1")))).await;
    record(store, of("P", days.map(|day| holding(day, day)))).await;
    record(store, of("P", days.map(|day| deal(day, day)))).await;
    let january = Span::new(date("2024-01-01"), date("2024-02-01"));
    let plan = FactsPlan {
        lines: vec![january, Span::new(date("2024-01-15"), date("2024-02-02"))],
        monthly: Some(Span::new(date("2024-02-01"), date("2024-03-01"))),
        activities: Some(january),
        holdings: true,
        deals: true,
        ..FactsPlan::state(program_id, date("2024-03-15"))
    };
    let loaded = load(store, &Scope::All, &ids, &plan).await;
    let facts = &loaded.partners["P"];
    let dates = |dates: Vec<Date>| dates.iter().map(Date::to_string).collect::<Vec<_>>();
    assert_eq!(dates(facts.transactions.iter().map(|line| line.date).collect()), vec!["2024-01-01", "2024-01-31", "2024-02-01"]);
    assert_eq!(dates(facts.sums.iter().map(|sum| sum.days.from).collect()), vec!["2024-02-01"]);
    assert_eq!(dates(facts.activities.iter().map(|one| one.date).collect()), vec!["2024-01-01", "2024-01-31"]);
    assert_eq!((facts.holdings.len(), facts.deals.len(), facts.enrollments.len()), (5, 5, 1));
    let nothing = load(store, &Scope::All, &ids, &FactsPlan::state(program_id, Date::MAX)).await;
    let facts = &nothing.partners["P"];
    assert!(facts.transactions.is_empty() && facts.sums.is_empty() && facts.holdings.is_empty() && facts.activities.is_empty() && facts.deals.is_empty());
    assert_eq!(facts.profiles.len(), 1);
}

/// Days that lie apart are asked for apart, in any order and with overlaps, of any number of partners; each line once, none after the date.
#[tokio::test]
async fn days_apart_are_read_without_those_between() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "PR").await;
    let ids = partners(store, &[partner("A", "DE"), partner("B", "DE"), partner("C", "DE")]).await;
    let days = ["2024-01-01", "2024-01-31", "2024-02-01", "2024-02-29", "2024-03-01", "2024-03-20", "2024-04-01", "2024-04-02"];
    for code in ["A", "C"] {
        record(store, of(code, days.map(|day| sale(&format!("{code} {day}"), day, 1)))).await;
    }
    let span = |from: &str, until: &str| Span::new(date(from), date(until));
    let state = FactsPlan::state(program, date("2024-04-01"));
    let apart = vec![span("2024-03-10", "2024-04-20"), span("2024-01-01", "2024-02-01"), span("2024-03-01", "2024-03-21")];
    let asked = ["2024-01-01", "2024-01-31", "2024-03-01", "2024-03-20", "2024-04-01"];
    let endless = vec![span("2024-01-01", "2024-01-02"), Span::new(date("2024-04-01"), Date::MAX)];
    for (spans, as_of, expected) in [(apart, state.as_of, &asked[..]), (endless, Date::MAX, &["2024-01-01", "2024-04-01", "2024-04-02"])] {
        let lines = load(store, &Scope::All, &ids, &FactsPlan { as_of, lines: spans.clone(), ..state.clone() }).await;
        let daily = load(store, &Scope::All, &ids, &FactsPlan { as_of, daily: spans, ..state.clone() }).await;
        for code in ["A", "C"] {
            let read: Vec<String> = lines.partners[code].transactions.iter().map(|line| line.date.to_string()).collect();
            assert_eq!(read, expected, "lines of {code}");
            let mut read: Vec<String> = daily.partners[code].sums.iter().map(|sum| sum.days.from.to_string()).collect();
            read.sort();
            assert_eq!(read, expected, "days of {code}");
        }
        assert!(lines.partners["B"].transactions.is_empty() && daily.partners["B"].sums.is_empty());
    }
}

#[tokio::test]
async fn out_of_scope_is_not_there_but_counts_below_a_partner_that_is() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "PR").await;
    let mut child = partner("CHILD", "FR");
    child.profile.parent = Some("TOP".to_owned());
    let mut grandchild = partner("GRAND", "IT");
    grandchild.profile.parent = Some("CHILD".to_owned());
    let ids = partners(store, &[grandchild, child, partner("TOP", "DE"), partner("OTHER", "FR")]).await;
    record(store, of("GRAND", [sale("1", "2024-01-05", 1)])).await;
    let scope = Scope::Regions(vec!["DE".to_owned()]);
    let plan = FactsPlan { subtree: true, lines: vec![Span::ALWAYS], ..FactsPlan::state(program, Date::MAX) };
    let loaded = load(store, &scope, &ids, &plan).await;
    assert_eq!(loaded.ids.into_values().collect::<Vec<_>>(), vec!["TOP"]);
    assert_eq!(loaded.partners.keys().collect::<Vec<_>>(), vec!["CHILD", "GRAND", "TOP"]);
    assert_eq!(loaded.partners["GRAND"].transactions.len(), 1);
    let alone = load(store, &scope, &ids, &FactsPlan::state(program, Date::MAX)).await;
    assert_eq!(alone.partners.keys().collect::<Vec<_>>(), vec!["TOP"]);
}
