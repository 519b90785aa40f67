// @ts-check
/** Further fields, in a fold whose controls are made when it is first opened. */

import {hasEffect, readField, textOf} from './models.js';
import {field, h, hide, tell} from './elements.js';

/** @typedef {import('./desk.js').Desk} Desk */
/** @typedef {import('./models.js').Field} Field */
/** @typedef {import('./prompt_form.js').Part} Part */

/** The fold of further fields. @param {Desk} desk @returns {Part} */
export const advanced = (desk) => {
  const note = h('div', {role: 'status'});
  /** @type {{field: Field, control: any, box: any}[]} */
  let made = [];
  const grid = h('div', {class: 'ob-advanced'});
  const fold = h('details', {class: 'ob-more', toggle: () => { if (fold.open && !made.length) make(); }},
    h('summary', {}, 'More options'), grid, h('div', {class: 'ob-told'}, note));

  /** @param {Field} one */
  const control = (one) => {
    /** @type {any} */
    const box = one.choices.length
      ? h('select', {}, h('option', {value: ''}, 'default'), ...one.choices.map((word) => h('option', {value: word}, word)))
      : h('input', {type: 'text', placeholder: one.hint});
    box.addEventListener('change', () => {
      try {
        const value = readField(one, box.value);
        desk.unread.delete(one.name);
        desk.set({[one.name]: value});
        tell(note, []);
      } catch (/** @type {any} */ error) {
        desk.unread.set(one.name, `${error.message} Nothing was sent.`);
        tell(note, [error.message], 'ob-note ob-wrong');
      }
    });
    return box;
  };
  const make = () => {
    made = desk.table.fields.map((one) => {
      const box = control(one);
      return {field: one, control: box, box: field(one.label, box)};
    });
    grid.replaceChildren(...made.map(({box}) => box));
    show();
  };
  const show = () => {
    const {controls} = desk;
    for (const {field: one, control: box, box: whole} of made) {
      const isSent = hasEffect(desk.table, controls.model, one.name, controls.dialect);
      hide(whole, !isSent);
      if (!isSent) desk.unread.delete(one.name);
      if (document.activeElement !== box && !desk.unread.has(one.name)) box.value = textOf(one, controls[one.name]);
    }
  };
  return {elements: [fold], show: (what) => { if (what === 'all' || what === 'controls') show(); }};
};
