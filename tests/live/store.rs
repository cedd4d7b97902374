//! A store in a bucket of an S3-compatible server: it keeps what a folder keeps.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{Cloud, MOTO, said, tools};

#[test]
fn a_bucket_keeps_scans_as_a_folder_does() {
    let cloud = Cloud::start();
    let python = tools::python_program(MOTO.0, MOTO.1, "moto_server").with_file_name("python");
    let script = "import boto3,sys\n\
                  s3=boto3.client('s3',endpoint_url=sys.argv[1],region_name='eu-west-1',aws_access_key_id='testing',aws_secret_access_key='testing')\n\
                  s3.create_bucket(Bucket='posture',CreateBucketConfiguration={'LocationConstraint':'eu-west-1'})\n";
    let made = Command::new(python).args(["-c", script, &cloud.url]).env("NO_PROXY", "127.0.0.1").output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let acme = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/acme");
    let acme = acme.to_str().unwrap();
    let empty = cloud.evenhand(&["history", "s3://posture/team"]);
    assert!(empty.status.code() == Some(2) && said(&empty).contains("holds no scan"), "{}", said(&empty));
    // Saved again, a scan is saved once.
    for (store, day) in [
        ("s3://posture/team", "2026-11-20"),
        ("s3://posture/team/", "2026-11-21"),
        ("s3://posture/team", "2026-11-21"),
        ("folder", "2026-11-20"),
        ("folder", "2026-11-21"),
    ] {
        let run = cloud.evenhand(&["scan", acme, "--now", day, "--save", store, "-o", "csv:gaps"]);
        assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    }
    let asked = |store: &str, more: &[&str]| -> Value {
        let run = cloud.evenhand(&[&["history", store, "-o", "json"][..], more].concat());
        assert_eq!(run.status.code(), Some(0), "{}", said(&run));
        serde_json::from_slice(&run.stdout).unwrap()
    };
    let trend = asked("s3://posture/team", &[]);
    assert_eq!(trend.as_array().unwrap().len(), 2, "{trend}");
    assert_eq!(trend, asked("folder", &[]));
    let query = "SELECT rule, COUNT(*) AS many FROM findings GROUP BY rule ORDER BY rule";
    assert_eq!(asked("s3://posture/team", &["--sql", query]), asked("folder", &["--sql", query]));
    // Another part of the bucket is another store.
    let other = cloud.evenhand(&["history", "s3://posture"]);
    assert_eq!(other.status.code(), Some(2), "{}", said(&other));

    let gone = cloud.evenhand(&["scan", acme, "--save", "s3://nobodys-bucket", "-o", "csv:gaps"]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(said(&gone).contains("s3://nobodys-bucket/") && said(&gone).contains("no such"), "{}", said(&gone));
    let alone = Command::new(env!("CARGO_BIN_EXE_evenhand"))
        .args(["history", "s3://posture/team"])
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    assert!(alone.status.code() == Some(2) && said(&alone).contains("no credentials"), "{}", said(&alone));
    for (store, told) in
        [("s3://", "is no name of a bucket"), ("gs://posture", "`gs://`"), ("s3://posture/../x", "prefix")]
    {
        let wrong = cloud.evenhand(&["history", store]);
        assert!(wrong.status.code() == Some(2) && said(&wrong).contains(told), "{}", said(&wrong));
    }
}
