// Answers calls with the built page's engine, under node: node answers.mjs ASSETS CASES.json FILES_ROOT > ANSWERS.json
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [assets, cases, root] = process.argv.slice(2);
const { boot } = await import(pathToFileURL(`${assets}/boot.mjs`));
const engine = await boot(`${assets}/`, async (name) => new Uint8Array(readFileSync(`${assets}/${name}`)));
const { files, calls } = JSON.parse(readFileSync(cases, "utf8"));
engine.put(Object.fromEntries(files.map((path) => [path, new Uint8Array(readFileSync(`${root}/${path}`))])));
process.stdout.write(JSON.stringify(calls.map(({ call, request }) => {
  const start = performance.now();
  const text = engine.call(call, request);
  return { text, ms: performance.now() - start };
})));
