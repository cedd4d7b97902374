// The pair of bars: what the human role may do above what the AI identity may do, by weight, on one scale for the pair.

const share = (part, whole) => (whole > 0 ? (100 * part) / whole : 0);

// Segments [class, weight] drawn left to right. What exists is seen: no segment is thinner than 0.8 % of the bar.
function segments(parts, scale, label) {
  const drawn = svg("svg", { role: "img", "aria-label": label });
  let x = 0;
  for (const [name, weight] of parts) {
    if (weight <= 0) continue;
    const width = Math.min(Math.max(share(weight, scale), 0.8), 100 - x);
    const outlined = name === "only" || name === "none";
    const inset = outlined ? 1 : 0;
    drawn.append(svg("rect", { x: `${x}%`, y: inset, width: `${Math.max(width - 0.15, 0.5)}%`, height: 14 - 2 * inset, class: `fill-${name}` }));
    x += width;
  }
  return drawn;
}

function bar(side, name, parts, scale, label, number) {
  return html(
    "div",
    { class: "bar" },
    html("span", { title: name }, side),
    segments(parts, scale, label),
    html("span", { class: "number" }, number),
  );
}

function pairOfBars(pair) {
  const name = text(DATA.identities.name[pair.identity]);
  const held = pair.weight;
  const human = pair.humanWeight;
  const compared = pair.roles > 0;
  const scale = Math.max(held || 0, compared ? human || 0 : 0, 1);
  const excess = LEVELS.map((level, index) => [level, pair.excess[index]]).filter(([, weight]) => weight > 0);
  const number = (weight) => (weight === null ? "?" : grouped(weight));
  const above = compared
    ? bar(
        "Human",
        text(pair.human),
        human === null ? [["none", scale]] : [["shared", pair.shared], ["only", human - pair.shared]],
        scale,
        human === null ? `human role ${text(pair.human)}: access not known` : `human role ${text(pair.human)}: weight ${grouped(human)}, ${grouped(pair.shared)} of it held by the agent too`,
        number(human),
      )
    : bar("Human", "none known", [["none", scale]], scale, "no human role is known", "–");
  const ratio = compared && human > 0 && held > human * 1.05 ? ` ×${(held / human).toFixed(held / human < 10 ? 1 : 0)}` : "";
  const covered = Math.max((held || 0) - pair.excessWeight - pair.open, 0);
  const parts = !compared ? [["open", held || 0]] : [["shared", covered], ["open", pair.open], ...[...excess].reverse()];
  const words = excess.map(([level, weight]) => `${spaced(level)} ${grouped(weight)}`).reverse().join(", ");
  const label = `AI identity ${name}: weight ${number(held)}${words ? `, beyond the human role: ${words}` : ""}${pair.open > 0 ? `, undecided: ${grouped(pair.open)}` : ""}`;
  const below = bar("Agent", name, held === null ? [["none", scale]] : parts, scale, label, number(held));
  if (ratio) below.lastChild.append(html("span", { class: "soft small" }, ratio));
  return [above, below];
}

// One sign for each kind of control that people or the agent pass; the worst of what was compared.
function controlSigns(pair) {
  const order = ["gap", "unsure", "held", "fine"];
  const worst = new Map();
  for (const control of pair.controls) {
    const [state, words] = controlState(control);
    const held = worst.get(control.control);
    if (!held || order.indexOf(state) < order.indexOf(held[0])) worst.set(control.control, [state, words]);
  }
  return [...worst].map(([control, [state, words]]) =>
    html("li", { class: state, title: words }, controlSign(state), html("span", {}, CONTROLS[control] || spaced(control), html("span", { class: "unseen" }, `: ${words}`))),
  );
}
