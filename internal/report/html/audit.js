"use strict";
// The table of machines: decode, filter, sort, show one page. Nothing is written as HTML, all as text.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const pageSize = 50, printRows = 200;
  const labels = new Map(data.states.map((s) => [s.id, s.label]));
  const subscriptions = new Map(data.subscriptions.map((s) => [s.id, s.label]));
  const inWords = new Set(["group", "subscription", "location", "because", "vault", "policy", "rule", "codes", "notes", "protectionState"]);

  const machines = data.rows.map((row) => {
    const m = {};
    data.fields.forEach((f, i) => { m[f] = inWords.has(f) ? data.words[row[i]] : row[i]; });
    m.rank = m.state;
    m.state = data.states[m.state].id;
    m.tags = m.tags.map((i) => data.words[i]);
    m.subscriptionName = subscriptions.get(m.subscription) || m.subscription;
    return m;
  });
  // What a search looks through is made by the first search: it is the most of what there is to make.
  const textOf = (m) => (m.text ??= [m.id, m.subscriptionName, m.location, m.state, labels.get(m.state), m.also, m.vault, m.policy, m.codes, m.because, ...m.tags].join("\n").toLowerCase());
  machines.sort((a, b) => a.rank - b.rank); // the sort is stable: by id inside a state
  machines.forEach((m, i) => { m.order = i; });

  let filter = null, sort = { by: "", down: false }, page = 0, shown = machines;

  const tests = {
    state: (m, v) => m.state === v,
    subscription: (m, v) => m.subscription === v,
    location: (m, v) => m.location === v,
    group: (m, v) => m.group.toLowerCase() === v,
    tag: (m, v) => m.tags.includes(v),
    noTag: (m, v) => !m.tags.some((t) => t.startsWith(v + "=")),
    code: (m, v) => m.codes.split(" ").includes(v),
  };
  const collate = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;
  const never = Number.POSITIVE_INFINITY;
  const age = (m) => (m.age === null ? never : m.age);
  const orders = {
    name: (a, b) => collate(a.name, b.name) || collate(a.group, b.group),
    state: (a, b) => a.rank - b.rank,
    age: (a, b) => (age(a) === age(b) ? 0 : age(a) - age(b)),
    vault: (a, b) => collate(a.vault, b.vault),
    policy: (a, b) => collate(a.policy, b.policy),
    location: (a, b) => collate(a.location, b.location),
    subscription: (a, b) => collate(a.subscriptionName, b.subscriptionName),
    codes: (a, b) => collate(a.codes, b.codes),
  };

  function choose() {
    const words = $("q").value.toLowerCase().split(/\s+/).filter(Boolean), state = $("state").value;
    shown = machines.filter((m) =>
      (!state || m.state === state) && (!filter || tests[filter.by](m, filter.value)) && words.every((w) => textOf(m).includes(w)));
    const order = orders[sort.by];
    if (order) {
      const sign = sort.down ? -1 : 1;
      shown.sort((a, b) => sign * order(a, b) || a.order - b.order);
    }
    page = 0;
    draw();
  }

  const number = (n) => n.toLocaleString("en-US");

  function draw(size = pageSize) {
    const pages = Math.max(1, Math.ceil(shown.length / size));
    page = Math.min(Math.max(page, 0), pages - 1);
    const part = shown.slice(page * size, (page + 1) * size);
    $("rows").replaceChildren(...part.map(row));
    $("shown").textContent = shown.length === machines.length
      ? `${number(shown.length)} machines` : `${number(shown.length)} of ${number(machines.length)} machines`;
    $("page").textContent = shown.length ? `${number(page * size + 1)}–${number(page * size + part.length)} of ${number(shown.length)}` : "no machine matches";
    for (const id of ["first", "prev"]) $(id).disabled = page === 0;
    for (const id of ["next", "last"]) $(id).disabled = page === pages - 1;
  }

  function element(tag, text, className) {
    const e = document.createElement(tag);
    if (text) e.textContent = text;
    if (className) e.className = className;
    return e;
  }

  function span(seconds) {
    if (seconds < 3600) return Math.floor(seconds / 60) + " min";
    if (seconds < 48 * 3600) return Math.floor(seconds / 3600) + " h";
    return Math.floor(seconds / 86400) + " d";
  }

  function row(m) {
    const tr = document.createElement("tr");
    const open = element("button", "▸");
    open.type = "button";
    open.setAttribute("aria-expanded", "false");
    open.setAttribute("aria-label", "Details of " + m.name);
    open.addEventListener("click", () => toggle(tr, open, m));
    const cell = (className, ...children) => {
      const td = element("td", "", className);
      td.append(...children);
      tr.append(td);
      return td;
    };
    cell("x", open);
    cell("m", element("b", m.name), element("small", m.group));
    const state = cell("st", element("i", "", "dot s-" + m.state), labels.get(m.state));
    if (m.also) state.append(element("small", "also " + m.also.replaceAll(" ", ", ")));
    const point = cell("n" + (m.maxAge && m.age > m.maxAge ? " late" : ""), m.age === null ? "–" : span(m.age));
    if (m.point) point.title = m.point;
    cell("", m.vault);
    cell("", m.policy);
    cell("", m.location);
    cell("", m.subscriptionName);
    cell("", m.codes);
    return tr;
  }

  function toggle(tr, button, m) {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    tr.classList.toggle("open", !isOpen);
    if (isOpen) {
      tr.nextElementSibling.remove();
      return;
    }
    const facts = element("dl", "", "facts");
    const add = (name, value) => { if (value) facts.append(element("dt", name), element("dd", value)); };
    add("Why", m.because);
    add("Notes", m.notes);
    add("Last recovery point", m.point);
    add("Stale after", m.maxAge ? span(m.maxAge) : "");
    add("Protection state", m.protectionState);
    add("Rule", m.rule);
    add("Tags", m.tags.join(", "));
    add("Resource id", m.id);
    const td = element("td");
    td.colSpan = tr.children.length;
    td.append(facts);
    const detail = element("tr", "", "more-row");
    detail.append(td);
    tr.after(detail);
  }

  function setFilter(by, value, label) {
    if (by === "state") {
      filter = null;
      $("state").value = value;
    } else {
      filter = { by, value };
      $("state").value = "";
    }
    $("q").value = "";
    $("chip").hidden = !filter;
    $("chip").textContent = label + " ✕";
    $("chip").setAttribute("aria-label", "Remove the filter " + label);
    choose();
    $("machines").scrollIntoView();
  }

  function tabs() {
    const bar = $("tabs"), buttons = [...bar.querySelectorAll("button")];
    const select = (button) => {
      for (const b of buttons) {
        const on = b === button;
        b.setAttribute("aria-selected", String(on));
        b.tabIndex = on ? 0 : -1;
        $(b.dataset.panel).hidden = !on;
      }
    };
    bar.setAttribute("role", "tablist");
    bar.setAttribute("aria-label", "Coverage by");
    for (const b of buttons) {
      b.id = "tab-" + b.dataset.panel;
      b.setAttribute("role", "tab");
      b.setAttribute("aria-controls", b.dataset.panel);
      $(b.dataset.panel).setAttribute("role", "tabpanel");
      $(b.dataset.panel).setAttribute("aria-labelledby", b.id);
      b.addEventListener("click", () => select(b));
    }
    bar.addEventListener("keydown", (e) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (!step) return;
      const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
      select(next);
      next.focus();
    });
    bar.parentElement.classList.add("tabbed");
    bar.hidden = false;
    select(buttons[0]);
  }

  for (const s of data.states) {
    const n = machines.filter((m) => m.state === s.id).length;
    const option = element("option", `${s.label} (${number(n)})`);
    option.value = s.id;
    $("state").append(option);
  }
  for (const button of document.querySelectorAll("button[data-filter]")) {
    button.addEventListener("click", () => setFilter(button.dataset.filter, button.dataset.value, button.dataset.label));
  }
  for (const button of document.querySelectorAll("button[data-sort]")) {
    button.addEventListener("click", () => {
      sort = { by: button.dataset.sort, down: sort.by === button.dataset.sort && !sort.down };
      for (const th of document.querySelectorAll("#vms th[aria-sort]")) th.removeAttribute("aria-sort");
      button.parentElement.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      choose();
    });
  }
  $("q").addEventListener("input", choose);
  $("state").addEventListener("change", choose);
  $("controls").addEventListener("submit", (e) => e.preventDefault());
  $("chip").addEventListener("click", () => { filter = null; $("chip").hidden = true; choose(); $("q").focus(); });
  $("first").addEventListener("click", () => { page = 0; draw(); });
  $("prev").addEventListener("click", () => { page--; draw(); });
  $("next").addEventListener("click", () => { page++; draw(); });
  $("last").addEventListener("click", () => { page = Infinity; draw(); });
  // On paper there are no pages to turn: as many rows as are worth printing, worst first, and what was cut is said.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details.finding:not([open])")];
    for (const d of folded) d.open = true;
    page = 0;
    draw(printRows);
    if (shown.length > printRows) $("shown").textContent += `, the first ${number(printRows)} are printed`;
  });
  addEventListener("afterprint", () => {
    for (const d of folded) d.open = false;
    draw();
  });
  for (const id of ["vms", "controls", "pager"]) $(id).hidden = false;
  tabs();
  choose();
})();
