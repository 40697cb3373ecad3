// The page: what is typed or dragged goes to the engine, and what it answers is shown.
import * as controls from "./controls.js";
import { $, el, number, show, title } from "./dom.js";
import { Engine, newest } from "./engine.js";
import * as s from "./state.js";
import { settings, state } from "./state.js";
import * as views from "./views.js";

const stored = JSON.parse($("stored").textContent);
const types = new Set(stored.types);
const assets = document.body.dataset.assets;
const WAIT = 150;  // ms after the last key

const live = new Engine(assets, (share) => { $("engine-bar").value = share; });
const search = new Engine(assets);
let answer = null;   // the last good answer
let shownText = "";  // the plan that it answers
let timer = 0;

const given = () => ({ text: state.text, settings: settings() });
const keyOf = (asked) => JSON.stringify([asked.text, asked.settings]);

// --- the answer ---------------------------------------------------------------------------

function showLive(found, asked) {
  answer = JSON.parse(found.answer);
  shownText = asked.text;
  views.verdict(found, answer);
  views.matrix(answer, openTerms);
  views.findings(answer, placeOf, openCode);
  controls.command(answer);
  scenarios();
  $("find-fix").hidden = found.verdict === "ok";
  if ($("fixes").dataset.of !== keyOf(asked)) {  // a fix of another plan
    $("fixes").dataset.of = keyOf(asked);
    show($("fixes"), found.verdict === "ok" ? el("p", {}, "The plan is OK: every scenario keeps enough addresses free.") : null);
  }
}

function scenarios() {
  const names = answer.results.scenarios.map(title);
  const box = $("scenario");
  const kept = box.options[box.selectedIndex]?.textContent;
  show(box, names.map((name, i) => el("option", { value: i }, name)));
  state.scenario = Math.max(0, names.indexOf(kept));
  box.selectedIndex = state.scenario;
}

function showExtras(found) {
  views.blocks(found, splitOrJoin);
  controls.sliders(found.sliders, types, setChanged);
  const box = $("group");
  const options = found.groups.map((g) => [`nodes of ${g}`, g]).concat([["pods of all workloads", ""]]);
  if (!options.some(([, value]) => value === state.group)) state.group = options[0][1];
  show(box, options.map(([words, value]) => el("option", { value, selected: value === state.group }, words)));
}

const update = newest(async () => {
  const asked = given();
  const found = await live.ask("live", asked);
  if (found.error !== undefined) { problem(found); return; }
  problem(null);
  showLive(found, asked);
  document.body.dataset.answered = String(Number(document.body.dataset.answered || 0) + 1);
  document.body.dataset.took = live.took.toFixed(1);
  stale(false);
  if (keyOf(asked) !== keyOf(given())) return;  // somebody types on
  const extras = await live.ask("extras", { ...asked, scenario: state.scenario });
  if (extras.error === undefined) showExtras(extras);
  const curve = await live.ask("curve", { ...asked, group: state.group || null });
  if (curve.error === undefined) views.curve(curve);
  else show($("curve"), el("p", { class: "note" }, curve.error));
  await comparison(asked);
  document.body.dataset.settled = String(Number(document.body.dataset.settled || 0) + 1);
});

async function comparison(asked) {
  $("unpin").hidden = $("swap").hidden = !state.pinned;
  if (!state.pinned) { show($("compared"), el("p", { class: "note" }, "Pin the plan, change it, and see what differs. Both are in the link.")); return; }
  const found = await live.ask("compare", { before: state.pinned.text, settings_before: settings(state.pinned.set), ...asked });
  show($("compared"), found.error !== undefined ? el("p", {}, found.error) : views.compared(found));
}

function failed(error) {
  if (error.message === "stopped") return;
  $("engine-words").textContent = `The engine stopped: ${error.message}. Reload the page, or use the command.`;
  $("engine").classList.add("broken");
  stale(false);
}

function stale(on) {
  $("answer").classList.toggle("stale", on);
  $("answer").setAttribute("aria-busy", String(on));
}

// After a change: the old answer turns grey until the new one is there.
function changed(wait = 0) {
  stale(true);
  buttons();
  controls.patch();
  clearTimeout(timer);
  timer = setTimeout(() => { update().catch(failed); link(); }, wait);
}

// --- errors at their lines ----------------------------------------------------------------

let faulty = new Set();

function problem(found) {
  faulty = new Set((found?.errors || []).map((e) => e.line).filter((line) => line !== null));
  gutter();
  $("answer").classList.toggle("last-good", Boolean(found));
  if (!found) { show($("problems")); return; }
  stale(true);
  $("answer").setAttribute("aria-busy", "false");
  const entries = found.errors.length ? found.errors : [{ message: found.error, line: null }];
  show($("problems"), el("p", {}, el("b", {}, `${number(entries.length)} ${entries.length === 1 ? "problem" : "problems"} in the plan. `), "The last good answer is still shown."),
    el("ul", {}, entries.slice(0, 20).map((e) => el("li", {}, e.line ? el("button", { type: "button", class: "link", onclick: () => goTo(e.line) }, `line ${e.line}`) : null, " ", e.message.replace(/^plan\.yaml(:\d+)?:? ?/, "")))));
  document.body.dataset.problems = String(Number(document.body.dataset.problems || 0) + 1);
}

function goTo(line) {
  const box = $("text");
  const lines = box.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0);
  box.focus();
  box.setSelectionRange(start, start + (lines[line - 1] || "").length);
  const height = parseFloat(getComputedStyle(box).lineHeight);
  box.scrollTop = Math.max(0, (line - 4) * height);
}

let drawnLines = "";
function gutter() {
  const count = $("text").value.split("\n").length;
  const key = `${count}:${[...faulty]}`;
  if (key !== drawnLines) {
    drawnLines = key;
    const lines = [];
    for (let i = 1; i <= count; i++) lines.push(faulty.has(i) ? el("b", {}, `${i}\n`) : `${i}\n`);
    $("gutter").replaceChildren(...lines);
  }
  $("gutter").scrollTop = $("text").scrollTop;
}

// Where in the plan a finding speaks of: the line with the name of its subnet, group or workload.
function placeOf(where) {
  const name = where && where.split(".").slice(1).join(".");
  if (!name) return null;
  const pattern = new RegExp(`name:\\s*["']?${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}["']?\\s*([,}]|$)`);
  const line = shownText.split("\n").findIndex((l) => pattern.test(l)) + 1;
  return line ? el("p", {}, el("button", { type: "button", class: "link", onclick: () => goTo(line) }, `line ${line} of the plan`)) : null;
}

// --- changes ------------------------------------------------------------------------------

function put(text, set = {}) {
  s.remember();
  state.text = text;
  state.set = set;
  $("text").value = text;
  gutter();
  changed();
}

function setChanged(path, value) {
  s.remember(true);
  state.set[path] = value;
  changed(40);
}

function buttons() {
  $("undo").disabled = !s.canUndo();
  $("redo").disabled = !s.canRedo();
}

async function rewritten(call, request) {
  const found = await live.ask(call, request);
  if (found.error !== undefined) { say(found.error); return; }
  put(found.text);
}
const keep = () => rewritten("applied", { text: state.text, settings: settings(), patch: {} });
async function splitOrJoin(call, subnet) {
  if (Object.keys(state.set).length) await keep();
  await rewritten(call, { text: state.text, subnet });
}

function back(move) {
  move();
  $("text").value = state.text;
  gutter();
  changed();
}

// --- terms --------------------------------------------------------------------------------

async function openTerms(subnet, scenario) {
  const found = await live.ask("explain", { ...given(), text: shownText, what: subnet, scenario: title(scenario) });
  openDialog(`${subnet} in ${title(scenario)}`, found.error !== undefined ? el("p", {}, found.error) : views.terms(found.results));
}

async function openCode(code) {
  const found = await live.ask("explain", { text: "", what: code });
  const r = found.results;
  openDialog(`${r.code}: ${r.title}`, ["what", "why", "fix", "source"].map((name) => [el("h3", {}, name.charAt(0).toUpperCase() + name.slice(1)), el("p", {}, r[name])]));
}

function openDialog(head, ...body) {
  $("terms-title").textContent = head;
  show($("terms-body"), body);
  $("terms").showModal();
}

// --- a search for a fix -------------------------------------------------------------------

async function findFix() {
  const asked = given();
  $("find-fix").disabled = true;
  $("fix-bar").hidden = $("stop-fix").hidden = false;
  $("fix-bar").removeAttribute("value");
  show($("fixes"), el("p", { role: "status" }, "Trying changes, each checked in every scenario…"));
  try {
    const tell = (done, most) => { $("fix-bar").max = most; $("fix-bar").value = done; };
    const found = await search.ask("fixes", asked, { tell });
    $("fixes").dataset.of = keyOf(asked);
    if (found.error !== undefined) show($("fixes"), el("p", {}, found.error));
    else if (found.results.fixes) controls.fixes(found.results.fixes, applyFix);
  } catch (error) {
    show($("fixes"), el("p", {}, error.message === "stopped" ? "Stopped." : `The search failed: ${error.message}`));
  }
  $("fix-bar").hidden = $("stop-fix").hidden = true;
  $("find-fix").disabled = false;
}

async function applyFix(fix) {
  const found = await live.ask("applied", { text: state.text, settings: settings(), patch: fix.patch });
  if (found.error !== undefined) { say(found.error); return; }
  put(found.text);
  $("fixes").dataset.of = keyOf(given());
  show($("fixes"), el("p", { role: "status" }, "Applied to the plan. ", el("button", { type: "button", onclick: () => { back(s.undo); show($("fixes")); } }, "Undo the fix")));
}

// --- files --------------------------------------------------------------------------------

function utf8(bytes) {
  try { return new TextDecoder("utf-8", { fatal: true }).decode(bytes); } catch { return null; }
}

async function open(list) {
  const files = [...list];
  if (!files.length) return;
  const contents = await Promise.all(files.map(async (f) => [f.name.replace(/[/\\]/g, "_"), new Uint8Array(await f.arrayBuffer())]));
  const first = new TextDecoder().decode(contents[0][1].subarray(0, 65536));
  if (files.length === 1 && /^\s*["']?apiVersion["']?:\s*["']?capacity\/v1/m.test(first)) {
    const whole = utf8(contents[0][1]);
    if (whole !== null) put(whole);
    show($("imported"), whole === null ? el("p", { class: "bad" }, `${files[0].name} is not UTF-8 text.`)
      : el("p", { role: "status" }, `${files[0].name} is open.`));
    return;
  }
  show($("imported"), el("p", { role: "status" }, "Reading…"));
  const folder = "import-" + Date.now();
  const put_in = Object.fromEntries(contents.map(([name, bytes]) => [`${folder}/${name}`, bytes]));
  const found = await live.ask("import_files", { paths: Object.keys(put_in) }, { files: put_in });
  if (found.error !== undefined) { show($("imported"), el("p", { class: "bad" }, found.error)); return; }
  const notes = JSON.parse(found.answer).warnings;
  put(found.text);
  show($("imported"), el("p", { role: "status" }, `A plan from ${files.map((f) => f.name).join(", ")}.`),
    notes.length ? el("details", {}, el("summary", {}, `${number(notes.length)} notes of the import`), el("ul", {}, notes.map((n) => el("li", {}, n)))) : null);
}

// --- share --------------------------------------------------------------------------------

const say = (words) => { $("shared").textContent = words; };

async function link() {
  const fragment = await s.toFragment();
  if (fragment.length <= s.MOST_IN_A_LINK) history.replaceState(null, "", "#" + fragment);
  return fragment;
}

async function copied(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied.`);
  } catch {
    openDialog(what, el("textarea", { rows: 12, readonly: true, "aria-label": what, class: "whole" }, text));
  }
}

async function copyLink() {
  const fragment = await link();
  if (fragment.length > s.MOST_IN_A_LINK) { say(`The plan is too large for a link (${number(fragment.length)} characters): download plan.yaml instead.`); return; }
  await copied(location.href, "The link");
}

async function planText() {
  if (!Object.keys(state.set).length) return state.text;
  const found = await live.ask("applied", { text: state.text, settings: settings(), patch: {} });
  return found.text ?? state.text;
}

async function save() {
  const address = URL.createObjectURL(new Blob([await planText()], { type: "application/yaml" }));
  el("a", { href: address, download: "plan.yaml" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

async function restore() {
  if (!location.hash.startsWith("#p=")) return false;
  try {
    const found = await s.fromFragment(location.hash.slice(1));
    if (found.text === state.text && JSON.stringify([found.set, found.pinned]) === JSON.stringify([state.set, state.pinned])) return true;
    Object.assign(state, found);
    return true;
  } catch {
    say("The link is damaged: the example plan is shown instead.");
    return false;
  }
}

// --- forms --------------------------------------------------------------------------------

async function begin(event) {
  event.preventDefault();
  const text = (id) => $(id).value.trim();
  const found = await live.ask("start", { pods: Number(text("q-pods")), kind: text("q-type"), cpu: text("q-cpu"), memory: text("q-memory"), zones: Number(text("q-zones")), mode: text("q-mode") });
  if (found.error !== undefined) { $("start-problem").textContent = found.error; return; }
  $("start").close();
  put(found.text);
}

async function lookUp(event) {
  event.preventDefault();
  const found = await live.ask("maxpods", { types: [$("lookup-type").value.trim()], custom_networking: $("lookup-custom").checked, pod_eni: $("lookup-branch").checked });
  show($("looked-up"), found.error !== undefined ? el("p", { role: "alert" }, found.error) : views.maxPods(found));
}

async function more(call, view) {
  show($("asked"), el("p", { role: "status" }, "Calculating…"));
  try {
    const found = await search.ask(call, { text: await planText() });
    show($("asked"), found.error !== undefined ? el("p", {}, found.error) : view(found));
  } catch (error) {
    show($("asked"), el("p", {}, `Failed: ${error.message}`));
  }
}

// --- all together -------------------------------------------------------------------------

function wire() {
  const on = (id, event, act) => $(id).addEventListener(event, (e) => Promise.resolve(act(e)).catch(failed));
  on("text", "input", () => { s.remember(true); state.text = $("text").value; gutter(); changed(WAIT); });
  on("text", "scroll", () => { $("gutter").scrollTop = $("text").scrollTop; });
  on("examples", "change", () => { const found = stored.examples[$("examples").selectedIndex - 1]; if (found) put(found.text); $("examples").selectedIndex = 0; });
  on("files", "change", () => open($("files").files).finally(() => { $("files").value = ""; }));
  on("undo", "click", () => back(s.undo));
  on("redo", "click", () => back(s.redo));
  on("scenario", "change", async () => {
    state.scenario = $("scenario").selectedIndex;
    const found = await live.ask("extras", { ...given(), text: shownText, scenario: state.scenario });
    if (found.error === undefined) views.blocks(found, splitOrJoin);
  });
  on("group", "change", async () => {
    state.group = $("group").value;
    const found = await live.ask("curve", { ...given(), text: shownText, group: state.group || null });
    if (found.error === undefined) views.curve(found); else show($("curve"), el("p", { class: "note" }, found.error));
  });
  on("find-fix", "click", findFix);
  on("stop-fix", "click", () => search.stop());
  on("keep-changes", "click", keep);
  on("drop-changes", "click", () => { s.remember(); state.set = {}; document.activeElement?.blur(); changed(); });
  on("pin-plan", "click", () => { state.pinned = { text: state.text, set: { ...state.set } }; changed(); });
  on("unpin", "click", () => { state.pinned = null; changed(); });
  on("swap", "click", () => put(state.pinned.text, { ...state.pinned.set }));
  on("copy-link", "click", copyLink);
  on("save", "click", save);
  on("copy-markdown", "click", async () => copied(await live.ask("comment", given()), "The Markdown"));
  on("copy-command", "click", () => copied($("command").textContent, "The command"));
  on("ask-warm", "click", () => more("warm", views.warm));
  on("ask-size", "click", () => more("size", views.sizes));
  on("open-start", "click", () => { $("start-problem").textContent = ""; $("start").showModal(); });
  on("start-cancel", "click", () => $("start").close());
  on("start-form", "submit", begin);
  on("lookup-form", "submit", lookUp);
  on("terms", "click", (e) => { if (e.target === $("terms")) $("terms").close(); });
  document.addEventListener("dragover", (e) => { e.preventDefault(); document.body.classList.add("dropping"); });
  document.addEventListener("dragleave", (e) => { if (!e.relatedTarget) document.body.classList.remove("dropping"); });
  document.addEventListener("drop", (e) => { e.preventDefault(); document.body.classList.remove("dropping"); open(e.dataTransfer.files).catch(failed); });
  window.addEventListener("hashchange", async () => { if (await restore()) { $("text").value = state.text; gutter(); changed(); } });
}

async function begun() {
  const starting = live.start();  // beside the first paint
  show($("examples"), [el("option", { value: "" }, "Examples…"), ...stored.examples.map((e) => el("option", { value: e.name }, e.title))]);
  $("types").append(...stored.types.map((name) => el("option", { value: name })));
  state.text = stored.examples[0].text;
  const shared = await restore();
  $("text").value = state.text;
  gutter();
  wire();
  controls.patch();
  if (!shared) {  // the stored answer, before there is an engine
    showLive(stored.answers.live, given());
    showExtras(stored.answers.extras);
    views.curve(stored.answers.curve);
    $("compared").append(el("p", { class: "note" }, "Pin the plan, change it, and see what differs. Both are in the link."));
  } else {
    stale(true);
    show($("verdict"), el("h2", { id: "verdict-title" }, "Waiting for the engine…"));
  }
  document.body.dataset.painted = performance.now().toFixed(0);
  try {
    const started = await starting;
    document.body.dataset.network = started.network;
    $("engine-bar").hidden = true;
    $("engine-words").textContent = "Engine ready. Nothing leaves this page.";
    document.querySelectorAll("#find-fix, #ask-warm, #ask-size, #lookup-form button").forEach((b) => { b.disabled = false; });
    document.body.dataset.ready = performance.now().toFixed(0);
    await update();
  } catch (error) {
    failed(error);
  }
}

begun();
