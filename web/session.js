// One session: its conversation, what is known of it, its versions, and what to type.

import { ask, verb } from './ask.js'
import { bytes, count, el, fill, isNumber, put, when } from './dom.js'
import { command, say } from './frame.js'
import { cost, stateMood, stateWord, tags, title } from './item.js'
import { all } from './list.js'
import { line, visible } from './prose.js'
import { turn, Turns } from './turns.js'

// The facts of `ctctl show`, those that are there.
function facts(s) {
  const rows = [['Project', s.projectPath && el('span', { class: 'path', dir: 'auto' }, visible(s.projectPath))],
    ['Branch', s.gitBranch && line(s.gitBranch, 80)], ['Agent', s.agent && line(s.agent, 40)],
    ['Model', s.model && line(s.model, 60)], ['Machine', s.deviceName && line(s.deviceName, 60)],
    ['Messages', isNumber(s.messageCount) && s.messageCount.toLocaleString('en')],
    ['Size', isNumber(s.sizeBytes) && bytes(s.sizeBytes)], ['Cost', cost(s)],
    ['Tags', tags(s).length && tags(s).map(t => [el('span', { class: 'tag' }, line(t, 40)), ' '])],
    ['Changed', when(s.modifiedAt)], ['Saved', when(s.confirmedAt)],
    ['Sealed', s.sealed ? `with the key ${String(s.keyId ?? '').slice(0, 8)}` : s.clearVersion ? 'no: it is in the cloud in clear' : null],
    ['Id', el('code', null, visible(s.sessionId))]]
  return el('details', { class: 'about', open: matchMedia('(min-width: 60rem)').matches }, el('summary', null, 'About it'),
    el('dl', { class: 'facts' }, rows.filter(([, v]) => v).map(([k, v]) => [el('dt', null, k), el('dd', null, v)])))
}

function commands(s) {
  const id = String(s.sessionId).slice(0, 8)
  return el('details', { class: 'side' }, el('summary', null, 'What to type'), el('ul', { class: 'commands' },
    command(`ctctl pull ${id}`, 'bring it here, to go on with it'),
    command(`ctctl cat ${id} --markdown`, 'its text'),
    command(`ctctl share ${id}`, 'a link by which others read it'),
    command(`ctctl versions ${id}`, 'what there is of it in the cloud'),
    command(`ctctl diff ${id}`, 'what the cloud has that is not here'),
    command(`ctctl export ${id}`, 'one file of it'),
    command(`ctctl verify ${id}`, 'does what is in the cloud open?'),
    s.state === 'cloud' ? null : command(`ctctl exclude ${id}`, 'keep it on this machine'),
    command(`ctctl delete ${id}`, 'out of the cloud')))
}

// What a verb said, without how far it was.
const reason = o => (o.said ?? '').replace(/^(Downloading|Uploading) .*\n?/gm, '').replace(/^ctctl: /gm, '').trim()

// A button that has ctctl do something, and says what came of it.
function doing(label, what, query, done) {
  const b = el('button', { type: 'button', on: { click: async () => {
    b.disabled = true
    say(`${label} …`)
    try {
      const o = await verb(what, query(), { method: 'POST' })
      if (o.exit !== 0) throw new Error(reason(o) || `ctctl ${what} failed`)
      say(done(o))
    } catch (e) { say(e.message) } finally { b.disabled = false }
  } } }, label)
  return b
}

function versions(id, box) {
  const one = (v, o) => {
    const tags = [v.version === o.currentVersion && 'current', v.version !== o.currentVersion && v.isHead && 'head', v.pinned && 'fuller'].filter(Boolean)
    const lacks = (o.compared ?? []).find(h => h.version === v.version)
    return el('li', null, el('div', null, el('b', null, `Version ${v.version}`), tags.map(t => [' ', el('span', { class: 'tag' }, t)])),
      el('div', { class: 'quiet' }, when(v.createdAt), v.sourceMachine ? [' on ', line(v.sourceMachine, 40)] : null,
        isNumber(v.messages) ? `, ${count(v.messages, 'message')}` : null),
      lacks?.messages ? el('div', { class: 'quiet' }, `has ${count(lacks.messages, 'message')} that the current one lacks`) : null,
      v.sealed ? el('div', { class: 'failed' }, line(v.sealed.message, 200))
        : el('div', { class: 'links' }, el('a', { href: `#/s/${id}/v${v.version}` }, 'Read'), ' ',
          all.byId.get(id)?.isCloud ? null : el('a', { href: `#/s/${id}/d${v.version}` }, 'Compare with what is here')))
  }
  const d = el('details', { class: 'side' }, el('summary', null, 'Versions in the cloud'))
  const body = el('div', null, el('p', { class: 'quiet' }, 'Asking …'))
  d.append(body)
  d.addEventListener('toggle', async () => {
    if (!d.open || d.isAsked) return
    d.isAsked = true
    try {
      const o = (await verb('versions', { id })).answer
      put(body, el('ul', { class: 'versions' }, o.versions.map(v => one(v, o))))
    } catch (e) { put(body, el('p', { class: 'failed' }, e.message)) }
  })
  box.append(d)
}

const partName = name => name.replace(/^.*\//, '').replace(/\.jsonl$/, '')

// What subagents said in files of their own.
async function parts(id, box, signal) {
  const { parts } = await ask('parts', { id }, { signal })
  if (parts.length)
    box.after(el('details', { class: 'side' }, el('summary', null, count(parts.length, 'subagent')), el('ul', { class: 'versions' },
      parts.slice(0, 500).map(p => el('li', null, el('a', { href: `#/s/${id}/p/${encodeURIComponent(p)}` }, line(partName(p), 60)))))))
}

function head(s, id, place) {
  const label = place?.[0] === 'p' ? ['Subagent ', line(partName(place.slice(2)), 60)] : place?.[0] === 'v' ? `Version ${place.slice(1)}` : place?.[0] === 'd' ? `Here, and version ${place.slice(1)}` : null
  return el('div', { class: 'head' }, el('a', { class: 'back', href: '#/' }, '‹ Sessions'),
    el('h1', { dir: 'auto' }, s ? title(s) : line(id, 40)),
    label ? el('p', { class: 'place' }, label, ' ', el('a', { href: `#/s/${id}` }, 'Back to the session')) : null)
}

// What only one of two states has.
async function compare(main, id, version, signal) {
  const o = (await verb('diff', { id, a: version }, { signal })).answer
  const side = (x, name) => {
    let before = { kind: 'answer' }
    return el('section', { class: 'only' }, el('h2', null, `Only in ${name}: ${count(x.only.length, 'turn')} of ${x.turns}`),
      el('div', { class: 'turns' }, x.only.slice(0, 500).map(t => {
        const a = turn({ ...t, text: t.text.slice(0, 20000) }, before)
        if (t.kind !== 'note') before = t
        return a
      })), x.only.length > 500 ? el('p', { class: 'quiet' }, 'There is more: ctctl diff') : null)
  }
  const name = x => x.version ? `version ${x.version}` : 'what is here'
  fill(main, o.a.only.length + o.b.only.length ? [side(o.a, name(o.a)), side(o.b, name(o.b))]
    : [el('p', { class: 'empty' }, `Both hold the same conversation (${count(o.a.turns, 'turn')}).`)])
}

// Show the session; ${place} is "v3" for a version, "d3" to compare with it.  Return {close, fold, title}.
export function show(main, id, place) {
  const known = all.byId.get(id), abort = new AbortController(), version = place?.[0] === 'v' ? place.slice(1) : undefined
  const side = el('aside', { 'aria-label': 'About this session' }), text = el('div', { class: 'text' })
  const state = el('span'), info = el('div')
  const part = place?.[0] === 'p' ? place.slice(2) : undefined
  const turns = new Turns({ id, part, agent: known?.agent, version: version ?? (known?.isCloud && !part ? known.version : undefined) })
  let heading = head(known, id, place)
  const fold = el('button', { type: 'button', 'aria-pressed': 'false', on: { click: () => {
    const isOpen = fold.getAttribute('aria-pressed') !== 'true'
    fold.setAttribute('aria-pressed', String(isOpen))
    turns.fold(isOpen)
  } } }, 'Open tools and thinking')
  const notes = el('button', { type: 'button', 'aria-pressed': 'false', on: { click: () => {
    const isOn = main.classList.toggle('with-notes')
    notes.setAttribute('aria-pressed', String(isOn))
  } } }, 'Show notes')
  const about = s => {
    put(state, el('span', { class: `state ${stateMood(s)}` }, stateWord(s)), s.live ? ' in use right now' : null)
    put(info, s.reason ? el('p', { class: 'notice' }, line(s.reason, 300)) : null,
      s.locked ? el('p', { class: 'failed' }, line(s.locked, 400)) : null,
      (s.secrets ?? []).length ? el('p', { class: 'notice' }, `${count(s.secrets.length, 'credential')} in it; where: ctctl show`) : null, facts(s))
    const h = head(s, id, place)
    heading.replaceWith(h)
    heading = h
  }
  const buttons = el('div', { class: 'buttons' },
    known?.isCloud ? null : doing('Sync now', 'sync', () => ({ id }), () => 'It is being saved'),
    doing(version ? `Pull version ${version}` : 'Pull to this machine', 'pull', () => ({ id, version }),
      o => reason(o) || 'It is here'))
  put(main, heading, el('div', { class: 'session' }, text, side))
  fill(side, [state, buttons, info])
  versions(id, side)
  side.append(commands(known ?? { sessionId: id }))
  if (known) about(known)
  if (!known?.isCloud) parts(id, info, abort.signal).catch(() => {})
  verb('show', { id }, { signal: abort.signal }).then(o => about({ ...known, ...o.answer }), e => {
    if (e.name !== 'AbortError' && !known) put(info, el('p', { class: 'failed' }, e.message))
  })
  const waits = el('p', { class: 'quiet', role: 'status' }, known?.isCloud || place ? 'Fetching it from the cloud …' : 'Opening …')
  text.append(waits)
  const failed = e => { if (e.name !== 'AbortError') put(waits, el('span', { class: 'failed' }, e.message)) }
  if (place?.[0] === 'd') compare(text, id, place.slice(1), abort.signal).then(() => waits.remove(), failed)
  else turns.open().then(() => {
    waits.remove()
    text.append(el('div', { class: 'bar' }, fold, notes), turns.root)
    if (!turns.size) text.append(el('p', { class: 'empty' }, 'Nothing was said yet.'))
  }, failed)
  return { close: () => { abort.abort(); turns.close(); main.classList.remove('with-notes') }, fold: () => fold.click(), title: known?.title }
}
