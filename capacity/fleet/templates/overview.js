"use strict";
// Sort: a click on a heading; numbers by their value, text by its letters, unknown last.
function value(row, column) {
  const cell = row.cells[column];
  if (cell.dataset.v === "") return null;
  return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
}
function order(a, b) {
  if (a === null || b === null) return 0;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
}
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...table.tBodies[0].rows].map((row) => [value(row, column), row]);
      rows.sort(([a], [b]) => (a === null) - (b === null) || (up ? order(a, b) : order(b, a)));
      table.tBodies[0].append(...rows.map(([, row]) => row));
    });
  });
}
// Filter: every word must be in the row.
const rows = [...document.querySelectorAll("#table tbody tr")].map((row) => [row.textContent.toLowerCase(), row]);
const text = document.getElementById("text");
const verdict = document.getElementById("verdict");
function filter() {
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const [said, row] of rows) {
    const fits = words.every((word) => said.includes(word)) && (!verdict.value || row.dataset.verdict === verdict.value);
    row.hidden = !fits;
    shown += fits;
  }
  document.getElementById("count").textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} clusters`;
}
text.addEventListener("input", filter);
verdict.addEventListener("change", filter);
document.getElementById("filters").hidden = false;
filter();
