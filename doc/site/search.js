// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Full-text search with lunr over search-data.js. It needs no server.
lunr.tokenizer.separator = /[\s\-:;,.()<>{}[\]"'`=&|/*+!?]+/;

const index = lunr(function () {
  this.ref('i');
  this.field('t', { boost: 10 });
  this.field('p', { boost: 3 });
  this.field('x');
  documents.forEach((d, i) => this.add({ i, t: d.t, p: d.p, x: d.x }, { boost: d.w }));
});

const stem = word => lunr.stemmer(new lunr.Token(word)).toString();
const wordsOf = text => lunr.tokenizer(text).map(String).filter(w => w && lunr.stopWordFilter(w));

// All words, in any form. If no section contains all of them, any of them. The last word may be
// unfinished.
function find(words) {
  for (const presence of [lunr.Query.presence.REQUIRED, lunr.Query.presence.OPTIONAL]) {
    const found = index.query(q => words.forEach((w, i) => {
      const last = i === words.length - 1;
      q.term(w, { presence: last ? lunr.Query.presence.OPTIONAL : presence, boost: 4 });
      // The index contains stems.
      if (last) q.term(stem(w), { wildcard: lunr.Query.wildcard.TRAILING, usePipeline: false, presence });
    }));
    if (found.length) return found;
  }
  return [];
}

function excerpt(text, words) {
  const stems = words.map(stem);
  const forms = [...words, ...stems.filter(w => w.length > 3)].map(w => w.replace(/[^\w]/g, '\\$&'));
  const mark = new RegExp('\\b(?:' + forms.join('|') + ')\\w*', 'gi');
  const first = text.search(mark);
  const from = Math.max(0, first < 0 ? 0 : text.lastIndexOf(' ', Math.max(0, first - 60)) + 1);
  const piece = (from ? '... ' : '') + text.slice(from, from + 220) + (from + 220 < text.length ? ' ...' : '');
  const p = document.createElement('p');
  let at = 0;
  for (const m of piece.matchAll(mark)) {
    const hit = document.createElement('mark');
    hit.textContent = m[0];
    p.append(piece.slice(at, m.index), hit);
    at = m.index + m[0].length;
  }
  p.append(piece.slice(at));
  return p;
}

function show(query) {
  const words = wordsOf(query.toLowerCase());
  const found = words.length ? find(words) : [];
  const phrase = query.trim().toLowerCase().replace(/[\s-]+/g, ' ');
  const has = d => (d.t + ' ' + d.x).toLowerCase().replace(/[\s-]+/g, ' ').includes(phrase);
  // Sections that contain the exact phrase come first.
  const ranked = found.map(f => ({ d: documents[f.ref], score: f.score }))
    .map(f => ({ ...f, score: f.score * (words.length > 1 && has(f.d) ? 3 : 1) }))
    .sort((a, b) => b.score - a.score);
  document.getElementById('found').textContent = !words.length ? 'Type what you look for.'
    : ranked.length + (ranked.length === 1 ? ' section' : ' sections') + ' for "' + query.trim() + '"';
  document.getElementById('results').replaceChildren(...ranked.slice(0, 40).map(({ d }) => {
    const item = document.createElement('li');
    const link = document.createElement('a');
    link.href = d.u;
    link.textContent = d.t;
    item.append(link);
    if (d.p !== d.t) {
      const page = document.createElement('span');
      page.textContent = d.p;
      item.append(page);
    }
    item.append(excerpt(d.x, words));
    return item;
  }));
}

addEventListener('DOMContentLoaded', () => {
  const input = document.querySelector('input[type=search]');
  input.value = new URLSearchParams(location.search).get('q') || '';
  input.addEventListener('input', () => show(input.value));
  input.form.addEventListener('submit', e => { e.preventDefault(); show(input.value); });
  show(input.value);
});
