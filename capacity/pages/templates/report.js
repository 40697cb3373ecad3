"use strict";
(function () {
  // Tables: a click on a heading sorts by its column, numbers by their value and not by how they are written.
  function value(cell) {
    const given = cell.getAttribute("data-v");
    if (given === "") return null;
    if (given !== null) return Number(given);
    const text = cell.textContent.trim();
    return text;
  }
  function order(a, b, sign) {
    if (a === null || b === null) return (a === null) - (b === null); // unknown stays last, whichever way
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), "en", { numeric: true });
  }
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", function () {
        const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach((h) => h.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
        const body = table.tBodies[0];
        const rows = Array.from(body.rows).map((row) => [value(row.cells[column]), row]);
        rows.sort((x, y) => order(x[0], y[0], sign));
        body.append(...rows.map((pair) => pair[1]));
      });
    });
  }
  // Folded tables open for the printer.
  window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
  // What if: a lookup in figures that were worked out beforehand. No figure is computed here.
  const source = document.getElementById("what-if-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const mode = document.getElementById("mode"), nodes = document.getElementById("nodes");
  const status = document.getElementById("outcome"), body = document.getElementById("outcome-rows");
  const signs = { ok: "✔", tight: "▲", exhausted: "✖" };
  const count = (n) => n.toLocaleString("en");
  function badge(verdict) {
    const mark = document.createElement("span");
    mark.className = "badge " + verdict;
    mark.textContent = signs[verdict] + " " + verdict;
    return mark;
  }
  function show() {
    const found = data.outcomes[Number(mode.value)][Number(nodes.value)];
    const pods = found.unplaced_pods ? "; " + count(found.unplaced_pods) + " of them are unschedulable" : "";
    const text = count(found.nodes) + " nodes, " + count(found.pods) + " replicas" + pods + ", " + count(found.warm) + " addresses held but unused: ";
    status.replaceChildren(text, badge(found.verdict));
    nodes.setAttribute("aria-valuetext", count(found.nodes) + " nodes");
    body.replaceChildren(...data.subnets.map(function (name, index) {
      const row = document.createElement("tr"), cells = [0, 1, 2].map(() => document.createElement("td"));
      const own = document.createElement("bdi");
      own.textContent = name;
      cells[0].append(own);
      cells[1].className = "number";
      cells[1].textContent = count(found.free[index]);
      cells[2].append(badge(found.verdicts[index]));
      row.append(...cells);
      return row;
    }));
  }
  mode.addEventListener("change", show);
  nodes.addEventListener("input", show);
  document.getElementById("explorer").hidden = false;
  show();
})();
