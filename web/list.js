// The sessions, here and in the cloud, and searching in them.

import { verb } from './ask.js'
import { ago, bytes, count, el, isNumber, put } from './dom.js'
import { line } from './prose.js'

// What people read for a state; the same table as ctctl's own.
const words = { synced: 'safe', pending: 'waiting', uploading: 'uploading', behind: 'behind', diverged: 'diverged',
  deleted: 'deleted', failed: 'failed', limit: 'limit', too_large: 'too large', excluded: 'excluded',
  archived: 'archived', duplicate: 'contained', cloud: 'in the cloud', locked: 'sealed' }
const good = new Set(['synced', 'archived', 'behind', 'duplicate', 'cloud'])
const busy = new Set(['pending', 'uploading'])

export const stateWord = s => s.place === 'this machine only' && s.state === 'synced' ? s.place : words[s.state] ?? s.state ?? ''
export const stateMood = s => s.place === 'this machine only' && s.state === 'synced' ? 'care'
  : good.has(s.state) ? 'good' : busy.has(s.state) ? 'busy' : s.state === 'excluded' || s.state === 'locked' ? 'calm' : 'bad'

// A name that somebody gave, and tags that are on (common/data/names.c).
const given = n => typeof n?.title?.text === 'string' && n.title.text || null
const on = n => Object.entries(n?.tags ?? {}).filter(([, t]) => t?.at && !t.off).map(([word]) => word)

// A cloud item in the words of the daemon's: of a sealed one only what is inside counts.
function ofCloud(i) {
  const inside = i.opened ?? i, m = (i.opened ? i.opened.metadata : i.metadata) ?? {}
  return { sessionId: i.opened?.sessionId ?? i.id, agent: m.agentId, isCloud: true,
    title: given(m.names) ?? inside.label ?? m.summary ?? i.localTitle ?? (i.sealed ? 'Sealed: its key is not on this machine' : null),
    locked: i.sealed?.message, projectPath: inside.sourceCwd, projectName: m.projectName, deviceName: inside.sourceMachine,
    messageCount: m.messageCount, tags: on(m.names), usage: m.usage, sizeBytes: i.sizeBytes, modifiedAt: m.sessionEndedAt ?? i.createdAt,
    state: i.sealed ? 'locked' : 'cloud', version: i.currentVersion, isHere: i.here, isProfile: m.kind === 'profile' }
}

// What its agent says that it cost.
export function cost(s) {
  const c = s.usage?.costUSD
  return isNumber(c) && `${s.usage.costIsAtLeast ? 'at least ' : ''}$${c.toFixed(2)}`
}

export const tags = s => Array.isArray(s.tags) ? s.tags.filter(t => typeof t === 'string').slice(0, 20) : []

export const title = s => line(s.title || `${s.agent ?? 'A session'}, ${count(s.messageCount ?? 0, 'message')}`, 160)

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

function matches(s, text) {
  const all = `${s.title ?? ''} ${s.projectName ?? ''} ${s.projectPath ?? ''} ${s.deviceName ?? ''} ${s.agent ?? ''} ${tags(s).join(' ')} ${s.sessionId}`.toLowerCase()
  return text.toLowerCase().split(/\s+/).every(w => all.includes(w))
}

export function row(s, hit) {
  return el('li', null, el('a', { class: 'row', href: `#/s/${encodeURIComponent(s.sessionId)}` },
    el('span', { class: 'title', dir: 'auto' }, title(s)),
    el('span', { class: `state ${stateMood(s)}` }, stateWord(s)),
    el('span', { class: 'meta' }, [s.projectName && el('span', { class: 'project' }, line(s.projectName, 60)),
      s.agent && el('span', null, line(s.agent, 30)), s.deviceName && el('span', null, line(s.deviceName, 40)),
      isNumber(s.messageCount) && el('span', null, count(s.messageCount, 'message')),
      isNumber(s.sizeBytes) && el('span', null, bytes(s.sizeBytes)),
      cost(s) && el('span', null, cost(s)),
      tags(s).map(t => el('span', { class: 'tag' }, line(t, 40)))].flat().filter(Boolean)),
    el('span', { class: 'ago' }, s.live ? 'in use' : ago(s.modifiedAt)),
    hit ? el('span', { class: 'hit', dir: 'auto' }, line(hit, 300)) : null))
}

function choose(name, label, options, onChange) {
  const s = el('select', { id: name, on: { change: () => { view[name] = s.value; onChange() } } },
    options.map(([v, t]) => el('option', { value: v, selected: view[name] === v }, t)))
  return el('label', { for: name }, el('span', { class: 'quiet' }, label + ' '), s)
}

// A thousand rows at once would hold up the first ones.
function fillIn(ul, list) {
  const token = ul.token = {}
  put(ul, list.slice(0, 60).map(s => row(s)))
  const more = from => {
    if (ul.token !== token || from >= list.length) return
    ul.append(...list.slice(from, from + 200).map(s => row(s)))
    setTimeout(() => more(from + 200))
  }
  setTimeout(() => more(60))
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
