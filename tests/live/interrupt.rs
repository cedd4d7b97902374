//! An interruption from outside: the process ends soon and in order.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Answers who is asking, and nothing else: every other call waits.
fn serve(mut stream: TcpStream, asked: &mpsc::Sender<String>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8_lossy(&body).into_owned();
    if !body.contains("GetCallerIdentity") {
        asked.send(body).unwrap();
        std::thread::sleep(Duration::from_secs(30));
        return;
    }
    let answer = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>\
                  <Arn>arn:aws:iam::111122223333:user/auditor</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}", answer.len());
}

#[test]
fn ctrl_c_leaves_a_valid_capture_that_says_what_is_missing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let sender = sender.clone();
            std::thread::spawn(move || serve(stream.unwrap(), &sender));
        }
    });
    let home = tempfile::tempdir().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_evenhand"))
        .args(["collect", "aws", "--out", "capture", "--region", "eu-west-1"])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    asked.recv_timeout(Duration::from_secs(30)).expect("a call is under way");
    let began = Instant::now();
    let told = Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status().unwrap();
    assert!(told.success());
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(4), "{said}");
    assert!(began.elapsed() < Duration::from_secs(10) && said.contains("interrupted"), "{said}");
    let manifest = std::fs::read_to_string(home.path().join("capture/aws/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!((&manifest["complete"], &manifest["stopped"]), (&false.into(), &"interrupted".into()));
    assert!(manifest["pending"].as_array().unwrap().len() > 10, "{manifest}");
}

#[test]
fn ctrl_c_ends_waiting_for_credentials_that_do_not_come() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/credentials", listener.local_addr().unwrap());
    let (sender, asked) = mpsc::channel();
    std::thread::spawn(move || {
        // Whoever asks is kept waiting.
        let mut held = Vec::new();
        for stream in listener.incoming() {
            held.push(stream);
            sender.send(()).unwrap();
        }
    });
    let home = tempfile::tempdir().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_evenhand"))
        .args(["collect", "aws", "--out", "capture", "--region", "eu-west-1"])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    asked.recv_timeout(Duration::from_secs(30)).expect("credentials are asked for");
    let told = Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status().unwrap();
    assert!(told.success());
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("it was stopped before the end") && said.contains("run it again"), "{said}");
    assert!(!home.path().join("capture").exists());
}
