// What an answer looks like. Nothing here calculates a figure: all of them are the engine's.
import { $, badge, change, dollars, el, number, show, svg, table, title } from "./dom.js";

const MOST_SUBNETS = 12, MOST_FINDINGS = 30, MOST_ROWS = 60;

export function verdict(live, answer) {
  const steady = answer.results.scenarios[0];
  const worst = worstCell(answer);
  const cost = answer.results.cost && answer.results.cost.scenarios;
  const facts = [
    ["Tightest subnet", worst ? `${worst.subnet.name}: ${number(worst.subnet.free)} free` : "–", worst ? `in ${title(worst.state)}` : ""],
    ["Nodes", number(steady.node_groups.reduce((sum, g) => sum + g.nodes, 0)), title(steady)],
    ["Cost per month", cost && cost.length ? dollars(cost[0].usd_per_month) : "unknown", "nodes and control plane, steady"],
    ["Must stay free", answer.inputs.min_free, "of each subnet"],
  ];
  const box = $("verdict");
  box.className = live.verdict;
  show(box,
    el("h2", { id: "verdict-title" }, badge(live.verdict)),
    el("p", { class: "sentence" }, live.sentence),
    el("dl", {}, facts.map(([name, value, note]) => el("div", {}, el("dt", {}, name), el("dd", {}, value, note ? el("span", { class: "note" }, note) : null)))),
    answer.warnings.length ? el("details", {}, el("summary", {}, `${number(answer.warnings.length)} notes`), el("ul", {}, answer.warnings.map((w) => el("li", {}, w)))) : null);
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function worstCell(answer) {
  let found = null;
  for (const state of answer.results.scenarios) {
    for (const subnet of state.subnets) {
      if (!subnet.lost && (!found || subnet.free / subnet.usable < found.subnet.free / found.subnet.usable)) found = { state, subnet };
    }
  }
  return found;
}

// A table of scenarios by subnets; each cell opens its terms.
export function matrix(answer, open) {
  const states = answer.results.scenarios;
  const least = (i) => Math.min(...states.map((s) => (s.subnets[i].lost ? 1 : s.subnets[i].free / s.subnets[i].usable)));
  const every = states[0].subnets.map((_, i) => i);
  const shown = every.length <= MOST_SUBNETS ? every : [...every].sort((a, b) => least(a) - least(b)).slice(0, MOST_SUBNETS);
  const columns = [{ name: "scenario" }, { name: "verdict" }, ...shown.map((i) => ({ name: states[0].subnets[i].name, number: true }))];
  const left = states.some((s) => s.unplaced_pods || s.pods_without_address);
  if (left) columns.push({ name: "pods without a place", number: true });
  const rows = states.map((state) => [
    title(state), badge(state.verdict),
    ...shown.map((i) => cell(state, state.subnets[i], open)),
    ...(left ? [state.unplaced_pods + state.pods_without_address] : []),
  ]);
  const note = every.length > shown.length ? `The ${MOST_SUBNETS} tightest of ${number(every.length)} subnets. ` : "";
  show($("cells"), el("p", { class: "note" }, `${note}Select a figure to see its terms, each with its source.`),
    table("Free addresses by scenario and subnet", columns, rows, { quiet: true, heads: true }));
}

function cell(state, subnet, open) {
  const kind = subnet.lost ? "lost" : subnet.verdict;
  const words = subnet.lost ? "zone lost" : number(subnet.free);
  const label = subnet.lost ? `${subnet.name} in ${title(state)}: its zone is lost; show the terms`
    : `${subnet.name} in ${title(state)}: ${number(subnet.free)} of ${number(subnet.usable)} free, ${subnet.verdict}; show the terms`;
  return el("button", { type: "button", class: `cell ${kind}`, "aria-label": label, onclick: () => open(subnet.name, state) }, words);
}

// A tree of terms: each with its arithmetic and its source.
export function terms(term) {
  const shown = (value) => (value && typeof value === "object" ? Object.entries(value).map(([k, v]) => `${k} ${number(v)}`).join(", ") : number(value));
  return el("ul", { class: "terms" }, [term].flat().map((t) => el("li", {},
    el("span", { class: "term" }, el("b", {}, t.label), ` = ${shown(t.value)}`),
    t.why ? el("span", { class: "why" }, t.why) : null,
    t.source ? el("cite", {}, t.source) : null,
    t.parts.length ? terms(t.parts) : null)));
}

export function findings(answer, places, explain) {
  const found = answer.results.findings;
  if (!found.length) { show($("found"), el("p", {}, "None.")); return; }
  const more = found.length - MOST_FINDINGS;
  show($("found"), found.slice(0, MOST_FINDINGS).map((f) => el("article", { class: `finding ${f.severity}` },
    el("p", {}, el("button", { type: "button", class: "link", onclick: () => explain(f.code) }, f.code), " ",
      el("span", { class: `badge ${f.severity}` }, f.severity), f.scenario ? el("span", { class: "note" }, ` ${f.scenario}`) : null),
    el("p", {}, f.message),
    f.fix && f.fix.summary ? el("p", { class: "note" }, f.fix.summary) : null,
    places(f.where))), more > 0 ? el("p", { class: "note" }, `${number(more)} more: capacity check lists them.`) : null);
}

// --- subnets ------------------------------------------------------------------------------

const HOLDERS = { enis: "nodes and ENIs", pods: "pods", warm: "warm", others: "others" };
const MOST_CELLS = 256;

export function blocks(extras, act) {
  const share = (m) => (m.lost ? 2 : m.free / m.usable);
  const shown = extras.maps.length <= MOST_SUBNETS ? extras.maps : [...extras.maps].sort((a, b) => share(a) - share(b)).slice(0, MOST_SUBNETS);
  const legend = [...Object.entries(HOLDERS), ["free", "free"], ["reserved", "reservation"], ["aws", "contains AWS's five"]];
  show($("blocks"),
    el("ul", { class: "legend" }, legend.map(([kind, words]) => el("li", {}, el("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), words))),
    el("div", { class: "subnets" }, shown.map((m) => subnet(m, act))),
    shown.length < extras.maps.length ? el("p", { class: "note" }, `The ${MOST_SUBNETS} tightest of ${number(extras.maps.length)} subnets.`) : null,
    el("p", { class: "note" }, "One square is a /28 or more. A plan has the number of used addresses, not their positions: they are drawn packed."));
}

function subnet(m, act) {
  const held = Object.values(m.holders).reduce((a, b) => a + b, 0);
  const words = m.lost ? "zone lost" : `${number(m.free)} of ${number(m.usable)} free`;
  const parts = Object.entries(HOLDERS).map(([kind, name]) => `${name} ${number(m.holders[kind])}`).join(", ");
  return el("article", { class: "subnet" },
    el("div", { class: "row" },
      el("h3", {}, m.name, " ", m.lost ? el("span", { class: "badge lost" }, "LOST") : badge(m.verdict)), el("span", { class: "push" }),
      m.split ? el("button", { type: "button", onclick: () => act("split", m.name), "aria-label": `Split ${m.name} into halves` }, "Split") : null,
      m.join ? el("button", { type: "button", onclick: () => act("join", m.name), "aria-label": `Join ${m.name} with ${m.join}` }, "Join") : null),
    el("p", { class: "note" }, `${m.cidr} · ${m.zone} · ${words}`),
    squares(m, held, `${m.name}: ${parts}, free ${number(m.free)}`),
    el("p", { class: "holders" }, parts));
}

function squares(m, held, label) {
  const kinds = m.blocks.flatMap(([kind, count]) => Array(count).fill(kind));
  const used = kinds.filter((k) => k === "single" || k === "prefix").length || 1;
  const order = Object.keys(HOLDERS);
  const ends = order.map((_, i) => order.slice(0, i + 1).reduce((sum, k) => sum + m.holders[k], 0) / Math.max(held, 1));
  let seen = 0;
  const colours = kinds.map((kind) => {
    if (kind !== "single" && kind !== "prefix") return kind === "explicit" ? "reserved" : kind;
    const share = (seen++ + 0.5) / used;
    return order[ends.findIndex((end) => share <= end)] || "others";
  });
  const step = Math.ceil(colours.length / MOST_CELLS);
  const cells = colours.filter((_, i) => i % step === 0);
  const wide = cells.length <= 16 ? cells.length : cells.length <= 32 ? 16 : 32;
  const size = 10, rows = Math.ceil(cells.length / wide);
  return svg("svg", { class: "blocks", viewBox: `0 0 ${wide * size} ${rows * size}`, role: "img", "aria-label": label },
    svg("title", {}, label),
    cells.map((kind, i) => svg("rect", { x: (i % wide) * size + 0.5, y: Math.floor(i / wide) * size + 0.5, width: size - 1, height: size - 1, rx: 1.5, class: kind })));
}

// --- headroom -----------------------------------------------------------------------------

export function curve(found, kept) {
  const W = 640, H = 260, left = 56, right = 12, top = 12, bottom = 34;
  if (!found.counts.length || !found.subnets.length) { show($("curve"), el("p", {}, found.sentence)); return; }
  const last = found.counts[found.counts.length - 1] || 1;
  const values = found.free.flat();
  const [low, high] = [Math.min(0, ...values), Math.max(1, ...values)];
  const x = (n) => left + ((W - left - right) * n) / last;
  const y = (v) => top + ((H - top - bottom) * (high - v)) / (high - low);
  const line = (row) => row.map((v, i) => `${i ? "L" : "M"}${x(found.counts[i]).toFixed(1)} ${y(v).toFixed(1)}`).join("");
  const steps = [...new Set([0, 0.25, 0.5, 0.75, 1].map((s) => Math.round(s * last)))];
  const grid = [low, 0, high].filter((v, i, all) => all.indexOf(v) === i);
  const label = `Free addresses by ${found.what}. ${found.sentence}`;
  const mark = svg("line", { class: "mark", y1: top, y2: H - bottom });
  const chart = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label, class: "chart" }, svg("title", {}, label),
    grid.map((v) => [svg("line", { x1: left, x2: W - right, y1: y(v), y2: y(v), class: v === 0 ? "zero" : "grid" }), svg("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end" }, number(v))]),
    steps.map((n) => svg("text", { x: x(n), y: H - 14, "text-anchor": "middle" }, number(n))),
    svg("text", { x: W - right, y: H - 1, "text-anchor": "end" }, found.what),
    found.free.map((row, i) => svg("path", { d: line(row), class: `line l${i % 6}` })),
    found.exhausted_at.map((n, i) => (n === null ? null : svg("circle", { cx: x(n), cy: y(0), r: 4, class: `dot l${i % 6}` }))),
    mark);
  const start = Math.min(kept ?? found.now ?? 0, last);
  const words = el("output", { for: "count" });
  const slider = el("input", { type: "range", id: "count", min: 0, max: last, value: start, "aria-label": `Number of ${found.what}` });
  const draw = () => {
    const n = Number(slider.value);
    let at = 0;  // the highest counted number up to it: the figures are the engine's at that count
    found.counts.forEach((c, i) => { if (c <= n) at = i; });
    const count = found.counts[at];
    mark.setAttribute("x1", x(count)); mark.setAttribute("x2", x(count));
    slider.setAttribute("aria-valuetext", `${number(count)} ${found.what}`);
    words.textContent = `${number(count)} ${found.what}: ` + found.subnets.map((s, i) => `${s} ${number(found.free[i][at])}`).join(", ");
  };
  slider.addEventListener("input", draw);
  draw();
  const rows = found.counts.map((n, i) => Object.assign([n, ...found.free.map((row) => row[i])], { marked: n === found.now }));
  show($("curve"),
    el("p", { class: "crossing" }, found.sentence),
    el("ul", { class: "legend" }, found.subnets.map((s, i) => el("li", {}, el("span", { class: `swatch l${i % 6}`, "aria-hidden": "true" }), s))),
    el("div", { class: "chart-box" }, chart), el("div", { class: "slide" }, slider, words),
    el("p", { class: "note" }, `Now: ${number(found.now)}. ${sentence(found.rule)}.`),
    el("details", {}, el("summary", {}, "The same as a table"), table(`Free addresses by ${found.what}`, [{ name: found.what, number: true }, ...found.subnets.map((s) => ({ name: s, number: true }))], rows)));
}

// --- A and B ------------------------------------------------------------------------------

export function compared(answer) {
  const rows = [];
  for (const state of answer.results.scenarios) {
    for (const s of state.subnets) {
      if (s.free_change !== 0 || s.verdict_before !== s.verdict_after) {
        rows.push([title(state), s.name, number(s.free_before), number(s.free_after), s.free_change === null ? "–" : change(s.free_change),
          s.verdict_before === s.verdict_after ? s.verdict_after : `${s.verdict_before || "–"} → ${s.verdict_after || "–"}`]);
      }
    }
  }
  const columns = [{ name: "scenario" }, { name: "subnet" }, { name: "free in A", number: true }, { name: "free now", number: true }, { name: "change", number: true }, { name: "verdict" }];
  return [el("p", { class: "crossing" }, answer.results.sentence),
    rows.length ? table("Subnets that differ from A", columns, rows.slice(0, MOST_ROWS)) : el("p", {}, "No figure of a subnet differs from A."),
    rows.length > MOST_ROWS ? el("p", { class: "note" }, `${number(rows.length - MOST_ROWS)} more rows: capacity compare lists them.`) : null];
}

export function warm(answer) {
  const best = answer.results.recommendation;
  const shown = answer.results.settings.filter((r) => r.efficient || r.current || r.recommended);
  const places = Object.keys((shown[0] || { addresses: {} }).addresses);
  const rows = shown.map((r) => Object.assign([r.setting, ...places.map((p) => r.addresses[p]), `${number(r.ready_pct)}%`, r.recommended ? "recommended" : r.current ? "current" : ""], { marked: r.recommended }));
  const columns = [{ name: "setting" }, ...places.map((p) => ({ name: `addresses, ${p}`, number: true })), { name: "pods that start immediately", number: true }, { name: "role" }];
  return [el("p", { class: "crossing" }, best ? `Set ${best.setting}: ${best.rule}.` : "No setting is better than the current one."), table("Warm targets of the plan", columns, rows)];
}

export function sizes(answer) {
  const columns = [{ name: "subnet" }, { name: "zone" }, { name: "serves" }, { name: "CIDR" }, { name: "action" }, { name: "usable", number: true }, { name: "free in the tightest scenario", number: true }];
  const rows = answer.results.subnets.map((s) => [s.name, s.zone, s.serves, s.cidr || "–", s.action, s.usable, `${number(s.free_in_tightest)} (${s.tightest_scenario})`]);
  const text = answer.results.snippets.terraform;
  return [table("The smallest subnets", columns, rows), text ? el("pre", { tabindex: "0", "aria-label": "Terraform" }, text) : null];
}

export function maxPods(answer) {
  const columns = [{ name: "type" }, { name: "mode" }, { name: "max pods", number: true }, { name: "recommended by AWS", number: true }, { name: "pod addresses", number: true }, { name: "limited by" }];
  const rows = answer.results.map((r) => [r.instance_type, r.mode, r.max_pods, r.max_pods_recommended, r.ip_capacity, r.limited_by || "–"]);
  return [table("Max pods", columns, rows), answer.warnings.length ? el("ul", { class: "note" }, answer.warnings.map((w) => el("li", {}, w))) : null];
}
