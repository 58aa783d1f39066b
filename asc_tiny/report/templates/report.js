"use strict";
// Draws each chart anew, as wide as its place and with what a pointer is over; the drawing that the
// page came with stays where that fails.
for (const figure of document.querySelectorAll("figure.chart")) {
  const spec = JSON.parse(figure.querySelector("script").textContent);
  const still = figure.querySelector(".still");
  const live = document.createElement("div");
  live.className = "live";
  figure.append(live);
  vegaEmbed(live, spec, { renderer: "svg", actions: false, tooltip: { theme: "custom" } }).then(
    () => { still.hidden = true; },
    (error) => { live.remove(); console.error(error); }
  );
}
// What is folded is in print, too.
addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details")) { each.open = true; }
});
