// How the mount stands, in a sentence, and why.

import { el } from './dom.js';
import { some } from './format.js';
import { state } from './live.js';
import { sixWords } from './talk.js';

export function stateLine() {
  const { status } = state;
  if (!status) return null;
  const [mood, text] = sentence(status);
  return [
    el('p.standing', { class: mood, test: 'state', role: 'status' }, text,
      besides(status).map((each) => el('span', ` ${each}`))),
    status.state === 'waiting' && el('div.card',
      el('p', 'Read these words to whoever lets you in: they must see the same.'),
      sixWords(status.words)),
  ];
}

function sentence({ hub, name, membersOnline, entries, ...status }) {
  const known = {
    connecting: ['caution', `Connecting to the hub ${hub}.`],
    waiting: ['caution', 'Waiting to be let into the group.'],
    left: ['bad', 'This machine has left the group: mount it again.'],
    disapproved: ['bad', 'This machine was put out. Was that wrong? Ask who runs the group.'],
  }[status.state];
  if (known) return known;
  if (!status.hubConnected) {
    return ['bad', `The hub ${hub} cannot be reached: only what is already here can be read.`];
  }
  if (!status.masterPresent) {
    return ['caution', 'The master is away: until it is back you can read, but share nothing.'];
  }
  return ['good', `Connected as ${name}. ${some(membersOnline, 'member', 'members')} here, `
    + `${some(entries, 'entry', 'entries')}.`];
}

function besides({ pendingChanges, ...status }) {
  const unshared = status.notShared + status.setAside;
  return [
    status.paused.length && `Paused: ${status.paused.join(', ')}.`,
    status.uploadsPaused && 'Uploads are paused.',
    pendingChanges && `${some(pendingChanges, 'change is', 'changes are')} not shared yet.`,
    unshared && `${some(unshared, 'own name is', 'own names are')} not shared: fsharectl doctor.`,
    status.listFault, status.restoration,
  ].filter(Boolean);
}
