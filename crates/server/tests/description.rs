//! `docs/openapi.json` describes every route that there is and none that there is not, and every refusal in one shape.

#![allow(clippy::unwrap_used)] // A test may fail.

use lamplight_domain::wire::path;
use lamplight_server::station::access::{RULES, Who};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn description() -> Value {
    serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap()
}

fn operations(description: &Value) -> impl Iterator<Item = (String, String, &Value)> {
    let paths = description["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods.iter().map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    })
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let description = description();
    let described: BTreeSet<_> = operations(&description).map(|(method, path, _)| (method, path)).collect();
    let of_station = RULES.iter().map(|rule| (rule.method.to_string(), rule.path.replace('*', "{file}")));
    let of_tablets = [path::HELLO, path::JOIN, path::PUSH, path::FEED, path::OFFER];
    let routed = of_station.chain(of_tablets.map(|path| ("POST".to_owned(), path.to_owned()))).collect();
    assert_eq!(described, routed);
    // A route for tablets that is in neither list fails here.
    assert_eq!(include_str!("../src/http/tablets.rs").matches(".route(").count(), of_tablets.len());
}

#[test]
fn who_has_to_be_known_is_described() {
    let description = description();
    for (method, path, operation) in operations(&description) {
        let rule = RULES.iter().find(|r| r.method.as_str() == method && r.path.replace('*', "{file}") == path);
        let expected = match rule {
            Some(rule) if matches!(rule.who, Who::Anyone) => Value::Null,
            Some(_) => json!([{ "session": [] }]),
            None if [path::HELLO, path::JOIN].contains(&path.as_str()) => Value::Null,
            None => json!([{ "tablet": [] }]),
        };
        assert_eq!(operation["security"], expected, "{method} {path}");
    }
}

#[test]
fn every_refusal_has_one_shape() {
    let description = description();
    let refusal = lamplight_domain::refusal::Refusal::new("a.code", "What.", "Next.");
    let fields: BTreeSet<String> =
        serde_json::to_value(refusal).unwrap().as_object().unwrap().keys().cloned().collect();
    let shape = &description["components"]["schemas"]["Refusal"];
    let described: BTreeSet<String> =
        shape["required"].as_array().unwrap().iter().map(|f| f.as_str().unwrap().to_owned()).collect();
    assert_eq!(described, fields);
    let content = &description["components"]["responses"]["Refused"]["content"];
    assert_eq!(content["application/json"]["schema"]["$ref"], "#/components/schemas/Refusal");
    for (method, path, operation) in operations(&description) {
        assert!(operation["responses"]["4XX"].is_object(), "{method} {path}");
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let is_refusal = status.starts_with('4') || status.starts_with('5');
            let of = "#/components/responses/Refused";
            assert_eq!(answer["$ref"] == of, is_refusal, "{method} {path} {status}");
        }
    }
}
