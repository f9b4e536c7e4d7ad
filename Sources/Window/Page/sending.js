// Sends files, three at a time, and shows how far each is. For the window and for guests.

import { headers, refusal } from './api.js';
import { button, el, find, patch } from './dom.js';
import { bytes, encodeName, join, some, textOf } from './format.js';
import { saying } from './talk.js';

const atOnce = 3;
const rowsShown = 40;
let jobs = [];
let urlOf;
let folderOf;
let isDrawing = false;

const inState = (...states) => jobs.filter(({ state }) => states.includes(state));
const unsent = () => inState('sending', 'waiting');

function send(files) {
  for (const file of files) jobs.push({ ...file, key: jobs.length, state: 'waiting' });
  goOn();
}

function goOn() {
  for (const job of inState('waiting').slice(0, atOnce - inState('sending').length)) start(job);
  if (!isDrawing) requestAnimationFrame(draw);
  isDrawing = true;
}

function change(job, changes) {
  Object.assign(job, changes);
  goOn();
}

function start(job) {
  const call = new XMLHttpRequest();
  Object.assign(job, { call, state: 'sending', sent: 0, error: null });
  call.open('PUT', urlOf(job.path) + (job.replaces ? '?replace' : ''));
  for (const [name, value] of Object.entries(headers())) call.setRequestHeader(name, value);
  const fail = (error) => change(job, { state: 'failed', error });
  call.upload.onprogress = ({ loaded }) => change(job, { sent: loaded });
  call.onload = () => (call.status < 300 ? change(job, { state: 'done' })
    : fail(refusal(call.status, call.responseText)));
  call.onerror = () => fail(new Error('It could not be read, or the connection was lost.'));
  call.send(job.file);
}

function cancel(job) {
  job.call?.abort();
  change(job, { state: 'cancelled' });
}

function draw() {
  isDrawing = false;
  // What needs a look comes first; of thousands only some are shown.
  const shown = ['failed', 'sending', 'waiting', 'done', 'cancelled']
    .flatMap((state) => inState(state)).slice(0, rowsShown);
  const failed = inState('failed').length;
  find('#sending').hidden = !jobs.length;
  patch(find('#sending'),
    el('div.heading', el('p', { role: 'status' },
      `${inState('done').length} of ${some(jobs.length, 'file', 'files')} sent`,
      failed > 0 && `, ${failed} not`),
    unsent().length ? button('Cancel all', () => unsent().reverse().forEach(cancel))
      : button('Close', () => {
        jobs = [];
        goOn();
      })),
    el('ul', shown.map(row)));
}

function row(job) {
  const { key, path, file, state, sent, error } = job;
  const name = textOf(path);
  const again = (label, replaces) => button(label,
    () => change(job, { state: 'waiting', replaces }));
  return el('li', { key, test: state === 'done' ? 'guest-done' : 'sending', 'data-name': path },
    el('bdi.grow', name),
    state === 'sending' && el('progress', {
      max: Math.max(1, file.size), value: sent, 'aria-label': name,
    }),
    el(error ? 'span.trouble' : 'span.quiet', error?.message ?? `${bytes(file.size)}, ${state}`),
    error && (error.status === 409 ? again('Replace', true) : again('Again')),
    unsent().includes(job)
      && button('Cancel', () => cancel(job), { 'aria-label': `Cancel ${name}` }));
}

// What people choose or drop.

const inFolder = (folder, path) => join(folder, path.split('/').map(encodeName).join('/'));

export const fileInput = (test, rest) => el('input.unseen', {
  type: 'file', multiple: true, tabindex: -1, 'aria-label': 'Files', test, ...rest,
  onchange: ({ target }) => {
    send([...target.files].map((file) => (
      { path: inFolder(folderOf(), file.webkitRelativePath || file.name), file })));
    target.value = '';
  },
});

const asked = (object, call) => new Promise((resolve, reject) => object[call](resolve, reject));

async function walk(entry, path, makeFolder) {
  if (!entry.isDirectory) {
    send([{ path, file: await (entry.file ? asked(entry, 'file') : entry) }]);
    return;
  }
  const children = await childrenOf(entry.createReader());
  if (!children.length) await makeFolder(path);
  for (const child of children) await walk(child, inFolder(path, child.name), makeFolder);
}

/** A reader gives some at a time (a hundred, in Chromium), and none at the end. */
async function childrenOf(reader) {
  const next = await asked(reader, 'readEntries');
  return next.length ? next.concat(await childrenOf(reader)) : next;
}

/** Where `folder()` is null nothing may be dropped; `makeFolder` is for folders without files. */
export function setUpSending(url, folder, makeFolder) {
  [urlOf, folderOf] = [url, folder];
  addEventListener('beforeunload', (event) => unsent().length && event.preventDefault());
  const mark = (isOver) => document.body.classList.toggle('dropping', isOver);
  // Everywhere: the browser would leave the page for what is dropped.
  document.ondragover = (event) => {
    event.preventDefault();
    mark(folder() !== null);
  };
  document.ondragleave = () => mark(false);
  document.ondrop = saying(async (event) => {
    event.preventDefault();
    mark(false);
    const place = folder();
    if (place === null) return;
    // To be taken at once: after the event the list is empty.
    const entries = [...event.dataTransfer.items].map(
      (item) => item.webkitGetAsEntry() ?? item.getAsFile()).filter(Boolean);
    for (const entry of entries) await walk(entry, inFolder(place, entry.name), makeFolder);
  });
}
