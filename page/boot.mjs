// Starts Python and the engine from the files of one folder; for the worker, and for tests under node.
import { loadPyodide } from "./pyodide.mjs";

const NO_NETWORK = ["fetch", "XMLHttpRequest", "WebSocket", "WebSocketStream", "EventSource", "WebTransport",
  "importScripts", "RTCPeerConnection", "BroadcastChannel", "Worker", "SharedWorker", "caches", "indexedDB"];

// read(name): the bytes of a file as Uint8Array. Returns a function: name of a call, its arguments, progress -> JSON text.
export async function boot(folder, read) {
  const [engine, lock] = await Promise.all([read("engine.zip"), read("pyodide-lock.json")]);
  const python = await loadPyodide({
    indexURL: folder,
    stdLibURL: folder + "stdlib.zip",
    lockFileContents: new TextDecoder().decode(lock),
    packageBaseUrl: folder,
    env: { HOME: "/plans", PYTHONINSPECT: "" },
  });
  python.FS.mkdirTree("/plans");
  python.FS.writeFile("/engine.zip", engine);
  python.runPython(`
import os, sys, zipfile
with zipfile.ZipFile("/engine.zip") as archive:
    archive.extractall("/engine")
os.remove("/engine.zip")
os.chdir("/plans")
sys.path.insert(0, "/engine")
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

// Takes away what could send something. Python reaches JavaScript through the global object, so this binds it too.
export function closeNetwork(scope) {
  for (const name of NO_NETWORK) {
    for (let holder = scope; holder; holder = Object.getPrototypeOf(holder)) {
      if (Object.hasOwn(holder, name)) delete holder[name];
    }
    Object.defineProperty(scope, name, { value: undefined, writable: false, configurable: false });
  }
}
