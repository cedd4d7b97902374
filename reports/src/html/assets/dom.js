// Elements and words. Text from the scan becomes text nodes and attribute values, never markup.

const DATA = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const text = (index) => (index === null || index === undefined ? "" : DATA.strings[index]);
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");
const counted = (count, one, many) => `${grouped(count)} ${count === 1 ? one : many}`;
const spaced = (word) => word.replaceAll("_", " ");

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== "") element.append(child);
  }
  return element;
}

function html(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

const VERDICTS = {
  EXCESS: ["▲", "Excess"],
  CONTROL_GAP: ["◆", "Control gap"],
  UNKNOWN: ["?", "Unknown"],
  NO_BASELINE: ["○", "No baseline"],
  PARITY: ["=", "Parity"],
  NARROWER: ["▽", "Narrower"],
};

const LEVELS = ["list", "read", "tagging", "write", "permission_management"];

const CONTROLS = {
  second_person_approval: "Second person",
  just_in_time: "Just in time",
  change_gate: "Change gate",
  mfa: "MFA",
  network_or_device: "Network or device",
};

function verdictBadge(verdict) {
  const [sign, word] = VERDICTS[verdict] || ["", verdict];
  return html("span", { class: `verdict ${verdict}` }, html("span", { "aria-hidden": "true" }, `${sign} `), word);
}

function levelBadge(level) {
  const square = svg("svg", { "aria-hidden": "true" }, svg("rect", { width: 11, height: 11, rx: 2, class: `fill-${level}` }));
  return html("span", { class: "level" }, square, spaced(level));
}

// The sign of a control for the AI identity, where people pass it: a shape for each answer, not a colour alone.
function controlSign(state) {
  const shapes = {
    gap: ["M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13", "M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2"],
    held: ["M8 1.5l5.5 2v4.2c0 3.2-2.3 5.6-5.5 6.8c-3.2-1.2-5.5-3.6-5.5-6.8v-4.2z", "M5.2 8l2 2.1l3.6-4"],
    unsure: ["M8 1.2L14.8 8L8 14.8L1.2 8z", "M6.2 6.6a1.8 1.8 0 1 1 2.5 1.6c-.5.25-.7.5-.7 1M8 10.9v.9"],
    fine: ["M2.5 8h11", ""],
  };
  const [outline, inside] = shapes[state];
  const line = { fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round" };
  return svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { ...line, d: outline }), svg("path", { ...line, d: inside }));
}

// What a control says of both sides: [state, words for people].
function controlState(control) {
  const { human, agent } = control;
  if (human === true && agent === false) return ["gap", "people pass it, the agent does not"];
  if (human === true && agent === true) return ["held", "both pass it"];
  if (human === false) return ["fine", agent === true ? "the agent passes it, people do not" : "neither passes it"];
  if (human === null && agent === true) return ["held", "the agent passes it"];
  return ["unsure", "not known whether both pass it"];
}

// An identity by its place in the list; the name alone where the list does not have it.
function identityButton(index, name) {
  if (index === null || index === undefined) return html("span", {}, name);
  return html("button", { type: "button", class: "name", "data-identity": index }, name || text(DATA.identities.name[index]));
}

// Where an identity lives; most scopes name their provider already.
function placeOf(index) {
  const [provider, scope] = [text(DATA.identities.provider[index]), text(DATA.identities.scope[index])];
  return scope.startsWith(`${provider}:`) ? scope : `${provider}, ${scope}`;
}

// A place in a document without the folders of the document; the whole of it is the element's title.
function shortPlace(place) {
  const [document, ...pointer] = place.split("#");
  const name = document.replace(/^.*\/(?=[^/]+$)/, "…/");
  return [name, ...pointer].join("#");
}

// Every place of evidence as text; several lines of a remedy as paragraphs.
const lines = (words) => html("div", { class: "lines" }, words.split("\n").map((line) => html("p", {}, line)));
