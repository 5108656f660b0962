// A session as a list shows it: from the daemon, from the cloud.

import { ago, bytes, count, el, isNumber, put } from './dom.js'
import { line } from './prose.js'

// What people read for a state; the same table as ctctl's own.
const words = { synced: 'safe', pending: 'waiting', uploading: 'uploading', behind: 'behind', diverged: 'diverged',
  deleted: 'deleted', failed: 'failed', limit: 'limit', too_large: 'too large', excluded: 'excluded',
  archived: 'archived', duplicate: 'contained', cloud: 'in the cloud', locked: 'sealed' }
export const good = new Set(['synced', 'archived', 'behind', 'duplicate', 'cloud'])
const busy = new Set(['pending', 'uploading'])

export const stateWord = s => s.place === 'this machine only' && s.state === 'synced' ? s.place : words[s.state] ?? s.state ?? ''
export const stateMood = s => s.place === 'this machine only' && s.state === 'synced' ? 'care'
  : good.has(s.state) ? 'good' : busy.has(s.state) ? 'busy' : s.state === 'excluded' || s.state === 'locked' ? 'calm' : 'bad'

// A name that somebody gave, and tags that are on (common/data/names.c).
const given = n => typeof n?.title?.text === 'string' && n.title.text || null
const on = n => Object.entries(n?.tags ?? {}).filter(([, t]) => t?.at && !t.off).map(([word]) => word)

// A cloud item in the words of the daemon's: of a sealed one only what is inside counts.
export function ofCloud(i) {
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

// Does it have all of these words?
export function matches(s, text) {
  const all = `${s.title ?? ''} ${s.projectName ?? ''} ${s.projectPath ?? ''} ${s.deviceName ?? ''} ${s.agent ?? ''} ${tags(s).join(' ')} ${s.sessionId}`.toLowerCase()
  return text.toLowerCase().split(/\s+/).every(w => all.includes(w))
}

// A line of the list, with the line that was found in it.
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

// A thousand rows at once would hold up the first ones.
export function fillIn(ul, list) {
  const token = ul.token = {}
  put(ul, list.slice(0, 60).map(s => row(s)))
  const more = from => {
    if (ul.token !== token || from >= list.length) return
    ul.append(...list.slice(from, from + 200).map(s => row(s)))
    setTimeout(() => more(from + 200))
  }
  setTimeout(() => more(60))
}
