//! The configuration that is proposed: it is read as it is and with every proposal taken, and replaces nothing.

use crate::common::{CLUSTER, Scene};

fn scene() -> Scene {
    let cluster = CLUSTER.replace(
        "  name: triage\n  namespace: ops\n---",
        "  name: triage\n  namespace: ops\n  annotations: {evenhand.dev/nature: ai_agent}\n---",
    );
    assert_ne!(cluster, CLUSTER);
    Scene::with_account().file("k8s/prod/all.yaml", cluster.as_bytes())
}

#[test]
fn what_is_proposed_is_a_configuration_that_scans() {
    let scene = scene();
    let run = scene.run(&["init", "gaad.json", "k8s"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let text = scene.read("evenhand.toml");
    let read: toml::Table = text.parse().unwrap();
    assert_eq!(read["scope"]["folders"].to_string(), r#"["gaad.json", "k8s"]"#);
    assert_eq!(read["scope"]["accounts"].to_string(), r#"["111122223333"]"#);
    assert_eq!(read["scope"]["clusters"].to_string(), r#"["prod"]"#);
    let agents = read["register"]["agents"].to_string();
    assert!(agents.contains("role/incident-agent") && agents.contains("serviceaccount:ops/triage"), "{agents}");
    assert!(!read.contains_key("job"), "a job counts as reviewed, and none was: {text}");
    assert!(text.contains("#name = \"incident-responder\""), "{text}");

    // As it is written: the scan reads what was read, and misses nothing that it expects.
    let run = scene.run(&["scan", "-o", "json", "--exit-zero", "--allow-partial"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("serviceaccount:ops/triage") && run.stdout.contains("role/incident-agent"));
    assert!(!run.stdout.contains("the configuration expects it"), "{}", run.stdout);

    // With every proposal taken.
    let taken: Vec<&str> = text
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .filter(|line| !line.starts_with("organisations"))
        .collect();
    let taken = taken.join("\n");
    assert!(taken.parse::<toml::Table>().unwrap().contains_key("job"), "{taken}");
    let scene = scene.file("evenhand.toml", taken.as_bytes());
    let run = scene.run(&["baseline", "create"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let run = scene.run(&["compare", "incident-agent"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("confidence 1.0"), "{}", run.stdout);
    let run = scene.run(&["scan", "--exit-zero", "--allow-partial"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn who_declares_a_job_that_is_proposed_is_proposed_for_it() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/acme/aws");
    let run = Scene::new().run(&["init", example, "--out", "-"]);
    let (jobs, without) = run.stdout.split_once("# No role of people was found").unwrap();
    for name in ["refund-assistant", "invoice-reader", "fraud-watch-agent"] {
        let id = format!("arn:aws:iam::222222222222:role/{name}\"");
        assert!(jobs.contains(&id), "{name}: {jobs}");
        assert!(!without.split("[register]").next().unwrap().contains(name), "{name}: {without}");
    }
    assert!(without.contains("role/marketing-copy-agent"), "{without}");
}

#[test]
fn a_file_that_is_there_is_left_alone() {
    let scene = scene().file("evenhand.toml", b"# mine\n");
    let run = scene.run(&["init", "gaad.json"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("is there already") && run.stderr.contains("--out -"), "{}", run.stderr);
    assert_eq!(scene.read("evenhand.toml"), "# mine\n");

    let printed = scene.run(&["init", "gaad.json", "--out", "-"]);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    assert!(printed.stdout.parse::<toml::Table>().unwrap().contains_key("gate"));
    let other = scene.run(&["init", "gaad.json", "--out", "other.toml"]);
    assert_eq!((other.code, scene.read("other.toml")), (0, printed.stdout));
}

#[test]
fn nobody_is_proposed_where_nobody_is() {
    let scene = Scene::new().file("notes/a.txt", b"nothing");
    let run = scene.run(&["init", "notes"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(!scene.path("evenhand.toml").exists());
}

#[test]
fn sources_are_named_relative_to_the_configuration_wherever_it_is_written() {
    for (out, folders) in [("./x.toml", r#"["gaad.json", "k8s"]"#), ("conf/x.toml", r#"["../gaad.json", "../k8s"]"#)] {
        let scene = scene().file("conf/keep", b"");
        let run = scene.run(&["init", "gaad.json", "./k8s", "--out", out]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let read: toml::Table = scene.read(out).parse().unwrap();
        assert_eq!(read["scope"]["folders"].to_string(), folders, "{out}");
        let scan = scene.run(&["scan", "--config", out, "-o", "json"]);
        assert!(scan.stdout.contains("serviceaccount:ops/triage"), "{}", scan.stderr);
    }
}
