// @ts-check
/** Files before they are sent: what is no picture, or too large, is refused here. Pure. */

const STARTS = /** @type {[number, number[]][]} */ ([
  [0, [0x89, 0x50, 0x4e, 0x47]], // PNG
  [0, [0xff, 0xd8, 0xff]], // JPEG
  [0, [0x47, 0x49, 0x46, 0x38]], // GIF
  [0, [0x42, 0x4d]], // BMP
  [0, [0x49, 0x49, 0x2a, 0]], // TIFF
  [0, [0x4d, 0x4d, 0, 0x2a]],
  [8, [0x57, 0x45, 0x42, 0x50]], // WebP
  [4, [0x66, 0x74, 0x79, 0x70]], // AVIF, HEIC
]);

/** Whether bytes begin as a picture does. @type {(head: Uint8Array) => boolean} */
export const isPicture = (head) => STARTS.some(
  ([at, magic]) => magic.every((byte, i) => head[at + i] === byte));

/** @type {(bytes: number) => string} */
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Why a file is not sent; empty: it is. @type {(name: string, size: number, head: Uint8Array, limit: number) => string} */
export const fileProblem = (name, size, head, limit) => {
  if (size > limit) {
    return `${name} has ${megabytes(size)}; an upload may have ${megabytes(limit)}. It was not sent. `
      + 'Put the file beside the notebook and give its path: that has no limit.';
  }
  return isPicture(head) ? ''
    : `'${name}' is not an image that can be opened. Use PNG, JPEG or WebP. It was not sent.`;
};

/** Where each piece of a file begins. @type {(size: number, step: number) => number[]} */
export const pieces = (size, step) => Array.from({length: Math.max(1, Math.ceil(size / step))}, (_, i) => i * step);
