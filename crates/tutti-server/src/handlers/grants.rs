//! Names and grants on the wire, for principals and their tokens.

use tutti_api::{Code, GrantView, Problem};
use tutti_auth::{Grant, Grants, Label, Reach};

use crate::answer::invalid;

pub(crate) fn no_chance(error: getrandom::Error) -> Problem {
    Problem::new(Code::Internal, format!("the operating system gives no chance: {error}"))
}

pub(crate) fn label(text: &str) -> Result<Label, Problem> {
    text.parse().map_err(|error| invalid(format!("`name`: {error}")))
}

pub(crate) fn grants(views: &[GrantView]) -> Result<Grants, Problem> {
    let grants: Result<Vec<Grant>, Problem> = views
        .iter()
        .map(|view| {
            let role = view.role.parse().map_err(|error| invalid(format!("`role`: {error}")))?;
            let reach = match &view.namespace {
                None => Reach::All,
                Some(name) => Reach::Namespace(
                    name.parse().map_err(|error| invalid(format!("`namespace`: {error}")))?,
                ),
            };
            Ok(Grant { role, reach })
        })
        .collect();
    Grants::new(grants?).map_err(|error| invalid(format!("`grants`: {error}")))
}

pub(crate) fn grant_views(grants: &Grants) -> Vec<GrantView> {
    let view = |grant: Grant| GrantView {
        role: grant.role.to_string(),
        namespace: match grant.reach {
            Reach::All => None,
            Reach::Namespace(name) => Some(name.to_string()),
        },
    };
    grants.iter().map(view).collect()
}
