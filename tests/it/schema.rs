//! The schema: the file, and the rules that every member keeps.

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, Type, TypeDefinition, TypeKind, TypeSystemDefinition};

fn types() -> Vec<TypeDefinition> {
    let document = parse_schema(guerdon::graphql::sdl()).unwrap();
    document.definitions.into_iter().filter_map(|definition| if let TypeSystemDefinition::Type(one) = definition { Some(one.node) } else { None }).collect()
}

fn base(kind: &Type) -> String {
    match &kind.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inner) => base(inner),
    }
}

const fn is_list(kind: &Type) -> bool {
    matches!(kind.base, BaseType::List(_))
}

#[test]
fn the_file_is_the_schema() {
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    assert!(file.trim() == guerdon::graphql::sdl().trim(), "schema.graphql is not the schema: write it with `guerdon schema`");
}

#[test]
fn every_type_field_argument_and_value_is_described() {
    let mut bare = Vec::new();
    for one in types() {
        let name = one.name.node.as_str();
        let mut look = |path: String, described: bool| {
            if !described {
                bare.push(path);
            }
        };
        look(name.to_owned(), one.description.is_some());
        let fields = match &one.kind {
            TypeKind::Object(object) => object.fields.clone(),
            TypeKind::Interface(interface) => interface.fields.clone(),
            _ => Vec::new(),
        };
        for field in fields {
            look(format!("{name}.{}", field.node.name.node), field.node.description.is_some());
            for argument in field.node.arguments {
                look(format!("{name}.{}({})", field.node.name.node, argument.node.name.node), argument.node.description.is_some());
            }
        }
        if let TypeKind::InputObject(input) = &one.kind {
            for field in &input.fields {
                look(format!("{name}.{}", field.node.name.node), field.node.description.is_some());
            }
        }
        if let TypeKind::Enum(values) = &one.kind {
            for value in &values.values {
                look(format!("{name}.{}", value.node.value.node), value.node.description.is_some());
            }
        }
    }
    let own = |path: &String| !path.starts_with("Query") || path.contains('.');
    let bare: Vec<String> = bare.into_iter().filter(own).collect();
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}

#[test]
fn there_is_no_float_and_decimals_and_dates_are_scalars_of_our_own() {
    let sdl = guerdon::graphql::sdl();
    assert!(
        !sdl.contains(": Float") && !sdl.contains("[Float") && sdl.contains("scalar Decimal") && sdl.contains("scalar Date ")
            || sdl.contains("scalar Date@")
            || sdl.contains("scalar Date\n")
    );
}

#[test]
fn every_mutation_has_one_input_its_own_payload_and_user_errors() {
    let all = types();
    let find = |name: &str| all.iter().find(|one| one.name.node == name).unwrap();
    let TypeKind::Object(mutation) = &find("Mutation").kind else { panic!("an object") };
    for field in &mutation.fields {
        let field = &field.node;
        let name = field.name.node.as_str();
        let title = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        let arguments: Vec<_> = field.arguments.iter().map(|argument| (argument.node.name.node.to_string(), argument.node.ty.node.to_string())).collect();
        assert_eq!(arguments, [("input".to_owned(), format!("{title}Input!"))], "{name}");
        assert_eq!(field.ty.node.to_string(), format!("{title}Payload!"), "{name}");
        let TypeKind::Object(payload) = &find(&format!("{title}Payload")).kind else { panic!("an object") };
        let errors = payload.fields.iter().find(|field| field.node.name.node == "userErrors").unwrap();
        assert_eq!(errors.node.ty.node.to_string(), format!("[{title}UserError!]!"), "{name}");
        let others = payload.fields.iter().filter(|field| field.node.name.node != "userErrors");
        assert!(others.into_iter().all(|field| field.node.ty.node.nullable), "{name}: results are nullable");
        let TypeKind::Object(error) = &find(&format!("{title}UserError")).kind else { panic!("an object") };
        assert!(error.implements.iter().any(|interface| interface.node == "UserError"), "{name}");
        let TypeKind::InputObject(input) = &find(&format!("{title}Input")).kind else { panic!("an input") };
        let key = input.fields.iter().find(|field| field.node.name.node == "idempotencyKey").unwrap();
        assert_eq!(key.node.ty.node.to_string(), "String!", "{name}");
    }
}

/// Lists without a page: each is bounded by something else, named here.
const BOUNDED: &[(&str, &str)] = &[
    ("Query.nodes", "by the ids asked for, at most 100"),
    ("Query.check", "by the keys asked for, at most 200"),
    ("Query.ledgerAccounts", "by kinds of accounts and currencies"),
    ("Query.periodLocks", "at most 100"),
    ("Query.reviewFailures", "the first 1,000"),
    ("Partner.enrollments", "at most 100"),
    ("Partner.entitlements", "by the benefits of a document"),
    ("Partner.check", "by the keys asked for, at most 200"),
    ("Standing.ladders", "by the ladders of a document"),
    ("Standing.atRisk", "by the ladders of a document"),
    ("ProgramVersion.ladders", "by the document"),
    ("ProgramVersion.benefits", "by the document"),
    ("ProgramVersion.rebateSchedules", "by the document"),
];

#[test]
fn every_list_that_is_resolved_is_a_page_or_bounded_by_name() {
    let all = types();
    let is_object = |name: &str| all.iter().any(|one| one.name.node == name && matches!(one.kind, TypeKind::Object(_) | TypeKind::Interface(_)));
    let resolved = ["Query", "Partner", "Program", "ProgramVersion", "Enrollment", "Standing", "PartnerConnection"];
    for one in all.iter().filter(|one| resolved.contains(&one.name.node.as_str())) {
        let TypeKind::Object(object) = &one.kind else { continue };
        for field in &object.fields {
            let path = format!("{}.{}", one.name.node, field.node.name.node);
            let of_objects = is_list(&field.node.ty.node) && is_object(&base(&field.node.ty.node));
            let in_page = one.name.node.ends_with("Connection");
            assert!(!of_objects || in_page || BOUNDED.iter().any(|(known, _)| *known == path), "{path} is a list without a page");
            if base(&field.node.ty.node).ends_with("Connection") {
                let arguments: Vec<&str> = field.node.arguments.iter().map(|argument| argument.node.name.node.as_str()).collect();
                assert!(["first", "after", "last", "before"].iter().all(|name| arguments.contains(name)), "{path} has no page arguments");
            }
        }
    }
}
