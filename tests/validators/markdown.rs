//! Markdown through the renderer of GitHub: names stay text, and tables keep their columns.

use crate::{accepts_and_refuses, file, python, reports, work};

/// Renders a page and checks that it holds nothing that acts.
const SCRIPT: &str = "\
import cmarkgfm, html.parser, re, sys
from cmarkgfm.cmark import Options
text = open(sys.argv[1], encoding='utf-8', newline='').read()
page = cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)
allowed = {'h1', 'h2', 'p', 'strong', 'em', 'code', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'details', 'summary', 'ul', 'li'}
class Reader(html.parser.HTMLParser):
    row, code, cell, findings, header = 0, 0, None, False, []
    def handle_starttag(self, tag, attributes):
        assert tag in allowed and not attributes, (tag, attributes)
        self.code += tag == 'code'
        if tag == 'table': self.header = []
        if tag in ('th', 'td'): self.cell = ''
    def handle_endtag(self, tag):
        self.code -= tag == 'code'
        if tag == 'th': self.header.append(self.cell)
        # What is not of our own words stands in code, also where a name holds the border of a cell.
        if tag == 'td' and self.header == ['Severity', 'Rule', 'What', 'Where']:
            assert self.cell in ('', 'critical', 'high', 'medium', 'low', 'none'), self.cell
        if tag in ('th', 'td'): self.cell = None
    def handle_data(self, data):
        # GitHub makes links of mentions, numbers and addresses afterwards, though not in code.
        if self.cell is not None and not self.code: self.cell += data
        assert self.code or not re.search(r'@\\w|#\\d|https?:|www\\.', data), data
reader = Reader()
reader.feed(page)
assert '<table>' in page and '<code>' in page
";

#[test]
fn no_name_acts_in_the_eyes_of_the_renderer_of_github() {
    let folder = work("markdown");
    let check = |text: &str| {
        let path = file("markdown", "page.md", text);
        python("cmarkgfm", "2025.10.22", SCRIPT, &folder, &[path.to_str().expect("UTF-8")])
    };
    for format in ["markdown", "markdown:comment"] {
        for report in reports(format, &[]) {
            let good = check(&report);
            for name in [
                "@everyone",
                "[x](http://evil.example)",
                "<img src=x>",
                "http://evil.example",
                "| Severity | Rule | What | Where |\n|---|---|---|---|\n| high | `a` | `b|c` | `d` |",
            ] {
                accepts_and_refuses(&good, &check(&format!("{report}\n\n{name}\n")), name);
            }
        }
    }
}
