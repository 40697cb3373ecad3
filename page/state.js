// What the page is about: a plan, changes to it, and a pinned plan. It can be a link: the part after # is never sent.
export const state = { text: "", set: {}, pinned: null, scenario: 0, group: null };
const past = [], future = [];
const copy = () => ({ text: state.text, set: { ...state.set } });

export const settings = (set = state.set) => Object.entries(set).map(([path, value]) => `${path}=${value}`);
export const canUndo = () => past.length > 0;
export const canRedo = () => future.length > 0;

// Remembers the state before a change; typing within a second is one change.
let last = 0;
export function remember(typing) {
  const now = Date.now();
  if (!typing || now - last > 1000) { past.push(copy()); if (past.length > 200) past.shift(); }
  last = typing ? now : 0;
  future.length = 0;
}
export function undo() { if (past.length) { future.push(copy()); Object.assign(state, past.pop()); last = 0; } }
export function redo() { if (future.length) { past.push(copy()); Object.assign(state, future.pop()); last = 0; } }

async function through(stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

export const MOST_IN_A_LINK = 8192;

export async function toFragment() {
  const kept = { v: 1, plan: state.text };
  if (Object.keys(state.set).length) kept.set = state.set;
  if (state.pinned) kept.pinned = { plan: state.pinned.text, set: state.pinned.set };
  const packed = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(JSON.stringify(kept)));
  let binary = "";
  for (const byte of packed) binary += String.fromCharCode(byte);
  return "p=" + btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

const LARGEST = 2 ** 21;  // characters of an unpacked link: a small link can be a large plan
const asSet = (value) => Object.fromEntries(Object.entries(value || {}).map(([k, v]) => [String(k), String(v)]));

// The state of a link; throws if it is damaged.
export async function fromFragment(fragment) {
  const text = fragment.slice(2).replaceAll("-", "+").replaceAll("_", "/");
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")).pipeThrough(new TextDecoderStream()).getReader();
  let json = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    json += value;
    if (json.length > LARGEST) throw new Error("too large");
  }
  const kept = JSON.parse(json);
  if (kept.v !== 1 || typeof kept.plan !== "string") throw new Error("not a plan");
  const pinned = kept.pinned && typeof kept.pinned.plan === "string" ? { text: kept.pinned.plan, set: asSet(kept.pinned.set) } : null;
  return { text: kept.plan, set: asSet(kept.set), pinned };
}
