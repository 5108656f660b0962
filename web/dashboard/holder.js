// What can't be undone asks who holds the account once more: by the password, or, where there is none,
// by a sign-in of the last ten minutes.

import { el, put } from '../dom.js'
import { ask } from './ask.js'
import { away } from './door.js'

export const field = (id, label, attributes, hint) => el('div', { class: 'field' }, el('label', { for: id }, label),
  el('input', { id, name: id, ...attributes, 'aria-describedby': hint ? `${id}-hint` : null }),
  hint ? el('p', { class: 'quiet', id: `${id}-hint` }, hint) : null)

const elsewhere = async () => away((await ask('GET', 'account')).signIn === 'oidc' ? 'oidc' : 'github')

// A dialog that says TEXT and has METHOD PATH asked with the body that FIELDS give; true if that was done,
// false if one thought better of it.  WITH says whether the password is asked for.
export function confirm({ title, text, label, method, path, fields = [], body = () => ({}), holder = true, done }) {
  return new Promise(end => {
    const failed = el('p', { class: 'failed', role: 'alert' })
    const password = holder ? field('holder', 'Your password', { type: 'password', autocomplete: 'current-password' }) : null
    const input = password?.querySelector('input'), go = el('button', { class: 'danger' }, label)
    const box = el('dialog', { 'aria-labelledby': 'confirm-title', class: 'confirm' })
    const close = what => { box.close(); box.remove(); end(what) }
    const again = () => put(failed, 'This account has no password: sign in once more, and ask again within ten minutes. ',
      el('button', { type: 'button', on: { click: elsewhere } }, 'Sign in again'))
    const form = el('form', { on: { submit: async e => {
      e.preventDefault()
      go.disabled = true
      put(failed)
      try {
        const o = await ask(method, path, { ...body(box), ...(input?.value ? { password: input.value } : {}) })
        close(true)
        done?.(o)
      } catch (e) {
        if (e.code === 'sign_in_required') again()
        else put(failed, e.message)
        go.disabled = false
        if (input) input.value = ''
        input?.focus()
      }
    } } }, el('h2', { id: 'confirm-title' }, title), text.map(t => el('p', null, t)), fields, password, failed,
      el('div', { class: 'buttons' }, go, el('button', { type: 'button', on: { click: () => close(false) } }, 'Cancel')))
    box.append(form)
    box.addEventListener('cancel', e => { e.preventDefault(); close(false) })
    document.body.append(box)
    box.showModal()
    ;(box.querySelector('input') ?? go).focus()
  })
}
