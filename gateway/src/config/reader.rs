//! Reads settings from the command line, the environment, the file and the defaults, and notes every mistake on the way.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::kind;
use super::mistake::Mistake;
use super::setting::{self, Setting};
use super::show::InForce;
use super::source::{PREFIX, Source};

/// The variable that names the file, as the flag `--config` does.
const FILE_VARIABLE: &str = "BYTESHOP_CONFIG";
/// The file that is read when none is named, and nothing is wrong when it is missing.
const DEFAULT_FILE: &str = "byteshop.toml";
/// Variables that start so are for the tests and not settings.
const TEST_PREFIX: &str = "BYTESHOP_TEST_";

/// The sources of settings; [`Inputs::of_process`] reads those of the process.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The file that was named; it must exist.
    pub file: Option<PathBuf>,
    /// The variables of the environment, ours and others.
    pub environment: Vec<(String, String)>,
    /// The flags, by the name of their setting.
    pub flags: Vec<(&'static str, String)>,
}

impl Inputs {
    /// The environment of this process, and the flags that it was given.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(&'static str, String)>) -> Self {
        // A value that is no UTF-8 is read as far as it goes, and then refused or used like any other.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        Self { file, environment, flags }
    }
}

/// The values that were given, by the name of their setting.
type Given = HashMap<&'static str, (String, Source)>;

/// What was given, and what was read of it so far.
pub(super) struct Reader {
    settings: &'static [Setting],
    given: Given,
    /// The settings that were read and have no mistake.
    pub(super) in_force: Vec<InForce>,
    /// Every mistake so far.
    pub(super) mistakes: Vec<Mistake>,
}

impl Reader {
    /// Gathers what the file, the environment and the command line say of these settings.
    pub(super) fn gather(settings: &'static [Setting], inputs: &Inputs) -> Self {
        let mut reader = Self { settings, given: Given::new(), in_force: Vec::new(), mistakes: Vec::new() };
        reader.gather_all(inputs);
        reader
    }

    fn gather_all(&mut self, inputs: &Inputs) {
        let variable = inputs.environment.iter().find(|(name, _)| name == FILE_VARIABLE);
        let named = inputs.file.clone().or_else(|| variable.map(|(_, value)| PathBuf::from(value)));
        let file = named.clone().or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()));
        if let Some(file) = file {
            self.gather_file(&file);
        }
        for (variable, value) in &inputs.environment {
            let Some(name) = variable.strip_prefix(PREFIX) else { continue };
            if variable == FILE_VARIABLE || variable.starts_with(TEST_PREFIX) {
                continue;
            }
            let source = Source::Environment(variable.clone());
            if let Some(setting) = self.settings.iter().find(|setting| setting.name.to_uppercase() == name) {
                self.give(setting, value.clone(), source);
                continue;
            }
            let near = setting::nearest(self.settings, &name.to_lowercase());
            let hint = near.map(|near| format!("{PREFIX}{}", near.to_uppercase()));
            self.mistakes.push(Mistake::unknown(source, variable, hint));
        }
        for (name, value) in &inputs.flags {
            if let Some(setting) = setting::named(self.settings, name) {
                let flag = format!("--{}", name.replace('_', "-"));
                self.give(setting, value.clone(), Source::Flag(flag));
            }
        }
    }

    fn gather_file(&mut self, file: &Path) {
        let source = || Source::File(file.to_owned());
        let read = config::Config::builder()
            .add_source(config::File::from(file).format(config::FileFormat::Toml))
            .build()
            .and_then(config::Config::try_deserialize::<BTreeMap<String, serde_json::Value>>);
        let values = match read {
            Ok(values) => values,
            Err(error) => return self.mistakes.push(Mistake::of(source(), "", error.to_string())),
        };
        for (key, value) in values {
            let Some(setting) = setting::named(self.settings, &key) else {
                let hint = setting::nearest(self.settings, &key).map(str::to_owned);
                self.mistakes.push(Mistake::unknown(source(), &key, hint));
                continue;
            };
            let text = match value {
                serde_json::Value::String(text) => text,
                serde_json::Value::Bool(flag) => flag.to_string(),
                serde_json::Value::Number(number) => number.to_string(),
                serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
                    let problem = "is not a text, a number, true or false".to_owned();
                    self.mistakes.push(Mistake::of(source(), &key, problem));
                    continue;
                }
            };
            self.give(setting, text, source());
        }
    }

    fn give(&mut self, setting: &'static Setting, value: String, source: Source) {
        // An empty variable is how a shell or a compose file leaves a setting out.
        if !value.is_empty() {
            self.given.insert(setting.name, (value, source));
        }
    }

    /// The value of a setting: none if it is not set, or if it is invalid, which is then recorded as a mistake.
    pub(super) fn read<T>(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let setting = setting::named(self.settings, name)?;
        let development = setting.development.filter(|_| self.is_in_development());
        let given = self.given.get(name).cloned();
        let defaults = || match development {
            Some(value) => Some((value.to_owned(), Source::Dev)),
            None => setting.default.map(|value| (value.to_owned(), Source::Default)),
        };
        let Some((text, source)) = given.or_else(defaults) else {
            self.in_force.push(InForce::of(setting, development, None, Source::Default));
            return None;
        };
        match parse(&text) {
            Ok(value) => {
                self.in_force.push(InForce::of(setting, development, Some(&text), source));
                Some(value)
            }
            Err(problem) => {
                self.mistakes.push(Mistake::of(source, name, problem));
                None
            }
        }
    }

    /// Whether the shop is in development, which has defaults of its own.
    pub(super) fn is_in_development(&self) -> bool {
        self.given.get("dev").is_some_and(|(text, _)| kind::flag(text) == Ok(true))
    }

    /// Whether a setting was given, with whatever value.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The value of a setting that was read and has no mistake, as it is shown.
    pub(super) fn shown(&self, name: &str) -> Option<&str> {
        let setting = self.in_force.iter().find(|setting| setting.name == name)?;
        setting.value.as_deref()
    }

    /// Records that a setting must have another value beside those of others.
    pub(super) fn lacking(&mut self, name: &str, problem: &str) {
        self.mistakes.push(Mistake::of(Source::Default, name, problem.to_owned()));
    }
}
