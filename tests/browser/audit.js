// What an accessibility checker looks at, for a page of our own: returns a list of complaints, empty when all is well.
() => {
  const complaints = [];
  const say = (what, element) => complaints.push(what + ": " + (element ? element.outerHTML.slice(0, 120) : ""));
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const seen = (element) => {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    return box.width > 0 && box.height > 0 && style.visibility !== "hidden" && box.right > 0;
  };
  // The document itself.
  if (!document.documentElement.lang) say("no language");
  if (!document.title.trim()) say("no title");
  if (all("main").length !== 1) say("not one main landmark");
  if (all("h1").length !== 1) say("not one h1");
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) say("heading level skipped", heading);
    if (!heading.textContent.trim()) say("empty heading", heading);
    level = own;
  }
  const ids = all("[id]").map((e) => e.id);
  if (new Set(ids).size !== ids.length) say("duplicate ids " + ids.filter((x, i) => ids.indexOf(x) !== i).slice(0, 3));
  for (const attribute of ["aria-labelledby", "aria-describedby", "for"]) {
    for (const e of all("[" + attribute + "]")) {
      for (const id of e.getAttribute(attribute).split(/\s+/)) if (!document.getElementById(id)) say("points nowhere", e);
    }
  }
  // Names of what is not text, and of what can be operated.
  const named = (e) => Boolean((e.getAttribute("aria-label") || "").trim() || e.getAttribute("aria-labelledby"));
  for (const e of all("img")) if (!e.hasAttribute("alt")) say("image without alt", e);
  for (const e of all("svg")) {
    const title = e.querySelector("title");
    if (e.getAttribute("role") !== "img" || !named(e) || !title || !title.textContent.trim()) say("chart without a name", e);
  }
  for (const e of all("input, select, textarea")) if (!named(e) && !e.labels.length) say("field without a label", e);
  for (const e of all("button, a[href], summary")) if (!e.textContent.trim() && !named(e)) say("nothing to read on", e);
  for (const e of all("a[href^='#']")) if (!document.getElementById(e.getAttribute("href").slice(1))) say("dead link", e);
  for (const e of all("[role=region], nav, section")) if (!named(e)) say("landmark without a name", e);
  for (const e of all("[tabindex]")) if (Number(e.getAttribute("tabindex")) > 0) say("tab order forced", e);
  for (const e of all(".scroll")) if (e.scrollWidth > e.clientWidth && e.tabIndex !== 0) say("cannot scroll by keyboard", e);
  // Tables.
  for (const table of all("table")) {
    if (!table.caption || !table.caption.textContent.trim()) say("table without a caption", table);
    if (!table.tHead || !table.tHead.rows.length) say("table without a head", table);
    for (const cell of table.querySelectorAll("th")) if (!cell.hasAttribute("scope")) say("th without scope", cell);
    for (const cell of table.querySelectorAll("th")) if (!cell.textContent.trim()) say("empty th", cell);
    const width = table.tHead ? table.tHead.rows[0].cells.length : 0;
    for (const row of table.tBodies[0].rows) if (row.cells.length !== width) say("ragged row", row);
  }
  // Contrast, WCAG 2.1: 4.5 to 1, or 3 to 1 for large text.
  const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const channel = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length && (colour.length < 4 || colour[3] === 1)) return colour;
    }
    return [255, 255, 255];
  };
  // What is below a text of a chart: the last shape drawn before it that covers its middle, if it is filled.
  const below = (text) => {
    const box = text.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
    let found = null;
    for (const shape of text.ownerSVGElement.querySelectorAll("path, rect")) {
      if (shape.closest("defs, clipPath, pattern") || shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_PRECEDING) continue;
      const place = shape.getBoundingClientRect();
      if (x < place.left || x > place.right || y < place.top || y > place.bottom) continue;
      let fill = getComputedStyle(shape).fill;
      const pattern = fill.match(/#([^"')]+)/);
      if (fill.startsWith("url") && pattern) {
        const ground = document.getElementById(pattern[1]);
        fill = ground ? getComputedStyle(ground.querySelector("rect")).fill : "none";
      }
      if (fill.startsWith("rgb(")) found = parse(fill);
    }
    return found;
  };
  const own = (element) => Array.from(element.childNodes).some((n) => n.nodeType === 3 && n.textContent.trim());
  let worst = 99, measured = 0;
  for (const e of all("body *")) {
    if (!own(e) || !seen(e) || e.closest("script, style, title, metadata, defs")) continue;
    const style = getComputedStyle(e);
    const inChart = e.ownerSVGElement;
    const front = parse(inChart ? style.fill : style.color), back = (inChart && below(e)) || behind(inChart || e);
    if (front.length < 3) { say("no colour found " + style.fill, e); continue; }
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    measured += 1;
    worst = Math.min(worst, ratio);
    if (ratio < (large ? 3 : 4.5)) say("contrast " + ratio.toFixed(2), e);
  }
  if (measured < 50) say("only " + measured + " texts measured");
  return { complaints, worst, measured };
}
