// The card of one identity: everything that the report holds about it.

const pairOf = new Map(DATA.pairs.map((pair, index) => [pair.identity, index]));

// Rows of a table by identity, made once.
function rowsByIdentity(identities) {
  const rows = new Map();
  identities.forEach((identity, row) => {
    if (identity === null) return;
    if (!rows.has(identity)) rows.set(identity, []);
    rows.get(identity).push(row);
  });
  return rows;
}

const findingsOf = rowsByIdentity(DATA.findings.identity);
const excessOf = rowsByIdentity(DATA.excess.identity);
const pathsOf = rowsByIdentity(DATA.paths.identity);
const credentialsOf = rowsByIdentity(DATA.credentials.identity);

const answer = (value) => (value === null ? "not known" : value ? "yes" : "no");

function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return html("dl", { class: "about" }, known.map(([name, value]) => [html("dt", {}, name), html("dd", {}, value)]));
}

function table(caption, heads, rows) {
  const head = html("tr", {}, heads.map(([words, kind]) => html("th", { scope: "col", class: kind }, words)));
  const cells = (row) => row.map((value, index) => html("td", { class: heads[index][1], "data-label": heads[index][0] }, value));
  return html(
    "table",
    { class: "stacks" },
    html("caption", { class: "unseen" }, caption),
    html("thead", {}, head),
    html("tbody", {}, rows.map((row) => html("tr", {}, cells(row)))),
  );
}

const excessCells = (row) => {
  const held = DATA.excess;
  const many = held.operations[row] > 1 ? ` (${grouped(held.operations[row])})` : "";
  const condition = text(held.condition[row]);
  const people = text(held.people[row]);
  return [
    [html("code", {}, text(held.operation[row])), many, held.decided[row] ? "" : html("span", { class: "unsure" }, " undecided")],
    levelBadge(LEVELS[held.level[row]]),
    grouped(held.weight[row]),
    [html("span", { class: "code" }, text(held.scope[row])), condition ? html("p", { class: "soft small" }, `when ${condition}`) : "", people ? html("p", { class: "soft small" }, `people have it ${people} only`) : ""],
    [text(held.grant[row]), html("p", { class: "soft small", title: text(held.location[row]) }, shortPlace(text(held.location[row])))],
  ];
};
const EXCESS_HEADS = [["Operation"], ["Level"], ["Weight", "number"], ["On"], ["Granted by"]];

function comparison(pair) {
  const parts = [];
  const about = [
    ["Verdict", verdictBadge(pair.verdict)],
    ["In a line", text(pair.summary)],
    ["Human role", pair.roles > 0 ? text(pair.human) : "none known"],
    ["Chosen by", `${text(pair.reason)} (confidence ${pair.confidence.toFixed(1)})`],
    ["Operations", pair.operations === null ? "not known" : `${grouped(pair.operations)}${pair.humanOperations === null || pair.roles === 0 ? "" : `; the human role ${grouped(pair.humanOperations)}`}`],
    ["Beyond the role", pair.excessOperations > 0 ? `${counted(pair.excessOperations, "operation", "operations")}, ${grouped(pair.highRisk)} of high risk` : ""],
    ["Undecided", pair.undecided > 0 ? counted(pair.undecided, "operation", "operations") : ""],
    ["Covers", pair.coverage === null ? "" : `${Math.floor(pair.coverage * 100)} % of the human role's access by weight`],
  ];
  parts.push(html("div", { class: "bars" }, pairOfBars(pair)), facts(about));
  if (pair.doubts.length) parts.push(html("h3", {}, "Doubts"), html("ul", {}, pair.doubts.map((doubt) => html("li", {}, text(doubt)))));
  if (pair.controls.length) {
    const words = { true: "in place", false: "no", null: "not known" };
    const rows = pair.controls.map((control) => {
      const [state] = controlState(control);
      return [
        html("span", { class: `controls ${state}` }, html("span", { class: "level" }, controlSign(state), CONTROLS[control.control] || spaced(control.control))),
        words[control.human],
        words[control.agent],
        [html("span", { class: "code" }, text(control.operations)), html("p", { class: "soft small" }, `on ${text(control.resource)}`)],
        [text(control.reason), html("p", { class: "soft small" }, text(control.evidence))],
      ];
    });
    parts.push(html("h3", {}, "Controls for sensitive operations that both hold"), table("Controls", [["Control"], ["Human role"], ["Agent"], ["Operations"], ["How it gets past"]], rows));
  }
  return parts;
}

const CARD_ROWS = 50;

function limited(rows, draw, more) {
  const shown = rows.slice(0, CARD_ROWS);
  const rest = rows.length - shown.length;
  return [draw(shown), rest > 0 ? html("p", { class: "soft small" }, `and ${grouped(rest)} more; ${more}`) : ""];
}

function findingDetails(row) {
  const held = DATA.findings;
  const rule = held.rule[row];
  const many = (values) => (values.length ? html("div", { class: "lines" }, values.map((value) => html("p", { class: "code" }, text(value)))) : "");
  const pairs = [
    ["Rule", [html("code", {}, text(DATA.rules.id[rule])), text(DATA.rules.title[rule]) ? ` ${text(DATA.rules.title[rule])}` : ""]],
    ["Accepted", held.accepted[row] === null ? "" : text(held.accepted[row])],
    ["What to do", text(held.remedy[row]) ? lines(text(held.remedy[row])) : ""],
    ["Written at", many(held.evidence[row])],
    ["Not known", many(held.missing[row])],
    ["Facts", many(held.facts[row])],
    ["Where", `${text(held.provider[row])}, ${text(held.scope[row])}`],
    ["Frameworks", DATA.rules.frameworks[rule].map(([framework, id]) => `${text(framework)} ${text(id)}`).join(", ")],
  ];
  return html("dl", { class: "more" }, pairs.filter(([, value]) => value !== "").map(([name, value]) => [html("dt", {}, name), html("dd", {}, value)]));
}

const SEVERITIES = ["critical", "high", "medium", "low"];
const severityBadge = (row) => html("span", { class: `severity ${SEVERITIES[DATA.findings.severity[row]]}` }, SEVERITIES[DATA.findings.severity[row]]);
const statusWord = (row) => (DATA.findings.accepted[row] !== null ? "accepted" : DATA.findings.unknown[row] ? "undecided" : "failed");

function openCard(index) {
  const held = DATA.identities;
  const owner = held.hasOwner[index] === false ? "none" : text(held.owner[index]) || "not known";
  const body = html("div", {});
  const pair = DATA.pairs[pairOf.get(index)];
  if (pair) body.append(...comparison(pair));
  const excess = excessOf.get(index) || [];
  if (excess.length) {
    const all = pair ? pair.atoms : excess.length;
    body.append(html("h3", {}, `Access beyond the human role (${grouped(all)})`), ...limited(excess, (rows) => table("Access beyond the human role", EXCESS_HEADS, rows.map(excessCells)), "the table of excess has them"));
  }
  const paths = pathsOf.get(index) || [];
  if (paths.length) {
    const rows = paths.map((path) => [pathSteps(path), text(DATA.paths.techniques[path]), pathMarks(path)]);
    body.append(
      html("h3", {}, "What it can become"),
      html("div", { class: "graph", tabindex: "0", role: "region", "aria-label": "Paths of this identity" }, graphOf(paths)),
      table("Paths", [["Leads to"], ["By"], ["What it means"]], rows),
    );
  }
  const findings = findingsOf.get(index) || [];
  if (findings.length) {
    const draw = (rows) =>
      html(
        "table",
        { class: "stacks" },
        html("caption", { class: "unseen" }, "Findings"),
        html("thead", {}, html("tr", {}, ["Severity", "Finding", "Status"].map((words) => html("th", { scope: "col" }, words)))),
        html("tbody", {}, rows.map((row) => html("tr", {}, html("td", {}, severityBadge(row)), html("td", {}, opening(text(DATA.findings.title[row]), 3, () => findingDetails(row))), html("td", {}, statusWord(row))))),
      );
    body.append(html("h3", {}, `Findings (${grouped(findings.length)})`), ...limited(findings, draw, "search for its name under findings"));
  }
  const credentials = credentialsOf.get(index) || [];
  if (credentials.length) {
    const c = DATA.credentials;
    const rows = credentials.slice(0, CARD_ROWS).map((row) => [
      spaced(text(c.kind[row])),
      c.age[row] === null ? "not known" : counted(c.age[row], "day", "days"),
      c.expires[row] === null ? "not known" : c.expires[row] ? (c.expired[row] ? "yes, it has" : "yes") : "never",
      c.exposure[row] === null ? "not known" : spaced(text(c.exposure[row])),
      html("span", { class: "small" }, text(c.location[row])),
    ]);
    body.append(html("h3", {}, `Credentials (${grouped(credentials.length)})`), table("Credentials", [["Kind"], ["Age", "number"], ["Ends"], ["Lies in"], ["Written at"]], rows));
  }
  body.append(
    html("h3", {}, "Identity"),
    facts([
      ["Id", html("span", { class: "code" }, text(held.id[index]))],
      ["Nature", `${spaced(text(held.nature[index]))}${text(held.reason[index]) ? `: ${text(held.reason[index])}` : ""}`],
      ["Where", `${placeOf(index)}, ${spaced(text(held.kind[index]))}`],
      ["Owner", owner],
      ["Full control", answer(held.admin[index])],
      ["Can escalate", answer(held.escalates[index])],
      ["Last acted", held.idle[index] === null ? "not known" : `${counted(held.idle[index], "day", "days")} ago, or never since it was made`],
      ["Described at", html("span", { class: "small" }, text(held.location[index]))],
    ]),
  );
  const dialog = at("card");
  const close = html("button", { type: "button", class: "close", click: () => dialog.close() }, "Close");
  const title = html("div", {}, html("h2", { id: "card-title" }, text(held.name[index])), html("p", { class: "soft small" }, placeOf(index)));
  at("card-inside").replaceChildren(html("header", {}, title, close), body);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}
