// @ts-check
/** What is kept: the history of prompts, and tags. Pure. */

/** @typedef {{record: string, key: string, prompt: string, model: string, made: string}} Past a prompt of the library: its newest record and that one's picture */
/** @typedef {{text: string, rows: Past[], after: any[], isAll: boolean, isThere: boolean, isAsked: boolean}} History the prompts with some words */

/** What is known of the prompts with some words before the kernel is asked. @type {(text: string) => History} */
export const unasked = (text) => ({text, rows: [], after: [], isAll: false, isThere: false, isAsked: false});

/** Text as it is searched: without case, each letter in one form. @type {(text: string) => string} */
export const folded = (text) => text.normalize('NFKC').toLowerCase();

/** Each prompt once that holds every word of a text, newest first. @type {(known: Past[], text: string) => Past[]} */
export const promptsWith = (known, text) => {
  const words = folded(text).split(/\s+/).filter(Boolean);
  const newest = /** @type {Map<string, Past>} */ (new Map());
  for (const one of known) {
    const before = newest.get(one.prompt);
    if (one.prompt.trim() && (!before || before.made < one.made)) newest.set(one.prompt, one);
  }
  return [...newest.values()].filter(({prompt}) => words.every((word) => folded(prompt).includes(word)))
    .sort((one, other) => (one.made < other.made ? 1 : one.made > other.made ? -1 : 0));
};

/** A tag as it is kept, without its `#`. Throws where it is none. @type {(text: string) => string} */
export const readTag = (text) => {
  const tag = text.trim().replace(/^#/, '');
  if (!tag || /^["']|["']$|\s/.test(tag) || [...tag].length > 64) {
    throw new Error(`'${text.trim()}' is no tag. A tag is one word of at most 64 letters.`);
  }
  return tag;
};

/** The tags that complete what is typed, those that begin with it first. @type {(tags: string[], text: string, own: string[]) => string[]} */
export const tagsLike = (tags, text, own) => {
  const typed = folded(text.trim().replace(/^#/, ''));
  const has = new Set(own.map(folded));
  const found = tags.filter((tag) => !has.has(folded(tag)) && folded(tag).includes(typed));
  return [...found.filter((tag) => folded(tag).startsWith(typed)), ...found.filter((tag) => !folded(tag).startsWith(typed))];
};
