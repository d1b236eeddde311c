"use strict";
/* The pictures of a report page: heat maps to zoom into, and the working set over time. */
const data = JSON.parse(document.getElementById("data").textContent);
const UNKNOWN = 0xfe, PAUSED = 0xfd, UNMAPPED = 0xff;
const GAP = 1 / 26;	/* height of a gap's mark, in map heights */
const LEAST = 1 / 36;	/* least height of a group of rows: a small mapping can be seen and hit */
const LEFT = 128, RIGHT = 150, TOP = 6, BOTTOM = 34, HEIGHT = 440, WSS_HEIGHT = 190;
const tip = document.getElementById("tip");
const whole = {t0: 0, t1: 1};
let view = {t0: 0, t1: 1};	/* shared by all pictures: the same time is below itself */
const pictures = [];

const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  let u = 0;
  for (; bytes >= 1023.5 && u < 6; u++)
    bytes /= 1024;
  return (u && bytes < 99.95 ? bytes.toFixed(1) : bytes.toFixed(0)) + " " + units[u];
}

function seconds(s) {
  if (s < 1)
    return (s * 1000).toFixed(s < 0.1 ? 1 : 0) + " ms";
  return s < 100 ? s.toFixed(1) + " s" : Math.floor(s / 60) + " min " + Math.floor(s % 60) + " s";
}

function level(rate) {
  let l = data.levels.length - 1;
  if (rate <= 0)
    return 0;
  while (l > 1 && rate * 100 + 1e-6 < data.levels[l].min)
    l--;
  return l;
}

function rgb(hex) {
  return [1, 3, 5].map(i => parseInt(hex.substr(i, 2), 16));
}

function fit(canvas, height) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = height + "px";
  const c = canvas.getContext("2d");
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  c.font = "12px ui-monospace, 'DejaVu Sans Mono', monospace";
  return {c, width, plot: width - LEFT - RIGHT};
}

function timeAxis(c, plot, bottom) {
  const from = data.start_s + view.t0 * data.length_s, length = (view.t1 - view.t0) * data.length_s;
  const least = length / Math.max(2, plot / 90), decade = Math.pow(10, Math.floor(Math.log10(least)));
  const step = [1, 2, 5, 10].map(x => x * decade).find(x => x >= least * 0.999);
  c.fillStyle = c.strokeStyle = css("--faint");
  c.textAlign = "center";
  c.textBaseline = "top";
  for (let t = Math.ceil(from / step - 1e-9) * step; t <= from + length * 1.0001; t += step) {
    const x = LEFT + (t - from) / length * plot;
    c.beginPath();
    c.moveTo(x, bottom);
    c.lineTo(x, bottom + 5);
    c.stroke();
    c.fillText(+t.toPrecision(9) + " s", x, bottom + 8);
  }
}

/* A map keeps its cells as an image of one pixel each, which the browser enlarges. */
class HeatMap {
  constructor(target, canvas) {
    this.target = target;
    this.canvas = canvas;
    this.a0 = 0;
    this.a1 = 1;
    this.columns = data.columns;
    this.cells = Uint8Array.from({length: target.cells.length / 2},
      (_, i) => parseInt(target.cells.substr(2 * i, 2), 16));
    const image = new ImageData(this.columns, Math.max(1, target.rows.length));
    const colors = data.levels.map(l => rgb(l.color)), unknown = rgb(data.unknown_color);
    this.cells.forEach((v, i) => {
      const color = v === UNKNOWN ? unknown : v > 200 ? null : colors[level(v / 200)];
      if (color)
        image.data.set([...color, 255], 4 * i);
      else if (v === PAUSED)
        image.data.set([128, 128, 128, 70], 4 * i);
    });
    this.image = document.createElement("canvas");
    this.image.width = image.width;
    this.image.height = image.height;
    this.image.getContext("2d").putImageData(image, 0, 0);
    /* Where each group of rows lies between 0 and 1, with room for the gaps' marks. */
    const gaps = target.groups.length - 1, unit = (1 - gaps * GAP) / target.rows.length;
    const heights = target.groups.map(g => Math.max(LEAST, g.nr * unit));
    const scale = (1 - gaps * GAP) / heights.reduce((a, b) => a + b, 0);
    let at = 0;
    this.groups = target.groups.map((g, i) => {
      const group = {...g, top: at, bottom: at + heights[i] * scale};
      at = group.bottom + GAP;
      return group;
    });
    this.listen();
  }

  y(a) {
    return TOP + (a - this.a0) / (this.a1 - this.a0) * (HEIGHT - TOP - BOTTOM);
  }

  rowAt(y) {
    const a = this.a0 + (y - TOP) / (HEIGHT - TOP - BOTTOM) * (this.a1 - this.a0);
    const group = this.groups.find(g => a >= g.top && a < g.bottom);
    return group ? group.first + Math.floor((a - group.top) / (group.bottom - group.top) * group.nr)
      : -1;
  }

  draw() {
    const {c, width, plot} = fit(this.canvas, HEIGHT);
    const bottom = HEIGHT - BOTTOM, from = view.t0 * this.columns, span = (view.t1 - view.t0) * this.columns;
    this.plot = plot;
    c.save();
    c.beginPath();
    c.rect(LEFT, TOP, plot, bottom - TOP);
    c.clip();
    c.imageSmoothingEnabled = false;
    for (const g of this.groups)
      c.drawImage(this.image, from, g.first, span, g.nr, LEFT, this.y(g.top), plot,
        this.y(g.bottom) - this.y(g.top));
    c.fillStyle = css("--faint");
    c.textAlign = "center";
    c.textBaseline = "middle";
    this.groups.slice(1).forEach(g => {
      const y = (this.y(g.top - GAP) + this.y(g.top)) / 2;
      c.fillText("\u2504\u2504 " + size(g.gap) + " not mapped \u2504\u2504", LEFT + plot / 2, y);
    });
    c.restore();
    c.strokeStyle = css("--line");
    c.strokeRect(LEFT, TOP, plot, bottom - TOP);
    this.labels(c, width, bottom);
    timeAxis(c, plot, bottom);
  }

  labels(c, width, bottom) {
    let lastLabel = -99, lastName = -99, last = null;
    c.textBaseline = "middle";
    for (const g of this.groups) {
      for (let i = 0; i < g.nr; i++) {
        const row = this.target.rows[g.first + i];
        const y = this.y(g.top + (g.bottom - g.top) * i / g.nr);
        if (y < TOP - 1 || y > bottom)
          continue;
        if (y - lastLabel > (i ? 34 : 11) && (!i || y + 13 < this.y(g.bottom))) {
          c.fillStyle = css(i ? "--faint" : "--ink");
          c.textAlign = "right";
          c.fillText(i ? "+" + size(row.offset) : row.address, LEFT - 8, Math.max(y, TOP + 6));
          lastLabel = y;
        }
        if (row.name !== last && y - lastName > 12) {
          c.fillStyle = css("--ink");
          c.textAlign = "left";
          c.fillText(row.name, LEFT + this.plot + 8, Math.max(y, TOP + 6), RIGHT - 10);
          lastName = y;
          last = row.name;
        }
      }
      last = null;
    }
  }

  describe(x, y) {
    const row = this.rowAt(y), t = view.t0 + (x - LEFT) / this.plot * (view.t1 - view.t0);
    const column = Math.min(this.columns - 1, Math.floor(t * this.columns));
    if (row < 0 || column < 0 || x < LEFT || x > LEFT + this.plot)
      return null;
    const v = this.cells[row * this.columns + column], r = this.target.rows[row];
    const heat = v === UNKNOWN ? "unknown: can't be watched" : v === PAUSED ? "not watched then"
      : v === UNMAPPED ? "not mapped then" : v / 2 + "% of samples";
    return r.address + "  " + size(r.bytes) + "  " + r.name + "\nat " +
      seconds(data.start_s + t * data.length_s) + ": " + heat;
  }

  zoom(factor, x, y, time, addresses) {
    const fx = Math.min(1, Math.max(0, (x - LEFT) / this.plot));
    const fy = Math.min(1, Math.max(0, (y - TOP) / (HEIGHT - TOP - BOTTOM)));
    if (time)
      [view.t0, view.t1] = around(view.t0, view.t1, factor, fx);
    if (addresses)
      [this.a0, this.a1] = around(this.a0, this.a1, factor, fy);
    drawAll();
  }

  listen() {
    const canvas = this.canvas;
    let drag = null;
    canvas.addEventListener("wheel", e => {
      e.preventDefault();
      this.zoom(e.deltaY < 0 ? 0.8 : 1.25, e.offsetX, e.offsetY, !e.altKey, !e.shiftKey);
    }, {passive: false});
    canvas.addEventListener("pointerdown", e => {
      drag = {x: e.offsetX, y: e.offsetY, t0: view.t0, t1: view.t1, a0: this.a0, a1: this.a1};
      canvas.setPointerCapture(e.pointerId);
    });
    canvas.addEventListener("pointerup", () => { drag = null; });
    canvas.addEventListener("pointerleave", () => { tip.style.display = "none"; });
    canvas.addEventListener("dblclick", () => { this.a0 = 0; this.a1 = 1; view = {...whole}; drawAll(); });
    canvas.addEventListener("pointermove", e => {
      if (drag) {
        const dt = (drag.x - e.offsetX) / this.plot * (drag.t1 - drag.t0);
        const da = (drag.y - e.offsetY) / (HEIGHT - TOP - BOTTOM) * (drag.a1 - drag.a0);
        [view.t0, view.t1] = within(drag.t0 + dt, drag.t1 + dt);
        [this.a0, this.a1] = within(drag.a0 + da, drag.a1 + da);
        drawAll();
      }
      const text = this.describe(e.offsetX, e.offsetY);
      tip.style.display = text ? "block" : "none";
      tip.textContent = text || "";
      tip.style.left = Math.min(e.clientX + 14, window.innerWidth - 320) + "px";
      tip.style.top = e.clientY + 14 + "px";
    });
  }
}

function within(from, to) {
  if (from < 0)
    return [0, Math.min(1, to - from)];
  if (to > 1)
    return [Math.max(0, from - (to - 1)), 1];
  return [from, to];
}

function around(from, to, factor, at) {
  const length = Math.min(1, Math.max((to - from) * factor, 0.002)), centre = from + (to - from) * at;
  return within(centre - length * at, centre + length * (1 - at));
}

function drawWss(canvas) {
  const {c, plot} = fit(canvas, WSS_HEIGHT);
  const bottom = WSS_HEIGHT - BOTTOM, n = data.wss.length, top = data.wss_top;
  const x = i => LEFT + (i / n - view.t0) / (view.t1 - view.t0) * plot;
  const y = v => bottom - v / top * (bottom - TOP);
  c.textAlign = "right";
  c.textBaseline = "middle";
  for (const part of [0, 0.5, 1]) {
    c.strokeStyle = css("--line");
    c.strokeRect(LEFT, y(top * part), plot, 0);
    c.fillStyle = css("--faint");
    c.fillText(size(top * part), LEFT - 8, Math.max(y(top * part), TOP + 6));
  }
  c.save();
  c.beginPath();
  c.rect(LEFT, 0, plot, bottom);
  c.clip();
  c.strokeStyle = c.fillStyle = css("--accent");
  c.lineWidth = 1.5;
  /* One outline for each stretch without a pause. */
  for (let from = 0; from < n; from++) {
    let to = from;
    if (data.wss[from] < 0)
      continue;
    c.beginPath();
    for (; to < n && data.wss[to] >= 0; to++) {
      c.lineTo(x(to), y(data.wss[to]));
      c.lineTo(x(to + 1), y(data.wss[to]));
    }
    c.stroke();
    c.lineTo(x(to), bottom);
    c.lineTo(x(from), bottom);
    c.globalAlpha = 0.25;
    c.fill();
    c.globalAlpha = 1;
    from = to;
  }
  c.restore();
  timeAxis(c, plot, bottom);
}

function drawAll() {
  for (const map of pictures)
    map.draw();
  const wss = document.getElementById("wss");
  if (wss)
    drawWss(wss);
}

function sortTable(table, column) {
  const body = table.tBodies[0], rows = [...body.rows];
  const down = table.dataset.column !== String(column) || table.dataset.down !== "1";
  const key = row => row.cells[column].dataset.key;
  rows.sort((a, b) => (isNaN(key(a)) ? key(a).localeCompare(key(b)) : key(a) - key(b)) * (down ? -1 : 1));
  table.dataset.column = column;
  table.dataset.down = down ? "1" : "0";
  body.append(...rows);
}

data.targets.forEach((target, i) => {
  const canvas = document.getElementById("map" + i);
  if (!target.rows.length)
    return;
  const map = new HeatMap(target, canvas);
  pictures.push(map);
  const centre = () => [LEFT + map.plot / 2, HEIGHT / 2];
  document.getElementById("in" + i).onclick = () => map.zoom(0.5, ...centre(), true, true);
  document.getElementById("out" + i).onclick = () => map.zoom(2, ...centre(), true, true);
  document.getElementById("all" + i).onclick = () => map.zoom(1e6, ...centre(), true, true);
});
document.querySelectorAll("table.sort").forEach(table =>
  [...table.tHead.rows[0].cells].forEach((cell, column) => {
    cell.onclick = () => sortTable(table, column);
  }));
window.addEventListener("resize", drawAll);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
drawAll();
