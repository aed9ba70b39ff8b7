//! Does a document have the shape the tables say? Tells everything that does not, and compiles nothing.

use std::collections::BTreeSet;

use super::{
    Key, Object, Rule, Shape, USE, calls,
    document::ROOT,
    fit::{expected, fits, fits_text},
    tasks,
};
use crate::{
    codes::Code,
    diagnostic::{Problem, nearest},
    kinds::Keyword,
    tree::{At, Node, NodeKind},
    version,
};

/// Checks a whole document.
pub(crate) fn check(root: &Node, problems: &mut Vec<Problem>) {
    let at = At::root(root);
    let functions = at.get("use").and_then(|used| used.get("functions"));
    let functions =
        functions.iter().flat_map(At::members).map(|(key, _)| key.text.to_string()).collect();
    let mut checker = Checker { problems, functions };
    checker.object(&at, &ROOT);
}

/// Checks the task of a function that stands in a text of its own.
pub(crate) fn check_function(at: &At<'_>, problems: &mut Vec<Problem>) {
    Checker { problems, functions: BTreeSet::new() }.value(at, &Shape::Task);
}

struct Checker<'p> {
    problems: &'p mut Vec<Problem>,
    /// What `use.functions` declares: it comes before our own functions.
    functions: BTreeSet<String>,
}

impl Checker<'_> {
    fn value(&mut self, at: &At<'_>, shape: &Shape) {
        if !fits(at.node, shape) {
            self.wrong_type(at, shape);
            return;
        }
        match shape {
            Shape::Integer { min, max } => self.integer(at, *min, *max),
            Shape::Choice(choices) => self.choice(at, choices),
            Shape::DnsLabel => self.dns_label(at),
            Shape::VersionOrLatest if at.text().is_some_and(|text| &**text == "latest") => {}
            Shape::Version | Shape::VersionOrLatest => self.version(at),
            Shape::Host => self.host(at),
            Shape::NotYet => self.not_yet(at),
            Shape::Marked => self.marked(at),
            Shape::List(inner) => at.items().for_each(|item| self.value(&item, inner)),
            Shape::Map(inner) => at.members().for_each(|(_, member)| self.value(&member, inner)),
            Shape::Named(inner) => self.named(at, inner),
            Shape::NonEmptyNamed(inner) => {
                if at.items().next().is_none() {
                    let message = format!("`{}` needs at least one entry", last(at));
                    self.problems.push(at.problem(Code::OutOfRange, message));
                }
                self.named(at, inner);
            }
            Shape::Object(object) => self.object(at, object),
            Shape::UseOr(object) => {
                let object = if at.node.get("use").is_some() { &USE } else { object };
                self.object(at, object);
            }
            Shape::Either(shapes) => {
                if let Some(shape) = shapes.iter().find(|shape| fits(at.node, shape)) {
                    self.value(at, shape);
                }
            }
            Shape::Task => self.task(at),
            Shape::Tasks => self.named(at, &Shape::Task),
            Shape::Any
            | Shape::Text
            | Shape::Expression
            | Shape::Value
            | Shape::TextValue
            | Shape::MapValue
            | Shape::Code
            | Shape::Bool
            | Shape::Duration
            | Shape::Uri
            | Shape::Directive
            | Shape::Variable
            | Shape::JsonSchema => {}
        }
    }

    fn wrong_type(&mut self, at: &At<'_>, shape: &Shape) {
        let message =
            format!("`{}` must be {}, not {}", last(at), expected(shape), at.node.describe());
        let mut problem = at.problem(Code::WrongType, message);
        let wants_text = fits_text(shape);
        if wants_text
            && matches!(at.node.kind, NodeKind::Integer(_) | NodeKind::Float(_) | NodeKind::Bool(_))
        {
            problem = problem.hint(match &at.node.kind {
                // Compared with what an expression gives, which need not be text.
                NodeKind::Integer(number) if last(at) == "expect" => {
                    format!("write `${{ {number} }}`, or put it in quotes to make it text")
                }
                _ => "put it in quotes to make it text".to_owned(),
            });
        } else if wants_text && is_braces(at.node) {
            problem = problem.hint("put it in quotes: `{` opens a mapping in YAML");
        } else if at.node.as_map().is_none()
            && at.node.as_list().is_none()
            && let Some(hint) = hint_of_collection(shape)
        {
            problem = problem.hint(hint);
        }
        self.problems.push(problem);
    }

    fn integer(&mut self, at: &At<'_>, min: i64, max: i64) {
        let Some(value) = at.node.as_integer() else { return };
        if (min..=max).contains(&value) {
            return;
        }
        let range =
            if max == i64::MAX { format!("{min} or more") } else { format!("{min} to {max}") };
        let message = format!("`{}` must be {range}, not {value}", last(at));
        self.problems.push(at.problem(Code::OutOfRange, message));
    }

    fn choice(&mut self, at: &At<'_>, choices: &[&str]) {
        let Some(text) = at.text() else { return };
        if choices.contains(&&**text) {
            return;
        }
        let hint = match nearest(text, choices.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", choices.join(", ")),
        };
        let message = format!("`{text}` is no value of `{}`", last(at));
        self.problems.push(at.problem(Code::NotAllowed, message).hint(hint));
    }

    fn dns_label(&mut self, at: &At<'_>) {
        let Some(text) = at.text() else { return };
        if !version::is_dns_label(text) {
            let message = format!("`{}` is not a DNS label: `{text}`", last(at));
            self.problems.push(
                at.problem(Code::InvalidName, message)
                    .hint("1 to 63 letters, digits and hyphens, a hyphen neither first nor last"),
            );
        }
    }

    fn version(&mut self, at: &At<'_>) {
        let Some(text) = at.text() else { return };
        if !version::is_semantic(text) {
            let message = format!("`{}` is not a semantic version: `{text}`", last(at));
            self.problems.push(
                at.problem(Code::InvalidVersion, message)
                    .hint("three numbers such as `1.0.0`; then perhaps `-` and a pre-release"),
            );
        }
    }

    fn host(&mut self, at: &At<'_>) {
        let Some(text) = at.text() else { return };
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let edges = !text.starts_with(['-', '.']) && !text.ends_with(['-', '.']);
        if !(text.bytes().all(inner) && edges && (1..=253).contains(&text.len())) {
            let message = format!("`{text}` is not the name of a host");
            self.problems.push(
                at.problem(Code::InvalidName, message)
                    .hint("without scheme, port or path, such as `grpc.example.com`"),
            );
        }
    }

    fn marked(&mut self, at: &At<'_>) {
        let Some(text) = at.text().map(|text| text.trim()) else { return };
        if !(text.starts_with("${") && text.ends_with('}')) {
            let message = format!("`{}` must be a mapping or an expression `${{ … }}`", last(at));
            self.problems.push(at.problem(Code::WrongType, message));
        }
    }

    fn not_yet(&mut self, at: &At<'_>) {
        let setting = at.pointer.rsplit_once("metadata/tutti/").map_or("", |(_, name)| name);
        let message = format!(
            "`metadata.tutti.{}` is known, but this version does not support it yet",
            setting.replace('/', ".")
        );
        self.problems.push(
            at.problem(Code::NotSupportedYet, message)
                .hint("remove it: a setting is never silently ignored"),
        );
    }

    /// A list of mappings with one key each.
    fn named(&mut self, at: &At<'_>, inner: &Shape) {
        for item in at.items() {
            let Some(members) = item.node.as_map() else {
                let message = format!(
                    "an entry of `{}` must be a name and what it stands for, not {}",
                    last(at),
                    item.node.describe()
                );
                self.problems.push(
                    item.problem(Code::WrongType, message)
                        .hint("write `- name:` and indent what follows"),
                );
                continue;
            };
            if members.len() != 1 {
                self.not_single(at, &item, members);
            }
            item.members().for_each(|(_, member)| self.value(&member, inner));
        }
    }

    fn not_single(&mut self, list: &At<'_>, item: &At<'_>, members: &[(crate::tree::Key, Node)]) {
        let message = format!(
            "an entry of `{}` has exactly one name, and this has {}",
            last(list),
            members.len()
        );
        let span = members.get(1).map_or(item.node.span.clone(), |(key, _)| key.span.clone());
        let keyword = |name: &str| {
            Keyword::ALL.iter().any(|kind| kind.as_str() == name)
                || tasks::COMMON.iter().any(|key| key.name == name)
        };
        let unnamed = members.iter().skip(1).any(|(key, _)| keyword(&key.text));
        let hint = if unnamed {
            "indent what belongs to the task further than its name"
        } else {
            "begin every entry with `- `"
        };
        self.problems
            .push(Problem::new(Code::ExactlyOne, span, &*item.pointer, message).hint(hint));
    }

    fn object(&mut self, at: &At<'_>, object: &Object) {
        self.keys(at, object, &[]);
        object.rules.iter().for_each(|rule| self.rule(at, rule));
    }

    /// The keys of an object and those of `common`.
    fn keys(&mut self, at: &At<'_>, object: &Object, common: &'static [Key]) {
        let known = || object.keys.iter().chain(common);
        for key in known() {
            if key.required && at.node.get(key.name).is_none() {
                self.missing(at, key);
            }
        }
        for (name, member) in at.members() {
            match known().find(|key| key.name == &*name.text) {
                Some(key) => self.value(&member, &key.shape),
                None => match &object.others {
                    Some(shape) => self.value(&member, shape),
                    None => self.unknown_key(at, name, known().map(|key| key.name)),
                },
            }
        }
    }

    fn missing(&mut self, at: &At<'_>, key: &Key) {
        let place =
            if at.pointer.is_empty() { "the document" } else { &format!("`{}`", at.pointer) };
        let message = format!("{place} lacks the key `{}`", key.name);
        let start = at.node.span.start;
        let end = at
            .node
            .as_map()
            .and_then(|members| members.first())
            .map_or(start, |(key, _)| key.span.end);
        self.problems.push(
            Problem::new(Code::MissingKey, start..end, &*at.pointer, message).hint(format!(
                "add `{}`: {}",
                key.name,
                lower_first(key.doc)
            )),
        );
    }

    fn unknown_key(
        &mut self,
        at: &At<'_>,
        name: &crate::tree::Key,
        known: impl Iterator<Item = &'static str>,
    ) {
        let known: Vec<&str> = known.collect();
        let root = at.pointer.is_empty();
        let code = if root { Code::UnknownRootKey } else { Code::UnknownKey };
        let place = if root { "the document" } else { &format!("`{}`", at.pointer) };
        let message = format!("`{}` is no key of {place}", name.text);
        let absent: Vec<&str> =
            known.iter().copied().filter(|key| at.node.get(key).is_none()).collect();
        let hint = match nearest(&name.text, absent.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "it takes none".to_owned(),
            None => format!("keys here: {}", known.join(", ")),
        };
        self.problems.push(
            Problem::new(
                code,
                name.span.clone(),
                &*crate::tree::child(&at.pointer, &name.text),
                message,
            )
            .hint(hint),
        );
    }

    fn rule(&mut self, at: &At<'_>, rule: &Rule) {
        let has = |key: &str| at.node.get(key).is_some();
        match rule {
            Rule::ExactlyOne(keys) => {
                let given: Vec<&str> = keys.iter().copied().filter(|key| has(key)).collect();
                if given.len() != 1 {
                    self.not_exactly_one(at, keys, &given);
                }
            }
            Rule::Needs { key, other } => {
                if has(key) && !has(other) {
                    self.misplaced(at, key, format!("`{key}` has a meaning beside `{other}` only"));
                }
            }
            Rule::OnlyWith { key, other, value } => {
                let is_value =
                    at.get(other).is_some_and(|at| at.text().is_some_and(|text| **text == **value));
                if has(key) && !is_value {
                    self.misplaced(
                        at,
                        key,
                        format!("`{key}` has a meaning with `{other}: {value}` only"),
                    );
                } else if !has(key) && is_value {
                    let message = format!("`{other}: {value}` needs the key `{key}`");
                    self.problems
                        .push(at.problem(Code::MissingKey, message).hint(format!("add `{key}`")));
                }
            }
            Rule::NotEmpty => {
                if at.node.as_map().is_some_and(<[_]>::is_empty) {
                    let message = format!("`{}` needs at least one key", last(at));
                    self.problems.push(at.problem(Code::OutOfRange, message));
                }
            }
        }
    }

    fn not_exactly_one(&mut self, at: &At<'_>, keys: &[&str], given: &[&str]) {
        let span = match given.get(1).and_then(|second| at.node.entry(second)) {
            Some((key, _)) => key.span.clone(),
            None => at.node.span.clone(),
        };
        let found = if given.is_empty() {
            "none is given".to_owned()
        } else {
            format!("given: {}", given.join(", "))
        };
        let message = format!("`{}` needs exactly one of {}; {found}", last(at), keys.join(", "));
        self.problems.push(Problem::new(Code::ExactlyOne, span, &*at.pointer, message));
    }

    fn misplaced(&mut self, at: &At<'_>, key: &str, message: String) {
        let Some((found, _)) = at.node.entry(key) else { return };
        let pointer = crate::tree::child(&at.pointer, key);
        self.problems.push(
            Problem::new(Code::ExactlyOne, found.span.clone(), &*pointer, message)
                .hint(format!("remove `{key}`")),
        );
    }

    fn task(&mut self, at: &At<'_>) {
        let kinds: Vec<Keyword> = Keyword::all_of(at.node).collect();
        let Some(kind) = kinds.first() else { return self.idle_task(at) };
        if let Some(second) = kinds.get(1) {
            let span = at.node.entry(second.as_str()).map(|(key, _)| key.span.clone());
            let message = format!(
                "task `{}` does one thing, and has both `{}` and `{}`",
                at.pointer,
                kind.as_str(),
                second.as_str()
            );
            self.problems.push(
                Problem::new(Code::TaskKind, span.unwrap_or_default(), &*at.pointer, message)
                    .hint("make two tasks of it"),
            );
            return;
        }
        match kind {
            Keyword::Call => self.call(at),
            kind => self.keys(at, tasks::of(*kind), tasks::COMMON),
        }
    }

    /// A task without any keyword: what it has is checked as far as it is known.
    fn idle_task(&mut self, at: &At<'_>) {
        let names = Keyword::ALL.iter().map(|kind| kind.as_str());
        let mut hint =
            format!("a task has one of {}", names.clone().collect::<Vec<_>>().join(", "));
        let mut span = at.node.span.clone();
        for (key, member) in at.members() {
            match tasks::COMMON.iter().find(|common| common.name == &*key.text) {
                Some(common) => self.value(&member, &common.shape),
                None => {
                    if let Some(near) = nearest(&key.text, names.clone()) {
                        hint = format!("did you mean `{near}`?");
                        span = key.span.clone();
                    }
                }
            }
        }
        let message = format!("task `{}` does nothing", at.pointer);
        self.problems.push(Problem::new(Code::TaskKind, span, &*at.pointer, message).hint(hint));
    }

    fn call(&mut self, at: &At<'_>) {
        let name = at.get("call").and_then(|call| call.text().cloned());
        let own = name.as_ref().filter(|name| {
            // The language's own names come first; `each` is ours and comes after `use.functions`.
            !(&***name == "each" && self.functions.contains("each"))
        });
        let arguments = own.and_then(|name| calls::arguments(name));
        self.keys(at, tasks::of(Keyword::Call), tasks::COMMON);
        let Some(arguments) = arguments else { return };
        match at.get("with") {
            Some(with) if with.node.as_map().is_some() => self.object(&with, arguments),
            Some(_) => {}
            None => {
                let message = format!("`{}` lacks the key `with`", at.pointer);
                let span = at.node.entry("call").map_or(0..0, |(key, _)| key.span.clone());
                self.problems.push(
                    Problem::new(Code::MissingKey, span, &*at.pointer, message)
                        .hint(format!("add `with`: {}", lower_first(arguments.doc))),
                );
            }
        }
    }
}

/// How to write what is a list or a mapping, for who wrote a plain value.
fn hint_of_collection(shape: &Shape) -> Option<String> {
    match shape {
        Shape::List(_) => Some("write a list, also of a single entry: `[ … ]`".to_owned()),
        Shape::Object(object) => {
            let keys: Vec<&str> = object.keys.iter().map(|key| key.name).collect();
            (!keys.is_empty()).then(|| format!("its keys are {}", keys.join(", ")))
        }
        Shape::Either(shapes) => shapes.iter().find_map(hint_of_collection),
        _ => None,
    }
}

/// `{ … }` where somebody probably wrote an expression without quotes.
fn is_braces(node: &Node) -> bool {
    node.as_map().is_some_and(|members| members.len() == 1 && members[0].1.span.is_empty())
}

/// The last token of a pointer, as people wrote it.
fn last(at: &At<'_>) -> String {
    let token = at.pointer.rsplit('/').next().unwrap_or("");
    if token.is_empty() {
        "the document".to_owned()
    } else {
        token.replace("~1", "/").replace("~0", "~")
    }
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    format!("{first}{}", characters.as_str().trim_end_matches('.'))
}
