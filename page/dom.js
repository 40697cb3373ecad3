// Elements from text, never from markup: what a plan says is only ever shown.
export const $ = (id) => document.getElementById(id);

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(4).filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : String(c))));
  return node;
}

export const el = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
export const show = (node, ...children) => node.replaceChildren(...children.flat(3).filter(Boolean));

const grouped = new Intl.NumberFormat("en-US");
export function number(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  return grouped.format(value).replace("-", "−");
}
export const change = (value) => (value > 0 ? "+" + number(value) : number(value));
export const dollars = (value) => (value === null || value === undefined ? "unknown" : "$" + value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
export const badge = (verdict) => el("span", { class: `badge ${verdict}` }, verdict.toUpperCase());
export const title = (state) => (state.variant ? `${state.name} (${state.variant})` : state.name);

// A text that wraps after a plus sign rather than inside a word: peak+zone-loss.
const breakable = (text) => (typeof text === "string" ? text.split(/(?<=\+)/).flatMap((part, i) => (i ? [el("wbr"), part] : [part])) : text);

// columns: [{ name, number, head }]; rows: arrays of texts, numbers or nodes.
export function table(caption, columns, rows, options = {}) {
  const head = el("tr", {}, columns.map((c) => el("th", { scope: "col", class: c.number ? "number" : null }, c.name)));
  const body = rows.map((row) => el("tr", { class: row.marked ? "now" : null }, row.map((cell, i) => {
    const attributes = { class: columns[i].number ? "number" : null };
    return i === 0 && options.heads ? el("th", { scope: "row" }, breakable(cell)) : el("td", attributes, typeof cell === "number" ? number(cell) : cell);
  })));
  const made = el("table", {}, el("caption", { class: options.quiet ? "visually-hidden" : null }, caption), el("thead", {}, head), el("tbody", {}, body));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, made);
}

export const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : "'" + text.replaceAll("'", `'"'"'`) + "'");
