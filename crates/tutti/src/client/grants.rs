//! Roles as they are typed and shown: `admin` everywhere, `operator@ops` in a namespace.

use tutti_api::GrantView;

use crate::exit::Failure;

const ROLES: [&str; 4] = ["viewer", "operator", "author", "admin"];

/// Reads what `--grant` says.
pub(super) fn parsed(texts: &[String]) -> Result<Vec<GrantView>, Failure> {
    texts.iter().map(|text| one(text)).collect()
}

fn one(text: &str) -> Result<GrantView, Failure> {
    let (role, namespace) = match text.split_once('@') {
        Some((role, namespace)) => (role, Some(namespace.to_owned())),
        None => (text, None),
    };
    if !ROLES.contains(&role) {
        return Err(Failure::usage(format!("there is no role `{role}`"))
            .hint(format!("roles are {}, each also as ROLE@NAMESPACE", ROLES.join(", "))));
    }
    Ok(GrantView { role: role.to_owned(), namespace })
}

/// Roles in one text.
pub(super) fn words(grants: &[GrantView]) -> String {
    let word = |grant: &GrantView| match &grant.namespace {
        Some(namespace) => format!("{}@{namespace}", grant.role),
        None => grant.role.clone(),
    };
    let words: Vec<String> = grants.iter().map(word).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_shown_as_they_are_typed() {
        let check = |text: &str, is_one: bool| {
            let read = parsed(&[text.to_owned()]).ok().map(|grants| words(&grants));
            assert_eq!(read.as_deref(), is_one.then_some(text), "{text}");
        };
        check("admin", true);
        check("operator@ops", true);
        check("root", false);
        check("", false);
        check("@ops", false);
    }
}
