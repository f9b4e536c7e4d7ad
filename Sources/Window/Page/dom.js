// Elements without markup. Every text becomes a text node, so no name is ever read as HTML.

import { visible } from './format.js';

/**
 * `el('p.quiet', { test: 'x', onclick }, 'text', …)`, or without properties. `test` is for tests,
 * `key` tells a row for `patch`; what is undefined, null or false is left out.
 */
export function el(kind, ...content) {
  const [tag, ...classes] = kind.split('.');
  const node = document.createElement(tag);
  const properties = content[0]?.constructor === Object ? content.shift() : {};
  node.className = classes.join(' ');
  node.own = {};
  for (const [name, value] of Object.entries(properties)) {
    if (isNothing(value)) continue;
    if (name === 'key') node.key = node.dataset.id = String(value);
    else if (name === 'class') node.classList.add(value);
    else if (/^on|^top$/.test(name)) node.own[name] = value;
    else if (name === 'test') node.dataset.test = value;
    else node.setAttribute(name, value === true ? '' : visible(value));
  }
  node.append(...nodes(content));
  takeOn(node, node.own);
  return node;
}

const isNothing = (value) => value === undefined || value === null || value === false;

/** What is no attribute: the page's policy forbids a style as one, and its text is rounded. */
function takeOn(node, { top, ...handlers }) {
  if (top !== undefined) node.style.top = `${top}px`;
  Object.assign(node, handlers);
}

const nodes = (content) => content.flat(Infinity)
  .filter((each) => !isNothing(each))
  .map((each) => (each instanceof Node ? each : document.createTextNode(visible(each))));

/** For tests a button is called by its label, unless it is said otherwise. */
export const hook = (label) => label.toLowerCase().replaceAll(' ', '-');

export const button = (label, onclick, { icon: picture, ...rest } = {}) => el('button', {
  type: 'button', onclick, test: rest.test ?? hook(label), ...rest,
}, picture && icon(picture), label);

/**
 * Makes `parent` show `content`, changing only what differs: focus, selection and a click that is
 * half done survive, however often a report comes.
 */
export function patch(parent, ...content) {
  const wanted = nodes(content);
  const keys = new Set(wanted.map(({ key }) => key));
  for (const node of [...parent.childNodes]) if (!keys.has(node.key)) node.remove();
  const byKey = new Map([...parent.childNodes].map((node) => [node.key, node]));
  wanted.forEach((node, place) => {
    const there = parent.childNodes[place];
    const same = node.key === undefined ? there : byKey.get(node.key);
    if (same?.nodeName !== node.nodeName || same.key !== node.key) {
      parent.insertBefore(node, there ?? null);
      return;
    }
    if (same !== there) parent.insertBefore(same, there);
    become(same, node);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild.remove();
}

function become(node, wanted) {
  if (node === wanted) return;
  if (node instanceof Text) {
    if (node.data !== wanted.data) node.data = wanted.data;
    return;
  }
  // Whether it is open is the reader's to say.
  for (const name of node.getAttributeNames()) {
    if (!wanted.hasAttribute(name) && name !== 'open') node.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (node.getAttribute(name) !== value && name !== 'style') node.setAttribute(name, value);
  }
  for (const name of Object.keys(node.own)) node[name] = null;
  node.own = wanted.own;
  takeOn(node, node.own);
  patch(node, ...wanted.childNodes);
}

const pictures = {
  folder: 'M3 6h7l2 2h9v11H3z',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  image: 'M3 5h18v14H3zM3 16l5-5 4 4 3-3 6 5M15 9h.01',
  video: 'M3 6h12v12H3zM15 11l6-4v10l-6-4',
  audio: 'M9 18V5l10-2v13M9 18a3 3 0 1 1-3-3h3M19 16a3 3 0 1 1-3-3h3',
  more: 'M11 5h2v2h-2zM11 11h2v2h-2zM11 17h2v2h-2z',
  add: 'M12 5v14M5 12h14',
};

function icon(name) {
  const [svg, path] = ['svg', 'path'].map((tag) => Object.assign(
    document.createElementNS('http://www.w3.org/2000/svg', tag), { own: {} }));
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon ${name}`);
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', pictures[name] ?? pictures.file);
  svg.append(path);
  return svg;
}

export const find = (selector) => document.querySelector(selector);
