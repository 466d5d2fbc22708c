use std::fmt::Write as _;
use std::time::{Duration, Instant};

use async_graphql::Variables;
use serde_json::json;

use super::*;

const SDL: &str = "
type Query { partners(first: Int, after: String, last: Int, before: String): Partners! nodes(ids: [ID!]!): [Partner]! name: String! partner(id: ID!): Partner self: Query }
type Mutation { rename(input: String!): Partner }
type Partners { nodes: [Partner!]! edges: [Edge!]! }
type Edge { node: Partner! cursor: String! }
type Partner { name: String! tiers: [Tier!]! children(first: Int, last: Int): Partners! parent: Partner }
type Tier { name: String! marks: [String!]! }
schema { query: Query mutation: Mutation }
";

fn gate() -> Gate {
    Gate::new(SDL, DocumentLimits::default()).unwrap()
}

fn sent(query: &str, variables: serde_json::Value) -> Sent {
    Sent { query: query.to_owned(), operation: None, variables: Variables::from_json(variables) }
}

fn codes(query: &str) -> Vec<&'static str> {
    gate().admit(sent(query, json!({})), false).err().unwrap_or_default().into_iter().map(|refusal| refusal.code).collect()
}

fn cost(query: &str, variables: serde_json::Value) -> u64 {
    gate().admit(sent(query, variables), false).map(|admitted| admitted.cost).unwrap_or_else(|refusals| panic!("{refusals:?}"))
}

fn nested(levels: usize) -> String {
    format!("{{ {} name {} }}", "self { ".repeat(levels - 1), "}".repeat(levels - 1))
}

fn many(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn one_below_each_limit_passes_and_one_above_is_refused() {
    let limits = DocumentLimits::default();
    assert_eq!(codes(&nested(limits.depth_max)), Vec::<&str>::new());
    assert_eq!(codes(&nested(limits.depth_max + 1)), ["TOO_DEEP"]);
    let aliased = |count| format!("{{ self {{ {} }} }}", many(count, |at| format!("a{at}: name")));
    assert_eq!(codes(&aliased(limits.aliases_max)), Vec::<&str>::new());
    assert_eq!(codes(&aliased(limits.aliases_max + 1)), ["TOO_MANY_ALIASES"]);
    let roots = |count| format!("{{ {} }}", many(count, |_| "name".to_owned()));
    assert_eq!(codes(&roots(limits.root_fields_max)), Vec::<&str>::new());
    assert_eq!(codes(&roots(limits.root_fields_max + 1)), ["TOO_MANY_ROOT_FIELDS"]);
    let directives = |count| format!("{{ name {} }}", many(count, |_| "@include(if: true)".to_owned()));
    assert_eq!(codes(&directives(limits.directives_max)), Vec::<&str>::new());
    assert_eq!(codes(&directives(limits.directives_max + 1)), ["TOO_MANY_DIRECTIVES"]);
    let mutations = |count| format!("mutation {{ {} }}", many(count, |_| "rename(input: \"x\") { name }".to_owned()));
    assert_eq!(codes(&mutations(limits.mutations_max)), Vec::<&str>::new());
    assert_eq!(codes(&mutations(limits.mutations_max + 1)), ["TOO_MANY_ROOT_FIELDS"]);
    let tokens = |count: usize| format!("{{ self {{ {} }} }}", many(count - 5, |_| "name".to_owned()));
    assert_eq!(codes(&tokens(limits.tokens_max)), Vec::<&str>::new());
    assert_eq!(codes(&tokens(limits.tokens_max + 1)), ["TOO_MANY_TOKENS"]);
}

#[test]
fn pages_inside_of_pages_are_bounded_in_depth_and_cost() {
    let lists = |levels: usize, first: u32| {
        format!(
            "{{ partners(first: {first}) {{ nodes {{ {} name {} }} }} }}",
            format!("children(first: {first}) {{ nodes {{ ").repeat(levels - 1),
            "} }".repeat(levels - 1)
        )
    };
    assert_eq!(codes(&lists(3, 2)), Vec::<&str>::new());
    assert_eq!(codes(&lists(4, 2)), ["LISTS_TOO_DEEP"]);
    assert_eq!(codes(&lists(3, 100)), ["TOO_COSTLY"]);
    assert_eq!(codes(&lists(2, 100)), Vec::<&str>::new());
}

#[test]
fn cost_is_objects_times_sizes() {
    assert_eq!(cost("{ name }", json!({})), 0);
    assert_eq!(cost("{ partner(id: \"x\") { name } }", json!({})), 1);
    assert_eq!(cost("{ partners { nodes { name } } }", json!({})), 20 * 2);
    assert_eq!(cost("{ partners(first: 5) { edges { cursor node { name } } } }", json!({})), 5 * 3);
    assert_eq!(cost("query($n: Int) { partners(first: $n) { nodes { name } } }", json!({"n": 7})), 7 * 2);
    assert_eq!(cost("query($n: Int = 8) { partners(last: $n) { nodes { name } } }", json!({})), 8 * 2);
    assert_eq!(cost("{ nodes(ids: [\"a\", \"b\"]) { name tiers { marks } } }", json!({})), 2 * (1 + 5));
    assert_eq!(cost("mutation { rename(input: \"x\") { name } }", json!({})), 11);
}

#[test]
fn fragment_bombs_are_refused_at_once() {
    let mut bomb = String::from("{ ...F0 }");
    for level in 0..200 {
        let _ = write!(bomb, " fragment F{level} on Query {{ ...F{} ...F{} }}", level + 1, level + 1);
    }
    bomb.push_str(" fragment F200 on Query { name }");
    let wide = many(40, |_| "...A".to_owned());
    let spread = |from: &str, to: &str| format!("fragment {from} on Query {{ {} }}", many(40, |_| format!("...{to}")));
    let bombs = [bomb, format!("{{ {wide} }} {} {} {} fragment D on Query {{ name }}", spread("A", "B"), spread("B", "C"), spread("C", "D"))];
    for bomb in bombs {
        let start = Instant::now();
        assert!(!codes(&bomb).is_empty());
        assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    }
}

#[test]
fn a_chain_of_fragments_inside_a_cycle_or_a_gap_is_refused() {
    assert_eq!(codes("{ ...A } fragment A on Query { ...B } fragment B on Query { self { ...A } }"), ["FRAGMENT_CYCLE"]);
    assert_eq!(codes("{ ...A }"), ["UNKNOWN_FRAGMENT"]);
}

#[test]
fn fragments_weigh_what_they_would_written_out() {
    let direct = "{ partners(first: 3) { nodes { tiers { name } } } }";
    let spread = "{ ...R } fragment R on Query { partners(first: 3) { ...P } } fragment P on Partners { nodes { ... on Partner { tiers { name } } } }";
    assert_eq!(cost(direct, json!({})), cost(spread, json!({})));
}

#[test]
fn introspection_needs_the_right() {
    let query = "{ __schema { types { name } } }";
    assert_eq!(codes(query), ["INTROSPECTION_DISABLED"]);
    assert_eq!(codes("{ ...A } fragment A on Query { __type(name: \"Query\") { name } }"), ["INTROSPECTION_DISABLED"]);
    assert!(gate().admit(sent(query, json!({})), true).is_ok());
    assert_eq!(codes("{ __typename }"), Vec::<&str>::new());
}

#[test]
fn one_request_has_one_operation() {
    assert_eq!(codes("query A { name } query B { name }"), ["TOO_MANY_OPERATIONS"]);
    assert_eq!(codes("subscription { name }"), ["UNSUPPORTED_OPERATION"]);
    assert_eq!(codes("fragment A on Query { name }"), ["SYNTAX_ERROR"]);
    let named = |wanted: &str| gate().admit(Sent { operation: Some(wanted.to_owned()), ..sent("query A { name }", json!({})) }, false).is_ok();
    assert!(named("A") && !named("B"));
}

#[test]
fn a_syntax_error_says_where_and_draws_nothing() {
    let refusals = gate().admit(sent("{ name(\n", json!({})), false).err().unwrap();
    assert_eq!(refusals.len(), 1);
    let refusal = refusals.first().unwrap();
    assert!(refusal.location.is_some() && refusal.message == "Syntax error.", "{refusal:?}");
}

#[test]
fn required_variables_are_required_also_where_only_directives_use_them() {
    assert_eq!(codes("query($y: Boolean!) { name @include(if: $y) }"), ["MISSING_VARIABLE"]);
    let mut admitted = gate().admit(sent("query($y: Boolean = true) { name @include(if: $y) }", json!({})), false).ok().unwrap();
    assert_eq!(admitted.request.variables.get("y"), Some(&async_graphql::Value::from(true)));
    assert!(admitted.request.parsed_query().is_ok());
}

#[test]
fn a_text_with_the_null_character_is_refused_wherever_it_is_sent() {
    for written in
        ["{ partner(id: \"a\\u0000b\") { name } }", "{ nodes(ids: [\"a\", \"\\u0000\"]) { name } }", "{ self { partner(id: \"\\u0000\") { name } } }"]
    {
        assert_eq!(codes(written), ["INVALID_TEXT"], "{written}");
    }
    let query = "query($ids: [ID!]! = [\"a\"]) { nodes(ids: $ids) { name } }";
    let refused = |variables| gate().admit(sent(query, variables), false).err().map(|refusals| refusals.first().unwrap().code);
    assert_eq!(refused(json!({"ids": ["a", "b\0"]})), Some("INVALID_TEXT"));
    assert_eq!(refused(json!({"ids": ["a", "b\\u0000"]})), None, "six letters");
    assert_eq!(codes(&query.replace("\"a\"", "\"\\u0000\"")), ["INVALID_TEXT"], "a default");
}
