// @ts-check
/** One picture, large, with its tags, and what can be done with it. */

import {readTag, tagsLike} from './history.js';
import {surfaceOf} from './regions.js';
import {button, combobox, copier, h, hide, isFocusAt, tell, wordsOf} from './elements.js';

/** @typedef {import('./desk.js').Desk} Desk */
/** @typedef {import('./prompt_form.js').Part} Part */
/** @typedef {import('./pictures.js').Pictures} Pictures */

const REACTION = 300; // ms that a hand needs to follow what the eye sees

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
export const stage = (desk, pictures) => {
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
