// @ts-check
/** The buttons that send, stop and write code; what goes on; a cell added below, where the front end lets a page do so. */

import {around, hintsOf} from './models.js';
import {button, copier, h, hide, problemBox, tell} from './elements.js';

/** @typedef {import('./desk.js').Desk} Desk */
/** @typedef {import('./prompt_form.js').Part} Part */

/** Generate, Stop, Wait again, Insert code; what goes on; the code.
 * @param {Desk} desk @param {() => HTMLElement} root @returns {Part & {generate: () => void}} */
export const actions = (desk, root) => {
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
