// Numbers, times and names as people read them. A path is kept as the API writes it, each
// component percent-encoded: so names that are not UTF-8 come through.

const units = 'B KiB MiB GiB TiB PiB EiB'.split(' ');
const spans = [[86400, 'days'], [3600, 'h'], [60, 'min'], [1, 's']];

export function bytes(count) {
  let unit = 0;
  for (; count >= 1024; unit += 1) count /= 1024;
  return `${unit ? count.toFixed(1) : count} ${units[unit]}`;
}

export const some = (number, one, many) => (
  `${number.toLocaleString('en')} ${number === 1 ? one : many}`);

/** `2026-11-21 07:31`, local time; a dash for what no calendar holds. */
export function moment(seconds) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return '–';
  const local = new Date(date - date.getTimezoneOffset() * 60000).toISOString();
  return local.replace('T', ' ').slice(0, local.indexOf('T') + 6);
}

export function duration(seconds) {
  const [span, name] = spans.find(([each]) => seconds >= 2 * each) ?? [1, 's'];
  return `${Math.round(seconds / span)} ${name}`;
}

/** Each byte of the text in UTF-8, after `mark` and in two digits. */
const spelt = (text, mark) => Array.from(new TextEncoder().encode(text),
  (byte) => mark + byte.toString(16).toUpperCase().padStart(2, '0')).join('');

/** What would turn the text around or break its line is shown as `\xNN`, as `fsharectl` does. */
export const visible = (text) => String(text).replace(
  /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
  (character) => spelt(character, '\\x'));

export const encodeName = (text) => text.replace(/[^\w.~-]+/g, (others) => spelt(others, '%'));

export function textOf(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return decodeURIComponent(path.replace(/%([89A-F].)/gi, '\\x$1'));
  }
}

export const join = (folder, name) => (folder ? `${folder}/${name}` : name);

/** The path of a report, written for people, as the API takes it. */
export const pathOfReport = (text) => text.split('/').filter(Boolean)
  .map((name) => encodeName(name).replace(/%5Cx([0-9A-F]{2})/gi, '%$1'))
  .join('/');
