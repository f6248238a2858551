"use strict";
const sheet = document.getElementById("sheet"), find = document.getElementById("find");
const cards = [...sheet.children], told = document.getElementById("told"), save = document.getElementById("save");
const count = document.getElementById("count"), none = document.getElementById("none");
const kept = "chosen in " + location.pathname;
let kind = "all";

const boxOf = card => card.querySelector("input");
const isChosen = card => !!boxOf(card)?.checked;

function show() {
  const words = find.value.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const card of cards) {
    const wanted = kind === "all" || (kind === "failed" ? card.classList.contains("failed") : isChosen(card));
    card.hidden = !(wanted && words.every(word => card.dataset.find.includes(word)));
    shown += !card.hidden;
  }
  none.hidden = shown > 0;
}

function chosen() {
  const rows = cards.filter(isChosen);
  for (const card of cards) card.classList.toggle("chosen", isChosen(card));
  count.textContent = rows.length;
  save.disabled = !rows.length;
  // Not every browser keeps things for pages that are files: then a reload forgets the ticks.
  try { localStorage.setItem(kept, JSON.stringify(rows.map(card => card.dataset.row))); } catch { }
  if (kind === "chosen") show();
}

async function copy(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { }
  const area = document.body.appendChild(document.createElement("textarea"));
  area.value = text;
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

for (const acts of sheet.querySelectorAll(".acts")) acts.hidden = false;
document.getElementById("tools").hidden = false;
document.getElementById("tools").addEventListener("submit", event => event.preventDefault());
try {
  const before = new Set(JSON.parse(localStorage.getItem(kept) || "[]"));
  for (const card of cards) if (before.has(card.dataset.row)) boxOf(card).checked = true;
} catch { }

find.addEventListener("input", show);
for (const button of document.querySelectorAll("[data-kind]")) button.addEventListener("click", () => {
  kind = button.dataset.kind;
  for (const other of document.querySelectorAll("[data-kind]")) other.setAttribute("aria-pressed", other === button);
  show();
});
document.getElementById("tick").addEventListener("click", () => {
  const boxes = cards.filter(card => !card.hidden).map(boxOf).filter(Boolean);
  const on = boxes.some(box => !box.checked);
  for (const box of boxes) box.checked = on;
  chosen();
});
sheet.addEventListener("change", chosen);
sheet.addEventListener("click", async event => {
  const card = event.target.closest("figure");
  if (event.target.matches(".copy")) {
    told.textContent = card.dataset.command;  // there to be read and selected, whatever the clipboard does
    const done = await copy(card.dataset.command);
    told.textContent = done ? "Copied: " + card.dataset.command : "Copy it from here: " + card.dataset.command;
  }
  const link = event.target.closest("a");
  if (link && /\.(png|jpe?g|webp)$/i.test(link.pathname) && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    const image = large.querySelector("img") || large.appendChild(document.createElement("img"));
    image.src = link.href;
    image.alt = link.querySelector("img").alt;
    large.showModal();
  }
});
const large = document.getElementById("large");
large.addEventListener("click", () => large.close());
save.addEventListener("click", () => {
  const rows = cards.filter(isChosen).map(card => card.dataset.row);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([rows.join("\n") + "\n"], {type: "application/x-ndjson"}));
  link.download = "chosen.jsonl";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  told.textContent = rows.length + " written to chosen.jsonl: python -m inference.render --batch chosen.jsonl --out DIR";
});
chosen();
