//! Secrets: written, listed by name, deleted; read by nobody.

use tutti_api::{Page, SecretText, SecretView};
use tutti_auth::{Action, Authorized};
use tutti_ids::Name;
use tutti_journal::Timestamp;
use tutti_store::{Commit, Expected, RecordChange, RecordKind, RecordRange};

use crate::{
    answer::{Answer, invalid, json, not_found, nothing, of_store},
    asked::{Asked, short},
    audit::Deed,
    moment::show,
    vault::{self, SealedSecret},
};

/// The longest name of a secret, in bytes.
const LONGEST_NAME: usize = 128;
/// The longest text of a secret, in bytes.
const LONGEST_TEXT: usize = 64 * 1024;

pub(crate) async fn list(asked: Asked, proof: Authorized<Name>) -> Answer {
    let limit = asked.limit()?;
    let after = asked.parameter("cursor").map(|name| vault::record(proof.namespace(), name));
    let namespace = Some(proof.namespace().clone());
    let range = RecordRange { kind: RecordKind::Secret, namespace, after, limit: limit + 1 };
    let found = asked.desk.store.records(range).await.map_err(|error| of_store(&error))?;
    let items: Vec<SecretView> = found
        .iter()
        .take(limit)
        .filter_map(|record| {
            let secret: SealedSecret = minicbor::decode(&record.value).ok()?;
            Some(SecretView {
                name: record.id.key.clone(),
                written_at: show(Timestamp(secret.written_at)),
                written_by: secret.written_by,
            })
        })
        .collect();
    let next = (found.len() > limit).then(|| items.last().map(|last| last.name.clone())).flatten();
    Ok(json(200, &Page { items, next }))
}

pub(crate) async fn write(asked: Asked, proof: Authorized<Name>) -> Answer {
    let SecretText { value } = asked.json()?;
    if value.is_empty() || value.len() > LONGEST_TEXT {
        return Err(invalid(format!("a secret has 1 to {LONGEST_TEXT} bytes")));
    }
    change(&asked, &proof, Action::SecretWrite, Some(&value)).await
}

pub(crate) async fn delete(asked: Asked, proof: Authorized<Name>) -> Answer {
    change(&asked, &proof, Action::SecretDelete, None).await
}

async fn change(
    asked: &Asked,
    proof: &Authorized<Name>,
    action: Action,
    text: Option<&str>,
) -> Answer {
    let (desk, name) = (&asked.desk, asked.part("name"));
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(fits) {
        return Err(invalid(format!(
            "the name of a secret has 1 to {LONGEST_NAME} letters, digits, `_`, `-` and `.`"
        )));
    }
    let namespace = proof.namespace();
    let id = vault::record(namespace, name);
    let _held = desk.keyed.hold(&format!("secret {namespace} {name}")).await;
    if text.is_none() {
        let known = desk.store.record(id.clone()).await.map_err(|error| of_store(&error))?;
        known.ok_or_else(|| not_found(&format!("secret `{}`", short(name))))?;
    }
    let value =
        text.map(|text| vault::seal(text, desk.clock.now(), &asked.who(), &*desk.reader.sealer));
    let deed =
        Deed { action, namespace: Some(namespace), subject: name, execution: None, reason: None };
    let commit = Commit {
        records: vec![RecordChange { id, expected: Expected::Anything, value }],
        audit: vec![asked.fact(&deed)],
        ..Commit::default()
    };
    desk.store.commit(commit).await.map_err(|error| of_store(&error))?;
    desk.vault.set(namespace, name, text);
    Ok(nothing())
}
