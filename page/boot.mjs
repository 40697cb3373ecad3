// Starts Python and the engine from the files of one folder; for the worker, and for tests under node.
import { loadPyodide } from "./pyodide.mjs";

const NO_NETWORK = ["fetch", "XMLHttpRequest", "WebSocket", "WebSocketStream", "EventSource", "WebTransport",
  "importScripts", "RTCPeerConnection", "BroadcastChannel", "Worker", "SharedWorker", "caches", "indexedDB"];

// read(name): the bytes of a file as Uint8Array. Returns a function: name of a call, its arguments, progress -> JSON text.
export async function boot(folder, read) {
  const [engine, lock] = [read("engine.zip"), read("pyodide-lock.json")];
  engine.catch(() => {});  // it is awaited below
  const python = await loadPyodide({
    indexURL: folder,
    stdLibURL: folder + "stdlib.zip",
    lockFileContents: lock.then((bytes) => new TextDecoder().decode(bytes)),
    packageBaseUrl: folder,
    env: { HOME: "/plans", PYTHONINSPECT: "" },
  });
  python.FS.mkdirTree("/plans");
  unpack(await engine, python.FS, "/engine/");
  python.runPython(`
import gc, os, sys
os.chdir("/plans")
sys.path.insert(0, "/engine")
sys.dont_write_bytecode = True
gc.disable()  # what is imported stays
import capacity.planner
gc.enable()
gc.freeze()
`);
  const answer = python.pyimport("capacity.planner").answer;
  return {
    call: (name, request, tell) => (tell ? answer(name, JSON.stringify(request), tell) : answer(name, JSON.stringify(request))),
    // Files of an import or of tenants, by their path relative to /plans.
    put(files) {
      for (const [path, bytes] of Object.entries(files)) {
        const full = "/plans/" + path;
        python.FS.mkdirTree(full.slice(0, full.lastIndexOf("/")));
        python.FS.writeFile(full, bytes);
      }
    },
  };
}

// Writes the files of an archive whose entries are stored, which Python's zipfile would take longer for.
function unpack(bytes, files, root) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.byteLength - 22;  // the end record: the archive has no comment
  const folders = new Set();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const size = view.getUint32(at + 24, true), length = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + length));
    const local = view.getUint32(at + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const folder = root + name.slice(0, name.lastIndexOf("/") + 1);
    if (!folders.has(folder)) { folders.add(folder); files.mkdirTree(folder); }
    files.writeFile(root + name, bytes.subarray(start, start + size));
    at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
}

// Takes away what could send something. Python reaches JavaScript through the global object, so this binds it too.
export function closeNetwork(scope) {
  for (const name of NO_NETWORK) {
    for (let holder = scope; holder; holder = Object.getPrototypeOf(holder)) {
      if (Object.hasOwn(holder, name)) delete holder[name];
    }
    Object.defineProperty(scope, name, { value: undefined, writable: false, configurable: false });
  }
}
