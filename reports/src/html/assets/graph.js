// Paths drawn as a layered graph, left to right. The rows of the table beside it say the same in words.

const NODE = { width: 200, height: 44, gapX: 190, gapY: 20, margin: 16 };
const cut = (words, most) => (words.length > most ? `${words.slice(0, most - 1)}…` : words);

// The identities by id, for the nodes of paths.
const byId = new Map();
DATA.identities.id.forEach((id, index) => byId.set(text(id), index));

function stepsOf(path) {
  const nodes = [...DATA.paths.nodes[path].map(text)];
  const techniques = text(DATA.paths.techniques[path]).split(" > ");
  return nodes.slice(1).map((to, index) => ({
    from: nodes[index],
    to,
    technique: techniques.length === nodes.length - 1 ? techniques[index] : techniques.join(" > "),
  }));
}

// Nodes with their layers, and edges, each once.
function merged(paths) {
  const nodes = new Map();
  const edges = new Map();
  for (const path of paths) {
    for (const step of stepsOf(path)) {
      for (const id of [step.from, step.to]) if (!nodes.has(id)) nodes.set(id, { id, layer: 0, order: nodes.size });
      const key = `${step.from}\n${step.to}\n${step.technique}`;
      const held = edges.get(key) || { ...step, maybe: true, escalates: false };
      held.maybe = held.maybe && DATA.paths.conditional[path];
      held.escalates = held.escalates || DATA.paths.escalation[path];
      edges.set(key, held);
    }
  }
  // A node stands right of everything that leads to it. Circles end the search after as many rounds as there are nodes.
  for (let round = 0, moved = true; moved && round < nodes.size; round += 1) {
    moved = false;
    for (const { from, to } of edges.values()) {
      const [a, b] = [nodes.get(from), nodes.get(to)];
      if (b.layer <= a.layer && a.layer + 1 < nodes.size) {
        b.layer = a.layer + 1;
        moved = true;
      }
    }
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

// Orders each layer by the middle of its neighbours, forth and back, which untangles most crossings.
function layered({ nodes, edges }) {
  const layers = [];
  for (const node of nodes) (layers[node.layer] ||= []).push(node);
  const rows = layers.filter(Boolean);
  const place = new Map(nodes.map((node) => [node.id, node]));
  rows.forEach((layer) => layer.forEach((node, index) => (node.order = index)));
  for (let sweep = 0; sweep < 6; sweep += 1) {
    for (const layer of sweep % 2 ? [...rows].reverse() : rows) {
      for (const node of layer) {
        const near = edges.flatMap(({ from, to }) => (sweep % 2 ? (from === node.id ? [to] : []) : to === node.id ? [from] : []));
        node.pull = near.length ? near.reduce((sum, id) => sum + place.get(id).order, 0) / near.length : node.order;
      }
      layer.sort((a, b) => a.pull - b.pull || a.order - b.order);
      layer.forEach((node, index) => (node.order = index));
    }
  }
  return rows;
}

function nodeShape(node) {
  const index = byId.get(node.id);
  const full = node.id.startsWith("admin of ");
  const agent = index !== undefined && text(DATA.identities.nature[index]) === "ai_agent";
  const name = full ? "Full control" : index === undefined ? node.id : text(DATA.identities.name[index]);
  const under = full ? node.id.slice(9) : index === undefined ? "not in what was read" : `${spaced(text(DATA.identities.nature[index]))}, ${text(DATA.identities.scope[index])}`;
  return svg(
    "g",
    { class: `node${full ? " full" : ""}${agent ? " agent" : ""}`, transform: `translate(${node.x} ${node.y})` },
    svg("title", {}, full ? `full control of ${under}` : node.id),
    svg("rect", { width: NODE.width, height: NODE.height, rx: 7 }),
    svg(
      "svg",
      { width: NODE.width - 8, height: NODE.height },
      svg("text", { x: 12, y: 19 }, cut(name, 20)),
      svg("text", { x: 12, y: 34, class: "under" }, cut(under, 27)),
    ),
  );
}

function graphOf(paths) {
  const graph = merged(paths);
  const layers = layered(graph);
  const tallest = Math.max(...layers.map((layer) => layer.length), 1);
  const full = tallest * (NODE.height + NODE.gapY) - NODE.gapY;
  const place = new Map();
  layers.forEach((layer, column) => {
    const own = layer.length * (NODE.height + NODE.gapY) - NODE.gapY;
    layer.forEach((node, row) => {
      node.x = NODE.margin + column * (NODE.width + NODE.gapX);
      node.y = NODE.margin + (full - own) / 2 + row * (NODE.height + NODE.gapY);
      place.set(node.id, node);
    });
  });
  const width = 2 * NODE.margin + layers.length * (NODE.width + NODE.gapX) - NODE.gapX;
  const height = 2 * NODE.margin + full;
  const lines = [];
  const labels = [];
  const beside = new Map();
  for (const { from, to, technique, escalates, maybe } of graph.edges) {
    const [a, b] = [place.get(from), place.get(to)];
    const pair = `${from}\n${to}`;
    const number = beside.get(pair) || 0;
    beside.set(pair, number + 1);
    const [x1, y1, x2, y2] = [a.x + NODE.width, a.y + NODE.height / 2 + number * 12, b.x - 7, b.y + NODE.height / 2 + number * 12];
    const bend = Math.max((x2 - x1) / 2, 40);
    const mark = `${escalates ? " escalates" : ""}${maybe ? " maybe" : ""}`;
    lines.push(svg("path", { class: `edge${mark}`, d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }));
    lines.push(svg("path", { class: `tip${mark}`, d: `M${x2 - 1} ${y2 - 4.5}l8 4.5l-8 4.5z` }));
    labels.push(svg("text", { class: "says", x: (x1 + x2) / 2, y: (y1 + y2) / 2 - 5, "text-anchor": "middle", "paint-order": "stroke" }, svg("title", {}, technique), cut(technique, 30)));
  }
  const label = `${counted(paths.length, "path", "paths")} over ${counted(graph.nodes.length, "identity or target", "identities and targets")}; the table below lists them`;
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, lines, graph.nodes.map(nodeShape), labels);
}

function pathSteps(path) {
  const nodes = DATA.paths.nodes[path].map(text);
  const words = nodes.map((id) => {
    const index = byId.get(id);
    return index === undefined ? id.replace(/^admin of /, "full control of ") : text(DATA.identities.name[index]);
  });
  return words.slice(1).join(" → ");
}

function pathMarks(path) {
  const marks = [];
  if (DATA.paths.admin[path]) marks.push("full control");
  if (DATA.paths.escalation[path]) marks.push("escalates");
  if (DATA.paths.crosses[path]) marks.push("crosses providers");
  if (DATA.paths.conditional[path]) marks.push("under a condition");
  return marks.join(", ");
}
