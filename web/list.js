// The sessions, here and in the cloud, and searching in them.

import { verb } from './ask.js'
import { count, el, put } from './dom.js'
import { fillIn, good, matches, ofCloud, row } from './item.js'
import { line } from './prose.js'

export const all = { sessions: [], byId: new Map(), cloudError: null, said: '' }

function keep(list) {
  for (const s of list) {
    const known = all.byId.get(s.sessionId)
    if (!known || (known.isCloud && !s.isCloud)) all.byId.set(s.sessionId, s)
  }
  all.sessions = [...all.byId.values()].sort((a, b) => String(b.modifiedAt ?? '').localeCompare(String(a.modifiedAt ?? '')))
}

const isOver = e => e.status === 401 || e.status === 0

// Ask anew; ${f} is called when the sessions here are known, and when those of the cloud are.
export async function refresh(f) {
  const here = verb('here').then(o => { all.byId.clear(); keep(o.answer); all.hereError = null },
    e => { if (isOver(e)) throw e; all.hereError = e.message })
  const cloud = verb('cloud')
  cloud.catch(() => {})
  await here
  f()
  try {
    const o = await cloud
    keep(o.answer.sessions.map(ofCloud).filter(s => !s.isProfile))
    all.cloudError = null
    all.said = o.said
  } catch (e) {
    if (isOver(e)) throw e
    all.cloudError = e.message
  }
  all.isWhole = true
  f()
}

const places = [['all', 'All'], ['here', 'On this machine'], ['cloud', 'Only in the cloud'], ['care', 'Not safe yet']]
const orders = [['time', 'Newest first'], ['size', 'Largest first'], ['messages', 'Most messages first'], ['title', 'By title']]
const view = { place: 'all', order: 'time', project: '' }

const inPlace = { all: () => true, here: s => !s.isCloud, cloud: s => s.isCloud,
  care: s => !s.isCloud && !good.has(s.state) && s.state !== 'excluded' }
const byOrder = { time: () => 0, size: (a, b) => (b.sizeBytes ?? 0) - (a.sizeBytes ?? 0),
  messages: (a, b) => (b.messageCount ?? 0) - (a.messageCount ?? 0),
  title: (a, b) => String(a.title ?? '').localeCompare(String(b.title ?? '')) }

function choose(name, label, options, onChange) {
  const s = el('select', { id: name, on: { change: () => { view[name] = s.value; onChange() } } },
    options.map(([v, t]) => el('option', { value: v, selected: view[name] === v }, t)))
  return el('label', { for: name }, el('span', { class: 'quiet' }, label + ' '), s)
}

export function show(main, text) {
  const ul = el('ul', { class: 'rows', id: 'rows' }), sum = el('p', { class: 'sum', role: 'status' }), notes = el('div')
  const draw = () => {
    const projects = [...new Set(all.sessions.map(s => s.projectName).filter(Boolean))].sort()
    const list = all.sessions.filter(s => inPlace[view.place](s) && (!view.project || s.projectName === view.project) &&
      (!text.value.trim() || matches(s, text.value.trim()))).sort(byOrder[view.order])
    const here = all.sessions.filter(s => !s.isCloud).length, care = all.sessions.filter(inPlace.care).length
    const isFresh = !all.sessions.length && !all.isWhole
    put(sum, isFresh ? 'Looking …' : [count(here, 'session') + ' here, ', count(all.sessions.length - here, 'more', 'more') + ' in the cloud',
      care ? el('span', { class: 'state bad' }, `${care} not safe yet`) : null,
      list.length !== all.sessions.length ? `; ${list.length} shown` : null])
    put(notes, all.hereError && el('p', { class: 'failed' }, all.hereError),
      all.cloudError && el('p', { class: 'failed' }, `The cloud: ${all.cloudError}`),
      all.said && el('p', { class: 'notice' }, line(all.said, 600)),
      !all.sessions.length && all.isWhole && !all.hereError && el('p', { class: 'empty' },
        'No sessions yet. When an agent writes one on this machine, it appears here.'),
      all.sessions.length && !list.length ? el('p', { class: 'empty' }, 'No session is of that kind. ',
        text.value.trim() ? 'Enter searches in what was said.' : '') : null)
    const select = main.querySelector('#project')
    if (select && select.options.length !== projects.length + 1)
      put(select, [['', 'All'], ...projects.map(p => [p, p])].map(([v, t]) => el('option', { value: v, selected: v === view.project }, line(t, 60))))
    fillIn(ul, list)
  }
  put(main, el('h1', { class: 'unseen' }, 'Sessions'),
    el('div', { class: 'choices' }, choose('place', 'Show', places, draw),
      choose('project', 'Project', [['', 'All']], draw), choose('order', 'Order', orders, draw), sum),
    notes, ul)
  draw()
  return draw
}

// "two words" "a phrase" as the shell would have them.
export const split = text => [...text.matchAll(/"([^"]+)"|(\S+)/g)].map(m => (m[1] ?? m[2]).trim()).filter(Boolean).slice(0, 32)

export async function search(main, text, signal) {
  const list = el('ul', { class: 'rows', id: 'rows' }), sum = el('p', { class: 'sum', role: 'status' }, 'Searching …')
  put(main, el('h1', { class: 'small' }, 'What was said: ', line(text, 100)), sum, list)
  const w = split(text)
  let why = null
  const o = await verb('search', { w, cloud: '1' }, { signal }).catch(e => {
    if (e.name === 'AbortError' || isOver(e)) throw e
    why = e.message // the cloud can't be asked: what is here can
    return verb('search', { w }, { signal })
  })
  const found = o.answer.found
  put(list, found.map(h => row({ ...all.byId.get(h.sessionId) ?? { ...h, modifiedAt: h.changedAt, isCloud: !h.here } }, h.line)))
  put(sum, found.length ? `Found in ${count(found.length, 'session')} of ${count(o.answer.sessions, 'session')}, the best first`
    : 'Nothing found. What is only in the cloud was looked at by its title; to read it too: ctctl search --cloud --fetch')
  if (why) sum.after(el('p', { class: 'failed' }, `Not looked for in the cloud: ${why}`))
}
