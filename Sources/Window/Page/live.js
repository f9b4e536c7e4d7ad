// What fsharefs knows, kept up to date by its WebSocket. Views read `state` and are told.

import { control, key } from './api.js';

/** The last report of each kind; `connection`: `live`, `lost`, `out` (not let in). */
export const state = { events: [] };

let wait = 1000;
let watcher;

export function take(changes) {
  Object.assign(state, changes);
  watcher.onChange();
}

/** Calls `onChange` and `onListChange` of `calls`. */
export function follow(calls) {
  watcher = calls;
  connect();
}

async function connect() {
  try {
    // A refused WebSocket does not say why; this call does.
    take({ status: await control('status') });
  } catch (error) {
    if (error.status === 401) take({ connection: 'out' });
    else tryAgain();
    return;
  }
  const socket = new WebSocket(`ws://${location.host}/live`, 'fsharefs');
  let isFirst = true;
  socket.onopen = () => socket.send(key);
  socket.onmessage = ({ data }) => {
    hear(JSON.parse(data), isFirst);
    isFirst = false;
  };
  socket.onclose = ({ code }) => (code === 4401 ? take({ connection: 'out' }) : tryAgain());
}

function tryAgain() {
  take({ connection: 'lost' });
  setTimeout(connect, wait);
  wait = Math.min(wait * 1.7, 10000);
}

function hear({ list, events = [], ...reports }, isFirst) {
  wait = 1000;
  // A new connection tells everything that is kept once more.
  const known = isFirst ? [] : state.events;
  take({ ...reports, connection: 'live', events: known.concat(events).slice(-1000) });
  if (list !== undefined || isFirst) watcher.onListChange();
}
