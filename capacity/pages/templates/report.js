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
  function tool(place, word, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tool";
    button.textContent = word;
    button.addEventListener("click", () => act(button));
    place.append(button);
  }
  // Snippets: copy.
  async function copy(text) {
    try { await navigator.clipboard.writeText(text); } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }
  for (const figure of document.querySelectorAll(".snippet")) {
    tool(figure, "copy", async function (button) {
      await copy(figure.querySelector("code").textContent);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 2000);
    });
  }
  // Charts: save as a file, with the colors of the light page.
  for (const figure of document.querySelectorAll(".chart")) {
    tool(figure.querySelector("figcaption"), "save SVG", function () {
      const text = new XMLSerializer().serializeToString(figure.querySelector("svg"));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
      link.download = (figure.querySelector("strong").textContent.toLowerCase().replace(/[^a-z0-9]+/g, "-") || "chart") + ".svg";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }
  // Navigation: mark the section in view.
  const links = new Map(Array.from(document.querySelectorAll("nav a"), (a) => [a.hash.slice(1), a]));
  const heads = Array.from(document.querySelectorAll("main h2[id]"));
  function mark() {
    const passed = heads.filter((h) => h.getBoundingClientRect().top < window.innerHeight / 3);
    const end = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 2;
    const here = end ? heads[heads.length - 1] : passed[passed.length - 1];
    links.forEach((a, id) => { if (here && here.id === id) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current"); });
  }
  document.addEventListener("scroll", mark, { passive: true });
  mark();
  // What if: a lookup in figures that were worked out beforehand. No figure is computed here.
  const source = document.getElementById("what-if-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const mode = document.getElementById("mode"), nodes = document.getElementById("nodes");
  const status = document.getElementById("outcome"), body = document.getElementById("outcome-rows");
  const signs = { ok: "✔", tight: "▲", exhausted: "✖" };
  const count = (n) => n.toLocaleString("en").replace("-", "\u2212");
  function badge(verdict) {
    const mark = document.createElement("span");
    mark.className = "badge " + verdict;
    mark.textContent = signs[verdict] + " " + verdict;
    return mark;
  }
  function show() {
    const found = data.outcomes[Number(mode.value)][Number(nodes.value)];
    const pods = found.unplaced_pods ? "; " + count(found.unplaced_pods) + " of them are unschedulable" : "";
    const text = count(found.nodes) + " nodes, " + count(found.pods) + " replicas" + pods + ", " + count(found.warm) + " addresses held but unused; tightest: " + found.least + ": ";
    status.replaceChildren(text, badge(found.verdict));
    nodes.setAttribute("aria-valuetext", count(found.nodes) + " nodes");
    body.replaceChildren(...data.subnets.map(function (name, index) {
      const row = document.createElement("tr"), cells = [0, 1, 2, 3].map(() => document.createElement("td"));
      const own = document.createElement("bdi");
      own.textContent = name;
      cells[0].append(own);
      cells[1].className = "number";
      cells[1].textContent = count(found.free[index]);
      cells[2].className = "number";
      cells[2].textContent = found.shares[index].toFixed(1).replace("-", "\u2212");
      cells[3].append(badge(found.verdicts[index]));
      row.append(...cells);
      return row;
    }));
  }
  mode.addEventListener("change", show);
  nodes.addEventListener("input", show);
  document.getElementById("explorer").hidden = false;
  show();
})();
