// Runs page_archives.py with Pyodide's own Python, whose bytecode the browser will load.
//   node page_archives.mjs PYODIDE_FOLDER WORK_FOLDER
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [pyodideFolder, work] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodideFolder}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: `${pyodideFolder}/` });
python.FS.mkdir("/work");
python.FS.mount(python.FS.filesystems.NODEFS, { root: work }, "/work");
const script = readFileSync(new URL("page_archives.py", import.meta.url), "utf8");
const names = python.toPy({ __name__: "page_archives" });
python.runPython(script, { globals: names });
python.runPython('main("/work")', { globals: names });
