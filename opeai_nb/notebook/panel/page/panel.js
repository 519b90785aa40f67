// @ts-check
/**
 * The panel in the page. What it and the kernel tell each other stands in `protocol.py`.
 *
 * First what is pure (`models`, `history`, `regions`, `files`), then pieces of a page (`elements`, `pictures`), what one
 * page knows of one panel (`desk`), and the parts of the panel. The kernel sends all of it as one module, and leaves the
 * imports out (`page_module.py`). Whatever goes wrong in here is shown in the panel (`guarded`).
 */

import {h, hide, problemBox, untaken} from './elements.js';
import {Pictures} from './pictures.js';
import {deskOf} from './desk.js';
import {composer} from './prompt_form.js';
import {tray} from './input_pictures.js';
import {regionEditor} from './region_editor.js';
import {advanced} from './more_options.js';
import {actions} from './actions.js';
import {stage} from './viewer.js';
import {gallery} from './gallery.js';

/** @typedef {import('./desk.js').Desk} Desk */
/** @typedef {import('./desk.js').Model} Model */

const STILL = 8; // pixels that a hand moves a mouse while it presses
const STYLES = 'STYLES'; // page_module.py puts panel.css here

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
// compiled twice; `page_module.py` puts a digest of the text into the name.
const shared = /** @type {Record<symbol, {render: typeof render}>} */ (/** @type {any} */ (globalThis));
const NAME = Symbol.for('opeai-nb-panel DIGEST');
shared[NAME] ??= {render};
export default shared[NAME];
//# sourceURL=opeai-nb-panel.js
