// Everybody's files: the folder that is shown, what is found, and what one does with them.

import { control, key, listCall, order, request } from './api.js';
import { button, el, patch } from './dom.js';
import { encodeName, join, pathOfReport, some, textOf } from './format.js';
import { makeLink } from './guests.js';
import { listing, renewList, setUpListing, showList } from './listing.js';
import { state } from './live.js';
import { fileInput, setUpSending } from './sending.js';
import { ask, field, openMenu, toast } from './talk.js';
import { openEntry } from './viewer.js';

let folder = '';
let searchTimer;

/** What is found says its path; else it lies in the folder that is shown. */
const pathOf = (item) => item.path ?? join(folder, item.name);
const urlOf = (item) => `/files/${key}/${pathOf(item)}`;

setUpListing({
  open: (item, index) => openEntry(urlOf, item, index, pathOf(item)), menu: rowMenu, empty,
});
const crumbs = el('nav.crumbs', { 'aria-label': 'Folder', test: 'crumbs' });
const found = el('p.unseen', { role: 'status' });
const upload = fileInput('upload');
const uploadFolder = fileInput('upload-folder', { webkitdirectory: true });
const search = el('input', {
  type: 'search', placeholder: 'Search', 'aria-label': 'Search all files', test: 'search',
  oninput: () => {
    clearTimeout(searchTimer);
    searchTimer = setTimeout(showFound, 250);
  },
});
const chooser = () => button('Share files', () => upload.click(), {
  icon: 'add', class: 'primary',
});
/** Made once: the listing keeps its place, and the search its words. */
const frame = el('div.files', { key: 'files' }, el('div.heading', crumbs, search, el('div.actions',
  chooser(), upload, uploadFolder,
  button('', folderMenu, {
    test: 'folder-menu', icon: 'more', class: 'round', 'aria-label': 'More about this folder',
  }))), found, listing);

const makeFolder = (path) => request('PUT', `/api/folder/${path}`);
setUpSending((path) => `/api/files/${path}`, () => (frame.isConnected ? folder : null),
  makeFolder);

export const content = () => frame;

export function enter(path) {
  folder = path;
  search.value = '';
  const names = path ? path.split('/') : [];
  patch(crumbs, ['', ...names].map((name, depth) => el('a', {
    href: `#files/${names.slice(0, depth).join('/')}`,
    'aria-current': depth === names.length && 'page',
  }, el('bdi', depth ? textOf(name) : 'All files'))));
  showList((...page) => listCall(path, ...page));
}

function showFound() {
  const words = search.value.trim();
  patch(found);
  if (!words) {
    enter(folder);
    return;
  }
  showList(async (from, count) => {
    const { items, isMore } = await request('GET', `/api/find?words=${encodeURIComponent(words)}`);
    patch(found, `${isMore ? 'The first ' : ''}${some(items.length, 'entry', 'entries')} found`);
    return { items: items.slice(from, from + count), total: items.length };
  }, false);
}

function empty() {
  if (search.value.trim()) return el('p', 'Nothing is found by these words.');
  return [
    el('h2', folder ? 'This folder is empty' : 'Nobody shares anything yet'),
    el('p', 'Drop files or folders here, or choose them.'), chooser(),
  ];
}

function rowMenu(item, index, opener) {
  const path = pathOf(item);
  openMenu(opener, item.text, [
    ...choices(path, item),
    !item.isOwn && ['Fetch now', () => order('fetch', [], path)],
    item.mayRemove && ['Take back', () => takeBack(path, item), 'remove'],
  ]);
}

function choices(path, { kind, isOwn, text, mayRemove }) {
  const isIn = (paths) => paths?.some((each) => pathOfReport(each) === path);
  const isKept = isIn(state.keeps?.keeps.map((keep) => keep.path));
  const command = (label, name) => !isOwn && [label, () => order(name, [], path), name];
  return [
    kind === 'folder' ? ['Download as zip', `/zip/${key}/${path}`, 'download']
      : ['Download', `/files/${key}/${path}?download`],
    ['Guest link', () => makeLink(path, text, kind === 'folder' && mayRemove), 'link'],
    isKept ? command('Stop keeping', 'unkeep') : command('Keep here', 'keep'),
    isIn(state.status?.paused) ? command('Resume', 'resume') : command('Pause', 'pause'),
  ];
}

function folderMenu({ currentTarget }) {
  const text = folder ? textOf(folder) : 'All files';
  openMenu(currentTarget, text, [
    ['Share a folder', () => uploadFolder.click()],
    ['New folder', newFolder],
    ['Share a path', shareInPlace],
    ...choices(folder, { kind: 'folder', text, mayRemove: true }),
  ]);
}

const newFolder = () => ask('New folder', '', 'Make',
  ({ name }) => makeFolder(join(folder, encodeName(name))), { fields: field('Name', 'name') });

const shareInPlace = () => ask('Share a path',
  'It stays where it lies on the machine that runs fsharefs.', 'Share',
  ({ path }) => control('share', [path]),
  { fields: field('Path', 'path', { placeholder: '/home/…' }) });

const takeBack = (path, { kind, text }) => ask(`Take back ${text}?`,
  `${kind === 'folder' ? 'All in it that is yours' : 'It'} vanishes for everyone, and here.`,
  'Take back', async () => {
    const { removed } = await request('DELETE', `/api/files/${path}`);
    toast(`${some(removed, 'entry', 'entries')} taken back.`);
  }, { class: 'danger' });
