// @ts-check
/** Input pictures: uploads, paths, and what is sent of them so far. */

import {takes} from './models.js';
import {regionWords} from './regions.js';
import {fileProblem, pieces} from './files.js';
import {button, h, hide, isFocusAt, tell, wordsOf} from './elements.js';
import {Pictures} from './pictures.js';
import {drawRegion} from './region_editor.js';

/** @typedef {import('./desk.js').Desk} Desk */
/** @typedef {import('./models.js').Input} Input */
/** @typedef {import('./prompt_form.js').Part} Part */

const STEP = 2 * 1024 * 1024;
const IN_FLIGHT = 3;

/** @param {Desk} desk @param {Pictures} pictures @returns {Part & {take: (files: File[]) => Promise<unknown>}} */
export const tray = (desk, pictures) => {
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
