// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The colour scheme, as last chosen here or as the system prefers, and the contents on small
// screens.
const root = document.documentElement;
root.classList.add('js');
try {
  const chosen = localStorage.getItem('scheme');
  if (chosen) root.dataset.scheme = chosen;
} catch { /* no storage: the choice lasts for this page */ }

addEventListener('DOMContentLoaded', () => {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  document.getElementById('scheme').addEventListener('click', () => {
    const now = root.dataset.scheme || (dark.matches ? 'dark' : 'light');
    root.dataset.scheme = now === 'dark' ? 'light' : 'dark';
    try { localStorage.setItem('scheme', root.dataset.scheme); } catch { /* as above */ }
  });

  const menu = document.getElementById('menu');
  const nav = document.getElementById('nav');
  menu.addEventListener('click', () => {
    const open = nav.classList.toggle('open');
    menu.setAttribute('aria-expanded', open);
  });
  nav.addEventListener('click', e => {
    if (e.target.closest('a')) nav.classList.remove('open');
  });

  const here = nav.querySelector('[aria-current]');
  if (here && nav.scrollHeight > nav.clientHeight)
    nav.scrollTop = here.offsetTop - nav.clientHeight / 3;

  // "/" opens the search, as on many sites.
  const search = document.querySelector('input[type=search]');
  if (search) addEventListener('keydown', e => {
    if (e.key !== '/' || /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
    e.preventDefault();
    search.focus();
  });
});
