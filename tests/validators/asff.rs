//! ASFF against the service model of the AWS SDK for Python, which knows the members and their types but not the lengths.

use crate::{file, python, reports, said, work};

const PRODUCT: &str = "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default";

/// Validates every batch as the parameters of a call.
const SCRIPT: &str = "\
import json, sys
import botocore.session
from botocore.validate import ParamValidator
model = botocore.session.get_session().get_service_model('securityhub')
shape = model.operation_model('BatchImportFindings').input_shape
status = shape.members['Findings'].member.members['Compliance'].members['Status'].enum
label = shape.members['Findings'].member.members['Severity'].members['Label'].enum
ids = set()
for line in open(sys.argv[1], encoding='utf-8', newline=''):
    batch = json.loads(line)
    report = ParamValidator().validate(batch, shape).generate_report()
    assert report == '', report
    assert 1 <= len(batch['Findings']) <= 100, len(batch['Findings'])
    for finding in batch['Findings']:
        assert finding['Id'] not in ids, 'an id repeats'
        ids.add(finding['Id'])
        assert finding['Severity']['Label'] in label
        assert 'Compliance' not in finding or finding['Compliance']['Status'] in status, finding['Compliance']
        assert len(finding['Title']) <= 256 and len(finding['Description']) <= 1024 and len(finding['Resources']) == 1
        assert all(len(resource['Id']) <= 512 for resource in finding['Resources'])
        assert len(finding.get('Remediation', {}).get('Recommendation', {}).get('Text', '')) <= 512
        assert len(json.dumps(finding)) < 240000
assert len(ids) > 2
";

#[test]
fn every_batch_is_a_call_that_the_sdk_would_make() {
    let folder = work("asff");
    let check = |text: &str| {
        let path = file("asff", "batches.ndjson", text);
        python("botocore", "1.44.5", SCRIPT, &folder, &[path.to_str().expect("UTF-8")])
    };
    for report in reports("asff", &["--asff-product", PRODUCT]) {
        let done = check(&report);
        assert!(done.status.success(), "{}", said(&done));
        for (from, to) in [
            ("\"SchemaVersion\":", "\"Schema\":"),
            ("\"Status\":\"FAILED\"", "\"Status\":\"FAILURE\""),
            ("\"Resources\":[", "\"Resources\":[1,"),
        ] {
            let broken = report.replacen(from, to, 1);
            assert!(broken != report && !check(&broken).status.success(), "`{to}` must be refused");
        }
    }
}
