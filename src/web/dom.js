/* The few ways in which this page touches its document. Text always goes in as text: names come
   from strangers. */

export const byId = (id) => document.getElementById(id);

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/* An icon of the sprite in index.html. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#icon-${name}`);
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(use);
  return svg;
}

const graphemes = Intl.Segmenter ? new Intl.Segmenter() : null;

export function initial(name) {
  const first = graphemes ? graphemes.segment(name)[Symbol.iterator]().next().value?.segment
    : Array.from(name)[0];
  return (first ?? '?').toUpperCase();
}

/* For those who do not see the page. The same words twice are said twice. */
export function announce(text) {
  const region = byId('announce');
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}
