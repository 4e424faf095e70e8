'use strict';
// Clicking a heading sorts the rows by its column, and again the other way round.
const body = document.querySelector('tbody');
for (const heading of document.querySelectorAll('th')) {
  const button = document.createElement('button');
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener('click', () => {
    const way = heading.getAttribute('aria-sort') !== 'ascending' ? 1 : -1;
    const rows = Array.from(body.rows, (row) => [row.cells[heading.cellIndex].textContent, row]);
    const order = new Intl.Collator(undefined, { numeric: true });
    rows.sort((a, b) => order.compare(a[0], b[0]) * way);
    body.classList.add('sorted');
    body.append(...rows.map((row) => row[1]));
    for (const other of document.querySelectorAll('th')) other.removeAttribute('aria-sort');
    heading.setAttribute('aria-sort', way > 0 ? 'ascending' : 'descending');
  });
}
// Typing leaves the rows that have every word in their link or target.
const search = document.createElement('input');
search.type = 'search';
search.placeholder = 'link or target';
search.setAttribute('aria-label', 'Show links with these words');
document.querySelector('#filters').append(search);
let texts;
let waiting;
search.addEventListener('input', () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    texts ??= Array.from(body.rows, (row) => [row, `${row.cells[0].textContent} ${row.cells[1].textContent}`.toLowerCase()]);
    const words = search.value.toLowerCase().split(' ');
    for (const [row, text] of texts) row.hidden = !words.every((word) => text.includes(word));
  }, 150);
});
