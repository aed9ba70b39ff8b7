//! The order of §data flow: condition, input schema, `input.from`; `output.as`, output schema, `export.as`, its schema.

use std::sync::Arc;

use tutti_dsl::{DataFlow, DurationSource, Schema};
use tutti_expr::{Expression, Template, Value};
use tutti_journal::{Error, ErrorType, Timestamp};

use crate::environment::Scene;

/// What goes wrong on the way is an error of the task; it is kept small because it is rare.
pub(crate) type Result<T> = std::result::Result<T, Box<Error>>;

impl Scene<'_> {
    /// Evaluates a template.
    pub(crate) fn evaluate(&self, template: &Template, input: &Value) -> Result<Value> {
        let value = template.evaluate(input, self);
        self.checked(value)
    }

    /// Evaluates an expression.
    pub(crate) fn evaluate_expression(
        &self,
        expression: &Expression,
        input: &Value,
    ) -> Result<Value> {
        let value = expression.evaluate(input, self);
        self.checked(value)
    }

    /// Evaluates a condition.
    pub(crate) fn holds(&self, condition: &Expression, input: &Value) -> Result<bool> {
        let truth = condition.is_true(input, self);
        self.checked(truth)
    }

    /// The moment a duration from now ends.
    pub(crate) fn due(&self, duration: &DurationSource, input: &Value) -> Result<Timestamp> {
        let now = self.surroundings.now;
        let duration = match duration {
            DurationSource::Fixed(duration) => *duration,
            DurationSource::Expression(expression) => {
                let value = self.evaluate_expression(expression, input)?;
                tutti_dsl::Duration::from_value(&value).map_err(|error| {
                    let detail = format!("`{}` yields no duration: {error}", expression.source());
                    Box::new(Error::new(ErrorType::Expression, detail))
                })?
            }
        };
        Ok(Timestamp(duration.after(now.0)))
    }

    /// A duration in milliseconds, counted from now.
    pub(crate) fn milliseconds(&self, duration: &DurationSource, input: &Value) -> Result<u64> {
        Ok(self.due(duration, input)?.ms_since(self.surroundings.now))
    }

    fn checked<T>(&self, result: std::result::Result<T, tutti_expr::Error>) -> Result<T> {
        match (self.refused.take(), result) {
            (Some(refused), _) => Err(Box::new(refused)),
            (None, Ok(value)) => Ok(value),
            (None, Err(error)) => {
                Err(Box::new(Error::new(ErrorType::Expression, error.to_string())))
            }
        }
    }

    /// Steps 2 and 3: the raw input fits its schema and is transformed.
    pub(crate) fn accept_input(&self, flow: &DataFlow, raw: &Value) -> Result<Value> {
        self.check_size(raw, "input")?;
        validate(flow.input_schema.as_ref(), raw, "input")?;
        match &flow.input_from {
            Some(from) => self.evaluate(from, raw),
            None => Ok(raw.clone()),
        }
    }

    /// Steps 5 and 6: the raw output is transformed and fits its schema.
    pub(crate) fn accept_output(&self, flow: &DataFlow, raw: &Value) -> Result<Value> {
        let output = match &flow.output_as {
            Some(template) => self.evaluate(template, raw)?,
            None => raw.clone(),
        };
        self.check_size(&output, "output")?;
        validate(flow.output_schema.as_ref(), &output, "output")?;
        Ok(output)
    }

    /// Steps 7 and 8: the new context, where the task exports one.
    pub(crate) fn accept_export(&self, flow: &DataFlow, output: &Value) -> Result<Option<Value>> {
        let Some(template) = &flow.export_as else { return Ok(None) };
        let context = self.evaluate(template, output)?;
        if context.as_object().is_none() {
            let detail = "`export.as` must yield an object";
            return Err(Box::new(Error::new(ErrorType::Expression, detail)));
        }
        self.check_size(&context, "context")?;
        validate(flow.export_schema.as_ref(), &context, "context")?;
        Ok(Some(context))
    }

    fn check_size(&self, value: &Value, what: &str) -> Result<()> {
        let limit = self.surroundings.limits.value_bytes;
        if value.size() <= limit as u64 {
            return Ok(());
        }
        let detail = format!("the {what} is larger than the limit of {limit} bytes");
        Err(Box::new(Error::new(ErrorType::Validation, detail)))
    }

    /// A text an expression or template yields, for a member of a call; marked where it came from a secret.
    pub(crate) fn text(&self, template: &Template, input: &Value, what: &str) -> Result<Value> {
        let value = self.evaluate(template, input)?;
        if value.as_str().is_some() {
            return Ok(value);
        }
        let detail = format!("{what} must be a string, not {}", value.to_redacted_json());
        Err(Box::new(Error::new(ErrorType::Expression, detail)))
    }

    /// A text that the journal holds as it is, where nothing is sealed: it may not come from a secret.
    pub(crate) fn public_text(
        &self,
        template: &Template,
        input: &Value,
        what: &str,
    ) -> Result<Arc<str>> {
        let value = self.text(template, input, what)?;
        let public = value.as_str().filter(|_| !value.is_tainted());
        public.map(Arc::from).ok_or_else(|| {
            let detail = format!("{what} must not come from a secret");
            Box::new(Error::new(ErrorType::Expression, detail))
        })
    }
}

fn validate(schema: Option<&Schema>, value: &Value, what: &str) -> Result<()> {
    let Some(schema) = schema else { return Ok(()) };
    let Err(violations) = schema.validate(value) else { return Ok(()) };
    let lines: Vec<String> = violations
        .iter()
        .map(|violation| {
            let place = if violation.pointer.is_empty() { "/" } else { &violation.pointer };
            format!("{place}: {}", violation.message)
        })
        .collect();
    let detail = format!("the {what} does not fit its schema: {}", lines.join("; "));
    Err(Box::new(Error::new(ErrorType::Validation, detail)))
}
