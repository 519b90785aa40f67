// @ts-check
/** Regions: a box, or what a brush painted, in an input picture. Pure. */

/** @typedef {import('./models.js').Input} Input */

const SMALLEST_SURFACE = 64; // pixels
const THINNEST_SURFACE = 20; // times as long as it is wide

/** @typedef {[number, number]} Point in pixels of the picture, from its left upper corner */
/** @typedef {[number, number, number, number]} Box x, y, width and height in pixels of the picture */
/** @typedef {{digest: string, box?: Box, size?: Point, runs?: number[]}} Region of the input picture
 *   *digest*: a box, or a mask as `region.py` tells of it */

const between = (/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) => Math.max(low, Math.min(high, value));

/** The box between two corners; null where it has no pixel. @type {(from: Point, to: Point, whole: Point) => Box | null} */
export const boxBetween = (from, to, whole) => {
  const sides = [0, 1].map((i) => [Math.min(from[i], to[i]), Math.max(from[i], to[i])]
    .map((at) => between(Math.round(at), 0, whole[i])));
  const [[left, right], [top, bottom]] = sides;
  return right > left && bottom > top ? [left, top, right - left, bottom - top] : null;
};

/** The box after an arrow key: moved, or resized at its right and lower side. @type {(box: Box, key: string, isSized: boolean, step: number, whole: Point) => Box} */
export const boxAfter = ([x, y, width, height], key, isSized, step, whole) => {
  const across = key === 'ArrowRight' ? step : key === 'ArrowLeft' ? -step : 0;
  const down = key === 'ArrowDown' ? step : key === 'ArrowUp' ? -step : 0;
  if (isSized) return [x, y, between(width + across, 1, whole[0] - x), between(height + down, 1, whole[1] - y)];
  return [between(x + across, 0, whole[0] - width), between(y + down, 0, whole[1] - height), width, height];
};

/** The box that a text says. Throws where it is none, or leaves the picture. @type {(text: string, whole: Point) => Box} */
export const readBox = (text, whole) => {
  const numbers = text.trim().split(/[\s,;]+/).map(Number);
  const [x, y, width, height] = numbers;
  if (numbers.length !== 4 || !numbers.every(Number.isInteger)) throw new Error(`${text.trim()} is not four whole numbers: x, y, width and height.`);
  if (width < 1 || height < 1) throw new Error(`A region ${width} pixels wide and ${height} high is none.`);
  if (x < 0 || y < 0 || x + width > whole[0] || y + height > whole[1]) {
    throw new Error(`${numbers.join()} leaves the picture (${whole[0]}x${whole[1]}).`);
  }
  return [x, y, width, height];
};

/** Paint a line of discs into a mask (1: inside); in place. @type {(mask: Uint8Array, size: Point, from: Point, to: Point, radius: number, value: number) => void} */
export const paint = (mask, [width, height], from, to, radius, value) => {
  const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / Math.max(1, radius / 3)));
  for (let step = 0; step <= steps; step += 1) {
    const x = from[0] + ((to[0] - from[0]) * step) / steps;
    const y = from[1] + ((to[1] - from[1]) * step) / steps;
    for (let row = Math.max(0, Math.ceil(y - radius - 0.5)); row + 0.5 <= y + radius && row < height; row += 1) {
      const half = Math.sqrt(Math.max(0, radius * radius - (row + 0.5 - y) ** 2));
      const start = between(Math.round(x - half), 0, width);
      mask.fill(value, row * width + start, row * width + Math.max(start, between(Math.round(x + half), 0, width)));
    }
  }
};

/** How many pixels of a mask are outside and inside in turn. @type {(mask: Uint8Array) => number[]} */
export const runsOf = (mask) => {
  const runs = [];
  let start = 0;
  let inside = 0;
  for (let i = 0; i <= mask.length; i += 1) {
    if (i === mask.length || mask[i] !== inside) {
      runs.push(i - start);
      start = i;
      inside = 1 - inside;
    }
  }
  return runs;
};

/** The mask of which those are the runs. @type {(runs: number[], length: number) => Uint8Array} */
export const maskOf = (runs, length) => {
  const mask = new Uint8Array(length);
  let at = 0;
  runs.forEach((run, i) => { mask.fill(i % 2, at, at + run); at += run; });
  return mask;
};

/** The mask at another size than the box is told in. @type {(box: Box, whole: Point, size: Point) => Uint8Array} */
export const maskOfBox = ([x, y, width, height], whole, size) => {
  const mask = new Uint8Array(size[0] * size[1]);
  const [left, right] = [x, x + width].map((at) => Math.round((at * size[0]) / whole[0]));
  const [top, bottom] = [y, y + height].map((at) => Math.round((at * size[1]) / whole[1]));
  for (let row = top; row < bottom; row += 1) mask.fill(1, row * size[0] + left, row * size[0] + right);
  return mask;
};

/** The least box around a mask, in pixels of the picture; null where it is empty. @type {(mask: Uint8Array, size: Point, whole: Point) => Box | null} */
export const boxAround = (mask, size, whole) => {
  const [width] = size;
  let [left, right, top, bottom] = [width, -1, -1, -1];
  for (let row = 0; row < size[1]; row += 1) {
    const first = mask.subarray(row * width, (row + 1) * width).indexOf(1);
    if (first >= 0) {
      const last = mask.subarray(row * width, (row + 1) * width).lastIndexOf(1);
      if (top < 0) top = row;
      [left, right, bottom] = [Math.min(left, first), Math.max(right, last), row];
    }
  }
  const scale = [whole[0] / width, whole[1] / size[1]];
  return top < 0 ? null : boxBetween([left * scale[0], top * scale[1]], [(right + 1) * scale[0], (bottom + 1) * scale[1]], whole);
};

/** The part of the picture that a region is. @type {(region: Region, whole: Point) => number} */
export const partOf = ({box, size, runs}, whole) => {
  if (box) return (box[2] * box[3]) / (whole[0] * whole[1]);
  const inside = (runs || []).reduce((sum, run, i) => sum + (i % 2 ? run : 0), 0);
  return inside / (size ? size[0] * size[1] : 1);
};

/** Why a request with a region is not sent; empty: it is. @type {(region: Region | null, inputs: Input[], isOpen: boolean) => string} */
export const regionProblem = (region, inputs, isOpen) => {
  if (!region) return isOpen ? 'No region is drawn yet. Draw where the picture may change, or close it to change the whole. Nothing was sent.' : '';
  const input = inputs.find(({digest}) => digest === region.digest);
  const whole = input?.whole;
  if (!whole) return 'The picture in which the region was drawn is not there any more. Nothing was sent.';
  if (inputs.length > 1) return `A region needs one input picture, and there are ${inputs.length}. Take the others away, or the region. Nothing was sent.`;
  if (!partOf(region, whole)) return 'The region is empty: it leaves no pixel to change. Nothing was sent.';
  try { if (region.box) readBox(region.box.join(), whole); } catch (/** @type {any} */ error) { return `${error.message} Nothing was sent.`; }
  return '';
};

/** The sides of the surface on which a picture is drawn on: its own shape, but for one that nobody could see or hit.
 * @type {(size: Point) => Point} */
export const surfaceOf = ([width, height]) => {
  const longest = Math.max(width, height, SMALLEST_SURFACE);
  const scale = longest / Math.max(width, height);
  const least = longest / THINNEST_SURFACE;
  return [Math.max(width * scale, least), Math.max(height * scale, least)];
};

/** A region in words. @type {(region: Region, whole: Point) => string} */
export const regionWords = (region, whole) => {
  if (region.box) return `${region.box[2]}×${region.box[3]} at ${region.box[0]},${region.box[1]}`;
  const part = partOf(region, whole) * 100;
  return `${part < 1 ? 'under 1' : Math.round(part)} % of the picture`;
};
