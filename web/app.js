// Where one is, keys, and what is said at the foot.

import { enter } from './ask.js'
import { $, el, put } from './dom.js'
import { decoded, listen, say, step } from './frame.js'
import * as list from './list.js'
import { bare } from './prose.js'
import * as session from './session.js'

const main = $('main'), words = $('words')
let here = null // what is shown: {close, fold, draw}
let place = null

function fail(e) {
  if (e.name === 'AbortError') return
  if (e.status === 401 || e.status === 0)
    put(main, el('div', { class: 'end' }, el('h1', null, e.status ? 'This tab has no key' : 'It has ended'), el('p', null, e.message)))
  else say(e.message)
}

// #/ the list, #/find/WORDS, #/s/ID, #/s/ID/v3 a version, #/s/ID/d3 compared with it,
// #/s/ID/p/NAME a subagent
async function go() {
  const now = decoded(location.hash.slice(1)) || '/'
  if (now === place) return
  const was = place
  place = now
  here?.close?.()
  here = null
  const [, id, what] = now.match(/^\/s\/([0-9A-Za-z-]{1,64})(?:\/([vd][0-9]{1,9}|p\/.+))?$/s) ?? []
  const find = now.match(/^\/find\/(.+)$/s)?.[1]
  if (id) {
    here = session.show(main, id, what)
    document.title = `${bare((here.title || id).slice(0, 200)).slice(0, 80)} · Codeteleport`
    scrollTo(0, 0)
    main.focus({ preventScroll: true })
  } else if (find) {
    const abort = new AbortController()
    here = { close: () => abort.abort() }
    words.value = find
    document.title = 'Found · Codeteleport'
    await list.search(main, find, abort.signal).catch(fail)
  } else {
    if (was?.startsWith('/find/')) words.value = ''
    document.title = 'Codeteleport'
    const draw = list.show(main, words)
    here = { draw }
    const row = was?.match(/^\/s\/([^/]+)/)?.[1]
    if (row) main.querySelector(`a[href="#/s/${CSS.escape(row)}"]`)?.focus()
  }
}

function look() {
  return list.refresh(() => here?.draw?.()).catch(fail)
}

// ---- keys --------------------------------------------------------------------------------------

// In a session, to the next prompt or the one before.
function stepPrompts(by) {
  const all = [...main.querySelectorAll('.turn.prompt')]
  const y = e => e.getBoundingClientRect().top - 70
  const i = by > 0 ? all.findIndex(e => y(e) > 2) : all.findLastIndex(e => y(e) < -2)
  if (i < 0) { if (all.length) scrollBy(0, by * innerHeight * .9); return }
  all[i].scrollIntoView({ block: 'start' })
  all[i].focus({ preventScroll: true })
}

const move = by => here?.fold ? stepPrompts(by) : step(main, by)

listen({
  '/': () => { words.focus(); words.select() },
  j: () => move(1),
  k: () => move(-1),
  u: () => { location.hash = '#/' },
  o: () => here?.fold?.(),
  r: () => { say('Looking again'); look() },
})

addEventListener('keydown', e => {
  if (e.key === 'Escape' && document.activeElement === words) { words.value = ''; words.blur(); here?.draw?.() }
})
words.addEventListener('input', () => {
  if (here?.draw) here.draw()
  else if (!words.value && place?.startsWith('/find/')) location.hash = '#/'
})
$('finder').addEventListener('submit', e => {
  e.preventDefault()
  const text = words.value.trim()
  location.hash = text ? `#/find/${encodeURIComponent(text)}` : '#/'
  main.focus({ preventScroll: true })
})
addEventListener('hashchange', go)
addEventListener('visibilitychange', () => { if (!document.hidden && here?.draw) look() })

try {
  if (await enter()) {
    go()
    look()
  } else fail({ status: 401, message: 'Open it from the tab that ctctl web opened, or start it again: ctctl web' })
} catch (e) { fail(e) }
