// @ts-check
/** The form of a request: prompt and its history, preset, model, size, quality, count. */

import {qualitiesOf, sizesOf, SOME, unwrapped} from './models.js';
import {unasked} from './history.js';
import {button, combobox, field, h, hide, newId, offer, tell, TYPING, untaken} from './elements.js';
import {Pictures} from './pictures.js';

/** @typedef {import('./elements.js').Choice} Choice */
/** @typedef {import('./desk.js').Desk} Desk */
/** @typedef {import('./history.js').Past} Past */

const NONE = '\0';
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
export const composer = (desk, pictures) => {
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
