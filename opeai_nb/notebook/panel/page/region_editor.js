// @ts-check
/** Where an edit may change its picture: drawn in it, with a box or a brush. */

import {boxAfter, boxAround, boxBetween, maskOf, maskOfBox, paint, readBox, regionWords, runsOf, surfaceOf} from './regions.js';
import {button, guarded, h, hide, isFocusAt, newId, tell} from './elements.js';

/** @typedef {import('./regions.js').Box} Box */
/** @typedef {import('./desk.js').Desk} Desk */
/** @typedef {import('./models.js').Input} Input */
/** @typedef {import('./prompt_form.js').Part} Part */
/** @typedef {import('./pictures.js').Pictures} Pictures */
/** @typedef {import('./regions.js').Point} Point */
/** @typedef {import('./regions.js').Region} Region */

const SHADE = 'rgba(12, 14, 18, .62)';
const SHADE_PIXEL = 0x9e120e0c; // the same, as bytes in the order of today's machines

/** Show a region on a canvas that lies over its picture: what may not change is dark.
 * @param {HTMLCanvasElement} canvas @param {Region | null} region @param {Point} whole @param {Uint8Array | null} [mask] @param {number} [side] */
export const drawRegion = (canvas, region, whole, mask = null, side = 1280) => {
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
export const regionEditor = (desk, pictures, root) => {
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
