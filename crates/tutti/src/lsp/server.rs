//! What is answered to which message.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{answers, framing::Incoming};
use crate::exit::Exit;

/// Documents held at once.
const MAX_DOCUMENTS: usize = 256;

const INVALID_REQUEST: i64 = -32600;
const PARSE_ERROR: i64 = -32700;
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
const NOT_INITIALIZED: i64 = -32002;
const CANCELLED: i64 = -32800;

/// The state of a conversation.
#[derive(Debug, Default)]
pub(super) struct Server {
    stage: Stage,
    documents: BTreeMap<String, Open>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Fresh,
    Serving,
    /// After `shutdown`.
    Leaving,
    /// After `exit`; whether `shutdown` came before.
    Ended {
        in_order: bool,
    },
}

/// A document the editor has open.
#[derive(Debug)]
struct Open {
    text: String,
    version: Value,
    /// Whether its diagnostics are to be told.
    is_changed: bool,
}

impl Server {
    /// Takes one message; what is to be sent.
    pub(super) fn on(
        &mut self,
        incoming: Incoming,
        cancelled: &dyn Fn(&Value) -> bool,
    ) -> Vec<Value> {
        let message = match incoming {
            Incoming::Message(message) => message,
            Incoming::NotJson => {
                return vec![refused(&Value::Null, PARSE_ERROR, "the message is not JSON")];
            }
            Incoming::TooLarge(bytes) => return vec![warning(bytes)],
        };
        let params = message.get("params").unwrap_or(&Value::Null);
        match (message.get("method").and_then(Value::as_str), message.get("id")) {
            (Some(method), Some(id)) if cancelled(id) && method != "shutdown" => {
                vec![refused(id, CANCELLED, "cancelled")]
            }
            (Some(method), Some(id)) => match self.request(method, params) {
                Ok(result) => vec![json!({ "jsonrpc": "2.0", "id": id, "result": result })],
                Err((code, message)) => vec![refused(id, code, &message)],
            },
            (Some(method), None) => self.notification(method, params),
            // An answer: nothing was asked.
            (None, _) if message.get("result").is_some() || message.get("error").is_some() => {
                Vec::new()
            }
            (None, id) => {
                let id = id.unwrap_or(&Value::Null);
                vec![refused(id, INVALID_REQUEST, "the message has no method")]
            }
        }
    }

    /// Diagnostics of the documents that have changed.
    pub(super) fn diagnostics(&mut self) -> Vec<Value> {
        let changed = self.documents.iter_mut().filter(|(_, open)| open.is_changed);
        changed
            .map(|(uri, open)| {
                open.is_changed = false;
                let found = answers::diagnostics(&open.text);
                published(uri, &open.version, &found)
            })
            .collect()
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended { .. })
    }

    /// How the process ends: well if `shutdown` came before.
    pub(super) fn exit(&self) -> Exit {
        match self.stage {
            Stage::Ended { in_order: true } | Stage::Leaving => Exit::Completed,
            Stage::Ended { in_order: false } | Stage::Fresh | Stage::Serving => Exit::Faulted,
        }
    }

    fn request(&mut self, method: &str, params: &Value) -> Result<Value, (i64, String)> {
        match (self.stage, method) {
            (Stage::Fresh, "initialize") => {
                self.stage = Stage::Serving;
                return Ok(answers::capabilities());
            }
            (Stage::Fresh, _) => {
                return Err((NOT_INITIALIZED, "`initialize` comes first".to_owned()));
            }
            (Stage::Serving, "initialize") => {
                return Err((INVALID_REQUEST, "`initialize` came before".to_owned()));
            }
            (Stage::Serving, "shutdown") => {
                self.stage = Stage::Leaving;
                return Ok(Value::Null);
            }
            (Stage::Serving, _) => {}
            (Stage::Leaving | Stage::Ended { .. }, _) => {
                return Err((INVALID_REQUEST, "`shutdown` came before".to_owned()));
            }
        }
        let answer = match method {
            "textDocument/hover" => answers::hover,
            "textDocument/completion" => answers::completion,
            "textDocument/definition" => answers::definition,
            "textDocument/documentSymbol" => answers::symbols,
            _ => return Err((METHOD_NOT_FOUND, format!("`{method}` is not supported"))),
        };
        let Some(uri) = uri(params) else {
            return Err((INVALID_PARAMS, "`textDocument.uri` is missing".to_owned()));
        };
        Ok(self.documents.get(uri).map_or(Value::Null, |open| answer(uri, &open.text, params)))
    }

    fn notification(&mut self, method: &str, params: &Value) -> Vec<Value> {
        if method == "exit" {
            self.stage = Stage::Ended { in_order: self.stage == Stage::Leaving };
        }
        if self.stage != Stage::Serving {
            return Vec::new();
        }
        match (method, uri(params)) {
            ("textDocument/didOpen", Some(uri)) => self.write(uri, &params["textDocument"], None),
            ("textDocument/didChange", Some(uri)) => {
                // Whole texts are asked for; of several the last one counts.
                let change = params["contentChanges"].as_array().and_then(|changes| changes.last());
                let whole = change.filter(|change| change.get("range").is_none());
                self.write(uri, &params["textDocument"], whole);
            }
            ("textDocument/didClose", Some(uri)) => {
                self.documents.remove(uri);
                return vec![published(uri, &Value::Null, &[])];
            }
            _ => {}
        }
        Vec::new()
    }

    /// Keeps a document's new text, where there is room.
    fn write(&mut self, uri: &str, document: &Value, change: Option<&Value>) {
        let text = change.unwrap_or(document)["text"].as_str();
        let has_room = self.documents.len() < MAX_DOCUMENTS || self.documents.contains_key(uri);
        let Some(text) = text.filter(|_| has_room) else { return };
        let version = document["version"].clone();
        let open = Open { text: text.to_owned(), version, is_changed: true };
        self.documents.insert(uri.to_owned(), open);
    }
}

fn uri(params: &Value) -> Option<&str> {
    params["textDocument"]["uri"].as_str()
}

fn refused(id: &Value, code: i64, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

fn published(uri: &str, version: &Value, diagnostics: &[Value]) -> Value {
    let mut params = json!({ "uri": uri, "diagnostics": diagnostics });
    if version.is_i64() {
        params["version"] = version.clone();
    }
    json!({ "jsonrpc": "2.0", "method": "textDocument/publishDiagnostics", "params": params })
}

/// Says that a message was too large to be read.
fn warning(bytes: u64) -> Value {
    let message = format!("a message of {bytes} bytes was skipped: at most 16 MiB are read");
    json!({
        "jsonrpc": "2.0",
        "method": "window/logMessage",
        "params": { "type": 2, "message": message },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn initialized() -> Server {
        let mut server = Server::default();
        let request = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {} });
        server.on(Incoming::Message(request), &|_| false);
        server
    }

    fn opened(server: &mut Server, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "version": 1, "text": text });
        let params = json!({ "textDocument": document });
        let message = json!({ "method": "textDocument/didOpen", "params": params });
        assert_eq!(server.on(Incoming::Message(message), &|_| false), Vec::<Value>::new());
    }

    #[test]
    fn a_request_that_was_taken_back_is_not_answered() {
        let mut server = initialized();
        opened(&mut server, "a", "do: []\n");
        let cancel = json!({ "method": "$/cancelRequest", "params": { "id": "x" } });
        let cancel = Incoming::Message(cancel);
        let mut check = |id: Value, method: &str, expected: Option<i64>| {
            let params = json!({ "textDocument": { "uri": "a" } });
            let request = json!({ "id": id, "method": method, "params": params });
            let answers = server.on(Incoming::Message(request), &|id| cancel.cancels(id));
            assert_eq!(answers.len(), 1, "{answers:?}");
            assert_eq!(answers[0]["error"]["code"].as_i64(), expected, "{answers:?}");
            assert_eq!(answers[0]["id"], id);
        };
        check(json!("x"), "textDocument/documentSymbol", Some(CANCELLED));
        check(json!("y"), "textDocument/documentSymbol", None);
        check(json!("x"), "shutdown", None);
    }

    #[test]
    fn diagnostics_are_told_once_for_each_change() {
        let mut server = initialized();
        opened(&mut server, "a", "do: [");
        opened(&mut server, "b", "name: something else\n");
        let told = server.diagnostics();
        assert_eq!(told.len(), 2);
        assert!(told[0]["params"]["diagnostics"][0]["message"].is_string(), "{told:?}");
        assert_eq!(told[1]["params"]["diagnostics"], json!([]));
        assert_eq!(server.diagnostics(), Vec::<Value>::new());
    }

    #[test]
    fn more_documents_than_there_is_room_for_are_not_kept() {
        let mut server = initialized();
        for number in 0..MAX_DOCUMENTS + 3 {
            opened(&mut server, &format!("{number}"), "");
        }
        assert_eq!(server.documents.len(), MAX_DOCUMENTS);
        opened(&mut server, "0", "do: []");
        assert_eq!(server.documents["0"].text, "do: []");
    }
}
