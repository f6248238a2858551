"use strict";
const cards = [...document.querySelectorAll(".card")];
const fields = cards.map(card => card.querySelector("input[type=text]"));

function progress() {
  const inside = cards.filter(card => !card.classList.contains("out"));
  const named = inside.filter(card => card.querySelector("input[type=text]").value.trim());
  document.getElementById("progress").textContent = `${named.length} of ${inside.length} named.`;
}

async function ask(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST", headers: {"Content-Type": "application/json", "X-Badges": "1"}, body: JSON.stringify(body),
    });
  } catch {
    throw new Error("not saved: the program that serves this page has ended");
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function tell(card, words, bad) {
  const line = card.querySelector(".caption");
  line.textContent = words;
  line.classList.toggle("bad", Boolean(bad));
  line.classList.remove("unsaved");
}

async function save(card, field) {
  if (field.value === field.dataset.saved) return;
  try {
    const answer = await ask("object", {name: card.dataset.name, object: field.value});
    field.dataset.saved = field.value;
    tell(card, answer.caption || "no caption");
  } catch (error) {
    tell(card, error.message, true);
  }
  progress();
}

async function offer(start) {
  const response = await fetch(`words?start=${encodeURIComponent(start)}`);
  if (!response.ok) return;
  const options = (await response.json()).map(word => Object.assign(document.createElement("option"), {value: word}));
  document.getElementById("words").replaceChildren(...options);
}

cards.forEach((card, number) => {
  const field = fields[number];
  // What was only guessed from the file's name is not saved yet: leaving the field as it is saves it.
  field.dataset.saved = card.querySelector(".unsaved") ? "" : field.value;
  field.addEventListener("change", () => save(card, field));
  field.addEventListener("input", () => offer(field.value));
  field.addEventListener("blur", () => save(card, field));
  field.addEventListener("keydown", event => {
    if (event.key === "Enter") {
      event.preventDefault();
      const next = fields.slice(number + 1).find((_, i) => !cards[number + 1 + i].classList.contains("out"));
      if (next) { next.focus(); next.select(); } else { field.blur(); }
    } else if (event.key === "Escape") {
      field.value = field.dataset.saved;
    }
  });
  const box = card.querySelector("input[type=checkbox]");
  box.addEventListener("change", async () => {
    try {
      const answer = await ask("leave-out", {name: card.dataset.name, out: box.checked});
      card.dataset.name = answer.name;
      card.classList.toggle("out", box.checked);
    } catch (error) {
      box.checked = !box.checked;
      tell(card, error.message, true);
    }
    progress();
  });
});
// A captioning model on this disk guesses one picture after the other, wherever nobody has said anything yet.
async function guess() {
  for (const [number, card] of cards.entries()) {
    const field = fields[number];
    if (field.value || field.dataset.saved || card.classList.contains("out")) continue;
    const response = await fetch(`guess?name=${encodeURIComponent(card.dataset.name)}`).catch(() => null);
    const answer = response?.ok ? await response.json() : null;
    if (!answer?.object || field.value || field.dataset.saved) continue;
    field.value = answer.object;
    tell(card, "a guess: leaving the field saves it");
    card.querySelector(".caption").classList.add("unsaved");
    if (document.activeElement === field) field.select();
  }
}

progress();
if ("guesses" in document.getElementById("cards").dataset) guess();
(fields.find(field => !field.value) || fields[0])?.focus({preventScroll: true});
