//! Gathers settings as text from the three places, then reads them all and reports every fault at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use guerdon_domain::fault::Faults;
use jsonwebtoken::Algorithm;

use super::{AuthConfig, Config, DatabaseConfig, HttpConfig, JobsConfig, JwksSource, JwtConfig, JwtKeys, LogConfig, RunsConfig, Secret};

/// One thing that can be set.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its key in the file: `database.url`. Its variable is `GUERDON_` and the key in capitals with underscores.
    pub key: &'static str,
    /// Whether it is a secret: then a file that holds it can be named instead, by the key with `_file` and the variable with
    /// `_FILE`.
    pub secret: bool,
    /// What it is, and its default.
    pub help: &'static str,
}

impl Setting {
    /// Its variable.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.key.replace('.', "_").to_uppercase())
    }
}

const fn plain(key: &'static str, help: &'static str) -> Setting {
    Setting { key, secret: false, help }
}

const fn secret(key: &'static str, help: &'static str) -> Setting {
    Setting { key, secret: true, help }
}

/// Everything that can be set.
pub const SETTINGS: &[Setting] = &[
    plain("listen", "address and port; 127.0.0.1:8080"),
    secret("database.url", "sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME; sqlite://guerdon.db"),
    plain("database.connections_max", "connections at most; 10"),
    plain("database.slow_query_ms", "milliseconds after which a statement is reported; 500"),
    secret("jwt.secret", "HS256 secret of at least 32 bytes"),
    plain("jwt.jwks", "JSON Web Key Set: a file, or an https address"),
    plain("jwt.algorithm", "algorithm of the keys of the set: RS256, PS256, ES256, ES384 or EdDSA; RS256"),
    plain("jwt.issuer", "what the claim iss must be; guerdon"),
    plain("jwt.audience", "what the claim aud must hold; guerdon"),
    plain("jwt.roles_claim", "the claim that holds the roles; guerdon_roles"),
    plain("http.connections_max", "open connections at most; 1024"),
    plain("http.body_bytes_max", "bytes of a request body; 262144"),
    plain("http.header_bytes_max", "bytes of the headers of a request; 16384"),
    plain("http.header_timeout_ms", "milliseconds for the headers to arrive; 10000"),
    plain("http.body_timeout_ms", "milliseconds for the body to arrive; 10000"),
    plain("http.query_timeout_ms", "milliseconds for a query; 15000"),
    plain("http.mutation_timeout_ms", "milliseconds for a mutation; 60000"),
    plain("http.drain_timeout_ms", "milliseconds for open requests to end at shutdown; 30000"),
    plain("http.partial_status_294", "status 294 instead of 200 for data with errors; false"),
    plain("jobs.workers", "background workers of this node, 0 to 64; 1"),
    plain("jobs.poll_ms", "milliseconds between two looks for background work; 1000"),
    plain("jobs.run_chunk", "partners of a rebate run calculated between two commits, 1 to 100000; 1000"),
    plain("runs.second_approver_above", "whole units of its currency above which a rebate run is posted by a second approver; never"),
    plain("log.format", "text or json; text"),
    plain("log.filter", "a level or a filter such as info,guerdon=debug; info"),
];

const PREFIX: &str = "GUERDON_";
/// The variable that names the file.
const FILE_VARIABLE: &str = "GUERDON_CONFIG";
/// Variables with this prefix belong to the test suite.
const TEST_PREFIX: &str = "GUERDON_TEST_";

/// What the command line says; it beats the environment and the file.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// The file.
    pub config: Option<PathBuf>,
    /// Settings by key.
    pub set: Vec<(&'static str, String)>,
}

/// Reads the settings of this process.
pub fn load(flags: &Flags) -> Result<Config, Faults> {
    load_from(flags, std::env::vars())
}

/// Reads the settings from these variables.
pub fn load_from(flags: &Flags, variables: impl IntoIterator<Item = (String, String)>) -> Result<Config, Faults> {
    let mut faults = Faults::new();
    let variables: BTreeMap<String, String> = variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX) && !name.starts_with(TEST_PREFIX)).collect();
    let file = flags.config.clone().or_else(|| variables.get(FILE_VARIABLE).map(PathBuf::from));
    let mut values = Values::default();
    if let Some(path) = file {
        values.add_file(&path, &mut faults);
    }
    values.add_variables(variables, &mut faults);
    for (key, text) in &flags.set {
        values.put(key, text.clone(), format!("--{}", key.replace(['.', '_'], "-")));
    }
    let config = values.config(&mut faults);
    faults.or(config)
}

/// The settings as text, each with the place that it came from.
#[derive(Default)]
struct Values(BTreeMap<&'static str, (String, String)>);

impl Values {
    fn put(&mut self, key: &'static str, text: String, place: String) {
        self.0.insert(key, (text, place));
    }

    fn add_file(&mut self, path: &Path, faults: &mut Faults) {
        let place = path.display().to_string();
        let table = match std::fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|text| text.parse::<toml::Table>().map_err(|error| error.message().to_owned()))
        {
            Ok(table) => table,
            Err(error) => return faults.add("CONFIG_FILE", place, format!("cannot be read as TOML: {error}")),
        };
        for (name, value) in flat("", table) {
            self.add_named(&name, value, |setting| setting.key.to_owned(), "_file", &format!("{place}: {name}"), faults);
        }
    }

    fn add_variables(&mut self, variables: BTreeMap<String, String>, faults: &mut Faults) {
        for (name, text) in variables.into_iter().filter(|(name, _)| name != FILE_VARIABLE) {
            self.add_named(&name.clone(), text, Setting::variable, "_FILE", &name, faults);
        }
    }

    /// Adds the setting of this name, or the content of the file that holds it.
    fn add_named(&mut self, name: &str, text: String, spelling: impl Fn(&Setting) -> String, suffix: &str, place: &str, faults: &mut Faults) {
        if let Some(setting) = SETTINGS.iter().find(|setting| spelling(setting) == name) {
            return self.put(setting.key, text, place.to_owned());
        }
        let held = SETTINGS.iter().find(|setting| setting.secret && name.strip_suffix(suffix) == Some(spelling(setting).as_str()));
        match held.map(|setting| (setting, std::fs::read_to_string(&text))) {
            Some((setting, Ok(content))) => self.put(setting.key, content.trim_end_matches(['\r', '\n']).to_owned(), place.to_owned()),
            Some((_, Err(error))) => faults.add("CONFIG_FILE", place, format!("the file that it names cannot be read: {error}")),
            None => faults.add("UNKNOWN_SETTING", place, "there is no such setting: see the example file in docs/ for all of them"),
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|(text, _)| text.as_str())
    }

    fn place(&self, key: &str) -> String {
        self.0.get(key).map_or_else(|| key.to_owned(), |(_, place)| place.clone())
    }

    fn get<T: FromStr>(&self, key: &str, default: T, what: &str, faults: &mut Faults) -> T {
        match self.text(key).map(str::parse) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                faults.add("INVALID_SETTING", self.place(key), format!("not {what}"));
                default
            }
        }
    }

    fn positive(&self, key: &str, default: u64, faults: &mut Faults) -> u64 {
        let value = self.get(key, default, "a whole number above zero", faults);
        if value == 0 {
            faults.add("INVALID_SETTING", self.place(key), "not a whole number above zero");
        }
        value
    }

    fn size(&self, key: &str, default: usize, faults: &mut Faults) -> usize {
        usize::try_from(self.positive(key, default as u64, faults)).unwrap_or(usize::MAX)
    }

    fn millis(&self, key: &str, default: Duration, faults: &mut Faults) -> Duration {
        Duration::from_millis(self.positive(key, u64::try_from(default.as_millis()).unwrap_or(u64::MAX), faults))
    }

    fn config(&self, faults: &mut Faults) -> Config {
        Config {
            listen: self.get("listen", SocketAddr::from(([127, 0, 0, 1], 8080)), "an address and a port, such as 127.0.0.1:8080", faults),
            database: self.database(faults),
            auth: AuthConfig { jwt: self.jwt(faults) },
            http: self.http(faults),
            jobs: self.jobs(faults),
            runs: self.runs(faults),
            log: self.log(faults),
        }
    }

    fn database(&self, faults: &mut Faults) -> DatabaseConfig {
        let url = self.text("database.url").unwrap_or("sqlite://guerdon.db");
        if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme)) {
            faults.add("INVALID_SETTING", self.place("database.url"), "a database is sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME");
        }
        DatabaseConfig {
            url: Secret::new(url),
            connections_max: u32::try_from(self.positive("database.connections_max", 10, faults)).unwrap_or(u32::MAX),
            slow_query: self.millis("database.slow_query_ms", Duration::from_millis(500), faults),
        }
    }

    fn jwt(&self, faults: &mut Faults) -> Option<JwtConfig> {
        let keys = match (self.text("jwt.secret"), self.text("jwt.jwks")) {
            (None, None) => return None,
            (Some(_), Some(_)) => {
                faults.add("INVALID_SETTING", self.place("jwt.jwks"), "either a secret (jwt.secret) or a key set (jwt.jwks), not both");
                return None;
            }
            (Some(secret), None) => {
                if secret.len() < 32 {
                    faults.add("INVALID_SETTING", self.place("jwt.secret"), "the secret has fewer than 32 bytes: make one with `openssl rand -hex 32`");
                }
                JwtKeys::Hs256(Secret::new(secret))
            }
            (None, Some(source)) => JwtKeys::Jwks { source: self.jwks_source(source, faults), algorithm: self.algorithm(faults) },
        };
        let text = |key: &str, default: &str| self.text(key).unwrap_or(default).to_owned();
        Some(JwtConfig {
            keys,
            issuer: text("jwt.issuer", "guerdon"),
            audience: text("jwt.audience", "guerdon"),
            roles_claim: text("jwt.roles_claim", "guerdon_roles"),
        })
    }

    fn jwks_source(&self, source: &str, faults: &mut Faults) -> JwksSource {
        let loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|start| source.starts_with(start));
        if source.starts_with("https://") || loopback {
            return JwksSource::Url(source.to_owned());
        }
        if source.contains("://") {
            faults.add("INVALID_SETTING", self.place("jwt.jwks"), "a key set comes from a file or over https");
        }
        JwksSource::File(PathBuf::from(source))
    }

    fn algorithm(&self, faults: &mut Faults) -> Algorithm {
        match self.text("jwt.algorithm").unwrap_or("RS256") {
            "RS256" => Algorithm::RS256,
            "PS256" => Algorithm::PS256,
            "ES256" => Algorithm::ES256,
            "ES384" => Algorithm::ES384,
            "EdDSA" => Algorithm::EdDSA,
            _ => {
                faults.add("INVALID_SETTING", self.place("jwt.algorithm"), "not RS256, PS256, ES256, ES384 or EdDSA");
                Algorithm::RS256
            }
        }
    }

    fn http(&self, faults: &mut Faults) -> HttpConfig {
        let default = HttpConfig::default();
        HttpConfig {
            connections_max: self.size("http.connections_max", default.connections_max, faults),
            body_bytes_max: self.size("http.body_bytes_max", default.body_bytes_max, faults),
            header_bytes_max: self.size("http.header_bytes_max", default.header_bytes_max, faults).max(8_192),
            header_timeout: self.millis("http.header_timeout_ms", default.header_timeout, faults),
            body_timeout: self.millis("http.body_timeout_ms", default.body_timeout, faults),
            query_timeout: self.millis("http.query_timeout_ms", default.query_timeout, faults),
            mutation_timeout: self.millis("http.mutation_timeout_ms", default.mutation_timeout, faults),
            drain_timeout: self.millis("http.drain_timeout_ms", default.drain_timeout, faults),
            partial_status_294: self.get("http.partial_status_294", default.partial_status_294, "true or false", faults),
        }
    }

    fn jobs(&self, faults: &mut Faults) -> JobsConfig {
        /// More workers of one node wait for each other.
        const WORKERS_MAX: usize = 64;
        let default = JobsConfig::default();
        let workers = self.get("jobs.workers", default.workers, "a whole number from 0 to 64", faults);
        if workers > WORKERS_MAX {
            faults.add("INVALID_SETTING", self.place("jobs.workers"), "not a whole number from 0 to 64");
        }
        /// What a chunk holds in memory grows with it.
        const CHUNK_MAX: u32 = 100_000;
        let run_chunk = self.get("jobs.run_chunk", default.run_chunk, "a whole number from 1 to 100000", faults);
        if !(1..=CHUNK_MAX).contains(&run_chunk) {
            faults.add("INVALID_SETTING", self.place("jobs.run_chunk"), "not a whole number from 1 to 100000");
        }
        JobsConfig { workers, poll: self.millis("jobs.poll_ms", default.poll, faults), run_chunk }
    }

    fn runs(&self, faults: &mut Faults) -> RunsConfig {
        let key = "runs.second_approver_above";
        let above = self.text(key).map(|text| text.parse().ok().filter(|units: &i64| *units >= 0));
        if above == Some(None) {
            faults.add("INVALID_SETTING", self.place(key), "not a whole number of units of a currency, from 0 on");
        }
        RunsConfig { second_approver_above: above.flatten() }
    }

    fn log(&self, faults: &mut Faults) -> LogConfig {
        let default = LogConfig::default();
        let json = match self.text("log.format") {
            None => default.json,
            Some(format @ ("text" | "json")) => format == "json",
            Some(_) => {
                faults.add("INVALID_SETTING", self.place("log.format"), "not text or json");
                default.json
            }
        };
        let filter = self.text("log.filter").unwrap_or(&default.filter).to_owned();
        if tracing_subscriber::EnvFilter::builder().parse(&filter).is_err() {
            faults.add("INVALID_SETTING", self.place("log.filter"), "not a level such as info, or a filter such as info,guerdon=debug");
        }
        LogConfig { json, filter }
    }
}

/// A table of tables as keys with dots; values as they would stand in a variable.
fn flat(prefix: &str, table: toml::Table) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (key, value) in table {
        let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => found.extend(flat(&name, inner)),
            toml::Value::String(text) => found.push((name, text)),
            toml::Value::Integer(number) => found.push((name, number.to_string())),
            toml::Value::Boolean(flag) => found.push((name, flag.to_string())),
            // No setting is a fraction, and who reads it says what it takes instead.
            toml::Value::Float(number) => found.push((name, number.to_string())),
            // Nor is any a list or a date: under this name none is found, and that is reported.
            _ => found.push((format!("{name} (of this type)"), String::new())),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn flags_beat_variables_and_variables_beat_the_file() {
        let file = file("listen = \"127.0.0.1:1\"\n[database]\nconnections_max = 3\nslow_query_ms = 7\n");
        let mut flags = Flags { config: Some(file.path().to_owned()), set: Vec::new() };
        let env = variables(&[("GUERDON_LISTEN", "127.0.0.1:2"), ("GUERDON_DATABASE_CONNECTIONS_MAX", "4")]);
        let config = load_from(&flags, env.clone()).unwrap();
        assert_eq!((config.listen.port(), config.database.connections_max, config.database.slow_query.as_millis()), (2, 4, 7));
        flags.set.push(("listen", "127.0.0.1:3".to_owned()));
        assert_eq!(load_from(&flags, env).unwrap().listen.port(), 3);
    }

    #[test]
    fn every_fault_is_reported_at_once_with_its_place() {
        let file = file("lisen = \"x\"\n[http]\nconnections_max = 0\n");
        let flags = Flags { config: Some(file.path().to_owned()), set: Vec::new() };
        let env = variables(&[
            ("GUERDON_NOTHING", "1"),
            ("GUERDON_LISTEN", "here"),
            ("GUERDON_JWT_SECRET", "short"),
            ("GUERDON_DATABASE_URL", "mysql://x"),
            ("GUERDON_LOG_FORMAT", "xml"),
        ]);
        let faults = load_from(&flags, env).unwrap_err().0;
        let places: Vec<String> = faults.iter().map(|fault| fault.path.clone()).collect();
        for expected in
            ["lisen", "http.connections_max", "GUERDON_NOTHING", "GUERDON_LISTEN", "GUERDON_JWT_SECRET", "GUERDON_DATABASE_URL", "GUERDON_LOG_FORMAT"]
        {
            assert!(places.iter().any(|place| place.ends_with(expected)), "{expected} in {places:?}");
        }
        assert_eq!(faults.len(), 7);
    }

    #[test]
    fn the_limit_of_one_approver_is_none_or_a_number_of_units() {
        let above = |text: &str| {
            let config = load_from(&Flags::default(), variables(&[("GUERDON_RUNS_SECOND_APPROVER_ABOVE", text)]));
            config.map(|config| config.runs.second_approver_above).map_err(|faults| faults.0[0].path.clone())
        };
        assert_eq!(load_from(&Flags::default(), Vec::new()).unwrap().runs.second_approver_above, None);
        assert_eq!((above("0"), above("100000")), (Ok(Some(0)), Ok(Some(100_000))));
        for bad in ["", "-1", "10.5", "much"] {
            assert_eq!(above(bad), Err("GUERDON_RUNS_SECOND_APPROVER_ABOVE".to_owned()), "{bad}");
        }
        let file = file("[runs]\nsecond_approver_above = 250\n");
        let flags = Flags { config: Some(file.path().to_owned()), set: Vec::new() };
        assert_eq!(load_from(&flags, Vec::new()).unwrap().runs.second_approver_above, Some(250));
        let file = self::file("[runs]\nsecond_approver_above = 1.5\n");
        let flags = Flags { config: Some(file.path().to_owned()), set: Vec::new() };
        let faults = load_from(&flags, Vec::new()).unwrap_err();
        assert_eq!((faults.0[0].code.as_str(), faults.0[0].message.contains("whole number of units")), ("INVALID_SETTING", true), "{faults}");
    }

    #[test]
    fn a_secret_may_lie_in_a_file_and_is_never_printed() {
        let held = file("0123456789abcdef0123456789abcdef\n");
        let config = load_from(&Flags::default(), variables(&[("GUERDON_JWT_SECRET_FILE", held.path().to_str().unwrap())])).unwrap();
        let Some(JwtConfig { keys: JwtKeys::Hs256(secret), .. }) = &config.auth.jwt else { panic!("no secret") };
        assert_eq!(secret.expose(), "0123456789abcdef0123456789abcdef");
        let printed = format!("{config:?} {secret} {}", serde_json::to_string(secret).unwrap());
        assert!(!printed.contains("0123456789"), "{printed}");
    }

    #[test]
    fn the_example_file_names_every_setting_and_nothing_else() {
        let text = include_str!("../../docs/guerdon.example.toml");
        let bare: String = text
            .lines()
            .map(|line| {
                format!("{}\n", line.strip_prefix("# ").filter(|rest| rest.contains(" = ") && !rest.contains(':') || rest.contains("= \"")).unwrap_or(line))
            })
            .collect();
        let table: toml::Table = bare.parse().unwrap();
        let named: Vec<String> = flat("", table).into_iter().map(|(name, _)| name).collect();
        for setting in SETTINGS {
            assert!(named.iter().any(|name| name == setting.key), "{} is missing in the example", setting.key);
        }
        for name in named {
            assert!(SETTINGS.iter().any(|setting| name == setting.key || (setting.secret && name == format!("{}_file", setting.key))), "{name} is no setting");
        }
    }
}
