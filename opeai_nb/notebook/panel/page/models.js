// @ts-check
/**
 * What is known of models, and what follows for the controls: sizes, qualities, presets, hints.
 * Pure; the kernel knows the same (`families.py`, `client/wire/hints.py`, `controls.py`), and a test holds both together.
 */

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
export const SOME = 6;

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
export const isSame = (/** @type {any} */ one, /** @type {any} */ other) => JSON.stringify(one) === JSON.stringify(other);
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
