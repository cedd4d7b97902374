//! The store: another engine reads it as one dataset.

use std::process::Command;

use super::{evenhand, python_program, tools};

#[test]
fn duckdb_reads_the_store_as_one_dataset() {
    let program = python_program("duckdb", "1.4.2", "python");
    let store = tools().join("store");
    let _ = std::fs::remove_dir_all(&store);
    let scan = |day: &str| {
        let store = store.to_string_lossy();
        evenhand(&["scan", "examples/acme", "--now", day, "--save", &store, "-o", "csv:gaps"]);
    };
    scan("2026-11-20");
    scan("2026-11-21");
    let script = "import duckdb,sys\n\
                  read=lambda table: f\"read_parquet('{sys.argv[1]}/{table}/**/*.parquet', hive_partitioning=true, union_by_name=true)\"\n\
                  ask=lambda query: duckdb.sql(query).fetchall()\n\
                  assert ask(f\"select count(*), count(distinct scan_date), min(scan_date)::varchar from {read('scans')}\")==[(2,2,'2026-11-20')]\n\
                  joined=ask(f\"select count(*) from {read('findings')} f join {read('identities')} i on f.identity=i.id and f.scan_id=i.scan_id\")[0][0]\n\
                  assert joined>100, joined\n\
                  assert ask(f\"select count(*) from {read('identities')} where admin is null and nature='ai_agent'\")[0][0]>0, 'unknown is NULL'\n\
                  assert ask(f\"select max(scan_time) from {read('excess')}\")[0][0].isoformat()=='2026-11-21T00:00:00'\n\
                  meta=ask(f\"select distinct decode(key), decode(value) from parquet_kv_metadata('{sys.argv[1]}/scans/**/*.parquet') where decode(key)='evenhand.store'\")\n\
                  assert meta==[('evenhand.store','v1')], meta";
    let done = Command::new(program).args(["-c", script]).arg(&store).output().expect("python runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
