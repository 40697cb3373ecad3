// A worker with the engine: calls are answered in order; of live calls only the newest waits.
export class Engine {
  constructor(folder, tell) {
    this.folder = folder;
    this.tell = tell || (() => {});
    this.waiting = new Map();
    this.next = 1;
    this.worker = null;
  }

  // The worker starts from a blob of this page, so that it gets this page's policy even where no header sets one.
  start() {
    if (this.worker) return this.ready;
    const address = new URL(`${this.folder}/worker.js`, document.baseURI).href;
    const source = URL.createObjectURL(new Blob([`import ${JSON.stringify(address)};`], { type: "text/javascript" }));
    this.worker = new Worker(source, { type: "module" });
    this.ready = new Promise((resolve, reject) => { this.resolve = resolve; this.reject = reject; });
    this.ready.catch(() => {});
    this.worker.addEventListener("message", ({ data }) => this.hear(data));
    this.worker.addEventListener("error", (event) => this.reject(new Error(event.message || "the engine cannot start")));
    return this.ready;
  }

  hear(data) {
    if (data.loaded !== undefined) { this.tell(data.loaded); return; }
    if (data.ready) { this.resolve(data.ready); return; }
    if (data.failed) { this.reject(new Error(data.failed)); return; }
    const entry = this.waiting.get(data.id);
    if (!entry) return;
    if (data.progress) { entry.tell(...data.progress); return; }
    this.waiting.delete(data.id);
    if (data.broken) entry.reject(new Error(data.broken));
    else entry.resolve(data.text);
  }

  // The JSON text of an answer; `files` are put into the worker's file system first.
  async text(call, request, options = {}) {
    await this.start();
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, tell: options.tell || (() => {}) });
      this.worker.postMessage({ id, call, request, files: options.files, tell: Boolean(options.tell) });
    });
  }

  async ask(call, request, options) {
    const started = performance.now();
    const answer = JSON.parse(await this.text(call, request, options));
    this.took = performance.now() - started;
    return answer;
  }

  stop() {
    if (this.worker) this.worker.terminate();
    this.worker = null;
    for (const entry of this.waiting.values()) entry.reject(new Error("stopped"));
    this.waiting.clear();
  }
}

// Runs a job with the newest argument: while one runs, later arguments replace each other.
export function newest(job) {
  let running = false, pending = null;
  return async function run(argument) {
    if (running) { pending = { argument }; return; }
    running = true;
    try {
      await job(argument);
    } finally {
      running = false;
      if (pending) { const { argument: later } = pending; pending = null; run(later); }
    }
  };
}
