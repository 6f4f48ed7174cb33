// Sends files in pieces, so that a cut connection costs one piece and nothing else.
// Where this does not run, or gives up, the form takes the files itself, as it always does.
(() => {
  'use strict';
  const box = document.getElementById('sending');
  const input = document.getElementById('i-evidence');
  const form = input && input.form;
  if (!box || !form || !window.crypto || !crypto.subtle || !navigator.sendBeacon) return;

  const told = JSON.parse(box.dataset.told);
  const words = told.words;
  const token = form.elements.namedItem('token');
  const originals = form.elements.namedItem('originals');
  const now = form.querySelector('[data-plain]');
  const list = box.querySelector('ul');
  const status = box.querySelector('[role=status]');
  const shape = box.querySelector('template').content.firstElementChild;
  const items = [];
  const PATIENCE = 45000;
  const SEALING = 150000;
  const TRIES = 10;
  const OPEN = ['waiting', 'going', 'paused', 'stopped'];
  let step = 4 * told.least;
  let rate = 0;
  let running = false;
  let warned = false;
  let off = false;
  let gone = false;

  const fault = (kind, text) => Object.assign(new Error(kind), { kind, text });
  const isOpen = (item) => OPEN.includes(item.state);

  // What is filled in keeps its own direction.
  const fill = (element, sentence, facts) => {
    element.textContent = '';
    sentence.split(/(\{\w+\})/).forEach((part) => {
      const name = part.slice(1, -1);
      if (part[0] !== '{' || !(name in facts)) { element.append(part); return; }
      const one = document.createElement('bdi');
      one.textContent = facts[name];
      if (/^[ -~]*$/.test(facts[name])) one.dir = 'ltr';
      element.append(one);
    });
  };
  const say = (text) => { status.textContent = text; };
  const size = (count) => {
    let number = count / 1024;
    let unit = 0;
    while (number >= 1024 && unit < 2) { number /= 1024; unit += 1; }
    const text = unit && number < 10 ? number.toFixed(1) : String(Math.ceil(number));
    return told.units[unit].replace('{number}', text.replace('.', told.comma));
  };

  const show = (item, sentence, facts) => {
    const { row, state } = item;
    const all = item.file.size;
    const done = Math.min(all, item.at + item.moving);
    row.bar.value = all ? done / all : 0;
    row.bar.hidden = !isOpen(item);
    row.pause.hidden = !['waiting', 'going'].includes(state) || (item.at === all && all > 0);
    row.go.hidden = !['paused', 'stopped'].includes(state);
    row.remove.hidden = state === 'done';
    row.drop.hidden = state !== 'done';
    if (sentence) { fill(row.text, sentence, facts || {}); return; }
    const known = { done: size(done), all: size(all) };
    const seconds = rate ? (all - done) / rate : 0;
    if (!rate) fill(row.text, words.progress, known);
    else if (seconds < 60) fill(row.text, `${words.progress} – ${words.soon}`, known);
    else fill(row.text, `${words.progress} – ${words.minutes}`, Object.assign(known, { minutes: String(Math.round(seconds / 60)) }));
  };

  const ask = (item, path, body, headers, patience) => new Promise((done, fail) => {
    if (item.state !== 'going') { fail(fault('halted')); return; }
    const call = new XMLHttpRequest();
    let timer;
    const wait = () => { clearTimeout(timer); timer = setTimeout(() => call.abort(), patience); };
    item.call = call;
    call.open('POST', path);
    Object.keys(headers).forEach((name) => call.setRequestHeader(name, headers[name]));
    if (path === told.piece) call.upload.onprogress = (event) => { wait(); item.moving = Math.max(0, event.loaded - item.ticket.length - 1); show(item); };
    call.onloadend = () => {
      clearTimeout(timer);
      item.call = null;
      item.moving = 0;
      const { status: code } = call;
      let answer = {};
      try { answer = JSON.parse(call.responseText); } catch (error) { /* a page, or nothing */ }
      if (item.state !== 'going') fail(fault('halted'));
      else if (code === 200 || code === 409) done(answer);
      else if (code === 202) fail(fault('wait'));
      else if (code === 410) fail(fault('again'));
      else if (code === 422 && answer.words) fail(fault('refused', answer.words));
      else if (code === 503 && answer.words && path === told.begin) fail(fault('off', answer.words));
      else if (!code || code === 408 || code === 422 || code === 429 || code >= 500) fail(fault('cut', answer.words));
      else fail(fault('off', ''));
    };
    wait();
    call.send(body);
  });

  const facts = (body) => {
    const data = new FormData(form);
    told.decides.concat('originals').forEach((name) => data.getAll(name).forEach((value) => body.append(name, value)));
    return body;
  };
  const begin = async (item) => {
    const { name, type, size: bytes } = item.file;
    const [most, text] = told.limits[/\.txt$/i.test(name) ? 'text/plain' : type] || [Infinity];
    if (bytes > most) throw fault('refused', text);
    const body = facts(new URLSearchParams({ token: token.value, length: item.file.size }));
    item.ticket = (await ask(item, told.begin, body, {}, PATIENCE)).ticket;
    item.at = 0;
  };
  const piece = async (item) => {
    const end = Math.min(item.at + step, item.file.size);
    let bytes;
    try {
      bytes = await new Response(item.file.slice(item.at, end)).arrayBuffer();
    } catch (error) { throw fault('refused', words.unreadable); }
    if (bytes.byteLength !== end - item.at) throw fault('refused', words.unreadable);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    const body = new Blob([item.ticket, '\n', bytes], { type: 'application/octet-stream' });
    const began = Date.now();
    const answer = await ask(item, told.piece, body, { 'Upload-Offset': String(item.at), 'Piece-Digest': hex }, PATIENCE);
    const took = (Date.now() - began) / 1000 + 0.001;
    if (answer.offset === end) {
      const found = bytes.byteLength / took;
      rate = rate ? 0.7 * rate + 0.3 * found : found;
      if (took < 3) step = Math.min(2 * step, told.most);
      if (took > 12) step = Math.max(step / 2, told.least);
    }
    item.at = answer.offset;
  };
  const leave = (item) => {
    if (item.ticket) navigator.sendBeacon(told.drop, new URLSearchParams({ ticket: item.ticket }));
    item.ticket = '';
  };
  const seal = async (item) => {
    show(item, words.sealing);
    const body = facts(new URLSearchParams({ token: token.value, ticket: item.ticket }));
    const answer = await ask(item, told.whole, body, {}, SEALING);
    if (!answer.token) { item.at = answer.offset; return; }
    token.value = answer.token;
    item.state = 'done';
    item.original = answer.original;
    leave(item);
    item.row.name.textContent = answer.name;
    item.row.name.dir = 'ltr';
    item.row.check.value = answer.id;
    const more = [words.done, answer.original ? words.original : '', answer.removed];
    show(item, `{all} – ${more.filter(Boolean).join(' – ')}`, { all: answer.size });
  };

  const pause = (item, seconds) => new Promise((done) => {
    item.wake = done;
    setTimeout(done, seconds * 1000);
  });
  // Everything that is left goes with the form, where the browser lets us put it back.
  const giveUp = (text) => {
    off = true;
    const left = items.filter(isOpen);
    left.forEach((item) => { item.state = 'refused'; leave(item); item.row.li.remove(); });
    try {
      const back = new DataTransfer();
      left.forEach((item) => back.items.add(item.file));
      input.files = back.files;
    } catch (error) { /* then the person chooses them again */ }
    if (now) now.hidden = false;
    say([text, words.plain].filter(Boolean).join(' '));
  };
  const run = async (item) => {
    let failed = 0;
    let again = 0;
    while (item.state === 'going') {
      try {
        if (!item.ticket) await begin(item);
        else if (item.at < item.file.size) { show(item); await piece(item); } else await seal(item);
        failed = 0;
      } catch (error) {
        const { kind, text } = error;
        if (kind === 'halted') return;
        if (kind === 'wait') await pause(item, 2);
        else if (kind === 'refused') { item.state = 'refused'; leave(item); show(item, text); return; }
        else if (kind === 'again' && again < 3) { again += 1; item.ticket = ''; item.at = 0; }
        else if (kind === 'cut') {
          step = Math.max(step / 2, told.least);
          failed += 1;
          if (failed > TRIES) { item.state = 'stopped'; show(item, text || words.stopped); return; }
          const seconds = Math.min(60, 2 ** (failed - 1));
          show(item, text || words.cut, { seconds: String(seconds) });
          await pause(item, seconds);
        } else { giveUp(text); return; }
      }
    }
  };
  const pump = async () => {
    if (running) return;
    running = true;
    for (let item = null; (item = items.find((one) => one.state === 'waiting'));) {
      item.state = 'going';
      await run(item);
      if (warned && !items.some(isOpen)) { warned = false; say(''); }
    }
    running = false;
  };

  const turn = (item, state, sentence) => {
    item.state = state;
    if (item.call) item.call.abort();
    if (item.wake) item.wake();
    show(item, sentence);
    pump();
  };
  const add = (file) => {
    const li = shape.cloneNode(true);
    const part = (name) => li.querySelector(`[data-part=${name}]`);
    const row = { li };
    ['name', 'bar', 'text', 'pause', 'go', 'remove', 'drop', 'check'].forEach((name) => { row[name] = part(name); });
    const name = file.name.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, '\ufffd');
    row.name.textContent = name.length > 60 ? `${name.slice(0, 59)}…` : name;
    row.bar.setAttribute('aria-label', row.name.textContent);
    li.querySelectorAll('.unseen').forEach((one) => { one.textContent = ` ${row.name.textContent}`; });
    const item = { file, row, state: 'waiting', at: 0, moving: 0, ticket: '', call: null, wake: null };
    row.pause.onclick = () => { turn(item, 'paused', words.paused); row.go.focus(); };
    row.go.onclick = () => { turn(item, 'waiting', words.waiting); row.pause.focus(); };
    row.remove.onclick = () => {
      turn(item, 'refused');
      leave(item);
      items.splice(items.indexOf(item), 1);
      li.remove();
      input.focus();
    };
    items.push(item);
    list.append(li);
    show(item, words.waiting);
  };

  input.addEventListener('change', () => {
    if (off || !input.files.length) return;
    const chosen = Array.from(input.files);
    input.value = '';
    warned = false;
    say('');
    box.hidden = false;
    chosen.forEach(add);
    pump();
  });
  if (originals) {
    originals.addEventListener('change', () => {
      box.hidden = false;
      say(originals.checked && items.some((item) => item.state === 'done' && !item.original) ? words.originals_late : '');
    });
  }
  form.addEventListener('submit', (event) => {
    if (warned || !items.some(isOpen)) { gone = true; return; }
    event.preventDefault();
    warned = true;
    say(words.leaving);
    status.focus();
  });
  addEventListener('online', () => items.forEach((item) => { if (item.wake) item.wake(); }));
  addEventListener('beforeunload', (event) => {
    if (!gone && !document.documentElement.hidden && items.some(isOpen)) event.preventDefault();
  });
  addEventListener('pagehide', () => items.filter(isOpen).forEach(leave));
  if (now) now.hidden = true;
})();
