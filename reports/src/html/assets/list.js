// Lists that are filtered, searched and paged: only the rows of one page are elements.

class List {
  // count: rows; keeps(row): passes the filters; words(row): what a search looks through, in lower case; draw(row):
  // elements; noun: [one, many]; begins: before a filter runs; shown: after a page is drawn.
  constructor({ id, count, size, keeps, words, draw, noun, begins, shown }) {
    Object.assign(this, { id, count, size, keeps, words, draw, noun, begins, shown });
    this.page = 0;
    this.rows = [];
    this.sought = [];
    this.held = new Array(count);
    this.body = at(`${id}-rows`);
    this.search = at(`${id}-search`);
    this.status = at(`${id}-status`);
    this.before = html("button", { type: "button", click: () => this.turn(-1) }, "Previous");
    this.after = html("button", { type: "button", click: () => this.turn(1) }, "Next");
    at(`${id}-pager`).append(this.before, this.after);
    if (this.search) this.search.addEventListener("input", () => this.filter());
    this.filter();
  }

  has(row) {
    const words = (this.held[row] ??= this.words(row).toLowerCase());
    return this.sought.every((word) => words.includes(word));
  }

  filter() {
    this.sought = this.search ? this.search.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
    if (this.begins) this.begins();
    const rows = [];
    for (let row = 0; row < this.count; row += 1) {
      if ((this.sought.length === 0 || this.has(row)) && this.keeps(row)) rows.push(row);
    }
    this.rows = rows;
    this.page = 0;
    this.render();
  }

  turn(step) {
    this.page += step;
    this.render();
    (this.body.closest("section") || this.body).scrollIntoView({ block: "start" });
  }

  render() {
    const first = this.page * this.size;
    const rows = this.rows.slice(first, first + this.size);
    this.body.replaceChildren(...rows.flatMap((row) => this.draw(row)));
    const last = Math.min(first + this.size, this.rows.length);
    const [one, many] = this.noun;
    const all = this.rows.length === this.count ? "" : ` of ${grouped(this.count)}`;
    const range = this.rows.length > this.size ? `${grouped(first + 1)} to ${grouped(last)} of ` : "";
    this.status.textContent =
      this.rows.length === 0 ? `no ${many} fit` : `${range}${grouped(this.rows.length)}${range ? "" : all} ${this.rows.length === 1 ? one : many}`;
    this.before.disabled = this.page === 0;
    this.after.disabled = last >= this.rows.length;
    const single = this.rows.length <= this.size;
    this.before.hidden = single;
    this.after.hidden = single;
    if (this.shown) this.shown(rows);
  }
}

// Buttons of which any number can be pressed; none pressed = all pass.
function toggles(id, changed) {
  const pressed = new Set();
  for (const button of at(id).querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const value = button.dataset.value;
      if (!pressed.delete(value)) pressed.add(value);
      button.setAttribute("aria-pressed", String(pressed.has(value)));
      changed();
    });
  }
  return { allow: (value) => pressed.size === 0 || pressed.has(value) };
}

// A choice of one; the empty value = all pass.
function choice(id, changed) {
  const select = at(id);
  select.addEventListener("change", changed);
  return { allow: (value) => select.value === "" || select.value === value, select };
}

// A row that opens to more beneath it; what is beneath is made when it is first asked for.
function opening(label, columns, more) {
  const button = html("button", { type: "button", class: "opens", "aria-expanded": "false" }, html("span", {}, label));
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    const row = button.closest("tr");
    if (open) row.nextElementSibling.remove();
    else row.after(html("tr", { class: "more-row" }, html("td", { colspan: columns }, more())));
  });
  return button;
}
