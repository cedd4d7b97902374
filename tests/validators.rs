//! What we claim to speak is checked by programs of other people, installed at a pinned version on first use.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot set up its input has failed")]

mod tools;

use std::path::Path;
use std::process::Command;

use tools::{python_program, tools};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn evenhand(arguments: &[&str]) -> Vec<u8> {
    let done = Command::new(env!("CARGO_BIN_EXE_evenhand"))
        .current_dir(root())
        .args(arguments)
        .output()
        .expect("the binary runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

#[test]
fn the_json_report_fits_its_published_schema_in_the_eyes_of_another_validator() {
    let checker = python_program("check-jsonschema", "0.39.0", "check-jsonschema");
    let work = tools().join("json-report");
    std::fs::create_dir_all(&work).expect("a folder");
    let schema = work.join("schema.json");
    std::fs::write(&schema, evenhand(&["schema", "report"])).expect("written");
    let report = work.join("report.json");
    std::fs::write(&report, evenhand(&["scan", "examples/acme", "--now", "2026-11-20T09:00:00Z", "-o", "json"]))
        .expect("written");
    let check = |document: &Path| {
        Command::new(&checker).arg("--schemafile").arg(&schema).arg(document).output().expect("the validator runs")
    };
    let done = check(&report);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));

    // A check that cannot fail proves nothing: a broken copy is refused.
    let broken = work.join("broken.json");
    let text =
        std::fs::read_to_string(&report).expect("read").replacen("\"severity\": \"critical\"", "\"severity\": 9", 1);
    std::fs::write(&broken, text).expect("written");
    assert!(!check(&broken).status.success(), "a severity that is a number must be refused");
}

#[test]
fn the_csv_reads_back_in_another_language() {
    let done = evenhand(&["scan", "examples/acme", "--now", "2026-11-20T09:00:00Z", "-o", "csv:findings"]);
    let file = tools().join("findings.csv");
    std::fs::create_dir_all(tools()).expect("a folder");
    std::fs::write(&file, done).expect("written");
    let script = "import csv,sys\n\
                  rows=list(csv.DictReader(open(sys.argv[1],newline='',encoding='utf-8')))\n\
                  assert rows and all(None not in r and None not in r.values() for r in rows)\n\
                  ids=[r['finding_id'] for r in rows]\n\
                  assert len(ids)==len(set(ids)), 'ids repeat'\n\
                  assert not any(v.lstrip(' ')[:1] in ('=','+','@') for r in rows for v in r.values())";
    let read = Command::new("python3").args(["-c", script]).arg(&file).output();
    match read {
        Ok(done) => assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr)),
        Err(error) => panic!("missing: python3, to read the CSV back: {error}"),
    }
}

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
