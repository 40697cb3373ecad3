// The engine's thread. It loads the engine from its own folder, gives up the network, and then answers calls.
import { boot, closeNetwork } from "./boot.mjs";

const folder = new URL(".", import.meta.url).href;
const early = [];
self.onmessage = (event) => early.push(event);

// Counts the bytes that arrive, for the bar; the response stays one that can be compiled while it streams.
const load = self.fetch.bind(self);
let total = 2e7, loaded = 0, told = 0;  // until sizes.json is there
function count(bytes) {
  loaded += bytes;
  const share = Math.min(99, Math.floor((100 * loaded) / total));
  if (share > told) { told = share; self.postMessage({ loaded: share }); }
}
async function counted(address, options) {
  const response = await load(address, options);
  if (!response.ok || !response.body) return response;
  const counter = new TransformStream({ transform(chunk, to) { count(chunk.byteLength); to.enqueue(chunk); } });
  return new Response(response.body.pipeThrough(counter), { status: response.status, headers: response.headers });
}
async function read(name) {
  const response = await counted(folder + name);
  if (!response.ok) throw new Error(`${name}: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

try {
  load(folder + "sizes.json").then((response) => response.json()).then((sizes) => { total = Object.values(sizes).reduce((a, b) => a + b, 1); }, () => {});
  self.fetch = counted;
  const engine = await boot(folder, read);
  closeNetwork(self);
  self.onmessage = ({ data }) => answer(engine, data);
  self.postMessage({ ready: { network: typeof self.fetch } });
  early.splice(0).forEach((event) => self.onmessage(event));
} catch (error) {
  self.postMessage({ failed: String(error && error.message ? error.message : error) });
}

function answer(engine, { id, call, request, files, tell }) {
  try {
    if (files) engine.put(files);
    const progress = tell ? (done, most) => self.postMessage({ id, progress: [done, most] }) : undefined;
    self.postMessage({ id, text: engine.call(call, request, progress) });
  } catch (error) {
    self.postMessage({ id, broken: String(error && error.message ? error.message : error) });
  }
}
