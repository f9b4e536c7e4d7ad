// The list of files, of any length: only what is seen is asked for and is in the document.

import { button, el, patch } from './dom.js';
import { bytes, moment } from './format.js';

const pageLength = 100;
const pagesKept = 40;
/** Browsers stop at about 16 million pixels. Beyond, the scroll bar stands for a longer way. */
const tallest = 12_000_000;

const head = el('div.head', { role: 'row' });
const body = el('div.body', { role: 'rowgroup' });
const note = el('div.empty', { hidden: true });
export const listing = el('div.listing', {
  role: 'grid', test: 'listing', 'aria-label': 'Files',
  onkeydown: press, onscroll: look,
}, el('div.top', { role: 'rowgroup' }, head), body, note);

let calls;
let ask;
let isSorted;
let isAsking = false;
let sort = { by: 'name', order: 'up' };
let pages;
let version = 0;
let total;
let active;

/** `open` and `menu` get an item, its index and the button; `empty` gives what is said. */
export function setUpListing(how) {
  calls = how;
  new ResizeObserver(look).observe(listing);
}

/** `pageOf(from, count, sort)` gives a page. */
export function showList(pageOf, maySort = true) {
  [ask, isSorted, pages, total, active] = [pageOf, maySort, new Map(), 0, 0];
  listing.scrollTop = 0;
  look();
}

/** What is shown stays until the new pages are here, and stays at its place. */
export function renewList() {
  version += 1;
  look();
}

const pageAt = (index) => Math.floor(index / pageLength);
const known = (index) => pages.get(pageAt(index))?.items[index % pageLength];

export async function itemAt(index) {
  if (index < 0 || index >= total) return undefined;
  if (!known(index)) await fetchPage(pageAt(index));
  return known(index);
}

/** Where one is on the `way`, which is as long as all rows are high. */
function measure() {
  const rowHeight = parseFloat(getComputedStyle(listing).getPropertyValue('--row'));
  const viewHeight = Math.max(0, listing.clientHeight - head.offsetHeight);
  const bodyHeight = Math.min(total * rowHeight, tallest);
  const room = bodyHeight - viewHeight;
  const scale = room > 0 ? (total * rowHeight - viewHeight) / room : 1;
  const way = listing.scrollTop * scale;
  const top = Math.floor(way / rowHeight);
  const first = Math.max(0, top - 4);
  const end = Math.min(total, top + Math.ceil(viewHeight / rowHeight) + 5);
  return { rowHeight, viewHeight, bodyHeight, scale, way, top, first, end };
}

function look() {
  if (!ask || !listing.clientHeight) return;
  draw();
  askForSeen();
}

/** One page at a time, always one that is seen now: a long drag asks for where it ends. */
async function askForSeen() {
  if (isAsking) return;
  isAsking = true;
  try {
    for (let page = missing(); page !== undefined; page = missing()) {
      await fetchPage(page);
      draw();
    }
  } catch (error) {
    note.hidden = total > 0;
    patch(note, el('p', { role: 'alert' }, error.message));
  }
  isAsking = false;
}

function missing() {
  const { first, end } = measure();
  return [pageAt(first), pageAt(Math.max(0, end - 1))]
    .find((page) => pages.get(page)?.version !== version);
}

async function fetchPage(page) {
  const [asked, askedVersion] = [ask, version];
  const answer = await ask(page * pageLength, pageLength, sort);
  if (asked !== ask) return;
  total = answer.total;
  pages.delete(page);
  pages.set(page, { items: answer.items, version: askedVersion });
  if (pages.size > pagesKept) pages.delete(pages.keys().next().value);
}

function draw() {
  const place = measure();
  const { top, first, end } = place;
  listing.setAttribute('aria-rowcount', total + 1);
  body.style.height = `${place.bodyHeight}px`;
  patch(head, ['Name', 'Size', 'Date', 'Owner', 'State'].map(headCell));
  // Exactly one row is reached by Tab; the arrows go on from there.
  const tabRow = Math.min(Math.max(active, top), end - 1);
  const indexes = Array.from({ length: end - first }, (_, row) => first + row);
  patch(body, indexes.map((index) => row(index, index === tabRow ? 0 : -1, place)));
  note.hidden = total > 0 || !pages.size;
  if (!note.hidden) patch(note, calls.empty());
}

function headCell(label) {
  const by = label.toLowerCase();
  const mark = sort.order === 'up' ? 'ascending' : 'descending';
  return el('div', {
    role: 'columnheader', class: by, 'aria-sort': isSorted && sort.by === by && mark,
  }, isSorted && ['name', 'size', 'date'].includes(by)
    ? button(label, () => sortBy(by), { class: 'plain' }) : label);
}

function sortBy(by) {
  sort = { by, order: sort.by === by && sort.order === 'up' ? 'down' : 'up' };
  showList(ask);
}

function row(index, tabindex, { rowHeight, way }) {
  const item = known(index);
  return el('div.row', {
    role: 'row', key: index, 'aria-rowindex': index + 2, test: item && 'row',
    'data-name': item?.name, top: listing.scrollTop + index * rowHeight - way,
  }, item ? cells(item, index, tabindex) : button('…', null, { tabindex }));
}

function cells(item, index, tabindex) {
  const { text, kind, state, owner } = item;
  const cell = (name, ...content) => el(`div.${name}`, { role: 'gridcell' }, content);
  const act = (perform) => ({ currentTarget }) => {
    active = index;
    draw();
    perform(item, index, currentTarget);
  };
  return [
    cell('name', button(el('bdi', text), act(calls.open), {
      test: 'open', icon: item.type || kind, class: 'plain', tabindex, title: text,
    }), item.where && el('bdi.where', item.where)),
    cell('size', kind === 'folder' ? kind : bytes(item.size)),
    cell('date', moment(item.mtime)),
    cell('owner', el('bdi', { title: owner }, item.isOwn ? 'you' : owner)),
    cell('state', el('span', { title: state }, state)),
    cell('more', button('', act(calls.menu), {
      test: 'menu', icon: 'more', class: 'round', tabindex, 'aria-label': `More about ${text}`,
    })),
  ];
}

function press(event) {
  const { rowHeight, viewHeight, way, scale } = measure();
  const rows = Math.max(1, Math.floor(viewHeight / rowHeight) - 1);
  const step = {
    ArrowDown: 1, ArrowUp: -1, PageDown: rows, PageUp: -rows, Home: -total, End: total,
  }[event.key];
  if (!step) return;
  event.preventDefault();
  active = Math.max(0, Math.min(active + step, total - 1));
  const top = active * rowHeight;
  const next = Math.max(top + rowHeight - viewHeight, Math.min(way, top));
  if (next !== way) listing.scrollTop = next / scale;
  look();
  [...body.children].find(({ key }) => Number(key) === active)
    ?.querySelector('button').focus({ preventScroll: true });
}
