//! Files that an output must equal.

use std::path::PathBuf;

/// Fails unless `actual` is the content of `tests/it/golden/NAME`; writes it instead when `GUERDON_TEST_UPDATE` is set.
pub fn compare(name: &str, actual: &str) {
    compare_with(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(name), actual);
}

/// As [`compare`], for a file anywhere.
pub fn compare_with(path: &std::path::Path, actual: &str) {
    if std::env::var_os("GUERDON_TEST_UPDATE").is_some() {
        std::fs::write(path, actual).unwrap();
    }
    let known = std::fs::read_to_string(path).unwrap_or_default();
    let differing = known.lines().zip(actual.lines()).enumerate().find(|(_, (known, actual))| known != actual);
    assert!(
        known == actual,
        "{} differs{}; if that is meant, run the test again with GUERDON_TEST_UPDATE=1",
        path.display(),
        differing.map(|(at, (known, actual))| format!(" in line {}:\n- {known}\n+ {actual}\n", at + 1)).unwrap_or_default()
    );
}
