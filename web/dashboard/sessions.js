// The sessions as the server knows them, and one of them with its versions.  What is sealed the server
// can't read, and neither can this page.

import { bytes, count, el, isNumber, put, when } from '../dom.js'
import { command, say } from '../frame.js'
import { cost, fillIn, matches, ofCloud, tags, title } from '../item.js'
import { bare, line, visible } from '../prose.js'
import { ask, pages } from './ask.js'
import { confirm } from './holder.js'

const isSealed = m => m?.sealed !== undefined

// An item of the server's list in the words of the list.
function known(i) {
  const sealed = isSealed(i.metadata)
  const s = ofCloud({ ...i, metadata: sealed ? null : i.metadata, sealed: sealed ? { message: 'sealed' } : null })
  const name = i.device?.name ?? i.sourceMachine
  return { ...s, title: sealed ? `Sealed session ${String(i.id).slice(0, 8)}` : s.title, locked: null, deviceName: name,
    isSealed: sealed, state: i.heads?.length ? 'diverged' : sealed ? 'locked' : 'cloud', modifiedAt: i.createdAt,
    versionCount: i.versionCount, heads: i.heads ?? [] }
}

const view = { text: '', device: '' }

// Show the list in main; return {draw, filter, close}.
export function show(main, fail) {
  const abort = new AbortController()
  const ul = el('ul', { class: 'rows', id: 'rows' }), sum = el('p', { class: 'sum', role: 'status' }, 'Looking …'), notes = el('div')
  let all = [], total = null
  const words = el('input', { id: 'words', type: 'search', class: 'filter', placeholder: 'Filter', 'aria-label': 'Filter the list', autocomplete: 'off',
    spellcheck: 'false', value: view.text, on: { input: () => { view.text = words.value; draw() } } })
  const devices = el('select', { id: 'device', on: { change: () => { view.device = devices.value; draw() } } })
  const draw = () => {
    const names = [...new Set(all.map(s => s.deviceName).filter(Boolean))].sort()
    if (devices.options.length !== names.length + 1)
      put(devices, [['', 'All'], ...names.map(n => [n, n])].map(([v, t]) => el('option', { value: v, selected: v === view.device }, line(t, 40))))
    const list = all.filter(s => (!view.device || s.deviceName === view.device) && (!view.text.trim() || matches(s, view.text.trim())))
    const sealed = all.filter(s => s.isSealed).length
    put(sum, total === null ? 'Looking …' : [count(total, 'session'), sealed ? `, ${sealed} sealed` : null,
      all.length < total ? `, ${all.length} so far` : null, list.length !== all.length ? `; ${list.length} shown` : null])
    put(notes, sealed && sealed === all.length ? el('p', { class: 'notice calm' }, 'All of them are sealed: this server can not read them. On a machine with the key: ',
      el('code', null, 'ctctl web')) : null,
    total === 0 ? el('p', { class: 'empty' }, 'No sessions yet. On a machine where an agent works: ', el('code', null, `ctctl login --api-url ${location.origin}`)) : null,
    all.length && !list.length ? el('p', { class: 'empty' }, 'No session is of that kind.') : null)
    fillIn(ul, list)
  }
  put(main, el('h1', { class: 'unseen' }, 'Sessions'), el('div', { class: 'choices' }, words,
    el('label', { for: 'device' }, el('span', { class: 'quiet' }, 'Machine '), devices), sum), notes, ul)
  draw()
  pages('sessions', 'sessions', (items, n) => {
    all = items.map(known).filter(s => !s.isProfile)
    total = n - (items.length - all.length)
    draw()
  }, abort.signal).catch(fail)
  return { filter: () => { words.focus(); words.select() }, close: () => abort.abort() }
}

function facts(s) {
  const rows = [['Project', s.projectPath && el('span', { class: 'path', dir: 'auto' }, visible(s.projectPath))],
    ['Agent', s.agent && line(s.agent, 40)], ['Machine', s.deviceName && line(s.deviceName, 60)],
    ['Messages', isNumber(s.messageCount) && s.messageCount.toLocaleString('en')],
    ['Size', isNumber(s.sizeBytes) && bytes(s.sizeBytes)], ['Cost', cost(s)],
    ['Tags', tags(s).length && tags(s).map(t => [el('span', { class: 'tag' }, line(t, 40)), ' '])],
    ['Saved', when(s.modifiedAt)], ['Versions', isNumber(s.versionCount) && s.versionCount], ['Id', el('code', null, visible(s.sessionId))]]
  return el('dl', { class: 'facts' }, rows.filter(([, v]) => v).map(([k, v]) => [el('dt', null, k), el('dd', null, v)]))
}

// What to type on one's own machine.
function reading(id, sealed) {
  const short = String(id).slice(0, 8)
  return el('section', { class: 'panel' }, el('h2', null, 'To read it'),
    el('p', { class: 'quiet' }, sealed ? 'It was sealed before it left: only a machine with the key can open it.'
      : 'It is read on your own machine, not here.'),
    el('ul', { class: 'commands' }, command('ctctl web', 'all of your sessions, in a browser'),
      sealed ? command('ctctl list --cloud', 'which one it is') : command(`ctctl cat ${short}`, 'its text'),
      sealed ? null : command(`ctctl pull ${short}`, 'bring it to a machine, to go on with it')))
}

function version(id, v, o, again) {
  const label = `Version ${v.version}`, isCurrent = v.version === o.currentVersion
  const marks = [isCurrent && 'current', !isCurrent && v.isHead && 'head', v.pinned && 'fuller'].filter(Boolean)
  return el('li', null, el('div', null, el('b', null, label), marks.map(t => [' ', el('span', { class: 'tag' }, t)]),
    el('div', { class: 'quiet' }, when(v.createdAt), v.device?.name ?? v.sourceMachine ? [' from ', line(v.device?.name ?? v.sourceMachine, 40)] : null,
      isNumber(v.messages) ? `, ${count(v.messages, 'message')}` : null, `, ${bytes(v.sizeBytes)}`, isSealed(v.metadata) ? ', sealed' : null)),
  el('button', { type: 'button', 'aria-label': `Delete ${label}`, on: { click: () => confirm({ title: `Delete ${label.toLowerCase()}?`, label: 'Delete it', holder: false,
    text: ['It lies in the trash for 30 days, and can be brought back from there.'], method: 'DELETE',
    path: `sessions/${encodeURIComponent(id)}/versions/${v.version}`, done: () => { say(`${label} is in the trash`); again() } }) } }, 'Delete'))
}

// One session.
export function one(main, id, fail) {
  const abort = new AbortController(), path = `sessions/${encodeURIComponent(id)}`
  const head = el('div', { class: 'head' }, el('a', { class: 'back', href: '#/' }, '‹ Sessions'), el('h1', { dir: 'auto' }, line(id, 40)))
  const text = el('div', { class: 'text' }, el('p', { class: 'quiet', role: 'status' }, 'Looking …')), side = el('aside', { 'aria-label': 'About this session' })
  put(main, head, el('div', { class: 'session' }, text, side))
  const look = async () => {
    const list = [], o = await ask('GET', `${path}/versions?limit=100`, null, { signal: abort.signal })
    list.push(...o.versions)
    while (list.length < (o.total ?? 0)) {
      const more = (await ask('GET', `${path}/versions?limit=100&offset=${list.length}`, null, { signal: abort.signal })).versions
      if (!more.length) break
      list.push(...more)
    }
    const current = list.find(v => v.version === o.currentVersion) ?? list[0]
    const s = known({ ...current, id, versionCount: o.total ?? list.length })
    document.title = `${bare(String(s.title ?? id).slice(0, 200)).slice(0, 80)} · Codeteleport`
    put(head.querySelector('h1'), title(s))
    put(side, s.isSealed ? el('span', { class: 'state calm' }, 'sealed') : el('span', { class: 'state care' }, 'in clear'), facts(s),
      el('div', { class: 'buttons' }, el('button', { type: 'button', class: 'danger', on: { click: () => confirm({ title: 'Delete this session?', label: 'Delete it', holder: false,
        text: ['All its versions go to the trash, and can be brought back from there for 30 days. What lies on your machines stays there.'],
        method: 'DELETE', path, done: () => { say('It is in the trash'); location.hash = '#/trash' } }) } }, 'Delete')))
    put(text, reading(id, s.isSealed), el('section', { class: 'panel' }, el('h2', null, count(list.length, 'version')),
      el('ul', { class: 'things' }, list.map(v => version(id, v, o, again)))))
  }
  const again = () => look().catch(e => e.status === 404 ? (location.hash = '#/') : fail(e))
  look().catch(e => e.status === 404 ? put(text, el('p', { class: 'empty' }, 'This server has no such session (any more). ', el('a', { href: '#/trash' }, 'Look in the trash')))
    : fail(e))
  return { close: () => abort.abort(), back: '#/' }
}

