//! A tree as the lines of a screen: (model, view) → lines. Pure.

use tutti_journal::Timestamp;

use super::{
    model::{Key, Model, Node, Status},
    words::plain,
};
use crate::{
    console::{Paint, Style},
    length_of_time,
};

/// The frames of the sign for what is running.
const SPINNER: [&str; 8] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇", "⠏", "⠹"];

/// What a drawing depends on beside the model.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// Columns.
    pub(super) width: usize,
    /// Rows.
    pub(super) height: usize,
    pub(super) now: Timestamp,
    /// Which drawing it is, for the sign that turns.
    pub(super) frame: usize,
    pub(super) paint: Paint,
    /// Whether it is the one that stays.
    pub(super) last: bool,
}

/// A row before it is cut to the screen.
struct Row<'a> {
    depth: usize,
    node: &'a Node,
    log: bool,
    /// What is left out first when there are too many rows: the highest.
    dispensable: u8,
}

/// The tree, no wider and no higher than the view.
pub(super) fn draw(model: &Model, view: View) -> Vec<String> {
    let mut rows = Vec::new();
    if let Some(root) = model.root() {
        collect(model, root, 0, &mut rows);
    }
    let hidden = fit(&mut rows, view.height);
    let mut lines: Vec<String> = rows.iter().map(|row| line(row, view)).collect();
    if hidden > 0 {
        lines.push(view.paint.paint(Style::Dim, &cut(&format!("  … {hidden} more"), view.width)));
    }
    lines.truncate(view.height);
    lines
}

fn collect<'a>(model: &'a Model, node: &'a Node, depth: usize, rows: &mut Vec<Row<'a>>) {
    let dispensable = match node.status {
        Status::Running | Status::Waiting | Status::Stuck => 0,
        Status::Faulted => 1,
        Status::Completed | Status::Undone | Status::Skipped | Status::Cancelled if depth <= 1 => 2,
        Status::Completed | Status::Undone | Status::Skipped | Status::Cancelled => 3,
    };
    rows.push(Row { depth, node, log: false, dispensable });
    if node.log.is_some() {
        rows.push(Row { depth, node, log: true, dispensable: 4 });
    }
    // How it was undone matters while it is being undone, and where it went wrong.
    if node.undoes.is_some() && node.status == Status::Completed {
        return;
    }
    let mut children: Vec<(&Key, &Node)> =
        node.children.iter().filter_map(|key| model.node(*key).map(|node| (key, node))).collect();
    children.sort_by_key(|(key, node)| (node.index, key.1));
    for (_, child) in children {
        collect(model, child, depth + 1, rows);
    }
}

/// Leaves out rows until the rest fits; gives how many.
fn fit(rows: &mut Vec<Row<'_>>, height: usize) -> usize {
    let all = rows.iter().filter(|row| !row.log).count();
    for level in (1..=4).rev() {
        // A row is kept for saying how many are left out.
        let too_many = rows.len().saturating_sub(height.saturating_sub(1));
        if rows.len() <= height {
            break;
        }
        let mut left = too_many;
        rows.retain(|row| {
            let drop = row.dispensable == level && left > 0;
            left -= usize::from(drop);
            !drop
        });
    }
    if rows.len() > height {
        rows.truncate(height.saturating_sub(1));
    }
    all - rows.iter().filter(|row| !row.log).count()
}

fn line(row: &Row<'_>, view: View) -> String {
    let indent = "  ".repeat(row.depth.min(20));
    let node = row.node;
    if row.log {
        let log = node.log.as_deref().unwrap_or_default();
        return view.paint.paint(Style::Dim, &cut(&format!("{indent}  {log}"), view.width));
    }
    let (sign, style) = sign(node.status, view);
    let title = title(node);
    let beside = beside(node, view);
    let room = view.width.saturating_sub(indent.len() + 2);
    let title = cut(&title, room);
    let left = room.saturating_sub(width_of(&title) + 2);
    let beside = if left >= 4 { cut(&beside, left) } else { String::new() };
    let mut text = format!("{indent}{} {title}", view.paint.paint(style, sign));
    if !beside.is_empty() {
        text.push_str("  ");
        let style = if node.status == Status::Faulted { Style::Bad } else { Style::Dim };
        text.push_str(&view.paint.paint(style, &beside));
    }
    text
}

fn sign(status: Status, view: View) -> (&'static str, Style) {
    match status {
        Status::Running if view.last => ("●", Style::Active),
        Status::Running => (SPINNER[view.frame % SPINNER.len()], Style::Active),
        Status::Waiting => ("◷", Style::Active),
        Status::Stuck => ("!", Style::Doubtful),
        Status::Completed => ("✔", Style::Good),
        Status::Undone => ("↶", Style::Dim),
        Status::Skipped => ("–", Style::Dim),
        Status::Faulted => ("✘", Style::Bad),
        Status::Cancelled => ("⊘", Style::Dim),
    }
}

fn title(node: &Node) -> String {
    if let Some(undoable) = &node.undoes {
        let word = match node.status {
            Status::Completed => "undone",
            ended if ended.has_ended() => "not undone",
            _ => "undoing",
        };
        return format!("{word}: {}", plain(&undoable.name));
    }
    match (node.name.is_empty(), node.index) {
        (true, Some(index)) => format!("[{index}]"),
        (_, _) => plain(&node.name),
    }
}

/// Counts, attempts, how long it takes and what else there is to say.
fn beside(node: &Node, view: View) -> String {
    let mut parts = Vec::new();
    if let Some(count) = node.count {
        let failed =
            if count.failed > 0 { format!(" ({} failed)", count.failed) } else { String::new() };
        parts.push(format!("{}/{}{failed}", count.done, count.total));
    }
    if node.retries > 0 {
        parts.push(format!("attempt {}", node.retries + 1));
    }
    if node.status != Status::Skipped {
        let end = node.ended.unwrap_or(view.now);
        parts.push(length_of_time::show(end.ms_since(node.started)));
    }
    match node.events {
        0 => {}
        1 => parts.push("1 event".to_owned()),
        count => parts.push(format!("{count} events")),
    }
    if node.status == Status::Waiting {
        parts.extend(node.awaits.as_ref().map(|awaits| format!("waits for {awaits}")));
    }
    parts.extend(node.note.clone());
    parts.join(" · ")
}

/// `text` in at most `width` columns.
fn cut(text: &str, width: usize) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += columns(character);
        if used + 1 > width {
            break;
        }
        shown.push(character);
    }
    if width > 0 {
        shown.push('…');
    }
    shown
}

fn width_of(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Columns a character takes: two for the wide scripts and pictures, none for marks that combine.
fn columns(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036F | 0x200B..=0x200D | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}
