//! What each room may know, read from the `use` paths and paths in the code of its files.

use std::path::{Path, PathBuf};

/// Files in `folder` (or the file itself) of this repository, with their text without comments and without tests.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open = vec![root.join(folder)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") && path.file_stem().is_none_or(|stem| stem != "tests") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path.strip_prefix(root).unwrap().to_owned(), code(&text)));
        }
    }
    assert!(!found.is_empty(), "there is no source in {folder}");
    found
}

/// The code of a file: no comments, nothing below its tests.
fn code(text: &str) -> String {
    let above_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    above_tests.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Every place in `folder` where one of `words` stands as a whole path segment.
fn places(folder: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources(folder) {
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| stands_in(line, word)) {
                found.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    found
}

fn stands_in(line: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let runs_on = |edge: bool, neighbour: Option<char>| edge && neighbour.is_some_and(part);
        !runs_on(word.starts_with(part), before) && !runs_on(word.ends_with(part), after)
    })
}

fn assert_knows_nothing_of(folder: &str, words: &[&str]) {
    let found = places(folder, words);
    assert!(found.is_empty(), "{folder} may not know:\n{}", found.join("\n"));
}

const DATABASE: &[&str] = &["sea_orm", "sea_query", "sqlx", "guerdon_entity", "guerdon_migration", "sea_orm_migration"];
const TRANSPORT: &[&str] = &["axum", "hyper", "hyper_util", "tower", "tower_http", "async_graphql", "crate::http", "crate::graphql", "jsonwebtoken", "reqwest"];

#[test]
fn the_domain_knows_facts_and_dates_and_nothing_else() {
    assert_knows_nothing_of("src/domain/src", DATABASE);
    assert_knows_nothing_of("src/domain/src", TRANSPORT);
    assert_knows_nothing_of(
        "src/domain/src",
        &[
            "tokio",
            "tracing",
            "log::",
            "rand",
            "getrandom",
            "Utc::now",
            "Local::now",
            "SystemTime",
            "Instant::now",
            "now_v7",
            "new_v4",
            "std::fs",
            "std::env",
            "std::net",
        ],
    );
    assert_knows_nothing_of("src/domain/src", &["f32"]);
}

#[test]
fn use_cases_know_no_transport_and_no_tables() {
    assert_knows_nothing_of("src/app", DATABASE);
    assert_knows_nothing_of("src/app", TRANSPORT);
    assert_knows_nothing_of("src/app", &["crate::cli", "crate::jobs", "Utc::now", "SystemTime::now", "Uuid::now_v7", "Uuid::new_v4"]);
}

#[test]
fn graphql_knows_use_cases_and_no_store() {
    assert_knows_nothing_of("src/graphql", DATABASE);
    assert_knows_nothing_of("src/graphql", &["guerdon_store", "axum", "hyper", "crate::http", "crate::cli", "crate::config", "Utc::now"]);
}

#[test]
fn the_transport_knows_no_store() {
    assert_knows_nothing_of("src/http", DATABASE);
    assert_knows_nothing_of("src/http", &["guerdon_store", "crate::cli"]);
}

#[test]
fn the_store_knows_no_rights_and_no_transport() {
    assert_knows_nothing_of("src/store/src", &["authorize", "async_graphql", "axum", "hyper", "jsonwebtoken", "Utc::now"]);
}

#[test]
fn entities_and_migrations_know_nothing_of_ours() {
    assert_knows_nothing_of("entity/src", &["guerdon_domain", "guerdon_store", "guerdon_migration", "async_graphql"]);
    assert_knows_nothing_of("migration/src", &["guerdon_domain", "guerdon_store", "guerdon_entity", "async_graphql"]);
}

#[test]
fn no_column_is_a_float() {
    assert_knows_nothing_of("entity/src", &["f32", "f64", "Decimal", "Float", "Double"]);
    assert_knows_nothing_of("migration/src", &["f32", "f64", "float", "double", "decimal", "real", "Float", "Double"]);
}

#[test]
fn amounts_never_pass_through_a_float_on_their_way() {
    assert_knows_nothing_of("src/app", &["f32", "f64"]);
    assert_knows_nothing_of("src/graphql", &["f32", "f64"]);
}

#[test]
fn transactions_are_opened_in_one_place_and_nothing_guesses() {
    let begins: Vec<String> = places("src/store/src", &[".begin()", ".transaction(", "PostgresSession::begin("])
        .into_iter()
        .filter(|place| !place.starts_with("src/store/src/tx.rs"))
        .collect();
    assert!(begins.is_empty(), "{begins:#?}");
    assert_knows_nothing_of("src/store/src", &[".save("]);
}

#[test]
fn only_the_policy_makes_a_scope() {
    for room in ["src/app", "src/graphql", "src/http", "src/cli"] {
        assert_knows_nothing_of(room, &[" Scope::All", "(Scope::All", "Scope::Union", "(Scope::Partners", "(Scope::Regions"]);
    }
}

#[test]
fn time_and_chance_come_through_their_ports() {
    for (path, text) in sources("src").into_iter().filter(|(path, _)| !path.starts_with("src/domain") && !path.starts_with("src/store")) {
        let clock = path.ends_with("clock.rs");
        let ids = path.ends_with("idgen.rs");
        assert!(
            clock || !["Utc::now", "SystemTime::now", "Local::now"].iter().any(|word| text.contains(word)),
            "{} asks the system for the time",
            path.display()
        );
        assert!(
            ids || !["getrandom", "now_v7", "new_v4", "rand::"].iter().any(|word| text.contains(word)),
            "{} asks the system for randomness",
            path.display()
        );
    }
}

#[test]
fn a_failing_nullable_field_nulls_itself_and_nothing_else() {
    let mut resolvers = 0;
    for (path, text) in sources("src/graphql") {
        // Only what is a field: the functions of an object, not those that it calls.
        for object in text.split("Object").skip(1).filter_map(|rest| rest.split("\n}\n").next()).filter(|block| block.contains("\nimpl ")) {
            resolvers += object.matches("async fn ").count();
            let fields: String = object.split_whitespace().collect();
            for wrong in ["->Result<Option<", "->Answer<Option<", "->async_graphql::Result<"] {
                assert!(!fields.contains(wrong), "{} returns {wrong}: write Maybe<..>, that is Option<Result<..>>", path.display());
            }
        }
    }
    assert!(resolvers > 20, "only {resolvers} resolvers found");
}

#[test]
fn request_data_is_read_in_one_place() {
    let wrong: Vec<String> =
        places("src/graphql", &[".data::<", ".data_unchecked", ".data_opt"]).into_iter().filter(|place| !place.starts_with("src/graphql/context.rs")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_stay_small_and_names_say_something() {
    for folder in ["src", "entity/src", "migration/src"] {
        for (path, text) in sources(folder) {
            assert!(text.lines().count() <= 700, "{} has {} lines", path.display(), text.lines().count());
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            assert!(!["util", "utils", "helper", "helpers", "manager", "mapper", "misc"].contains(&stem.as_str()), "{} says nothing", path.display());
        }
    }
}
