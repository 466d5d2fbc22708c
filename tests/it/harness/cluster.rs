//! A PostgreSQL cluster for as long as the tests run.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Makes and starts a cluster, prints its folder, and ends it when its standard input is closed: when the tests have ended,
/// however they ended. The ICU collation sorts as no database of ours should depend on.
const SCRIPT: &str = r#"
dir=$(mktemp -d "${TMPDIR:-/tmp}/guerdon-pg.XXXXXX") || exit 1
make() { "$1/initdb" -D "$dir/data" -A trust -U guerdon -N -E UTF8 "$2" "$3" >"$dir/initdb.log" 2>&1; }
make "$1" --locale-provider=icu --icu-locale=en-US || { rm -rf "$dir/data"; make "$1" --locale=C --no-sync; } || { cat "$dir/initdb.log" >&2; exit 1; }
"$1/postgres" -D "$dir/data" -c listen_addresses= -c unix_socket_directories="$dir" -c fsync=off -c max_connections=400 \
  >"$dir/log" 2>&1 </dev/null &
pid=$!
echo "$dir"
cat >/dev/null
kill -INT "$pid"; wait "$pid"; rm -rf "$dir"
"#;

/// The URL of the server, without a database.
pub fn url() -> &'static str {
    static CLUSTER: OnceLock<(Child, String)> = OnceLock::new();
    &CLUSTER.get_or_init(start).1
}

fn start() -> (Child, String) {
    let programs = find_programs().expect("GUERDON_TEST_DATABASE=postgres needs initdb and postgres; or set GUERDON_TEST_DATABASE_URL");
    // PostgreSQL refuses to run as root.
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    let mut command = if root { Command::new("runuser") } else { Command::new("sh") };
    if root {
        command.args(["-u", "postgres", "--", "sh"]);
    }
    let mut child = command
        .args(["-c", SCRIPT, "cluster"])
        .arg(programs)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("readable");
    let folder = line.trim().to_owned();
    assert!(!folder.is_empty(), "the cluster did not start");
    wait_for(&Path::new(&folder).join(".s.PGSQL.5432"));
    (child, format!("postgres://guerdon@localhost/postgres?host={folder}"))
}

fn wait_for(socket: &Path) {
    for _ in 0..300 {
        if socket.exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the cluster did not come up: {}", socket.display());
}

fn find_programs() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
    debian.sort();
    on_path.chain(debian.into_iter().rev()).find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}
