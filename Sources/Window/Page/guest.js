// What somebody with a link sees: a file, a folder, or a box to leave files in.

import { listCall, request } from './api.js';
import { button, el, find, patch } from './dom.js';
import { bytes, join, moment, textOf } from './format.js';
import { listing, setUpListing, showList } from './listing.js';
import { fileInput, setUpSending } from './sending.js';
import { openMenu } from './talk.js';
import { fill, openEntry } from './viewer.js';

const show = (...content) => patch(find('#view'), content);

async function begin() {
  const [, id, secret] = /^#([^./]+)\.([^/]+)$/.exec(location.hash) ?? [];
  try {
    const link = id ? await request('POST', '/api/enter', { id, secret })
      : await request('GET', '/api/entered');
    // The secret does not stay in the address bar; from here on the cookie does.
    if (id) history.replaceState(null, '', '/');
    document.title = link.name;
    ({ file: showFile, folder: showFolder, drop: showBox })[link.kind](link);
  } catch (error) {
    show(el('div.empty', el('h1', 'This link does not work'),
      el('p', { role: 'alert' }, error.message)));
  }
}

const head = ({ name, until }, ...rest) => el('div', el('h1', { test: 'guest-name' }, name),
  el('p.quiet', rest, until && ` until ${moment(until)}`));

const download = (href, label) => el('a.button.primary',
  { href, download: true, test: 'guest-download' }, label);

function showFile(link) {
  const stage = el('div.stage');
  if (link.type) fill(stage, '/files/file', { type: link.type, text: link.name });
  show(head(link, bytes(link.size)), stage, download('/files/file?download', 'Download'));
}

function showFolder(link) {
  let folder;
  const pathOf = ({ name }) => join(folder, name);
  const urlOf = (item) => `/files/${pathOf(item)}`;
  setUpListing({
    empty: () => el('p', 'Nothing is in it.'),
    open: (item, index) => openEntry(urlOf, item, index, pathOf(item)),
    menu: (item, index, opener) => openMenu(opener, item.text, [
      ['Download', item.kind === 'folder' ? `/zip/${pathOf(item)}` : `${urlOf(item)}?download`],
    ]),
  });
  const place = el('nav.crumbs', { 'aria-label': 'Folder' });
  const goTo = () => {
    const path = location.hash.replace(/^#files\/|^#.*/, '');
    folder = path;
    patch(place, path && [el('a', { href: `#files/${path.replace(/\/?[^/]*$/, '')}` }, 'Back'),
      el('bdi', textOf(path))]);
    showList((...page) => listCall(path, ...page));
  };
  show(head(link), download('/zip/', 'Download all as zip'), place, listing);
  addEventListener('hashchange', goTo);
  goTo();
}

function showBox(link) {
  setUpSending((path) => `/drop/${path}`, () => '', () => {});
  const input = fileInput('guest-file');
  show(head(link, 'You can leave files here'), el('div.empty', el('p', 'Drop files here, or'),
    button('Choose files', () => input.click(), { class: 'primary' }), input,
    link.maxBytes !== undefined && el('p.quiet', `${bytes(link.maxBytes)} at most`)));
}

begin();
