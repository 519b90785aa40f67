// @ts-check
/**
 * The panel in the page. What it and the kernel tell each other stands in `protocol.py`.
 *
 * First what is pure (exported, and tested by itself), then pieces of a page, then the parts of the
 * panel. Whatever goes wrong in here is shown in the panel (`guarded`).
 */

// -- what is known of models

/** @typedef {{name: string, prefixes: string[], vendor: string, sizes: string[],
 *   labels: string[][], default_size: string | null, qualities: string[], n_max: number,
 *   images_max: number, images_min: number, ignored: string[],
 *   pixels: [number, number] | null, ratio: [number, number] | null, sides: [number, number],
 *   multiple: number, prompt_max: number | null, note: string}} Family */
/** @typedef {{name: string, label: string, kind: string, only: string, choices: string[],
 *   hint: string}} Field */
/** @typedef {{families: Family[], unknown: Family, fields: Field[],
 *   badges: Record<string, [string, string]>}} Table */
/** @typedef {{name: string, prompt: string | null, fields: Record<string, any>}} Preset */
/** @typedef {Record<string, any>} Controls by the API's names; "" and null: not set */
/** @typedef {{digest: string, label: string, note: string, url: string,
 *   size: [number, number] | null, whole: [number, number] | null, tile: DataView | null}} Input
 *   *whole*: pixels of the picture as it was given, where a region can be drawn in it */

const CLOSE = 0.03;
const QUALITIES = ['auto', 'low', 'medium', 'high'];
const SOME = 6;
const SMALLEST_SURFACE = 64; // pixels
const THINNEST_SURFACE = 20; // times as long as it is wide

/** The family of a model, by its longest prefix. @type {(table: Table, model: string) => Family | null} */
export const familyOf = (table, model) => {
  const name = model.toLowerCase();
  let best = null;
  let length = -1;
  for (const family of table.families) {
    for (const prefix of family.prefixes) {
      if (name.startsWith(prefix) && prefix.length > length) [best, length] = [family, prefix.length];
    }
  }
  return best;
};

/** The sides of `1536x1024`, else null. @type {(size: string) => [number, number] | null} */
export const parseSize = (size) => {
  const found = /^([1-9][0-9]{0,4})x([1-9][0-9]{0,4})$/.exec(size);
  return found ? [Number(found[1]), Number(found[2])] : null;
};

/** A size as the request reads it; a ratio and `same` are made a size there. Null: no size.
 * @type {(text: string) => string | null} */
export const readSize = (text) => {
  const plain = text.trim().replace(/\s*[xX×✕*\u0445]\s*/g, 'x');
  if (/^(auto|same)$/i.test(plain)) return plain.toLowerCase();
  if (/^\d(\.\d)?k$/i.test(plain)) return plain.toUpperCase();
  const ratio = /^(\d{1,4})\s*[:/]\s*(\d{1,4})$/.exec(plain);
  if (ratio) return Number(ratio[1]) && Number(ratio[2]) ? `${ratio[1]}:${ratio[2]}` : null;
  const sides = /^(\d{1,5})x(\d{1,5})$/.exec(plain);
  if (!sides || !Number(sides[1]) || !Number(sides[2])) return null;
  return `${Number(sides[1])}x${Number(sides[2])}`;
};

/** @type {(family: Family, width: number, height: number) => boolean} */
const isWithin = (family, width, height) => {
  const {pixels, ratio, sides, multiple} = family;
  if (!pixels || width % multiple || height % multiple) return false;
  const [low, high] = ratio || [0, Infinity];
  return pixels[0] <= width * height && width * height <= pixels[1]
    && sides[0] <= Math.min(width, height) && Math.max(width, height) <= sides[1]
    && low <= width / height && width / height <= high;
};

/** Whether a family is known to take a size. @type {(family: Family, size: string) => boolean} */
export const acceptsSize = (family, size) => {
  if (family.sizes.includes(size) || family.sizes.includes(size.toUpperCase())) return true;
  const sides = parseSize(size);
  return sides !== null && isWithin(family, ...sides);
};

/** Whether a further field does anything. @type {(table: Table, model: string, name: string, dialect: string | null) => boolean} */
export const hasEffect = (table, model, name, dialect) => {
  const family = familyOf(table, model) || table.unknown;
  if (name === 'dialect') return family.vendor === 'aliyun' || family.vendor === '';
  const field = table.fields.find((one) => one.name === name);
  return !family.ignored.includes(name) && !!field
    && (!field.only || field.only === (dialect || 'openai'));
};

/** The qualities that a model has a meaning for. @type {(family: Family) => string[]} */
const meant = (family) => (family.ignored.includes('quality') ? [] : family.qualities);

/** What is offered as quality, and whether it is believed to be ignored. @type {(table: Table, controls: Controls) => {words: string[], isIgnored: boolean}} */
export const qualitiesOf = (table, controls) => {
  const known = meant(familyOf(table, controls.model) || table.unknown);
  const words = [...(known.length ? known : QUALITIES)];
  if (controls.quality && !words.includes(controls.quality)) words.push(controls.quality);
  return {words, isIgnored: !known.length};
};

/** The controls for another model: what it does not take goes back to its default. @type {(table: Table, controls: Controls, model: string) => Controls} */
export const adapted = (table, controls, model) => {
  const known = familyOf(table, model);
  const family = known || table.unknown;
  const isTaken = !known || controls.size === '' || controls.size === 'same'
    || acceptsSize(known, controls.size);
  const dialect = hasEffect(table, model, 'dialect', null) ? controls.dialect : null;
  /** @type {Controls} */
  const now = {
    ...controls,
    model,
    size: isTaken ? controls.size : '',
    quality: meant(family).includes(controls.quality) ? controls.quality : '',
    n: Math.min(controls.n, family.n_max),
  };
  for (const {name} of table.fields) {
    if (!hasEffect(table, model, name, dialect)) now[name] = null;
  }
  return now;
};

/** A prompt in a preset's words; braces in it are text. @type {(preset: Preset | null, prompt: string) => string} */
export const around = (preset, prompt) => {
  const text = prompt.trim();
  const pieces = /** @type {Record<string, string>} */ ({'{{': '{', '}}': '}', '{prompt}': text});
  if (!preset || preset.prompt === null || !text) return text;
  return preset.prompt.replace(/\{\{|\}\}|\{prompt\}|[{}]/g, (piece) => pieces[piece] ?? piece);
};

const isEmpty = (/** @type {any} */ value) => value === '' || value === null || value === undefined;
const isSame = (/** @type {any} */ one, /** @type {any} */ other) => JSON.stringify(one) === JSON.stringify(other);
const UNSET = /** @type {Record<string, any>} */ ({size: '', quality: '', n: 1});

/** The controls where what they leave open is what the preset says. @type {(controls: Controls, preset: Preset | null) => Controls} */
export const settled = (controls, preset) => {
  const now = {...controls};
  for (const [name, value] of Object.entries(preset ? preset.fields : {})) {
    if (name === 'extra') now.extra = {...value, ...now.extra};
    else if (isEmpty(now[name])) now[name] = value;
  }
  return now;
};

/** The controls for another preset: they show what it sets. What the former one had set is taken
 * back, but for the model. @type {(table: Table, controls: Controls, former: Preset | null, preset: Preset | null) => Controls} */
export const withPreset = (table, controls, former, preset) => {
  /** @type {Controls} */
  let now = {...controls, preset: preset ? preset.name : ''};
  for (const [name, value] of Object.entries(former ? former.fields : {})) {
    if (name !== 'model' && isSame(now[name], value)) now[name] = UNSET[name] ?? null;
  }
  const fields = preset ? preset.fields : {};
  if ((fields.model ?? now.model) !== now.model) now = adapted(table, now, fields.model);
  const extra = fields.extra ? {extra: {...fields.extra, ...now.extra}} : {};
  return {...now, ...fields, ...extra};
};

/** The chips of size: value, and two lines. @type {(table: Table, controls: Controls, hasInputs: boolean, preset?: Preset | null) => {value: string, lines: string[]}[]} */
export const sizesOf = (table, controls, hasInputs, preset = null) => {
  const family = familyOf(table, controls.model) || table.unknown;
  const standard = family.default_size;
  const first = standard ? standard.replace('x', '×') : 'the model chooses';
  const chips = preset?.fields.size ? [] : [{value: '', lines: ['default', first]}];
  if (hasInputs) chips.push({value: 'same', lines: ['same', 'as the picture']});
  family.sizes.forEach((value, i) => {
    // The default has a chip of its own; asked for by name it is another request.
    if (value !== standard || controls.size === standard) {
      chips.push({value, lines: family.labels[i]});
    }
  });
  return chips;
};

/** The fields of the API that are set. @type {(controls: Controls, inputs: Input[]) => string[]} */
const setFields = (controls, inputs) => Object.keys(controls)
  .filter((name) => {
    const value = controls[name];
    if (['edit', 'preset', 'only'].includes(name) || value === null || value === '') return false;
    if (name === 'n') return value !== 1;
    if (name === 'dialect') return value !== 'openai';
    return !(name === 'extra' && !Object.keys(value).length);
  })
  .concat(inputs.length ? ['image'] : [])
  .sort();

/** @type {(sizes: string[]) => string} */
const some = (sizes) => sizes.slice(0, SOME).join(', ') + (sizes.length > SOME ? ' …' : '') || 'others';

/** The sides of an input that the default size would crop or stretch. @type {(family: Family, inputs: Input[]) => [number, number] | null} */
const otherShape = (family, inputs) => {
  const standard = parseSize(family.default_size || '');
  const sides = inputs.length ? inputs[0].size : null;
  if (!standard || !sides) return null;
  const off = Math.abs(Math.log(sides[0] / sides[1] / (standard[0] / standard[1])));
  return off <= CLOSE ? null : sides;
};

/** What one should know before sending; as `client/wire/hints.py` says it. @type {(table: Table, controls: Controls, inputs: Input[]) => string[]} */
export const hintsOf = (table, controls, inputs) => {
  if (!controls.prompt.trim()) return [];
  const {model, n} = controls;
  const size = controls.size && readSize(controls.size);
  if (size === null) {
    return [`'${controls.size}' is not a size. Write width x height such as 1024x1024, a ratio such as 16:9, 2K, auto, or same.`];
  }
  const family = familyOf(table, model);
  const asked = setFields(controls, inputs);
  const found = [];
  if (controls.output_compression === 0) {
    found.push('output_compression=0 is dropped by the platform; 1 is the least that it passes on.');
  }
  if (!family) return found;
  if (size && size !== 'same' && !size.includes(':') && !acceptsSize(family, size)) {
    found.push(`${model} may refuse size ${size}; it takes ${some(family.sizes)}.`);
  }
  if (n > family.n_max) {
    found.push(`${model} makes at most ${family.n_max} at once; n=${n} may be refused.`);
  }
  if (inputs.length > family.images_max) {
    found.push(`${model} takes at most ${family.images_max} input pictures; ${inputs.length} are given.`);
  }
  if (inputs.length < family.images_min) {
    found.push(`${model} edits: it needs ${family.images_min} input picture or more.`);
  }
  const shape = size || (controls.extra && 'size' in controls.extra) ? null : otherShape(family, inputs);
  if (shape) {
    found.push(`No size is named, so ${family.default_size} is what may come: size same keeps the `
      + `shape of the input picture (${shape[0]}x${shape[1]}).`);
  }
  if (family.prompt_max !== null && [...controls.prompt].length > family.prompt_max) {
    found.push(`${model} reads at most ${family.prompt_max} characters of a prompt.`);
  }
  const ignored = asked.filter((name) => family.ignored.includes(name));
  if (ignored.length) found.push(`${model} ignores ${ignored.join(', ')}.`);
  return found;
};

/** What the model takes as input pictures, in words. @type {(family: Family) => string} */
export const takes = (family) => {
  if (!family.images_max) return 'the model takes none: it paints from the prompt alone';
  return family.images_min ? `the model needs 1 to ${family.images_max}` : `the model takes up to ${family.images_max}`;
};

/** What the text of a further field means; null: not set. Throws where it cannot be read. @type {(field: Field, text: string) => any} */
export const readField = (field, text) => {
  const plain = text.trim();
  if (!plain) return null;
  if (field.kind === 'flag') return plain === 'yes';
  if (field.kind === 'integer') {
    if (!/^[+-]?[0-9]+$/.test(plain)) throw new Error(`${field.label} is not a whole number.`);
    return Number(plain);
  }
  if (field.kind !== 'pairs') return plain;
  const wrong = new Error(`${field.label} is not JSON such as {"field": 1}.`);
  let found = null;
  try { found = JSON.parse(plain); } catch { throw wrong; }
  if (found === null || typeof found !== 'object' || Array.isArray(found)) throw wrong;
  return found;
};

/** The text that a further field shows. @type {(field: Field, value: any) => string} */
export const textOf = (field, value) => {
  if (value === null || value === undefined) return '';
  if (field.kind === 'flag') return value ? 'yes' : 'no';
  if (field.kind === 'pairs') return Object.keys(value).length ? JSON.stringify(value) : '';
  return String(value);
};

/** What was put into a preset's words, where a prompt is that. @type {(preset: Preset | null, prompt: string) => string} */
export const unwrapped = (preset, prompt) => {
  if (!preset || preset.prompt === null) return prompt;
  const parts = preset.prompt.split('{prompt}').map((words) => around({...preset, prompt: words}, '-'));
  const [before, after] = [parts[0], parts[parts.length - 1]];
  const inside = prompt.slice(before.length, prompt.length - after.length);
  return inside && around(preset, inside) === prompt ? inside : prompt;
};

// -- what is kept: the history of prompts, and tags

/** @typedef {{record: string, key: string, prompt: string, model: string, made: string}} Past a prompt of the library: its newest record and that one's picture */

/** @typedef {{text: string, rows: Past[], after: any[], isAll: boolean, isThere: boolean, isAsked: boolean}} History the prompts with some words */

/** What is known of the prompts with some words before the kernel is asked. @type {(text: string) => History} */
const unasked = (text) => ({text, rows: [], after: [], isAll: false, isThere: false, isAsked: false});

/** Text as it is searched: without case, each letter in one form. @type {(text: string) => string} */
const folded = (text) => text.normalize('NFKC').toLowerCase();

/** Each prompt once that holds every word of a text, newest first. @type {(known: Past[], text: string) => Past[]} */
export const promptsWith = (known, text) => {
  const words = folded(text).split(/\s+/).filter(Boolean);
  const newest = /** @type {Map<string, Past>} */ (new Map());
  for (const one of known) {
    const before = newest.get(one.prompt);
    if (one.prompt.trim() && (!before || before.made < one.made)) newest.set(one.prompt, one);
  }
  return [...newest.values()].filter(({prompt}) => words.every((word) => folded(prompt).includes(word)))
    .sort((one, other) => (one.made < other.made ? 1 : one.made > other.made ? -1 : 0));
};

/** A tag as it is kept, without its `#`. Throws where it is none. @type {(text: string) => string} */
export const readTag = (text) => {
  const tag = text.trim().replace(/^#/, '');
  if (!tag || /^["']|["']$|\s/.test(tag) || [...tag].length > 64) {
    throw new Error(`'${text.trim()}' is no tag. A tag is one word of at most 64 letters.`);
  }
  return tag;
};

/** The tags that complete what is typed, those that begin with it first. @type {(tags: string[], text: string, own: string[]) => string[]} */
export const tagsLike = (tags, text, own) => {
  const typed = folded(text.trim().replace(/^#/, ''));
  const has = new Set(own.map(folded));
  const found = tags.filter((tag) => !has.has(folded(tag)) && folded(tag).includes(typed));
  return [...found.filter((tag) => folded(tag).startsWith(typed)), ...found.filter((tag) => !folded(tag).startsWith(typed))];
};

/** The place in a list that a key leads to, -1 being its text field; null for another key. @type {(key: string, place: number, count: number) => number | null} */
export const stepped = (key, place, count) => {
  if (!count) return null;
  const steps = /** @type {Record<string, number>} */ ({
    ArrowDown: place + 1 < count ? place + 1 : -1,
    ArrowUp: place < 0 ? count - 1 : place - 1,
    PageDown: Math.min(count - 1, place + 5),
    PageUp: Math.max(0, place - 5),
  });
  return steps[key] ?? null;
};

// -- regions: a box, or what a brush painted, in an input picture

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

// -- files

const STARTS = /** @type {[number, number[]][]} */ ([
  [0, [0x89, 0x50, 0x4e, 0x47]], // PNG
  [0, [0xff, 0xd8, 0xff]], // JPEG
  [0, [0x47, 0x49, 0x46, 0x38]], // GIF
  [0, [0x42, 0x4d]], // BMP
  [0, [0x49, 0x49, 0x2a, 0]], // TIFF
  [0, [0x4d, 0x4d, 0, 0x2a]],
  [8, [0x57, 0x45, 0x42, 0x50]], // WebP
  [4, [0x66, 0x74, 0x79, 0x70]], // AVIF, HEIC
]);

/** Whether bytes begin as a picture does. @type {(head: Uint8Array) => boolean} */
export const isPicture = (head) => STARTS.some(
  ([at, magic]) => magic.every((byte, i) => head[at + i] === byte));

/** @type {(bytes: number) => string} */
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Why a file is not sent; empty: it is. @type {(name: string, size: number, head: Uint8Array, limit: number) => string} */
export const fileProblem = (name, size, head, limit) => {
  if (size > limit) {
    return `${name} has ${megabytes(size)}; an upload may have ${megabytes(limit)}. It was not sent. `
      + 'Put the file beside the notebook and give its path: that has no limit.';
  }
  return isPicture(head) ? ''
    : `'${name}' is not an image that can be opened. Use PNG, JPEG or WebP. It was not sent.`;
};

/** Where each piece of a file begins. @type {(size: number, step: number) => number[]} */
export const pieces = (size, step) => Array.from({length: Math.max(1, Math.ceil(size / step))}, (_, i) => i * step);

/** The place that an arrow key leads to in a grid. @type {(key: string, place: number, count: number, columns: number) => number} */
export const moved = (key, place, count, columns) => {
  const steps = /** @type {Record<string, number>} */ ({ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns});
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  const next = place + (steps[key] || 0);
  return next < 0 || next >= count ? place : next;
};

// -- pieces of a page

const ICONS = /** @type {Record<string, string>} */ ({
  upload: 'M8 1.5 4 5.5h2.6V11h2.8V5.5H12zM2 12.5h12v2H2z',
  pencil: 'm11.3 1.6 3.1 3.1-9 9-3.9.8.8-3.9zM2.9 13.1l1.5-.3-1.2-1.2z',
  columns: 'M1.5 2.5h13v11h-13zM3 4v8h4.2V4zm5.8 0v8H13V4z',
  undo: 'M6.5 2 2 6.2l4.5 4.2V7.7c2.9 0 4.7 1 6 3.3.1-3.6-2-6.2-6-6.3z',
  save: 'M2 2h9.5L14 4.5V14H2zM4.5 3.5v3h6v-3zM4 9v3.5h8V9z',
  star: 'm8 1.6 2 4.2 4.6.6-3.4 3.2.9 4.6L8 11.9l-4.1 2.3.9-4.6L1.4 6.4 6 5.8z',
  clock: 'M8 1.500A6.500 6.500 0 1 0 8 14.500 6.500 6.500 0 0 0 8 1.500zm0 1.500a5 5 0 1 1 0 10A5 5 0 0 1 8 3zM7.250 4.500v4l3 1.800.750-1.200-2.250-1.400V4.500z',
  trash: 'M6 1.5h4l.6 1H14V4H2V2.500h3.4zM3 5h10l-.7 9.500H3.700zM5.800 7v5.500h1.200V7zm3.200 0v5.500h1.200V7z',
});
const NONE = '\0';
/** Fields in which something was typed that is not taken yet: it stays. @type {WeakSet<EventTarget>} */
const untaken = new WeakSet();
const SHADE = 'rgba(12, 14, 18, .62)';
const SHADE_PIXEL = 0x9e120e0c; // the same, as bytes in the order of today's machines
const STEP = 2 * 1024 * 1024;
const IN_FLIGHT = 3;
const SMALL = 32 * 1024; // bytes: tiles, and no picture of the stage
const BUSY_AFTER = 700;
const AHEAD = 300; // ms after which the next page of the gallery is asked for: what is seen comes first
const TYPING = 250;
const REACTION = 300; // ms that a hand needs to follow what the eye sees
const STILL = 8; // pixels that a hand moves a mouse while it presses
// Panels of several versions may stand on a page: ids and groups must not meet.
const STYLES = 'STYLES'; // panel.py puts panel.css here
const OWN = `ob-${Math.random().toString(36).slice(2)}`;
let count = 0;
const newId = () => {
  count += 1;
  return `${OWN}-${count}`;
};

/** Have what goes wrong in a listener shown in the panel that it belongs to.
 * @param {(event: any) => unknown} act */
const guarded = (act) => async (/** @type {Event} */ event) => {
  const place = event.currentTarget;
  try { await act(event); } catch (error) {
    place?.dispatchEvent(new CustomEvent('ob-defect', {bubbles: true, detail: error}));
  }
};

/** An element with attributes (functions: listeners) and children.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string | null | false)} children
 * @returns {any} */
const h = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, guarded(value));
    else if (name.startsWith('aria-') && value !== null) made.setAttribute(name, String(value));
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== false));
  return made;
};

/** @param {string} name */
const icon = (name) => {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', ICONS[name]);
  path.setAttribute('fill-rule', 'evenodd');
  svg.append(path);
  return svg;
};

/** @param {string} label @param {(event: any) => unknown} act @param {Record<string, any>} [more] @param {string} [sign] */
const button = (label, act, more = {}, sign = '') => h('button',
  {type: 'button', ...more, class: `ob-button ${more.class || ''}`, click: act}, sign && icon(sign), label);

/** A label above a control. @param {string} label @param {any} control @param {string} [css] */
const field = (label, control, css = '') => {
  control.id = control.id || newId();
  return h('div', {class: `ob-field ${css}`}, h('label', {class: 'ob-label', for: control.id}, label), control);
};

/** What a select offers, as it was put in. @type {WeakMap<object, string>} */
const offered = new WeakMap();

/** Have a select offer values with their labels, or groups of values under a label; what it offers already stays.
 * @param {any} select @param {[string, string | string[]][]} options */
const offer = (select, options) => {
  const now = JSON.stringify(options);
  if (offered.get(select) === now) return;
  offered.set(select, now);
  const option = (/** @type {string} */ value, label = value) => h('option', {value}, label);
  select.replaceChildren(...options.map(([value, label]) => (Array.isArray(label)
    ? h('optgroup', {label: value}, ...label.map((one) => option(one))) : option(value, label))));
};

/** A problem in one line. @param {{message: string, advice?: string}} problem */
const wordsOf = ({message, advice}) => `${message} ${advice || ''}`.trim();

/** @param {Element} element @param {boolean} isHidden */
const hide = (element, isHidden) => element.classList.toggle('ob-hidden', isHidden);

/** Put notes below one another. @param {Element} place @param {string[]} notes @param {string} css */
const tell = (place, notes, css = 'ob-note') => {
  const lines = notes.filter(Boolean).map((note) => h('div', {class: css}, note));
  place.replaceChildren(...lines);
};

/** An error as a person reads it. @param {{message: string, advice?: string, evidence?: string}} problem */
const problemBox = ({message, advice, evidence}) => h('div', {class: 'ob-error', role: 'alert'},
  h('strong', {}, message), advice ? h('p', {}, advice) : null, evidence ? h('small', {}, evidence) : null);

/** @type {(text: string) => Promise<boolean>} */
const copied = async (text) => {
  try { await navigator.clipboard.writeText(text); return true; } catch { return false; }
};

/** A button that copies what stands in *shown*. @param {string} label @param {HTMLElement} shown @param {Record<string, any>} [more] */
const copier = (label, shown, more = {}) => {
  const made = button(label, async () => {
    const done = await copied(shown.textContent || '');
    if (!done) getSelection()?.selectAllChildren(shown);
    made.textContent = done ? 'Copied' : 'Press Ctrl+C';
    setTimeout(() => { made.textContent = label; }, 1600);
  }, more);
  return made;
};

/** @typedef {{key: string, content: any[]}} Choice */

/** A list below a text field, one choice of which is active: a combobox by the pattern of ARIA. The focus
 * stays in the field. *choose* has what was chosen; *more* is called when the end of the list comes into sight.
 * @param {HTMLInputElement} input @param {string} name @param {(key: string, event: any) => unknown} choose @param {() => unknown} [more] */
const combobox = (input, name, choose, more = () => {}) => {
  const near = () => { if (list.scrollTop + list.clientHeight > list.scrollHeight - 120) return more(); };
  const list = h('div', {class: 'ob-list ob-hidden', role: 'listbox', id: newId(), 'aria-label': name, scroll: near});
  let active = '';
  /** @type {string[]} */
  let keys = [];
  for (const [attribute, value] of Object.entries({role: 'combobox', 'aria-autocomplete': 'list', 'aria-controls': list.id, 'aria-expanded': 'false', autocomplete: 'off'})) input.setAttribute(attribute, value);
  const isOpen = () => !list.classList.contains('ob-hidden');

  /** @param {number} place */
  const activate = (place) => {
    active = keys[place] || '';
    let option = null;
    [...list.children].forEach((one, i) => {
      one.setAttribute('aria-selected', String(i === place));
      if (i === place) option = one;
    });
    if (!option) { input.removeAttribute('aria-activedescendant'); return; }
    const {id, offsetTop, offsetHeight} = /** @type {HTMLElement} */ (option);
    input.setAttribute('aria-activedescendant', id);
    list.scrollTop = Math.min(offsetTop, Math.max(list.scrollTop, offsetTop + offsetHeight - list.clientHeight));
  };

  /** Show choices; the active one stays active. What is there already is not built anew. @param {Choice[]} choices */
  const show = (choices) => {
    const isLonger = keys.length <= choices.length && keys.every((key, i) => key === choices[i].key);
    const made = choices.slice(isLonger ? keys.length : 0).map(({key, content}) => h('div', {
      class: 'ob-option', role: 'option', id: newId(), 'aria-selected': 'false',
      mousedown: (/** @type {Event} */ event) => event.preventDefault(), // the focus stays in the field
      click: (/** @type {MouseEvent} */ event) => choose(key, event),
    }, ...content));
    if (isLonger) list.append(...made); else list.replaceChildren(...made);
    keys = choices.map(({key}) => key);
    hide(list, !keys.length);
    input.setAttribute('aria-expanded', String(!!keys.length));
    if (!isLonger || !keys.length) activate(keys.indexOf(active));
  };

  input.addEventListener('keydown', guarded((/** @type {KeyboardEvent} */ event) => {
    const {key} = event;
    if (!isOpen() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const place = keys.indexOf(active);
    const next = stepped(key, place, keys.length);
    if (next !== null) {
      event.preventDefault();
      activate(next);
      near();
    } else if (key === 'Enter' && place >= 0) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return choose(active, event);
    }
  }), true); // before the field's own listener, which takes what is typed
  return {list, show, isOpen, close: () => show([])};
};

/** Bytes as they came, whatever holds them. @param {any} held @returns {Uint8Array} */
const bytesOf = (held) => new Uint8Array(held.buffer || held, held.byteOffset || 0, held.byteLength);

/** Whether two pictures are the same, byte for byte. @type {(one: any, other: any) => boolean} */
export const isSameBytes = (one, other) => {
  if (one === other || !one || !other || one.byteLength !== other.byteLength) return one === other;
  const [left, right] = [bytesOf(one), bytesOf(other)];
  return left.every((byte, i) => byte === right[i]);
};

/** A small picture as a data URL: for an object URL the browser asks another of its processes, which
 * takes six times as long for a page of tiles. @param {Uint8Array} bytes @param {string} type */
const dataUrl = (bytes, type) => {
  if ('toBase64' in bytes) return `data:${type};base64,${/** @type {any} */ (bytes).toBase64()}`;
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:${type};base64,${btoa(text)}`;
};

/** Panels beside each other show the same tiles. @type {WeakMap<object, string>} */
const dataUrls = new WeakMap();

/** Pictures as URLs, by key; object URLs of a key before are given back. */
class Pictures {
  constructor() {
    /** @type {Map<string, {bytes: any, url: string}>} */
    this.known = new Map();
  }

  /** @param {string} key @param {any} bytes @returns {string} */
  url(key, bytes) {
    const known = this.known.get(key);
    if (known && known.bytes === bytes) return known.url;
    const all = bytesOf(bytes);
    const type = all[0] === 0x52 ? 'image/webp' : 'image/jpeg';
    const isSmall = all.length <= SMALL;
    const url = dataUrls.get(bytes) || (isSmall ? dataUrl(all, type) : URL.createObjectURL(new Blob([bytes], {type})));
    if (isSmall) dataUrls.set(bytes, url);
    this.known.set(key, {bytes, url});
    if (known) setTimeout(() => URL.revokeObjectURL(known.url), 5000); // it may still be on the page
    return url;
  }

  close() {
    for (const {url} of this.known.values()) URL.revokeObjectURL(url);
    this.known.clear();
  }
}

// -- what one page knows of one panel

/** @typedef {{get: (name: string) => any, on: Function, off: Function, send: Function}} Model */

/** Controls and messages; the parts listen to *changed*. */
class Desk {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.origin = Math.random().toString(36).slice(2);
    this.edit = 0;
    this.number = 0;
    /** @type {Map<string, {done: (answer: any) => void, since: number}>} */
    this.open = new Map();
    /** @type {Set<(what: string) => void>} */
    this.parts = new Set();
    /** @type {Set<(error: unknown) => void>} */
    this.defects = new Set();
    this.isDirty = false;
    this.isLost = false;
    /** Why what stands in a field cannot be sent, by field. @type {Map<string, string>} */
    this.unread = new Map();
    /** What a click waits for, and why it failed. @type {Promise<string>} */
    this.taking = Promise.resolve('');
    /** @type {any} */
    this.local = null; // what the page says of itself, until the kernel says something
    /** @type {{code: string, first: string} | null} */
    this.code = null;
    this.chosen = ''; // the picture that a person asked for last
    /** @type {{title: string, bytes: any} | null} */
    this.other = null; // a picture to compare the one on the stage with
    this.isPainted = false; // the gallery
    this.isDragging = false; // a region is being drawn
    /** @type {string | null} */
    this.drawing = null; // the input picture that is open to draw a region in
    /** @type {any} */
    this.timer = 0;
    this.controls = this.told();
    this.sought = {text: '', marked: ''}; // in the gallery
    /** @type {Map<number, any>} */
    this.pages = new Map();
    /** @type {Map<string, any>} */
    this.tiles = new Map();
    this.page = 0;
    this.isBehind = false; // page 0
    this.era = 0; // of the gallery: a page that was asked for before it was read anew is dropped
    this.history = unasked('');
    /** @type {Past[]} */
    this.past = []; // what the kernel told of earlier
    this.library = libraryOf(model.get('_library_id'));
    this.takeGallery();
    this.listen();
  }

  /** @returns {Table} */
  get table() { return this.model.get('_table'); }

  /** @returns {Input[]} */
  get inputs() { return this.model.get('_inputs'); }

  get family() { return familyOf(this.table, this.controls.model) || this.table.unknown; }

  /** @returns {{choices: Preset[], problem: string}} */
  get presets() { return this.model.get('_presets'); }

  /** @param {string} name @returns {Preset | null} */
  preset(name = this.controls.preset) { return this.presets.choices.find((one) => one.name === name) || null; }

  told() {
    const {edit, ...controls} = this.model.get('_controls');
    return settled(controls, this.preset(controls.preset));
  }

  listen() {
    const {model} = this;
    model.on('msg:custom', (/** @type {any} */ said, /** @type {any} */ buffers) => this.answered(said, buffers));
    model.on('change:_controls', () => this.takeControls());
    model.on('change:_status', () => { this.local = null; this.changed('status'); });
    model.on('change:_gallery', () => { this.changeGallery(); this.share(); });
    model.on('change:_tiles', () => { this.takeTiles(); this.changed('gallery'); });
    model.on('change:_tags', () => this.changed('tags'));
    model.on('change:_stage', () => { this.other = null; });
    for (const name of ['inputs', 'models', 'presets', 'advice', 'stage']) model.on(`change:_${name}`, () => this.changed(name));
    model.on('comm_live_update', () => this.lose());
  }

  /** @param {unknown} error */
  fail(error) { for (const show of this.defects) show(error); }

  /** @param {string} what */
  changed(what) { for (const part of this.parts) part(what); }

  lose() {
    this.isLost = true;
    this.changed('lost');
  }

  // -- controls

  takeControls() {
    const [origin, number] = this.model.get('_controls').edit;
    // What comes back of an edit before the last one would take back what was typed since.
    if (this.isDirty || (origin === this.origin && number < this.edit)) return;
    this.controls = this.told();
    this.changed('controls');
  }

  /** Change controls, in the page at once. @param {Controls} values @param {boolean} [isTyping] */
  set(values, isTyping = false) {
    const now = {...this.controls, ...values};
    const isOther = 'model' in values && values.model !== this.controls.model;
    this.put(settled(isOther ? adapted(this.table, now, now.model) : now, this.preset(now.preset)), isTyping);
  }

  /** @param {Controls} controls @param {boolean} [isTyping] */
  put(controls, isTyping = false) {
    this.controls = controls;
    this.isDirty = true;
    this.changed('controls');
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), isTyping ? TYPING : 0);
  }

  /** Choose a preset, or none: the controls show what it sets. @param {string} name */
  choose(name) { this.put({...withPreset(this.table, this.controls, this.preset(), this.preset(name)), preset: name}); }

  /** Open an input picture to draw a region in; null: close it. @param {string | null} digest */
  openRegion(digest) {
    this.drawing = digest;
    this.changed('region');
  }

  /** The input picture that is open. */
  get openInput() { return this.inputs.find(({digest}) => digest === this.drawing); }

  /** Why a click is not sent; empty: it is. */
  get problem() { return [...this.unread.values()][0] || regionProblem(this.controls.only, this.inputs, !!this.openInput); }

  /** Have clicks wait while a picture is added: they would be sent, and paid for, without it.
   * @param {Promise<string>} work why it failed, if it did */
  take(work) {
    const all = Promise.all([this.taking, work]).then((reasons) => reasons.find(Boolean) || '');
    const end = () => { if (this.taking === all) this.taking = Promise.resolve(''); };
    this.taking = all;
    all.then(end, end);
    return work;
  }

  /** Why a click is not sent, once all is taken that was given before it. */
  async settled() { return await this.taking || this.problem; }

  /** @returns {{values: Controls, edit: [string, number]}} */
  said() {
    clearTimeout(this.timer);
    this.isDirty = false;
    this.edit += 1;
    return {values: this.controls, edit: [this.origin, this.edit]};
  }

  flush() {
    if (this.isDirty) this.act('controls', this.said()).catch((error) => this.fail(error));
  }

  // -- messages

  newId() {
    this.number += 1;
    return `${this.origin}-${this.number}`;
  }

  /** Send a message and wait for its answer. @param {string} kind @param {Record<string, any>} [fields]
   * @param {any[]} [buffers] @param {string} [id] @returns {Promise<any>} */
  ask(kind, fields = {}, buffers = [], id = this.newId()) {
    return new Promise((done) => {
      this.open.set(id, {done, since: performance.now()});
      this.model.send({kind, id, ...fields}, undefined, buffers);
      setTimeout(() => this.open.has(id) && this.changed('busy'), BUSY_AFTER);
    });
  }

  /** Tell the kernel what stands here, and wait for nothing. @param {'shown' | 'painted'} kind */
  tell(kind) { this.model.send({kind, id: this.newId()}); }

  /** Tell the kernel once that the gallery is on the screen. */
  tellPainted() {
    if (this.isPainted) return;
    this.isPainted = true;
    requestAnimationFrame(() => setTimeout(() => this.tell('painted')));
  }

  /** @param {any} said @param {any[]} buffers */
  answered(said, buffers) {
    const waiting = this.open.get(said.answer);
    if (!waiting) return; // another page asked
    this.open.delete(said.answer);
    waiting.done({...said, buffers: buffers || []});
    this.changed('busy');
  }

  /** Whether the kernel has not answered for a while: a cell runs. */
  get isBusy() {
    const now = performance.now();
    return [...this.open.values()].some(({since}) => now - since >= BUSY_AFTER - 20);
  }

  /** Show why a message failed, where it did. @param {any} answer */
  complain(answer) {
    if (!answer.problem) return false;
    this.local = {state: '', problem: answer.problem};
    this.changed('status');
    return true;
  }

  /** @param {string} kind @param {Record<string, any>} [fields] */
  async act(kind, fields = {}) {
    if ('key' in fields) this.chosen = fields.key;
    this.complain(await this.ask(kind, fields));
  }

  /** Compare a picture of the gallery with the one on the stage. @param {{key: string, title: string}} find */
  async compareWith(find) {
    const {key} = this.model.get('_stage');
    if (!key || key === find.key) return;
    const answer = await this.ask('large', {key: find.key});
    if (this.complain(answer) || this.model.get('_stage').key !== key) return;
    this.other = {title: find.title, bytes: answer.buffers[0]};
    this.changed('compare');
  }

  // -- the gallery

  /** @returns {[string, number][]} */
  get tags() { return this.model.get('_tags'); }

  /** The model that tells of the first page of the gallery: the panel's own; until it does, another's of the same library. */
  get source() { return this.model.get('_gallery').finds ? this.model : this.library.newest || this.model; }

  /** Let panels of this library on this page show what this one is told, where they are told nothing yet. */
  share() {
    const {finds, search, marked} = this.model.get('_gallery');
    const isWhole = finds && !search && !marked;
    if (isWhole) this.library.newest = this.model;
    else if (this.library.newest === this.model) this.library.newest = null;
    for (const desk of this.library.desks) if (!desk.model.get('_gallery').finds) desk.changeGallery();
  }

  /** Show what the kernel tells; nobody who looks at older pictures loses the place: page 0 is renewed once it is turned to. */
  changeGallery() {
    const {search, marked} = this.source.get('_gallery');
    const now = this.pages.get(0);
    this.isBehind = this.page > 0 && now && isSame([now.search, now.marked], [search, marked]);
    if (this.isBehind) this.history = unasked(this.history.text);
    else this.takeGallery();
    this.changed('gallery');
  }

  takeGallery() {
    const first = this.source.get('_gallery');
    const asked = (/** @type {any} */ page) => page && [page.search, page.marked, page.older, page.finds?.map((/** @type {any} */ find) => find.key)];
    if (!isSame(asked(this.pages.get(0)), asked(first))) { // else its marks alone are others
      this.pages.clear();
      this.page = 0;
      this.era += 1;
      this.history = unasked(this.history.text);
    }
    if (first.finds) this.pages.set(0, first);
    this.sought = {text: first.search || '', marked: first.marked || ''};
    this.takeTiles();
  }

  takeTiles() {
    for (const [key, bytes] of Object.entries(this.source.get('_tiles'))) this.keepTile(key, bytes);
  }

  /** Keep a tile; one that says the same as before stays, and so does what shows it. @param {string} key @param {any} bytes */
  keepTile(key, bytes) {
    if (!isSameBytes(this.tiles.get(key), bytes)) this.tiles.set(key, bytes);
  }

  /** Have a page of the gallery here. @param {number} number */
  async fetchPage(number) {
    if (this.pages.has(number)) return;
    this.pages.set(number, null);
    const {era} = this;
    const answer = await this.ask('gallery', {number});
    if (this.era !== era) return; // the gallery was read anew meanwhile
    if (this.complain(answer)) { this.pages.delete(number); return; }
    this.keepTiles(answer);
    this.pages.set(number, answer.gallery);
    this.changed('gallery');
  }

  /** @param {any} answer */
  keepTiles({keys, buffers}) {
    keys.forEach((/** @type {string} */ key, /** @type {number} */ i) => { this.keepTile(key, buffers[i]); });
  }

  /** Look for other words in the gallery, or for what is marked so. @param {{text?: string, marked?: string}} wanted */
  search(wanted) {
    const sought = {...this.sought, ...wanted};
    this.page = 0;
    this.changeGallery();
    this.sought = sought;
    return this.act('search', sought);
  }

  /** Change what is said of a picture; what the gallery shows of it changes with it. Returns the answer.
   * @param {string} key @param {Record<string, any>} change */
  async mark(key, change) {
    const answer = await this.ask('mark', {key, change});
    if (answer.problem) return answer;
    for (const page of this.pages.values()) {
      const place = page ? page.finds.findIndex((/** @type {any} */ find) => find.key === key) : -1;
      if (place >= 0) page.finds[place] = answer.row;
    }
    this.changed('gallery');
    return answer;
  }

  // -- the history of prompts

  /** The prompts with these words: as the kernel told them, or what the page has of them meanwhile. @returns {Past[]} */
  get prompts() {
    const {text, rows, isThere} = this.history;
    return isThere ? rows : promptsWith([...[...this.pages.values()].flatMap((page) => page?.finds || []), ...this.past], text);
  }

  /** Have the newest prompts with these words here. @param {string} text */
  findPrompts(text) {
    this.history = unasked(text);
    return this.morePrompts();
  }

  /** Have older prompts here, where there are some. */
  async morePrompts() {
    const now = this.history;
    if (now.isAsked || now.isAll) return;
    now.isAsked = true;
    this.changed('history');
    const answer = await this.ask('prompts', {text: now.text, after: now.after});
    if (this.history !== now) return; // other words are looked for by now
    now.isAsked = false;
    now.isThere = true;
    now.isAll = this.complain(answer) || !answer.after.length;
    if (answer.problem) return;
    this.keepTiles(answer);
    const known = new Set(now.rows.map(({prompt}) => prompt));
    const more = answer.prompts.filter((/** @type {Past} */ one) => !known.has(one.prompt));
    now.rows.push(...more);
    now.after = answer.after;
    this.past = promptsWith([...this.past, ...more], '');
    this.changed('history');
  }
}

/** The panels of each library on this page, and the model that was told of all of it last. @type {Map<string, {desks: Set<Desk>, newest: Model | null}>} */
const libraries = new Map();

/** @param {string} id empty: of one panel alone */
const libraryOf = (id) => {
  const known = libraries.get(id) || {desks: new Set(), newest: null};
  if (id) libraries.set(id, known);
  return known;
};

/** @type {WeakMap<object, Desk>} */
const desks = new WeakMap();

/** @param {Model} model @returns {Desk} */
const deskOf = (model) => {
  const known = desks.get(model);
  if (known) return known;
  const made = new Desk(model);
  desks.set(model, made);
  return made;
};

// -- the parts; each returns its elements and what to do when something changed

/** @typedef {{elements: any[], show: (what: string) => void}} Part */

/** A row of choices of which one is chosen. @param {string} name @param {string} css @param {(value: string) => void} choose */
const chips = (name, css, choose) => {
  const group = newId();
  const label = h('span', {class: 'ob-label', id: `${group}-label`}, name);
  const note = h('span', {class: 'ob-beside'});
  const row = h('div', {class: `ob-chips ${css}`, role: 'radiogroup', 'aria-labelledby': `${group}-label`});
  const box = h('div', {class: 'ob-field'}, h('div', {}, label, note), row);
  let made = '';
  /** @param {{value: string, lines: string[]}[]} options @param {string} chosen @param {string} beside */
  const show = (options, chosen, beside = '') => {
    const now = JSON.stringify(options);
    if (now !== made) {
      const had = row.contains(document.activeElement);
      row.replaceChildren(...options.map(({value, lines}) => h('label', {class: 'ob-chip'},
        h('input', {type: 'radio', name: group, value, change: () => choose(value)}),
        h('b', {}, lines[0]), lines[1] ? h('small', {}, lines[1]) : null)));
      made = now;
      if (had) row.querySelector('input')?.focus();
    }
    for (const input of row.querySelectorAll('input')) input.checked = input.value === chosen;
    note.textContent = beside && ` · ${beside}`;
  };
  return {box, show};
};

/** The prompts of the library, found by typing. @param {Desk} desk @param {Pictures} pictures @param {HTMLTextAreaElement} prompt */
const promptHistory = (desk, pictures, prompt) => {
  /** @type {any} */
  let timer = 0;
  const find = h('input', {type: 'text', placeholder: 'words of an earlier one', 'aria-label': 'Search the history', input: () => {
    desk.history = {...unasked(find.value), isAsked: true}; // once nothing more is typed
    show();
    clearTimeout(timer);
    timer = setTimeout(() => isOpen() && desk.findPrompts(find.value), TYPING);
  }});
  const prompts = combobox(find, 'Found in the history', (key, event) => choose(key, event), () => desk.morePrompts());
  const settings = h('input', {type: 'checkbox'});
  const note = h('div', {class: 'ob-note', role: 'status'});
  const popup = h('div', {class: 'ob-history ob-hidden', role: 'dialog', 'aria-label': 'History', id: newId(), tabindex: -1,
    keydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      event.stopPropagation();
      close();
      opener.focus();
    },
    focusout: (/** @type {FocusEvent} */ event) => {
      const to = /** @type {Node | null} */ (event.relatedTarget);
      if (to ? !popup.contains(to) && to !== opener : document.hasFocus()) close();
    }},
  find, prompts.list, note, h('div', {class: 'ob-history-foot'},
    h('label', {}, settings, 'its settings, too'), h('span', {class: 'ob-note'}, 'Shift+Enter does both, Esc closes.')));
  const opener = button('History', () => (isOpen() ? close() : open()), {class: 'ob-past', title: 'Earlier prompts of this library (↑ in an empty prompt)',
    'aria-haspopup': 'dialog', 'aria-expanded': 'false', 'aria-controls': popup.id}, 'clock');
  const isOpen = () => !popup.classList.contains('ob-hidden');

  const open = () => {
    hide(popup, false);
    opener.setAttribute('aria-expanded', 'true');
    find.value = '';
    if (desk.history.text || !desk.history.isThere) desk.findPrompts('').catch((error) => desk.fail(error));
    show();
    find.focus();
  };
  const close = () => {
    hide(popup, true);
    opener.setAttribute('aria-expanded', 'false');
    prompts.close();
  };

  /** @param {string} key @param {{shiftKey: boolean}} event */
  const choose = (key, event) => {
    const past = desk.prompts.find(({record}) => record === key);
    if (!past) return undefined;
    const isWhole = settings.checked || event.shiftKey;
    close();
    desk.set({prompt: isWhole ? past.prompt : unwrapped(desk.preset(), past.prompt)});
    desk.flush();
    prompt.focus();
    prompt.setSelectionRange(prompt.value.length, prompt.value.length);
    return isWhole ? desk.act('recall', {record: past.record}) : undefined;
  };

  /** @param {Past} past @returns {Choice} */
  const option = (past) => {
    const bytes = desk.tiles.get(past.key);
    return {key: past.record, content: [
      bytes ? h('img', {src: pictures.url(`tile:${past.key}`, bytes), alt: '', draggable: 'false'}) : h('span', {class: 'ob-no-tile'}),
      h('span', {class: 'ob-words'}, h('span', {class: 'ob-prompt-words', dir: 'auto'}, past.prompt), h('small', {}, `${past.model} · ${past.made.slice(0, 16)}`))]};
  };

  const show = () => {
    if (!isOpen()) return;
    const found = desk.prompts;
    const {isThere, isAll, isAsked} = desk.history;
    prompts.show(found.map(option));
    const waits = desk.isBusy ? 'The kernel is busy: these are the prompts that this page knows.' : 'Looking…';
    const none = find.value.trim() ? 'No prompt has these words.' : 'The prompts of your pictures will stand here.';
    tell(note, [isThere ? (found.length ? '' : isAll ? none : waits) : isAsked || !found.length ? waits : '']);
    if (!isThere || (!isAll && found.length < SOME)) desk.morePrompts().catch((error) => desk.fail(error));
  };
  return {opener, popup, open, show: (/** @type {string} */ what) => { if (['history', 'gallery', 'busy'].includes(what)) show(); }};
};

/** A field for a value that is not in the list of a control; *show* is called when it is opened, in the place of the
 * value that stands there. @param {Desk} desk @param {string} name @param {string} label @param {string} placeholder @param {() => void} show */
const another = (desk, name, label, placeholder, show) => {
  /** The value in the place of which another is being written. @type {string | null} */
  let replaced = null;
  const input = h('input', {type: 'text', placeholder, change: () => {
    const value = input.value.trim();
    if (value) { replaced = null; desk.set({[name]: value}); }
  }});
  /** @param {string} value */
  const choose = (value) => {
    replaced = value === NONE ? desk.controls[name] : null;
    if (replaced !== null) { show(); input.focus(); } else desk.set({[name]: value});
  };
  return {box: field(label, input, 'ob-hidden'), input, choose, isOpen: () => replaced === desk.controls[name]};
};

/** @param {Desk} desk @param {Pictures} pictures @returns {Part} */
const composer = (desk, pictures) => {
  const prompt = h('textarea', {
    class: 'ob-prompt', dir: 'auto', rows: 4, placeholder: 'What should the picture show?', id: newId(),
    input: () => desk.set({prompt: prompt.value}, true), change: () => desk.flush(),
    keydown: (/** @type {KeyboardEvent} */ event) => {
      const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey && !event.isComposing;
      if (prompt.value || !isPlain || !['ArrowUp', 'ArrowDown'].includes(event.key)) return;
      event.preventDefault();
      past.open();
    },
  });
  const past = promptHistory(desk, pictures, prompt);
  const written = h('div', {class: 'ob-field ob-written'},
    h('div', {class: 'ob-prompt-head'}, h('label', {class: 'ob-label', for: prompt.id}, 'Prompt'), past.opener), prompt, past.popup);
  const preset = h('select', {
    change: () => desk.choose(preset.value),
    focus: () => desk.act('presets'), // the file may be another by now
  });
  const presets = field('Preset', preset, 'ob-preset');
  const words = h('div', {class: 'ob-note'});
  const wrong = h('div', {class: 'ob-note ob-wrong', role: 'status'});
  const presetBox = h('div', {class: 'ob-presets'}, presets, words, wrong);
  const otherModel = another(desk, 'model', 'Name of the model', 'as the platform calls it', () => show());
  const model = h('select', {change: () => otherModel.choose(model.value)});
  const number = h('input', {type: 'number', min: 1, change: () => desk.set({n: Math.max(1, Math.round(Number(number.value)) || 1)})});
  const note = h('div', {class: 'ob-note ob-about'});
  const otherSize = another(desk, 'size', 'Other size', '1280x720, 16:9 or 2K', () => show());
  const size = chips('Size', 'ob-sizes', otherSize.choose);
  const quality = chips('Quality', 'ob-qualities', (value) => desk.set({quality: value}));
  const counter = field('Pictures', number);

  const showModels = () => {
    const groups = /** @type {[string, string[]][]} */ (desk.model.get('_models'));
    const name = desk.controls.model;
    const isListed = groups.some(([, names]) => names.includes(name));
    const all = isListed ? groups : [...groups, /** @type {[string, string[]]} */ (['Others', [name]])];
    offer(model, [...all, [NONE, 'another name…']]);
    const isOther = otherModel.isOpen();
    model.value = isOther ? NONE : name;
    hide(otherModel.box, !isOther);
    if (isOther) desk.unread.set('model', 'Write the name of the model, or choose one. Nothing was sent.');
    else desk.unread.delete('model');
  };

  const showPresets = () => {
    const {choices, problem} = desk.presets;
    const name = desk.controls.preset;
    const names = [...choices.map((one) => one.name)];
    if (name && !names.includes(name)) names.push(name);
    offer(preset, [['', 'none'], ...names.map((one) => /** @type {[string, string]} */ ([one, one]))]);
    preset.value = name;
    words.textContent = desk.preset()?.prompt || '';
    wrong.textContent = problem;
    hide(presets, !names.length);
    hide(words, !words.textContent);
    hide(wrong, !problem);
    hide(presetBox, !names.length && !problem);
  };

  const show = () => {
    const {controls, family} = desk;
    showPresets();
    if (document.activeElement !== prompt || !desk.isDirty) {
      if (prompt.value !== controls.prompt) prompt.value = controls.prompt;
    }
    showModels();
    number.max = Math.max(family.n_max, controls.n);
    if (!untaken.has(number)) number.value = controls.n;
    number.title = family.n_max === 1 ? 'This model makes one at a time' : `1 to ${family.n_max}`;
    note.textContent = family.note;
    const chosen = desk.preset();
    const sizes = sizesOf(desk.table, controls, desk.inputs.length > 0, chosen);
    const isWritten = !sizes.some(({value}) => value === controls.size);
    const isOther = isWritten || otherSize.isOpen();
    size.show([...sizes, {value: NONE, lines: ['other…', 'any size']}], isOther ? NONE : controls.size,
      family.sizes.length || family.pixels ? '' : 'this model names no sizes');
    hide(otherSize.box, !isOther);
    if (!untaken.has(otherSize.input)) otherSize.input.value = isWritten ? controls.size : '';
    if (isOther && !isWritten) desk.unread.set('size', 'Write a size, or choose one. Nothing was sent.');
    else desk.unread.delete('size');
    const {words: qualities, isIgnored} = qualitiesOf(desk.table, controls);
    const unset = chosen?.fields.quality ? [] : [{value: '', lines: ['default']}];
    quality.show([...unset, ...qualities.map((word) => ({value: word, lines: [word]}))],
      controls.quality, isIgnored ? 'this model is believed to ignore it' : '');
  };
  return {
    elements: [written, presetBox, h('div', {class: 'ob-row'}, field('Model', model), counter), otherModel.box,
      note, size.box, otherSize.box, quality.box],
    show: (what) => {
      if (['all', 'controls', 'models', 'presets', 'inputs'].includes(what)) show();
      past.show(what);
    },
  };
};

/** @param {Desk} desk @param {Pictures} pictures @returns {Part & {take: (files: File[]) => Promise<unknown>}} */
const tray = (desk, pictures) => {
  const beside = h('span', {class: 'ob-beside'});
  const tiles = h('div', {class: 'ob-tiles', role: 'list', 'aria-label': 'Input pictures'});
  const files = h('input', {
    type: 'file', multiple: true, class: 'ob-files', tabindex: -1, 'aria-hidden': 'true',
    accept: 'image/*,.heic,.heif,.avif',
    change: () => { take([...files.files]); files.value = ''; },
  });
  const hint = `Up to ${Math.round(desk.model.get('_limit') / 1e6)} MB per file; you can drop or paste pictures, too.`;
  const upload = button('Upload', () => files.click(), {class: 'ob-upload', title: hint}, 'upload');
  const path = h('input', {
    type: 'text', placeholder: 'path, URL or variable', 'aria-label': 'A path, a URL or a variable',
    change: () => name(),
    keydown: (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Enter' && !event.ctrlKey) return name(); }, // the same name once more is no change
  });
  const add = button('Add', () => name(), {title: 'Add this picture'});
  const notes = h('div', {class: 'ob-notes', role: 'status'});
  const standing = h('div', {class: 'ob-note ob-standing'}, hint);
  /** @type {Map<string, {name: string, done: number}>} */
  const coming = new Map();
  /** @type {Set<string>} */
  const leaving = new Set();
  let asked = '';
  let shown = '';

  const name = () => {
    const text = path.value.trim();
    if (text && text !== asked) return desk.take(named(text));
    if (!text && desk.unread.delete('path')) tell(notes, []); // it was of what stood there
  };

  /** @param {string} text */
  const named = async (text) => {
    asked = text;
    const answer = await desk.ask('name', {text});
    asked = '';
    const reason = say(answer, []);
    if (reason) desk.unread.set('path', reason); else desk.unread.delete('path');
    if (!reason) path.value = '';
    return reason;
  };

  /** Tell how an input was taken; return why it was not. @param {any} answer @param {string[]} before */
  const say = (answer, before) => {
    const {problem} = answer;
    const text = problem ? wordsOf(problem) : answer.note || '';
    tell(notes, [...before, text], problem || before.length ? 'ob-note ob-wrong' : 'ob-note');
    return problem ? text : '';
  };

  /** @param {File[]} chosen */
  const take = (chosen) => desk.take(taken(chosen));

  /** @param {File[]} chosen */
  const taken = async (chosen) => {
    tell(notes, []);
    const wrong = [];
    let reason = '';
    for (const file of chosen) {
      const head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
      const problem = fileProblem(file.name, file.size, head, desk.model.get('_limit'));
      if (problem) { wrong.push(problem); tell(notes, wrong, 'ob-note ob-wrong'); } else reason = say(await send(file), wrong) || reason;
    }
    return wrong[0] || reason;
  };

  /** Send a file in pieces, a few of them ahead. @param {File} file */
  const send = async (file) => {
    const id = desk.newId();
    coming.set(id, {name: file.name, done: 0});
    show();
    /** @type {Promise<any>[]} */
    const answers = [];
    let problem = null;
    for (const [i, start] of pieces(file.size, STEP).entries()) {
      if (i >= IN_FLIGHT) {
        const early = await answers[i - IN_FLIGHT];
        if (early.problem) { problem = early; break; }
      }
      const bytes = await file.slice(start, start + STEP).arrayBuffer();
      answers.push(desk.ask('piece', {name: file.name || 'pasted.png', size: file.size, start}, [bytes], `${id}.${i}`)
        .then((answer) => {
          coming.set(id, {name: file.name, done: Math.min(1, (start + STEP) / file.size)});
          show();
          return answer;
        }));
    }
    const all = await Promise.all(answers);
    coming.delete(id);
    show();
    return problem || all.find((answer) => answer.problem) || all.find((answer) => 'note' in answer) || {};
  };

  const refocus = (/** @type {string} */ digest) => tiles.querySelector(`[data-only="${CSS.escape(digest)}"]`)?.focus();

  const refocusFirst = () => (tiles.querySelector('button') || upload).focus();

  /** @param {Input} input */
  const tile = (input) => {
    const picture = input.tile ? h('img', {src: pictures.url(`input:${input.digest}`, input.tile), alt: input.label})
      : h('span', {class: 'ob-no-tile'}, input.url ? 'URL' : 'no preview');
    const remove = button('×', async () => {
      leaving.add(input.digest);
      show();
      refocusFirst();
      desk.complain(await desk.ask('remove', {digest: input.digest}));
      leaving.delete(input.digest);
      if (isFocusAt(null)) refocusFirst();
    }, {'aria-label': `Remove ${input.label}`, title: `Remove ${input.label}`});
    const {digest, label, whole} = input;
    const region = desk.controls.only?.digest === digest ? desk.controls.only : null;
    const only = whole && button('Change only here', () => desk.openRegion(desk.drawing === digest ? null : digest), {
      class: 'ob-only', 'data-only': digest, 'aria-label': `Change only here: ${label}`, 'aria-expanded': desk.drawing === digest,
      title: region ? `Changed is ${regionWords(region, whole)}` : 'Draw where the edit may change this picture',
    });
    const all = region && button('Change all of it', () => { desk.set({only: null}); refocus(digest); }, {
      class: 'ob-only', 'aria-label': `Change all of ${label}`, title: 'Take the region away'});
    const shade = region && whole ? h('canvas', {class: 'ob-shade'}) : null;
    if (shade && whole) drawRegion(shade, region, whole, null, 320);
    return h('div', {class: 'ob-source', role: 'listitem'}, picture, shade, h('span', {class: 'ob-name', title: label}, label), only, all, remove);
  };

  /** What of the controls the tray shows: a word that is typed builds no tile anew. */
  const state = () => JSON.stringify([desk.controls.only, takes(desk.family)]);

  const show = () => {
    shown = state();
    beside.textContent = ` · ${takes(desk.family)}`;
    const bars = [...coming.values()].map(({name: label, done}) => h('div', {class: 'ob-source', role: 'listitem'},
      h('span', {class: 'ob-no-tile'}, h('progress', {max: 1, value: done, 'aria-label': `Sending ${label}`})),
      h('span', {class: 'ob-name', title: label}, label)));
    const {only} = /** @type {any} */ (document.activeElement)?.dataset || {};
    const had = only && tiles.contains(document.activeElement);
    tiles.replaceChildren(...desk.inputs.filter(({digest}) => !leaving.has(digest)).map(tile), ...bars);
    if (had) refocus(only);
    hide(tiles, !tiles.childElementCount);
  };
  return {
    elements: [h('div', {class: 'ob-tray', role: 'group', 'aria-label': 'Pictures to edit'},
      h('div', {}, h('span', {class: 'ob-label'}, 'Pictures to edit'), beside), tiles,
      h('div', {class: 'ob-add'}, upload, files, path, add), h('div', {class: 'ob-told'}, standing, notes))],
    show: (what) => {
      if (['all', 'inputs', 'region'].includes(what)) show();
      if (what === 'controls' && !desk.isDragging && state() !== shown) show();
    },
    take,
  };
};

/** Whether the focus is still *there*, or nowhere since that is gone: else a person has gone on meanwhile, and keeps it.
 * @param {Element | null} there */
const isFocusAt = (there) => [there, document.body, null].includes(document.activeElement);

/** Show a region on a canvas that lies over its picture: what may not change is dark.
 * @param {HTMLCanvasElement} canvas @param {Region | null} region @param {Point} whole @param {Uint8Array | null} [mask] @param {number} [side] */
const drawRegion = (canvas, region, whole, mask = null, side = 1280) => {
  const scale = Math.min(1, side / Math.max(...whole));
  const [width, height] = region?.size || whole.map((side) => Math.max(1, Math.round(side * scale)));
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const brush = canvas.getContext('2d');
  if (!brush) return;
  brush.clearRect(0, 0, width, height);
  if (!region) return;
  const inside = mask || maskOf(region.runs || [], region.runs ? width * height : 0);
  if (region.box) {
    const [x, y, wide, high] = region.box.map((at, i) => (at * (i % 2 ? height : width)) / whole[i % 2]);
    brush.fillStyle = SHADE;
    brush.fillRect(0, 0, width, height);
    brush.clearRect(x, y, wide, high);
    const line = Math.max(1, Math.max(width, height) / 320);
    brush.lineWidth = 2 * line;
    brush.strokeStyle = '#fff';
    brush.strokeRect(x, y, wide, high);
    brush.lineWidth = line;
    brush.strokeStyle = '#2f6fdb';
    brush.strokeRect(x, y, wide, high);
    return;
  }
  const shade = brush.createImageData(width, height);
  const pixels = new Uint32Array(shade.data.buffer);
  for (let i = 0; i < pixels.length; i += 1) if (!inside[i]) pixels[i] = SHADE_PIXEL;
  brush.putImageData(shade, 0, 0);
};

/** One input picture, large, to say where the edit may change it. @param {Desk} desk @param {Pictures} pictures @param {() => HTMLElement} root @returns {Part} */
const regionEditor = (desk, pictures, root) => {
  const name = h('b', {});
  const picture = h('img', {alt: '', draggable: 'false'});
  const canvas = h('canvas', {});
  const told = h('div', {class: 'ob-note', role: 'status'});
  const help = h('div', {class: 'ob-note', id: newId()});
  const surface = h('div', {class: 'ob-surface', tabindex: 0, role: 'application', 'aria-label': 'Where the edit may change the picture',
    'aria-describedby': help.id, keydown: (/** @type {KeyboardEvent} */ event) => pressed(event)}, picture, canvas);
  const frame = h('div', {class: 'ob-frame'}, surface);
  const boxes = button('Box', () => turnTo(false));
  const brushes = button('Brush', () => turnTo(true));
  const eraser = button('Erase', () => { isErasing = !isErasing; show(); });
  const wide = h('input', {type: 'range', min: 1, max: 100, value: 24, 'aria-label': 'Width of the brush', title: 'Width of the brush'});
  const undo = button('Undo', () => back(), {title: 'Take the last change back (Ctrl+Z)'}, 'undo');
  const clear = button('Clear', () => { remember(); put(null); }, {title: 'Begin anew'});
  const done = button('Done', () => close(), {class: 'ob-done', title: 'Close the picture; the region stays (Esc)'});
  const numbers = h('input', {type: 'text', placeholder: 'x,y,width,height', 'aria-label': 'Region: x, y, width, height', change: () => typed()});
  const box = h('div', {class: 'ob-region ob-hidden', role: 'group', 'aria-label': 'Change only here', keydown: (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    close();
  }},
    h('div', {class: 'ob-region-head'}, h('span', {}, 'Change only here · ', name), done),
    frame, h('div', {class: 'ob-tools'}, h('div', {class: 'ob-pair', role: 'group', 'aria-label': 'Draw with'}, boxes, brushes), numbers, eraser, wide, undo, clear), told, help);
  let isBrush = false;
  let isErasing = false;
  let opened = '';
  /** @type {Point} */
  let whole = [1, 1];
  /** @type {Point} */
  let size = [1, 1]; // of the mask: as the picture is shown
  /** @type {Uint8Array | null} */
  let mask = null;
  /** @type {Point | null} */
  let from = null; // where the pointer, or the brush of the keyboard, was last
  /** @type {(Region | null)[]} */
  let before = [];
  let wrong = ''; // what was typed is no region: told while it stands there, whatever the kernel says meanwhile

  /** @returns {Region | null} */
  const region = () => (desk.controls.only?.digest === opened ? desk.controls.only : null);
  const remember = () => { before = [...before.slice(-49), region()]; };
  /** @param {Region | null} now */
  const put = (now) => {
    wrong = '';
    mask = now?.runs ? maskOf(now.runs, size[0] * size[1]) : null;
    desk.set({only: now}, true);
  };
  /** @param {Box | null} now */
  const putBox = (now) => put(now && {digest: opened, box: now});
  const putMask = () => {
    const runs = runsOf(mask || new Uint8Array(1));
    desk.set({only: runs.length > 1 ? {digest: opened, size, runs} : null}, true);
  };
  const back = () => { if (before.length) put(before.pop() || null); };

  /** @param {boolean} toBrush */
  const turnTo = (toBrush) => {
    const now = region();
    isBrush = toBrush;
    if (now && toBrush === !!now.box) {
      remember();
      if (now.box) { mask = maskOfBox(now.box, whole, size); putMask(); } else putBox(boxAround(maskOf(now.runs || [], size[0] * size[1]), size, whole));
    }
    show();
  };

  const typed = () => {
    try {
      const now = numbers.value.trim() ? readBox(numbers.value, whole) : null;
      remember();
      putBox(now);
    } catch (/** @type {any} */ error) {
      wrong = error.message;
      show();
    }
  };

  /** Where an event is, in pixels of the picture or of the mask. @param {PointerEvent} event @param {Point} sides @returns {Point} */
  const at = (event, sides) => {
    const place = canvas.getBoundingClientRect();
    return [((event.clientX - place.left) / place.width) * sides[0], ((event.clientY - place.top) / place.height) * sides[1]];
  };
  const radius = () => Math.max(1, (Number(wide.value) / 400) * Math.max(...size));
  /** @param {Point} start @param {Point} end */
  const stroke = (start, end) => {
    mask = mask || new Uint8Array(size[0] * size[1]);
    paint(mask, size, start, end, radius(), isErasing ? 0 : 1);
    drawRegion(canvas, {digest: opened, size, runs: []}, whole, mask);
  };

  surface.addEventListener('pointerdown', guarded((/** @type {PointerEvent} */ event) => {
    if (event.button || from) return;
    event.preventDefault();
    surface.focus();
    surface.setPointerCapture(event.pointerId);
    remember();
    desk.isDragging = true;
    from = at(event, isBrush ? size : whole);
    if (isBrush) stroke(from, from);
  }));
  surface.addEventListener('pointermove', guarded((/** @type {PointerEvent} */ event) => {
    if (!from || !surface.hasPointerCapture(event.pointerId)) return;
    if (isBrush) {
      const to = at(event, size);
      stroke(from, to);
      from = to;
    } else putBox(boxBetween(from, at(event, whole), whole));
  }));
  const lifted = guarded(() => {
    if (!from) return;
    from = null;
    desk.isDragging = false;
    if (isBrush) putMask();
    else desk.changed('region');
    if (JSON.stringify(before[before.length - 1]) === JSON.stringify(region())) before.pop();
  });
  surface.addEventListener('pointerup', lifted);
  surface.addEventListener('pointercancel', lifted);

  /** The box in the middle with which the keyboard begins. @returns {Box} */
  const middle = () => /** @type {Box} */ ([...whole.map((side) => Math.floor(side / 4)), ...whole.map((side) => Math.max(1, Math.floor(side / 2)))]);

  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    const {key} = event;
    if (key === 'z' && (event.ctrlKey || event.metaKey)) back();
    else if (key.startsWith('Arrow') && !event.ctrlKey && !event.metaKey && !event.altKey && !isBrush) {
      const now = region();
      remember();
      putBox(now?.box ? boxAfter(now.box, key, event.shiftKey, Math.max(1, Math.round(Math.max(...whole) / 100)), whole) : middle());
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const close = () => {
    const digest = opened;
    desk.openRegion(null);
    /** @type {any} */ (root().querySelector(`[data-only="${CSS.escape(digest)}"]`))?.focus();
  };

  /** @param {Input} input */
  const open = async (input) => {
    opened = input.digest;
    [before, from, mask, isErasing, wrong] = [[], null, null, false, ''];
    whole = input.whole || [1, 1];
    name.textContent = input.label;
    hide(frame, true);
    tell(told, ['Loading the picture…']);
    const answer = await desk.ask('open', {digest: input.digest});
    if (opened !== input.digest || desk.drawing !== input.digest) return;
    if (desk.complain(answer)) { desk.openRegion(null); return; }
    picture.src = pictures.url('region', answer.buffers[0]);
    size = answer.size;
    const now = region();
    isBrush = !!now?.runs;
    mask = now?.runs ? maskOf(now.runs, size[0] * size[1]) : null;
    const [across, down] = surfaceOf(size);
    surface.style.aspectRatio = `${across}/${down}`;
    surface.style.maxWidth = `${Math.min(across, (560 * across) / down)}px`;
    hide(frame, false);
    show();
    box.scrollIntoView({block: 'nearest'});
    if (isFocusAt(root().querySelector(`[data-only="${CSS.escape(opened)}"]`))) surface.focus({preventScroll: true});
  };

  const show = () => {
    const input = desk.openInput;
    hide(box, !input);
    if (!input || !wrong) desk.unread.delete('region');
    if (!input) { opened = ''; return undefined; }
    if (opened !== input.digest) return open(input);
    if (frame.classList.contains('ob-hidden')) return undefined;
    const now = region();
    if (!from || !isBrush) drawRegion(canvas, now, whole);
    boxes.setAttribute('aria-pressed', String(!isBrush));
    brushes.setAttribute('aria-pressed', String(isBrush));
    eraser.setAttribute('aria-pressed', String(isErasing));
    hide(eraser, !isBrush);
    hide(wide, !isBrush);
    hide(numbers, isBrush);
    if (isBrush) wrong = '';
    if (!wrong && document.activeElement !== numbers) numbers.value = now?.box ? now.box.join() : '';
    undo.disabled = !before.length;
    clear.disabled = !now;
    surface.classList.toggle('ob-brushing', isBrush);
    help.textContent = isBrush ? 'Paint over what may change.' : 'Drag a box, or: arrows move it, Shift+arrows resize it.';
    if (wrong) {
      desk.unread.set('region', `${wrong} Nothing was sent.`);
      tell(told, [wrong], 'ob-note ob-wrong');
    } else tell(told, [now ? `The edit may change ${regionWords(now, whole)}; all else stays, to the pixel.` : 'Nothing is drawn yet.']);
    return undefined;
  };
  return {elements: [box], show: (what) => {
    if (['all', 'controls', 'inputs', 'region'].includes(what)) Promise.resolve(show()).catch((error) => desk.fail(error));
  }};
};

/** The fold of further fields. @param {Desk} desk @returns {Part} */
const advanced = (desk) => {
  const note = h('div', {role: 'status'});
  /** @type {{field: Field, control: any, box: any}[]} */
  let made = [];
  const grid = h('div', {class: 'ob-advanced'});
  const fold = h('details', {class: 'ob-more', toggle: () => { if (fold.open && !made.length) make(); }},
    h('summary', {}, 'More options'), grid, h('div', {class: 'ob-told'}, note));

  /** @param {Field} one */
  const control = (one) => {
    /** @type {any} */
    const box = one.choices.length
      ? h('select', {}, h('option', {value: ''}, 'default'), ...one.choices.map((word) => h('option', {value: word}, word)))
      : h('input', {type: 'text', placeholder: one.hint});
    box.addEventListener('change', () => {
      try {
        const value = readField(one, box.value);
        desk.unread.delete(one.name);
        desk.set({[one.name]: value});
        tell(note, []);
      } catch (/** @type {any} */ error) {
        desk.unread.set(one.name, `${error.message} Nothing was sent.`);
        tell(note, [error.message], 'ob-note ob-wrong');
      }
    });
    return box;
  };
  const make = () => {
    made = desk.table.fields.map((one) => {
      const box = control(one);
      return {field: one, control: box, box: field(one.label, box)};
    });
    grid.replaceChildren(...made.map(({box}) => box));
    show();
  };
  const show = () => {
    const {controls} = desk;
    for (const {field: one, control: box, box: whole} of made) {
      const isSent = hasEffect(desk.table, controls.model, one.name, controls.dialect);
      hide(whole, !isSent);
      if (!isSent) desk.unread.delete(one.name);
      if (document.activeElement !== box && !desk.unread.has(one.name)) box.value = textOf(one, controls[one.name]);
    }
  };
  return {elements: [fold], show: (what) => { if (what === 'all' || what === 'controls') show(); }};
};

/** Generate, Stop, Wait again, Insert code; what goes on; the code.
 * @param {Desk} desk @param {() => HTMLElement} root @returns {Part & {generate: () => void}} */
const actions = (desk, root) => {
  let isAsked = false;
  const go = button('Generate', () => generate(), {class: 'ob-generate', title: 'Make pictures (Ctrl+Enter)'});
  const halt = button('Stop waiting', () => desk.act('stop'), {class: 'ob-stop ob-hidden', title: 'What was sent continues at the platform'});
  const again = button('Wait again', () => desk.act('again'), {class: 'ob-again ob-hidden', title: 'Check the task again, and wait for it'});
  const insert = button('Insert code', () => insertCode(), {class: 'ob-insert', title: 'Write this request as a %%imagine cell'});
  const hints = h('div', {class: 'ob-hints'});
  const now = h('div', {class: 'ob-now'});
  const head = h('div', {class: 'ob-status-head'}, now, halt, again); // where Stop goes, Generate never stands
  const details = h('div', {class: 'ob-status'});
  const status = h('div', {class: 'ob-status'}, head, details);
  const busy = h('div', {class: 'ob-note ob-busy ob-hidden', role: 'status'},
    'The kernel is busy with a cell. What you do here is sent, and done as soon as it is free.');
  const heard = h('span', {class: 'ob-sr', role: 'status'});
  const code = h('div', {class: 'ob-code-place', role: 'status'});
  let state = '';

  const generate = async () => {
    if (isAsked || desk.isLost) return;
    isAsked = true;
    const problem = await desk.settled().finally(() => { isAsked = false; });
    if (problem) {
      desk.local = {state: '', problem: {message: problem}};
      show('status');
      return;
    }
    isAsked = true;
    code.replaceChildren();
    if (!status.querySelector('.ob-line') || !desk.model.get('_status').stop) {
      desk.local = {state: 'sending', words: 'sending', progress: null};
    }
    root().classList.add('ob-clicked');
    show('status');
    const answer = await desk.ask('generate', desk.said());
    isAsked = false;
    desk.local = null;
    if (desk.drawing) desk.openRegion(null);
    if (!desk.complain(answer)) show('status');
  };

  const insertCode = async () => {
    code.replaceChildren();
    desk.flush();
    const message = await desk.settled();
    if (desk.complain({problem: message && {message}})) return;
    const answer = await desk.ask('insert');
    if (desk.complain(answer)) return;
    const shown = h('code', {}, answer.code);
    const words = h('span', {}, `Copy it into a cell below. ${answer.first}`);
    const whole = h('pre', {}, shown);
    code.replaceChildren(h('div', {class: 'ob-code'},
      h('div', {class: 'ob-code-head'}, words, copier('Copy', shown)), whole));
    const [isThere, isNew] = await below(root(), answer.code);
    if (isThere) { words.textContent = `✓ Added below. ${answer.first}`; hide(whole, true); } else if (isNew) words.textContent = `Copy it into the new cell below. ${answer.first}`;
  };

  const showStatus = () => {
    const told = desk.local || desk.model.get('_status');
    const parts = [];
    const [sign, colour] = desk.table.badges[told.state] || ['', '#5b6472'];
    now.replaceChildren(...(told.words ? [h('div', {class: 'ob-line', 'data-state': told.state},
      h('span', {class: 'ob-badge', style: `background:${colour}`}, `${sign} ${told.words}`),
      told.more ? h('span', {class: 'ob-note'}, told.more) : null)] : []));
    if ('progress' in told) {
      const {progress} = told;
      const bar = progress === null ? h('i', {class: 'ob-some'}) : h('i', {style: `width:${Math.max(0, Math.min(100, progress))}%`});
      parts.push(h('div', {class: 'ob-bar', role: 'progressbar', 'aria-label': 'Progress', 'aria-valuemin': 0, 'aria-valuemax': 100,
        'aria-valuenow': progress === null ? null : Math.round(progress)}, bar));
    }
    for (const note of told.notes || []) parts.push(h('div', {class: 'ob-warn'}, note));
    if (told.problem) parts.push(problemBox(told.problem));
    details.replaceChildren(...parts);
    hide(head, !told.words);
    hide(details, !parts.length);
    hide(status, !told.words && !parts.length);
    // What stands on the stage is of before.
    root().classList.toggle('ob-failed', told.state === 'failed' || told.state === 'unknown');
    if (told.state !== state) heard.textContent = told.state; // not each second
    state = told.state;
    hide(halt, !told.stop);
    hide(again, !told.again);
  };

  const showHints = () => {
    const {controls} = desk;
    const advice = desk.model.get('_advice');
    const isOfThese = JSON.stringify(advice.of) === JSON.stringify([controls.model, controls.size, controls.quality, controls.n]);
    const whole = {...controls, prompt: around(desk.preset(), controls.prompt)};
    const notes = hintsOf(desk.table, whole, desk.inputs);
    const more = isOfThese && !desk.isDirty ? advice.notes : [];
    tell(hints, [...new Set([...notes, ...more])], 'ob-warn');
    go.lastChild.textContent = isOfThese && advice.cost ? `Generate · ${advice.cost}` : 'Generate';
  };

  const show = (/** @type {string} */ what) => {
    if (['all', 'controls', 'presets', 'advice', 'inputs'].includes(what)) showHints();
    if (['all', 'status', 'lost'].includes(what)) showStatus();
    if (what === 'stage') root().classList.remove('ob-failed');
    go.setAttribute('aria-disabled', String(isAsked || desk.isLost));
    hide(busy, !desk.isBusy || desk.isLost);
  };
  return {
    elements: [h('div', {class: 'ob-actions'}, go, insert), status, hints, busy, heard, code],
    show,
    generate,
  };
};

/** @param {number} ms */
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** Add a cell below the panel's, by the notebook's own button; a paste fills it.
 * Returns whether the code is there, and whether a new cell is.
 * @param {HTMLElement} root @param {string} code @returns {Promise<[boolean, boolean]>} */
const below = async (root, code) => {
  const page = root.closest('.jp-NotebookPanel');
  const insert = /** @type {HTMLElement | null} */ (page?.querySelector(
    '.jp-NotebookPanel-toolbar [data-jp-item-name="insert"] :is(jp-button, button)'));
  const own = root.closest('.jp-Cell');
  if (!page || !insert || !own?.classList.contains('jp-mod-active')) return [false, false];
  const cells = () => [...page.querySelectorAll('.jp-Notebook .jp-Cell')];
  const known = new Set(cells());
  insert.dispatchEvent(new MouseEvent('mousedown', {bubbles: true, cancelable: true}));
  for (let tries = 0; tries < 60; tries += 1) {
    await pause(50);
    if (tries === 5 && cells().length === known.size) insert.click(); // one of the two is heard
    const made = cells().find((cell) => !known.has(cell));
    const editor = /** @type {HTMLElement | null | undefined} */ (made?.querySelector('.cm-content'));
    if (editor) return [await filled(editor, code), true];
  }
  return [false, false];
};

/** Put code into an empty editor. @param {HTMLElement} editor @param {string} code */
const filled = async (editor, code) => {
  const isThere = () => (editor.textContent || '').includes('%%imagine');
  const data = new DataTransfer();
  data.setData('text/plain', code);
  editor.focus();
  editor.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
  await pause(50);
  if (isThere()) return true;
  document.execCommand('insertText', false, code); // Firefox: a paste that a script makes is empty
  await pause(50);
  return isThere();
};

/** The tags of the picture on the stage. @param {Desk} desk @returns {Part} */
const tagEditor = (desk) => {
  const note = h('div', {role: 'status'});
  const input = h('input', {type: 'text', placeholder: 'add a tag', 'aria-label': 'Add a tag',
    input: () => { tell(note, []); complete(); }, focus: () => complete(), blur: () => tags.close(),
    keydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape' && tags.isOpen()) {
        event.stopPropagation();
        tags.close();
      } else if (event.key === 'Enter' && !event.ctrlKey && !event.isComposing) return add(input.value);
      else if (event.key === 'ArrowDown' && !tags.isOpen()) complete();
    }});
  const tags = combobox(input, 'Tags of the library', (tag) => add(tag));
  const chips = h('span', {class: 'ob-chosen', role: 'list', 'aria-label': 'Tags of this picture'});
  const whole = h('div', {class: 'ob-tags', role: 'group', 'aria-label': 'Tags'}, chips, h('span', {class: 'ob-adder'}, input, tags.list));
  let shown = '';

  /** @returns {string[]} */
  const own = () => desk.model.get('_stage').tags || [];
  const key = () => desk.model.get('_stage').key;
  const complete = () => {
    const all = new Map(desk.tags);
    tags.show(tagsLike([...all.keys()], input.value, own()).slice(0, 50).map((tag) => ({key: tag, content: [h('b', {}, `#${tag}`), h('small', {}, String(all.get(tag)))]})));
  };

  /** @param {string} text */
  const add = async (text) => {
    if (!text.trim()) return;
    try { readTag(text); } catch (/** @type {any} */ error) { tell(note, [error.message], 'ob-note ob-wrong'); return; }
    input.value = '';
    tags.close();
    if (await change({tag: [readTag(text)]}) && document.activeElement === input) complete();
  };

  /** @param {Record<string, string[]>} how */
  const change = async (how) => {
    tell(note, []);
    const {problem} = await desk.mark(key(), how);
    if (problem) tell(note, [wordsOf(problem)], 'ob-note ob-wrong');
    return !problem;
  };

  /** @param {string} tag */
  const chip = (tag) => h('span', {class: 'ob-chosen-tag', role: 'listitem'},
    button(`#${tag}`, () => desk.search({marked: `#${tag}`}), {title: `Show all pictures tagged ${tag}`}),
    button('×', async (/** @type {Event} */ event) => {
      const there = /** @type {Element} */ (event?.target);
      const place = own().indexOf(tag);
      await change({untag: [tag]});
      if (isFocusAt(there)) (chips.querySelectorAll('.ob-untag')[place] || input).focus();
    }, {class: 'ob-untag', 'aria-label': `Remove the tag ${tag}`, title: `Remove the tag ${tag}`}));

  const show = () => {
    hide(whole, !key());
    const now = JSON.stringify([key(), own()]);
    if (now === shown) return;
    if (JSON.parse(shown || '[]')[0] !== key()) { input.value = ''; tell(note, []); }
    shown = now;
    chips.replaceChildren(...own().map(chip));
    hide(chips, !own().length);
  };
  return {elements: [whole, note], show: (what) => { if (what === 'all' || what === 'stage') show(); }};
};

/** One picture, large, and what can be done with it. @param {Desk} desk @param {Pictures} pictures @returns {Part} */
const stage = (desk, pictures) => {
  const place = h('div', {class: 'ob-place'});
  const caption = h('div', {class: 'ob-caption'});
  const notes = h('div', {role: 'status'});
  const path = h('code', {});
  /** @type {any} */
  let shown = {}; // the picture that is there
  /** @type {any} */
  let former = {}; // the one in its place before, where the new one came by itself
  let since = 0;
  /** @type {any} */
  let aimed = null; // the one that a press began on
  /** The picture that a press means: nobody has aimed at one that has only just come. */
  const inSight = () => (former.key && shown.key !== desk.chosen && performance.now() - since < REACTION ? former : shown);
  const meant = () => aimed ?? inSight();
  const key = () => meant().key;
  let isCompared = false;
  let isSaving = false;
  /** @param {string} text */
  const say = (text, css = 'ob-note') => tell(notes, [text], css);
  const edit = button('Edit this', () => desk.act('edit', {key: key()}), {title: 'Use this picture as input'}, 'pencil');
  const compare = button('Compare', () => { isCompared = !isCompared; show(); }, {title: 'Before and after, with a slider'}, 'columns');
  const restore = button('Restore settings', () => desk.act('restore', {key: key()}), {title: 'Set the controls as they were for this picture'}, 'undo');
  const saves = button('Save as…', () => { isSaving = !isSaving; show(); if (isSaving) target.focus(); }, {title: 'Save a copy under a name you choose'}, 'save');
  const star = button('Star', async () => {
    const told = meant();
    desk.complain(await desk.mark(told.key, {star: !told.starred}));
  }, {title: 'Mark this picture'}, 'star');
  const trash = button('Trash', () => discard(), {title: 'Take it from the gallery; nothing is deleted'}, 'trash');
  const target = h('input', {type: 'text', 'aria-label': 'File to save as', keydown: (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Enter' && !event.ctrlKey) save(); }});
  const saving = h('div', {class: 'ob-save ob-hidden'}, target, button('Save', () => save(), {title: 'Write the file'}));
  const tools = h('div', {class: 'ob-tools', role: 'group', 'aria-label': 'This picture'}, edit, compare, restore, saves, star, trash);
  const tags = tagEditor(desk);
  const paths = h('div', {class: 'ob-path'}, path, copier('Copy path', path, {title: 'Copy the path of this file'}));
  const old = h('div', {class: 'ob-note ob-still-old'}, 'The saved notebook still shows the earlier picture. Run this cell again to update it.');
  const whole = h('div', {class: 'ob-stage', role: 'group', 'aria-label': 'Picture'}, place, caption, ...tags.elements, tools, saving, notes, paths, old);
  const begin = () => { aimed = inSight(); };
  const end = () => { setTimeout(() => { aimed = null; }); }; // the click comes first
  for (const kind of ['pointerdown', 'keydown']) tools.addEventListener(kind, begin, true);
  for (const kind of ['pointerup', 'pointercancel', 'keyup']) tools.addEventListener(kind, end, true);

  const discard = async () => {
    const gone = key();
    const isThere = gone === shown.key;
    const before = document.activeElement;
    const answer = await desk.ask('mark', {key: gone, change: {trash: true}});
    if (desk.complain(answer)) return;
    const undo = button('Undo', async () => {
      tell(notes, []);
      await desk.act('mark', {key: gone, change: {trash: false}});
      await desk.act('select', {key: gone});
    });
    notes.replaceChildren(h('div', {class: 'ob-trashed ob-note'},
      `${isThere ? 'Moved' : 'The picture before this one was moved'} to the trash: nothing is deleted.`, undo));
    if (isFocusAt(before)) undo.focus();
  };

  const save = async () => {
    const answer = await desk.ask('save', {key: key(), target: target.value});
    const {problem} = answer;
    if (problem) say(wordsOf(problem), 'ob-note ob-wrong');
    else say(answer.note);
  };

  /** @param {any} told */
  const picture = (told) => {
    const [width, height] = told.size;
    const url = pictures.url('stage', told.picture);
    if (!isCompared) return h('img', {class: 'ob-picture', src: url, alt: told.title, width, height});
    const {other} = desk;
    const [across, down] = surfaceOf(told.size);
    const ratio = `aspect-ratio:${across}/${down};max-width:${across}px;--cut:50%`;
    const box = h('div', {class: 'ob-compare', style: ratio},
      other ? h('img', {class: 'ob-other', src: pictures.url('other', other.bytes), alt: `The other: ${other.title}`})
        : h('img', {src: pictures.url('before', told.before), alt: 'Before: the picture that was given'}),
      h('img', {class: 'ob-after', src: url, alt: `After: ${told.title}`}),
      h('span', {class: 'ob-tag ob-tag-before'}, other ? 'the other' : 'before'),
      h('span', {class: 'ob-tag ob-tag-after'}, other ? 'this one' : 'after'),
      h('span', {class: 'ob-cut'}),
      h('input', {type: 'range', min: 0, max: 100, value: 50, 'aria-label': 'Compare before and after',
        input: (/** @type {any} */ event) => box.style.setProperty('--cut', `${event.target.value}%`)}));
    return box;
  };

  const empty = () => h('div', {class: 'ob-empty'}, h('div', {}, 'Your picture appears here.'),
    h('small', {}, 'Describe it on the left, then Generate (Ctrl+Enter).'));

  const show = () => {
    const told = desk.model.get('_stage');
    const isThere = 'title' in told;
    const isAnother = told.key !== shown.key;
    if (isAnother) {
      [former, since] = [inSight(), performance.now()];
      if (told.key === desk.chosen || !notes.querySelector('.ob-trashed')) tell(notes, []); // what comes by itself takes no Undo away
      target.value = told.name || '';
    }
    shown = told;
    if (isCompared && !told.before && !desk.other) {
      if (told.edited && !isAnother) say('The input picture is no longer in the library.');
      isCompared = false;
    }
    place.replaceChildren(told.problem ? h('div', {class: 'ob-empty'}, told.problem) : told.picture ? picture(told) : empty());
    caption.replaceChildren(...(isThere ? [h('b', {dir: 'auto'}, told.prompt), told.facts ? h('small', {}, told.facts) : '', told.beside ? h('small', {}, told.beside) : ''] : []));
    hide(tools, !told.key);
    hide(paths, !told.key);
    hide(old, !told.key);
    hide(compare, !told.edited && !desk.other);
    compare.setAttribute('aria-pressed', String(isCompared));
    star.setAttribute('aria-pressed', String(!!told.starred));
    saves.setAttribute('aria-expanded', String(isSaving));
    hide(saving, !isSaving || !told.key);
    path.textContent = told.path || '';
  };
  return {
    elements: [whole],
    show: (what) => {
      if (what === 'compare') isCompared = true;
      if (['all', 'region', 'inputs'].includes(what)) hide(whole, !!desk.openInput);
      if (['all', 'stage', 'compare'].includes(what)) show();
      tags.show(what);
    },
  };
};

/** Thumbnails of the library, a page at a time. @param {Desk} desk @param {Pictures} pictures @returns {Part} */
const gallery = (desk, pictures) => {
  /** @type {any} */
  let timer = 0;
  /** @type {any} */
  let soon = 0;
  const search = h('input', {type: 'text', placeholder: 'search', 'aria-label': 'Search the gallery', input: () => {
    clearTimeout(timer);
    timer = setTimeout(() => desk.search({text: search.value}), TYPING);
  }});
  const marked = h('select', {'aria-label': 'Show in the gallery', title: 'Show all pictures, or those with a mark', change: () => desk.search({marked: marked.value})});
  const newer = button('←', () => turn(-1), {'aria-label': 'Newer pictures', title: 'Newer pictures'});
  const older = button('→', () => turn(1), {'aria-label': 'Older pictures', title: 'Older pictures'});
  const reload = button('↻', () => desk.search({}), {'aria-label': 'Reload the gallery', title: 'Reload the gallery'});
  const grid = h('div', {class: 'ob-grid', role: 'group', 'aria-label': 'Gallery', keydown: (/** @type {KeyboardEvent} */ event) => walk(event)});
  const notes = h('div', {class: 'ob-note', role: 'status'});

  /** @param {number} step */
  const turn = (step) => {
    const now = desk.pages.get(desk.page);
    if (step > 0 && now && !now.older) return;
    desk.page = Math.max(0, desk.page + step);
    if (!desk.page && desk.isBehind) desk.changeGallery(); else show();
    return desk.fetchPage(desk.page);
  };

  /** @param {KeyboardEvent} event */
  const walk = (event) => {
    const thumbs = [...grid.children];
    const place = thumbs.indexOf(/** @type {Element} */ (document.activeElement));
    if (place < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'c') {
      const find = desk.pages.get(desk.page)?.finds[place];
      if (find) desk.compareWith(find).catch((error) => desk.fail(error));
      return;
    }
    const columns = getComputedStyle(grid).gridTemplateColumns.split(' ').length;
    const next = moved(event.key, place, thumbs.length, columns);
    if (next === place) return;
    event.preventDefault();
    thumbs[place].tabIndex = -1;
    thumbs[next].tabIndex = 0;
    thumbs[next].focus();
  };

  /** @type {Map<string, {says: string, bytes: any, element: any}>} */
  let made = new Map(); // what stands in the grid, by key

  /** @param {any} find */
  const thumb = (find) => {
    const bytes = desk.tiles.get(find.key);
    const title = [find.marks, find.title, find.about].filter(Boolean).join(' · ');
    const known = made.get(find.key);
    if (known && known.says === title && known.bytes === bytes) return known;
    const element = h('button', {type: 'button', class: 'ob-thumb', 'aria-label': title,
      title: `${title} · Shift+click, or C: compare with the large picture`,
      'data-key': find.key, click: (/** @type {MouseEvent} */ event) => (event.shiftKey ? desk.compareWith(find) : desk.act('select', {key: find.key}))},
    bytes ? h('img', {src: pictures.url(`tile:${find.key}`, bytes), alt: '', draggable: 'false'}) : h('span', {dir: 'auto'}, find.title));
    return {says: title, bytes, element};
  };

  /** Put what is found into the grid: an element that is there is not built anew, so that no picture is decoded twice. @param {any[]} finds */
  const lay = (finds) => {
    made = new Map(finds.map((find) => [find.key, thumb(find)]));
    const elements = [...made.values()].map(({element}) => element);
    const chosen = desk.model.get('_stage').key;
    const first = made.has(chosen) ? chosen : finds[0]?.key;
    for (const element of elements) {
      const {key} = element.dataset;
      element.tabIndex = key === first ? 0 : -1;
      element.setAttribute('aria-pressed', String(key === chosen));
    }
    if (elements.length !== grid.children.length || elements.some((one, i) => one !== grid.children[i])) grid.replaceChildren(...elements);
  };

  const showFilter = () => {
    const chosen = desk.pages.get(0)?.marked || '';
    const names = desk.tags.map(([tag, many]) => /** @type {[string, string]} */ ([`#${tag}`, `#${tag} (${many})`]));
    const known = names.find(([name]) => folded(name) === folded(chosen));
    if (chosen.startsWith('#') && !known) names.push([chosen, chosen]);
    offer(marked, [['', 'all'], ['★', '★ starred'], ...names]);
    marked.value = known ? known[0] : chosen;
    if (document.activeElement !== search) search.value = desk.sought.text;
  };

  const show = () => {
    showFilter();
    const page = desk.pages.get(desk.page);
    const focus = /** @type {any} */ (document.activeElement)?.dataset?.key;
    const finds = page ? page.finds : [];
    const hadFocus = grid.contains(document.activeElement);
    lay(finds);
    if (hadFocus && focus && !grid.contains(document.activeElement)) grid.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
    newer.disabled = desk.page === 0;
    older.disabled = !page?.older;
    const isEmpty = page && !finds.length;
    tell(notes, [page === null || (!page && desk.page) ? 'Loading older pictures…' : isEmpty ? (page.search || page.marked ? 'No matches.' : 'What you make is kept here.') : '']);
    if (page) desk.tellPainted();
    clearTimeout(soon);
    soon = setTimeout(() => { if (grid.isConnected && desk.pages.get(desk.page)?.older) desk.fetchPage(desk.page + 1).catch((error) => desk.fail(error)); }, AHEAD); // so that a turn needs no kernel
  };
  /** Mark what is on the stage, without building the grid anew. */
  const choose = () => {
    const chosen = desk.model.get('_stage').key;
    for (const one of grid.children) one.setAttribute('aria-pressed', String(one.dataset.key === chosen));
  };
  return {
    elements: [h('div', {class: 'ob-gallery'},
      h('div', {class: 'ob-gallery-head'}, h('span', {class: 'ob-label'}, 'Gallery'), search, marked, h('div', {class: 'ob-turn'}, newer, older, reload)), grid, notes)],
    show: (what) => {
      if (what === 'all' || what === 'gallery') show();
      if (what === 'tags') showFilter();
      if (what === 'stage') choose();
    },
  };
};

// -- the whole

/** The picture for readers without a kernel is not renewed after the page was loaded again: the
 * panel says so with the next picture. @param {HTMLElement} root @param {string} name */
const rememberPage = (root, name) => {
  const loaded = String(performance.timeOrigin);
  try {
    const first = sessionStorage.getItem(`opeai-nb-${name}`) || loaded;
    sessionStorage.setItem(`opeai-nb-${name}`, first);
    root.classList.toggle('ob-loaded-again', first !== loaded);
  } catch { /* a front end that keeps nothing: the note stays away */ }
};

/** Files that are dropped or pasted. @param {HTMLElement} root @param {(files: File[]) => void} take */
const takeFiles = (root, take) => {
  const brings = (/** @type {DragEvent} */ event) => [...(event.dataTransfer ? event.dataTransfer.types : [])].includes('Files');
  root.addEventListener('dragover', (event) => {
    if (brings(event)) { event.preventDefault(); root.classList.add('ob-dragged'); }
  });
  root.addEventListener('dragleave', (event) => {
    if (!root.contains(/** @type {Node | null} */ (event.relatedTarget))) root.classList.remove('ob-dragged');
  });
  root.addEventListener('drop', (event) => {
    root.classList.remove('ob-dragged');
    if (!brings(event)) return;
    event.preventDefault();
    event.stopPropagation();
    take([...(event.dataTransfer ? event.dataTransfer.files : [])]);
  });
  root.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData ? event.clipboardData.files : [])];
    event.stopPropagation();
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });
};

/** Ctrl+Enter generates, with what was typed last; plain keys are the panel's, not shortcuts of the notebook.
 * @param {HTMLElement} root @param {() => void} generate */
const takeKeys = (root, generate) => {
  root.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    const {target} = event;
    if (target instanceof HTMLInputElement && untaken.has(target)) target.dispatchEvent(new Event('change', {bubbles: true}));
    generate();
  }, true);
  root.addEventListener('input', ({target}) => target && untaken.add(target), true);
  root.addEventListener('change', ({target}) => target && untaken.delete(target), true);
  root.addEventListener('keydown', (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
};

/** Have a press count that began on a button, though what comes meanwhile moves it from under the mouse; a mouse that
 * moves away takes it back. @param {HTMLElement} root */
const holdPresses = (root) => {
  /** @type {{pressed: Element, x: number, y: number} | null} */
  let held = null;
  root.addEventListener('pointerdown', ({target, pointerType, pointerId, button: which, clientX: x, clientY: y, isTrusted}) => {
    const pressed = /** @type {Element} */ (target).closest('button, summary, input:is([type="radio"], [type="checkbox"])');
    if (!pressed || pointerType !== 'mouse' || which || !isTrusted) return;
    pressed.setPointerCapture(pointerId);
    held = {pressed, x, y};
  });
  root.addEventListener('pointermove', ({pointerId, clientX, clientY}) => {
    if (!held?.pressed.hasPointerCapture(pointerId) || Math.hypot(clientX - held.x, clientY - held.y) <= STILL) return;
    held.pressed.releasePointerCapture(pointerId);
  });
  root.addEventListener('pointerup', ({pointerId, clientX, clientY}) => {
    const button = /** @type {HTMLElement | undefined} */ (held?.pressed);
    held = null;
    if (!button?.hasPointerCapture(pointerId) || button.contains(document.elementFromPoint(clientX, clientY))) return;
    const heard = new AbortController(); // WebKit gives a click to what lies below the mouse, whoever has captured it
    button.addEventListener('click', () => heard.abort(), {signal: heard.signal});
    setTimeout(() => { if (!heard.signal.aborted) { heard.abort(); button.click(); } });
  });
};

/** Show whatever goes wrong in this module: at the place where it is seen. @param {HTMLElement} place @param {unknown} error */
const showDefect = (place, error) => {
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  place.append(problemBox({
    message: `The panel's page failed: ${said}`,
    advice: 'Nothing was sent because of it. Run this cell again; opeai_nb.panel(plain=True) needs no page of its own.',
    evidence: error instanceof Error ? (error.stack || '').split('\n').slice(1, 3).join(' ').trim() : '',
  }));
};

/** Panels whose kernel is gone say so, where the front end marks them. @param {HTMLElement} el @param {Desk} desk */
const watchKernel = (el, desk) => {
  const look = () => { if (el.classList.contains('jupyter-widgets-disconnected')) desk.lose(); };
  const watch = new MutationObserver(look);
  watch.observe(el, {attributes: true, attributeFilter: ['class']});
  look();
  return watch;
};

/** Have the style sheet once in the document, or in the shadow tree, in which an element stands. @param {HTMLElement} el */
const addStyles = (el) => {
  const root = el.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  const former = place.querySelector('style.opeai-nb-style');
  if (former?.textContent === STYLES) return;
  former?.remove(); // of another version
  place.append(h('style', {class: 'opeai-nb-style'}, STYLES));
};

/** @param {{model: Model, el: HTMLElement}} view */
const build = ({model, el}) => {
  addStyles(el);
  const desk = deskOf(model);
  const pictures = new Pictures();
  const defects = h('div', {class: 'ob-defects'});
  const root = h('div', {class: 'opeai-nb-panel', role: 'region', 'aria-label': 'Panel of opeai_nb'});
  const acts = actions(desk, () => root);
  const inputs = tray(desk, pictures);
  const parts = [composer(desk, pictures), inputs, advanced(desk), acts];
  const right = [regionEditor(desk, pictures, () => root), stage(desk, pictures), gallery(desk, pictures)];
  const lost = h('div', {class: 'ob-lost ob-hidden', role: 'alert'}, 'The kernel was restarted or is gone: run this cell again.');
  root.append(defects, lost, h('div', {class: 'ob-columns'},
    h('div', {class: 'ob-composer'}, ...parts.flatMap((part) => part.elements)),
    h('div', {class: 'ob-right'}, ...right.flatMap((part) => part.elements))));
  const show = (/** @type {string} */ what) => {
    try {
      for (const part of [...parts, ...right]) part.show(what);
      hide(lost, !desk.isLost);
    } catch (error) { showDefect(defects, error); }
  };
  desk.parts.add(show);
  const fail = (/** @type {unknown} */ error) => showDefect(defects, error);
  desk.defects.add(fail);
  desk.library.desks.add(desk);
  root.addEventListener('ob-defect', (/** @type {Event} */ event) => fail(/** @type {CustomEvent} */ (event).detail));
  takeFiles(root, (files) => { inputs.take(files).catch(fail); });
  takeKeys(root, acts.generate);
  holdPresses(root);
  rememberPage(root, model.get('_name'));
  el.append(root);
  show('all');
  const watch = watchKernel(el, desk);
  root.dataset.ready = '1';
  desk.tell('shown');
  return () => {
    desk.parts.delete(show);
    desk.defects.delete(fail);
    if (!desk.parts.size) desk.library.desks.delete(desk);
    watch.disconnect();
    pictures.close();
  };
};

/** @param {{model: Model, el: HTMLElement}} view */
const render = (view) => {
  try { return build(view); } catch (error) { showDefect(view.el, error); return () => {}; }
};

// A front end loads this module once more for each panel. The first of this text serves them all, so that nothing is
// compiled twice; `panel.py` puts a digest of the text into the name.
const shared = /** @type {Record<symbol, {render: typeof render}>} */ (/** @type {any} */ (globalThis));
const NAME = Symbol.for('opeai-nb-panel DIGEST');
shared[NAME] ??= {render};
export default shared[NAME];
//# sourceURL=opeai-nb-panel.js
