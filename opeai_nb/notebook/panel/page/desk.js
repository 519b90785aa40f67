// @ts-check
/** What one page knows of one panel: controls, messages, the gallery, the history of prompts. */

import {adapted, familyOf, isSame, settled, withPreset} from './models.js';
import {promptsWith, unasked} from './history.js';
import {regionProblem} from './regions.js';
import {TYPING} from './elements.js';
import {isSameBytes} from './pictures.js';

/** @typedef {import('./models.js').Controls} Controls */
/** @typedef {import('./models.js').Input} Input */
/** @typedef {import('./history.js').Past} Past */
/** @typedef {import('./models.js').Preset} Preset */
/** @typedef {import('./models.js').Table} Table */

const BUSY_AFTER = 700;
/** @typedef {{get: (name: string) => any, on: Function, off: Function, send: Function}} Model */

/** Controls and messages; the parts listen to *changed*. */
export class Desk {
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
export const deskOf = (model) => {
  const known = desks.get(model);
  if (known) return known;
  const made = new Desk(model);
  desks.set(model, made);
  return made;
};
