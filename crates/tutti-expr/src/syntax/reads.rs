//! Which members of its variables a program reads, as far as its source tells.

use std::{collections::BTreeSet, sync::Arc};

use super::tree::{Node, Op};
use crate::{Kind, environment::Reads};

/// What `root` reads of each of its `count` variables, in the order of their numbers.
pub(crate) fn reads(root: &Node, count: usize) -> Vec<Reads> {
    let mut reads = vec![Reads::Members(BTreeSet::new()); count];
    if count > 0 {
        visit(root, &mut reads);
    }
    reads
}

fn visit(node: &Node, reads: &mut [Reads]) {
    if let Op::Global(number) = node.op {
        reads[number] = Reads::All;
        return;
    }
    if let Some((target, name)) = member(node)
        && let Op::Global(number) = target.op
    {
        add(&mut reads[number], name);
        return;
    }
    if let Op::Pipe(left, right) = &node.op
        && let Op::Global(number) = left.op
        && let Some(name) = first_member(right)
    {
        add(&mut reads[number], name);
        return visit(right, reads);
    }
    node.op.children(&mut |child| visit(child, reads));
}

fn add(reads: &mut Reads, name: &Arc<str>) {
    if let Reads::Members(names) = reads {
        names.insert(name.clone());
    }
}

/// The member of its input that a filter begins with, where the rest of it sees only that member.
fn first_member(node: &Node) -> Option<&Arc<str>> {
    if let Some((target, name)) = member(node) {
        return if matches!(target.op, Op::Identity) { Some(name) } else { first_member(target) };
    }
    match &node.op {
        Op::Pipe(left, _) => first_member(left),
        Op::Try(body, None) | Op::Iterate(body) => first_member(body),
        _ => None,
    }
}

/// `TARGET.name` and `TARGET["name"]`.
fn member(node: &Node) -> Option<(&Node, &Arc<str>)> {
    match &node.op {
        Op::Field(target, name) => Some((target, name)),
        Op::Index(target, index) => match &index.op {
            Op::Constant(value) => match value.kind() {
                Kind::String(name) => Some((target, name)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}
