//! Calls of connectors: exactly what is sent, as what, under which key.

use std::sync::Arc;

use tutti_dsl::{
    Authentication, Cooldown, Effect as Declared, HttpCall, HttpOutput, Return, Run,
    SchemeParameters, Script, ScriptText, Shell, Task, UriSource,
};
use tutti_expr::{Template, Value};
use tutti_ids::{Sequence, TaskRef};
use tutti_journal::{CallRecord, Effect, Entry, Error, ErrorType};

use crate::{
    advance::Stepper, authorization, chance, data_flow::Result, environment::Scene, frame::Frame,
};

/// The longest group of calls that count together, in bytes of JSON.
const LONGEST_GROUP: usize = 512;

type Members = Vec<(&'static str, Value)>;

impl Stepper<'_> {
    pub(super) fn schedule_http(
        &mut self,
        id: Sequence,
        task: &Task,
        call: &HttpCall,
    ) -> Result<()> {
        let Some(frame) = self.execution.frame(id) else { return Ok(()) };
        let mut scene = Scene::of(self.execution, &self.surroundings, frame);
        let arguments = http_arguments(&mut scene, call, &frame.input)?;
        let effect =
            default_http_effect(arguments.get("method").and_then(Value::as_str).unwrap_or(""));
        drop(scene);
        self.schedule(id, task, "http", arguments, effect)
    }

    pub(super) fn schedule_shell(
        &mut self,
        id: Sequence,
        task: &Task,
        run: &Run,
        shell: &Shell,
    ) -> Result<()> {
        let Some(frame) = self.execution.frame(id) else { return Ok(()) };
        let scene = Scene::of(self.execution, &self.surroundings, frame);
        let mut members: Members =
            vec![("command", scene.text(&shell.command, &frame.input, "`command`")?)];
        put(&mut members, "stdin", evaluate(&scene, shell.stdin.as_ref(), &frame.input)?);
        put(&mut members, "arguments", evaluate(&scene, shell.arguments.as_ref(), &frame.input)?);
        put(
            &mut members,
            "environment",
            evaluate(&scene, shell.environment.as_ref(), &frame.input)?,
        );
        members.push(("return", Value::from(returned(run.output))));
        members.push(("await", Value::from(run.awaits)));
        drop(scene);
        self.schedule(id, task, "shell", Value::object(members), Effect::Once)
    }

    pub(super) fn schedule_script(
        &mut self,
        id: Sequence,
        task: &Task,
        run: &Run,
        script: &Script,
    ) -> Result<()> {
        let Some(frame) = self.execution.frame(id) else { return Ok(()) };
        let scene = Scene::of(self.execution, &self.surroundings, frame);
        let input = &frame.input;
        let mut members: Members = vec![("language", Value::from(script.language.clone()))];
        members.push(match &script.text {
            ScriptText::Code(code) => ("code", scene.text(code, input, "`code`")?),
            ScriptText::Source(endpoint) => ("source", uri(&scene, &endpoint.uri, input)?),
        });
        put(&mut members, "stdin", evaluate(&scene, script.stdin.as_ref(), input)?);
        put(&mut members, "arguments", evaluate(&scene, script.arguments.as_ref(), input)?);
        put(&mut members, "environment", evaluate(&scene, script.environment.as_ref(), input)?);
        members.push(("network", Value::from(task.settings.network)));
        members.push(("return", Value::from(returned(run.output))));
        members.push(("await", Value::from(run.awaits)));
        drop(scene);
        self.schedule(id, task, "script", Value::object(members), Effect::Once)
    }

    /// Records the call. One that must not be repeated is dispatched in the same turn where a slot is free.
    fn schedule(
        &mut self,
        id: Sequence,
        task: &Task,
        function: &str,
        arguments: Value,
        default: Effect,
    ) -> Result<()> {
        let effect = task.settings.effect.map_or(default, declared);
        let (key, attempt) = self.key_for(id, task)?;
        let held = match &task.settings.cooldown {
            Some(cooldown) => Some(self.cooldown_group(id, cooldown)?),
            None => None,
        };
        let call = CallRecord { function: Arc::from(function), arguments, effect, key, attempt };
        self.record(Entry::CallScheduled { task: id, call });
        if let Some(group) = held {
            let reference = TaskRef::new(task.reference.clone());
            self.record(Entry::CallHeld { task: id, reference, group });
        } else if effect == Effect::Once && self.free_slots > 0 {
            self.free_slots -= 1;
            self.record(Entry::CallDispatched { task: id });
        }
        Ok(())
    }

    /// Which calls count together with this one.
    fn cooldown_group(&self, id: Sequence, cooldown: &Cooldown) -> Result<Option<String>> {
        let (Some(by), Some(frame)) = (&cooldown.by, self.execution.frame(id)) else {
            return Ok(None);
        };
        let scene = Scene::of(self.execution, &self.surroundings, frame);
        let value = scene.evaluate_expression(by, &frame.input)?;
        let group = value.to_json();
        let refuse = |why: String| {
            let detail = format!("`metadata.tutti.cooldown.by` {why}");
            Err(Box::new(Error::new(ErrorType::Expression, detail)))
        };
        if group != value.to_redacted_json() {
            return refuse("gives a secret, but groups are shown".to_owned());
        }
        if group.len() > LONGEST_GROUP {
            return refuse(format!("gives more than {LONGEST_GROUP} bytes"));
        }
        Ok(Some(group))
    }

    /// The author's key, the key of the failed call this one re-runs, or a new one from the task execution's identity.
    fn key_for(&self, id: Sequence, task: &Task) -> Result<(Arc<str>, u32)> {
        let Some(frame) = self.execution.frame(id) else { return Ok((Arc::from(""), 1)) };
        let path = self.execution.iteration_path(frame);
        let inherited = self.inherited_key(frame);
        let attempt = inherited.as_ref().map_or(1, |(_, attempt)| attempt.saturating_add(1));
        if let Some(template) = &task.settings.idempotency_key {
            let scene = Scene::of(self.execution, &self.surroundings, frame);
            let key = scene.public_text(template, &frame.input, "`idempotencyKey`")?;
            return Ok((key, attempt));
        }
        let fresh = || chance::idempotency_key(self.execution.id, &task.reference, &path, id);
        Ok((inherited.map_or_else(fresh, |(key, _)| key), attempt))
    }

    /// What an operator took back comes after whatever a `try` around it still holds.
    fn inherited_key(&self, frame: &Frame) -> Option<(Arc<str>, u32)> {
        let place = self.execution.place(frame);
        let held = || {
            let mut keys = self.execution.ancestors(frame).filter_map(|around| around.body.keys());
            keys.find_map(|keys| keys.get(&place)).cloned()
        };
        self.execution.handed_keys.get(&place).cloned().or_else(held)
    }
}

fn http_arguments(scene: &mut Scene<'_>, call: &HttpCall, input: &Value) -> Result<Value> {
    // First of all, as everything else may say `$authorization`.
    let authentication = match &call.endpoint.authentication {
        Some(authentication) => Some(credentials(scene, authentication, input)?),
        None => None,
    };
    scene.authorization = authentication.as_ref().map(authorization::descriptor);
    let scene = &*scene;
    let mut members: Members = vec![
        ("method", scene.text(&call.method, input, "`method`")?),
        ("uri", uri(scene, &call.endpoint.uri, input)?),
    ];
    put(&mut members, "headers", evaluate(scene, call.headers.as_ref(), input)?);
    put(&mut members, "query", evaluate(scene, call.query.as_ref(), input)?);
    put(&mut members, "body", evaluate(scene, call.body.as_ref(), input)?);
    let output = match call.output {
        HttpOutput::Raw => "raw",
        HttpOutput::Content => "content",
        HttpOutput::Response => "response",
    };
    members.push(("output", Value::from(output)));
    let redirect = evaluate(scene, call.redirect.as_ref(), input)?;
    members.push(("redirect", redirect.unwrap_or_else(|| Value::from(false))));
    put(&mut members, "authentication", authentication);
    Ok(Value::object(members))
}

fn uri(scene: &Scene<'_>, source: &UriSource, input: &Value) -> Result<Value> {
    match source {
        UriSource::Template(template) => template
            .expand(input)
            .map_err(|error| Box::new(Error::new(ErrorType::Expression, error.to_string()))),
        UriSource::Expression(expression) => {
            let value = scene.evaluate_expression(expression, input)?;
            if value.as_str().is_some() {
                Ok(value)
            } else {
                let detail =
                    format!("the endpoint must be a URI, not {}", super::loops::excerpt(&value));
                Err(Box::new(Error::new(ErrorType::Expression, detail)))
            }
        }
    }
}

fn credentials(scene: &Scene<'_>, authentication: &Authentication, input: &Value) -> Result<Value> {
    let parameters = match &authentication.parameters {
        SchemeParameters::Inline(template) => {
            authorization::marked(&scene.evaluate(template, input)?)
        }
        SchemeParameters::Secret(name) => {
            let secret = scene.secret(name)?;
            // A token may stand for itself; two things cannot.
            if matches!(&*authentication.scheme, "basic" | "digest") && secret.as_object().is_none()
            {
                let detail = format!(
                    "the secret `{name}` must be a JSON object with `username` and `password`: `{}` uses it",
                    authentication.scheme
                );
                return Err(Box::new(Error::new(ErrorType::Configuration, detail)));
            }
            secret
        }
    };
    Ok(Value::object([
        ("scheme", Value::from(authentication.scheme.clone())),
        ("parameters", parameters),
    ]))
}

fn evaluate(
    scene: &Scene<'_>,
    template: Option<&Template>,
    input: &Value,
) -> Result<Option<Value>> {
    template.map(|template| scene.evaluate(template, input)).transpose()
}

fn put(members: &mut Members, key: &'static str, value: Option<Value>) {
    members.extend(value.map(|value| (key, value)));
}

fn returned(output: Return) -> &'static str {
    match output {
        Return::Stdout => "stdout",
        Return::Stderr => "stderr",
        Return::Code => "code",
        Return::All => "all",
        Return::None => "none",
    }
}

fn default_http_effect(method: &str) -> Effect {
    match method.to_ascii_uppercase().as_str() {
        "GET" | "HEAD" | "OPTIONS" => Effect::Read,
        "PUT" | "DELETE" => Effect::Idempotent,
        _ => Effect::Once,
    }
}

fn declared(effect: Declared) -> Effect {
    match effect {
        Declared::Read => Effect::Read,
        Declared::Idempotent => Effect::Idempotent,
        Declared::Once => Effect::Once,
    }
}
