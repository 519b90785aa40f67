// @ts-check
/** The gallery: found, filtered, turned from page to page, walked through by keys. */

import {folded} from './history.js';
import {button, h, moved, offer, tell, TYPING} from './elements.js';

/** @typedef {import('./desk.js').Desk} Desk */
/** @typedef {import('./prompt_form.js').Part} Part */
/** @typedef {import('./pictures.js').Pictures} Pictures */

const AHEAD = 300; // ms after which the next page of the gallery is asked for: what is seen comes first

/** Thumbnails of the library, a page at a time. @param {Desk} desk @param {Pictures} pictures @returns {Part} */
export const gallery = (desk, pictures) => {
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
