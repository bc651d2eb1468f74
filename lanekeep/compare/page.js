// The two drives: a slider over time, layers over the pictures, bars of what steers beside bars of what the map shows.
"use strict";
const study = JSON.parse(document.getElementById("study").textContent);
const slider = document.getElementById("time"), play = document.getElementById("play"), clock = document.getElementById("clock");
const layers = [...document.querySelectorAll("input[name=layer]")];
const heads = [...document.querySelectorAll(".share")]; // over the bars of each driver's map
const pixels = new Map(); // element id of a sprite -> its numbers

function strip(id) { // a sprite: all frames of a drive below each other
  if (!pixels.has(id)) {
    const image = document.getElementById(id), canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
    const context = canvas.getContext("2d", {willReadFrequently: true});
    context.drawImage(image, 0, 0);
    pixels.set(id, context.getImageData(0, 0, canvas.width, canvas.height).data);
  }
  return pixels.get(id);
}

const heat = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]]; // inferno
function hot(share) {
  const at = Math.min(share, 1) * (heat.length - 1), k = Math.min(Math.floor(at), heat.length - 2), rest = at - k;
  return heat[k].map((low, c) => low + rest * (heat[k + 1][c] - low));
}

function paint(drive, k, layer) {
  const canvas = document.getElementById("view" + drive.id), context = canvas.getContext("2d");
  const size = drive.width * drive.height, frame = strip("frames" + drive.id), picture = context.createImageData(drive.width, drive.height);
  const map = layer === "none" ? null : strip(layer + drive.id), signed = map && study.layers[layer].signed;
  for (let p = 0; p < size; p++) {
    const from = 4 * (k * size + p), to = 4 * p;
    let colour = [frame[from], frame[from + 1], frame[from + 2]];
    if (map) {
      const grey = 0.75 * (0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]);
      let share = map[from] / 255, over;
      if (signed) {
        const value = (map[from] - 128) / 127;
        share = Math.abs(value);
        over = value > 0 ? [255, 160, 30] : [70, 170, 255];
      } else over = hot(0.25 + 0.75 * share);
      const alpha = Math.min(1, 1.15 * share);
      colour = over.map(c => alpha * c + (1 - alpha) * grey);
    }
    picture.data.set([colour[0], colour[1], colour[2], 255], to);
  }
  context.putImageData(picture, 0, 0);
}

function side(id, value, scale) { // a bar to the left or to the right of the middle
  const bar = document.getElementById(id), width = 50 * Math.min(Math.abs(value) / scale, 1);
  bar.style.width = width + "%";
  bar.style.left = (value > 0 ? 50 - width : 50) + "%";
  bar.className = value > 0 ? "fill leftward" : "fill rightward";
}

function show() {
  const k = +slider.value, layer = layers.find(l => l.checked).value;
  clock.textContent = (k * study.seconds).toFixed(1) + " s";
  for (const drive of study.drives) {
    const at = Math.min(k, drive.count - 1);
    paint(drive, at, layer);
    document.getElementById("says" + drive.id).textContent = drive.says[at] + (k > at ? " (its drive is over)" : "");
    study.elements.forEach((_, e) => {
      side("effect" + drive.id + "-" + e, drive.effects[at][e], study.scale);
      const share = layer in drive.shares ? drive.shares[layer][at][e] : 0;
      document.getElementById("share" + drive.id + "-" + e).style.width = 100 * Math.min(share, 1) + "%";
    });
  }
  const line = document.getElementById("cursor");
  if (line) {
    const field = line.ownerSVGElement.querySelector(".rule"), [left, right] = ["x1", "x2"].map(end => +field.getAttribute(end));
    const x = left + (right - left) * k / Math.max(1, +slider.max);
    line.setAttribute("x1", x); line.setAttribute("x2", x);
  }
  const title = layer in study.drives[0].shares ? "share of " + study.layers[layer].title : "share of a map (choose one)";
  heads.forEach(head => { head.textContent = title; });
}

let timer = null;
function toggle() {
  if (timer) { clearInterval(timer); timer = null; }
  else timer = setInterval(() => { slider.value = +slider.value >= +slider.max ? 0 : +slider.value + 1; show(); }, 1000 * study.seconds);
  play.textContent = timer ? "Pause" : "Play";
}
slider.addEventListener("input", show);
layers.forEach(l => l.addEventListener("change", show));
play.addEventListener("click", toggle);
Promise.all([...document.querySelectorAll("img.sprite")].map(image => image.decode())).then(() => {
  show();
  document.body.dataset.ready = "yes";
});
