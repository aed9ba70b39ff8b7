//! Bounds a schema's work: where its references lead, and how much they unfold to.

use std::collections::BTreeMap;

use regex::RegexBuilder;
use serde_json::Value as Json;

use super::InvalidSchema;

/// Parts a schema without recursion may unfold to.
const MAX_UNFOLDED: u64 = 10_000;
/// Parts a schema may have.
const MAX_PARTS: usize = 20_000;
/// Steps to check one value.
const MAX_STEPS: u64 = 1_000_000;
/// Nesting of references while a value is checked.
const MAX_DEPTH: usize = 512;
/// Bytes of one compiled pattern.
const MAX_PATTERN: usize = 1024 * 1024;

/// What is known of a schema's work before any value is seen.
#[derive(Debug)]
pub(super) struct Bounds {
    /// Parts that the schema unfolds to; none if a part leads back to itself, so that the value decides.
    unfolded: Option<u64>,
}

/// Keywords whose schema applies to the same value.
const IN_PLACE: &[&str] = &["not", "if", "then", "else"];
const IN_PLACE_LISTS: &[&str] = &["allOf", "anyOf", "oneOf"];
const REFERENCES: &[&str] = &["$ref", "$dynamicRef", "$recursiveRef"];
/// Keywords whose schema applies to parts of the value.
const INNER: &[&str] = &[
    "additionalProperties",
    "additionalItems",
    "contains",
    "items",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const INNER_MAPS: &[&str] = &["properties", "patternProperties"];
const INNER_LISTS: &[&str] = &["items", "prefixItems"];

/// A schema that another one leads to.
struct Edge {
    pointer: String,
    /// It applies to the same value.
    in_place: bool,
    /// Where the way begins, for messages.
    from: String,
}

impl Bounds {
    pub(super) fn of(root: &Json) -> Result<Self, InvalidSchema> {
        let mut graph: BTreeMap<String, Vec<Edge>> = BTreeMap::new();
        let mut open = vec![String::new()];
        while let Some(pointer) = open.pop() {
            if graph.contains_key(&pointer) {
                continue;
            }
            if graph.len() > MAX_PARTS {
                return Err(refused("", format!("the schema has more than {MAX_PARTS} parts")));
            }
            let edges = match root.pointer(&pointer) {
                Some(schema) => edges(root, schema, &pointer)?,
                None => Vec::new(),
            };
            open.extend(edges.iter().map(|edge| edge.pointer.clone()));
            open.extend(root.pointer(&pointer).map_or_else(Vec::new, |s| definitions(s, &pointer)));
            graph.insert(pointer, edges);
        }
        if let Some(from) = circle(&graph, true) {
            let reason = "the reference leads in a circle that never looks at a part of the value";
            return Err(refused(&from, reason));
        }
        let unfolded = circle(&graph, false).is_none().then(|| unfolded(&graph));
        if unfolded.is_some_and(|parts| parts > MAX_UNFOLDED) {
            let reason =
                format!("the schema's references unfold to more than {MAX_UNFOLDED} parts");
            return Err(refused("", reason));
        }
        Ok(Self { unfolded })
    }

    /// Whether a value can be checked within the limit of steps.
    pub(super) fn allow(&self, schema: &Json, value: &Json) -> bool {
        // No part of a schema looks at a part of the value twice.
        if self.unfolded.is_some_and(|parts| parts.saturating_mul(size(value)) <= MAX_STEPS) {
            return true;
        }
        let mut walk = Walk { root: schema, steps: 0 };
        walk.visit(schema, value, 0)
    }
}

/// How many values a value holds, itself counted.
fn size(value: &Json) -> u64 {
    match value {
        Json::Array(items) => 1 + items.iter().map(size).sum::<u64>(),
        Json::Object(members) => 1 + members.values().map(size).sum::<u64>(),
        _ => 1,
    }
}

fn refused(pointer: &str, reason: impl Into<String>) -> InvalidSchema {
    InvalidSchema { reason: reason.into(), pointer: pointer.to_owned() }
}

fn token(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// Schemas that only stand there to be referred to.
fn definitions(schema: &Json, pointer: &str) -> Vec<String> {
    ["$defs", "definitions"]
        .iter()
        .filter_map(|keyword| Some((keyword, schema.get(keyword)?.as_object()?)))
        .flat_map(|(keyword, map)| {
            let pointer = token(pointer, keyword);
            map.keys().map(move |name| token(&pointer, name)).collect::<Vec<_>>()
        })
        .collect()
}

fn edges(root: &Json, schema: &Json, pointer: &str) -> Result<Vec<Edge>, InvalidSchema> {
    let Some(object) = schema.as_object() else { return Ok(Vec::new()) };
    if !pointer.is_empty() && object.contains_key("$id") {
        let reason = "`$id` inside a schema is not supported: refer by `#/…` within one schema";
        return Err(refused(&token(pointer, "$id"), reason));
    }
    let mut found = Vec::new();
    for (keyword, value) in object {
        let at = token(pointer, keyword);
        patterns(keyword, value, &at)?;
        let mut add = |to: String, in_place| {
            found.push(Edge { from: to.clone(), pointer: to, in_place });
        };
        let name = keyword.as_str();
        if REFERENCES.contains(&name) {
            let target = resolve(root, value, &at)?;
            found.push(Edge { pointer: target, in_place: true, from: at });
        } else if IN_PLACE.contains(&name) || INNER.contains(&name) && !value.is_array() {
            add(at, IN_PLACE.contains(&name));
        } else if let Some(items) = value.as_array() {
            let in_place = IN_PLACE_LISTS.contains(&name);
            if in_place || INNER_LISTS.contains(&name) {
                (0..items.len()).for_each(|index| add(format!("{at}/{index}"), in_place));
            }
        } else if let Some(members) = value.as_object() {
            let in_place = matches!(name, "dependentSchemas" | "dependencies");
            if in_place || INNER_MAPS.contains(&name) {
                members.keys().for_each(|key| add(token(&at, key), in_place));
            }
        }
    }
    Ok(found)
}

/// Refuses a pattern that cannot be matched in linear time, or takes too much memory.
fn patterns(keyword: &str, value: &Json, at: &str) -> Result<(), InvalidSchema> {
    let check = |pattern: &str, at: &str| {
        let compiled = RegexBuilder::new(pattern).size_limit(MAX_PATTERN).build();
        compiled.map(|_| ()).map_err(|error| {
            let why = match error {
                regex::Error::CompiledTooBig(_) => "takes too much memory",
                _ => "is no regular expression that matches in linear time",
            };
            refused(at, format!("the pattern {why}"))
        })
    };
    match (keyword, value) {
        ("pattern", Json::String(pattern)) => check(pattern, at),
        ("patternProperties", Json::Object(members)) => {
            members.keys().try_for_each(|pattern| check(pattern, &token(at, pattern)))
        }
        _ => Ok(()),
    }
}

/// The pointer that a reference names.
fn resolve(root: &Json, reference: &Json, at: &str) -> Result<String, InvalidSchema> {
    let text = reference.as_str().unwrap_or("");
    let Some(fragment) = text.strip_prefix('#') else {
        return Err(refused(
            at,
            format!("`{text}` is not in this schema, and others are not loaded"),
        ));
    };
    let fragment = decoded(fragment);
    let target = if fragment.is_empty() || fragment.starts_with('/') {
        root.pointer(&fragment).map(|_| fragment.clone())
    } else {
        anchored(root, &fragment)
    };
    target.ok_or_else(|| refused(at, format!("nothing in the schema is at `{text}`")))
}

fn decoded(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex =
            |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or(0) * 16 + hex(*low).unwrap_or(0));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The pointer of the schema that carries an anchor.
fn anchored(root: &Json, anchor: &str) -> Option<String> {
    let mut open = vec![(String::new(), root)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Json::Object(members) => {
                let named = |key: &str| members.get(key).and_then(Json::as_str) == Some(anchor);
                if named("$anchor") || named("$dynamicAnchor") {
                    return Some(pointer);
                }
                open.extend(members.iter().map(|(key, inner)| (token(&pointer, key), inner)));
            }
            Json::Array(items) => {
                let items = items.iter().enumerate();
                open.extend(items.map(|(index, inner)| (format!("{pointer}/{index}"), inner)));
            }
            _ => {}
        }
    }
    None
}

/// Where a way back to itself closes, if there is one; of ways in place only, or of all.
fn circle(graph: &BTreeMap<String, Vec<Edge>>, in_place: bool) -> Option<String> {
    let mut done: BTreeMap<&str, bool> = BTreeMap::new();
    for start in graph.keys() {
        if done.contains_key(start.as_str()) {
            continue;
        }
        // Depth first; `false` marks what is on the way, `true` what is done.
        let mut way: Vec<(&str, usize)> = vec![(start, 0)];
        done.insert(start, false);
        while let Some((pointer, next)) = way.last_mut() {
            let edges = graph.get(*pointer).map_or(&[][..], Vec::as_slice);
            let Some(edge) = edges.get(*next) else {
                done.insert(pointer, true);
                way.pop();
                continue;
            };
            *next += 1;
            if in_place && !edge.in_place {
                continue;
            }
            match done.get(edge.pointer.as_str()) {
                Some(false) => return Some(edge.from.clone()),
                Some(true) => {}
                None => {
                    done.insert(&edge.pointer, false);
                    way.push((&edge.pointer, 0));
                }
            }
        }
    }
    None
}

/// How many parts the root unfolds to; the graph has no circle.
fn unfolded(graph: &BTreeMap<String, Vec<Edge>>) -> u64 {
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut open = vec![""];
    while let Some(pointer) = open.last().copied() {
        let edges = graph.get(pointer).map_or(&[][..], Vec::as_slice);
        let missing: Vec<&str> = edges
            .iter()
            .map(|edge| edge.pointer.as_str())
            .filter(|pointer| !sizes.contains_key(pointer))
            .collect();
        if missing.is_empty() {
            let inner = edges.iter().filter_map(|edge| sizes.get(edge.pointer.as_str()));
            let size = inner.fold(1, |sum: u64, size| sum.saturating_add(*size));
            sizes.insert(pointer, size);
            open.pop();
        } else {
            open.extend(missing);
        }
    }
    sizes.get("").copied().unwrap_or(0)
}

/// Counts what checking a value visits at most; no result of a keyword is looked at.
struct Walk<'s> {
    root: &'s Json,
    steps: u64,
}

impl Walk<'_> {
    fn visit(&mut self, schema: &Json, value: &Json, depth: usize) -> bool {
        self.steps += 1;
        if self.steps > MAX_STEPS || depth > MAX_DEPTH {
            return false;
        }
        let Some(object) = schema.as_object() else { return true };
        let covered = object.get("properties").and_then(Json::as_object);
        object.iter().all(|(keyword, inner)| match keyword.as_str() {
            "additionalProperties" | "unevaluatedProperties" => {
                self.other_members(inner, covered, value, depth + 1)
            }
            keyword => self.keyword(keyword, inner, value, depth + 1),
        })
    }

    fn keyword(&mut self, keyword: &str, inner: &Json, value: &Json, depth: usize) -> bool {
        if REFERENCES.contains(&keyword) {
            let root = self.root;
            let target = resolve(root, inner, "").ok().and_then(|pointer| root.pointer(&pointer));
            return target.is_none_or(|schema| self.visit(schema, value, depth));
        }
        if IN_PLACE.contains(&keyword) {
            return self.visit(inner, value, depth);
        }
        match (inner, keyword) {
            (Json::Array(schemas), "allOf" | "anyOf" | "oneOf") => {
                schemas.iter().all(|schema| self.visit(schema, value, depth))
            }
            (Json::Object(schemas), "dependentSchemas" | "dependencies") => {
                schemas.values().all(|schema| self.visit(schema, value, depth))
            }
            (Json::Object(schemas), "properties") => schemas.iter().all(|(key, schema)| {
                value.get(key).is_none_or(|member| self.visit(schema, member, depth))
            }),
            (Json::Object(schemas), "patternProperties") => {
                value.as_object().is_none_or(|members| {
                    members.values().all(|member| {
                        schemas.values().all(|schema| self.visit(schema, member, depth))
                    })
                })
            }
            (Json::Array(schemas), "items" | "prefixItems") => {
                value.as_array().is_none_or(|items| {
                    schemas.iter().zip(items).all(|(schema, item)| self.visit(schema, item, depth))
                })
            }
            (schema, "items" | "contains" | "additionalItems" | "unevaluatedItems") => value
                .as_array()
                .is_none_or(|items| items.iter().all(|item| self.visit(schema, item, depth))),
            _ => true,
        }
    }

    /// The members that `properties` does not name.
    fn other_members(
        &mut self,
        schema: &Json,
        covered: Option<&serde_json::Map<String, Json>>,
        value: &Json,
        depth: usize,
    ) -> bool {
        let Some(members) = value.as_object() else { return true };
        let other = |key: &str| covered.is_none_or(|covered| !covered.contains_key(key));
        members.iter().all(|(key, member)| !other(key) || self.visit(schema, member, depth))
    }
}
