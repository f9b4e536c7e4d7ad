// Pictures, video, sound and text, shown in place, with the next and the previous one.

import { button, el, patch } from './dom.js';
import { itemAt } from './listing.js';
import { openDialog } from './talk.js';

/** What a click on an entry does; `urlOf(item)` is where its bytes are. */
export function openEntry(urlOf, item, index, path) {
  if (item.kind === 'folder') location.hash = `files/${path}`;
  else if (item.type) openViewer(urlOf, index);
  else el('a', { href: `${urlOf(item)}?download`, download: true }).click();
}

function openViewer(urlOf, index) {
  const stage = el('div.stage');
  const download = el('a.button', { download: true, test: 'viewer-download' }, 'Download');
  const dialog = openDialog('', 'viewer', stage, el('div.actions',
    button('Previous', () => show(-1)), button('Next', () => show(1)), download));
  dialog.onkeydown = ({ key, target }) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    // In a video the arrows seek.
    if (step && !target.controls) show(step);
  };

  async function show(step) {
    const [item, place] = await nearest(index + step, step || 1);
    if (!item || !dialog.open) return;
    index = place;
    dialog.setAttribute('aria-label', item.text);
    patch(dialog.querySelector('h2'), item.text);
    download.href = `${urlOf(item)}?download`;
    fill(stage, urlOf(item), item);
  }
  show(0);
}

/** The first, from there on, that can be shown. One does not look for ever. */
async function nearest(from, step) {
  for (let index = from; Math.abs(index - from) < 1000; index += step) {
    const item = await itemAt(index);
    if (!item || item.type) return [item, index];
  }
  return [];
}

export function fill(stage, url, { type, text }) {
  const onerror = () => stage.replaceChildren(el('p', { role: 'alert' },
    'This cannot be shown: its owner is away, or this browser does not know its kind.'));
  const [tag, rest] = {
    image: ['img', { alt: text }],
    // In a sandbox without any right, whatever is in it stays text.
    text: ['iframe', { sandbox: '', title: text }],
  }[type] ?? [type, { controls: true, autoplay: true, 'aria-label': text }];
  stage.replaceChildren(el(tag, { src: url, onerror, ...rest }));
}
