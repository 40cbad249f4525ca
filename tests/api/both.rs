//! Everything again on PostgreSQL: the test program runs itself a second time.
use std::{env, process::Command};

use crate::support::postgres::{Cluster, SERVER};

#[test]
fn everything_again_on_postgres() {
    if env::var(SERVER).is_ok() {
        return; // this is the second run
    }
    let Some(cluster) = Cluster::find() else {
        assert!(
            env::var("KESHI_REQUIRE_POSTGRES").is_err(),
            "KESHI_REQUIRE_POSTGRES is set, and there is neither TEST_DATABASE_URL nor a PostgreSQL server program"
        );
        eprintln!("PostgreSQL's server programs are not here: the tests ran on SQLite only");
        return;
    };
    let second = Command::new(env::current_exe().unwrap())
        .args(["--skip", "everything_again_on_postgres"])
        .env(SERVER, &cluster.url)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&second.stdout) + &text(&second.stderr);
    assert!(second.status.success(), "on PostgreSQL:\n{said}");
    let ran = said.lines().find(|line| line.starts_with("test result:")).unwrap_or_default();
    assert!(ran.contains("ok.") && !ran.contains(" 0 passed"), "nothing ran on PostgreSQL: {ran}");
}
