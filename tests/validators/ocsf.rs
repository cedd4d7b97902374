//! OCSF events against the compiled schema of their class, and what a schema does not see.

use crate::{file, python, reports, said, work};

/// Writes the schemas of the classes, each when it is whole.
const SCHEMAS: &str = "\
import json, os, sys
from ocsf_json_schema.loader import get_ocsf_schema
from ocsf_json_schema.embedded import OcsfJsonSchemaEmbedded
schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema('1.8.0'))
for name in ('compliance_finding', 'iam_analysis_finding'):
    with open(name + '.part', 'w') as file:
        json.dump(schemas.get_class_schema(name, []), file)
    os.replace(name + '.part', name + '.json')
";

/// Validates every line. A schema takes seconds for milliseconds, and any type for any class and activity.
const SCRIPT: &str = "\
import json, sys
from datetime import datetime
from jsonschema import Draft202012Validator
names = {2003: 'compliance_finding', 2008: 'iam_analysis_finding'}
validators = {uid: Draft202012Validator(json.load(open(name + '.json'))) for uid, name in names.items()}
now = int(datetime.fromisoformat(sys.argv[2]).timestamp() * 1000)
seen, uids = set(), set()
for line in open(sys.argv[1], encoding='utf-8', newline=''):
    event = json.loads(line)
    validators[event['class_uid']].validate(event)
    assert event['time'] == now, 'time is not milliseconds'
    assert event['type_uid'] == event['class_uid'] * 100 + event['activity_id'], 'type_uid'
    assert event['metadata']['uid'] not in uids, 'an event repeats'
    uids.add(event['metadata']['uid'])
    seen.add(event['class_uid'])
    if event['class_uid'] == 2003 and event['compliance']['status_id'] == 0:
        assert event['severity_id'] in (0, 1, 3), 'what is unknown is no alarm'
assert 2003 in seen
print(sorted(seen))
";

#[test]
fn every_event_fits_the_schema_of_its_class() {
    let folder = work("ocsf");
    let made = python("ocsf-json-schema", "1.2.0", SCHEMAS, &folder, &[]);
    assert!(made.status.success(), "{}", said(&made));
    let check = |text: &str| {
        let path = file("ocsf", "events.ndjson", text);
        let arguments = [path.to_str().expect("UTF-8"), "2026-11-20T09:00:00+00:00"];
        python("jsonschema", "4.26.0", SCRIPT, &folder, &arguments)
    };
    let [acme, hostile] = reports("ocsf", &[]);
    for report in [&acme, &hostile] {
        let done = check(report);
        assert!(done.status.success(), "{}", said(&done));
        for (from, to) in [
            ("\"time\":1", "\"time\":\"1"),
            ("\"status_id\":3", "\"status_id\":7"),
            ("\"metadata\":{", "\"metadata\":{\"surprise\":1,"),
            ("\"type_uid\":200301", "\"type_uid\":200302"),
        ] {
            let broken = report.replacen(from, to, 1);
            assert!(broken != *report && !check(&broken).status.success(), "`{to}` must be refused");
        }
    }
    assert!(said(&check(&acme)).contains("[2003, 2008]"), "both classes are there");
}
