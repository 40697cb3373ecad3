// Sliders, fixes and the exact command: what changes a plan without typing.
import { $, badge, dollars, el, number, quoted, show, table } from "./dom.js";
import { settings } from "./state.js";

// --- what if ------------------------------------------------------------------------------

let drawn = "";
let inputs = new Map();

// The sliders of a plan; while the plan has the same ones, they stay and only get the new values.
export function sliders(found, types, changed) {
  const key = JSON.stringify([found.numbers.map((s) => s.path), found.types.map((t) => t.path), Boolean(found.prefix)]);
  if (key !== drawn) {
    drawn = key;
    inputs = new Map();
    show($("changes"),
      el("div", { class: "sliders" }, found.numbers.map((s, i) => slider(s, i, changed))),
      el("div", { class: "row" },
        found.types.map((t, i) => typeField(t, i, types, changed)),
        found.prefix ? prefixField(found.prefix, changed) : null),
      found.left_out ? el("p", { class: "note" }, `${number(found.left_out)} more figures: change them in the plan.`) : null);
  }
  for (const s of [...found.numbers, ...found.types, ...(found.prefix ? [found.prefix] : [])]) inputs.get(s.path)?.(s.value, s);
}

function slider(s, place, changed) {
  const id = `slider-${place}`;
  const range = el("input", { type: "range", id, min: 0, max: s.most, value: s.value ?? 0 });
  const box = el("input", { type: "number", min: 0, max: s.most, value: s.value ?? 0, "aria-label": `${s.label}, number` });
  const take = (from, to) => { to.value = from.value; changed(s.path, String(Math.max(0, Math.round(Number(from.value) || 0)))); };
  range.addEventListener("input", () => take(range, box));
  box.addEventListener("input", () => { if (box.value !== "") take(box, range); });
  inputs.set(s.path, (value, now) => {
    if (document.activeElement === range || document.activeElement === box) return;
    if (now.most > Number(range.max)) { range.max = now.most; box.max = now.most; }
    range.value = value ?? 0;
    box.value = value ?? 0;
  });
  return el("div", { class: "slider" }, el("label", { for: id }, s.label), range, box);
}

function typeField(t, place, types, changed) {
  const id = `type-${place}`;
  const field = el("input", { id, list: "types", value: t.value, autocomplete: "off", spellcheck: "false", size: 14 });
  field.addEventListener("change", () => { if (types.has(field.value)) changed(t.path, `[${field.value}]`); else field.value = t.value; });
  inputs.set(t.path, (value) => { if (document.activeElement !== field) field.value = value; });
  return el("span", { class: "pair" }, el("label", { for: id }, `${t.label}: type`), field);
}

function prefixField(prefix, changed) {
  const box = el("input", { type: "checkbox", id: "prefix" });
  box.addEventListener("change", () => changed(prefix.path, box.checked ? '"true"' : '"false"'));
  inputs.set(prefix.path, (value) => { box.checked = value; });
  return el("span", { class: "pair" }, box, el("label", { for: "prefix" }, "prefix delegation"));
}

export function patch() {
  const lines = settings().map((s) => `--set ${quoted(s)}`);
  $("patch").hidden = !lines.length;
  $("patch").textContent = lines.join("\n");
  $("keep-changes").disabled = !lines.length;
  $("drop-changes").disabled = !lines.length;
}

// The command that gives the same answer in CI, with the version and the data that this page has.
export function command(answer) {
  const options = settings().map((s) => ` \\\n  --set ${quoted(s)}`).join("");
  $("command").textContent = `capacity check plan.yaml${options}`;
  $("command-note").textContent = `With version ${answer.version} and data of ${answer.data.date}, it gives the same figures.`;
  $("about").textContent = `Engine: capacity ${answer.version}, ${number(answer.data.types)} instance types, data of ${answer.data.date}.`;
}

// --- fixes --------------------------------------------------------------------------------

export function fixes(found, apply) {
  const best = found.best || found.partial || found.nearest;
  const head = found.best ? "The smallest change that makes every scenario OK"
    : found.partial ? "This change is enough for the addresses; the rest has other causes" : "No tested change is enough; the closest";
  const single = found.tried.filter((f) => f.levers.length === 1);
  show($("fixes"),
    best ? fixCard(best, head, apply, best === found.best) : el("p", {}, "No change was found."),
    single.length ? el("details", {}, el("summary", {}, `${number(single.length)} single changes`), singles(single, apply)) : null);
}

function fixCard(fix, head, apply, enough) {
  const costs = Object.entries(fix.usd_per_month_change || {});
  const money = costs.every(([, usd]) => usd === 0) ? "unchanged" : costs.map(([when, usd]) => `${usd > 0 ? "+" : usd < 0 ? "−" : ""}${usd === null ? "unknown" : dollars(Math.abs(usd))} ${when}`).join(", ");
  return el("article", { class: enough ? "fix-card" : "fix-card nearest" },
    el("h3", {}, head, " ", fix.verdict && !enough ? badge(fix.verdict) : null),
    el("ul", {}, fix.summary.split("; ").map((s) => el("li", {}, s))),
    el("p", { class: "note" }, fix.cost.join("; ") + (money ? `. Cost per month: ${money}.` : ".")),
    Object.keys(fix.patch).length ? el("pre", { tabindex: "0", "aria-label": "The change as options" }, Object.entries(fix.patch).map(([path, value]) => `--set ${quoted(`${path}=${typeof value === "string" ? value : JSON.stringify(value)}`)}`).join("\n")) : null,
    el("button", { type: "button", class: "main", onclick: () => apply(fix) }, "Apply to the plan"));
}

function singles(tried, apply) {
  const columns = [{ name: "change" }, { name: "verdict" }, { name: "addresses short", number: true }, { name: "trade-off" }, { name: "apply" }];
  const rows = tried.map((f) => [f.summary, f.fault ? f.fault : f.verdict ? badge(f.verdict) : "–", f.short, f.cost.join("; "),
    f.fault ? "–" : el("button", { type: "button", "aria-label": `Apply: ${f.summary}`, onclick: () => apply(f) }, "Apply")]);
  return table("Each change alone", columns, rows);
}
