// @ts-check
/** Pieces of a page: elements, buttons, fields, lists; what goes wrong in a listener is shown. */

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

/** The place that an arrow key leads to in a grid. @type {(key: string, place: number, count: number, columns: number) => number} */
export const moved = (key, place, count, columns) => {
  const steps = /** @type {Record<string, number>} */ ({ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns});
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  const next = place + (steps[key] || 0);
  return next < 0 || next >= count ? place : next;
};

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

/** Fields in which something was typed that is not taken yet: it stays. @type {WeakSet<EventTarget>} */
export const untaken = new WeakSet();

export const TYPING = 250;
// Panels of several versions may stand on a page: ids and groups must not meet.
const OWN = `ob-${Math.random().toString(36).slice(2)}`;
let count = 0;

export const newId = () => {
  count += 1;
  return `${OWN}-${count}`;
};

/** Have what goes wrong in a listener shown in the panel that it belongs to.
 * @param {(event: any) => unknown} act */
export const guarded = (act) => async (/** @type {Event} */ event) => {
  const place = event.currentTarget;
  try { await act(event); } catch (error) {
    place?.dispatchEvent(new CustomEvent('ob-defect', {bubbles: true, detail: error}));
  }
};

/** An element with attributes (functions: listeners) and children.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string | null | false)} children
 * @returns {any} */
export const h = (tag, attributes = {}, ...children) => {
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
export const button = (label, act, more = {}, sign = '') => h('button',
  {type: 'button', ...more, class: `ob-button ${more.class || ''}`, click: act}, sign && icon(sign), label);

/** A label above a control. @param {string} label @param {any} control @param {string} [css] */
export const field = (label, control, css = '') => {
  control.id = control.id || newId();
  return h('div', {class: `ob-field ${css}`}, h('label', {class: 'ob-label', for: control.id}, label), control);
};

/** What a select offers, as it was put in. @type {WeakMap<object, string>} */
const offered = new WeakMap();

/** Have a select offer values with their labels, or groups of values under a label; what it offers already stays.
 * @param {any} select @param {[string, string | string[]][]} options */
export const offer = (select, options) => {
  const now = JSON.stringify(options);
  if (offered.get(select) === now) return;
  offered.set(select, now);
  const option = (/** @type {string} */ value, label = value) => h('option', {value}, label);
  select.replaceChildren(...options.map(([value, label]) => (Array.isArray(label)
    ? h('optgroup', {label: value}, ...label.map((one) => option(one))) : option(value, label))));
};

/** A problem in one line. @param {{message: string, advice?: string}} problem */
export const wordsOf = ({message, advice}) => `${message} ${advice || ''}`.trim();

/** @param {Element} element @param {boolean} isHidden */
export const hide = (element, isHidden) => element.classList.toggle('ob-hidden', isHidden);

/** Put notes below one another. @param {Element} place @param {string[]} notes @param {string} css */
export const tell = (place, notes, css = 'ob-note') => {
  const lines = notes.filter(Boolean).map((note) => h('div', {class: css}, note));
  place.replaceChildren(...lines);
};

/** An error as a person reads it. @param {{message: string, advice?: string, evidence?: string}} problem */
export const problemBox = ({message, advice, evidence}) => h('div', {class: 'ob-error', role: 'alert'},
  h('strong', {}, message), advice ? h('p', {}, advice) : null, evidence ? h('small', {}, evidence) : null);

/** @type {(text: string) => Promise<boolean>} */
const copied = async (text) => {
  try { await navigator.clipboard.writeText(text); return true; } catch { return false; }
};

/** A button that copies what stands in *shown*. @param {string} label @param {HTMLElement} shown @param {Record<string, any>} [more] */
export const copier = (label, shown, more = {}) => {
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
export const combobox = (input, name, choose, more = () => {}) => {
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

/** Whether the focus is still *there*, or nowhere since that is gone: else a person has gone on meanwhile, and keeps it.
 * @param {Element | null} there */
export const isFocusAt = (there) => [there, document.body, null].includes(document.activeElement);
