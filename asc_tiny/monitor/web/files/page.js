"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const { colors, columns: most, live } = document.body.dataset;
  const palette = colors.split(" ").map((each) => parseInt(each.slice(1), 16));
  const canvas = byId("picture");
  const shades = document.createElement("canvas");
  const spans = [64, 128, 256, 512, Number(most)];
  const retry = 1000;
  let span = 256;
  let kept = []; // columns of the picture, null for a gap
  let begun = -1;
  let scale = null;
  let waiting = null; // the state that came while it is paused
  let frozen = null; // columns that are shown while it is paused
  let due = false;

  document.querySelector("main").hidden = false;

  /* Text alone: names come from boards. */
  const cell = (text, kind) => {
    const found = document.createElement("td");
    found.textContent = text;
    if (kind) found.className = kind;
    return found;
  };

  const fill = (id, rows, make) => {
    const body = byId(id).tBodies[0];
    body.replaceChildren(
      ...rows.map((row) => {
        const line = document.createElement("tr");
        line.append(...make(row, line));
        return line;
      }),
    );
  };

  const texts = (row) => row.map((text, i) => cell(text, i === 0 && row.length === 3 ? "plain" : i ? "plain last" : ""));

  const events = ([time, what, count]) => [cell(time, "plain"), cell(what), cell(count.replace("x", ""), "plain")];

  const score = ([label, text, share, best], line) => {
    const bar = document.createElement("div");
    bar.className = "bar";
    bar.style.width = `${100 * share}%`;
    const place = document.createElement("td");
    place.append(bar);
    if (best) line.className = "best";
    return [cell(label), cell(text, "plain"), place];
  };

  const show = (state) => {
    byId("heading").textContent = state.heading;
    byId("heading").className = state.lost ? "bad" : "";
    byId("warning").textContent = state.warning;
    byId("decision").textContent = state.decision || "no decision yet";
    byId("window").textContent = state.window === null ? "" : `window ${state.window}`;
    fill("scores", state.scores, score);
    fill("history", state.history, events);
    fill("totals", state.totals, texts);
    fill("losses", state.losses, events);
    fill("costs", state.costs, texts);
    scale = state.scale;
    draw();
  };

  const take = (state) => {
    if (state.begun !== begun) kept = [];
    begun = state.begun;
    for (const each of state.columns) {
      kept.push(each === null ? null : Uint8Array.from(atob(each), (c) => c.charCodeAt(0)));
    }
    kept = kept.slice(-Number(most));
    if (frozen) waiting = state;
    else show(state);
  };

  const draw = () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      paint();
    });
  };

  const hatched = (pen, ink) => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const on = tile.getContext("2d");
    on.strokeStyle = ink;
    on.beginPath();
    for (const x of [-8, 0, 8]) {
      on.moveTo(x, 8);
      on.lineTo(x + 8, 0);
    }
    on.stroke();
    return pen.createPattern(tile, "repeat");
  };

  /* One pixel for a column and band. */
  const levels = (shown, bands) => {
    shades.width = shown.length;
    shades.height = bands;
    const pen = shades.getContext("2d");
    const image = pen.createImageData(shown.length, bands);
    shown.forEach((column, x) => {
      if (column === null) return;
      for (let band = 0; band < bands; band++) {
        const color = palette[column[band]];
        const at = 4 * ((bands - 1 - band) * shown.length + x);
        image.data[at] = color >> 16;
        image.data[at + 1] = (color >> 8) & 255;
        image.data[at + 2] = color & 255;
        image.data[at + 3] = 255;
      }
    });
    pen.putImageData(image, 0, 0);
  };

  const hertz = (value) => (value < 1000 ? `${value.toFixed(0)} Hz` : `${(value / 1000).toFixed(1)} kHz`);

  const axes = (pen, box, ink) => {
    pen.fillStyle = ink;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    const bands = scale.bands;
    const ticks = 6;
    for (let i = 0; i < ticks; i++) {
      const band = Math.round((i * (bands - 1)) / (ticks - 1));
      const y = box.y + box.height * (1 - (band + 0.5) / bands);
      pen.fillText(scale.hertz.length ? hertz(scale.hertz[band]) : `band ${band}`, box.x - 6, y);
    }
    pen.textBaseline = "top";
    const steps = box.width < 500 ? 2 : 4;
    for (let i = 0; i <= steps; i++) {
      const columns = span * (1 - i / steps);
      const text = scale.step ? `−${(columns * scale.step).toFixed(1)} s` : `−${columns} columns`;
      pen.textAlign = i === 0 ? "left" : i === steps ? "right" : "center";
      pen.fillText(i === steps ? "now" : text, box.x + (box.width * i) / steps, box.y + box.height + 6);
    }
  };

  const colorBar = (pen, box, ink) => {
    const x = box.x + box.width + 14;
    palette.forEach((color, i) => {
      pen.fillStyle = `#${color.toString(16).padStart(6, "0")}`;
      pen.fillRect(x, box.y + box.height * (1 - (i + 1) / 256), 12, box.height / 256 + 1);
    });
    pen.fillStyle = ink;
    pen.textAlign = "left";
    for (let i = 0; i <= 4; i++) {
      const level = scale.low + ((scale.high - scale.low) * i) / 4;
      pen.textBaseline = i === 0 ? "bottom" : i === 4 ? "top" : "middle";
      pen.fillText(level.toFixed(0).replace("-", "−"), x + 17, box.y + box.height * (1 - i / 4));
    }
    pen.textBaseline = "top";
    pen.textAlign = "right";
    pen.fillText(`level (${scale.unit})`, box.x + box.width + 62, box.y + box.height + 24);
  };

  const paint = () => {
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = canvas.getBoundingClientRect();
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = "12px system-ui, sans-serif";
    const ink = getComputedStyle(document.body).color;
    if (!scale) {
      pen.fillStyle = ink;
      pen.fillText("no column has come yet", 10, 20);
      return;
    }
    const shown = (frozen || kept).slice(-span).map((each) => (each && each.length === scale.bands ? each : null));
    const box = { x: 62, y: 8, width: Math.max(width - 62 - 64, 10), height: height - 52 };
    const wide = (box.width * shown.length) / span;
    if (shown.length) {
      levels(shown, scale.bands);
      pen.save();
      pen.translate(box.x + box.width - wide, box.y);
      pen.fillStyle = hatched(pen, getComputedStyle(document.documentElement).getPropertyValue("--soft"));
      pen.fillRect(0, 0, wide, box.height);
      pen.imageSmoothingEnabled = wide < shown.length;
      pen.drawImage(shades, 0, 0, wide, box.height);
      pen.restore();
    }
    pen.strokeStyle = ink;
    pen.lineWidth = 0.5;
    pen.strokeRect(box.x, box.y, box.width, box.height);
    axes(pen, box, ink);
    colorBar(pen, box, ink);
    const gaps = shown.filter((each) => each === null).length;
    canvas.setAttribute("aria-label", `spectrogram of ${scale.bands} bands, ${shown.length} columns, ${gaps} not received`);
  };

  const pause = () => {
    frozen = frozen ? null : kept.slice();
    byId("pause").setAttribute("aria-pressed", String(frozen !== null));
    if (!frozen && waiting) show(waiting);
    waiting = null;
  };

  const zoom = (step) => {
    span = spans[Math.min(Math.max(spans.indexOf(span) + step, 0), spans.length - 1)];
    draw();
  };

  const save = () => {
    const whole = document.createElement("canvas");
    whole.width = canvas.width;
    whole.height = canvas.height;
    const pen = whole.getContext("2d");
    pen.fillStyle = getComputedStyle(document.body).backgroundColor;
    pen.fillRect(0, 0, whole.width, whole.height);
    pen.drawImage(canvas, 0, 0);
    const link = document.createElement("a");
    link.download = "monitor.png";
    link.href = whole.toDataURL("image/png");
    link.click();
  };

  const actions = { p: pause, s: save, "+": () => zoom(-1), "=": () => zoom(-1), "-": () => zoom(1) };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  });
  byId("pause").addEventListener("click", pause);
  byId("save").addEventListener("click", save);
  byId("less").addEventListener("click", () => zoom(-1));
  byId("more").addEventListener("click", () => zoom(1));
  new ResizeObserver(draw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  const connect = () => {
    const socket = new WebSocket(`ws://${location.host}${live}`);
    socket.onopen = () => {
      begun = -1;
    };
    socket.onmessage = (event) => take(JSON.parse(event.data));
    socket.onclose = () => {
      byId("heading").textContent = "asc-tiny monitor has ended, or cannot be reached; trying again";
      byId("heading").className = "bad";
      setTimeout(connect, retry);
    };
  };
  connect();
})();
