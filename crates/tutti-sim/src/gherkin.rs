//! The conformance features of the language, as far as their sentences go: steps with texts in `"""`.

/// One feature file.
#[derive(Debug, Clone, Default)]
pub struct Feature {
    /// Its scenarios.
    pub scenarios: Vec<FeatureScenario>,
}

/// One scenario: sentences, each with the text that stands under it.
#[derive(Debug, Clone, Default)]
pub struct FeatureScenario {
    /// What it is called.
    pub name: String,
    /// Sentences without their first word, and their texts.
    pub steps: Vec<(String, String)>,
}

impl Feature {
    /// Reads a feature file.
    pub fn parse(text: &str) -> Self {
        let mut feature = Self::default();
        let mut within = false;
        for line in text.lines() {
            let trimmed = line.trim();
            if trimmed.starts_with("\"\"\"") {
                within = !within;
                continue;
            }
            let Some(scenario) = feature.scenarios.last_mut().filter(|_| within) else {
                feature.sentence(trimmed);
                continue;
            };
            if let Some((_, under)) = scenario.steps.last_mut() {
                under.push_str(line);
                under.push('\n');
            }
        }
        feature
    }

    fn sentence(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("Scenario:") {
            let name = name.trim().to_owned();
            self.scenarios.push(FeatureScenario { name, steps: Vec::new() });
            return;
        }
        let words = ["Given ", "When ", "Then ", "And "];
        let Some(rest) = words.iter().find_map(|word| line.strip_prefix(word)) else { return };
        if let Some(scenario) = self.scenarios.last_mut() {
            let sentence = rest.strip_prefix("given ").unwrap_or(rest).to_owned();
            scenario.steps.push((sentence, String::new()));
        }
    }
}
