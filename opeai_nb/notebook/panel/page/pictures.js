// @ts-check
/** Pictures that the kernel sent, as URLs for the page. */

const SMALL = 32 * 1024; // bytes: tiles, and no picture of the stage

/** Bytes as they came, whatever holds them. @param {any} held @returns {Uint8Array} */
const bytesOf = (held) => new Uint8Array(held.buffer || held, held.byteOffset || 0, held.byteLength);

/** Whether two pictures are the same, byte for byte. @type {(one: any, other: any) => boolean} */
export const isSameBytes = (one, other) => {
  if (one === other || !one || !other || one.byteLength !== other.byteLength) return one === other;
  const [left, right] = [bytesOf(one), bytesOf(other)];
  return left.every((byte, i) => byte === right[i]);
};

/** A small picture as a data URL: for an object URL the browser asks another of its processes, which
 * takes six times as long for a page of tiles. @param {Uint8Array} bytes @param {string} type */
const dataUrl = (bytes, type) => {
  if ('toBase64' in bytes) return `data:${type};base64,${/** @type {any} */ (bytes).toBase64()}`;
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:${type};base64,${btoa(text)}`;
};

/** Panels beside each other show the same tiles. @type {WeakMap<object, string>} */
const dataUrls = new WeakMap();

/** Pictures as URLs, by key; object URLs of a key before are given back. */
export class Pictures {
  constructor() {
    /** @type {Map<string, {bytes: any, url: string}>} */
    this.known = new Map();
  }

  /** @param {string} key @param {any} bytes @returns {string} */
  url(key, bytes) {
    const known = this.known.get(key);
    if (known && known.bytes === bytes) return known.url;
    const all = bytesOf(bytes);
    const type = all[0] === 0x52 ? 'image/webp' : 'image/jpeg';
    const isSmall = all.length <= SMALL;
    const url = dataUrls.get(bytes) || (isSmall ? dataUrl(all, type) : URL.createObjectURL(new Blob([bytes], {type})));
    if (isSmall) dataUrls.set(bytes, url);
    this.known.set(key, {bytes, url});
    if (known) setTimeout(() => URL.revokeObjectURL(known.url), 5000); // it may still be on the page
    return url;
  }

  close() {
    for (const {url} of this.known.values()) URL.revokeObjectURL(url);
    this.known.clear();
  }
}
