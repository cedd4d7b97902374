// The page: its lists, and what a click opens.

const I = DATA.identities;
const searchable = (...indices) => indices.map(text).join(" ");
const isAgent = (index) => index !== null && text(I.nature[index]) === "ai_agent";

const lists = [];
const listed = (options) => {
  if (!at(`${options.id}-rows`)) return null;
  const list = new List(options);
  lists.push(list);
  return list;
};

if (at("parity-rows")) {
  let list = null;
  const verdicts = toggles("parity-verdicts", () => list.filter());
  list = listed({
    id: "parity",
    count: DATA.pairs.length,
    size: 10,
    noun: ["AI identity", "AI identities"],
    keeps: (row) => verdicts.allow(DATA.pairs[row].verdict),
    words: (row) => {
      const pair = DATA.pairs[row];
      return searchable(I.name[pair.identity], I.id[pair.identity], I.scope[pair.identity], pair.human, pair.summary);
    },
    draw: (row) => {
      const pair = DATA.pairs[row];
      const name = text(I.name[pair.identity]);
      const who = html(
        "div",
        { class: "who" },
        verdictBadge(pair.verdict),
        html("h3", {}, identityButton(pair.identity, name)),
        html("p", {}, "beside ", html("b", {}, pair.roles > 0 ? text(pair.human) : "nobody: no human role is known")),
        html("p", { class: "place" }, placeOf(pair.identity)),
      );
      const bars = html("div", { class: "bars" }, pairOfBars(pair), html("p", { class: "says" }, text(pair.summary)));
      const signs = controlSigns(pair);
      const controls = signs.length ? html("ul", { class: "controls", "aria-label": "Controls" }, signs) : html("p", { class: "controls soft" }, pair.roles > 0 ? "no controls to compare" : "");
      return html("li", { class: "pair" }, who, bars, controls);
    },
  });
}

if (at("excess-rows")) {
  const X = DATA.excess;
  let list = null;
  const changed = () => list.filter();
  const level = choice("excess-level", changed);
  const risky = at("excess-risk");
  risky.addEventListener("change", changed);
  list = listed({
    id: "excess",
    count: X.identity.length,
    size: 15,
    noun: ["excess atom", "excess atoms"],
    keeps: (row) => level.allow(LEVELS[X.level[row]]) && (!risky.checked || X.highRisk[row]),
    words: (row) => searchable(X.name[row], X.operation[row], X.scope[row], X.grant[row], X.location[row]),
    draw: (row) => {
      const cells = excessCells(row).map((value, index) => html("td", { class: EXCESS_HEADS[index][1], "data-label": EXCESS_HEADS[index][0] }, value));
      return html("tr", {}, html("td", {}, identityButton(X.identity[row], text(X.name[row]))), cells);
    },
  });
}

if (at("paths-rows")) {
  const P = DATA.paths;
  let list = null;
  const changed = () => list.filter();
  const only = at("paths-agents");
  only.addEventListener("change", changed);
  list = listed({
    id: "paths",
    count: P.identity.length,
    size: 10,
    noun: ["path", "paths"],
    keeps: (row) => !only.checked || isAgent(P.identity[row]),
    words: (row) => `${searchable(...P.nodes[row], P.techniques[row])} ${pathSteps(row)} ${text(P.name[row])}`,
    draw: (row) =>
      html(
        "tr",
        {},
        html("td", {}, identityButton(P.identity[row], text(P.name[row]))),
        html("td", { "data-label": "Leads to" }, pathSteps(row)),
        html("td", { "data-label": "By" }, text(P.techniques[row])),
        html("td", { "data-label": "What it means" }, pathMarks(row)),
        html("td", { "data-label": "Allowed by", class: "small" }, text(P.evidence[row])),
      ),
    shown: (rows) => at("paths-graph").replaceChildren(...(rows.length ? [graphOf(rows.slice(0, 10))] : [])),
  });
}

const F = DATA.findings;
let framework = null;
let findings = null;
let status = null;
if (at("findings-rows")) {
  const changed = () => findings.filter();
  const severities = toggles("findings-severities", changed);
  status = choice("findings-state", changed);
  const dimension = choice("findings-dimension", changed);
  const provider = choice("findings-provider", changed);
  const agents = at("findings-agents");
  agents.addEventListener("change", changed);
  at("findings-framework").addEventListener("click", () => {
    framework = null;
    at("findings-framework").hidden = true;
    changed();
    at("findings-search").focus();
  });
  const supports = DATA.rules.frameworks.map((entries) => new Set(entries.map(([key, id]) => `${text(key)} ${text(id)}`)));
  const dimensions = DATA.rules.dimension.map(text);
  const counts = SEVERITIES.map(() => 0);
  const counters = SEVERITIES.map((severity) => at("findings-severities").querySelector(`[data-value="${severity}"] b`));
  findings = listed({
    id: "findings",
    count: F.rule.length,
    size: 20,
    noun: ["finding", "findings"],
    // A button of a severity tells how many there are under the other filters.
    begins: () => counts.fill(0),
    shown: () => counters.forEach((counter, severity) => (counter.textContent = grouped(counts[severity]))),
    keeps: (row) => {
      const fits =
        status.allow(statusWord(row)) &&
        dimension.allow(dimensions[F.rule[row]]) &&
        provider.allow(text(F.provider[row])) &&
        (!agents.checked || isAgent(F.identity[row])) &&
        (framework === null || supports[F.rule[row]].has(framework));
      if (fits) counts[F.severity[row]] += 1;
      return fits && severities.allow(SEVERITIES[F.severity[row]]);
    },
    words: (row) => searchable(F.title[row], F.name[row], DATA.rules.id[F.rule[row]], F.scope[row], F.identity[row] === null ? null : I.id[F.identity[row]]),
    draw: (row) =>
      html(
        "tr",
        {},
        html("td", {}, severityBadge(row)),
        html("td", {}, opening(text(F.title[row]), 5, () => findingDetails(row))),
        html("td", { "data-label": "Identity" }, identityButton(F.identity[row], text(F.name[row]))),
        html("td", { "data-label": "Dimension", class: "brief" }, dimensions[F.rule[row]]),
        html("td", { "data-label": "Status", class: "brief" }, statusWord(row)),
      ),
  });
}

if (at("identities-rows")) {
  let list = null;
  const nature = choice("identities-nature", () => list.filter());
  // Counts of failed findings by severity; what is not decided is counted apart.
  const open = (row) => {
    const counts = [0, 0, 0, 0];
    let undecided = 0;
    for (const finding of findingsOf.get(row) || []) {
      if (F.unknown[finding]) undecided += 1;
      else counts[F.severity[finding]] += 1;
    }
    const words = counts.map((count, index) => (count ? `${grouped(count)} ${SEVERITIES[index]}` : "")).filter(Boolean);
    if (undecided) words.push(`${grouped(undecided)} undecided`);
    return words.join(", ") || "none";
  };
  list = listed({
    id: "identities",
    count: I.id.length,
    size: 20,
    noun: ["identity", "identities"],
    keeps: (row) => nature.allow(text(I.nature[row])),
    words: (row) => searchable(I.name[row], I.id[row], I.scope[row], I.kind[row], I.provider[row], I.owner[row]),
    draw: (row) =>
      html(
        "tr",
        {},
        html("td", {}, identityButton(row)),
        html("td", { "data-label": "Nature" }, spaced(text(I.nature[row]))),
        html("td", { "data-label": "Where" }, placeOf(row)),
        html("td", { "data-label": "Owner" }, I.hasOwner[row] === false ? "none" : text(I.owner[row]) || "not known"),
        html("td", { "data-label": "Full control" }, answer(I.admin[row])),
        html("td", { "data-label": "Weight", class: "number" }, I.weight[row] === null ? "?" : grouped(I.weight[row])),
        html("td", { "data-label": "Findings" }, open(row)),
      ),
  });
}

document.addEventListener("click", (event) => {
  const identity = event.target.closest("[data-identity]");
  if (identity) openCard(Number(identity.dataset.identity));
  const requirement = event.target.closest("button.requirement");
  if (requirement && findings) {
    framework = requirement.dataset.framework;
    const clear = at("findings-framework");
    clear.textContent = `${framework} ✕`;
    clear.setAttribute("aria-label", `Do not limit to ${framework}`);
    clear.hidden = false;
    status.select.value = "";
    findings.filter();
    at("findings").scrollIntoView({ block: "start" });
    clear.focus({ preventScroll: true });
  }
  if (event.target === at("card")) at("card").close();
});

// On paper nothing can be turned: more rows of each list, and the list says how many there are.
const PRINTED = 100;
addEventListener("beforeprint", () => {
  for (const list of lists) {
    list.usual ??= [list.size, list.page];
    [list.size, list.page] = [Math.max(PRINTED, list.size), 0];
    list.render();
  }
});
addEventListener("afterprint", () => {
  for (const list of lists) {
    if (list.usual) [list.size, list.page] = list.usual;
    list.usual = undefined;
    list.render();
  }
});
