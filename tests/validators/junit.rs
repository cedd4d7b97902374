//! JUnit XML against the schema of Jenkins, which the source of pytest carries.

use std::path::PathBuf;
use std::process::Command;

use crate::tools::{installed, run};
use crate::{accepts_and_refuses, file, python, reports, work};

/// The schema.
fn schema() -> PathBuf {
    let home = installed("pytest-source", "9.2.0", |home| {
        run(
            Command::new("python3")
                .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
                .args(["--no-binary", ":all:", "pytest==9.2.0"])
                .current_dir(home),
            "the source of the Python package pytest 9.2.0",
        );
        run(
            Command::new("tar")
                .args(["xzf", "pytest-9.2.0.tar.gz", "--strip-components=3"])
                .arg("pytest-9.2.0/testing/example_scripts/junit-10.xsd")
                .current_dir(home),
            "tar, to unpack it",
        );
        std::fs::remove_file(home.join("pytest-9.2.0.tar.gz")).expect("removed");
    });
    home.join("junit-10.xsd")
}

/// Validates a file, and checks that the counts in it are those of its cases.
const SCRIPT: &str = "\
import sys
from lxml import etree
schema = etree.XMLSchema(etree.parse(sys.argv[1]))
document = etree.parse(sys.argv[2])
schema.assertValid(document)
for suite in document.getroot().iter('testsuite'):
    for attribute, path in (('tests', 'testcase'), ('failures', 'testcase/failure'), ('errors', 'testcase/error'), ('skipped', 'testcase/skipped')):
        assert int(suite.get(attribute)) == len(suite.findall(path)), (suite.get('name'), attribute)
    names = [(case.get('classname'), case.get('name')) for case in suite.findall('testcase')]
    assert len(names) == len(set(names)), 'a case repeats'
for attribute in ('tests', 'failures', 'errors'):
    assert int(document.getroot().get(attribute)) == sum(int(suite.get(attribute)) for suite in document.getroot()), attribute
";

#[test]
fn junit_fits_the_schema_of_jenkins_and_counts_right() {
    let schema = schema();
    let schema = schema.to_str().expect("UTF-8");
    let folder = work("junit");
    let check = |name: &str, text: &str| {
        let path = file("junit", name, text);
        python("lxml", "6.1.3", SCRIPT, &folder, &[schema, path.to_str().expect("UTF-8")])
    };
    for report in reports("junit", &[]) {
        let good = check("report.xml", &report);
        accepts_and_refuses(
            &good,
            &check("broken.xml", &report.replacen("<testcase name=", "<testcase title=", 1)),
            "a case without name",
        );
        accepts_and_refuses(
            &good,
            &check("broken.xml", &report.replacen("<failure ", "<skipped ", 1).replacen("</failure>", "</skipped>", 1)),
            "a wrong count",
        );
    }
}
