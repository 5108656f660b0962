// dashboard.mjs NPM SCENE...: a real browser looks at the dashboard of codeteleport-server.
// The environment, beside browser.mjs's: HOST the server's address, EMAIL and PASSWORD of an account, OTHER
// the address of a server that is not ours, SESSIONS how many it has.

import { at, fault, goto, inspect, newContext, play, view, watched } from './browser.mjs'

const scenes = process.argv.slice(3)
const { HOST: host, EMAIL: email, PASSWORD: password, OTHER: other } = process.env
const n = Number(process.env.SESSIONS ?? 0)
at.prefix = 'dashboard-'
const context = await newContext({ ignoreHTTPSErrors: true })
const page = await watched(context)

async function signIn(p = page) {
  await p.fill('#email', email)
  await p.fill('#password', password)
  await p.keyboard.press('Enter')
  await p.waitForSelector('#places:not([hidden])')
}

const heading = (p, text) => p.waitForFunction(t => document.querySelector('h1')?.textContent === t && !/Looking/.test(document.querySelector('main').textContent), text)

async function clean(name) {
  for (const bad of await inspect(page)) if (!/^<(form|input|progress)>/.test(bad)) fault(`${name}: ${bad}`)
}

const scene = {
  // The door: what is wrong is said, and the right password opens it.
  async door() {
    at.place = 'door'
    await page.goto(`${host}/app/`)
    at.origin = new URL(page.url()).origin
    await page.waitForSelector('#email')
    await view(page, 'sign-in')
    await page.fill('#email', email)
    await page.fill('#password', 'not that one')
    page.mayFail = true
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.querySelector('.door .failed').textContent.includes('wrong'))
    page.mayFail = false
    await signIn()
    const seen = await page.evaluate(() => document.cookie)
    if (seen) fault('a script sees a cookie')
    const [c] = await context.cookies(`${host}/app/api/`)
    if (!c?.httpOnly || !c.secure || c.sameSite !== 'Strict' || c.path !== '/app/api/') fault(`the cookie is ${JSON.stringify({ ...c, value: '' })}`)
    if ((await context.cookies(`${host}/v1/`)).length) fault('the cookie goes to /v1')
  },

  // All places with what is there.
  async views() {
    at.place = 'views'
    for (const [hash, name, ready] of [['#/', 'Sessions', n ? 'a.row' : '.empty'], ['#/trash', 'Trash', '.panel, .empty'], ['#/devices', 'Devices', '.things, .empty'],
      ['#/tokens', 'Tokens', '.things, .empty'], ['#/account', 'Account', '.panels .panel']]) {
      await goto(page, hash)
      await page.waitForSelector(ready)
      await heading(page, name)
      await view(page, name.toLowerCase())
      await clean(name)
    }
    if (!n) return
    await goto(page, '#/')
    await page.waitForSelector('a.row')
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.facts')
    await view(page, 'session')
    await clean('session')
    await page.keyboard.press('u')
    await page.waitForSelector('a.row')
  },

  // Into the trash and out again; a token is made, shown once, revoked.
  async verbs() {
    at.place = 'verbs'
    await goto(page, '#/')
    await page.click('a.row')
    await page.click('aside button >> text=Delete')
    await page.waitForSelector('dialog[open]')
    await view(page, 'delete')
    await page.click('dialog button >> text=Delete it')
    await heading(page, 'Trash')
    await page.click('button >> text="Bring back"')
    await page.waitForFunction(() => /Brought back/.test(document.getElementById('said').textContent))
    await goto(page, '#/tokens')
    await heading(page, 'Tokens')
    const before = await page.$$eval('.things li', l => l.length)
    await page.click('button >> text=Make a token')
    await page.fill('#token-name', 'lap <b>top</b>')
    page.mayFail = true
    await page.fill('#holder', 'not that one')
    await page.click('dialog button >> text=Make it')
    await page.waitForFunction(() => document.querySelector('dialog .failed').textContent.includes('wrong'))
    page.mayFail = false
    await page.fill('#holder', password)
    await page.click('dialog button >> text=Make it')
    await page.waitForSelector('.token code')
    const token = await page.textContent('.token code')
    if (!/^ctk_live_/.test(token)) fault('no token is shown')
    await page.evaluate(() => { document.querySelector('.token code').textContent = 'ctk_live_…' })
    await view(page, 'new-token')
    await page.click('dialog button >> text=I have it')
    await page.waitForFunction(k => document.querySelectorAll('.things li').length === k + 1, before)
    if ((await page.content()).includes(token)) fault('the token stays in the page')
    await page.click('li:has-text("lap") button')
    await page.fill('#holder', password)
    await page.click('dialog button >> text=Revoke it')
    await page.waitForFunction(k => document.querySelectorAll('.things li').length === k, before)
  },

  // A second tab is signed in too; signed out in one, both are.
  async tabs() {
    at.place = 'tabs'
    const second = await watched(context)
    await second.goto(`${host}/app/#/devices`)
    await heading(second, 'Devices')
    await page.click('#leave')
    await page.waitForSelector('#email')
    await second.waitForSelector('#email')
    await signIn(second)
    await page.waitForFunction(() => !document.getElementById('places').hidden)
    await second.close()
  },

  // The log-in ends elsewhere: the page says so and lets one in again.
  async expired() {
    at.place = 'expired'
    await context.clearCookies()
    page.mayFail = true
    await page.keyboard.press('r')
    await page.waitForSelector('.notice')
    page.mayFail = false
    await view(page, 'ended')
    await signIn()
  },

  // No network: it is said, and nothing is lost.
  async offline() {
    at.place = 'offline'
    await goto(page, '#/devices')
    await heading(page, 'Devices')
    await context.setOffline(true)
    page.mayFail = true
    await page.keyboard.press('r')
    await page.waitForFunction(() => /can not be reached/.test(document.getElementById('said').textContent))
    await view(page, 'offline')
    await context.setOffline(false)
    page.mayFail = false
    await page.keyboard.press('r')
    await heading(page, 'Devices')
  },

  // A page of another origin, in the browser that is signed in, tries all that a page can.
  async attack() {
    at.place = 'attack'
    const p = await context.newPage()
    await p.goto(other)
    const got = await p.evaluate(async ([at, email, password]) => {
      const got = []
      const tries = async (name, f) => { try { const r = await f(); if (r) got.push(`${name}: ${r}`) } catch { /* as it should be */ } }
      const headers = { 'X-Codeteleport-Dashboard': 'x' }, credentials = 'include'
      const body = JSON.stringify({ email, password })
      for (const path of ['auth/me', 'sessions', 'account', 'about']) {
        await tries(`fetch ${path}`, async () => (await fetch(`${at}/app/api/${path}`, { credentials })).status)
        await tries(`fetch ${path} with a header`, async () => (await fetch(`${at}/app/api/${path}`, { credentials, headers })).status)
      }
      await tries('fetch /v1', async () => (await fetch(`${at}/v1/auth/me`, { credentials })).status)
      await tries('opaque', async () => (await (await fetch(`${at}/app/api/sessions`, { mode: 'no-cors', credentials })).text()) || null)
      await tries('log-in', async () => (await fetch(`${at}/app/api/auth/login`, { method: 'POST', mode: 'no-cors', credentials, body: new Blob([body]) })).status || null)
      await tries('delete', async () => (await fetch(`${at}/app/api/account/delete`, { method: 'POST', mode: 'no-cors', credentials, body })).status || null)
      const loads = (name, attributes) => tries(name, () => new Promise((done, no) => {
        const e = Object.assign(document.createElement(name), attributes)
        e.onload = () => done('loaded')
        e.onerror = no
        setTimeout(no, 2000)
        document.body.append(e)
      }))
      await loads('script', { src: `${at}/app/dashboard/main.js`, type: 'module' })
      await loads('script', { src: `${at}/app/api/sessions` })
      await loads('link', { rel: 'stylesheet', href: `${at}/app/style.css` })
      await loads('img', { src: `${at}/app/icon.svg` })
      await tries('frame', () => new Promise(done => {
        const e = document.createElement('iframe')
        e.src = `${at}/app/`
        e.onload = () => { try { done(e.contentDocument?.body?.textContent) } catch { done(null) } }
        setTimeout(() => done(null), 2000)
        document.body.append(e)
      }))
      // A form that posts a log-in, into a frame.
      await tries('form', () => new Promise(done => {
        const f = document.createElement('iframe')
        f.name = 'into'
        document.body.append(f)
        const e = document.createElement('form')
        Object.assign(e, { action: `${at}/app/api/auth/login`, method: 'POST', target: 'into', enctype: 'text/plain' })
        const i = document.createElement('input')
        i.name = body.slice(0, -1) + ',"x":"'
        i.value = '"}'
        e.append(i)
        document.body.append(e)
        e.submit()
        setTimeout(() => done(null), 1500)
      }))
      await tries('window', () => new Promise(done => {
        const w = open(`${at}/app/`)
        setTimeout(() => { let r = null; try { r = w?.document?.body?.textContent } catch { r = null } done(r) }, 1500)
      }))
      return got
    }, [host, email, password])
    for (const g of got) fault(`another origin got ${g.slice(0, 200)}`)
    for (const f of p.frames()) if (f !== p.mainFrame() && (await f.$('#places, a.row').catch(() => null))) fault('shown in a frame')
    for (const w of context.pages()) if (w !== page) await w.close()
    // The one that is signed in still is, and nobody else became it.
    await page.keyboard.press('r')
    await page.waitForFunction(() => !document.getElementById('places').hidden)
  },

  // A log-in that another origin put into the browser: its half is not the page's, so it changes nothing.
  async fixation() {
    at.place = 'fixation'
    const mine = await context.cookies(`${host}/app/api/`)
    await page.goto(`${host}/app/#key=${'A'.repeat(43)}.${'0'.repeat(32)}`)
    page.mayFail = true
    await page.reload()
    await page.waitForFunction(() => !document.getElementById('places').hidden)
    page.mayFail = false
    if (page.url().includes('AAAA')) fault('what came in the address stays there')
    if ((await context.cookies(`${host}/app/api/`))[0]?.value !== mine[0]?.value) fault('another log-in is in the browser')
    const stranger = await newContext({ ignoreHTTPSErrors: true }), p = await watched(stranger)
    await stranger.addCookies(mine)
    p.mayFail = true
    await p.goto(`${host}/app/`)
    await p.waitForSelector('#email')
    // A stolen cookie without the page's half.
    const status = await p.evaluate(async () => (await fetch('api/sessions', { headers: { 'X-Codeteleport-Dashboard': 'x' } })).status)
    if (status !== 401) fault(`a stolen cookie is answered ${status}`)
    await stranger.close()
  },

  // So many: rows at once, all of them soon.
  async many() {
    at.place = 'many'
    const t = Date.now()
    await goto(page, '#/')
    await page.reload()
    await page.waitForSelector('a.row')
    console.log(`# rows after ${Date.now() - t} ms`)
    await page.waitForFunction(k => document.querySelectorAll('a.row').length >= k, n)
    console.log(`# all after ${Date.now() - t} ms`)
    await view(page, 'many')
    await page.keyboard.press('/')
    await page.keyboard.type('zzz-none')
    await page.waitForSelector('.empty')
    await page.fill('#words', '')
  },

  // A new password and the end of the account.
  async end() {
    at.place = 'end'
    await goto(page, '#/account')
    await heading(page, 'Account')
    await page.click('button >> text=Change it')
    await page.fill('#new-password', `${password} 2`)
    await page.fill('#holder', password)
    await page.click('dialog button >> text=Set it')
    await page.waitForSelector('#email')
    await page.fill('#email', email)
    await page.fill('#password', `${password} 2`)
    await page.keyboard.press('Enter')
    await heading(page, 'Account')
    await page.click('button >> text=Delete the account')
    await page.waitForSelector('dialog[open]')
    await view(page, 'delete-account')
    await page.fill('#holder', `${password} 2`)
    await page.click('dialog button >> text="Delete the account"')
    await page.waitForSelector('.notice >> text=deleted')
  },
}

await play(scene, ['door', ...scenes])
