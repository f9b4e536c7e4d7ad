// The frame: who is let in, which view is shown, and what is new in it.

import { login } from './api.js';
import { el, find, patch } from './dom.js';
import * as files from './files.js';
import * as guests from './guests.js';
import { renewList } from './listing.js';
import { follow, state } from './live.js';
import * as log from './log.js';
import * as members from './members.js';
import * as settings from './settings.js';
import { stateLine } from './standing.js';
import { saying } from './talk.js';
import * as transfers from './transfers.js';

/** Each has `content()`, and may have `enter(rest of the address)`, called on going there. */
const views = { files, members, transfers, guests, log, settings };
let current;
let isDrawing = false;

function goTo() {
  const [, name, rest] = /^#?(\w*)[/=]?(.*)$/.exec(location.hash);
  // A new address of `fsharectl window` in a page that is open already.
  if (name === 'login') location.reload();
  const next = name in views ? name : 'files';
  if (next !== current) find('#view').scrollTop = 0;
  current = next;
  draw();
  views[current].enter?.(rest);
}

function drawSoon() {
  if (!isDrawing) requestAnimationFrame(draw);
  isDrawing = true;
}

function draw() {
  isDrawing = false;
  const { connection } = state;
  const isIn = connection !== 'out';
  find('#connection').className = connection;
  patch(find('#connection'), { live: 'live', lost: 'connection lost, trying again' }[connection]);
  patch(find('header nav'), isIn && Object.keys(views).map(link));
  patch(find('#state'), isIn && [stateLine(), members.waiting(current === 'members')]);
  patch(find('#view'), isIn ? views[current].content() : shutOut());
}

function link(name) {
  const number = name === 'members' && members.whoWaits().length;
  return el('a', {
    href: `#${name}`, test: `nav-${name}`, 'aria-current': name === current && 'page',
  }, name[0].toUpperCase() + name.slice(1),
  number > 0 && el('b', number, el('span.unseen', ' waiting')));
}

const shutOut = () => el('div.empty', el('h2', 'This browser is not let in'),
  el('p', 'Type ', el('code', 'fsharectl window'),
    ' on the machine for a new address, and open it here.'));

async function begin() {
  const token = /^#login=(.+)$/.exec(location.hash)?.[1];
  if (token) {
    history.replaceState(null, '', '/');
    await saying(login)(token);
  }
  goTo();
  addEventListener('hashchange', goTo);
  follow({ onChange: drawSoon, onListChange: renewList });
}

begin();
