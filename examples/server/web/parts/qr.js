// QR codes (ISO/IEC 18004): bytes, error correction level M, versions 1 to 10; enough for any link of this server.

import { svg } from "./dom.js";

// By version: code words for correction in each block, then blocks of how many data code words.
const BLOCKS = [
  null,
  { correction: 10, data: [16] },
  { correction: 16, data: [28] },
  { correction: 26, data: [44] },
  { correction: 18, data: [32, 32] },
  { correction: 24, data: [43, 43] },
  { correction: 16, data: [27, 27, 27, 27] },
  { correction: 18, data: [31, 31, 31, 31] },
  { correction: 22, data: [38, 38, 39, 39] },
  { correction: 22, data: [36, 36, 36, 37, 37] },
  { correction: 26, data: [43, 43, 43, 43, 44] },
];
// By version: the middles of the alignment patterns.
const ALIGNMENT = [
  null,
  [],
  [6, 18],
  [6, 22],
  [6, 26],
  [6, 30],
  [6, 34],
  [6, 22, 38],
  [6, 24, 42],
  [6, 26, 46],
  [6, 28, 50],
];

// Logarithms in the field of 256 elements with the polynomial x⁸ + x⁴ + x³ + x² + 1.
const EXP = new Uint8Array(510);
const LOG = new Uint8Array(256);
for (let i = 0, x = 1; i < 255; i += 1) {
  EXP[i] = x;
  EXP[i + 255] = x;
  LOG[x] = i;
  x = x & 128 ? (x << 1) ^ 0x11d : x << 1;
}

/** The picture of a text, or null where it is too long for one. */
export function qrCode(text) {
  const modules = encode(text);
  if (modules === null) return null;
  const size = modules.length;
  const quiet = 4;
  let path = "";
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      if (modules[y][x]) path += `M${x + quiet} ${y + quiet}h1v1h-1z`;
    }
  }
  const whole = size + 2 * quiet;
  // Its ground is white in the dark too: many readers cannot see light on dark.
  return svg(
    "svg",
    {
      viewBox: `0 0 ${whole} ${whole}`,
      class: "qr-code",
      role: "img",
      "aria-label": "QR code of the link",
      "shape-rendering": "crispEdges",
    },
    svg("rect", { width: whole, height: whole, fill: "#fff" }),
    svg("path", { d: path, fill: "#000" }),
  );
}

/** The modules, row by row, true for dark; null where the text is too long. */
export function encode(text) {
  const bytes = new TextEncoder().encode(text);
  const version = BLOCKS.findIndex((blocks, v) => blocks && bytes.length <= capacity(v));
  if (version < 0) return null;
  const words = interleave(version, dataWords(version, bytes));
  let best = null;
  for (let mask = 0; mask < 8; mask += 1) {
    const modules = draw(version, words, mask);
    const cost = penalty(modules);
    if (best === null || cost < best.cost) best = { modules, cost };
  }
  return best.modules;
}

function lengthBits(version) {
  return version < 10 ? 8 : 16;
}

function capacity(version) {
  const words = BLOCKS[version].data.reduce((sum, count) => sum + count, 0);
  return Math.floor((words * 8 - 4 - lengthBits(version)) / 8);
}

function dataWords(version, bytes) {
  const count = BLOCKS[version].data.reduce((sum, words) => sum + words, 0);
  const bits = [];
  const put = (value, length) => {
    for (let i = length - 1; i >= 0; i -= 1) bits.push((value >>> i) & 1);
  };
  put(0b0100, 4);
  put(bytes.length, lengthBits(version));
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, count * 8 - bits.length));
  while (bits.length % 8 !== 0) bits.push(0);
  const words = [];
  for (let i = 0; i < bits.length; i += 8) words.push(bits.slice(i, i + 8).reduce((byte, bit) => byte * 2 + bit, 0));
  for (let pad = 0xec; words.length < count; pad ^= 0xec ^ 0x11) words.push(pad);
  return words;
}

/** One word of each block in turn: first all data, then all correction. */
function interleave(version, words) {
  const { correction, data } = BLOCKS[version];
  const generator = generatorOf(correction);
  let start = 0;
  const blocks = data.map((count) => {
    const block = words.slice(start, start + count);
    start += count;
    return { block, rest: remainder(block, generator) };
  });
  const result = [];
  for (let i = 0; i < Math.max(...data); i += 1) {
    for (const { block } of blocks) if (i < block.length) result.push(block[i]);
  }
  for (let i = 0; i < correction; i += 1) {
    for (const { rest } of blocks) result.push(rest[i]);
  }
  return result;
}

function multiply(a, b) {
  return a === 0 || b === 0 ? 0 : EXP[LOG[a] + LOG[b]];
}

/** The product of (x − 2ⁱ), without its leading one. */
function generatorOf(degree) {
  let polynomial = [1];
  for (let i = 0; i < degree; i += 1) {
    const next = [...polynomial, 0];
    for (let j = 0; j < polynomial.length; j += 1) next[j + 1] ^= multiply(polynomial[j], EXP[i]);
    polynomial = next;
  }
  return polynomial.slice(1);
}

function remainder(block, generator) {
  const rest = new Array(generator.length).fill(0);
  for (const word of block) {
    const factor = word ^ rest.shift();
    rest.push(0);
    generator.forEach((coefficient, i) => {
      rest[i] ^= multiply(coefficient, factor);
    });
  }
  return rest;
}

const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

function draw(version, words, mask) {
  const size = 17 + 4 * version;
  const modules = Array.from({ length: size }, () => new Array(size).fill(false));
  // What belongs to the frame, where no data goes.
  const taken = Array.from({ length: size }, () => new Array(size).fill(false));
  const set = (x, y, dark) => {
    if (x < 0 || y < 0 || x >= size || y >= size) return;
    modules[y][x] = dark;
    taken[y][x] = true;
  };
  drawFrame(version, size, set, taken);
  drawFormat(size, mask, set);
  if (version >= 7) drawVersion(version, size, set);
  drawWords(size, words, MASKS[mask], modules, taken);
  return modules;
}

function drawFrame(version, size, set, taken) {
  for (let i = 0; i < size; i += 1) {
    set(6, i, i % 2 === 0);
    set(i, 6, i % 2 === 0);
  }
  for (const [left, top] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ]) {
    for (let dy = -4; dy <= 4; dy += 1) {
      for (let dx = -4; dx <= 4; dx += 1) {
        const ring = Math.max(Math.abs(dx), Math.abs(dy));
        set(left + dx, top + dy, ring !== 2 && ring !== 4);
      }
    }
  }
  const places = ALIGNMENT[version];
  for (const y of places) {
    for (const x of places) {
      // The three corners have finder patterns; on the timing lines alignment patterns do go.
      if (taken[y][x] && x !== 6 && y !== 6) continue;
      if ((x === 6 && (y === 6 || y === size - 7)) || (y === 6 && x === size - 7)) continue;
      for (let dy = -2; dy <= 2; dy += 1) {
        for (let dx = -2; dx <= 2; dx += 1) set(x + dx, y + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
      }
    }
  }
}

/** Level M is 00, so these bits are the mask's alone, with their own correction. */
function drawFormat(size, mask, set) {
  let rest = mask;
  for (let i = 0; i < 10; i += 1) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
  const bits = ((mask << 10) | rest) ^ 0x5412;
  const bit = (i) => ((bits >>> i) & 1) === 1;
  for (let i = 0; i <= 5; i += 1) set(8, i, bit(i));
  set(8, 7, bit(6));
  set(8, 8, bit(7));
  set(7, 8, bit(8));
  for (let i = 9; i < 15; i += 1) set(14 - i, 8, bit(i));
  for (let i = 0; i < 8; i += 1) set(size - 1 - i, 8, bit(i));
  for (let i = 8; i < 15; i += 1) set(8, size - 15 + i, bit(i));
  set(8, size - 8, true);
}

function drawVersion(version, size, set) {
  let rest = version;
  for (let i = 0; i < 12; i += 1) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let i = 0; i < 18; i += 1) {
    const dark = ((bits >>> i) & 1) === 1;
    const [a, b] = [size - 11 + (i % 3), Math.floor(i / 3)];
    set(a, b, dark);
    set(b, a, dark);
  }
}

/** In columns of two, from the right, up and down in turn. */
function drawWords(size, words, mask, modules, taken) {
  let bit = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step += 1) {
      for (const x of [right, right - 1]) {
        const upward = ((right + 1) & 2) === 0;
        const y = upward ? size - 1 - step : step;
        if (taken[y][x]) continue;
        const dark = bit < words.length * 8 && ((words[bit >>> 3] >>> (7 - (bit & 7))) & 1) === 1;
        modules[y][x] = dark !== mask(x, y);
        bit += 1;
      }
    }
  }
}

/** How hard it would be to read: the mask that costs least is taken. */
function penalty(modules) {
  const size = modules.length;
  const lines = [...modules, ...modules.map((_, x) => modules.map((line) => line[x]))];
  let cost = 0;
  for (const line of lines) {
    const text = line.map((dark) => (dark ? "1" : "0")).join("");
    for (const run of text.match(/1{5,}|0{5,}/g) ?? []) cost += run.length - 2;
    for (const pattern of ["10111010000", "00001011101"]) {
      for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + 1)) cost += 40;
    }
  }
  for (let y = 1; y < size; y += 1) {
    for (let x = 1; x < size; x += 1) {
      const dark = modules[y][x];
      if (dark === modules[y - 1][x] && dark === modules[y][x - 1] && dark === modules[y - 1][x - 1]) cost += 3;
    }
  }
  const share = modules.flat().filter(Boolean).length / (size * size);
  return cost + Math.floor(Math.abs(share - 0.5) * 20) * 10;
}
